"""The desk's first page: how much there is, and what needs this person now. Each number leads to exactly the tickets it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Q
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications.models import Delivery
from tickets import access
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.filters import FAILED, VIEWS, View, condition_text, queue_url
from tickets.desk.mail import needing_somebody
from tickets.desk.rows import with_row
from tickets.desk.vocabulary import Vocabulary
from tickets.lifecycle import UNRESOLVED, Category
from tickets.models import Status, Ticket

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpResponse

    from accounts.models import User

_ROWS = 12


@require_safe
@staff_required
def dashboard(request: StaffRequest) -> HttpResponse:
    unresolved = access.tickets_for(request.user).filter(category__in=UNRESOLVED)
    views = [*VIEWS, *_waiting_on_customer()]
    vocabulary = Vocabulary(request.user)
    counted = counts(views, request.user, vocabulary)
    context = {
        "stats": _stats(request.user, views, counted, vocabulary),
        "mail_waiting": needing_somebody(request.user),
        "stuck": Delivery.objects.stuck().count(),
        "groups": _groups(counted, vocabulary),
        "mine": _mine(request.user, unresolved),
        "newest": with_row(unresolved.filter(assignee=None, snoozed_until=None)).order_by("-created_at", "-id")[:_ROWS],
        "unassigned_url": queue_url("assignee:none", sort="created"),
    }
    return render(request, "desk/dashboard.html", context)


def counts(views: list[View], user: User, vocabulary: Vocabulary) -> dict[int | None, dict[str, int]]:
    """What each view of the unresolved counts in each group, all in one query."""
    unresolved = access.tickets_for(user).filter(category__in=UNRESOLVED).order_by()
    found: Any = unresolved.values("group").annotate(**{view.key: Count("pk", filter=view.condition(user, vocabulary)) for view in views})
    return {row["group"]: {view.key: row[view.key] for view in views} for row in found}


def total(counted: dict[int | None, dict[str, int]], key: str) -> int:
    return sum(row[key] for row in counted.values())


def _stats(user: User, views: list[View], counted: dict[int | None, dict[str, int]], vocabulary: Vocabulary) -> list[dict[str, Any]]:
    failed = access.tickets_for(user).filter(FAILED.condition(user, vocabulary)).count()
    numbers = [(view, total(counted, view.key)) for view in views] + [(FAILED, failed)]
    return [{"label": view.label, "count": count, "href": view.href, "tone": view.tone} for view, count in numbers]


def _waiting_on_customer() -> list[View]:
    """The status in which the customer has the word, under its own name."""
    status = Status.objects.filter(category=Category.WAITING, is_default=True).first()
    return [View("customer", status.name, condition_text("status", status.name))] if status else []


def _groups(counted: dict[int | None, dict[str, int]], vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """Each group, and the tickets of none if there are any, in the order of their names."""
    zero = {view.key: 0 for view in VIEWS}
    named = [(condition_text("group", group.name), group.name, counted.get(group.pk, zero)) for group in vocabulary.entries("group")]
    if None in counted:
        named.append(("group:none", _("No group"), counted[None]))
    return [{"name": name, "counts": row, "href": queue_url(text)} | _links(text) for text, name, row in named]


def _links(text: str) -> dict[str, str]:
    return {
        "unassigned_href": queue_url(f"{text} assignee:none"),
        "waiting_href": queue_url(f"{text} is:waiting", sort="waiting"),
    }


def _mine(user: User, unresolved: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Customers who wait for me, or for somebody of my groups to pick it up: the most urgent first, then who waits longest."""
    ours = Q(assignee=user) | Q(assignee=None, group__in=user.agent_groups.values("pk"))
    urgency = F("priority__level").asc(nulls_last=True)
    return with_row(unresolved.filter(ours, waiting_since__isnull=False, snoozed_until=None)).order_by(urgency, "waiting_since", "id")[
        :_ROWS
    ]
