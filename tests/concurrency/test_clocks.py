"""Two sweeps at one clock, and a reply at the moment of the breach. First: what would happen without the lock."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier

import pytest
from django.db.models import F
from django.utils import timezone

from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_policy, make_ticket, message
from tickets import actions, sweeps
from tickets.models import Clock, Event, EventKind, Ticket
from tickets.sla import clocks, escalation

pytestmark = marks


@pytest.fixture
def due(ana, dan):
    """Five tickets whose first response is overdue since a minute, in hours of the clock."""
    policy = make_policy(hours="00:00-23:59", next_response=None, resolution=None)
    policy.targets.update(in_business_hours=False)
    tickets = [make_ticket(ana) for _ticket in range(5)]
    back = timedelta(hours=4, minutes=1)
    Event.objects.update(at=timezone.now() - back)
    for ticket in tickets:
        clocks.recompute(ticket.pk)
    return tickets


def breaches() -> list[int]:
    return sorted(Event.objects.filter(kind=EventKind.SLA_BREACHED).values_list("ticket", flat=True))


def test_breach_when_the_lock_is_left_out_then_is_told_twice(due, monkeypatch):
    both_have_looked = Barrier(2)
    look = clocks.spent_by

    def slow_look(clock, now):
        both_have_looked.wait(timeout=20)
        return look(clock, now)

    monkeypatch.setattr(clocks, "spent_by", slow_look)
    monkeypatch.setattr(Ticket.objects.__class__, "select_for_update", lambda manager, **_how: manager.get_queryset(), raising=False)
    clock = due[0].clocks.get().pk
    assert errors(at_once([lambda: escalation.tell_due([clock])] * 2)) == []
    assert breaches() == [due[0].pk] * 2


@pytest.mark.parametrize("sweepers", [2, 4])
def test_sweeps_when_run_at_once_then_tell_each_breach_once(due, sweepers):
    answers = at_once([sweeps.tell_due_clocks] * sweepers)
    assert (errors(answers), sum(answers), breaches()) == ([], 5, [ticket.pk for ticket in due])


def test_reply_when_at_the_moment_of_the_breach_then_both_are_right_in_some_order(due, dan):
    """Whoever comes first: the clock is met late, and its breach is told or, as somebody has answered, is not."""
    words = [lambda ticket=ticket: actions.comment(ticket, actor=dan, message=message()) for ticket in due]
    answers = at_once([sweeps.tell_due_clocks, *words])
    assert errors(answers) == []
    assert set(Clock.objects.values_list("state", "due_at")) == {("met", None)}
    assert Clock.objects.filter(breached_at=F("started_at") + timedelta(hours=4)).count() == 5
    assert len(breaches()) == len(set(breaches())) == answers[0]
    assert [said for ticket in due for said in clocks.recompute(ticket.pk, mend=False)] == []


def test_reply_when_the_sweep_has_looked_but_not_locked_then_nothing_is_told_of_it(due, dan):
    """The sweep's list is old by the time its turn comes."""
    listed = list(escalation.due_clocks().values_list("pk", flat=True))
    actions.comment(due[0], actor=dan, message=message())
    assert (escalation.tell_due(listed), breaches()) == (4, [ticket.pk for ticket in due[1:]])
