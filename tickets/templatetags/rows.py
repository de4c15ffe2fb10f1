"""What the rows of a list of tickets at the desk say. Put together here: a template that looked up each part of fifty rows took longer than the database."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tickets.sla.clocks import left_of
from tickets.spans import span_words
from tickets.templatetags.when import ago, as_time, exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from tickets.models import Clock, Ticket

register = template.Library()

_NOTHING = "–"
_NEAR = timedelta(hours=1)


@register.simple_tag
def rows(tickets: Iterable[Ticket], moment: str = "", more: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Of tickets `with_row`. `moment`: what the last column tells, see `desk/rows.html`; `more`: the names of further columns."""
    moment_of = {"waiting": "waiting_since", "created": "created_at"}.get(moment, "updated_at")
    select, waits = _("Select #%(number)s %(subject)s"), _("The customer waits for us: what was written %(when)s is not answered")
    return [
        {
            "number": str(ticket.number),
            "href": reverse("desk_ticket", args=[ticket.number]),
            "subject": ticket.subject,
            "marked_subject": getattr(ticket, "marked_subject", ticket.subject),
            "passage": getattr(ticket, "passage", None),
            "select": select % {"number": ticket.number, "subject": ticket.subject},
            "waits": waits % {"when": ago(ticket.waiting_since)} if ticket.waiting_since and not ticket.is_spam else "",
            "has_draft": getattr(ticket, "has_draft", False),
            "has_failed_mail": ticket.has_failed_mail,  # type: ignore[attr-defined] # annotated
            "requester": ticket.requester.display_name,
            "organization": ticket.organization_name,  # type: ignore[attr-defined] # annotated
            "priority": _mark(ticket.priority and (ticket.priority.level, ticket.priority.name), get_language()),
            "status": _pill(ticket.status.category, ticket.status.name),
            "group": ticket.group.name if ticket.group else _NOTHING,
            "assignee": ticket.assignee.display_name if ticket.assignee else _NOTHING,
            "due": _due(ticket.open_clocks),  # type: ignore[attr-defined] # prefetched
            "moment": as_time(getattr(ticket, moment_of) or ticket.updated_at),
            "more": [_MORE[name](ticket) for name in more],
        }
        for ticket in tickets
    ]


_MORE: dict[str, Callable[[Ticket], str]] = {
    "type": lambda ticket: ticket.type.name if ticket.type else _NOTHING,
    "tags": lambda ticket: ", ".join(row.tag.name for row in ticket.tagging_rows.all()),
    "area": lambda ticket: ticket.area.name if ticket.area else _NOTHING,
    "channel": lambda ticket: ticket.get_channel_display(),
    "created": lambda ticket: as_time(ticket.created_at),
}


# What few values make, so that the same one is rendered once for all.


@lru_cache(maxsize=200)
def _mark(priority: tuple[int, str] | None, _language: str) -> SafeString:
    named = priority and {"level": priority[0], "name": priority[1]}
    return render_to_string("components/priority_mark.html", {"priority": named})


@lru_cache(maxsize=200)
def _pill(category: str, name: str) -> SafeString:
    return render_to_string("components/status_pill.html", {"status": {"category": category}, "label": name})


def _due(clocks: Collection[Clock]) -> str:
    """How long until the first of the open clocks is due, in the hours of what was promised, as the ticket's own page says it.

    Nothing where there is none; a word where all are paused or never due.
    """
    moment, first = min(((clock.due_at, clock) for clock in clocks if clock.due_at), key=itemgetter(0), default=(None, None))
    if first is None or moment is None:
        is_paused = any(not clock.is_running for clock in clocks)
        return format_html('<span class="due is-paused">{}</span>', _("paused")) if is_paused else ""
    left = left_of(first, timezone.now())
    is_late = left < timedelta() or (first.is_running and moment <= timezone.now())
    return format_html(
        '<time class="due{}" datetime="{}" title="{} {}">{}{}</time>',
        " is-late" if is_late else " is-near" if left < _NEAR else "",
        moment.isoformat(),
        _("overdue since") if is_late else _("due"),
        exactly(moment),
        format_html('<span class="visually-hidden">{} </span><span aria-hidden="true">−</span>', _("overdue by"))
        if left < timedelta()
        else "",
        _coarse(abs(left)) if left or not is_late else _("overdue"),  # due when work ended, and nobody has worked since
    )


def _coarse(span: timedelta) -> str:
    """Where it is far away, whole hours."""
    return span_words(span if span < timedelta(hours=10) else timedelta(hours=span // timedelta(hours=1)))
