"""Keeps what reports measure, at the moment it happens: the verbs call this inside their transaction, with the ticket's row locked.

Sets fields of the ticket, which the verb saves, and adds `Stretch` rows. Decides nothing, and records no event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tickets.lifecycle import FINISHED, UNRESOLVED
from tickets.models import Stretch

if TYPE_CHECKING:
    from datetime import datetime

    from tickets.models import Ticket


def answered(ticket: Ticket, now: datetime) -> None:
    """Staff answer in public: the first time, or a customer who waits for more. What was answered already is no second answer."""
    if ticket.first_response_at is None:
        ticket.first_response_at = now
        ticket.first_response_work = work_seconds(ticket, ticket.created_at, now)
    elif ticket.waiting_since:
        _keep(ticket, Stretch.Kind.ANSWERED, ticket.waiting_since, now, work_seconds(ticket, ticket.waiting_since, now))


def moved(ticket: Ticket, old: str, now: datetime) -> None:
    """The ticket has left the category `old`: notes when it was resolved; and if it no longer is, that it has been."""
    if old in FINISHED and ticket.category in UNRESOLVED and ticket.resolved_at:
        _keep(ticket, Stretch.Kind.RESOLVED, ticket.resolved_at, now)
    if not ticket.is_finished:
        ticket.resolved_at = ticket.resolution_work = None
    elif ticket.resolved_at is None:
        ticket.resolved_at = now
        ticket.resolution_work = work_seconds(ticket, ticket.created_at, now)


def never_reopened(ticket: Ticket) -> None:
    """Before it moves back: its last move took it out of what had been resolved, and is undone."""
    stretch = ticket.stretches.filter(kind=Stretch.Kind.RESOLVED, ended_at=ticket.status_since).first()
    if stretch:
        ticket.resolved_at = stretch.began_at
        ticket.resolution_work = work_seconds(ticket, ticket.created_at, stretch.began_at)
        stretch.delete()


def measure_again(ticket: Ticket) -> None:
    """For who moved its times by hand, as the demo does: the business hours in them, by the clocks that it has now."""
    created, answered_at, resolved_at = ticket.created_at, ticket.first_response_at, ticket.resolved_at
    ticket.first_response_work = work_seconds(ticket, created, answered_at) if answered_at else None
    ticket.resolution_work = work_seconds(ticket, created, resolved_at) if resolved_at else None
    ticket.save(update_fields=["first_response_work", "resolution_work"])
    for stretch in ticket.stretches.filter(kind=Stretch.Kind.ANSWERED):
        stretch.work_seconds = work_seconds(ticket, stretch.began_at, stretch.ended_at)
        stretch.save(update_fields=["work_seconds"])


def work_seconds(ticket: Ticket, began: datetime, ended: datetime) -> int | None:
    """Of the business hours that its SLA promises now, waiting for the customer included; None for a ticket to which nothing is promised."""
    return int(ticket.sla.agreement.calendar.between(began, ended).total_seconds()) if ticket.sla else None


def _keep(ticket: Ticket, kind: Stretch.Kind, began: datetime, ended: datetime, work: int | None = None) -> None:
    # A machine's clock may have been set back.
    Stretch.objects.create(ticket=ticket, kind=kind, began_at=min(began, ended), ended_at=ended, work_seconds=work)
