"""Any number of sweeps apply a rule on time once to a ticket. First: what would happen without the second look under the lock."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier

import pytest
from django.db import transaction
from django.utils import timezone

from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_ticket
from tickets.automation import acting
from tickets.models import AutomationRule, Comment, Event, EventKind, Ticket, When

pytestmark = marks
DAY = timedelta(days=1)


@pytest.fixture
def late(workflow, ana):
    """Five tickets that nobody has answered for a day, and a rule for such."""
    AutomationRule.objects.create(name="Late", when=When.UNANSWERED, span=DAY, reaches_back=True, steps={"note": "late"})
    tickets = [make_ticket(ana) for _ in range(5)]
    Ticket.objects.update(waiting_since=timezone.now() - 2 * DAY)
    return tickets


def notes() -> list[int]:
    return sorted(Comment.objects.filter(is_internal=True).values_list("ticket", flat=True))


def test_rule_when_nobody_looks_again_then_acts_twice(late):
    """Each act is the same as `apply_if_due` makes it, without its lock, its second look and the memory of when."""
    rule, both_have_looked = AutomationRule.objects.get(), Barrier(2)

    @transaction.atomic
    def act_without_looking() -> None:
        assert late[0].pk in acting._candidates(rule)
        both_have_looked.wait(timeout=20)
        acting._apply(rule, late[0].pk, acting._Course([]))

    assert errors(at_once([act_without_looking] * 2)) == []
    assert notes() == [late[0].pk] * 2


@pytest.mark.parametrize("sweepers", [2, 4])
def test_sweeps_when_run_at_once_then_apply_the_rule_once_to_each_ticket(late, sweepers):
    answers = at_once([acting.sweep] * sweepers)
    assert (errors(answers), sum(answers), notes()) == ([], 5, [ticket.pk for ticket in late])
    assert not Event.objects.filter(kind=EventKind.RULE_FAILED).exists()
