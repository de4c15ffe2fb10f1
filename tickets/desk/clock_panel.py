"""The SLA of a ticket as its page shows it: what is left of each promise, and the story of how that came. Reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from tickets.events import describe
from tickets.models import Clock, Event, EventKind, SlaSnapshot, Ticket
from tickets.sla import clocks
from tickets.sla.promises import ClockState, Metric
from tickets.spans import span_words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened to a clock."""

    at: datetime
    words: str
    who: str = ""
    why: str = ""


@dataclass(slots=True)
class Dial:
    """One promise. Spans are in its hours."""

    label: str
    words: str  # how it stands
    tone: str  # late, near, paused, met, or ''
    promise: str
    due_at: datetime | None  # while it runs, or when it was missed
    met_at: datetime | None
    is_over: bool
    in_business_hours: bool
    used: int  # seconds of `whole`, no more than that
    whole: int
    story: list[Line] = field(default_factory=list)


_NEAR = 4  # the last quarter


def dials(ticket: Ticket, events: Sequence[Event], *, now: datetime) -> list[Dial]:
    """`events`: all of the ticket's, oldest first, with their actors. One query, two where it was promised
    something else before, none for a ticket that was promised nothing.
    """
    own = [event for event in events if event.ticket_id == ticket.pk and clocks.KEY in event.data]
    if not own:
        return []
    stand = list(ticket.clocks.order_by("round"))
    shown: dict[str, Clock] = {clock.metric: clock for clock in stand}  # the last round
    told = _stories(ticket, own, promised=[clock.snapshot for clock in stand], now=now)
    return [_dial(shown[metric], told[metric], now=now) for metric in Metric if metric in shown]


def _dial(clock: Clock, story: list[Line], *, now: datetime) -> Dial:
    spent = clocks.spent_by(clock, now)
    words, tone = _standing(clock, clock.target - spent)
    return Dial(
        label=str(Metric(clock.metric).label),
        words=words,
        tone=tone,
        promise=_promise(clock),
        due_at=clock.breached_at or clock.due_at,
        met_at=clock.ended_at if clock.state == ClockState.MET else None,
        is_over=clock.breached_at is not None or spent > clock.target or _is_due(clock, clock.target - spent),
        in_business_hours=clocks.promise_of(clock).in_business_hours,
        used=min(_seconds(spent), _seconds(clock.target)),
        whole=_seconds(clock.target),
        story=story,
    )


def _promise(clock: Clock) -> str:
    agreement = clock.snapshot.agreement
    hours = _("%(span)s of business hours (%(calendar)s)") if clocks.promise_of(clock).in_business_hours else _("%(span)s, day and night")
    said = hours % {"span": span_words(clock.target), "calendar": agreement.calendar_name}
    return " · ".join(part for part in (said, agreement.policy, agreement.priority) if part)


def _standing(clock: Clock, left: timedelta) -> tuple[str, str]:
    span = {"span": span_words(abs(left))}
    is_late = left.total_seconds() < 0 or clock.breached_at is not None or _is_due(clock, left)
    if clock.state == ClockState.PAUSED:
        return (_paused_late(left), "late") if is_late else (_("Paused, %(span)s left") % span, "paused")
    if clock.state == ClockState.MET:
        return (_missed(left), "late") if is_late else (_("Met, %(span)s to spare") % span, "met")
    if clock.state == ClockState.DROPPED:
        return _("%(missed)s, no longer needed") % {"missed": _missed(left)} if is_late else _("No longer needed"), ""
    if is_late:
        return _("Overdue by %(span)s") % span if left else _("Overdue"), "late"
    return _("%(span)s left") % span, "near" if left * _NEAR < clock.target else ""


# No time of work goes by from when it was over, at the end of a day, until work resumes: then it is late by nothing that could be said.


def _missed(left: timedelta) -> str:
    return _("Missed by %(span)s") % {"span": span_words(abs(left))} if left else _("Missed")


def _paused_late(left: timedelta) -> str:
    return _("Paused, overdue by %(span)s") % {"span": span_words(abs(left))} if left else _("Paused, overdue")


def _is_due(clock: Clock, left: timedelta) -> bool:
    """Nothing is left, and it was not done in that second: nor has a second of work gone by since, where work ended then."""
    return clock.is_running and not left


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


# --- Story ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Was:
    """What of a clock its story tells the changes of."""

    state: str
    target: timedelta
    breached_at: datetime | None


def _stories(ticket: Ticket, events: Sequence[Event], *, promised: Collection[SlaSnapshot], now: datetime) -> dict[str, list[Line]]:
    """By metric, oldest first; what several rounds of next responses went through stands together."""
    stories: dict[str, list[Line]] = {metric: [] for metric in Metric}
    known: dict[tuple[str, int], _Was] = {}
    last: list[Clock] = []
    for event, last in clocks.replay(ticket, events, known=promised):
        for clock in last:
            key, is_ = (clock.metric, clock.round), _Was(clock.state, clock.target, clock.breached_at)
            stories[clock.metric] += _lines(clock, known.get(key), is_, event)
            known[key] = is_
    for clock in last:
        if clock.due_at and clock.due_at <= now and not clock.breached_at:  # no sweep has come by
            stories[clock.metric].append(Line(clock.due_at, _("Time was over")))
    return {metric: sorted(lines, key=lambda line: line.at) for metric, lines in stories.items()}


def _lines(clock: Clock, was: _Was | None, is_: _Was, event: Event) -> list[Line]:
    lines = []
    if is_.breached_at and (was is None or was.breached_at != is_.breached_at):
        lines.append(Line(is_.breached_at, _("Time was over")))
    told = event.data[clocks.KEY]
    if isinstance(told, dict):
        if (told["metric"], told["round"]) == (clock.metric, clock.round) and event.kind != EventKind.SLA_BREACHED:
            lines.append(Line(event.at, describe(event, for_staff=True)))
        return lines
    if words := _change(clock, was, is_):
        who = event.actor.display_name if event.actor else ""
        lines.append(Line(event.at, words, who=who, why=describe(event, for_staff=True)))
    return lines


def _change(clock: Clock, was: _Was | None, is_: _Was) -> str:
    left = {"span": span_words(abs(clock.left))}
    if was is None:
        return _("Began, %(span)s to go") % left if is_.state == ClockState.RUNNING else _("Began, paused")
    parts = []
    if is_.target != was.target:
        parts.append(_("Another promise: %(span)s in all") % {"span": span_words(is_.target)})
    if is_.state != was.state:
        parts.append(_moved(clock, is_.state))
    return ". ".join(parts)


def _moved(clock: Clock, state: str) -> str:
    left = clock.left
    span = {"span": span_words(abs(left))}
    if clock.breached_at is None:
        words = {
            ClockState.RUNNING: _("Ran on, %(span)s left"),
            ClockState.PAUSED: _("Paused with %(span)s left"),
            ClockState.MET: _("Done, with %(span)s to spare"),
        }
    else:
        words = {
            ClockState.RUNNING: _("Ran on, overdue by %(span)s") if left else _("Ran on, overdue"),
            ClockState.PAUSED: _paused_late(left),
            ClockState.MET: _("Done, %(span)s late") if left else _("Done late"),
        }
    return words.get(ClockState(state), _("No longer needed")) % span
