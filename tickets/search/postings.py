"""Reads the index of related tickets, for the circles of one person. Plain SQL that PostgreSQL and SQLite read alike, each answer from one index.

Nothing here knows of access: `tickets.search.similar` gives the scopes, and asks about what is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from tickets.search.terms import EVERY

if TYPE_CHECKING:
    from collections.abc import Sequence

_WINDOW = 5_000  # how many of the newest tickets tell how rare a term is

_NEWEST = "SELECT ticket FROM tickets_posting WHERE scope = %s AND term = %s AND ticket < %s ORDER BY ticket DESC LIMIT %s"
_OLDEST = "SELECT MIN(ticket) AS ticket FROM tickets_posting WHERE scope = %s AND term = %s"
_SCORED = (
    "SELECT ticket, term, day, impact * CAST(%s AS double precision) AS score FROM tickets_posting WHERE scope = %s AND term = %s AND ticket < %s "
    "ORDER BY ticket DESC LIMIT %s"
)
_RECENT = "term = asked.column1 AND ticket >= %s AND ticket < %s"
_EARLIER = "term = asked.column1 AND ticket < %s"


@dataclass(frozen=True, slots=True)
class Chosen:
    term: int
    weight: float
    most: int  # postings that are read


@dataclass(frozen=True, slots=True)
class Window:
    """The newest tickets of some scopes: words are counted in it, so that counting costs the same however many tickets there are."""

    scopes: Sequence[int]
    before: int  # the number of the ticket that is the first not to be looked at
    size: int = 0
    floor: int = 0
    newest: int = 0
    oldest: int = 0  # of all in the scopes

    def total(self, recent: int) -> int:
        """About how many tickets have a term that so many of the window have."""
        return recent * (self.newest - self.oldest + 1) // (self.newest - self.floor + 1)


def window(scopes: Sequence[int], *, before: int) -> Window:
    if not scopes:
        return Window(scopes, before)
    statement = (
        f"SELECT COUNT(*), MIN(ticket), MAX(ticket), (SELECT MIN(ticket) FROM ({_each(_OLDEST, len(scopes))}) AS o) "  # noqa: S608 our own words
        f"FROM (SELECT ticket FROM ({_each(_NEWEST, len(scopes))}) AS n ORDER BY ticket DESC LIMIT {_WINDOW}) AS r"
    )
    of_oldest = [value for scope in scopes for value in (scope, EVERY)]
    of_newest = [value for scope in scopes for value in (scope, EVERY, before, _WINDOW)]
    [(size, floor, newest, oldest)] = _rows(statement, [*of_oldest, *of_newest])
    return Window(scopes, before, size, floor or 0, newest or 0, oldest or 0)


def frequencies(window: Window, terms: Sequence[int]) -> dict[int, tuple[int, bool]]:
    """How many tickets of the window have each term, and whether any earlier one has."""
    if not window.size:
        return dict.fromkeys(terms, (0, False))
    within = f"SELECT {{}} FROM tickets_posting WHERE scope IN ({_places(window.scopes)}) AND {{}}"  # noqa: S608 our own words
    recent, earlier = within.format("COUNT(*)", _RECENT), within.format("1", _EARLIER)
    asked = ", ".join(["(%s)"] * len(terms))
    statement = f"SELECT asked.column1, ({recent}), EXISTS ({earlier}) FROM (VALUES {asked}) AS asked"  # noqa: S608 our own words
    values = [*window.scopes, window.floor, window.before, *window.scopes, window.floor, *terms]
    return {term: (count, bool(is_known)) for term, count, is_known in _rows(statement, values)}


def scores(window: Window, chosen: Sequence[Chosen], *, day: int, recency_days: int, limit: int) -> dict[int, float]:
    """The best tickets: the newest that have each term, by what their terms weigh together."""
    if not (window.size and chosen):
        return {}
    # A ticket that is shared with two organizations of one person counts once.
    once = " UNION " if len(window.scopes) > 1 else " UNION ALL "
    parts = _each(_SCORED, len(chosen) * len(window.scopes), by=once)
    recency = "1 + EXP(-ABS(day - %s) / CAST(%s AS double precision))" if recency_days else "1"
    statement = f"SELECT ticket, SUM(score) * ({recency}) FROM ({parts}) AS s GROUP BY ticket, day ORDER BY 2 DESC, 1 DESC LIMIT %s"  # noqa: S608
    of_parts = [value for one in chosen for scope in window.scopes for value in (one.weight, scope, one.term, window.before, one.most)]
    return dict(_rows(statement, [*([day, recency_days] if recency_days else []), *of_parts, limit]))


def _each(part: str, times: int, *, by: str = " UNION ALL ") -> str:
    return by.join([f"SELECT * FROM ({part}) AS one"] * times)  # noqa: S608 our own words


def _places(values: Sequence[int]) -> str:
    return ", ".join(["%s"] * len(values))


def _rows(statement: str, values: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
