"""Days, weeks and months of the company's calendar. Pure: today and the zone are given.

A day is from midnight to midnight where the company is, so it has 23 or 25 hours where the clock is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)
MOST_DAYS = 3660  # of a period: ten years


class Step(StrEnum):
    """How long the rows of a report are."""

    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"

    def start(self, day: date) -> date:
        """The first day of the one that holds `day`."""
        if self is Step.WEEK:
            return day - day.weekday() * _DAY
        return day.replace(day=1) if self is Step.MONTH else day


@dataclass(frozen=True, slots=True)
class Period:
    """From the beginning of the `first` day to the end of the `last`."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def begins(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def ends(self) -> datetime:
        """The first moment that is no longer in it."""
        return midnight(self.last + _DAY, self.zone)

    @property
    def before(self) -> Period:
        """The one that ends where this begins: as many months where these are whole months, else as many days."""
        end = self.first - _DAY
        if self.first.day == 1 and (self.last + _DAY).day == 1:
            months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
            return Period(_months_back(self.first, months), end, self.zone)
        return Period(self.first - self.days * _DAY, end, self.zone)

    def steps(self, step: Step) -> list[Period]:
        """Its days, weeks or months; the first and the last are cut to what lies in it."""
        found, day = [], self.first
        while day <= self.last:
            following = _next(step, day)
            found.append(Period(day, min(following - _DAY, self.last), self.zone))
            day = following
        return found

    def usual_step(self) -> Step:
        """So that a chart has some ten to forty points."""
        if self.days <= 31:
            return Step.DAY
        return Step.WEEK if self.days <= 190 else Step.MONTH


@dataclass(frozen=True, slots=True)
class Cut:
    """A period and the one before it in steps. A moment's slot says how many of `moments` are not after it."""

    now: list[Period]
    before: list[Period]

    @classmethod
    def of(cls, period: Period, step: Step) -> Cut:
        return cls(period.steps(step), period.before.steps(step))

    @property
    def moments(self) -> list[datetime]:
        return [*(one.begins for one in (*self.before, *self.now)), self.now[-1].ends]

    @property
    def first(self) -> int:
        """The slot with which the period itself begins."""
        return len(self.before) + 1

    @property
    def end(self) -> int:
        """The first that is no longer in it."""
        return self.first + len(self.now)

    def key(self, slot: int | None) -> tuple[int, bool] | None:
        """Which step, and whether of the period itself; None for a moment outside of both."""
        if slot is None or not 0 < slot < self.end:
            return None
        return (slot - self.first, True) if slot >= self.first else (slot - 1, False)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _next(step: Step, day: date) -> date:
    if step is Step.MONTH:
        return _months_back(day, -1).replace(day=1)
    return step.start(day) + (7 if step is Step.WEEK else 1) * _DAY


def _months_back(first: date, months: int) -> date:
    count = first.year * 12 + first.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


class Span(StrEnum):
    """Periods by name: they move on with the days."""

    DAYS_7 = "7d"
    DAYS_30 = "30d"
    DAYS_90 = "90d"
    DAYS_365 = "365d"
    LAST_WEEK = "last_week"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    THIS_YEAR = "this_year"
    LAST_YEAR = "last_year"


def named(span: Span, today: date, zone: ZoneInfo) -> Period:
    """Those of so many days end today."""
    if span.endswith("d"):
        return Period(today - (int(span[:-1]) - 1) * _DAY, today, zone)
    month, year, monday = today.replace(day=1), today.replace(month=1, day=1), Step.WEEK.start(today)
    first, last = {
        Span.LAST_WEEK: (monday - 7 * _DAY, monday - _DAY),
        Span.THIS_MONTH: (month, today),
        Span.LAST_MONTH: (_months_back(month, 1), month - _DAY),
        Span.THIS_YEAR: (year, today),
        Span.LAST_YEAR: (_months_back(year, 12), year - _DAY),
    }[span]
    return Period(first, last, zone)


def between(first: date, last: date, zone: ZoneInfo) -> Period | None:
    """By its days, in either order; None for one that is longer, earlier or later than anybody's tickets."""
    first, last = sorted((first, last))
    if first < EARLIEST or last > LATEST or (last - first).days >= MOST_DAYS:
        return None
    return Period(first, last, zone)
