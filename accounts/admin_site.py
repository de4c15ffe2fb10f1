"""Django's admin as the place where admins configure, and nobody else enters: not staff at large, and not past our own login."""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import transaction
from django.db.models import PROTECT, Model
from django.forms import CheckboxSelectMultiple
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.utils.functional import _StrPromise


class ConfigurationSite(admin.AdminSite):
    """Who is logged in and no admin is told that there is nothing here. Passwords are asked for and changed on our pages alone, where tries are limited."""

    site_header = site_title = gettext_lazy("Configuration")
    index_title = gettext_lazy("What would you like to configure?")
    enable_nav_sidebar = False
    ours = ("accounts", "tickets", "notifications")

    def register(self, model_or_iterable: Any, *args: Any, **options: Any) -> None:
        """What other packages show of themselves is not for here: allauth's second factors are keys to accounts, and Django's groups grant nothing."""
        models: list[type[Model]] = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        super().register([model for model in models if model._meta.app_label in self.ours], *args, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_admin", False))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 as Django calls it
        inner = super().admin_view(view, cacheable)

        def behind_door(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404
            return inner(request, *args, **kwargs)

        return update_wrapper(behind_door, inner)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.user.is_authenticated and not self.has_permission(request):
            raise Http404
        if request.user.is_authenticated:
            return redirect("admin:index")
        wanted = urlencode({"next": request.GET.get("next") or reverse("admin:index")})
        return redirect(f"{reverse('account_login')}?{wanted}")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_change_password")


class ConfigurationConfig(AdminConfig):
    default = False
    default_site = "accounts.admin_site.ConfigurationSite"


class PlainFields:
    """Fields that work without scripts: without the small buttons that open windows of what a field could name, and with boxes to tick for many."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc] # of whichever admin class it is mixed into
        if isinstance(getattr(field, "widget", None), RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, widget=CheckboxSelectMultiple, **kwargs)  # type: ignore[misc]


class KeptAdmin(PlainFields, admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs alone
    """Deleting what is in use is refused, in words that say what to do instead, and with a button where that is to retire it.

    A change that touches what is there already says so before it is saved.
    """

    instead: _StrPromise | str = gettext_lazy("Retire it instead: it stays on old tickets and is never offered again.")
    actions = None  # no deleting by the dozen

    @property
    def can_retire(self) -> bool:
        return any(field.name == "is_retired" for field in self.opts.get_fields())

    def refusal(self, obj: Model) -> str:
        """Why it can't be deleted; '' when it can."""
        return _("“%(name)s” is in use, so it can't be deleted.") % {"name": obj} if is_in_use(obj) else ""

    def touches(self, obj: Any, changed: list[str]) -> list[str]:
        """What saving `obj`, with these fields changed, does to what is there already: a sentence each. `obj` is as it would be saved."""
        return []

    def successors(self, obj: Any) -> QuerySet[Any] | None:
        """Who may take the place of one that can't just go, as it is a default; None where nobody has to."""
        return None

    # --- Saving ---

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """In two steps where something is touched: the first shows what, with all that was typed in it, to be sent again."""
        if request.method == "POST" and object_id and "_touched" not in request.POST and (told := self._told(request, object_id)):
            sent = [(name, value) for name, values in request.POST.lists() for value in values if name != "csrfmiddlewaretoken"]
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("What this touches"),
                "told": told,
                "sent": sent,
            }
            return TemplateResponse(request, "admin/touches.html", context)
        context = {"can_retire": self.can_retire, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def _told(self, request: HttpRequest, object_id: str) -> list[str]:
        """Nothing for a form that is wrong, which is shown again anyway."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_change_permission(request, obj):
            return []
        form = self.get_form(request, obj, change=True)(request.POST, request.FILES, instance=obj)
        return self.touches(form.instance, form.changed_data) if form.is_valid() else []

    # --- Retiring and deleting ---

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_retire"
        own = [path("<path:object_id>/retire/", self.admin_site.admin_view(self.retire_view), name=name)] if self.can_retire else []
        return [*own, *super().get_urls()]

    def retire_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks, and for who comes after it where it is a default. Retired already: brings it back."""
        obj: Any = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_change_permission(request, obj):
            raise Http404
        successors = None if obj.is_retired else self.successors(obj)
        chosen = request.POST.get("successor", "")
        successor = next((one for one in successors if str(one.pk) == chosen), None) if successors is not None else None
        if request.method == "POST" and (successors is None or successor):
            self._retire(request, obj, successor)
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", obj.pk)
        obj.is_retired = not obj.is_retired
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "title": _("Retire “%(name)s”?") % {"name": obj} if obj.is_retired else _("Bring “%(name)s” back?") % {"name": obj},
            "told": self.touches(obj, ["is_retired"]),
            "successors": successors,
            "is_missing": request.method == "POST",
        }
        return TemplateResponse(request, "admin/retire.html", context)

    @transaction.atomic
    def _retire(self, request: HttpRequest, obj: Any, successor: Any) -> None:
        if successor:
            obj.is_default = False
            obj.save(update_fields=["is_default"])
            successor.is_default = True
            successor.save(update_fields=["is_default"])
        obj.is_retired = not obj.is_retired
        obj.save(update_fields=["is_retired"])
        words = _("“%(name)s” is retired.") if obj.is_retired else _("“%(name)s” is offered again.")
        self.log_change(request, obj, words % {"name": obj})
        messages.success(request, words % {"name": obj})

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is not None and (refusal := self.refusal(obj)):
            messages.warning(request, f"{refusal} {self.instead}")
            can_retire = self.can_retire and not obj.is_retired
            page = "retire" if can_retire else "change"
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=[object_id]))
        return super().delete_view(request, object_id, extra_context)


def is_in_use(obj: Model) -> bool:
    """Whether something that may not lose it points to it. Asks for one row each, however many there are."""
    return any(
        getattr(relation, "on_delete", None) is PROTECT
        and relation.related_model._base_manager.filter(**{relation.field.name: obj}).exists()
        for relation in obj._meta.related_objects
    )
