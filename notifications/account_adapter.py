"""allauth's mails go through our outbox, so that no request waits for a mail server and none says who has an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import is_password_usable
from django.db import transaction
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.addresses import normalise_address
from accounts.models import User
from notifications.apps import wake_sender
from notifications.models import Change
from notifications.relay import queue_account_change, queue_address_proof, queue_password_link, queue_sign_up_answer
from tickets.actions import IllegalMove

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


# allauth's names of the mails by which it tells that something changed. What is not here, we don't tell.
_CHANGES = {
    "account/email/password_changed": Change.PASSWORD,
    "account/email/password_reset": Change.PASSWORD,
    "account/email/password_set": Change.PASSWORD,
    "socialaccount/email/account_connected": Change.SINGLE_SIGN_ON,
    "mfa/email/totp_activated": Change.APP_ON,
    "mfa/email/totp_deactivated": Change.APP_OFF,
    "mfa/email/webauthn_added": Change.PASSKEY_ON,
    "mfa/email/webauthn_removed": Change.PASSKEY_OFF,
    "mfa/email/recovery_codes_generated": Change.CODES,
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are added by staff or by mailing in."""
        return False

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Only who knows the password gets here, so the answer may say what the matter is."""
        messages.error(
            request, _("This account is switched off. Write to %(address)s if you need it.") % {"address": settings.SUPPORT_ADDRESS}
        )
        return redirect("account_login")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Tries are counted by the person, whichever of their addresses and of our host names is used."""
        address = str(credentials.get("email", ""))
        person = User.objects.by_address(address)
        return f"person {person.pk}" if person else normalise_address(address)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, str]]:
        """Who has a second step shows that one, a passkey before a code: a password that was overheard must not be enough to take the step away."""
        known: dict[str, dict[str, str]] = {method["id"]: method for method in super().get_reauthentication_methods(user)}
        words = {"mfa_reauthenticate:webauthn": _("Use a passkey"), "mfa_reauthenticate": _("Use a code")}
        steps = [known[name] | {"description": description} for name, description in words.items() if name in known]
        return steps or list(known.values())

    def set_password(self, user: User, password: str) -> None:
        """Compare and set: of two uses of one link at the same moment, one wins."""
        before = user.password
        user.had_password = is_password_usable(before)  # type: ignore[attr-defined] # for the mail about it, below
        user.set_password(password)
        if not User.objects.filter(pk=user.pk, password=before).update(password=user.password):
            raise IllegalMove(_("This link was used already."))

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """To the stored address, whatever was typed. The link in `context` is dropped: the sender makes its own."""
        queue_password_link(user)
        transaction.on_commit(wake_sender)

    def send_sign_up_answer(self, user: User, address: str) -> None:
        queue_sign_up_answer(user, address)
        transaction.on_commit(wake_sender)

    def send_address_proof(self, user: User, address: str) -> None:
        queue_address_proof(user, address)
        transaction.on_commit(wake_sender)

    def tell_address_changed(self, user: User, old: str) -> None:
        """At the old address: whose account was stolen reads mail there."""
        self._tell(user, Change.ADDRESS, address=old)

    def tell_address_removed(self, user: User, removed: str) -> None:
        self._tell(user, Change.REMOVED, address=removed)
        self._tell(user, Change.REMOVED)

    def tell_second_step_forgotten(self, user: User) -> None:
        self._tell(user, Change.FORGOTTEN)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Whoever sets their first password is told nothing: there was none to change."""
        change = _CHANGES.get(template_prefix)
        if change and (change != Change.PASSWORD or getattr(user, "had_password", True)):
            self._tell(user, change)

    def _tell(self, user: User, change: Change, *, address: str = "") -> None:
        queue_account_change(user, change, address=address)
        transaction.on_commit(wake_sender)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """No other mail of allauth's is in use."""
