"""The banner of who gets no mail because it came back, and its button."""

from __future__ import annotations

import pytest

from notifications.models import Suspension
from tests.factories import make_ticket
from tests.portal.pages import words

pytestmark = pytest.mark.django_db

BANNER = "Mail to ana@acme.example came back, so we stopped sending it. Its mail server said: 550 5.1.1 User unknown"


@pytest.fixture
def stopped(ana) -> Suspension:
    return Suspension.objects.create(user=ana, address=ana.email, reason="550 5.1.1 User unknown")


@pytest.mark.parametrize("path", ["/", "/profile/", "/mail/", "/tickets/{}/"])
def test_page_when_mail_to_the_reader_is_stopped_then_says_so(client, workflow, ana, stopped, path):
    ticket = make_ticket(ana)
    client.force_login(ana)
    assert BANNER in words(client.get(path.format(ticket.number)))


def test_page_when_mail_to_somebody_else_is_stopped_then_says_nothing(client, workflow, ben, stopped):
    client.force_login(ben)
    assert "so we stopped sending it" not in words(client.get("/"))


def test_page_when_nobody_is_logged_in_then_says_nothing(client, stopped):
    assert "so we stopped sending it" not in words(client.get("/"))


def test_send_again_when_pressed_then_ends_it_and_the_banner_goes(client, workflow, ana, stopped):
    client.force_login(ana)
    page = client.post("/mail/again/", follow=True)
    stopped.refresh_from_db()
    assert (stopped.ended_at is not None, stopped.ended_by) == (True, ana)
    assert "We send mail to ana@acme.example again." in words(page)
    assert "so we stopped sending it" not in words(page)


def test_send_again_when_the_address_was_somebody_elses_before_then_ends_it_too(client, workflow, ana, ben, stopped):
    for person, address in ((ana, "old@acme.example"), (ben, stopped.address)):
        person.email = address
        person.save()
    client.force_login(ben)
    assert "We send mail to ana@acme.example again." in words(client.post("/mail/again/", follow=True))


def test_send_again_when_pressed_by_somebody_else_then_ends_nothing(client, workflow, ben, stopped):
    client.force_login(ben)
    client.post("/mail/again/")
    stopped.refresh_from_db()
    assert stopped.ended_at is None


def test_send_again_when_opened_then_does_nothing(client, workflow, ana, stopped):
    client.force_login(ana)
    assert client.get("/mail/again/").status_code == 405
    stopped.refresh_from_db()
    assert stopped.ended_at is None
