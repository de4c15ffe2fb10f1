"""What our staff are writing and have not said yet: no comment, no event, nothing that a customer or a colleague could come across."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from tickets.models.conversation import Upload
from tickets.models.helper import Macro
from tickets.models.ticket import Ticket
from tickets.models.workflow import Status, TicketType


class Draft(models.Model):
    """A reply or note in progress; with `send_at`, a reply that goes out then and can be taken back until it has. Read by its writer alone."""

    writer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="drafts")
    is_note = models.BooleanField(default=False)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)  # as a comment keeps it: a picture is the `cid:` of one of `uploads`
    status = models.ForeignKey(Status, on_delete=models.SET_NULL, null=True, related_name="+")  # where the ticket goes with it
    type = models.ForeignKey(TicketType, on_delete=models.SET_NULL, null=True, related_name="+")
    reference = models.CharField(max_length=60, blank=True)
    uploads = models.ManyToManyField(Upload, related_name="drafts")  # kept as long as the draft
    macro = models.ForeignKey(
        Macro, on_delete=models.PROTECT, null=True, related_name="+"
    )  # that it is the reply of, and that is done with it
    # Another one each time it is saved, so that a page that is out of date overwrites nothing.
    version = models.UUIDField(default=uuid4, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    send_at = models.DateTimeField(null=True, editable=False)
    seen = models.BigIntegerField(null=True, editable=False)  # the ticket's newest event when it was sent off
    submission_key = models.UUIDField(null=True, editable=False)  # of the form that sent it off
    problem = models.TextField(blank=True)  # why it came back instead of going out

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["writer", "ticket", "is_note"], condition=Q(send_at=None), name="one_draft_a_person_ticket_and_kind"
            ),
            models.UniqueConstraint(fields=["writer", "ticket"], condition=~Q(send_at=None), name="one_reply_leaves_at_a_time"),
            models.CheckConstraint(condition=Q(send_at=None) | Q(is_note=False), name="only_replies_wait_to_leave"),
            models.CheckConstraint(condition=Q(macro=None) | ~Q(send_at=None), name="only_what_leaves_is_of_a_macro"),
        ]
        indexes: ClassVar = [models.Index(fields=["send_at"], condition=~Q(send_at=None), name="draft_to_send")]

    def __str__(self) -> str:
        return f"{self.writer} on #{self.ticket_id}"
