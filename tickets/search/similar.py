"""Tickets that are about the same as a text, for one person: only what they may see is looked through; it is ranked, and `access` is asked once more.

Whatever decides the order, how rare a word is included, is taken from this person's own circles, so that it tells nothing of anybody else's tickets.
The work has a bound whatever is asked: a hundred terms are weighed, sixteen looked for, the newest tickets of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from itertools import islice
from math import exp, log
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Left

from accounts.models import Role
from tickets import access
from tickets.lifecycle import Category
from tickets.models import Comment, IndexedTicket, Ticket
from tickets.models.posting import day_of
from tickets.search import postings, terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from accounts.models import User

_WEIGHED = 100
_CHOSEN = 16
_POSTINGS = 10_000  # that are read in all
_FEWEST_POSTINGS = 200  # of a term
_SHOWN = 1_000  # characters of a message
_CHECKED = 6  # times as many as are wanted, as some may no longer be seen


@dataclass(frozen=True, slots=True)
class Question:
    subject: str
    text: str
    at: datetime  # tickets of about this day come first
    without: frozenset[int] = frozenset()
    before: int = 2**63 - 1  # only tickets with smaller numbers


def with_story() -> QuerySet[Ticket]:
    """What is shown of a related ticket: how it stands, `said` first in public, and the `answer` of staff after which it was resolved."""
    public = Comment.objects.filter(ticket=OuterRef("pk"), is_internal=False).annotate(beginning=Left("text", _SHOWN)).values("beginning")
    answers = public.exclude(author__role=Role.CUSTOMER).filter(created_at__lte=OuterRef("resolved_at"))
    return Ticket.objects.select_related("status").annotate(
        said=Subquery(public.order_by("pk")[:1]), answer=Subquery(answers.order_by("-pk")[:1])
    )


def similar(user: User, question: Question, *, among: QuerySet[Ticket], limit: int = 5) -> list[Ticket]:
    """The best first, from `among`, which has what the page needs joined in. Nothing for less than three words that say something."""
    if not terms.says_enough(question.subject, question.text):
        return []
    asked = terms.asked(question.subject, question.text)
    scopes = access.scopes_of(user)
    window = postings.window(scopes, before=question.before)
    by_name = list(IndexedTicket.objects.filter(ticket__in=access.seen_by_name(user, scopes), ticket__lt=question.before))
    chosen = _choose(asked, window, by_name)
    scored = postings.scores(
        window,
        chosen,
        day=day_of(question.at),
        recency_days=settings.RELATED_RECENCY_DAYS,
        limit=_CHECKED * limit + len(question.without),
    )
    scored |= {one.ticket: score for one in by_name if (score := _score(one, chosen, question.at))}
    best = nlargest(_CHECKED * limit, scored.keys() - question.without, key=lambda number: (scored[number], number))
    seen = among.filter(access.visible_to(user, numbers=best)).exclude(category=Category.SPAM).in_bulk(best)
    return list(islice((seen[number] for number in best if number in seen), limit))


def _choose(asked: dict[int, terms.Asked], window: postings.Window, by_name: list[IndexedTicket]) -> list[postings.Chosen]:
    """The terms that tell most: said often or in the subject, and rare. What this person can see nowhere takes nobody's place."""
    weighed = nlargest(_WEIGHED, asked, key=lambda term: (asked[term].choice, term))
    among = window.size + len(by_name)
    found = []
    for term, (recent, is_known) in postings.frequencies(window, weighed).items():
        often = recent + sum(str(term) in one.terms for one in by_name)
        if often or is_known:
            rareness = log(1 + (among - often + 0.5) / (often + 0.5))
            found.append((rareness * asked[term].choice, term, rareness * asked[term].weight, window.total(recent)))
    return list(_share_out(nlargest(_CHOSEN, found)))


def _share_out(found: list[tuple[float, int, float, int]]) -> Iterator[postings.Chosen]:
    """What a rare term does not use up is for those after it."""
    left = _POSTINGS
    for place, (_choice, term, weight, total) in enumerate(found):
        most = max(_FEWEST_POSTINGS, left // (len(found) - place))
        left = max(0, left - min(most, total))
        yield postings.Chosen(term, weight, most)


def _score(one: IndexedTicket, chosen: list[postings.Chosen], at: datetime) -> float:
    """As `postings.scores` has it."""
    matched: float = sum(each.weight * one.terms.get(str(each.term), 0) for each in chosen)
    days = settings.RELATED_RECENCY_DAYS
    return matched * (1 + exp(-abs(one.day - day_of(at)) / days)) if days else matched
