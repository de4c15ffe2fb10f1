"""Every fact about a ticket, and the help articles.

Fields, constraints, indexes and small properties only: what may happen is decided by the verbs, in `tickets.actions` and `tickets.help.articles`.
"""

from __future__ import annotations

from tickets.models.article import (
    Article,
    ArticleEvent,
    ArticleEventKind,
    ArticleFeedback,
    ArticleFile,
    ArticleLink,
    ArticleSection,
    ArticleState,
    ArticleTerm,
    ArticleVersion,
    Audience,
)
from tickets.models.automation import ON_TIME, AutomationRule, AutomationRun, Outcome, When
from tickets.models.bulk import BulkItem, BulkRun, BulkState, ItemState
from tickets.models.clock import Clock
from tickets.models.conversation import Attachment, Comment, StoredFile, Upload
from tickets.models.draft import Draft
from tickets.models.event import Event, EventKind
from tickets.models.helper import CannedReply, Macro
from tickets.models.inbound import Authentication, ImapLogin, InboundMessage, InboundState, Mailbox
from tickets.models.link import LinkKind, TicketLink
from tickets.models.posting import IndexedTicket, Posting
from tickets.models.reading import TicketRead
from tickets.models.release import Release, ReleasePost
from tickets.models.rule import MailRule
from tickets.models.sla import BusinessCalendar, Holiday, Side, SlaPolicy, SlaSnapshot, SlaStep, SlaTarget, WorkingSpan
from tickets.models.stretch import Stretch
from tickets.models.tag import Tag, Tagging
from tickets.models.ticket import Channel, Follower, OrganizationShare, Ticket
from tickets.models.view import SavedView
from tickets.models.words import TicketWords
from tickets.models.workflow import Priority, ProductArea, Status, TicketType

__all__ = [
    "ON_TIME",
    "Article",
    "ArticleEvent",
    "ArticleEventKind",
    "ArticleFeedback",
    "ArticleFile",
    "ArticleLink",
    "ArticleSection",
    "ArticleState",
    "ArticleTerm",
    "ArticleVersion",
    "Attachment",
    "Audience",
    "Authentication",
    "AutomationRule",
    "AutomationRun",
    "BulkItem",
    "BulkRun",
    "BulkState",
    "BusinessCalendar",
    "CannedReply",
    "Channel",
    "Clock",
    "Comment",
    "Draft",
    "Event",
    "EventKind",
    "Follower",
    "Holiday",
    "ImapLogin",
    "InboundMessage",
    "InboundState",
    "IndexedTicket",
    "ItemState",
    "LinkKind",
    "Macro",
    "MailRule",
    "Mailbox",
    "OrganizationShare",
    "Outcome",
    "Posting",
    "Priority",
    "ProductArea",
    "Release",
    "ReleasePost",
    "SavedView",
    "Side",
    "SlaPolicy",
    "SlaSnapshot",
    "SlaStep",
    "SlaTarget",
    "Status",
    "StoredFile",
    "Stretch",
    "Tag",
    "Tagging",
    "Ticket",
    "TicketLink",
    "TicketRead",
    "TicketType",
    "TicketWords",
    "Upload",
    "When",
    "WorkingSpan",
]
