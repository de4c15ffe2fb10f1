"""What an admin changes about statuses that tickets are in: the tickets follow, in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone

from tickets import actions
from tickets.events import one_nudge, record
from tickets.locking import save
from tickets.models import EventKind, Status, Ticket

if TYPE_CHECKING:
    from accounts.models import User

MOST = 2_000  # tickets that a change of category may move at once: some ten seconds, in which no other ticket is written


@transaction.atomic
def recategorise(status: Status, *, actor: User) -> int:
    """Saves a status whose category was changed, and moves its tickets there, each with an event: their clocks and times follow. Returns how many.

    Nobody is told: for customers the status is called as before. While it runs no other ticket is written; whoever waits reads the new category then.
    """
    if connection.vendor == "postgresql":  # SQLite has one writer anyway
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {connection.ops.quote_name(Ticket._meta.db_table)} IN EXCLUSIVE MODE")
    status.save()
    now = timezone.now()
    with one_nudge():
        tickets = list(status.tickets.exclude(category=status.category).select_related("status", "group").order_by("pk")[: MOST + 1])
        for ticket in tickets:
            old = ticket.category
            actions.stand(ticket, status, now)
            save(ticket)
            data: dict[str, Any] = {"old_category": old, "category": status.category, "counts_as": status.get_category_display()}
            record(ticket, EventKind.RECATEGORISED, actor=actor, is_internal=True, name=status.name, **data)
    return len(tickets)
