"""Invitations into an organization: every verb on one, with its permission. Their mail is made by `notifications.relay`, and the link only there.

Whether an address has an account is told to nobody who invites: the answer is the same, and the person accepts by the link that is mailed there.
"""

from __future__ import annotations

import logging
import re
from base64 import b32encode
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from accounts.addresses import domain_of, normalise_address
from accounts.errors import IllegalMove, NotAllowed
from accounts.models import Invitation, Inviters, Membership, Organization, Role, User
from accounts.proof import prove_address

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

VALID = timedelta(days=7)
_AGAIN = timedelta(minutes=10)  # before one is mailed anew
_LIMIT, _SPAN = 20, timedelta(hours=1)  # invitations of one customer
_LONGEST = 254  # characters of an address
_TOKEN = re.compile(r"(?P<pk>\d{1,15})-(?P<mac>[a-z2-7]{26})", re.ASCII)


# --- Inviting ------------------------------------------------------------------------------------------------------------------


def may_invite(actor: User, organization: Organization) -> bool:
    """Whether there is anybody whom this person could invite."""
    if actor.is_staff:
        return actor.leads(organization)
    return organization.invitations_by_members != Inviters.NOBODY and _is_member(actor, organization)


@transaction.atomic
def invite(*, actor: User, organization: Organization, address: str, name: str = "") -> Invitation:
    """The one pending invitation of this address into this organization, mailed anew if it was there for a while."""
    address = normalise_address(address)
    organization = Organization.objects.select_for_update().get(pk=organization.pk)  # of two at once, the second finds the first's
    _check(actor, organization, address)
    if pending := organization.invitations.pending().filter(address=address).first():
        return pending if _was_just_sent(pending) else _issue(pending)
    if _active_members(organization).filter(user__email=address).exists():
        raise IllegalMove(_("%(address)s belongs to %(organization)s already.") % {"address": address, "organization": organization})
    person = User.objects.admit(address, name=name)
    logger.info("%s invites %s into organization %s", actor.pk, person.pk, organization.pk)
    return Invitation.objects.create(
        organization=organization,
        person=person,
        address=address,
        name=name[:150],
        invited_by=actor,
        expires_at=timezone.now() + VALID,
    )


@transaction.atomic
def add_person(*, actor: User, address: str, name: str = "") -> User:
    """Somebody who belongs to no organization, for staff. Says who is here already: staff may know."""
    if not actor.is_staff or actor.role == Role.CSM:
        raise NotAllowed(_("You add people to the organizations that you look after."))
    address = normalise_address(address)
    _check_address(address)
    if User.objects.by_address(address):
        raise IllegalMove(_("%(address)s is here already.") % {"address": address})
    logger.info("%s adds a person", actor.pk)
    return User.objects.admit(address, name=name)


@transaction.atomic
def resend(invitation: Invitation, *, actor: User) -> Invitation:
    """A new link for seven days; those before it die."""
    invitation = _lock(invitation)
    _check_may_change(invitation, actor)
    _check(actor, invitation.organization, invitation.address)
    _check_pending(invitation)
    if _was_just_sent(invitation):
        raise IllegalMove(_("It was sent a few minutes ago. If it does not arrive, send it again a little later."))
    return _issue(invitation)


@transaction.atomic
def revoke(invitation: Invitation, *, actor: User) -> Invitation:
    """Takes it back; the person who was invited declines it."""
    invitation = _lock(invitation)
    if invitation.person_id != actor.pk:
        _check_may_change(invitation, actor)
    _check_pending(invitation)
    _revoke(invitation)
    logger.info("%s revokes the invitation of %s into organization %s", actor.pk, invitation.person_id, invitation.organization_id)
    return invitation


def revoke_all(person: User, organization: Organization) -> None:
    """Those of and for somebody who leaves: nobody comes back by an invitation that they had made ready."""
    pending = organization.invitations.pending().select_for_update(of=("self",))
    for invitation in pending.filter(Q(invited_by=person) | Q(person=person)):
        _revoke(invitation)


def may_change(invitation: Invitation, actor: User) -> bool:
    """Resend and revoke: the inviter while a member, the organization's managers, staff."""
    if actor.is_staff:
        return actor.leads(invitation.organization)
    mine = _active_members(invitation.organization).filter(user=actor)
    return mine.exists() if invitation.invited_by_id == actor.pk else mine.filter(is_manager=True).exists()


def _check(actor: User, organization: Organization, address: str) -> None:
    """Whether this person may invite this address into this organization, now."""
    if not may_invite(actor, organization):
        raise NotAllowed(_("You can't invite people into this organization."))
    if not organization.is_active:
        raise IllegalMove(_("%(organization)s is switched off.") % {"organization": organization})
    _check_address(address)
    if actor.is_staff:
        return
    if organization.invitations_by_members == Inviters.DOMAINS and not _is_of_domains(address, organization):
        raise NotAllowed(
            _("Only people with an address at %(domains)s can be invited here. Ask support for anybody else.")
            % {"domains": ", ".join(organization.domains.values_list("domain", flat=True)) or "–"}
        )
    if Invitation.objects.filter(invited_by=actor, issued_at__gt=timezone.now() - _SPAN).count() >= _LIMIT:
        raise IllegalMove(_("That were many invitations in a short time. Wait an hour, then invite the others."))


