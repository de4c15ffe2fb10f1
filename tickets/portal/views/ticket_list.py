"""The tickets that a customer may see, by state and by whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from tickets.access import tickets_for
from tickets.lifecycle import FINISHED, UNRESOLVED, Category
from tickets.models import Follower, OrganizationShare, Ticket
from tickets.paging import page_of
from tickets.portal.door import PersonRequest, customer_required
from tickets.portal.words import row_of
from tickets.search import search

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpResponse
    from django.utils.functional import _StrPromise

    from accounts.models import User

_TABS = {"open": gettext_lazy("Open"), "closed": gettext_lazy("Solved and closed"), "all": gettext_lazy("All")}
_CATEGORIES = {"open": UNRESOLVED, "closed": (*FINISHED, Category.SPAM)}  # spam reads as closed
_WHOSE: dict[str, _StrPromise] = {
    "mine": gettext_lazy("Mine"),
    "followed": gettext_lazy("I follow"),
    "organizations": gettext_lazy("My organizations'"),
    "any": gettext_lazy("All I can see"),
}


@require_safe
@customer_required
def ticket_list(request: PersonRequest) -> HttpResponse:
    query = request.GET.get("q", "")
    # Who looks for something looks everywhere, unless they say where.
    show = _chosen(request, "show", _TABS, default="all" if query.strip() else "open")
    whose = _chosen(request, "whose", _WHOSE, default="any" if query.strip() else "mine")
    tickets = search(_tickets(request.user, show, whose), query, for_staff=False).select_related("status", "requester")
    page = page_of(tickets, request_get=request.GET, order=("-public_updated_at", "-id"))
    context = {
        "tickets": [row_of(ticket) for ticket in page.rows],
        "prev_url": page.prev_url,
        "next_url": page.next_url,
        "q": query,
        "show": show,
        "whose": whose,
        "whose_choices": _WHOSE.items(),
        "tabs": [{"label": label, "href": _link(request, show=key), "current": key == show} for key, label in _TABS.items()],
        "everywhere": "" if (show, whose) == ("all", "any") else _link(request, show="all", whose="any"),
        "empty": _("Nothing of yours is open.") if show == "open" else _("Nothing here yet."),
    }
    return render(request, "portal/ticket_list.html", context)


def own(person: User) -> Q:
    """Asked by or for this person."""
    return Q(requester=person) | Q(filer=person)


def _tickets(person: User, show: str, whose: str) -> QuerySet[Ticket]:
    tickets = tickets_for(person)
    if show in _CATEGORIES:
        tickets = tickets.filter(category__in=_CATEGORIES[show])
    match whose:
        case "mine":
            return tickets.filter(own(person))
        case "followed":
            return tickets.filter(pk__in=Follower.objects.filter(user=person, is_muted=False).values("ticket"))
        case "organizations":
            shares = OrganizationShare.objects.filter(organization__in=person.active_organizations())
            return tickets.filter(pk__in=shares.values("ticket"))
    return tickets


def _chosen(request: PersonRequest, name: str, choices: dict[str, Any], *, default: str) -> str:
    value = request.GET.get(name, "")
    return value if value in choices else default


def _link(request: PersonRequest, **changes: str) -> str:
    query = request.GET.copy()
    query.pop("cursor", None)
    for name, value in changes.items():
        query[name] = value
    return f"?{query.urlencode()}"
