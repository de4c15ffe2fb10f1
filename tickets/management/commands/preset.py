"""`manage.py preset apty`: installs a workflow. Safe to run again; never changes what stands, which `--dry-run` shows beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from accounts.models import AgentGroup
from tickets.models import Mailbox, Priority, Status, TicketType
from tickets.presets import PRESETS, Preset
from tickets.sla.preset import install_sla, sla_differences
from tickets.spans import span_in_words, span_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.management.base import CommandParser
    from django.db.models import Model


class Command(BaseCommand):
    help = "Installs statuses, types, priorities, groups, SLA and the support mailbox of a preset, where they are missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=sorted(PRESETS))
        parser.add_argument("--dry-run", action="store_true", help="Only says what would be new, and what stays although it differs.")

    @transaction.atomic
    def handle(self, *_args: Any, **options: Any) -> None:
        preset = PRESETS[options["name"]]
        if not options["dry_run"]:
            self.stdout.write(f"Preset {options['name']}: {install(preset)} new entries.")
            return
        stays = [line for row in _rows(preset) for line in row.differences()]
        others = sorted(map(_called, _beside(preset)))
        for name, what, is_now, span in sla_differences(preset.sla):
            shown = f"{what} is {span_words(is_now) if is_now else 'empty'}, the preset has {span_words(span)}"
            stays.append(f"SLA policy “Standard”, {name or 'any other priority'}: {shown}")
        new = _install(preset)
        transaction.set_rollback(True)
        self._tell("Would be new:", new)
        self._tell("Differs from the preset, and stays as it is:", stays)
        self._tell("Not of the preset, and stays:", others)
        self.stdout.write("Nothing was changed.")

    def _tell(self, title: str, lines: list[str]) -> None:
        self.stdout.write(title)
        self.stdout.write("\n".join(f"  {line}" for line in lines or ["nothing"]))


@transaction.atomic
def install(preset: Preset) -> int:
    """How many rows were missing. A default that an admin gave to another row stays there."""
    return len(_install(preset))


def _install(preset: Preset) -> list[str]:
    """What was missing."""
    new = [str(row) for row in _rows(preset) if row.make()]
    mailbox, is_new = Mailbox.objects.get_or_create(address=settings.SUPPORT_ADDRESS, defaults={"name": "Support"})
    return new + [_called(thing) for thing in (*([mailbox] if is_new else []), *install_sla(preset.sla))]


def _called(thing: Model) -> str:
    return f"{thing._meta.verbose_name} “{thing}”"


@dataclass(frozen=True, slots=True)
class _Row:
    """An entry of a preset."""

    model: type[Model]
    name: str
    fields: dict[str, Any]
    alone: dict[str, Any]  # what one row alone can be: the default of its kind, a level. Who has it keeps it

    def __str__(self) -> str:
        return f"{self.model._meta.verbose_name} “{self.name}”"

    def make(self) -> bool:
        """Whether it was missing. One whose level is another's is not made, as an admin has put that in its place."""
        alone = dict(self.alone)
        if self._has_taken(alone):
            if "level" in alone:
                return False
            alone = {"is_default": False}
        fields = self.fields | {key: value for key, value in alone.items() if key != "category"}
        return self.model._default_manager.get_or_create(name=self.name, defaults=fields)[1]

    def _has_taken(self, alone: dict[str, Any]) -> Model | None:
        return self.model._default_manager.filter(**alone).exclude(name=self.name).first() if alone else None

    def differences(self) -> Iterator[str]:
        stands = self.model._default_manager.filter(name=self.name).first()
        if taken := self._has_taken(self.alone):
            what = f"level {self.alone['level']}" if "level" in self.alone else "the default"
            yield f"{self}: {what} is “{taken}”"
        for name, value in (self.fields if stands else {}).items():
            if (is_now := getattr(stands, name)) != value:
                label = self.model._meta.get_field(name).verbose_name  # type: ignore[union-attr] # a column
                yield f"{self}: {label} is {_shown(is_now)}, the preset has {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return span_in_words(value)
    return f"“{value}”" if value not in ("", None) else "empty"


def _rows(preset: Preset) -> Iterator[_Row]:
    switches: dict[str, Any] = dict.fromkeys(("pauses_sla", "requires_type", "asks_reference", "reopens_on_reply", "is_retired"), False)
    blank = {"public_name": "", "closes_after": None, **switches}
    for position, (name, fields) in enumerate(preset.statuses.items(), start=1):
        given = {key: value for key, value in fields.items() if key != "is_default"}
        alone = {"category": fields["category"], "is_default": True} if fields.get("is_default") else {}
        yield _Row(Status, name, blank | given | {"position": position}, alone)
    for position, (name, text) in enumerate(preset.types.items(), start=1):
        yield _Row(TicketType, name, {"description": text, "position": position}, {})
    for level, (name, text) in enumerate(preset.priorities.items(), start=1):
        yield _Row(Priority, name, {"definition": text, "position": level}, {"level": level})
    for at, (name, text) in enumerate(preset.groups.items()):
        yield _Row(AgentGroup, name, {"description": text}, {} if at else {"is_default": True})


def _beside(preset: Preset) -> Iterator[Model]:
    """What is offered, and is not the preset's."""
    named: dict[type[Model], dict[str, Any]] = {
        Status: preset.statuses,
        TicketType: preset.types,
        Priority: preset.priorities,
        AgentGroup: preset.groups,
    }
    for model, names in named.items():
        for thing in model._default_manager.exclude(name__in=names):
            if not getattr(thing, "is_retired", False):
                yield thing
