"""Who gets into each page of the desk, and who is told that there is nothing."""

from __future__ import annotations

import pytest
from django.urls import reverse

from notifications.models import Delivery, Kind, Reason, State
from tests.desk.conftest import logged_in
from tests.factories import make_ticket
from tests.tickets.mail.letters import letter, signed_address, take_in

LISTS = ["desk", "desk_tickets", "desk_mail"]
OF_A_TICKET = ["desk_ticket"]
OF_A_MAIL = ["desk_mail_in", "desk_mail_raw", "desk_mail_out"]
TICKET_VERBS = [
    f"desk_ticket_{verb}"
    for verb in (
        "reply note take resolve close reopen spam not_spam status priority type group assignee follow unfollow add_follower".split()
    )
]
MAIL_VERBS = ["desk_mail_publish", "desk_mail_open", "desk_mail_discard", "desk_mail_replay", "desk_mail_out_retry"]
PAGES = [*LISTS, *OF_A_TICKET, *OF_A_MAIL]
VERBS = [*TICKET_VERBS, *MAIL_VERBS, "desk_ticket_remove_follower", "desk_ticket_retry"]


def failed_mail(ticket) -> Delivery:
    about = {"event": ticket.events.first(), "ticket": ticket, "recipient": ticket.requester, "address": ticket.requester.email}
    return Delivery.objects.create(**about, kind=Kind.UPDATE, reason=Reason.REQUESTER, state=State.FAILED)


def addresses(ticket) -> dict[str, list[int]]:
    """What each address is about, for one ticket with mail in and out."""
    held = take_in(letter("sten@else.example", to=signed_address(ticket, ticket.requester)))
    failed = failed_mail(ticket)
    about = {name: [ticket.number] for name in (*OF_A_TICKET, *TICKET_VERBS)} | {name: [] for name in LISTS}
    about |= {name: [failed.pk if "_out" in name else held.pk] for name in (*OF_A_MAIL, *MAIL_VERBS)}
    about["desk_ticket_remove_follower"] = [ticket.number, ticket.requester_id]
    about["desk_ticket_retry"] = [ticket.number, failed.pk]
    return about


@pytest.fixture
def open_to_all(ticket):
    return addresses(ticket)


@pytest.fixture
def private(secret):
    return addresses(secret)


@pytest.mark.parametrize("name", PAGES)
def test_page_when_agent_asks_then_is_shown(desk, open_to_all, name):
    assert desk.get(reverse(name, args=open_to_all[name])).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_page_when_posted_to_then_says_so(desk, open_to_all, name):
    assert desk.post(reverse(name, args=open_to_all[name])).status_code == 405


@pytest.mark.parametrize("name", VERBS)
def test_verb_when_asked_by_get_then_says_so(desk, open_to_all, name):
    assert desk.get(reverse(name, args=open_to_all[name])).status_code == 405


@pytest.mark.parametrize("name", [*TICKET_VERBS, "desk_ticket_remove_follower", "desk_ticket_retry"])
def test_verb_when_a_browser_opens_its_address_then_leads_to_the_ticket(desk, ticket, open_to_all, name):
    way = desk.get(reverse(name, args=open_to_all[name]), headers={"accept": "text/html,*/*"}, follow=True)
    assert (way.redirect_chain, way.status_code) == ([(f"/desk/tickets/{ticket.number}/", 302)], 200)


@pytest.mark.parametrize("name", PAGES)
def test_page_when_agent_of_another_group_asks_then_is_shown(eve, open_to_all, name):
    assert logged_in(eve).get(reverse(name, args=open_to_all[name])).status_code == 200


@pytest.mark.parametrize("name", [*OF_A_TICKET, *OF_A_MAIL])
def test_page_when_group_is_private_then_its_member_alone_finds_it(desk, eve, private, name):
    address = reverse(name, args=private[name])
    assert (desk.get(address).status_code, logged_in(eve).get(address).status_code) == (404, 200)


@pytest.mark.parametrize("name", VERBS)
def test_verb_when_group_is_private_then_nothing_is_there(desk, private, name):
    assert desk.post(reverse(name, args=private[name]), {"text": "Hello"}).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_page_when_customer_asks_then_nothing_is_there(ana, open_to_all, name):
    assert logged_in(ana).get(reverse(name, args=open_to_all[name])).status_code == 404


@pytest.mark.parametrize("name", VERBS)
def test_verb_when_customer_asks_then_nothing_is_there(ana, open_to_all, name):
    assert logged_in(ana).post(reverse(name, args=open_to_all[name]), {"text": "Hello"}).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_page_when_anonymous_then_leads_to_login(client, open_to_all, name):
    address = reverse(name, args=open_to_all[name])
    response = client.get(address)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={address}")


@pytest.mark.parametrize("name", VERBS)
def test_verb_when_anonymous_then_leads_to_login(client, open_to_all, name):
    assert client.post(reverse(name, args=open_to_all[name])).status_code == 302


@pytest.mark.parametrize("name", [*OF_A_TICKET, *OF_A_MAIL])
def test_page_when_number_is_nobodys_then_nothing_is_there(desk, name):
    assert [desk.get(reverse(name, args=[number])).status_code for number in (10**6, 2**63, 10**40)] == [404] * 3


@pytest.mark.parametrize("name", [*TICKET_VERBS, *MAIL_VERBS])
def test_verb_when_number_is_nobodys_then_nothing_is_there(desk, name):
    assert [desk.post(reverse(name, args=[number])).status_code for number in (10**6, 2**63, 10**40)] == [404] * 3


@pytest.mark.parametrize("name", ["desk_ticket_remove_follower", "desk_ticket_retry"])
def test_verb_when_row_belongs_to_another_ticket_then_nothing_is_there(desk, ticket, cleo, name):
    other = make_ticket(cleo)
    of_other = failed_mail(other).pk if name == "desk_ticket_retry" else cleo.pk
    assert desk.post(reverse(name, args=[ticket.number, of_other])).status_code == 404
