"""Where an invitation's link leads. Reading it does nothing, whoever reads; a button accepts, and a newcomer sets a password in the same step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.adapter import get_adapter
from allauth.account.utils import perform_login
from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import invitations
from accounts.models import User
from tickets.portal.forms import JoinForm

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Invitation


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    found = invitations.find(token)
    if found is None or not found.is_open:
        return render(request, "portal/invitation_over.html", {"invitation": found}, status=410)
    if not isinstance(request.user, User):
        return _as_stranger(request, found)
    if request.user.pk != found.person_id:
        return render(
            request, "portal/invitation.html", {"invitation": found, "way": "other"}, status=409 if request.method == "POST" else 200
        )
    if request.method == "POST":
        invitations.accept(found, actor=request.user, by_link=True)
        return _welcome(request, found)
    return render(request, "portal/invitation.html", {"invitation": found, "way": "join"})


def _as_stranger(request: HttpRequest, found: Invitation) -> HttpResponse:
    """Who has a password logs in first, and comes back here; a newcomer sets one."""
    if found.person.has_usable_password():
        return render(
            request, "portal/invitation.html", {"invitation": found, "way": "login"}, status=409 if request.method == "POST" else 200
        )
    posted = request.POST if request.method == "POST" else None
    form = JoinForm(posted, person=found.person, initial={"name": found.person.name})
    if not form.is_valid():
        context = {"invitation": found, "way": "new", "form": form}
        return render(request, "portal/invitation.html", context, status=422 if form.is_bound else 200)
    person = _enrol(found, form)
    perform_login(request, person)
    return _welcome(request, found)


@transaction.atomic
def _enrol(found: Invitation, form: JoinForm) -> User:
    person = found.person
    get_adapter().set_password(person, form.cleaned_data["password1"])
    person.name = form.cleaned_data["name"]
    person.save(update_fields=["name"])
    person.is_called_anew()
    invitations.accept(found, actor=person, by_link=True)
    return person


def _welcome(request: HttpRequest, found: Invitation) -> HttpResponse:
    messages.success(request, _("Welcome. You belong to %(organization)s now.") % {"organization": found.organization})
    return redirect("organization", pk=found.organization_id)
