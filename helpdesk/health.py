"""How the installation is doing: asked by probes (`/readyz`) and, later, by `manage.py queues`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import current_app
from django.db import Error, connection
from django.db.models import Min
from django.utils import timezone
from kombu.exceptions import OperationalError

from notifications.models import Delivery
from tickets.models import Event, InboundMessage, InboundState, Ticket

if TYPE_CHECKING:
    from datetime import datetime

MAX_LAG = 180  # seconds that work may be due before we call it stuck


def readiness() -> dict[str, Any]:
    """`lag` is in seconds, of the oldest work that is due in each queue."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        lag = _lags()
    except Error:
        return {"ready": False, "database": False}
    broker = _broker_answers()
    return {"ready": broker and max(lag.values()) < MAX_LAG, "database": True, "broker": broker, "lag": lag}


def _lags() -> dict[str, int]:
    return {
        "events": _age(Event.objects.filter(dispatched_at=None).aggregate(oldest=Min("at"))["oldest"]),
        "deliveries": _age(Delivery.objects.due().aggregate(oldest=Min("next_attempt_at"))["oldest"]),
        "inbound": _age(InboundMessage.objects.filter(state=InboundState.WAITING).aggregate(oldest=Min("next_attempt_at"))["oldest"]),
        "closes": _age(Ticket.objects.due_to_close().aggregate(oldest=Min("close_due_at"))["oldest"]),
    }


def _age(moment: datetime | None) -> int:
    return max(0, int((timezone.now() - moment).total_seconds())) if moment else 0


def _broker_answers() -> bool:
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (OperationalError, OSError):
        return False
    return True
