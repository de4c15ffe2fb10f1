"""Pages of a long list, found by the sort values of the row beside them.

Page 400 costs what page 1 does, and rows that arrive meanwhile shift nothing: no offset, no count. A cursor holds values
alone, never names of columns, so a forged one only starts somewhere else; an unreadable one is the first page. Columns
that may be empty sort last, in both directions.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, Model, Q, QuerySet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models.expressions import OrderBy
    from django.http import QueryDict

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Part:
    """Of a list, by its first column: where that has one value and so orders nothing, or, `is_sorted`, where it has any."""

    condition: Q
    value: Any = None
    is_sorted: bool = False

    def has(self, value: Any) -> bool:
        return value is not None if self.is_sorted else bool(value == self.value)


PARAMETER = "cursor"
_MAX_CURSOR = 4000  # characters
_FORWARD, _BACKWARD = "n", "p"
_BIGGEST = 2**63 - 1  # of a column of whole numbers


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page; the addresses beside it are query strings ("?q=…&cursor=…"), empty where there is nothing."""

    rows: list[M]
    next_url: str = ""
    prev_url: str = ""


@dataclass(frozen=True, slots=True)
class _Column:
    name: str  # of the annotation that holds its value
    field: Field[Any, Any]
    is_descending: bool
    is_nullable: bool

    def order(self, *, backward: bool) -> OrderBy:
        nulls = ({"nulls_first": True} if backward else {"nulls_last": True}) if self.is_nullable else {}
        return F(self.name).desc(**nulls) if self.is_descending != backward else F(self.name).asc(**nulls)

    def beyond(self, value: Any, *, backward: bool) -> Q:
        """Rows that come after (backward: before) those with this value."""
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if backward else Q(pk__in=())
        further = Q(**{f"{self.name}__{'lt' if self.is_descending != backward else 'gt'}": value})
        return further | Q(**{f"{self.name}__isnull": True}) if self.is_nullable and not backward else further

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})


def page_of(
    queryset: QuerySet[M], *, request_get: QueryDict, order: tuple[str, ...], parts: Sequence[Part] = (), size: int = 25
) -> Page[M]:
    """`order` names columns as `order_by` does, joined ones too, never from the request; the last must be unique ("-id").

    `parts`: all of the list in its order, where no single index has it: at most a query each, and one for the rows.
    """
    queryset, columns = _with_columns(queryset, order)
    cursor = _read(request_get.get(PARAMETER, ""), columns)
    if cursor is None:
        return _first(queryset, columns, parts, request_get=request_get, size=size)
    backward, values = cursor
    rows = _rows(queryset, columns, parts, values=values, backward=backward, size=size)
    if not rows or (backward and len(rows) < size):  # what was there has gone
        return _first(queryset, columns, parts, request_get=request_get, size=size)
    has_more, rows = len(rows) > size, rows[:size]
    if backward:
        rows.reverse()
    return Page(
        rows,
        next_url=_link(request_get, columns, rows[-1], _FORWARD) if has_more or backward else "",
        prev_url=_link(request_get, columns, rows[0], _BACKWARD) if has_more or not backward else "",
    )


def _first(queryset: QuerySet[M], columns: Sequence[_Column], parts: Sequence[Part], *, request_get: QueryDict, size: int) -> Page[M]:
    rows = _rows(queryset, columns, parts, values=None, backward=False, size=size)
    return Page(rows[:size], next_url=_link(request_get, columns, rows[size - 1], _FORWARD) if len(rows) > size else "")


