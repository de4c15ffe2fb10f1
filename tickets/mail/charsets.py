"""Bytes to clean text: charset decoding that never fails and never invents a crash.

Must not know about headers, parts or Django. Every result is free of NUL, control characters and lone
surrogates, so PostgreSQL and JSON can hold it.
"""

from __future__ import annotations

import codecs
import re

# What the label says is often not what the sender used: the superset decodes both.
_ALIASES = {
    "ansi": "cp1252",
    "ascii": "cp1252",
    "big5": "cp950",
    "cp-850": "cp850",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "iso-8859-6-i": "iso-8859-6",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-8-i": "iso-8859-8",
    "iso8859-1": "cp1252",
    "ks_c_5601-1987": "cp949",
    "latin1": "cp1252",
    "shift-jis": "cp932",
    "shift_jis": "cp932",
    "unicode-1-1-utf-7": "utf-7",
    "us-ascii": "cp1252",
    "utf8mb4": "utf-8",
    "windows-31j": "cp932",
    "windows-874": "cp874",
    "x-gbk": "gb18030",
    "x-mac-roman": "mac-roman",
    "x-sjis": "cp932",
    "x-windows-949": "cp949",
}
# Text codecs of Python that are no charsets, or take quadratic time.
_NOT_CHARSETS = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"})
_JAPANESE = ("iso2022_jp_2", "iso2022_jp_ext", "iso2022_jp_2004")
_SEVEN_BIT = re.compile(rb"\x1b(\([BJI]|\$[@B])([\x21-\x7e]*)")
_HIGH = bytes((byte + 128) % 256 for byte in range(256))
_MAX_VENDOR_JIS = 2_000_000
_LABEL_NOISE = re.compile(r"[^a-z0-9._:-]+")

_NEWLINES = re.compile("\r\n|[\r\u2028\u2029]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]")
# Marks and overrides that make a name read differently from what it is.
_BIDI = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069]")


def decode(data: bytes, charset: str = "") -> str:
    """The text of `data`, by its declared charset where that works, else the most likely reading."""
    known = _known(charset)
    for name in _candidates(known):
        try:
            return data.decode(name)
        except (UnicodeError, LookupError):
            continue
    if known.startswith("iso2022_jp") and len(data) <= _MAX_VENDOR_JIS:
        return _SEVEN_BIT.sub(_eight_bit, data).decode("cp932", "replace")
    text = data.decode(known or "cp1252", "replace")
    if known == "utf-8" and text.replace("\ufffd", "").isascii():  # not one character in it is UTF-8
        return data.decode("cp1252", "replace")
    return text


def clean_text(text: str) -> str:
    """`text` with newlines as LF and nothing in it that a database or a terminal would choke on."""
    if text.isascii():  # most are, and need less care
        return text if text.isprintable() else _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROLS.sub("", _NEWLINES.sub("\n", _SURROGATES.sub("\ufffd", text)))


def clean_line(text: str, *, limit: int = 1000) -> str:
    """`text` as one bounded line without control or direction characters."""
    text = clean_text(text[: limit * 4])
    return " ".join((text if text.isascii() else _BIDI.sub("", text)).split())[:limit]


def _candidates(name: str) -> tuple[str, ...]:
    if name.startswith("iso2022_jp"):
        return (name, *_JAPANESE)
    if name in {"", "cp1252"}:  # undeclared or "Latin": valid UTF-8 is never an accident
        return ("utf-8", "cp1252")
    return (name, "utf-8", "big5hkscs") if name == "cp950" else (name, "utf-8")


def _eight_bit(match: re.Match[bytes]) -> bytes:
    """A stretch of ISO-2022-JP as Shift JIS: that knows the characters of NEC and IBM that programs write there."""
    if match[1] == b"(I":  # half-width kana
        return match[2].translate(_HIGH)
    if match[1][:1] != b"$":
        return match[2]
    out = bytearray()
    for row, cell in zip(match[2][::2], match[2][1::2], strict=False):
        out.append((row + 1 >> 1) + (0x70 if row < 0x5F else 0xB0))
        out.append(cell + (0x7E if row % 2 == 0 else 0x1F + (cell >= 0x60)))
    return bytes(out)


def _known(charset: str) -> str:
    label = _LABEL_NOISE.sub("", charset[:60].lower())
    try:
        name = codecs.lookup(_ALIASES.get(label, label)).name
        b"a".decode(name, "replace")  # raises for "hex", "zip" and other codecs that make no text
    except (LookupError, ValueError):
        return ""
    return "" if name.replace("-", "_") in _NOT_CHARSETS else name
