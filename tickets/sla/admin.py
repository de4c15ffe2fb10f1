"""Calendars and SLA policies, for admins. What tickets were promised before a change stays promised: it is theirs as a snapshot."""

from __future__ import annotations

import re
from collections import Counter
from datetime import time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import KeptAdmin, PlainFields
from accounts.models import AgentGroup, Organization, User
from tickets.models import (
    BusinessCalendar,
    Holiday,
    Priority,
    Side,
    SlaPolicy,
    SlaStep,
    SlaTarget,
    TicketType,
    WorkingSpan,
)
from tickets.sla import free_days
from tickets.sla.policies import agreement_of, first_match, mismatch
from tickets.sla.promises import Agreement
from tickets.spans import SpanField, span_words

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest
    from django.urls import URLPattern
    from django.utils.functional import _StrPromise

_HISTORY = gettext_lazy(
    "Changes hold for new tickets, and for older ones when their priority, type, group or organization changes. What has happened, and what tickets were "
    "promised until then, stays as it is."
)
_MAX_FILE = 1_000_000  # bytes


def _these_years() -> range:
    """Of a country's holidays, to look at what is called how."""
    this_year = timezone.localdate().year
    return range(this_year, this_year + 6)


# --- Calendars -----------------------------------------------------------------------------------------------------------------


class HoursField(forms.Field):
    """ "09:00–12:30, 13:30–18:00" as pairs of times."""

    def to_python(self, value: Any) -> list[tuple[time, time]]:
        parts = [part.strip() for part in re.split(r"[,;]", value or "") if part.strip()]
        spans = sorted(map(self._span, parts))
        for (first, closes), (opens, _closes) in pairwise(spans):
            if closes > opens or closes <= first:
                raise forms.ValidationError(_("These hours overlap."))
        return spans

    def _span(self, part: str) -> tuple[time, time]:
        found = re.fullmatch(r"(\d{1,2})[:.](\d{2})\s*[-–—]\s*(\d{1,2})[:.](\d{2})", part)
        try:
            opens, closes = (
                time(int(hour) % 24 if (hour, minute) == ("24", "00") else int(hour), int(minute)) for hour, minute in _pairs(found)
            )
        except (TypeError, ValueError):
            raise forms.ValidationError(
                _("“%(part)s” is no time. Write 09:00–17:00, and several with a comma between.") % {"part": part[:40]}
            ) from None
        return opens, closes

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return ", ".join(f"{opens:%H:%M}–{'24:00' if closes == time() else format(closes, '%H:%M')}" for opens, closes in value)


def _pairs(found: re.Match[str] | None) -> list[tuple[str, str]]:
    if found is None:
        raise ValueError
    first, second, third, fourth = found.groups()
    return [(first, second), (third, fourth)]


def _day(label: _StrPromise) -> HoursField:
    return HoursField(label=label, required=False, widget=forms.TextInput(attrs={"size": 40}))


class CalendarForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), choices=[(name, name) for name in sorted(available_timezones())], initial=settings.TIME_ZONE
    )
    day0 = _day(gettext_lazy("Monday"))
    day1 = _day(gettext_lazy("Tuesday"))
    day2 = _day(gettext_lazy("Wednesday"))
    day3 = _day(gettext_lazy("Thursday"))
    day4 = _day(gettext_lazy("Friday"))
    day5 = _day(gettext_lazy("Saturday"))
    day6 = _day(gettext_lazy("Sunday"))
    days = forms.CharField(
        label=gettext_lazy("Other holidays"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 60}),
        help_text=gettext_lazy("Each on a line of its own: 2026-12-24 Office closed."),
    )
    file = forms.FileField(
        label=gettext_lazy("Add those of a file"),
        required=False,
        help_text=gettext_lazy("A calendar file (.ics): its whole days are added."),
    )

    class Meta:
        model = BusinessCalendar
        fields = ("name", "zone", "country", "worked")
        widgets: ClassVar = {"worked": forms.Textarea(attrs={"rows": 3, "cols": 60})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            spans: dict[int, list[tuple[time, time]]] = {number: [] for number in range(7)}
            for span in self.instance.spans.order_by("opens"):
                spans[span.weekday].append((span.opens, span.closes))
            self.initial.update({f"day{number}": day for number, day in spans.items()})
            self.initial["days"] = free_days.write_lines(dict(self.instance.holidays.values_list("date", "name")))

    def clean_days(self) -> free_days.Days:
        return self._read(lambda: free_days.read_lines(self.cleaned_data["days"]))

    def clean_country(self) -> str:
        code: str = self.cleaned_data["country"].strip()
        if code:
            self._read(lambda: free_days.of_country(code, _these_years()))
        return code.upper()

    def clean_file(self) -> free_days.Days:
        file = self.cleaned_data["file"]
        if not file:
            return {}
        if file.size > _MAX_FILE:
            raise forms.ValidationError(_("This file is too large for a list of holidays."))
        return self._read(lambda: free_days.read_ics(file.read()))

    @staticmethod
    def _read(read: Any) -> free_days.Days:
        try:
            days: free_days.Days = read()
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return days

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not any(cleaned.get(f"day{number}") or f"day{number}" in self.errors for number in range(7)):
            self.add_error("day0", _("Write the hours of one day at least, or nothing is ever due."))
        if cleaned.get("country"):
            self._check_worked(cleaned["worked"], cleaned["country"])
        return cleaned

    def _check_worked(self, text: str, country: str) -> None:
        names = sorted(set(free_days.of_country(country, _these_years()).values()))
        for line in filter(None, map(str.strip, text.splitlines())):
            if not any(name.casefold().startswith(line.casefold()) for name in names):
                told = {"line": line[:80], "country": country, "names": ", ".join(names)}
                self.add_error("worked", _("“%(line)s” is no holiday of %(country)s. These are: %(names)s.") % told)

    def write_days(self) -> None:
        """What the form says of the week and of holidays, in the place of what stood."""
        calendar, said = self.instance, self.cleaned_data
        calendar.spans.all().delete()
        WorkingSpan.objects.bulk_create(
            WorkingSpan(calendar=calendar, weekday=number, opens=opens, closes=closes)
            for number in range(7)
            for opens, closes in said[f"day{number}"]
        )
        calendar.holidays.all().delete()
        days = said["file"] | said["days"]
        Holiday.objects.bulk_create(Holiday(calendar=calendar, date=day, name=name) for day, name in sorted(days.items()))


@admin.register(BusinessCalendar)
class BusinessCalendarAdmin(KeptAdmin):
    form = CalendarForm
    instead = gettext_lazy("Choose another calendar in the SLA policies that use it first.")
    list_display = ("name", "zone", "country")
    readonly_fields = ("coming",)
    search_fields = ("name", "zone")
    fieldsets = (
        (None, {"description": _HISTORY, "fields": ("name", "zone")}),
        (
            gettext_lazy("Hours"),
            {
                "description": gettext_lazy(
                    "Such as 09:00–12:30, 13:30–18:00. A shift may end on the next day: 22:00–06:00. All day is 00:00–24:00. Empty: nobody works."
                ),
                "fields": tuple(f"day{number}" for number in range(7)),
            },
        ),
        (
            gettext_lazy("Holidays"),
            {
                "description": gettext_lazy("On these dates no time counts, whatever the hours say."),
                "fields": ("country", "worked", "days", "file", "coming"),
            },
        ),
    )

    @admin.display(description=gettext_lazy("The next twelve months"))
    def coming(self, calendar: BusinessCalendar) -> str:
        """All that count, so that an admin sees what was understood."""
        if not calendar.pk:
            return _("Shown once the calendar is saved.")
        today = timezone.localdate()
        own = dict(calendar.holidays.values_list("date", "name"))
        days = calendar.public_holidays(range(today.year, today.year + 2)) | own
        lines = [(date_format(day, "D j M Y"), name) for day, name in sorted(days.items()) if today <= day < today + timedelta(days=365)]
        return format_html_join(mark_safe("<br>"), "{} {}", lines) or _("None")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 as Django calls it
        """The fields of weekdays, and of other holidays, are the form's own."""
        return super().get_form(request, obj, change, **{**kwargs, "fields": CalendarForm.Meta.fields})

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 as Django calls it
        super().save_related(request, form, formsets, change)
        form.write_days()


# --- Policies ------------------------------------------------------------------------------------------------------------------


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


class TargetFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg] # generic in the stubs alone
    def clean(self) -> None:
        super().clean()
        rows = [form.cleaned_data for form in self.forms if getattr(form, "cleaned_data", None) and not form.cleaned_data.get("DELETE")]
        if not any(row.get(name) for row in rows for name in ("first_response", "next_response", "resolution")) and not any(self.errors):
            raise forms.ValidationError(_("This policy promises nothing. Fill in one time at least."))
        priorities = Counter(row.get("priority") for row in rows if row)
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


class StepFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg] # generic in the stubs alone
    def clean(self) -> None:
        super().clean()
        rows = [form.cleaned_data for form in self.forms if getattr(form, "cleaned_data", None) and not form.cleaned_data.get("DELETE")]
        counted = Counter((row.get("metric"), row.get("side")) for row in rows if row)
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


class WhichForm(forms.Form):
    """A ticket that might be."""

    organization = forms.ModelChoiceField(
        Organization.objects.all(), required=False, empty_label=gettext_lazy("None"), label=gettext_lazy("Organization")
    )
    group = forms.ModelChoiceField(AgentGroup.objects.all(), required=False, empty_label=gettext_lazy("None"), label=gettext_lazy("Group"))
    type = forms.ModelChoiceField(TicketType.objects.all(), required=False, empty_label=gettext_lazy("None"), label=gettext_lazy("Type"))
    priority = forms.ModelChoiceField(
        Priority.objects.all(), required=False, empty_label=gettext_lazy("None"), label=gettext_lazy("Priority")
    )


@admin.register(SlaPolicy)
class SlaPolicyAdmin(KeptAdmin):
    change_list_template = "admin/tickets/slapolicy/change_list.html"
    inlines = (TargetInline, StepInline)
    list_display = ("name", "position", "organization", "group", "type", "calendar", "is_retired")
    list_editable = ("position",)
    list_select_related = ("organization", "group", "type", "calendar")
    search_fields = ("name",)
    fieldsets = (
        (None, {"description": _HISTORY, "fields": ("name", "position", "calendar", "is_retired")}),
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
