"""How many of the SLA's promises were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from tickets.reports import figures
from tickets.reports.asked import Asked
from tickets.reports.figures import Promises
from tickets.reports.periods import Cut, Step
from tickets.reports.tables import Cell, Report, Row, Table, Unit, by_note, by_rows, measure_names, step_head, step_name

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from tickets.models import Ticket


def sla(tickets: QuerySet[Ticket], asked: Asked) -> Report:
    found, by, period = asked.among(tickets), asked.by, asked.period
    notes = [_("A promise is kept on the day of the answer or resolution, and missed on the day when its time was over.")]
    if isinstance(by, Step):
        cut = Cut.of(period, by)
        made = whole = figures.promises(found, period, cut, asked.measure)
        head = step_head(by)
        rows = [Row(step_name(one, by), _cells_of(made, at), period=one) for at, one in enumerate(cut.now)]
    else:
        made = whole = figures.promises(found, period, by, asked.measure)
        if by.key == "organization":  # a ticket is of every organization that it is shared with, and counts once in all
            whole = figures.promises(found, period, None, asked.measure)
        keys = {key for one in (made.kept, made.missed) for key, _now in one}
        head, rows = str(by.label), by_rows(by, keys, lambda key: _cells_of(made, key), weight=_many)
        notes.append(by_note(by, keys))
    total = Row(_("In all"), _cells(*_sums(whole, now=True), *_sums(whole, now=False)), is_total=True)
    title = _("SLA: %(measure)s") % {"measure": measure_names()[asked.measure].lower()}
    table = Table(title, head, [_("Kept"), _("Missed"), _("Kept, of all")], rows, total, note=" ".join(notes), period=period)
    return Report(table=table, steps=table if isinstance(by, Step) else None)


def attained(tickets: QuerySet[Ticket], asked: Asked) -> Cell:
    """Of all promises together, among `tickets` that were asked for."""
    left_out = asked.left_out()
    made = figures.promises(tickets, asked.period, None) if left_out is None else figures.promises_in_all(asked.period, less=left_out)
    return Cell(_share(*_sums(made, now=True)), _share(*_sums(made, now=False)), Unit.SHARE)


def _sums(made: Promises, *, now: bool) -> tuple[int, int]:
    return figures.in_all(made.kept, now=now), figures.in_all(made.missed, now=now)


def _cells_of(made: Promises, key: Any) -> list[Cell]:
    return _cells(*(one[key, now] for now in (True, False) for one in (made.kept, made.missed)))


def _cells(kept: int, missed: int, kept_before: int, missed_before: int) -> list[Cell]:
    share = Cell(_share(kept, missed), _share(kept_before, missed_before), Unit.SHARE)
    return [Cell(kept, kept_before), Cell(missed, missed_before), share]


def _share(kept: int, missed: int) -> float | None:
    """In percent, to one decimal; all is only said of all."""
    if not kept + missed:
        return None
    share = round(100 * kept / (kept + missed), 1)
    return 99.9 if missed and share == 100 else share


def _many(row: Row) -> int:
    return int(row.cells[0].value + row.cells[1].value)
