"""Submit a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tickets import actions
from tickets.access import tickets_for
from tickets.models import Channel, Ticket
from tickets.portal.door import PersonRequest, customer_required
from tickets.portal.forms import NewTicketForm
from tickets.ratelimit import is_too_often, refusal

if TYPE_CHECKING:
    from django.http import HttpResponse

_LIMIT = 10  # tickets of one person in ten minutes
_DIGITS = 15


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def ticket_new(request: PersonRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, _empty(request), status=200)
    form = NewTicketForm(request.POST, request.FILES, person=request.user)
    if not form.is_valid():
        return _page(request, form, status=422)
    if is_too_often("submit", request.user, limit=_LIMIT):
        form.add_error(None, refusal())
        return _page(request, form, status=429)
    ticket = _open(request, form)
    if ticket is None:
        form.add_error(None, _("This was not sent. Send it again."))
        form.renew_key()
        return _page(request, form, status=409)
    messages.success(
        request,
        _("We have your ticket, number %(number)s. A confirmation is on its way to %(email)s.")
        % {"number": ticket.number, "email": request.user.email},
    )
    return redirect("ticket", number=ticket.number)


def _empty(request: PersonRequest) -> NewTicketForm:
    """`lead` names an organization of the person's: the ticket is for its delivery lead, who is chosen already."""
    form, number = NewTicketForm(person=request.user), request.GET.get("lead", "")
    if number.isascii() and number.isdecimal() and len(number) <= _DIGITS:
        organization = request.user.active_organizations().filter(pk=int(number)).select_related("delivery_lead").first()
        if organization and organization.delivery_lead:
            form.share_first_with(organization.delivery_lead, organization)
    return form


def _open(request: PersonRequest, form: NewTicketForm) -> Ticket | None:
    """None when the key of the form belongs to something else, which no page of ours brings about."""
    person, message = request.user, form.message(Channel.PORTAL)
    try:
        return actions.open_ticket(
            actor=person,
            requester=person,
            subject=form.cleaned_data["subject"],
            message=message,
            share_with=form.organization,
            people=form.cleaned_data.get("people", ()),
            area=form.cleaned_data.get("area"),
        )
    except IntegrityError:  # the same form was sent twice at the same moment, and the other one won
        return tickets_for(person).filter(submission_key=message.submission_key, requester=person).first()


def _page(request: PersonRequest, form: NewTicketForm, *, status: int) -> HttpResponse:
    context = {"form": form, "max_files": settings.MAX_FILES, "max_bytes": settings.MAX_FILE_BYTES}
    return render(request, "portal/ticket_new.html", context, status=status)
