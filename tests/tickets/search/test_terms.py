from __future__ import annotations

import pytest

from tickets.search import terms


def shared(one: str, other: str) -> int:
    """Terms that a question has in common with a text."""
    return len(terms.asked(one, "").keys() & terms.impacts("", other).keys())


@pytest.mark.parametrize(
    ("asked", "text", "common"),
    [
        ("printing reports", "The report will not print", 2),
        ("The PRINTER Report!", "the printers, report", 2),
        ("Rechnung drucken", "Die Rechnungen werden nicht gedruckt, wir drucken sie noch", 2),
        ("Bücher", "Das Buch der Bücher", 1),
        ("the and of is not", "the and of is not", 0),
        ("der die das und nicht", "der die das und nicht", 0),
        ("error E1042", "E1042 in the log", 1),
        ("x" * 41, "x" * 41, 0),
        ("nai\u0308ve", "na\u00efve", 1),
        ("a_b \0 \ud800 …", "", 0),
    ],
)
def test_terms_when_words_are_alike_then_they_are_the_same(asked, text, common):
    assert shared(asked, text) == common


def test_terms_when_counted_then_never_the_one_that_every_text_has():
    assert terms.EVERY not in terms.impacts("a subject", "and words " * 100)


def test_impacts_when_said_more_often_or_in_the_subject_then_higher():
    def impact(subject: str, text: str) -> int:
        return terms.impacts(subject, text)[next(iter(terms.asked("the player", "")))]

    once, often, headed = impact("", "the player is blank"), impact("", "the player player blank"), impact("player", "is blank")
    assert once < often < headed < 220


def test_impacts_when_text_is_long_then_lower():
    assert terms.impacts("", "the player")[next(iter(terms.asked("the player", "")))] > min(
        terms.impacts("", "player " + "other words here " * 50).values()
    )


def test_asked_when_text_has_a_million_characters_then_the_first_count():
    assert len(terms.asked("", "".join(f"word{n} " for n in range(200_000)))) < terms.MAX_LENGTH / 5


@pytest.mark.parametrize(
    ("subject", "text", "enough"), [("player blank", "", False), ("player", "is blank today", True), ("player", "player player", False)]
)
def test_says_enough_when_three_words_count_then_it_does(subject, text, enough):
    assert terms.says_enough(subject, text) is enough
