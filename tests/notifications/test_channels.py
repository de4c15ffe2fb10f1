"""Sending, to a real mail server: each mail's own fate, in order, and never to who lost sight of the ticket."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Membership, User
from notifications import channels
from notifications.channels import BACKOFF, LEASE, deliver_due, retry
from notifications.models import Delivery, State
from notifications.relay import queue_password_link, relay_waiting
from tests.factories import make_ticket, make_user, message
from tests.notifications.sink import running
from tickets import actions, sharing

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(workflow, ana, ben, acme):
    """Opened and told of: from here on, every delivery is the test's."""
    ticket = make_ticket(ana)
    sharing.follow(ticket, actor=ben)
    relay_waiting()
    Delivery.objects.all().delete()
    return ticket


def say(ticket, dan, text: str = "An answer.") -> None:
    actions.comment(ticket, actor=dan, message=message(text))
    relay_waiting()


def pass_time(span: timedelta) -> None:
    for delivery in Delivery.objects.all():
        Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=delivery.next_attempt_at - span)


def states() -> dict[str, str]:
    return dict(Delivery.objects.order_by("id").values_list("address", "state"))


def send_all() -> int:
    return sum(iter(deliver_due, 0))


def test_mail_when_sent_then_goes_to_one_recipient_each(sink, ticket, dan):
    say(ticket, dan)
    assert deliver_due() == 2
    assert sorted(addresses for addresses, _mail in sink.mails) == [["ana@acme.example"], ["ben@acme.example"]]
    assert states() == {"ana@acme.example": "sent", "ben@acme.example": "sent"}


def test_mail_when_sent_then_is_never_sent_again(sink, ticket, dan):
    say(ticket, dan)
    assert [deliver_due() for _ in range(3)] == [2, 0, 0]
    pass_time(timedelta(days=30))
    assert (deliver_due(), len(sink.mails)) == (0, 2)


def test_row_when_sent_then_says_when_and_under_which_id(sink, ticket, dan):
    say(ticket, dan)
    deliver_due()
    row = Delivery.objects.get(address="ana@acme.example")
    mail = next(mail for addresses, mail in sink.mails if addresses == ["ana@acme.example"])
    assert (f"<{row.message_id}>", row.subject, row.attempts, row.error) == (mail["Message-ID"], mail["Subject"], 1, "")
    assert row.sent_at is not None


def test_sender_when_nothing_is_due_then_does_not_even_connect(settings, db):
    settings.EMAIL_BACKEND = "no.such.Backend"
    assert deliver_due() == 0


def test_recipient_when_greylisted_then_is_tried_eight_times_over_a_day_and_flagged(sink, ticket, dan):
    sink.answers["ana@acme.example"] = "450 4.7.1 Greylisted"
    say(ticket, dan)
    waits = []
    for _ in range(len(BACKOFF)):
        before = timezone.now()
        deliver_due()
        row = Delivery.objects.get(address="ana@acme.example")
        assert (row.state, "450" in row.error) == (State.QUEUED, True)
        waits.append(round((row.next_attempt_at - before).total_seconds() / 60))
        pass_time(timedelta(minutes=waits[-1]))
    deliver_due()
    assert waits == [1, 5, 15, 60, 180, 360, 720]
    assert states() == {"ana@acme.example": "failed", "ben@acme.example": "sent"}


def test_recipient_when_greylisting_ends_then_gets_the_mail_once(sink, ticket, dan):
    sink.answers["ana@acme.example"] = "450 4.7.1 Greylisted"
    say(ticket, dan)
    deliver_due()
    del sink.answers["ana@acme.example"]
    assert deliver_due() == 0  # not yet
    pass_time(BACKOFF[0])
    assert (deliver_due(), sorted(sink.recipients)) == (1, ["ana@acme.example", "ben@acme.example"])


def test_recipient_when_refused_for_good_then_fails_at_once_and_the_others_get_theirs(sink, ticket, dan, acme):
    followers = [make_user(f"p{number}@acme.example", organization=acme) for number in range(8)]
    for follower in followers:
        sharing.follow(ticket, actor=follower)
    relay_waiting()
    Delivery.objects.all().delete()
    sink.answers["p3@acme.example"] = "550 5.1.1 No such user"
    say(ticket, dan)
    assert deliver_due() == 9
    row = Delivery.objects.get(address="p3@acme.example")
    assert (row.state, row.attempts, row.error) == (State.FAILED, 1, "550 5.1.1 No such user")
    assert Delivery.objects.filter(state=State.SENT).count() == 9


