"""How many tickets came, were resolved, were reopened, and were open at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from tickets.reports import figures
from tickets.reports.asked import Asked, Dimension
from tickets.reports.figures import Flow
from tickets.reports.periods import Cut, Step
from tickets.reports.tables import Cell, Report, Row, Table, by_note, by_rows, by_title, step_head, step_name

if TYPE_CHECKING:
    from collections.abc import Hashable

    from django.db.models import QuerySet

    from tickets.models import Ticket
Numbers = tuple[int, ...]  # created, resolved, reopened, resolutions that did not last, open at the end


def volume_columns() -> list[str]:
    return [_("Created"), _("Resolved"), _("Reopened"), _("Open at the end")]


def volume(tickets: QuerySet[Ticket], asked: Asked) -> Report:
    found = asked.among(tickets)
    if isinstance(asked.by, Step):
        table = volume_in_steps(found, asked, asked.by)
        return Report(table=table, steps=table)
    return Report(table=_volume_by(found, asked, asked.by))


def volume_in_steps(tickets: QuerySet[Ticket], asked: Asked, step: Step) -> Table:
    cut = Cut.of(asked.period, step)
    moved, _at_end, at_begin = figures.course(tickets, asked.period, cut)
    at_first = at_begin[None]
    came_before = figures.in_all(moved.created, now=False) + figures.in_all(moved.reopened, now=False)
    at_first_before = at_first - came_before + figures.in_all(moved.resolved, now=False)
    now_rows = _course(moved, len(cut.now), at_first, now=True)
    before_rows = _course(moved, len(cut.before), at_first_before, now=False)
    rows = [
        Row(step_name(period, step), _paired(numbers, before_rows[at] if at < len(before_rows) else None), period=period)
        for at, (period, numbers) in enumerate(zip(cut.now, now_rows, strict=True))
    ]
    total = Row(_("In all"), _paired(_sums(moved, now_rows[-1][-1], now=True), _sums(moved, before_rows[-1][-1], now=False)), is_total=True)
    return Table(_("Tickets over time"), step_head(step), volume_columns(), rows, total, period=asked.period)


def _course(moved: Flow, count: int, is_open: int, *, now: bool) -> list[Numbers]:
    course: list[Numbers] = []
    for at in range(count):
        created, resolved, reopened, undone = (one[at, now] for one in moved)
        is_open += created + reopened - resolved
        course.append((created, resolved, reopened, undone, is_open))
    return course


def _sums(moved: Flow, is_open: int, *, now: bool) -> Numbers:
    return (*(figures.in_all(one, now=now) for one in moved), is_open)


def _paired(numbers: Numbers, before: Numbers | None) -> list[Cell]:
    """Resolved tickets can be listed where none of them was reopened, as the others are no longer resolved on that day."""
    created, resolved, reopened, undone, is_open = numbers
    was = before or (None,) * 5
    return [
        Cell(created, was[0], counts="created"),
        Cell(resolved, was[1], counts="" if undone else "resolved"),
        Cell(reopened, was[2]),
        Cell(is_open, was[4], counts="open"),
    ]


def _volume_by(tickets: QuerySet[Ticket], asked: Asked, by: Dimension) -> Table:
    period = asked.period
    moved, at_end, at_begin = figures.course_by(tickets, period, by)
    keys = {key for one in moved for key, _now in one} | at_end.keys() | at_begin.keys()

    def cells(key: Hashable) -> list[Cell]:
        now, before = ([one[key, is_now] for one in moved] for is_now in (True, False))
        return _paired((*now, at_end[key]), (*before, at_begin[key]))

    rows = by_rows(by, keys, cells, weight=lambda row: (row.cells[0].value, row.cells[3].value))
    ends = sum(at_end.values()), sum(at_begin.values())
    if by.key == "organization":  # a ticket is of each that it is shared with, and counts once in all
        moved, *whole = figures.course_by(tickets, period, None)
        ends = whole[0][None], whole[1][None]
    total = Row(_("In all"), _paired(_sums(moved, ends[0], now=True), _sums(moved, ends[1], now=False)), is_total=True)
    return Table(by_title(by), str(by.label), volume_columns(), rows, total, note=by_note(by, keys), period=period)
