"""The list of tickets: what its address may ask for, and what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AgentGroup, Organization
from notifications.models import Delivery, Kind, Reason, State
from tests.desk.pages import rows, words
from tests.factories import make_ticket, message
from tickets import actions
from tickets.desk import queue as queue_module
from tickets.models import Priority, Status, Ticket, TicketType

QUEUE = "/desk/tickets/"


def queue(client, **params):
    return rows(client.get(QUEUE, params))


@pytest.fixture
def pair(workflow, ana, cleo, dan):
    """Ana's has all that can be asked for, Cleo's has none of it."""
    full, bare = make_ticket(ana, "Player is blank"), make_ticket(cleo, "Invoice", group=None)
    Ticket.objects.filter(pk=bare.pk).update(group=None)
    actions.take(full, actor=dan)
    actions.set_priority(full, actor=dan, priority=Priority.objects.get(name="High"))
    actions.set_type(full, actor=dan, type=TicketType.objects.get(name="Bug"))
    return full, bare


def test_queue_when_nothing_is_asked_then_shows_the_unresolved(desk, pair, ana, dan):
    resolved, spam = make_ticket(ana), make_ticket(ana)
    actions.resolve(resolved, actor=dan, type=TicketType.objects.first())
    actions.change_status(spam, actor=dan, status=Status.objects.get(name="Spam"))
    assert set(queue(desk)) == {ticket.pk for ticket in pair}


def test_queue_when_status_is_asked_then_shows_it(desk, pair, dan):
    full, bare = pair
    actions.change_status(bare, actor=dan, status=Status.objects.get(name="Spam"))
    in_progress = Status.objects.get(name="In Progress")
    asked = {value: queue(desk, status=value) for value in ("any", "spam", "unresolved", str(in_progress.pk))}
    assert asked == {"any": [full.pk], "spam": [bare.pk], "unresolved": [full.pk], str(in_progress.pk): [full.pk]}


@pytest.mark.parametrize("name", ["priority", "type", "group", "assignee"])
def test_queue_when_a_property_is_asked_then_shows_its_tickets(desk, pair, name):
    full, bare = pair
    value = getattr(full, f"{name}_id") or getattr(Ticket.objects.get(pk=full.pk), f"{name}_id")
    assert (queue(desk, **{name: value}), queue(desk, **{name: "none"})) == ([full.pk], [bare.pk])


def test_queue_when_mine_are_asked_then_shows_mine(desk, pair):
    assert queue(desk, assignee="me") == [pair[0].pk]


def test_queue_when_an_organization_is_asked_then_shows_what_is_shared_with_it(desk, pair, acme):
    assert queue(desk, organization=acme.pk) == [pair[0].pk]


def test_queue_when_flag_is_asked_then_shows_who_waits_and_whose_fix_is_confirmed(desk, pair, ana, dan, cleo):
    full, bare = pair
    actions.comment(full, actor=dan, message=message("Try again."))
    actions.confirm_fix(bare, actor=cleo)
    assert (queue(desk, flag="waiting"), queue(desk, flag="confirmed")) == ([bare.pk], [bare.pk])


@pytest.mark.parametrize("state", [State.FAILED, State.BOUNCED])
def test_queue_when_a_mail_failed_or_came_back_then_flags_it(desk, pair, ana, state):
    full, _bare = pair
    about = {"recipient": ana, "address": ana.email, "kind": Kind.UPDATE, "reason": Reason.REQUESTER, "state": state}
    Delivery.objects.create(event=full.events.first(), ticket=full, **about)
    page = desk.get(QUEUE)
    assert (words(page).count("A mail could not be delivered"), queue(desk, flag="failed")) == (1, [full.pk])


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("updated", "full bare"),
        ("created", "bare full"),
        ("number", "bare full"),
        ("priority", "full bare"),
        ("waiting", "full bare"),
        ("x", "full bare"),
    ],
)
def test_queue_when_sorted_then_is_in_that_order(desk, pair, sort, order):
    numbers = {"full": pair[0].pk, "bare": pair[1].pk}
    assert queue(desk, sort=sort) == [numbers[name] for name in order.split()]


GARBAGE = ["-1", "x", "9" * 30, "1e3", "\0", "requester__password", "1;drop", "٣", "none none", "[]"]


NAMES = ["status", "priority", "type", "group", "assignee", "organization", "flag", "sort", "cursor"]


@pytest.mark.parametrize("value", GARBAGE)
def test_queue_when_asked_for_garbage_then_ignores_it(desk, pair, value):
    assert set(queue(desk, **dict.fromkeys(NAMES, value))) == {ticket.pk for ticket in pair}


def test_queue_when_asked_for_what_is_no_filter_then_ignores_it(desk, pair):
    params = dict.fromkeys(["requester__password", "category", "group__name", "id[]", "status__name"], "1")
    assert set(queue(desk, **params)) == {ticket.pk for ticket in pair}


@pytest.mark.parametrize("name", ["status", "priority", "type", "group", "assignee", "organization"])
def test_queue_when_asked_for_what_does_not_exist_then_is_kindly_empty(desk, pair, name):
    response = desk.get(QUEUE, {name: "999999"})
    assert (rows(response), "Clear the filters" in words(response)) == ([], True)


@pytest.mark.parametrize("text", ["player", "it is broken", "Ana", "\0player\0"])
def test_queue_when_searched_then_finds_resolved_ones_too(desk, pair, dan, cleo, text):
    full, bare = pair
    Ticket.objects.filter(pk=bare.pk).update(subject="Other")
    bare.comments.update(text="Nothing")
    actions.resolve(full, actor=dan)
    assert queue(desk, q=text) == [full.pk]


def test_queue_when_a_number_is_searched_then_leads_to_the_ticket(desk, pair):
    response = desk.get(QUEUE, {"q": f"#{pair[0].number}"})
    assert (response.status_code, response["Location"]) == (302, f"/desk/tickets/{pair[0].number}/")


def test_queue_when_the_number_is_hidden_then_tells_nothing(desk, secret):
    response = desk.get(QUEUE, {"q": str(secret.number)})
    assert (response.status_code, rows(response)) == (200, [])


def test_queue_when_group_is_private_then_shows_and_counts_nothing_of_it(desk, secret):
    page = desk.get(QUEUE, {"status": "any"})
    assert (rows(page), "Salary letter" in words(page)) == ([], False)


def test_queue_when_long_then_is_paged_without_gap_or_double(desk, ana, workflow):
    numbers = [make_ticket(ana).pk for _number in range(queue_module.ROWS + 3)]
    first = desk.get(QUEUE)
    second = desk.get(f"{QUEUE}{first.context['next_url']}")
    assert rows(first) + rows(second) == numbers[::-1]


def test_count_when_many_then_stops_counting(desk, ana, workflow):
    status = Status.objects.get(name="Open")
    Ticket.objects.bulk_create(
        Ticket(subject="x", requester=ana, status=status, category="new", channel="portal") for _number in range(1001)
    )
    assert desk.get(QUEUE).context["count"] == "1,000+"


def test_queue_when_organizations_are_too_many_for_a_list_then_offers_the_chosen_one(desk, pair, acme):
    Organization.objects.bulk_create(Organization(name=f"Customer {number}") for number in range(201))
    offered = {select.name: select.choices for select in desk.get(QUEUE, {"organization": acme.pk}).context["filters"]}
    assert offered["organization"] == [(str(acme.pk), "Acme")]


def test_view_when_chosen_then_is_marked_in_any_order(desk, pair):
    page = desk.get(QUEUE, {"assignee": "me", "sort": "priority"})
    assert (page.context["title"], [view["label"] for view in page.context["views"] if view["current"]]) == ("Mine", ["Mine"])


def test_row_when_customer_waits_then_says_since_when(desk, ticket):
    Ticket.objects.update(waiting_since=timezone.now() - timedelta(hours=3))
    assert "The customer wrote 3 h ago and waits for us" in words(desk.get(QUEUE))


@pytest.mark.parametrize("tickets", [1, 25])
def test_queue_when_tickets_are_many_then_asks_no_more(desk, ana, dan, workflow, django_assert_num_queries, tickets):
    AgentGroup.objects.create(name="Another")
    for _number in range(tickets):
        actions.take(make_ticket(ana), actor=dan)
    with django_assert_num_queries(11):
        desk.get(reverse("desk_tickets"))
