"""The reports as tables: what the page shows, the file holds and the mail brings are one and the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tickets.lifecycle import UNRESOLVED
from tickets.reports import figures
from tickets.reports.asked import Asked, Dimension
from tickets.reports.figures import MEASURES, Flow, Times
from tickets.reports.periods import Period, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from datetime import datetime, timedelta

    from django.db.models import QuerySet

    from tickets.models import Ticket

MOST_ROWS = 200  # of organizations or agents; those with the most tickets
_OLDEST = 50


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

    @property
    def is_empty(self) -> bool:
        shown = [*self.rows, *([self.total] if self.total else [])]
        return not any(cell.value or cell.before for row in shown for cell in row.cells)


@dataclass(frozen=True, slots=True)
class Report:
    """A table, and for those over time what its charts draw."""

    table: Table
    steps: Table | None = None  # over time, whatever the table is by
    tiles: list[Row] = field(default_factory=list)


# --- Volume --------------------------------------------------------------------------------------------------------------------


def _volume_columns() -> list[str]:
    return [_("Created"), _("Resolved"), _("Reopened"), _("Open at the end")]


def volume(tickets: QuerySet[Ticket], asked: Asked) -> Report:
    found = asked.among(tickets)
    if isinstance(asked.by, Step):
        table = _volume_in_steps(found, asked, asked.by)
        return Report(table=table, steps=table)
    return Report(table=_volume_by(found, asked, asked.by))


def _volume_in_steps(tickets: QuerySet[Ticket], asked: Asked, step: Step) -> Table:
    moved = figures.flow(tickets, asked.period, step)
    at_first = figures.open_at(tickets, asked.period.begins)[None]
    before = asked.period.before
    came_before = figures.in_all(moved.created, now=False) + figures.in_all(moved.reopened, now=False)
    at_first_before = at_first - came_before + figures.in_all(moved.resolved, now=False)
    now_rows = _course(moved, asked.period.steps(step), at_first)
    before_rows = _course(moved, before.steps(step), at_first_before)
    rows = [
        Row(_step_name(period, step), _paired(numbers, before_rows[at] if at < len(before_rows) else None), period=period)
        for at, (period, numbers) in enumerate(zip(asked.period.steps(step), now_rows, strict=True))
    ]
    total = Row(_("In all"), _paired(_sums(moved, now_rows[-1][3], now=True), _sums(moved, before_rows[-1][3], now=False)))
    return Table(_("Tickets over time"), _step_head(step, asked), _volume_columns(), rows, total, period=asked.period)


def _course(moved: Flow, steps: list[Period], is_open: int) -> list[list[int]]:
    """Created, resolved, reopened, and what was open at the end of each step."""
    course = []
    counted = (figures.in_steps(one, steps) for one in (moved.created, moved.resolved, moved.reopened))
    for created, resolved, reopened in zip(*counted, strict=True):
        is_open += created + reopened - resolved
        course.append([created, resolved, reopened, is_open])
    return course


def _sums(moved: Flow, at_end: int, *, now: bool) -> list[int]:
    return [*(figures.in_all(one, now=now) for one in (moved.created, moved.resolved, moved.reopened)), at_end]


_SETS = ("created", "", "", "open")  # which of the columns are sets of tickets


def _paired(numbers: list[int], before: list[int] | None) -> list[Cell]:
    earlier: list[Any] = [None] * len(numbers) if before is None else [*before]
    return [Cell(n, was, counts=which) for n, was, which in zip(numbers, earlier, _SETS, strict=True)]


def _volume_by(tickets: QuerySet[Ticket], asked: Asked, by: Dimension) -> Table:
    period = asked.period
    moved = figures.flow(tickets, period, by)
    ends = [figures.open_at(tickets, moment, by) for moment in (period.ends, period.begins)]
    keys = {key for one in (moved.created, moved.resolved, moved.reopened) for key, _now in one} | ends[0].keys() | ends[1].keys()

    def cells(key: Hashable) -> list[Cell]:
        now, before = ([*(one[key, is_now] for one in (moved.created, moved.resolved, moved.reopened))] for is_now in (True, False))
        return _paired([*now, ends[0][key]], [*before, ends[1][key]])

    rows = _by_rows(by, keys, cells, weight=lambda row: (row.cells[0].value, row.cells[3].value))
    # A ticket is of every organization that it is shared with, and counts once in all.
    of_all = figures.flow(tickets, period, Step.MONTH) if by.key == "organization" else moved
    at = [figures.open_at(tickets, moment)[None] if of_all is not moved else sum(end.values()) for moment, end in _ends(period, ends)]
    total = Row(_("In all"), _paired(_sums(of_all, at[0], now=True), _sums(of_all, at[1], now=False)))
    return Table(_by_title(by), str(by.label), _volume_columns(), rows, total, note=_by_note(by, len(keys)), period=period)


def _ends(period: Period, ends: list[Any]) -> Iterable[tuple[datetime, Any]]:
    return zip((period.ends, period.begins), ends, strict=True)


def _by_rows(by: Dimension, keys: set[Any], cells: Callable[[Hashable], list[Cell]], *, weight: Callable[[Row], Any]) -> list[Row]:
    """In the order of an admin's list, or of which there may be many the biggest first; at the end tickets that have none."""
    rows = [Row(name, cells(key), key=key) for key, name in by.names(keys).items() if key in keys]
    if by.key in ("organization", "agent"):
        rows = sorted(rows, key=weight, reverse=True)[:MOST_ROWS]
    return [*rows, *([Row(str(by.nothing), cells(None), key=None)] if None in keys else [])]


