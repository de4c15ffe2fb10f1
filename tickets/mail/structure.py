"""The tree of MIME parts, cut out of the raw bytes within fixed limits.

The limits are checked on the bytes while the tree is cut, so depth, number and header bombs are refused before
any of them is decoded. Parts are offsets into one buffer: fifty nested levels cost no fifty copies. Enclosed
messages are leaves, kept byte for byte. Must not decode text or choose what is shown.
"""

from __future__ import annotations

import binascii
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice

from tickets.mail.headers import Headers, Value, decode_base64, make_headers, parse_value, read_fields

MAX_BYTES = 50 * 1024 * 1024
MAX_HEADER_BYTES = 256 * 1024
MAX_ALL_HEADER_BYTES = 2 * 1024 * 1024
MAX_HEADERS = 1_000
MAX_DEPTH = 50
MAX_PARTS = 1_000
MAX_BOUNDARY_CHECKS = 1_000_000
MAX_UU_LINES = 1_000_000

_MULTIPART = re.compile(rb"multipart/", re.IGNORECASE)
_SOME_BOUNDARY = re.compile(rb"\n--([^\s-][^\r\n]{0,200}?|-{1,60}[^\s-][^\r\n]{0,140}?)[ \t]*\r?\n")


_SOME_CHARSET = re.compile(rb"charset\s{0,3}=\s{0,3}[\"']?([A-Za-z0-9._:-]{2,40})", re.IGNORECASE)
# What some gateways leave in front of the header: blank lines, a byte order mark.
_BEFORE_HEADER = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:[ \t]{0,20}\r?\n){0,20}"
    rb"(?=(?:From|Received|Return-Path|Delivered-To|Date|Subject|To|Message-ID|MIME-Version|Content-Type|X-[\w-]{1,60}) ?:)",
    re.IGNORECASE,
)
_Y_PLAIN = bytes((byte - 42) % 256 for byte in range(256))
_Y_ESCAPED = {bytes([byte]): bytes([(byte - 64 - 42) % 256]) for byte in range(256)}
_UU_FRAME = re.compile(rb"begin [0-7]{3,4} |end\\s*$")


class UnreadableMail(ValueError):
    """The message is beyond what may be read; its text is a short reason for people."""


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME part; `children` is empty for everything that is not a readable multipart."""

    headers: Headers
    content_type: str
    parameters: dict[str, str]
    raw: bytes
    start: int
    end: int
    children: tuple[Part, ...] = ()

    @property
    def disposition(self) -> Value:
        return parse_value(self.headers.first("content-disposition"))

    @property
    def content(self) -> bytes:
        """The body with its transfer encoding undone."""
        data = self.raw[self.start : self.end]
        encoding = parse_value(self.headers.first("content-transfer-encoding")).word.strip("\"'")
        if encoding == "base64":
            return decode_base64(data)
        if encoding == "quoted-printable":
            return binascii.a2b_qp(data)
        if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
            return uudecode(data)
        return data


def read_tree(raw: bytes) -> Part:
    """The parts of the message `raw`."""
    if len(raw) > MAX_BYTES:
        raise UnreadableMail("message too large")
    raw = from_header_on(raw)
    return _Reader(raw).part(start=0, end=len(raw), depth=0, default="text/plain")


def from_header_on(raw: bytes) -> bytes:
    """`raw` without what stands before its header. For all who read a header: a sender that one of them does not find goes unchecked."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    before = _BEFORE_HEADER.match(raw)
    return raw[before.end() :] if before and before.end() else raw


def uudecode(data: bytes, *, start: int = 0, end: int | None = None) -> bytes:
    """The file in the uuencoded lines of data[start:end]; a flood of lines stays as it is."""
    end = len(data) if end is None else end
    if data.count(b"\n", start, end) > MAX_UU_LINES:
        return data[start:end]
    # Streams share what they hold: lists and slices of fifty megabytes would cost many times that.
    lines, out = BytesIO(data), BytesIO()
    lines.seek(start)
    for line in lines:
        if not _UU_FRAME.match(line):
            out.write(_uudecode_line(line.rstrip(b"\r\n")))
        start += len(line)
        if start >= end:
            break
    return out.getvalue()


