"""How the installation is doing: asked by probes (`/readyz`) and by `manage.py queues`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from celery import current_app
from django.db import Error, connection
from django.db.models import Count, Min
from django.utils import timezone
from kombu.exceptions import OperationalError

from notifications.models import Delivery, State
from tickets.models import Draft, Event, InboundMessage, InboundState, Mailbox, Ticket
from tickets.models.inbound import MAILBOX_GRACE

if TYPE_CHECKING:
    from datetime import datetime

MAX_LAG = 180  # seconds that work may be due before we call it stuck


def readiness() -> dict[str, Any]:
    """`lag` is in seconds, of the oldest work that is due in each queue. Mail that can't be fetched lags too, where we can't see it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        lag = _lags()
        failing = _mailboxes_failing()
    except Error:
        return {"ready": False, "database": False}
    broker = _broker_answers()
    ready = broker and max(lag.values()) < MAX_LAG and not failing
    return {"ready": ready, "database": True, "broker": broker, "lag": lag, "mailboxes_failing": failing}


def _lags() -> dict[str, int]:
    return {
        "events": _age(Event.objects.filter(dispatched_at=None).aggregate(oldest=Min("at"))["oldest"]),
        "deliveries": _age(Delivery.objects.due().aggregate(oldest=Min("next_attempt_at"))["oldest"]),
        "inbound": _age(InboundMessage.objects.filter(state=InboundState.WAITING).aggregate(oldest=Min("next_attempt_at"))["oldest"]),
        "replies": _age(Draft.objects.filter(send_at__isnull=False).aggregate(oldest=Min("send_at"))["oldest"]),
        "closes": _age(Ticket.objects.due_to_close().aggregate(oldest=Min("close_due_at"))["oldest"]),
    }


def queues() -> dict[str, int | bool]:
    """What waits and what failed. `oldest_seconds` is of the oldest work that is due; `idle` says that nothing waits, not even for a later try."""
    inbound, deliveries = Counter(_states(InboundMessage)), Counter(_states(Delivery))
    waiting = {
        "replies_waiting": Draft.objects.filter(send_at__isnull=False).count(),
        "events_waiting": Event.objects.filter(dispatched_at=None).count(),
        "inbound_waiting": inbound[InboundState.WAITING] + inbound[InboundState.REPORT],
        "deliveries_waiting": deliveries[State.QUEUED] + deliveries[State.SENDING],
    }
    return {
        **waiting,
        "inbound_failed": inbound[InboundState.FAILED],
        "held": inbound[InboundState.HELD],
        "deliveries_failed": deliveries[State.FAILED],
        "mailboxes_failing": _mailboxes_failing(),
        "oldest_seconds": max(_lags().values()),
        "idle": not any(waiting.values()),
    }


def _mailboxes_failing() -> int:
    """Those that could not be polled for longer than a restart of a mail server takes."""
    polled = Mailbox.objects.filter(is_active=True).exclude(imap_host="")
    return polled.filter(failing_since__lt=timezone.now() - MAILBOX_GRACE).count()


def _states(model: type[InboundMessage | Delivery]) -> dict[str, int]:
    counted = model._default_manager.order_by().values_list("state").annotate(count=Count("pk"))
    return dict(counted)


def _age(moment: datetime | None) -> int:
    return max(0, int((timezone.now() - moment).total_seconds())) if moment else 0


def _broker_answers() -> bool:
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (OperationalError, OSError):
        return False
    return True
