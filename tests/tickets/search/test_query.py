"""The language of the queue's one line: what it reads, what it says of what it can't read, and that it writes what it reads."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.search.query import FIELDS, Condition, Query, QueryError, Value, Word, bounds, parse, unfinished

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 29, 12, 0, tzinfo=BERLIN)  # of a day of 23 hours


def one(field: str, *values: str, **fields) -> Condition:
    return Condition(field, tuple(Value(value.strip('"'), is_quoted=value.startswith('"')) for value in values), **fields)


READ = {
    "": [],
    "  \t ": [],
    "player": [Word("player")],
    "player is blank": [Word("player"), Word("is"), Word("blank")],
    '"exact words" -word -"two words"': [Word("exact words", is_phrase=True), Word("word", is_not=True), Word("two words", True, True)],
    'say ""': [Word("say")],
    '"a ""b"" c"': [Word('a "b" c', is_phrase=True)],
    "status:open": [one("status", "open")],
    "-status:open,closed": [one("status", "open", "closed", is_not=True)],
    'group:"Customer Support",DevOps x': [one("group", '"Customer Support"', "DevOps"), Word("x")],
    "STATUS:Open": [one("status", "Open")],
    "organization:acme from:ana": [one("org", "acme"), one("requester", "ana")],
    "priority:>=high": [one("priority", "high", operator=">=")],
    "created:>2026-01-01 updated:<2d": [one("created", "2026-01-01", operator=">"), one("updated", "2d", operator="<")],
    "resolved:none type:none": [one("resolved", "none"), one("type", "none")],
    "number:>#1000": [one("number", "#1000", operator=">")],
    "is:waiting,failed": [one("is", "waiting", "failed")],
    "status:open,": [one("status", "open")],
    # Words with a colon or a dash are words.
    "Re: http://x.example/a?b=c:d 12:30 - a-b C::D --": [
        *map(Word, ["Re:", "http://x.example/a?b=c:d", "12:30", "-", "a-b", "C::D"]),
        Word("-", is_not=True),
    ],
    '15" screen': [Word('15"'), Word("screen")],
    "#1042": [Word("#1042")],
    "pla\0yer": [Word("pla"), Word("yer")],
}


@pytest.mark.parametrize("text", READ)
def test_text_when_read_then_says_these_conditions(text):
    assert list(parse(text).terms) == READ[text]


# text: what is wrong, where, and what to type instead
FAULTS = {
    "(priority:high": ("Brackets group nothing here", "(priority:high", "priority:high"),
    "statsu:open": ("There is no field “statsu”. Did you mean “status”?", "statsu:open", "status:open"),
    "-asignee:me x": ("Did you mean “assignee”?", "asignee:me", "assignee:me"),
    "error:0x8000": ("There is no field “error”. To look for the words, put them in quotes", "error:0x8000", '"error:0x8000"'),
    'say "never ends': ("A quotation mark is missing", '"never ends', '"never ends"'),
    'group:"never ends': ("A quotation mark is missing", '"never ends', '"never ends"'),
    "status:": ("“status:” needs a value right behind it", "status:", "status:open"),
    "x type: bug y": ("“type:” needs a value right behind it", "type: bug", "type:bug"),
    'status:"" x': ("needs a value", 'status:"" x', "status:x"),
    "status:>open": ("“status” can't be compared", "status:>open", "status:open"),
    "priority:>high,low": ("With “>” there is one value", "priority:>high,low", "priority:high,low"),
    "created:>yesturday": ("“yesturday” is no date. Write 2026-01-31", "created:>yesturday", "created:>yesterday"),
    "created:2026-02-30": ("“2026-02-30” is no date", "created:2026-02-30", ""),
    "created:2026-13": ("“2026-13” is no date", "created:2026-13", ""),
    "created:none": ("“none” is no date", "created:none", ""),
    "is:waitng": ("“waitng” is nothing that “is:” knows. It knows waiting, unread,", "is:waitng", "is:waiting"),
    "channel:fax": ("It knows portal, email, desk", "channel:fax", ""),
    "number:x": ("“x” is no ticket's number", "number:x", ""),
    "number:" + "9" * 30: ("is no ticket's number", "number:" + "9" * 30, ""),
    "x" * 501: ("at most 500 characters", "x", ""),
    "x " * 100: ("40 are the most", "x", ""),
    "type:" + "a," * 60: ("50 are the most", "type:" + "a," * 60, ""),
}


@pytest.mark.parametrize("text", FAULTS)
def test_text_when_it_can_not_be_read_then_says_what_where_and_what_instead(text):
    words, where, instead = FAULTS[text]
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (words in str(caught.value), text[caught.value.start : caught.value.end], caught.value.instead) == (True, where, instead)
    if instead:
        repaired = text[: caught.value.start] + instead + text[caught.value.end :]
        assert str(parse(repaired))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


BOUNDS = {
    "created:2026-03-29": ("2026-03-29", "2026-03-30"),
    "created:today": ("2026-03-29", "2026-03-30"),
    "created:>yesterday": ("2026-03-29", None),
    "created:>=2026-02": ("2026-02-01", None),
    "created:>2026-02": ("2026-03-01", None),
    "created:<=2026-12": (None, "2027-01-01"),
    "created:<2026": (None, "2026-01-01"),
    "created:2026": ("2026-01-01", "2027-01-01"),
    "updated:<2h": ("2026-03-29T10:00", None),
    "updated:90min": ("2026-03-29T10:30", None),
    "due:<4h": (None, "2026-03-29T16:00"),
    "due:>1d": ("2026-03-30T12:00", None),
    "due:tomorrow": ("2026-03-30", "2026-03-31"),
    "updated:>=1W": (None, "2026-03-22T11:00"),  # 168 hours: one of them was skipped
    "created:<10h": ("2026-03-29T01:00", None),
}


@pytest.mark.parametrize("text", BOUNDS)
def test_time_when_bounded_then_is_half_open_in_the_zone(text):
    (condition,) = parse(text).conditions
    assert bounds(condition, condition.values[0], NOW) == tuple(local(one) if one else None for one in BOUNDS[text])


def test_time_left_when_the_clocks_are_put_back_meanwhile_then_is_one_of_real_hours():
    (condition,) = parse("due:<4h").conditions
    night = datetime(2026, 10, 25, 0, 30, tzinfo=BERLIN)  # two and a half hours before three becomes two
    assert bounds(condition, condition.values[0], night) == (None, datetime(2026, 10, 25, 2, 30, tzinfo=UTC))


UNFINISHED = {
    "|": ("", ""),
    "sta|": ("sta", ""),
    "x -sta|tus": ("sta", ""),
    "status:|": ("", "status"),
    "status:op|": ("op", "status"),
    "status:open,cl|osed x": ("cl", "status"),
    'group:"Customer S|': ("Customer S", "group"),
    'group:"Customer Support",De|': ("De", "group"),
    "priority:>=h|": ("h", "priority"),
    "status:open |": ("", ""),
    "http://x|": ("http://x", ""),
}


@pytest.mark.parametrize("text", UNFINISHED)
def test_unfinished_when_asked_then_is_what_stands_before_the_cursor(text):
    found = unfinished(text.replace("|", ""), text.index("|"))
    assert (found.text, found.field) == UNFINISHED[text]


PIECES = st.lists(
    st.sampled_from(
        [*(f"{name}:" for name in FIELDS), "-", '"', '""', ",", ":", ">", "<=", " ", "open", "4h", "2026-01-01", "none", "Ä", "\0", "ß#"]
    ),
    max_size=14,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(PIECES, st.text(max_size=60)), at=st.integers(-5, 80))
def test_any_text_is_read_and_written_back_as_the_same_or_refused_kindly(text, at):
    unfinished(text, at)
    refused = None
    try:
        query = parse(text)
    except QueryError as error:
        refused = error
    if refused:
        assert 0 <= refused.start <= refused.end <= len(text)
        assert str(refused)
        return
    assert parse(str(query)) == query
    for condition in query.of("created") + query.of("updated") + query.of("due"):
        for value in condition.values:
            value.says("none") or bounds(condition, value, NOW)


def test_having_when_a_field_is_set_then_stands_in_the_place_of_what_was_said_of_it():
    query = parse("status:open type:bug status:closed blank")
    new = one("status", "waiting")
    said = [str(query.having("status", new)), str(query.having("type")), str(query.having("group", one("group", "none")))]
    assert said == [
        "status:waiting type:bug blank",
        "status:open status:closed blank",
        "status:open type:bug status:closed group:none blank",
    ]
    assert str(Query().having("status", new)) == "status:waiting"
