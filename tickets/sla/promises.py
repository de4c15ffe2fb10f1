"""What was promised to a ticket, as a value that never changes: which times, in which hours, and who hears of it. Pure: no models, no clock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from tickets.sla.worktime import ALWAYS, Calendar


class Metric(TextChoices):
    FIRST = "first", _("First response")  # from the opening to the first public word of an agent
    NEXT = "next", _("Next response")  # from a later word of a customer to the answer; each time a round of its own
    RESOLUTION = "resolution", _("Resolution")  # from the opening until it is resolved, or closed


class ClockState(TextChoices):
    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    MET = "met", _("met")
    DROPPED = "dropped", _("no longer needed")  # as resolving a ticket ends the wait for an answer, or as it is spam


@dataclass(frozen=True, slots=True)
class Step:
    """Who is told, and when: so long after the time is over, or, where negative, before."""

    offset: timedelta
    to_assignee: bool = False  # while there is none, the ticket's group
    people: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Promise:
    target: timedelta
    in_business_hours: bool = True
    steps: tuple[Step, ...] = (Step(timedelta()),)  # in order; one of them, at least, at the breach itself

    @property
    def breach(self) -> int:
        """Which step is the breach."""
        return next(index for index, step in enumerate(self.steps) if not step.offset)


@dataclass(frozen=True, slots=True)
class Agreement:
    policy: str
    priority: str  # '' where the promises hold for all that have none of their own
    calendar_name: str
    calendar: Calendar
    promises: dict[Metric, Promise]

    def hours(self, metric: Metric) -> Calendar:
        return self.calendar if self.promises[metric].in_business_hours else ALWAYS


def schedule(steps: list[Step]) -> tuple[Step, ...]:
    """In order, those of one moment made one, and one at the breach, whoever hears of it."""
    together: dict[timedelta, Step] = {timedelta(): Step(timedelta())}
    for step in steps:
        known = together.get(step.offset, Step(step.offset))
        together[step.offset] = merged([known, step])
    return tuple(together[offset] for offset in sorted(together))


def merged(steps: list[Step]) -> Step:
    """Whoever any of them tells, at the time of the last."""
    return Step(
        steps[-1].offset,
        any(step.to_assignee for step in steps),
        tuple(sorted({person for step in steps for person in step.people})),
        tuple(sorted({group for step in steps for group in step.groups})),
    )


def write(agreement: Agreement) -> str:
    """The same text for the same agreement."""
    calendar = agreement.calendar
    data = {
        "policy": agreement.policy,
        "priority": agreement.priority,
        "calendar": {
            "name": agreement.calendar_name,
            "zone": calendar.zone,
            "week": calendar.week,
            "holidays": sorted(day.isoformat() for day in calendar.holidays),
        },
        "promises": {metric.value: _promise_data(promise) for metric, promise in agreement.promises.items()},
    }
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def _promise_data(promise: Promise) -> dict[str, Any]:
    return {
        "target": _seconds(promise.target),
        "business": promise.in_business_hours,
        "steps": [[_seconds(step.offset), step.to_assignee, step.people, step.groups] for step in promise.steps],
    }


def _seconds(span: timedelta) -> int:
    return span // timedelta(seconds=1)


@lru_cache(maxsize=256)
def read(text: str) -> Agreement:
    """What `write` wrote. Kept, so that a calendar's years are made once a process."""
    data = json.loads(text)
    calendar = data["calendar"]
    return Agreement(
        policy=data["policy"],
        priority=data["priority"],
        calendar_name=calendar["name"],
        calendar=Calendar(
            calendar["zone"],
            tuple(tuple((opens, closes) for opens, closes in day) for day in calendar["week"]),
            frozenset(date.fromisoformat(day) for day in calendar["holidays"]),
        ),
        promises={Metric(name): _read_promise(promise) for name, promise in data["promises"].items()},
    )


def _read_promise(data: dict[str, Any]) -> Promise:
    steps = [
        Step(timedelta(seconds=offset), to_assignee, tuple(people), tuple(groups)) for offset, to_assignee, people, groups in data["steps"]
    ]
    return Promise(timedelta(seconds=data["target"]), data["business"], tuple(steps))
