"""Reads what a mail server noted about a mail's origin: Authentication-Results (RFC 8601), and what is like it in ARC (RFC 8617).

Tolerant of what servers write, not of what would make two readers see two things; linear time. Must not decide whether a field is to be believed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_FIELD = 16_384
MAX_RESULTS = 100

_PIECE = re.compile(r'\\.|[^"();\\]+|.', re.DOTALL)
_METHOD = re.compile(r"\s*([A-Za-z][\w-]{0,40})(?:\s*/\s*\d{1,9})?\s*=\s*([A-Za-z]{1,40})(?![\w-])")
_PROPERTY = re.compile(r'\b(\w{1,40}\s*\.\s*[\w-]{1,60})\s*=\s*(?:"([^"]*)"|([^\s";]+))')
_REASON = re.compile(r'\breason\s*=\s*"[^"]*"', re.IGNORECASE)
_POLICY = re.compile(r"\b(?:p|policy|policy\.dmarc|policy\.published-domain-policy)\s*=\s*\"?(\w{1,20})", re.IGNORECASE)
_DEED = re.compile(r"\b(?:dis|action)\s*=\s*\"?(\w{1,20})", re.IGNORECASE)
_INSTANCE = re.compile(r"\s*i\s*=\s*\d{1,3}\s*;")


@dataclass(frozen=True, slots=True)
class Result:
    """One method's result; all in lower case."""

    method: str
    result: str
    properties: dict[str, str]  # "header.from" → "acme.example"
    policy: str = ""  # the policy that a DMARC result names, in whichever way this server names it
    deed: str = ""  # what the server did about it


@dataclass(slots=True)
class _Piece:
    text: str = ""
    comments: str = " "


@dataclass(frozen=True, slots=True)
class Results:
    authserv_id: str  # '' where the server names none, as Microsoft 365
    results: tuple[Result, ...]

    def of(self, method: str) -> list[Result]:
        return [result for result in self.results if result.method == method]


def read_results(value: str) -> Results | None:
    """None for a field that can't be read, or is no such field."""
    pieces = _split(value) if len(value) <= MAX_FIELD else None
    if not pieces:
        return None
    first = pieces[0][0].split()
    if "=" in pieces[0][0]:
        return Results("", _results(pieces))
    if not first or first[1:] not in ([], ["1"]):  # of another version it may mean anything
        return None
    return Results(first[0].strip('"').lower(), _results(pieces[1:]))


def read_arc_results(value: str) -> Results | None:
    """Of an ARC-Authentication-Results field, whose instance comes first."""
    instance = _INSTANCE.match(value)
    return read_results(value[instance.end() :]) if instance else None


def _split(value: str) -> list[tuple[str, str]] | None:
    """(text, comments) of each piece between semicolons; None where a quotation or a comment never ends."""
    pieces = [_Piece()]
    depth, quoted = 0, False
    for match in _PIECE.finditer(value):
        word = match[0]
        if depth:
            depth += (word == "(") - (word == ")")
            pieces[-1].comments += word
        elif word == '"':
            quoted = not quoted
            pieces[-1].text += word
        elif word == "(" and not quoted:
            depth = 1
        elif word == ";" and not quoted:
            pieces.append(_Piece())
        else:
            pieces[-1].text += word
    return None if depth or quoted else [(piece.text, piece.comments) for piece in pieces]


def _results(pieces: list[tuple[str, str]]) -> tuple[Result, ...]:
    return tuple(result for piece in pieces[:MAX_RESULTS] if (result := _result(*piece)))


def _result(text: str, comment: str) -> Result | None:
    method = _METHOD.match(text)
    if method is None:
        return None
    rest = text[method.end() :]
    found = [
        (re.sub(r"\s", "", name).lower(), (quoted or plain).strip().lower())
        for name, quoted, plain in _PROPERTY.findall(_REASON.sub("", rest))
    ]
    properties: dict[str, str] = {}
    for name, said in found:
        properties.setdefault(name, said)
    notes = f"{comment} {rest}"
    return Result(
        method=method[1].lower(), result=method[2].lower(), properties=properties, policy=_first(_POLICY, notes), deed=_first(_DEED, notes)
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].lower() if found else ""
