"""Finds tickets by words, among those it is given: `tickets.access` has limited them, and nothing here widens them.

Shows where the words stand, too, in what the same person may read.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, Window
from django.db.models.expressions import RawSQL
from django.db.models.functions import RowNumber, Substr
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Role
from tickets.models import Attachment, Comment, Ticket
from tickets.search import words as reading
from tickets.search.words import Asked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.db.models import QuerySet

MAX_LENGTH = 200  # characters of a query that count
MAX_WORDS = 10
_BEFORE, _AROUND = 20, 180  # characters of a snippet: before the first word that was found, and in all
_FEW = 2_000  # tickets: so many are gathered without further thought
_MANY = 50_000  # of more, their numbers are too long a list
_SAMPLE = 1_000  # of the newest tickets
_WORTH = 8_000  # how many match, times those of the sample: from here on, going through the tickets for a page of them is quicker than to gather all


def read(text: str) -> Asked:
    """What was typed: words, "exact words" and -without."""
    return reading.asked(_clean(text), most=MAX_WORDS)


def matching(queryset: QuerySet[Ticket], asked: Asked, *, for_staff: bool) -> QuerySet[Ticket]:
    """Every word must occur in number, subject, what was said or the names of its files; for staff also in notes, names and addresses of customers.

    Customers search what they can read, and nothing else: their own tickets are looked through one by one, so that the time it takes tells nothing of
    others'. Exact, whatever way it goes: nothing is left out because there is much of it.
    """
    if not asked:
        return queryset
    if not (asked.found or asked.hidden):  # signs alone, which nothing is found by
        return queryset.none()
    if not asked.found:
        return _without(queryset, asked, for_staff=for_staff)
    if not for_staff:
        return queryset.filter(_Has(asked, for_staff=False))
    return _for_staff_on_postgresql(queryset, asked) if _is_postgresql() else _for_staff_on_sqlite(queryset, asked)


def _without(queryset: QuerySet[Ticket], asked: Asked, *, for_staff: bool) -> QuerySet[Ticket]:
    """What has none of the words that are left out. One after the other, as FTS5 can't look for what has no word."""
    for text in asked.excluded:
        if reading.tokens(text):
            queryset = queryset.exclude(_Has(Asked(phrases=(text,)), for_staff=for_staff))
    return queryset


def _for_staff_on_postgresql(queryset: QuerySet[Ticket], asked: Asked) -> QuerySet[Ticket]:
    """Gathers or walks, whichever PostgreSQL's statistics and the newest tickets say is less work.

    To gather all that match and put them in order takes the longer the more they are; to go through the tickets in the list's order and look into each
    takes the longer the fewer match.
    """
    likely = _likely(asked)
    if likely <= _FEW and len(numbers := _first(asked, _FEW + 1)) <= _FEW:
        return queryset.filter(pk__in=numbers)
    newest = dict(queryset.order_by("-pk").values_list("pk", _Has(asked, for_staff=True))[:_SAMPLE])
    if len(newest) < _SAMPLE:
        return queryset.filter(pk__in=[number for number, has in newest.items() if has])
    if max(likely, _FEW) * sum(newest.values()) > _WORTH:
        return queryset.filter(_Has(asked, for_staff=True))
    numbers = _first(asked, _MANY + 1)
    if len(numbers) <= _MANY:  # as one value: PostgreSQL then looks these up, and does not read the table beside the index
        return queryset.filter(pk__in=RawSQL("SELECT unnest(%s::bigint[])", [numbers]))
    return queryset.filter(pk__in=RawSQL(f"{_ALL} OFFSET 0", [_query(asked)]))  # noqa: S611 our own words


def _for_staff_on_sqlite(queryset: QuerySet[Ticket], asked: Asked) -> QuerySet[Ticket]:
    """Slow to look into one ticket, and quick to gather many. The plus keeps it from fetching each of those: it goes through the list's order instead."""
    numbers = _first(asked, _FEW + 1)
    if len(numbers) <= _FEW:
        return queryset.filter(pk__in=numbers)
    gathered = Func(F("pk"), RawSQL(_ALL, [_query(asked)]), template="+%(expressions)s", arg_joiner=" IN ", output_field=BooleanField())  # noqa: S611 our own words
    return queryset.filter(gathered)


def words_of(text: str) -> list[str]:
    """What is looked for, by who looks otherwise than `search`."""
    return _clean(text).split()[:MAX_WORDS]


def _clean(text: str) -> str:
    """Control characters and halves of characters, which no database takes, are gaps."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text[:MAX_LENGTH])


# --- What the databases are asked ----------------------------------------------------------------------------------------------


def _is_postgresql() -> bool:
    return connection.vendor == "postgresql"


if _is_postgresql():
    _ALL = "SELECT ticket_id FROM tickets_ticketwords WHERE (public || internal) @@ %s::tsquery"
else:
    _ALL = "SELECT rowid FROM tickets_words_found WHERE tickets_words_found MATCH %s"


def _query(asked: Asked, *, for_staff: bool = True) -> str:
    if _is_postgresql():
        return asked.as_tsquery()
    return asked.as_fts5() if for_staff else f"{{public}} : ({asked.as_fts5()})"


def _first(asked: Asked, most: int) -> list[int]:
    """Numbers of tickets that match, in no order. All that match are planned for, or PostgreSQL would look through the table for the first of them."""
    statement = f"WITH found AS MATERIALIZED ({_ALL}) SELECT * FROM found LIMIT %s" if _is_postgresql() else f"{_ALL} LIMIT %s"  # noqa: S608 our own words
    with connection.cursor() as cursor:
        cursor.execute(statement, [_query(asked), most])
        return [number for (number,) in cursor.fetchall()]


def _likely(asked: Asked) -> int:
    """About how many tickets match, by PostgreSQL's statistics of the words: nothing is read for it."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {_ALL}", [_query(asked)])
        plan: str = cursor.fetchone()[0]
    found = re.search(r" rows=(\d+)", plan)
    return int(found[1]) if found else 0


