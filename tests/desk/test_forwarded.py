"""Mail that somebody passed on: whose ticket it is, a person confirms."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import User
from notifications.models import Delivery, Kind
from notifications.relay import relay_waiting
from tests.desk.pages import send, words
from tests.factories import make_ticket
from tests.tickets.mail.letters import letter, take_in
from tickets import actions, sharing
from tickets.mail.forwards import original_sender
from tickets.models import EventKind, Follower, Ticket

FORWARD = """Please take this one.

---------- Forwarded message ---------
From: Ana Ford <ana@acme.example>
Date: Fri, 20 Nov 2026 at 09:00
Subject: Player is blank
To: Dan <dan@support.example>

It is blank.
"""


@pytest.fixture
def forwarded(dan) -> Ticket:
    ticket = take_in(letter(f"Dan <{dan.email}>", subject="Fwd: Player is blank", text=FORWARD)).ticket
    assert ticket
    return ticket


def test_forwarded_mail_is_its_senders_until_a_person_says_otherwise(desk, dan, ana, forwarded):
    page = desk.get(reverse("desk_ticket", args=[forwarded.number]))
    assert (forwarded.requester, "the text says that ana@acme.example wrote it" in words(page)) == (dan, True)


def test_requester_when_confirmed_then_owns_the_ticket_and_the_forwarder_filed_it(desk, dan, ana, acme, forwarded):
    response = send(desk, forwarded, "requester", who="ana@acme.example", is_new="on")
    ticket = Ticket.objects.get(pk=forwarded.pk)
    assert (response.status_code, ticket.requester, ticket.filer) == (302, ana, dan)
    assert set(ticket.follower_rows.values_list("user", flat=True)) == {ana.pk, dan.pk}
    assert list(ticket.organizations.all()) == [acme]
    assert ticket.events.latest("pk").kind == EventKind.REQUESTER_CHANGED
    assert "wrote it" not in words(desk.get(reverse("desk_ticket", args=[ticket.number])))


def test_requester_when_unknown_then_gets_an_account(desk, forwarded):
    send(desk, forwarded, "requester", who="new@else.example", is_new="on")
    assert Ticket.objects.get(pk=forwarded.pk).requester == User.objects.by_address("new@else.example")


def test_requester_when_confirmed_then_hears_of_it_as_of_a_ticket_of_their_own(desk, forwarded):
    relay_waiting()
    send(desk, forwarded, "requester", who="new@else.example", is_new="on")
    relay_waiting()
    told = Delivery.objects.filter(recipient__email="new@else.example").order_by("id")
    assert list(told.values_list("kind", flat=True)) == [Kind.CONFIRMATION, Kind.SET_PASSWORD]


def test_requester_when_one_of_our_addresses_then_is_refused(desk, dan, forwarded):
    response = send(desk, forwarded, "requester", who="support@support.example", is_new="on")
    assert (response.status_code, Ticket.objects.get(pk=forwarded.pk).requester) == (422, dan)


def test_requester_when_the_same_then_nothing_happens(workflow, ana, dan):
    ticket = make_ticket(ana)
    before = ticket.events.count()
    sharing.change_requester(ticket, actor=dan, requester=ana)
    assert ticket.events.count() == before


def test_requester_when_changed_back_then_nobody_filed_for_themselves(workflow, ana, ben, dan):
    ticket = make_ticket(ana)
    sharing.change_requester(ticket, actor=dan, requester=ben)
    ticket = sharing.change_requester(ticket, actor=dan, requester=ana)
    assert (ticket.requester, ticket.filer) == (ana, ben)


def test_requester_when_another_company_passed_it_on_then_is_refused(workflow, ana, cleo, dan):
    ticket = make_ticket(ana)
    with pytest.raises(actions.NotAllowed, match="Ana Ford belongs to no organization of Cleo Roy"):
        sharing.change_requester(ticket, actor=dan, requester=cleo)


def test_forward_of_a_customer_is_that_customers_and_offers_nothing(desk, ana, workflow):
    ticket = take_in(letter(subject="Fwd: x", text="See\n\nFrom: Cleo <cleo@globex.example>\nTo: Ana\n\nIt is blank.\n")).ticket
    assert "wrote it" not in words(desk.get(reverse("desk_ticket", args=[ticket.number])))


def test_requester_when_asked_by_a_customer_then_is_refused(workflow, ana, ben):
    ticket = make_ticket(ana)
    with pytest.raises(actions.NotAllowed):
        sharing.change_requester(ticket, actor=ana, requester=ben)


def test_requester_when_muted_before_then_hears_of_their_own_ticket(forwarded, ana, dan):
    Follower.objects.create(ticket=forwarded, user=ana, added_by=dan, is_muted=True)
    sharing.change_requester(forwarded, actor=dan, requester=ana)
    assert not Follower.objects.get(ticket=forwarded, user=ana).is_muted


@pytest.mark.parametrize(
    ("subject", "text", "found"),
    [
        ("Fwd: x", FORWARD, "ana@acme.example"),
        ("WG: x", "Bitte.\n\nVon: Ana Ford [mailto:ana@acme.example]\nGesendet: Freitag\nAn: Dan\n", "ana@acme.example"),
        ("Re: x", "---------- Forwarded message ---------\n> *From:* Ana <ana@acme.example>\n", "ana@acme.example"),
        ("Fwd: x", "From: Ana Ford\nSent: Friday\n\nFrom: ben@acme.example\n", ""),
        ("Re: x", "Thanks.\n\nFrom: Ana <ana@acme.example>\nSent: Friday\n", ""),
        ("x", "no address", ""),
    ],
)
def test_original_sender_is_named_only_below_a_forwards_mark(subject, text, found):
    assert original_sender(subject=subject, text=text) == found
