"""Every figure of every report, against what was counted by hand.

The period is the 24th to the 26th, the one before the 21st to the 23rd. On the wall: A was there before both; B came as the 21st began and was resolved in
the last second of the 23rd; C came in the last millisecond of the 23rd, was resolved on the 24th, reopened on the 25th and resolved on the 26th; D, E and F
came on the 25th, E and F both at half past two, an hour apart; D was resolved as the 26th began; G came in the last minute of the 26th, H a minute later.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tickets import access
from tickets.reports import asked, build, tables

pytestmark = pytest.mark.django_db

PERIOD = {"from": "2026-10-24", "to": "2026-10-26"}


def report(name, user, **params):
    asks = asked.read(PERIOD | params, user, now=datetime(2026, 11, 28, 12, tzinfo=UTC))
    return build.REPORTS[name](access.tickets_for(user), asks)


def numbers(table):
    """Each row as its label and its (value, before)."""
    rows = [*table.rows, *([table.total] if table.total else [])]
    return {row.label: [(cell.value, cell.before) for cell in row.cells] for row in rows}


def test_volume_when_the_clock_changes_then_days_are_those_of_the_wall(october, dan):
    assert numbers(report("volume", dan).table) == {
        #              created  resolved reopened open at the end
        "2026-10-24": [(0, 1), (1, 0), (0, 0), (1, 2)],
        "2026-10-25": [(3, 0), (0, 0), (1, 0), (5, 2)],
        "2026-10-26": [(1, 1), (2, 1), (0, 0), (4, 2)],
        "In all": [(4, 2), (3, 1), (1, 0), (4, 2)],
    }


def test_volume_when_by_weeks_and_months_then_adds_up_to_the_same(october, dan):
    weeks = numbers(report("volume", dan, by="week").table)
    assert weeks == {
        "2026-10-24": [(3, 2), (1, 1), (1, 0), (5, 2)],  # Saturday and Sunday; before, all three days lie in one week
        "2026-10-26": [(1, None), (2, None), (0, None), (4, None)],
        "In all": [(4, 2), (3, 1), (1, 0), (4, 2)],
    }
    months = numbers(report("volume", dan, **{"from": "2026-09-01", "to": "2026-10-31", "by": "month"}).table)
    assert months["2026-10"] == [(8, 0), (4, 0), (1, 0), (5, 0)]


def test_volume_when_the_group_is_private_then_is_counted_for_its_members_alone(october, eve):
    assert numbers(report("volume", eve).table)["In all"] == [(5, 2), (3, 1), (1, 0), (5, 2)]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (
            "type",
            {
                "Bug": [(1, 1), (2, 0), (1, 0), (2, 2)],
                "Question": [(1, 1), (0, 1), (0, 0), (1, 0)],
                "No type": [(2, 0), (1, 0), (0, 0), (1, 0)],
            },
        ),
        (
            "agent",
            {
                "Eve Devops": [(1, 1), (2, 0), (1, 0), (1, 1)],
                "Dan Support": [(0, 1), (0, 1), (0, 0), (1, 1)],
                "Nobody": [(3, 0), (1, 0), (0, 0), (2, 0)],
            },
        ),
        (
            "organization",
            {
                "Globex": [(4, 1), (3, 0), (1, 0), (3, 1)],
                "Acme": [(0, 1), (2, 0), (1, 0), (1, 2)],
                "No organization": [(0, 1), (0, 1), (0, 0), (0, 0)],
            },
        ),
        ("channel", {"Portal": [(4, 1), (3, 0), (1, 0), (3, 1)], "Email": [(0, 1), (0, 1), (0, 0), (1, 1)]}),
        ("priority", {"Urgent": [(0, 1), (2, 0), (1, 0), (0, 1)], "No priority": [(4, 1), (1, 1), (0, 0), (4, 1)]}),
        ("group", {"No group": [(4, 2), (3, 1), (1, 0), (4, 2)]}),
    ],
)
def test_volume_when_by_a_property_then_counts_what_tickets_have(october, dan, by, expected):
    table = report("volume", dan, by=by).table
    urgent = october["C"].priority.name
    assert numbers(table) == {urgent if name == "Urgent" else name: row for name, row in expected.items()} | {
        "In all": [(4, 2), (3, 1), (1, 0), (4, 2)]  # of organizations too: C counts once
    }


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (
            "first",
            {
                #             tickets   median        90 %
                "2026-10-24": [(1, 1), (540, 30), (540, 30)],
                "2026-10-25": [(3, 1), (80, 2880), (1440, 2880)],  # D's day from 0:10 to 23:10 had 24 hours
                "2026-10-26": [(0, 0), (None, None), (None, None)],
                "In all": [(4, 2), (80, 30), (1440, 2880)],
            },
        ),
        (
            "next",
            {
                "2026-10-24": [(0, 0), (None, None), (None, None)],
                "2026-10-25": [(1, 1), (1500, 60), (1500, 60)],
                "2026-10-26": [(0, 0), (None, None), (None, None)],
                "In all": [(1, 1), (1500, 60), (1500, 60)],
            },
        ),
        (
            "resolution",
            {
                "2026-10-24": [(0, 0), (None, None), (None, None)],
                "2026-10-25": [(0, 0), (None, None), (None, None)],
                "2026-10-26": [(2, 1), (1490, 4319), (3480, 4319)],
                "In all": [(2, 1), (1490, 4319), (3480, 4319)],
            },
        ),
    ],
)
def test_times_when_days_have_25_hours_then_are_real_ones(october, dan, measure, expected):
    assert numbers(report("times", dan, measure=measure).table) == expected


def test_times_when_by_a_property_or_of_some_tickets_then_are_theirs(october, dan, acme):
    assert numbers(report("times", dan, by="type").table) == {
        "Bug": [(2, 1), (5, 2880), (540, 2880)],
        "Question": [(1, 1), (80, 30), (80, 30)],
        "No type": [(1, 0), (1440, None), (1440, None)],
        "In all": [(4, 2), (80, 30), (1440, 2880)],
    }
    assert numbers(report("times", dan, by="week", organization=str(acme.pk)).table)["In all"] == [(1, 1), (540, 2880), (540, 2880)]


def test_times_when_by_organization_then_what_two_of_them_share_counts_once_in_all(october, dan):
    assert numbers(report("times", dan, by="organization").table) == {
        "Globex": [(4, 0), (80, None), (1440, None)],  # C too, which took 540 minutes
        "Acme": [(1, 1), (540, 2880), (540, 2880)],
        "No organization": [(0, 1), (None, 30), (None, 30)],
        "In all": [(4, 2), (80, 30), (1440, 2880)],
    }


@pytest.mark.parametrize("name", ["volume", "times", "sla"])
def test_tables_when_there_are_more_rows_than_are_listed_then_say_so(october, dan, monkeypatch, name):
    said = "Those with the most tickets are listed."
    monkeypatch.setattr(tables, "MOST_ROWS", 2)
    assert said not in report(name, dan, by="agent").table.note  # two, and what nobody has
    monkeypatch.setattr(tables, "MOST_ROWS", 1)
    assert said in report(name, dan, by="agent").table.note


def test_times_when_working_hours_are_known_then_stand_beside(october, dan):
    for name, seconds in (("C", 3600), ("D", 28_799)):
        october[name].first_response_work = seconds
        october[name].save()
    table = report("times", dan).table
    assert (table.columns[3:], numbers(table)["In all"][3:]) == (
        ["Median, business hours", "90 % within, business hours"],
        [(60, None), (479, None)],
    )


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (
            "first",
            {
                #              kept    missed  in percent
                "2026-10-24": [(0, 1), (0, 1), (None, 50.0)],
                "2026-10-25": [(2, 0), (1, 0), (66.7, None)],
                "2026-10-26": [(0, 0), (0, 0), (None, None)],
                "In all": [(2, 1), (1, 1), (66.7, 50.0)],
            },
        ),
        (
            "resolution",
            {
                "2026-10-24": [(0, 0), (0, 0), (None, None)],
                "2026-10-25": [(0, 0), (0, 1), (None, 0.0)],
                "2026-10-26": [(2, 0), (0, 0), (100.0, None)],
                "In all": [(2, 0), (0, 1), (100.0, 0.0)],
            },
        ),
    ],
)
def test_promises_when_kept_or_missed_then_count_on_the_day_of_it(october, dan, measure, expected):
    assert numbers(report("sla", dan, measure=measure).table) == expected


def test_promises_when_by_a_property_then_are_its_tickets(october, dan):
    assert numbers(report("sla", dan, by="organization").table) == {
        "Globex": [(2, 0), (1, 0), (66.7, None)],
        "Acme": [(0, 0), (0, 1), (None, 0.0)],
        "No organization": [(0, 1), (0, 0), (None, 100.0)],
        "In all": [(2, 1), (1, 1), (66.7, 50.0)],
    }
    assert numbers(report("sla", dan, by="type", measure="next").table)["Bug"] == [(0, 1), (1, 0), (0.0, 100.0)]


def test_hours_when_an_hour_comes_twice_then_holds_both(october, dan):
    table = report("hours", dan).table
    sunday, monday = table.rows[6], table.rows[0]
    assert [(hour, cell.value) for hour, cell in enumerate(sunday.cells) if cell.value] == [(0, 1), (2, 2), (24, 3)]
    assert [(hour, cell.value) for hour, cell in enumerate(monday.cells) if cell.value] == [(23, 1), (24, 1)]
    assert table.total.cells[24].value == 4


def test_oldest_when_listed_then_are_the_unresolved_ones_that_one_sees(october, dan, eve, globex):
    assert [row.cells[0].value for row in report("oldest", dan).table.rows] == ["A", "F", "E", "G", "H"]
    assert [row.cells[0].value for row in report("oldest", eve, organization="none").table.rows] == ["P"]
    assert report("oldest", dan).table.rows[2].cells[1].value == "2026-10-25 02:30"


def test_overview_when_shown_then_are_the_sums_of_the_other_reports(october, dan):
    overview = report("overview", dan)
    assert [(row.label, row.cells[0].value, row.cells[0].before) for row in overview.tiles] == [
        ("Created", 4, 2),
        ("Resolved", 3, 1),
        ("Reopened", 1, 0),
        ("Open at the end", 4, 2),
        ("First response, median", 80, 30),
        ("Resolution, median", 1490, 4319),
        ("SLA kept", 66.7, 50.0),
    ]
    assert numbers(overview.steps) == numbers(report("volume", dan).table)


def test_overview_when_nothing_is_chosen_then_counts_the_promises_that_one_sees(october, dan, eve):
    """Counted less what the person does not see: spam for both, and for Dan the private group's."""
    kept = [[report("overview", who, **chosen).tiles[-1].cells[0].value for chosen in ({}, {"agent": "none"})] for who in (dan, eve)]
    assert kept == [[66.7, 100.0], [57.1, 75.0]]


def test_filters_when_they_make_no_sense_then_are_left_out(october, dan):
    nonsense = {"type": "x", "channel": "fax", "agent": "-1", "organization": "9" * 30, "by": "moon", "measure": "beauty", "group": "０"}
    assert numbers(report("volume", dan, **nonsense).table)["In all"] == [(4, 2), (3, 1), (1, 0), (4, 2)]
    assert numbers(report("volume", dan, agent="me", channel="email").table)["In all"] == [(0, 1), (0, 1), (0, 0), (1, 1)]
    assert asked.read({"from": "yesterday", "to": "9999-99-99"}, dan).is_bad_period
