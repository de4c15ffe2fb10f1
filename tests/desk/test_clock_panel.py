"""What agents see of a ticket's SLA, on its page and in the queue, and that customers see nothing of it. Berlin's time, as in tests/tickets/test_clocks.py."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.desk.pages import words
from tests.factories import make_policy, make_ticket, message
from tickets import actions
from tickets.desk.clock_panel import dials
from tickets.models import Event, Priority, SlaTarget, Status, TicketType
from tickets.sla import clocks

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(monkeypatch):
    """Sets the machine's clock to a time of Monday 23 November 2026 in Berlin, or of a day of that week."""

    def set_clock(hour: int, minute: int = 0, day: int = 23) -> datetime:
        now = datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: now)
        return now

    set_clock(9)
    return set_clock


@pytest.fixture
def ticket(workflow, at, ana):
    policy = make_policy()
    SlaTarget.objects.create(
        policy=policy, priority=Priority.objects.get(name="High"), first_response=timedelta(hours=1), resolution=timedelta(hours=4)
    )
    return make_ticket(ana)


def shown(ticket, now):
    events = list(ticket.events.select_related("actor").order_by("pk"))
    return {dial.label: dial for dial in dials(ticket, events, now=now)}


def test_dials_when_the_clock_runs_then_say_what_is_left_and_colour_the_last_quarter(ticket, at):
    told = [
        (shown(ticket, at(*time))["First response"].words, shown(ticket, at(*time))["First response"].tone)
        for time in ((9,), (12, 1), (14, 30))
    ]
    assert told == [("4h left", ""), ("59m left", "near"), ("Overdue by 1h 30m", "late")]


def test_story_when_told_then_says_what_happened_when_by_whom_and_why(ticket, at, ana, dan):
    at(10)
    actions.comment(ticket, actor=dan, message=message(), status=Status.objects.get(name="Waiting on Customer"))
    at(11)
    actions.comment(ticket, actor=ana, message=message())
    at(11, 30)
    actions.set_priority(ticket, actor=dan, priority=Priority.objects.get(name="High"))
    at(15, 5)
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    resolution = shown(ticket, at(16))["Resolution"]
    assert (resolution.words, resolution.promise) == ("Missed by 1h 5m", "4h of business hours (Hours of Standard) · Standard · High")
    assert [f"{line.at:%H:%M} {line.words} | {line.who} {line.why}".strip() for line in resolution.story] == [
        "08:00 Began, 16h to go | Ana Ford opened the ticket",
        "09:00 Paused with 15h left | Dan Support replied and set the status to Waiting on Customer",
        "10:00 Ran on, 15h left | Ana Ford replied and set the status to In Progress",
        "10:30 Another promise: 4h in all | Dan Support set the priority to High",
        "13:00 Time was over |",
        "14:05 Done, 1h 5m late | Dan Support resolved the ticket, with the type Bug",
    ]
    assert shown(ticket, at(16))["Next response"].words == "No longer needed"


def test_page_when_an_agent_looks_then_has_the_clocks_and_a_customer_has_nothing_of_them(ticket, at, dan, ana, django_assert_num_queries):
    timezone.activate("Europe/Berlin")
    pages = []
    for person, address in ((dan, f"/desk/tickets/{ticket.pk}/"), (ana, f"/tickets/{ticket.pk}/")):
        client = Client()
        client.force_login(person)
        pages.append(client.get(address).content.decode())
    desk, portal = pages
    assert ("4h left" in desk, "16h left" in desk, "Standard" in desk) == (True, True, True)
    assert [word for word in ("SLA", "4h left", "Standard", "Resolution", "dial") if word in portal] == []


@pytest.mark.parametrize("replies", [0, 6])
def test_dials_when_the_history_is_long_then_ask_one_query(ticket, at, ana, dan, django_assert_num_queries, replies):
    for _reply in range(replies):
        actions.comment(ticket, actor=dan, message=message())
        actions.comment(ticket, actor=ana, message=message())
    events = list(ticket.events.select_related("actor").order_by("pk"))
    with django_assert_num_queries(1):
        dials(ticket, events, now=timezone.now())


def test_queue_when_shown_then_says_what_is_left_late_or_paused(workflow, ana, dan):
    make_policy().targets.update(in_business_hours=False)
    tickets = [make_ticket(ana) for _ticket in range(4)]
    for ticket, ago in zip(tickets, (timedelta(), timedelta(hours=3, minutes=30), timedelta(hours=5), timedelta()), strict=True):
        Event.objects.filter(ticket=ticket).update(at=timezone.now() - ago)
        clocks.recompute(ticket.pk)
    actions.change_status(tickets[3], actor=dan, status=Status.objects.get(name="Waiting on Customer"))
    client = Client()
    client.force_login(dan)
    assert sorted(due_cells(client)) == ["29m", "3h 59m", "overdue by − 1h", "paused"]


def due_cells(client):
    html = client.get("/desk/tickets/?sort=created").content.decode()
    cells = re.findall(r'<td class="col-due">(.*?)</td>', html, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells]


def test_queue_when_a_night_lies_between_then_says_the_hours_of_work_as_the_ticket_does(ticket, at, dan):
    client = Client()
    client.force_login(dan)
    for moment, row, page in (
        ((12, 0), "1h", "1h left"),  # the first response is due at 13
        ((13, 0), "overdue", "Overdue"),
        ((20, 0), "overdue by − 4h", "Overdue by 4h"),
        ((10, 0, 24), "overdue by − 5h", "Overdue by 5h"),
        ((10, 0, 26), "overdue by − 21h", "Overdue by 21h"),
    ):
        at(*moment)
        assert (due_cells(client), page in client.get(f"/desk/tickets/{ticket.pk}/").content.decode()) == ([row], True)


def test_clock_when_due_as_work_ends_then_is_overdue_though_nobody_has_worked_since(ticket, at, dan):
    """No hour of work has gone by since, so that there is none to count."""
    SlaTarget.objects.update(first_response=timedelta(hours=8))
    late = make_ticket(ticket.requester)
    now = at(20)
    dial = shown(late, now)["First response"]
    client = Client()
    client.force_login(dan)
    assert (dial.words, dial.tone, dial.is_over) == ("Overdue", "late", True)
    assert due_cells(client)[0] == "overdue"
    waiting = Status.objects.get(name="Waiting on Customer")
    actions.change_status(late, actor=dan, status=waiting)
    paused = shown(late, now)["First response"].words
    at(21)
    actions.change_status(late, actor=dan, status=Status.objects.get(name="In Progress"))
    at(22)
    actions.comment(late, actor=dan, message=message())
    dial = shown(late, now)["First response"]
    assert (paused, dial.words) == ("Paused, overdue", "Missed")
    assert [line.words for line in dial.story] == ["Began, 8h to go", "Time was over", "Paused, overdue", "Ran on, overdue", "Done late"]


def test_page_when_a_promise_was_kept_then_says_when_and_with_how_much_to_spare(ticket, at, dan):
    at(11, 40)
    actions.comment(ticket, actor=dan, message=message())
    client = Client()
    client.force_login(dan)
    page = words(client.get(f"/desk/tickets/{ticket.pk}/"))
    told = page[page.index("First response Met") : page.index(" : the story of First response")]
    assert told == "First response Met, 1h 20m to spare Met, 1h 20m to spare done Mon 23 Nov, 10:40"
