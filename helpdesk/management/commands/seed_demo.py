"""`manage.py seed_demo`: people, tickets and mail to look at, into an empty database, in demo mode alone.

The mails about the tickets are written where mail is kept, dated like what they tell of; none of them leaves, now or later.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from notifications import kept_mail, relay
from notifications.apps import wake_sender
from notifications.models import Delivery, State
from notifications.render import render
from tickets.demo.story import seed
from tickets.events import event_recorded
from tickets.mail import ingest
from tickets.mail.tokens import thread_id
from tickets.models import Event, InboundMessage, Ticket

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator
    from datetime import datetime

_ON_THE_WAY = timedelta(seconds=20)  # from what happened to the mail about it
_ANSWERED = "Single sign-on certificate expires in ten days"
_BOUNCED = "Everything is down in warehouse 3"


class Command(BaseCommand):
    help = "Fills an empty database with the demo's people, tickets and mail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-fresh", action="store_true", help="do nothing, instead of complaining, where it does not belong")

    def handle(self, *_args: Any, **options: Any) -> None:
        if refusal := _refusal():
            if options["if_fresh"]:
                return
            raise CommandError(refusal)
        now = timezone.now()
        with _nobody_woken(), transaction.atomic():
            count = seed(now, tell=_tell)
            _fail_one()
            _receive_odd_mail(now)
        self.stdout.write(f"Demo data: {count} tickets.")


def _refusal() -> str:
    if not settings.DEMO:
        return "DEMO is off. The demo's accounts have a public password and belong on no real installation."
    if Ticket.objects.exists() or User.objects.exists():
        return "The database is not empty, and the demo's data goes into an empty one alone."
    return ""


@contextmanager
def _nobody_woken() -> Iterator[None]:
    """Hundreds of nudges for nothing would be the worker's first work."""
    event_recorded.disconnect(dispatch_uid="notifications.wake_sender")
    try:
        yield
    finally:
        event_recorded.connect(wake_sender, dispatch_uid="notifications.wake_sender")


# --- Out ---------------------------------------------------------------------------------------------------------------------


def _tell(event: Event) -> None:
    """Deliveries as the relay makes them, each sent at its time into the folder of kept mail, whatever this installation sends by."""
    Event.objects.filter(pk=event.pk).update(dispatched_at=None)
    relay.dispatch(event.pk)
    Event.objects.filter(pk=event.pk).update(dispatched_at=event.at)
    for delivery in event.deliveries.select_related("event__actor", "event__comment", "ticket__status", "recipient"):
        _keep(delivery, event.at)


def _keep(delivery: Delivery, at: datetime) -> None:
    mail = render(delivery)
    mail.extra_headers["Date"] = format_datetime(at + _ON_THE_WAY)
    kept_mail.EmailBackend().send_messages([mail])
    delivery.state, delivery.attempts = State.SENT, 1
    delivery.subject, delivery.message_id = mail.subject[:300], mail.extra_headers["Message-ID"].strip("<>")
    delivery.created_at = delivery.next_attempt_at = at
    delivery.sent_at = at + _ON_THE_WAY
    delivery.save()


def _fail_one() -> None:
    """One that came back, so that the desk shows what that looks like."""
    delivery = Delivery.objects.filter(ticket__subject=_BOUNCED, kind="confirmation").get()
    delivery.state, delivery.sent_at = State.FAILED, None
    delivery.error = "550 5.2.2 the mailbox is full"
    delivery.save(update_fields=["state", "sent_at", "error"])


# --- In ----------------------------------------------------------------------------------------------------------------------


def _receive_odd_mail(now: datetime) -> None:
    """What a person must decide about: an answer from an address that nobody knows on that ticket, a robot; and an absence note, which is ignored."""
    answered = Ticket.objects.get(subject=_ANSWERED)
    thread = f"In-Reply-To: <{thread_id(answered.pk)}>"
    private = "From: Ben Whitaker <ben.whitaker@home.example>"
    text = "I am writing from my private address, as I can't log in at work: the new certificate is ready. Whom may I send it to?"
    _receive(now - timedelta(hours=2), private, f"Subject: Re: {answered.subject}", thread, text=text)
    robot = ("From: Build robot <ci@northwind.example>", "Auto-Submitted: auto-generated")
    _receive(now - timedelta(hours=7), *robot, "Subject: [monitoring] player.js answers slowly", text="p95 was 2.1 s over the last hour.")
    absent = ("From: Cleo Marchetti <customer@globex.example>", "Auto-Submitted: auto-replied", "Subject: Out of office: Slow Studio")
    _receive(now - timedelta(hours=20), *absent, thread, text="I am back on Monday.")


def _receive(at: datetime, *headers: str, text: str) -> None:
    usual = (f"To: {settings.SUPPORT_ADDRESS}", f"Date: {format_datetime(at)}", f"Message-ID: <{at.timestamp():.0f}@mail.example>")
    raw = "\r\n".join([*headers, *usual, "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "", text, ""])
    message, _is_new = ingest.store(raw.encode(), mailbox=ingest.default_mailbox(), envelope_to=settings.SUPPORT_ADDRESS)
    ingest.ingest(message.pk)
    InboundMessage.objects.filter(pk=message.pk).update(received_at=at)
