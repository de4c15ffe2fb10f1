"""People, organizations and groups, for admins. Nobody is deleted here: history keeps its names, so people are switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.password_validation import validate_password
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin_site import KeptAdmin
from accounts.models import AgentGroup, EmailDomain, Membership, Organization, Role, User

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class PersonForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    class Meta:
        model = User
        fields = ("email", "name", "role", "is_active", "time_zone")


class NewPersonForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave it empty: the person then sets one by “Forgot password?” on the login page."),
    )

    class Meta:
        model = User
        fields = ("email", "name", "role")

    def clean_password(self) -> str | None:
        password: str = self.cleaned_data["password"]
        if password:
            validate_password(password, self.instance)
        return password or None

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 as Django calls it
        self.instance.set_password(self.cleaned_data["password"])
        person: User = super().save(commit)
        return person


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg] # generic in the stubs alone
    """To read. Memberships begin and end at the desk, where what one gave is taken back with it."""

    model = Membership
    extra = 0
    fields = readonly_fields = ("user", "organization", "is_active", "is_manager", "awaits_proof")
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "organization")

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class DomainInline(admin.TabularInline):  # type: ignore[type-arg] # generic in the stubs alone
    model = EmailDomain
    extra = 0


@admin.register(User)
class PersonAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs alone
    form = PersonForm
    list_display = ("email", "name", "role", "is_active", "proven_at", "created_at")
    list_filter = ("role", "is_active")
    search_fields = ("email", "name")
    readonly_fields = ("proven_at", "last_login", "created_at")
    inlines = (MembershipInline,)
    actions = None

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 as Django calls it
        return super().get_form(request, obj, change, **kwargs) if obj else NewPersonForm

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("email", "name", "role", "password")})]
        return [
            (None, {"fields": ("email", "name", "role", "is_active", "time_zone")}),
            (_("Since when"), {"fields": self.readonly_fields}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Nobody locks themselves out."""
        return (*self.readonly_fields, "role", "is_active") if obj == request.user else self.readonly_fields

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 as Django calls it
        """Another address has yet to be proven. Sessions, and what was signed for the old address or role, are worthless from now on."""
        if change and "email" in form.changed_data:
            obj.proven_at = None
        if change and not {"email", "role", "is_active"}.isdisjoint(form.changed_data):
            obj.token_generation += 1
        if change and not {"name", "email"}.isdisjoint(form.changed_data):
            obj.is_called_anew()
        super().save_model(request, obj, form, change)
        if change and "role" in form.changed_data and obj.role == Role.CUSTOMER:
            obj.leave_staff()


@admin.register(Organization)
class OrganizationAdmin(KeptAdmin):
    """Its people, and whether it is active, are changed at the desk: see `tickets.membership`."""

    instead = _("Switch it off at the desk instead: then nobody sees anything by it.")
    readonly_fields = ("is_active",)
    list_display = ("name", "delivery_lead", "domain_names", "people", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "domains__domain")
    inlines = (DomainInline, MembershipInline)

    def get_queryset(self, request: HttpRequest) -> Any:
        people = Count("memberships", filter=Q(memberships__is_active=True), distinct=True)
        found = super().get_queryset(request).select_related("delivery_lead")
        return found.prefetch_related("domains").annotate(people_count=people)

    @admin.display(description=_("email domains"))
    def domain_names(self, organization: Organization) -> str:
        return ", ".join(domain.domain for domain in organization.domains.all())

    @admin.display(description=_("people"), ordering="people_count")
    def people(self, organization: Any) -> int:
        count: int = organization.people_count
        return count


class AgentGroupForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    class Meta:
        model = AgentGroup
        fields = ("name", "description", "is_private", "is_default", "is_retired", "members")

    def _get_validation_exclusions(self) -> set[str]:
        """There is one default, and choosing another moves it: that is no conflict."""
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc] # Django's own, though not in its stubs

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.initial.get("is_default") and not cleaned.get("is_default"):
            self.add_error("is_default", _("Tickets with no group come here. Make another group the default first."))
        if cleaned.get("is_default") and cleaned.get("is_retired"):
            self.add_error("is_retired", _("The default group can't be retired. Make another the default first."))
        return cleaned


@admin.register(AgentGroup)
class AgentGroupAdmin(KeptAdmin):
    form = AgentGroupForm
    list_display = ("name", "description", "is_private", "is_default", "is_retired")
    search_fields = ("name", "description")

    def touches(self, obj: Any, changed: list[str]) -> list[str]:
        told = []
        if "is_default" in changed and obj.is_default:
            told.append(str(_("Tickets that come with no group go here from now on.")))
        if not (count := obj.tickets.count()):
            return told
        words = {"tickets": ngettext("%(count)s ticket", "%(count)s tickets", count) % {"count": f"{count:,}"}}
        if "is_private" in changed and obj.is_private:
            told.append(_("Of all staff, its members alone see its %(tickets)s from now on, and whom one is assigned to.") % words)
        elif "is_private" in changed:
            told.append(_("All staff see its %(tickets)s from now on, with their notes.") % words)
        if "is_retired" in changed:
            told.append((_("It keeps %(tickets)s, and is offered for no other.") if obj.is_retired else _("It is offered again.")) % words)
        if "name" in changed:
            told.append(_("The new name is shown on %(tickets)s.") % words)
        return told

    def successors(self, obj: Any) -> QuerySet[AgentGroup] | None:
        return AgentGroup.objects.filter(is_retired=False).exclude(pk=obj.pk) if obj.is_default else None

    def refusal(self, obj: Any) -> str:
        if obj.is_default:
            return _("Tickets with no group come to “%(name)s”, so it can't be deleted.") % {"name": obj}
        return super().refusal(obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 as Django calls it
        if obj.is_default:
            AgentGroup.objects.filter(is_default=True).exclude(pk=obj.pk).update(is_default=False)
        super().save_model(request, obj, form, change)
        if "is_private" in form.changed_data:
            obj.tickets.update(is_indexed=False)  # other staff find them as related from now on
