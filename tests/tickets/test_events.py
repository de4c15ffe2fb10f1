"""History in words, for staff and for customers."""

from __future__ import annotations

import pytest

from accounts.models import AgentGroup
from tests.factories import make_ticket, message
from tests.shaping import link_merge_split, recategorise, tag_and_snooze
from tickets import access, actions
from tickets.events import describe, record
from tickets.models import AutomationRule, Event, EventKind, Priority, ProductArea, Status, TicketType

pytestmark = pytest.mark.django_db
MOVE = {"old": "Waiting on Dev Team", "new": "In Progress", "old_public": "With our engineers", "new_public": "In work"}
NAMED = {"old": "Old One", "new": "New One"}

# kind → what it keeps, what staff read, what customers read (None: never theirs)
WORDS = {
    EventKind.OPENED: ({}, "opened the ticket", "opened the ticket"),
    EventKind.COMMENTED: (MOVE, "replied and set the status to In Progress", "replied and set the status to In work"),
    EventKind.NOTED: ({}, "added an internal note", None),
    EventKind.STATUS_CHANGED: (
        MOVE,
        "changed the status from Waiting on Dev Team to In Progress",
        "changed the status from With our engineers to In work",
    ),
    EventKind.RECATEGORISED: (
        {"name": "Triage", "counts_as": "Open"},
        "changed the status Triage, which counts as Open now",
        None,
    ),
    EventKind.RESOLVED: (MOVE, "resolved the ticket", "resolved the ticket"),
    EventKind.CLOSED: (MOVE, "closed the ticket", "closed the ticket"),
    EventKind.REOPENED: (MOVE, "reopened the ticket", "reopened the ticket"),
    EventKind.FIX_CONFIRMED: ({}, "confirmed that the fix works", "confirmed that the fix works"),
    EventKind.ASSIGNED: (NAMED, "assigned the ticket to New One", None),
    EventKind.GROUP_CHANGED: (NAMED, "moved the ticket to the group New One", None),
    EventKind.AREA_CHANGED: (NAMED, "set the product area to New One", None),
    EventKind.TYPE_CHANGED: (NAMED, "set the type to New One", None),
    EventKind.PRIORITY_CHANGED: (NAMED, "set the priority to New One", None),
    EventKind.FOLLOWER_ADDED: ({"new": "Ben Ode"}, "shared the ticket with Ben Ode", "shared the ticket with Ben Ode"),
    EventKind.FOLLOWER_REMOVED: ({"old": "Ben Ode"}, "removed Ben Ode from the ticket", "removed Ben Ode from the ticket"),
    EventKind.ORGANIZATION_ADDED: ({"new": "Globex"}, "shared the ticket with Globex", "shared the ticket with Globex"),
    EventKind.ORGANIZATION_REMOVED: ({"old": "Globex"}, "removed Globex from the ticket", "removed Globex from the ticket"),
    EventKind.MARKED_SPAM: (MOVE, "marked the ticket as spam", None),
    EventKind.NOT_SPAM: (MOVE, "said that the ticket is not spam", None),
    EventKind.STAFF_TOLD: ({"names": ["Dan", "DevOps"], "words": "Look."}, "told Dan, DevOps: Look.", None),
    EventKind.RULE_FAILED: ({"why": "It is gone."}, "could not act: It is gone.", None),
    EventKind.REQUESTER_CHANGED: (NAMED, "made New One the requester", "made New One the requester"),
    EventKind.REFERENCE_CHANGED: ({"new": "TEM-1"}, "set the engineering reference to TEM-1", None),
    EventKind.TAGGED: ({"new": "export"}, "added the tag export", None),
    EventKind.UNTAGGED: ({"old": "export"}, "removed the tag export", None),
    EventKind.SNOOZED: ({"until": "2026-12-01T08:00:00+00:00"}, "snoozed the ticket until 1 December 2026, 08:00 UTC", None),
    EventKind.LINKED: ({"how": "blocked_by", "new": "#12"}, "noted that it is blocked by #12", None),
    EventKind.UNLINKED: ({"how": "related"}, "took back that it is related to another ticket", None),
    EventKind.MERGED: ({"new": "#12", "new_public": ""}, "merged the ticket into #12", "merged the ticket into another one"),
    EventKind.UNMERGED: ({}, "undid the merge: the ticket goes on by itself", "undid the merge: the ticket goes on by itself"),
    EventKind.TOOK_IN: ({"new": "#12"}, "merged #12 into this ticket", None),
    EventKind.GAVE_BACK: ({"new": "#12"}, "undid the merge of #12", None),
    EventKind.SPLIT: ({"new": "#12"}, "split a message off into #12", None),
    EventKind.WOKEN: ({}, "woke the ticket", None),
    EventKind.SLA_WARNED: ({"sla": {"metric": "first"}, "minutes": -90}, "First response: 1h 30m left", None),
    EventKind.SLA_BREACHED: ({"sla": {"metric": "next"}, "minutes": 0}, "Next response is overdue", None),
    EventKind.SLA_ESCALATED: ({"sla": {"metric": "resolution"}, "minutes": 240}, "Resolution is overdue by 4h", None),
}
WITHOUT = {
    EventKind.COMMENTED: "replied",
    EventKind.ASSIGNED: "unassigned the ticket",
    EventKind.GROUP_CHANGED: "removed the group",
    EventKind.AREA_CHANGED: "removed the product area",
    EventKind.TYPE_CHANGED: "removed the type",
    EventKind.PRIORITY_CHANGED: "removed the priority",
    EventKind.FOLLOWER_ADDED: "follows the ticket",
    EventKind.FOLLOWER_REMOVED: "no longer follows the ticket",
}


