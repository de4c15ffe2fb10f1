"""My organizations: who belongs to them, who is invited, who looks after them, and how to leave. A foreign one is the same 404 as none."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import Count, Model, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import invitations
from accounts.errors import DomainError
from accounts.models import Invitation, Inviters, Membership, Organization
from notifications.apps import wake_sender
from tickets import membership
from tickets.access import tickets_for
from tickets.invite_form import InviteForm, InvitersForm
from tickets.lifecycle import UNRESOLVED
from tickets.paging import page_of
from tickets.portal.door import PersonRequest, customer_required

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

M = TypeVar("M", bound=Model)

ROWS = 50


@require_safe
@customer_required
def organizations(request: PersonRequest) -> HttpResponse:
    """Who belongs to one alone, and is asked nothing, goes straight there."""
    asked = list(_asked(request.user))
    members = Count("memberships", filter=Q(memberships__is_active=True, memberships__user__is_active=True))
    mine = Organization.objects.filter(pk__in=request.user.active_organizations()).annotate(members_count=members)
    found = list(mine.select_related("delivery_lead").order_by("name"))
    if len(found) == 1 and not asked:
        return redirect("organization", pk=found[0].pk)
    return render(request, "portal/organizations.html", {"organizations": found, "invitations": asked})


@require_safe
@customer_required
def organization(request: PersonRequest, pk: int) -> HttpResponse:
    return _page(request, _mine(request.user, pk), InviteForm())


@require_POST
@customer_required
def invite(request: PersonRequest, pk: int) -> HttpResponse:
    mine = _mine(request.user, pk)
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, mine, form, status=422)
    try:
        invited = invitations.invite(actor=request.user, organization=mine.organization, **form.cleaned_data)
    except DomainError as error:
        form.add_error("address", str(error))
        return _page(request, mine, form, status=422)
    transaction.on_commit(wake_sender)
    messages.success(
        request,
        _("An invitation is on its way to %(address)s. They belong to %(organization)s as soon as they have accepted it.")
        % {"address": invited.address, "organization": mine.organization},
    )
    return redirect(f"{reverse('organization', args=[pk])}#main")  # else the browser goes on to where the form stood


@require_POST
@customer_required
def resend(request: PersonRequest, pk: int, invitation: int) -> HttpResponse:
    again = invitations.resend(_invitation(_mine(request.user, pk), invitation), actor=request.user)
    transaction.on_commit(wake_sender)
    messages.success(request, _("A new invitation is on its way to %(address)s. The older link is dead.") % {"address": again.address})
    return redirect("organization", pk=pk)


@require_POST
@customer_required
def revoke(request: PersonRequest, pk: int, invitation: int) -> HttpResponse:
    over = invitations.revoke(_invitation(_mine(request.user, pk), invitation), actor=request.user)
    messages.success(request, _("The invitation of %(person)s is taken back.") % {"person": over.display_name})
    return redirect("organization", pk=pk)


@require_POST
@customer_required
def inviters(request: PersonRequest, pk: int) -> HttpResponse:
    """A manager's choice; that of nobody else is refused by the verb."""
    mine, form = _mine(request.user, pk), InvitersForm(request.POST)
    if not form.is_valid():
        return _page(request, mine, InviteForm(), policy=form, status=422)
    membership.set_inviters(mine.organization, actor=request.user, who=Inviters(form.cleaned_data["who"]))
    messages.success(request, _("Saved."))
    return redirect("organization", pk=pk)


