"""Many tickets closed at once while somebody works on one of them: each change is whole, and told once. First: what would happen without the lock."""

from __future__ import annotations

from threading import Barrier

import pytest
from django.db import transaction

from notifications import relay
from notifications.models import Delivery
from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_ticket, message
from tickets import actions, bulk
from tickets.events import record
from tickets.lifecycle import Category
from tickets.locking import save
from tickets.models import Event, EventKind, ItemState, Ticket, TicketType

pytestmark = marks


@pytest.fixture
def run(ana, dan):
    """To close five tickets, begun and not yet worked off."""
    closed = actions.default_status(Category.CLOSED)
    run = bulk.prepare(actor=dan, numbers=[make_ticket(ana).pk for _ in range(5)], changes={"status": str(closed.pk)})
    bulk.begin(run)
    return run


def told(kind: EventKind) -> list[int]:
    return sorted(Event.objects.filter(kind=kind).values_list("ticket", flat=True))


def test_close_when_the_lock_is_left_out_then_a_single_edit_is_lost(run, eve):
    number = run.items.first().ticket_id
    both_have_read = Barrier(2)

    @transaction.atomic
    def edit(name: str, value: object, kind: EventKind) -> None:
        ticket = Ticket.objects.select_related("status").get(pk=number)
        both_have_read.wait(timeout=20)
        setattr(ticket, name, value)
        save(ticket)
        record(ticket, kind, actor=eve, is_internal=True)

    bug, high = TicketType.objects.get(name="Bug"), eve
    works = [lambda: edit("type", bug, EventKind.TYPE_CHANGED), lambda: edit("assignee", high, EventKind.ASSIGNED)]
    assert errors(at_once(works)) == []
    ticket = Ticket.objects.get(pk=number)
    assert (ticket.type is None) != (ticket.assignee is None)


def test_bulk_close_when_single_edits_cross_it_then_states_are_valid_and_each_change_is_told_once(run, ana, eve, sink):
    tickets = [item.ticket for item in run.items.select_related("ticket").order_by("pk")]
    bug = TicketType.objects.get(name="Bug")
    singles = [
        lambda: actions.comment(tickets[0], actor=ana, message=message("Not yet!")),
        lambda: actions.resolve(tickets[1], actor=eve, type=bug),
        lambda: actions.set_type(tickets[2], actor=eve, type=bug),
        lambda: actions.take(tickets[3], actor=eve),
    ]
    answers = at_once([lambda: bulk.work(run), lambda: bulk.work(run), *singles])
    assert errors(answers) == []
    assert answers[0] + answers[1] == 5
    run.refresh_from_db()
    assert (run.state, {item.state for item in run.items.all()}) == ("done", {ItemState.DONE})
    assert told(EventKind.CLOSED) == [ticket.pk for ticket in tickets]  # each once, whoever came first
    now = [Ticket.objects.get(pk=ticket.pk) for ticket in tickets]
    assert (now[2].type, now[3].assignee) == (bug, eve)  # neither lost the other's change
    for ticket in now:
        assert (ticket.is_closed, ticket.closed_at is not None) in ((True, True), (False, False))
    relay.relay_waiting()
    of_closing = Delivery.objects.filter(event__kind=EventKind.CLOSED, recipient=ana).values_list("event", flat=True)
    assert len(of_closing) == len(set(of_closing)) == 5
