"""Filing a ticket for a customer: staff do, the customer is its requester, and all that follows goes to the customer. Both are on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.addresses import domain_of, normalise_address
from accounts.models import Organization, User
from tickets import access, actions

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import AgentGroup
    from tickets.models import Priority, Ticket, TicketType


@transaction.atomic
def file_ticket(  # noqa: PLR0913 all by name
    *,
    actor: User,
    address: str,
    name: str = "",
    subject: str,
    message: actions.Message,
    share_with: Organization | None = None,
    type: TicketType | None = None,
    priority: Priority | None = None,
    group: AgentGroup | None = None,
    tell: bool = True,
) -> Ticket:
    """The person at `address` gets an account if they have none, and unless `tell` is off a mail that says who filed what for them.

    `actor` follows. Raises NotAllowed, in the same words whether somebody has the address or nobody.
    """
    if not access.may_file_for(actor, address):
        raise actions.NotAllowed(refusal())
    if share_with and not homes(address).filter(pk=share_with.pk).exists():
        raise actions.NotAllowed(_("A ticket is shared with its requester's own organization."))
    requester = User.objects.admit(address, name=name)
    if not requester.is_active:
        raise actions.IllegalMove(_("This account is switched off."))
    return actions.open_ticket(
        actor=actor,
        requester=requester,
        subject=subject,
        message=message,
        share_with=share_with,
        type=type,
        priority=priority,
        group=group,
        quiet=not tell,
    )


def refusal() -> str:
    return _("You look after no organization that this address belongs to. Check how it is written, or ask support to file it.")


def homes(address: str) -> QuerySet[Organization]:
    """The organizations of whose address it is, also of one who has not proven it yet; of a new one, its domain's."""
    address = normalise_address(address)
    person = User.objects.by_address(address)
    if person is None:
        return Organization.objects.filter(is_active=True, domains__domain=domain_of(address))
    memberships = person.memberships.filter(Q(is_active=True) | Q(awaits_proof=True))
    return Organization.objects.filter(is_active=True, memberships__in=memberships)
