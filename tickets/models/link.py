"""What one ticket has to do with another. That it follows one up, or was merged into one, is a column of its own (`tickets.models.ticket`)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class LinkKind(models.TextChoices):
    """Said of the first of the two."""

    RELATED = "related", _("is related to")
    BLOCKED_BY = "blocked_by", _("is blocked by")
    DUPLICATE_OF = "duplicate_of", _("is a duplicate of")


class TicketLink(models.Model):
    """Seen from both sides, by staff who see both. Two tickets have at most one."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="links")
    other = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="links_back")
    kind = models.CharField(max_length=20, choices=LinkKind.choices)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Least("ticket", "other"), Greatest("ticket", "other"), name="one_link_a_pair"),
            models.CheckConstraint(condition=~Q(ticket=F("other")), name="link_is_to_another_ticket"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.get_kind_display()} {self.other_id}"
