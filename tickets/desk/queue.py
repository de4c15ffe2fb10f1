"""The list of tickets: filters and sort live in its address, so that a view can be kept, sent and gone back to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import AgentGroup, Organization, User
from tickets import access
from tickets.desk.dashboard import counts, total
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.filters import ANY, FLAGS, ME, NONE, SORTS, UNRESOLVED_ONLY, VIEWS, Filters, View, queue_url, read
from tickets.desk.rows import with_row
from tickets.lifecycle import Category
from tickets.models import Priority, Status, Ticket, TicketType
from tickets.paging import Page, page_of
from tickets.search import search

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpResponse

ROWS = 50
COUNT_LIMIT = 1000
_ORGANIZATIONS = 200  # more of them than this are no list to choose from: search, or the ticket's page, leads to one


@require_safe
@staff_required
def queue(request: StaffRequest) -> HttpResponse:
    filters = read(request.GET.dict(), request.user)
    found = access.tickets_for(request.user).filter(filters.condition)
    if filters.words:
        if ticket := _meant(filters, request.user):
            return redirect("desk_ticket", ticket.number)
        found = search(found, filters.words, for_staff=True)
    page = page_of(with_row(found), request_get=request.GET, order=filters.order, size=ROWS)
    groups = list(AgentGroup.objects.all())
    views = _views(request.user, groups)
    current = next((view for view in views if _unsorted(view["params"]) == _unsorted(filters.chosen)), None)
    context = {
        "tickets": page.rows,
        "next_url": page.next_url,
        "prev_url": page.prev_url,
        "count": _count(found, page, is_search=bool(filters.words)),
        "title": _title(current, filters),
        "views": [{**view, "current": view is current} for view in views],
        "filters": _choices(filters, groups),
        "sorts": [(key, label) for key, (label, _order) in SORTS.items()],
        "chosen": filters.chosen,
        "sort": filters.sort,
        "clear_url": queue_url(q=filters.words) if filters.chosen.keys() - {"q"} else "",
    }
    return render(request, "desk/queue.html", context)


def _meant(filters: Filters, user: User) -> Ticket | None:
    """A number alone is the ticket of that number, if there is one."""
    number = filters.words.removeprefix("#")
    if filters.chosen.keys() != {"q"} or not (number.isascii() and number.isdigit() and len(number) <= 18):
        return None
    return access.tickets_for(user).filter(pk=int(number)).first()


def _count(found: QuerySet[Ticket], page: Page[Ticket], *, is_search: bool) -> str:
    """Counting stops where the number stops to matter; what words match is not counted, as each ticket would have to be read for it."""
    if not (page.next_url or page.prev_url):
        return str(len(page.rows))
    if is_search:
        return f"{len(page.rows)}+"
    count = found.order_by()[: COUNT_LIMIT + 1].count()
    return f"{COUNT_LIMIT:,}+" if count > COUNT_LIMIT else f"{count:,}"


def _title(current: dict[str, Any] | None, filters: Filters) -> str:
    if filters.words:
        return _("“%(words)s”") % {"words": filters.words}
    return str(current["label"]) if current else _("Tickets")


def _unsorted(params: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if name != "sort"}


def _views(user: User, groups: list[AgentGroup]) -> list[dict[str, Any]]:
    """The lists beside the queue with their counts: common ones first, then each group."""
    counted = counts([*VIEWS], user)
    of_all = [(view, total(counted, view.key)) for view in VIEWS]
    by_group = [View("", group.name, {"group": str(group.pk)}) for group in groups]
    of_groups = [(view, counted.get(group.pk, {}).get(VIEWS[0].key, 0)) for view, group in zip(by_group, groups, strict=True)]
    return [
        {"label": view.label, "count": count, "href": view.href, "params": view.params, "is_group": view in by_group}
        for view, count in of_all + of_groups
    ]


@dataclass(frozen=True, slots=True)
class Filter:
    """One select of the filter bar."""

    name: str
    label: str
    nothing: str  # what not choosing means
    choices: list[tuple[str, str]]
    chosen: str


def _choices(filters: Filters, groups: list[AgentGroup]) -> list[Filter]:
    people = [(ME, _("Me")), (NONE, _("Nobody")), *_options(User.objects.active_staff().order_by("name", "email"))]
    shown = [
        ("status", _("Status"), _default_status(filters), _statuses(filters)),
        ("priority", _("Priority"), _("Any priority"), [*_options(Priority.objects.all()), (NONE, _("No priority"))]),
        ("type", _("Type"), _("Any type"), [*_options(TicketType.objects.all()), (NONE, _("No type"))]),
        ("group", _("Group"), _("Any group"), [*_options(groups), (NONE, _("No group"))]),
        ("assignee", _("Assignee"), _("Anybody"), people),
        ("organization", _("Organization"), _("Any organization"), _organizations(filters)),
        ("flag", _("Flag"), _("Any flag"), [(key, str(label)) for key, label in FLAGS.items()]),
    ]
    return [Filter(name, label, nothing, choices, filters.chosen.get(name, "")) for name, label, nothing, choices in shown if choices]


def _options(things: Iterable[Any]) -> list[tuple[str, str]]:
    return [(str(thing.pk), str(thing)) for thing in things]


def _default_status(filters: Filters) -> str:
    return _("Any status") if filters.default_status == ANY else _("Unresolved")


def _statuses(filters: Filters) -> list[tuple[str, str]]:
    other = (UNRESOLVED_ONLY, _("Unresolved")) if filters.default_status == ANY else (ANY, _("Any status"))
    return [other, *_options(Status.objects.exclude(category=Category.SPAM)), (str(Category.SPAM), _("Spam"))]


def _organizations(filters: Filters) -> list[tuple[str, str]]:
    chosen = filters.chosen.get("organization")
    few = list(Organization.objects.all()[: _ORGANIZATIONS + 1])
    if len(few) <= _ORGANIZATIONS:
        return _options(few)
    return _options(Organization.objects.filter(pk=chosen)) if chosen else []
