"""The desk's first page: every number leads to exactly the tickets it counts."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from accounts.models import AgentGroup
from notifications import channels, relay
from notifications.models import Delivery, Kind, Reason, State
from tests.desk.pages import rows, words
from tests.factories import make_ticket, message
from tests.journeys.peers import free_port
from tests.tickets.mail.letters import letter, signed_address, take_in
from tickets import actions
from tickets.models import Priority, Status, TicketType


@pytest.fixture
def many(workflow, ana, cleo, dan, eve):
    """Tickets in every state that the dashboard tells apart."""
    new, mine, waiting, confirmed, resolved, spam = (make_ticket(person) for person in (ana, ana, cleo, ana, cleo, ana))
    actions.take(mine, actor=dan)
    actions.comment(waiting, actor=eve, message=message("Try again?"), status=Status.objects.get(name="Waiting on Customer"))
    actions.confirm_fix(confirmed, actor=ana)
    actions.resolve(resolved, actor=eve, type=TicketType.objects.first())
    actions.change_status(spam, actor=eve, status=Status.objects.get(name="Spam"))
    about = {"recipient": cleo, "address": cleo.email, "kind": Kind.UPDATE, "reason": Reason.REQUESTER}
    Delivery.objects.create(event=resolved.events.first(), ticket=resolved, state=State.FAILED, **about)
    return new, mine, waiting, confirmed, resolved, spam


def tiles(response) -> dict[str, tuple[int, str]]:
    found = re.findall(r'<a class="stat [^"]*" href="([^"]+)"><span>([^<]+)</span><strong class="num">(\d+)<', response.content.decode())
    return {label: (int(count), href.replace("&amp;", "&")) for href, label, count in found}


def test_tiles_when_tickets_are_in_every_state_then_count_them(desk, many):
    counted = {label: count for label, (count, _href) in tiles(desk.get("/desk/")).items()}
    assert counted == {
        "Unresolved": 4,
        "Mine": 1,
        "Unassigned": 3,
        "Waiting for us": 3,
        "Fix confirmed": 1,
        "Waiting on Customer": 1,
        "Mail failed": 1,
    }


def test_tiles_when_followed_then_lead_to_as_many_tickets(desk, many):
    shown = tiles(desk.get("/desk/"))
    assert {label: len(rows(desk.get(href))) for label, (_count, href) in shown.items()} == {
        label: count for label, (count, _href) in shown.items()
    }


def test_groups_when_listed_then_lead_to_as_many_tickets(desk, many):
    page = desk.get("/desk/").content.decode()
    links = re.findall(r'<td class="end"><a href="([^"]+)">(\d+)</a>', page)
    assert [len(rows(desk.get(href.replace("&amp;", "&")))) for href, _count in links] == [int(count) for _href, count in links]


def test_dashboard_when_group_is_private_then_counts_without_its_tickets(desk, secret):
    assert tiles(desk.get("/desk/"))["Unresolved"][0] == 0


def test_needs_me_when_customers_wait_then_the_longest_waits_first(desk, dan, ana, workflow):
    devops = AgentGroup.objects.get(name="DevOps")
    first, of_others, second = make_ticket(ana), make_ticket(ana, group=devops), make_ticket(ana, group=devops)
    actions.assign(second, actor=dan, assignee=dan)
    page = desk.get("/desk/").content.decode()
    mine = page[page.index("What needs you now") : page.index("Newest that nobody has taken")]
    assert [int(number) for number in re.findall(r'/desk/tickets/(\d+)/" data-open', mine)] == [first.pk, second.pk]
    assert of_others.pk not in (first.pk, second.pk)


def test_needs_me_when_one_is_urgent_then_it_comes_first_and_those_without_priority_last(desk, dan, ana, workflow):
    unset, low, waits_longer, critical = (make_ticket(ana) for _number in range(4))
    for ticket, name in ((low, "Low"), (waits_longer, "Critical"), (critical, "Critical")):
        actions.set_priority(ticket, actor=dan, priority=Priority.objects.get(name=name))
    assert list(desk.get("/desk/").context["mine"]) == [waits_longer, critical, low, unset]


def test_dashboard_when_mail_is_held_then_says_so(desk, ticket, ana):
    take_in(letter("sten@else.example", to=signed_address(ticket, ana)))
    assert "1 mail came in that only a person can decide about. Look at it" in words(desk.get("/desk/"))


@pytest.mark.parametrize("tickets", [1, 25])
def test_dashboard_when_tickets_are_many_then_asks_no_more(desk, ana, workflow, django_assert_num_queries, tickets):
    for _number in range(tickets):
        make_ticket(ana)
    with django_assert_num_queries(12):
        desk.get(reverse("desk"))


def test_mail_server_that_is_away_is_told_at_the_desk(desk, many, settings):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend",
        "127.0.0.1",
        free_port(),
    )
    relay.relay_waiting()
    waiting = Delivery.objects.filter(state=State.QUEUED).count()
    channels.deliver_due()
    for page in ("/desk/", "/desk/mail/"):
        assert f"Our mail server can't be reached: {waiting} mails wait, and go by themselves when the server is back." in words(
            desk.get(page)
        )
