"""Customers' organizations: the list, and each one's page. All staff read them; agents and admins change any, a CSM those of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import Count, Model, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import invitations
from accounts import organizations as verbs
from accounts.errors import DomainError
from accounts.models import Inviters, Membership, Organization, Role, User
from notifications.apps import wake_sender
from tickets import access, membership
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.rows import with_row
from tickets.invite_form import InviteForm
from tickets.lifecycle import UNRESOLVED
from tickets.paging import page_of
from tickets.uploads import LineField

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

M = TypeVar("M", bound=Model)
T = TypeVar("T")

ROWS = 50
_SHOWN = 10  # open tickets
_MAX_QUERY = 200


class OrganizationForm(forms.Form):
    name = LineField(limit=150, label=gettext_lazy("Name"), error_messages={"required": gettext_lazy("Give it a name.")})
    delivery_lead = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        label=gettext_lazy("Customer Success Manager"),
        empty_label=gettext_lazy("Nobody yet"),
        error_messages={"invalid_choice": gettext_lazy("Choose somebody who works here.")},
    )
    invitations_by_members = forms.ChoiceField(
        label=gettext_lazy("Members may invite"),
        choices=Inviters.choices,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose whom members may invite.")),
    )

    inviters_at_most = forms.ChoiceField(
        label=gettext_lazy("Its managers may allow at most"),
        choices=Inviters.choices,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose how far its managers may open it.")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["delivery_lead"].queryset = User.objects.active_staff().order_by("name", "email")  # type: ignore[attr-defined]


class DomainForm(forms.Form):
    domain = LineField(
        limit=253,
        label=gettext_lazy("Email domain"),
        error_messages={"required": gettext_lazy("Write a mail domain such as example.com.")},
        widget=forms.TextInput(attrs={"placeholder": "example.com", "autocomplete": "off"}),
    )


# --- The list ------------------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def organizations(request: StaffRequest) -> HttpResponse:
    """A CSM's own first; anybody's at a click."""
    query = " ".join(request.GET.get("q", "").replace("\0", "").split())[:_MAX_QUERY]
    default = "mine" if request.user.role == Role.CSM and not query else "all"
    whose = request.GET.get("whose", default)
    found = Organization.objects.select_related("delivery_lead").prefetch_related("domains")
    if whose == "mine":
        found = found.filter(delivery_lead=request.user)
    if query:
        found = found.filter(Q(name__icontains=query) | Q(pk__in=Organization.objects.filter(domains__domain__icontains=query)))
    people = Count("memberships", filter=Q(memberships__is_active=True, memberships__user__is_active=True))
    page = page_of(found.annotate(people=people), request_get=request.GET, order=("name",), size=ROWS)
    return render(request, "desk/organizations.html", {"page": page, "q": query, "whose": whose})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def organization_new(request: StaffRequest) -> HttpResponse:
    lead = request.user if request.user.role == Role.CSM else None
    form = OrganizationForm(
        request.POST or None,
        initial={"delivery_lead": lead, "invitations_by_members": Inviters.DOMAINS, "inviters_at_most": Inviters.DOMAINS},
    )
    if request.method == "POST" and (made := _try(form, lambda: verbs.create(actor=request.user, **form.cleaned_data))):
        messages.success(request, _("%(organization)s is added. Now its mail domains and its people.") % {"organization": made})
        return redirect("desk_organization", pk=made.pk)
    return render(request, "desk/organization_new.html", {"form": form}, status=422 if request.method == "POST" else 200)


# --- One -----------------------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def organization(request: StaffRequest, pk: int) -> HttpResponse:
    return _page(request, _organization(pk))


@require_POST
@staff_required
def change(request: StaffRequest, pk: int) -> HttpResponse:
    found, form = _organization(pk), OrganizationForm(request.POST)
    if not _try(form, lambda: verbs.change(found, actor=request.user, **form.cleaned_data)):
        return _page(request, found, settings=form)
    messages.success(request, _("Saved."))
    return redirect("desk_organization", pk=pk)


@require_POST
@staff_required
def switch(request: StaffRequest, pk: int) -> HttpResponse:
    found, is_active = _organization(pk), request.POST.get("active") == "yes"
    membership.switch(found, actor=request.user, is_active=is_active)
    said = _("%(organization)s is switched on again.") if is_active else _("%(organization)s is switched off: nobody sees anything by it.")
    messages.success(request, said % {"organization": found})
    return redirect("desk_organization", pk=pk)


@require_POST
@staff_required
def add_domain(request: StaffRequest, pk: int) -> HttpResponse:
    found, form = _organization(pk), DomainForm(request.POST)
    if not _try(form, lambda: verbs.add_domain(found, actor=request.user, **form.cleaned_data), field="domain"):
        return _page(request, found, domain=form)
    return redirect("desk_organization", pk=pk)


@require_POST
@staff_required
def remove_domain(request: StaffRequest, pk: int, domain: int) -> HttpResponse:
    gone = _one(_organization(pk).domains.select_related("organization"), pk=domain)
    verbs.remove_domain(gone, actor=request.user)
    messages.success(request, _("%(domain)s is no longer theirs. Members stay members.") % {"domain": gone})
    return redirect("desk_organization", pk=pk)


# --- Its people ----------------------------------------------------------------------------------------------------------------


@require_POST
@staff_required
def invite(request: StaffRequest, pk: int) -> HttpResponse:
    found, form = _organization(pk), InviteForm(request.POST)
    invited = _try(form, lambda: invitations.invite(actor=request.user, organization=found, **form.cleaned_data), field="address")
    if not invited:
        return _page(request, found, invite=form)
    transaction.on_commit(wake_sender)
    messages.success(request, _("An invitation is on its way to %(address)s.") % {"address": invited.address})
    return redirect("desk_organization", pk=pk)


@require_POST
@staff_required
def resend(request: StaffRequest, pk: int, invitation: int) -> HttpResponse:
    again = invitations.resend(_one(_organization(pk).invitations.pending(), pk=invitation), actor=request.user)
    transaction.on_commit(wake_sender)
    messages.success(request, _("A new invitation is on its way to %(address)s. The older link is dead.") % {"address": again.address})
    return redirect("desk_organization", pk=pk)


@require_POST
@staff_required
def revoke(request: StaffRequest, pk: int, invitation: int) -> HttpResponse:
    over = invitations.revoke(_one(_organization(pk).invitations.pending(), pk=invitation), actor=request.user)
    messages.success(request, _("The invitation of %(address)s is taken back.") % {"address": over.address})
    return redirect("desk_organization", pk=pk)


@require_POST
@staff_required
def manager(request: StaffRequest, pk: int, person: int) -> HttpResponse:
    found, is_manager = _organization(pk), request.POST.get("manager") == "yes"
    member = _one(_standing(found), user=person).user
    membership.set_manager(found, actor=request.user, person=member, is_manager=is_manager)
    said = _("%(person)s is a manager now.") if is_manager else _("%(person)s is no longer a manager.")
    messages.success(request, said % {"person": member})
    return redirect("desk_organization", pk=pk)


@require_POST
@staff_required
def remove(request: StaffRequest, pk: int, person: int) -> HttpResponse:
    found = _organization(pk)
    member = _one(_standing(found), user=person).user
    membership.remove_member(found, actor=request.user, person=member)
    messages.success(request, _("%(person)s no longer belongs to %(organization)s.") % {"person": member, "organization": found})
    return redirect("desk_organization", pk=pk)


def _page(request: StaffRequest, found: Organization, **forms_: forms.Form) -> HttpResponse:
    """With the form that was sent and refused, if one was."""
    tickets = access.tickets_for(request.user).filter(share_rows__organization=found, category__in=UNRESOLVED)
    may_change = request.user.leads(found)
    pending = found.invitations.pending().select_related("invited_by", "person").order_by("-issued_at", "-id")[:ROWS]
    given = {name: getattr(found, name) for name in ("name", "delivery_lead", "invitations_by_members", "inviters_at_most")}
    context = {
        "organization": found,
        "may_change": may_change,
        "members": page_of(_shown(found), request_get=request.GET, order=("user__name", "user__email", "id"), size=ROWS),
        "pending": [(one, may_change) for one in pending],
        "domains": list(found.domains.all()),
        "tickets": list(with_row(tickets).order_by("-updated_at", "-id")[:_SHOWN]),
        "settings": OrganizationForm(initial=given),
        "domain": DomainForm(),
        "invite": InviteForm(),
        **forms_,
    }
    return render(request, "desk/organization.html", context, status=422 if forms_ else 200)


def _try(form: forms.Form, verb: Callable[[], T], *, field: str | None = None) -> T | None:
    """What the verb made; None with what is wrong said in the form."""
    if not form.is_valid():
        return None
    try:
        return verb()
    except DomainError as error:
        form.add_error(field, str(error))
        return None


def _organization(pk: int) -> Organization:
    return _one(Organization.objects.select_related("delivery_lead"), pk=pk)


def _standing(found: Organization) -> QuerySet[Membership]:
    return Membership.objects.filter(Q(is_active=True) | Q(awaits_proof=True), organization=found).select_related("user")


def _shown(found: Organization) -> QuerySet[Membership]:
    """Who waits for proof and is invited as well, stands among the invited."""
    invited = found.invitations.pending().values("person")
    return _standing(found).exclude(Q(awaits_proof=True, user__in=invited))


def _one(among: QuerySet[M], **which: int) -> M:
    try:
        return among.get(**which)
    except (ObjectDoesNotExist, OverflowError) as error:
        raise Http404 from error