def _by_title(by: Dimension) -> str:
    return _("Tickets by %(property)s") % {"property": str(by.label).lower()}


def _by_note(by: Dimension, count: int) -> str:
    notes = [_("Tickets count under what they have now.")]
    if by.key == "organization":
        notes = [_("A ticket counts for each organization that it is shared with, and once in all.")]
    if count > MOST_ROWS and by.key in ("organization", "agent"):
        notes.append(_("Those with the most tickets are listed."))
    return " ".join(notes)


# --- Times ---------------------------------------------------------------------------------------------------------------------


def measure_names() -> dict[str, str]:
    return {"first": _("First response"), "next": _("Next response"), "resolution": _("Resolution")}


def _measure_notes() -> dict[str, str]:
    return {
        "first": _("From the creation of a ticket to the first public answer, on the day of the answer."),
        "next": _("From a customer's words to the next public answer, on the day of the answer. First responses are not among them."),
        "resolution": _(
            "From the creation of a ticket until it was resolved, on that day. One that was reopened counts when it is resolved again."
        ),
    }


def times(tickets: QuerySet[Ticket], asked: Asked) -> Report:
    found, measure, by = asked.among(tickets), MEASURES[asked.measure], asked.by
    took = figures.times(found, asked.period, measure, by)
    whole = figures.times(found, asked.period, measure)
    has_work = any(one.work_median is not None for one in whole.values())
    if isinstance(by, Step):
        rows = _times_in_steps(asked, by, took, has_work=has_work)
    else:
        rows = _by_rows(
            by, {key for key, _now in took}, lambda key: _time_cells(took[key, True], took[key, False], has_work=has_work), weight=_many
        )
    total = Row(_("In all"), _time_cells(whole[None, True], whole[None, False], has_work=has_work))
    title = measure_names()[asked.measure]
    notes = [_measure_notes()[asked.measure]] + ([_by_note(by, len(rows))] if isinstance(by, Dimension) else [])
    head = _step_head(by, asked) if isinstance(by, Step) else str(by.label)
    table = Table(title, head, _time_columns(has_work=has_work), rows, total, note=" ".join(notes), period=asked.period)
    return Report(table=table, steps=table if isinstance(by, Step) else None)


def _many(row: Row) -> int:
    return int(row.cells[0].value)


def _time_columns(*, has_work: bool) -> list[str]:
    columns = [_("Tickets"), _("Median"), _("90 % within")]
    return [*columns, _("Median, business hours"), _("90 % within, business hours")] if has_work else columns


def _times_in_steps(asked: Asked, step: Step, took: dict[tuple[Hashable, bool], Times], *, has_work: bool) -> list[Row]:
    steps, before = asked.period.steps(step), asked.period.before.steps(step)
    firsts = [step.start(period.first) for period in before]
    rows = []
    for at, period in enumerate(steps):
        was = took[firsts[at], False] if at < len(firsts) else figures.NO_TIMES
        rows.append(Row(_step_name(period, step), _time_cells(took[step.start(period.first), True], was, has_work=has_work), period=period))
    return rows


def _time_cells(now: Times, before: Times, *, has_work: bool) -> list[Cell]:
    cells = [
        Cell(now.count, before.count),
        Cell(_minutes(now.median), _minutes(before.median), Unit.TIME),
        Cell(_minutes(now.ninetieth), _minutes(before.ninetieth), Unit.TIME),
    ]
    work = [
        Cell(_work_minutes(now.work_median), _work_minutes(before.work_median), Unit.TIME),
        Cell(_work_minutes(now.work_ninetieth), _work_minutes(before.work_ninetieth), Unit.TIME),
    ]
    return cells + work if has_work else cells


