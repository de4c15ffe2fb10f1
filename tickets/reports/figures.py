"""Asks the database for counts and times of tickets that were limited before, over a period and the one before it, which it touches: one query for both.

How a ticket's life is counted: it is created; it is resolved (or closed) and may be reopened, any number of times; in between it is open. So what is open
at the end of a day is what was open at its beginning, plus created and reopened, less resolved. What was spam and is not any more counts as if it had
never been. By a property counts what the ticket has now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import (
    Aggregate,
    BooleanField,
    Case,
    Count,
    DateField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Value,
    When,
)
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, Trunc

from tickets.models import Stretch
from tickets.reports.asked import Dimension
from tickets.reports.percentile import Percentile
from tickets.reports.periods import Period, Step
from tickets.sla import ClockState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from django.db.models import QuerySet

    from tickets.models import Ticket

_ANSWERED, _REOPENED = Q(stretches__kind=Stretch.Kind.ANSWERED), Q(stretches__kind=Stretch.Kind.RESOLVED)
MEDIAN, NINETIETH = 0.5, 0.9


# --- Counts --------------------------------------------------------------------------------------------------------------------


class Flow(NamedTuple):
    """What came and went, by (key, whether in the period itself and not before it); keys are values of a dimension or days."""

    created: Counter[tuple[Any, bool]]
    resolved: Counter[tuple[Any, bool]]
    reopened: Counter[tuple[Any, bool]]
    undone: Counter[tuple[Any, bool]]  # of the resolved, those that did not last


def flow(tickets: QuerySet[Ticket], period: Period, by: Step | Dimension) -> Flow:
    undone = _counted(tickets, period, by, "stretches__began_at", _REOPENED)
    return Flow(
        created=_counted(tickets, period, by, "created_at"),
        resolved=_counted(tickets, period, by, "resolved_at") + undone,
        reopened=_counted(tickets, period, by, "stretches__ended_at", _REOPENED),
        undone=undone,
    )


def open_at(tickets: QuerySet[Ticket], moment: datetime, by: Dimension | None = None) -> Counter[Any]:
    """How many were unresolved then; by the dimension, or under None in all."""
    resolved_then = Stretch.objects.filter(ticket=OuterRef("pk"), kind=Stretch.Kind.RESOLVED, began_at__lt=moment, ended_at__gte=moment)
    then = tickets.filter(Q(resolved_at=None) | Q(resolved_at__gte=moment), ~Exists(resolved_then), created_at__lt=moment)
    if by is None:
        return Counter({None: then.count()})
    return Counter(dict(then.values_list(by.field).annotate(n=Count("pk"))))


def _counted(
    tickets: QuerySet[Ticket], period: Period, by: Step | Dimension | None, moment: str, more: Q | None = None
) -> Counter[tuple[Any, bool]]:
    """By days for steps of any length: weeks and months are made of them."""
    within = _within(tickets, period, moment, more)
    key = Value(0) if by is None else _day(moment, Step.DAY, period) if isinstance(by, Step) else by.value()
    rows = within.annotate(key=key, now=_is_now(moment, period)).values_list("key", "now").annotate(n=Count("pk"))
    return Counter({(found, now): n for found, now, n in rows})


def _within(tickets: QuerySet[Ticket], period: Period, moment: str, more: Q | None) -> QuerySet[Ticket]:
    """In the period or the one before it. All in one `filter`, so that of a ticket's stretches those count that meet all of it."""
    return tickets.filter(more or Q(), **{f"{moment}__gte": period.before.begins, f"{moment}__lt": period.ends})


def _is_now(moment: str, period: Period) -> Case:
    return Case(When(**{f"{moment}__gte": period.begins}, then=Value(True)), default=Value(False), output_field=BooleanField())  # noqa: FBT003


def _day(moment: str, step: Step, period: Period) -> Trunc:
    return Trunc(moment, step.value, output_field=DateField(), tzinfo=period.zone)


def in_steps(counted: Mapping[tuple[Any, bool], int], periods: list[Period]) -> list[int]:
    """Days into longer steps."""
    days: Counter[Any] = Counter()
    for (day, _now), n in counted.items():
        days[day] += n
    return [sum(n for day, n in days.items() if period.first <= day <= period.last) for period in periods]


def in_all(counted: Mapping[tuple[Any, bool], int], *, now: bool) -> int:
    return sum(n for (_key, is_now), n in counted.items() if is_now is now)


