"""Who is told of an event, by which mail, and why. Decides; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from accounts.models import Membership, User
from notifications.models import Kind, Reason, Suspension
from tickets import access
from tickets.models import Clock, Event, EventKind
from tickets.sla.promises import ClockState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from django.db.models import OuterRef, QuerySet

    from tickets.models import Ticket

# What customers who follow are told of; everything else is told to staff alone, or to nobody.
_TOLD_TO_FOLLOWERS = {
    EventKind.OPENED,
    EventKind.COMMENTED,
    EventKind.STATUS_CHANGED,
    EventKind.RESOLVED,
    EventKind.CLOSED,
    EventKind.REOPENED,
    EventKind.FIX_CONFIRMED,
    EventKind.PRIORITY_CHANGED,  # where they are told of it
    EventKind.MERGED,  # where their ticket goes on
    EventKind.UNMERGED,
}


@dataclass(frozen=True, slots=True)
class Told:
    user: User
    kind: Kind
    reason: Reason


def audience(event: Event) -> list[Told]:
    """Each person once, with the first reason that holds. Nobody is told what they did themselves, save the confirmation of a new ticket."""
    if event.ticket.is_spam or event.data.get("spam"):
        return []
    told: dict[int, Told] = {}
    for person in _candidates(event):
        told.setdefault(person.user.pk, person)
    return [person for person in told.values() if person.user.is_active and may_be_told(person.user, event)]


def may_be_told(user: User, event: Event) -> bool:
    """Asked when deliveries are made, and again when each is sent: what a person may no longer see is not mailed."""
    return bool(may_be_told_of(user, [event]))


def may_be_told_of(user: User, events: Sequence[Event]) -> list[Event]:
    """Those of them that the person may be told of, with one query for all."""
    open_to = [event for event in events if not event.ticket.is_spam and (user.is_staff or not event.is_internal)]
    if not open_to:
        return []
    tickets = access.tickets_for(user).filter(pk__in={event.ticket_id for event in open_to})
    visible = set(tickets.values_list("pk", flat=True))
    return [event for event in open_to if event.ticket_id in visible]


def _candidates(event: Event) -> list[Told]:
    ticket, kind = event.ticket, EventKind(event.kind)
    if kind == EventKind.FOLLOWER_ADDED:
        return _new_follower(event)
    if kind == EventKind.ORGANIZATION_ADDED:
        return _standing(event, Kind.SHARED, organization=event.data["organization"])
    if kind == EventKind.REQUESTER_CHANGED:
        return _confirmation(event)
    if kind == EventKind.ASSIGNED:
        stands = ticket.assignee if ticket.assignee_id == event.data["assignee"] else None  # else a later event tells its own
        return [Told(user, Kind.UPDATE, Reason.ASSIGNEE) for user in _others([stands], event)]
    if by_itself := _BY_ITSELF.get(kind):
        return by_itself(event)
    if kind == EventKind.NOTED:
        around = [*(person for person in _support(event) if person.reason != Reason.GROUP), *_followers(event)]
        return [person for person in [*_named(event), *around] if person.user.is_staff]
    if kind not in _TOLD_TO_FOLLOWERS or _looks_unchanged(event) or (kind == EventKind.PRIORITY_CHANGED and event.is_internal):
        return []
    return [*_confirmation(event), *_named(event), *_followers(event), *_standing(event), *_support(event)]


def _told_by_rule(event: Event) -> list[Told]:
    people = User.objects.filter(pk__in=event.data["told"]).order_by("pk")
    return [Told(user, Kind.UPDATE, Reason.RULE) for user in people if user.is_staff]


def _escalated(event: Event) -> list[Told]:
    """Whom the steps of the SLA policy name; nobody where the clock has stopped meanwhile."""
    told, tells = event.data["sla"], event.data["tells"]
    if not Clock.objects.filter(ticket=event.ticket, metric=told["metric"], round=told["round"], state=ClockState.RUNNING).exists():
        return []
    staff = User.objects.active_staff()
    named = staff.filter(Q(pk__in=tells["people"]) | Q(agent_groups__in=tells["groups"])).distinct().order_by("pk")
    workers: list[Told] = []
    if tells["assignee"] and event.ticket.assignee:
        workers = [Told(event.ticket.assignee, Kind.UPDATE, Reason.ASSIGNEE)]
    elif tells["assignee"]:
        workers = [Told(user, Kind.UPDATE, Reason.GROUP) for user in _team(event.ticket)]
    return [*workers, *(Told(user, Kind.UPDATE, Reason.SLA) for user in named)]


# What no person did, for our staff alone.
_BY_ITSELF: dict[EventKind, Callable[[Event], list[Told]]] = {
    EventKind.STAFF_TOLD: _told_by_rule,
    EventKind.SLA_WARNED: _escalated,
    EventKind.SLA_BREACHED: _escalated,
    EventKind.SLA_ESCALATED: _escalated,
}


def _named(event: Event) -> list[Told]:
    """Those whom the words name: they hear of it whether they follow or not, and though they follow in silence."""
    named = User.objects.filter(pk__in=event.data.get("named", {}).values()).order_by("pk")
    return [Told(user, Kind.UPDATE, Reason.MENTIONED) for user in _others(named, event)]


def _confirmation(event: Event) -> list[Told]:
    """To whose ticket it is: from the start, or since staff confirmed who wrote the mail that they passed on."""
    if event.kind not in (EventKind.OPENED, EventKind.REQUESTER_CHANGED) or event.data.get("quiet"):
        return []
    return [Told(event.ticket.requester, Kind.CONFIRMATION, Reason.REQUESTER)]


def _new_follower(event: Event) -> list[Told]:
    """Who was added, or began to follow. Staff who follow by themselves know it."""
    user = User.objects.filter(pk=event.data["person"]).first()
    if user is None or (user.is_staff and user == event.actor):
        return []
    return [Told(user, Kind.SHARED, Reason.FOLLOWER)]


def _followers(event: Event) -> list[Told]:
    followers = User.objects.filter(follower_rows__ticket=event.ticket, follower_rows__is_muted=False)
    if event.kind == EventKind.OPENED:  # its requester gets a confirmation, or was to get none
        followers = followers.exclude(pk=event.ticket.requester_id)
    shared_with = event.data.get("people", ())  # from the start
    return [
        Told(
            user,
            Kind.SHARED if user.pk in shared_with else Kind.UPDATE,
            Reason.REQUESTER if user.pk == event.ticket.requester_id else Reason.FOLLOWER,
        )
        for user in _others(followers, event)
    ]


def _standing(event: Event, kind: Kind = Kind.UPDATE, **which: int) -> list[Told]:
    """Who follows everything of an organization that the ticket is shared with. Asked anew each time, so whoever left is not among them."""
    memberships = standing_memberships(event.ticket).filter(**which)
    people = User.objects.filter(pk__in=memberships.values("user")).exclude(follower_rows__ticket=event.ticket)
    return [Told(user, kind, Reason.ORGANIZATION) for user in _others(people, event)]


def standing_memberships(ticket: Ticket | OuterRef) -> QuerySet[Membership]:
    """By which people follow the ticket without a row of their own on it."""
    return Membership.objects.filter(
        follows_all=True, is_active=True, organization__is_active=True, organization__share_rows__ticket=ticket
    )


def _support(event: Event) -> list[Told]:
    """The assignee; while none works here or can be mailed, the group (or everybody at the desk) hears of new tickets and of customers' words."""
    ticket = event.ticket
    if (
        ticket.assignee
        and ticket.assignee.is_staff
        and not Suspension.objects.filter(address=ticket.assignee.email, ended_at=None).exists()
    ):
        return [Told(user, Kind.UPDATE, Reason.ASSIGNEE) for user in _others([ticket.assignee], event)]
    if event.kind != EventKind.OPENED and (event.actor is None or event.actor.is_staff):
        return []
    return [Told(user, Kind.UPDATE, Reason.GROUP) for user in _others(_team(ticket), event)]


def _team(ticket: Ticket) -> list[User]:
    staff = User.objects.active_staff()
    team = list(staff.filter(agent_groups=ticket.group)) if ticket.group_id else []
    return team or list(staff)


def _others(users: Iterable[User | None], event: Event) -> list[User]:
    return [user for user in users if user is not None and user.pk != event.actor_id]


def _looks_unchanged(event: Event) -> bool:
    """A move between two statuses that customers read as the same is no news."""
    return event.kind == EventKind.STATUS_CHANGED and event.data.get("old_public") == event.data.get("new_public")
