"""`record` is the only place that creates an Event; `describe` puts one into words."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.models import Comment, Event, EventKind, Ticket
from tickets.sla import clocks
from tickets.sla.promises import Metric
from tickets.spans import span_words

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from accounts.models import User

# Sent on commit: a nudge whose loss costs a minute, never a message. The only custom signal of the project.
event_recorded = Signal()
# Called inside the transaction with each event, which is the last that a verb does; they leave `event.ticket` as the database has it. See `tickets.apps`.
listeners: list[Callable[[Event], None]] = []


def record(
    ticket: Ticket,
    kind: EventKind,
    *,
    actor: User | None,
    comment: Comment | None = None,
    is_internal: bool = False,
    **data: Any,
) -> Event:
    """Adds to the ticket's history and outbox, inside the caller's transaction. `data` keeps names as they are now."""
    if rule := _rule.get():
        data["rule"] = rule
    if undone := _undone.get():
        data["undoes"] = undone
    if kind in _CHANGE_CIRCLES:
        Ticket.objects.filter(pk=ticket.pk).update(is_indexed=False)
    at = timezone.now()
    data |= clocks.follow(ticket, kind, actor=actor, at=at, told=data.get(clocks.KEY))
    event = Event.objects.create(ticket=ticket, kind=kind, actor=actor, comment=comment, is_internal=is_internal, data=data, at=at)
    transaction.on_commit(_nudge)
    for listener in listeners:
        listener(event)
    return event


# Another circle of people may see the ticket, so it is indexed anew. Spam is told by `actions`, whatever event it comes with.
_CHANGE_CIRCLES = {
    EventKind.GROUP_CHANGED,
    EventKind.REQUESTER_CHANGED,
    EventKind.ORGANIZATION_ADDED,
    EventKind.ORGANIZATION_REMOVED,
    EventKind.TOOK_IN,
    EventKind.GAVE_BACK,
}

# What a clock says by itself: it changes nothing that a reply could miss, or that stands in the way of taking something back.
SAID_BY_CLOCKS = (EventKind.SLA_WARNED, EventKind.SLA_BREACHED, EventKind.SLA_ESCALATED)

_rule: ContextVar[str] = ContextVar("_rule", default="")


@contextmanager
def by_rule(name: str) -> Iterator[None]:
    """What is recorded inside was done by a rule of this name: its `data` says so, its actor is None."""
    token = _rule.set(name)
    try:
        yield
    finally:
        _rule.reset(token)


_undone: ContextVar[list[int]] = ContextVar("_undone", default=[])  # noqa: B039 never changed


@contextmanager
def undoing(events: Iterable[int]) -> Iterator[None]:
    """What is recorded inside takes these back. Rules do not hear of it, and nobody is told of it who was not told of them (`notifications.relay`)."""
    token = _undone.set(list(events))
    try:
        yield
    finally:
        _undone.reset(token)


_is_held: ContextVar[bool] = ContextVar("_is_held", default=False)


def _nudge() -> None:
    if not _is_held.get():
        event_recorded.send(sender=Event)


@contextmanager
def one_nudge() -> Iterator[None]:
    """For who records many events one after the other: the nudges inside are one, at the end."""
    token = _is_held.set(True)
    try:
        yield
    finally:
        _is_held.reset(token)
        _nudge()


def describe(event: Event, *, for_staff: bool) -> str:
    """What happened, without who and when: "changed the status from Open to Resolved". Customers read the customers' names of statuses."""
    data = {"old": "", "new": "", **event.data}
    if not for_staff:
        data |= {key.removesuffix("_public"): value for key, value in event.data.items() if key.endswith("_public")}
    new = data["new"]
    kind = EventKind(event.kind)
    words: dict[EventKind, Callable[[], str]] = {  # looked up in the catalogue when it is this one
        EventKind.OPENED: lambda: _("filed the ticket for %(new)s") % data if new else _("opened the ticket"),
        EventKind.COMMENTED: lambda: _("replied and set the status to %(new)s") % data if new else _("replied"),
        EventKind.NOTED: lambda: _("added an internal note"),
        EventKind.STATUS_CHANGED: lambda: _("changed the status from %(old)s to %(new)s") % data,
        EventKind.RECATEGORISED: lambda: (
            _("changed the status %(name)s, which counts as %(counts_as)s now") % {"name": "", "counts_as": "", **data}
        ),
        EventKind.RESOLVED: lambda: _("resolved the ticket"),
        EventKind.CLOSED: lambda: (
            _("closed the ticket")
            if event.actor_id or rule_of(event)
            else _("The ticket was closed because nobody objected to the solution")
        ),
        EventKind.REOPENED: lambda: _("reopened the ticket"),
        EventKind.FIX_CONFIRMED: lambda: _("confirmed that the fix works"),
        EventKind.ASSIGNED: lambda: _("assigned the ticket to %(new)s") % data if new else _("unassigned the ticket"),
        EventKind.GROUP_CHANGED: lambda: _("moved the ticket to the group %(new)s") % data if new else _("removed the group"),
        EventKind.TYPE_CHANGED: lambda: _("set the type to %(new)s") % data if new else _("removed the type"),
        EventKind.AREA_CHANGED: lambda: _("set the product area to %(new)s") % data if new else _("removed the product area"),
        EventKind.PRIORITY_CHANGED: lambda: _("set the priority to %(new)s") % data if new else _("removed the priority"),
        EventKind.FOLLOWER_ADDED: lambda: _("shared the ticket with %(new)s") % data if new else _("follows the ticket"),
        EventKind.FOLLOWER_REMOVED: lambda: _follower_removed(data),
        EventKind.ORGANIZATION_ADDED: lambda: _("shared the ticket with %(new)s") % data,
        EventKind.ORGANIZATION_REMOVED: lambda: _("removed %(old)s from the ticket") % data,
        EventKind.MARKED_SPAM: lambda: _("marked the ticket as spam"),
        EventKind.NOT_SPAM: lambda: _("said that the ticket is not spam"),
        EventKind.STAFF_TOLD: lambda: _told(data),
        EventKind.RULE_FAILED: lambda: _("could not act: %(why)s") % {"why": data.get("why", "")},
        **dict.fromkeys(SAID_BY_CLOCKS, lambda: _said_by_clock(kind, data)),
        EventKind.REQUESTER_CHANGED: lambda: _("made %(new)s the requester") % data,
        EventKind.REFERENCE_CHANGED: lambda: (
            _("set the engineering reference to %(new)s") % data if new else _("removed the engineering reference")
        ),
        EventKind.TAGGED: lambda: ngettext("added the tag %(new)s", "added the tags %(new)s", str(new).count(",") + 1) % data,
        EventKind.UNTAGGED: lambda: _("removed the tag %(old)s") % data,
        EventKind.SNOOZED: lambda: _("snoozed the ticket until %(until)s") % {"until": _moment(data.get("until", ""))},
        EventKind.LINKED: lambda: _("noted that it %(how)s %(new)s") % _relation(data),
        EventKind.UNLINKED: lambda: _("took back that it %(how)s %(new)s") % _relation(data),
        EventKind.MERGED: lambda: _("merged the ticket into %(new)s") % data if new else _("merged the ticket into another one"),
        EventKind.UNMERGED: lambda: _("undid the merge: the ticket goes on by itself"),
        EventKind.TOOK_IN: lambda: _("merged %(new)s into this ticket") % data if new else _("merged another ticket into this one"),
        EventKind.GAVE_BACK: lambda: _("undid the merge of %(new)s") % data if new else _("undid the merge of another ticket"),
        EventKind.SPLIT: lambda: _("split a message off into %(new)s") % data,
        EventKind.WOKEN: lambda: (
            _("woke the ticket") if event.actor_id or rule_of(event) else _("The ticket is back: it was snoozed until now")
        ),
    }
    said = words[kind]()
    if data.get("split_from"):
        said = _("wrote this on ticket #%(number)s, from which it was split off") % {"number": data["split_from"]}
        if for_staff and event.actor:
            said = _("wrote this on ticket #%(number)s; %(who)s split it off") % {
                "number": data["split_from"],
                "who": event.actor.display_name,
            }
    if event.data.get("shared_with"):
        said = _("%(said)s and shared the ticket with %(names)s") % {"said": said, "names": ", ".join(event.data["shared_with"])}
    return _with_what_staff_know(said, event, data) if for_staff else said


