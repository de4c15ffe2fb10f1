"""What reports ask of the database beyond what Django knows, alike on both: a percentile, and which of many spans of time a moment falls into."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Aggregate, FloatField, Func, IntegerField

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Expression, F


class Percentile(Aggregate):
    """The value that a given part of all reach at most (nearest rank): one of the values themselves, so that both databases give the same to the last
    digit. 0.5 is the median. Nulls do not count; of none it is None."""

    template = "percentile_disc(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, expression: Expression | F, *, fraction: float, **extra: Any) -> None:
        super().__init__(expression, fraction=fraction, **extra)

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        copy = self.copy()  # Django takes no template as an argument where there is a filter
        copy.template = "percentile_disc(%(expressions)s, %(fraction)s)"
        return copy.as_sql(compiler, connection, **extra)


def percentile_of(column: str, fraction: float) -> str:
    """The same in SQL."""
    if connection.vendor == "sqlite":
        return f"percentile_disc({column}, {fraction})"
    return f"percentile_disc({fraction}) WITHIN GROUP (ORDER BY {column})"


class Seconds(Func):
    """Of a duration, to the microsecond: PostgreSQL takes twice as long to sort intervals."""

    output_field = FloatField()

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="date_part('epoch', %(expressions)s)", **extra)

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s / 1000000.0)", **extra)


class Slot(Func):
    """How many of `moments`, which are in order, are not after it: 0 is before them all. A look into a list: a day in a time zone costs four times that."""

    output_field = IntegerField()

    def __init__(self, expression: Expression | F | str, moments: Sequence[datetime]) -> None:
        super().__init__(expression)
        self.moments = tuple(moments)

    @property
    def identity(self) -> Any:
        return (*super().identity, self.moments)

    def as_postgresql(self, compiler: Any, _connection: BaseDatabaseWrapper, **_extra: Any) -> Any:
        sql, params = compiler.compile(self.source_expressions[0])
        return f"width_bucket({sql}, %s::timestamptz[])", [*params, list(self.moments)]

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **_extra: Any) -> Any:
        sql, params = compiler.compile(self.source_expressions[0])
        moments = ",".join(str(connection.ops.adapt_datetimefield_value(moment)) for moment in self.moments)
        return f"width_bucket({sql}, %s)", [*params, moments]


def _width_bucket(moment: str | None, moments: str) -> int | None:
    """As SQLite has them, which are texts in their order."""
    return None if moment is None else bisect_right(_split(moments), moment)


@lru_cache(maxsize=8)
def _split(moments: str) -> list[str]:
    return moments.split(",")


class NearestRank:
    """What SQLite lacks, for `Connection.create_aggregate`."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.fraction = 0.5

    def step(self, value: float | None, fraction: float) -> None:
        self.fraction = fraction
        if value is not None:
            self.values.append(value)

    def finalize(self) -> float | None:
        return sorted(self.values)[max(1, ceil(self.fraction * len(self.values))) - 1] if self.values else None


def teach_sqlite(*, connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """To each new connection."""
    if connection.vendor == "sqlite":
        connection.connection.create_aggregate("percentile_disc", 2, NearestRank)
        connection.connection.create_function("width_bucket", 2, _width_bucket, deterministic=True)
