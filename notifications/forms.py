from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from notifications.models import Level


class LevelForm(forms.Form):
    level = forms.ChoiceField(
        label=_("Email me"),
        choices=Level.choices,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose how much mail you want.")),
    )
