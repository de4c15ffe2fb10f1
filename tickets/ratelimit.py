"""How often one person may do something. A fixed window on the cache; while the cache is down nobody is held up."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

SPAN = 600  # seconds


def is_too_often(deed: str, person: User, *, limit: int) -> bool:
    """Counts one more, and tells whether that is more than `limit` within the present ten minutes."""
    key = f"rate:{deed}:{person.pk}:{int(time.time()) // SPAN}"
    try:
        cache.add(key, 0, timeout=SPAN)
        return cache.incr(key) > limit
    except (OSError, RedisError, ValueError):  # ValueError: it ran out between the two calls
        logger.warning("the cache does not answer: %s is not counted", deed)
        return False


def refusal() -> str:
    return _("That was a lot in a short time. Nothing is lost: wait a few minutes, then send it again.")
