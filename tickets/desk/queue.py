"""The list of tickets: what it asks for is one line in its address, so that it can be kept, sent and gone back to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tickets import access, saved_views
from tickets.desk.bulk import bulk_choices
from tickets.desk.columns import COLUMNS, DEFAULT, MORE, known, with_columns
from tickets.desk.dashboard import counts, groups_of, total
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.filter_bar import choices, translated
from tickets.desk.filters import (
    DEFAULT_SORT,
    SORTS,
    VIEWS,
    Filters,
    View,
    condition_text,
    parts_of,
    query_string,
    queue_url,
    read,
    snoozed_beside,
)
from tickets.desk.rows import show_words, with_row
from tickets.desk.views import EVERYBODY, MINE, audiences, listed
from tickets.desk.vocabulary import Vocabulary
from tickets.paging import Page, page_of
from tickets.search.query import Word, number_of
from tickets.writing import drafts

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpResponse

    from accounts.models import User
    from tickets.models import SavedView, Ticket

ROWS = 50
COUNT_LIMIT = 1000


@require_safe
@staff_required
def queue(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    vocabulary = Vocabulary(request.user)
    params = request.GET.dict()
    if (address := translated(params, vocabulary)) is not None:
        return redirect(queue_url() + address)
    filters = read(params, request.user, vocabulary)
    if ticket := _meant(filters, request.user):
        return redirect("desk_ticket", ticket.number)
    found = filters.among(access.tickets_for(request.user))
    kept = list(saved_views.seen_by(request.user))
    saved = listed(request.user, vocabulary, [view for view in kept if not view.is_default])
    chosen = next((row for row in saved if str(row["view"].pk) == params.get("view")), None)
    columns = _columns(kept, chosen)
    rows = with_columns(drafts.with_own(with_row(found), request.user), columns)
    page = page_of(rows, request_get=request.GET, order=filters.order, parts=parts_of(filters.sort, vocabulary), size=ROWS)
    show_words(page.rows, filters.asked)
    views, snoozed = _views(request.user, vocabulary, snoozed_beside(filters))
    current = next((view for view in views if view["text"] == str(filters.query)), None) if not (filters.problem or chosen) else None
    context = {
        "tickets": page.rows,
        "next_url": page.next_url,
        "prev_url": page.prev_url,
        "count": f"{current['count']:,}" if current else _count(found, page, filters),
        "title": _title(chosen or current, filters),
        "saved": _by_people([{**row, "current": row is chosen} for row in saved]),
        "chosen": chosen,
        "is_edited": chosen and (chosen["text"], chosen["view"].sort or DEFAULT_SORT) != (str(filters.query), filters.sort),
        "audience": _audience(chosen),
        "audiences": audiences(request.user, vocabulary),
        "columns": [(name, label, name in columns) for name, label in COLUMNS.items()],
        "hidden": " ".join(f"hide-{name}" for name in COLUMNS if name not in columns),
        "more": [name for name in MORE if name in columns],
        "snoozed": snoozed,
        "views": [{**view, "current": view is current} for view in views],
        "filters": choices(filters, vocabulary),
        "sorts": [(key, label) for key, (label, _order) in SORTS.items()],
        "bulk": bulk_choices(vocabulary),
        "text": filters.text,
        "problem": _problem(filters),
        "sort": filters.sort,
        "orders": _orders(filters, chosen),
        "since": now.isoformat(),
        "changes_query": query_string(filters.text),
        "clear_url": queue_url(filters.words) if filters.query.conditions else "",
    }
    return render(request, "desk/queue.html", context)


def _columns(kept: list[SavedView], chosen: dict[str, Any] | None) -> list[str]:
    """As the view says, else as the person chose, else as we think."""
    own: list[str] = next((view.columns for view in kept if view.is_default), [])
    return known((chosen["view"].columns if chosen else []) or own or DEFAULT)


def _by_people(saved: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """With a heading for each: one's own, each group's, everybody's."""
    headed: dict[str, list[dict[str, Any]]] = {}
    for row in saved:
        of_group = _("Views of %(name)s") % {"name": row["of"]} if row["of"] else _("Everybody's views")
        headed.setdefault(_("My views") if row["view"].owner_id else of_group, []).append(row)
    return list(headed.items())


def _orders(filters: Filters, chosen: dict[str, Any] | None) -> dict[str, dict[str, str]]:
    """What the head of a column leads to: the same list sorted by it; and which way, where it is sorted by it already."""
    view = {"view": str(chosen["view"].pk)} if chosen else {}
    return {
        sort: {"direction": "descending" if first.startswith("-") else "ascending"}
        if sort == filters.sort
        else {"href": queue_url(filters.text, sort, **view)}
        for sort, (_label, (first, *_rest)) in SORTS.items()
    }


def _audience(chosen: dict[str, Any] | None) -> str:
    view = chosen["view"] if chosen else None
    return MINE if view is None or view.owner_id else str(view.group_id or EVERYBODY)


def _meant(filters: Filters, user: User) -> Ticket | None:
    """A number alone is the ticket of that number, if there is one; in quotes it is a word as any other."""
    if len(filters.query.terms) != 1 or not isinstance(word := filters.query.terms[0], Word) or word.is_not or word.is_phrase:
        return None
    number = number_of(word.text)
    return access.tickets_for(user).filter(pk=number).first() if number else None


def _problem(filters: Filters) -> dict[str, str] | None:
    """What can't be read, in three parts, the second of which is at fault; and where the repaired query leads."""
    problem, text = filters.problem, filters.text
    if problem is None:
        return None
    before, after = text[: problem.start], text[problem.end :]
    repaired = f"{before}{problem.instead}{after}" if problem.instead else ""
    return {
        "words": str(problem),
        "before": before,
        "fault": text[problem.start : problem.end],
        "after": after,
        "repaired": repaired,
        "href": queue_url(repaired, filters.sort) if repaired else "",
    }


def _count(found: QuerySet[Ticket], page: Page[Ticket], filters: Filters) -> str:
    """Of what is no view that is counted beside the list. Counting stops where the number stops to matter.

    What words match is not counted, as each ticket would have to be read for it.
    """
    if filters.problem:
        return ""
    if not (page.next_url or page.prev_url):
        return str(len(page.rows))
    if filters.query.words:
        return f"{len(page.rows)}+"
    count = found.order_by()[: COUNT_LIMIT + 1].count()
    return f"{COUNT_LIMIT:,}+" if count > COUNT_LIMIT else f"{count:,}"


def _title(current: dict[str, Any] | None, filters: Filters) -> str:
    if current:
        return str(current["label"])
    words = " ".join(word.text for word in filters.query.words if not word.is_not)
    return _("“%(words)s”") % {"words": words} if words else _("Tickets")


def _views(user: User, vocabulary: Vocabulary, beside: View | None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The lists beside the queue with their counts: common ones first, then each group. And what snoozes beside the list that is shown."""
    counted = counts([*VIEWS, *filter(None, [beside])], user, vocabulary)
    of_all = [(view, total(counted, view.key)) for view in VIEWS]
    groups = groups_of(counted, vocabulary)
    by_group = [View("", group.name, condition_text("group", group.name)) for group in groups]
    of_groups = [(view, counted.get(group.pk, {}).get(VIEWS[0].key, 0)) for view, group in zip(by_group, groups, strict=True)]
    rows = [
        {"label": view.label, "count": count, "href": view.href, "text": view.text, "is_group": view in by_group}
        for view, count in of_all + of_groups
    ]
    return rows, {"count": total(counted, beside.key), "href": beside.href} if beside else {}
