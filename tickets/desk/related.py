"""Tickets like this one: a part of the ticket's page, asked for once the page is there."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tickets import access
from tickets.desk.door import StaffRequest, staff_required
from tickets.search.similar import Question, similar, with_story


@require_safe
@staff_required
def related(request: StaffRequest, number: int) -> HttpResponse:
    """Among what this person sees; those of about the same day come first, as what breaks breaks for many."""
    ticket = access.get_ticket(request.user, number)
    said = access.comments_for(request.user, ticket).filter(is_internal=False).values_list("text", flat=True).first()
    asked = Question(ticket.subject, said or "", at=ticket.created_at, without=frozenset({ticket.pk}))
    return render(request, "desk/related_found.html", {"found": similar(request.user, asked, among=with_story())})
