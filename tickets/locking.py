"""What every verb begins and ends with: the ticket's row locked for somebody who sees it, and saved with what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotAllowed
from accounts.models import Membership
from tickets import access
from tickets.models import Ticket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import Organization, User


def lock(ticket: Ticket, actor: User | None, *, staff_only: bool = False) -> Ticket:
    """The ticket as it is now, its row ours until the commit. Raises Ticket.DoesNotExist when `actor` may not (or no longer) see it.

    None is nobody: what an admin laid down happens by itself, and may do what staff may.
    """
    if staff_only and actor and not actor.is_staff:
        raise NotAllowed(_("Only our staff can do that."))
    Ticket.objects.select_for_update().only("pk").get(pk=ticket.pk)
    visible = Ticket.objects.filter(access.visible_to(actor, afresh=True)) if actor else Ticket.objects.all()
    locked = visible.select_related("status").get(pk=ticket.pk)
    locked.locked_with = locked.sla_key
    return locked


def lock_both(ticket: Ticket, other: Ticket, *, actor: User, along: Q | None = None) -> tuple[Ticket, Ticket]:
    """For staff who see both: in the order of their numbers, so that two who lock the same pair wait for each other, and not forever.

    `along`: further tickets that the caller writes, as they are locked in that order too.
    """
    rows = Ticket.objects.select_for_update().filter(Q(pk__in=(ticket.pk, other.pk)) | (along or Q(pk__in=())))
    list(rows.order_by("pk").values_list("pk"))
    locked = {one.pk: lock(one, actor, staff_only=True) for one in sorted((ticket, other), key=lambda one: one.pk)}
    return locked[ticket.pk], locked[other.pk]


def lock_where_it_goes_on(ticket: Ticket, actor: User | None) -> Ticket:
    """As `lock`; of a merged ticket, the one that it goes on in, where `actor` sees that. What is said during a merge is said there.

    A row that turns out to be the wrong one is let go before the next is locked, as whoever merges locks by number.
    """
    while True:
        number = _goes_on_in(ticket, actor)
        before = transaction.savepoint()
        locked = lock(Ticket(pk=number), actor)
        if _goes_on_in(ticket, actor) == number:  # else it was merged, or taken out again, while its row was waited for
            transaction.savepoint_commit(before)
            return locked
        transaction.savepoint_rollback(before)


def _goes_on_in(ticket: Ticket, actor: User | None) -> int:
    if actor is None:  # nobody's words are on the ticket that they were laid down for
        return ticket.pk
    target = Ticket.objects.filter(pk=ticket.pk).values_list("merged_into", flat=True).first()
    return target if target and access.tickets_for(actor).filter(pk=target).exists() else ticket.pk


def said_elsewhere(ticket: Ticket, actor: User) -> int | None:
    """The ticket on which `actor`'s words would be said in the place of this one, which is locked; None where they would be said here."""
    number = _goes_on_in(ticket, actor) if ticket.merged_into_id else ticket.pk
    return None if number == ticket.pk else number


def hold_memberships(people: Iterable[User], *, of: Organization | None = None) -> None:
    """None of theirs (of one organization) ends before the commit, as `tickets.membership` locks the same rows: who is found to be a teammate after this
    is one when a row says so. After the ticket's lock, and always in this order.
    """
    memberships = Membership.objects.filter(user__in=people, is_active=True)
    if of:
        memberships = memberships.filter(organization=of)
    list(memberships.select_for_update().order_by("user_id", "pk").values_list("pk"))


def save(ticket: Ticket, *, public: bool = False) -> None:
    """`public`: something changed that customers can see."""
    ticket.updated_at = timezone.now()
    if public:
        ticket.public_updated_at = ticket.updated_at
    ticket.save(update_fields=_CHANGING)


_CHANGING = (
    "requester filer status category type priority area reference group assignee updated_at public_updated_at status_since first_response_at "
    "waiting_since fix_confirmed_at resolved_at first_response_work resolution_work close_due_at closed_at snoozed_until follow_up_to merged_into is_indexed"
).split()
