from __future__ import annotations

import pytest

from tickets.writing.courtesy import is_mere_thanks


@pytest.mark.parametrize(
    "text",
    [
        "Thank you!",
        "thanks",
        "Hi Dan,\n\nthank you so much, it works now!\n\nBest regards\nNora Naumann",
        "Vielen Dank für die schnelle Hilfe!",
        "Merci beaucoup pour votre aide.",
        "¡Muchas gracias!",
        "Perfect, thanks 👍",
    ],
)
def test_bare_thanks_is_recognised(text):
    assert is_mere_thanks(text, author="Nora Naumann")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "👍",
        "It works.",
        "Thanks, but it is still broken",
        "Thank you. When will it be released?",
        "Thanks. Is this all",
        "Thank you! One more thing: the export fails",
        "Danke, geht leider nicht",
        "thanks " * 30,
    ],
)
def test_what_may_say_more_is_read_by_a_person(text):
    assert not is_mere_thanks(text, author="Nora Naumann")
