"""Spam in one click, its sender remembered where an agent says so; and no mail of it ever leaves, not even when it is released."""

from __future__ import annotations

import pytest

from notifications import relay
from notifications.models import Delivery, Kind
from tests.desk.pages import send, words
from tests.factories import make_ticket
from tests.tickets.mail.letters import letter, take_in
from tickets import actions
from tickets.mail import rules
from tickets.models import MailRule, Ticket

ROBOT = "robot@signup.example"


@pytest.fixture
def sign_up(workflow):
    """The ticket that a machine's mail opened."""
    return take_in(letter(ROBOT)).ticket


def is_spam(ticket) -> bool:
    return Ticket.objects.get(pk=ticket.pk).is_spam


def next_one_is_spam(sender: str = ROBOT, **headers) -> bool:
    return is_spam(take_in(letter(sender, text="Another.\n", **headers)).ticket)


def test_spam_when_marked_then_the_sender_is_not_remembered(desk, sign_up):
    send(desk, sign_up, "spam")
    assert (is_spam(sign_up), MailRule.objects.count(), next_one_is_spam()) == (True, 0, False)


def test_spam_when_always_then_the_next_mail_is_too_and_others_are_not(desk, sign_up, dan):
    response = send(desk, sign_up, "spam", always="1")
    told = words(desk.get(response["Location"]))
    assert f"Marked as spam, and new mail from {ROBOT} will be too. “Not spam” takes both back." in told
    assert (is_spam(sign_up), next_one_is_spam(), next_one_is_spam("ana@acme.example")) == (True, True, False)
    assert MailRule.objects.get().created_by == dan


def test_spam_when_released_then_its_sender_is_forgotten_and_the_page_says_so(desk, sign_up):
    send(desk, sign_up, "spam", always="1")
    response = send(desk, sign_up, "not_spam")
    assert f"the ticket is back, and new mail from {ROBOT} is no spam any more." in words(desk.get(response["Location"]))
    assert (is_spam(sign_up), MailRule.objects.get().is_active, next_one_is_spam()) == (False, False, False)


def test_spam_when_an_admins_rule_made_it_then_releasing_leaves_the_rule_and_names_it(desk, workflow, ana):
    rule = MailRule.objects.create(name="Sign-ups", senders=ROBOT, is_spam=True, position=1, requester=ana)
    sorted_out = take_in(letter(ROBOT)).ticket
    response = send(desk, sorted_out, "not_spam")
    assert "The rule “Sign-ups” put it there; an admin can change it." in words(desk.get(response["Location"]))
    rule.refresh_from_db()
    assert (is_spam(sorted_out), rule.is_active) == (False, True)


def test_spam_when_the_ticket_is_another_persons_then_the_mails_sender_is_remembered(desk, workflow, ana):
    MailRule.objects.create(name="Sign-ups", senders=ROBOT, is_quiet=True, position=1, requester=ana)
    ticket = take_in(letter(ROBOT, Auto_Submitted="auto-generated")).ticket
    send(desk, ticket, "spam", always="1")
    assert (ticket.requester, rules.remembered(ROBOT).count(), rules.remembered(ana.email).count()) == (ana, 1, 0)


def test_spam_when_opened_in_the_portal_then_its_requester_is_remembered(desk, ticket, ana):
    send(desk, ticket, "spam", always="1")
    assert (is_spam(ticket), next_one_is_spam(ana.email)) == (True, True)


def test_spam_when_of_our_own_staff_then_nothing_happens_and_says_why(desk, dan, workflow):
    ticket = make_ticket(dan)
    send(desk, ticket, "spam", always="1")
    assert (is_spam(ticket), MailRule.objects.count()) == (False, 0)
    assert "This is an address of our own, so its mail can't always be spam." in words(desk.get("/desk/"))


def test_spam_when_the_page_is_out_of_date_then_nobody_is_remembered(desk, sign_up, eve):
    actions.take(sign_up, actor=eve)
    response = desk.post(f"/desk/tickets/{sign_up.pk}/spam/", {"seen": 0, "always": "1"})
    assert (response.status_code, is_spam(sign_up), MailRule.objects.count()) == (409, False, 0)


def test_spam_when_page_is_shown_then_offers_both(desk, sign_up):
    html = desk.get(f"/desk/tickets/{sign_up.pk}/").content.decode()
    assert ("Mark as spam" in html, 'name="always" value="1"' in html) == (True, True)


def test_composer_when_the_ticket_is_spam_then_says_that_nobody_is_mailed(desk, sign_up):
    send(desk, sign_up, "spam")
    assert "It is spam: nobody will be mailed." in words(desk.get(f"/desk/tickets/{sign_up.pk}/"))


# --- Mail ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def all_is_spam(dan):
    rules.remember_spammer(ROBOT, actor=dan)


@pytest.mark.parametrize("is_relayed_between", [True, False])
def test_spam_by_rule_when_released_then_no_mail_ever_leaves(desk, all_is_spam, is_relayed_between):
    ticket = take_in(letter(ROBOT)).ticket
    was_spam = is_spam(ticket)
    if is_relayed_between:
        relay.relay_waiting()
    send(desk, ticket, "not_spam")
    relay.relay_waiting()
    assert (was_spam, is_spam(ticket), Delivery.objects.count()) == (True, False, 0)


def test_mail_when_no_rule_counts_then_is_confirmed(desk, sign_up):
    relay.relay_waiting()
    assert Delivery.objects.filter(ticket=sign_up, kind=Kind.CONFIRMATION).count() == 1
