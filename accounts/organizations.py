"""Organizations themselves: every verb on what one is called, who looks after it and which mail domains are its own. For staff; a CSM for their own."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import IllegalMove, NotAllowed
from accounts.models import EmailDomain, Membership, Organization

if TYPE_CHECKING:
    from accounts.models import Inviters, User

M = TypeVar("M", Organization, EmailDomain)

logger = logging.getLogger(__name__)


@transaction.atomic
def create(
    *, actor: User, name: str, delivery_lead: User | None, invitations_by_members: Inviters, inviters_at_most: Inviters
) -> Organization:
    policy = {"invitations_by_members": invitations_by_members, "inviters_at_most": inviters_at_most}
    organization = Organization(name=name, delivery_lead=delivery_lead, **policy)
    if not actor.leads(organization):
        raise NotAllowed(_("Make yourself its Customer Success Manager: you add organizations that you look after."))
    return _keep(organization, actor=actor)


@transaction.atomic
def change(organization: Organization, *, actor: User, **fields: Any) -> Organization:
    """`fields` as `create` takes them."""
    organization = _lock(organization, actor)
    for name, value in fields.items():
        setattr(organization, name, value)
    return _keep(organization, actor=actor)


@transaction.atomic
def add_domain(organization: Organization, *, actor: User, domain: str) -> EmailDomain:
    """People who prove an address there belong to it from then on. One domain, one organization."""
    return _keep(EmailDomain(organization=_lock(organization, actor), domain=domain), actor=actor)


@transaction.atomic
def remove_domain(domain: EmailDomain, *, actor: User) -> None:
    """Members stay; who was only taken for one because of this domain never begins."""
    organization = _lock(domain.organization, actor)
    logger.info("%s removes the domain %s from organization %s", actor.pk, domain, organization.pk)
    Membership.objects.filter(organization=organization, awaits_proof=True, user__email__endswith=f"@{domain.domain}").update(
        awaits_proof=False
    )
    domain.delete()


def _lock(organization: Organization, actor: User) -> Organization:
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    if not actor.leads(organization):
        raise NotAllowed(_("You look after other organizations."))
    return organization


def _keep(thing: M, *, actor: User) -> M:
    try:
        thing.full_clean()
    except ValidationError as error:
        raise IllegalMove(" ".join(error.messages)) from error
    thing.save()
    logger.info("%s keeps %s %s: %s", actor.pk, thing._meta.model_name, thing.pk, thing)
    return thing
