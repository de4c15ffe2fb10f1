from __future__ import annotations

import pytest

from tickets.writing.placeholders import fill, unknown

VALUES = {"priority": "High {name}", "name": "Ana {{ 7*7 }} <b>"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("", ""),
        ("It is {priority}.", "It is High {name}."),
        ("{name}: {priority}, {priority}", "Ana {{ 7*7 }} <b>: High {name}, High {name}"),
        (
            "{secret} {0} {} { priority } {PRIORITY} {priority.name} {priority!r}",
            "{secret} {0} {} { priority } {PRIORITY} {priority.name} {priority!r}",
        ),
        ("{{ ticket.group }} {% load x %} ${name} %(name)s", "{{ ticket.group }} {% load x %} $Ana {{ 7*7 }} <b> %(name)s"),
        ("{{name}}", "{Ana {{ 7*7 }} <b>}"),
    ],
)
def test_known_placeholders_alone_are_filled(text, filled):
    assert fill(text, VALUES) == filled


def test_unknown_placeholders_are_named_once():
    assert unknown("{name} {foo} {foo} {bar}", VALUES) == ["{foo}", "{bar}"]
