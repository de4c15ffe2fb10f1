"""Django's admin as the place where admins configure, and nobody else enters: not staff at large, and not past our own login."""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.utils import unquote
from django.db.models import PROTECT, Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class ConfigurationSite(admin.AdminSite):
    """Who is logged in and no admin is told that there is nothing here. Passwords are asked for and changed on our pages alone, where tries are limited."""

    site_header = site_title = gettext_lazy("Configuration")
    index_title = gettext_lazy("What would you like to configure?")
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, *args: Any, **options: Any) -> None:
        """allauth would show second factors and identity providers here: keys to accounts, which are for nobody to read or write."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        super().register([model for model in models if not model.__module__.startswith("allauth.")], *args, **options)

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


class KeptAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs alone
    """Deleting what is in use is refused in words that say what to do instead."""

    instead: _StrPromise | str = gettext_lazy("Retire it instead: it stays on old tickets and is never offered again.")
    actions = None  # no deleting by the dozen

    def refusal(self, obj: Model) -> str:
        """Why it can't be deleted; '' when it can."""
        return _("“%(name)s” is in use, so it can't be deleted.") % {"name": obj} if is_in_use(obj) else ""

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is not None and (refusal := self.refusal(obj)):
            messages.warning(request, f"{refusal} {self.instead}")
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id]))
        return super().delete_view(request, object_id, extra_context)


def is_in_use(obj: Model) -> bool:
    """Whether something that may not lose it points to it. Asks for one row each, however many there are."""
    return any(
        getattr(relation, "on_delete", None) is PROTECT
        and relation.related_model._base_manager.filter(**{relation.field.name: obj}).exists()
        for relation in obj._meta.related_objects
    )
