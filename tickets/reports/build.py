"""Each report by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from tickets.lifecycle import UNRESOLVED
from tickets.reports import figures
from tickets.reports.asked import Asked
from tickets.reports.figures import MEASURES
from tickets.reports.promises import attained, sla
from tickets.reports.tables import Cell, Report, Row, Table, Unit
from tickets.reports.times import minutes, times
from tickets.reports.volume import volume, volume_columns, volume_in_steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from tickets.models import Ticket

_OLDEST = 50


def overview(tickets: QuerySet[Ticket], asked: Asked) -> Report:
    """The few numbers that matter, and the course of the period."""
    found = asked.among(tickets)
    steps = volume_in_steps(found, asked, asked.step)
    assert steps.total  # noqa: S101 for the type checker
    rows = [Row(name, [cell]) for name, cell in zip(volume_columns(), steps.total.cells, strict=True)]
    names = {"first": _("First response, median"), "resolution": _("Resolution, median")}
    for name, (took, before) in zip(names.values(), figures.medians(found, asked.period, [MEASURES[key] for key in names]), strict=True):
        rows.append(Row(name, [Cell(minutes(took), minutes(before), Unit.TIME)]))
    promised = attained(found, asked)
    if (promised.value, promised.before) != (None, None):
        rows.append(Row(_("SLA kept"), [promised]))
    table = Table(_("Overview"), _("Figure"), [_("Value")], rows, period=asked.period, is_mixed=True)
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
    total = Row(_("In all"), [Cell(sum(row.cells[at].value for row in rows)) for at in range(25)], is_total=True)
    columns = [*(f"{hour:02d}" for hour in range(24)), _("In all")]
    return Report(table=Table(_("Busiest hours"), _("Created on"), columns, rows, total, has_before=False, period=asked.period))


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
    "sla": sla,
    "hours": hours,
    "oldest": oldest,
}


@transaction.atomic
def build(name: str, tickets: QuerySet[Ticket], asked: Asked) -> Report:
    """The report of that name about `tickets`, which `tickets.access` limited."""
    if connection.vendor == "postgresql":  # a year's times are sorted in memory and not on the disk, which takes half as long
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '128MB'")
    return _without_empty_before(REPORTS[name](tickets, asked))


def _without_empty_before(made: Report) -> Report:
    """Where nothing at all happened before, zeros beside all numbers would only be in the way: said once instead."""
    table = made.table
    if not table.has_before or table.is_empty or any(cell.before for row in table.shown for cell in row.cells):
        return made
    note = " ".join(filter(None, [table.note, _("In the period before there was nothing to compare with.")]))
    steps = made.steps and replace(made.steps, has_before=False, note=note)
    return replace(made, table=replace(table, has_before=False, note=note), steps=steps)
