"""Where everybody arrives: what this is, for those we don't know; what is open and what often helps, for customers; the desk, for staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.models import User
from tickets.access import tickets_for
from tickets.lifecycle import UNRESOLVED, Category
from tickets.portal.views.articles import helpful_first
from tickets.portal.views.ticket_list import own
from tickets.portal.words import row_of
from tickets.reading import with_unread

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

_SHOWN = 25
_ARTICLES = 4


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    person = request.user
    if not isinstance(person, User):
        return render(request, "portal/welcome.html", {"articles": helpful_first(request, limit=_ARTICLES)})
    if person.is_staff:
        return redirect("desk")
    tickets = tickets_for(person).filter(own(person), category__in=(*UNRESOLVED, Category.RESOLVED))
    shown = with_unread(tickets, person).select_related("status", "requester").order_by("-public_updated_at", "-id")[:_SHOWN]
    rows = [row_of(ticket) for ticket in shown]
    context = {
        "articles": helpful_first(request, limit=_ARTICLES),
        "your_turn": [row for row in rows if row.status.is_your_turn],
        "our_turn": [row for row in rows if not row.status.is_your_turn],
    }
    return render(request, "portal/home.html", context)
