"""The course of a ticket and the mailboxes, for admins. Tickets, events and mail are not here: they have pages of their own, with rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import resolve
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

import tickets.sla.admin  # noqa: F401 registers its own
from accounts.admin_site import KeptAdmin
from tickets import configuring
from tickets.automation import deciding
from tickets.lifecycle import Category
from tickets.mail.imap import Trouble, try_connection
from tickets.models import ArticleSection, ImapLogin, Mailbox, Priority, ProductArea, Status, TicketType
from tickets.spans import SpanField, span_in_words
from tickets.writing.placeholders import unknown

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrPromise

    from accounts.models import User


class StatusForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    """Each category keeps exactly one default: automatic moves lead there."""

    closes_after = SpanField(
        label=gettext_lazy("Closes by itself after"),
        has_days=True,
        help_text=gettext_lazy("Of the clock on the wall: 2d, 48h. Empty: never."),
    )

    class Meta:
        model = Status
        fields = (
            "name",
            "public_name",
            "category",
            "position",
            "is_default",
            "requires_type",
            "asks_reference",
            "release_comment",
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
        if self.instance.pk and moves:
            self._check_move(cleaned)
        return cleaned

    def _check_move(self, cleaned: dict[str, Any]) -> None:
        """A category can't be left by tickets that may be in no other, nor by more than one transaction should move."""
        count = self.instance.tickets.count()
        if self.instance.tickets.exclude(merged_into=None).exists():
            self.add_error("category", _("Tickets in it were merged into others, and such tickets are closed. Make a new status instead."))
        elif count > configuring.MOST:
            words = _("%(count)s tickets are in it, which is too many to move at once. Make a new status, retire this one, and leave them.")
            self.add_error("category", words % {"count": f"{count:,}"})

    def clean_release_comment(self) -> str:
        return _known_only(self.cleaned_data["release_comment"], Status.PLACEHOLDERS)

    def _get_validation_exclusions(self) -> set[str]:
        """Making this the default takes it from the other, which is no conflict; `clean` says the rest in kinder words."""
        return {*super()._get_validation_exclusions(), "is_default", "closes_after"}  # type: ignore[misc] # Django's own, though not in its stubs


class ListedAdmin(KeptAdmin):
    """What tickets carry one of."""

    named = ""  # as rules call it

    def refusal(self, obj: Any) -> str:
        if rules := self._rules(obj):
            return _("“%(name)s” is named by %(rules)s, so it can't be deleted.") % {"name": obj, "rules": rules}
        return super().refusal(obj)

    def _rules(self, obj: Any) -> str:
        names = deciding.named_by(self.named, obj.pk)
        return ", ".join(_("the rule “%(name)s”") % {"name": name} for name in names)

    def touches(self, obj: Any, changed: list[str]) -> list[str]:
        told = self._touches_tickets(obj, changed)
        if "is_retired" in changed and obj.is_retired and (rules := self._rules(obj)):
            told.append(_("It is named by %(rules)s. Where a rule sets it, the rule fails from now on: change it.") % {"rules": rules})
        return told

    def _touches_tickets(self, obj: Any, changed: list[str]) -> list[str]:
        count = obj.tickets.count()
        if not count:
            return []
        told = {
            "name": _("The new name is shown on %(tickets)s. History keeps the old one.") % _tickets(count),
            "is_retired": _("It stays on %(tickets)s, and is offered for no other.") % _tickets(count)
            if getattr(obj, "is_retired", False)
            else _("It is offered again. It is on %(tickets)s.") % _tickets(count),
        }
        return [told[name] for name in changed if name in told]


def _tickets(count: int) -> dict[str, str]:
    return {"tickets": ngettext("%(count)s ticket", "%(count)s tickets", count) % {"count": f"{count:,}"}}


