"""The reports as tables: what the page shows, the file holds and the mail brings are one and the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tickets.reports.periods import Period, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from tickets.models import Ticket
    from tickets.reports.asked import Dimension

MOST_ROWS = 200  # of organizations or agents; those with the most tickets


class Unit(StrEnum):
    COUNT = "count"
    TIME = "time"  # whole minutes
    SHARE = "share"  # percent, with one decimal
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Cell:
    value: Any  # int, minutes, percent or text; None: there is nothing to measure
    before: Any = None
    unit: Unit = Unit.COUNT
    counts: str = ""  # which tickets it counts, for who can list them: created, open


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    cells: list[Cell]
    period: Period | None = None  # what it covers, where that is not the report's
    key: Any = None  # the dimension's value, None for tickets without one
    ticket: Ticket | None = None
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    head: str  # of the column of labels
    columns: list[str]
    rows: list[Row]
    total: Row | None = None
    has_before: bool = True
    note: str = ""
    period: Period | None = None  # None: as it is now
    is_mixed: bool = False  # each row has a unit of its own

    @property
    def shown(self) -> list[Row]:
        return [*self.rows, *([self.total] if self.total else [])]

    @property
    def is_empty(self) -> bool:
        return not any(cell.value or cell.before for row in self.shown for cell in row.cells)


@dataclass(frozen=True, slots=True)
class Report:
    """A table, and for those over time what its charts draw."""

    table: Table
    steps: Table | None = None  # over time, whatever the table is by
    tiles: list[Row] = field(default_factory=list)


# --- Rows ----------------------------------------------------------------------------------------------------------------------


def step_head(step: Step) -> str:
    return {Step.DAY: _("Day"), Step.WEEK: _("Week from"), Step.MONTH: _("Month")}[step]


def step_name(period: Period, step: Step) -> str:
    """As files sort them: 2026-11-28, 2026-11. A week is named by its first day here."""
    return f"{period.first:%Y-%m}" if step is Step.MONTH else period.first.isoformat()


def by_rows(by: Dimension, keys: set[Any], cells: Callable[[Hashable], list[Cell]], *, weight: Callable[[Row], Any]) -> list[Row]:
    """In the order of an admin's list, or of which there may be many the biggest first; at the end tickets that have none."""
    rows = [Row(name, cells(key), key=key) for key, name in by.names(keys).items() if key in keys]
    if by.key in ("organization", "agent"):
        rows = sorted(rows, key=weight, reverse=True)[:MOST_ROWS]
    return [*rows, *([Row(str(by.nothing), cells(None), key=None)] if None in keys else [])]


def by_title(by: Dimension) -> str:
    return _("Tickets by %(property)s") % {"property": str(by.label).lower()}


def by_note(by: Dimension, keys: set[Any]) -> str:
    notes = [_("Tickets count under what they have now.")]
    if by.key == "organization":
        notes = [_("A ticket counts for each organization that it is shared with, and once in all.")]
    if len(keys - {None}) > MOST_ROWS and by.key in ("organization", "agent"):
        notes.append(_("Those with the most tickets are listed."))
    return " ".join(notes)


# --- Words ---------------------------------------------------------------------------------------------------------------------


def in_words(value: Any, unit: Unit) -> str:
    """As pages and mails show it. Nothing is rounded away: minutes stay whole minutes."""
    if value is None:
        return "–"
    if unit is Unit.TIME:
        hours, minutes = divmod(value, 60)
        words = _("%(hours)s h %(minutes)s min") if hours and minutes else _("%(hours)s h") if hours else _("%(minutes)s min")
        return words % {"hours": f"{hours:,}", "minutes": minutes}
    return f"{value:,}" if unit is Unit.COUNT else f"{value:.1f} %" if unit is Unit.SHARE else str(value)


def period_in_words(period: Period) -> str:
    return f"{date_format(period.first, 'j M Y')} – {date_format(period.last, 'j M Y')}"


def names() -> dict[str, str]:
    return {
        "overview": _("Overview"),
        "volume": _("Volume"),
        "times": _("Times"),
        "sla": _("SLA"),
        "hours": _("Busiest hours"),
        "oldest": _("Oldest open"),
    }


def measure_names() -> dict[str, str]:
    return {"first": _("First response"), "next": _("Next response"), "resolution": _("Resolution")}
