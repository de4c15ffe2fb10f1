"""What rules make of mail that comes in: whose ticket, where, and that nobody hears of spam."""

from __future__ import annotations

import pytest

from accounts.models import AgentGroup, User
from notifications.models import Delivery
from notifications.relay import relay_waiting
from tests.factories import make_ticket
from tests.tickets.mail.letters import letter, signed_address, take_in
from tickets import actions
from tickets.models import InboundState, MailRule, Priority, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db


@pytest.fixture
def freemium(workflow, max_admin) -> MailRule:
    return MailRule.objects.create(name="Freemium", subjects="new freemium account", is_spam=True, created_by=max_admin)


def signup(sender: str = "no-reply@signup.example", **headers: str) -> bytes:
    return letter(sender, subject="New freemium account: Nora", **headers)


def told() -> list[str]:
    relay_waiting()
    return sorted(Delivery.objects.values_list("address", flat=True))


@pytest.mark.parametrize("headers", [{}, {"Auto_Submitted": "auto-generated"}, {"Precedence": "bulk"}])
def test_machines_mail_when_a_rule_says_spam_then_is_a_spam_ticket_of_the_rules_maker(freemium, max_admin, dan, headers):
    taken = take_in(signup(**headers))
    assert (taken.state, taken.rule, taken.ticket.requester, taken.ticket.is_spam) == (InboundState.DONE, freemium, max_admin, True)
    assert (told(), User.objects.by_address("no-reply@signup.example")) == ([], None)


def test_spam_of_a_rule_when_released_then_nobody_is_mailed_about_it(freemium, dan):
    ticket = take_in(signup()).ticket
    relay_waiting()
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Open"))
    assert told() == []


def test_spam_when_released_before_it_was_told_then_nobody_is_mailed_about_it(freemium, dan):
    ticket = take_in(signup()).ticket
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Open"))
    assert told() == []


def test_person_whose_mail_is_spam_by_rule_keeps_their_account(freemium, ana):
    assert take_in(signup(ana.email)).ticket.requester == ana


def test_rule_when_its_maker_is_gone_then_machines_wait_for_staff(freemium, max_admin):
    User.objects.filter(pk=max_admin.pk).update(is_active=False)
    taken = take_in(signup(Auto_Submitted="auto-generated"))
    assert (taken.state, taken.rule, Ticket.objects.count()) == (InboundState.HELD, freemium, 0)


def test_rule_says_whose_a_machines_ticket_is_and_what_it_needs(workflow, ana, max_admin):
    devops, high, problem = AgentGroup.objects.get(name="DevOps"), Priority.objects.get(name="High"), TicketType.objects.get(name="DevOps")
    MailRule.objects.create(
        name="Alarms", domains="nagios.example", group=devops, priority=high, type=problem, requester=ana, created_by=max_admin
    )
    ticket = take_in(letter("alarm@nagios.example", Auto_Submitted="auto-generated")).ticket
    assert (ticket.requester, ticket.group, ticket.priority, ticket.type, ticket.is_spam) == (ana, devops, high, problem, False)
    assert ticket.events.get().data == {"quiet": True, "rule": "Alarms", "spam": False}


def test_rule_without_confirmation_sends_its_sender_none(workflow, ana, dan):
    MailRule.objects.create(name="Quiet", senders=ana.email, is_quiet=True)
    take_in(letter())
    assert told() == [dan.email]


def test_rule_says_nothing_about_answers(workflow, ana):
    MailRule.objects.create(name="All of Ana", senders=ana.email, is_spam=True)
    ticket = make_ticket(ana)
    take_in(letter(to=signed_address(ticket, ana)))
    assert (Ticket.objects.get().is_spam, ticket.comments.count()) == (False, 2)


@pytest.mark.parametrize(("says", "third"), [({}, "held"), ({"is_quiet": True}, "done"), ({"is_spam": True}, "done")])
def test_flood_of_a_sender_whom_a_rule_calls_no_person_is_none(workflow, ana, monkeypatch, says, third):
    monkeypatch.setattr("tickets.mail.ingest._FLOOD", 2)
    MailRule.objects.create(name="All of Ana", senders=ana.email, **says)
    assert [take_in(letter(text=f"{n}\n")).state for n in range(3)] == ["done", "done", third]
