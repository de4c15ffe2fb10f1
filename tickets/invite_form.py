"""Whom to invite, in the portal and at the desk. Shapes and checks; `accounts.invitations` decides."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from accounts.models import Inviters
from tickets.uploads import LineField


class InviteForm(forms.Form):
    address = forms.EmailField(
        label=gettext_lazy("Email"),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "maxlength": 254}),
        error_messages=dict.fromkeys(("required", "invalid"), gettext_lazy("Write an email address such as name@example.com.")),
    )
    name = LineField(
        limit=150,
        required=False,
        label=gettext_lazy("Name (may stay empty)"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 150}),
    )


class InvitersForm(forms.Form):
    """For a manager of an organization."""

    who = forms.ChoiceField(
        label=gettext_lazy("Members may invite"),
        choices=Inviters.choices,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose whom members may invite.")),
    )

    def offering(self, choices: list[Inviters]) -> InvitersForm:
        self.fields["who"].choices = [(one.value, one.label) for one in choices]  # type: ignore[attr-defined]
        return self
