"""What happens by itself when its time has come. Finds candidates without a lock; the verb looks again under one."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from tickets import actions, files, snoozing
from tickets.events import one_nudge
from tickets.models import Clock, Ticket, Upload
from tickets.sla.escalation import due_clocks, tell_due

logger = logging.getLogger(__name__)

_BATCH = 500
_PUT_OFF = timedelta(hours=1)
_CLOCKS, _LATE_CLOCKS, _AT_ONCE = 2000, 25, 100  # a call, four a minute, and a transaction
_ON_TIME = timedelta(hours=1)
_KEPT = timedelta(days=1)  # an upload that no comment took


def close_due() -> int:
    """Closes resolved tickets whose time is over; one that fails is told in the log, put off, and holds up no other. Returns how many this call closed."""
    closed = 0
    for number in list(Ticket.objects.due_to_close().order_by("close_due_at").values_list("pk", flat=True)[:_BATCH]):
        try:
            closed += actions.close_if_due(number)
        except Exception:
            logger.exception("ticket %s could not be closed; it is tried again in an hour", number)
            Ticket.objects.due_to_close().filter(pk=number).update(close_due_at=timezone.now() + _PUT_OFF)
    return closed


def wake_due() -> int:
    """Brings back snoozed tickets whose time has come; as above. Returns how many this call woke."""
    woken = 0
    for number in list(Ticket.objects.due_to_wake().order_by("snoozed_until").values_list("pk", flat=True)[:_BATCH]):
        try:
            woken += snoozing.wake_if_due(number)
        except Exception:
            logger.exception("ticket %s could not be woken; it is tried again in an hour", number)
            Ticket.objects.due_to_wake().filter(pk=number).update(snoozed_until=timezone.now() + _PUT_OFF)
    return woken


def tell_due_clocks() -> int:
    """Warns of what is nearly due, and says what is over; see `tickets.sla.escalation`. Returns how many clocks this call spoke of.

    What is on time goes first. What has waited, as after an outage, is spread over many calls, so that nobody's mailbox is flooded.
    """
    due = due_clocks().order_by("next_at").values_list("pk", flat=True)
    pks = [*due.filter(next_at__gt=Now() - _ON_TIME)[:_CLOCKS], *due.filter(next_at__lte=Now() - _ON_TIME)[:_LATE_CLOCKS]]
    with one_nudge():
        return sum(_tell(pks[start : start + _AT_ONCE]) for start in range(0, len(pks), _AT_ONCE))


def _tell(pks: list[int]) -> int:
    """Many in one transaction; where that fails, one after the other, so that the one that does it holds up no other."""
    try:
        return tell_due(pks)
    except Exception:
        if len(pks) > 1:
            return sum(_tell([pk]) for pk in pks)
        logger.exception("clock %s could not be told; it is tried again in an hour", pks[0])
        Clock.objects.filter(pk=pks[0], next_at__lte=Now()).update(next_at=Now() + _PUT_OFF)
        return 0


def drop_uploads() -> int:
    """Throws away what was uploaded, never posted, and belongs to no draft. Returns how many this call dropped."""
    old = Upload.objects.filter(created_at__lt=timezone.now() - _KEPT, drafts=None).order_by("created_at")[:_BATCH]
    return sum(files.drop(upload) for upload in old)
