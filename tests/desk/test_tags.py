"""Tags: staff's own words, by which tickets are found again; nothing of them reaches a customer."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.desk.conftest import logged_in
from tests.desk.pages import rows, send, words
from tests.factories import make_ticket
from tickets import access, actions
from tickets.events import describe
from tickets.models import Tag, Ticket, TicketType
from tickets.tagging import add_tags, tags_of, tidy


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("#Data Export", "data-export"),
        ("  v4.2 ", "v4.2"),
        ("Größe", "größe"),
        ("c++", "c"),
        ("!!!", ""),
        ("x" * 60, "x" * 40),
        ("a/b", "a/b"),
    ],
)
def test_tag_when_typed_then_has_one_spelling(typed, kept):
    assert (tidy(typed), tidy(kept)) == (kept, kept)


def test_tags_when_typed_with_commas_then_each_counts_once():
    assert tags_of("One, two;ONE\n, ,three") == ["one", "two", "three"]


def test_tags_when_added_and_removed_then_page_history_and_queue_follow(desk, ticket, ana, dan):
    other = make_ticket(ana)
    send(desk, ticket, "tag", tags="Export, big customer")
    page = desk.get(reverse("desk_ticket", args=[ticket.number]))
    assert [tag.name for tag in page.context["tags"]] == ["big-customer", "export"]
    assert "Dan Support added the tags export, big-customer" in words(page)
    assert (rows(desk.get("/desk/tickets/?tag=Export", follow=True)), rows(desk.get("/desk/tickets/?tag=none-such"))) == (
        [ticket.number],
        [],
    )
    assert len(rows(desk.get("/desk/tickets/"))) == len({ticket.number, other.number})
    send(desk, ticket, "untag", tag="export")
    assert list(ticket.tagging_rows.values_list("tag__name", flat=True)) == ["big-customer"]
    assert [describe(event, for_staff=True) for event in access.events_for(dan, ticket)][1:] == [
        "added the tags export, big-customer",
        "removed the tag export",
    ]
    assert [event.kind for event in access.events_for(ana, ticket)] == ["opened"]


def test_tags_when_the_customer_reads_the_ticket_then_are_nowhere(desk, ticket, ana):
    send(desk, ticket, "tag", tags="troublesome")
    client = logged_in(ana)
    pages = [client.get(f"/tickets/{ticket.number}/"), client.get("/tickets/"), client.get("/tickets/?q=troublesome"), client.get("/")]
    assert [
        "troublesome" in page.content.decode().replace("q=troublesome", "").replace('value="troublesome"', "") for page in pages[:2]
    ] == [
        False,
        False,
    ]
    assert f"/tickets/{ticket.number}/" not in pages[2].content.decode()


def test_tag_when_added_again_then_nothing_happens(desk, ticket):
    for _twice in range(2):
        send(desk, ticket, "tag", tags="export")
    assert (ticket.events.count(), Tag.objects.count(), ticket.tagging_rows.count()) == (2, 1, 1)


@pytest.mark.parametrize(
    ("typed", "said"), [("???", "Write a tag of letters or digits."), (",".join("abcdefghijklmnopqrstu"), "at most 20 tags")]
)
def test_tags_when_they_make_no_sense_then_says_so(desk, ticket, typed, said):
    response = send(desk, ticket, "tag", tags=typed)
    assert said in words(desk.get(response["Location"], follow=True))
    assert ticket.tagging_rows.count() == 0


def test_tag_when_undone_then_is_as_it_was(desk, ticket):
    send(desk, ticket, "tag", tags="export")
    response = send(desk, ticket, "untag", tag="export")
    assert f'action="/desk/tickets/{ticket.number}/tags/add/?tags=export"' in desk.get(response["Location"]).content.decode()
    desk.post(f"/desk/tickets/{ticket.number}/tags/add/?tags=export")
    assert [row.tag.name for row in ticket.tagging_rows.all()] == ["export"]


def test_tags_and_links_when_the_ticket_is_resolved_then_it_closes_when_it_would_have(desk, ticket, ana, dan):
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    due = Ticket.objects.get(pk=ticket.pk).close_due_at
    send(desk, ticket, "tag", tags="export")
    send(desk, ticket, "link", relation="related", other=make_ticket(ana).number)
    send(desk, ticket, "reference", reference="TEM-1")
    assert Ticket.objects.get(pk=ticket.pk).close_due_at == due


def test_tag_of_a_private_group_when_completed_or_asked_for_then_is_known_to_who_sees_its_tickets_alone(desk, ticket, secret, eve):
    add_tags(secret, actor=eve, names=["redundancy"])
    add_tags(ticket, actor=eve, names=["export"])

    def known(client):
        options = client.get("/desk/tickets/complete/", {"q": "tag:", "at": 4}).json()["options"]
        page = client.get(reverse("desk_ticket", args=[ticket.number]))
        asked = client.get("/desk/tickets/", {"q": "tag:redundanci"})
        told = sorted(option["text"] for option in options), [tag.name for tag in page.context["known_tags"]]
        return (*told, "redundancy" in words(asked))

    assert known(logged_in(eve)) == (["export", "none", "redundancy"], ["redundancy"], True)
    assert known(desk) == (["export", "none"], [], False)
