"""Days of the company's calendar, and the period before."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from tickets.reports.periods import Period, Span, Step, between, named

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YEAR, TODAY = date(2026, 1, 1), date(2026, 11, 28)  # a Saturday


def period(first, last, zone=BERLIN):
    return Period(date.fromisoformat(first), date.fromisoformat(last), zone)


def days(one):
    return one.first.isoformat(), one.last.isoformat()


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-10-24", "Europe/Berlin", 24),
        ("2026-10-25", "Europe/Berlin", 25),
        ("2026-03-29", "Europe/Berlin", 23),
        ("2026-10-04", "Australia/Lord_Howe", 23.5),  # its clock moves by half an hour
        ("2026-09-06", "America/Santiago", 23),  # at midnight: this day has no 0:00
        ("2026-04-04", "America/Santiago", 25),
    ],
)
def test_day_when_clocks_change_then_it_is_as_long_as_it_was(day, zone, hours):
    one = period(day, day, ZoneInfo(zone))
    assert one.ends - one.begins == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        ("2026-11-22", "2026-11-28", ("2026-11-15", "2026-11-21")),
        ("2026-03-01", "2026-03-31", ("2026-02-01", "2026-02-28")),  # a month, however long
        ("2026-01-01", "2026-12-31", ("2025-01-01", "2025-12-31")),
        ("2026-01-01", "2026-03-31", ("2025-10-01", "2025-12-31")),
        ("2026-11-01", "2026-11-28", ("2026-10-04", "2026-10-31")),  # no whole month
        ("2024-02-29", "2024-02-29", ("2024-02-28", "2024-02-28")),
    ],
)
def test_period_before_when_asked_for_then_ends_where_this_begins(first, last, before):
    assert days(period(first, last).before) == before


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (Span.DAYS_7, ("2026-11-22", "2026-11-28")),
        (Span.DAYS_365, ("2025-11-29", "2026-11-28")),
        (Span.LAST_WEEK, ("2026-11-16", "2026-11-22")),
        (Span.THIS_MONTH, ("2026-11-01", "2026-11-28")),
        (Span.LAST_MONTH, ("2026-10-01", "2026-10-31")),
        (Span.THIS_YEAR, ("2026-01-01", "2026-11-28")),
        (Span.LAST_YEAR, ("2025-01-01", "2025-12-31")),
    ],
)
def test_period_when_named_then_moves_with_today(span, expected):
    assert days(named(span, TODAY, BERLIN)) == expected


def test_last_month_when_it_is_january_then_is_december():
    assert days(named(Span.LAST_MONTH, NEW_YEAR, BERLIN)) == ("2025-12-01", "2025-12-31")


def test_steps_when_period_cuts_them_then_first_and_last_are_shorter():
    assert [days(step) for step in period("2026-10-30", "2026-11-10").steps(Step.WEEK)] == [
        ("2026-10-30", "2026-11-01"),
        ("2026-11-02", "2026-11-08"),
        ("2026-11-09", "2026-11-10"),
    ]
    assert [days(step) for step in period("2025-12-30", "2026-02-01").steps(Step.MONTH)] == [
        ("2025-12-30", "2025-12-31"),
        ("2026-01-01", "2026-01-31"),
        ("2026-02-01", "2026-02-01"),
    ]
    assert len(period("2026-10-24", "2026-10-26").steps(Step.DAY)) == 3


def test_dates_when_turned_round_or_absurd_then_are_set_right_or_refused():
    assert days(between(TODAY, NEW_YEAR, BERLIN)) == ("2026-01-01", "2026-11-28")
    assert between(date.min, TODAY, BERLIN) is None
    assert between(NEW_YEAR, date.max, BERLIN) is None
    assert between(date(2010, 1, 1), date(2026, 1, 1), BERLIN) is None
