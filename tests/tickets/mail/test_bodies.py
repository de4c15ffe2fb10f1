"""Which parts are the text and which are files, in the shapes that programs send."""

from __future__ import annotations

import binascii

import pytest

from tickets.mail.parse import ParsedMail, parse

TEXT = "Content-Type: text/plain; charset=utf-8\n\nSee the picture."
HTML = 'Content-Type: text/html; charset=utf-8\n\n<p>See the picture.</p><img src="cid:i@x">'
IMAGE = "Content-Type: image/png; name=i.png\nContent-ID: <i@x>\n\nx"
INVITATION = "Content-Type: text/calendar; charset=utf-8; method=REQUEST\n\nBEGIN:VCALENDAR\nEND:VCALENDAR"


def multipart(kind: str, *parts: str, boundary: str = "b") -> str:
    return (
        f"Content-Type: multipart/{kind}; boundary={boundary}\n\n"
        + "".join(f"--{boundary}\n{part}\n" for part in parts)
        + f"--{boundary}--\n"
    )


def read(raw: str) -> ParsedMail:
    return parse(f"From: ana@x.example\n{raw}".encode())


def names(mail: ParsedMail) -> list[str]:
    return [file.name for file in mail.attachments]


SHAPES = {
    "related in alternative": (multipart("alternative", TEXT, multipart("related", HTML, IMAGE, boundary="c")), ["i.png"]),
    "alternative in related": (multipart("related", multipart("alternative", TEXT, HTML, boundary="c"), IMAGE), ["i.png"]),
    "invitation": (multipart("alternative", TEXT, HTML, INVITATION), ["invite.ics"]),
    "signed": (multipart("signed", TEXT, "Content-Type: application/pkcs7-signature; name=smime.p7s\n\nx"), ["smime.p7s"]),
    "pgp signed": (multipart("signed", TEXT, "Content-Type: application/pgp-signature\n\nx"), ["signature.asc"]),
    "forwarded as a file": (multipart("mixed", TEXT, "Content-Type: message/rfc822\n\nSubject: y\n\nz"), ["message.eml"]),
    "amp": (multipart("alternative", TEXT, "Content-Type: text/x-amp-html\n\n<html amp4email>", HTML), ["attachment-1.bin"]),
    "list footer": (multipart("mixed", TEXT, "Content-Type: text/plain\n\n" + "_" * 40 + "\nx mailing list\nhttp://x/listinfo/x"), []),
    "log as text": (multipart("mixed", TEXT, "Content-Type: text/plain; name=a.log\nContent-Disposition: inline\n\nline"), ["a.log"]),
}


@pytest.mark.parametrize(("raw", "files"), SHAPES.values(), ids=SHAPES)
def test_body_when_of_this_shape_then_text_and_files_are_told_apart(raw: str, files: list[str]) -> None:
    mail = read(raw)
    assert (mail.reply_text, names(mail)) == ("See the picture.", files)


@pytest.mark.parametrize(
    ("raw", "files"),
    [
        (INVITATION, ["invite.ics"]),
        ("Content-Type: image/jpeg; name=a.jpg\n\nx", ["a.jpg"]),
        ("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx", ["smime.p7m"]),
        (multipart("digest", "\nSubject: a\n\nx", "\nSubject: b\n\ny"), ["message.eml", "message.eml"]),
        ("\nbegin 644 a.txt\n" + binascii.b2a_uu(b"word").decode() + "`\nend\n", ["a.txt"]),
    ],
)
def test_body_when_there_is_no_text_then_none_is_made_up(raw: str, files: list[str]) -> None:
    mail = read(raw)
    assert (mail.text, mail.html, names(mail)) == ("", "", files)


def test_file_when_yenc_stands_in_the_text_then_is_decoded() -> None:
    content = bytes(range(256))
    coded = b"".join(
        bytes([61, byte + 64 + 42 & 255]) if (byte + 42) % 256 in {0, 10, 13, 61} else bytes([(byte + 42) % 256]) for byte in content
    )
    mail = parse(b"Subject: x\n\nBefore\n\n=ybegin line=128 size=256 name=a.bin\n" + coded + b"\n=yend size=256\n\nAfter\n")
    assert (mail.text, names(mail), mail.attachments[0].content) == ("Before\n\n\nAfter", ["a.bin"], content)


def test_text_when_pgp_signed_in_the_body_then_is_shown_without_the_signature() -> None:
    lines = [
        "-----BEGIN PGP SIGNED MESSAGE-----",
        "Hash: SHA256",
        "",
        "It fails.",
        "-----BEGIN PGP SIGNATURE-----",
        "",
        "iQIz",
        "-----END PGP SIGNATURE-----",
    ]
    mail = read("\n" + "\n".join(lines))
    assert (mail.reply_text, "iQIz" in mail.quoted_text) == ("It fails.", True)


def test_text_when_cut_at_the_limit_then_no_character_is_halved() -> None:
    mail = parse(b"Content-Type: text/plain; charset=utf-8\n\n" + ("ü" * 70 + "\n").encode() * 30_000)
    assert set(mail.text) == {"ü", "\n"}