def _uudecode_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:  # broken encoders add to their lines: read as much as the line says it holds
        try:
            return binascii.a2b_uu(line[: (((line[0] - 32) & 63) * 4 + 5) // 3])
        except binascii.Error:
            return b""


def ydecode(data: bytes) -> bytes:
    """The file in yEnc lines; a flood of escapes stays as it is."""
    first, *escaped = data.replace(b"\r", b"").replace(b"\n", b"").split(b"=", MAX_UU_LINES + 1)
    if len(escaped) > MAX_UU_LINES:
        return data
    pieces = (_Y_ESCAPED[piece[:1]] + piece[1:].translate(_Y_PLAIN) for piece in escaped if piece)
    return first.translate(_Y_PLAIN) + b"".join(pieces)


class _Reader:
    """Cuts parts and counts what it has spent."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._parts = 0
        self._header_bytes = 0
        self._checks = 0
        charset = _SOME_CHARSET.search(raw, 0, MAX_HEADER_BYTES)
        self._charset = charset[1].decode("ascii") if charset else ""
        # Found once: searching the bytes again on each of fifty levels would cost fifty times as much.
        found = (match.start() for match in re.finditer(rb"\n--", raw))
        self._dashed_lines = list(islice(found, MAX_BOUNDARY_CHECKS)) if _MULTIPART.search(raw) else []

    def part(self, *, start: int, end: int, depth: int, default: str) -> Part:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise UnreadableMail("too many parts")
        headers, body = self._headers(start=start, end=end)
        kind = parse_value(headers.first("content-type"))
        content_type = _content_type(kind.word, default=default)
        children = self._children(content_type, kind, start=body, end=end, depth=depth)
        if content_type.startswith("multipart/") and not children:
            content_type = "text/plain"  # no delimiter was found: what is there is shown as it is
        return Part(headers, content_type, kind.parameters, self._raw, body, end, children)

    def _headers(self, *, start: int, end: int) -> tuple[Headers, int]:
        limit = min(end, start + MAX_HEADER_BYTES + 1)
        fields, body = read_fields(self._raw, start=start, end=limit)
        self._header_bytes += body - start
        if body - start > MAX_HEADER_BYTES or self._header_bytes > MAX_ALL_HEADER_BYTES:
            raise UnreadableMail("header too large")
        headers = make_headers(fields, charset=self._charset)
        if len(headers.items) > MAX_HEADERS:
            raise UnreadableMail("too many headers")
        return headers, body

    def _children(self, content_type: str, kind: Value, *, start: int, end: int, depth: int) -> tuple[Part, ...]:
        if not content_type.startswith("multipart/"):
            return ()
        if depth >= MAX_DEPTH:
            raise UnreadableMail("parts nested too deeply")
        default = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
        spans = self._spans(kind.parameters.get("boundary", ""), start=start, end=end)
        return tuple(self.part(start=a, end=b, depth=depth + 1, default=default) for a, b in spans)

    def _spans(self, boundary: str, *, start: int, end: int) -> list[tuple[int, int]]:
        wanted = boundary.encode("ascii", "replace") or self._guess(start=start, end=end)
        spans: list[tuple[int, int]] = []
        opened = -1
        for at, after, closing in self._delimiters(b"\n--" + wanted, start=start, end=end) if wanted else ():
            if opened >= 0:
                spans.append((opened, max(opened, at - (self._raw[at - 1 : at] == b"\r"))))
            if closing:
                return spans
            opened = after
            if len(spans) > MAX_PARTS:
                raise UnreadableMail("too many parts")
        return spans if opened < 0 else [*spans, (min(opened, end), end)]

    def _delimiters(self, needle: bytes, *, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """(where its newline is, where the next line begins, whether it closes) of each delimiter line."""
        first = bisect_left(self._dashed_lines, start - 1)
        for at in self._dashed_lines[first : bisect_left(self._dashed_lines, end)]:
            self._checks += 1
            if self._checks >= MAX_BOUNDARY_CHECKS:
                raise UnreadableMail("too many boundary lines")
            if not self._raw.startswith(needle, at, end):
                continue
            stop = self._raw.find(b"\n", at + len(needle), min(end, at + len(needle) + 1000))
            rest = self._raw[at + len(needle) : end if stop < 0 else stop][:1000].strip()
            if rest in {b"", b"--"}:
                yield at, (end if stop < 0 else stop + 1), rest == b"--"

    def _guess(self, *, start: int, end: int) -> bytes:
        """The boundary of a multipart that names none: its first line that looks like a delimiter."""
        found = _SOME_BOUNDARY.search(self._raw, start - 1, min(end, start + 10_000))
        return found[1] if found else b""


def _content_type(word: str, *, default: str) -> str:
    main, slash, sub = word.partition("/")
    if not slash or not main.strip() or not sub.strip() or not (word.isascii() and word.isprintable()):
        return "text/plain" if word else default
    return f"{main.strip()}/{sub.strip().split()[0]}"[:100]
