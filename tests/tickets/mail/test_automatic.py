"""Machines are known by their headers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tickets.mail.parse import parse

EML = Path(__file__).parent / "eml"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Auto-Submitted: auto-replied", "auto-replied"),
        ("Auto-Submitted: auto-generated (failure)", "auto-submitted"),
        ("Auto-Submitted: whatever", "auto-submitted"),
        ("Precedence: bulk", "precedence"),
        ("Precedence: List", "list"),
        ("Precedence: junk", "precedence"),
        ("Precedence: auto_reply", "precedence"),
        ("X-Autoreply: yes", "x-autoreply"),
        ("X-Autorespond: yes", "x-autorespond"),
        ("Return-Path: <>", "null return path"),
        ("List-Id: <news.orga.example>", "list"),
        ("X-Auto-Response-Suppress: OOF, AutoReply", "x-auto-response-suppress"),
        ("Subject: Automatic reply: Printer", "subject"),
        ("Subject: Abwesenheitsnotiz: Drucker", "subject"),
        ("Subject: =?utf-8?q?R=C3=A9ponse_automatique?= : x", "subject"),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b", "report"),
    ],
)
def test_mail_when_marked_automatic_then_is_automatic(header: str, reason: str) -> None:
    mail = parse(f"From: ana@orga.example\r\n{header}\r\n\r\n--b\r\n\r\nx".encode())
    assert (mail.auto, mail.bounce, mail.auto_reason) == (True, False, reason)


@pytest.mark.parametrize("address", ["no-reply@x.example", "noreply@x.example", "do-not-reply@x.example", "donotreply@x.example"])
def test_mail_when_sender_wants_no_answer_then_is_automatic(address: str) -> None:
    assert parse(f"From: {address}\r\n\r\n".encode()).auto_reason == "no-reply sender"


@pytest.mark.parametrize(
    "header",
    ["Auto-Submitted: no", "Precedence: normal", "Return-Path: <ana@orga.example>", "Subject: Automatic door broken", "X: y"],
)
def test_mail_when_written_by_a_person_then_is_not_automatic(header: str) -> None:
    mail = parse(f"From: ana@orga.example\r\n{header}\r\n\r\nout of office".encode())
    assert (mail.auto, mail.auto_reason) == (False, "")


def test_bounce_when_delivery_report_then_is_automatic_too() -> None:
    mail = parse((EML / "bounce.eml").read_bytes())
    assert (mail.auto, mail.bounce, mail.auto_reason) == (True, True, "delivery report")


def test_bounce_when_report_is_read_then_its_parts_are_kept() -> None:
    mail = parse((EML / "bounce.eml").read_bytes())
    assert [file.name for file in mail.attachments] == ["delivery-status.txt", "message.eml"]


@pytest.mark.parametrize(
    "head",
    [
        "From: MAILER-DAEMON@mx.example",
        "From: x@mx.example\r\nX-Failed-Recipients: ana@orga.example",
        "From: postmaster@mx.example\r\nSubject: Undeliverable: Hi",
        "From: x@mx.example\r\nReturn-Path: <>\r\nSubject: Unzustellbar: Hi",
    ],
)
def test_bounce_when_there_is_no_report_then_is_known(head: str) -> None:
    assert parse(f"{head}\r\n\r\nx".encode()).bounce is True


def test_mail_when_postmaster_writes_then_is_no_bounce() -> None:
    assert parse(b"From: Bob <postmaster@orga.example>\r\nSubject: Quota\r\n\r\nHi").bounce is False
