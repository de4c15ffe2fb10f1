"""Where the holidays of a calendar come from: lines that somebody typed, a country's by the `holidays` package, or a file that calendars export (.ics).
Pure: no models, no clock. What can't be read raises ValueError, in words for who typed it.
"""

from __future__ import annotations

import re
from calendar import isleap
from datetime import date, timedelta
from functools import lru_cache

from django.utils.translation import gettext as _

Days = dict[date, str]  # the date, and what it is called

MOST = 2000  # days of one calendar
_NAME = 100  # characters
_LONGEST = 60  # days that one entry of a file may last
_YEARS = 10  # that a yearly entry is repeated


def read_lines(text: str) -> Days:
    """ "2026-12-25 Christmas Day" a line."""
    days: Days = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        written, _space, name = line.partition(" ")
        try:
            days[date.fromisoformat(written)] = name.strip()[:_NAME]
        except ValueError:
            raise ValueError(
                _("“%(line)s” is no holiday. Write each on a line of its own, as 2026-12-25 Christmas Day.") % {"line": line[:80]}
            ) from None
    return _not_too_many(days)


def write_lines(days: Days) -> str:
    return "\n".join(f"{day.isoformat()} {name}".strip() for day, name in sorted(days.items()))


@lru_cache(maxsize=64)
def of_country(code: str, years: range) -> Days:
    """Public holidays of a country ("DE"), or of a part of it ("DE-BE"). Kept, and not to be changed."""
    import holidays  # noqa: PLC0415 a tenth of a second, for who has such a calendar

    country, _dash, part = code.strip().upper().partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        raise ValueError(
            _("No holidays are known for “%(code)s”. Write a country's two letters, such as DE, US or IN.") % {"code": code[:20]}
        )
    if part and part not in known[country]:
        parts = ", ".join(f"{country}-{name}" for name in known[country]) or _("none")
        raise ValueError(
            _("“%(code)s” is not known. The parts of %(country)s are: %(parts)s.") % {"code": code[:20], "country": country, "parts": parts}
        )
    # In one language where it is known, whatever the machine's: admins name the ones on which they work.
    found = holidays.country_holidays(country, subdiv=part or None, years=years, language="en_US")
    return {day: name[:_NAME] for day, name in found.items()}


def read_ics(content: bytes) -> Days:
    """The whole days of an iCalendar file (RFC 5545). What has a time of day is no holiday; what repeats each year does so for ten."""
    text = re.sub(r"\r?\n[ \t]", "", content.decode("utf-8", errors="replace").replace("\0", ""))  # long lines are folded
    if "BEGIN:VCALENDAR" not in text.upper():
        raise ValueError(_("This is no calendar file (.ics)."))
    days: Days = {}
    for begun in re.split(r"^BEGIN:VEVENT[ \t\r]*$", text, flags=re.MULTILINE | re.IGNORECASE)[1:]:
        fields = _fields(re.split(r"^END:VEVENT[ \t\r]*$", begun, maxsplit=1, flags=re.MULTILINE | re.IGNORECASE)[0])
        start, end = _day(fields.get("DTSTART", "")), _day(fields.get("DTEND", ""))
        if start is None:
            continue
        name = re.sub(r"\\([,;\\])", r"\1", fields.get("SUMMARY", "")).replace("\\n", " ").strip()[:_NAME]
        length = min(max((end - start).days, 1), _LONGEST) if end else 1
        for first in _repeated(start, fields.get("RRULE", "")):
            days |= {first + timedelta(days=number): name for number in range(min(length, (date.max - first).days + 1))}
        _not_too_many(days)
    if not days:
        raise ValueError(_("There are no whole days in this file."))
    return days


def _fields(entry: str) -> dict[str, str]:
    """The lines of an entry by their names, without parameters."""
    lines = (line.partition(":") for line in entry.splitlines())
    return {name.partition(";")[0].strip().upper(): value.strip() for name, _colon, value in lines}


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written) if re.fullmatch(r"\d{8}", written) else None
    except ValueError:
        return None


def _repeated(start: date, rule: str) -> list[date]:
    """The date, and where it returns each year the same date in those years."""
    if not re.search(r"\bFREQ=YEARLY\b", rule) or re.search(r"BYDAY|BYSETPOS|BYWEEKNO|BYYEARDAY", rule):
        return [start]
    until = re.search(r"UNTIL=(\d{4})", rule)
    last = min(start.year + _YEARS, int(until[1]) if until else 9999)
    return [start.replace(year=year) for year in range(start.year, last + 1) if (start.month, start.day) != (2, 29) or isleap(year)]


def _not_too_many(days: Days) -> Days:
    if len(days) > MOST:
        raise ValueError(_("That is more than %(most)d holidays.") % {"most": MOST})
    return days
