"""The daily digest: what was collected for a person becomes one mail a day, in the morning where they are. Any number of sweeps make it once.

A day begins at eight. Who no longer wants a digest gets what is left of it at the next sweep. The mail itself is rendered and sent like any other.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from notifications.audience import may_be_told_of
from notifications.models import Delivery, Kind, Level, MailPreference, Reason, State, TicketPreference

logger = logging.getLogger(__name__)

_HOUR = time(8)


def make_due() -> int:
    """One digest for each person whose time has come. Who fails is told in the log, and holds up nobody else. Returns how many were made."""
    made = 0
    for person in _people_due():
        try:
            made += _make(person)
        except Exception:
            logger.exception("the digest of person %s could not be made; the next sweep tries again", person)
    return made


def _people_due() -> list[int]:
    waiting = {row["recipient"]: row for row in _waiting()}
    people = User.objects.in_bulk(waiting)
    return [pk for pk, row in waiting.items() if _has_come(people[pk], row)]


def _waiting() -> QuerySet[Any, Any]:
    """For each person the oldest that was collected, and how much of it they no longer want in a digest (`strays`)."""
    own = TicketPreference.objects.filter(user=OuterRef("recipient"), ticket=OuterRef("ticket")).values("level")
    general = MailPreference.objects.filter(user=OuterRef("recipient")).values("level")
    level = Coalesce(Subquery(own), Subquery(general), Value(Level.ALL.value))
    collected = Delivery.objects.filter(state=State.COLLECTED).annotate(level=level).order_by("recipient")
    return collected.values("recipient").annotate(oldest=Min("created_at"), strays=Count("pk", filter=~Q(level=Level.DIGEST)))


def _has_come(user: User, row: dict[str, Any]) -> bool:
    if row["strays"]:
        return True
    began = day_began(user)
    todays = Delivery.objects.filter(recipient=user, kind=Kind.DIGEST, created_at__gte=began)
    return row["oldest"] < began and not todays.exists()


def day_began(user: User) -> datetime:
    """The last time it was eight where this person is."""
    zone = ZoneInfo(user.known_zone or settings.TIME_ZONE)
    now = timezone.now()
    today = now.astimezone(zone).date()
    # As moments: two times of one zone would be compared by what the clock on the wall shows.
    eight, before = (datetime.combine(day, _HOUR, zone).astimezone(UTC) for day in (today, today - timedelta(days=1)))
    return eight if eight <= now else before


@transaction.atomic
def _make(person: int) -> bool:
    """The person's row is locked, so that of several sweeps one makes it. False when another did, or nothing of it may be told any more."""
    user = User.objects.select_for_update(no_key=True).get(pk=person)
    row = _waiting().filter(recipient=user).first()
    if not row or not _has_come(user, row):
        return False
    collected = Delivery.objects.filter(recipient=user, state=State.COLLECTED)
    rows = list(collected.select_related("event__ticket"))
    visible = {event.pk for event in may_be_told_of(user, [row.event for row in rows if row.event])}
    told, lost = ([row.pk for row in rows if (row.event_id in visible) is is_told] for is_told in (True, False))
    collected.filter(pk__in=lost).update(state=State.CANCELLED, error=_("This person may no longer see the ticket."))
    if told:
        digest = Delivery.objects.create(recipient=user, address=user.email, kind=Kind.DIGEST, reason=Reason.DIGEST)
        collected.filter(pk__in=told).update(state=State.MERGED, told_by=digest)
    return bool(told)
