"""Days of October 2026 in Berlin, whose Sunday the 25th had 25 hours, with tickets whose every figure was counted by hand (see `test_tables`)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from accounts.models import AgentGroup
from tickets.lifecycle import Category
from tickets.models import Channel, OrganizationShare, Priority, Status, Stretch, Ticket, TicketType

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    """A time of October on the wall in Berlin; with a "+", the second time that the clock shows it."""
    return datetime.strptime(f"2026-10-{text.rstrip('+')}", "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=BERLIN, fold=text.endswith("+"))


def moment(text: str) -> datetime:
    padded = {5: ":00.000", 8: ".000"}.get(len(text.rstrip("+").partition(" ")[2]), "")
    return at(text.rstrip("+") + padded + ("+" if text.endswith("+") else ""))


#     created           first response   resolved       type       agent
ROWS = {
    "A": ("20 12:00", "22 12:00", None, "Bug", "dan"),
    "B": ("21 00:00", "21 00:30", "23 23:59:59", "Question", "dan"),
    "C": ("23 23:59:59.999", "24 09:00", "26 09:00", "Bug", "eve"),
    "D": ("25 00:10", "25 23:10", "26 00:00", None, None),
    "E": ("25 02:30+", "25 02:35+", None, "Bug", None),
    "F": ("25 02:30", "25 02:50+", None, "Question", "eve"),
    "G": ("26 23:59", None, None, None, None),
    "H": ("27 00:00", None, None, None, None),
}
STRETCHES = [
    ("C", Stretch.Kind.RESOLVED, "24 10:00", "25 02:30"),  # resolved, and reopened the day after
    ("C", Stretch.Kind.ANSWERED, "24 12:00", "25 12:00"),  # 25 hours
    ("A", Stretch.Kind.ANSWERED, "22 13:00", "22 14:00"),
]


@pytest.fixture
def october(settings, workflow, dan, eve, ana, cleo, acme, globex) -> dict[str, Ticket]:
    """A is of Acme, B of nobody, C of both, the others of Globex. Beside them lie one that is spam and one of a private group that Eve is in."""
    settings.TIME_ZONE = "Europe/Berlin"
    statuses = {status.category: status for status in Status.objects.filter(is_default=True)}
    agents = {"dan": dan, "eve": eve, None: None}
    types = {name: TicketType.objects.get_or_create(name=name)[0] for name in ("Bug", "Question")} | {None: None}

    def make(name, created, answered=None, resolved=None, type=None, agent=None, category=Category.OPEN, **fields):
        category = Category.RESOLVED if resolved else category
        return Ticket.objects.create(
            subject=name,
            requester=ana,
            status=statuses[category],
            category=category,
            channel=Channel.EMAIL if name in "AB" else Channel.PORTAL,
            created_at=moment(created),
            first_response_at=answered and moment(answered),
            resolved_at=resolved and moment(resolved),
            type=types[type],
            assignee=agents[agent],
            **fields,
        )

    tickets = {name: make(name, *row) for name, row in ROWS.items()}
    tickets["C"].priority = Priority.objects.get(level=1)
    tickets["C"].save()
    private = AgentGroup.objects.create(name="Security", is_private=True)
    private.members.add(eve)
    make("Spam", "25 10:00", "25 11:00", category=Category.SPAM)
    tickets["P"] = make("P", "25 11:00", "25 12:00", group=private)
    for name, kind, began, ended in STRETCHES:
        Stretch.objects.create(ticket=tickets[name], kind=kind, began_at=moment(began), ended_at=moment(ended))
    shared = [("A", acme), ("C", acme), ("C", globex), *((name, globex) for name in "DEFGH")]
    for name, organization in shared:
        OrganizationShare.objects.create(ticket=tickets[name], organization=organization)
    return tickets