# --- Times ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measure:
    """A time from one moment to another, counted on the day it ended."""

    key: str
    began: str
    ended: str
    work: str  # the same in seconds of working hours
    which: Q | None = None


MEASURES = {
    measure.key: measure
    for measure in (
        Measure("first", "created_at", "first_response_at", "first_response_work"),
        Measure("next", "stretches__began_at", "stretches__ended_at", "stretches__work_seconds", _ANSWERED),
        Measure("resolution", "created_at", "resolved_at", "resolution_work"),
    )
}


@dataclass(frozen=True, slots=True)
class Times:
    count: int
    median: timedelta | None
    ninetieth: timedelta | None
    work_median: int | None  # seconds
    work_ninetieth: int | None


NO_TIMES = Times(0, None, None, None, None)


def times(
    tickets: QuerySet[Ticket], period: Period, measure: Measure, by: Step | Dimension | None = None
) -> defaultdict[tuple[Any, bool], Times]:
    """By (key, whether in the period itself); keys are values of the dimension, the first days of steps that may begin before the period, or None."""
    if by is None:  # each by itself, as to sort them by the period would take as long as all the rest
        return defaultdict(
            lambda: NO_TIMES, {(None, now): _times_in(tickets, one, measure) for now, one in ((True, period), (False, period.before))}
        )
    key = _day(measure.ended, by, period) if isinstance(by, Step) else by.value()
    keyed = _within(tickets, period, measure.ended, measure.which).annotate(key=key, now=_is_now(measure.ended, period))
    rows = keyed.values_list("key", "now").annotate(**_numbers(measure))
    return defaultdict(lambda: NO_TIMES, {(found, now): Times(*numbers) for found, now, *numbers in rows})


def median(tickets: QuerySet[Ticket], period: Period, measure: Measure) -> timedelta | None:
    """Of the period alone, and nothing else: where one number is shown, the others need not be sorted for."""
    found: timedelta | None = _ended_in(tickets, period, measure).aggregate(median=_numbers(measure)["median"])["median"]
    return found


def _times_in(tickets: QuerySet[Ticket], period: Period, measure: Measure) -> Times:
    return Times(**_ended_in(tickets, period, measure).aggregate(**_numbers(measure)))


def _ended_in(tickets: QuerySet[Ticket], period: Period, measure: Measure) -> QuerySet[Ticket]:
    return tickets.filter(measure.which or Q(), **{f"{measure.ended}__gte": period.begins, f"{measure.ended}__lt": period.ends})


def _numbers(measure: Measure) -> dict[str, Aggregate]:
    took = ExpressionWrapper(F(measure.ended) - F(measure.began), output_field=DurationField())
    return {
        "count": Count("pk"),
        "median": Percentile(took, fraction=MEDIAN),
        "ninetieth": Percentile(took, fraction=NINETIETH),
        "work_median": Percentile(F(measure.work), fraction=MEDIAN),
        "work_ninetieth": Percentile(F(measure.work), fraction=NINETIETH),
    }


# --- Promises ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promises:
    """By (key, whether in the period itself): kept on the day of the answer or resolution, missed on the day when its time was over."""

    kept: Counter[tuple[Any, bool]]
    missed: Counter[tuple[Any, bool]]


def promises(tickets: QuerySet[Ticket], period: Period, by: Step | Dimension | None, metric: str = "") -> Promises:
    """Of one metric, or of all; by nothing, under 0."""
    of = Q(clocks__metric=metric) if metric else Q()
    in_time = of & Q(clocks__state=ClockState.MET, clocks__breached_at=None)
    return Promises(
        kept=_counted(tickets, period, by, "clocks__ended_at", in_time), missed=_counted(tickets, period, by, "clocks__breached_at", of)
    )


# --- Hours and the oldest ------------------------------------------------------------------------------------------------------


def hours(tickets: QuerySet[Ticket], period: Period) -> Counter[tuple[int, int]]:
    """How many were created in the period, by weekday (1 is Monday) and hour of the clock on the wall."""
    created = tickets.filter(created_at__gte=period.begins, created_at__lt=period.ends)
    keys: dict[str, Any] = {
        "weekday": ExtractIsoWeekDay("created_at", tzinfo=period.zone),
        "hour": ExtractHour("created_at", tzinfo=period.zone),
    }
    cut: Any = created.annotate(**keys)
    rows = cut.values_list("weekday", "hour").annotate(n=Count("pk"))
    return Counter({(weekday, hour): n for weekday, hour, n in rows})
