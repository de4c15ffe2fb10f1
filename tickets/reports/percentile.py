"""The value that a given part of all reach at most (nearest rank): one of the values themselves, so that both databases give the same to the last digit."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from django.db.models import Aggregate, DurationField

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Expression, F


class Percentile(Aggregate):
    """0.5 is the median. Nulls do not count; of none it is None."""

    template = "percentile_disc(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, expression: Expression | F, *, fraction: float, **extra: Any) -> None:
        super().__init__(expression, fraction=fraction, **extra)

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        """Durations as seconds, as PostgreSQL takes twice as long to sort intervals. A microsecond is not lost in less than a hundred years."""
        template = self.template.replace("%(expressions)s", "date_part('epoch', %(expressions)s)")
        return (self._as(template) if isinstance(self.output_field, DurationField) else self).as_sql(compiler, connection, **extra)

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return self._as("percentile_disc(%(expressions)s, %(fraction)s)").as_sql(compiler, connection, **extra)

    def _as(self, template: str) -> Percentile:
        """Django takes none as an argument where there is a filter."""
        copy = self.copy()
        copy.template = template
        return copy

    @property
    def convert_value(self) -> Any:
        return _as_duration if isinstance(self.output_field, DurationField) else super().convert_value


def _as_duration(value: float | timedelta | None, _expression: Any, _connection: Any) -> timedelta | None:
    return timedelta(seconds=value) if isinstance(value, float) else value


class NearestRank:
    """What SQLite lacks, for `Connection.create_aggregate`."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self.fraction = 0.5

    def step(self, value: int | None, fraction: float) -> None:
        self.fraction = fraction
        if value is not None:
            self.values.append(value)

    def finalize(self) -> int | None:
        return sorted(self.values)[max(1, ceil(self.fraction * len(self.values))) - 1] if self.values else None


def teach_sqlite(*, connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """To each new connection."""
    if connection.vendor == "sqlite":
        connection.connection.create_aggregate("percentile_disc", 2, NearestRank)
