"""Finds tickets by words, among those it is given: `tickets.access` has limited them, and nothing here widens them.

Shows where the words stand, too, in what the same person may read.
"""

from __future__ import annotations

import re
import unicodedata
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from django.db.models import Exists, Max, OuterRef, Q
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from tickets.models import Comment, Ticket

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from django.db.models import QuerySet

MAX_LENGTH = 200  # characters of a query that count
MAX_WORDS = 10
_BIGGEST = 2**63 - 1  # the largest number a ticket can have
_BEFORE, _AROUND = 40, 180  # characters of a snippet: before the first word that was found, and in all


def search(queryset: QuerySet[Ticket], text: str, *, for_staff: bool) -> QuerySet[Ticket]:
    """Every word must occur in the subject or in what was said; #1042 or 1042 is also that ticket.

    Customers search what they can read, and nothing else.
    """
    for word in words_of(text):
        queryset = queryset.filter(_has(word, for_staff=for_staff))
    return queryset


def words_of(text: str) -> list[str]:
    """What is looked for. Control characters and halves of characters, which no database takes, are gaps."""
    clean = "".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text[:MAX_LENGTH])
    return clean.split()[:MAX_WORDS]


def _has(word: str, *, for_staff: bool) -> Q:
    said = Comment.objects.filter(ticket=OuterRef("pk"), text__icontains=word)
    found = Q(subject__icontains=word) | Q(Exists(said if for_staff else said.filter(is_internal=False)))
    if for_staff:
        found |= Q(requester__name__icontains=word) | Q(requester__email__icontains=word)
    number = word.removeprefix("#")
    if number.isdecimal() and len(number) <= len(str(_BIGGEST)) and int(number) <= _BIGGEST:
        found |= Q(pk=int(number))
    return found


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
