"""Asks the database for counts and times of tickets that were limited before, over a period and the one before it, which it touches. A table is read once
for as many numbers as it gives, as it is the reading of a million rows that takes its time.

How a ticket's life is counted: it is created; it is resolved (or closed) and may be reopened, any number of times; in between it is open. So what is open
at the end of a day is what was open at its beginning, plus created and reopened, less resolved. What was spam and is not any more counts as if it had
never been. By a property counts what the ticket has now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import (
    Aggregate,
    BooleanField,
    Case,
    Count,
    DateField,
    DurationField,
    ExpressionWrapper,
    F,
    Q,
    Value,
    When,
)
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, Trunc

from tickets.models import Stretch
from tickets.reports.asked import Dimension
from tickets.reports.percentile import Percentile
from tickets.reports.periods import Period, Step
from tickets.sla.promises import ClockState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

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


class Course(NamedTuple):
    moved: Flow
    at_end: Counter[Any]  # how many were unresolved then: by the dimension, or under None in all
    at_begin: Counter[Any]


def course(tickets: QuerySet[Ticket], period: Period) -> Course:
    """By days, of which weeks and months are made. Two readings give it all: tickets by the days of both their ends, and so the resolutions that did not
    last; nearly all that came on one day went on one of a few, so that these are some thousand pairs of a million tickets."""
    lives = _pairs(_touched(tickets, period), period, "created_at", "resolved_at")
    undone = _pairs(_undone(tickets, period), period, "stretches__began_at", "stretches__ended_at")

    def moved(pairs: list[tuple[date, date | None, int]], at: int) -> Counter[tuple[Any, bool]]:
        days: Counter[tuple[Any, bool]] = Counter()
        for pair in pairs:
            day, n = pair[at], pair[2]
            if isinstance(day, date) and period.before.first <= day <= period.last:
                days[day, day >= period.first] += n
        return days

    def lasting(pairs: list[tuple[date, date | None, int]], day: date) -> int:
        """Over the beginning of that day."""
        return sum(n for began, ended, n in pairs if began < day and (ended is None or ended >= day))

    open_at = [Counter({None: lasting(lives, day) - lasting(undone, day)}) for day in (period.last + timedelta(days=1), period.first)]
    taken_back = moved(undone, 0)
    return Course(Flow(moved(lives, 0), moved(lives, 1) + taken_back, moved(undone, 1), taken_back), *open_at)


def came_and_went(tickets: QuerySet[Ticket], period: Period) -> tuple[list[int], list[int]]:
    """How many were created, and how many resolved that still are, on each day of the period. Two queries, each of a range of an index."""
    days = period.steps(Step.DAY)

    def by_day(moment: str) -> list[int]:
        found: Any = tickets.filter(_during(moment, period)).order_by().values_list(_day(moment, Step.DAY, period)).annotate(n=Count("pk"))
        counted = dict(found)
        return [counted.get(day.first, 0) for day in days]

    return by_day("created_at"), by_day("resolved_at")


def course_by(tickets: QuerySet[Ticket], period: Period, by: Dimension | None) -> Course:
    """By the dimension, or under None in all. Each table is read once, however many numbers it gives."""
    both, moments = (period, period.before), (period.ends, period.begins)
    lives = _tallied(
        _touched(tickets, period),
        by,
        [
            *(_during(moment, one) for moment in ("created_at", "resolved_at") for one in both),
            *(_open(moment) for moment in moments),
        ],
    )
    undone = _tallied(
        _undone(tickets, period),
        by,
        [
            *(_during(moment, one) for moment in ("stretches__began_at", "stretches__ended_at") for one in both),
            *(_open(moment) & Q(stretches__began_at__lt=moment, stretches__ended_at__gte=moment) for moment in moments),
        ],
    )
    taken_back, reopened = _by_period(undone[:2]), _by_period(undone[2:4])
    return Course(
        Flow(_by_period(lives[:2]), _by_period(lives[2:4]) + taken_back, reopened, taken_back),
        lives[4] - undone[4],
        lives[5] - undone[5],
    )


def _touched(tickets: QuerySet[Ticket], period: Period) -> QuerySet[Ticket]:
    """Those that came, went or were open in the period or the one before it."""
    begins = period.before.begins
    return tickets.filter(Q(resolved_at=None) | Q(resolved_at__gte=begins) | Q(created_at__gte=begins), created_at__lt=period.ends)


def _undone(tickets: QuerySet[Ticket], period: Period) -> QuerySet[Ticket]:
    """With their resolutions that did not last and touch the period or the one before it."""
    return tickets.filter(_REOPENED, stretches__ended_at__gte=period.before.begins, stretches__began_at__lt=period.ends)


def _open(moment: datetime) -> Q:
    """But for resolutions that did not last."""
    return (Q(resolved_at=None) | Q(resolved_at__gte=moment)) & Q(created_at__lt=moment)


def _during(moment: str, period: Period) -> Q:
    return Q(**{f"{moment}__gte": period.begins, f"{moment}__lt": period.ends})


def _pairs(tickets: QuerySet[Ticket], period: Period, began: str, ended: str) -> list[tuple[date, date | None, int]]:
    days: Any = tickets.annotate(first=_day(began, Step.DAY, period), last=_day(ended, Step.DAY, period))
    return list(days.values_list("first", "last").annotate(n=Count("pk")))


def _tallied(tickets: QuerySet[Ticket], by: Dimension | None, which: list[Q]) -> list[Counter[Any]]:
    """How many of each kind, in one reading; by the dimension, or under None in all."""
    counts = {f"n{at}": Count("pk", filter=one) for at, one in enumerate(which)}
    rows: Any = (
        tickets.annotate(key=by.value()).values_list("key").annotate(**counts) if by else [(None, *tickets.aggregate(**counts).values())]
    )
    return [Counter({key: n for key, *numbers in rows if (n := numbers[at])}) for at in range(len(which))]


def _by_period(both: list[Counter[Any]]) -> Counter[tuple[Any, bool]]:
    """From the period's own and the one's before it."""
    return Counter({(key, is_now): n for is_now, counted in zip((True, False), both, strict=True) for key, n in counted.items()})


def _counted(tickets: QuerySet[Ticket], period: Period, moment: str, more: Q) -> Counter[tuple[Any, bool]]:
    """By days for steps of any length: weeks and months are made of them."""
    keyed = _within(tickets, period, moment, more).annotate(key=_day(moment, Step.DAY, period), now=_is_now(moment, period))
    return Counter({(found, now): n for found, now, n in keyed.values_list("key", "now").annotate(n=Count("pk"))})


def _within(tickets: QuerySet[Ticket], period: Period, moment: str, more: Q | None) -> QuerySet[Ticket]:
    """In the period or the one before it. All in one `filter`, so that of a ticket's stretches those count that meet all of it."""
    return tickets.filter((more or Q()) & _touching(moment, period))


