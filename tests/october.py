"""Days of October 2026 in Berlin, whose Sunday the 25th had 25 hours, with tickets whose every figure was counted by hand (see `test_tables`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import AgentGroup, Organization, User
from tickets.lifecycle import Category
from tickets.models import Channel, Clock, OrganizationShare, Priority, SlaSnapshot, Status, Stretch, Ticket, TicketType
from tickets.sla.promises import ClockState, Metric

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
#     metric        state, when it ended, when its time was over
CLOCKS = [
    ("A", Metric.FIRST, ClockState.MET, "22 12:00", "21 12:00"),
    ("A", Metric.NEXT, ClockState.MET, "22 14:00", None),
    ("B", Metric.FIRST, ClockState.MET, "21 00:30", None),
    ("B", Metric.RESOLUTION, ClockState.MET, "23 23:59:59", "22 12:00"),
    ("C", Metric.NEXT, ClockState.DROPPED, "26 09:00", "25 00:00"),
    ("C", Metric.RESOLUTION, ClockState.MET, "26 09:00", None),
    ("D", Metric.FIRST, ClockState.MET, "25 23:10", None),
    ("D", Metric.NEXT, ClockState.DROPPED, "26 00:00", None),  # neither kept nor missed
    ("D", Metric.RESOLUTION, ClockState.MET, "26 00:00", None),
    ("E", Metric.FIRST, ClockState.MET, "25 02:35+", None),
    ("F", Metric.FIRST, ClockState.MET, "25 02:50+", "25 02:45+"),
    ("P", Metric.RESOLUTION, ClockState.MET, "25 12:00", "25 11:30"),
    ("Spam", Metric.FIRST, ClockState.MET, "25 10:30", None),
]


def fill(*, dan: User, eve: User, ana: User, acme: Organization, globex: Organization) -> dict[str, Ticket]:
    """A is of Acme, B of nobody, C of both, the others of Globex. Beside them lie one that is spam and one of a private group that Eve is in."""
    statuses = {status.category: status for status in Status.objects.filter(is_default=True)}
    agents = {"dan": dan, "eve": eve, None: None}
    types = {name: TicketType.objects.get_or_create(name=name)[0] for name in ("Bug", "Question")} | {None: None}

    def make(
        name: str,
        created: str,
        answered: str | None = None,
        resolved: str | None = None,
        type: str | None = None,
        agent: str | None = None,
        category: Category = Category.OPEN,
        **fields: Any,
    ) -> Ticket:
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
    tickets["Spam"] = make("Spam", "25 10:00", "25 11:00", category=Category.SPAM)
    tickets["P"] = make("P", "25 11:00", "25 12:00", group=private)
    for name, kind, began, ended in STRETCHES:
        Stretch.objects.create(ticket=tickets[name], kind=kind, began_at=moment(began), ended_at=moment(ended))
    snapshot = SlaSnapshot.objects.create(digest="october", text="{}")
    for name, metric, state, ended, breached in CLOCKS:
        Clock.objects.create(
            ticket=tickets[name],
            metric=metric,
            state=state,
            snapshot=snapshot,
            target=timedelta(hours=1),
            started_at=tickets[name].created_at,
            ended_at=moment(ended),
            breached_at=breached and moment(breached),
        )
    shared = [("A", acme), ("C", acme), ("C", globex), *((name, globex) for name in "DEFGH")]
    for name, organization in shared:
        OrganizationShare.objects.create(ticket=tickets[name], organization=organization)
    return tickets
