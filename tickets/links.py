"""Links between tickets. Verbs like those of `tickets.actions`, each with an event on both tickets, as each has a history of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.errors import IllegalMove
from tickets.events import record
from tickets.locking import lock_both, save
from tickets.models import EventKind, LinkKind, TicketLink

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models import Ticket


class Relation(models.TextChoices):
    """What a ticket is to another, as a person says it."""

    RELATED = "related", gettext_lazy("is related to")
    BLOCKED_BY = "blocked_by", gettext_lazy("is blocked by")
    BLOCKS = "blocks", gettext_lazy("blocks")
    DUPLICATE_OF = "duplicate_of", gettext_lazy("is a duplicate of")
    HAS_DUPLICATE = "has_duplicate", gettext_lazy("has the duplicate")
    FOLLOWS_UP = "follows_up", gettext_lazy("follows up")
    FOLLOWED_BY = "followed_by", gettext_lazy("is followed up by")


OPPOSITE = {
    Relation.RELATED: Relation.RELATED,
    Relation.BLOCKED_BY: Relation.BLOCKS,
    Relation.BLOCKS: Relation.BLOCKED_BY,
    Relation.DUPLICATE_OF: Relation.HAS_DUPLICATE,
    Relation.HAS_DUPLICATE: Relation.DUPLICATE_OF,
    Relation.FOLLOWS_UP: Relation.FOLLOWED_BY,
    Relation.FOLLOWED_BY: Relation.FOLLOWS_UP,
}
_BACKWARDS = (Relation.BLOCKS, Relation.HAS_DUPLICATE, Relation.FOLLOWED_BY)


def relation_of(row: TicketLink, ticket: Ticket) -> Relation:
    """How the row reads from this one of its two tickets."""
    relation = Relation(row.kind)
    return relation if row.ticket_id == ticket.pk else OPPOSITE[relation]


@transaction.atomic
def link(ticket: Ticket, *, actor: User, other: Ticket, relation: Relation) -> Ticket:
    """In the place of what the two were to each other before. Staff who see both; raises Ticket.DoesNotExist for who does not."""
    if ticket.pk == other.pk:
        raise IllegalMove(_("That is the number of this ticket itself. Write another."))
    ticket, other = lock_both(ticket, other, actor=actor)
    first, second = (other, ticket) if relation in _BACKWARDS else (ticket, other)
    if relation in (Relation.FOLLOWS_UP, Relation.FOLLOWED_BY):
        if not _follow_up(first, second):
            return ticket
    elif not _link(first, second, kind=LinkKind(OPPOSITE[relation] if relation in _BACKWARDS else relation), actor=actor):
        return ticket
    _tell(ticket, other, EventKind.LINKED, relation, actor=actor)
    return ticket


def _link(first: Ticket, second: Ticket, *, kind: LinkKind, actor: User) -> bool:
    row = _between(first, second)
    if row is None:
        TicketLink.objects.create(ticket=first, other=second, kind=kind, added_by=actor)
        return True
    if row.kind == kind and (kind == LinkKind.RELATED or row.ticket_id == first.pk):
        return False
    row.ticket, row.other, row.kind, row.added_by = first, second, kind, actor
    row.save(update_fields=["ticket", "other", "kind", "added_by"])
    return True


def _between(first: Ticket, second: Ticket) -> TicketLink | None:
    return TicketLink.objects.filter(Q(ticket=first, other=second) | Q(ticket=second, other=first)).first()


def _follow_up(later: Ticket, earlier: Ticket) -> bool:
    """Customers see it too, as far as they see both. A ticket follows up one other."""
    if later.follow_up_to_id == earlier.pk:
        return False
    if later.follow_up_to_id or earlier.follow_up_to_id == later.pk:
        raise IllegalMove(_("#%(number)d follows up another ticket already. Remove that link first.") % {"number": later.pk})
    later.follow_up_to = earlier
    save(later)
    return True


@transaction.atomic
def unlink(ticket: Ticket, *, actor: User, other: Ticket) -> Relation | None:
    """Whatever the two are to each other. The relation that was, None where there was none."""
    ticket, other = lock_both(ticket, other, actor=actor)
    relation = None
    if row := _between(ticket, other):
        relation = relation_of(row, ticket)
        row.delete()
    elif other.pk == ticket.follow_up_to_id:
        relation, ticket.follow_up_to = Relation.FOLLOWS_UP, None
    elif ticket.pk == other.follow_up_to_id:
        relation, other.follow_up_to = Relation.FOLLOWED_BY, None
    if relation:
        _tell(ticket, other, EventKind.UNLINKED, relation, actor=actor)
    return relation


def _tell(ticket: Ticket, other: Ticket, kind: EventKind, relation: Relation, *, actor: User) -> None:
    for one, another, is_to in ((ticket, other, relation), (other, ticket, OPPOSITE[relation])):
        save(one)
        record(one, kind, actor=actor, is_internal=True, how=is_to.value, **number_of(another, reader_of=one))


def number_of(other: Ticket, *, reader_of: Ticket) -> dict[str, Any]:
    """For an event that is read by whoever sees `reader_of`: nothing of a ticket in a private group that they may not be in."""
    is_hidden = other.group is not None and other.group.is_private and other.group_id != reader_of.group_id
    return {} if is_hidden else {"new": f"#{other.pk}"}