def _touching(moment: str, period: Period) -> Q:
    return Q(**{f"{moment}__gte": period.before.begins, f"{moment}__lt": period.ends})


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
    if by is None:
        return _times_in_all(tickets, period, measure)
    key = _day(measure.ended, by, period) if isinstance(by, Step) else by.value()
    keyed = _within(tickets, period, measure.ended, measure.which).annotate(key=key, now=_is_now(measure.ended, period))
    rows = keyed.values_list("key", "now").annotate(**_numbers(measure))
    return defaultdict(lambda: NO_TIMES, {(found, now): Times(*numbers) for found, now, *numbers in rows})


def _times_in_all(tickets: QuerySet[Ticket], period: Period, measure: Measure) -> defaultdict[tuple[Any, bool], Times]:
    numbers = {
        f"{name}_{now}": number
        for now, one in ((True, period), (False, period.before))
        for name, number in _numbers(measure, _during(measure.ended, one)).items()
    }
    found = _within(tickets, period, measure.ended, measure.which).aggregate(**numbers)
    return defaultdict(
        lambda: NO_TIMES, {(None, now): Times(**{name: found[f"{name}_{now}"] for name in _numbers(measure)}) for now in (True, False)}
    )


def medians(tickets: QuerySet[Ticket], period: Period, measures: list[Measure]) -> list[tuple[timedelta | None, timedelta | None]]:
    """Of each measure in the period and in the one before it; of the ticket's own times, and nothing but what is shown, as each has to be sorted for."""
    numbers = {
        f"{one.key}_{at}": _numbers(one, _during(one.ended, during))["median"]
        for one in measures
        for at, during in enumerate((period, period.before))
    }
    found = tickets.aggregate(**numbers)
    return [(found[f"{one.key}_0"], found[f"{one.key}_1"]) for one in measures]


def _numbers(measure: Measure, which: Q | None = None) -> dict[str, Aggregate]:
    took = ExpressionWrapper(F(measure.ended) - F(measure.began), output_field=DurationField())
    return {
        "count": Count("pk", filter=which),
        "median": Percentile(took, fraction=MEDIAN, filter=which),
        "ninetieth": Percentile(took, fraction=NINETIETH, filter=which),
        "work_median": Percentile(F(measure.work), fraction=MEDIAN, filter=which),
        "work_ninetieth": Percentile(F(measure.work), fraction=NINETIETH, filter=which),
    }


# --- Promises ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promises:
    """By (key, whether in the period itself): kept on the day of the answer or resolution, missed on the day when its time was over."""

    kept: Counter[tuple[Any, bool]]
    missed: Counter[tuple[Any, bool]]


def promises(tickets: QuerySet[Ticket], period: Period, by: Step | Dimension | None, metric: str = "") -> Promises:
    """Of one metric, or of all; by nothing, under None."""
    of = Q(clocks__metric=metric) if metric else Q()
    in_time = of & Q(clocks__state=ClockState.MET, clocks__breached_at=None)
    ends = ((in_time, "clocks__ended_at"), (of, "clocks__breached_at"))
    if isinstance(by, Step):
        return Promises(*(_counted(tickets, period, moment, which) for which, moment in ends))
    kept, missed = ([which & _during(moment, one) for one in (period, period.before)] for which, moment in ends)
    either = [which & _touching(moment, period) for which, moment in ends]
    counted = _tallied(tickets.filter(either[0] | either[1]), by, [*kept, *missed])
    return Promises(kept=_by_period(counted[:2]), missed=_by_period(counted[2:]))


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
