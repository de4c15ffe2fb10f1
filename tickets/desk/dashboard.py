"""The desk's first page: how much there is, and what needs this person now. Each number leads to exactly the tickets it counts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, F, Q, When
from django.db.models.functions import Now
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import Organization, Role
from notifications.models import Delivery
from tickets import access
from tickets.charts import Chart, Series, Shape, chart
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.filters import FAILED, View, condition_text, naming, queue_url
from tickets.desk.mail import needing_somebody
from tickets.desk.rows import with_row
from tickets.desk.vocabulary import Entry, Vocabulary
from tickets.lifecycle import UNRESOLVED, Category
from tickets.models import OrganizationShare, Status, Ticket
from tickets.reports.asked import company_zone
from tickets.reports.figures import came_and_went
from tickets.reports.periods import Period, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpResponse

    from accounts.models import User

_ROWS = 12
_TREND_DAYS = 14


# Each is a query of the queue; those of the first row are about the person who looks.
_YOURS = (
    View("mine", _("Yours"), "assignee:me"),
    View("mine_overdue", _("Yours, overdue"), "assignee:me is:overdue", sort="due", tone="alert"),
    View("mine_waiting", _("Wait for your answer"), "assignee:me is:waiting", sort="waiting"),
    View("mentioned", _("You were named"), "is:mentioned", tone="warn"),
)
_TEAMS = (
    View("unassigned", _("Unassigned"), "assignee:none", tone="warn"),
    View("overdue", _("Overdue"), "is:overdue", sort="due", tone="alert"),
    View("today", _("Due today"), "due:today -is:overdue", sort="due"),
    View("unresolved", _("Unresolved"), ""),
    View("waiting", _("Waiting for us"), "is:waiting", sort="waiting"),
    View("confirmed", _("Fix confirmed"), "is:confirmed", tone="warn"),
)
_TODAY = (View("created", _("created"), "created:today status:any"), View("resolved", _("resolved"), "resolved:today"))


@require_safe
@staff_required
def dashboard(request: StaffRequest) -> HttpResponse:
    user, vocabulary = request.user, Vocabulary(request.user)
    unresolved = access.tickets_for(user).filter(category__in=UNRESOLVED, snoozed_until=None)
    views = [*_YOURS, *_TEAMS, *_waiting_on_customer()]
    counted = counts(views, user, vocabulary)
    context = {
        "yours": [_tile(view, total(counted, view.key)) for view in views if view in _YOURS],
        "teams": [*(_tile(view, total(counted, view.key)) for view in views if view not in _YOURS), _alone(FAILED, user, vocabulary)],
        "trend": _trend(user),
        "today": [_alone(view, user, vocabulary) for view in _TODAY],
        "mail_waiting": needing_somebody(user),
        "stuck": Delivery.objects.stuck().count(),
        "groups": _groups(counted, vocabulary),
        "agents": _agents(counts(_TEAMS, user, vocabulary, by="assignee"), vocabulary),
        "organizations": _organizations(user, unresolved) if user.role == Role.CSM else None,
        "mine": _mine(user, unresolved),
        "newest": with_row(unresolved.filter(assignee=None)).order_by("-created_at", "-id")[:_ROWS],
        "unassigned_url": queue_url("assignee:none", sort="created"),
    }
    return render(request, "desk/dashboard.html", context)


def counts(views: Iterable[View], user: User, vocabulary: Vocabulary, *, by: str = "group") -> dict[int | None, dict[str, int]]:
    """What each view of the unresolved counts in each group (or of each assignee), all in one query."""
    unresolved = access.tickets_for(user).filter(category__in=UNRESOLVED).order_by()
    found: Any = unresolved.values(by).annotate(**{view.key: Count("pk", filter=view.condition(user, vocabulary)) for view in views})
    return {row[by]: {view.key: row[view.key] for view in views} for row in found}


def total(counted: dict[int | None, dict[str, int]], key: str) -> int:
    return sum(row[key] for row in counted.values())


def groups_of(counted: dict[int | None, dict[str, int]], vocabulary: Vocabulary) -> list[Entry]:
    """Those that are listed with their counts: retired ones while they have any tickets."""
    return [group for group in vocabulary.entries("group") if not group.is_retired or group.pk in counted]


def _tile(view: View, count: int) -> dict[str, Any]:
    return {"label": view.label, "count": count, "href": view.href, "tone": view.tone}


def _alone(view: View, user: User, vocabulary: Vocabulary) -> dict[str, Any]:
    """A view that is not among the unresolved alone."""
    return _tile(view, access.tickets_for(user).filter(view.condition(user, vocabulary)).count())


def _waiting_on_customer() -> list[View]:
    """The status in which the customer has the word, under its own name."""
    status = Status.objects.filter(category=Category.WAITING, is_default=True).first()
    return [View("customer", status.name, condition_text("status", status.name))] if status else []


def _groups(counted: dict[int | None, dict[str, int]], vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """Each group, and the tickets of none if there are any, in the order of their names."""
    zero = {view.key: 0 for view in _TEAMS}
    named = [(condition_text("group", group.name), group.name, counted.get(group.pk, zero)) for group in groups_of(counted, vocabulary)]
    if None in counted:
        named.append(("group:none", str(_("No group")), counted[None]))
    return [{"name": name, "counts": row, "href": queue_url(text)} | _links(text) for text, name, row in named]


def _links(text: str) -> dict[str, str]:
    return {
        "unassigned_href": queue_url(f"{text} assignee:none"),
        "waiting_href": queue_url(f"{text} is:waiting", sort="waiting"),
        "overdue_href": queue_url(f"{text} is:overdue", sort="due"),
    }


def _trend(user: User) -> Chart:
    """The company's last two weeks; the reports have the rest."""
    zone = company_zone()
    today = timezone.localdate(timezone=zone)
    period = Period(today - timedelta(days=_TREND_DAYS - 1), today, zone)
    created, resolved = came_and_went(access.tickets_for(user).exclude(category=Category.SPAM), period)
    labels = [date_format(day.first, "j M") for day in period.steps(Step.DAY)]
    series = [Series(str(_("Created")), created, Shape.BARS), Series(str(_("Resolved")), resolved, Shape.LINE)]
    return chart(str(_("The last two weeks")), labels, series, in_words=str)


