"""What the desk's lesser pages ask the database, with little in it and with much. The queue and the other great ones tell it beside their own tests."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.desk.conftest import logged_in
from tests.factories import make_ticket, message
from tests.tickets.automation.test_acting import make_rule
from tickets import actions, releases, tagging
from tickets.lifecycle import Category
from tickets.models import AutomationRun, CannedReply, Macro, Outcome, Priority, Status, TicketType, When
from tickets.writing import drafts

# Each begins with session and person.
ASKED = {
    "/desk/canned/": 3,
    "/desk/macros/": 3,
    "/desk/macros/new/": 9,
    "/desk/tickets/{ticket}/canned/": 5,
    "/desk/tickets/{ticket}/macros/": 7,  # two of them as it is asked for by its bare address
    "/desk/drafts/": 4,
    "/desk/releases/": 5,
    "/desk/releases/{release}/": 5,
    "/desk/automation/": 6,
    "/desk/automation/{rule}/": 11,
    "/desk/automation/{rule}/log/": 4,
}


@pytest.mark.parametrize("many", [1, 25])
def test_pages_when_there_is_much_then_ask_no_more(max_admin, ana, workflow, many):
    escalated = Status.objects.create(name="Escalated", category=Category.CLOSED, asks_reference=True, position=50)
    steps = {"priority": Priority.objects.get(name="High"), "type": TicketType.objects.first(), "assignee": max_admin}
    rules = [make_rule(When.STATUS_CHANGED, f"Rule {at}", steps=steps, is_active=False) for at in range(many)]
    for at in range(many):
        ticket = make_ticket(ana, f"Ticket {at}")
        drafts.save(ticket, actor=max_admin, message=message())
        shipped, waits = make_ticket(ana), make_ticket(ana)
        for one, reference in ((shipped, f"TEM-{at}"), (waits, f"TEM-W{at}")):
            actions.set_reference(one, actor=max_admin, reference=reference)
            actions.change_status(one, actor=max_admin, status=escalated)
        release = releases.release(actor=max_admin, version="4.2", references=[f"TEM-{at}"], text="It is in {version}.")
        releases.release(actor=max_admin, version=f"5.{at}", references=[f"TEM-{at}"], text="It is in {version}.")
        reply = CannedReply.objects.create(name=f"Reply {at}", text="Hello {first_name}", changed_by=max_admin)
        Macro.objects.create(name=f"Macro {at}", reply=reply, priority=steps["priority"], type=steps["type"], changed_by=max_admin)
        AutomationRun.objects.create(
            rule=rules[0], ticket=ticket, outcome=Outcome.DONE, did=["set"], at=timezone.now() - timedelta(hours=at)
        )
    releases.post_waiting(release, most=many // 2)
    client, asked = logged_in(max_admin), {}
    for address in ASKED:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address.format(ticket=ticket.pk, release=release.pk, rule=rules[0].pk)).status_code == 200
        asked[address] = len(captured)
    assert asked == ASKED


ABOUT_A_TICKET = {
    "/desk/tickets/complete/?q=assignee:": 3,
    "/desk/tickets/complete/?q=tag:": 3,
    "/desk/tickets/changes/?since=2026-01-01T00:00:00Z&shown={ticket}": 4,
    "/desk/tickets/{ticket}/merge/": 7,
    "/desk/tickets/{ticket}/merge/?into={other}": 10,
    "/desk/tickets/{ticket}/comments/{comment}/split/": 7,
}


@pytest.mark.parametrize("many", [1, 50])
def test_pages_about_tickets_when_there_are_many_then_ask_no_more(desk, ana, dan, workflow, many):
    other = make_ticket(ana)
    for _number in range(many):
        ticket = make_ticket(ana)
        actions.comment(ticket, actor=ana, message=message("And?"))
        tagging.add_tags(ticket, actor=dan, names=["spring"])
    comment, asked = ticket.comments.order_by("pk").last(), {}
    for address in ABOUT_A_TICKET:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(address.format(ticket=ticket.pk, other=other.pk, comment=comment.pk)).status_code == 200
        asked[address] = len(captured)
    assert asked == ABOUT_A_TICKET
