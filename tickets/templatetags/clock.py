"""How long until a ticket is due, in a row of a list: in the hours of what it was promised, as the ticket's own page says it."""

from __future__ import annotations

from datetime import timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django import template
from django.utils import timezone

from tickets.sla.clocks import left_of
from tickets.sla.promises import span_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tickets.models import Clock

register = template.Library()

_NEAR = timedelta(hours=1)


@register.inclusion_tag("components/due.html")
def due(clocks: Iterable[Clock]) -> dict[str, Any]:
    """Of those that are open. Nothing where there is none; a word where all are paused or never due."""
    clocks = list(clocks)
    moment, first = min(((clock.due_at, clock) for clock in clocks if clock.due_at), key=itemgetter(0), default=(None, None))
    if first is None:
        return {"moment": None, "is_paused": any(not clock.is_running for clock in clocks)}
    left = left_of(first, timezone.now())
    return {"moment": moment, "is_late": left < timedelta(), "is_near": timedelta() <= left < _NEAR, "words": _coarse(abs(left))}


def _coarse(span: timedelta) -> str:
    """Where it is far away, whole hours."""
    return span_words(span if span < timedelta(hours=10) else timedelta(hours=span // timedelta(hours=1)))
