"""`manage.py receive_mail < message.eml`: what an MTA pipes mail into. Exit status 0 once it is stored, 75 (EX_TEMPFAIL) when it could not be."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from django.db import Error

from tickets.mail import ingest

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Takes one raw mail on standard input; prints what became of it as a line of JSON."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", default="", help="the address it was delivered to")
        parser.add_argument("--from", dest="sender", default="", help="the envelope sender")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            mailbox, _address = ingest.meant_for([options["to"]])
            raw = sys.stdin.buffer.read()
            message, is_new = ingest.store(raw, mailbox=mailbox, envelope_from=options["sender"], envelope_to=options["to"])
        except (Error, OSError) as error:
            self.stderr.write(f"not stored: {error}")
            sys.exit(os.EX_TEMPFAIL)
        if is_new:
            ingest.ingest(message.pk)
            message.refresh_from_db()
        self.stdout.write(json.dumps(ingest.outcome(message, is_new=is_new)))
