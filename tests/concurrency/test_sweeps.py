"""Any number of sweeps close a ticket once. First: what would happen without the lock."""

from __future__ import annotations

from threading import Barrier, Event

import pytest
from django.db import transaction
from django.utils import timezone

from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_ticket, message
from tickets import actions, configuring, releases, sweeps
from tickets.lifecycle import Trigger
from tickets.models import Channel, Comment, EventKind, Release, ReleasePost, Status, Ticket, TicketType
from tickets.models import Event as TicketEvent

pytestmark = marks


@pytest.fixture
def due(ana, dan):
    """Five resolved tickets whose time is over."""
    tickets = [actions.resolve(make_ticket(ana), actor=dan, type=TicketType.objects.first()) for _ in range(5)]
    Ticket.objects.update(close_due_at="2020-01-01T00:00Z")
    return tickets


def closes() -> list[int]:
    return sorted(TicketEvent.objects.filter(kind=EventKind.CLOSED).values_list("ticket", flat=True))


def test_close_when_the_lock_is_left_out_then_happens_twice(due):
    both_have_looked = Barrier(2)

    @transaction.atomic
    def close_without_lock() -> None:
        ticket = Ticket.objects.due_to_close().get(pk=due[0].pk)
        both_have_looked.wait(timeout=20)
        actions._move(ticket, Trigger.CLOSE_DUE, EventKind.CLOSED, actor=None, refusal="")

    assert errors(at_once([close_without_lock] * 2)) == []
    assert closes() == [due[0].pk] * 2


@pytest.mark.parametrize("sweepers", [2, 4])
def test_sweeps_when_run_at_once_then_close_each_ticket_once(due, sweepers):
    answers = at_once([sweeps.close_due] * sweepers)
    assert (errors(answers), sum(answers), closes()) == ([], 5, [ticket.pk for ticket in due])


def test_sweep_when_another_is_at_a_ticket_then_passes_it_by(due):
    held, released = Event(), Event()

    @transaction.atomic
    def slow() -> int:
        closed = actions.close_if_due(due[0].pk)
        held.set()
        released.wait(timeout=20)
        return closed

    def quick() -> int:
        held.wait(timeout=20)
        closed = sweeps.close_due()
        released.set()
        return closed

    assert (at_once([slow, quick]), closes()) == ([True, 4], [ticket.pk for ticket in due])


def test_sweep_when_the_customer_replies_at_that_moment_then_ticket_is_open_or_reply_is_on_a_follow_up(due, ana):
    words = [lambda ticket=ticket: actions.comment(ticket, actor=ana, message=message("Not yet!")) for ticket in due]
    answers = at_once([sweeps.close_due, *words])
    assert errors(answers) == []
    for ticket, said in zip(due, answers[1:], strict=True):
        was_closed = ticket.pk in closes()
        assert (said.ticket != ticket, Ticket.objects.get(pk=ticket.pk).is_closed) == (was_closed, was_closed)


@pytest.fixture
def handed_over(workflow, ana, dan):
    """Six tickets that wait for engineering."""
    escalated = Status.objects.create(name="Escalated", category="closed", asks_reference=True, position=50)
    for _ in range(6):
        ticket = actions.set_reference(make_ticket(ana), actor=dan, reference="TEM-1")
        actions.change_status(ticket, actor=dan, status=escalated)


def release(dan) -> Release:
    return releases.release(actor=dan, version="4.2", references=["TEM-1"], text="In {version}.")


@pytest.mark.parametrize(("has_key", "times"), [(False, 2), (True, 1)])
def test_release_when_the_lock_is_left_out_then_is_told_twice_but_for_the_key(handed_over, dan, has_key, times):
    row = release(dan).posts.select_related("ticket").first()
    both_have_looked = Barrier(2)

    @transaction.atomic
    def post_without_lock() -> None:
        waiting = ReleasePost.objects.get(pk=row.pk, posted_at=None)
        both_have_looked.wait(timeout=20)
        said = actions.Message(text="In 4.2.", channel=Channel.DESK, submission_key=waiting.key if has_key else None)
        actions.comment(row.ticket, actor=dan, message=said)
        ReleasePost.objects.filter(pk=row.pk).update(posted_at=timezone.now())

    assert errors(at_once([post_without_lock] * 2)) == []
    assert Comment.objects.filter(text="In 4.2.").count() == times


def test_release_when_told_by_several_at_once_then_stands_once_on_each_ticket(handed_over, dan):
    answers = at_once([lambda: releases.post_waiting(release(dan))] * 4)
    said = Comment.objects.filter(text="In 4.2.")
    assert (errors(answers), sum(answers), said.count(), said.values("ticket").distinct().count()) == ([], 6, 6, 6)


def test_category_when_changed_while_agents_set_the_status_then_every_ticket_is_in_step(workflow, ana, dan, max_admin):
    """Each agent has read the status before; without reading it again under the ticket's lock, theirs would keep the old category."""
    triage = Status.objects.create(name="Triage", category="open", position=50)
    tickets = [make_ticket(ana) for _ in range(8)]
    statuses = [Status.objects.get(pk=triage.pk) for _ in tickets]
    moves = [
        lambda ticket=ticket, status=status: actions.change_status(ticket, actor=dan, status=status)
        for ticket, status in zip(tickets, statuses, strict=True)
    ]
    triage.category = "waiting"
    answers = at_once([*moves[:4], lambda: configuring.recategorise(triage, actor=max_admin), *moves[4:]])
    assert errors(answers) == []
    assert set(Ticket.objects.values_list("status__name", "category")) == {("Triage", "waiting")}
