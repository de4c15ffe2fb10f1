"""The tickets that a customer may see, by state and by whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from notifications import preferences
from tickets.access import tickets_for
from tickets.help import article_search
from tickets.lifecycle import FINISHED, UNRESOLVED, Category
from tickets.models import Follower, OrganizationShare, Ticket
from tickets.paging import page_of
from tickets.portal.door import PersonRequest, customer_required
from tickets.portal.views.articles import published_for
from tickets.portal.words import row_of
from tickets.ratelimit import is_too_often
from tickets.reading import with_unread
from tickets.search.full_text import matching, passages, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpResponse

    from accounts.models import Membership, User
    from tickets.search.words import Asked

_TABS = {"open": gettext_lazy("Open"), "closed": gettext_lazy("Solved and closed"), "all": gettext_lazy("All")}
_ARTICLES = 3  # above the tickets, where one looks for words
_CATEGORIES = {"open": UNRESOLVED, "closed": (*FINISHED, Category.SPAM)}  # spam reads as closed
_SORTS = {
    "updated": (gettext_lazy("Last updated"), ("-public_updated_at", "-id")),
    "newest": (gettext_lazy("Newest first"), ("-id",)),
    "oldest": (gettext_lazy("Oldest first"), ("id",)),
}

_SEARCHES = 120  # of one person in ten minutes


@dataclass(frozen=True, slots=True)
class Listing:
    """Which tickets the address asks for, and in which order."""

    query: str
    words: Asked
    memberships: list[Membership]
    whose_choices: dict[str, str]
    show: str
    whose: str
    sort: str
    tickets: QuerySet[Ticket]
    order: tuple[str, ...]


def asked(request: PersonRequest) -> Listing:
    query = request.GET.get("q", "")
    words = read(query)
    memberships = _memberships(request.user)
    whose_choices = _whose(memberships)
    # Who looks for something looks everywhere, unless they say where.
    show = _chosen(request, "show", _TABS, default="all" if words else "open")
    whose = _chosen(request, "whose", whose_choices, default="any" if words else "mine")
    sort = _chosen(request, "sort", _SORTS, default="updated")
    tickets = matching(_tickets(request.user, show, whose), words, for_staff=False)
    return Listing(query, words, memberships, whose_choices, show, whose, sort, tickets, order=_SORTS[sort][1])


@require_safe
@customer_required
def ticket_list(request: PersonRequest) -> HttpResponse:
    it = asked(request)
    if it.words and is_too_often("search", request.user, limit=_SEARCHES):
        return render(request, "429.html", status=429)
    found = with_unread(it.tickets, request.user).select_related("status", "requester")
    page = page_of(found, request_get=request.GET, order=it.order)
    found_in = passages(page.rows, it.words, for_staff=False)
    context = {
        "tickets": [row_of(ticket, words=it.words, passage=found_in.get(ticket.pk)) for ticket in page.rows],
        "prev_url": page.prev_url,
        "next_url": page.next_url,
        "export_url": f"{reverse('ticket_export')}{_link(request)}" if page.rows else "",
        "articles": article_search.search(published_for(request), it.query, limit=_ARTICLES) if it.words else [],
        "q": it.query,
        "show": it.show,
        "whose": it.whose,
        "whose_choices": it.whose_choices.items(),
        "membership": next((one for one in it.memberships if it.whose == f"organization-{one.organization_id}"), None),
        "sort": it.sort,
        "sorts": [(key, label) for key, (label, _order) in _SORTS.items()],
        "tabs": [{"label": label, "href": _link(request, show=key), "current": key == it.show} for key, label in _TABS.items()],
        "everywhere": "" if (it.show, it.whose) == ("all", "any") else _link(request, show="all", whose="any"),
        "empty": _("Nothing of yours is open.") if (it.show, it.whose) == ("open", "mine") else _("Nothing here yet."),
    }
    return render(request, "portal/ticket_list.html", context)


def own(person: User) -> Q:
    """Asked by or for this person."""
    return Q(requester=person) | Q(filer=person)


@require_POST
@customer_required
def organization_follow(request: PersonRequest, pk: int) -> HttpResponse:
    """Mail of everything that is shared with this organization of the person's, or (without `follow`) no longer."""
    memberships = _memberships(request.user)
    chosen = next((one.organization for one in memberships if one.organization_id == pk), None)
    if chosen is None:
        raise Http404
    others = [one.organization for one in memberships if one.follows_all and one.organization != chosen]
    if request.POST.get("follow"):
        preferences.follow_all(request.user, [*others, chosen])
        words = _("You follow everything of %(organization)s: each ticket that is shared with it is mailed to you.")
    else:
        preferences.follow_all(request.user, others)
        words = _("You follow only those tickets of %(organization)s that you chose.")
    messages.success(request, words % {"organization": chosen})
    return redirect(f"{reverse('tickets')}?whose=organization-{pk}")


def _memberships(person: User) -> list[Membership]:
    memberships = person.memberships.filter(is_active=True, organization__is_active=True)
    return list(memberships.select_related("organization").order_by("organization__name"))


def _whose(memberships: Sequence[Membership]) -> dict[str, str]:
    """Each organization by itself: who belongs to several keeps them apart."""
    shared = {
        f"organization-{one.organization_id}": _("Shared with %(organization)s") % {"organization": one.organization} for one in memberships
    }
    return {"mine": _("Mine"), "followed": _("I follow"), **shared, "any": _("All I can see")}


def _tickets(person: User, show: str, whose: str) -> QuerySet[Ticket]:
    tickets = tickets_for(person)
    if show in _CATEGORIES:
        tickets = tickets.filter(category__in=_CATEGORIES[show])
    match whose.partition("-"):
        case ("mine", _, _):
            return tickets.filter(own(person))
        case ("followed", _, _):
            return tickets.filter(pk__in=Follower.objects.filter(user=person, is_muted=False).values("ticket"))
        case ("organization", _, pk):
            return tickets.filter(pk__in=OrganizationShare.objects.filter(organization=int(pk)).values("ticket"))
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
