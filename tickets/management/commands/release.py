"""`manage.py release 4.2 ENG-17 --by agent@example.com`: tells each ticket that waits for one of the references. Safe to run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from tickets import releases
from tickets.models import ReleasePost, Status

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = (
        "Comments on each ticket escalated for one of the references that the version has shipped; once on each, however often it is run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version")
        parser.add_argument("references", nargs="+", metavar="REFERENCE")
        parser.add_argument("--by", required=True, metavar="ADDRESS", help="Who says it: a member of staff.")
        parser.add_argument(
            "--text", default="", help="Instead of the status' own words. {version}, {name}, {number} and {subject} are filled in."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only lists the tickets.")

    def handle(self, *_args: Any, **options: Any) -> None:
        actor = User.objects.by_address(options["by"])
        if actor is None or not (actor.is_staff and actor.is_active):
            raise CommandError("Nobody of the staff has this address.")
        version, references = options["version"].strip(), options["references"]
        tickets = releases.told_by(actor, version=version, references=references)
        if options["dry_run"]:
            for ticket in tickets:
                self.stdout.write(f"#{ticket.pk} {ticket.reference} {ticket.subject}")
            self.stdout.write(f"{len(tickets)} tickets would be told of {version}.")
            return
        text = options["text"] or default_text()
        shipped = releases.release(actor=actor, version=version, references=references, text=text)
        said = 0
        while now := releases.post_waiting(shipped):
            said += now
            self.stdout.write(f"{said} told")
        failed = ReleasePost.objects.filter(release=shipped, posted_at=None).exclude(problem="")
        for row in failed:
            self.stderr.write(f"#{row.ticket_id}: {row.problem}")
        self.stdout.write(f"{version}: {said} tickets were told now, {shipped.posts.exclude(posted_at=None).count()} in all.")


def default_text() -> str:
    """Of the first status that asks for a reference."""
    status = Status.objects.filter(asks_reference=True).first()
    return status.release_comment if status else ""
