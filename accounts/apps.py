from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.signals import password_reset
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People and organizations")

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_added  # noqa: PLC0415 the same

        from accounts import devices  # noqa: PLC0415 models are not loaded yet when this module is

        password_reset.connect(_address_proven, dispatch_uid="accounts.address_proven")
        user_logged_in.connect(devices.on_log_in, dispatch_uid="accounts.log_in")
        authenticator_added.connect(devices.on_second_step_added, dispatch_uid="accounts.second_step_added")


def _address_proven(*, user: User, **_kwargs: Any) -> None:
    """allauth's signal: a set-password link, which was mailed to the address, was used. It is as good a way in as an invitation's own."""
    from accounts import invitations  # noqa: PLC0415 models are not loaded yet when this module is

    invitations.prove(user)
