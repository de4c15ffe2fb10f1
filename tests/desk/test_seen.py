"""Two people at one ticket: nothing goes out from a page that is out of date."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from tests.desk.pages import newest_event, words
from tests.factories import message
from tickets import actions
from tickets.models import Priority, Status, Ticket, TicketType


@pytest.fixture
def seen(ticket):
    """What Dan's page knew before somebody else did something."""
    return newest_event(ticket)


def send(client, ticket, verb, **data):
    return client.post(reverse(f"desk_ticket_{verb}", args=[ticket.number]), data)


@pytest.mark.parametrize("verb", ["reply", "note"])
def test_message_when_others_wrote_since_then_is_not_sent_but_kept(desk, ticket, seen, ana, verb):
    actions.comment(ticket, actor=ana, message=message("It works again!"))
    response = send(desk, ticket, verb, text="Try again.", seen=seen)
    assert (response.status_code, ticket.comments.count()) == (409, 2)
    told = words(response)
    assert [phrase in told for phrase in ("by Ana Ford", "It works again!", "Try again.", "New since you opened the page")] == [True] * 4


def test_message_when_sent_again_from_the_fresh_page_then_goes_out(desk, ticket, seen, ana):
    actions.comment(ticket, actor=ana, message=message("It works again!"))
    again = send(desk, ticket, "reply", text="Try again.", seen=seen)
    response = send(desk, ticket, "reply", text="Try again.", seen=again.context["seen"])
    assert (response.status_code, ticket.comments.last().text) == (302, "Try again.")


def test_message_when_kept_then_keeps_its_key_and_kind(desk, ticket, seen, eve):
    actions.add_note(ticket, actor=eve, message=message("Mine."))
    key = "0b5e6f9a-2f6c-4f1e-9d53-0d6c1f1f7d11"
    response = send(desk, ticket, "note", text="Hm.", seen=seen, key=key)
    assert (f'name="key" value="{key}"' in response.content.decode(), response.context["is_note"]) == (True, True)


def test_news_when_several_then_each_is_marked_and_the_old_is_not(desk, ticket, seen, eve, ana):
    actions.take(ticket, actor=eve)
    actions.comment(ticket, actor=ana, message=message("Hello?"))
    response = send(desk, ticket, "reply", text="Try again.", seen=seen)
    assert [entry.is_news for entry in response.context["entries"]] == [False, True, True]


def test_message_when_i_did_it_myself_in_another_tab_then_goes_out(desk, ticket, seen, dan):
    actions.add_note(ticket, actor=dan, message=message("Mine."))
    assert send(desk, ticket, "reply", text="Try again.", seen=seen).status_code == 302


@pytest.mark.parametrize("nonsense", ["", "x", "-5", None])
def test_message_when_seen_is_nonsense_then_shows_everything_first(desk, ticket, nonsense):
    data = {} if nonsense is None else {"seen": nonsense}
    assert (send(desk, ticket, "reply", text="Try again.", **data).status_code, ticket.comments.count()) == (409, 1)


@pytest.mark.parametrize("verb", ["resolve", "status"])
def test_move_when_others_wrote_since_then_is_not_done(desk, ticket, seen, ana, verb):
    actions.comment(ticket, actor=ana, message=message("Broken again."))
    resolved = Status.objects.get(name="Resolved").pk
    response = send(desk, ticket, verb, status=resolved, type=TicketType.objects.first().pk, seen=seen)
    assert (response.status_code, Ticket.objects.get(pk=ticket.pk).status.name) == (409, "Open")


@pytest.mark.parametrize(("was", "verb"), [("Open", "close"), ("Open", "spam"), ("Closed", "reopen"), ("Spam", "not_spam")])
def test_button_when_others_did_something_since_then_is_not_done(desk, ticket, eve, was, verb):
    actions.change_status(ticket, actor=eve, status=Status.objects.get(name=was))
    seen = newest_event(ticket)
    actions.add_note(ticket, actor=eve, message=message("Leave it, I am on it."))
    response = send(desk, ticket, verb, seen=seen)
    assert (response.status_code, Ticket.objects.get(pk=ticket.pk).status.name) == (409, was)
    assert send(desk, ticket, verb, seen=response.context["seen"]).status_code == 302
    assert Ticket.objects.get(pk=ticket.pk).status.name != was


@pytest.mark.parametrize("was", ["Open", "Closed", "Spam"])
def test_page_when_shown_then_each_move_on_it_tells_what_was_seen(desk, ticket, eve, was):
    actions.change_status(ticket, actor=eve, status=Status.objects.get(name=was))
    html = desk.get(reverse("desk_ticket", args=[ticket.number])).content.decode()
    forms = re.findall(
        r'<form [^>]*action="/desk/tickets/\d+/(?:close|reopen|spam|not-spam|resolve|status|take)/".*?</form>', html, re.DOTALL
    )
    assert forms
    assert [f'name="seen" value="{newest_event(ticket)}"' in form for form in forms] == [True] * len(forms)


@pytest.mark.parametrize("verb", ["take", "assignee"])
def test_ticket_when_taken_by_another_since_then_is_not_taken_from_them(desk, ticket, seen, dan, eve, verb):
    actions.take(ticket, actor=eve)
    response = send(desk, ticket, verb, assignee=dan.pk, seen=seen)
    assert (response.status_code, Ticket.objects.get(pk=ticket.pk).assignee) == (409, eve)


def test_property_when_others_did_something_else_then_is_set(desk, ticket, seen, ana):
    actions.comment(ticket, actor=ana, message=message("Hello?"))
    high = Priority.objects.get(name="High")
    assert send(desk, ticket, "priority", priority=high.pk, seen=seen).status_code == 302
    assert Ticket.objects.get(pk=ticket.pk).priority == high


def test_property_when_others_set_the_same_then_they_are_heard_first(desk, ticket, seen, eve):
    critical, low = Priority.objects.get(name="Critical"), Priority.objects.get(name="Low")
    actions.set_priority(ticket, actor=eve, priority=critical)
    assert send(desk, ticket, "priority", priority=low.pk, seen=seen).status_code == 409
    assert Ticket.objects.get(pk=ticket.pk).priority == critical
