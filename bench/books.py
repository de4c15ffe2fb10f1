"""What the ledger asks of the product's database and files, in the product's own environment: `manage.py shell -c "from bench import books; books.show()"`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from notifications.channels import LEASE
from notifications.models import Delivery, State
from tickets.models import Comment, Event, EventKind, InboundMessage, InboundState, Ticket

if TYPE_CHECKING:
    from accounts.models import User


def show() -> None:
    """Of the mails of this run: the demo's own tickets came from nobody at elsewhere.example."""
    tickets = Ticket.objects.filter(requester__email__endswith="@elsewhere.example")
    comments = Comment.objects.filter(ticket__in=tickets).select_related("author").prefetch_related("attachments", "events")
    events = Event.objects.filter(ticket__in=tickets).select_related("actor")
    facts = {
        "comments": [_comment(comment) for comment in comments],
        "tickets": [(ticket.pk, ticket.events.filter(kind=EventKind.OPENED, comment__isnull=False).count()) for ticket in tickets],
        "inbound": [
            {"id": mail.pk, "state": mail.state, "comment": mail.comment_id, "reason": mail.reason, "attempts": mail.attempts}
            for mail in InboundMessage.objects.iterator(chunk_size=20)
            if b"see token-" in bytes(mail.raw)
        ],
        "events": [
            {"id": event.pk, "kind": event.kind, "actor": _address(event.actor), "dispatched": event.dispatched_at is not None}
            for event in events
        ],
        "deliveries": [
            {"event": mail.event_id, "to": mail.recipient.email, "kind": mail.kind, "state": mail.state, "message_id": mail.message_id}
            for mail in Delivery.objects.filter(event__in=events).select_related("recipient")
        ],
    }
    print(json.dumps(facts))


def _comment(comment: Comment) -> dict[str, Any]:
    return {
        "token": (re.findall(r"token-\d+-\w+", comment.text) or [comment.text])[0],
        "author": _address(comment.author),
        "ticket": comment.ticket_id,
        "opens": any(event.kind == EventKind.OPENED for event in comment.events.all()),
        "files": [sha256(each.file.read()).hexdigest() for each in comment.attachments.all()],
    }


def _address(person: User | None) -> str:
    return person.email if person else ""


def end_leases(last_death: float) -> None:
    """Ends what a worker had leased that died no later than then, and the wait of mails that one was at; not the lease of a worker that lives."""
    now, ends = timezone.now(), datetime.fromtimestamp(last_death, UTC) + LEASE
    Delivery.objects.filter(state=State.SENDING, next_attempt_at__lt=ends).update(next_attempt_at=now)
    InboundMessage.objects.filter(state=InboundState.WAITING, attempts__gt=0).update(next_attempt_at=now)
