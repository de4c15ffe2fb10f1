"""Who belongs to an organization: the verbs that end a membership or change what it may do.

Ending one takes back at once what the organization gave: its shared tickets go with the membership itself (see `tickets.access`), and the follower
rows of tickets that the person came to by it alone are taken away here. Mail that is queued already is checked again when it leaves.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts import invitations
from accounts.errors import IllegalMove, NotAllowed
from accounts.models import Inviters, Membership, Organization, User
from tickets import access
from tickets.events import one_nudge, record
from tickets.locking import hold_memberships
from tickets.models import EventKind, Follower, OrganizationShare, Ticket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)


def may_manage(actor: User, organization: Organization) -> bool:
    """Remove members and make managers: the organization's own managers, and staff (a CSM for those they lead)."""
    if actor.is_staff:
        return actor.leads(organization)
    return _active(organization).filter(user=actor, is_manager=True).exists()


@transaction.atomic
def leave(organization: Organization, *, actor: User) -> None:
    _hold_tickets([actor], organization)
    _end(_lock(organization, actor), actor=actor)


@transaction.atomic
def remove_member(organization: Organization, *, actor: User, person: User) -> None:
    """Also of somebody whose membership waits for proof: then it never begins."""
    _check_may_manage(actor, organization)
    _hold_tickets([person], organization)
    _end(_lock(organization, person), actor=actor)


@transaction.atomic
def set_manager(organization: Organization, *, actor: User, person: User, is_manager: bool) -> None:
    _check_may_manage(actor, organization)
    membership = _lock(organization, person)
    if not membership.is_active:
        raise IllegalMove(_("%(person)s has not joined yet.") % {"person": person})
    membership.is_manager = is_manager
    membership.save(update_fields=["is_manager"])
    logger.info("%s sets manager of organization %s: %s %s", actor.pk, organization.pk, person.pk, is_manager)


def inviters_for(actor: User, organization: Organization) -> list[Inviters]:
    """What this manager may choose of whom members may invite: all that staff allow, and what stands."""
    allowed = Inviters.up_to(organization.inviters_at_most) if may_manage(actor, organization) else []
    standing = Inviters(organization.invitations_by_members)
    return allowed if standing in allowed else [*allowed, standing]


@transaction.atomic
def set_inviters(organization: Organization, *, actor: User, who: Inviters) -> None:
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    _check_may_manage(actor, organization)
    if who not in inviters_for(actor, organization):
        raise NotAllowed(_("Support decides how far this may be opened."))
    organization.invitations_by_members = who
    organization.save(update_fields=["invitations_by_members"])
    logger.info("%s sets whom members of organization %s may invite: %s", actor.pk, organization.pk, who)


@transaction.atomic
def add_member(organization: Organization, *, actor: User, person: User) -> None:
    """At once, for somebody whose address is proven; everybody else is invited."""
    if not actor.leads(organization):
        raise NotAllowed(_("You add people to the organizations that you look after."))
    if person.is_staff or not person.is_active or person.proven_at is None:
        raise IllegalMove(_("%(person)s can't be added like this. Send an invitation.") % {"person": person})
    Membership.objects.update_or_create(user=person, organization=organization, defaults={"is_active": True, "awaits_proof": False})
    logger.info("%s adds %s to organization %s", actor.pk, person.pk, organization.pk)


@transaction.atomic
def switch(organization: Organization, *, actor: User, is_active: bool) -> None:
    """Switched off, an organization gives nobody anything; its members stay, for the day it is switched on again."""
    if not actor.leads(organization):
        raise NotAllowed(_("You look after other organizations."))
    if not is_active:
        _hold_tickets(_members(organization), organization)
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    if organization.is_active == is_active:
        return
    organization.is_active = is_active
    organization.save(update_fields=["is_active"])
    logger.info("%s switches organization %s: %s", actor.pk, organization.pk, is_active)
    if not is_active:
        members = _members(organization)
        hold_memberships(members, of=organization)  # who shares with one of them at this moment came first, or looks again
        for member in members:
            _take_back(member, organization, actor=actor)


