"""Calendars of business hours, for admins: hours and holidays as people write them."""

from __future__ import annotations

import re
from datetime import time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import KeptAdmin
from tickets.models import BusinessCalendar, Holiday, WorkingSpan
from tickets.sla import free_days

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.functional import _StrPromise

HISTORY = gettext_lazy(
    "Changes hold for new tickets, and for older ones when their priority, type, group or organization changes. What has happened, and what tickets were "
    "promised until then, stays as it is."
)
_MAX_FILE = 1_000_000  # bytes


def _these_years() -> range:
    """Of a country's holidays, to look at what is called how."""
    this_year = timezone.localdate().year
    return range(this_year, this_year + 6)


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
        found = re.fullmatch(r"(\d{1,2}[:.]\d{2})\s*[-–—]\s*(\d{1,2}[:.]\d{2})", part)
        try:
            return _time(found[1]), _time(found[2])  # type: ignore[index] # what is no match is no time either
        except (TypeError, ValueError):
            raise forms.ValidationError(
                _("“%(part)s” is no time. Write 09:00–17:00, and several with a comma between.") % {"part": part[:40]}
            ) from None

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return ", ".join(f"{opens:%H:%M}–{'24:00' if closes == time() else format(closes, '%H:%M')}" for opens, closes in value)


def _time(written: str) -> time:
    hour, minute = map(int, re.split("[:.]", written))
    return time() if (hour, minute) == (24, 0) else time(hour, minute)


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
        file.seek(0)  # the question what a change touches has read it already
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
        (None, {"description": HISTORY, "fields": ("name", "zone")}),
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
