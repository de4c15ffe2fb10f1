"""How long until a ticket is due, in a row of a list."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.sla.promises import span_words

if TYPE_CHECKING:
    from datetime import datetime

register = template.Library()

_NEAR = timedelta(hours=1)


@register.inclusion_tag("components/due.html")
def due(moment: datetime | None, *, is_paused: bool = False) -> dict[str, Any]:
    """By the clock on the wall, as the calendar's hours are in `moment` already. Nothing where no clock runs, unless one is paused."""
    left = moment - timezone.now() if moment else None
    return {
        "moment": moment,
        "is_paused": is_paused and moment is None,
        "is_late": left is not None and left < timedelta(),
        "is_near": left is not None and timedelta() <= left < _NEAR,
        "words": _days(abs(left)) if left is not None else "",
    }


def _days(span: timedelta) -> str:
    """Coarser where it is far away."""
    if span.days >= 2:
        return _("%(count)dd") % {"count": span.days}
    return span_words(span if span < timedelta(hours=10) else timedelta(hours=span // timedelta(hours=1)))
