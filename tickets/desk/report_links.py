"""From a number in a report to the very tickets that it counts, where the queue's language can name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts.models import User
from tickets.desk.filters import condition_text, queue_url
from tickets.reports.asked import DIMENSIONS, Asked, Dimension
from tickets.search.query import ME, NONE

if TYPE_CHECKING:
    from tickets.reports.tables import Cell, Row

_FIELDS = {"organization": "org", "agent": "assignee"}  # what the queue calls them, where it has a name of its own


class Links:
    """Of one report. Two people's days differ where they live in different zones: then days can't be named, and only what is open now is a link."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.is_todays = asked.period.last >= timezone.now().astimezone(asked.period.zone).date()
        self.are_our_days = timezone.get_current_timezone_name() == str(asked.period.zone)
        self.filters = [self._named(DIMENSIONS[key], value) for key, value in asked.chosen.items() if key in DIMENSIONS]
        self.names: dict[Any, str] = {}
        if isinstance(asked.by, Dimension) and asked.by.key == "agent":  # two people may have one name
            self.names = dict(User.objects.active_staff().values_list("pk", "email"))

    def to(self, cell: Cell, row: Row) -> str:
        """'' where the queue has no words for it, or where there is nothing to see."""
        period = row.period or self.asked.period
        is_last = period.last == self.asked.period.last
        if not cell.value or not cell.counts or (cell.counts == "open" and not (is_last and self.is_todays)):
            return ""
        if cell.counts == "open":
            terms = ["status:unresolved"]
        elif self.are_our_days:
            terms = ["status:any", f"{cell.counts}:>={period.first}", f"{cell.counts}:<={period.last}"]
        else:
            return ""
        of_row = self._of_row(row)
        return "" if of_row is None else queue_url(" ".join([*terms, *self.filters, *of_row]))

    def _of_row(self, row: Row) -> list[str] | None:
        by = self.asked.by
        if not isinstance(by, Dimension) or row.is_total:
            return []
        if row.key is None:
            return [f"{_field(by)}:{NONE}"]
        name = row.key if by.key == "channel" else self.names.get(row.key) if by.key == "agent" else row.label
        return [condition_text(_field(by), name)] if name else None

    def _named(self, dimension: Dimension, value: str) -> str:
        if value in (NONE, ME):
            return f"{_field(dimension)}:{value}"
        if dimension.key == "channel":
            return f"channel:{value}"
        if dimension.key == "agent":
            return condition_text("assignee", User.objects.filter(pk=value).values_list("email", flat=True).first() or "-")
        return condition_text(_field(dimension), dimension.names({int(value)}).get(int(value), "-"))


def _field(dimension: Dimension) -> str:
    return _FIELDS.get(dimension.key, dimension.key)
