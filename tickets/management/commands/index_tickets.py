"""`manage.py index_tickets`: brings the index of related tickets up to date, as the worker does by itself. `--again`: all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from tickets.models import Ticket
from tickets.search import indexing

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

_STEP = 1_000


class Command(BaseCommand):
    help = "Indexes the tickets that wait for it, so that they are found as related ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--again", action="store_true", help="all tickets, also those that are indexed")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["again"]:
            Ticket.objects.filter(is_indexed=True).update(is_indexed=False)
        total = 0
        while done := indexing.index_waiting(most=_STEP):
            total += done
            self.stdout.write(f"{total} tickets indexed")
