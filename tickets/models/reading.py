"""How far somebody has read. Nobody else ever learns it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from tickets.models.event import Event
from tickets.models.ticket import Ticket


class TicketRead(models.Model):
    """A person has seen the ticket's story up to this event."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="read_tickets")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="read_by")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "ticket"], name="one_mark_a_person_and_ticket")]

    def __str__(self) -> str:
        return f"{self.user} read #{self.ticket_id}"
