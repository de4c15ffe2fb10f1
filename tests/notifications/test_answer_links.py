"""The two answers in the mail of a resolved ticket: a page and a button each, for the one person, about the one ticket, without a login."""

from __future__ import annotations

import re

import pytest
import time_machine
from django.core import signing
from django.utils import timezone

from accounts.keys import without_keys
from accounts.models import Membership, User
from notifications.answers import LASTS, Answer, answer_path
from tests.factories import make_ticket, message
from tests.notifications.test_render import html, text, to
from tests.portal.pages import has
from tickets import actions
from tickets.models import Channel, Event, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(workflow, ana, ben, dan) -> Ticket:
    """Ana's, resolved."""
    return resolved(make_ticket(ana), dan)


def resolved(ticket: Ticket, dan) -> Ticket:
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    ticket.refresh_from_db()
    return ticket


def links(mail) -> list[str]:
    """Paths of the answers, yes first."""
    return re.findall(r"http://[^/\s]+(/mail/answer/[^\s]+)", text(mail))


def category(ticket: Ticket) -> str:
    return Ticket.objects.get(pk=ticket.pk).category


def test_mail_when_resolved_then_says_when_it_closes_and_asks(ticket, ana):
    mail = to(ana)
    assert ["Did this fix it?" in text(mail), "Yes, this fixed it:" in text(mail), "No, still broken:" in text(mail)] == [True] * 3
    assert "it closes by itself on" in text(mail)
    assert len(links(mail)) == 2
    assert [f'href="http://testserver{path}"'.split("/", 3)[-1] in html(mail) for path in links(mail)] == [True, True]


def test_mail_when_resolved_with_a_reply_then_asks_too(workflow, ana, dan):
    ticket = make_ticket(ana)
    said = message("Fixed.", channel=Channel.DESK)
    actions.comment(ticket, actor=dan, message=said, status=Status.objects.get(name="Resolved"), type=TicketType.objects.first())
    assert len(links(to(ana))) == 2


def test_mail_when_to_staff_or_about_something_else_then_asks_nothing(ticket, ana, dan, eve):
    actions.assign(ticket, actor=dan, assignee=eve)
    actions.reopen(ticket, actor=ana)
    resolved(ticket, dan)
    assert links(to(eve)) == []
    actions.comment(ticket, actor=dan, message=message("By the way.", channel=Channel.DESK))
    assert links(to(ana)) == []


def test_mail_when_it_leaves_after_the_ticket_was_opened_again_then_asks_nothing(ticket, ana, ben, dan):
    from notifications.relay import relay_waiting

    relay_waiting()
    actions.reopen(ticket, actor=ben)
    from notifications.models import Delivery
    from tests.notifications.test_render import as_sent

    assert links(as_sent(Delivery.objects.get(recipient=ana, event__kind="resolved"))) == []


def test_links_when_opened_then_change_nothing(client, ticket, ana):
    events = Event.objects.count()
    for path, button in zip(links(to(ana)), ("Yes, this fixed it", "No, still broken"), strict=True):
        page = client.get(path)
        assert (page.status_code, has(page, button, ticket.subject)) == (200, [True, True])
        client.head(path)
    assert (Event.objects.count(), category(ticket)) == (events, "resolved")


def test_yes_when_pressed_without_a_login_then_closes_as_that_person(client, ticket, ana):
    page = client.post(links(to(ana))[0])
    event = Event.objects.latest("pk")
    assert (has(page, "Good to hear"), category(ticket), event.kind, event.actor) == ([True], "closed", "closed", ana)


def test_no_when_pressed_without_a_login_then_opens_again_and_asks_why(client, ticket, ana):
    page = client.post(links(to(ana))[1])
    event = Event.objects.latest("pk")
    assert (has(page, "The ticket is open again", "just answer the mail"), event.kind, event.actor) == ([True, True], "reopened", ana)
    assert Ticket.objects.get().is_unresolved


def test_no_when_pressed_logged_in_then_leads_to_the_reply(client, ticket, ana):
    client.force_login(ana)
    assert client.post(links(to(ana))[1]).url == f"/tickets/{ticket.number}/#reply"


def test_yes_when_pressed_twice_then_counts_once(client, ticket, ana):
    yes = links(to(ana))[0]
    client.post(yes)
    events = Event.objects.count()
    assert (has(client.post(yes), "The ticket is closed already"), Event.objects.count()) == ([True], events)


def test_no_when_it_closed_meanwhile_then_opens_again(client, ticket, ana, dan):
    no = links(to(ana))[1]
    actions.close(ticket, actor=dan)
    assert has(client.get(no), "has closed meanwhile", "No, still broken") == [True, True]
    client.post(no)
    assert Ticket.objects.get().is_unresolved


@pytest.mark.parametrize("answer", Answer)
def test_answer_when_the_ticket_is_open_already_then_says_so_and_does_nothing(client, ticket, ana, ben, answer):
    actions.reopen(ticket, actor=ben)
    events = Event.objects.count()
    assert has(client.post(answer_path(answer, ticket, ana)), "Somebody has answered already") == [True]
    assert Event.objects.count() == events


def test_answer_when_the_ticket_is_spam_then_does_nothing(client, ticket, ana, dan):
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Spam"))
    page = client.post(answer_path(Answer.BROKEN, ticket, ana))
    assert (category(ticket), has(page, "The ticket is closed already", "spam")) == ("spam", [True, False])


def dead(client, path: str) -> bool:
    """The kind page that says nothing of any ticket, for both methods."""
    answers = [client.get(path), client.post(path)]
    said = [has(one, "This link does not work any more", "Player is blank") for one in answers]
    return (said, [one.status_code for one in answers]) == ([[True, False]] * 2, [404, 404])


@pytest.mark.parametrize("loss", ["left", "switched off", "revoked", "old"])
def test_link_when_it_is_worth_nothing_any_more_then_says_so_kindly(client, ticket, ben, loss):
    path = answer_path(Answer.BROKEN, ticket, ben)
    later = timezone.now()
    match loss:
        case "left":
            Membership.objects.filter(user=ben).delete()
        case "switched off":
            User.objects.filter(pk=ben.pk).update(is_active=False)
        case "revoked":
            User.objects.filter(pk=ben.pk).update(token_generation=2)
        case _:
            later += LASTS
            later += LASTS
    with time_machine.travel(later, tick=False):
        assert dead(client, path)
    assert category(ticket) == "resolved"


@pytest.mark.parametrize("who", ["ben", "dan"])
def test_link_when_somebody_else_is_logged_in_then_is_not_theirs(client, request, ticket, ana, who):
    client.force_login(request.getfixturevalue(who))
    assert dead(client, answer_path(Answer.FIXED, ticket, ana))


def test_link_when_forged_or_for_another_purpose_then_is_worth_nothing(client, ticket, ana):
    named = ["fixed", ticket.pk, ana.pk, ana.token_generation]
    good = answer_path(Answer.FIXED, ticket, ana)
    for token in (
        "x",
        "x:y:z",
        signing.TimestampSigner(salt="helpdesk.unsubscribe").sign_object(named),
        signing.Signer(salt="helpdesk.answer").sign_object(named),
        good.split("/")[-2][:-2] + "xx",
        "9" * 5000,
    ):
        assert dead(client, f"/mail/answer/{token}/")
    assert client.post(good.replace("answer", "unsubscribe")).status_code == 404
    assert category(ticket) == "resolved"


def test_link_when_quoted_in_an_answer_then_the_key_is_left_out():
    assert without_keys("Yes: http://x.example/mail/answer/abc:def:ghi/ now") == "Yes: http://x.example/mail/answer/…/ now"
