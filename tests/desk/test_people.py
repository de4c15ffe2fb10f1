"""A person's page."""

from __future__ import annotations

import re

import pytest

from notifications.channels import deliver_due
from notifications.models import Delivery, Kind, Reason, State, Suspension
from notifications.relay import relay_waiting
from tests.desk.conftest import logged_in
from tests.desk.pages import rows, words
from tests.factories import make_ticket, message
from tests.notifications.test_bounces import report
from tests.tickets.mail.letters import letter, take_in
from tickets import actions

pytestmark = pytest.mark.django_db

NOBODY = "/desk/people/999999/"


def page_of(person) -> str:
    return f"/desk/people/{person.pk}/"


@pytest.fixture
def mailed(ticket, dan) -> Delivery:
    """An answer that has left for Ana."""
    actions.comment(ticket, actor=dan, message=message("Which browser?"))
    relay_waiting()
    deliver_due()
    return Delivery.objects.filter(recipient=ticket.requester).latest("pk")


@pytest.fixture
def stopped(ana) -> Suspension:
    return Suspension.objects.create(user=ana, address=ana.email, reason="550 5.1.1 User unknown")


def test_page_when_opened_then_says_who_it_is(desk, ana, acme):
    ana.emailaddress_set.create(email="ford@home.example", verified=True)
    ana.emailaddress_set.create(email="claimed@home.example", verified=False)
    ana.time_zone = "Europe/Vienna"
    ana.save()
    read = words(desk.get(page_of(ana)))
    found = [name in read for name in ("Ana Ford", "Customer", "ana@acme.example", "ford@home.example", "Acme", "Europe/Vienna", "not yet")]
    assert (found, "claimed@home.example" in read) == ([True] * 7, False)


def test_page_when_opened_then_lists_open_tickets(desk, ana, dan, ticket):
    done = make_ticket(ana, "Done")
    actions.close(done, actor=ana)
    assert rows(desk.get(page_of(ana))) == [ticket.number]


def test_page_when_a_ticket_is_secret_then_it_and_its_mail_are_seen_by_its_group_alone(desk, ana, eve, secret):
    take_in(letter(subject=f"Re: [#{secret.number}] raise"))
    relay_waiting()
    deliver_due()
    for query in ("?mail=out", "?mail=in"):
        assert "Salary letter" not in words(desk.get(page_of(ana) + query))
        assert "raise" not in words(desk.get(page_of(ana) + query))
    assert "Salary letter" in words(logged_in(eve).get(page_of(ana) + "?mail=out"))
    assert "raise" in words(logged_in(eve).get(page_of(ana) + "?mail=in"))


def test_mail_to_a_person_is_listed_newest_first(desk, ana, mailed):
    listed = [int(pk) for pk in re.findall(r'href="/desk/mail/out/(\d+)/"', desk.get(page_of(ana)).content.decode())]
    assert listed == list(Delivery.objects.filter(recipient=ana).order_by("-pk").values_list("pk", flat=True))
    assert listed[0] == mailed.pk


def test_mail_of_a_person_is_listed_from_each_address(desk, ana, workflow):
    ana.emailaddress_set.create(email="ford@home.example", verified=True)
    for sender in ("ana@acme.example", "ford@home.example", "ben@acme.example"):
        take_in(letter(sender, subject=f"From {sender}"))
    read = words(desk.get(page_of(ana) + "?mail=in"))
    assert [f"From {sender}" in read for sender in ("ana@acme.example", "ford@home.example", "ben@acme.example")] == [True, True, False]


def test_mail_when_there_is_much_then_comes_in_pages(desk, ana, ticket):
    for at in range(30):
        Delivery.objects.create(
            recipient=ana, address=ana.email, kind=Kind.UPDATE, reason=Reason.REQUESTER, subject=f"Mail {at}.", ticket=ticket
        )
    first = desk.get(page_of(ana))
    second = desk.get(page_of(ana) + first.context["mails"].next_url)
    shown = [[subject in words(page) for subject in ("Mail 29.", "Mail 0.")] for page in (first, second)]
    assert shown == [[True, False], [False, True]]