@pytest.mark.parametrize(
    ("answer", "state"),
    [("554 5.7.1 Spam", "failed"), ("552 5.3.4 Too big", "failed"), ("451 4.3.0 Later", "queued"), ("421 4.3.2 Going down", "queued")],
)
def test_mail_when_refused_after_its_text_then_5xx_is_final_and_4xx_is_not(sink, ticket, dan, answer, state):
    sink.data_answers["ana@acme.example"] = answer
    say(ticket, dan)
    send_all()
    assert states() == {"ana@acme.example": state, "ben@acme.example": "sent"}
    assert Delivery.objects.get(address="ana@acme.example").error == answer


@pytest.mark.parametrize("error", [smtplib.SMTPHeloError, smtplib.SMTPConnectError])
def test_server_when_it_greets_nobody_then_that_is_no_fault_of_the_recipients(sink, ticket, dan, monkeypatch, error):
    def refuse(_connection) -> None:
        raise error(554, b"5.3.2 No more connections")

    monkeypatch.setattr("smtplib.SMTP.ehlo_or_helo_if_needed", refuse)
    say(ticket, dan)
    deliver_due()
    assert set(states().values()) == {State.QUEUED}


def test_server_when_unreachable_then_no_try_is_spent_and_staff_see_why(settings, sink, ticket, dan):
    say(ticket, dan)
    port = settings.EMAIL_PORT
    with running() as (_other, free):
        pass
    settings.EMAIL_PORT = free
    assert deliver_due() == 0
    assert set(Delivery.objects.values_list("state", "attempts")) == {("queued", 0)}
    assert all("refused" in error for error in Delivery.objects.values_list("error", flat=True))
    settings.EMAIL_PORT = port
    assert (deliver_due(), len(sink.mails)) == (2, 2)
    assert set(Delivery.objects.values_list("state", "error")) == {("sent", "")}


