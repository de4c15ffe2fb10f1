"""Asks the database for counts and times of tickets that were limited before, over a period and the one before it, which it touches. A table is read once
for as many numbers as it gives, as it is the reading of a million rows that takes its time.

How a ticket's life is counted: it is created; it is resolved (or closed) and may be reopened, any number of times; in between it is open. So what is open
at the end of a day is what was open at its beginning, plus created and reopened, less resolved. What was spam and is not any more counts as if it had
never been. By a property counts what the ticket has now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, Case, Count, DurationField, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Coalesce, ExtractHour, ExtractIsoWeekDay

from tickets.models import Clock, Stretch
from tickets.reports.asked import Dimension
from tickets.reports.functions import Percentile, Seconds, Slot, percentile_of
from tickets.reports.periods import Cut, Period, Step
from tickets.sla.promises import ClockState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet

    from tickets.models import Ticket

_ANSWERED, _REOPENED = Q(stretches__kind=Stretch.Kind.ANSWERED), Q(stretches__kind=Stretch.Kind.RESOLVED)
MEDIAN, NINETIETH = 0.5, 0.9
Pair = tuple[int, int | None, int]  # the steps in which it began and ended, and how many


# --- Counts --------------------------------------------------------------------------------------------------------------------


class Flow(NamedTuple):
    """What came and went, by (key, whether in the period itself and not before it); keys are values of a dimension, or count the period's steps."""

    created: Counter[tuple[Any, bool]]
    resolved: Counter[tuple[Any, bool]]
    reopened: Counter[tuple[Any, bool]]
    undone: Counter[tuple[Any, bool]]  # of the resolved, those that did not last


class Course(NamedTuple):
    moved: Flow
    at_end: Counter[Any]  # how many were unresolved then: by the dimension, or under None in all
    at_begin: Counter[Any]


def course(tickets: QuerySet[Ticket], period: Period, cut: Cut) -> Course:
    """By the steps of `cut`. Two readings give it all: tickets by the steps of both their ends, and so the resolutions that did not last; what came in one
    step went in one of a few, so that these are some hundred pairs of a million tickets."""
    lives = _pairs(_touched(tickets, period), cut, "created_at", "resolved_at")
    undone = _pairs(_undone(tickets, period), cut, "stretches__began_at", "stretches__ended_at")

    def lasting(pairs: list[Pair], slot: int) -> int:
        """Over the beginning of that step."""
        return sum(n for began, ended, n in pairs if began < slot and (ended is None or ended >= slot))

    open_at = [Counter({None: lasting(lives, slot) - lasting(undone, slot)}) for slot in (cut.end, cut.first)]
    taken_back = _moved(undone, cut, 0)
    return Course(Flow(_moved(lives, cut, 0), _moved(lives, cut, 1) + taken_back, _moved(undone, cut, 1), taken_back), *open_at)


def _moved(pairs: list[Pair], cut: Cut, at: int) -> Counter[tuple[Any, bool]]:
    """By the steps of the pairs' beginnings, or of their ends."""
    moved: Counter[tuple[Any, bool]] = Counter()
    for pair in pairs:
        if key := cut.key(pair[at]):
            moved[key] += pair[2]
    return moved


def came_and_went(tickets: QuerySet[Ticket], period: Period) -> tuple[list[int], list[int]]:
    """How many were created, and how many resolved that still are, on each day of the period. Two queries, each of a range of an index."""
    days = period.steps(Step.DAY)

    def by_day(moment: str) -> list[int]:
        slot = Slot(moment, [day.begins for day in days])
        found: Any = tickets.filter(_during(moment, period)).order_by().annotate(slot=slot).values_list("slot").annotate(n=Count("pk"))
        counted = dict(found)
        return [counted.get(at, 0) for at in range(1, len(days) + 1)]

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


def _pairs(tickets: QuerySet[Ticket], cut: Cut, began: str, ended: str) -> list[Pair]:
    slots: Any = tickets.annotate(first=Slot(began, cut.moments), last=Slot(ended, cut.moments))
    return list(slots.values_list("first", "last").annotate(n=Count("pk")))


def _tallied(tickets: QuerySet[Any], by: Dimension | None, which: list[Q]) -> list[Counter[Any]]:
    """How many of each kind, in one reading; by the dimension, or under None in all."""
    counts = {f"n{at}": Count("pk", filter=one) for at, one in enumerate(which)}
    rows: Any = (
        tickets.annotate(key=by.value()).values_list("key").annotate(**counts) if by else [(None, *tickets.aggregate(**counts).values())]
    )
    return [Counter({key: n for key, *numbers in rows if (n := numbers[at])}) for at in range(len(which))]


def _by_period(both: list[Counter[Any]]) -> Counter[tuple[Any, bool]]:
    """From the period's own and the one's before it."""
    return Counter({(key, is_now): n for is_now, counted in zip((True, False), both, strict=True) for key, n in counted.items()})


def _within(tickets: QuerySet[Ticket], period: Period, moment: str, more: Q | None) -> QuerySet[Ticket]:
    """In the period or the one before it. All in one `filter`, so that of a ticket's stretches those count that meet all of it."""
    return tickets.filter((more or Q()) & _touching(moment, period))


def _touching(moment: str, period: Period) -> Q:
    return Q(**{f"{moment}__gte": period.before.begins, f"{moment}__lt": period.ends})


