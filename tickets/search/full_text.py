"""Finds tickets by words, among those it is given: `tickets.access` has limited them, and nothing here widens them.

Shows where the words stand, too, in what the same person may read.
"""

from __future__ import annotations

import re
import unicodedata
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import BooleanField, F, Func, Max, Q, Value
from django.db.models.expressions import RawSQL
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from tickets.models import Comment, Ticket
from tickets.search import words as reading
from tickets.search.words import Asked

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from django.db.models import QuerySet

MAX_LENGTH = 200  # characters of a query that count
MAX_WORDS = 10
_BEFORE, _AROUND = 40, 180  # characters of a snippet: before the first word that was found, and in all
_FEW = 2_000  # tickets: so many are told by their numbers
_MANY = 50_000  # of more, their numbers are too long a list
_SAMPLE = 1_000  # of the newest tickets, that tell whether what was asked for stands in many of the new ones
_DENSE = 4  # of them


def search(queryset: QuerySet[Ticket], text: str, *, for_staff: bool, order: Sequence[str] = ()) -> QuerySet[Ticket]:
    """Every word must occur in number, subject, what was said or the names of its files; for staff also in notes, names and addresses of customers.

    Customers search what they can read, and nothing else. `order`: how the tickets will be listed, which is quicker to know.
    """
    return matching(queryset, read(text), for_staff=for_staff, order=order)


def read(text: str) -> Asked:
    """What was typed: words, "exact words" and -without."""
    return reading.asked(_clean(text), most=MAX_WORDS)


def matching(queryset: QuerySet[Ticket], asked: Asked, *, for_staff: bool, order: Sequence[str] = ()) -> QuerySet[Ticket]:
    """As `search`. Exact, whatever way it goes: nothing is left out because there is much of it.

    Few tickets are told by their numbers. Many are either met soon by who goes through the tickets in their order, or all of them are gathered and put
    in order: the newest tell which. Customers' own tickets are looked through one by one, so that the time it takes tells nothing of others'.
    """
    if not asked:
        return queryset
    if not (asked.found or asked.hidden):  # signs alone, which nothing is found by
        return queryset.none()
    if not asked.found:
        return _without(queryset, asked, for_staff=for_staff)
    if not for_staff:
        return queryset.filter(_has(asked, for_staff=False))
    numbers = _first(asked, _FEW + 1)
    if len(numbers) <= _FEW:
        return queryset.filter(pk__in=numbers)
    return _of_many(queryset, asked, order) if _is_postgresql() else queryset.filter(pk__in=RawSQL(_ALL, [_query(asked)]))  # noqa: S611 our own words


def _without(queryset: QuerySet[Ticket], asked: Asked, *, for_staff: bool) -> QuerySet[Ticket]:
    """What has none of the words that are left out. One after the other, as FTS5 can't look for what has no word."""
    for text in asked.excluded:
        if reading.tokens(text):
            queryset = queryset.exclude(_has(Asked(phrases=(text,)), for_staff=for_staff))
    return queryset


def _of_many(queryset: QuerySet[Ticket], asked: Asked, order: Sequence[str]) -> QuerySet[Ticket]:
    """PostgreSQL is quick to look into one ticket, and slow to gather many; SQLite the other way round."""
    newest = dict(queryset.order_by("-pk").values_list("pk", _has(asked, for_staff=True))[:_SAMPLE])
    if len(newest) < _SAMPLE:
        return queryset.filter(pk__in=[number for number, has in newest.items() if has])
    if tuple(order[:1]) in _WALKED and sum(newest.values()) >= _DENSE:
        return queryset.filter(_has(asked, for_staff=True))
    numbers = _first(asked, _MANY + 1)
    if len(numbers) <= _MANY:  # as one value: PostgreSQL then looks these up, and does not read the table beside the index
        return queryset.filter(pk__in=RawSQL("SELECT unnest(%s)", [numbers]))
    return queryset.filter(pk__in=RawSQL(f"{_ALL} OFFSET 0", [_query(asked)]))  # noqa: S611 our own words


_WALKED = (("-updated_at",), ("-created_at",), ("-id",))  # orders that have an index of all tickets, the newest first


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


class _Has(Func):
    """Whether the one ticket has the words: looked up by its number. PostgreSQL would join what has no OFFSET, and ask its index for all tickets there are."""

    output_field = BooleanField()

    def __init__(self, pk: Any, query: str, columns: str) -> None:
        super().__init__(pk, Value(query), columns=columns)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "EXISTS (SELECT 1 FROM tickets_ticketwords said WHERE said.ticket_id = %(expressions)s::tsquery OFFSET 0)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=f" AND {self.extra['columns']} @@ ", **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "EXISTS (SELECT 1 FROM tickets_words_found WHERE rowid = %(expressions)s)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" AND tickets_words_found MATCH ", **context)


def _has(asked: Asked, *, for_staff: bool) -> Any:
    columns = "(said.public || said.internal)" if for_staff else "said.public"
    return _Has(F("pk"), _query(asked, for_staff=for_staff), columns)


# --- Where the words stand -----------------------------------------------------------------------------------------------------


def marked(text: str, words: Collection[str]) -> SafeString:
    """The text with the words in <mark>; everything else, and what is inside, is escaped."""
    parts = re.split(f"({_any_of(words)})", text, flags=re.IGNORECASE) if words else [text]
    return mark_safe("".join(f"<mark>{escape(part)}</mark>" if at % 2 else escape(part) for at, part in enumerate(parts)))


def snippets(tickets: Collection[Ticket], words: Sequence[str]) -> dict[int, SafeString]:
    """By ticket: the newest public comment with one of the words in it, cut to where the first of them stands. Two queries."""
    if not words:
        return {}
    has_one = reduce(or_, (Q(text__icontains=word) for word in words))
    newest = Comment.objects.filter(has_one, ticket__in=[ticket.pk for ticket in tickets], is_internal=False)
    latest = [row["latest"] for row in newest.order_by().values("ticket").annotate(latest=Max("pk"))]
    said = Comment.objects.filter(pk__in=latest).values_list("ticket", "text")
    return {ticket: snippet(text, words) for ticket, text in said}


def snippet(text: str, words: Collection[str]) -> SafeString:
    """Cut to where the first of the words stands."""
    text = " ".join(text.split())
    found = re.search(_any_of(words), text, flags=re.IGNORECASE) if words else None
    start = max(0, found.start() - _BEFORE) if found else 0
    start += text[start : start + _BEFORE].find(" ") + 1 if start else 0  # at a whole word
    cut = text[start : start + _AROUND]
    return marked(f"{'…' if start else ''}{cut}{'…' if start + _AROUND < len(text) else ''}", words)


def _any_of(words: Collection[str]) -> str:
    """The longest first, so that "up" leaves "update" whole."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
