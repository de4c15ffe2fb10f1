"""`manage.py seed_demo`: people and tickets to look at, into an empty database, in demo mode alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from notifications.apps import wake_sender
from tickets.demo import seed
from tickets.events import event_recorded
from tickets.models import Ticket

if TYPE_CHECKING:
    from collections.abc import Iterator


class Command(BaseCommand):
    help = "Fills an empty database with the demo's people and tickets."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("DEMO is off. The demo's accounts have a public password and belong on no real installation.")
        if Ticket.objects.exists() or User.objects.exists():
            raise CommandError("The database is not empty, and the demo's data goes into an empty one alone.")
        with _nobody_woken(), transaction.atomic():
            count = seed(timezone.now())
        self.stdout.write(f"Demo data: {count} tickets.")


@contextmanager
def _nobody_woken() -> Iterator[None]:
    """Hundreds of nudges for nothing would be the worker's first work."""
    event_recorded.disconnect(dispatch_uid="notifications.wake_sender")
    try:
        yield
    finally:
        event_recorded.connect(wake_sender, dispatch_uid="notifications.wake_sender")
