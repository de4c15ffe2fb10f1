"""Snoozing: out of the queue until a time, or until the customer writes; and nothing the customer could notice."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from notifications.models import Delivery
from notifications.relay import relay_waiting
from tests.desk.pages import rows, send, words
from tests.factories import message
from tickets import access, actions, snoozing, sweeps
from tickets.models import EventKind, Status, Ticket, TicketType

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "tomorrow", "monday"),
    [
        ("2026-11-27 17:30", "2026-11-28 09:00", "2026-11-30 09:00"),
        ("2026-11-30 08:59", "2026-12-01 09:00", "2026-12-07 09:00"),
        ("2027-03-27 23:59", "2027-03-28 09:00", "2027-03-29 09:00"),  # the clocks go forward that night
    ],
)
def test_times_when_offered_then_are_nine_by_the_persons_clock(now, tomorrow, monday):
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=BERLIN)

    assert (snoozing.tomorrow(at(now)), snoozing.next_monday(at(now))) == (at(tomorrow), at(monday))


@pytest.mark.parametrize("days_later", [0, 3])
def test_menu_when_tomorrow_is_monday_then_offers_it_once(desk, ticket, monkeypatch, days_later):
    monkeypatch.setattr(snoozing, "next_monday", lambda now: snoozing.tomorrow(now) + timedelta(days=days_later))
    page = desk.get(f"/desk/tickets/{ticket.number}/").content.decode()
    assert ("Until tomorrow" in page, "Until next Monday" in page) == (True, days_later > 0)


def fresh(ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


@pytest.fixture
def snoozed(desk, ticket):
    send(desk, ticket, "snooze", when="tomorrow")
    return fresh(ticket)


def test_ticket_when_snoozed_then_is_out_of_the_queue_and_says_until_when(desk, snoozed, ana):
    assert timezone.localtime(snoozed.snoozed_until).hour == 9
    assert (rows(desk.get("/desk/tickets/")), rows(desk.get("/desk/tickets/?q=is:snoozed"))) == ([], [snoozed.number])
    assert rows(desk.get("/desk/tickets/?q=Player")) == [snoozed.number]
    shown = desk.get("/desk/tickets/?q=requester:ana@acme.example")
    assert (rows(shown), "1 more is snoozed" in words(shown)) == ([], True)
    (beside,) = re.findall(r'href="([^"]+)">1 more is snoozed', shown.content.decode())
    assert rows(desk.get(beside.replace("&amp;", "&"))) == [snoozed.number]
    assert "more is snoozed" not in words(desk.get("/desk/tickets/?q=assignee:me")) + words(desk.get("/desk/tickets/?q=is:snoozed"))
    page = words(desk.get(reverse("desk_ticket", args=[snoozed.number])))
    assert "snoozed until" in page
    assert "Dan Support snoozed the ticket until" in page
    assert "snoozed" not in words(desk.get("/desk/")).lower()
    relay_waiting()
    assert not Delivery.objects.filter(event__kind=EventKind.SNOOZED).exists()
    assert [event.kind for event in access.events_for(ana, snoozed)] == ["opened"]


def test_ticket_when_woken_by_undo_then_is_back(desk, snoozed):
    send(desk, snoozed, "wake")
    assert (fresh(snoozed).snoozed_until, rows(desk.get("/desk/tickets/"))) == (None, [snoozed.number])


def test_ticket_when_the_customer_writes_then_is_back_at_once(desk, snoozed, ana):
    actions.comment(snoozed, actor=ana, message=message("Any news?"))
    assert (fresh(snoozed).snoozed_until, rows(desk.get("/desk/tickets/"))) == (None, [snoozed.number])
    assert "replied, which woke the snoozed ticket" in words(desk.get(reverse("desk_ticket", args=[snoozed.number])))


def test_ticket_when_an_agent_notes_then_sleeps_on(snoozed, dan):
    actions.add_note(snoozed, actor=dan, message=message("Asked them by phone."))
    actions.comment(snoozed, actor=dan, message=message("We are still waiting for the vendor."))
    assert fresh(snoozed).snoozed_until == snoozed.snoozed_until


def test_ticket_when_it_is_done_then_nothing_wakes_it_later(snoozed, dan):
    actions.resolve(snoozed, actor=dan, type=TicketType.objects.first())
    assert fresh(snoozed).snoozed_until is None
    actions.reopen(fresh(snoozed), actor=dan)
    assert (fresh(snoozed).snoozed_until, sweeps.wake_due()) == (None, 0)


def test_sweep_when_its_time_has_come_then_wakes_it_once(desk, snoozed):
    assert sweeps.wake_due() == 0
    Ticket.objects.update(snoozed_until=timezone.now() - timedelta(minutes=1))
    assert (sweeps.wake_due(), sweeps.wake_due()) == (1, 0)
    assert snoozed.events.filter(kind=EventKind.WOKEN).count() == 1
    assert "The ticket is back: it was snoozed until now" in words(desk.get(reverse("desk_ticket", args=[snoozed.number])))


def test_sweep_when_one_fails_then_others_wake(snoozed, ana, monkeypatch):
    second = actions.open_ticket(actor=ana, requester=ana, subject="Second", message=message())
    Ticket.objects.update(snoozed_until=timezone.now() - timedelta(minutes=1))
    wake = snoozing.wake_if_due

    def fails_once(number: int) -> bool:
        if number == snoozed.number:
            raise RuntimeError
        return wake(number)

    monkeypatch.setattr(snoozing, "wake_if_due", fails_once)
    assert sweeps.wake_due() == 1
    assert (fresh(second).snoozed_until, fresh(snoozed).snoozed_until > timezone.now()) == (None, True)


@pytest.mark.parametrize("data", [{}, {"at": "yesterday"}, {"at": "2020-01-01T09:00"}, {"at": "9999-12-31T23:59"}, {"when": "never"}])
def test_snooze_when_the_time_makes_no_sense_then_says_so(desk, ticket, data):
    response = send(desk, ticket, "snooze", **data)
    said = words(desk.get(response["Location"], follow=True))
    assert ("Choose a" in said, fresh(ticket).snoozed_until) == (True, None)


def test_snooze_when_the_ticket_is_done_then_is_refused(desk, ticket, dan):
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Closed"))
    send(desk, ticket, "snooze", when="tomorrow")
    assert fresh(ticket).snoozed_until is None
