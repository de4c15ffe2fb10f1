"""Tolerant reading of header blocks: fields, encoded words, parameters.

Reads what arrives, not what the RFCs allow, in linear time. `email.policy.default` raises on hostile headers
and takes quadratic time over them, so nothing here uses it. Must not decide what a header means.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from tickets.mail.charsets import clean_line, decode

MAX_PARAMETERS = 200
MAX_PARAMETER = 65_536

_FIELD = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")
_FOLD = re.compile(r"\r?\n[ \t]*|\r")
_WORD = re.compile(r"=\?([^?\s=]{1,60})\?([bBqQ])\?")
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,900})>")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_CONTINUED = re.compile(r"([^*]{1,100})\*(\d{1,3})\*?")


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in their order; values are unfolded and decoded text, their encoded words as they came."""

    items: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.items if key == name)

    def first(self, name: str) -> str:
        return next((value for key, value in self.items if key == name), "")

    def text(self, name: str) -> str:
        return clean_line(decode_words(self.first(name)))


@dataclass(frozen=True, slots=True)
class Value:
    """A structured header: `text/plain; charset=utf-8` is a word and its parameters."""

    word: str
    parameters: dict[str, str]


def read_fields(raw: bytes, *, start: int, end: int) -> tuple[list[bytes], int]:
    """The fields of the header block in raw[start:end], and where the body begins."""
    fields: list[bytes] = []
    position = start
    while position < end:
        stop = raw.find(b"\n", position, end) + 1 or end
        line = raw[position:stop]
        if not line.strip(b"\r\n"):
            return fields, stop
        if line[:1] in b" \t" or _FIELD.match(line) or (position == start and line.startswith((b"From ", b">From "))):
            fields.append(line)
        else:  # the separating blank line is missing: this is the body already
            return fields, position
        position = stop
    return fields, end


def make_headers(fields: list[bytes], *, charset: str = "") -> Headers:
    """`charset` is what raw 8-bit characters are if they are no UTF-8: programs that send them raw use that of the body."""
    items: list[tuple[str, list[bytes]]] = []
    for line in fields:
        if line[:1] in b" \t":
            if items:
                items[-1][1].append(line)
            continue
        name, colon, value = line.partition(b":")
        name = name.strip()
        if colon and b" " not in name:
            items.append((name.decode("ascii", "replace").lower(), [value]))
    return Headers(tuple((name, _unfolded(b"".join(value), charset)) for name, value in items))


def _unfolded(value: bytes, charset: str) -> str:
    try:
        text = value.decode("utf-8").strip()
    except UnicodeDecodeError:
        text = decode(value, charset).strip()
    return _FOLD.sub(" ", text) if "\n" in text or "\r" in text else text


def decode_words(value: str) -> str:
    """`value` with its encoded words decoded, wherever they stand (RFC 2047 says where, senders do not care)."""
    if "=?" not in value:
        return value
    return "".join(decode(bytes(data), charset) if charset else data.decode("utf-8") for charset, data in _runs(value))


def parse_value(value: str) -> Value:
    """The word and the parameters of a structured header, RFC 2231 and its misuse included."""
    word, *pieces = list(_split(value))[: MAX_PARAMETERS + 1] or [""]
    found: dict[str, list[tuple[int, str, bool]]] = {}
    for piece in pieces:
        key, equals, text = piece.partition("=")
        if equals:
            name, order = _parameter_name(key.strip().lower())
            found.setdefault(name, []).append((order, _unquote(text.strip()), key.rstrip().endswith("*")))
    return Value(word.strip().lower(), {name: _join(parts) for name, parts in found.items()})


def message_ids(value: str) -> tuple[str, ...]:
    """Message ids in `value`, without their angle brackets."""
    found = tuple(clean_line(text) for text in _MESSAGE_ID.findall(value))
    return found or tuple(clean_line(word.strip("<>,")) for word in value.split()[:50] if "@" in word)


def decode_base64(data: bytes) -> bytes:
    """What can be read of `data`: line noise, missing and misplaced padding do not matter."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        letters = _NOT_BASE64.sub(b"", data)
        return binascii.a2b_base64(letters[: len(letters) - (len(letters) % 4 == 1)] + b"==")


def _runs(value: str) -> Iterator[tuple[str, bytes]]:
    """(charset, bytes) of encoded runs and ('', utf-8) of plain ones; neighbours of one charset are one run,
    because many senders cut a character in two between words."""
    charset, data, position = "", bytearray(), 0
    for start, label, word, end in _words(value):
        gap = value[position:start]
        if gap.strip() or not charset:
            yield charset, bytes(data)
            yield "", gap.encode("utf-8", "replace")
            charset, data = label, bytearray()
        elif label != charset:
            yield charset, bytes(data)
            charset, data = label, bytearray()
        data += word
        position = end
    yield charset, bytes(data)
    yield "", value[position:].encode("utf-8", "replace")


def _words(value: str) -> Iterator[tuple[int, str, bytes, int]]:
    """(start, charset, bytes, end) of each encoded word."""
    match = _WORD.search(value)
    while match and (end := value.find("?=", match.end())) >= 0:
        label = match[1].partition("*")[0].lower()
        yield match.start(), label, _word_bytes(match[2], value[match.end() : end]), end + 2
        match = _WORD.search(value, end + 2)


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return decode_base64(data) if encoding in "bB" else binascii.a2b_qp(data, header=True)


def _split(value: str) -> Iterator[str]:
    """The pieces of `value` between semicolons that stand outside quotes."""
    start, quoted, escaped = 0, False, False
    for index, char in enumerate(value):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = quoted
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            yield value[start:index]
            start = index + 1
    yield value[start:]


def _unquote(text: str) -> str:
    if not text.startswith('"'):
        return text
    return text[1:].removesuffix('"').replace('\\"', '"').replace("\\\\", "\\")


def _parameter_name(key: str) -> tuple[str, int]:
    """`filename*1*` is the second piece of `filename`; -1 marks a plain one, which gives way to extended ones."""
    if match := _CONTINUED.fullmatch(key):
        return match[1], int(match[2])
    return (key[:-1], 0) if key.endswith("*") else (key, -1)


def _join(parts: list[tuple[int, str, bool]]) -> str:
    pieces = [(text, is_encoded) for order, text, is_encoded in sorted(parts) if order >= 0]
    if not pieces:
        return clean_line(decode_words(parts[0][1]), limit=MAX_PARAMETER)
    charset, first = _charset_of(pieces[0][0])
    # Only pieces that say so are percent-encoded; a value that names its charset and says it nowhere is so as a whole.
    is_loose = bool(charset) and not any(is_encoded for _text, is_encoded in pieces)
    data = b"".join(
        unquote_to_bytes(text) if is_encoded or is_loose else text.encode("utf-8", "replace")
        for text, is_encoded in [(first, pieces[0][1]), *pieces[1:]]
    )
    return clean_line(decode_words(decode(data, charset)), limit=MAX_PARAMETER)


def _charset_of(text: str) -> tuple[str, str]:
    """Charset and value of `utf-8'en'value`; many senders leave the first two out."""
    charset, first, rest = text.partition("'")
    language, second, value = rest.partition("'")
    if first and second and len(charset) <= 40 and len(language) <= 40:
        return charset, value
    return "", text
