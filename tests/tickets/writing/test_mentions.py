from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.writing.mentions import Mention, Nameable, mentions, ways_to_name

PEOPLE = [
    Nameable(1, "Ana Maria Ford", "ana.ford"),
    Nameable(2, "Ben Ode", "ben"),
    Nameable(3, "Ben Adler", "adler"),
    Nameable(4, "José Núñez", "jose"),
    Nameable(5, "Ümit Öz", "umit"),
    Nameable(6, "田中 太郎", "tanaka"),
    Nameable(7, "Sinéad O'Brien", "sinead"),
    Nameable(8, "Straße Strauss", "strasse"),
    Nameable(9, "Ana-Lena Roy", "roy"),
    Nameable(10, "Twin Two", "twin"),
    Nameable(11, "Twin Two", "twin"),
    Nameable(12, "कि राम", "kiram"),
]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@Ana Maria Ford, can you look?", {"@Ana Maria Ford": 1}),
        ("@ana maria ford", {"@ana maria ford": 1}),
        ("@Ana Maria can you", {"@Ana Maria": 1}),
        ("@Ana can you", {"@Ana": 1}),
        ("@ana.ford.", {"@ana.ford": 1}),
        ("@ana.ford's idea", {"@ana.ford": 1}),
        ("(cc:@Ben Ode)", {"@Ben Ode": 2}),
        ("@Ben Ode and @Ben Adler", {"@Ben Ode": 2, "@Ben Adler": 3}),
        ("@Ben\nOde", {"@Ben\nOde": 2}),
        ("@Ben \u00a0 Ode", {"@Ben \u00a0 Ode": 2}),
        ("@BEN ADLER!", {"@BEN ADLER": 3}),
        ("@adler/@roy", {"@adler": 3}),
        ("@Jose\u0301 Núñez", {"@Jose\u0301 Núñez": 4}),
        ("@jose", {"@jose": 4}),
        ("@JOSÉ", {"@JOSÉ": 4}),
        ("@ümit öz", {"@ümit öz": 5}),
        ("@田中 太郎、", {"@田中 太郎": 6}),
        ("@Sinéad O’Brien", {"@Sinéad O’Brien": 7}),
        ("@STRASSE", {"@STRASSE": 8}),
        ("@ana-lena", {"@ana-lena": 9}),
        ("@twin~11 look", {"@twin~11": 11}),
        ("@कि राम", {"@कि राम": 12}),
        ("\n@adler\n", {"@adler": 3}),
        ("“@adler”", {"@adler": 3}),
        ("`x` @adler `y`", {"@adler": 3}),
        ("```\n@roy\n```\n@adler", {"@adler": 3}),
        ("> @roy\n@adler", {"@adler": 3}),
    ],
)
def test_text_that_names(text, named):
    assert {one.words: one.id for one in mentions(text, PEOPLE)} == named


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "@ ben",
        "@@adler",
        "Ana",
        "@Ben",  # both, and the handle of one
        "@Twin Two",
        "@twin",
        "@twin~1",
        "@nobody",
        "@anaford",
        "@ana.fordham",
        "@ana.ford@acme.example",
        "@adler.com",
        "@adler-hausen",
        "@कु",
        "write to x@adler or adler@acme.example",
        "a.@adler",
        "https://medium.com/@adler and ?by=@adler",
        "`@adler`",
        "`see @adler there`",
        "```\n@adler",
        "> @adler wrote",
        "  >> @adler",
        "<span data-id='3'>3</span> @3",
    ],
)
def test_text_that_names_nobody(text):
    assert mentions(text, PEOPLE) == []


def test_person_named_twice_is_there_twice_in_order():
    assert mentions("@roy, @adler, @Ana-Lena", PEOPLE) == [Mention(9, "@roy"), Mention(3, "@adler"), Mention(9, "@Ana-Lena")]


def test_ways_to_name_are_names_where_those_are_enough():
    assert ways_to_name(PEOPLE) == {
        1: ["Ana Maria Ford", "Ana", "Ana Maria"],
        2: ["Ben Ode"],
        3: ["Ben Adler"],
        4: ["José Núñez", "José"],
        5: ["Ümit Öz", "Ümit"],
        6: ["田中 太郎", "田中"],
        7: ["Sinéad O'Brien", "Sinéad"],
        8: ["Straße Strauss", "Straße"],
        9: ["Ana-Lena Roy", "Ana-Lena"],
        10: ["twin~10"],
        11: ["twin~11"],
        12: ["कि राम", "कि"],
    }


@pytest.mark.parametrize("name", ["@", "@Ben", "`x`", "", "  ", "x" * 150, "~", "\u0301", "a\u200bb"])
def test_odd_name_is_still_a_person_who_can_be_named(name):
    odd = Nameable(20, name, "odd")
    way = ways_to_name([*PEOPLE, odd])[20][0]
    assert [one.id for one in mentions(f"see @{way}, please", [*PEOPLE, odd])] == [20]


_names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
_handles = st.from_regex(r"[a-z0-9]{1,8}([.+-][a-z0-9]{1,8})?", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_names, _handles), min_size=1, max_size=6))
def test_everybody_can_be_named_whatever_they_are_called(people):
    everybody = [Nameable(number, name, handle) for number, (name, handle) in enumerate(people)]
    ways = ways_to_name(everybody)
    found = {number: {tuple(one.id for one in mentions(f"Hi @{way}, look", everybody)) for way in ways[number]} for number in ways}
    assert found == {number: {(number,)} for number in range(len(people))}


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("@@@ anbe`>\n.~\u0301"), max_size=60))
def test_what_is_found_stands_in_the_text(text):
    people = [Nameable(1, "Ana Ben", "a.b"), Nameable(2, "Ben", "nab")]
    assert all(one.words in text and one.words.startswith("@") for one in mentions(text, people))


@pytest.mark.parametrize(
    "text",
    [
        "@" * 100_000,
        "@a" * 50_000,
        "@ana " * 20_000,
        "`" * 100_000,
        "```@" * 25_000,
        "> @\n" * 25_000,
        "`@\n" * 33_000,
        "@" + "ana " * 25_000,
    ],
)
def test_hostile_text_costs_little(text):
    people = [Nameable(number, f"Ana {number}", f"ana{number}") for number in range(200)]
    before = process_time()
    mentions(text, people)
    assert process_time() - before < 2
