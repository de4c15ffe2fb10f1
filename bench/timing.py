"""Does the time of a search or a suggestion tell a customer that a text exists where they may not look (SU13)? `python -m bench.timing` in the database that
`bench/related.py` loaded (DATABASE_URL): words that only other people's tickets have against words that nobody has, asked in turns, 200 of each.

Prints for each door both medians and how well the time alone tells which it was: 50 % is a coin's throw, and 200 pairs stray by up to 7 points from that.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
os.environ.setdefault("DEMO", "1")

import django

django.setup()

from django.utils import timezone  # noqa: E402

from accounts.models import Membership, Organization, User  # noqa: E402
from bench.related import PUBLIC  # noqa: E402
from tickets import access  # noqa: E402
from tickets.models import Comment, IndexedTicket, OrganizationShare, Ticket  # noqa: E402
from tickets.search import terms  # noqa: E402
from tickets.search.full_text import matching, read  # noqa: E402
from tickets.search.similar import Question, similar  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

_TRIES = 200


def main() -> None:
    chance = random.Random(7)
    customer, own = _customer()
    foreign = _foreign(own, chance)
    for door, ask in _doors(customer).items():
        took: dict[str, list[float]] = {"theirs": [], "random": []}
        for text in foreign:
            pair = [("theirs", text), ("random", _scrambled(text, chance))]
            chance.shuffle(pair)
            for name, words in pair:
                begun = time.perf_counter()
                ask(words)
                took[name].append(1000 * (time.perf_counter() - begun))
        right = sum(a > b for a, b in zip(took["theirs"], took["random"], strict=True)) / len(foreign)
        medians = ", ".join(f"{name} {statistics.median(times):.2f} ms" for name, times in took.items())
        print(f"{door}: {medians}; told by time in {100 * max(right, 1 - right):.0f} % of {len(foreign)}")


def _customer() -> tuple[User, Organization]:
    """Somebody who sees a few hundred, and nothing public."""
    user = next(row.user for row in Membership.objects.exclude(organization__name=PUBLIC).select_related("user").order_by("pk")[5:])
    Membership.objects.filter(user=user, organization__name=PUBLIC).delete()
    return user, user.active_organizations().get()


def _foreign(own: Organization, chance: random.Random) -> list[str]:
    """From each of some tickets that are not theirs, five words that no ticket of theirs has."""
    shared = OrganizationShare.objects.filter(organization=own).values("ticket")
    theirs = {term for one in IndexedTicket.objects.filter(ticket__in=shared) for term in map(int, one.terms)}  # stems
    newest = Ticket.objects.exclude(pk__in=shared).order_by("-pk").values_list("pk", flat=True)
    among = list(newest[:50_000])
    numbers = chance.sample(among, min(len(among), 16 * _TRIES))
    found = []
    for text in Comment.objects.filter(ticket__in=numbers).values_list("text", flat=True):
        words = [word for word in dict.fromkeys(text.lower().split()) if word.isalpha() and len(word) > 4]
        words = [word for word in words if (asked := terms.asked(word, word)) and theirs.isdisjoint(asked)]
        found += [" ".join(words[:5])] if len(words) > 4 else []
    return found[:_TRIES]


def _scrambled(text: str, chance: random.Random) -> str:
    """The same words, each with its letters in another order: nobody has those, and nothing else about them differs."""
    return " ".join(word[0] + "".join(chance.sample(word[1:-1], len(word) - 2)) + word[-1] for word in text.split())


def _doors(user: User) -> dict[str, Callable[[str], object]]:
    tickets = Ticket.objects.only("pk")
    return {
        "related tickets": lambda words: similar(user, Question(words, words, at=timezone.now()), among=tickets),
        "search": lambda words: list(
            matching(access.tickets_for(user), read(" ".join(words.split()[:3])), for_staff=False).only("pk")[:25]
        ),
    }


if __name__ == "__main__":
    main()
