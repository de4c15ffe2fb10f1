"""Every kind of event that tags, snoozing, links, merging and splitting leave behind, for the tests that go through all kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from tests.factories import make_ticket, message
from tickets import actions, configuring, links, merging, snoozing, splitting, tagging
from tickets.lifecycle import Category

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models import Ticket


def tag_and_snooze(ticket: Ticket, *, actor: User) -> None:
    actions.set_reference(ticket, actor=actor, reference="TEM-1")
    tagging.add_tags(ticket, actor=actor, names=["export"])
    tagging.remove_tag(ticket, actor=actor, name="export")
    snoozing.snooze(ticket, actor=actor, until=snoozing.tomorrow(timezone.now()))
    snoozing.wake(ticket, actor=actor)


def link_merge_split(ticket: Ticket, *, actor: User) -> None:
    """On another ticket of the same requester; this one only has the link, and that it is gone."""
    other = make_ticket(ticket.requester)
    said = actions.comment(other, actor=ticket.requester, message=message("And this?"))
    splitting.split(other, actor=actor, comment=said, subject="This")
    links.link(other, actor=actor, other=ticket, relation=links.Relation.RELATED)
    links.unlink(other, actor=actor, other=ticket)
    merging.merge(make_ticket(ticket.requester), into=other, actor=actor)
    merging.unmerge(other.merged.get(), actor=actor)


def recategorise(*, actor: User) -> None:
    """There and back, of the status that new tickets have."""
    status = actions.default_status(Category.NEW)
    for category in (Category.OPEN, Category.NEW):
        status.category, status.is_default = category, category == Category.NEW
        configuring.recategorise(status, actor=actor)
