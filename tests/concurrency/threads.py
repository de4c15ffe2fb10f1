"""Several workers at once, each with a connection of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

import pytest
from django.db import connection, connections

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

marks = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time, so there is nothing to race"),
    pytest.mark.django_db(transaction=True),
]


def at_once(works: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Starts all at the same moment. What each answered, or the error that ended it."""
    start = Barrier(len(works))

    def run(work: Callable[[], T]) -> T | Exception:
        try:
            start.wait(timeout=20)
            return work()
        except Exception as error:  # noqa: BLE001 the test looks at it
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def errors(answers: Sequence[object]) -> list[Exception]:
    return [answer for answer in answers if isinstance(answer, Exception)]
