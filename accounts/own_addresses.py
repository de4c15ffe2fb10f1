"""The addresses of a person beside the login: added, proven by a link, made the login, removed. A row of allauth's `EmailAddress` is never the
login itself, which stands at the person alone; so the two can't contradict each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.addresses import domain_of
from accounts.models import EmailDomain, Membership, User

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST = 5  # a person's other addresses
PROOF_DAYS = 3
_SALT = "accounts.own_addresses"


def of(person: User) -> QuerySet[EmailAddress]:
    """Proven and unproven ones, without the login."""
    found: QuerySet[EmailAddress] = EmailAddress.objects.filter(user=person).exclude(email=person.email).order_by("pk")
    return found


def awaits_proof(person: User, address: str) -> bool:
    return of(person).filter(email=address, verified=False).exists()


def proof_path(person: User, address: str) -> str:
    """For the mail that is being sent to that address, and to nobody else."""
    return reverse("account_prove_address", args=[signing.dumps([person.pk, address], salt=_SALT)])


def meant_by(key: str) -> tuple[int, str] | None:
    """Whose address a link proves; None for a forged or old one."""
    try:
        person, address = signing.loads(key, salt=_SALT, max_age=PROOF_DAYS * 24 * 3600)
    except signing.BadSignature:
        return None
    return person, address


@transaction.atomic
def add(person: User, address: str) -> bool:
    """Unproven, and worth nothing until it is; one that is somebody else's is taken down alike, as nobody may learn of it. False when there are too many."""
    User.objects.select_for_update().get(pk=person.pk)
    if of(person).count() >= MOST and not of(person).filter(email=address).exists():
        return False
    EmailAddress.objects.get_or_create(user=person, email=address)
    return True


@transaction.atomic
def prove(person: User, address: str) -> bool:
    """The link that was mailed there came back. The address' domain now makes a member of its person, as at admission; but whoever was removed stays so."""
    User.objects.select_for_update().get(pk=person.pk)
    row = of(person).filter(email=address, verified=False).first()
    if row is None or User.objects.by_address(address):
        return False
    row.verified = True
    row.save(update_fields=["verified"])
    domain = EmailDomain.objects.filter(domain=domain_of(address), organization__is_active=True).first()
    if domain and not person.is_staff:  # who works here is a member of no organization
        begin_membership(person, domain)
    return True


def begin_membership(person: User, domain: EmailDomain) -> None:
    membership, made = Membership.objects.get_or_create(user=person, organization=domain.organization)
    if not made and membership.awaits_proof:
        membership.is_active, membership.awaits_proof = True, False
        membership.save(update_fields=["is_active", "awaits_proof"])


@transaction.atomic
def make_login(person: User, row: EmailAddress) -> str:
    """A proven address becomes the login; what was the login stays as another address if it was proven. Returns the old one, '' when nothing changed."""
    if not row.verified:
        return ""
    person.is_called_anew()
    locked = User.objects.select_for_update().get(pk=person.pk)
    old, was_proven = locked.email, locked.proven_at is not None
    person.email, person.proven_at = row.email, timezone.now()
    person.save(update_fields=["email", "proven_at"])
    row.delete()
    if was_proven:
        EmailAddress.objects.update_or_create(user=person, email=old, defaults={"verified": True})
    return old
