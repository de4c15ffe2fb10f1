"""Unread: what others did in public since one last looked; never what customers don't see."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_ticket, message
from tests.portal.pages import reply
from tickets import actions, sharing
from tickets.models import Channel, Event, Priority, Status, TicketRead, TicketType

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(ana, ben, dan):
    return make_ticket(ana)


def unread(client, person, ticket, path="/tickets/?show=all&whose=any") -> bool:
    """What its row says, to eyes and to ears alike."""
    client.force_login(person)
    row = re.search(
        rf'<li class="ticket-row([^"]*)">\s*<div>\s*<a href="/tickets/{ticket.number}/">(.*?)</a>', client.get(path).content.decode()
    )
    assert row is not None
    assert ("is-unread" in row[1]) is ("Unread:" in row[2])
    return "is-unread" in row[1]


def look(client, person, ticket):
    """As the page does with scripts."""
    client.force_login(person)
    page = client.get(f"/tickets/{ticket.number}/").content.decode()
    address = re.search(r'data-seen="([^"]+)"', page)
    if address:
        seen = re.search(r'name="seen" value="(\d+)"', page)
        assert client.post(address[1], {"seen": seen[1]}).status_code == 204


def say(ticket, who, **fields):
    return actions.comment(ticket, actor=who, message=message("Try again.", channel=Channel.DESK), **fields)


def resolve(ticket, who):
    return actions.resolve(ticket, actor=who, type=TicketType.objects.first())


NEWS = {
    "an answer": say,
    "a status": lambda t, dan: actions.change_status(t, actor=dan, status=Status.objects.get(name="Waiting on Customer")),
    "resolved": resolve,
    "a priority in words": lambda t, dan: actions.set_priority(
        t, actor=dan, priority=Priority.objects.first(), message=message("It is high.")
    ),
    "closed": lambda t, dan: actions.close(t, actor=dan),
}
NO_NEWS = {
    "a note": lambda t, dan: actions.add_note(t, actor=dan, message=message("gossip")),
    "an assignee": lambda t, dan: actions.assign(t, actor=dan, assignee=dan),
    "a priority": lambda t, dan: actions.set_priority(t, actor=dan, priority=Priority.objects.first()),
    "a type": lambda t, dan: actions.set_type(t, actor=dan, type=TicketType.objects.first()),
    "spam": lambda t, dan: actions.change_status(t, actor=dan, status=Status.objects.get(name="Spam")),
    "an agent who follows": lambda t, dan: sharing.follow(t, actor=dan),
}


def test_own_ticket_when_nothing_happened_then_is_read(client, ticket, ana):
    assert unread(client, ana, ticket) is False


def test_teammates_ticket_when_new_then_is_unread_until_opened(client, ticket, ben):
    assert unread(client, ben, ticket) is True
    look(client, ben, ticket)
    assert unread(client, ben, ticket) is False


@pytest.mark.parametrize("news", NEWS)
def test_ticket_when_others_did_something_public_then_is_unread_until_opened(client, ticket, ana, dan, news):
    look(client, ana, ticket)
    NEWS[news](ticket, dan)
    assert [unread(client, ana, ticket)] == [True]
    look(client, ana, ticket)
    assert unread(client, ana, ticket) is False


@pytest.mark.parametrize("news", NO_NEWS)
def test_ticket_when_only_what_customers_never_see_happened_then_stays_read(client, ticket, ana, dan, news):
    look(client, ana, ticket)
    NO_NEWS[news](ticket, dan)
    assert unread(client, ana, ticket) is False


def test_ticket_when_its_status_moves_behind_one_public_name_then_stays_read(client, ticket, ana, dan):
    Status.objects.filter(name="Waiting on Dev Team").update(public_name="In Progress")
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="In Progress"))
    look(client, ana, ticket)
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Waiting on Dev Team"))
    assert unread(client, ana, ticket) is False


def test_ticket_when_it_closed_by_itself_then_is_unread(client, ticket, ana, dan):
    resolve(ticket, dan)
    look(client, ana, ticket)
    ticket.__class__.objects.update(close_due_at="2020-01-01T00:00Z")
    actions.close_if_due(ticket.pk)
    assert unread(client, ana, ticket) is True


def test_page_when_opened_alone_then_writes_nothing(client, ticket, ana, dan):
    say(ticket, dan)
    client.force_login(ana)
    for _time in range(2):
        assert "data-seen=" in client.get(f"/tickets/{ticket.number}/").content.decode()
    assert not TicketRead.objects.exists()


def test_ticket_when_answered_without_scripts_then_is_read(client, ticket, ana, dan):
    say(ticket, dan)
    client.force_login(ana)
    reply(client, ticket)
    assert unread(client, ana, ticket) is False


def test_ticket_when_another_tab_is_older_then_stays_read(client, ticket, ana, dan):
    first = ticket.events.first().pk
    say(ticket, dan)
    look(client, ana, ticket)
    client.post(f"/tickets/{ticket.number}/seen/", {"seen": first})
    assert unread(client, ana, ticket) is False


def test_ticket_when_something_came_after_the_page_was_made_then_stays_unread(client, ticket, ana, dan):
    first = ticket.events.first().pk
    say(ticket, dan)
    client.force_login(ana)
    client.post(f"/tickets/{ticket.number}/seen/", {"seen": first})
    assert unread(client, ana, ticket) is True


def test_mark_when_it_names_an_event_behind_the_scenes_then_keeps_the_last_public_one(client, ticket, ana, dan):
    say(ticket, dan)
    public = ticket.events.last().pk
    actions.add_note(ticket, actor=dan, message=message("gossip"))
    client.force_login(ana)
    client.post(f"/tickets/{ticket.number}/seen/", {"seen": ticket.events.last().pk})
    assert TicketRead.objects.get().event_id == public


def test_ticket_when_read_by_one_then_not_by_another(client, ticket, ana, ben):
    look(client, ben, ticket)
    assert list(TicketRead.objects.values_list("user__name", flat=True)) == ["Ben Ode"]


@pytest.mark.parametrize("seen", ["", "x", "-1", "0", "9" * 30, "9" * 5000, "\0"])
def test_mark_when_nonsense_then_breaks_nothing(client, ticket, ana, seen):
    client.force_login(ana)
    assert client.post(f"/tickets/{ticket.number}/seen/", {"seen": seen}).status_code == 204


def test_mark_when_by_a_stranger_then_is_404_and_nothing_is_kept(client, ticket, cleo):
    client.force_login(cleo)
    assert client.post(f"/tickets/{ticket.number}/seen/", {"seen": 1}).status_code == 404
    assert not TicketRead.objects.exists()


def test_ticket_when_a_month_passed_then_is_old_news(client, ticket, ben):
    Event.objects.update(at=timezone.now() - timedelta(days=31))
    assert unread(client, ben, ticket) is False


def test_home_when_an_answer_came_then_shows_the_row_as_unread(client, ticket, ana, dan):
    assert unread(client, ana, ticket, "/") is False
    say(ticket, dan)
    assert unread(client, ana, ticket, "/") is True