def test_server_when_it_dies_half_way_then_what_is_left_goes_later(settings, ticket, dan, ben):
    with running() as (first, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        first.data_answers["ben@acme.example"] = "421 4.3.2 Going down"
        say(ticket, dan)
        assert deliver_due() == 1
    pass_time(BACKOFF[0])
    with running(port) as (second, _port):
        assert (deliver_due(), first.recipients, second.recipients) == (1, ["ana@acme.example"], ["ben@acme.example"])


def test_mails_when_several_wait_for_one_person_then_arrive_in_order(sink, ticket, ana, dan):
    for number in range(4):
        say(ticket, dan, f"Answer {number}")
    sink.answers["ana@acme.example"] = "450 4.7.1 Greylisted"
    send_all()
    sink.answers.clear()
    pass_time(BACKOFF[0])
    send_all()
    for address in ("ana@acme.example", "ben@acme.example"):
        texts = [mail.get_body(("plain",)).get_content() for addresses, mail in sink.mails if addresses == [address]]
        assert [f"Answer {number}" in text for number, text in enumerate(texts)] == [True] * 4


def test_mails_of_other_tickets_when_one_is_held_up_then_go(sink, ticket, ana, dan):
    other = make_ticket(ana)
    say(ticket, dan)
    Delivery.objects.filter(address="ana@acme.example", ticket=ticket).update(next_attempt_at=timezone.now() + timedelta(hours=1))
    say(other, dan)
    send_all()
    assert set(Delivery.objects.filter(state=State.SENT, recipient=ana).values_list("ticket", flat=True)) == {other.pk}


def test_link_when_many_mails_wait_then_goes_first(sink, ticket, ana, dan):
    say(ticket, dan)
    queue_password_link(ana)
    deliver_due()
    assert "password" in sink.mails[0][1]["Subject"]


@pytest.mark.parametrize("loss", ["membership", "switched off", "spam"])
def test_mail_when_access_is_lost_before_it_leaves_then_is_cancelled(sink, ticket, ben, dan, loss):
    from tickets.models import Follower, Status

    say(ticket, dan)
    if loss == "membership":
        Membership.objects.filter(user=ben).delete()
        Follower.objects.filter(user=ben).delete()
    elif loss == "switched off":
        User.objects.filter(pk=ben.pk).update(is_active=False)
    else:
        actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Spam"))
    deliver_due()
    assert "ben@acme.example" not in sink.recipients
    assert Delivery.objects.get(address="ben@acme.example").state == State.CANCELLED


def test_sender_when_it_died_before_sending_then_another_sends_after_the_lease(sink, ticket, dan):
    say(ticket, dan)
    for row in Delivery.objects.all():
        assert channels._claim(row.pk, row.attempts)
    assert deliver_due() == 0
    pass_time(LEASE)
    assert (deliver_due(), len(sink.mails)) == (2, 2)


def test_sender_when_it_died_after_the_servers_yes_then_repeats_under_the_same_id(sink, ticket, dan):
    say(ticket, dan)
    before = list(Delivery.objects.values("pk", "attempts", "next_attempt_at"))
    deliver_due()
    for row in before:  # as if the process had been killed before it could write down that the mail was gone
        Delivery.objects.filter(pk=row["pk"]).update(state=State.SENDING, attempts=1, next_attempt_at=row["next_attempt_at"])
    deliver_due()
    assert sorted(sink.per_mail.values()) == [2, 2]


def test_sender_when_it_slept_past_its_lease_then_writes_nothing_over_anothers_work(sink, ticket, dan):
    say(ticket, dan)
    row = Delivery.objects.first()
    assert channels._claim(row.pk, 0)
    asleep = Delivery.objects.get(pk=row.pk)
    pass_time(LEASE)
    send_all()
    channels._settle(asleep, State.FAILED, error="late")
    assert Delivery.objects.get(pk=row.pk).state == State.SENT


def test_sender_when_it_dies_each_time_then_mail_is_given_up_and_shown(sink, ticket, dan):
    say(ticket, dan)
    Delivery.objects.update(state=State.SENDING, attempts=8, next_attempt_at=timezone.now() - timedelta(minutes=1))
    deliver_due()
    assert (states(), sink.mails) == ({"ana@acme.example": "failed", "ben@acme.example": "failed"}, [])


def test_claim_when_two_want_the_same_mail_then_one_gets_it(ticket, dan):
    say(ticket, dan)
    row = Delivery.objects.first()
    assert [channels._claim(row.pk, 0), channels._claim(row.pk, 0)] == [True, False]


def test_mail_when_it_cannot_be_rendered_then_holds_up_no_other_person(sink, ticket, dan, ana, monkeypatch):
    render = channels.render

    def choke(delivery):
        if delivery.recipient == ana:
            raise RuntimeError("poison")
        return render(delivery)

    monkeypatch.setattr(channels, "render", choke)
    say(ticket, dan)
    deliver_due()
    assert states() == {"ana@acme.example": "queued", "ben@acme.example": "sent"}
    assert Delivery.objects.get(recipient=ana).error == "RuntimeError: poison"


def test_failed_mail_when_retried_by_hand_then_goes_and_cannot_be_retried_again(sink, ticket, dan):
    sink.answers["ana@acme.example"] = "550 5.1.1 No such user"
    say(ticket, dan)
    deliver_due()
    row = Delivery.objects.get(address="ana@acme.example")
    sink.answers.clear()
    assert [retry(row), retry(row)] == [True, False]
    assert deliver_due() == 1
    assert retry(row) is False
    assert sink.per_mail[f"<{Delivery.objects.get(pk=row.pk).message_id}>", "ana@acme.example"] == 1


def test_mail_when_person_changed_address_then_goes_to_the_new_one_and_the_row_says_so(sink, ticket, dan, ana):
    say(ticket, dan)
    User.objects.filter(pk=ana.pk).update(email="ana@new.example")
    deliver_due()
    assert sorted(sink.recipients) == ["ana@new.example", "ben@acme.example"]
    assert Delivery.objects.get(recipient=ana).address == "ana@new.example"


def test_kept_mail_when_there_is_no_server_then_can_be_read(settings, ticket, dan):
    from notifications.kept_mail import read

    settings.EMAIL_BACKEND = "notifications.kept_mail.EmailBackend"
    say(ticket, dan, "Kept words.")
    deliver_due()
    row = Delivery.objects.first()
    assert (b"Kept words." in read(row.message_id), read("unknown@support.example")) == (True, None)
