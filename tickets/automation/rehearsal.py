"""What a rule would have done to tickets of the past: their history is gone through, and the rule asked at each moment at which it would have acted.

Reads only. What a ticket had then is told from its history, which keeps names: what has another name today matches nothing. Subject, organizations and
tags are taken as they are now, and so is when it is due. What the rule itself would have changed is not played on.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from time import monotonic
from typing import TYPE_CHECKING, Any

from tickets.automation import deciding
from tickets.lifecycle import FINISHED, Category
from tickets.models import AutomationRule, Event, EventKind, Status, Ticket, When

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SECONDS = 5
_SHOWN = 100
_COLUMNS = ("status", "type", "priority", "area", "group", "assignee")


@dataclass(frozen=True, slots=True)
class Trial:
    """A moment at which the rule would have acted."""

    ticket: Ticket
    at: datetime
    deeds: list[deciding.Deed]  # without those that would have changed nothing


@dataclass(frozen=True, slots=True)
class Rehearsal:
    trials: list[Trial]
    looked_at: int  # tickets
    is_cut: bool  # there may be more: too many to show, or too little time


def rehearse(rule: AutomationRule, tickets: Sequence[Ticket], *, now: datetime) -> Rehearsal:
    """`tickets`: what the person who asks may see, with requester and status joined in, in the order to be told. Takes some seconds at most."""
    end = monotonic() + _SECONDS
    lexicon = deciding.Lexicon()
    facts = {one.ticket.pk: one for one in deciding.facts_of(list(tickets), rule, now=now)}
    events = Event.objects.filter(ticket__in=tickets).select_related("actor", "comment").defer("comment__html", "comment__quoted")
    histories = {
        number: list(of_ticket) for number, of_ticket in groupby(events.order_by("ticket", "id"), key=lambda event: event.ticket_id)
    }
    trials: list[Trial] = []
    for looked_at, ticket in enumerate(tickets):
        if len(trials) >= _SHOWN or monotonic() > end:
            return Rehearsal(trials[:_SHOWN], looked_at, is_cut=True)
        history = _History(ticket, histories.get(ticket.pk, []), lexicon)
        for at, moment in history.moments(rule, now=now):
            then = history.at(at)
            asked = facts[ticket.pk].back_at(moment, then, said=None if rule.is_on_time else history.events[at].comment)
            if then["category"] != Category.SPAM and deciding.matches(rule, asked):
                trials.append(Trial(ticket, moment, deciding.plan(rule, lexicon, asked)))
    return Rehearsal(trials, len(tickets), is_cut=False)


class _History:
    def __init__(self, ticket: Ticket, events: list[Event], lexicon: deciding.Lexicon) -> None:
        self.ticket = ticket
        self.events = events
        self._lexicon = lexicon

    def at(self, index: int) -> dict[str, Any]:
        """What the ticket had just after this event: what the next change of each says was there before, or else what it has now."""
        then = {name: getattr(self.ticket, f"{name}_id") for name in _COLUMNS}
        for event in reversed(self.events[index + 1 :]):
            then |= self._before(event)
        status = self._lexicon.find("status", then["status"])
        return then | {"category": status.category if isinstance(status, Status) else ""}

    def _before(self, event: Event) -> dict[str, Any]:
        data, found = event.data, {}
        if "category" in data and "old" in data:
            found["status"] = self._lexicon.key_of("status", data.get("old", ""))
        elif data.get("status"):  # picked up
            found["status"] = next((key for key, _row in self._new_ones()), None)
        elif (column := _COLUMN_OF.get(EventKind(event.kind))) is not None:
            found[column] = self._lexicon.key_of(column, data.get("old", ""))
        if data.get("type"):
            found["type"] = None  # it was set because there was none
        if event.kind == EventKind.ASSIGNED:
            found["assignee"] = self._lexicon.key_of("assignee", data.get("old", ""))
        return found

    def _new_ones(self) -> Iterator[tuple[Any, Status]]:
        for key, row in self._lexicon.rows("status").items():
            if isinstance(row, Status) and row.category == Category.NEW:
                yield key, row

    # --- When it would have been asked ------------------------------------------------------------------------------------------

    def moments(self, rule: AutomationRule, *, now: datetime) -> Iterator[tuple[int, datetime]]:
        """Each with the last event before it."""
        if not rule.is_on_time:
            yield from ((at, event.at) for at, event in enumerate(self.events) if rule.when in deciding.heard(event))
            return
        times = [event.at for event in self.events]
        for start, end in self._spans(rule.when):
            moment = start + deciding.offset(rule)
            if moment <= now and (end is None or moment < end) and times:
                yield max(0, bisect_right(times, moment) - 1), moment

    def _spans(self, when: str) -> Iterator[tuple[datetime, datetime | None]]:
        """From when until when a time ran; None: until now."""
        if when not in _COUNTS:
            if self.ticket.due_at:
                yield self.ticket.due_at, self.ticket.resolved_at and max(self.ticket.resolved_at, self.ticket.due_at)
            return
        start: datetime | None = None
        for event in self.events:
            begins, ends = _COUNTS[When(when)](event)
            if start and (ends or (begins and when == When.IN_STATUS)):
                yield start, event.at
                start = None
            if begins:
                start = start or event.at
        if start:
            yield start, None


def _moved(event: Event) -> bool:
    return bool(event.data.get("category") or event.data.get("status"))


def _is_customers(event: Event) -> bool:
    return event.actor is not None and not event.actor.is_or_was_staff


def _age(event: Event) -> tuple[bool, bool]:
    """Of these three: whether the time begins with this event, and whether it ends."""
    return event.kind == EventKind.OPENED, event.data.get("category") in FINISHED


def _unanswered(event: Event) -> tuple[bool, bool]:
    says = event.kind in (EventKind.OPENED, EventKind.COMMENTED)
    is_answer = event.kind == EventKind.COMMENTED and event.actor is not None and event.actor.is_or_was_staff
    asks_again = event.kind == EventKind.REOPENED and _is_customers(event)
    return event.kind == EventKind.OPENED or (says and _is_customers(event)) or asks_again, is_answer or event.data.get(
        "category"
    ) in FINISHED


def _in_status(event: Event) -> tuple[bool, bool]:
    return event.kind == EventKind.OPENED or _moved(event), False


_COUNTS = {When.AGE: _age, When.UNANSWERED: _unanswered, When.IN_STATUS: _in_status}
_COLUMN_OF: dict[EventKind, str] = {
    EventKind.TYPE_CHANGED: "type",
    EventKind.PRIORITY_CHANGED: "priority",
    EventKind.AREA_CHANGED: "area",
    EventKind.GROUP_CHANGED: "group",
}