def _with_what_staff_know(said: str, event: Event, data: dict[str, Any]) -> str:
    if event.actor_id and data.get("rule"):
        return _("%(said)s (sorted by the rule “%(rule)s”)") % {"said": said, "rule": data["rule"]}
    if data.get("woke"):
        return _("%(said)s, which woke the snoozed ticket") % {"said": said}
    if data.get("undoes") and event.kind != EventKind.UNMERGED:
        return _("%(said)s, by Undo") % {"said": said}
    if data.get("reference"):  # set in the same step
        said = _("%(said)s, with the reference %(reference)s") % {"said": said, "reference": data["reference"]}
    if data.get("type"):  # likewise
        return _("%(said)s, with the type %(type)s") % {"said": said, "type": data["type"]}
    return said


def _relation(data: dict[str, Any]) -> dict[str, Any]:
    words = {
        "related": _("is related to"),
        "blocked_by": _("is blocked by"),
        "blocks": _("blocks"),
        "duplicate_of": _("is a duplicate of"),
        "has_duplicate": _("has the duplicate"),
        "follows_up": _("follows up"),
        "followed_by": _("is followed up by"),
    }
    return {"how": words.get(data.get("how", ""), ""), "new": data["new"] or _("another ticket")}


def _moment(iso: str) -> str:
    """For who reads it, by their clock."""
    return date_format(timezone.localtime(datetime.fromisoformat(iso)), "DATETIME_FORMAT") if iso else ""


