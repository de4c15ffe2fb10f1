"""What a customer is told of a ticket's state: the customers' name of its status, whose turn it is, what happens next.

Spam looks like closed: nobody is called a spammer by a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from tickets.lifecycle import Category
from tickets.search.full_text import Passage, marked
from tickets.search.words import Asked

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from tickets.models import Ticket

_NO_WORDS = Asked()


@dataclass(frozen=True, slots=True)
class Standing:
    """Stands in for the status wherever customers read."""

    category: str
    label_for_customers: str
    is_your_turn: bool
    next_step: str


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket in a customer's list."""

    number: int
    subject: str  # with the words that were looked for marked
    requester: User
    public_updated_at: datetime
    status: Standing
    is_unread: bool
    passage: Passage | None  # in which they stand


def row_of(ticket: Ticket, *, words: Asked = _NO_WORDS, passage: Passage | None = None) -> Row:
    """Of one that `tickets.reading.with_unread` has looked at."""
    is_unread: bool = ticket.is_unread  # type: ignore[attr-defined] # annotated
    subject = marked(ticket.subject, words)
    return Row(ticket.number, subject, ticket.requester, ticket.public_updated_at, standing(ticket), is_unread, passage)


def standing(ticket: Ticket) -> Standing:
    category = Category.CLOSED if ticket.is_spam else Category(ticket.category)
    waits_for_customer = category == Category.WAITING and ticket.status.is_default
    return Standing(
        category,
        ticket.status.label_for_customers,
        is_your_turn=waits_for_customer or category == Category.RESOLVED,
        next_step=_next_step(ticket, category, waits_for_customer=waits_for_customer),
    )


def _next_step(ticket: Ticket, category: Category, *, waits_for_customer: bool) -> str:
    if ticket.fix_confirmed_at and ticket.is_unresolved:
        return _("You said that it works now. We finish the ticket; there is nothing more for you to do.")
    if category == Category.CLOSED and ticket.status.reopens_on_reply:
        return _("A reply opens it again.")
    if waits_for_customer:
        return _("It is your turn: we need an answer from you to go on.")
    return {
        Category.NEW: _("We have it. Somebody at support will pick it up, and you get an email with the answer."),
        Category.OPEN: _("Support is working on it. You get an email with the next answer."),
        Category.WAITING: _("Support waits for others to do their part, and will write to you."),
        Category.RESOLVED: _("Support thinks that this is solved. Tell us whether it is."),
        Category.CLOSED: _("This ticket is finished. A reply opens a new one that is linked to it."),
    }[category]
