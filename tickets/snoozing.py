"""Snoozing: a ticket stays out of the lists of what is to be done until a time, or until the customer writes. Verbs like those of `tickets.actions`.

Customers never learn of it: for them nothing has changed.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import IllegalMove
from tickets.events import record
from tickets.locking import lock, save
from tickets.models import EventKind, Ticket

if TYPE_CHECKING:
    from accounts.models import User

MORNING = time(9)
LONGEST = timedelta(days=366)


def tomorrow(now: datetime) -> datetime:
    """Nine in the morning, where `now`'s clock hangs."""
    return _morning(now, days=1)


def next_monday(now: datetime) -> datetime:
    return _morning(now, days=7 - now.weekday())


def _morning(now: datetime, *, days: int) -> datetime:
    """By the calendar, so that a night in which the clocks change moves nothing."""
    return datetime.combine(now.date() + timedelta(days=days), MORNING, tzinfo=now.tzinfo)


@transaction.atomic
def snooze(ticket: Ticket, *, actor: User | None, until: datetime) -> Ticket:
    """Again, with another time, moves it."""
    ticket = lock(ticket, actor, staff_only=True)
    now = timezone.now()
    if not ticket.is_unresolved:
        raise IllegalMove(_("Only a ticket that is still to be done can be snoozed."))
    if not now < until <= now + LONGEST:
        raise IllegalMove(_("Choose a time that is to come, within a year."))
    if ticket.snoozed_until == until:
        return ticket
    ticket.snoozed_until = until
    save(ticket)
    record(ticket, EventKind.SNOOZED, actor=actor, is_internal=True, until=until.isoformat())
    return ticket


@transaction.atomic
def wake(ticket: Ticket, *, actor: User) -> Ticket:
    """By hand, before its time."""
    ticket = lock(ticket, actor, staff_only=True)
    return _wake(ticket, actor=actor) if ticket.snoozed_until else ticket


@transaction.atomic
def wake_if_due(number: int) -> bool:
    """By itself. Looks again under the lock, so that any number of sweeps wake it once. True when this call did."""
    ticket = Ticket.objects.due_to_wake().select_for_update(of=("self",), skip_locked=True).filter(pk=number).first()
    if ticket is None:
        return False
    _wake(ticket, actor=None)
    return True


def _wake(ticket: Ticket, *, actor: User | None) -> Ticket:
    ticket.snoozed_until = None
    save(ticket)
    record(ticket, EventKind.WOKEN, actor=actor, is_internal=True)
    return ticket
