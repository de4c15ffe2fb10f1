"""From events to deliveries: each once, rationed where robots may be listening, and none held up by another."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from notifications import relay
from notifications.models import Delivery, Kind, State
from tests.factories import make_ticket, message
from tickets import actions, sharing
from tickets.models import Channel, Event, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(workflow):
    return User.objects.create_user("new@else.example", name="Nia New")


def by_mail(person: User, subject: str = "Help") -> Ticket:
    return make_ticket(person, subject, message=message(channel=Channel.EMAIL))


def sent_to(person: User, kind: Kind) -> list[str]:
    return list(Delivery.objects.filter(recipient=person, kind=kind).order_by("id").values_list("state", flat=True))


def test_events_when_relayed_then_each_delivery_is_made_once(workflow, ana, dan):
    make_ticket(ana)
    assert [relay.relay_waiting() for _ in range(3)] == [1, 0, 0]
    made = Delivery.objects.order_by("id").values_list("recipient", "kind", "reason", "state", "address")
    assert list(made) == [
        (ana.pk, "confirmation", "requester", "queued", "ana@acme.example"),
        (dan.pk, "update", "group", "queued", "dan@support.example"),
    ]


def test_event_when_dispatched_again_by_mistake_then_the_database_refuses(workflow, ana):
    make_ticket(ana)
    relay.relay_waiting()
    Event.objects.update(dispatched_at=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        relay.dispatch(Event.objects.get().pk)
    assert Delivery.objects.filter(recipient=ana).count() == 1


def test_event_when_nobody_is_told_then_counts_as_dispatched(workflow, ana, dan):
    ticket = make_ticket(ana)
    relay.relay_waiting()
    actions.take(ticket, actor=dan)
    assert (relay.relay_waiting(), Event.objects.filter(dispatched_at=None).count()) == (1, 0)


def test_event_when_one_fails_then_the_others_are_told(workflow, ana, monkeypatch, caplog):
    poisoned = make_ticket(ana, "Poison").events.get()
    healthy = make_ticket(ana, "Fine").events.get()
    audience = relay.audience

    def choke(event):
        if event.pk == poisoned.pk:
            raise RuntimeError("poison")
        return audience(event)

    monkeypatch.setattr(relay, "audience", choke)
    assert relay.relay_waiting() == 1
    assert set(Delivery.objects.values_list("event", flat=True)) == {healthy.pk}
    assert f"event {poisoned.pk} could not be dispatched" in caplog.text


def test_event_when_older_one_commits_later_then_is_not_skipped(workflow, ana):
    older, newer = (make_ticket(ana, subject).events.get() for subject in ("Older", "Newer"))
    relay.dispatch(newer.pk)
    assert relay.relay_waiting() == 1
    assert set(Delivery.objects.values_list("event", flat=True)) == {older.pk, newer.pk}


def test_automatic_mail_when_one_mailbox_had_ten_within_three_hours_then_is_held_back(workflow, ana):
    for number in range(12):
        by_mail(ana, f"Mail {number}")
    relay.relay_waiting()
    assert sent_to(ana, Kind.CONFIRMATION) == ["queued"] * 10 + ["cancelled"] * 2
    assert "10 automatic mails" in Delivery.objects.filter(state=State.CANCELLED).first().error


def test_automatic_mail_when_three_hours_are_over_then_goes_again(workflow, ana):
    for number in range(10):
        by_mail(ana, f"Mail {number}")
    relay.relay_waiting()
    Delivery.objects.update(created_at=timezone.now() - timedelta(hours=3, minutes=1))
    by_mail(ana)
    relay.relay_waiting()
    assert sent_to(ana, Kind.CONFIRMATION)[-1] == "queued"


def test_automatic_mail_when_sender_varies_the_tag_then_counts_as_one_mailbox(workflow):
    for number in range(12):
        by_mail(User.objects.create_user(f"robot+{number}@else.example", "a good password"))
    relay.relay_waiting()
    assert Delivery.objects.filter(kind=Kind.CONFIRMATION, state=State.QUEUED).count() == 10


def test_confirmation_when_opened_in_the_portal_then_is_never_rationed(workflow, ana):
    for number in range(12):
        make_ticket(ana, f"Form {number}")
    relay.relay_waiting()
    assert sent_to(ana, Kind.CONFIRMATION) == ["queued"] * 12


def test_answers_of_people_when_there_are_many_then_are_never_rationed(workflow, ana, dan):
    ticket = by_mail(ana)
    for number in range(12):
        actions.comment(ticket, actor=dan, message=message(f"Answer {number}"))
    relay.relay_waiting()
    assert sent_to(ana, Kind.UPDATE) == ["queued"] * 12


def test_robots_when_they_answer_each_other_through_a_ticket_then_it_levels_off(workflow, ana, ben, dan):
    ticket = by_mail(ana)
    sharing.follow(ticket, actor=ben)
    for number in range(60):
        actions.comment(ticket, actor=(ben, ana)[number % 2], message=message(f"Away {number}", channel=Channel.EMAIL))
    relay.relay_waiting()
    assert [sent_to(robot, Kind.UPDATE).count("queued") for robot in (ana, ben)] == [20, 20]
    actions.comment(ticket, actor=dan, message=message("I look into it.", channel=Channel.DESK))
    relay.relay_waiting()
    assert sent_to(ana, Kind.UPDATE)[-1] == "queued"


def test_newcomer_when_writing_five_times_then_gets_one_link(newcomer):
    for number in range(5):
        by_mail(newcomer, f"Mail {number}")
    relay.relay_waiting()
    assert (sent_to(newcomer, Kind.CONFIRMATION), sent_to(newcomer, Kind.SET_PASSWORD)) == (["queued"] * 5, ["queued"])


@pytest.mark.parametrize("why", ["has a password", "machine", "switched off", "spam"])
def test_newcomer_when_there_is_a_reason_not_to_then_gets_no_link(newcomer, dan, why):
    if why == "has a password":
        newcomer.set_password("a good password")
        newcomer.save()
    ticket = make_ticket(newcomer, quiet=why == "machine", message=message(channel=Channel.EMAIL))
    if why == "spam":
        from tickets.models import Status

        actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Spam"))
    User.objects.filter(pk=newcomer.pk).update(is_active=why != "switched off")
    relay.relay_waiting()
    assert sent_to(newcomer, Kind.SET_PASSWORD) == []


def test_link_when_made_by_a_ticket_then_belongs_to_the_account_not_to_the_ticket(newcomer):
    by_mail(newcomer)
    relay.relay_waiting()
    assert Delivery.objects.get(kind=Kind.SET_PASSWORD).ticket is None


def test_verb_when_rolled_back_then_nobody_is_told(workflow, ana, dan):
    ticket = make_ticket(ana)
    with transaction.atomic():
        actions.comment(ticket, actor=dan, message=message())
        transaction.set_rollback(True)
    assert (relay.relay_waiting(), Delivery.objects.filter(kind=Kind.UPDATE, recipient=ana).count()) == (1, 0)


def test_verb_when_done_then_worker_is_woken_after_the_commit(workflow, ana, monkeypatch, django_capture_on_commit_callbacks):
    from notifications import tasks

    woken = []
    monkeypatch.setattr(tasks.relay, "apply_async", lambda **options: woken.append(options))
    with django_capture_on_commit_callbacks(execute=True):
        make_ticket(ana)
        assert woken == []
    assert woken == [{"retry": False}]


def test_verb_when_broker_is_down_then_succeeds_all_the_same(workflow, ana, monkeypatch, django_capture_on_commit_callbacks):
    from kombu.exceptions import OperationalError

    from notifications import tasks

    def down(**_options):
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.relay, "apply_async", down)
    with django_capture_on_commit_callbacks(execute=True):
        make_ticket(ana)
    assert relay.relay_waiting() == 1


def test_nudge_when_redis_is_gone_then_gives_up_at_once():
    environment = os.environ | {"REDIS_URL": "redis://127.0.0.1:1/0", "DEBUG": "1"}
    nudge = "import django; django.setup(); from time import monotonic; from notifications.apps import wake_sender; began = monotonic()"
    said = subprocess.run(
        [sys.executable, "-c", f"{nudge}; wake_sender(); print(monotonic() - began)"],
        env=environment | {"DJANGO_SETTINGS_MODULE": "helpdesk.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(said.stdout) < 2


def test_event_that_fails_is_put_off(workflow, ana, monkeypatch):
    event = make_ticket(ana).events.get()

    def fail(_event):
        raise RuntimeError("poison")

    monkeypatch.setattr("notifications.relay.audience", fail)
    assert relay.relay_waiting() == 0
    monkeypatch.undo()
    assert relay.relay_waiting() == 0
    Event.objects.filter(pk=event.pk).update(dispatch_at=timezone.now())
    assert relay.relay_waiting() == 1
