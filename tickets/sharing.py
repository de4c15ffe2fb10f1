"""Who has a part in a ticket: the verbs that follow, share and take away. Like `tickets.actions`, and beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import invitations
from accounts.errors import IllegalMove, NotAllowed
from tickets import access
from tickets.events import record
from tickets.locking import hold_memberships, lock, save
from tickets.models import EventKind, Follower, OrganizationShare

if TYPE_CHECKING:
    from accounts.models import Invitation, Organization, User
    from tickets.models import Ticket

# --- Following -----------------------------------------------------------------------------------------------------------------


@transaction.atomic
def follow(ticket: Ticket, *, actor: User) -> Ticket:
    """Mail at each update, for oneself. Who sees the ticket as a member of an organization follows as one: leaving it ends both."""
    ticket = lock(ticket, actor)
    return _add(ticket, actor=actor, person=actor, through=access.membership_giving(actor, ticket))


@transaction.atomic
def unfollow(ticket: Ticket, *, actor: User) -> Ticket:
    """No more mail. Who sees the ticket by following alone, keeps seeing it."""
    ticket = lock(ticket, actor)
    rows = Follower.objects.filter(ticket=ticket, user=actor, is_muted=False)
    keep = not actor.is_staff and (ticket.requester_id == actor.pk or access.sees_only_by_following(actor, ticket))
    if rows.update(is_muted=True) if keep else rows.delete()[0]:
        record(ticket, EventKind.FOLLOWER_REMOVED, actor=actor, is_internal=actor.is_staff, person=actor.pk)
    return ticket


# --- Sharing -------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_follower(ticket: Ticket, *, actor: User, person: User) -> Ticket:
    """Shares it with a person: staff with whom they like, customers with whom they may find. The person sees the ticket from then on."""
    ticket = lock(ticket, actor)
    if not actor.is_staff and person != actor:
        hold_memberships([person])
        if not access.findable_by(actor).filter(pk=person.pk).exists():
            raise NotAllowed(_("You can share a ticket with people of your own organization."))
    return _add(ticket, actor=actor, person=person)


def _add(ticket: Ticket, *, actor: User, person: User, through: Organization | None = None) -> Ticket:
    """Somebody new, somebody who comes back, or somebody whom `actor` could not know to follow already; nothing else is news."""
    row = Follower.objects.filter(ticket=ticket, user=person).first()
    if row is None:
        Follower.objects.create(ticket=ticket, user=person, added_by=actor, through=through)
    elif person == actor:
        if not row.is_muted:
            return ticket
        row.is_muted = False
        row.save(update_fields=["is_muted"])
    else:
        if access.followers_for(actor, ticket).in_force().filter(pk=row.pk).exists():
            return ticket
        row.added_by, row.through = actor, None
        row.save(update_fields=["added_by", "through"])
    _record_added(ticket, actor=actor, person=person, name="" if person == actor else str(person))
    return ticket


def _record_added(ticket: Ticket, *, actor: User, person: User, name: str) -> None:
    """Customers are not told which staff come and go by themselves."""
    record(ticket, EventKind.FOLLOWER_ADDED, actor=actor, is_internal=actor.is_staff and person.is_staff, person=person.pk, new=name)


@transaction.atomic
def invite_follower(ticket: Ticket, *, actor: User, organization: Organization, address: str) -> Invitation:
    """Shares it with a new address, which is invited into the organization. The person sees nothing before they are a member of it.

    Says and shows of somebody whom we know what it says of somebody new: what was typed.
    """
    ticket = lock(ticket, actor)
    invitation = invitations.invite(actor=actor, organization=organization, address=address)
    _row, added = Follower.objects.get_or_create(
        ticket=ticket,
        user=invitation.person,
        defaults={"added_by": actor, "through": organization, "is_muted": invitation.person.is_staff},
    )
    if added:
        _record_added(ticket, actor=actor, person=invitation.person, name=invitation.display_name)
    return invitation


@transaction.atomic
def add_organization(ticket: Ticket, *, actor: User, organization: Organization) -> Ticket:
    """Shares it with an organization: staff with any, customers with their own. Its members see the ticket from then on; nobody is mailed."""
    if not actor.is_staff and not actor.active_organizations().filter(pk=organization.pk).exists():
        raise NotAllowed(_("You can share a ticket with your own organizations."))
    if not organization.is_active:
        raise IllegalMove(_("%(organization)s is switched off.") % {"organization": organization})
    ticket = lock(ticket, actor)
    _row, added = OrganizationShare.objects.get_or_create(ticket=ticket, organization=organization, defaults={"added_by": actor})
    if added:
        record(ticket, EventKind.ORGANIZATION_ADDED, actor=actor, organization=organization.pk, new=organization.name)
    return ticket


# --- Taking away ---------------------------------------------------------------------------------------------------------------


@transaction.atomic
def remove_follower(ticket: Ticket, *, actor: User, person: User) -> Ticket:
    """Takes a follower off, be it oneself, and with it what following alone let the person see.

    Whoever sees the ticket may, among those they may know of. The requester can't be removed.
    """
    ticket = lock(ticket, actor)
    if person.pk == ticket.requester_id:
        raise NotAllowed(_("The requester can't be removed from a ticket."))
    row = access.followers_for(actor, ticket).with_newcomers().select_related("user").filter(user=person).first()
    if row is None:
        return ticket
    name = row.name
    row.delete()
    said: dict[str, Any] = {"left": True} if person == actor else {"old": name}
    record(ticket, EventKind.FOLLOWER_REMOVED, actor=actor, is_internal=actor.is_staff and person.is_staff, person=person.pk, **said)
    return ticket


@transaction.atomic
def remove_organization(ticket: Ticket, *, actor: User, organization: Organization) -> Ticket:
    """Whoever sees the ticket may, be it that they lose it themselves. Who of its members follows, or has another way to see it, keeps it."""
    ticket = lock(ticket, actor)
    if OrganizationShare.objects.filter(ticket=ticket, organization=organization).delete()[0]:
        record(ticket, EventKind.ORGANIZATION_REMOVED, actor=actor, organization=organization.pk, old=organization.name)
    return ticket


# --- Whose it is ---------------------------------------------------------------------------------------------------------------


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
    Follower.objects.update_or_create(  # of themselves from now on, whatever organization they followed as a member of
        ticket=ticket, user=requester, defaults={"is_muted": False, "through": None}, create_defaults={"added_by": actor}
    )
    organizations = list(requester.active_organizations()[:2])
    if len(organizations) == 1:
        OrganizationShare.objects.get_or_create(ticket=ticket, organization=organizations[0], defaults={"added_by": actor})
    record(ticket, EventKind.REQUESTER_CHANGED, actor=actor, old=str(before), new=str(requester))
    return ticket
