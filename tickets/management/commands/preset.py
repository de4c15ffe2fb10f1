"""`manage.py preset apty`: installs a workflow. Safe to run again; never changes what stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from accounts.models import AgentGroup
from tickets.models import Mailbox, Priority, Status, TicketType
from tickets.preset_sla import install_sla
from tickets.presets import PRESETS, Preset

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Installs statuses, types, priorities, groups and the support mailbox of a preset, where they are missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=sorted(PRESETS))

    def handle(self, *_args: Any, **options: Any) -> None:
        made = install(PRESETS[options["name"]])
        self.stdout.write(f"Preset {options['name']}: {made} new entries.")


@transaction.atomic
def install(preset: Preset) -> int:
    """How many rows were missing. A default that an admin gave to another row stays there."""
    made = 0
    for position, (name, fields) in enumerate(preset.statuses.items(), start=1):
        taken = Status.objects.filter(category=fields["category"], is_default=True).exists()
        defaults = {**fields, "position": position, "is_default": fields.get("is_default", False) and not taken}
        made += Status.objects.get_or_create(name=name, defaults=defaults)[1]
    for position, (name, description) in enumerate(preset.types.items(), start=1):
        made += TicketType.objects.get_or_create(name=name, defaults={"description": description, "position": position})[1]
    for level, (name, definition) in enumerate(preset.priorities.items(), start=1):
        made += Priority.objects.get_or_create(name=name, defaults={"definition": definition, "position": level, "level": level})[1]
    for name, description in preset.groups.items():
        is_default = not AgentGroup.objects.filter(is_default=True).exists()
        made += AgentGroup.objects.get_or_create(name=name, defaults={"description": description, "is_default": is_default})[1]
    made += Mailbox.objects.get_or_create(address=settings.SUPPORT_ADDRESS, defaults={"name": "Support"})[1]
    return made + install_sla(preset.sla)
