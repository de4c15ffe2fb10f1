"""What the demo's staff keep at hand: canned replies, macros, rules that act by themselves, and a draft that somebody has begun."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from accounts.models import AgentGroup
from tickets.actions import Message
from tickets.automation import acting
from tickets.models import AutomationRule, CannedReply, Channel, Macro, Priority, Status, Ticket, When
from tickets.writing import drafts, prose

if TYPE_CHECKING:
    from accounts.models import User

_REPLIES = {
    "We are on it": (
        "<p>Hello {first_name},</p><p>thank you for writing. I am looking into “{subject}” and will write again today.</p><p>Best regards<br>{agent}</p>",
        41,
    ),
    "Which browser and version?": (
        "<p>Hello {first_name},</p><p>so that I can see what you see, please tell me:</p>"
        "<ol><li>your browser and its version,</li><li>whether it also happens in a <strong>private window</strong>,</li>"
        "<li>the time when it happened last.</li></ol><p>{agent}</p>",
        17,
    ),
    "Solved: please confirm": (
        "<p>Hello {first_name},</p><p>this should work now. Would you look, and tell us at {link}? It closes by itself after 48 hours.</p><p>{agent}</p>",
        23,
    ),
}


def make_helpers(people: dict[str, User]) -> None:
    replies = {
        name: CannedReply.objects.create(name=name, html=html, text=prose.plain(html), used=used, changed_by=people["priya"])
        for name, (html, used) in _REPLIES.items()
    }
    Macro.objects.create(
        name="Take it and say that we are on it",
        status=Status.objects.get(name="In Progress"),
        assigns=Macro.Assigns.ME,
        reply=replies["We are on it"],
        used=12,
    )
    Macro.objects.create(
        name="Hand to DevOps",
        to_group=AgentGroup.objects.get(name="DevOps"),
        priority=Priority.objects.get(name="High"),
        assigns=Macro.Assigns.NOBODY,
        tags="needs-logs",
        note="For DevOps: {name} ({organization}) needs somebody with access to the servers.",
        used=5,
    )
    Macro.objects.create(name="Wait for the customer", status=Status.objects.get(name="Waiting on Customer"), owner=people["priya"], used=3)


def make_rules(admin: User) -> None:
    """The first acts as the stories are played; the second on who has waited for a day while the demo runs."""
    to_devops = AutomationRule(
        name="Sign-on and API go to DevOps",
        when=When.OPENED,
        conditions={"subject": {"values": ["SSO:", "single sign-on", "API:", "webhook"], "not": False}},
        steps={"group": AgentGroup.objects.get(name="DevOps").pk, "tags": ["platform"]},
    )
    waits = AutomationRule(
        name="Nobody waits longer than a day",
        when=When.UNANSWERED,
        span=timedelta(days=1),
        conditions={"priority": {"values": [Priority.objects.get(name="Low").pk], "not": True}},
        steps={
            "tags": ["waits"],
            "note": "{name} has waited for a day. If we can't say more yet, say when we will.",
            "mail": {"people": [], "groups": [AgentGroup.objects.get(is_default=True).pk], "words": "“{subject}” waits for an answer."},
        },
    )
    for rule in (to_devops, waits):
        acting.keep(rule, actor=admin)


def begin_draft(writer: User, ticket: Ticket) -> None:
    message = Message(text="Hello,\n\nI have asked our accounting about this. As far as I know,", channel=Channel.DESK)
    drafts.save(ticket, actor=writer, message=message)
