"""`manage.py recompute_clocks`: whether every SLA clock is what the ticket's events say; what is not is put right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from tickets.models import Ticket
from tickets.sla.clocks import recompute

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Makes the SLA clocks of tickets of their events again, says what was wrong, and puts it right."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("numbers", nargs="*", type=int, help="of tickets; all without")
        parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where something is wrong")

    def handle(self, *_args: Any, **options: Any) -> None:
        tickets = Ticket.objects.order_by("pk")
        if options["numbers"]:
            tickets = tickets.filter(pk__in=options["numbers"])
        looked, wrong = 0, 0
        for number in tickets.values_list("pk", flat=True).iterator():
            found = recompute(number, mend=not options["check"])
            looked, wrong = looked + 1, wrong + bool(found)
            for said in found:
                self.stdout.write(said)
        self.stdout.write(f"{looked} tickets looked at, {wrong} wrong.")
        if wrong and options["check"]:
            raise CommandError("The clocks above are not what their events say.")
