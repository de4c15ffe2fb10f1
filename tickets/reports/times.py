"""How long it took: median, and what nine of ten did not exceed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from tickets.reports import figures
from tickets.reports.asked import Asked
from tickets.reports.figures import MEASURES, Times
from tickets.reports.periods import Cut, Step
from tickets.reports.tables import Cell, Report, Row, Table, Unit, by_note, by_rows, measure_names, step_head, step_name

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from django.db.models import QuerySet

    from tickets.models import Ticket


def _measure_notes() -> dict[str, str]:
    return {
        "first": _("From the creation of a ticket to the first public answer, on the day of the answer."),
        "next": _("From a customer's words to the next public answer, on the day of the answer. First responses are not among them."),
        "resolution": _(
            "From the creation of a ticket until it was resolved, on that day. One that was reopened counts when it is resolved again."
        ),
    }


def times(tickets: QuerySet[Ticket], asked: Asked) -> Report:
    found, measure, period, by = asked.among(tickets), MEASURES[asked.measure], asked.period, asked.by
    notes = [_measure_notes()[asked.measure]]
    if isinstance(by, Step):
        cut = Cut.of(period, by)
        took, whole = figures.times(found, period, measure, cut)
        rows = [Row(step_name(one, by), _time_cells(took, at, whole), period=one) for at, one in enumerate(cut.now)]
    else:
        took, whole = figures.times(found, period, measure, by)
        if by.key == "organization":  # a ticket is of every organization that it is shared with, and counts once in all
            _by_month, whole = figures.times(found, period, measure, Cut.of(period, Step.MONTH))
        keys = {key for key, _now in took}
        rows = by_rows(by, keys, lambda key: _time_cells(took, key, whole), weight=_many)
        notes.append(by_note(by, keys))
    total = Row(_("In all"), _time_cells({(None, now): one for now, one in whole.items()}, None, whole), is_total=True)
    head = step_head(by) if isinstance(by, Step) else str(by.label)
    columns = _time_columns(has_work=_has_work(whole))
    table = Table(measure_names()[asked.measure], head, columns, rows, total, note=" ".join(notes), period=period)
    return Report(table=table, steps=table if isinstance(by, Step) else None)


def _has_work(whole: dict[bool, Times]) -> bool:
    return any(one.work_median is not None for one in whole.values())


def _many(row: Row) -> int:
    return int(row.cells[0].value)


def _time_columns(*, has_work: bool) -> list[str]:
    columns = [_("Tickets"), _("Median"), _("90 % within")]
    return [*columns, _("Median, business hours"), _("90 % within, business hours")] if has_work else columns


def _time_cells(took: Mapping[tuple[Hashable, bool], Times], key: Hashable, whole: dict[bool, Times]) -> list[Cell]:
    now, before = took[key, True], took[key, False]
    cells = [
        Cell(now.count, before.count),
        Cell(minutes(now.median), minutes(before.median), Unit.TIME),
        Cell(minutes(now.ninetieth), minutes(before.ninetieth), Unit.TIME),
    ]
    work = [
        Cell(minutes(now.work_median), minutes(before.work_median), Unit.TIME),
        Cell(minutes(now.work_ninetieth), minutes(before.work_ninetieth), Unit.TIME),
    ]
    return cells + work if _has_work(whole) else cells


def minutes(seconds: float | None) -> int | None:
    """Whole ones, as they are over."""
    return None if seconds is None else int(seconds // 60)
