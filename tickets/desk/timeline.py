"""A ticket's history as staff read it: what was said, what changed, and who was mailed about each. Reads."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from accounts.models import User
from notifications import bounces
from notifications.models import Delivery, State
from tickets import access
from tickets.attachments import Tile, tiles
from tickets.events import describe, rule_of
from tickets.models import Event, EventKind, Ticket
from tickets.templatetags.rich import has_remote_pictures

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from tickets.models import Comment, InboundMessage

# Put together once, as it never varies.
_DELIVERIES = Delivery.objects.select_related("recipient", "told_by__recipient").annotate(is_claimed=bounces.is_claimed()).order_by("id")


@dataclass(frozen=True, slots=True)
class Rule:
    """Stands where a person would, for what an admin's rule did."""

    display_name: str
    initials: str = "R"
    is_or_was_staff: bool = True


@dataclass(slots=True)
class Mailed:
    """The mails about one event, by their fate."""

    sent: list[Delivery] = field(default_factory=list)
    waiting: list[Delivery] = field(default_factory=list)
    failed: list[Delivery] = field(default_factory=list)
    bounced: list[Delivery] = field(default_factory=list)
    cancelled: list[Delivery] = field(default_factory=list)
    claims: list[InboundMessage] = field(default_factory=list)  # bounces about one of them that nothing proves

    def __bool__(self) -> bool:
        return any((self.sent, self.waiting, self.failed, self.bounced, self.cancelled, self.claims))

    def add(self, delivery: Delivery) -> None:
        """What became a part of another mail shares that one's fate."""
        mail = delivery.told_by or delivery
        fates = {State.SENT: self.sent, State.FAILED: self.failed, State.BOUNCED: self.bounced, State.CANCELLED: self.cancelled}
        fates.get(State(mail.state), self.waiting).append(mail)

    @property
    def sent_at(self) -> datetime | None:
        """When the last of them had left."""
        return max((delivery.sent_at for delivery in self.sent if delivery.sent_at), default=None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. What was said stands in `comment`, if anything was."""

    event: Event
    words: str  # what happened besides something being said
    mailed: Mailed
    inbound: InboundMessage | None  # the mail that it came by
    merged: int | None = None  # the number of the ticket that it belongs to, where that was merged into this one
    is_news: bool = False  # happened since the person opened the page they are now answering from
    is_remote_shown: bool = False  # with the pictures of other servers

    @property
    def comment(self) -> Comment | None:
        return self.event.comment

    @property
    def anchor(self) -> str:
        """Where it stands on the page."""
        return f"c{self.comment.pk}" if self.comment else f"e{self.event.pk}"

    @property
    def split_off(self) -> int | None:
        """The number of the ticket that this message became, too."""
        copy = getattr(self.comment, "split_off", None)
        return copy.ticket_id if copy else None

    @property
    def can_be_split(self) -> bool:
        said = self.comment
        return said is not None and self.event.kind == EventKind.COMMENTED and not (said.author.is_or_was_staff or self.split_off)

    @property
    def forwarded_from(self) -> str:
        """Who wrote the mail that the ticket began with, where one of us passed it on; '' once a customer is the requester."""
        is_ours = self.event.kind == EventKind.OPENED and self.event.ticket.requester.is_staff
        return self.inbound.forwarded_from if self.inbound and is_ours else ""

    @property
    def offers_pictures(self) -> bool:
        return self.comment is not None and not self.is_remote_shown and has_remote_pictures(self.comment)

    @property
    def named(self) -> Collection[str]:
        """The words that name somebody."""
        named: dict[str, int] = self.event.data.get("named", {})
        return named

    @property
    def attachments(self) -> list[Tile]:
        return tiles(self.comment.attachments.all()) if self.comment else []

    @property
    def author(self) -> User | Rule | None:
        if rule := rule_of(self.event):
            return Rule(_("Rule “%(rule)s”") % {"rule": rule})
        return self.comment.author if self.comment else self.event.actor


def timeline(
    user: User, ticket: Ticket, *, parts: Collection[int], news: Collection[int] = (), pictures_of: int | None = None
) -> list[Entry]:
    """Oldest first. `parts`: as `access.parts_of` a ticket has them. `news`: events to be marked as unseen. `pictures_of`: the comment with remote pictures.

    Three queries, however long it is; one more for files, for doubtful reports about mails, and for what was merged into it, where there are any.
    """
    others = [number for number in parts if number != ticket.pk]
    tickets = {ticket.pk: ticket, **(Ticket.objects.select_related("requester").in_bulk(others) if others else {})}
    events = (
        access.events_of(user, parts)
        .select_related("comment__inbound", "comment__split_off")
        .defer("comment__inbound__raw")
        .prefetch_related("comment__attachments")
    )
    mailed: dict[int | None, Mailed] = defaultdict(Mailed)
    deliveries = list(_DELIVERIES.filter(ticket__in=parts))
    claims = bounces.claims_about(delivery for delivery in deliveries if delivery.is_claimed)  # type: ignore[attr-defined] # annotated
    for delivery in deliveries:
        mailed[delivery.event_id].add(delivery)
        mailed[delivery.event_id].claims += claims[delivery.pk]
    # Not joined to each, as they are the same few for nearly all; and PostgreSQL, given so many joins, reads the whole table of people.
    people = User.objects.in_bulk({pk for event in events for pk in (event.actor_id, event.comment and event.comment.author_id) if pk})
    for event in events:
        event.ticket = tickets[event.ticket_id]
        if event.actor_id:
            event.actor = people[event.actor_id]
        if event.comment:
            event.comment.author = people[event.comment.author_id]
    return [
        Entry(
            event=event,
            words=_words(event),
            mailed=mailed[event.pk],
            inbound=getattr(event.comment, "inbound", None),
            is_news=event.pk in news,
            merged=event.ticket_id if event.ticket_id != ticket.pk else None,
            is_remote_shown=event.comment_id is not None and event.comment_id == pictures_of,
        )
        for event in events
    ]


def _words(event: Event) -> str:
    """A reply or note speaks for itself, unless the status moved with it."""
    says_itself = (
        event.comment_id is not None
        and not any(event.data.get(key) for key in ("new", "shared_with", "woke"))
        and event.kind != EventKind.OPENED
    )
    return "" if says_itself else describe(event, for_staff=True)
