"""People: the list, adding one, and each one's page: who they are, what is open for them, and all mail from and to them.

Tickets of private groups stay unseen, and so does their mail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Prefetch, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import invitations
from accounts.errors import DomainError
from accounts.models import Membership, Organization, Role, User
from notifications import bounces
from notifications.apps import wake_sender
from notifications.models import Suspension
from notifications.relay import queue_password_link
from tickets import access, membership
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.mail import deliveries_for, inbound_for
from tickets.desk.rows import with_row
from tickets.invite_form import InviteForm
from tickets.lifecycle import UNRESOLVED
from tickets.paging import page_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

ROWS = 25
_SHOWN = 10  # open tickets, invitations, and suspensions that are over
_CHOICES = 500  # organizations to choose from
_DIGITS = 15


class NewPersonForm(InviteForm):
    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        required=False,
        label=gettext_lazy("Organization"),
        empty_label=gettext_lazy("None"),
        help_text=gettext_lazy("They belong to it as soon as they have accepted the invitation."),
        error_messages={"invalid_choice": gettext_lazy("Choose an organization of the list.")},
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = _led_by(actor)  # type: ignore[attr-defined] # a ModelChoiceField
        self.fields["organization"].required = actor.role == Role.CSM
        self.fields["organization"].error_messages["required"] = _("You add people to the organizations that you look after.")


def _led_by(actor: User) -> QuerySet[Organization]:
    active = Organization.objects.filter(is_active=True).order_by("name")
    return active.filter(delivery_lead=actor) if actor.role == Role.CSM else active


# --- All ---------------------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def people(request: StaffRequest) -> HttpResponse:
    query = " ".join(request.GET.get("q", "").replace("\0", "").split())[:200]
    who = "staff" if request.GET.get("who") == "staff" else "customers"
    found = User.objects.exclude(role=Role.CUSTOMER) if who == "staff" else User.objects.filter(role=Role.CUSTOMER)
    if query:
        found = found.filter(Q(name__icontains=query) | Q(email__icontains=query))
    standing = Membership.objects.filter(is_active=True).select_related("organization")
    page = page_of(found.prefetch_related(Prefetch("memberships", standing)), request_get=request.GET, order=("email",), size=50)
    return render(request, "desk/people.html", {"page": page, "q": query, "who": who})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def person_new(request: StaffRequest) -> HttpResponse:
    """Into an organization by invitation; into none with a mail to set a password."""
    posted = request.POST if request.method == "POST" else None
    form = NewPersonForm(posted, actor=request.user, initial={"organization": request.GET.get("organization")})
    if form.is_valid() and (added := _add(request.user, form)):
        transaction.on_commit(wake_sender)
        messages.success(request, _("A mail is on its way to %(person)s.") % {"person": added})
        return redirect("desk_person", added.pk)
    return render(request, "desk/person_new.html", {"form": form}, status=422 if form.is_bound else 200)


def _add(actor: User, form: NewPersonForm) -> User | None:
    address, name, organization = (form.cleaned_data[field] for field in ("address", "name", "organization"))
    try:
        if organization:
            return invitations.invite(actor=actor, organization=organization, address=address, name=name).person
        person = invitations.add_person(actor=actor, address=address, name=name)
        queue_password_link(person)
    except DomainError as error:
        form.add_error("address", str(error))
        return None
    return person


# --- One ---------------------------------------------------------------------------------------------------------------------


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
        "invitations": found.invitations.pending().select_related("organization", "invited_by").order_by("-id")[:_SHOWN],
        "choices": _led_by(request.user).exclude(pk__in=found.active_organizations())[:_CHOICES] if found.role == Role.CUSTOMER else (),
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
def add_to(request: StaffRequest, pk: int) -> HttpResponse:
    """At once where the address is proven; else by an invitation."""
    found, number = _person(pk), request.POST.get("organization", "")
    is_number = number.isascii() and number.isdecimal() and len(number) <= _DIGITS
    organization = _led_by(request.user).filter(pk=int(number)).first() if is_number else None
    if organization is None:
        messages.error(request, _("Choose an organization of the list."))
    elif found.proven_at:
        membership.add_member(organization, actor=request.user, person=found)
        messages.success(request, _("%(person)s belongs to %(organization)s now.") % {"person": found, "organization": organization})
    else:
        invitations.invite(actor=request.user, organization=organization, address=found.email, name=found.name)
        transaction.on_commit(wake_sender)
        messages.success(request, _("The address is not proven, so an invitation is on its way to %(person)s.") % {"person": found})
    return redirect("desk_person", found.pk)


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
