"""Any number of workers make each delivery once, send it once, and in order. First: what would happen without the claims."""

from __future__ import annotations

from threading import Barrier

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from notifications import channels, relay
from notifications.audience import audience
from notifications.models import Delivery, Kind, State
from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_ticket, make_user, message
from tickets import actions, sharing
from tickets.models import Channel, Event

pytestmark = marks


@pytest.fixture
def busy(ana, dan, acme):
    """A ticket with ten followers."""
    ticket = make_ticket(ana)
    for number in range(10):
        sharing.follow(ticket, actor=make_user(f"p{number}@acme.example", organization=acme))
    relay.relay_waiting()
    Delivery.objects.all().delete()
    return ticket


def test_dispatch_when_the_claim_is_left_out_then_only_the_database_prevents_two(workflow, ana):
    make_ticket(ana)
    both_have_looked = Barrier(2)

    @transaction.atomic
    def dispatch_without_claim() -> None:
        event = Event.objects.select_related("ticket", "actor").get(dispatched_at=None)
        told = audience(event)
        both_have_looked.wait(timeout=20)
        for person in told:
            relay._queue(event, person)

    answers = at_once([dispatch_without_claim] * 2)
    assert [type(error) for error in errors(answers)] == [IntegrityError]


@pytest.mark.parametrize("workers", [2, 4])
def test_relays_when_run_at_once_then_make_each_delivery_once(busy, dan, workers, caplog):
    for number in range(5):
        actions.comment(busy, actor=dan, message=message(f"Answer {number}"))
    answers = at_once([relay.relay_waiting] * workers)
    assert (errors(answers), sum(answers), Delivery.objects.count()) == ([], 5, 5 * 11)
    assert "could not be dispatched" not in caplog.text


def test_send_when_the_claim_is_left_out_then_mails_go_twice(busy, dan, sink, monkeypatch):
    both_have_looked = Barrier(2)

    def no_claim(pk: int, _attempts: int) -> bool:
        both_have_looked.wait(timeout=20)
        return Delivery.objects.filter(pk=pk).update(state=State.SENDING) == 1

    monkeypatch.setattr(channels, "_claim", no_claim)
    actions.comment(busy, actor=dan, message=message())
    relay.relay_waiting()
    at_once([channels.deliver_due] * 2)
    assert max(sink.per_mail.values()) == 2


@pytest.mark.parametrize("workers", [2, 4])
def test_senders_when_run_at_once_then_send_each_mail_once(busy, dan, sink, workers):
    actions.comment(busy, actor=dan, message=message())
    relay.relay_waiting()
    answers = at_once([channels.deliver_due] * workers)
    assert (errors(answers), sum(answers), len(sink.mails)) == ([], 11, 11)
    assert set(sink.per_mail.values()) == {1}


def test_workers_when_all_do_everything_then_each_person_reads_in_order(busy, dan, sink):
    for number in range(6):
        actions.comment(busy, actor=dan, message=message(f"Answer {number}."))

    def work() -> None:
        for _ in range(100):
            if not (relay.relay_waiting() + channels.deliver_due()) and not Delivery.objects.exclude(state=State.SENT).exists():
                break

    assert errors(at_once([work] * 3)) == []
    assert (set(sink.per_mail.values()), len(sink.mails)) == ({1}, 6 * 11)
    for person in set(sink.recipients):
        texts = [mail.get_body(("plain",)).get_content() for addresses, mail in sink.mails if addresses == [person]]
        assert [f"Answer {number}." in text for number, text in enumerate(texts)] == [True] * 6


def test_first_mails_when_relayed_at_once_then_one_link(workflow):
    newcomer = User.objects.create_user("new@else.example")
    for number in range(5):
        make_ticket(newcomer, f"Mail {number}", message=message(channel=Channel.EMAIL))
    answers = at_once([lambda pk=pk: relay.dispatch(pk) for pk in Event.objects.values_list("pk", flat=True)])
    assert (errors(answers), sum(answers)) == ([], 5)
    assert Delivery.objects.filter(kind=Kind.SET_PASSWORD).count() == 1


def test_forgotten_password_when_asked_ten_times_at_once_then_three_mails(ana):
    answers = at_once([lambda: relay.queue_password_link(ana)] * 10)
    assert (errors(answers), Delivery.objects.count()) == ([], 3)