def _members(organization: Organization) -> list[User]:
    return list(User.objects.filter(memberships__organization=organization, memberships__is_active=True).order_by("pk"))


def given_by(organization: Organization, person: User) -> QuerySet[Ticket]:
    """What the person sees by this organization alone: shared with it, or asked for by somebody of it and followed.

    Not their own, not shared with another organization of theirs. The same before the membership ends and, as far as they follow, after.
    """
    return _given(organization, person, access.tickets_for(person))


def _given(organization: Organization, person: User, among: QuerySet[Ticket]) -> QuerySet[Ticket]:
    others = person.active_organizations().exclude(pk=organization.pk)
    shared_here = OrganizationShare.objects.filter(organization=organization).values("ticket")
    shared_elsewhere = OrganizationShare.objects.filter(organization__in=others).values("ticket")
    followed_elsewhere = Follower.objects.filter(user=person, through__in=others).values("ticket")
    colleagues = Membership.objects.filter(organization=organization, awaits_proof=False).values("user")
    colleagues_elsewhere = Membership.objects.filter(organization__in=others, is_active=True).values("user")
    of_colleague = Q(requester__in=colleagues) & ~Q(requester__in=colleagues_elsewhere)
    tickets = among.filter(Q(pk__in=shared_here) | of_colleague)
    return tickets.exclude(requester=person).exclude(filer=person).exclude(Q(pk__in=shared_elsewhere) | Q(pk__in=followed_elsewhere))


def _end(membership: Membership, *, actor: User) -> None:
    membership.is_active = membership.is_manager = membership.awaits_proof = membership.follows_all = False
    membership.save(update_fields=["is_active", "is_manager", "awaits_proof", "follows_all"])
    invitations.revoke_all(membership.user, membership.organization)
    logger.info("%s ends the membership of %s in organization %s", actor.pk, membership.user_id, membership.organization_id)
    _take_back(membership.user, membership.organization, actor=actor)


def _take_back(person: User, organization: Organization, *, actor: User) -> None:
    """Who followed as a member of it, and of another as well, goes on as that.

    Of somebody whose account is switched off, too, who sees nothing now, and would see it again on the day it is switched on.
    """
    if person.is_staff:
        return
    tickets = _hold_tickets([person], organization)
    said: dict[str, Any] = {"left": True} if person == actor else {"old": str(person)}
    with one_nudge():
        for ticket in tickets:
            row = Follower.objects.filter(ticket=ticket, user=person)
            if another := access.membership_giving(person, ticket):
                row.update(through=another)
            elif row.delete()[0]:
                record(ticket, EventKind.FOLLOWER_REMOVED, actor=actor, person=person.pk, **said)


def _hold_tickets(people: Iterable[User], organization: Organization) -> list[Ticket]:
    """Those that `_take_back` writes. To be called before a membership or an organization is locked, too: every verb locks tickets first, and in order."""
    numbers: set[int] = set()
    for person in people:
        given = _given(organization, person, Ticket.objects.all())
        rows = Follower.objects.filter(Q(through=organization) | Q(through=None, ticket__in=given), user=person)
        numbers.update(rows.values_list("ticket", flat=True))
    return list(Ticket.objects.select_for_update().filter(pk__in=numbers).order_by("pk"))


def _active(organization: Organization) -> QuerySet[Membership]:
    return Membership.objects.filter(organization=organization, organization__is_active=True, is_active=True, user__is_active=True)


def _check_may_manage(actor: User, organization: Organization) -> None:
    if not may_manage(actor, organization):
        raise NotAllowed(_("Only managers of this organization can do that."))


def _lock(organization: Organization, person: User) -> Membership:
    """The one that stands, or waits to begin."""
    standing = Membership.objects.filter(Q(is_active=True) | Q(awaits_proof=True)).select_for_update(of=("self",))
    membership = standing.select_related("organization", "user").filter(organization=organization, user=person).first()
    if membership is None:
        raise IllegalMove(_("%(person)s does not belong to %(organization)s.") % {"person": person, "organization": organization})
    return membership
