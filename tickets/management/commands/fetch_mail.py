"""`manage.py fetch_mail`: polls the IMAP mailboxes once, and handles what came."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from tickets.mail import fetch, ingest


class Command(BaseCommand):
    help = "Polls the configured IMAP mailboxes once and handles new mail."

    def handle(self, *_args: Any, **_options: Any) -> None:
        new = fetch.fetch_all()
        handled = ingest.ingest_waiting()
        self.stdout.write(f"{new} new, {handled} handled.")
