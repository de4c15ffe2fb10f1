"""`manage.py queues [--json]`: how much waits, what failed, and how old the oldest work is. For people, scripts and tests that wait for quiet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from helpdesk.health import queues

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Shows what waits, what failed, and whether everything is done."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one line of JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        counts = queues()
        if options["json"]:
            self.stdout.write(json.dumps(counts))
        else:
            self.stdout.writelines(f"{name:20} {value}\n" for name, value in counts.items())
