"""Prints what the mail parser reads in a message: for scoring it and for looking at odd mail. Stores nothing."""

from __future__ import annotations

import base64
import binascii
import json
import sys
from argparse import ArgumentParser
from typing import Any

import nh3
from django.core.management.base import BaseCommand, CommandError

from tickets.mail.parse import ParsedMail, UnreadableMail, parse

_URL_SCHEMES = nh3.ALLOWED_URL_SCHEMES | {"cid"}


class Command(BaseCommand):
    help = "Reads one raw message from standard input (or, with --batch, one in base64 a line) and prints it as JSON."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own shape

    def add_arguments(self, parser: ArgumentParser) -> None:
        form = parser.add_mutually_exclusive_group(required=True)
        form.add_argument("--json", choices=["-"], help="read one raw message from standard input")
        form.add_argument("--batch", action="store_true", help="read base64 lines, answer each with a JSON line")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["batch"]:
            for line in sys.stdin.buffer:
                self._print(_batch_answer(line))
            return
        try:
            self._print(as_dict(parse(sys.stdin.buffer.read())))
        except UnreadableMail as error:
            raise CommandError(str(error)) from error

    def _print(self, answer: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(answer))  # plain ASCII, so no terminal and no surrogate can break it
        self.stdout.flush()


def as_dict(mail: ParsedMail) -> dict[str, Any]:
    return {
        "from": mail.from_address,
        "from_name": mail.from_name,
        "subject": mail.subject,
        "text": mail.text,
        "html": nh3.clean(mail.html, url_schemes=_URL_SCHEMES) if mail.html else "",
        "attachments": [{"name": file.name, "type": file.content_type, "size": len(file.content)} for file in mail.attachments],
        "auto": mail.auto,
        "bounce": mail.bounce,
        "reply_text": mail.reply_text,
        "reply_to": mail.reply_to,
        "in_reply_to": list(mail.in_reply_to),
    }


def _batch_answer(line: bytes) -> dict[str, Any]:
    try:
        return as_dict(parse(base64.b64decode(line)))
    except (UnreadableMail, binascii.Error) as error:
        return {"error": str(error)}
