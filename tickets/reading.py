"""What a person has not read yet: the public happenings by others since they last had the ticket open.

An internal note is no news, and neither is what goes on behind one customers' name of a status; so unread says nothing of what customers don't see.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils import timezone

from tickets import access
from tickets.models import Event, EventKind, Ticket, TicketRead

if TYPE_CHECKING:
    from accounts.models import User

_FADES = timedelta(days=30)  # who joins an organization is not met by years of unread tickets
_NEWS = (
    EventKind.OPENED,
    EventKind.COMMENTED,
    EventKind.STATUS_CHANGED,
    EventKind.RESOLVED,
    EventKind.CLOSED,
    EventKind.REOPENED,
    EventKind.FIX_CONFIRMED,
    EventKind.PRIORITY_CHANGED,  # where the customer was told
)


def with_unread(tickets: QuerySet[Ticket], user: User) -> QuerySet[Ticket]:
    """Each with `is_unread`."""
    return tickets.annotate(is_unread=has_news(user))


def has_news(user: User) -> Exists:
    """Of a ticket: what others did in public since this person last had it open."""
    read = TicketRead.objects.filter(user=user, ticket=OuterRef("ticket")).values("event")
    news = Event.objects.filter(ticket=OuterRef("pk"), is_internal=False, kind__in=_NEWS, at__gt=timezone.now() - _FADES)
    news = news.exclude(actor=user, actor__isnull=False).filter(pk__gt=Coalesce(Subquery(read), Value(0)))
    renamed = Q(kind=EventKind.STATUS_CHANGED, old_name=F("new_name"))
    news = news.alias(old_name=KT("data__old_public"), new_name=KT("data__new_public")).exclude(renamed)
    return Exists(news)


@transaction.atomic
def mark_read(ticket: Ticket, user: User, *, seen: int | None = None) -> None:
    """Up to the event `seen`, or all there is now; never back. The ticket is one that the person sees."""
    events = access.events_for(user, ticket)
    last = (events if seen is None else events.filter(pk__lte=seen)).order_by("-pk").first()
    if last is None:
        return
    _mark, is_new = TicketRead.objects.get_or_create(user=user, ticket=ticket, defaults={"event": last})
    if not is_new:
        TicketRead.objects.filter(user=user, ticket=ticket, event__lt=last.pk).update(event=last)
