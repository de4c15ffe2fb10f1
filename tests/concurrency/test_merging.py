"""A sender and a relay that come at the same moment: each event is told once. First: what would happen without the lock."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Event, Lock

import pytest
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from notifications import channels, digest, preferences, relay
from notifications.models import Delivery, Kind, Level, State
from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_ticket, make_user, message
from tickets import actions, models

pytestmark = marks


@pytest.fixture
def ticket(ana, dan, settings):
    """Ana's; an answer of Dan's waits for company, and is due now. A second one is said and not yet relayed."""
    settings.MERGE_SECONDS = 60
    ticket = make_ticket(ana)
    relay.relay_waiting()
    Delivery.objects.all().delete()
    actions.comment(ticket, actor=dan, message=message("First."))
    relay.relay_waiting()
    Delivery.objects.update(next_attempt_at=timezone.now())
    actions.comment(ticket, actor=dan, message=message("Second."))
    return ticket


@pytest.fixture
def told(monkeypatch):
    """The comments that each mail told of when it left, by delivery."""
    seen: dict[int, list[str]] = {}
    guard, render = Lock(), channels.render

    def note(delivery):
        mail = render(delivery)
        with guard:
            seen[delivery.pk] = [text for text in ("First.", "Second.") if text in mail.body.partition("Earlier")[0]]
        return mail

    monkeypatch.setattr(channels, "render", note)
    return seen


def unsaid(told) -> bool:
    """Whether a part of a mail is not in the mail that it is said to be a part of."""
    parts = Delivery.objects.filter(state=State.MERGED, told_by__state=State.SENT)
    return any(text not in told[mail] for mail, text in parts.values_list("told_by", "event__comment__text"))


def test_merge_when_the_row_is_not_locked_then_an_answer_can_be_lost(ticket, sink, told):
    relay_has_looked, mail_has_left = Event(), Event()

    @transaction.atomic
    def merge_without_lock() -> None:
        waiting = Delivery.objects.get(state=State.QUEUED)
        relay_has_looked.set()
        mail_has_left.wait(timeout=20)
        event = models.Event.objects.get(dispatched_at=None)
        about = {"event": event, "ticket": ticket, "recipient": waiting.recipient, "address": waiting.address}
        Delivery.objects.create(**about, kind=Kind.UPDATE, reason=waiting.reason, state=State.MERGED, told_by=waiting)

    def send() -> None:
        relay_has_looked.wait(timeout=20)
        channels.deliver_due()
        mail_has_left.set()

    assert errors(at_once([merge_without_lock, send])) == []
    assert unsaid(told)


def test_merge_when_a_sender_comes_meanwhile_then_it_waits_and_tells_both(ticket, sink, told, monkeypatch):
    has_merged, tell_together = Event(), relay._tell_together

    def slowly(event, new) -> None:
        tell_together(event, new)
        has_merged.set()
        asleep.wait(timeout=1)  # the transaction stays open

    asleep = Event()
    monkeypatch.setattr(relay, "_tell_together", slowly)

    def send() -> int:
        has_merged.wait(timeout=20)
        return channels.deliver_due()

    answers = at_once([relay.relay_waiting, send])
    assert (answers, list(told.values())) == ([1, 1], [["First.", "Second."]])


def test_merge_when_a_sender_was_first_then_the_answer_is_a_mail_of_its_own(ticket, sink, told):
    row = Delivery.objects.get()
    assert channels._claim(row.pk, row.attempts)
    relay.relay_waiting()
    assert list(Delivery.objects.order_by("id").values_list("state", flat=True)) == [State.SENDING, State.QUEUED]


def test_undo_when_a_sender_comes_meanwhile_then_it_waits_and_tells_only_what_stands(ticket, sink, told, dan, monkeypatch):
    """Resolved in the mail of an answer, and undone."""
    relay.relay_waiting()
    done = actions.resolve(ticket, actor=dan, type=models.TicketType.objects.first()).events.latest("pk")
    relay.relay_waiting()
    actions.undo(ticket, actor=dan, event_id=done.pk)
    has_recalled, asleep, recall = Event(), Event(), relay._recall

    def slowly(undone) -> set[int]:
        heard = recall(undone)
        has_recalled.set()
        asleep.wait(timeout=1)  # the transaction stays open
        return heard

    monkeypatch.setattr(relay, "_recall", slowly)

    def send() -> int:
        has_recalled.wait(timeout=20)
        return channels.deliver_due()

    assert at_once([relay.relay_waiting, send]) == [1, 1]
    assert "resolved" not in sink.mails[0][1].get_body(("plain",)).get_content()
    states = Delivery.objects.order_by("pk").values_list("event__kind", "state")
    assert list(states) == [("commented", State.SENT), ("commented", State.MERGED), ("resolved", State.CANCELLED)]


def test_undo_when_a_sender_was_first_then_is_told_too(ticket, sink, dan):
    done = actions.resolve(ticket, actor=dan, type=models.TicketType.objects.first()).events.latest("pk")
    relay.relay_waiting()
    head = Delivery.objects.get(state=State.QUEUED)
    assert channels._claim(head.pk, head.attempts)
    actions.undo(ticket, actor=dan, event_id=done.pk)
    relay.relay_waiting()
    assert list(Delivery.objects.order_by("-pk").values_list("event__kind", "state"))[:2] == [
        ("status_changed", State.QUEUED),
        ("resolved", State.MERGED),
    ]


def test_relays_and_senders_when_all_run_at_once_then_nothing_is_lost_or_said_twice(ana, dan, acme, sink, settings, monkeypatch):
    """Twelve people, forty events of two doers; the minute is over at once, so that senders and relays meet all the time."""
    settings.MERGE_SECONDS = 60
    monkeypatch.setattr(relay, "_goes_at", lambda _event, _told: timezone.now())
    guard, render, told = Lock(), channels.render, []

    def note(delivery):
        from notifications.content import events_of

        events = [(event.pk, delivery.recipient_id) for event in events_of(delivery)]
        mail = render(delivery)
        with guard:
            told.extend(events)
        return mail

    monkeypatch.setattr(channels, "render", note)
    ticket = make_ticket(ana)
    for number in range(10):
        models.Follower.objects.create(ticket=ticket, user=make_user(f"p{number}@acme.example", organization=acme), added_by=dan)
    for number in range(40):
        actions.comment(ticket, actor=(dan, ana)[number // 4 % 2], message=message(f"Answer {number}."))

    def work() -> None:
        for _ in range(200):
            if not (relay.relay_waiting() + channels.deliver_due()) and not Delivery.objects.filter(state=State.QUEUED).exists():
                break

    assert errors(at_once([work] * 4)) == []
    rows = sorted(Delivery.objects.values_list("event", "recipient"))
    assert (sorted(told), Delivery.objects.exclude(state__in=(State.SENT, State.MERGED)).count()) == (rows, 0)
    assert Delivery.objects.filter(state=State.MERGED).count() > 0
    assert models.Event.objects.filter(dispatched_at=None).count() == 0


# --- The digest ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def collected(ana, dan):
    ticket = make_ticket(ana)
    preferences.choose(ana, Level.DIGEST)
    for number in range(5):
        actions.comment(ticket, actor=dan, message=message(f"Answer {number}."))
    relay.relay_waiting()
    Delivery.objects.update(created_at=F("created_at") - timedelta(days=2))
    return ticket


def test_digest_when_the_lock_is_left_out_then_there_are_two(collected, ana):
    both_have_looked = Barrier(2)

    @transaction.atomic
    def make_without_lock() -> None:
        row = digest._waiting().get(recipient=ana)
        assert digest._has_come(ana, row)
        both_have_looked.wait(timeout=20)
        Delivery.objects.create(recipient=ana, address=ana.email, kind=Kind.DIGEST, reason="digest")

    assert errors(at_once([make_without_lock] * 2)) == []
    assert Delivery.objects.filter(kind=Kind.DIGEST).count() == 2


@pytest.mark.parametrize("sweeps", [2, 6])
def test_digest_when_sweeps_run_at_once_then_there_is_one(collected, ana, sweeps):
    answers = at_once([digest.make_due] * sweeps)
    assert (errors(answers), sum(answers), Delivery.objects.filter(kind=Kind.DIGEST).count()) == ([], 1, 1)
    assert Delivery.objects.filter(recipient=ana, state=State.MERGED).count() == 5


def test_digest_when_more_is_told_meanwhile_then_neither_waits_nor_is_lost(collected, ana, dan):
    for number in range(20):
        actions.comment(collected, actor=dan, message=message(f"Later {number}."))
    answers = at_once([relay.relay_waiting, relay.relay_waiting, digest.make_due, digest.make_due])
    assert (errors(answers), answers[2] + answers[3]) == ([], 1)
    parts = Delivery.objects.filter(recipient=ana, kind=Kind.UPDATE)
    assert parts.filter(Q(state=State.COLLECTED, told_by=None) | Q(state=State.MERGED, told_by__kind=Kind.DIGEST)).count() == 25


def test_levels_when_chosen_at_once_then_one_stands(ana):
    answers = at_once([lambda level=level: preferences.choose(ana, level) for level in Level] * 2)
    assert errors(answers) == []
