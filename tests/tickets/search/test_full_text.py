from __future__ import annotations

import pytest

from tests.factories import make_ticket, message, new_file
from tickets import actions
from tickets.access import tickets_for
from tickets.models import Ticket, TicketWords
from tickets.search import full_text as search_module
from tickets.search import indexing, word_index
from tickets.search.full_text import marked, matching, passages, read


def found(text, *, for_staff=False, among=None) -> list[str]:
    tickets = Ticket.objects.all() if among is None else among
    return sorted(ticket.subject for ticket in matching(tickets, read(text), for_staff=for_staff))


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


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "%", "_", "' OR 1=1 --", "#" + "9" * 40, "9" * 5000, "#٣٣٣٣٣", "x " * 500, "\\"])
def test_search_when_nonsense_then_finds_nothing_or_all_but_never_fails(two, text):
    assert found(text, for_staff=True) in ([], ["Export fails", "Player is blank"])


ODD = (
    "ERR_4032 in v2.3.1 of module x-17 (E1077), says max@acme.example (Größe XL, Müller) 東京タワー C:\\temp\\trace-88.log: the printers don't, "
    "and 1042 neither. " + "y" * 200
)


@pytest.mark.parametrize(
    ("expected", "queries"),
    [
        (
            True,
            [
                "ERR_4032",
                "err_4032",
                "4032",
                "err",
                "v2.3.1",
                "2.3",
                "v2",
                "x-17",
                "max@acme.example",
                "acme.example",
                "MAX",
                "1077",
                "trace-88.log",
            ],
        ),
        (
            True,
            [
                "müller",
                "Muller",
                "GRÖSSE",
                "東京",
                "タワー",
                "don't",
                "print",
                "neither print",
                "print neither",
                "y" * 200,
                "don’t",
                "#1042",
            ],
        ),
        (
            True,
            [
                '"module x-17"',
                '"in v2.3.1 of"',
                'printers "x-17"',
                "printers -zebra",
                "-zebra",
                "-zebra -yak",
                '-"neither printers"',
                'module "',
                "module -",
            ],
        ),
        (False, ["ERR_4033", "v2.3.2", "2.1", "x-18", "rinters", "rinters neither", "err_40", "17-x", "东京", "10"]),
        (
            False,
            [
                '"v2.3.1 in"',
                '"broken ERR"',
                "printers -4032",
                '-"the printers"',
                "-x-17",
                "printers zebra",
                "-zebra -printers",
                '"zebra"',
                "-",
            ],
        ),
    ],
)
def test_search_when_asked_for_codes_names_and_phrases_then_finds_them_whole_and_by_their_parts(workflow, ana, expected, queries):
    """No code is a stem, a phrase stands within one text, and the last word may be a beginning."""
    ticket = make_ticket(ana, "It is broken", text=ODD)
    wrong = {(query, for_staff) for query in queries for for_staff in (True, False) if bool(found(query, for_staff=for_staff)) != expected}
    assert (wrong, ticket.number == 17) == (set(), False)


@pytest.mark.parametrize(
    ("said", "finds", "does_not"),
    [
        (
            "The exports fail",
            ["export", "exports", "exporting fails", "failing exported", "FAILED"],
            ['"export"', '"exporting"', "port", "exponent"],
        ),
        ("A category in the settings", ["categories", "setting", "settings", '"settings"'], ['"setting"', "set ting", "organization"]),
        ("Our organization", ["organizations", "organization"], ["our organic"]),
        ("It says ERR_4032", ["err_4032"], ["errs_4032", "err_4031", "40322"]),
    ],
)
def test_search_when_another_form_of_a_word_was_written_then_finds_it_but_no_quotes_and_codes(workflow, ana, said, finds, does_not):
    make_ticket(ana, "It", text=said)
    for for_staff in (True, False):
        assert {query: bool(found(query, for_staff=for_staff)) for query in (*finds, *does_not)} == dict.fromkeys(
            finds, True
        ) | dict.fromkeys(does_not, False)


def test_search_when_a_file_is_sent_then_is_found_by_its_name(two, dan):
    actions.comment(two[1], actor=two[1].requester, message=message("See", files=(new_file("order-77.csv"),)))
    actions.add_note(two[1], actor=dan, message=message("See", files=(new_file("salaries.csv"),)))
    names = ["order-77.csv", "77", "salaries"]
    assert [found(name) for name in names] == [["Export fails"], ["Export fails"], []]
    assert [found(name, for_staff=True) for name in names] == [["Export fails"]] * 3


