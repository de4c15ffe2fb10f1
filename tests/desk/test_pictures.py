"""Pictures that lie on other servers: loaded only where somebody asks, for one message."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from tests.desk.pages import words
from tests.factories import make_ticket, message
from tickets import actions

HTML = '<p>See</p><img src="https://cdn.example/{name}.png" alt="Our {name}">'


@pytest.fixture
def ticket(workflow, ana):
    ticket = make_ticket(ana, message=message("See", html=HTML.format(name="first")))
    actions.comment(ticket, actor=ana, message=message("See", html=HTML.format(name="second")))
    return ticket


def pictures(response) -> list[str]:
    return re.findall(r'<img src="(https:[^"]+)"', response.content.decode())


def image_sources(response) -> str:
    return re.findall(r"img-src ([^;]+)", response["Content-Security-Policy"])[0]


def test_page_when_opened_then_loads_nothing_from_elsewhere_and_offers_to(desk, ticket):
    page = desk.get(reverse("desk_ticket", args=[ticket.number]))
    assert (pictures(page), image_sources(page), words(page).count("Load them for this message")) == ([], "'self' data:", 2)


def test_pictures_when_asked_for_then_are_those_of_one_message(desk, ticket):
    first = ticket.comments.order_by("pk").first()
    page = desk.get(reverse("desk_ticket_pictures", args=[ticket.number, first.pk]))
    assert (pictures(page), image_sources(page)) == (["https://cdn.example/first.png"], "'self' data: https:")
    assert words(page).count("Load them for this message") == 1


def test_pictures_when_message_is_of_another_ticket_then_are_none(desk, ticket, ana):
    other = make_ticket(ana, message=message("See", html=HTML.format(name="other")))
    page = desk.get(reverse("desk_ticket_pictures", args=[ticket.number, other.comments.get().pk]))
    assert pictures(page) == []


def test_pictures_when_ticket_is_read_in_the_portal_then_are_not_offered(client, ticket, ana):
    client.force_login(ana)
    page = client.get(reverse("ticket", args=[ticket.number]))
    assert (pictures(page), "Load them" in words(page)) == ([], False)
