from __future__ import annotations

import re

import pytest

from accounts.models import Membership
from tests.factories import make_ticket, message
from tests.portal.pages import has, rows
from tickets import actions, sharing
from tickets.models import Channel, Status, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(ana, ben, cleo, dan) -> dict[str, int]:
    """By what each is to Ana."""
    made = {
        "mine": make_ticket(ana, "Mine"),
        "closed": make_ticket(ana, "Closed"),
        "shared": make_ticket(ben, "Shared"),
        "followed": make_ticket(cleo, "Followed"),
        "private": make_ticket(ben, "Private", share=False),
        "foreign": make_ticket(cleo, "Foreign"),
        "spam": make_ticket(ana, "Spammy"),
    }
    actions.close(made["closed"], actor=ana)
    sharing.add_follower(made["followed"], actor=dan, person=ana)
    actions.change_status(made["spam"], actor=dan, status=Status.objects.get(name="Spam"))
    return {name: ticket.number for name, ticket in made.items()}


def listed(client, tickets, query="") -> set[str]:
    shown = rows(client.get(f"/tickets/?{query}"))
    return {name for name, number in tickets.items() if number in shown}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"mine"}),
        ("show=closed", {"closed", "spam"}),
        ("show=all", {"mine", "closed", "spam"}),
        ("show=all&whose=followed", {"mine", "closed", "spam", "followed"}),
        ("whose=organization-0", {"mine"}),
        ("whose=any", {"mine", "shared", "followed"}),
        ("show=all&whose=any", {"mine", "closed", "shared", "followed", "spam"}),
        ("q=shared", {"shared"}),
        ("q=private", set()),
        ("q=foreign", set()),
        ("q=mine&show=closed", set()),
        ("q=%23x", set()),
    ],
)
def test_list_when_filtered_then_holds_what_is_asked_for(client, ana, tickets, query, names):
    client.force_login(ana)
    assert listed(client, tickets, query) == names


def test_list_when_of_one_of_several_organizations_then_holds_its_tickets_alone(client, ana, ben, cleo, acme, globex, tickets):
    Membership.objects.create(user=ana, organization=globex)
    client.force_login(ana)
    assert listed(client, tickets, f"whose=organization-{acme.pk}") == {"mine", "shared"}
    assert listed(client, tickets, f"whose=organization-{globex.pk}") == {"followed", "foreign"}


def test_list_when_of_somebody_elses_organization_then_holds_ones_own(client, ana, globex, tickets):
    client.force_login(ana)
    page = client.get(f"/tickets/?whose=organization-{globex.pk}")
    assert ([value for value, _word in page.context["whose_choices"]][:2], page.context["whose"]) == (["mine", "followed"], "mine")
    assert has(page, "Shared with Acme", "Globex") == [True, False]


@pytest.mark.parametrize(("sort", "order"), [("updated", [0, 2, 1]), ("newest", [2, 1, 0]), ("oldest", [0, 1, 2]), ("x", [0, 2, 1])])
def test_list_when_sorted_then_has_that_order_and_keeps_it_from_page_to_page(client, workflow, ana, sort, order):
    made = [make_ticket(ana, f"Number {at}") for at in range(3)]
    actions.comment(made[0], actor=ana, message=message())
    client.force_login(ana)
    page = client.get(f"/tickets/?sort={sort}&show=open")
    assert rows(page) == [made[at].number for at in order]
    assert f"sort={sort}" in page.context["tabs"][1]["href"]


def test_list_when_searched_then_shows_where_the_words_stand(client, ana, dan, tickets):
    ticket = Ticket.objects.get(pk=tickets["shared"])
    actions.comment(ticket, actor=dan, message=message("Is it the <b>proxy</b>?", channel=Channel.DESK))
    actions.add_note(ticket, actor=dan, message=message("The proxy of their boss", channel=Channel.DESK))
    client.force_login(ana)
    page = client.get("/tickets/?q=PROXY+shared").content.decode()
    assert ["<mark>Shared</mark>" in page, "Is it the &lt;b&gt;<mark>proxy</mark>&lt;/b&gt;?" in page, "boss" in page] == [
        True,
        True,
        False,
    ]


def test_list_when_a_word_is_in_a_note_alone_then_finds_nothing(client, ana, dan, tickets):
    actions.add_note(Ticket.objects.get(pk=tickets["mine"]), actor=dan, message=message("zebra", channel=Channel.DESK))
    client.force_login(ana)
    assert rows(client.get("/tickets/?q=zebra")) == []


