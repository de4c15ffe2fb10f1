"""A ticket whose mails come back: what its page says, and what can be done there."""

from __future__ import annotations

import pytest

from notifications import bounces
from notifications.models import Delivery, State, Suspension
from tests.desk.pages import words
from tests.notifications.test_bounces import answer, bounce_thrice, report, send_all
from tests.tickets.mail.letters import letter, take_in
from tickets import sharing

pytestmark = pytest.mark.django_db

CAME_BACK = (
    "Came back from Ana Ford (requester): 550 5.1.1 <ana@acme.example>: Recipient address rejected: User unknown in virtual mailbox table"
)
STOPPED = "Ana Ford gets no mail, as it kept coming back."


def page(desk, ticket) -> str:
    return words(desk.get(f"/desk/tickets/{ticket.number}/"))


def test_page_when_a_mail_came_back_then_says_so_in_the_servers_words(desk, ticket, dan):
    report(answer(ticket, dan))
    read = page(desk, ticket)
    assert (CAME_BACK in read, "1 mail failed: show it" in read, "unproven" in read.lower()) == (True, True, False)


def test_page_when_somebody_claims_that_a_mail_came_back_then_says_that_it_is_unproven(desk, ticket, dan):
    report(answer(ticket, dan), proven=False)
    read = page(desk, ticket)
    assert ("Unproven: The mail to Ana Ford came back: 550 5.1.1" in read, "Came back from" in read, "mail failed" in read) == (
        True,
        False,
        False,
    )


def test_page_when_a_mail_is_delayed_then_says_so(desk, ticket, dan):
    report(answer(ticket, dan), "postfix-delayed")
    assert "Ana Ford (requester; delayed: 450 4.2.0 <ana@acme.example>: Greylisted)" in page(desk, ticket)


def test_page_when_mail_to_a_follower_is_stopped_then_warns_who_answers(desk, ticket, dan, ben):
    sharing.add_follower(ticket, actor=dan, person=ben)
    assert STOPPED not in page(desk, ticket)
    bounce_thrice(ticket, dan)
    read = page(desk, ticket)
    assert (STOPPED in read, "mail stopped" in read, "Mails Ben Ode" in read) == (True, True, True)


def test_page_when_mail_was_not_sent_then_says_why(desk, ticket, dan):
    bounce_thrice(ticket, dan)
    answer(ticket, dan, "four")
    assert "Not mailed to Ana Ford : Mail to this address came back 3 times, so it was stopped." in page(desk, ticket)


def test_send_mail_again_when_pressed_there_then_leads_back_to_the_ticket(desk, ticket, dan, ana):
    bounce_thrice(ticket, dan)
    suspension = Suspension.objects.get()
    answered = desk.post(f"/desk/people/{ana.pk}/suspensions/{suspension.pk}/lift/", {"ticket": ticket.number}, follow=True)
    assert answered.redirect_chain == [(f"/desk/tickets/{ticket.number}/", 302)]
    assert STOPPED not in words(answered)
    assert bounces.is_suspended(ana.email) is False


def test_mail_that_came_back_when_sent_again_then_goes_to_the_address_as_it_is_now(desk, ticket, dan, ana):
    delivery = answer(ticket, dan)
    report(delivery)
    ana.email = "ana.ford@acme.example"
    ana.save()
    desk.post(f"/desk/tickets/{ticket.number}/deliveries/{delivery.pk}/retry/")
    send_all()
    again = Delivery.objects.get(pk=delivery.pk)
    assert (again.state, again.address, again.bounced_at, again.error) == (State.SENT, "ana.ford@acme.example", None, "")


def test_page_leads_to_its_people(desk, ticket, ana):
    assert f'href="/desk/people/{ana.pk}/"' in desk.get(f"/desk/tickets/{ticket.number}/").content.decode()


def test_report_when_opened_then_leads_to_its_mail_and_says_what_it_proves(desk, ticket, dan):
    delivery = answer(ticket, dan)
    for proven, said in (
        (True, "It came to the return address that only this one mail had."),
        (False, "Anybody who got the mail could have written this"),
    ):
        page = desk.get(f"/desk/mail/in/{report(delivery, proven=proven).pk}/")
        assert said in words(page)
        assert f'href="/desk/mail/out/{delivery.pk}/"' in page.content.decode()
        assert "Publish" not in words(page)


def test_mails_lead_to_the_person(desk, ticket, dan, ana):
    delivery, received = answer(ticket, dan), take_in(letter())
    for path in (f"/desk/mail/in/{received.pk}/", f"/desk/mail/out/{delivery.pk}/"):
        assert f'href="/desk/people/{ana.pk}/"' in desk.get(path).content.decode()
