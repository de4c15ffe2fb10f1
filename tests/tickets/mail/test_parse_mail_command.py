"""The command that prints what the parser reads."""

from __future__ import annotations

import base64
import io
import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def run(monkeypatch: pytest.MonkeyPatch, stdin: bytes, **options: Any) -> list[dict[str, Any]]:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
    out = io.StringIO()
    call_command("parse_mail", stdout=out, **options)
    assert out.getvalue().isascii()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_command_when_given_one_message_then_prints_its_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    (answer,) = run(monkeypatch, b"From: Ana <ana@orga.example>\nSubject: x\nIn-Reply-To: <a@b>\n\nHi", json="-")
    assert answer == {
        "from": "ana@orga.example",
        "from_name": "Ana",
        "subject": "x",
        "text": "Hi",
        "html": "",
        "attachments": [],
        "auto": False,
        "bounce": False,
        "reply_text": "Hi",
        "reply_to": "",
        "in_reply_to": ["a@b"],
    }


def test_command_when_html_is_hostile_then_prints_it_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = b'Content-Type: text/html\n\n<p onclick="x()">Hi</p><script>x()</script><img src="cid:a">'
    (answer,) = run(monkeypatch, raw, json="-")
    assert answer["html"] == '<p>Hi</p><img src="cid:a">'


def test_batch_when_given_lines_then_answers_each(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [base64.b64encode(b"Subject: one\n\n"), base64.b64encode(b"a: b\n" * 2_000), b"!"]
    answers = run(monkeypatch, b"\n".join(lines) + b"\n", batch=True)
    assert [answer.get("subject", answer.get("error")) for answer in answers[:2]] == ["one", "too many headers"]


def test_command_when_message_is_unreadable_then_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="too many headers"):
        run(monkeypatch, b"a: b\n" * 2_000, json="-")