@pytest.mark.parametrize("kind", EventKind)
def test_event_when_described_then_each_reads_their_own_names(ana, kind):
    data, for_staff, for_customers = WORDS[kind]
    event = Event(kind=kind, actor=ana, data=data)
    assert describe(event, for_staff=True) == for_staff
    if for_customers:
        assert describe(event, for_staff=False) == for_customers


@pytest.mark.parametrize(("kind", "words"), WITHOUT.items())
def test_event_when_it_names_nobody_then_has_words_of_its_own(ana, kind, words):
    assert describe(Event(kind=kind, actor=ana, data={}), for_staff=True) == words


def test_follower_when_they_went_by_themselves_then_left(ana):
    assert describe(Event(kind=EventKind.FOLLOWER_REMOVED, actor=ana, data={"left": True}), for_staff=False) == "left the ticket"


def test_close_when_nobody_did_it_then_says_why():
    words = describe(Event(kind=EventKind.CLOSED, actor=None, data=MOVE), for_staff=False)
    assert words == "The ticket was closed because nobody objected to the solution"


@pytest.mark.parametrize(
    "kind", [kind for kind, (_data, _staff, customers) in WORDS.items() if customers is None and not kind.startswith("sla_")]
)
def test_event_when_of_staff_alone_then_verbs_record_it_as_internal(workflow, ana, dan, kind):
    ticket = make_ticket(ana)
    _do_everything(ticket, dan)
    assert set(Event.objects.filter(kind=kind).values_list("is_internal", flat=True)) == {True}


def _do_everything(ticket, dan) -> None:
    for steps in ({"mail": {"people": [dan.pk]}}, {"group": 999}):  # one fails
        AutomationRule.objects.create(name="Rule", when="noted", steps=steps)
    actions.add_note(ticket, actor=dan, message=message("Ask the dev team."))
    actions.take(ticket, actor=dan)
    actions.set_group(ticket, actor=dan, group=AgentGroup.objects.get(name="DevOps"))
    actions.set_area(ticket, actor=dan, area=ProductArea.objects.create(name="Player"))
    actions.set_type(ticket, actor=dan, type=TicketType.objects.get(name="Bug"))
    actions.set_priority(ticket, actor=dan, priority=Priority.objects.get(name="High"))
    tag_and_snooze(ticket, actor=dan)
    link_merge_split(ticket, actor=dan)
    recategorise(actor=dan)
    for name in ("Waiting on Dev Team", "In Progress", "Spam", "Open", "Resolved"):
        actions.change_status(ticket, actor=dan, status=Status.objects.get(name=name))


def test_history_when_read_by_customers_then_holds_no_internal_name(workflow, ana, dan):
    Status.objects.filter(name="In Progress").update(public_name="In work")
    ticket = make_ticket(ana)
    _do_everything(ticket, dan)
    staff, customer = ([describe(event, for_staff=person.is_staff) for event in access.events_for(person, ticket)] for person in (dan, ana))
    assert len(staff) == 21
    assert customer == [
        "opened the ticket",
        "changed the status from In work to With our engineers",
        "changed the status from With our engineers to In work",
        "resolved the ticket",
    ]


def test_event_when_recorded_then_waits_and_nudges_once_after_the_commit(workflow, ana, django_capture_on_commit_callbacks):
    ticket = make_ticket(ana)
    with django_capture_on_commit_callbacks() as callbacks:
        event = record(ticket, EventKind.REOPENED, actor=ana, why="x")
    assert (event.dispatched_at, event.data, len(callbacks)) == (None, {"why": "x"}, 1)