class _Has(Func):
    """Whether the one ticket has the words: looked up by its number. PostgreSQL would join what has no OFFSET, and ask its index for all tickets there are.

    It would also put `public || internal` together for each ticket, which takes three times as long as to look into both: what stands in one row of words
    stands in one text, and so in one of the two.
    """

    output_field = BooleanField()

    def __init__(self, asked: Asked, *, for_staff: bool) -> None:
        super().__init__(F("pk"))
        self.asked, self.for_staff = asked, for_staff

    def as_postgresql(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        number, params = compiler.compile(self.get_source_expressions()[0])
        columns = ("public", "internal") if self.for_staff else ("public",)
        has = f"({' OR '.join(f'said.{column} @@ %s::tsquery' for column in columns)})"
        found, hidden = self.asked.as_tsqueries()
        tests = " AND ".join([has] * len(found) + [f"NOT {has}"] * len(hidden))
        queries = [query for query in (*found, *hidden) for _column in columns]
        found_there = f"SELECT 1 FROM tickets_ticketwords said WHERE said.ticket_id = {number} AND {tests} OFFSET 0"  # noqa: S608 our own words
        return f"EXISTS ({found_there})", (*params, *queries)

    def as_sqlite(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        number, params = compiler.compile(self.get_source_expressions()[0])
        found = "EXISTS (SELECT 1 FROM tickets_words_found WHERE tickets_words_found MATCH %s AND rowid ="
        return f"{found} {number})", (_query(self.asked, for_staff=self.for_staff), *params)


# --- Where the words stand -----------------------------------------------------------------------------------------------------

_LATEST = 50  # comments of one ticket that are looked into
_LOOKED_INTO = 8_000  # characters of each


@dataclass(frozen=True, slots=True)
class Passage:
    """Where words of a query stand besides the subject."""

    kind: str  # "said", "note", "file" or "person"
    text: SafeString  # a part of it, the words marked
    comment: int | None = None  # in or at which it is


def passages(tickets: Collection[Ticket], asked: Asked, *, for_staff: bool) -> dict[int, Passage]:
    """By ticket, the one that has most of the words: the newest such comment, else a file's name, else, for staff, a customer. Two queries.

    `tickets` have their requester joined in.
    """
    if not (tickets and asked.found):
        return {}
    best: dict[int, tuple[int, str, str, int | None]] = {}
    for ticket, kind, text, comment in _texts(tickets, for_staff=for_staff):
        has = len({place.row for place in reading.places(text, asked)})
        if has > (best[ticket][0] if ticket in best else 0):
            best[ticket] = has, kind, text, comment
    return {ticket: Passage(kind, snippet(text, asked), comment) for ticket, (_has, kind, text, comment) in best.items()}


def _texts(tickets: Collection[Ticket], *, for_staff: bool) -> Iterator[tuple[int, str, str, int | None]]:
    """Ticket, kind, text and comment; the better ones first."""
    may_read = Q(ticket__in=[ticket.pk for ticket in tickets]) & (Q() if for_staff else Q(is_internal=False))
    nth = Window(RowNumber(), partition_by="ticket", order_by="-pk")
    latest = Comment.objects.filter(may_read).annotate(nth=nth, said=Substr("text", 1, _LOOKED_INTO)).filter(nth__lte=_LATEST)
    ticket_of: dict[int, int] = {}  # by comment
    authors: dict[int, set[tuple[str, str]]] = {ticket.pk: {(ticket.requester.name, ticket.requester.email)} for ticket in tickets}
    columns = ("pk", "ticket", "said", "is_internal", "author__name", "author__email", "author__role")
    for comment, ticket, said, is_internal, name, email, role in latest.order_by("-pk").values_list(*columns):
        ticket_of[comment] = ticket
        if role == Role.CUSTOMER:
            authors[ticket].add((name, email))
        yield ticket, "note" if is_internal else "said", said, comment
    # Of known comments: joined to them, PostgreSQL would read all files there are.
    for name, comment in Attachment.objects.filter(comment__in=ticket_of).order_by("-pk").values_list("name", "comment"):
        yield ticket_of[comment], "file", name, comment
    if for_staff:
        for ticket, people in authors.items():
            for name, email in people:
                yield ticket, "person", f"{name} <{email}>", None


def marked(text: str, asked: Asked) -> SafeString:
    """The text with the words in <mark>; everything else, and what is inside, is escaped."""
    parts, at = [], 0
    for place in reading.places(text, asked):
        parts.append(format_html("{}<mark>{}</mark>", text[at : place.start], text[place.start : place.end]))
        at = place.end
    return mark_safe("".join([*parts, escape(text[at:])]))


def snippet(text: str, asked: Asked) -> SafeString:
    """Cut to where the first of the words stands."""
    text = " ".join(text.split())
    found = reading.places(text, asked)
    start = max(0, found[0].start - _BEFORE) if found else 0
    start += text[start : start + _BEFORE].find(" ") + 1 if start else 0  # at a whole word
    cut = text[start : start + _AROUND]
    return marked(f"{'…' if start else ''}{cut}{'…' if start + _AROUND < len(text) else ''}", asked)
