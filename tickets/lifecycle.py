"""Which happening moves a ticket into which category of status. Pure: no models, no clock.

Statuses are data (`tickets.models.workflow`); the categories they belong to, and what leads from one to another, are code.
"""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Category(TextChoices):
    NEW = "new", _("New")
    OPEN = "open", _("Open")
    WAITING = "waiting", _("Waiting")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")
    SPAM = "spam", _("Spam")


UNRESOLVED = (Category.NEW, Category.OPEN, Category.WAITING)
FINISHED = (Category.RESOLVED, Category.CLOSED)


class Trigger(TextChoices):
    """What leads to a status by itself. Resolved, spam and any other are chosen by hand (`tickets.actions.change_status`)."""

    PICKED_UP = "picked_up"
    AGENT_REPLIED = "agent_replied"
    CUSTOMER_REPLIED = "customer_replied"
    CLOSED = "closed"
    REOPENED = "reopened"
    CLOSE_DUE = "close_due"


_MOVES: dict[Trigger, tuple[tuple[Category, ...], Category]] = {
    Trigger.PICKED_UP: ((Category.NEW,), Category.OPEN),
    Trigger.AGENT_REPLIED: ((Category.NEW,), Category.OPEN),
    Trigger.CUSTOMER_REPLIED: ((Category.WAITING, Category.RESOLVED, Category.CLOSED), Category.OPEN),
    Trigger.CLOSED: ((*UNRESOLVED, Category.RESOLVED), Category.CLOSED),
    Trigger.REOPENED: (FINISHED, Category.OPEN),
    Trigger.CLOSE_DUE: ((Category.RESOLVED,), Category.CLOSED),
}


def target(category: str, trigger: Trigger) -> Category | None:
    """The category that `trigger` moves a ticket in `category` to; None when it stays where it is."""
    sources, goal = _MOVES[trigger]
    return goal if category in sources else None
