"""One clock for each thing that was promised to a ticket. Written by `tickets.sla.clocks` alone."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tickets.models.sla import SlaSnapshot
from tickets.models.ticket import Ticket
from tickets.sla.promises import ClockState, Metric

OPEN = (ClockState.RUNNING, ClockState.PAUSED)


class ClockManager(models.Manager["Clock"]):
    def get_queryset(self) -> models.QuerySet[Clock]:
        """With what was promised, as nothing can be said of a clock without."""
        return super().get_queryset().select_related("snapshot")


class Clock(models.Model):
    """What it shows follows from the ticket's events, and can be made of them again."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="clocks", db_index=False)
    metric = models.CharField(max_length=10, choices=Metric.choices)
    round = models.PositiveSmallIntegerField(default=1)  # each wait for a next response is one
    snapshot = models.ForeignKey(SlaSnapshot, on_delete=models.PROTECT, related_name="clocks", db_index=False)
    state = models.CharField(max_length=10, choices=ClockState.choices)
    target = models.DurationField()
    started_at = models.DateTimeField()
    runs: models.JSONField[list[list[str]]] = models.JSONField(default=list)  # when it ran until now: [from, to]
    spent = models.DurationField(default=timedelta)  # in those runs, in the hours of the agreement
    since = models.DateTimeField(null=True)  # what it has run since the last of them
    due_at = models.DateTimeField(null=True)  # while it runs; null where that is never
    breached_at = models.DateTimeField(null=True)  # the moment itself, not when it was noticed
    ended_at = models.DateTimeField(null=True)
    told = models.PositiveSmallIntegerField(default=0)  # of the agreement's steps
    next_at = models.DateTimeField(null=True)  # when the next of them is due; put off where it failed

    objects = ClockManager()

    class Meta:
        verbose_name = _("clock")
        verbose_name_plural = _("clocks")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ticket", "metric", "round"], name="one_clock_a_round"),
            models.UniqueConstraint(fields=["ticket", "metric"], condition=Q(state__in=OPEN), name="one_open_clock_a_metric"),
            models.CheckConstraint(condition=Q(round=1) | Q(metric=Metric.NEXT), name="only_next_response_has_rounds"),
            models.CheckConstraint(
                condition=Q(state=ClockState.RUNNING, since__isnull=False)
                | (~Q(state=ClockState.RUNNING) & Q(since=None, due_at=None, next_at=None)),
                name="only_a_running_clock_is_due",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, ended_at=None) | (~Q(state__in=OPEN) & Q(ended_at__isnull=False)), name="ended_clock_says_when"
            ),
            models.CheckConstraint(condition=Q(target__gt=timedelta()) & Q(spent__gte=timedelta()), name="clock_runs_forwards"),
            models.CheckConstraint(condition=Q(breached_at=None) | Q(breached_at__gte=F("started_at")), name="breach_follows_the_start"),
        ]
        indexes: ClassVar = [models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="clock_to_tell")]

    def __str__(self) -> str:
        return f"{self.metric} {self.round} of #{self.ticket_id}: {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_running(self) -> bool:
        return self.state == ClockState.RUNNING

    @property
    def left(self) -> timedelta:
        """What of its target the runs that are over have left; negative after a breach."""
        return self.target - self.spent