def test_list_when_searched_for_a_hidden_number_then_finds_nothing(client, ana, tickets):
    client.force_login(ana)
    assert rows(client.get(f"/tickets/?q={tickets['foreign']}")) == []


def test_list_when_status_is_internal_then_shows_the_customers_words(client, ana, dan, tickets):
    dev, spam = Status.objects.get(name="Waiting on Dev Team"), tickets["spam"]
    actions.change_status(Ticket.objects.get(pk=tickets["mine"]), actor=dan, status=dev)
    client.force_login(ana)
    response = client.get("/tickets/?show=all")
    assert has(response, "With our engineers", "Waiting on Dev Team", " Spam ") == [True, False, False]
    assert (spam in rows(response), b"is-spam" in response.content) == (True, False)


def test_list_when_a_note_is_added_then_its_order_tells_nothing(client, ana, dan, tickets):
    later = make_ticket(ana, "Later")
    actions.add_note(Ticket.objects.get(pk=tickets["mine"]), actor=dan, message=message("x", channel=Channel.DESK))
    client.force_login(ana)
    assert rows(client.get("/tickets/")) == [later.number, tickets["mine"]]


def test_list_when_long_then_is_paged_both_ways(client, workflow, ana):
    numbers = [make_ticket(ana).number for _at in range(30)][::-1]
    client.force_login(ana)
    first = client.get("/tickets/?show=all")
    second = client.get("/tickets/" + first.context["next_url"])
    assert (rows(first), rows(second)) == (numbers[:25], numbers[25:])
    back = client.get("/tickets/" + second.context["prev_url"])
    assert (rows(back), second.context["show"]) == (numbers[:25], "all")


def test_tabs_when_followed_then_keep_the_search_and_start_anew(client, ana):
    client.force_login(ana)
    page = client.get("/tickets/?q=a%26b&whose=followed&cursor=x").content.decode()
    assert re.findall(r'<a href="(\?[^"]*)"', page)[:3] == [
        f"?q=a%26b&amp;whose=followed&amp;show={name}" for name in ("open", "closed", "all")
    ]


def test_list_when_search_finds_nothing_then_offers_to_look_everywhere(client, ana):
    client.force_login(ana)
    assert has(client.get("/tickets/?q=zzz&whose=mine"), "No ticket matches", "Search all tickets") == [True, True]
    assert has(client.get("/tickets/?q=zzz"), "No ticket matches", "Search all tickets") == [True, False]


@pytest.mark.parametrize(
    "query",
    [
        "show=x",
        "whose=x",
        "cursor=x",
        "cursor=%00",
        "q=%00",
        "q=%ED%A0%80",
        "q=" + "9" * 5000,
        "q[]=1&show=a&show=b",
        "order=requester__password",
    ],
)
def test_list_when_query_is_nonsense_then_is_still_a_list(client, ana, query):
    client.force_login(ana)
    assert client.get(f"/tickets/?{query}").status_code == 200


def test_list_when_anonymous_then_asks_to_log_in(client):
    assert client.get("/tickets/").url == "/accounts/login/?next=/tickets/"


def test_list_when_staff_then_leads_to_the_desk(client, dan):
    client.force_login(dan)
    assert client.get("/tickets/").url == "/desk/tickets/"


def test_list_when_posted_to_then_is_refused(client, ana):
    client.force_login(ana)
    assert client.post("/tickets/").status_code == 405


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (50, 25)])
def test_list_when_there_are_many_then_costs_the_same(client, workflow, ana, ben, django_assert_num_queries, count, shown):
    for _at in range(count):
        make_ticket(ben)
    client.force_login(ana)
    with django_assert_num_queries(4):  # session, person, organizations, tickets
        assert len(rows(client.get("/tickets/?whose=any"))) == shown
    with django_assert_num_queries(8):  # and which comments match, and these; articles by their words, and by their title
        assert len(rows(client.get("/tickets/?q=broken"))) == shown


@pytest.mark.parametrize("path", ["/tickets/?q=player", "/articles/?q=player"])
def test_search_when_asked_without_end_then_waits(client, workflow, ana, path):
    client.force_login(ana)
    assert [client.get(path).status_code for _ in range(121)] == [200] * 120 + [429]
