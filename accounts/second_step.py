"""The second step of logging in: an app's code, a passkey or a recovery code. allauth's, with what it leaves to us: secrets encrypted at rest,
and each code good for one use, whatever the cache remembers.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm as AllauthAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt, is_mfa_enabled
from allauth.mfa.webauthn.forms import AddWebAuthnForm as AllauthAddWebAuthnForm
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm as AllauthAuthenticateWebAuthnForm
from allauth.mfa.webauthn.forms import LoginWebAuthnForm as AllauthLoginWebAuthnForm
from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm as AllauthReauthenticateWebAuthnForm
from cryptography.fernet import Fernet, MultiFernet
from django import forms
from django.conf import settings
from django.db import transaction
from django.utils.encoding import force_bytes
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from accounts.models import User

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes stand in for these, and are none of their own


def has_second_step(person: User) -> bool:
    return bool(is_mfa_enabled(person, FACTORS))


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth ships no types
    def encrypt(self, text: str) -> str:
        return _vault().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _vault().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return settings.SITE_NAME

    def _get_site_name(self) -> str:
        return settings.SITE_NAME

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return _("Passkey %(number)d") % {"number": count + 1}


def _vault() -> MultiFernet:
    """A copy of the database alone makes no codes. Older keys still open what they closed."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"accounts.second_step" + force_bytes(key)).digest())) for key in keys]
    )


# --- Codes ---------------------------------------------------------------------------------------------------------------------


class _OneUse(forms.Form):
    """Before allauth's form. It remembers used codes in the cache, for half a minute; ours are good for one and a half, and the cache may be gone."""

    authenticator: Authenticator

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc] # of the form beside this
        if self.authenticator.type == Authenticator.Type.TOTP and not _use(self.authenticator, code):
            raise forms.ValidationError(_("This code was used already. Wait for the next one."), code="used")
        return code


@transaction.atomic
def _use(authenticator: Authenticator, code: str) -> bool:
    """Only a newer code than the last one used counts, as RFC 6238 asks; of two uses at the same moment one wins."""
    row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
    secret = decrypt(row.data["secret"])
    newer = [step for step in totp.yield_hotp_counters_from_time() if step > row.data.get("last_step", 0)]
    fitting = [step for step in newer if totp.compare_user_code(actual=code, expected=code_of(secret, step))]
    if not fitting:
        return False
    row.data["last_step"] = authenticator.data["last_step"] = min(fitting)
    row.save(update_fields=["data"])
    return True


def code_of(secret: str, step: int) -> str:
    code: str = totp.format_hotp_value(totp.hotp_value(secret, step))
    return code


class AuthenticateForm(_OneUse, AllauthAuthenticateForm):  # type: ignore[misc]
    pass


class ReauthenticateForm(_OneUse, AllauthReauthenticateForm):  # type: ignore[misc]
    pass


# --- Passkeys ------------------------------------------------------------------------------------------------------------------


class _Tolerant(forms.Form):
    """Before allauth's form: what no browser sends is a wrong passkey, not an error of the program. The library reads CBOR and keys of a stranger's making."""

    def full_clean(self) -> None:
        try:
            super().full_clean()
        except Exception:  # noqa: BLE001 whatever a hostile credential makes the library raise
            self._errors = forms.utils.ErrorDict()
            self.cleaned_data: dict[str, Any] = {}
            self.add_error("credential", _("This passkey could not be read. Try again."))


class AddPasskeyForm(_Tolerant, AllauthAddWebAuthnForm):  # type: ignore[misc]
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("Such as “Laptop” or “Phone”, so that you can tell them apart."),
    )


class AuthenticatePasskeyForm(_Tolerant, AllauthAuthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class LoginPasskeyForm(_Tolerant, AllauthLoginWebAuthnForm):  # type: ignore[misc]
    pass


class ReauthenticatePasskeyForm(_Tolerant, AllauthReauthenticateWebAuthnForm):  # type: ignore[misc]
    pass
