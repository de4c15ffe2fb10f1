"""Who has a part in a ticket: the verbs that follow, share and take away. Like `tickets.actions`, and beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import IllegalMove, NotAllowed
from tickets import access
from tickets.events import record
from tickets.locking import lock, save
from tickets.models import EventKind, Follower, OrganizationShare

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models import Ticket

# --- People --------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def follow(ticket: Ticket, *, actor: User) -> Ticket:
    """Mail at each update, for oneself."""
    return _add_follower(lock(ticket, actor), actor=actor, person=actor)


@transaction.atomic
def add_follower(ticket: Ticket, *, actor: User, person: User) -> Ticket:
    """Staff add whom they like, customers their teammates. The person sees the ticket from then on."""
    if not actor.is_staff and not person.is_teammate_of(actor):
        raise NotAllowed(_("You can share a ticket with people of your own organization."))
    return _add_follower(lock(ticket, actor), actor=actor, person=person)


def _add_follower(ticket: Ticket, *, actor: User, person: User) -> Ticket:
    row, added = Follower.objects.get_or_create(ticket=ticket, user=person, defaults={"added_by": actor})
    if added or (row.is_muted and person == actor):
        row.is_muted = False
        row.save(update_fields=["is_muted"])
        record(
            ticket,
            EventKind.FOLLOWER_ADDED,
            actor=actor,
            person=person.pk,
            new="" if person == actor else str(person),
        )
    return ticket


@transaction.atomic
def unfollow(ticket: Ticket, *, actor: User) -> Ticket:
    """No more mail. Who sees the ticket by following alone, keeps seeing it."""
    ticket = lock(ticket, actor)
    rows = Follower.objects.filter(ticket=ticket, user=actor, is_muted=False)
    keep = not actor.is_staff and (ticket.requester_id == actor.pk or access.sees_only_by_following(actor, ticket))
    if rows.update(is_muted=True) if keep else rows.delete()[0]:
        record(ticket, EventKind.FOLLOWER_REMOVED, actor=actor, person=actor.pk)
    return ticket


@transaction.atomic
def change_requester(ticket: Ticket, *, actor: User, requester: User) -> Ticket:
    """Staff confirm whose ticket a mail is that somebody passed on: one of us, or a teammate. Who was the requester before filed it, and reads on."""
    ticket = lock(ticket, actor, staff_only=True)
    before = ticket.requester
    if requester == before:
        return ticket
    if not requester.is_active:
        raise IllegalMove(_("This account is switched off."))
    if not before.is_staff and not requester.is_teammate_of(before):
        raise NotAllowed(
            _("%(before)s belongs to no organization of %(who)s, and would go on reading. Open a ticket of its own instead.")
            % {"before": str(before), "who": str(requester)}
        )
    ticket.requester, ticket.filer = requester, before if ticket.filer in (None, requester) else ticket.filer
    save(ticket, public=True)
    Follower.objects.update_or_create(ticket=ticket, user=requester, defaults={"is_muted": False}, create_defaults={"added_by": actor})
    organizations = list(requester.active_organizations()[:2])
    if len(organizations) == 1:
        OrganizationShare.objects.get_or_create(ticket=ticket, organization=organizations[0], defaults={"added_by": actor})
    record(ticket, EventKind.REQUESTER_CHANGED, actor=actor, old=str(before), new=str(requester))
    return ticket


@transaction.atomic
def remove_follower(ticket: Ticket, *, actor: User, person: User) -> Ticket:
    """Staff take a follower off, and with it what following alone let the person see. The requester can't be removed."""
    ticket = lock(ticket, actor, staff_only=True)
    if person.pk == ticket.requester_id:
        raise NotAllowed(_("The requester can't be removed from a ticket."))
    if Follower.objects.filter(ticket=ticket, user=person).delete()[0]:
        record(ticket, EventKind.FOLLOWER_REMOVED, actor=actor, person=person.pk, old=str(person))
    return ticket
