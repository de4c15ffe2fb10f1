"""The desk's first page: every number leads to exactly the tickets it counts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AgentGroup, Role
from notifications import channels, relay
from notifications.models import Delivery, Kind, Reason, State
from tests.desk.conftest import logged_in
from tests.desk.pages import rows, words
from tests.factories import make_ticket, make_user, message
from tests.journeys.peers import free_port
from tests.tickets.mail.letters import letter, signed_address, take_in
from tickets import actions
from tickets.models import Priority, Status, Ticket, TicketType


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
        "Yours": 1,
        "Yours, overdue": 0,
        "Wait for your answer": 1,
        "You were named": 0,
        "Unassigned": 3,
        "Overdue": 0,
        "Due today": 0,
        "Unresolved": 4,
        "Waiting for us": 3,
        "Fix confirmed": 1,
        "Waiting on Customer": 1,
        "Mail failed": 1,
    }


def test_tiles_when_work_is_late_or_due_then_tell_mine_from_all(desk, many):
    new, mine, *_others = many
    now = timezone.localtime()
    Ticket.objects.filter(pk__in=[new.pk, mine.pk]).update(due_at=now - timedelta(minutes=1))
    Ticket.objects.filter(pk=many[3].pk).update(due_at=now.replace(hour=23, minute=59, second=59))
    shown = tiles(desk.get("/desk/"))
    assert {label: shown[label][0] for label in ("Yours, overdue", "Overdue", "Due today")} == {
        "Yours, overdue": 1,
        "Overdue": 2,
        "Due today": 1,
    }
    assert [rows(desk.get(shown[label][1])) for label in ("Yours, overdue", "Due today")] == [[mine.pk], [many[3].pk]]


def test_named_when_somebody_names_me_then_until_i_do_something_there(desk, dan, eve, ticket):
    actions.add_note(ticket, actor=eve, message=message("@dan have you seen this?"))
    relay.relay_waiting()
    assert tiles(desk.get("/desk/"))["You were named"][0] == 1
    actions.take(ticket, actor=dan)
    assert tiles(desk.get("/desk/"))["You were named"][0] == 0


def test_today_when_tickets_came_and_went_then_leads_to_them(desk, many):
    Ticket.objects.filter(pk=many[0].pk).update(created_at=timezone.now() - timedelta(days=3))
    page = desk.get("/desk/").content.decode()
    today = re.findall(r'<a href="([^"]+)"><strong class="num">(\d+)</strong> (created|resolved)</a>', page)
    assert [(word, int(count), len(rows(desk.get(href.replace("&amp;", "&"))))) for href, count, word in today] == [
        ("created", 4, 4),
        ("resolved", 1, 1),
    ]


def test_trend_when_tickets_came_and_went_then_tells_each_day_without_spam(desk, many):
    Ticket.objects.filter(pk=many[0].pk).update(created_at=timezone.now() - timedelta(days=3))
    created, resolved = desk.get("/desk/").context["trend"].drawn
    days = [slot.words.partition("\n")[2] for slot in desk.get("/desk/").context["trend"].slots]
    assert (len(created.bars), days[-4], days[-1]) == (14, "Created: 1\nResolved: 0", "Created: 4\nResolved: 1")
    assert resolved.path.startswith("M")


def test_dashboard_when_a_csm_looks_then_shows_their_organizations(many, acme):
    clara = make_user("clara@support.example", "Clara Lead", role=Role.CSM)
    acme.delivery_lead = clara
    acme.save()
    client = logged_in(clara)
    page = client.get("/desk/").content.decode()
    theirs = page[page.index("Organizations you look after") : page.index("By group")]
    links = re.findall(r'<td class="end"><a href="([^"]+)"[^>]*>(\d+)</a>', theirs)
    assert [int(count) for _href, count in links] == [3, 0, 3]
    assert [len(rows(client.get(href.replace("&amp;", "&")))) for href, _count in links] == [3, 0, 3]


def test_needs_me_when_a_csm_looks_then_is_what_waits_or_is_overdue_for_their_organizations(many, acme):
    _new, _mine, waiting, *_others = many
    clara = make_user("clara@support.example", "Clara Lead", role=Role.CSM)
    page = logged_in(clara).get("/desk/").content.decode()
    assert "Nothing needs you now" in page
    acme.delivery_lead = clara
    acme.save()
    response = logged_in(clara).get("/desk/")
    needed = [ticket.pk for ticket in response.context["mine"]]
    assert (len(needed), waiting.pk in needed) == (3, False)
    assert 'href="/desk/tickets/new/"' in response.content.decode()


def test_tiles_when_followed_then_lead_to_as_many_tickets(desk, many):
    shown = tiles(desk.get("/desk/"))
    assert {label: len(rows(desk.get(href))) for label, (_count, href) in shown.items()} == {
        label: count for label, (count, _href) in shown.items()
    }


def test_groups_when_listed_then_lead_to_as_many_tickets(desk, many):
    page = desk.get("/desk/").content.decode()
    links = re.findall(r'<td class="end"><a href="([^"]+)"[^>]*>(\d+)</a>', page)
    assert [len(rows(desk.get(href.replace("&amp;", "&")))) for href, _count in links] == [int(count) for _href, count in links]


def test_groups_when_retired_then_are_listed_as_long_as_they_have_something_to_do(desk, ticket):
    old, used = AgentGroup.objects.create(name="Old", is_retired=True), AgentGroup.objects.create(name="Used", is_retired=True)
    Ticket.objects.filter(pk=ticket.pk).update(group=used)
    listed = [row["name"] for row in desk.get("/desk/").context["groups"]]
    assert (used.name in listed, old.name in listed, "DevOps" in listed) == (True, False, True)


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


@pytest.mark.parametrize("tickets", [1, 50])
def test_dashboard_when_tickets_are_many_then_asks_no_more(desk, ana, workflow, django_assert_num_queries, tickets):
    for _number in range(tickets):
        make_ticket(ana)
    with django_assert_num_queries(18):
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
