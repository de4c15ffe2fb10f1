"""Any number of workers match each report once, and bounces handled at the same moment see each other. First: what would happen without the lock."""

from __future__ import annotations

from threading import Barrier

import pytest
from django.db import transaction
from django.utils import timezone

from notifications import bounces, channels, relay
from notifications.models import Delivery, State, Suspension
from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_ticket, message
from tests.tickets.mail.bounces import BOUNCES, NORA
from tests.tickets.mail.letters import take_in
from tickets import actions
from tickets.mail.tokens import bounce_address
from tickets.models import InboundState

pytestmark = marks

UNKNOWN_USER = "550 5.1.1 User unknown"


@pytest.fixture
def sent(ana, dan, settings) -> list[Delivery]:
    """Three mails that Ana got."""
    settings.MERGE_SECONDS = 0
    ticket = make_ticket(ana)
    for text in ("one", "two", "three"):
        actions.comment(ticket, actor=dan, message=message(text))
    relay.relay_waiting()
    Delivery.objects.update(next_attempt_at=timezone.now())
    while channels.deliver_due():
        pass
    return list(Delivery.objects.filter(recipient=ana, state=State.SENT).order_by("-pk")[:3])


def come_back(sent: list[Delivery]) -> None:
    for delivery in sent:
        to = bounce_address(delivery_id=delivery.pk)
        words = {NORA: delivery.address, "<postfix-unknown-user@": f"<postfix-unknown-user.{delivery.pk}@"}
        assert take_in(BOUNCES[0].raw(to=to, words=words), to=to).state == InboundState.REPORT


def test_bounces_when_counted_without_the_lock_then_each_misses_the_others(workflow, sent):
    together = Barrier(3)

    def count_without_lock(delivery: Delivery) -> int:
        with transaction.atomic():
            Delivery.objects.filter(pk=delivery.pk).update(state=State.BOUNCED, error=UNKNOWN_USER)
            together.wait(timeout=20)
            count = Delivery.objects.filter(address=delivery.address, state=State.BOUNCED).count()
            together.wait(timeout=20)
        return count

    assert at_once([lambda delivery=delivery: count_without_lock(delivery) for delivery in sent]) == [1, 1, 1]


def test_bounces_when_handled_at_once_then_see_each_other(workflow, sent):
    def mark(delivery: Delivery) -> None:
        with transaction.atomic():
            bounces._mark(delivery, {"action": "failed", "status": "5.1.1", "diagnostic": UNKNOWN_USER})

    assert errors(at_once([lambda delivery=delivery: mark(delivery) for delivery in sent])) == []
    assert Suspension.objects.count() == 1


@pytest.mark.parametrize("workers", [2, 4])
def test_reports_when_matched_at_once_then_each_is_matched_once(workflow, sent, workers):
    come_back(sent)
    answers = at_once([bounces.match_reports] * workers)
    assert (errors(answers), sum(answers)) == ([], 3)
    assert (Delivery.objects.filter(state=State.BOUNCED).count(), Suspension.objects.count()) == (3, 1)