@require_POST
@customer_required
def manager(request: PersonRequest, pk: int, person: int) -> HttpResponse:
    mine, is_manager = _mine(request.user, pk), request.POST.get("manager") == "yes"
    member = _member(mine, person)
    membership.set_manager(mine.organization, actor=request.user, person=member, is_manager=is_manager)
    said = _("%(person)s is a manager now.") if is_manager else _("%(person)s is no longer a manager.")
    messages.success(request, said % {"person": member})
    return redirect("organization", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def remove(request: PersonRequest, pk: int, person: int) -> HttpResponse:
    """First a page that says what it means."""
    mine = _mine(request.user, pk)
    member = _member(mine, person)
    if not mine.is_manager or member == request.user:
        raise Http404
    if request.method == "POST":
        membership.remove_member(mine.organization, actor=request.user, person=member)
        messages.success(
            request, _("%(person)s no longer belongs to %(organization)s.") % {"person": member, "organization": mine.organization}
        )
        return redirect("organization", pk=pk)
    return render(request, "portal/organization_end.html", {"organization": mine.organization, "person": member})


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def leave(request: PersonRequest, pk: int) -> HttpResponse:
    mine = _mine(request.user, pk)
    if request.method == "POST":
        membership.leave(mine.organization, actor=request.user)
        messages.success(request, _("You no longer belong to %(organization)s.") % {"organization": mine.organization})
        return redirect("organizations")
    lost = membership.given_by(mine.organization, request.user).count()
    return render(request, "portal/organization_end.html", {"organization": mine.organization, "person": None, "lost": lost})


@require_POST
@customer_required
def join(request: PersonRequest, pk: int) -> HttpResponse:
    """An invitation to somebody who is logged in, and needs no link to prove the address again."""
    joined = invitations.accept(_own(request.user, pk), actor=request.user, by_link=False)
    messages.success(request, _("Welcome. You belong to %(organization)s now.") % {"organization": joined.organization})
    return redirect("organization", pk=joined.organization_id)


@require_POST
@customer_required
def decline(request: PersonRequest, pk: int) -> HttpResponse:
    declined = invitations.revoke(_own(request.user, pk), actor=request.user)
    messages.success(request, _("The invitation to %(organization)s is declined.") % {"organization": declined.organization})
    return redirect("organizations")


def _page(
    request: PersonRequest, mine: Membership, form: InviteForm, *, policy: InvitersForm | None = None, status: int = 200
) -> HttpResponse:
    """Seven queries, however many people there are; one more for a manager."""
    found = mine.organization
    choices = membership.inviters_for(request.user, found) if mine.is_manager else []
    people = Membership.objects.filter(organization=found, is_active=True, user__is_active=True).select_related("user")
    pending = found.invitations.pending().select_related("invited_by").order_by("-issued_at", "-id")[:ROWS]
    context = {
        "organization": found,
        "mine": mine,
        "members": page_of(people, request_get=request.GET, order=("user__name", "user__email", "id"), size=ROWS),
        "pending": [(one, mine.is_manager or one.invited_by_id == request.user.pk) for one in pending],
        "domains": [domain.domain for domain in found.domains.all()],
        "form": form,
        "policy": (policy or InvitersForm(initial={"who": found.invitations_by_members})).offering(choices) if len(choices) > 1 else None,
        "open_tickets": tickets_for(request.user).filter(category__in=UNRESOLVED, share_rows__organization=found).count(),
    }
    return render(request, "portal/organization.html", context, status=status)


def _mine(user: User, pk: int) -> Membership:
    standing = Membership.objects.filter(user=user, is_active=True, organization__is_active=True)
    return _one(standing.select_related("organization__delivery_lead"), organization=pk)


def _member(mine: Membership, pk: int) -> User:
    among = Membership.objects.filter(organization=mine.organization, is_active=True, user__is_active=True).select_related("user")
    return _one(among, user=pk).user


def _invitation(mine: Membership, pk: int) -> Invitation:
    return _one(mine.organization.invitations.pending(), pk=pk)


def _asked(user: User) -> QuerySet[Invitation]:
    """Only who has proven the address may know what was sent there."""
    among = Invitation.objects.open().filter(person=user) if user.proven_at else Invitation.objects.none()
    return among.select_related("organization", "invited_by").order_by("-issued_at", "-id")


def _own(user: User, pk: int) -> Invitation:
    return _one(_asked(user), pk=pk)


def _one(among: QuerySet[M], **which: int) -> M:
    try:
        return among.get(**which)
    except (ObjectDoesNotExist, OverflowError) as error:
        raise Http404 from error
