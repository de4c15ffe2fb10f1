"""Every fact about a ticket. Fields, constraints, indexes and small properties only: what may happen is decided in `tickets.actions`."""

from __future__ import annotations

from tickets.models.conversation import Attachment, Comment
from tickets.models.event import Event, EventKind
from tickets.models.inbound import Authentication, ImapLogin, InboundMessage, InboundState, Mailbox
from tickets.models.rule import MailRule
from tickets.models.ticket import Channel, Follower, OrganizationShare, Ticket
from tickets.models.workflow import Priority, Status, TicketType

__all__ = [
    "Attachment",
    "Authentication",
    "Channel",
    "Comment",
    "Event",
    "EventKind",
    "Follower",
    "ImapLogin",
    "InboundMessage",
    "InboundState",
    "MailRule",
    "Mailbox",
    "OrganizationShare",
    "Priority",
    "Status",
    "Ticket",
    "TicketType",
]
