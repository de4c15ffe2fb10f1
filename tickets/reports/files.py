"""A report as a file for spreadsheets: exactly the numbers that the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from tickets.reports.tables import Unit
from tickets.spreadsheets import written

if TYPE_CHECKING:
    from tickets.reports.asked import Asked
    from tickets.reports.tables import Report, Row, Table

Line = list["str | float | None"]


def as_csv(made: Report) -> str:
    """Times are in minutes; each column has the period before beside it, where there is one. What there is nothing to measure of is empty.

    Of a report with tiles these come first, and what the page has under them after an empty line.
    """
    lines = _lines(made.table)
    return written([*lines, [], *_lines(made.steps)] if made.tiles and made.steps else lines)


def _lines(table: Table) -> list[Line]:
    units = [cell.unit for cell in table.rows[0].cells] if table.rows else [Unit.COUNT] * len(table.columns)
    head: Line = [_head(table)]
    for name, unit in zip(table.columns, units, strict=True):
        title = _("%(name)s (minutes)") % {"name": name} if unit is Unit.TIME and not table.is_mixed else name
        head += [title, _("%(name)s, before") % {"name": title}] if table.has_before else [title]
    return [head, *(_line(row, table) for row in table.shown)]


def _head(table: Table) -> str:
    """Which period, and by which clock."""
    if table.period is None:
        return table.head
    first, last = table.period.first.isoformat(), table.period.last.isoformat()
    return f"{table.head}: {first} – {last}, {table.period.zone}"


def _line(row: Row, table: Table) -> Line:
    label = row.label
    if table.is_mixed and row.cells[0].unit is Unit.TIME:
        label = _("%(name)s (minutes)") % {"name": label}
    line: Line = [label]
    for cell in row.cells:
        line += [cell.value, cell.before] if table.has_before else [cell.value]
    return line


def file_name(name: str, asked: Asked) -> str:
    return f"{name}-{asked.period.first}-{asked.period.last}.csv"
