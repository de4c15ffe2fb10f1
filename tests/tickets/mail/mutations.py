"""Mails that nobody wrote: seeds with their bytes and header lines shuffled, and messages grown from the pieces that parsers trip over.

Shared by the bounded test in CI and the long run of bench/fuzz.py; the same Random gives the same mails.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from random import Random

from tickets.mail.parse import ParsedMail

SEEDS = Path(__file__).parent / "eml"
MAX_BYTES = 300_000  # of a seed: mutating the tail of a large file finds nothing more

_HEADERS = [
    "From: Ana <ana@x.example>", "From: =?utf-8?q?A?=\r\n <a@x.example>", 'From: "', "From: (", "To: a@x.example, b@x.example;",
    "Subject: =?utf-8?b?4pyT?=",
    "Subject: =?iso-2022-jp?b?GyRCfGI=?= =?x?q?=80?=", "Date: x", "Message-ID: <a@b>", "References: <a@b> <c@d>", "In-Reply-To: <[x]>",
    "Auto-Submitted: auto-replied",
    "Content-Type: text/plain; charset=utf-7", "Content-Type: text/plain; charset=iso-2022-jp", "Content-Type: text/html; charset=gb2312",
    "Content-Type: multipart/mixed; boundary=b", "Content-Type: multipart/alternative; boundary=b", "Content-Type: multipart/digest; boundary=b",
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "Content-Type: message/rfc822",
    "Content-Type: application/ms-tnef; name=winmail.dat",
    "Content-Type: text/calendar; method=REQUEST", "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: quoted-printable",
    "Content-Transfer-Encoding: x-uuencode", "Content-Disposition: attachment; filename*0*=utf-8''%C3; filename*1*=%A4; filename*2=%",
    "Content-ID: <i>",
    "Content-Disposition: inline; filename==?utf-8?q?=00=2E=2E=2F?=", "Content-Disposition: attachment; name*", "X: \x00\xff\ud800",
]  # fmt: skip
_BODIES = [
    "words", "--b", "--b--", "", "> quoted", "On Mon, 2 Mar 2026 at 09:00 Bob <b@x.example> wrote:", "Am 02.03.26 um 09:00 schrieb Bob:",
    "Bob <b@x.example>\r\nwrote on 2026:",
    "-- ", "Sent from my iPhone", "From: a@x.example", "Sent: 2026", "Subject: x", "-----Original Message-----",
    "---------- Forwarded message ---------", "_" * 32,
    "##- Please write your answer above this line -##", "begin 644 a", "#8V%T", "end", "=ybegin line=128 size=3 name=a", "=yend",
    "-----BEGIN PGP SIGNED MESSAGE-----",
    "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----", "<p>", "</p>", "<div class=gmail_quote>", "<blockquote type=cite>",
    "</blockquote>", "</div>",
    "<table><tr><td>", "<pre>", "<br>", "<img src=cid:i>", "<style>", "<!--", "-->", "<![CDATA[", "&#0;&#xD800;&nbsp;", "<div id=Signature>",
    "<hr id=zwchr>", "\x1b$B|b\x1b(B",
    "+2AA-", "\u202e\u2028\x85\x0b", "=00=ED=A0=80", "\x00",
]  # fmt: skip
_TNEF = base64.b64encode(b"\x78\x9f\x3e\x22\x01\x00\x02\x02\x90\x06\x00\x08\x00\x00\x00" + bytes(20)).decode()


def seeds(folder: Path = SEEDS) -> list[bytes]:
    return [path.read_bytes()[:MAX_BYTES] for path in sorted(folder.rglob("*.eml"))]


def grown(random: Random) -> bytes:
    """A message from random header lines and body lines, nested as they fall."""
    lines: list[str] = []
    for _level in range(random.randint(1, 5)):
        lines += random.choices(_HEADERS, k=random.randint(0, 8)) + [""] * random.randint(0, 2)
        lines += random.choices([*_BODIES, _TNEF], k=random.randint(0, 30))
    return random.choice(["\r\n", "\n", "\r"]).join(lines).encode("utf-8", "surrogatepass")


def mutated(random: Random, pool: list[bytes]) -> bytes:
    """A seed after one to six accidents."""
    raw = random.choice(pool)
    for _turn in range(random.randint(1, 6)):
        raw = random.choice(_ACCIDENTS)(random, raw, pool)
    return raw[: 2 * MAX_BYTES]


def _span(random: Random, raw: bytes, longest: int = 2_000) -> tuple[int, int]:
    # Half of them in the header, where a byte does most.
    start = random.randrange(min(len(raw), 2_000) + 1) if random.random() < 0.5 else random.randrange(len(raw) + 1)
    return start, min(len(raw), start + random.randrange(longest))


def _flip(random: Random, raw: bytes, _pool: list[bytes]) -> bytes:
    data = bytearray(raw)
    for _turn in range(random.randint(1, 20) if data else 0):
        data[_span(random, raw)[0] % len(data)] = random.randrange(256)
    return bytes(data)


def _cut(random: Random, raw: bytes, _pool: list[bytes]) -> bytes:
    start, end = _span(random, raw)
    return raw[:start] + raw[end:]


def _end_early(random: Random, raw: bytes, _pool: list[bytes]) -> bytes:
    return raw[: random.randrange(len(raw) + 1)]


def _double(random: Random, raw: bytes, _pool: list[bytes]) -> bytes:
    start, end = _span(random, raw)
    return raw[:end] + raw[start:end] * random.randint(1, 20) + raw[end:]


def _splice(random: Random, raw: bytes, pool: list[bytes]) -> bytes:
    other = random.choice(pool)
    start, end = _span(random, other)
    at, _ = _span(random, raw)
    return raw[:at] + other[start:end] + raw[at:]


def _swap_lines(random: Random, raw: bytes, _pool: list[bytes]) -> bytes:
    head, blank, rest = raw.partition(b"\r\n\r\n" if b"\r\n\r\n" in raw else b"\n\n")
    lines = head.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines) + blank + rest


def _insert_piece(random: Random, raw: bytes, _pool: list[bytes]) -> bytes:
    at, _ = _span(random, raw)
    piece = random.choice([*_HEADERS, *_BODIES]).encode("utf-8", "surrogatepass")
    return raw[:at] + b"\r\n" + piece + b"\r\n" + raw[at:]


_ACCIDENTS: list[Callable[[Random, bytes, list[bytes]], bytes]] = [_flip, _cut, _end_early, _double, _splice, _swap_lines, _insert_piece]


def unstorable(mail: ParsedMail) -> list[str]:
    """The texts of `mail` that PostgreSQL would refuse, and what breaks the parser's other promises."""
    texts = [mail.message_id, mail.from_address, mail.from_name, mail.reply_to, mail.subject, mail.date, mail.text, mail.html]
    texts += [mail.reply_text, mail.quoted_text, mail.reply_html, mail.auto_reason, *mail.in_reply_to, *mail.references, *mail.delivered_to]
    texts += [text for box in (*mail.to, *mail.cc) for text in (box.address, box.name)]
    texts += [text for file in mail.attachments for text in (file.name, file.content_type, file.content_id)]
    lines = [mail.subject, mail.from_name, mail.from_address, mail.message_id, *(file.name for file in mail.attachments)]
    bad = [text for text in texts if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text)]
    bad += [line for line in lines if "\n" in line or "\r" in line]
    return bad + lost_words(mail)


def lost_words(mail: ParsedMail) -> list[str]:
    """What was typed is shown or folded, never gone (texts at the size limit aside)."""
    shown = set(mail.reply_text.split()) | set(mail.quoted_text.split())
    return [word for word in mail.text.split() if word not in shown] if len(mail.text) < 900_000 else []
