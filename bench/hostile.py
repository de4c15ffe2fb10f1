"""What the most expensive mails we can think of cost to read: CPU seconds and peak memory of each, in a process of its own.

    python -m bench.hostile [name ...]

The limits are 2 s of CPU and 200 MB (SECURITY MI02 to MI20, CO18). Ends with status 1 where a mail exceeds them.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from time import process_time

from tickets.mail.parse import UnreadableMail, parse

MB = 1_000_000
MAX_SECONDS, MAX_MEGABYTES = 2.0, 200
HEAD = b"From: ana@x.example\r\nSubject: x\r\n"


def body(text: bytes, kind: bytes = b"text/plain; charset=utf-8", encoding: bytes = b"8bit") -> bytes:
    return HEAD + b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + text


def page(markup: bytes) -> bytes:
    return body(markup, b"text/html; charset=utf-8")


def header(line: bytes) -> bytes:
    return HEAD + line + b"\r\n\r\nx"


def filled(piece: bytes, size: int) -> bytes:
    return piece * (size // len(piece))


def nested(depth: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(depth))


def cid_flood() -> bytes:
    images = b"".join(b"--b\r\nContent-Type: image/png\r\nContent-ID: <i%d>\r\n\r\nx\r\n" % number for number in range(900))
    links = b"".join(b"<img src=cid:j%d>" % number for number in range(50_000))
    return (
        HEAD
        + b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        + links
        + b"\r\n"
        + images
        + b"--b--"
    )


def tnef() -> bytes:
    many = b"\x02" + (0x9002).to_bytes(2, "little") + b"\x06\x00" + bytes(6)
    return body(b"\x78\x9f\x3e\x22\x01\x00" + filled(many, 20 * MB), b"application/ms-tnef", b"8bit")


def alternating() -> bytes:
    return b"".join(b"typed %d\r\n> quoted\r\n" % number for number in range(200_000))


LINES = {
    "on x at y": b"on x at y ", "on lines": b"On 1 May 2026 <\n", "on, no end": b"On 1 May 2026 at 9:00 Bob <b@x.example>\n", "marks": b">",
    "marked lines": b"> \n",
    "wrote": b"wrote ", "wrote lines": b"Bob wrote:\n", "dashes": b"-- \n", "labels": b"From: a\n", "header blocks": b"From: a\nTo: b\n",
    "rules": b"_" * 30 + b"\n",
    "dashed titles": b"----- a -----\n", "forwards": b"begin forwarded message:\n", "mobile": b"Sent from my x\n",
    "sent by": b"Sent from x iPhone, \n", "outlook": b"Get a b Outlook for \n",
    "reply lines": b"-- above this line a\n", "framed": b"##- ", "above": b"- above this line ", "blank lines": b"\n", "spaces": b" ",
    "tabs": b"\t \t", "pgp": b"-----BEGIN PGP SIGNATURE-----\n",
    "pgp signed": b"-----BEGIN PGP SIGNED MESSAGE-----\n", "angle": b"<a@", "angles": b"<<<<", "brackets": b"((((", "at signs": b"a@a@",
    "names": b"Bob (\n", "colons": b":", "digits": b"1:1",
    "uu begin": b"begin 644 a\n", "uu lines": b"M" + b"A" * 60 + b"\n", "yenc": b"=ybegin a name=b\n", "names in yenc": b"=ybegin name=",
    "bidi": "\u202e".encode(), "surrogates": b"\xed\xa0\x80",
    "line separators": "\u2028".encode(), "nul": b"\x00", "crs": b"\r", "base64": b"QUJD" * 19 + b"\n", "greater than from": b">From \n",
    "list footers": b"_" * 25 + b"\nlist \n",
    "name then angle": b"Bob\n<\n", "dated labels": b"From: 1 May 2026 9:00 <a@b.c>:\n", "quoted wrote": b"> On 1 May 2026 a@b.c wrote:\n",
    "names first": b"Bob <b@x.example> 2026 :\n", "escapes": b"\x1b$B",
}  # fmt: skip
TAGS = {
    "links": b"<a href=http://x.example/>y</a>", "tags": b"<b>x</b>", "nested tables": b"<table><tr><td>", "nested quotes": b"<blockquote>",
    "cited quotes": b"<blockquote type=cite>x", "nested divs": b"<div>",
    "nested fonts": b"<font><b><i>", "unclosed p": b"<p>x", "signatures": b"<div id=Signature>x", "breaks": b"<br>", "comments": b"<!-- x -->",
    "open comments": b"<!--", "entities": b"&amp;", "numeric entities": b"&#x10FFFF;",
    "attributes": b"a=1 ", "classes": b"<p class='a b c d e f g h'>", "styles": b"<p style='border-top: 1pt solid rgb(1,2,3)'>x</p>",
    "styles text": b"<style>p{x}</style>", "cdata": b"<![CDATA[x]]>", "less than": b"<", "half tags": b"<a href=", "table cells": b"<td>x",
    "lists": b"<ul><li>x", "pre": b"<pre>\n", "gmail": b"<div class=gmail_quote><div class=gmail_attr>x</div>", "images": b"<img src=cid:x>",
    "meta": b"<meta charset=x>", "svg": b"<svg><style>", "forms": b"<form><input>", "selects": b"<select><option>", "quotes": b"<a title=\"",
    "spaces": b" ", "xml": b"<?xml x?>",
}  # fmt: skip
CHARSETS = [
    "utf-7",
    "iso-2022-jp",
    "iso-2022-kr",
    "hz-gb-2312",
    "gb18030",
    "big5",
    "utf-16",
    "utf-32",
    "cp949",
    "punycode",
    "idna",
    "shift_jisx0213",
]

MAILS: dict[str, Callable[[], bytes]] = {
    "900 nested multiparts": lambda: nested(900),
    "5,000 nested multiparts": lambda: nested(5_000),
    "50 nested, 25 MB inside": lambda: nested(50) + b"\r\n" + filled(b"x" * 76 + b"\r\n", 25 * MB),
    "50 nested, 900,000 dashed lines": lambda: nested(50) + b"\r\n" + filled(b"--a\n", 4 * MB),
    "1,200 nested messages": lambda: b"Content-Type: message/rfc822\r\n\r\n" * 1_200,
    "100,000 parts": lambda: body(filled(b"--b\r\n\r\nx\r\n", MB), b"multipart/mixed; boundary=b"),
    "1,000 parts": lambda: body(b"--b\r\n\r\nx\r\n" * 998, b"multipart/mixed; boundary=b"),
    "1,000 html parts": lambda: body(b"--b\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n" * 998, b"multipart/mixed; boundary=b"),
    "950 parts with large headers": lambda: body((b"--b\r\nX: " + b"y" * 2_000 + b"\r\n\r\nx\r\n") * 950, b"multipart/mixed; boundary=b"),
    "no boundary, 25 MB": lambda: body(filled(b"-- \n", 25 * MB), b"multipart/mixed"),
    "2,000 parentheses": lambda: header(b"To: " + b"(" * 2_000),
    "200,000 parentheses": lambda: header(b"To: " + b"(" * 200_000),
    "From of 200,000 angles": lambda: header(b"From: " + b"<" * 200_000),
    "From of 100,000 quotes": lambda: header(b"From: " + b'"a"' * 80_000),
    "From of backslashes": lambda: header(b'From: "' + b"\\" * 200_000),
    "20,000 references": lambda: header(b"References: " + b" ".join(b"<%d@x>" % number for number in range(20_000))),
    "references without end": lambda: header(b"References: " + b"<" * 200_000),
    "5,000 addresses": lambda: header(b"To: " + b",".join(b"p%d@x.example" % number for number in range(5_000))),
    "commas": lambda: header(b"To: " + b"," * 200_000),
    "groups": lambda: header(b"To: " + b"a:" * 100_000),
    "encoded words": lambda: header(b"Subject: " + b"=?utf-8?q?a?= " * 18_000),
    "half encoded words": lambda: header(b"Subject: " + b"=?utf-8?q?" * 25_000),
    "question marks": lambda: header(b"Subject: " + b"=?" * 120_000),
    "word charsets": lambda: header(b"Subject: " + b"".join(b"=?x%d?q?a?= " % number for number in range(15_000))),
    "parameters": lambda: header(b"Content-Type: a/b; " + b"a=b; " * 50_000),
    "name in 999 pieces": lambda: header(b"Content-Disposition: attachment" + b"".join(b"; filename*%d*=%%C3" % number for number in range(999))),
    "semicolons in quotes": lambda: header(b'Content-Type: a/b; name="' + b";" * 250_000),
    "folded header": lambda: header(b"Subject: a" + b"\r\n a" * 60_000),
    "1,000 headers": lambda: b"a: b\r\n" * 999 + b"\r\n",
    "50 MB of words": lambda: body(filled(b"word " * 15 + b"\r\n", 50 * MB)),
    "50 MB line": lambda: body(b"x" * 50 * MB),
    "50 MB of base64": lambda: body(filled(base64.b64encode(b"word word word\r\n" * 3) + b"\r\n", 50 * MB), encoding=b"base64"),
    "50 MB of noise in base64": lambda: body(filled(b"=A*", 50 * MB), encoding=b"base64"),
    "50 MB of quoted-printable": lambda: body(filled(b"=41", 50 * MB), encoding=b"quoted-printable"),
    "50 MB of uuencode": lambda: body(b"begin 644 a\n" + filled(b"M" + b"A" * 60 + b"\n", 50 * MB) + b"`\nend\n"),
    "50 MB of short uuencode": lambda: body(b"begin 644 a\n" + filled(b"!A\n", 50 * MB) + b"`\nend\n", encoding=b"x-uuencode"),
    "50 MB of yEnc": lambda: body(b"=ybegin name=a\n" + filled(b"=x", 50 * MB) + b"\n=yend\n"),
    "50 MB file": lambda: body(filled(base64.b64encode(bytes(57)) + b"\r\n", 50 * MB), b"application/pdf; name=a.pdf", b"base64"),
    "50 MB of HTML": lambda: page(filled(b"<p>word</p>", 50 * MB)),
    "50 MB of text in HTML": lambda: page(filled(b"word ", 50 * MB)),
    "5 MB of HTML": lambda: page(filled(b"<div><p>word <b>x</b></p></div>", 5 * MB)),
    "5 MB style": lambda: page(b"<style>" + filled(b"p { x: y } ", 5 * MB) + b"</style>x"),
    "5 MB attribute": lambda: page(b"<a title='" + filled(b"x ", 5 * MB) + b"'>y</a>"),
    "5 MB class": lambda: page(b"<p class='" + filled(b"x ", 5 * MB) + b"'>y</p>"),
    "20,000 attributes": lambda: page(b"<a " + b" ".join(b"a%d=1" % number for number in range(20_000)) + b">y</a>"),
    "cid flood": cid_flood,
    "TNEF": tnef,
    "alternating quotes": lambda: body(alternating()),
    "alternative of both": lambda: body(
        b"--b\r\n\r\n" + filled(b"word > \r\n", MB) + b"\r\n--b\r\nContent-Type: text/html\r\n\r\n" + filled(b"<p>x</p>", 4 * MB) + b"\r\n--b--",
        b"multipart/alternative; boundary=b",
    ),
}  # fmt: skip


def flood(piece: bytes) -> Callable[[], bytes]:
    return lambda: body(filled(piece, MB))


def one_line_flood(piece: bytes) -> Callable[[], bytes]:
    return lambda: page(filled(piece.replace(b"\n", b"<br>").replace(b"<<", b"&lt;"), MB))


def page_flood(piece: bytes) -> Callable[[], bytes]:
    return lambda: page(filled(piece, 5 * MB))


def charset_flood(name: str) -> Callable[[], bytes]:
    return lambda: body(filled(b"\x1b$B0!~{a+2AA-", 20 * MB), f"text/html; charset={name}".encode())


MAILS |= {f"text: {name}": flood(piece) for name, piece in LINES.items()}
MAILS |= {f"text as HTML: {name}": one_line_flood(piece) for name, piece in LINES.items()}
MAILS |= {f"html: {name}": page_flood(piece) for name, piece in TAGS.items()}
MAILS |= {f"charset: {name}": charset_flood(name) for name in CHARSETS}


def child() -> None:
    raw = sys.stdin.buffer.read()
    before, started = peak(), process_time()
    try:
        parse(raw)
        outcome = "read"
    except UnreadableMail as error:
        outcome = str(error)
    print(json.dumps([process_time() - started, peak() - before, peak(), len(raw) / MB, outcome]))


def peak() -> float:
    """Megabytes of this process alone; getrusage counts those of the process that started it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> int:
    names = sys.argv[1:] or list(MAILS)
    found = []
    for name in names:
        with TemporaryFile() as file:
            file.write(MAILS[name]())
            file.seek(0)
            done = subprocess.run(
                [sys.executable, "-m", "bench.hostile", "--child"], stdin=file, capture_output=True, text=True, check=False
            )
        found.append((*(json.loads(done.stdout) if done.returncode == 0 else [999, 0, 0, 0, done.stderr[-300:]]), name))
    bad = 0
    print("CPU s  +MB  peak MB  mail MB  outcome")
    for seconds, grown, most, size, outcome, name in sorted(found, reverse=True):
        is_bad = seconds > MAX_SECONDS or most > MAX_MEGABYTES
        bad += is_bad
        if is_bad or seconds > MAX_SECONDS / 4 or most > MAX_MEGABYTES / 2 or len(names) < 20:
            print(f"{seconds:5.2f} {grown:4.0f} {most:8.0f} {size:8.1f}  {outcome}  {name}{'   <-- too much' if is_bad else ''}")
    print(f"{len(found)} mails, {bad} too expensive")
    return int(bad > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child()
    else:
        sys.exit(main())