def test_search_when_a_customer_leaves_out_what_a_note_says_then_learns_nothing(two, dan):
    """SU08, SU09: neither by asking without it nor by any sign of the databases' languages."""
    actions.add_note(two[0], actor=dan, message=message("gossip"))
    for query in ("player -gossip", "-gossip player", "-gossip blank", 'player -"gossip"'):
        assert (query, found(query)) == (query, ["Player is blank"])
        assert (query, found(query, for_staff=True)) == (query, [])
    for query in (
        "internal:gossip",
        "{internal} : gossip",
        "gossip:*",
        "player | gossip",
        "player OR gossip",
        "gossip & !zebra",
        "g*",
        "'gossip'",
    ):
        assert (query, found(query)) == (query, [])


@pytest.mark.parametrize("few", [1, 100])
@pytest.mark.parametrize("many", [1, 100])
@pytest.mark.parametrize(("sample", "worth"), [(2, 0), (2, 1000), (100, 0)])
def test_search_when_much_is_found_then_misses_nothing_whatever_way_it_goes(workflow, ana, cleo, monkeypatch, few, many, sample, worth):
    for name, value in {"_FEW": few, "_MANY": many, "_SAMPLE": sample, "_WORTH": worth}.items():
        monkeypatch.setattr(search_module, name, value)
    numbers = {make_ticket(who, "Needle").pk for who in (ana, ana, cleo, ana)}
    make_ticket(ana, "Hay")
    theirs = matching(Ticket.objects.filter(requester=ana), read("needle"), for_staff=True)
    all_of_them = matching(Ticket.objects.all(), read("needle"), for_staff=True)
    assert ({ticket.pk for ticket in all_of_them}, theirs.count()) == (numbers, 3)


def test_search_when_a_person_is_called_otherwise_then_finds_by_the_new_name_alone(two, ana):
    indexing.index_waiting(most=10)
    ana.name = "Ana Lindqvist"
    ana.save()
    ana.is_called_anew()
    assert indexing.index_waiting(most=10) == 1
    assert [found(name, for_staff=True) for name in ("Lindqvist", "Ford", "ana blank update")] == [
        ["Player is blank"],
        [],
        ["Player is blank"],
    ]


def test_words_when_written_anew_then_find_what_they_found(two, dan, ben):
    """The sweep says the same as the verbs."""
    actions.comment(two[0], actor=ben, message=message("As ben", files=(new_file("a.csv"),)))
    actions.add_note(two[0], actor=dan, message=message("gossip", files=(new_file("b.csv"),)))
    queries = ["player", "since", "a.csv", "b.csv", "gossip", "ben", "ben@acme.example", "ana", "dan", str(two[0].number)]
    before = [(found(query), found(query, for_staff=True)) for query in queries]
    word_index.write([ticket.pk for ticket in two])
    assert [(found(query), found(query, for_staff=True)) for query in queries] == before
    assert before[queries.index("dan")] == ([], [])  # agents are everywhere


def test_search_when_a_ticket_has_more_words_than_an_index_takes_then_what_is_said_is_kept_all_the_same(workflow, ana):
    ticket = make_ticket(ana, "Needle", text=" ".join(f"{number:x}ü" for number in range(20_000)))
    for at in range(8):
        actions.comment(ticket, actor=ana, message=message(" ".join(f"{at}ö{number:x}" for number in range(20_000))))
    word_index.write([ticket.pk])
    assert (found("needle"), ticket.comments.count()) == (["Needle"], 9)
    assert TicketWords.objects.get().size < 800_000


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Player is blank", "play", "<mark>Player</mark> is blank"),
        ("Players on display", "lay play", "<mark>Players</mark> on display"),
        ("Update, then up", "up update", "<mark>Update</mark>, then <mark>up</mark>"),
        ("The cache, then the\ncache", '"the cache"', "<mark>The cache</mark>, then <mark>the\ncache</mark>"),
        ("Herr M\u00fcller, Gro\u0308ße XL", "muller GROSSE", "Herr <mark>M\u00fcller</mark>, <mark>Gro\u0308ße</mark> XL"),
        ("ERR-4032, ERR 40321 and v2.3.1", "err_4032 v2.3", "<mark>ERR-4032</mark>, ERR 40321 and <mark>v2.3</mark>.1"),
        ("東京タワー", "東京", "<mark>東京</mark>タワー"),
        ("Exporting exports", "exported", "<mark>Exporting</mark> <mark>exports</mark>"),
        ("without -zebra", "without -zebra", "<mark>without</mark> -zebra"),
        ("<b>bold</b> & <i>", "bold", "&lt;b&gt;<mark>bold</mark>&lt;/b&gt; &amp; &lt;i&gt;"),
        ("a <script> b", "<script>", "a &lt;<mark>script</mark>&gt; b"),
        ("a.c abc", "a.c", "<mark>a.c</mark> abc"),
        ("5 < 6", "&lt;", "5 &lt; 6"),
        ("as it is", "", "as it is"),
        ("a (b", "(", "a (b"),
    ],
)
def test_marked_when_words_occur_then_marks_what_is_found_by_them_and_escapes_all(text, query, expected):
    assert marked(text, read(query)) == expected


