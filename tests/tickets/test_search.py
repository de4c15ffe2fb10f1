from __future__ import annotations

import pytest

from tests.factories import make_ticket, message
from tickets import actions
from tickets.access import tickets_for
from tickets.models import Ticket
from tickets.search import search


def found(text, *, for_staff=False, among=None) -> list[str]:
    tickets = Ticket.objects.all() if among is None else among
    return sorted(ticket.subject for ticket in search(tickets, text, for_staff=for_staff))


@pytest.fixture
def two(workflow, ana, cleo):
    """A's has a note by dan, see the tests."""
    return make_ticket(ana, "Player is blank", text="Since the update"), make_ticket(cleo, "Export fails", text="An update?")


def test_search_when_empty_then_leaves_all(two):
    assert found("  \n ") == ["Export fails", "Player is blank"]


@pytest.mark.parametrize("text", ["PLAYER", "blank since", "update player", "since the update"])
def test_search_when_every_word_occurs_then_finds(two, text):
    assert found(text) == ["Player is blank"]


def test_search_when_one_word_is_missing_then_finds_nothing(two):
    assert found("player export") == []


@pytest.mark.parametrize("sign", ["#", ""])
def test_search_when_number_then_finds_the_ticket(two, sign):
    assert found(f"{sign}{two[1].number}") == ["Export fails"]


def test_search_when_word_is_in_a_note_then_only_staff_find_it(two, dan):
    actions.add_note(two[0], actor=dan, message=message("gossip"))
    assert (found("gossip"), found("gossip", for_staff=True)) == ([], ["Player is blank"])


@pytest.mark.parametrize("text", ["ana@acme.example", "Ford"])
def test_search_when_requester_then_only_staff_find_it(two, text):
    assert (found(text), found(text, for_staff=True)) == ([], ["Player is blank"])


def test_search_when_limited_then_never_widens(two, cleo):
    assert found(f"#{two[0].number}", among=tickets_for(cleo)) == []


@pytest.mark.parametrize(
    "text", ["\0", "a\0b", "\ud800", "%", "_", "' OR 1=1 --", "#" + "9" * 40, "9" * 5000, "²", "#٣٣٣٣٣", "x " * 500, "\\"]
)
def test_search_when_nonsense_then_finds_nothing_or_all_but_never_fails(two, text):
    assert found(text, for_staff=True) in ([], ["Export fails", "Player is blank"])
