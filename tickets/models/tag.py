"""Staff's own words for tickets. Customers never see them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class Tag(models.Model):
    """A word in the form that `tickets.tagging.tidy` gives it; made when it is first put on a ticket."""

    MAX_LENGTH: ClassVar = 40

    name = models.CharField(_("name"), max_length=MAX_LENGTH, unique=True)
    used_at = models.DateTimeField(
        default=timezone.now, editable=False, db_index=True
    )  # last put on a ticket: the newest are offered first

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Tagging(models.Model):
    """A tag on a ticket."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="tagging_rows")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="tagging_rows")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["ticket", "tag"], name="one_tagging")]
        indexes: ClassVar = [models.Index(fields=["tag", "-ticket"], name="ticket_by_tag")]

    def __str__(self) -> str:
        return f"{self.ticket_id} is {self.tag}"
