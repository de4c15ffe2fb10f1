"""Which tests run where, and in what order.

Once: what asks neither the database nor Redis answers the same whatever they are, so `make test-services` leaves it out (`--services`). Such a test has no
fixture `db`, no mark that says otherwise, and can't have it wrong: its cache is one that fails (see `OneThatFails`).

In order: files whose tests wait for processes, browsers or locks, or are long, begin first, as others then use the processors meanwhile, and none is left for
the end; then the files with most tests. All files of browsers are one piece, as they share a running demo.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.core.cache.backends.base import BaseCache
from xdist.scheduler import LoadFileScheduling

_ASKING = ("browser", "django_db", "journey", "postgres", "services")
_FIRST = ("browser", "journey", "postgres", "dear")
_SHARED = "tests/browser/"


def asks_services(item: pytest.Item) -> bool:
    """Whether it might answer otherwise on another database, or with Redis."""
    fixtures = getattr(item, "fixturenames", ())
    return "db" in fixtures or "transactional_db" in fixtures or any(item.get_closest_marker(name) for name in _ASKING)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--services", action="store_true", help="leave out the tests that ask neither the database nor Redis")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--services"):
        config.hook.pytest_deselected(items=[item for item in items if not asks_services(item)])
        items[:] = [item for item in items if asks_services(item)]
    counts = Counter(_piece(item.nodeid) for item in items)
    items.sort(key=lambda item: (_rank(item), -counts[_piece(item.nodeid)], _piece(item.nodeid)))


def _rank(item: pytest.Item) -> int:
    return next((rank for rank, name in enumerate(_FIRST) if item.get_closest_marker(name)), len(_FIRST))


def _piece(nodeid: str) -> str:
    return _SHARED if nodeid.startswith(_SHARED) else nodeid.partition("::")[0]


class Pieces(LoadFileScheduling):  # type: ignore[misc] # it has no types
    def _split_scope(self, nodeid: str) -> str:
        return _piece(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Pieces:
    return Pieces(config, log)


class OneThatFails(BaseCache):
    """Of a test that runs once: it would run on Redis nowhere."""

    def __init__(self, *_args: Any) -> None:
        super().__init__({})

    def __getattribute__(self, name: str) -> Any:
        if name in ("get", "set", "add", "delete", "incr", "get_many", "set_many", "has_key", "touch", "clear"):
            pytest.fail("This test asks the cache: mark it as one for the services (pytest.mark.services).")
        return super().__getattribute__(name)
