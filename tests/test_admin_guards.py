"""What an admin changes about statuses, types, priorities, groups and areas: it says what it touches before it is saved, and breaks nothing that is in use."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AgentGroup
from notifications.models import Delivery
from notifications.relay import relay_waiting
from tests.desk.conftest import logged_in
from tests.factories import make_ticket
from tests.test_admin import fields
from tickets import access, actions, configuring, merging, snoozing
from tickets.events import describe
from tickets.models import AutomationRule, Event, EventKind, Priority, ProductArea, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(workflow, max_admin) -> Client:
    return logged_in(max_admin)


@pytest.fixture
def triage(workflow):
    return Status.objects.create(name="Triage", category="open", position=50)


def address(thing, page: str = "change") -> str:
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_{page}", args=[thing.pk])


def change(client, thing, **data):
    """As the form sends it, the first time."""
    sent = {**fields(client.get(address(thing))), **data}
    return client.post(address(thing), {name: value for name, value in sent.items() if value is not None})


def told(response) -> list[str]:
    return [str(sentence) for sentence in (response.context or {}).get("told", [])]


def confirm(client, page):
    """Sends again what the page of what is touched holds."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode())
    sent: dict[str, list[str]] = {}
    for name, value in hidden:
        sent.setdefault(name, []).append(value)
    return client.post(page.request["PATH_INFO"], {**sent, "_touched": "1"})


def put(ticket, status, actor, **fields) -> Ticket:
    return actions.change_status(ticket, actor=actor, status=status, **fields)


# --- What it touches ------------------------------------------------------------------------------------------------------------


def test_category_when_changed_then_says_how_many_tickets_move_and_moves_them_when_confirmed(office, triage, ana, dan, max_admin):
    tickets = [put(make_ticket(ana), triage, dan) for _ in range(3)]
    snoozing.snooze(tickets[0], actor=dan, until=snoozing.tomorrow(timezone.now()))
    relay_waiting()
    Delivery.objects.all().delete()
    page = change(office, triage, category="closed")
    assert told(page) == ["Changing the category moves 3 tickets to Closed: lists, clocks and what customers can do with them follow."]
    assert set(Ticket.objects.values_list("category", flat=True)) == {"open"}
    assert confirm(office, page).status_code == 302
    moved = Ticket.objects.order_by("pk")
    assert [(one.category, one.closed_at is None, one.resolved_at is None, one.snoozed_until) for one in moved] == [
        ("closed", False, False, None)
    ] * 3
    event = Event.objects.filter(kind=EventKind.RECATEGORISED).first()
    assert (event.actor, describe(event, for_staff=True)) == (max_admin, "changed the status Triage, which counts as Closed now")
    relay_waiting()
    assert (Delivery.objects.count(), [one.kind for one in access.events_for(ana, tickets[1])][-1]) == (0, "status_changed")


@pytest.mark.parametrize(("category", "wait"), [("open", False), ("resolved", True), ("waiting", False), ("spam", False)])
def test_category_when_changed_from_closed_then_times_follow(office, triage, ana, dan, category, wait):
    Status.objects.filter(pk=triage.pk).update(category="closed")
    ticket = put(make_ticket(ana), Status.objects.get(pk=triage.pk), dan)
    confirm(office, change(office, Status.objects.get(pk=triage.pk), category=category, closes_after="2d" if wait else ""))
    ticket.refresh_from_db()
    assert (ticket.category, ticket.closed_at, ticket.close_due_at is not None) == (category, None, wait)


def test_category_when_tickets_in_it_can_be_in_no_other_then_says_so(office, triage, ana, dan, monkeypatch):
    source, target = make_ticket(ana), make_ticket(ana)
    merging.merge(source, into=target, actor=dan)
    Status.objects.filter(pk=triage.pk).update(category="closed")
    Ticket.objects.filter(pk=source.pk).update(status=triage)
    assert "were merged into others" in change(office, triage, category="open").content.decode()
    Ticket.objects.filter(pk=source.pk).update(merged_into=None)
    monkeypatch.setattr(configuring, "MOST", 0)
    assert "1 tickets are in it, which is too many" in change(office, triage, category="open").content.decode()
    assert Status.objects.get(pk=triage.pk).category == "closed"


def test_type_when_a_rule_names_it_then_retiring_says_so_and_it_is_not_deleted(office):
    kind = TicketType.objects.create(name="Outage")
    AutomationRule.objects.create(name="Down", when="opened", steps={"type": kind.pk})
    retired = told(change(office, kind, is_retired="on"))
    assert retired == ["It is named by the rule “Down”. Where a rule sets it, the rule fails from now on: change it."]
    office.post(address(kind, "delete"), {"post": "yes"})
    assert TicketType.objects.filter(pk=kind.pk).exists()


