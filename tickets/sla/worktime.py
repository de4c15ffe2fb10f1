"""Business hours: how much working time lies between two moments, and when so much of it is over. Pure: no models, no clock.

One rule decides: a moment is working time when a clock on the wall, in the calendar's zone, then shows a time within that weekday's hours on a date that
is no holiday. So an hour that daylight saving repeats counts twice where it is worked, and one that it skips counts never. All is whole microseconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

Hours = tuple[int, int]  # opens, closes: minutes after midnight. Closing no later than opening means on the next day; 1440 is midnight
Week = tuple[tuple[Hours, ...], ...]  # of the seven days, Monday first

MINUTES = 1440  # a day
HORIZON = 50  # years: what is not over by then is never over

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1)
_TICK = timedelta(microseconds=1)
_MINUTE = 60_000_000  # ticks
_DAY = MINUTES * _MINUTE


@dataclass(frozen=True)
class Calendar:
    """A zone, the hours of a week, and the dates on which nobody works, whatever the hours say; a shift that crosses midnight is cut there."""

    zone: str
    week: Week
    holidays: frozenset[date] = frozenset()
    _years: dict[int, _Year] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ZoneInfo(self.zone)  # raises where there is none of that name
        if len(self.week) != 7:
            raise ValueError("a week has seven days")
        for opens, closes in (hours for day in self.week for hours in day):
            if not (0 <= opens < MINUTES and 0 <= closes <= MINUTES):
                raise ValueError(f"{opens}–{closes} is no time of a day")

    @property
    def is_ever_open(self) -> bool:
        return any(self._days)

    def add(self, start: datetime, span: timedelta) -> datetime | None:
        """The earliest moment by which `span` of working time has passed since `start`; None where that takes more than `HORIZON` years."""
        left = span // _TICK
        if left < 0:
            raise ValueError("time does not run backwards")
        if left == 0:
            return start.astimezone(UTC)
        at = _ticks(start)
        first = start.astimezone(UTC).year
        if not self.is_ever_open:
            return None
        left += self._year(first).until(at)
        for year in range(first, min(first + HORIZON, 9998) + 1):
            hours = self._year(year)
            if left <= hours.total:
                return _EPOCH + hours.after(left) * _TICK
            left -= hours.total
        return None

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The working time from `start` to `end`; none when `end` is the earlier."""
        begins, ends = _ticks(start), _ticks(end)  # moments of one zone are compared as its clock shows them, which may be twice
        if ends <= begins:
            return timedelta()
        first, last = start.astimezone(UTC).year, end.astimezone(UTC).year
        passed = self._year(last).until(ends) - self._year(first).until(begins)
        return (passed + sum(self._year(year).total for year in range(first, last))) * _TICK

    @cached_property
    def _days(self) -> list[list[Hours]]:
        """Each weekday's hours from midnight to midnight, in order, without overlap."""
        cut: list[list[Hours]] = [[] for _ in range(7)]
        for day, hours in enumerate(self.week):
            for opens, closes in hours:
                if closes > opens:
                    cut[day].append((opens, closes))
                else:
                    cut[day].append((opens, MINUTES))
                    cut[(day + 1) % 7].append((0, closes))
        return [_merged([(opens, closes) for opens, closes in sorted(day) if closes > opens]) for day in cut]

    @cached_property
    def _free(self) -> frozenset[int]:
        return frozenset((day - _EPOCH_DAY).days for day in self.holidays)

    def _year(self, year: int) -> _Year:
        """Made once, and kept with the calendar."""
        if year not in self._years:
            self._years[year] = self._make_year(year)
        return self._years[year]

    def _make_year(self, year: int) -> _Year:
        spans: list[Hours] = []
        for begins, ends, offset in _offsets(ZoneInfo(self.zone), year):
            for day in range((begins + offset) // _DAY, (ends + offset - 1) // _DAY + 1):
                if day in self._free:
                    continue
                midnight = day * _DAY - offset
                for opens, closes in self._days[(day + 3) % 7]:  # 1970 began on a Thursday
                    start, end = max(midnight + opens * _MINUTE, begins), min(midnight + closes * _MINUTE, ends)
                    if start < end:
                        spans.append((start, end))
        return _Year.of(_merged(spans))


class _Year(NamedTuple):
    """The working time of one year of UTC, in ticks since 1970: for each span when it starts and ends, and how much has passed before and with it."""

    starts: list[int]
    ends: list[int]
    before: list[int]
    through: list[int]

    @classmethod
    def of(cls, spans: list[Hours]) -> _Year:
        before, through, passed = [], [], 0
        for start, end in spans:
            before.append(passed)
            passed += end - start
            through.append(passed)
        return cls([start for start, _end in spans], [end for _start, end in spans], before, through)

    @property
    def total(self) -> int:
        return self.through[-1] if self.through else 0

    def until(self, at: int) -> int:
        """How much has passed by then."""
        index = bisect_right(self.starts, at) - 1
        return self.before[index] + min(at, self.ends[index]) - self.starts[index] if index >= 0 else 0

    def after(self, passed: int) -> int:
        """When so much has passed."""
        index = bisect_left(self.through, passed)
        return self.starts[index] + passed - self.before[index]


def _ticks(at: datetime) -> int:
    return (at - _EPOCH) // _TICK


def _merged(spans: list[Hours]) -> list[Hours]:
    """Sorted ones, where they touch or overlap made one."""
    merged: list[Hours] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _offsets(zone: ZoneInfo, year: int) -> list[tuple[int, int, int]]:
    """The year in UTC as stretches in which the zone's clocks are not moved: begin, end, and how far they are ahead, in ticks."""

    def ahead(at: int) -> int:
        return (_EPOCH + at * _TICK).astimezone(zone).utcoffset() // _TICK  # type: ignore[operator] # an aware moment has one

    begins, last = _ticks(datetime(year, 1, 1, tzinfo=UTC)), _ticks(datetime(year + 1, 1, 1, tzinfo=UTC))
    stretches, offset, known = [], ahead(begins), begins
    while known < last:
        look = min(known + _DAY // 2, last)
        if ahead(look) != offset:
            low, high = known, look
            while high - low > 1_000_000:  # clocks are moved at a whole second
                middle = low + (high - low) // 2_000_000 * 1_000_000
                low, high = (middle, high) if ahead(middle) == offset else (low, middle)
            stretches.append((begins, high, offset))
            begins, offset = high, ahead(high)
        known = look
    return [*stretches, (begins, last, offset)] if begins < last else stretches


ALWAYS = Calendar("UTC", (((0, MINUTES),),) * 7)  # for promises in hours of the clock
