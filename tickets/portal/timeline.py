"""A ticket's story as its customers read it, oldest first: what was said in public, and what changed that they may know of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tickets import access
from tickets.attachments import Tile, tiles
from tickets.events import Support, actor_for_customers, describe, rule_of
from tickets.models import EventKind
from tickets.templatetags.rich import picture_url, rich

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from accounts.models import User
    from tickets.models import Comment, Event, Ticket

_SILENT = {EventKind.OPENED, EventKind.COMMENTED}  # they speak for themselves


@dataclass(frozen=True, slots=True)
class Entry:
    """For `components/timeline_entry.html`."""

    kind: str  # "reply" or "change"
    at: datetime
    author: User | Support | None  # None: by itself
    id: int | None = None
    words: str = ""
    html: SafeString = field(default_factory=SafeString)
    channel: str = ""
    attachments: list[Tile] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Timeline:
    entries: list[Entry]
    files: list[Tile]
    seen: int  # the newest event in it
    told_priority: int | None  # of which customers were told last


def timeline(user: User, ticket: Ticket) -> Timeline:
    """Four queries, however long the story is."""
    parts = access.parts_of(user, ticket)
    said = {one.pk: one for one in access.comments_of(user, parts).select_related("author").prefetch_related("attachments")}
    known = {one.author_id for one in said.values()}
    events = list(access.events_of(user, parts).select_related("actor"))
    entries = [entry for event in events for entry in _entries(event, said.get(event.comment_id or 0), known)]
    files = tiles(file for one in said.values() for file in one.attachments.all())
    told = [event.data["priority"] for event in events if event.kind == EventKind.PRIORITY_CHANGED and event.ticket_id == ticket.pk]
    return Timeline(entries, files, seen=events[-1].pk if events else 0, told_priority=told[-1] if told else None)


def _entries(event: Event, comment: Comment | None, known: Collection[int]) -> list[Entry]:
    if comment:
        changes = [Entry("change", event.at, actor_for_customers(event, known), words=words) for words in _besides(event)]
        return [_reply(comment, event.data.get("named", ()), by_rule=bool(rule_of(event))), *changes]
    if event.kind in _SILENT or _looks_unchanged(event) or _is_about_mail(event):
        return []
    return [Entry("change", event.at, actor_for_customers(event, known), words=describe(event, for_staff=False))]


def _besides(event: Event) -> list[str]:
    """What was done by saying something."""
    done = [_("set the priority to %(new)s") % event.data] if event.kind == EventKind.PRIORITY_CHANGED else []
    if names := ", ".join(event.data.get("shared_with", ())):
        done.append(_("shared the ticket with %(names)s") % {"names": names})
    return done


def _reply(comment: Comment, named: Iterable[str], *, by_rule: bool) -> Entry:
    html = rich(comment, named=named)
    below = [file for file in comment.attachments.all() if not (file.is_image and escape(picture_url(file)) in html)]
    author = Support(comment.author.display_name) if by_rule else comment.author
    return Entry("reply", comment.created_at, author, comment.pk, "", html, comment.channel, tiles(below))


def _looks_unchanged(event: Event) -> bool:
    """A move between two statuses that customers read as the same is no news."""
    return event.kind == EventKind.STATUS_CHANGED and event.data.get("old_public") == event.data.get("new_public")


def _is_about_mail(event: Event) -> bool:
    """Who begins or ends following by themselves changes their own mail, which is nobody's news."""
    kinds = (EventKind.FOLLOWER_ADDED, EventKind.FOLLOWER_REMOVED)
    return event.kind in kinds and not (event.data.get("new") or event.data.get("old") or event.data.get("left"))
