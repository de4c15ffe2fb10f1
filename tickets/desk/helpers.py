"""What the pages of canned replies and of macros have in common: the list, who one is for, and retiring, deleting, keeping. Shapes and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets import access
from tickets.uploads import LineField
from tickets.writing.canned import PLACEHOLDERS
from tickets.writing.placeholders import unknown

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models.helper import Helper

H = TypeVar("H", bound="Helper")
EVERYBODY, ME, GROUP = "everybody", "me", "group-"


class HelperForm(forms.Form):
    """Its name, and whom it is for: everybody at the desk, one of one's groups, oneself."""

    name = LineField(limit=80, label=gettext_lazy("Name"), help_text=gettext_lazy("You find it by these words."))
    share = forms.ChoiceField(label=gettext_lazy("For whom"))

    def __init__(self, data: Any, *, user: User, instance: Helper, initial: dict[str, Any] | None = None) -> None:
        kept = {"name": instance.name, "share": _share_of(instance)} if instance.pk else {"share": EVERYBODY}
        super().__init__(data, initial={**kept, **(initial or {})})
        self.user, self.instance = user, instance
        self.groups = {f"{GROUP}{group.pk}": group for group in user.agent_groups.all()}
        groups = [(key, _("The group %(group)s") % {"group": group}) for key, group in self.groups.items()]
        self.fields["share"].choices = [(EVERYBODY, _("Everybody at the desk")), *groups, (ME, _("Only me"))]  # type: ignore[attr-defined]

    def apply(self) -> None:
        """Of a valid form, to the helper."""
        self.instance.name = self.cleaned_data["name"]
        self.share_it()

    def share_it(self) -> None:
        share = self.cleaned_data["share"]
        self.instance.owner = self.user if share == ME else None
        self.instance.group = self.groups.get(share)


def _share_of(helper: Helper) -> str:
    return ME if helper.owner_id else f"{GROUP}{helper.group_id}" if helper.group_id else EVERYBODY


def check_placeholders(text: str) -> str:
    """Raises ValidationError for what would never be filled in."""
    if wrong := unknown(text, PLACEHOLDERS):
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise forms.ValidationError(_("%(wrong)s can't be filled in. These can: %(known)s.") % {"wrong": ", ".join(wrong), "known": known})
    return text


def for_whom(helper: Helper) -> str:
    """In words."""
    if helper.owner_id:
        return _("only you")
    return str(helper.group) if helper.group else _("everybody")


def one(user: User, model: type[H], pk: int) -> H:
    """Raises Http404 alike for somebody else's and missing."""
    found = access.helpers_for(user, model).select_related("group", "owner").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
