"""A person's page: who they are, what is open for them, and all mail from and to them. Tickets of private groups stay unseen, and so does their mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from notifications import bounces
from notifications.models import Suspension
from tickets import access
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.mail import deliveries_for, inbound_for
from tickets.desk.rows import with_row
from tickets.lifecycle import UNRESOLVED
from tickets.paging import page_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

ROWS = 25
_SHOWN = 10  # open tickets, and suspensions that are over


@require_safe
@staff_required
def person(request: StaffRequest, pk: int) -> HttpResponse:
    found = _person(pk)
    others = EmailAddress.objects.filter(user=found, verified=True).exclude(email=found.email)
    addresses = [found.email, *others.values_list("email", flat=True)]
    tickets = access.tickets_for(request.user).filter(requester=found, category__in=UNRESOLVED)
    context = {
        "person": found,
        "can_file": access.fileable_by(request.user).filter(pk=found.pk).exists(),
        "addresses": addresses,
        "memberships": found.memberships.filter(Q(is_active=True) | Q(awaits_proof=True)).select_related("organization"),
        "zone": (found.known_zone or settings.TIME_ZONE).replace("_", " "),
        "tickets": list(with_row(tickets).order_by("-updated_at", "-id")[:_SHOWN]),
        "suspensions": list(_suspensions(found).select_related("ended_by").order_by("-id")[:_SHOWN]),
        **_mail(request, found, addresses),
    }
    return render(request, "desk/person.html", context)


def _mail(request: StaffRequest, person: User, addresses: list[str]) -> dict[str, Any]:
    """One way at a time: what we wrote to them, or what they wrote to us."""
    if request.GET.get("mail") == "in":
        written = inbound_for(request.user).filter(from_address__in=addresses)
        return {"is_inbound": True, "mails": page_of(written, request_get=request.GET, order=("-id",), size=ROWS)}
    page = page_of(deliveries_for(request.user).filter(recipient=person), request_get=request.GET, order=("-id",), size=ROWS)
    claims = bounces.claims_about(page.rows)
    return {"is_inbound": False, "mails": page, "rows": [(delivery, claims[delivery.pk]) for delivery in page.rows]}


@require_POST
@staff_required
def lift(request: StaffRequest, pk: int, suspension: int) -> HttpResponse:
    found = _person(pk)
    stopped = _suspensions(found).filter(pk=suspension).first()
    if stopped is None:
        raise Http404
    if bounces.lift(stopped, actor=request.user):
        messages.success(
            request, _("Mail to %(address)s is sent again. What was not sent meanwhile is not sent later.") % {"address": stopped.address}
        )
    else:
        messages.info(request, _("Mail to %(address)s is sent again already.") % {"address": stopped.address})
    number = request.POST.get("ticket", "")  # of the page that the button stood on
    return redirect("desk_ticket", number) if number.isascii() and number.isdecimal() else redirect("desk_person", found.pk)


def _suspensions(person: User) -> QuerySet[Suspension]:
    """Also of an address that was somebody else's before."""
    return Suspension.objects.filter(Q(user=person) | Q(address=person.email))


def _person(pk: int) -> User:
    try:
        found = User.objects.filter(pk=pk).first()
    except OverflowError:
        found = None
    if found is None:
        raise Http404
    return found
