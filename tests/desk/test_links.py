"""Links between tickets: both sides show them, and whoever does not see one side learns nothing of it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.desk.conftest import logged_in
from tests.desk.pages import send, words
from tests.factories import make_ticket
from tickets.desk.links import number_in
from tickets.models import Ticket, TicketLink


@pytest.fixture
def other(workflow, cleo):
    return make_ticket(cleo, "Export stops")


def page(client, ticket):
    return client.get(reverse("desk_ticket", args=[ticket.number]))


def linked(client, ticket) -> list[tuple[str, int]]:
    return [(str(relation.label), one.pk) for relation, one in page(client, ticket).context["linked"]]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1042", 1042),
        (" #1042 ", 1042),
        ("https://x.example/desk/tickets/1042/#c3", 1042),
        ("/tickets/7/", 7),
        ("#7 Player is blank", 7),
        ("x", None),
        ("10 42", None),
    ],
)
def test_number_when_written_or_pasted_then_is_found(text, number):
    assert number_in(text) == number


@pytest.mark.parametrize(
    ("relation", "here", "there"),
    [
        ("related", "is related to", "is related to"),
        ("blocked_by", "is blocked by", "blocks"),
        ("blocks", "blocks", "is blocked by"),
        ("duplicate_of", "is a duplicate of", "has the duplicate"),
        ("follows_up", "follows up", "is followed up by"),
        ("followed_by", "is followed up by", "follows up"),
    ],
)
def test_link_when_made_then_both_sides_say_it_and_removing_takes_both(desk, ticket, other, relation, here, there):
    send(desk, ticket, "link", relation=relation, other=f"#{other.number}")
    assert (linked(desk, ticket), linked(desk, other)) == ([(here, other.pk)], [(there, ticket.pk)])
    assert f"noted that it {here} #{other.number}" in words(page(desk, ticket))
    assert f"noted that it {there} #{ticket.number}" in words(page(desk, other))
    desk.post(reverse("desk_ticket_unlink", args=[other.number, ticket.number]))
    assert (linked(desk, ticket), linked(desk, other), Ticket.objects.exclude(follow_up_to=None).count()) == ([], [], 0)


def test_link_when_another_is_made_between_the_two_then_takes_its_place(desk, ticket, other):
    for relation in ("related", "blocks", "blocks", "duplicate_of"):
        send(desk, ticket, "link", relation=relation, other=other.number)
    assert (linked(desk, ticket), TicketLink.objects.count()) == ([("is a duplicate of", other.pk)], 1)
    assert ticket.events.filter(kind="linked").count() == 3


def test_link_when_words_are_written_then_asks_which_ticket_is_meant(desk, ticket, other, secret):
    response = send(desk, ticket, "link", relation="blocks", other=other.subject.split()[0].lower())
    assert (response.status_code, [one.pk for one in response.context["choices"]]) == (422, [other.pk])
    assert f'name="other" value="{other.pk}"' in response.content.decode()
    assert "There is no such ticket." in words(desk.get(send(desk, ticket, "link", relation="related", other="Salary")["Location"]))


def test_others_when_asked_then_are_found_by_words_and_what_suggests_itself_comes_first(desk, ticket, other, secret, ana):
    address = reverse("desk_ticket_others", args=[ticket.number])
    third = make_ticket(ana, "Elsewhere")
    assert [one["text"] for one in desk.get(address).json()["options"]] == [f"#{third.pk} Elsewhere"]
    send(desk, ticket, "link", relation="related", other=third.number)
    send(desk, ticket, "link", relation="duplicate_of", other=other.number)
    asked = [desk.get(address, {"q": text}).json()["options"] for text in ("", "elsewhere", "Salary", "status:nonsense")]
    assert [[one["text"].split()[0] for one in found] for found in asked] == [[f"#{other.pk}", f"#{third.pk}"], [f"#{third.pk}"], [], []]


def test_link_when_the_other_is_in_a_private_group_then_outsiders_learn_nothing(desk, eve, ticket, secret):
    assert "There is no such ticket." in words(desk.get(send(desk, ticket, "link", relation="related", other=secret.number)["Location"]))
    send(logged_in(eve), ticket, "link", relation="related", other=secret.number)
    assert linked(logged_in(eve), ticket) == [("is related to", secret.pk)]
    seen = page(desk, ticket)
    assert (seen.context["linked"], f"#{secret.number}" in words(seen), "Salary" in words(seen)) == ([], False, False)
    assert desk.post(reverse("desk_ticket_unlink", args=[ticket.number, secret.number])).status_code == 404


@pytest.mark.parametrize("other_number", ["", "none", "999999", "99999999999999999999"])
def test_link_when_the_number_is_nobodys_then_says_so(desk, ticket, other_number):
    response = send(desk, ticket, "link", relation="related", other=other_number)
    assert (response.status_code, TicketLink.objects.count()) == (302, 0)


def test_link_when_to_itself_or_a_second_follow_up_then_is_refused(desk, ticket, other, ana):
    send(desk, ticket, "link", relation="related", other=ticket.number)
    send(desk, ticket, "link", relation="follows_up", other=other.number)
    send(desk, ticket, "link", relation="follows_up", other=make_ticket(ana).number)
    assert (TicketLink.objects.count(), linked(desk, ticket)) == (0, [("follows up", other.pk)])


def test_link_when_customers_read_the_ticket_then_they_see_none_but_a_follow_up_that_is_theirs(desk, ticket, other, ana):
    send(desk, ticket, "link", relation="blocked_by", other=other.number)
    client = logged_in(ana)
    assert "Export stops" not in words(client.get(f"/tickets/{ticket.number}/"))
    mine = make_ticket(ana, "Blank again")
    send(desk, mine, "link", relation="follows_up", other=ticket.number)
    assert "It goes on in #" in words(client.get(f"/tickets/{ticket.number}/"))
