"""Times in words. The exact moment belongs beside them: use `components/time.html`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

register = template.Library()

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@register.filter
def ago(moment: datetime | None) -> str:
    """Like "just now", "5 min ago", "2 h ago", "3 d ago", then "3 Mar" and, in another year, "3 Mar 2025". Ahead of us: "in 2 h"."""
    return in_words(moment, timezone.now()) if moment else ""


@register.filter
def as_time(moment: datetime | None) -> str:
    """What `components/time.html` shows; by itself where there are many, as in a long list."""
    if not moment:
        return ""
    words, exact = in_words(moment, timezone.now()), date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    return format_html('<time datetime="{0}" title="{1}" aria-label="{2}, {1}">{2}</time>', moment.isoformat(), exact, words)


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
    local = timezone.localtime(moment)
    # Translators: formats of a day, as Django's `date` filter takes them.
    return date_format(local, _("j M") if local.year == timezone.localtime(now).year else _("j M Y"))
