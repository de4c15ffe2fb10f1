"""How long it took: median, and what nine of ten did not exceed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from tickets.reports import figures
from tickets.reports.asked import Asked, Dimension
from tickets.reports.figures import MEASURES, Times
from tickets.reports.periods import Step
from tickets.reports.tables import Cell, Report, Row, Table, Unit, by_note, by_rows, step_head, step_name

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import timedelta

    from django.db.models import QuerySet

    from tickets.models import Ticket


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
        rows = by_rows(
            by, {key for key, _now in took}, lambda key: _time_cells(took[key, True], took[key, False], has_work=has_work), weight=_many
        )
    total = Row(_("In all"), _time_cells(whole[None, True], whole[None, False], has_work=has_work), is_total=True)
    title = measure_names()[asked.measure]
    notes = [_measure_notes()[asked.measure]] + ([by_note(by, len(rows))] if isinstance(by, Dimension) else [])
    head = step_head(by) if isinstance(by, Step) else str(by.label)
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
        rows.append(Row(step_name(period, step), _time_cells(took[step.start(period.first), True], was, has_work=has_work), period=period))
    return rows


def _time_cells(now: Times, before: Times, *, has_work: bool) -> list[Cell]:
    cells = [
        Cell(now.count, before.count),
        Cell(minutes(now.median), minutes(before.median), Unit.TIME),
        Cell(minutes(now.ninetieth), minutes(before.ninetieth), Unit.TIME),
    ]
    work = [
        Cell(_work_minutes(now.work_median), _work_minutes(before.work_median), Unit.TIME),
        Cell(_work_minutes(now.work_ninetieth), _work_minutes(before.work_ninetieth), Unit.TIME),
    ]
    return cells + work if has_work else cells


def minutes(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds() // 60)


def _work_minutes(seconds: int | None) -> int | None:
    return None if seconds is None else seconds // 60
