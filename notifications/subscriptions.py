"""Reports by mail: each Monday at seven, in the company's zone, one mail for each subscription. Any number of sweeps make it once.

What it shows is counted when the mail is sent, with the recipient's own eyes: of tickets that they do not see it tells nothing.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import IllegalMove, NotAllowed
from accounts.models import User
from notifications.models import Delivery, Kind, Reason, ReportSubscription
from tickets.reports.asked import company_zone

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from tickets.reports.asked import Asked

logger = logging.getLogger(__name__)

_HOUR = time(7)
MOST = 20  # of one person


def next_monday(now: datetime) -> datetime:
    """The first Monday at seven after `now`."""
    zone = company_zone()
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    mornings = (datetime.combine(monday + timedelta(weeks=weeks), _HOUR, zone).astimezone(UTC) for weeks in (0, 1))
    return next(morning for morning in mornings if morning > now)


def known_to(user: User) -> QuerySet[ReportSubscription]:
    """Those that this person gets, or made for somebody else."""
    mine = ReportSubscription.objects.filter(recipient=user) | ReportSubscription.objects.filter(created_by=user)
    return mine.select_related("recipient", "created_by").order_by("pk")


@transaction.atomic
def subscribe(name: str, asked: Asked, *, actor: User, recipient: User) -> ReportSubscription:
    """The one that stands if there is one already. Refused for dates, as the same week would come each week."""
    if not (actor.is_staff and recipient.is_staff):
        raise NotAllowed(_("Reports are mailed to our staff alone."))
    if asked.span is None:
        raise IllegalMove(_("Between two dates the report would be the same each week. Choose a period that moves on, such as last week."))
    User.objects.select_for_update(no_key=True).get(pk=recipient.pk)
    theirs = ReportSubscription.objects.filter(recipient=recipient)
    query = urlencode(asked.chosen)
    if standing := theirs.filter(report=name, query=query).first():
        return standing
    if theirs.count() >= MOST:
        raise IllegalMove(_("%(name)s gets %(n)s reports already. Stop one of them first.") % {"name": recipient.display_name, "n": MOST})
    return ReportSubscription.objects.create(
        report=name, query=query, recipient=recipient, created_by=actor, next_at=next_monday(timezone.now())
    )


@transaction.atomic
def end(subscription: ReportSubscription, *, actor: User) -> None:
    """By who gets it, by who made it, or by an admin. A mail that waits is not sent any more."""
    if actor.pk not in (subscription.recipient_id, subscription.created_by_id) and not actor.is_admin:
        raise NotAllowed(_("This report is mailed to somebody else."))
    subscription.delete()


def make_due() -> int:
    """One mail for each subscription whose time has come. Who fails is told in the log, and holds up nobody else. Returns how many were made."""
    made = 0
    for pk in list(ReportSubscription.objects.filter(next_at__lte=timezone.now()).values_list("pk", flat=True)):
        try:
            made += _make(pk)
        except Exception:
            logger.exception("the mail of subscription %s could not be made; the next sweep tries again", pk)
    return made


@transaction.atomic
def _make(pk: int) -> bool:
    """False when another sweep has made it, or who it was for no longer works here. Weeks that were missed are not made up for."""
    now = timezone.now()
    due = ReportSubscription.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk, next_at__lte=now)
    subscription = due.select_related("recipient").first()
    if subscription is None:
        return False
    subscription.next_at = next_monday(now)
    subscription.save(update_fields=["next_at"])
    recipient = subscription.recipient
    if not recipient.is_staff:
        return False
    Delivery.objects.create(subscription=subscription, recipient=recipient, address=recipient.email, kind=Kind.REPORT, reason=Reason.REPORT)
    return True
