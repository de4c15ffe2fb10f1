"""A ticket's clocks follow its events: `events.record` calls `follow`, so no verb can forget them. They know what is due; `tickets.sla.escalation` acts.

Where each clock should stand follows from a few facts about the ticket as an event leaves it: which promises it has, whether the customer waits, whether
it is paused, finished or void. The event keeps those facts wherever they moved a clock, so the clocks can be made of the events again (`replay`),
for the story on the ticket's page and to check that nothing was lost. The clocks' own rows hold all else, and nothing here reads the time of day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from tickets.lifecycle import Category
from tickets.models import Clock, Event, EventKind, SlaSnapshot, Ticket
from tickets.sla.policies import snapshot_for
from tickets.sla.promises import ClockState, Metric

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from accounts.models import User
    from tickets.sla.promises import Promise, Step
    from tickets.sla.worktime import Calendar

KEY = "sla"  # in an event's data: a list of facts, or, of what a sweep did, which clock has told how much

# What may change an organization, and with it the policy, without a trace on the ticket's own row.
_REMATCH = (
    EventKind.OPENED,
    EventKind.REQUESTER_CHANGED,
    EventKind.ORGANIZATION_ADDED,
    EventKind.ORGANIZATION_REMOVED,
    EventKind.TOOK_IN,
    EventKind.GAVE_BACK,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """About a ticket as an event left it, and about the event."""

    snapshot: SlaSnapshot | None
    flags: frozenset[str]
    asked_at: datetime | None = None  # of an answer that what was asked since passed: when that was

    def __contains__(self, flag: str) -> bool:
        return flag in self.flags

    @property
    def is_running(self) -> ClockState:
        return ClockState.PAUSED if "paused" in self else ClockState.RUNNING

    def as_data(self) -> list[int | str | None]:
        passed = [self.asked_at.isoformat()] if self.asked_at else []
        return [self.snapshot.pk if self.snapshot else None, *sorted(self.flags), *passed]

    @classmethod
    def of(cls, kept: list[Any], snapshots: dict[int, SlaSnapshot]) -> Facts:
        """As an event keeps them."""
        pk, *flags = kept
        passed = datetime.fromisoformat(flags.pop()) if flags and flags[-1][:1].isdigit() else None
        return cls(snapshots.get(pk), frozenset(flags), passed)


def follow(ticket: Ticket, kind: EventKind, *, actor: User | None, at: datetime, told: dict[str, Any] | None = None) -> dict[str, Any]:
    """Moves the clocks of a ticket, whose row the caller has locked and saved, as an event of this kind does. Answers what the event has to remember."""
    rematches = kind in _REMATCH or ticket.locked_with not in (None, ticket.sla_key)
    if ticket.sla_id is None and not rematches:
        return {}
    snapshot = snapshot_for(ticket) if rematches else ticket.sla
    clocks = list(ticket.clocks.all())
    if told:
        for clock in tell(clocks, told):
            clock.save(update_fields=["told", "breached_at", "next_at"])
        return {}
    touched, said = turn(ticket, clocks, snapshot, kind, actor=actor, at=at)
    for clock in touched:
        clock.save()
    if said:
        Ticket.objects.filter(pk=ticket.pk).update(sla=snapshot, due_at=ticket.due_at)
    return said


def turn(
    ticket: Ticket, clocks: list[Clock], snapshot: SlaSnapshot | None, kind: EventKind, *, actor: User | None, at: datetime
) -> tuple[list[Clock], dict[str, Any]]:
    """What an event does to a ticket's clocks and to the ticket, none of it saved: the clocks that it touched, and what it has to remember."""
    flags = _flags(ticket, kind, actor)
    facts = Facts(snapshot, flags, _asked_at(ticket, clocks) if "reply" in flags else None)
    touched = advance(ticket, clocks, facts, at)
    if not touched and ticket.sla_id == (snapshot.pk if snapshot else None):
        return [], {}
    ticket.sla, ticket.due_at = snapshot, earliest(clocks)
    return touched, {KEY: facts.as_data()}


def _flags(ticket: Ticket, kind: EventKind, actor: User | None) -> frozenset[str]:
    by_staff = actor is not None and actor.is_staff
    by_customer = actor is not None and not by_staff
    flags = {
        "void": ticket.is_spam or ticket.merged_into_id is not None,  # nothing is promised to it
        "finished": ticket.is_finished,
        "paused": ticket.status.pauses_sla and ticket.category not in (Category.RESOLVED, Category.CLOSED, Category.SPAM),
        "waiting": ticket.waiting_since is not None,
        "answered": ticket.first_response_at is not None,
        "reply": kind == EventKind.COMMENTED and by_staff,  # an answer, though it may finish the ticket as well
        "asked": kind in (EventKind.COMMENTED, EventKind.REOPENED) and by_customer,  # a new wait, not one that comes back
    }
    return frozenset(flag for flag, holds in flags.items() if holds)


