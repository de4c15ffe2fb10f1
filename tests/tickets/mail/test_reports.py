"""What is read in bounces, and that nothing is read in what people write."""

from __future__ import annotations

import json
from time import process_time

import pytest

from tests.tickets.mail.bounces import BOUNCES, NORA, OURS, Bounce
from tests.tickets.mail.letters import letter
from tickets.mail.parse import parse
from tickets.mail.reports import read_report, says_address_is_bad


def words_of(report) -> str:
    return f"{report.status} {report.diagnostic}"


@pytest.mark.parametrize("bounce", BOUNCES, ids=lambda bounce: bounce.name)
def test_bounce_says_what_became_of_the_mail(bounce: Bounce):
    report = read_report(bounce.raw())
    assert report is not None
    read = (report.action, report.status, report.recipients, says_address_is_bad(words_of(report)), OURS in report.message_ids)
    assert read == (bounce.action, bounce.status, (NORA,), bounce.is_bad, bounce.has_id), report


@pytest.mark.parametrize("bounce", [bounce for bounce in BOUNCES if bounce.action != "other"], ids=lambda bounce: bounce.name)
def test_bounce_is_told_in_the_servers_words_on_one_line(bounce: Bounce):
    report = read_report(bounce.raw())
    assert report is not None
    assert "\n" not in report.diagnostic
    assert len(report.diagnostic) <= 500


def test_bounce_of_several_recipients_is_told_by_the_one_that_fared_worst():
    fields = "Final-Recipient: rfc822; a@initech.example\nAction: delayed\nStatus: 4.4.1\n\n"
    fields += "Final-Recipient: rfc822; b@initech.example\nAction: failed\nStatus: 5.1.1\n"
    report = read_report(Bounce("two", "mailer-daemon@x.example", "Undelivered", "See below.", "failed", "5.1.1", True, dsn=fields).raw())
    assert (report.action, report.status, report.recipients) == ("failed", "5.1.1", ("a@initech.example", "b@initech.example"))


def test_report_names_the_server_that_wrote_it():
    assert read_report(BOUNCES[0].raw()).reporter == "mx.initech.example"


def test_report_is_json():
    assert read_report(BOUNCES[0].raw()).as_json() == {
        "action": "failed",
        "status": "5.1.1",
        "recipients": [NORA],
        "diagnostic": "550 5.1.1 <nora@initech.example>: Recipient address rejected: User unknown in virtual mailbox table",
        "message_ids": [OURS],
        "reporter": "mx.initech.example",
    }


def test_returned_mail_in_base64_is_read():
    from base64 import encodebytes

    raw = (
        BOUNCES[0]
        .raw()
        .replace(b"Content-Type: text/rfc822-headers\n\n", b"Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n\n@@")
    )
    head, _mark, rest = raw.partition(b"@@")
    returned, _end, _tail = rest.partition(b"--=_b--")
    assert OURS in read_report(head + encodebytes(returned) + b"--=_b--\n").message_ids


ABSENCE = "I am away until Monday. My mailbox may be full; the address of my colleague is unknown to me."
COMPLAINT = (
    b"Return-Path: <>\nFrom: fbl@isp.example\nTo: support@support.example\nSubject: FW: spam\nMIME-Version: 1.0\n"
    b'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n--b\n\nThis is an abuse report.\n--b\n'
    b"Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\n--b--\n"
)


@pytest.mark.parametrize(
    "raw",
    [
        letter(),
        letter(
            subject="Undeliverable: my parcel",
            text="Delivery failed. 550 5.1.1 User unknown, says the server for nora@initech.example. Why?",
        ),
        letter(
            text="> This is the mail system at host mail.support.example.\n> <nora@initech.example>: 550 5.1.1 User unknown\n\nWhat does this mean?"
        ),
        letter(subject="Automatic reply", text=ABSENCE, Auto_Submitted="auto-replied", Return_Path="<>"),
        letter("postmaster@initech.example", subject="Automatic reply: [#1042]", text="I am away until Monday.", Return_Path="<>"),
        COMPLAINT,
        COMPLAINT.replace(b"feedback-report", b"disposition-notification"),
        b"",
        b"\0\xff\n\n",
    ],
    ids=["letter", "person-cites", "person-quotes", "absence", "exchange-absence", "complaint", "receipt", "empty", "noise"],
)
def test_what_is_no_bounce_is_no_report(raw):
    assert read_report(raw) is None