def _check_address(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError:
        address = ""
    if not address.isascii() or not 0 < len(address) <= _LONGEST:
        raise IllegalMove(_("Write an email address such as name@example.com."))
    if domain_of(address) == settings.SUPPORT_DOMAIN:
        raise IllegalMove(_("This is our own mail domain."))


def _check_may_change(invitation: Invitation, actor: User) -> None:
    if not may_change(invitation, actor):
        raise NotAllowed(_("This invitation is not yours to change."))


def _check_pending(invitation: Invitation) -> None:
    if invitation.accepted_at or invitation.revoked_at:
        raise IllegalMove(_("This invitation is over already."))


def _issue(invitation: Invitation) -> Invitation:
    invitation.generation += 1
    invitation.issued_at = timezone.now()
    invitation.expires_at = invitation.issued_at + VALID
    invitation.dispatched_at = None
    invitation.save(update_fields=["generation", "issued_at", "expires_at", "dispatched_at"])
    return invitation


def _was_just_sent(invitation: Invitation) -> bool:
    return invitation.issued_at > timezone.now() - _AGAIN


def _revoke(invitation: Invitation) -> None:
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    waiting = Membership.objects.filter(user=invitation.person_id, organization=invitation.organization_id, awaits_proof=True)
    waiting.update(awaits_proof=False)


# --- Accepting -----------------------------------------------------------------------------------------------------------------


def link_path(invitation: Invitation) -> str:
    """For the mail that is being sent; nothing else ever holds it."""
    return reverse("invitation", args=[f"{invitation.pk}-{_mac(invitation)}"])


def find(token: str) -> Invitation | None:
    """Whose link this is, be it used, revoked or too old; None for an older link of it, and for what we never made."""
    match = _TOKEN.fullmatch(token)
    among = Invitation.objects.select_related("organization", "person", "invited_by")
    invitation = among.filter(pk=int(match["pk"])).first() if match else None
    if match is None or invitation is None or not constant_time_compare(match["mac"], _mac(invitation)):
        return None
    return invitation


@transaction.atomic
def accept(invitation: Invitation, *, actor: User, by_link: bool) -> Membership:
    """`by_link`: the actor came by the mailed link, which proves the address. Without it, the address must have been proven before."""
    generation, invitation = invitation.generation, _lock(invitation)
    if invitation.person_id != actor.pk:
        raise NotAllowed(_("This invitation is for somebody else."))
    if actor.is_staff:
        raise NotAllowed(_("You work at the desk: our staff are no members of organizations."))
    if not by_link and actor.proven_at is None:
        raise NotAllowed(_("Open the link in the invitation's mail, so that we know that the address is yours."))
    if not invitation.is_open or generation != invitation.generation:
        raise IllegalMove(_("This invitation no longer works. Ask for a new one."))
    membership = _join(invitation)
    if by_link:
        prove_address(actor)
    return membership


@transaction.atomic
def prove(person: User) -> None:
    """The person proved the address of the login: by a set-password link, or to a provider that we believe. A newcomer is where they are awaited."""
    if person.proven_at is None:
        prove_address(person)
        accept_vouched_for(person)


@transaction.atomic
def accept_vouched_for(person: User) -> None:
    """A newcomer proved the address in another way than by an invitation's link, which is as good where the organization can't be a stranger's
    trap: what staff, or colleagues with an address of the same domain, invited to. All else waits to be accepted.
    """
    for invitation in _locked().filter(person=person).order_by("pk"):
        is_known = invitation.invited_by.is_staff or _is_of_domains(invitation.address, invitation.organization)
        if invitation.is_open and is_known and not person.is_staff:
            _join(invitation)


def _join(invitation: Invitation) -> Membership:
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    membership, _made = Membership.objects.update_or_create(
        user=invitation.person, organization=invitation.organization, defaults={"is_active": True, "awaits_proof": False}
    )
    logger.info("%s joins organization %s", invitation.person_id, invitation.organization_id)
    return membership


def _lock(invitation: Invitation) -> Invitation:
    """As it is now, its row ours until the commit."""
    return _locked().get(pk=invitation.pk)


def _locked() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("organization", "person", "invited_by").select_for_update(of=("self",))


def _mac(invitation: Invitation) -> str:
    """128 bits. Of the address as well, so that the link dies with a change of it."""
    parts = f"{invitation.pk}:{invitation.generation}:{invitation.person.email}"
    return b32encode(salted_hmac("accounts.invitation", parts, algorithm="sha256").digest()[:16]).decode().rstrip("=").lower()


# --- Who is who ----------------------------------------------------------------------------------------------------------------


def _active_members(organization: Organization) -> QuerySet[Membership]:
    return Membership.objects.filter(organization=organization, organization__is_active=True, is_active=True, user__is_active=True)


def _is_member(actor: User, organization: Organization) -> bool:
    return _active_members(organization).filter(user=actor).exists()


def _is_of_domains(address: str, organization: Organization) -> bool:
    return organization.domains.filter(domain=domain_of(address)).exists()
