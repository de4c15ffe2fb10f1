from __future__ import annotations

import pytest

from tests.factories import make_ticket, message
from tickets import actions
from tickets.access import tickets_for
from tickets.models import Ticket
from tickets.search import marked, search, snippets, words_of


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


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Player is blank", "play", "<mark>Play</mark>er is blank"),
        ("Update, then up", "up update", "<mark>Update</mark>, then <mark>up</mark>"),
        ("<b>bold</b> & <i>", "bold", "&lt;b&gt;<mark>bold</mark>&lt;/b&gt; &amp; &lt;i&gt;"),
        ("a <script> b", "<script>", "a <mark>&lt;script&gt;</mark> b"),
        ("a.c abc", "a.c", "<mark>a.c</mark> abc"),
        ("5 < 6", "&lt;", "5 &lt; 6"),
        ("as it is", "", "as it is"),
        ("a (b", "(", "a <mark>(</mark>b"),
    ],
)
def test_marked_when_words_occur_then_marks_them_and_escapes_all(text, query, expected):
    assert marked(text, words_of(query)) == expected


def snippet(ticket, query) -> str | None:
    return snippets([ticket], words_of(query)).get(ticket.pk)


def test_snippet_when_several_comments_match_then_is_of_the_newest(workflow, ana):
    ticket = make_ticket(ana, text="The update broke it.")
    actions.comment(ticket, actor=ana, message=message("One\n\nmore <update>."))
    assert snippet(ticket, "update") == "One more &lt;<mark>update</mark>&gt;."


def test_snippet_when_the_word_stands_far_inside_then_is_cut_around_it(workflow, ana):
    said = snippet(make_ticket(ana, text="x " * 5000 + "needle" + " y" * 5000), "needle")
    assert said is not None
    assert (said.startswith("…"), "<mark>needle</mark>" in said, said.endswith("…"), len(said) < 300) == (True, True, True, True)


def test_snippet_when_only_a_note_has_the_word_then_there_is_none(workflow, ana, dan):
    ticket = make_ticket(ana)
    actions.add_note(ticket, actor=dan, message=message("the needle"))
    assert snippet(ticket, "needle") is None
