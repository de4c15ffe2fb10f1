"""What is undone before its mail left is told to nobody; who was mailed is told of both."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.urls import reverse

from accounts.models import AgentGroup
from notifications.channels import deliver_due
from notifications.models import Delivery, Level, MailPreference, State
from notifications.relay import dispatch, relay_waiting
from tests.desk.conftest import logged_in
from tests.desk.pages import send
from tests.factories import make_ticket, message
from tickets import actions, merging, sharing
from tickets.models import AutomationRule, Event, EventKind, Status, Ticket, TicketType


@pytest.fixture
def desk(dan):
    """Dan's browser."""
    return logged_in(dan)


@pytest.fixture
def tickets(workflow, ana, ben, dan, settings):
    """Two of Ana's, which Ben follows, of a type. Long ago."""
    settings.MERGE_SECONDS = 60
    tickets = [make_ticket(ana, subject, type=TicketType.objects.first()) for subject in ("Player", "Export")]
    for ticket in tickets:
        sharing.follow(ticket, actor=ben)
    relay_waiting()
    Delivery.objects.all().delete()
    time_passes(3600)
    return tickets


def time_passes(seconds: int) -> int:
    """By moving what happened into the past. How many mails went."""
    span = timedelta(seconds=seconds)
    Event.objects.update(at=F("at") - span)
    Delivery.objects.update(next_attempt_at=F("next_attempt_at") - span, created_at=F("created_at") - span)
    relay_waiting()
    return deliver_due()


def change(client, tickets, **asked) -> str:
    """In bulk; the address of the run."""
    made = client.post("/desk/tickets/bulk/", {"ticket": [ticket.pk for ticket in tickets], **asked})
    client.post(made.url, {"go": "1", **asked})
    relay_waiting()
    return made.url


def resolved(**more) -> dict[str, str]:
    return {"status": str(Status.objects.get(name="Resolved").pk), **more}


def undo(client, path: str) -> None:
    client.post(f"{path}undo/")
    relay_waiting()


def told() -> list[tuple[str, str, str]]:
    """To whom, of what, and what became of it."""
    rows = Delivery.objects.order_by("pk").values_list("recipient__name", "event__kind", "state")
    return [(name.split()[0], kind, state) for name, kind, state in rows]


def test_bulk_when_undone_in_time_then_nobody_is_mailed_and_what_stands_is(tickets, desk, eve, sink):
    undone = change(desk, tickets, **resolved(assignee=str(eve.pk)))
    time_passes(9)
    undo(desk, undone)
    assert (time_passes(120), sink.mails, {state for _name, _kind, state in told()}) == (0, [], {State.CANCELLED})
    assert {delivery.error for delivery in Delivery.objects.all()} == {"It was undone before the mail left."}
    change(desk, tickets, **resolved())
    assert (time_passes(58), time_passes(2)) == (0, 4)


def test_bulk_when_undone_after_its_mails_left_then_who_had_one_hears_that_too(tickets, desk, ben):
    MailPreference.objects.create(user=ben, level=Level.DIGEST)
    path = change(desk, tickets[:1], **resolved())
    assert time_passes(61) == 1
    undo(desk, path)
    time_passes(61)
    assert told() == [("Ana", "resolved", "sent"), ("Ben", "resolved", "cancelled"), ("Ana", "status_changed", "sent")]


def test_bulk_with_a_reply_when_undone_then_the_reply_and_that_the_status_went_back_are_told(tickets, desk, eve):
    path = change(desk, tickets[:1], **resolved(text="A new version is out.", assignee=str(eve.pk)))
    undo(desk, path)
    time_passes(61)
    assert told() == [
        *[("Ana", "commented", "sent"), ("Ben", "commented", "sent"), ("Eve", "commented", "sent"), ("Eve", "assigned", "cancelled")],
        *[("Ana", "status_changed", "merged"), ("Ben", "status_changed", "merged")],
    ]


def test_resolve_when_undone_in_time_then_only_what_was_said_before_is_mailed(tickets, desk, dan, sink):
    ticket = tickets[0]
    send(desk, ticket, "reply", text="It is fixed.")
    send(desk, ticket, "resolve")
    relay_waiting()
    assert Delivery.objects.filter(state=State.MERGED, event__kind=EventKind.RESOLVED).count() == 2
    desk.post(reverse("desk_ticket_undo", args=[ticket.pk, ticket.events.latest("pk").pk]))
    relay_waiting()
    assert time_passes(61) == 2
    mail = sink.mails[0][1].get_body(("plain",)).get_content()
    assert ("It is fixed." in mail, "resolved" in mail, "In Progress" in mail) == (True, False, True)  # the status that it has
    assert {kind for _name, kind, state in told() if state != State.CANCELLED} == {"commented"}


