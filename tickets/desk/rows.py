"""What a row of a list at the desk shows of a ticket, fetched with it. Reads; limits nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef

from tickets.desk.filters import has_failed_mail
from tickets.models import Clock
from tickets.sla.promises import ClockState

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from tickets.models import Ticket


_paused = Clock.objects.filter(ticket=OuterRef("pk"), state=ClockState.PAUSED)


def with_row(queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
    return (
        queryset.select_related("status", "priority", "requester", "group", "assignee")
        .prefetch_related("organizations")
        .annotate(has_failed_mail=has_failed_mail(), is_clock_paused=Exists(_paused))
    )