def _asked_at(ticket: Ticket, clocks: list[Clock]) -> datetime | None:
    """When what the customer waits for after an answer was asked, unless a round counts from it already: then the answer was to nothing of theirs."""
    counted = any(
        clock.metric == Metric.NEXT and clock.is_open and ticket.waiting_since and clock.started_at >= ticket.waiting_since
        for clock in clocks
    )
    return None if counted else ticket.waiting_since


def earliest(clocks: Iterable[Clock]) -> datetime | None:
    return min((clock.due_at for clock in clocks if clock.due_at), default=None)


# --- Turning -------------------------------------------------------------------------------------------------------------------


def advance(ticket: Ticket, clocks: list[Clock], facts: Facts, at: datetime) -> list[Clock]:
    """Turns each clock to where it should stand, and adds those that begin. Answers those it touched. Time never runs back, whatever a machine says."""
    at = max([at, *(_last_moment(clock) for clock in clocks)])
    touched = []
    for metric in Metric:
        clock = max((clock for clock in clocks if clock.metric == metric), key=lambda clock: clock.round, default=None)
        goal = _goal(metric, facts)
        begins_at = at
        if metric == Metric.NEXT and facts.asked_at:
            begins_at = min(facts.asked_at, at)
            if clock and clock.is_open:  # what was asked before is answered
                _turn(clock, ClockState.MET, at)
                touched.append(clock)
        if goal in (ClockState.MET, ClockState.DROPPED):
            if clock and clock.is_open:
                _turn(clock, goal, at)
                touched.append(clock)
            continue
        assert facts.snapshot is not None  # noqa: S101 for the type checker: what is not promised is dropped
        if clock is None or _begins_anew(clock, facts):
            clock = _begin(ticket, metric, clock.round + 1 if clock else 1, facts.snapshot, begins_at)
            clocks.append(clock)
            _turn(clock, goal, begins_at)
            touched.append(clock)
        elif clock.state != goal or clock.snapshot_id != facts.snapshot.pk:
            _turn(clock, goal, at, facts.snapshot)
            touched.append(clock)
    return touched


def _last_moment(clock: Clock) -> datetime:
    ran_until = datetime.fromisoformat(clock.runs[-1][1]) if clock.runs else clock.started_at
    return clock.since or clock.ended_at or ran_until


def _goal(metric: Metric, facts: Facts) -> ClockState:
    """Where a clock of that metric should stand; one that has ended, or never began, stays so where this says met or dropped."""
    if "void" in facts or facts.snapshot is None or metric not in facts.snapshot.agreement.promises:
        return ClockState.DROPPED
    if metric == Metric.RESOLUTION:
        return ClockState.MET if "finished" in facts else facts.is_running
    if metric == Metric.FIRST and "answered" in facts:
        return ClockState.MET
    if metric == Metric.NEXT and not ("waiting" in facts and "answered" in facts):
        return ClockState.MET if "reply" in facts else ClockState.DROPPED  # else it was put aside, or came by a merge that was undone
    return ClockState.DROPPED if "finished" in facts else facts.is_running


def _begins_anew(clock: Clock, facts: Facts) -> bool:
    """Whether this wait for a next response is another one. What was taken back goes on where it was."""
    return clock.metric == Metric.NEXT and (clock.state == ClockState.MET or (clock.state == ClockState.DROPPED and "asked" in facts))


def _begin(ticket: Ticket, metric: Metric, number: int, snapshot: SlaSnapshot, at: datetime) -> Clock:
    target = snapshot.agreement.promises[metric].target
    return Clock(ticket=ticket, metric=metric, round=number, snapshot=snapshot, target=target, started_at=at, state=ClockState.PAUSED)


def _turn(clock: Clock, goal: ClockState, at: datetime, snapshot: SlaSnapshot | None = None) -> None:
    """Ends what it has run, changes the promise where there is another, and lets it run again if it should."""
    _stop(clock, at)
    if snapshot and snapshot.pk != clock.snapshot_id:
        _change_promise(clock, snapshot, at)
    clock.state = goal
    clock.ended_at = None if clock.is_open else at
    if clock.is_running:
        clock.since = at
        clock.due_at = clock.breached_at or hours_of(clock).add(at, max(clock.left, timedelta()))
        clock.next_at = _next(clock)


def _stop(clock: Clock, at: datetime) -> None:
    if clock.since is None:
        return
    if clock.due_at and clock.due_at < at:
        clock.breached_at = clock.breached_at or clock.due_at
    if clock.since < at:
        clock.runs = [*clock.runs, [clock.since.isoformat(), at.isoformat()]]
        clock.spent += hours_of(clock).between(clock.since, at)
    clock.since = clock.due_at = clock.next_at = None


