"""SLA policies, for admins. What tickets were promised before a change stays promised: it is theirs as a snapshot."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import KeptAdmin, PlainFields
from accounts.models import AgentGroup, Organization, User
from tickets.models import Priority, Side, SlaPolicy, SlaStep, SlaTarget, TicketType
from tickets.sla.calendar_admin import HISTORY
from tickets.sla.policies import agreement_of, first_match, mismatch
from tickets.sla.promises import Agreement
from tickets.spans import SpanField, span_words

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.urls import URLPattern
    from django.utils.functional import _StrPromise


class TargetForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    first_response = SpanField(label=gettext_lazy("First response"))
    next_response = SpanField(label=gettext_lazy("Next response"))
    resolution = SpanField(label=gettext_lazy("Resolution"))

    class Meta:
        model = SlaTarget
        fields = ("priority", "first_response", "next_response", "resolution", "in_business_hours")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["priority"].empty_label = _("Any other, or none")  # type: ignore[attr-defined] # a ModelChoiceField

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("first_response", "next_response", "resolution"):
            if cleaned.get(name) == timedelta():
                self.add_error(name, _("Leave it empty where nothing is promised."))
        return cleaned


class KeptFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg] # generic in the stubs alone
    @property
    def kept(self) -> list[dict[str, Any]]:
        """What is said in the rows that are filled in, without those to be deleted."""
        return [form.cleaned_data for form in self.forms if getattr(form, "cleaned_data", None) and not form.cleaned_data.get("DELETE")]


class TargetFormSet(KeptFormSet):
    def clean(self) -> None:
        super().clean()
        if not any(row.get(name) for row in self.kept for name in ("first_response", "next_response", "resolution")) and not any(
            self.errors
        ):
            raise forms.ValidationError(_("This policy promises nothing. Fill in one time at least."))
        priorities = Counter(row.get("priority") for row in self.kept)
        if any(count > 1 for count in priorities.values()):
            raise forms.ValidationError(self.get_unique_error_message(()))

    def get_unique_error_message(self, unique_check: Any) -> str:
        return _("Each priority can have one row only, and “any other” too.")


class TargetInline(PlainFields, admin.TabularInline):  # type: ignore[type-arg] # generic in the stubs alone
    model = SlaTarget
    form = TargetForm
    formset = TargetFormSet
    extra = 1


class StepForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    span = SpanField(
        label=gettext_lazy("How long"), help_text=gettext_lazy("Empty: at the breach."), widget=forms.TextInput(attrs={"size": 8})
    )

    class Meta:
        model = SlaStep
        fields = ("metric", "side", "span", "to_assignee", "people", "groups")

    def clean_span(self) -> timedelta:
        return self.cleaned_data["span"] or timedelta()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("side") == Side.BEFORE and "span" in cleaned and not cleaned["span"]:
            self.add_error("span", _("Say how long before, such as 30m."))
        if not (cleaned.get("to_assignee") or cleaned.get("people") or cleaned.get("groups")):
            self.add_error("to_assignee", _("Say who is told."))
        return cleaned


_MOST_STEPS = 4


class StepFormSet(KeptFormSet):
    def clean(self) -> None:
        super().clean()
        counted = Counter((row.get("metric"), row.get("side")) for row in self.kept)
        if any(count > _MOST_STEPS for count in counted.values()):
            raise forms.ValidationError(_("Up to four warnings and four escalations for each time that is promised."))

    def get_unique_error_message(self, unique_check: Any) -> str:
        return _("There is a step for this moment already. Add the people to that one.")


class StepInline(PlainFields, admin.StackedInline):  # type: ignore[type-arg] # generic in the stubs alone
    model = SlaStep
    form = StepForm
    formset = StepFormSet
    extra = 1
    fields = (("metric", "side", "span", "to_assignee"), ("people", "groups"))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "people":
            kwargs["queryset"] = User.objects.active_staff()
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def _one_of(rows: QuerySet[Any], label: _StrPromise) -> forms.ModelChoiceField:  # type: ignore[type-arg] # generic in the stubs alone
    return forms.ModelChoiceField(rows, required=False, empty_label=gettext_lazy("None"), label=label)


class WhichForm(forms.Form):
    """A ticket that might be."""

    organization = _one_of(Organization.objects.all(), gettext_lazy("Organization"))
    group = _one_of(AgentGroup.objects.all(), gettext_lazy("Group"))
    type = _one_of(TicketType.objects.all(), gettext_lazy("Type"))
    priority = _one_of(Priority.objects.all(), gettext_lazy("Priority"))


@admin.register(SlaPolicy)
class SlaPolicyAdmin(KeptAdmin):
    change_list_template = "admin/tickets/slapolicy/change_list.html"
    inlines = (TargetInline, StepInline)
    list_display = ("name", "position", "organization", "group", "type", "calendar", "is_retired")
    list_editable = ("position",)
    list_select_related = ("organization", "group", "type", "calendar")
    search_fields = ("name",)
    fieldsets = (
        (None, {"description": HISTORY, "fields": ("name", "position", "calendar", "is_retired")}),
        (
            gettext_lazy("For which tickets"),
            {
                "description": gettext_lazy("The first policy by position that matches a ticket counts for it."),
                "fields": ("organization", "group", "type"),
            },
        ),
    )

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        named = forms.NumberInput(attrs={"class": "vIntegerField", "min": 0, "aria-label": _("Position")})
        return super().get_changelist_form(request, widgets={"position": named}, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        return [path("which/", self.admin_site.admin_view(self.which), name="tickets_slapolicy_which"), *super().get_urls()]

    def which(self, request: HttpRequest) -> HttpResponse:
        """Which policy a ticket would have, and when it would be due if it came in now."""
        form = WhichForm(request.GET or None)
        context = {**self.admin_site.each_context(request), "title": _("Which policy would apply?"), "opts": self.opts, "form": form}
        if form.is_valid() or not request.GET:
            chosen = form.cleaned_data if form.is_bound else dict.fromkeys(form.fields)
            context |= _would_apply(**chosen)
        return render(request, "admin/tickets/slapolicy/which.html", context)


def _would_apply(
    organization: Organization | None, group: AgentGroup | None, type: TicketType | None, priority: Priority | None
) -> dict[str, Any]:
    organizations = Organization.objects.filter(pk=organization.pk) if organization else Organization.objects.none()
    policy = first_match(organizations=organizations, group=group, type=type)
    agreement = agreement_of(policy, priority) if policy else None
    now = timezone.now()
    return {
        "is_asked": True,
        "policy": policy,
        "agreement": agreement,
        "now": now,
        "promises": _promises(agreement, now) if agreement else [],
        "others": [
            (other, "" if other == policy else mismatch(other, organization=organization, group=group, type=type) or _("comes later"))
            for other in SlaPolicy.objects.filter(is_retired=False).select_related("organization", "group", "type")
        ],
    }


def _promises(agreement: Agreement, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "label": metric.label,
            "span": span_words(promise.target),
            "hours": agreement.calendar_name if promise.in_business_hours else _("day and night"),
            "due_at": agreement.hours(metric).add(now, promise.target),
        }
        for metric, promise in agreement.promises.items()
    ]
