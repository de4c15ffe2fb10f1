"""Reads the form that a mail provider posts, byte for byte. Django's own reader allows a field the 2 MB of a form of ours, and replaces
bytes that are not UTF-8, which would change a mail that is one of the fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from django.utils.http import parse_header_parameters

_MAX_PARTS = 1_000
_MAX_HEAD = 8_192  # bytes: Django takes quadratic time over what the sender of the mail calls a file


class BrokenForm(ValueError):
    """It has no end, so that the rest of a mail may be missing, or more parts than any mail."""


@dataclass(frozen=True)
class Field:
    name: str
    content: bytes
    filename: str | None = None  # None for a plain field
    content_type: str = ""


def read_form(body: bytes, *, boundary: str) -> list[Field]:
    """`boundary` is empty for an urlencoded form. Raises BrokenForm."""
    return _read_parts(body, boundary) if boundary else _read_pairs(body)


def _read_pairs(body: bytes) -> list[Field]:
    """Latin-1 gives each byte a character, and each character its byte again."""
    try:
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=_MAX_PARTS)
    except ValueError as error:
        raise BrokenForm(str(error)) from error
    return [Field(name, content.encode("latin-1")) for name, content in pairs]


def _read_parts(body: bytes, boundary: str) -> list[Field]:
    delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
    _preamble, *parts = (b"\r\n" + body).split(delimiter, _MAX_PARTS + 1)
    if not parts or not parts[-1].startswith(b"--"):
        raise BrokenForm("the form has no end")
    return [_read_part(part) for part in parts[:-1]]


def _read_part(part: bytes) -> Field:
    """RFC 7578. A name of a file is what the sender of the mail wrote, so it may be anything."""
    head, _, content = part.partition(b"\r\n\r\n")
    headers = {}
    for line in head[:_MAX_HEAD].decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    try:
        _kind, options = parse_header_parameters(headers.get("content-disposition", ""))
    except ValueError as error:
        raise BrokenForm(str(error)) from error
    return Field(options.get("name", ""), content, options.get("filename"), headers.get("content-type", ""))
