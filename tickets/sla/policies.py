"""Which SLA policy a ticket has, and what that promises. Reads what admins configured; keeps what was promised as a snapshot."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from django.db.models import F, Q
from django.utils.translation import gettext as _

from accounts.models import Membership, Organization
from tickets.models import SlaPolicy, SlaSnapshot, SlaTarget
from tickets.sla.promises import Agreement, Promise, Step, schedule, write

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import AgentGroup
    from tickets.models import Priority, Ticket, TicketType


def snapshot_for(ticket: Ticket) -> SlaSnapshot | None:
    """What the ticket is promised from now on; None where no policy matches, or the one that does promises nothing."""
    return promised(organizations=_organizations(ticket), group=ticket.group, type=ticket.type, priority=ticket.priority)


def promised(
    *, organizations: QuerySet[Organization], group: AgentGroup | None, type: TicketType | None, priority: Priority | None
) -> SlaSnapshot | None:
    policy = first_match(organizations=organizations, group=group, type=type)
    agreement = policy and agreement_of(policy, priority)
    if not policy or not agreement:
        return None
    text = write(agreement)
    return SlaSnapshot.objects.get_or_create(digest=sha256(text.encode()).hexdigest(), defaults={"text": text, "policy": policy})[0]


def _organizations(ticket: Ticket) -> QuerySet[Organization]:
    shared = Organization.objects.filter(share_rows__ticket=ticket)
    if SlaPolicy.objects.filter(organization__isnull=False, is_retired=False).exists() and not shared.exists():
        return Organization.objects.filter(
            pk__in=Membership.objects.filter(user=ticket.requester_id, is_active=True).values("organization")
        )
    return shared


def first_match(
    *, organizations: QuerySet[Organization], group: AgentGroup | None = None, type: TicketType | None = None
) -> SlaPolicy | None:
    return (
        SlaPolicy.objects.filter(is_retired=False)
        .filter(Q(organization=None) | Q(organization__in=organizations.values("pk")))
        .filter(Q(group=None) | Q(group=group))
        .filter(Q(type=None) | Q(type=type))
        .select_related("calendar")
        .order_by("position", "name", "pk")
        .first()
    )


def mismatch(policy: SlaPolicy, *, organization: Organization | None, group: AgentGroup | None, type: TicketType | None) -> str:
    """Which of its conditions such a ticket does not meet; '' where it matches."""
    wanted = ((policy.organization, organization), (policy.group, group), (policy.type, type))
    return ", ".join(_("only for %(name)s") % {"name": condition} for condition, given in wanted if condition and condition != given)


def target_of(policy: SlaPolicy, priority: Priority | None) -> SlaTarget | None:
    """The priority's own, or the one for the rest."""
    own = SlaTarget.objects.filter(Q(priority=None) | Q(priority=priority), policy=policy)
    return own.select_related("priority").order_by(F("priority").asc(nulls_last=True)).first()


def agreement_of(policy: SlaPolicy, priority: Priority | None) -> Agreement | None:
    target = target_of(policy, priority)
    if target is None or not target.spans:
        return None
    steps = list(policy.steps.prefetch_related("people", "groups"))
    return Agreement(
        policy=policy.name,
        priority=target.priority.name if target.priority else "",
        calendar_name=policy.calendar.name,
        calendar=policy.calendar.as_value(),
        promises={
            metric: Promise(
                span,
                target.in_business_hours,
                schedule(
                    [
                        Step(
                            step.offset,
                            step.to_assignee,
                            tuple(person.pk for person in step.people.all()),
                            tuple(group.pk for group in step.groups.all()),
                        )
                        for step in steps
                        if step.metric == metric and -step.offset < span  # what would come before the beginning does not
                    ]
                ),
            )
            for metric, span in target.spans.items()
        },
    )
