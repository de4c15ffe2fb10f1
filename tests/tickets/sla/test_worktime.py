"""Business hours to the second: computed by hand in the table, and what must hold for every calendar after it.

Days that matter: Berlin's clocks go forward on 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00, New York's forward on 2026-03-08 at 02:00 and back on
2026-11-01 at 02:00, Lord Howe's forward by half an hour on 2026-10-04 at 02:00 and back on 2026-04-05 at 02:00; Kolkata's never.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tickets.sla.worktime import ALWAYS, Calendar, Week

BERLIN, NEW_YORK, KOLKATA, LORD_HOWE = "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"


def week(hours: str, days: int = 5) -> Week:
    """ "09:00-12:30 13:30-18:00" on the first so many days."""
    ends = [[int(at[:2]) * 60 + int(at[3:]) for at in span.split("-")] for span in hours.split()]
    day = tuple((opens, closes) for opens, closes in ends)
    return (day,) * days + ((),) * (7 - days)


def calendar(zone: str, hours: str, days: int = 5, *holidays: str) -> Calendar:
    return Calendar(zone, week(hours, days), frozenset(map(date.fromisoformat, holidays)))


OFFICE = "09:00-17:00"
CALENDARS = {
    "berlin": calendar(BERLIN, OFFICE),
    "berlin xmas": calendar(BERLIN, OFFICE, 5, "2026-12-25", "2027-01-01"),
    "berlin lunch": calendar(BERLIN, "09:00-12:30 13:30-18:00"),
    "berlin three": calendar(BERLIN, "08:00-10:00 12:00-14:00 18:00-22:00"),
    "berlin night": calendar(BERLIN, "22:00-06:00", 7),
    "berlin friday night": Calendar(BERLIN, ((), (), (), (), ((1320, 360),), (), ())),
    "berlin always": calendar(BERLIN, "00:00-24:00", 7),
    "berlin 10 to 10": calendar(BERLIN, "10:00-10:00", 7),
    "berlin always xmas": calendar(BERLIN, "00:00-24:00", 7, "2026-12-25"),
    "berlin changes free": calendar(BERLIN, "00:00-24:00", 7, "2026-03-29", "2026-10-25"),
    "berlin night xmas": calendar(BERLIN, "22:00-06:00", 7, "2026-12-25"),
    "berlin one to half past two": calendar(BERLIN, "01:00-02:30", 7),
    "new york": calendar(NEW_YORK, OFFICE),
    "new york always": calendar(NEW_YORK, "00:00-24:00", 7),
    "new york night": calendar(NEW_YORK, "22:00-06:00", 7),
    "kolkata": calendar(KOLKATA, OFFICE),
    "lord howe": calendar(LORD_HOWE, OFFICE),
    "lord howe small hours": calendar(LORD_HOWE, "01:00-03:00", 7),
    "one minute a week": Calendar(BERLIN, (((540, 541),), (), (), (), (), (), ())),
    "never": calendar(BERLIN, "", 7),
    "overlapping": calendar(BERLIN, "09:00-12:00 11:00-13:00 13:00-15:00"),
    "always": ALWAYS,
}

# calendar, start, working time, end; times as the clock of the calendar's zone shows them, "b" for the second of two that look the same.
# Each "#" says by what reasoning the rows below it were computed.
TABLE = """
# Eight hours a day: what is over after 17:00 goes on at 09:00 of the next day that is worked, and nothing counts before, between or at the week's end.
berlin | 2026-11-23 09:00:00 | 1h | 2026-11-23 10:00:00
berlin | 2026-11-23 08:00:00 | 1h | 2026-11-23 10:00:00
berlin | 2026-11-23 16:30:00 | 1h | 2026-11-24 09:30:00
berlin | 2026-11-23 17:00:00 | 1s | 2026-11-24 09:00:01
berlin | 2026-11-23 09:00:00 | 8h | 2026-11-23 17:00:00
berlin | 2026-11-23 09:00:00 | 8h 1s | 2026-11-24 09:00:01
berlin | 2026-11-23 23:59:59 | 8h | 2026-11-24 17:00:00
berlin | 2026-11-27 16:00:00 | 2h | 2026-11-30 10:00:00
berlin | 2026-11-28 12:00:00 | 1s | 2026-11-30 09:00:01
berlin | 2026-11-23 09:00:00 | 40h | 2026-11-27 17:00:00
berlin | 2026-11-23 09:00:00 | 41h | 2026-11-30 10:00:00
berlin | 2026-11-25 12:34:56 | 3h 7m 9s | 2026-11-25 15:42:05
berlin | 2026-11-23 12:00:00 | 0s | 2026-11-23 12:00:00
berlin | 2028-02-28 16:00:00 | 2h | 2028-02-29 10:00:00
berlin | 2026-11-27 17:00:01 | 1h | 2026-11-30 10:00:00
# The clocks change on Sundays, when nobody works: an hour on Friday and one on Monday, whatever the night between was.
berlin | 2026-03-27 16:00:00 | 2h | 2026-03-30 10:00:00
berlin | 2026-10-23 16:00:00 | 2h | 2026-10-26 10:00:00
# Over years: 260 days of work from Monday 2026-01-05 end on Friday 2027-01-01, as nobody is off; 520 on 2027-12-31.
berlin | 2026-12-31 16:00:00 | 2h | 2027-01-01 10:00:00
berlin | 2026-01-05 09:00:00 | 2080h | 2027-01-01 17:00:00
berlin | 2026-01-05 09:00:00 | 4160h | 2027-12-31 17:00:00
# With 25 December and 1 January off: from Thursday to Monday.
berlin xmas | 2026-12-24 16:00:00 | 2h | 2026-12-28 10:00:00
berlin xmas | 2026-12-31 16:59:59 | 2s | 2027-01-04 09:00:01
berlin xmas | 2026-12-25 12:00:00 | 1h | 2026-12-28 10:00:00
berlin xmas | 2026-12-21 09:00:00 | 40h | 2026-12-28 17:00:00
# Three and a half hours, lunch, four and a half.
berlin lunch | 2026-11-23 12:00:00 | 1h | 2026-11-23 14:00:00
berlin lunch | 2026-11-23 12:45:00 | 30m | 2026-11-23 14:00:00
berlin lunch | 2026-11-23 09:00:00 | 3h 30m | 2026-11-23 12:30:00
berlin lunch | 2026-11-23 09:00:00 | 8h | 2026-11-23 18:00:00
berlin lunch | 2026-11-23 17:30:00 | 4h 30m | 2026-11-24 14:00:00
# Two, two and four hours: one is left of the first, two at noon, so the fourth is the first of the evening.
berlin three | 2026-11-23 09:00:00 | 4h | 2026-11-23 19:00:00
berlin three | 2026-11-23 21:00:00 | 2h | 2026-11-24 09:00:00
# Shifts across midnight, from 22:00 to 06:00, also from Sunday into Monday.
berlin night | 2026-11-23 22:00:00 | 8h | 2026-11-24 06:00:00
berlin night | 2026-11-23 23:00:00 | 2h | 2026-11-24 01:00:00
berlin night | 2026-11-24 05:00:00 | 2h | 2026-11-24 23:00:00
berlin night | 2026-11-29 23:00:00 | 3h | 2026-11-30 02:00:00
# The night in which the clocks go forward has seven hours, as 02:00 is 03:00; that in which they go back has nine, and each 02:30 is worked.
berlin night | 2026-03-28 22:00:00 | 7h | 2026-03-29 06:00:00
berlin night | 2026-03-29 01:30:00 | 1h | 2026-03-29 03:30:00
berlin night | 2026-10-24 22:00:00 | 9h | 2026-10-25 06:00:00
berlin night | 2026-10-25 01:30:00 | 1h | 2026-10-25 02:30:00
berlin night | 2026-10-25 01:30:00 | 2h | 2026-10-25 02:30:00b
berlin night | 2026-10-25 02:30:00b | 1h | 2026-10-25 03:30:00
berlin night | 2026-03-28 23:00:00 | 7h | 2026-03-29 23:00:00
berlin night | 2026-10-24 23:00:00 | 9h | 2026-10-25 23:00:00
# Of Friday's shift two hours are left on Friday and six on Saturday; the next is a week later.
berlin friday night | 2026-11-26 12:00:00 | 3h | 2026-11-28 01:00:00
berlin friday night | 2026-11-28 05:59:00 | 2m | 2026-12-04 22:01:00
# All day: a day has 23 or 25 hours where the clocks change. March to September is 214 days less one hour, March to October 245 days, as that comes back.
berlin always | 2026-03-28 12:00:00 | 24h | 2026-03-29 13:00:00
berlin always | 2026-10-24 12:00:00 | 24h | 2026-10-25 11:00:00
berlin always | 2026-12-31 23:59:59 | 2s | 2027-01-01 00:00:01
berlin always | 2026-03-29 00:00:00 | 23h | 2026-03-30 00:00:00
berlin always | 2026-10-25 00:00:00 | 25h | 2026-10-26 00:00:00
berlin always | 2026-01-01 00:00:00 | 8760h | 2027-01-01 00:00:00
berlin always | 2026-03-01 00:00:00 | 5135h | 2026-10-01 00:00:00
berlin always | 2026-03-01 00:00:00 | 5880h | 2026-11-01 00:00:00
# From 10:00 to 10:00 is all day too.
berlin 10 to 10 | 2026-11-23 03:00:00 | 48h | 2026-11-25 03:00:00
# A holiday is cut out from midnight to midnight, of shifts too, and of the days on which the clocks change.
berlin always xmas | 2026-12-24 23:00:00 | 2h | 2026-12-26 01:00:00
berlin night xmas | 2026-12-24 22:00:00 | 3h | 2026-12-26 01:00:00
berlin night xmas | 2026-12-25 23:00:00 | 30m | 2026-12-26 00:30:00
berlin changes free | 2026-03-28 23:00:00 | 2h | 2026-03-30 01:00:00
berlin changes free | 2026-10-24 23:00:00 | 2h | 2026-10-26 01:00:00
# From 01:00 to 02:30 is one hour where 02:00 is skipped, and two and a half where it comes twice.
berlin one to half past two | 2026-03-29 00:00:00 | 2h | 2026-03-30 02:00:00
berlin one to half past two | 2026-10-25 00:00:00 | 2h | 2026-10-25 02:30:00b
# New York changes on other Sundays, at 02:00 as well.
new york | 2026-03-06 16:00:00 | 2h | 2026-03-09 10:00:00
new york | 2026-10-30 16:00:00 | 2h | 2026-11-02 10:00:00
new york night | 2026-03-07 22:00:00 | 7h | 2026-03-08 06:00:00
new york night | 2026-10-31 22:00:00 | 9h | 2026-11-01 06:00:00
new york night | 2026-11-01 00:30:00 | 1h | 2026-11-01 01:30:00
new york night | 2026-11-01 00:30:00 | 2h | 2026-11-01 01:30:00b
new york always | 2026-03-07 12:00:00 | 24h | 2026-03-08 13:00:00
new york always | 2026-10-31 12:00:00 | 24h | 2026-11-01 11:00:00
# India has half an hour more than its neighbours, and no changes.
kolkata | 2026-11-23 09:00:00 | 8h | 2026-11-23 17:00:00
kolkata | 2026-12-31 16:30:00 | 45m | 2027-01-01 09:15:00
kolkata | 2026-03-27 16:00:00 | 2h | 2026-03-30 10:00:00
# Lord Howe moves its clocks by half an hour: from 01:00 to 03:00 is an hour and a half in October, two and a half in April.
lord howe | 2026-10-02 16:00:00 | 2h | 2026-10-05 10:00:00
lord howe | 2026-04-03 16:00:00 | 2h | 2026-04-06 10:00:00
lord howe small hours | 2026-10-04 01:00:00 | 1h 30m | 2026-10-04 03:00:00
lord howe small hours | 2026-10-04 01:30:00 | 1h | 2026-10-04 03:00:00
lord howe small hours | 2026-04-05 01:00:00 | 2h 30m | 2026-04-05 03:00:00
lord howe small hours | 2026-04-05 01:45:00 | 30m | 2026-04-05 01:45:00b
# One minute a week: 53 are over on the 53rd Monday, 480 after nine years; 6,000 would take more than fifty.
one minute a week | 2026-11-23 08:00:00 | 1m | 2026-11-23 09:01:00
one minute a week | 2026-11-23 09:00:30 | 1m | 2026-11-30 09:00:30
one minute a week | 2026-11-23 08:00:00 | 53m | 2027-11-22 09:01:00
one minute a week | 2026-11-23 08:00:00 | 8h | 2036-01-28 09:01:00
one minute a week | 2026-11-23 08:00:00 | 100h | never
# Where nobody works nothing is over, save what takes no time.
never | 2026-11-23 08:00:00 | 1s | never
never | 2026-11-23 08:00:00 | 0s | 2026-11-23 08:00:00
# What overlaps or touches counts once: six hours a day.
overlapping | 2026-11-23 09:00:00 | 6h | 2026-11-23 15:00:00
overlapping | 2026-11-23 11:30:00 | 4h | 2026-11-24 09:30:00
# Hours of the clock.
always | 2026-11-23 08:00:00 | 72h | 2026-11-26 08:00:00
"""
CASES = [tuple(part.strip() for part in line.split("|")) for line in TABLE.strip().splitlines() if line[0] != "#"]


def moment(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text.rstrip("b")).replace(tzinfo=ZoneInfo(zone), fold=text.endswith("b"))


def span(text: str) -> timedelta:
    units = {"h": 3600, "m": 60, "s": 1}
    return timedelta(seconds=sum(int(part[:-1]) * units[part[-1]] for part in text.split()))


@pytest.mark.parametrize(("name", "start", "worked", "end"), CASES)
def test_working_time_when_computed_by_hand_then_is_the_same(name, start, worked, end):
    hours = CALENDARS[name]
    begins = moment(start, hours.zone)
    if end == "never":
        assert hours.add(begins, span(worked)) is None
        return
    ends = moment(end, hours.zone)
    assert (hours.add(begins, span(worked)), hours.between(begins, ends)) == (ends.astimezone(UTC), span(worked))


def test_table_when_counted_then_holds_sixty_at_least():
    assert len(set(CASES)) >= 60


ZONES = (BERLIN, NEW_YORK, KOLKATA, LORD_HOWE, "America/St_Johns", "Africa/Casablanca", "Pacific/Apia", "America/Havana")
_FIRST = datetime(2011, 12, 1)  # noqa: DTZ001 hypothesis adds the zone; Apia had no 2011-12-30
MOMENTS = st.datetimes(_FIRST, _FIRST.replace(year=2031), timezones=st.just(UTC))
DAYS = st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 1440)), max_size=3).map(tuple)
SPANS = st.integers(0, 400 * 3600 * 10**6).map(lambda ticks: timedelta(microseconds=ticks))


@st.composite
def calendars(draw) -> Calendar:
    holidays = draw(st.frozensets(st.dates(date(2011, 12, 1), date(2031, 1, 1)), max_size=20))
    return Calendar(draw(st.sampled_from(ZONES)), tuple(draw(DAYS) for _day in range(7)), holidays)


@settings(max_examples=150, deadline=None)
@given(calendars(), MOMENTS, SPANS, SPANS)
@example(CALENDARS["berlin night"], datetime(2026, 10, 24, 23, 30, tzinfo=UTC), timedelta(hours=1), timedelta(hours=1))
def test_working_time_when_added_then_is_what_lies_between(hours, start, one, two):
    end = hours.add(start, one)
    later = hours.add(start, one + two)
    if end is None or later is None:
        assert later is None  # what takes longer is not over sooner
        return
    assert (hours.between(start, end), hours.between(start, later), hours.between(later, start)) == (one, one + two, timedelta())
    assert start <= end <= later
    assert hours.add(end, two) == later  # in two steps as in one, so no pause gains or loses time
    assert timedelta() <= hours.between(start, start + two) <= two


@settings(max_examples=25, deadline=None)
@given(calendars(), MOMENTS)
def test_working_time_when_counted_minute_by_minute_then_is_the_same(hours, start):
    """Against the rule itself: a minute counts when the clock on the wall says so."""
    start = start.replace(second=0, microsecond=0)
    zone = ZoneInfo(hours.zone)

    def counts(at: datetime) -> bool:
        wall = at.astimezone(zone)
        minute, today, yesterday = wall.hour * 60 + wall.minute, hours.week[wall.weekday()], hours.week[wall.weekday() - 1]
        is_open = any(o <= minute < (c if c > o else 1440) for o, c in today) or any(c <= o and minute < c for o, c in yesterday)
        return is_open and wall.date() not in hours.holidays

    minutes = range(3 * 1440)
    counted = sum(counts(start + timedelta(minutes=minute)) for minute in minutes)
    assert hours.between(start, start + timedelta(minutes=len(minutes))) == timedelta(minutes=counted)
