"""Keeps the index of related tickets (`Posting`) true, in the background, and what search finds: what to do is found on the tickets themselves."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import OuterRef, Subquery

from accounts.models import AgentGroup
from tickets.models import Comment, IndexedTicket, OrganizationShare, Posting, Ticket
from tickets.models.posting import STAFF, day_of
from tickets.search import terms, word_index

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

logger = logging.getLogger(__name__)

_BATCH = 100


def index_waiting(*, most: int) -> int:
    """Indexes tickets that are not, or no longer as they are, the newest first: up to about `most`. Returns how many this call did."""
    done = 0
    while done < most:
        numbers = list(Ticket.objects.filter(is_indexed=False).order_by("-pk").values_list("pk", flat=True)[:_BATCH])
        did = _index_or_tell(numbers)
        done += did
        if did < _BATCH:  # that was all, or the others are in the hands of somebody who says so again
            break
    return done


def _index_or_tell(numbers: list[int]) -> int:
    """A ticket that fails is told in the log, left out, and holds up no other."""
    try:
        return _index(numbers)
    except Exception:
        if len(numbers) > 1:
            return sum(_index_or_tell([number]) for number in numbers)
        logger.exception("ticket %s could not be indexed, so it is nowhere shown as related, and search may miss it", numbers[0])
        return Ticket.objects.filter(pk__in=numbers).update(is_indexed=True)


@transaction.atomic
def _index(numbers: Collection[int]) -> int:
    tickets = {
        ticket.pk: ticket
        for ticket in Ticket.objects.filter(pk__in=numbers, is_indexed=False)
        .select_for_update(of=("self",), skip_locked=True)
        .only("subject", "category", "group", "created_at")
    }
    word_index.write(tickets)
    _take_out(tickets)
    indexed = list(made_of(tickets))
    IndexedTicket.objects.bulk_create(indexed)
    rows = (row for one in indexed for row in postings(one))
    Posting.objects.bulk_create(
        Posting(scope=scope, term=term, ticket=ticket, impact=impact, day=day) for scope, term, ticket, impact, day in rows
    )
    return Ticket.objects.filter(pk__in=tickets).update(is_indexed=True)


def _take_out(numbers: Collection[int]) -> None:
    before = IndexedTicket.objects.filter(ticket__in=numbers)
    for one in before:
        Posting.objects.filter(scope__in=one.scopes, term__in=[terms.EVERY, *map(int, one.terms)], ticket=one.ticket).delete()
    before.delete()


def made_of(tickets: dict[int, Ticket]) -> Iterator[IndexedTicket]:
    """Nothing of spam. Of the others their subject and first public message, and who sees them for belonging to a circle."""
    public = Comment.objects.filter(ticket=OuterRef("ticket"), is_internal=False)
    first = Comment.objects.filter(ticket__in=tickets, pk=Subquery(public.order_by("pk").values("pk")[:1]))
    said = dict(first.values_list("ticket", "text"))
    private = set(AgentGroup.objects.filter(is_private=True).values_list("pk", flat=True))
    shares: dict[int, list[int]] = {pk: [] for pk in tickets}
    for share in OrganizationShare.objects.filter(ticket__in=tickets):
        shares[share.ticket_id].append(share.organization_id)
    for ticket in tickets.values():
        if ticket.is_spam:
            continue
        staff = -ticket.group_id if ticket.group_id in private else STAFF
        yield entry(ticket, said.get(ticket.pk, ""), scopes=[staff, *shares[ticket.pk]])


def entry(ticket: Ticket, said: str, *, scopes: list[int]) -> IndexedTicket:
    impacts = terms.impacts(ticket.subject, said)
    return IndexedTicket(
        ticket=ticket.pk,
        scopes=scopes,
        terms={str(term): impact for term, impact in impacts.items()},
        day=day_of(ticket.created_at),
    )


def postings(one: IndexedTicket) -> Iterator[tuple[int, int, int, int, int]]:
    """In the order of `Posting`'s columns."""
    for scope in one.scopes:
        yield scope, terms.EVERY, one.ticket, 0, one.day
        for term, impact in one.terms.items():
            yield scope, int(term), one.ticket, impact, one.day
