"""Resolved tickets close by themselves, once, and none waits for another. Time passes by moving rows back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from tests.factories import make_ticket, message
from tickets import actions, sharing, sweeps
from tickets.lifecycle import Category
from tickets.models import Event, EventKind, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db
HOURS_48 = timedelta(hours=48)


@pytest.fixture
def resolved(ana, dan):
    ticket = make_ticket(ana)
    return actions.resolve(ticket, actor=dan, type=TicketType.objects.get(name="Bug"))


def pass_time(span: timedelta) -> None:
    """As if everything resolved had been so for `span` longer."""
    Ticket.objects.update(close_due_at=F("close_due_at") - span, resolved_at=F("resolved_at") - span)


def closes(ticket: Ticket) -> list[Event]:
    return list(ticket.events.filter(kind=EventKind.CLOSED))


def test_resolved_when_just_short_of_48_hours_then_stays(resolved):
    pass_time(HOURS_48 - timedelta(minutes=1))
    assert (sweeps.close_due(), closes(resolved)) == (0, [])


def test_resolved_when_48_hours_over_then_closes_by_itself_once(resolved):
    pass_time(HOURS_48)
    assert [sweeps.close_due() for _ in range(3)] == [1, 0, 0]
    resolved.refresh_from_db()
    (event,) = closes(resolved)
    assert (resolved.status.name, resolved.close_due_at, event.actor) == ("Closed", None, None)


def test_closed_by_itself_when_looked_at_then_keeps_when_it_was_resolved(resolved):
    pass_time(HOURS_48)
    sweeps.close_due()
    resolved.refresh_from_db()
    assert resolved.closed_at - resolved.resolved_at >= HOURS_48


def test_resolved_when_customer_replies_then_never_closes_by_itself(resolved, ana):
    actions.comment(resolved, actor=ana, message=message("Still broken."))
    pass_time(HOURS_48 * 2)
    assert (sweeps.close_due(), closes(resolved)) == (0, [])


def test_resolved_when_resolved_again_then_48_hours_begin_anew(resolved, ana, dan):
    pass_time(HOURS_48 - timedelta(hours=1))
    actions.reopen(resolved, actor=ana)
    actions.resolve(resolved, actor=dan)
    pass_time(timedelta(hours=2))
    assert sweeps.close_due() == 0
    pass_time(HOURS_48)
    assert sweeps.close_due() == 1


@pytest.mark.parametrize("verb", ["note", "agent_reply", "take", "follow", "type"])
def test_resolved_when_touched_without_being_reopened_then_due_time_stays(resolved, dan, ben, verb):
    due = Ticket.objects.get(pk=resolved.pk).close_due_at
    {
        "note": lambda: actions.add_note(resolved, actor=dan, message=message("Note")),
        "agent_reply": lambda: actions.comment(resolved, actor=dan, message=message("You are welcome.")),
        "take": lambda: actions.take(resolved, actor=dan),
        "follow": lambda: sharing.follow(resolved, actor=ben),
        "type": lambda: actions.set_type(resolved, actor=dan, type=TicketType.objects.get(name="DevOps")),
    }[verb]()
    assert Ticket.objects.get(pk=resolved.pk).close_due_at == due


def test_due_when_one_ticket_fails_then_the_others_close(resolved, ana, dan, caplog, monkeypatch):
    others = [actions.resolve(make_ticket(ana), actor=dan, type=TicketType.objects.first()) for _ in range(2)]
    pass_time(HOURS_48)
    close = actions.close_if_due

    def poisoned(number):
        if number == resolved.pk:
            raise RuntimeError("poison")
        return close(number)

    monkeypatch.setattr(actions, "close_if_due", poisoned)
    assert sweeps.close_due() == 2
    assert [bool(closes(ticket)) for ticket in (resolved, *others)] == [False, True, True]
    assert f"ticket {resolved.pk} could not be closed" in caplog.text


def test_due_when_there_is_no_closed_status_to_go_to_then_waits_and_is_told(resolved, caplog):
    pass_time(HOURS_48)
    Status.objects.filter(category=Category.CLOSED).update(is_default=False)
    assert (sweeps.close_due(), "could not be closed" in caplog.text) == (0, True)
    Status.objects.filter(name="Closed").update(is_default=True)
    assert sweeps.close_due() == 0  # put off, so that it does not stand before others each minute
    pass_time(timedelta(hours=1))
    assert sweeps.close_due() == 1


def test_status_when_it_has_no_span_then_never_closes_by_itself(resolved, ana, dan):
    Status.objects.filter(name="Resolved").update(closes_after=None)
    lasting = actions.resolve(make_ticket(ana), actor=dan, type=TicketType.objects.first())
    pass_time(HOURS_48 * 100)
    assert (sweeps.close_due(), closes(lasting)) == (1, [])


def test_sweep_when_it_was_down_for_days_then_catches_up_once(ana, dan):
    tickets = [actions.resolve(make_ticket(ana), actor=dan, type=TicketType.objects.first()) for _ in range(5)]
    pass_time(timedelta(days=30))
    assert (sweeps.close_due(), sweeps.close_due()) == (5, 0)
    assert Event.objects.filter(kind=EventKind.CLOSED, ticket__in=tickets, at__lte=timezone.now()).count() == 5
