"""Address headers: one deterministic addr-spec or none.

Identity hangs on this: where two mail programs could read two different senders, the answer is no sender at all.
Structure is read before encoded words are decoded, so a decoded name can never become an address. Linear time.
Must not look people up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from tickets.mail.charsets import clean_line
from tickets.mail.headers import decode_words

MAX_ADDRESSES = 200
MAX_ENTRIES = 1_000
MAX_ADDRESS = 254  # of what SMTP can carry (RFC 5321), and of what we keep
MAX_NAME = 200

_LOCAL = re.compile(r"[^\s()<>,;:\\\"\[\]@.]{1,64}(\.[^\s()<>,;:\\\"\[\]@.]{1,64}){0,20}")
_DOMAIN = re.compile(r"[^\W_]([\w-]{0,62}[^\W_])?(\.[^\W_]([\w-]{0,62}[^\W_])?){0,30}|\[[0-9A-Fa-f.:IPv]{2,60}\]")
_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,60}\?[bBqQ]\?")


@dataclass(frozen=True, slots=True)
class Address:
    address: str
    name: str = ""


@dataclass(slots=True)
class _Entry:
    """What stood between two commas."""

    words: str = ""
    comments: list[str] = field(default_factory=list)
    angles: list[str] = field(default_factory=list)
    after_angle: str = ""
    unclosed: bool = False

    def add(self, kind: str, text: str) -> None:
        if kind == "angle":
            self.angles.append(text)
        elif kind == "comment":
            self.comments.append(text)
        elif self.angles:
            self.after_angle += text.strip()
        else:
            self.words += text


def sender(values: tuple[str, ...]) -> Address:
    """The one sender of From (or Reply-To) headers; its address is '' where they leave any doubt."""
    boxes = [box for value in values for box in parse_addresses(value)]
    found = {box.address for box in boxes}
    if len(found) == 1:
        return boxes[0]
    names = " ".join(decode_words(value) for value in values[:1])
    return Address("", "" if boxes and len(found) > 1 else _clean_name(names.replace("<>", "")))


def parse_addresses(value: str) -> list[Address]:
    """The mailboxes of one header; an entry that can be read in two ways has an empty address."""
    boxes: list[Address] = []
    pending = ""  # "Last, First <a@b>" without quotes: a piece without an address belongs to the next name
    for entry in islice(_entries(value), MAX_ENTRIES):
        box = _mailbox(entry, pending)
        if box is None:
            pending = f"{pending}{entry.words.strip()}, " if entry.words.strip() else pending
            continue
        pending = ""
        boxes.append(box)
        if len(boxes) >= MAX_ADDRESSES:
            break
    return boxes


def addresses(values: tuple[str, ...]) -> tuple[Address, ...]:
    """All readable mailboxes of some headers, bounded."""
    boxes = [box for value in values for box in parse_addresses(value) if box.address]
    return tuple(boxes[:MAX_ADDRESSES])


def addr_spec(text: str) -> str:
    """`text` if it is a well-formed address, else ''."""
    local, at, domain = text.strip().rpartition("@")
    sound = bool(at) and len(text) <= MAX_ADDRESS and text.strip().isprintable() and not _ENCODED_WORD.search(text)
    if sound and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain):
        return f"{local}@{domain}"
    return ""


def _mailbox(entry: _Entry, pending: str) -> Address | None:
    words = entry.words.strip()
    if not entry.angles and "@" not in words:
        return None
    if entry.angles == [""]:  # the null sender "<>"
        return None
    name = pending + (words if entry.angles else " ".join(entry.comments))
    address = addr_spec(entry.angles[0] if entry.angles else words)
    return Address("" if _is_ambiguous(entry, address) else address, _clean_name(name or " ".join(entry.comments)))


def _is_ambiguous(entry: _Entry, address: str) -> bool:
    """Whether another mail program could see another address here."""
    if len(entry.angles) > 1 or entry.after_angle or entry.unclosed:
        return True
    return any(_names_another(comment, address) for comment in entry.comments)


def _names_another(comment: str, address: str) -> bool:
    if "<" in comment or ">" in comment:
        return True
    return "@" in comment and comment.strip().lower() != address.lower()


def _clean_name(name: str) -> str:
    text = clean_line(decode_words(name.replace('\\"', '"')), limit=MAX_NAME + 50)
    return text.strip().strip("\"'").strip()[:MAX_NAME]


def _entries(value: str) -> Iterator[_Entry]:
    entry = _Entry()
    for kind, text in _tokens(value):
        if kind == "separator":
            yield entry
            entry = _Entry()
        elif kind == "group":
            entry = _Entry(unclosed="@" in entry.words)
        elif kind == "unclosed":
            entry.unclosed = True
            entry.add("words", text)
        else:
            entry.add(kind, text)
    yield entry


_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORDS = re.compile(r'[^"(<>),;:]+')
_SINGLE = {",": "separator", ";": "separator", ":": "group"}


def _tokens(value: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of what an address header is made of; what never closes is one last token."""
    position = 0
    while position < len(value):
        kind, text, position = _token(value, position)
        yield kind, text


def _token(value: str, position: int) -> tuple[str, str, int]:
    char = value[position]
    if match := _WORDS.match(value, position):
        return "words", match[0], match.end()
    if char == "(":
        return _comment(value, position + 1)
    if char == "<" and (end := value.find(">", position)) >= 0:
        return "angle", value[position + 1 : end].strip(), end + 1
    if char == '"' and (match := _QUOTED.match(value, position)):
        return "words", match[0], match.end()
    if char in _SINGLE:
        return _SINGLE[char], char, position + 1
    return "unclosed", value[position:], len(value)


def _comment(value: str, position: int) -> tuple[str, str, int]:
    """The text up to the matching parenthesis."""
    depth, start = 1, position
    while position < len(value):
        char = value[position]
        if char == "\\":
            position += 1
        elif char in "()":
            depth += 1 if char == "(" else -1
            if depth == 0:
                return "comment", value[start:position], position + 1
        position += 1
    return "unclosed", value[start:], len(value)
