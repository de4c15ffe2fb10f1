"""Warnings, breaches and escalations: what is said of a clock when a step of its policy is due. The verb that sweeps call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models.functions import Now

from tickets import clocks
from tickets.events import record
from tickets.models import Clock, EventKind, Ticket
from tickets.sla import merged

if TYPE_CHECKING:
    from datetime import timedelta

    from django.db.models import QuerySet


@transaction.atomic
def tell_if_due(clock_id: int, *, ticket: int) -> bool:
    """Records what is due of the `ticket`'s clock. Looks again under the ticket's lock, so any number of sweeps say it once. True when this call did.

    After a pause of the sweeps several steps may be due: that is one event, of the gravest, and whoever one of them names hears of it once.
    """
    locked = Ticket.objects.select_for_update(of=("self",), skip_locked=True).select_related("status", "sla").filter(pk=ticket).first()
    if locked is None:
        return False
    clock = due_clocks().select_related("snapshot").filter(pk=clock_id).first()
    if clock is None:
        return False
    promise = clocks.promise_of(clock)
    spent = clocks.spent_by(clock, clock.database_now)
    due = [step for step in promise.steps[clock.told :] if clock.target + step.offset <= spent] or [promise.steps[clock.told]]
    told = clock.told + len(due)
    step = merged(due)
    record(
        locked,
        _kind(clock.told, told, promise.breach),
        actor=None,
        is_internal=True,
        sla={"metric": clock.metric, "round": clock.round, "told": told},
        minutes=_minutes(step.offset),
        moment=(clocks.moment_of(clock, step) or clock.database_now).isoformat(),
        tells={"assignee": step.to_assignee, "people": step.people, "groups": step.groups},
    )
    return True


def due_clocks() -> QuerySet[Any]:
    """By the database's clock, so that a machine whose clock jumps warns of nothing early. `database_now`: what that says."""
    return Clock.objects.filter(next_at__lte=Now()).annotate(database_now=Now())


def _kind(before: int, after: int, breach: int) -> EventKind:
    if after <= breach:
        return EventKind.SLA_WARNED
    return EventKind.SLA_BREACHED if before <= breach else EventKind.SLA_ESCALATED


def _minutes(span: timedelta) -> int:
    return round(span.total_seconds() / 60)