def _change_promise(clock: Clock, snapshot: SlaSnapshot, at: datetime) -> None:
    """The new numbers hold from the beginning. What is over by them is so from this moment, not earlier; what is not is not missed any more."""
    told_until = promise_of(clock).steps[clock.told - 1].offset if clock.told else None
    was = (hours_of(clock), clock.target)
    clock.snapshot = snapshot
    clock.target = promise_of(clock).target
    if (hours_of(clock), clock.target) != was:
        moments = [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in clock.runs]
        clock.spent = sum((hours_of(clock).between(start, end) for start, end in moments), timedelta())
        if clock.left >= timedelta():
            clock.breached_at = told_until = None
        else:
            clock.breached_at = clock.breached_at or at
    steps = promise_of(clock).steps
    clock.told = sum(told_until is not None and step.offset <= told_until for step in steps)


def _next(clock: Clock) -> datetime | None:
    """When the next of its steps is due."""
    steps = promise_of(clock).steps
    if clock.since is None or clock.told >= len(steps):
        return None
    return moment_of(clock, steps[clock.told])


def moment_of(clock: Clock, step: Step) -> datetime | None:
    """When a running clock comes to that step, or this run began, if it was past it."""
    return hours_of(clock).add(clock.since, max(clock.left + step.offset, timedelta())) if clock.since else None


def promise_of(clock: Clock) -> Promise:
    return clock.snapshot.agreement.promises[Metric(clock.metric)]


def hours_of(clock: Clock) -> Calendar:
    return clock.snapshot.agreement.hours(Metric(clock.metric))


# --- Telling -------------------------------------------------------------------------------------------------------------------


def spent_by(clock: Clock, now: datetime) -> timedelta:
    """How much of its time is gone, with what it runs at present."""
    return clock.spent + (hours_of(clock).between(clock.since, now) if clock.since else timedelta())


def left_of(clock: Clock, now: datetime) -> timedelta:
    """What it has left of its target; negative after that."""
    return clock.target - spent_by(clock, now)


def tell(clocks: list[Clock], told: dict[str, Any]) -> list[Clock]:
    """As a sweep found it: so many of the steps are told; with the breach among them, the clock is breached since it was due."""
    for clock in clocks:
        if (clock.metric, clock.round) == (told["metric"], told["round"]):
            clock.told = told["told"]
            if clock.told > promise_of(clock).breach:
                clock.breached_at = clock.breached_at or clock.due_at
            clock.next_at = _next(clock)
            return [clock]
    return []


# --- Again, from the events ----------------------------------------------------------------------------------------------------


def replay(ticket: Ticket, events: Iterable[Event], *, known: Collection[SlaSnapshot] = ()) -> Iterator[tuple[Event, list[Clock]]]:
    """The ticket's clocks as each of these events, oldest first, left them; the same objects each time. One query for promises that are not `known`."""
    moving = [event for event in events if KEY in event.data]
    wanted = {event.data[KEY][0] for event in moving if isinstance(event.data[KEY], list)}
    snapshots = {snapshot.pk: snapshot for snapshot in known}
    snapshots |= SlaSnapshot.objects.in_bulk([pk for pk in wanted if pk and pk not in snapshots])
    clocks: list[Clock] = []
    for event in moving:
        said = event.data[KEY]
        if isinstance(said, list):
            advance(ticket, clocks, Facts.of(said, snapshots), event.at)
        else:
            tell(clocks, said)
        yield event, clocks


@transaction.atomic
def recompute(number: int, *, mend: bool = True) -> list[str]:
    """Makes a ticket's clocks of its events again. Answers in what the ones that stood were different; `mend` puts the new ones in their place."""
    ticket = Ticket.objects.select_for_update().get(pk=number)
    fresh: list[Clock] = []
    for _event, fresh in replay(ticket, ticket.events.filter(data__has_key=KEY).order_by("pk")):  # noqa: B007 the last is meant
        pass
    stood = {(clock.metric, clock.round): clock for clock in ticket.clocks.all()}
    wrong = [
        f"{clock}: {name} {getattr(stood.get((clock.metric, clock.round)), name, 'missing')} should be {getattr(clock, name)}"
        for clock in fresh
        for name in _COMPARED
        if getattr(clock, name) != getattr(stood.get((clock.metric, clock.round)), name, "missing")
    ]
    wrong += [f"{clock} should not be" for key, clock in stood.items() if key not in {(each.metric, each.round) for each in fresh}]
    if ticket.due_at != earliest(fresh):
        wrong.append(f"#{number}: due {ticket.due_at} should be {earliest(fresh)}")
    if wrong and mend:
        ticket.clocks.all().delete()
        Clock.objects.bulk_create(fresh)
        Ticket.objects.filter(pk=number).update(due_at=earliest(fresh))
    return wrong


_COMPARED = "snapshot_id state target started_at runs spent since due_at breached_at ended_at told next_at".split()
