from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from notifications.models import Level

if TYPE_CHECKING:
    from accounts.models import Membership


class LevelForm(forms.Form):
    level = forms.ChoiceField(
        label=_("Email me"),
        choices=Level.choices,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose how much mail you want.")),
    )

    def __init__(self, *args: Any, memberships: list[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if memberships:
            self.fields["follow_all"] = forms.MultipleChoiceField(
                required=False,
                label=_("Follow everything of my organization"),
                help_text=_("You get mail of each ticket that is shared with it. The organization itself gets none."),
                choices=[(one.organization_id, one.organization.name) for one in memberships],
                initial=[one.organization_id for one in memberships if one.follows_all],
                widget=forms.CheckboxSelectMultiple,
                error_messages={"invalid_choice": _("You don't belong to that organization any more. Choose again.")},
            )
