"""Finds tickets by words, among those it is given: `tickets.access` has limited them, and nothing here widens them."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from tickets.models import Comment, Ticket

if TYPE_CHECKING:
    from django.db.models import QuerySet

MAX_LENGTH = 200  # characters of a query that count
MAX_WORDS = 10
_BIGGEST = 2**63 - 1  # the largest number a ticket can have


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
