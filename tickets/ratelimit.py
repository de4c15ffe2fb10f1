"""How often one person, or one network, may do something. A fixed window on the cache; while the cache is down nobody is held up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from accounts.models import User

SPAN = 600  # seconds


def is_too_often(deed: str, who: User | str, *, limit: int) -> bool:
    """Counts one more, and tells whether that is more than `limit` within the present ten minutes. `who`: a person, or a network's address."""
    name = who if isinstance(who, str) else who.pk
    key = f"rate:{deed}:{name}:{int(time.time()) // SPAN}"
    cache.add(key, 0, timeout=SPAN)
    try:
        return cache.incr(key) > limit
    except ValueError:  # it ran out between the two calls
        return False


def refusal() -> str:
    return _("That was a lot in a short time. Nothing is lost: wait a few minutes, then send it again.")
