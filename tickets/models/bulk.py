"""Many tickets changed at once: what is to be done to them, and what became of each. Written by `tickets.bulk` alone."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class BulkState(models.TextChoices):
    DRAFT = "draft", _("not begun")
    WAITING = "waiting", _("about to begin")  # with replies, which can be taken back until `begins_at`
    WORKING = "working", _("being done")
    DONE = "done", _("done")
    UNDOING = "undoing", _("being taken back")
    UNDONE = "undone", _("taken back")


class BulkRun(models.Model):
    """One decision of one person about many tickets."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bulk_runs")
    text = models.CharField(max_length=500, blank=True)  # the query that the tickets were chosen by, to go back to
    sort = models.CharField(max_length=20, blank=True)
    changes = models.JSONField(default=dict)  # see `tickets.bulk.Changes`
    state = models.CharField(max_length=10, choices=BulkState.choices, default=BulkState.DRAFT)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    begins_at = models.DateTimeField(null=True, editable=False)
    seen = models.BigIntegerField(null=True, editable=False)  # the newest event there was when it was sent off
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(state__in=("waiting", "working", "undoing")), name="bulk_run_to_do"),
            models.Index(fields=["created_at"], name="bulk_run_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.owner}: {self.changes}"

    @property
    def is_at_work(self) -> bool:
        return self.state in (BulkState.WORKING, BulkState.UNDOING)


class ItemState(models.TextChoices):
    WAITING = "waiting"
    DONE = "done"
    UNCHANGED = "unchanged"  # it was so already
    REFUSED = "refused"
    TO_UNDO = "to_undo"
    UNDONE = "undone"
    KEPT = "kept"  # could not be taken back


class BulkItem(models.Model):
    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="items")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=ItemState.choices, default=ItemState.WAITING)
    why = models.CharField(max_length=300, blank=True)  # it could not be done, or not be taken back
    before = models.JSONField(default=dict)  # what it had, by field, of what was changed
    last_event = models.BigIntegerField(null=True)  # of the ticket when this was done: anything newer forbids taking back

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "ticket"], name="one_bulk_item")]
        indexes: ClassVar = [models.Index(fields=["run", "state", "id"], name="bulk_item_to_do")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.state}"