def test_changes_when_they_touch_tickets_then_each_is_said(office, ana, dan):
    ticket = make_ticket(ana)
    status, kind = Status.objects.get(name="Waiting on Dev Team"), TicketType.objects.get(name="Bug")
    priority, area = Priority.objects.get(name="High"), ProductArea.objects.create(name="Player")
    put(ticket, status, dan, type=kind)
    actions.set_priority(ticket, actor=dan, priority=priority)
    actions.set_area(ticket, actor=dan, area=area)
    said = [
        told(change(office, status, name="With engineering", public_name="We build it", is_default="on", asks_reference="on")),
        told(change(office, kind, is_retired="on")),
        told(change(office, priority, level="9", definition="Soon")),
        told(change(office, area, name="Playback")),
        told(change(office, ticket.group, is_private="on")),
    ]
    assert [len(one) for one in said] == [4, 1, 2, 1, 1]
    assert said[0][1] == "Automatic moves lead here, and no longer to “Waiting on Customer”."
    assert said[1] == ["It stays on 1 ticket, and is offered for no other."]
    assert "its members alone see its 1 ticket" in said[4][0]


def test_changes_when_nothing_is_touched_then_are_saved_at_once(office, triage):
    assert change(office, triage, name="Sorting", category="waiting").status_code == 302
    assert Status.objects.get(pk=triage.pk).category == "waiting"


# --- Retiring -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [TicketType, Priority, ProductArea, AgentGroup])
def test_entry_when_in_use_then_deleting_leads_to_retiring_and_that_to_never_being_offered(office, ana, dan, model):
    thing = model.objects.create(name="Used", **({"level": 9} if model is Priority else {}))
    name = {TicketType: "type", Priority: "priority", ProductArea: "area", AgentGroup: "group"}[model]
    ticket, other = make_ticket(ana, **{name: thing}), make_ticket(ana)
    response = office.post(address(thing, "delete"), {"post": "yes"})
    assert response["Location"] == address(thing, "retire")
    assert "1 ticket" in told(office.get(response["Location"]))[0]
    office.post(response["Location"])
    assert (model.objects.get(pk=thing.pk).is_retired, Ticket.objects.filter(**{name: thing}).count()) == (True, 1)
    pages = [logged_in(dan).get(reverse("desk_ticket", args=[one.number])) for one in (ticket, other)]
    offered = [
        any(label == "Used" for row in page.context["properties"] if row["name"] == name for _value, label in row["choices"])
        for page in pages
    ]
    assert offered == [True, False]
    office.post(address(thing, "retire"))
    assert not model.objects.get(pk=thing.pk).is_retired


def test_default_when_retired_then_another_has_to_be_named(office):
    waiting, dev = Status.objects.get(name="Waiting on Customer"), Status.objects.get(name="Waiting on Dev Team")
    page = office.post(address(waiting, "retire"))
    assert ("Choose what takes its place." in page.content.decode(), [one.name for one in page.context["successors"]]) == (
        True,
        ["Waiting on Dev Team"],
    )
    assert office.post(address(waiting, "retire"), {"successor": dev.pk}).status_code == 302
    assert [(one.is_retired, one.is_default) for one in Status.objects.filter(pk__in=(waiting.pk, dev.pk)).order_by("position")] == [
        (True, False),
        (False, True),
    ]


def test_default_when_there_is_no_other_then_can_not_be_retired(office):
    spam = Status.objects.get(name="Spam")
    assert "there is no other to take its place" in office.get(address(spam, "retire")).content.decode()
    office.post(address(spam, "retire"), {"successor": "1"})
    group = AgentGroup.objects.get(is_default=True)
    office.post(address(group, "retire"))
    assert (Status.objects.get(pk=spam.pk).is_retired, AgentGroup.objects.get(pk=group.pk).is_retired) == (False, False)
    office.post(address(group, "retire"), {"successor": AgentGroup.objects.exclude(pk=group.pk).first().pk})
    assert (AgentGroup.objects.get(pk=group.pk).is_retired, AgentGroup.objects.filter(is_default=True).count()) == (True, 1)


def test_retire_when_no_admin_asks_then_nothing_is_there(triage, dan, ana, client):
    assert [logged_in(person).post(address(triage, "retire")).status_code for person in (dan, ana)] == [404, 404]
    assert (client.post(address(triage, "retire")).status_code, Status.objects.get(pk=triage.pk).is_retired) == (302, False)
