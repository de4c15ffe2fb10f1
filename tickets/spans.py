"""Spans of time as people write and read them, in one notation: "1h 30m", "2d". Pure: no models, no clock."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_WRITTEN = re.compile(
    r"(?:(\d{1,4})\s*w(?:eeks?)?)?\s*(?:(\d{1,4})\s*d(?:ays?)?)?\s*(?:(\d{1,4})\s*h(?:ours?)?)?\s*(?:(\d{1,4})\s*m(?:in(?:utes?)?)?)?",
    re.ASCII | re.IGNORECASE,
)


def read_span(text: str) -> timedelta | None:
    """ "1h 30m", "2d", "3w"; None for what is none."""
    found = _WRITTEN.fullmatch(text)
    if not text or not found:
        return None
    weeks, days, hours, minutes = (int(number or 0) for number in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)


def write_span(span: timedelta, *, has_days: bool) -> str:
    """As `read_span` reads it in every language; no time is ''."""
    hours, minutes = divmod(span // timedelta(minutes=1), 60)
    days, hours = divmod(hours, 24) if has_days else (0, hours)
    return " ".join(f"{number}{unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "m")) if number)


def span_words(span: timedelta) -> str:
    """ "1h 30m", to the minute; what is shorter is "<1m". Days are not said, as a day of work has other hours than a day."""
    minutes = span // timedelta(minutes=1)
    hours, minutes = divmod(minutes, 60)
    if not hours and not minutes:
        return _("<1m") if span else _("0m")
    parts = [_("%(count)dh") % {"count": hours}] if hours else []
    parts += [_("%(count)dm") % {"count": minutes}] if minutes else []
    return " ".join(parts)


def span_in_words(span: timedelta) -> str:
    """ "2 days", of the clock on the wall."""
    number, unit = units_of(span)
    words = {
        "days": ngettext("%(n)s day", "%(n)s days", number),
        "hours": ngettext("%(n)s hour", "%(n)s hours", number),
        "minutes": ngettext("%(n)s minute", "%(n)s minutes", number),
    }
    return words[unit] % {"n": number}


def units_of(span: timedelta) -> tuple[int, str]:
    """In the largest unit that divides it."""
    minutes = int(span.total_seconds() // 60)
    for unit, size in (("days", 1440), ("hours", 60)):
        if minutes and minutes % size == 0:
            return minutes // size, unit
    return minutes, "minutes"


class SpanField(forms.Field):
    """`has_days`: of the clock on the wall. Business hours have none, as a day of work has other hours than a day."""

    def __init__(self, *, has_days: bool = False, **kwargs: Any) -> None:
        example = "2d" if has_days else "8h"
        super().__init__(**{"required": False, "widget": forms.TextInput(attrs={"size": 8, "placeholder": example}), **kwargs})
        self.has_days = has_days

    def to_python(self, value: Any) -> timedelta | None:
        text = (value or "").strip()
        if not text:
            return None
        span = read_span(text)
        if span is None:
            examples = _("2d, 48h or 1d 12h") if self.has_days else _("8h, 30m or 1h 30m")
            raise forms.ValidationError(
                _("“%(text)s” is no time. Write it such as %(examples)s.") % {"text": text[:40], "examples": examples}
            )
        if not self.has_days and re.search("[dw]", text, re.IGNORECASE):
            raise forms.ValidationError(_("A day of work has other hours than a day: write hours, such as 16h."))
        return span

    def prepare_value(self, value: Any) -> Any:
        return write_span(value, has_days=self.has_days) if isinstance(value, timedelta) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "") != (data or "").strip()
