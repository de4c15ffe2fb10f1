"""What the submit page is told as somebody types: whom it tells what (SU06), and what it stands (SU07)."""

from __future__ import annotations

import re

import pytest

from tests.factories import make_article, make_ticket, message
from tickets import actions
from tickets.lifecycle import Category
from tickets.models import Channel, Status, TicketType
from tickets.portal.views import related
from tickets.search import indexing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("workflow")]

BLANK = "The video player stays blank after login"


def ask(client, text=BLANK, subject=""):
    return client.post("/tickets/similar/", {"subject": subject, "text": text})


def shown(response) -> list[int]:
    return [int(number) for number in re.findall(r'data-number="(\d+)"', response.content.decode())]


def page(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def solved(ana, dan):
    """A ticket with notes and answers before and after it was resolved, and a status that customers know by another name."""
    ticket = make_ticket(ana, "Blank player", text=BLANK)
    actions.add_note(ticket, actor=dan, message=message("They never pay.", channel=Channel.DESK))
    actions.comment(ticket, actor=dan, message=message("Clear the cache.", channel=Channel.DESK))
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    actions.comment(ticket, actor=dan, message=message("Glad to hear.", channel=Channel.DESK))
    Status.objects.filter(category=Category.RESOLVED).update(name="Done internally", public_name="Solved")
    indexing.index_waiting(most=100)
    return ticket


def test_similar_when_asked_then_tells_status_first_message_and_answer_and_nothing_internal(client, ana, dan):
    ticket = solved(ana, dan)
    client.force_login(ana)
    response = ask(client)
    assert 'data-said="1 related ticket"' in response.content.decode()
    said = page(response)
    assert [word in said for word in ("Blank player", BLANK, "Clear the cache.", "Solved", f"#{ticket.number}")] == [True] * 5
    assert [word in said for word in ("They never pay", "Glad to hear", "Done internally")] == [False] * 3


def test_similar_when_asked_by_others_then_each_is_told_what_they_see(client, ana, ben, cleo, solo, dan):
    ticket = solved(ana, dan)
    told = {}
    for who in (ana, ben, cleo, solo, ana):
        client.force_login(who)
        told[who.email] = shown(ask(client))
    assert told == {ana.email: [ticket.pk], ben.email: [ticket.pk], cleo.email: [], solo.email: []}


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "ab cd ef " * 110_000,
        "\0 a\0b c\0d e\0f",
        ".*+?[](){}|\\^$ & | ! :* <-> '\" %s %",
        "\u202e word other third",
    ],
)
def test_similar_when_text_is_hostile_then_answers(text, client, ana, dan):
    solved(ana, dan)
    client.force_login(ana)
    assert ask(client, text).status_code == 200


@pytest.mark.parametrize("data", [{}, {"subject": ["a b", "c d e"]}, {"text": ["one two three", ""]}])
def test_similar_when_fields_are_missing_or_repeated_then_answers(data, client, ana):
    client.force_login(ana)
    assert client.post("/tickets/similar/", data).status_code == 200


def test_similar_when_asked_too_often_then_429(client, ana, monkeypatch):
    monkeypatch.setattr(related, "_LIMIT", 2)
    client.force_login(ana)
    assert [ask(client).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("count", [1, 50])
def test_similar_when_there_are_many_then_costs_the_same(count, client, ana, django_assert_num_queries):
    for _ in range(count):
        make_ticket(ana, text=BLANK)
    indexing.index_waiting(most=100)
    client.force_login(ana)
    with django_assert_num_queries(9):  # session, person; organizations, window, what is seen by name, words, postings, tickets; articles
        assert len(shown(ask(client))) == min(count, 5)


def test_form_when_opened_then_has_a_place_for_them_that_scripts_show(client, ana):
    client.force_login(ana)
    assert (
        'data-related="/tickets/similar/" data-related-source="id_subject id_text" hidden' in client.get("/tickets/new/").content.decode()
    )


def test_similar_when_articles_may_answer_it_then_those_for_this_person_come_first(client, ana, dan, acme, globex):
    for title, readers in (("Player is blank behind a proxy", acme), ("Blank player at Globex", globex)):
        make_article(dan, title, readers=readers)
    make_article(dan, "Blank player, a draft", publish=False)
    client.force_login(ana)
    page = client.post("/tickets/similar/", {"subject": "The player is blank", "text": "Nothing shows"}).content.decode()
    assert (re.findall(r'target="_blank">(.*?)</a>', page), "1 help article" in page) == (["Player is blank behind a proxy"], True)
