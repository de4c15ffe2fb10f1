"""What the verbs keep for reports: answers to who waits, and resolutions that did not last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.models import AgentGroup
from tests.factories import make_policy, make_ticket, message
from tickets import actions
from tickets.models import Status, Ticket, TicketType

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ticket(clock, workflow, ana) -> Ticket:
    return make_ticket(ana)


def kept(ticket):
    """Kind, and hours after noon."""
    return [
        (row.kind, *((at - NOON) // timedelta(hours=1) for at in (row.began_at, row.ended_at))) for row in ticket.stretches.order_by("pk")
    ]


def test_resolution_when_another_policy_counts_since_the_first_answer_then_is_measured_in_its_hours(clock, workflow, ana, dan):
    make_policy("Others", zone="UTC", hours="09:00-17:00", position=2)
    devops = AgentGroup.objects.get(name="DevOps")
    make_policy("Late shift", zone="UTC", hours="16:00-20:00", position=1, group=devops)
    ticket = make_ticket(ana)
    clock.move_to(NOON + timedelta(hours=1))
    actions.comment(ticket, actor=dan, message=message())
    actions.set_group(ticket, actor=dan, group=devops)
    clock.move_to(NOON + timedelta(hours=6))  # 18:00
    ticket = actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    assert (ticket.first_response_work, ticket.resolution_work) == (3600, 2 * 3600)


def test_answers_when_customers_wait_then_each_wait_is_kept_but_the_first(ticket, clock, ana, dan):
    course = [(dan, 1), (ana, 2), (ana, 3), (dan, 5), (dan, 6), (ana, 7)]
    for author, hour in course:
        clock.move_to(NOON + timedelta(hours=hour))
        actions.comment(ticket, actor=author, message=message())
    actions.add_note(ticket, actor=dan, message=message())
    ticket.refresh_from_db()
    assert (kept(ticket), ticket.first_response_at) == ([("answered", 2, 5)], NOON + timedelta(hours=1))


def test_resolution_when_it_does_not_last_then_is_kept_with_its_time(ticket, clock, ana, dan):
    def later(hours):
        clock.move_to(NOON + timedelta(hours=hours))

    later(1)
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    later(2)
    actions.close(ticket, actor=dan)  # no second resolution
    later(4)
    actions.reopen(ticket, actor=dan)
    later(5)
    actions.close(ticket, actor=dan)
    later(6)
    actions.undo(ticket, actor=dan, event_id=ticket.events.latest("pk").pk)  # it never was
    later(7)
    actions.change_status(ticket, actor=dan, status=Status.objects.get(category="resolved"))
    later(9)
    actions.comment(ticket, actor=ana, message=message("It is broken again."))
    assert kept(ticket) == [("resolved", 1, 4), ("resolved", 7, 9)]
    ticket.refresh_from_db()
    assert ticket.resolved_at is None