def test_undo_when_told_before_what_it_undoes_then_neither_is(tickets, desk):
    """What could not be told at first is tried again later."""
    ticket = tickets[0]
    send(desk, ticket, "resolve")
    done = ticket.events.latest("pk")
    desk.post(reverse("desk_ticket_undo", args=[ticket.pk, done.pk]))
    assert (dispatch(ticket.events.latest("pk").pk), dispatch(done.pk), told()) == (True, False, [])


def test_undo_when_mail_is_not_put_together_then_is_held_for_it_all_the_same(tickets, desk, settings):
    settings.MERGE_SECONDS, settings.UNDO_SECONDS = 0, 10
    send(desk, tickets[0], "resolve")
    assert (time_passes(8), time_passes(2)) == (0, 2)


def test_resolve_when_in_a_mail_that_is_about_to_leave_then_that_waits_until_it_can_be_undone_no_more(tickets, desk, settings):
    send(desk, tickets[0], "reply", text="It is fixed.")
    relay_waiting()
    time_passes(55)
    settings.UNDO_SECONDS = 10
    send(desk, tickets[0], "resolve")
    assert (time_passes(8), time_passes(2)) == (0, 2)


@pytest.mark.parametrize("is_bulk", [False, True])
def test_spam_when_undone_after_mail_was_due_then_that_is_sent_all_the_same(tickets, desk, ana, sink, is_bulk):
    ticket = tickets[0]
    actions.comment(ticket, actor=ana, message=message("It is urgent!"))
    relay_waiting()
    if is_bulk:
        path = change(desk, [ticket], status=str(Status.objects.get(category="spam").pk))
    else:
        send(desk, ticket, "spam")
        path = f"/desk/tickets/{ticket.pk}/undo/{ticket.events.latest('pk').pk}/"
    waited = {name for name, kind, state in told() if (kind, state) == ("commented", "queued")}
    assert (time_passes(61), "Ben" in waited, {state for _name, _kind, state in told()}) == (0, True, {"cancelled"})
    assert desk.post(f"{path}undo/" if is_bulk else path).status_code == 302
    time_passes(1)
    assert {name for name, kind, state in told() if (kind, state) == ("commented", "sent")} == waited
    time_passes(3600)
    assert len(sink.mails) == len(waited)


def test_merge_when_undone_by_somebody_else_then_who_merged_is_told(tickets, dan, eve):
    source, target = (actions.take(ticket, actor=dan) for ticket in tickets)
    merging.merge(source, into=target, actor=dan)
    time_passes(61)
    merging.unmerge(Ticket.objects.get(pk=source.pk), actor=eve)
    time_passes(61)
    assert [kind for name, kind, _state in told() if name == "Dan"] == ["unmerged"]


def test_merge_when_undone_in_time_then_nobody_is_mailed_but_of_what_else_was_said(tickets, dan):
    source, target = tickets
    merging.merge(source, into=target, actor=dan)
    merging.unmerge(Ticket.objects.get(pk=source.pk), actor=dan)
    assert time_passes(61) == 0
    merging.merge(source, into=target, actor=dan)
    relay_waiting()
    words = message("This is urgent now.")
    actions.set_priority(source, actor=dan, priority=actions.Priority.objects.first(), message=words)  # in the same mail
    relay_waiting()
    merging.unmerge(Ticket.objects.get(pk=source.pk), actor=dan)
    assert time_passes(61) == 2
    assert [kind for name, kind, state in told() if name == "Ana" and state != State.CANCELLED] == [
        "merged",
        "priority_changed",
        "unmerged",
    ]


def test_rules_when_something_is_undone_then_hear_nothing(tickets, desk, dan, eve):
    """They have been there: else “reopened” would be answered, and who is to have it chosen anew."""
    AutomationRule.objects.create(name="Back", when="reopened", steps={"reply": "We look into it again."}, created_by=dan)
    AutomationRule.objects.create(name="To Eve", when="group_changed", steps={"assignee": eve.pk}, created_by=dan)
    path = change(desk, tickets, **resolved(group=str(AgentGroup.objects.last().pk)))
    assert {ticket.assignee for ticket in Ticket.objects.all()} == {eve}
    undo(desk, path)
    assert {(ticket.assignee, ticket.comments.count(), ticket.status.name) for ticket in Ticket.objects.all()} == {(None, 1, "Open")}


def test_bulk_when_it_reopened_and_is_undone_then_was_never_reopened(tickets, desk, dan):
    ticket = actions.resolve(tickets[0], actor=dan)
    path = change(desk, [ticket], status=str(Status.objects.get(name="In Progress").pk))
    assert Ticket.objects.get(pk=ticket.pk).stretches.count() == 1
    undo(desk, path)
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.status.name, now.resolved_at, now.resolution_work, now.stretches.count()) == (
        "Resolved",
        ticket.resolved_at,
        ticket.resolution_work,
        0,
    )
