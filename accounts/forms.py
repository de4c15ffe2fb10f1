"""The forms of signing up and of one's own addresses; and allauth's, where they ask whose an address is."""

from __future__ import annotations

import re

from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.addresses import normalise_address
from accounts.models import User

_NO_NAME = _("Write your name, so that we know how to address you.")
# What mail programs make a link of. The name greets whoever reads mail at an address that anybody may type.
_LINK = re.compile(r"[/@:<>]|\w\.(?:[a-z]{2,}|[A-Z]{2,})\b")
_NO_ADDRESS = dict.fromkeys(("required", "invalid"), _("Write an email address such as you@example.com."))


class SignUpForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=150,
        error_messages={"required": _NO_NAME},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("Email"), max_length=254, error_messages=_NO_ADDRESS, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if _LINK.search(name):
            raise forms.ValidationError(_NO_NAME)
        return name

    def clean_email(self) -> str:
        return normalise_address(self.cleaned_data["email"])


class AddressForm(forms.Form):
    email = forms.EmailField(
        label=_("Another address"),
        max_length=254,
        error_messages=_NO_ADDRESS,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def clean_email(self) -> str:
        return normalise_address(self.cleaned_data["email"])


class ResetPasswordForm(AllauthResetPasswordForm):  # type: ignore[misc] # allauth ships no types
    def clean_email(self) -> str:
        """By the login or a proven address. An address that somebody only claims leads to nobody."""
        typed: str = self.cleaned_data["email"]
        person = User.objects.by_address(typed)
        self.users = [person] if person and person.is_active else []
        return typed
