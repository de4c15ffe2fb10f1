"""Logging in at the company's own identity provider, by OpenID Connect. The provider's word about an address counts as its proof, as the operator chose
it; whose account that is, and whether there may be a new one, is decided as everywhere else. It never makes anybody staff.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import invitations
from accounts.addresses import normalise_address
from accounts.models import User
from accounts.sign_up import may_sign_up

if TYPE_CHECKING:
    from allauth.socialaccount.models import SocialLogin
    from django.http import HttpRequest

PROVIDER = "sso"  # in the callback's address, which the provider must know


def came_by_it(request: HttpRequest) -> bool:
    """Whether this session began at the provider."""
    return any(record.get("method") == "socialaccount" for record in get_authentication_records(request, request.user))


def refuse(request: HttpRequest, words: str) -> ImmediateHttpResponse:
    messages.error(request, words)
    return ImmediateHttpResponse(redirect("account_login"))


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc] # allauth ships no types
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """allauth knows an account that came before by the provider's id of the person. For any other, here or nowhere an account is found or made."""
        if sociallogin.state.get("process") != "login":
            raise refuse(request, _("Log in here with %(name)s.") % {"name": settings.OIDC_NAME})
        if not sociallogin.is_existing:
            sociallogin.connect(request, self._person_for(request, sociallogin))

    @transaction.atomic
    def _person_for(self, request: HttpRequest, sociallogin: SocialLogin) -> User:
        address = _proven_address(sociallogin.account.get_provider_account().get_user_data())
        if not address:
            words = _("%(name)s does not say that your email address is proven, so we don't know who you are here.")
            raise refuse(request, words % {"name": settings.OIDC_NAME})
        person = User.objects.by_address(address)
        if person is None and may_sign_up(address):
            person = User.objects.admit(address, name=str(sociallogin.account.extra_data.get("name") or ""))
        if person is None:
            words = _("There is no account here for %(address)s. Write to %(support)s if you need one.")
            raise refuse(request, words % {"address": address, "support": settings.SUPPORT_ADDRESS})
        if person.proven_at is None:
            person.set_unusable_password()  # whoever set one before the address was proven is not the one who proves it
            person.save(update_fields=["password"])
            invitations.prove(person)
        return person

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        get_account_adapter().send_notification_mail(*args, **kwargs)

    def on_authentication_error(self, request: HttpRequest, provider: Any, **_kwargs: Any) -> None:
        raise refuse(request, _("Logging in with %(name)s did not work. Try again, or use your password.") % {"name": settings.OIDC_NAME})

    def get_requests_session(self) -> Any:
        """Follows no redirect: only the operator's address, and those that the provider names itself, are ever asked."""
        session = super().get_requests_session()
        session.max_redirects = 0
        return session


def _proven_address(claims: dict[str, Any] | None) -> str:
    """The address that the provider says it has proven; '' for none. Its `true`, not a text that looks like it."""
    claims = claims or {}
    address = normalise_address(str(claims.get("email") or ""))
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address if claims.get("email_verified") is True else ""