def _is_now(moment: str, period: Period) -> Case:
    return Case(When(**{f"{moment}__gte": period.begins}, then=Value(True)), default=Value(False), output_field=BooleanField())  # noqa: FBT003


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
    """In seconds."""

    count: int
    median: float | None
    ninetieth: float | None
    work_median: int | None
    work_ninetieth: int | None


NO_TIMES = Times(0, None, None, None, None)


def times(
    tickets: QuerySet[Ticket], period: Period, measure: Measure, by: Cut | Dimension
) -> tuple[defaultdict[tuple[Any, bool], Times], dict[bool, Times]]:
    """By (key, whether in the period itself), keys being values of the dimension or counting the steps; and in all, by the latter. What was read once
    gives both."""
    key = Slot(measure.ended, by.moments) if isinstance(by, Cut) else by.value()
    found: Any = _within(tickets, period, measure.ended, measure.which)
    found = found.annotate(key=key, is_now=_is_now(measure.ended, period), took=_took(measure), work=F(measure.work))
    by_key: defaultdict[tuple[Any, bool], Times] = defaultdict(lambda: NO_TIMES)
    in_all = {True: NO_TIMES, False: NO_TIMES}
    for is_total, value, *numbers in _measured(found.values_list("key", "is_now", "took", "work")):
        for is_now, (count, *spans) in ((True, numbers[:5]), (False, numbers[5:])):
            if not count:
                continue
            measured = Times(count, *spans)
            if is_total:
                in_all[is_now] = measured
            else:
                by_key[(by.key(value) if isinstance(by, Cut) else None) or (value, is_now)] = measured
    return by_key, in_all


def _measured(rows: QuerySet[Any]) -> list[tuple[Any, ...]]:
    """(whether in all, key, …) with what `_NUMBERS` names, first of the period and then of the one before it."""
    try:
        sql, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    numbers = ", ".join(number for which in ("is_now", "NOT is_now") for number in _numbers(which))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH measured AS MATERIALIZED ({sql}) SELECT FALSE, key, {numbers} FROM measured GROUP BY key"  # noqa: S608 no input in it
            f" UNION ALL SELECT TRUE, NULL, {numbers} FROM measured",
            params,
        )
        return list(cursor.fetchall())


def _numbers(which: str) -> list[str]:
    return [
        f"COUNT(*) FILTER (WHERE {which})",
        *(f"{percentile_of(value, part)} FILTER (WHERE {which})" for value in ("took", "work") for part in (MEDIAN, NINETIETH)),
    ]


def medians(tickets: QuerySet[Ticket], period: Period, measures: list[Measure]) -> list[tuple[float | None, float | None]]:
    """Of each measure in the period and in the one before it; of the ticket's own times, and nothing but what is shown, as each has to be sorted for."""
    numbers = {
        f"{one.key}_{at}": Percentile(_took(one), fraction=MEDIAN, filter=_during(one.ended, during))
        for one in measures
        for at, during in enumerate((period, period.before))
    }
    found = tickets.aggregate(**numbers)
    return [(found[f"{one.key}_0"], found[f"{one.key}_1"]) for one in measures]


def _took(measure: Measure) -> Seconds:
    return Seconds(ExpressionWrapper(F(measure.ended) - F(measure.began), output_field=DurationField()))


# --- Promises ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promises:
    """By (key, whether in the period itself): kept on the day of the answer or resolution, missed on the day when its time was over."""

    kept: Counter[tuple[Any, bool]]
    missed: Counter[tuple[Any, bool]]


def promises(tickets: QuerySet[Ticket], period: Period, by: Cut | Dimension | None, metric: str = "") -> Promises:
    """Of one metric, or of all; by nothing, under None."""
    of = Q(clocks__metric=metric) if metric else Q()
    in_time = of & Q(clocks__state=ClockState.MET, clocks__breached_at=None)
    ends = ((in_time, "clocks__ended_at"), (of, "clocks__breached_at"))
    either = [which & _touching(moment, period) for which, moment in ends]
    touched = tickets.filter(either[0] | either[1])
    if isinstance(by, Cut):
        moment = Coalesce("clocks__breached_at", "clocks__ended_at")
        slots: Any = touched.annotate(slot=Slot(moment, by.moments), is_missed=Q(clocks__breached_at__isnull=False))
        counted: list[Counter[tuple[Any, bool]]] = [Counter(), Counter()]
        for slot, is_missed, n in slots.values_list("slot", "is_missed").annotate(n=Count("pk")):
            if key := by.key(slot):
                counted[is_missed][key] = n
        return Promises(*counted)
    kept, missed = ([which & _during(moment, one) for one in (period, period.before)] for which, moment in ends)
    tallied = _tallied(touched, by, [*kept, *missed])
    return Promises(kept=_by_period(tallied[:2]), missed=_by_period(tallied[2:]))


def promises_in_all(period: Period, *, less: QuerySet[Ticket]) -> Promises:
    """Of all metrics and all tickets `less` some, which are few: to be kept in memory they are looked up twice as fast as the million of all others."""
    clocks = Clock.objects.select_related(None).order_by().exclude(ticket__in=less.values("pk"))
    in_time = Q(state=ClockState.MET, breached_at=None)
    both = (period, period.before)
    which = [*(in_time & _during("ended_at", one) for one in both), *(_during("breached_at", one) for one in both)]
    tallied = _tallied(clocks.filter((in_time & _touching("ended_at", period)) | _touching("breached_at", period)), None, which)
    return Promises(kept=_by_period(tallied[:2]), missed=_by_period(tallied[2:]))


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