@pytest.mark.parametrize(
    ("words", "is_bad"),
    [
        ("550 5.1.1 <full@initech.example>: User unknown", True),
        ("550 No such user here", True),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound", True),
        ("553 5.1.2 We weren't able to find the recipient domain.", True),
        ("550 5.2.1 The email account that you tried to reach is disabled.", True),
        ("host mx.antispam.example[192.0.2.1] said: 550 unknown user", True),
        ("450 4.1.1 <nora@initech.example>: Recipient address rejected: unverified address: user unknown", False),
        ("450 user unknown, try again later", False),
        ("552 5.2.2 Mailbox full", False),
        ("550 5.1.1 Mailbox quota exceeded", False),
        ("552 5.3.4 Message too big", False),
        ("554 5.7.1 <nora@initech.example>: Relay access denied; unknown user", False),
        ("550 5.7.1 Message rejected due to content", False),
        ("550 5.1.8 <support@support.example>: Sender address rejected: Domain not found", False),
        ("550 Sender verify failed: no such user", False),
        ("554 Message refused", False),
        ("", False),
    ],
)
def test_words_that_mean_a_bad_address(words, is_bad):
    assert says_address_is_bad(words) is is_bad


HOSTILE = {
    "angles": b"<" * 2_000_000,
    "style tags": b"<style" * 400_000,
    "ats": b"a@" * 1_000_000,
    "dots": b"x" * 1_000_000 + b"." * 1_000_000,
    "blank lines": b"\n \t" * 700_000,
    "message ids": b"Message-ID:\n" * 200_000,
    "users": b"user " * 400_000,
    "codes": b"550 5.1.1 " * 200_000,
    "fields": b"Action: failed\n\n" * 150_000,
}


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "message/delivery-status"])
@pytest.mark.parametrize("bomb", HOSTILE)
def test_hostile_report_costs_little(bomb, content_type):
    head = 'From: mailer-daemon@x.example\nSubject: failure notice\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
    raw = (
        head.encode()
        + b"".join(b"--b\nContent-Type: " + content_type.encode() + b"\n\n" + HOSTILE[bomb] + b"\n" for _ in range(3))
        + b"--b--\n"
    )
    began = process_time()
    read_report(raw)
    assert process_time() - began < 2


def test_report_with_hundreds_of_mails_enclosed_costs_little():
    head = b'From: mailer-daemon@x.example\nX-Failed-Recipients: nora@y.example\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
    raw = head + (b"--b\nContent-Type: message/rfc822\n\n" + b"A: b\n" * 11_000 + b"\n") * 700 + b"--b--\n"
    began = process_time()
    read_report(raw)
    assert process_time() - began < 2


def test_report_with_hundreds_of_pages_costs_little():
    head = b'From: mailer-daemon@x.example\nX-Failed-Recipients: nora@y.example\nContent-Type: multipart/mixed; boundary="b"\n\n'
    raw = head + (b"--b\nContent-Type: text/html\n\n" + b"&amp;" * 10_000 + b"\n") * 900 + b"--b--\n"
    began = process_time()
    read_report(raw)
    assert process_time() - began < 2


HARDLY_KNOWN = ["qmail-without-daemon", "courier", "interscan", "null-sender-alone"]


def test_every_bounce_is_known_for_one_by_its_headers_or_by_its_words():
    """What `parse` takes for no bounce reaches `read_report` only at an address made for bounces."""
    assert [bounce.name for bounce in BOUNCES if not parse(bounce.raw()).bounce] == HARDLY_KNOWN


def test_bytes_that_no_database_holds_are_not_read():
    raw = BOUNCES[0].raw()
    plain = next(bounce for bounce in BOUNCES if bounce.name == "exim-unrouteable").raw()
    for spoilt in (raw.replace(b"nora@", b"n\0\xffra@"), plain.replace(b"nora@", b"n\0\xffra@")):
        report = read_report(spoilt)
        assert "\\u0000" not in json.dumps(report.as_json())
        assert str(report.as_json()).encode()
