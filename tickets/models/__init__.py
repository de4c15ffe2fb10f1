"""Every fact about a ticket. Fields, constraints, indexes and small properties only: what may happen is decided in `tickets.actions`."""

from __future__ import annotations

from tickets.models.conversation import Attachment, Comment
from tickets.models.event import Event, EventKind
from tickets.models.inbound import InboundMessage, InboundState, Mailbox
from tickets.models.ticket import Channel, Follower, OrganizationShare, Ticket
from tickets.models.workflow import Priority, Status, TicketType

__all__ = [
    "Attachment",
    "Channel",
    "Comment",
    "Event",
    "EventKind",
    "Follower",
    "InboundMessage",
    "InboundState",
    "Mailbox",
    "OrganizationShare",
    "Priority",
    "Status",
    "Ticket",
    "TicketType",
]
