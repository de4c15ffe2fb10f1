"""Files out of winmail.dat (TNEF), the wrapping of Outlook and Exchange.

Reads the attachments and nothing else, in one pass over bytes that a stranger made: `tnefparse` takes its loop
counts from the file (four billion turns for six bytes) and copies the rest of the file for each object.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from tickets.mail.charsets import clean_line, decode

MAX_FILES = 500
MAX_ITEMS = 10_000

_SIGNATURE = 0x223E9F78
_CODEPAGE, _NEW_ATTACHMENT, _TITLE, _DATA, _PROPERTIES = 0x9007, 0x9002, 0x8010, 0x800F, 0x9005
_DATA_OBJECT, _SHORT_NAME, _LONG_NAME, _CONTENT_ID = 0x3701, 0x3704, 0x3707, 0x3712
_STRING, _UNICODE, _OBJECT, _BINARY, _MANY = 0x1E, 0x1F, 0x0D, 0x102, 0x1000
_FIXED = {0x00: 0, 0x01: 0, 0x02: 4, 0x03: 4, 0x04: 4, 0x0A: 4, 0x0B: 4}
_FIXED |= {0x05: 8, 0x06: 8, 0x07: 8, 0x14: 8, 0x40: 8, 0x48: 16}


@dataclass(slots=True)
class TnefFile:
    name: str = ""
    content: bytes = b""
    content_id: str = ""


def tnef_files(data: bytes) -> list[TnefFile]:
    """The files inside; none where `data` is no TNEF or holds none. What can be read before damage is read."""
    files: list[TnefFile] = []
    codepage = "cp1252"
    for name, value in islice(_objects(data), MAX_ITEMS):
        if name == _CODEPAGE:
            codepage = f"cp{int.from_bytes(value[:4], 'little')}"
        elif name == _NEW_ATTACHMENT:
            files.append(TnefFile())
        elif files:
            _fill(files[-1], name, value, codepage)
        if len(files) > MAX_FILES:
            break
    return [file for file in files[:MAX_FILES] if file.content]


def _objects(data: bytes) -> Iterator[tuple[int, bytes]]:
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return
    at = 6
    while at + 9 <= len(data):
        _, name, _, length = struct.unpack_from("<BHHI", data, at)
        yield name, data[at + 9 : at + 9 + length]
        at += 9 + length + 2  # a checksum follows


def _fill(file: TnefFile, name: int, value: bytes, codepage: str) -> None:
    if name == _TITLE:
        file.name = file.name or _text(value, codepage)
    elif name == _DATA:
        file.content = value
    elif name == _PROPERTIES:
        for key, data, is_unicode in islice(_properties(value), MAX_ITEMS):
            _fill_property(file, key, data, "utf-16-le" if is_unicode else codepage)


def _fill_property(file: TnefFile, key: int, data: bytes, charset: str) -> None:
    if key == _LONG_NAME:
        file.name = _text(data, charset) or file.name
    elif key == _SHORT_NAME:
        file.name = file.name or _text(data, charset)
    elif key == _CONTENT_ID:
        file.content_id = _text(data, charset).strip("<>")
    elif key == _DATA_OBJECT and not file.content:
        file.content = data[16:]  # behind the class id of the object


def _properties(data: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """(property, first value, is it UTF-16) of a MAPI property list, up to its first damage."""
    at = 4
    try:
        while at + 4 <= len(data):
            kind, key = struct.unpack_from("<HH", data, at)
            at = _skip_name(data, at + 4) if key >= 0x8000 else at + 4
            value, at = _value(data, at, kind)
            yield key, value, kind == _UNICODE
    except struct.error:
        return


def _skip_name(data: bytes, at: int) -> int:
    """Behind the name of a named property: a GUID and a number or a string."""
    if struct.unpack_from("<I", data, at + 16)[0] == 0:
        return at + 24
    return at + 24 + _padded(struct.unpack_from("<I", data, at + 20)[0])


def _value(data: bytes, at: int, kind: int) -> tuple[bytes, int]:
    base = kind & ~_MANY
    count = 1
    if kind & _MANY or base in {_STRING, _UNICODE, _OBJECT, _BINARY}:
        count = struct.unpack_from("<I", data, at)[0]
        at += 4
    if base in _FIXED:
        return data[at : at + _FIXED[base]], at + _FIXED[base] * count
    first = b""
    if count > MAX_ITEMS:
        raise struct.error("too many values")
    for turn in range(count):
        length = struct.unpack_from("<I", data, at)[0]
        first = data[at + 4 : at + 4 + length] if turn == 0 else first
        at += 4 + _padded(length)
    return first, at


def _padded(length: int) -> int:
    return (length + 3) & ~3


def _text(value: bytes, charset: str) -> str:
    return clean_line(decode(value, charset).partition("\x00")[0], limit=500)