def test_mail_when_it_came_back_then_says_what_the_server_said(desk, ana, mailed):
    report(mailed)
    read = words(desk.get(page_of(ana)))
    assert "Bounced" in read
    assert "550 5.1.1 <ana@acme.example>: Recipient address rejected: User unknown in virtual mailbox table" in read


def test_mail_when_somebody_claims_that_it_came_back_then_says_that_it_is_unproven(desk, ana, mailed):
    claim = report(mailed, proven=False)
    page = desk.get(page_of(ana))
    assert "Unproven: The mail to Ana Ford came back: 550 5.1.1" in words(page)
    assert f'href="/desk/mail/in/{claim.pk}/"' in page.content.decode()
    assert "Bounced" not in words(page)


def test_page_when_mail_is_stopped_then_says_why_and_offers_to_send_again(desk, ana, dan, stopped):
    assert "Mail to ana@acme.example kept coming back, so none is sent any more." in words(desk.get(page_of(ana)))
    answer = desk.post(f"/desk/people/{ana.pk}/suspensions/{stopped.pk}/lift/", follow=True)
    stopped.refresh_from_db()
    assert (stopped.ended_at is not None, stopped.ended_by) == (True, dan)
    assert "Mail to ana@acme.example is sent again." in words(answer)
    assert "so none is sent any more" not in words(answer)
    assert "ended by Dan Support" in words(answer)


def test_lift_when_somebody_was_quicker_then_says_so(desk, ana, eve, stopped):
    path = f"/desk/people/{ana.pk}/suspensions/{stopped.pk}/lift/"
    logged_in(eve).post(path)
    assert "Mail to ana@acme.example is sent again already." in words(desk.post(path, follow=True))
    stopped.refresh_from_db()
    assert stopped.ended_by == eve


def test_lift_when_the_address_was_somebody_elses_before_then_ends_it_too(desk, ana, ben, stopped):
    for person, address in ((ana, "old@acme.example"), (ben, stopped.address)):
        person.email = address
        person.save()
    assert "kept coming back" in words(desk.get(page_of(ben)))
    desk.post(f"/desk/people/{ben.pk}/suspensions/{stopped.pk}/lift/")
    stopped.refresh_from_db()
    assert stopped.ended_at is not None


def test_lift_when_it_is_another_persons_then_is_not_found(desk, ben, stopped):
    assert desk.post(f"/desk/people/{ben.pk}/suspensions/{stopped.pk}/lift/").status_code == 404
    stopped.refresh_from_db()
    assert stopped.ended_at is None


@pytest.mark.parametrize("path", [NOBODY, "/desk/people/99999999999999999999/"])
def test_page_of_nobody_is_not_found(desk, path):
    assert desk.get(path).status_code == 404


def test_page_is_for_staff_alone(ana, workflow):
    assert logged_in(ana).get(page_of(ana)).status_code == 404


@pytest.mark.parametrize("many", [1, 20])
def test_page_when_there_is_much_then_asks_no_more(desk, ana, dan, workflow, django_assert_num_queries, many):
    for at in range(many):
        ticket = make_ticket(ana, f"Ticket {at}")
        Delivery.objects.create(
            recipient=ana, address=ana.email, kind=Kind.UPDATE, reason=Reason.REQUESTER, ticket=ticket, state=State.SENT
        )
        Suspension.objects.create(user=ana, address=f"{at}@acme.example", reason="gone", ended_by=dan)
        take_in(letter(subject=f"Mail {at}"))
    # session, user; person, may one file for them, addresses, invitations, where to, memberships, tickets, suspensions,
    # mail, reports about it
    with django_assert_num_queries(13):
        assert desk.get(page_of(ana)).status_code == 200
    with django_assert_num_queries(12):  # no reports
        assert desk.get(page_of(ana) + "?mail=in").status_code == 200
