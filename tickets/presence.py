"""Which of our staff look at a ticket now, and who of them is writing. In the cache alone, for seconds: nothing is decided by it, and nothing of it is kept.

Where the cache is each process' own (no Redis), people see those whom the same process answers. Two who tell at the same instant may lose one of both until
that one tells again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.cache import cache

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models import Ticket

PERIOD = 10  # seconds after which a page tells of itself again
_LIVES = 25  # seconds that one who does not is still thought to be there
_MOST = 20  # people


@dataclass(frozen=True, slots=True)
class Present:
    person: int
    name: str
    is_writing: bool


def tell(ticket: Ticket, user: User, *, is_writing: bool, is_leaving: bool = False) -> list[Present]:
    """Notes that this person, who sees the ticket, is there, or no longer is. Answers who else is; those who write stand first."""
    now, key = time.time(), f"presence:{ticket.pk}"
    known: dict[int, tuple[str, bool, float]] = cache.get(key) or {}
    others = {pk: one for pk, one in known.items() if pk != user.pk and one[2] > now - _LIVES}
    mine = {} if is_leaving else {user.pk: (user.display_name, is_writing, now)}
    cache.set(key, dict(list((mine | others).items())[:_MOST]), timeout=_LIVES)
    found = [Present(pk, name, writes) for pk, (name, writes, _at) in others.items()]
    return sorted(found, key=lambda one: (not one.is_writing, one.name))
