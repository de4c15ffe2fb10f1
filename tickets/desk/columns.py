"""What a row of the queue can show, and what it shows whom: as the view says, else as the person chose, else as we think."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _

from tickets.models import Tagging

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.utils.functional import _StrPromise

    from tickets.models import Ticket

COLUMNS: dict[str, _StrPromise] = {
    "priority": _("Priority"),
    "number": _("Number"),
    "from": _("From"),
    "status": _("Status"),
    "type": _("Type"),
    "tags": _("Tags"),
    "area": _("Product area"),
    "channel": _("Channel"),
    "group": _("Group"),
    "assignee": _("Assignee"),
    "created": _("Created"),
    "due": _("SLA"),
    "updated": _("Last updated"),
}
DEFAULT = ("priority", "number", "from", "status", "group", "assignee", "due", "updated")
MORE = ("type", "tags", "area", "channel", "created")  # that rows have only where they are asked for


def known(names: Iterable[object]) -> list[str]:
    """In the order of the table; what is no column is left out."""
    asked = set(map(str, names))
    return [name for name in COLUMNS if name in asked]


def with_columns(tickets: QuerySet[Ticket], columns: Iterable[str]) -> QuerySet[Ticket]:
    """What the further columns need, fetched with the rows."""
    joined = [name for name in ("type", "area") if name in columns]
    tickets = tickets.select_related(*joined) if joined else tickets
    named = Prefetch("tagging_rows", queryset=Tagging.objects.select_related("tag"))
    return tickets.prefetch_related(named) if "tags" in columns else tickets
