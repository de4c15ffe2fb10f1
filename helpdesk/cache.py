"""The Redis cache, as the helper that it is: while it does not answer, nothing is remembered and nothing fails."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.core.cache.backends.redis import RedisCache as DjangoRedisCache
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class RedisCache(DjangoRedisCache):
    """Django's, with an outage answered as an empty cache would answer."""

    def add(self, *args: Any, **options: Any) -> bool:
        return bool(_or(super().add, args, options, instead=True))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _or(super().get, (key, default, version), {}, instead=default)

    def set(self, *args: Any, **options: Any) -> None:
        _or(super().set, args, options, instead=None)

    def touch(self, *args: Any, **options: Any) -> bool:
        return bool(_or(super().touch, args, options, instead=False))

    def delete(self, *args: Any, **options: Any) -> bool:
        return bool(_or(super().delete, args, options, instead=False))

    def get_many(self, *args: Any, **options: Any) -> dict[Any, Any]:
        return dict(_or(super().get_many, args, options, instead={}))

    def has_key(self, *args: Any, **options: Any) -> bool:
        return bool(_or(super().has_key, args, options, instead=False))

    def incr(self, *args: Any, **options: Any) -> int:
        return int(_or(super().incr, args, options, instead=1))


def _or(call: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any], *, instead: Any) -> Any:
    try:
        return call(*args, **options)
    except (RedisError, OSError) as error:
        logger.warning("the cache does not answer: %s", type(error).__name__)
        return instead
