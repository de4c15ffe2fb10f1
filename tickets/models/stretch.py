"""What reports need of a ticket's past that its own columns no longer tell. Written by `tickets.measures` alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from tickets.models.ticket import Ticket


class Stretch(models.Model):
    """From one moment of the past to another. The stretches that still stand are the ticket's own: `first_response_at`, `waiting_since`, `resolved_at`."""

    class Kind(models.TextChoices):
        ANSWERED = "answered"  # a customer's words waited for a public answer that was not the first
        RESOLVED = "resolved"  # it was resolved or closed, and then work on it began again

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="stretches")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    work_seconds = models.PositiveIntegerField(null=True)  # of a wait: business hours in it; None for a ticket without an SLA

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(ended_at__gte=F("began_at")), name="stretch_ends_after_it_began")]
        indexes: ClassVar = [
            models.Index(fields=["kind", "ended_at"], name="stretch_by_end"),
            models.Index(fields=["began_at"], condition=Q(kind="resolved"), name="stretch_by_resolution"),
        ]

    def __str__(self) -> str:
        return f"#{self.ticket_id} {self.kind} {self.began_at} to {self.ended_at}"
