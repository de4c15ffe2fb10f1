"""Checks DKIM signatures (RFC 6376) and ARC seals (RFC 8617) with dkimpy, and bounds what that costs.

dkimpy reads the body anew for each signature, copies it several times, and some of its expressions take quadratic time over white space. So header and
body are cut here, the body is hashed here, once for each way of writing it, and only the signature over the header is left to the library.
What the standards allow and attackers use is refused: rsa-sha1, From unsigned, a part of the body signed, fields twice that may stand once.
Must not look at who signed: that is for `authentication`.
"""

from __future__ import annotations

import binascii
import hashlib
import logging
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dkim import ARC, DKIM, CV_Pass, DKIMException
from dkim.util import InvalidTagValueList, parse_tag_value

from tickets.mail.headers import read_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tickets.mail.lookups import Lookups

MAX_SIGNATURES = 5
MAX_SEALS = 10
MAX_HEADER = 256 * 1024
MAX_FIELDS = 1_000
_MAX_SIGNATURE = 8_192
_MAX_SIGNED = 200  # fields that one signature names
_MAX_KEY = 1_200  # characters of a key record: RSA of 4,096 bits has 750 (RFC 8301), and the time that a larger one costs is the sender's to choose
_CHUNK = 1 << 20
_NEVER_ENDING = re.compile(rb"\s{200}")
_ONCE = frozenset(
    b"from sender reply-to to cc subject date message-id in-reply-to references mime-version content-type content-transfer-encoding".split()
)
_TABS = bytes.maketrans(b"\t", b" ")


class Uncheckable(ValueError):
    """Beyond what is looked at; no mail that a person wrote."""


class Letter:
    """A mail as its signatures see it."""

    def __init__(self, raw: bytes) -> None:
        lines, self._body = read_fields(raw, start=0, end=min(len(raw), MAX_HEADER + 1))
        self._raw = raw
        self.fields = _fields(lines)
        if self._body > MAX_HEADER or len(self.fields) > MAX_FIELDS:
            raise Uncheckable
        self._digests: dict[bytes, bytes] = {}

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.fields if key.lower() == name]

    @cached_property
    def says_twice(self) -> bool:
        """Whether a reader could take another From, subject or body than the one that is signed."""
        counted = Counter(name.lower() for name, _value in self.fields)
        return any(counted[name] > 1 for name in _ONCE)

    def digest(self, canonicalization: bytes) -> bytes:
        """SHA-256 of the whole body, `simple` or `relaxed`: a signature of a part of it (l=) finds another."""
        if canonicalization not in self._digests:
            hashed = hashlib.sha256()
            for piece in self._canonical(relaxed=canonicalization == b"relaxed"):
                hashed.update(piece)
            self._digests[canonicalization] = hashed.digest()
        return self._digests[canonicalization]

    def _canonical(self, *, relaxed: bool) -> Iterator[bytes]:
        """RFC 6376, 3.4.3 and 3.4.4, a megabyte at a time; what is white space at a piece's end waits for what follows it."""
        waiting, is_empty = b"", True
        for start in range(self._body, len(self._raw), _CHUNK):
            piece = waiting + self._raw[start : start + _CHUNK]
            text = piece.rstrip(b" \t\r\n")
            waiting = piece[len(text) :]
            if len(waiting) > _CHUNK:
                raise Uncheckable
            if text:
                is_empty = False
                yield _relaxed(text) if relaxed else _with_crlf(text)
        if relaxed:
            yield b"" if is_empty else b"\r\n"
        else:
            yield _with_crlf(waiting).rstrip(b"\r\n") + b"\r\n"


def _fields(lines: list[bytes]) -> list[list[bytes]]:
    """[name, value], with the line ends that were signed."""
    found: list[tuple[bytes, list[bytes]]] = []
    for line in lines:
        name, colon, value = line.rstrip(b"\r\n").partition(b":")
        if line[:1] in b" \t":
            if found:
                found[-1][1].append(line.rstrip(b"\r\n"))
        elif colon and b" " not in name.strip():
            found.append((name.strip(), [value]))
    return [[name, b"".join(piece + b"\r\n" for piece in pieces)] for name, pieces in found]


def _with_crlf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _relaxed(text: bytes) -> bytes:
    text = text.translate(_TABS)
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return _with_crlf(text).replace(b" \r\n", b"\r\n")