def _agents(counted: dict[int | None, dict[str, int]], vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """Who has how much, the fullest hands first; who has nothing is left out."""
    named = [
        (person.display_name, counted[person.pk], vocabulary.name_of_person(person)) for person in vocabulary.staff if person.pk in counted
    ]
    named.sort(key=lambda row: (-row[1]["unresolved"], row[0]))
    texts = [(name, row, condition_text("assignee", written)) for name, row, written in named]
    return [{"name": name, "counts": row, "href": queue_url(text)} | _links(text) for name, row, text in texts]


def _organizations(user: User, unresolved: QuerySet[Ticket]) -> list[dict[str, Any]]:
    """Those that a Customer Success Manager looks after, with what is unresolved among what is shared with them."""
    theirs = Organization.objects.filter(delivery_lead=user, is_active=True).order_by("name")
    of_them = Q(shared_tickets__in=unresolved)
    counted = theirs.annotate(
        unresolved=Count("shared_tickets", filter=of_them),
        waiting=Count("shared_tickets", filter=of_them & Q(shared_tickets__waiting_since__isnull=False)),
        overdue=Count("shared_tickets", filter=of_them & Q(shared_tickets__due_at__lt=timezone.now())),
    )
    return [{"organization": one, "href": queue_url(text)} | _links(text) for one in counted for text in [condition_text("org", one.name)]]


def _mine(user: User, unresolved: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """What is mine and overdue; customers who wait for me, or for somebody of my groups to pick it up; where I was named.

    Of the organizations that a Customer Success Manager looks after, all that waits or is overdue.

    What is overdue first, then the most urgent, then who waits longest.
    """
    ours = Q(assignee=user) | Q(assignee=None, group__in=user.agent_groups.values("pk"))
    needs_me = (ours & Q(waiting_since__isnull=False)) | Q(assignee=user, due_at__lt=Now()) | Q(pk__in=naming(user))
    if user.role == Role.CSM:
        theirs = OrganizationShare.objects.filter(organization__delivery_lead=user, organization__is_active=True)
        needs_me |= Q(pk__in=theirs.values("ticket")) & (Q(waiting_since__isnull=False) | Q(due_at__lt=Now()))
    lateness = Case(When(due_at__lt=Now(), then=0), default=1)
    urgency = F("priority__level").asc(nulls_last=True)
    return with_row(unresolved.filter(needs_me)).order_by(lateness, urgency, F("waiting_since").asc(nulls_last=True), "id")[:_ROWS]