def _rows(
    queryset: QuerySet[M],
    columns: Sequence[_Column],
    parts: Sequence[Part],
    *,
    values: Sequence[Any] | None,
    backward: bool,
    size: int,
) -> list[M]:
    """One more than shown tells whether there are more."""
    listed = _beyond(queryset, columns, values, backward=backward)
    if not parts:
        return list(listed[: size + 1])
    ahead = list(reversed(parts)) if backward else list(parts)
    if values is not None:
        ahead = ahead[next((at for at, part in enumerate(ahead) if part.has(values[0])), 0) :]
    keys: list[Any] = []
    for at, part in enumerate(ahead):
        within = columns if part.is_sorted else columns[1:]
        found = _beyond(queryset.filter(part.condition), within, values[-len(within) :] if values and at == 0 else None, backward=backward)
        keys += found.values_list("pk", flat=True)[: size + 1 - len(keys)]
        if len(keys) > size:
            break
    return list(listed.filter(pk__in=keys))


def _beyond(queryset: QuerySet[M], columns: Sequence[_Column], values: Sequence[Any] | None, *, backward: bool) -> QuerySet[M]:
    """In the order of the columns, after (backward: before) the row with these values."""
    found = queryset if values is None else queryset.filter(_from(columns, values, backward=backward))
    return found.order_by(*(column.order(backward=backward) for column in columns))


def _with_columns(queryset: QuerySet[M], order: tuple[str, ...]) -> tuple[QuerySet[M], list[_Column]]:
    """Each sort value travels with its row as an annotation: the table's own column, a joined one, or a computed one."""
    paths = [name.removeprefix("-") for name in order]
    named = queryset.annotate(**{f"_sort_{at}": F(path) for at, path in enumerate(paths)})
    columns = [
        _Column(
            f"_sort_{at}",
            cast("Field[Any, Any]", named.query.annotations[f"_sort_{at}"].output_field),
            is_descending=order[at].startswith("-"),
            is_nullable=_is_nullable(queryset.model, path),
        )
        for at, path in enumerate(paths)
    ]
    return cast("QuerySet[M]", named), columns


def _is_nullable(model: type[Model], path: str) -> bool:
    try:
        return bool(model._meta.get_field(path).null)
    except FieldDoesNotExist:  # joined or computed: nobody promises a value
        return True


def _from(columns: Sequence[_Column], values: Sequence[Any], *, backward: bool) -> Q:
    """(a, b) > (x, y) as a > x OR (a = x AND b > y), column by column."""
    column, value = columns[0], values[0]
    beyond = column.beyond(value, backward=backward)
    if len(columns) == 1:
        return beyond
    found = beyond | (column.same(value) & _from(columns[1:], values[1:], backward=backward))
    if column.is_nullable:
        return found
    # Says nothing new, but lets the database go straight to the place in its index.
    return Q(**{f"{column.name}__{'lte' if column.is_descending != backward else 'gte'}": value}) & found


def _link(request_get: QueryDict, columns: Sequence[_Column], row: Model, direction: str) -> str:
    values = [getattr(row, column.name) for column in columns]
    text = json.dumps([direction, *(None if value is None else str(value) for value in values)], ensure_ascii=False)
    query = request_get.copy()
    query[PARAMETER] = urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"?{query.urlencode()}"


def _read(cursor: str, columns: Sequence[_Column]) -> tuple[bool, list[Any]] | None:
    """Whether it leads backward, and the values; None for anything that we did not write."""
    if not 0 < len(cursor) <= _MAX_CURSOR:
        return None
    try:
        direction, *texts = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if direction not in (_FORWARD, _BACKWARD) or len(texts) != len(columns):
            return None
        return direction == _BACKWARD, [_value(column, text) for column, text in zip(columns, texts, strict=True)]
    except (ValueError, TypeError, RecursionError, OverflowError, ValidationError):
        return None


def _value(column: _Column, text: object) -> Any:
    """As the column has it. Raises ValueError, or what `to_python` does, for what no row can hold."""
    if text is None and column.is_nullable:
        return None
    if not isinstance(text, str) or "\0" in text:
        raise ValueError("not a value")
    text.encode()  # half of a character can be written in JSON, but is none
    value = column.field.to_python(text)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a moment without a zone")
        return value.astimezone(UTC)
    if isinstance(value, int) and abs(value) > _BIGGEST:
        raise ValueError("too large")
    return value
