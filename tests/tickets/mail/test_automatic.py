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


# What out-of-office assistants write, a language or two a line.
AWAY = [
    "Automatic reply: x",
    "Out of Office: x",
    "Out of the office Re: x",
    "Out-of-Office Re: x",
    "Auto: x",
    "Autoreply: x",
    "Auto-Reply: x",
    "Auto Response: x",
    "AutoReply",
    "Automatische Antwort: x",
    "Abwesenheitsnotiz: x",
    "Abwesenheitsnachricht",
    "Abwesend: x",
    "Réponse automatique : x",
    "Absence du bureau : x",
    "Message d'absence",
    "Respuesta automática: x",
    "Fuera de la oficina: x",
    "Resposta automática: x",
    "Ausência do escritório: x",
    "Risposta automatica: x",
    "Fuori sede: x",
    "Automatisch antwoord: x",
    "Afwezig: x",
    "Afwezigheidsbericht",
    "Autosvar: x",
    "Automatiskt svar: x",
    "Automatisk svar: x",
    "Frånvaro: x",
    "Ikke til stede: x",
    "Automaattinen vastaus: x",
    "Poissa: x",
    "Odpowiedź automatyczna: x",
    "Automatyczna odpowiedź: x",
    "Automatická odpověď: x",
    "Automatická odpoveď: x",
    "Automatikus válasz: x",
    "Házon kívül: x",
    "Răspuns automat: x",
    "Автоматичен отговор: x",
    "Αυτόματη απάντηση: x",
    "Otomatik yanıt: x",
    "Автоматический ответ: x",
    "Автоответ: x",
    "Автоматична відповідь: x",
    "Automatski odgovor: x",
    "Samodejni odgovor: x",
    "Automaatvastus: x",
    "Automātiska atbilde: x",
    "Automatinis atsakymas: x",
    "自動応答: x",
    "自動返信: x",
    "不在通知: x",
    "自动回复: x",
    "自动答复: x",
    "自動回覆: x",
    "자동 회신: x",
    "부재중: x",
    "תשובה אוטומטית: x",
    "رد تلقائي: x",
    "ตอบกลับอัตโนมัติ: x",
    "Trả lời tự động: x",
    "Balasan otomatis: x",
    "Resposta automàtica: x",
    "Jawapan automatik: x",
    "I am out of office",
    "On vacation: x",
    "Vacation reply: x",
    "Urlaubsabwesenheit",
    "Currently out of the office: x",
    "[Auto-Reply] x",
    "Thank you for contacting Acme (automated response)",
]


@pytest.mark.parametrize("subject", AWAY)
def test_mail_when_subject_is_an_assistants_then_is_automatic(subject: str) -> None:
    assert parse(f"From: ana@orga.example\r\nSubject: {subject}\r\n\r\nx".encode()).auto_reason == "subject"


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic door broken",
        "Re: Auto insurance",
        "Office is out of paper",
        "My vacation photos do not load",
        "Autocomplete fails",
        "Automobile: x",
        "Auto kaputt: x",
        "Abwesenheit im Kalender eintragen?",
        "Delivery of my parcel",
        "Response time is slow",
        "Urlaub beantragen geht nicht",
        "Autoradio defekt",
        "How to set an automatic reply?",
        "Fwd: Automatic reply: x",
        "Re: Automatic reply: x",
        "Poissa käytöstä? Kysymys",
    ],
)
def test_mail_when_subject_is_a_persons_then_is_not_automatic(subject: str) -> None:
    assert parse(f"From: ana@orga.example\r\nSubject: {subject}\r\n\r\nx".encode()).auto_reason == ""


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        'Auto-Submitted: auto-replied; owner-email="x"',
        "Auto-Submitted: auto-generated",
        "X-Autoreply: yes",
        "X-Autorespond: x",
        "X-Auto-Response-Suppress: All",
        "Precedence: auto_reply",
        "Precedence: bulk",
        "X-Autogenerated: Reply",
        "X-FC-MachineGenerated: true",
        "X-POST-MessageClass: 9; Autoresponder",
        "Delivered-To: Autoresponder",
        "X-Cron-Env: <SHELL=/bin/sh>",
        "X-Autoresponder-Version: 1",
        "X-Gmail-Autoresponder: x",
        "X-Mailer: vacation 1.2",
        "List-Id: x",
        "List-Unsubscribe: <mailto:x@y.example>",
        "X-OTRS-Loop: 1",
        "X-RT-Loop-Prevention: acme",
        "X-Vacation: yes",
        "X-Auto-Reply-From: a@x.example",
        "Preference: auto_reply",
        "X-AutoReply-From: x",
        "X-Autoreply-Sent: yes",
        "X-Mail-Autoreply: yes",
        "X-Auto-Response-Suppress: DR, OOF, AutoReply",
        "X-Mailer: CVSTrac vacation",
        "X-ServiceNow-Generated: true",
    ],
)
def test_mail_when_a_program_says_that_it_wrote_it_then_is_automatic(header: str) -> None:
    assert parse(f"From: ana@orga.example\r\n{header}\r\nSubject: Re: x\r\n\r\nx".encode()).auto is True
