"""The pages of signing up, of one's own addresses and sessions. All else about logging in is allauth's, with our templates."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar, cast

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.decorators import rate_limit
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from requests import RequestException

from accounts import devices, own_addresses
from accounts.forms import AddressForm, SignUpForm
from accounts.models import User
from accounts.sign_up import OFF, may_sign_up
from accounts.single_sign_on import PROVIDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from allauth.account.models import EmailAddress

logger = logging.getLogger(__name__)
View = TypeVar("View", bound="Callable[..., HttpResponse]")


def _limited(action: str) -> Callable[[View], View]:
    """At most as often as ACCOUNT_RATE_LIMITS says."""
    return cast("Callable[[View], View]", rate_limit(action=action))


def _fresh(view: View) -> View:
    """For who has just shown a password or second factor; others are asked, and then go on where they were."""
    return cast("View", reauthentication_required(view, app="allauth.account"))


# --- Signing up ----------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    if settings.SIGNUP == OFF:
        raise Http404
    return redirect("home") if request.user.is_authenticated else _sign_up(request)


@_limited("signup")
def _sign_up(request: HttpRequest) -> HttpResponse:
    """Whatever the address is, the same page answers; what it is to know, its owner is told by mail."""
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "account/signup.html", {"form": form}, status=422 if form.is_bound else 200)
    address = form.cleaned_data["email"]
    if may_sign_up(address):
        person = User.objects.admit(address, name=form.cleaned_data["name"])
        get_adapter().send_sign_up_answer(person, address)
    return redirect("account_signup_done")


@require_safe
def sign_up_done(request: HttpRequest) -> HttpResponse:
    if settings.SIGNUP == OFF:
        raise Http404
    return render(request, "account/signup_done.html")


# --- Logging in at an identity provider ----------------------------------------------------------------------------------------

_GARBAGE = (RequestException, KeyError, TypeError, ValueError)  # what a provider that is gone or confused makes allauth raise


@require_POST
@_limited("login")
def single_sign_on(request: HttpRequest) -> HttpResponse:
    """Leads to the provider by a page of our own: our policy lets no form end elsewhere, wherever the provider may lead on to."""
    if not settings.OIDC_SERVER_URL:
        raise Http404
    try:
        answer = openid_connect.login(request, provider_id=PROVIDER)
    except _GARBAGE as error:
        return _sign_on_failed(request, error)
    return render(request, "account/single_sign_on.html", {"address": answer.url}) if answer.status_code == 302 else answer


@require_safe
@_limited("login")
def single_sign_on_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Where the provider sends people back to."""
    try:
        answer: HttpResponse = openid_connect.callback(request, provider_id=provider_id)
    except _GARBAGE as error:
        return _sign_on_failed(request, error)
    return answer


def _sign_on_failed(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.warning("logging in at the identity provider failed: %s", type(error).__name__)
    messages.error(request, _("%(name)s can't be reached right now. Try again, or use your password.") % {"name": settings.OIDC_NAME})
    return redirect("account_login")


# --- One's own addresses -------------------------------------------------------------------------------------------------------


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)


def _one(request: HttpRequest, pk: int) -> EmailAddress:
    """Another's is as if there were none."""
    return get_object_or_404(own_addresses.of(_person(request)), pk=pk)


def _page(request: HttpRequest, form: AddressForm, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "others": list(own_addresses.of(_person(request))), "most": own_addresses.MOST}
    return render(request, "account/email.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@_limited("manage_email")
def addresses(request: HttpRequest) -> HttpResponse:
    return _add(request) if request.method == "POST" else _page(request, AddressForm())


@_fresh
def _add(request: HttpRequest) -> HttpResponse:
    form, person = AddressForm(request.POST), _person(request)
    if not form.is_valid():
        return _page(request, form, 422)
    address = form.cleaned_data["email"]
    if address == person.email or own_addresses.of(person).filter(email=address, verified=True).exists():
        messages.info(request, _("%(address)s is yours already.") % {"address": address})
    elif own_addresses.add(person, address):
        get_adapter().send_address_proof(person, address)
        _say_mailed(request, address)
    else:
        form.add_error("email", _("You have %(most)d other addresses, which is the most. Remove one first.") % {"most": own_addresses.MOST})
        return _page(request, form, 422)
    return redirect("account_email")


def _say_mailed(request: HttpRequest, address: str) -> None:
    messages.success(
        request, _("A mail is on its way to %(address)s. Open the link in it to prove that the address is yours.") % {"address": address}
    )


@require_POST
@login_required
@_limited("manage_email")
def address_resend(request: HttpRequest, pk: int) -> HttpResponse:
    row = _one(request, pk)
    if not row.verified:
        get_adapter().send_address_proof(_person(request), row.email)
        _say_mailed(request, row.email)
    return redirect("account_email")


@require_POST
@login_required
@_fresh
def address_remove(request: HttpRequest, pk: int) -> HttpResponse:
    row, person = _one(request, pk), _person(request)
    row.delete()
    if row.verified:
        get_adapter().tell_address_removed(person, row.email)
    messages.success(request, _("%(address)s is no longer yours here.") % {"address": row.email})
    return redirect("account_email")


@require_POST
@login_required
@_fresh
def address_make_login(request: HttpRequest, pk: int) -> HttpResponse:
    row, person = _one(request, pk), _person(request)
    if old := own_addresses.make_login(person, row):
        get_adapter().tell_address_changed(person, old)
        messages.success(request, _("From now on you log in with %(address)s, and get mail there.") % {"address": person.email})
    else:
        messages.error(request, _("Prove first that %(address)s is yours: open the link that was mailed there.") % {"address": row.email})
    return redirect("account_email")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def prove_address(request: HttpRequest, key: str) -> HttpResponse:
    """For whoever is logged in as the person that added the address: somebody else's click must not give an account to a stranger."""
    person, meant = _person(request), own_addresses.meant_by(key)
    is_mine = meant is not None and meant[0] == person.pk
    address = meant[1] if meant and is_mine else ""
    works = bool(address) and own_addresses.awaits_proof(person, address)
    if request.method == "POST" and works and own_addresses.prove(person, address):
        messages.success(
            request, _("%(address)s is yours now. You may log in with it, and mail from it counts as yours.") % {"address": address}
        )
        return redirect("account_email")
    works = works and request.method != "POST"
    return render(
        request, "account/prove_address.html", {"address": address, "works": works, "is_others": meant is not None and not is_mine}
    )


# --- Where one is logged in ----------------------------------------------------------------------------------------------------


@require_safe
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    rows = list(devices.of(_person(request)))
    return render(request, "account/sessions.html", {"devices": rows, "here": request.session.session_key})


@require_POST
@login_required
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    """One's own, this one too. One that has ended meanwhile is no mistake."""
    devices.end(devices.of(_person(request)).filter(pk=pk))
    messages.success(request, _("That browser is logged out."))
    return redirect("account_sessions")


@require_POST
@login_required
def sessions_end_others(request: HttpRequest) -> HttpResponse:
    devices.end_others(request, _person(request))
    messages.success(request, _("You are logged out everywhere but here."))
    return redirect("account_sessions")