@dataclass(frozen=True, slots=True)
class Support:
    """Stands in for staff who never wrote to the customer, as their names are not the customer's to know, and for what a rule did."""

    display_name: str
    initials: str = "S"
    is_or_was_staff: bool = True


def actor_for_customers(event: Event, known: Collection[int]) -> User | Support | None:
    """Who did it, as pages and mails name them to customers. `known`: who wrote what the customer can read on the ticket. None: it came by itself."""
    actor = event.actor
    is_hidden = rule_of(event) or (actor is not None and actor.is_or_was_staff and actor.pk not in known)
    return Support(_("Support")) if is_hidden else actor


def rule_of(event: Event) -> str:
    """The rule that did it by itself, '' for none; staff read its name where a person's would stand. What a rule for mail sorted has an actor."""
    return str(event.data.get("rule", "")) if event.actor_id is None else ""


def _told(data: dict[str, Any]) -> str:
    """Whom, and in which words."""
    told = _("told %(names)s") % {"names": ", ".join(data.get("names", ()))}
    return f"{told}: {data['words']}" if data.get("words") else told


def _said_by_clock(kind: EventKind, data: dict[str, Any]) -> str:
    told = data.get(clocks.KEY)
    metric = Metric(told["metric"]).label if isinstance(told, dict) else ""
    said = {"metric": metric, "span": span_words(timedelta(minutes=abs(data.get("minutes", 0))))}
    if kind == EventKind.SLA_WARNED:
        return _("%(metric)s: %(span)s left") % said
    return _("%(metric)s is overdue") % said if kind == EventKind.SLA_BREACHED else _("%(metric)s is overdue by %(span)s") % said


def _follower_removed(data: dict[str, Any]) -> str:
    if data.get("left"):
        return _("left the ticket")
    return _("removed %(old)s from the ticket") % data if data["old"] else _("no longer follows the ticket")