@dataclass(frozen=True, slots=True)
class Signature:
    """A DKIM-Signature field, unchecked."""

    index: int  # among the fields of that name
    domain: str  # d=


def signatures(letter: Letter) -> list[Signature]:
    """All readable ones, topmost first."""
    found = []
    for index, value in enumerate(letter.all(b"dkim-signature")):
        if domain := _tags(value).get(b"d", b"").decode("ascii", "replace").lower():
            found.append(Signature(index, domain))
    return found


def is_signed(letter: Letter, signature: Signature, lookups: Lookups) -> bool:
    """Whether the signature holds for the mail as it came. Raises lookups.Silence."""
    checked = _Dkim(letter)
    try:
        return not letter.says_twice and bool(checked.verify(signature.index, dnsfunc=_keys(lookups)))
    except _NOT_SOUND:
        return False


def sealed_by(letter: Letter, lookups: Lookups) -> tuple[str, str]:
    """(domain of the last ARC seal, its Authentication-Results) of a whole chain; two empty texts where there is none that holds."""
    seals = letter.all(b"arc-seal") + letter.all(b"arc-message-signature")
    if not 0 < len(seals) <= 2 * MAX_SEALS or not all(map(_is_short, seals)) or letter.says_twice:
        return "", ""
    try:
        verdict, sets, _why = _Arc(letter).verify(dnsfunc=_keys(lookups))
    except _NOT_SOUND:
        return "", ""
    if verdict != CV_Pass:
        return "", ""
    last = sets[0]
    return last["as-domain"].decode("ascii", "replace").lower(), last["aar-value"].decode("ascii", "replace")


# What dkimpy raises at nonsense in a signature or a key, all of it the sender's.
_NOT_SOUND = (
    DKIMException,
    InvalidTagValueList,
    Uncheckable,
    ArithmeticError,
    AssertionError,
    LookupError,
    NameError,
    TypeError,
    ValueError,
)


_NOBODY = logging.getLogger(f"{__name__}.dkimpy")
_NOBODY.disabled = True  # it would write what senders chose into our log


class _Bounded:
    """In front of dkimpy's check of one signature."""

    def __init__(self, letter: Letter) -> None:
        super().__init__(logger=_NOBODY)  # type: ignore[call-arg] # of the class it is mixed into
        self.headers, self.body = [list(field) for field in letter.fields], b""
        self._letter = letter

    def verify_sig(self, sig: dict[bytes, bytes], include_headers: list[bytes], sig_header: tuple[bytes, bytes], dnsfunc: Any) -> bool:
        is_over_body = b"bh" in sig  # an ARC-Seal is over header fields alone
        if not _is_sound(sig, include_headers, is_over_body=is_over_body) or not _is_short(sig_header[1]):
            return False
        if is_over_body and not self._is_body_of(sig):
            return False
        rest = {name: value for name, value in sig.items() if name != b"bh"}
        return bool(super().verify_sig(rest, include_headers, sig_header, dnsfunc))  # type: ignore[misc] # of the class it is mixed into

    def _is_body_of(self, sig: dict[bytes, bytes]) -> bool:
        _header, _slash, body = sig.get(b"c", b"simple/simple").partition(b"/")
        return binascii.a2b_base64(sig[b"bh"]) == self._letter.digest(body or b"simple")


def _is_short(value: bytes) -> bool:
    return len(value) <= _MAX_SIGNATURE and not _NEVER_ENDING.search(value)


def _is_sound(sig: dict[bytes, bytes], include_headers: list[bytes], *, is_over_body: bool) -> bool:
    if sig.get(b"a") != b"rsa-sha256" or len(include_headers) > _MAX_SIGNED:
        return False
    return not is_over_body or b"from" in include_headers


class _Dkim(_Bounded, DKIM):  # type: ignore[misc] # dkimpy has no types
    pass


class _Arc(_Bounded, ARC):  # type: ignore[misc] # dkimpy has no types
    pass


def _keys(lookups: Lookups) -> Any:
    """What dkimpy asks for keys."""

    def key(name: bytes, timeout: float = 0) -> bytes | None:
        found = next(iter(lookups.texts(name.decode("ascii"))), None)
        return found if found is not None and len(found) <= _MAX_KEY else None

    return key


def _tags(value: bytes) -> dict[bytes, bytes]:
    if not _is_short(value):
        return {}
    try:
        return dict(parse_tag_value(value))
    except InvalidTagValueList:
        return {}
