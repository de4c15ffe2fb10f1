"""The list that opens at an "@": who is in it, and what a page says of whom a name shared the ticket with."""

from __future__ import annotations

import pytest

from accounts.models import Role
from tests.factories import make_ticket, make_user, message
from tests.portal.pages import has
from tickets import actions
from tickets.models import Follower, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def lia(acme):
    lia = make_user("lia@support.example", "Lia Lead", role=Role.CSM)
    acme.delivery_lead = lia
    acme.save()
    return lia


@pytest.fixture
def ticket(ana, ben, cleo, dan, eve, lia) -> Ticket:
    """Ana's alone; Dan answered."""
    ticket = make_ticket(ana, share=False)
    actions.comment(ticket, actor=dan, message=message("On it."))
    return ticket


def people(client, person, path: str) -> list[dict[str, object]]:
    client.force_login(person)
    return client.get(path).json()["people"]


def test_list_of_a_customer_has_names_and_who_sees_the_ticket(client, ticket, ana):
    assert people(client, ana, f"/tickets/{ticket.number}/nameable/") == [
        {"name": "Ben Ode", "as": "Ben Ode", "ways": ["Ben Ode", "Ben"], "about": "", "sees": False},
        {"name": "Dan Support", "as": "Dan Support", "ways": ["Dan Support", "Dan"], "about": "Support", "sees": True},
        {"name": "Lia Lead", "as": "Lia Lead", "ways": ["Lia Lead", "Lia"], "about": "Support", "sees": True},
    ]


@pytest.mark.parametrize(
    ("who", "query", "names"),
    [
        ("dan", "", ["Ana Ford", "Eve Devops", "Lia Lead"]),
        ("dan", "?note=1", ["Eve Devops", "Lia Lead"]),
        ("ana", "?note=1", []),
    ],
)
def test_list_of_who_writes_a_reply_or_a_note(request, client, ticket, who, query, names):
    rows = people(client, request.getfixturevalue(who), f"/tickets/{ticket.number}/nameable/{query}")
    assert [row["name"] for row in rows] == names


def test_list_when_asked_for_very_often_then_has_to_wait(client, monkeypatch, ana):
    monkeypatch.setattr("tickets.portal.views.nameable._LIMIT", 1)
    client.force_login(ana)
    assert [client.get("/tickets/new/nameable/").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(("who", "names"), [("ana", ["Ben Ode", "Lia Lead"]), ("cleo", []), ("dan", ["Eve Devops", "Lia Lead"])])
def test_list_before_there_is_a_ticket(request, client, ticket, who, names):
    assert [row["name"] for row in people(client, request.getfixturevalue(who), "/tickets/new/nameable/")] == names


def test_two_of_one_name_are_told_apart_without_their_addresses(client, ticket, ana, acme):
    for local in ("t1", "t2"):
        make_user(f"{local}@acme.example", "Twin Two", acme)
    rows = people(client, ana, f"/tickets/{ticket.number}/nameable/")
    assert [row["as"] for row in rows if row["name"] == "Twin Two"] == ["t1", "t2"]
    assert "acme.example" not in str(rows)


@pytest.mark.parametrize("many", [1, 30])
def test_list_costs_as_much_for_many(client, ticket, ana, acme, django_assert_num_queries, many):
    for number in range(many):
        make_user(f"mate{number}@acme.example", f"Mate Number{number}", acme)
    client.force_login(ana)
    with django_assert_num_queries(5):  # session, person, ticket, people, who of them sees it
        client.get(f"/tickets/{ticket.number}/nameable/")


def test_reply_without_scripts_shares_and_says_so(client, ticket, ana, ben):
    client.force_login(ana)
    page = client.post(f"/tickets/{ticket.number}/reply/", {"text": "@Ben Ode, you saw it too."}, follow=True)
    assert has(page, "You named Ben Ode, who can read this ticket from now on.", "shared the ticket with Ben Ode") == [True] * 2
    assert '<span class="mention">@Ben Ode</span>, you saw it too.' in page.content.decode()
    client.force_login(ben)
    assert client.get(f"/tickets/{ticket.number}/").status_code == 200


def test_reply_that_names_an_outsider_looks_like_one_that_names_nobody(client, ticket, ana, cleo):
    client.force_login(ana)
    pages = [
        client.post(f"/tickets/{ticket.number}/reply/", {"text": f"@{who}, look."}, follow=True).content.decode()
        for who in ("Cleo Roy", "Nobody Atall")
    ]
    assert [page.count('class="mention"') for page in pages] == [0, 0]
    assert ["Your reply is posted." in page for page in pages] == [True, True]
    assert not Follower.objects.filter(user=cleo).exists()


def test_ticket_that_names_a_teammate_is_shared_with_them(client, workflow, ana, ben):
    client.force_login(ana)
    page = client.post("/tickets/new/", {"subject": "Blank", "text": "Ask @ben.", "share": "me"}, follow=True)
    assert has(page, "shared the ticket with Ben Ode") == [True]
