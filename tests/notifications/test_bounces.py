"""Mail that comes back: from the server's report to the address that gets no more. Reports come in by the door that all mail comes by."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail as outgoing
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from notifications import bounces
from notifications.channels import deliver_due
from notifications.models import Delivery, Kind, State, Suspension
from notifications.relay import queue_password_link, relay_waiting
from tests.factories import make_ticket, message
from tests.tickets.mail.bounces import BOUNCES, NORA, OURS
from tests.tickets.mail.letters import letter, take_in
from tickets import actions, sharing
from tickets.mail.tokens import bounce_address
from tickets.models import Follower, InboundMessage, InboundState, Ticket

pytestmark = pytest.mark.django_db

UNKNOWN_USER = "550 5.1.1 <ana@acme.example>: Recipient address rejected: User unknown in virtual mailbox table"


@pytest.fixture
def ticket(workflow, ana, dan) -> Ticket:
    ticket = make_ticket(ana)
    send_all()
    return ticket


def send_all() -> None:
    relay_waiting()
    Delivery.objects.filter(state=State.QUEUED).update(next_attempt_at=timezone.now())
    deliver_due()


def answer(ticket: Ticket, dan, text: str = "Which browser is it?") -> Delivery:
    """A mail to Ana that has left."""
    actions.comment(ticket, actor=dan, message=message(text))
    send_all()
    return Delivery.objects.filter(recipient=ticket.requester).latest("pk")


def report(delivery: Delivery, name: str = "postfix-unknown-user", *, proven: bool = True, is_matched: bool = True) -> InboundMessage:
    """What a mail server writes about it: to the address that the mail came from, or (as anybody could) to the one that all know."""
    bounce = next(bounce for bounce in BOUNCES if bounce.name == name)
    to = bounce_address(delivery_id=delivery.pk) if proven else "support@support.example"
    words = {NORA: delivery.address, OURS: delivery.message_id, f"<{name}@": f"<{name}.{delivery.pk}.{InboundMessage.objects.count()}@"}
    taken = take_in(bounce.raw(to=to, words=words), to=to)
    if is_matched:
        bounces.match_reports()
    taken.refresh_from_db()
    return taken


def fate(delivery: Delivery) -> tuple[str, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.error


def bounce_thrice(ticket, dan) -> None:
    for text in ("one", "two", "three"):
        report(answer(ticket, dan, text))


def test_report_when_it_came_to_the_mails_own_address_then_the_mail_is_bounced_in_the_servers_words(ticket, dan):
    delivery = answer(ticket, dan)
    taken = report(delivery)
    assert fate(delivery) == (State.BOUNCED, UNKNOWN_USER)
    assert delivery.bounced_at is not None
    assert (taken.state, taken.ticket, taken.reason) == (InboundState.IGNORED, ticket, f"The mail to Ana Ford came back: {UNKNOWN_USER}")


def test_report_when_it_is_matched_then_the_ticket_is_as_it_was_and_nobody_is_mailed(ticket, dan):
    delivery = answer(ticket, dan)
    before = (ticket.events.count(), ticket.comments.count(), len(outgoing.outbox))
    report(delivery)
    send_all()
    assert (ticket.events.count(), ticket.comments.count(), len(outgoing.outbox)) == before


def test_report_when_it_says_delayed_then_the_mail_stays_sent_and_tells_why(ticket, dan):
    delivery = answer(ticket, dan)
    taken = report(delivery, "postfix-delayed")
    assert fate(delivery) == (State.SENT, "450 4.2.0 <ana@acme.example>: Greylisted")
    assert taken.reason == "The mail to Ana Ford is delayed: 450 4.2.0 <ana@acme.example>: Greylisted"


def test_report_when_it_says_delivered_then_nothing_changes(ticket, dan):
    delivery = answer(ticket, dan)
    assert report(delivery, "postfix-success").reason == "A mail server has passed on the mail to Ana Ford."
    assert fate(delivery) == (State.SENT, "")


@pytest.mark.parametrize("name", ["postfix-unknown-user", "exim-remote-unknown", "qmail-no-mailbox", "gmail-old-plain", "t-online"])
def test_report_when_only_the_message_id_is_known_then_it_is_linked_and_changes_nothing(ticket, dan, name):
    delivery = answer(ticket, dan)
    before = Delivery.objects.filter(pk=delivery.pk).values().get()
    taken = report(delivery, name, proven=False)
    assert Delivery.objects.filter(pk=delivery.pk).values().get() == before
    assert (taken.state, taken.ticket, taken.report["delivery"], taken.report["proven"]) == (
        InboundState.IGNORED,
        ticket,
        delivery.pk,
        False,
    )
    assert taken.reason.startswith("Unproven: The mail to Ana Ford came back: ")


def test_reports_when_forged_a_hundred_times_then_nothing_is_suspended(ticket, dan):
    for text in ("one", "two", "three", "four"):
        report(answer(ticket, dan, text), proven=False)
    assert Suspension.objects.count() == 0


def test_report_when_its_address_is_forged_then_it_is_no_proof(ticket, dan):
    delivery = answer(ticket, dan)
    other = bounce_address(delivery_id=delivery.pk + 1).replace(f"b1-{delivery.pk + 1}-", f"b1-{delivery.pk}-")
    bounce = BOUNCES[0].raw(to=other, words={OURS: "1.1.1.aaaaaaaaaaaaaaaaaaaaaaaaaa@support.example"})
    taken = take_in(bounce, to=other)
    bounces.match_reports()
    taken.refresh_from_db()
    assert (taken.state, taken.ticket, taken.reason) == (InboundState.IGNORED, None, "A mail server reports on a mail that we can't tell.")
    assert fate(delivery) == (State.SENT, "")


def test_report_when_its_delivery_is_gone_then_it_is_ignored_with_a_reason(ticket, dan):
    delivery = answer(ticket, dan)
    address = bounce_address(delivery_id=delivery.pk)
    delivery.delete()
    taken = take_in(BOUNCES[0].raw(to=address), to=address)
    bounces.match_reports()
    taken.refresh_from_db()
    assert (taken.state, taken.reason) == (InboundState.IGNORED, "A mail server reports on a mail that we can't tell.")


def test_report_when_matched_twice_then_counts_once(ticket, dan):
    report(answer(ticket, dan))
    assert bounces.match_reports() == 0


def test_second_report_on_one_mail_keeps_the_first_words(ticket, dan):
    delivery = answer(ticket, dan)
    report(delivery)
    report(delivery, "postfix-quota")
    assert fate(delivery) == (State.BOUNCED, UNKNOWN_USER)


def test_report_when_it_can_not_be_handled_then_it_waits_for_staff_and_holds_up_no_other(ticket, dan):
    delivery = answer(ticket, dan)
    broken = take_in(letter(subject="odd"))
    InboundMessage.objects.filter(pk=broken.pk).update(state=InboundState.REPORT, report={"odd": True})
    report(delivery)
    broken.refresh_from_db()
    assert (broken.state, broken.reason) == (InboundState.FAILED, "KeyError: 'proven'")
    assert fate(delivery)[0] == State.BOUNCED


def test_absence_note_to_the_mails_own_address_is_no_report(ticket, dan):
    delivery = answer(ticket, dan)
    to = bounce_address(delivery_id=delivery.pk)
    away = letter(
        to=to,
        subject="Automatic reply: Player is blank",
        text="I am away.",
        Auto_Submitted="auto-replied",
        In_Reply_To=f"<{delivery.message_id}>",
    )
    taken = take_in(away, to=to)
    assert (taken.state, taken.report) == (InboundState.IGNORED, {})
    assert fate(delivery) == (State.SENT, "")


# --- Suspension ----------------------------------------------------------------------------------------------------------------


def test_address_when_three_mails_came_back_then_gets_no_more(ticket, dan, ana):
    bounce_thrice(ticket, dan)
    suspension = Suspension.objects.get()
    assert (suspension.user, suspension.address, suspension.reason, suspension.ended_at) == (ana, ana.email, UNKNOWN_USER, None)
    sent = len(outgoing.outbox)
    assert fate(answer(ticket, dan, "four")) == (State.CANCELLED, "Mail to this address came back 3 times, so it was stopped.")
    assert len(outgoing.outbox) == sent


def test_address_when_two_mails_came_back_then_still_gets_mail(ticket, dan):
    report(answer(ticket, dan, "one"))
    report(answer(ticket, dan, "two"))
    assert fate(answer(ticket, dan, "three"))[0] == State.SENT


def test_address_when_one_mail_came_back_three_times_then_still_gets_mail(ticket, dan):
    delivery = answer(ticket, dan)
    for _ in range(3):
        report(delivery)
    assert Suspension.objects.count() == 0


@pytest.mark.parametrize("name", ["postfix-quota", "postfix-too-large", "barracuda-spam", "postfix-given-up-on-timeout", "postfix-delayed"])
def test_address_when_mail_comes_back_for_other_reasons_then_still_gets_mail(ticket, dan, name):
    for text in ("one", "two", "three", "four"):
        report(answer(ticket, dan, text), name)
    assert Suspension.objects.count() == 0


def test_address_when_the_mails_are_long_past_then_still_gets_mail(ticket, dan):
    report(answer(ticket, dan, "one"))
    report(answer(ticket, dan, "two"))
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    report(answer(ticket, dan, "three"))
    assert Suspension.objects.count() == 0


def test_address_when_proven_since_then_still_gets_mail(ticket, dan, ana):
    report(answer(ticket, dan, "one"))
    report(answer(ticket, dan, "two"))
    ana.proven_at = timezone.now()
    ana.save()
    report(answer(ticket, dan, "three"))
    assert Suspension.objects.count() == 0


def test_address_when_the_server_refuses_it_at_once_then_that_counts_too(ticket, dan, ana, sink):
    sink.answers[ana.email] = "550 5.1.1 User unknown"
    for text in ("one", "two", "three"):
        assert fate(answer(ticket, dan, text)) == (State.FAILED, "550 5.1.1 User unknown")
    assert fate(answer(ticket, dan, "four"))[0] == State.CANCELLED


@pytest.mark.parametrize("words", ["554 5.7.1 Spam", "552 5.2.2 Mailbox full"])
def test_address_when_the_server_refuses_the_mail_then_that_does_not_count(ticket, dan, ana, sink, words):
    sink.answers[ana.email] = words
    for text in ("one", "two", "three", "four"):
        assert fate(answer(ticket, dan, text)) == (State.FAILED, words)
    assert Suspension.objects.count() == 0


def test_address_when_the_server_refuses_our_own_then_that_does_not_count_and_is_tried_again(ticket, dan, sink):
    async def refuse(_server, _session, _envelope, _address, _options) -> str:
        return "553 5.1.2 We cannot find that domain: no such domain"

    sink.handle_MAIL = refuse
    refused = answer(ticket, dan, "one")
    assert fate(refused) == (State.QUEUED, "553 Sender rejected: 5.1.2 We cannot find that domain: no such domain")
    Delivery.objects.filter(pk=refused.pk).update(attempts=7, next_attempt_at=timezone.now())
    deliver_due()
    refused.refresh_from_db()
    assert (refused.state, Suspension.objects.count()) == (State.FAILED, 0)


def test_address_when_suspended_then_other_people_get_their_mail(ticket, dan, ben):
    sharing.add_follower(ticket, actor=dan, person=ben)
    bounce_thrice(ticket, dan)
    answer(ticket, dan, "four")
    assert Delivery.objects.filter(recipient=ben, kind=Kind.UPDATE).latest("pk").state == State.SENT


def test_address_when_suspended_then_the_link_that_a_person_asks_for_still_goes(ticket, dan, ana):
    bounce_thrice(ticket, dan)
    queue_password_link(ana)
    send_all()
    assert Delivery.objects.get(kind=Kind.RESET_PASSWORD).state == State.SENT


def test_address_when_lifted_then_gets_mail_again_and_counts_anew(ticket, dan):
    bounce_thrice(ticket, dan)
    assert bounces.lift(Suspension.objects.get(), actor=dan) is True
    again = answer(ticket, dan, "four")
    assert fate(again)[0] == State.SENT
    report(again)
    assert bounces.is_suspended(again.address) is False


def test_suspension_when_lifted_twice_then_the_first_counts(ticket, dan, eve):
    bounce_thrice(ticket, dan)
    suspension = Suspension.objects.get()
    assert (bounces.lift(suspension, actor=dan), bounces.lift(suspension, actor=eve)) == (True, False)
    suspension.refresh_from_db()
    assert suspension.ended_by == dan


def test_suspension_when_somebody_else_lifts_it_then_is_refused(ticket, dan, ben):
    bounce_thrice(ticket, dan)
    with pytest.raises(actions.NotAllowed):
        bounces.lift(Suspension.objects.get(), actor=ben)
    assert Suspension.objects.get().ended_at is None


def test_followers_when_asked_for_suspensions_then_have_those_that_run(ticket, dan, ana, ben):
    sharing.follow(ticket, actor=ben)
    bounce_thrice(ticket, dan)
    suspension = Suspension.objects.get()
    rows = bounces.with_suspensions(Follower.objects.filter(user__in=[ana, ben])).values_list("user", "suspension")
    assert dict(rows) == {ana.pk: suspension.pk, ben.pk: None}
    bounces.lift(suspension, actor=ana)
    assert dict(rows.all()) == {ana.pk: None, ben.pk: None}


class QuickBounce(EmailBackend):
    """A server whose report is here before its 250 is."""

    def send_messages(self, messages):
        Delivery.objects.filter(state=State.SENDING).update(state=State.BOUNCED, error=UNKNOWN_USER)
        return super().send_messages(messages)


def test_bounce_when_quicker_than_the_senders_commit_then_stays(ticket, dan, settings):
    settings.EMAIL_BACKEND = f"{__name__}.QuickBounce"
    assert fate(answer(ticket, dan)) == (State.BOUNCED, UNKNOWN_USER)