@admin.register(Status)
class StatusAdmin(ListedAdmin):
    named = "status"
    form = StatusForm
    list_display = (
        "name",
        "category",
        "public_name",
        "is_default",
        "requires_type",
        "asks_reference",
        "pauses_sla",
        "closes",
        "is_retired",
    )
    list_filter = ("category", "is_retired")
    search_fields = ("name", "public_name")

    @admin.display(description=gettext_lazy("closes by itself after"), ordering="closes_after")
    def closes(self, status: Status) -> str | None:
        return span_in_words(status.closes_after) if status.closes_after else None

    def touches(self, obj: Any, changed: list[str]) -> list[str]:
        told = super().touches(obj, changed)
        if "is_default" in changed and obj.is_default:
            before = Status.objects.filter(category=obj.category, is_default=True).exclude(pk=obj.pk).first()
            told += [_("Automatic moves lead here, and no longer to “%(name)s”.") % {"name": before}] if before else []
        if not (count := obj.tickets.count()):
            return told
        more = {
            "category": _(
                "Changing the category moves %(tickets)s to %(category)s: lists, clocks and what customers can do with them follow."
            )
            % {**_tickets(count), "category": obj.get_category_display()},
            "public_name": _("Customers read the new name on %(tickets)s.") % _tickets(count),
            "closes_after": _("The time at which they close stays as it is for %(tickets)s.") % _tickets(count),
            "pauses_sla": _("The clocks of %(tickets)s go on as they are until something happens on the ticket.") % _tickets(count),
        }
        if "requires_type" in changed and obj.requires_type and (without := obj.tickets.filter(type=None).count()):
            told.append(
                _("There are %(tickets)s in it without a type. They stay, and agents are asked for one when they enter it again.")
                % _tickets(without)
            )
        if "asks_reference" in changed and obj.asks_reference and (without := obj.tickets.filter(reference="").count()):
            told.append(_("There are %(tickets)s in it without a reference. They stay, and wait for no release.") % _tickets(without))
        return told + [more[name] for name in changed if name in more]

    def successors(self, obj: Any) -> QuerySet[Status] | None:
        return Status.objects.filter(category=obj.category, is_retired=False).exclude(pk=obj.pk) if obj.is_default else None

    def refusal(self, obj: Any) -> str:
        if obj.is_default:
            return _("Automatic moves lead to “%(name)s”, so it can't be deleted.") % {"name": obj}
        return super().refusal(obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 as Django calls it
        if obj.is_default:
            Status.objects.filter(category=obj.category, is_default=True).exclude(pk=obj.pk).update(is_default=False)
        if change and "category" in form.changed_data:
            configuring.recategorise(obj, actor=cast("User", request.user))
        else:
            super().save_model(request, obj, form, change)


@admin.register(TicketType)
class TicketTypeAdmin(ListedAdmin):
    named = "type"
    list_display = ("name", "description", "position", "is_retired")
    search_fields = ("name", "description")


@admin.register(ArticleSection)
class ArticleSectionAdmin(KeptAdmin):
    """Staff make a section by naming it; its order, and another name, are given here."""

    list_display = ("name", "position")
    search_fields = ("name",)


@admin.register(ProductArea)
class ProductAreaAdmin(ListedAdmin):
    named = "area"
    list_display = ("name", "position", "is_retired")
    search_fields = ("name",)


def _known_only(text: str, known: tuple[str, ...]) -> str:
    if wrong := unknown(text, known):
        names = ", ".join(f"{{{name}}}" for name in known)
        raise forms.ValidationError(_("%(wrong)s can't be filled in. These can: %(known)s.") % {"wrong": ", ".join(wrong), "known": names})
    return text


class PriorityForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    def clean_public_comment(self) -> str:
        return _known_only(self.cleaned_data["public_comment"], Priority.PLACEHOLDERS)


@admin.register(Priority)
class PriorityAdmin(ListedAdmin):
    named = "priority"
    form = PriorityForm
    list_display = ("name", "level", "definition", "is_retired")
    fields = ("name", "level", "definition", "public_comment", "is_retired")  # their level is their position
    search_fields = ("name", "definition")

    def touches(self, obj: Any, changed: list[str]) -> list[str]:
        told = super().touches(obj, changed)
        if not (count := obj.tickets.count()):
            return told
        more = {
            "level": _("The order of %(tickets)s changes.") % _tickets(count),
            "definition": _("The new definition is read on %(tickets)s, by customers who were told the priority too.") % _tickets(count),
        }
        return told + [more[name] for name in changed if name in more]


_SECRETS = ("imap_password", "oauth_client_secret", "oauth_refresh_token")
_ACCOUNT = {"imap_host", "imap_user", "imap_folder"}  # whose UIDs mean something together
_OAUTH = {"imap_login", "oauth_token_url", "oauth_client_id", "oauth_client_secret", "oauth_scope", "oauth_refresh_token"}
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def _secret(label: _StrPromise) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),  # never rendered
        help_text=gettext_lazy("Never shown. Leave it empty to keep the one that is set."),
    )


class MailboxForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    oauth_token_url = forms.URLField(
        label=gettext_lazy("Token address"),
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy("Where a refresh token is exchanged for an access token."),
    )
    import_since = forms.DateTimeField(
        label=gettext_lazy("Import mail since"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        initial=timezone.now,
        help_text=gettext_lazy("Mail that reached the server earlier stays there, untouched."),
    )
    imap_password = _secret(gettext_lazy("Password"))
    oauth_client_secret = _secret(gettext_lazy("Client secret"))
    oauth_refresh_token = _secret(gettext_lazy("Refresh token"))

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
            "imap_login",
            "imap_password",
            "imap_folder",
            "import_since",
            "oauth_token_url",
            "oauth_client_id",
            "oauth_client_secret",
            "oauth_scope",
            "oauth_refresh_token",
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in _SECRETS:
            cleaned[name] = cleaned.get(name) or self.initial.get(name, "")
        if cleaned.get("imap_host") and cleaned.get("imap_login") == ImapLogin.OAUTH2:
            for name in ("oauth_token_url", "oauth_client_id", "oauth_refresh_token"):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, _("OAuth2 needs it."))
        return cleaned

    def clean_oauth_token_url(self) -> str:
        url: str = self.cleaned_data["oauth_token_url"]
        parts = urlsplit(url)
        if url and parts.scheme != "https" and parts.hostname not in _THIS_MACHINE:
            raise ValidationError(_("Write an address that starts with https://, as a secret is sent there."))
        return url

    def clean_imap_port(self) -> int:
        port: int = self.cleaned_data["imap_port"]
        if not 1 <= port <= 65535:
            raise ValidationError(_("A port is a number from 1 to 65535."))
        return port


@admin.register(Mailbox)
class MailboxAdmin(KeptAdmin):
    form = MailboxForm
    change_form_template = "admin/tickets/mailbox/change_form.html"
    instead = gettext_lazy("Switch it off instead.")
    list_display = ("address", "name", "group", "imap_host", "is_active", "polled_at", "error", "failing_since")
    list_filter = ("is_active",)
    list_select_related = ("group",)
    search_fields = ("address", "name")
    readonly_fields = ("polled_at", "error", "failing_since")
    fieldsets = (
        (None, {"fields": ("name", "address", "group", "is_active")}),
        (
            gettext_lazy("Polling by IMAP"),
            {
                "description": gettext_lazy("Leave it empty where mail is delivered to us by SMTP."),
                "fields": (
                    "imap_host",
                    "imap_port",
                    "imap_tls",
                    "imap_user",
                    "imap_login",
                    "imap_password",
                    "imap_folder",
                    "import_since",
                    "polled_at",
                    "error",
                    "failing_since",
                ),
            },
        ),
        (
            gettext_lazy("OAuth2 (Google, Microsoft 365)"),
            {
                "classes": ("collapse",),
                "description": gettext_lazy("Instead of a password. The operations guide says where each of these comes from."),
                "fields": ("oauth_token_url", "oauth_client_id", "oauth_client_secret", "oauth_scope", "oauth_refresh_token"),
            },
        ),
    )

    def save_model(self, request: HttpRequest, obj: Mailbox, form: Any, change: bool) -> None:  # noqa: FBT001 as Django calls it
        """What was kept of another account is worthless for this one."""
        before = Mailbox.objects.filter(pk=obj.pk).values(*_ACCOUNT, *_OAUTH).first() or {}
        changed = {name for name, value in before.items() if getattr(obj, name) != value}
        if changed & _ACCOUNT:
            obj.imap_uid_validity, obj.imap_last_uid = None, 0
        if changed & (_OAUTH | {"imap_user"}):
            obj.oauth_access_token, obj.oauth_expires_at = "", None
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Mailbox, post_url_continue: str | None = None) -> HttpResponse:
        return _back_to(obj) if "_try" in request.POST else super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Mailbox) -> HttpResponse:
        return _back_to(obj) if "_try" in request.POST else super().response_change(request, obj)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The connection is tried after the commit: a server that dawdles must not hold a transaction open."""
        response = super().changeform_view(request, object_id, form_url, extra_context)
        if "_try" in request.POST and isinstance(response, HttpResponseRedirect):
            _try(request, Mailbox.objects.get(pk=resolve(response.url).kwargs["object_id"]))
        return response


def _back_to(mailbox: Mailbox) -> HttpResponse:
    return redirect("admin:tickets_mailbox_change", mailbox.pk)


def _try(request: HttpRequest, mailbox: Mailbox) -> None:
    if not mailbox.imap_host:
        messages.warning(request, _("Saved. Without a host there is nothing to try."))
        return
    try:
        folders = ", ".join(try_connection(mailbox))
    except Trouble as trouble:
        messages.error(request, _("Saved, but the mailbox can't be polled. %(why)s") % {"why": trouble})
    else:
        messages.success(request, _("Saved. The mailbox can be polled. Its folders: %(folders)s.") % {"folders": folders})