def _minutes(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds() // 60)


def _work_minutes(seconds: int | None) -> int | None:
    return None if seconds is None else seconds // 60


# --- Overview, hours, the oldest -----------------------------------------------------------------------------------------------


def overview(tickets: QuerySet[Ticket], asked: Asked) -> Report:
    """The few numbers that matter, and the course of the period."""
    found = asked.among(tickets)
    steps = _volume_in_steps(found, asked, asked.step)
    assert steps.total  # noqa: S101 for the type checker
    rows = [Row(name, [cell]) for name, cell in zip(_volume_columns(), steps.total.cells, strict=True)]
    for key, name in (("first", _("First response, median")), ("resolution", _("Resolution, median"))):
        took = figures.times(found, asked.period, MEASURES[key])
        rows.append(Row(name, [Cell(_minutes(took[None, True].median), _minutes(took[None, False].median), Unit.TIME)]))
    table = Table(_("Overview"), _("Figure"), [_("Value")], rows, period=asked.period)
    return Report(table=table, steps=steps, tiles=rows)


def hours(tickets: QuerySet[Ticket], asked: Asked) -> Report:
    counted = figures.hours(asked.among(tickets), asked.period)
    rows = [
        Row(
            str(WEEKDAYS[day - 1]),
            [Cell(n) for n in (*(counted[day, hour] for hour in range(24)), sum(counted[day, h] for h in range(24)))],
        )
        for day in range(1, 8)
    ]
    total = Row(_("In all"), [Cell(sum(row.cells[at].value for row in rows)) for at in range(25)])
    columns = [*(f"{hour:02d}" for hour in range(24)), _("In all")]
    head = _("Created (%(zone)s)") % {"zone": asked.period.zone}
    return Report(table=Table(_("Busiest hours"), head, columns, rows, total, has_before=False, period=asked.period))


def oldest(tickets: QuerySet[Ticket], asked: Asked) -> Report:
    """Unresolved ones as they are now; the period does not matter."""
    found = asked.among(tickets).filter(category__in=UNRESOLVED).order_by("created_at", "pk")
    listed = found.select_related("status", "group", "assignee", "priority", "type", "requester")[:_OLDEST]
    rows = [Row(f"#{ticket.number}", _about(ticket, asked), ticket=ticket, key=ticket.number) for ticket in listed]
    columns = [_("Subject"), _("Created (%(zone)s)") % {"zone": asked.period.zone}, _("Status"), _("Priority"), _("Group"), _("Assignee")]
    return Report(table=Table(_("Oldest open"), _("Number"), columns, rows, has_before=False))


def _about(ticket: Ticket, asked: Asked) -> list[Cell]:
    created = ticket.created_at.astimezone(asked.period.zone).strftime("%Y-%m-%d %H:%M")
    texts = (ticket.subject, created, ticket.status, ticket.priority, ticket.group, ticket.assignee and ticket.assignee.display_name)
    return [Cell(str(text or ""), unit=Unit.TEXT) for text in texts]


REPORTS: dict[str, Callable[[QuerySet[Ticket], Asked], Report]] = {
    "overview": overview,
    "volume": volume,
    "times": times,
    "hours": hours,
    "oldest": oldest,
}


@transaction.atomic
def build(name: str, tickets: QuerySet[Ticket], asked: Asked) -> Report:
    """The report of that name about `tickets`, which `tickets.access` limited."""
    if connection.vendor == "postgresql":  # a year's times are sorted in memory and not on the disk, which takes half as long
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '64MB'")
    return REPORTS[name](tickets, asked)


# --- Words ---------------------------------------------------------------------------------------------------------------------


def _step_head(step: Step, asked: Asked) -> str:
    words = {Step.DAY: _("Day (%(zone)s)"), Step.WEEK: _("Week from (%(zone)s)"), Step.MONTH: _("Month (%(zone)s)")}
    return words[step] % {"zone": asked.period.zone}


def _step_name(period: Period, step: Step) -> str:
    """As files sort them: 2026-11-28, 2026-11. A week is named by its first day here."""
    return f"{period.first:%Y-%m}" if step is Step.MONTH else period.first.isoformat()


def in_words(value: Any, unit: Unit) -> str:
    """As pages and mails show it. Nothing is rounded away: minutes stay whole minutes."""
    if value is None:
        return "–"
    if unit is Unit.TIME:
        hours, minutes = divmod(value, 60)
        return (_("%(hours)s h %(minutes)s min") if hours else _("%(minutes)s min")) % {"hours": f"{hours:,}", "minutes": minutes}
    return f"{value:,}" if unit is Unit.COUNT else f"{value:.1f} %" if unit is Unit.SHARE else str(value)


def period_in_words(period: Period) -> str:
    return f"{date_format(period.first, 'j M Y')} – {date_format(period.last, 'j M Y')}"


def names() -> dict[str, str]:
    return {
        "overview": _("Overview"),
        "volume": _("Volume"),
        "times": _("Response and resolution times"),
        "hours": _("Busiest hours"),
        "oldest": _("Oldest open"),
    }
