from __future__ import annotations

import pytest

from tests.factories import make_ticket, message
from tests.portal.pages import has, rows
from tickets import actions
from tickets.models import Channel, Status

pytestmark = pytest.mark.django_db


def wait_for(ticket, dan, status="Waiting on Customer"):
    said = message("Which browser?", channel=Channel.DESK)
    actions.comment(ticket, actor=dan, message=said, status=Status.objects.get(name=status))


def test_home_when_anonymous_then_tells_what_this_is(client, settings):
    response = client.get("/")
    assert (response.status_code, has(response, "How can we help?", "Log in", settings.SUPPORT_ADDRESS)) == (200, [True] * 3)


def test_home_when_staff_then_leads_to_the_desk(client, dan):
    client.force_login(dan)
    response = client.get("/")
    assert (response.status_code, response.url) == (302, "/desk/")


def test_home_when_nothing_is_open_then_says_so(client, ana):
    client.force_login(ana)
    assert has(client.get("/"), "Nothing is open", "Submit a ticket") == [True, True]


def test_home_when_tickets_are_open_then_tells_whose_turn_it_is(client, ana, dan):
    ours, yours, engineers = (make_ticket(ana, subject) for subject in ("Ours", "Yours", "Engineers"))
    wait_for(yours, dan)
    wait_for(engineers, dan, "Waiting on Dev Team")
    client.force_login(ana)
    response = client.get("/")
    assert [row.number for row in response.context["your_turn"]] == [yours.number]
    assert [row.number for row in response.context["our_turn"]] == [engineers.number, ours.number]
    assert has(response, "Waiting for you", "With our engineers") == [True, True]


def test_home_when_tickets_are_a_teammates_or_closed_then_leaves_them_out(client, workflow, ana, ben):
    make_ticket(ben)
    actions.close(make_ticket(ana), actor=ana)
    client.force_login(ana)
    assert rows(client.get("/")) == []


def test_home_when_posted_to_then_is_refused(client):
    assert client.post("/").status_code == 405


@pytest.mark.parametrize("count", [1, 25])
def test_home_when_there_are_many_then_costs_the_same(client, workflow, ana, django_assert_num_queries, count):
    for _at in range(count):
        make_ticket(ana)
    client.force_login(ana)
    with django_assert_num_queries(5):  # session, person, tickets, articles, whether mail to the person is stopped
        assert len(rows(client.get("/"))) == count
