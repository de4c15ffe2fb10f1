"""Who has a part in a ticket: find, bring back and take away people and organizations. What can't be taken back asks first."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tickets import access, people, sharing
from tickets.portal.door import PersonRequest, customer_required, person_required
from tickets.ratelimit import is_too_often, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from accounts.models import Organization, User
    from tickets.models import Follower, Ticket

LIMIT = 60  # shares and removals of one person in ten minutes
_NAMED = 8  # people named on the page that asks


@require_safe
@person_required
def find(request: PersonRequest) -> HttpResponse:
    return people.find(request, request.user)


def _deed(view: Callable[[PersonRequest, Ticket, int], HttpResponse]) -> Callable[[HttpRequest, int, int], HttpResponse]:
    """The ticket first: who does not see it learns nothing of the other id."""

    @wraps(view)
    def behind_limit(request: PersonRequest, number: int, pk: int) -> HttpResponse:
        ticket = access.get_ticket(request.user, number)
        if request.method == "POST" and is_too_often("share", request.user, limit=LIMIT):
            messages.warning(request, refusal())
            return redirect("ticket", number=number)
        return view(request, ticket, pk)

    return customer_required(behind_limit)


@require_POST
@_deed
def add_person(request: PersonRequest, ticket: Ticket, pk: int) -> HttpResponse:
    person: User = people.one_of(access.findable_by(request.user), pk)
    sharing.add_follower(ticket, actor=request.user, person=person)
    return _back(request, ticket, _("Shared with %(who)s.") % {"who": person})


@require_POST
@_deed
def add_organization(request: PersonRequest, ticket: Ticket, pk: int) -> HttpResponse:
    organization: Organization = people.one_of(access.shareable_by(request.user), pk)
    sharing.add_organization(ticket, actor=request.user, organization=organization)
    return _back(request, ticket, _("Shared with everybody at %(organization)s.") % {"organization": organization})


@require_http_methods(["GET", "HEAD", "POST"])
@_deed
def remove_person(request: PersonRequest, ticket: Ticket, pk: int) -> HttpResponse:
    """One's colleagues at once, as one can bring them back. Oneself and people one could not find again only after having been asked.

    `pk`: of the follower row.
    """
    rows = access.followers_for(request.user, ticket).with_newcomers().select_related("user").exclude(user=ticket.requester_id)
    row: Follower = people.one_of(rows, pk)
    can_undo = access.findable_by(request.user).filter(pk=row.user_id).exists()
    if request.method != "POST" or not (can_undo or "confirm" in request.POST):
        loses = row.user == request.user and access.sees_only_by_following(request.user, ticket)
        return _ask(request, ticket, {"who": row, "is_me": row.user == request.user, "loses": loses, "can_undo": can_undo})
    sharing.remove_follower(ticket, actor=request.user, person=row.user)
    if row.user == request.user:
        return _back(request, ticket, _("You left the ticket."))
    undo = reverse("ticket_person_add", args=[ticket.pk, row.user_id]) if can_undo else ""
    return _back(request, ticket, _("%(who)s is no longer on this ticket.") % {"who": row.name}, undo=undo)


@require_http_methods(["GET", "HEAD", "POST"])
@_deed
def remove_organization(request: PersonRequest, ticket: Ticket, pk: int) -> HttpResponse:
    """Always asks: of one's own, one may lose the ticket with it, and another one can't be brought back."""
    organization: Organization = people.one_of(ticket.organizations.filter(is_active=True), pk)
    if request.method == "POST" and "confirm" in request.POST:
        sharing.remove_organization(ticket, actor=request.user, organization=organization)
        return _back(request, ticket, _("%(organization)s no longer sees this ticket.") % {"organization": organization})
    return _ask(request, ticket, _loss_of(organization, request.user, ticket))


def _loss_of(organization: Organization, reader: User, ticket: Ticket) -> dict[str, Any]:
    """Of a foreign organization nobody is named or counted: who its members are is not this person's to know."""
    is_own = access.shareable_by(reader).filter(pk=organization.pk).exists()
    others = access.losing(ticket, organization).exclude(pk=reader.pk).order_by("name", "email") if is_own else None
    return {
        "organization": organization,
        "is_own": is_own,
        "loses": access.sees_only_by(organization, reader, ticket),
        "is_requester": reader.pk == ticket.requester_id,
        "losing": list(others[:_NAMED]) if others is not None else [],
        "more": max(others.count() - _NAMED, 0) if others is not None else 0,
    }


def _ask(request: PersonRequest, ticket: Ticket, context: dict[str, Any]) -> HttpResponse:
    return render(request, "portal/ticket_remove.html", {"ticket": ticket, **context})


def _back(request: PersonRequest, ticket: Ticket, words: str, *, undo: str = "") -> HttpResponse:
    """To the ticket, or, where it went out of this person's sight, to the list."""
    if not access.can_see(request.user, ticket):
        messages.success(request, words + " " + _("You no longer see ticket #%(number)s.") % {"number": ticket.number})
        return redirect("tickets")
    messages.success(request, words, extra_tags=undo)
    return redirect("ticket", number=ticket.number)
