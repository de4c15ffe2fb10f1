"""Times in words. The exact moment belongs beside them: use `as_time`."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@register.filter
def ago(moment: datetime | None) -> str:
    """Like "just now", "5 min ago", "2 h ago", "3 d ago", then "3 Mar" and, in another year, "3 Mar 2025". Ahead of us: "in 2 h"."""
    return in_words(moment, timezone.now()) if moment else ""


@register.filter
def as_time(moment: datetime | None) -> str:
    """Relative words; the exact time on hover and in the accessible name; kept fresh by site.js. Nothing for None."""
    if not moment:
        return ""
    words = in_words(moment, timezone.now())
    return format_html('<time datetime="{0}" title="{1}" aria-label="{2}, {1}">{2}</time>', moment.isoformat(), exactly(moment), words)


def in_words(moment: datetime, now: datetime) -> str:
    span = abs(now - moment)
    ahead = moment > now
    if span < MINUTE:
        return _("just now")
    if span < HOUR:
        return (_("in %(n)d min") if ahead else _("%(n)d min ago")) % {"n": span // MINUTE}
    if span < 2 * DAY:
        return (_("in %(n)d h") if ahead else _("%(n)d h ago")) % {"n": span // HOUR}
    if span < 7 * DAY:
        return (_("in %(n)d d") if ahead else _("%(n)d d ago")) % {"n": span // DAY}
    is_this_year = timezone.localtime(moment).year == timezone.localtime(now).year
    # Translators: formats of a day, as Django's `date` filter takes them.
    return _formatted(moment, _("j M") if is_this_year else _("j M Y"))


def exactly(moment: datetime) -> str:
    return _formatted(moment, "DATETIME_FORMAT")


def _formatted(moment: datetime, pattern: str) -> str:
    """To the minute."""
    return _in_zone(moment.replace(second=0, microsecond=0), pattern, timezone.get_current_timezone(), get_language())


@lru_cache(maxsize=4000)
def _in_zone(moment: datetime, pattern: str, zone: tzinfo, _language: str) -> str:
    """Kept, as a list shows again and again the moments of the same tickets."""
    return date_format(moment.astimezone(zone), pattern)
