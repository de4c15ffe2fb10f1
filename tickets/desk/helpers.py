"""What the pages of canned replies and of macros have in common: the list, who one is for, and retiring, deleting, keeping. Shapes and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets import access
from tickets.uploads import LineField
from tickets.writing import canned
from tickets.writing.placeholders import unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from accounts.models import User
    from tickets.desk.door import StaffRequest
    from tickets.models.helper import Helper

H = TypeVar("H", bound="Helper")
LISTED = 200  # at once; more are found by their words
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
    if wrong := unknown(text, canned.PLACEHOLDERS):
        known = ", ".join(f"{{{name}}}" for name in canned.PLACEHOLDERS)
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


# --- Their pages ---------------------------------------------------------------------------------------------------------------


def list_page(
    request: StaffRequest, template: str, title: str, *, matching: Callable[[User, str], QuerySet[H]], row: Callable[[H], dict[str, Any]]
) -> HttpResponse:
    """Those in use, or the retired ones. `row`: what the template says of one besides."""
    is_retired, query = "retired" in request.GET, request.GET.get("q", "")[:200]
    found = matching(request.user, query).filter(is_retired=is_retired).select_related("group")[:LISTED]
    rows = [{"helper": helper, "for_whom": for_whom(helper), **row(helper)} for helper in found]
    return render(request, template, {"title": title, "rows": rows, "q": query, "is_retired": is_retired})


def retire(request: StaffRequest, model: type[H], pk: int, *, to: str, stays: str = "") -> HttpResponse:
    """Or takes it back into use. `stays`: what goes on all the same."""
    found = one(request.user, model, pk)
    found.is_retired = "again" not in request.POST
    canned.keep(found, actor=request.user)
    words = _("“%(name)s” is not offered any more.") if found.is_retired else _("“%(name)s” is offered again.")
    said = words % {"name": found}
    messages.success(request, f"{said} {stays}".strip() if found.is_retired else said)
    return redirect(to)


def delete(request: StaffRequest, model: type[H], pk: int, *, to: str, stays: str) -> HttpResponse:
    found = one(request.user, model, pk)
    canned.delete(found, actor=request.user)
    messages.success(request, f"{_('“%(name)s” is deleted.') % {'name': found.name}} {stays}")
    return redirect(to)