def passage(ticket, query, *, for_staff=False) -> tuple[str, str, int | None] | None:
    found = passages([ticket], read(query), for_staff=for_staff).get(ticket.pk)
    return (found.kind, found.text, found.comment) if found else None


def test_passage_when_several_comments_match_then_is_of_the_newest(workflow, ana):
    ticket = make_ticket(ana, text="The update broke it.")
    said = actions.comment(ticket, actor=ana, message=message("One\n\nmore <update>."))
    assert passage(ticket, "update") == ("said", "One more &lt;<mark>update</mark>&gt;.", said.pk)


def test_passage_when_an_older_comment_has_more_of_the_words_then_is_of_that(workflow, ana):
    ticket = make_ticket(ana, text="The update broke the player.")
    actions.comment(ticket, actor=ana, message=message("One more update."))
    assert passage(ticket, "player update") == (
        "said",
        "The <mark>update</mark> broke the <mark>player</mark>.",
        ticket.comments.earliest("pk").pk,
    )


def test_passage_when_the_word_stands_far_inside_then_is_cut_around_it(workflow, ana):
    found = passage(make_ticket(ana, text="x " * 2000 + "needle" + " y" * 5000), "needle")
    assert found is not None
    said = found[1]
    assert (said.startswith("…"), "<mark>needle</mark>" in said, said.endswith("…"), len(said) < 300) == (True, True, True, True)


def test_passage_when_only_a_note_has_the_word_then_staff_alone_see_it(workflow, ana, dan):
    ticket = make_ticket(ana)
    note = actions.add_note(ticket, actor=dan, message=message("the needle", files=(new_file("pins.csv"),)))
    assert (passage(ticket, "needle"), passage(ticket, "pins")) == (None, None)
    assert passage(ticket, "needle", for_staff=True) == ("note", "the <mark>needle</mark>", note.pk)
    assert passage(ticket, "pins", for_staff=True) == ("file", "<mark>pins</mark>.csv", note.pk)


def test_passage_when_a_file_has_the_word_then_is_its_name(workflow, ana):
    ticket = make_ticket(ana)
    said = actions.comment(ticket, actor=ana, message=message("See", files=(new_file("order-77.csv"),)))
    assert passage(ticket, "order-77") == ("file", "<mark>order-77</mark>.csv", said.pk)


def test_passage_when_a_customer_has_the_word_then_staff_alone_see_whom(workflow, ana, ben):
    ticket = make_ticket(ana)
    actions.comment(ticket, actor=ben, message=message("Same here"))
    assert [passage(ticket, query) for query in ("ford", "ben@acme.example")] == [None, None]
    assert passage(ticket, "ford", for_staff=True) == ("person", "Ana <mark>Ford</mark> &lt;ana@acme.example&gt;", None)
    assert passage(ticket, "ben@acme", for_staff=True) == ("person", f"{ben.name} &lt;<mark>ben@acme</mark>.example&gt;", None)


@pytest.mark.parametrize("many", [1, 12])
def test_passages_when_tickets_and_comments_are_many_then_ask_no_more(workflow, ana, django_assert_num_queries, many):
    tickets = [make_ticket(ana, text="needle") for _ticket in range(many)]
    for ticket in tickets:
        for at in range(many):
            actions.comment(ticket, actor=ana, message=message(f"{at}", files=(new_file("a.csv"),)))
    with django_assert_num_queries(2):
        assert len(passages(tickets, read("needle"), for_staff=True)) == many
    with django_assert_num_queries(0):
        assert passages(tickets, read("-needle"), for_staff=True) == {}
