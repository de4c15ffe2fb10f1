"""What the selects of a ticket's page offer: six lists that an admin keeps, in one query. What is retired is in them only where the ticket has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import BooleanField, Case, CharField, IntegerField, Value, When

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
    """`ticket` comes with its assignee, who may be of our staff no longer."""
    found: dict[str, list[Offer]] = {kind: [] for kind in ("status", "priority", "type", "area", "group", "assignee")}
    for *row, is_retired in _LISTED.all():
        offer = Offer(*row)
        if not is_retired or offer.pk == getattr(ticket, f"{offer.kind}_id"):
            found[offer.kind].append(offer)
    if ticket.assignee and ticket.assignee_id not in {offer.pk for offer in found["assignee"]}:
        found["assignee"].append(Offer("assignee", ticket.assignee.pk, ticket.assignee.name, ticket.assignee.email, 0, is_told=False))
    return {kind: sorted(those, key=lambda offer: (offer.rank, offer.name, offer.note)) for kind, those in found.items()}


_NONE = Value("", output_field=CharField())
_NO_RANK = Value(0, output_field=IntegerField())
_NO = Value(value=False, output_field=BooleanField())


def _rows(
    kind: str, queryset: Any, *, note: Any = _NONE, rank: Any = "position", is_told: Any = _NO, is_retired: Any = "is_retired"
) -> Any:
    """In columns that are alike in all of them."""
    return queryset.order_by().values_list(Value(kind, output_field=CharField()), "pk", "name", note, rank, is_told, is_retired)


_IS_TOLD = Case(When(public_comment="", then=_NO), default=Value(value=True), output_field=BooleanField())
_LISTED = _rows("status", Status.objects.all(), note="category").union(  # put together once, which takes longer than to ask it
    _rows("priority", Priority.objects.all(), note="definition", rank="level", is_told=_IS_TOLD),
    _rows("type", TicketType.objects.all()),
    _rows("area", ProductArea.objects.all()),
    _rows("group", AgentGroup.objects.all(), rank=_NO_RANK),
    _rows("assignee", User.objects.active_staff(), note="email", rank=_NO_RANK, is_retired=_NO),
    all=True,
)
