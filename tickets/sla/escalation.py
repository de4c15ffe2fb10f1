"""Warnings, breaches and escalations: what is said of a clock when a step of its policy is due. The verb that sweeps call,
for many clocks at a time, as a thousand may be due in one minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.db.models.functions import Now

from tickets.events import record
from tickets.models import Clock, EventKind, Ticket
from tickets.sla import clocks
from tickets.sla.promises import merged

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from django.db.models import QuerySet


@transaction.atomic
def tell_due(clock_ids: Collection[int]) -> int:
    """Records what is due of these clocks; how many it spoke of. Looks again under the tickets' locks, so any number of sweeps say each thing once; a
    ticket that somebody is at is left for the next sweep.
    """
    tickets = (
        Ticket.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("status", "sla")
        .filter(pk__in=list(Clock.objects.filter(pk__in=clock_ids).values_list("ticket", flat=True)))
        .order_by("pk")
    )
    locked = {ticket.pk: ticket for ticket in tickets}
    prefetch_related_objects(list(locked.values()), "clocks")
    due = list(due_clocks().filter(pk__in=clock_ids, ticket__in=locked).order_by("next_at", "pk"))
    return sum(_tell(locked[clock.ticket_id], clock.pk, clock.database_now) for clock in due)


def _tell(ticket: Ticket, clock_id: int, now: datetime) -> bool:
    """True when it is due still: what was just said of another clock may have set off a rule, and that changed what is promised."""
    clock = next(clock for clock in ticket.clocks.all() if clock.pk == clock_id)
    if clock.next_at is None or clock.next_at > now:
        return False
    kind, said = said_of(clock, now)
    record(ticket, kind, actor=None, is_internal=True, **said)
    return True


def said_of(clock: Clock, now: datetime) -> tuple[EventKind, dict[str, Any]]:
    """After a pause of the sweeps several steps may be due: that is one event, of the gravest, and whoever one of them names hears of it once."""
    promise = clocks.promise_of(clock)
    spent = clocks.spent_by(clock, now)
    due = [step for step in promise.steps[clock.told :] if clock.target + step.offset <= spent] or [promise.steps[clock.told]]
    told = clock.told + len(due)
    step = merged(due)
    return _kind(clock.told, told, promise.breach), {
        clocks.KEY: {"metric": clock.metric, "round": clock.round, "told": told},
        "minutes": _minutes(spent - clock.target),  # not the step's: it may be late, or have been passed when the promise was made shorter
        "moment": (clocks.moment_of(clock, step) or now).isoformat(),
        "tells": {"assignee": step.to_assignee, "people": step.people, "groups": step.groups},
    }


def due_clocks() -> QuerySet[Any]:
    """By the database's clock, so that a machine whose clock jumps warns of nothing early. `database_now`: what that says."""
    return Clock.objects.filter(next_at__lte=Now()).annotate(database_now=Now())


def _kind(before: int, after: int, breach: int) -> EventKind:
    if after <= breach:
        return EventKind.SLA_WARNED
    return EventKind.SLA_BREACHED if before <= breach else EventKind.SLA_ESCALATED


def _minutes(span: timedelta) -> int:
    return round(span.total_seconds() / 60)
