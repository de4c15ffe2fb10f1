"""What the selects of a ticket's page offer: six lists that an admin keeps, in one query. What is retired is in them only where the ticket has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import BooleanField, Case, CharField, IntegerField, Q, Value, When

from accounts.models import AgentGroup, User
from tickets.models import Priority, ProductArea, Status, TicketType

if TYPE_CHECKING:
    from tickets.models import Ticket


class Offer(NamedTuple):
    """One entry, by the names of the models that it is of."""

    kind: str  # the ticket's field
    pk: int
    name: str
    note: str  # a status' category, a priority's definition, a person's address
    rank: int  # a priority's level
    is_told: bool  # a priority has words for the customer

    def __str__(self) -> str:
        return self.name or self.note.partition("@")[0]  # a person without a name, as `User.display_name`

    @property
    def category(self) -> str:
        return self.note

    @property
    def definition(self) -> str:
        return self.note

    @property
    def level(self) -> int:
        return self.rank


def offers(ticket: Ticket) -> dict[str, list[Offer]]:
    parts = [
        _listed("status", Status, ticket, note="category"),
        _listed("priority", Priority, ticket, note="definition", rank="level", is_told=_is_told()),
        _listed("type", TicketType, ticket),
        _listed("area", ProductArea, ticket),
        _listed("group", AgentGroup, ticket, rank=_no_rank()),
        _rows("assignee", User.objects.active_staff() | User.objects.filter(_is("assignee", ticket)), note="email"),
    ]
    found: dict[str, list[Offer]] = {kind: [] for kind in ("status", "priority", "type", "area", "group", "assignee")}
    for row in parts[0].union(*parts[1:], all=True):
        found[row[0]].append(Offer(*row))
    return {kind: sorted(those, key=lambda offer: (offer.rank, offer.name, offer.note)) for kind, those in found.items()}


def _is(field: str, ticket: Ticket) -> Q:
    """The one that the ticket has."""
    return Q(pk=getattr(ticket, f"{field}_id"))


def _listed(field: str, model: Any, ticket: Ticket, **columns: Any) -> Any:
    return _rows(field, model.objects.filter(Q(is_retired=False) | _is(field, ticket)), **{"rank": "position", **columns})


def _rows(field: str, queryset: Any, *, note: Any = None, rank: Any = None, is_told: Any = None) -> Any:
    """In columns that are alike in all of them."""
    no_note, never = Value("", output_field=CharField()), Value(value=False, output_field=BooleanField())
    kind = Value(field, output_field=CharField())
    return queryset.order_by().values_list(kind, "pk", "name", note or no_note, rank or _no_rank(), is_told or never)


def _no_rank() -> Value:
    return Value(0, output_field=IntegerField())


def _is_told() -> Case:
    return Case(When(public_comment="", then=Value(value=False)), default=Value(value=True), output_field=BooleanField())
