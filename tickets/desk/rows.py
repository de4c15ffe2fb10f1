"""What a row of a list at the desk shows of a ticket, fetched with it. Reads; limits nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import OuterRef, Prefetch, Subquery

from tickets.desk.filters import has_failed_mail
from tickets.models import Clock, OrganizationShare
from tickets.models.clock import OPEN
from tickets.search.full_text import marked, passages

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from tickets.models import Ticket
    from tickets.search.words import Asked

_organization = OrganizationShare.objects.filter(ticket=OuterRef("pk")).order_by("organization__name").values("organization__name")[:1]


def with_row(queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
    return (
        queryset.select_related("status", "priority", "requester", "group", "assignee")
        .prefetch_related(Prefetch("clocks", queryset=Clock.objects.filter(state__in=OPEN), to_attr="open_clocks"))
        .annotate(has_failed_mail=has_failed_mail(), organization_name=Subquery(_organization))
    )


def show_words(tickets: Collection[Ticket], asked: Asked) -> None:
    """Where the words that found them stand: in the subject, and in a passage of what staff may read. Asks nothing where there are no words."""
    found_in = passages(tickets, asked, for_staff=True)
    for ticket in tickets if asked.found else ():
        ticket.marked_subject = marked(ticket.subject, asked)  # type: ignore[attr-defined]
        ticket.passage = found_in.get(ticket.pk)  # type: ignore[attr-defined]
