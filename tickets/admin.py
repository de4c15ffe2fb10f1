"""The course of a ticket and the mailboxes, for admins. Tickets, events and mail are not here: they have pages of their own, with rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import KeptAdmin
from tickets.lifecycle import Category
from tickets.models import Mailbox, Priority, Status, TicketType

if TYPE_CHECKING:
    from django.http import HttpRequest


class StatusForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    """Each category keeps exactly one default: automatic moves lead there."""

    class Meta:
        model = Status
        fields = (
            "name",
            "public_name",
            "category",
            "position",
            "is_default",
            "requires_type",
            "closes_after",
            "reopens_on_reply",
            "pauses_sla",
            "is_retired",
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        was_default = "is_default" in self.initial and self.initial["is_default"]
        moves = "category" in cleaned and cleaned["category"] != self.initial.get("category")
        if was_default and (moves or not cleaned.get("is_default")):
            self.add_error("is_default", _("Automatic moves lead here. Make another status of the category the default first."))
        if cleaned.get("is_default") and cleaned.get("is_retired"):
            self.add_error("is_retired", _("The default of a category can't be retired. Make another status the default first."))
        if cleaned.get("closes_after") and cleaned.get("category", self.instance.category) != Category.RESOLVED:
            self.add_error("closes_after", _("Only a resolved ticket closes by itself."))
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        """Making this the default takes it from the other, which is no conflict; `clean` says the rest in kinder words."""
        return {*super()._get_validation_exclusions(), "is_default", "closes_after"}  # type: ignore[misc] # Django's own, though not in its stubs


@admin.register(Status)
class StatusAdmin(KeptAdmin):
    form = StatusForm
    list_display = ("name", "category", "public_name", "is_default", "requires_type", "closes_after", "is_retired")
    list_filter = ("category", "is_retired")
    search_fields = ("name", "public_name")

    def get_readonly_fields(self, request: HttpRequest, obj: Status | None = None) -> Any:
        """Tickets carry the category of their status."""
        return ("category",) if obj and obj.tickets.exists() else ()

    def refusal(self, obj: Any) -> str:
        if obj.is_default:
            return _("Automatic moves lead to “%(name)s”, so it can't be deleted.") % {"name": obj}
        return super().refusal(obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 as Django calls it
        if obj.is_default:
            Status.objects.filter(category=obj.category, is_default=True).exclude(pk=obj.pk).update(is_default=False)
        super().save_model(request, obj, form, change)


@admin.register(TicketType)
class TicketTypeAdmin(KeptAdmin):
    list_display = ("name", "description", "position", "is_retired")
    search_fields = ("name", "description")


@admin.register(Priority)
class PriorityAdmin(KeptAdmin):
    list_display = ("name", "level", "definition", "is_retired")
    search_fields = ("name", "definition")


class MailboxForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    imap_password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),  # never rendered
        help_text=gettext_lazy("Never shown. Leave it empty to keep the one that is set."),
    )

    class Meta:
        model = Mailbox
        fields = (
            "name",
            "address",
            "group",
            "is_active",
            "imap_host",
            "imap_port",
            "imap_tls",
            "imap_user",
            "imap_password",
            "imap_folder",
        )

    def clean_imap_password(self) -> str:
        typed: str = self.cleaned_data["imap_password"]
        return typed or self.initial.get("imap_password", "")

    def clean_imap_port(self) -> int:
        port: int = self.cleaned_data["imap_port"]
        if not 1 <= port <= 65535:
            raise ValidationError(_("A port is a number from 1 to 65535."))
        return port


@admin.register(Mailbox)
class MailboxAdmin(KeptAdmin):
    form = MailboxForm
    instead = gettext_lazy("Switch it off instead.")
    list_display = ("address", "name", "group", "imap_host", "is_active", "polled_at", "error")
    list_filter = ("is_active",)
    list_select_related = ("group",)
    search_fields = ("address", "name")
    readonly_fields = ("polled_at", "error")
    fieldsets = (
        (None, {"fields": ("name", "address", "group", "is_active")}),
        (
            gettext_lazy("Polling by IMAP"),
            {
                "description": gettext_lazy("Leave it empty where mail is delivered to us by SMTP."),
                "fields": ("imap_host", "imap_port", "imap_tls", "imap_user", "imap_password", "imap_folder", "polled_at", "error"),
            },
        ),
    )
