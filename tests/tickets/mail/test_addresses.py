"""Who sent it: one address, or none where anybody could read another."""

from __future__ import annotations

import pytest

from tickets.mail.addresses import Address, parse_addresses, sender


@pytest.mark.parametrize(
    ("header", "address", "name"),
    [
        ("ana@orga.example", "ana@orga.example", ""),
        ("Ana <ana@orga.example>", "ana@orga.example", "Ana"),
        ("<ana@orga.example>", "ana@orga.example", ""),
        ("ana@orga.example (Ana)", "ana@orga.example", "Ana"),
        ('"Last, First" <ana@orga.example>', "ana@orga.example", "Last, First"),
        ("Last, First <ana@orga.example>", "ana@orga.example", "Last, First"),
        ("=?utf-8?q?Garc=C3=ADa=2C_Ana?= <ana@orga.example>", "ana@orga.example", "García, Ana"),
        ('"a@orga.com" <x@evil.example>', "x@evil.example", "a@orga.com"),
        ("=?utf-8?q?a=40orga=2Ecom=2C?= <x@evil.example>", "x@evil.example", "a@orga.com,"),
        ("postmaster@orga.example (postmaster@orga.example)", "postmaster@orga.example", "postmaster@orga.example"),
    ],
)
def test_sender_when_there_is_one_reading_then_is_that(header: str, address: str, name: str) -> None:
    assert sender((header,)) == Address(address, name)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Ana",
        "<>",
        f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}.example",  # longer than any mail server takes
        "a@orga.com, b@evil.example",
        "a@orga.com(<x@evil.example>)",
        "a@orga.com (x@evil.example)",
        "<a@orga.com>x@evil.example",
        "<a@orga.com> <x@evil.example>",
        "a@orga.com:x@evil.example",
        "a@orga.com@evil.example",
        "<a@orga.com",
        '"a@orga.com <x@evil.example>',
        "=?utf-8?q?a=40orga=2Ecom?=",
        "=?utf-8?q?a?=@orga.com",
        "a@orga.com.",
        "a b@orga.com",
        "a@orga.com\x00.evil.example",
        "a@or\u202ega.com",
        "a@orga..com",
        "(" * 5_000,
        "<" * 5_000,
        '"\\' * 5_000,
    ],
)
def test_sender_when_there_is_doubt_then_is_nobody(header: str) -> None:
    assert sender((header,)).address == ""


def test_sender_when_header_comes_twice_then_is_nobody() -> None:
    assert sender(("a@orga.com", "x@evil.example")).address == ""


def test_sender_when_header_is_repeated_unchanged_then_is_that() -> None:
    assert sender(("a@orga.com", "Ana <a@orga.com>")).address == "a@orga.com"


def test_addresses_when_in_a_group_then_are_its_members() -> None:
    assert parse_addresses("Team: a@x.example, b@x.example;") == [Address("a@x.example"), Address("b@x.example")]


def test_addresses_when_undisclosed_then_are_none() -> None:
    assert parse_addresses("Undisclosed-Recipients:;") == []
