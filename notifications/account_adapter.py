"""allauth's mails go through our outbox, so that no request waits for a mail server and none says who has an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from notifications.apps import wake_sender
from notifications.relay import queue_password_link
from tickets.actions import IllegalMove

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import User


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

    def set_password(self, user: User, password: str) -> None:
        """Compare and set: of two uses of one link at the same moment, one wins."""
        before = user.password
        user.set_password(password)
        if not type(user).objects.filter(pk=user.pk, password=before).update(password=user.password):
            raise IllegalMove(_("This link was used already."))

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """To the stored address, whatever was typed. The link in `context` is dropped: the sender makes its own."""
        queue_password_link(user)
        transaction.on_commit(wake_sender)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """No other mail of allauth's is in use."""
