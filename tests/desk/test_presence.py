"""Who else is at a ticket, and what happened since one opened it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.desk.conftest import logged_in
from tests.desk.pages import newest_event, send, words
from tests.factories import message
from tickets import actions, presence


@pytest.fixture
def hers(eve):
    return logged_in(eve)


def tell(client, ticket, **data):
    return client.post(reverse("desk_ticket_presence", args=[ticket.pk]), {"seen": newest_event(ticket), **data}).json()


def here(client, ticket, **data):
    return [one["words"] for one in tell(client, ticket, **data)["here"]]


def test_people_at_a_ticket_hear_of_each_other_until_they_leave(desk, hers, ticket, max_admin):
    assert here(desk, ticket) == []
    assert here(hers, ticket) == ["Dan Support is looking at this"]
    assert here(desk, ticket) == ["Eve Devops is looking at this"]
    here(hers, ticket, writing="1")
    his = logged_in(max_admin)
    assert here(his, ticket) == ["Eve Devops is writing", "Dan Support is looking at this"]
    here(hers, ticket, leaving="1")
    assert here(desk, ticket) == ["Max Manager is looking at this"]


def test_person_when_silent_for_long_then_is_gone(desk, hers, ticket, monkeypatch):
    here(hers, ticket)
    now = presence.time.time()
    monkeypatch.setattr(presence.time, "time", lambda: now + 26)
    assert here(desk, ticket) == []


def test_person_who_sends_is_told_of_as_sending(settings, desk, hers, ticket):
    settings.UNDO_SECONDS = 10
    here(desk, ticket)
    send(desk, ticket, "reply", text="A zebra.")
    answer = tell(hers, ticket)
    assert ([one["words"] for one in answer["here"]], answer["news"], answer["waits"]) == (["Dan Support is sending a reply"], None, False)
    assert tell(desk, ticket)["waits"] is True


def test_news_name_who_did_it_and_where_it_stands_and_never_what_was_said(desk, ticket, ana, eve):
    seen = newest_event(ticket)
    assert tell(desk, ticket, seen=seen)["news"] is None
    note = actions.add_note(ticket, actor=eve, message=message("A zebra."))
    news = tell(desk, ticket, seen=seen)["news"]
    assert news == {
        "words": "Something happened since you opened this, by Eve Devops.",
        "url": f"/desk/tickets/{ticket.pk}/?since={seen}#c{note.pk}",
    }
    actions.comment(ticket, actor=ana, message=message("A zebra!"))
    assert tell(desk, ticket, seen=seen)["news"]["words"] == "A reply arrived since you opened this, by Eve Devops, Ana Ford."
    shown = desk.get(news["url"].partition("#")[0])
    assert (words(shown).count("New since you opened the page"), [entry.is_news for entry in shown.context["entries"]]) == (
        2,
        [False, True, True],
    )


def test_what_i_did_myself_is_no_news(desk, ticket, dan):
    seen = newest_event(ticket)
    actions.add_note(ticket, actor=dan, message=message("Mine."))
    assert tell(desk, ticket, seen=seen)["news"] is None


@pytest.mark.parametrize("nonsense", ["", "x", "9" * 30, "-1"])
def test_seen_when_nonsense_then_is_answered(desk, ticket, nonsense):
    assert desk.post(reverse("desk_ticket_presence", args=[ticket.pk]), {"seen": nonsense}).status_code == 200
    assert desk.get(reverse("desk_ticket", args=[ticket.pk]), {"since": nonsense}).status_code == 200


def test_ticket_out_of_sight_tells_nothing(desk, hers, secret):
    here(hers, secret, writing="1")
    assert desk.post(reverse("desk_ticket_presence", args=[secret.pk])).status_code == 404
    assert here(hers, secret) == []


@pytest.mark.parametrize("many", [1, 15])
def test_asking_costs_the_same_however_much_there_is(desk, hers, ticket, ana, many, django_assert_num_queries):
    seen = newest_event(ticket)
    for _each in range(many):
        actions.comment(ticket, actor=ana, message=message("Hello?"))
    here(hers, ticket)
    with django_assert_num_queries(5):  # session, person; ticket, those merged into it, events
        desk.post(reverse("desk_ticket_presence", args=[ticket.pk]), {"seen": seen})
