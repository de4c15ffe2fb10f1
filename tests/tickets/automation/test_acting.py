"""Rules that act: in the transaction of the verb that set them off, by the ordinary verbs, in their order, and never for ever."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AgentGroup, User
from notifications.models import Delivery
from notifications.relay import relay_waiting
from tests.factories import make_ticket, make_user, message
from tickets import actions, merging
from tickets.automation import acting
from tickets.events import describe
from tickets.models import (
    AutomationRule,
    AutomationRun,
    Channel,
    Comment,
    EventKind,
    Outcome,
    Priority,
    ProductArea,
    Status,
    Ticket,
    TicketType,
    When,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def make_rule(when: When, name: str = "Rule", *, conditions: dict[str, list[Any]] | None = None, **fields) -> AutomationRule:
    """`steps`, conditions as {name: [values]}; what it names is a row, or a key."""
    steps = {step: getattr(value, "pk", value) for step, value in fields.pop("steps").items()}
    asked = {name: {"values": [getattr(value, "pk", value) for value in values]} for name, values in (conditions or {}).items()}
    position = AutomationRule.objects.count() + 1
    return AutomationRule.objects.create(name=name, when=when, steps=steps, conditions=asked, position=position, **fields)


def status(name: str) -> Status:
    return Status.objects.get(name=name)


def priority(name: str) -> Priority:
    return Priority.objects.get(name=name)


def history(ticket: Ticket) -> list[str]:
    """What rules did, as staff read it."""
    return [describe(event, for_staff=True) for event in ticket.events.order_by("pk") if event.data.get("rule")]


def log(rule: AutomationRule) -> list[tuple[str, list[str] | str]]:
    return [(run.outcome, run.did or run.why) for run in rule.runs.order_by("pk")]


# --- Events --------------------------------------------------------------------------------------------------------------------


def test_rule_when_a_ticket_opens_then_all_it_says_is_done_before_anybody_sees_it(workflow, ana, dan, eve):
    devops = AgentGroup.objects.get(name="DevOps")
    steps = {
        "group": devops,
        "assignee": "fewest",
        "priority": priority("High"),
        "tell_customer": True,
        "note": "Look at {subject}: {group}, {assignee}, {priority}.",
        "reply": "Dear {name}, we look at #{number} {{% now %}} {priority}.",
        "mail": {"people": [dan.pk], "words": "{{subject}} {subject}"},
    }
    rule = make_rule(When.OPENED, "Outage", conditions={"text": ["DOWN"]}, steps=steps)
    ticket = make_ticket(ana, "All {name}", text="Everything is down.")
    other = make_ticket(ana, text="How do I?")
    assert (ticket.group, ticket.assignee, ticket.priority, ticket.is_unresolved) == (devops, eve, priority("High"), True)
    said = [(one.is_internal, one.text) for one in Comment.objects.filter(ticket=ticket).exclude(author=ana).order_by("pk")]
    assert said[1:] == [
        (True, "Look at All {name}: DevOps, Eve Devops, High."),
        (False, f"Dear Ana Ford, we look at #{ticket.number} {{{{% now %}}}} {{priority}}."),
    ]
    assert said[0][1].startswith("We have set the priority of this ticket to High.")
    assert history(ticket) == [
        "set the priority to High",
        "moved the ticket to the group DevOps",
        "assigned the ticket to Eve Devops",
        "added an internal note",
        "replied",
        "told Dan Support: {All {name}} All {name}",
    ]
    assert [run.ticket for run in rule.runs.all()] == [ticket]
    assert (history(other), other.group) == ([], AgentGroup.objects.filter(is_default=True).first())


def test_reply_of_a_rule_when_it_is_posted_then_the_customer_goes_on_waiting_and_is_mailed_as_by_support(workflow, ana, dan, client):
    make_rule(When.OPENED, "Greeting of ours", steps={"reply": "We are on it.", "mail": {"people": [dan.pk], "words": "Hello"}})
    ticket = make_ticket(ana)
    assert (ticket.first_response_at, ticket.waiting_since is not None, ticket.status.category) == (None, True, "new")
    relay_waiting()
    mailed = Delivery.objects.filter(event__ticket=ticket).exclude(event__kind=EventKind.OPENED)
    assert sorted((one.recipient.name, one.event.kind, one.reason) for one in mailed) == [
        ("Ana Ford", "commented", "requester"),
        ("Dan Support", "staff_told", "rule"),
    ]
    client.force_login(ana)
    page = client.get(f"/tickets/{ticket.number}/").content.decode()
    assert ("We are on it." in page, "Greeting of ours" in page, "Hello" in page) == (True, False, False)


def test_rules_when_several_hold_then_later_ones_see_what_earlier_did(workflow, ana, dan):
    make_rule(When.OPENED, "First", steps={"priority": priority("Low")})
    make_rule(When.OPENED, "Second", conditions={"priority": [priority("Low")]}, steps={"note": "second"})
    make_rule(When.PRIORITY_CHANGED, "Third", conditions={"priority": [priority("Low")]}, steps={"type": TicketType.objects.first()})
    make_rule(When.NOTED, "Never", steps={"note": "a rule's note sets off nothing"})
    ticket = make_ticket(ana)
    assert [event.data["rule"] for event in ticket.events.order_by("pk") if "rule" in event.data] == ["First", "Second", "Third"]


@pytest.mark.parametrize(
    ("when", "deed"),
    [
        (When.CUSTOMER_REPLIED, lambda ticket, ana, dan: actions.comment(ticket, actor=ana, message=message("More."))),
        (When.AGENT_REPLIED, lambda ticket, ana, dan: actions.comment(ticket, actor=dan, message=message("Thanks."))),
        (When.NOTED, lambda ticket, ana, dan: actions.add_note(ticket, actor=dan, message=message("Hm."))),
        (When.STATUS_CHANGED, lambda ticket, ana, dan: actions.take(ticket, actor=dan)),
        (When.ASSIGNEE_CHANGED, lambda ticket, ana, dan: actions.take(ticket, actor=dan)),
        (When.RESOLVED, lambda ticket, ana, dan: actions.resolve(ticket, actor=dan, type=TicketType.objects.first())),
        (When.TYPE_CHANGED, lambda ticket, ana, dan: actions.resolve(ticket, actor=dan, type=TicketType.objects.first())),
        (When.FIX_CONFIRMED, lambda ticket, ana, dan: actions.confirm_fix(ticket, actor=ana)),
        (When.GROUP_CHANGED, lambda ticket, ana, dan: actions.set_group(ticket, actor=dan, group=AgentGroup.objects.get(name="DevOps"))),
        (When.REOPENED, lambda ticket, ana, dan: actions.reopen(actions.close(ticket, actor=ana), actor=ana)),
    ],
)
def test_event_when_it_is_one_that_a_rule_waits_for_then_sets_it_off_once(workflow, ana, dan, when, deed):
    ticket = make_ticket(ana)
    rule = make_rule(when, steps={"note": "heard"})
    deed(ticket, ana, dan)
    assert log(rule) == [("done", ["add the note “heard”"])]


def test_reply_that_reopens_when_a_rule_waits_for_reopening_then_is_heard(workflow, ana, dan):
    ticket = make_ticket(ana)
    rule = make_rule(When.REOPENED, steps={"priority": priority("High")})
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    said = actions.comment(ticket, actor=ana, message=message("Still broken!"))
    assert (said.ticket.priority, len(log(rule))) == (priority("High"), 1)


# --- Failing and settling ------------------------------------------------------------------------------------------------------


def test_rule_when_a_verb_refuses_then_it_alone_is_taken_back_and_the_ticket_says_so(workflow, ana, dan):
    resolves = make_rule(When.AGENT_REPLIED, "Hasty", steps={"priority": priority("High"), "note": "x", "status": status("Resolved")})
    after = make_rule(When.AGENT_REPLIED, "After", steps={"note": "still here"})
    ticket = make_ticket(ana)
    said = actions.comment(ticket, actor=dan, message=message("Try this.", channel=Channel.DESK))
    ticket.refresh_from_db()
    assert (said.text, ticket.priority, ticket.is_unresolved) == ("Try this.", None, True)
    assert log(resolves) == [("failed", "“Resolved” requires a type, and the ticket has none.")]
    assert log(after) == [("done", ["add the note “still here”"])]
    failed = ticket.events.get(kind=EventKind.RULE_FAILED)
    assert (failed.is_internal, describe(failed, for_staff=True)) == (
        True,
        "could not act: “Resolved” requires a type, and the ticket has none.",
    )


@pytest.mark.parametrize("step", ["type", "priority", "group", "area", "status"])
def test_rule_when_what_it_sets_is_retired_then_fails_as_the_admin_was_told(workflow, ana, dan, step):
    models = {"type": TicketType, "priority": Priority, "group": AgentGroup, "area": ProductArea, "status": Status}
    more = {"priority": {"level": 9}, "status": {"category": "open"}}.get(step, {})
    retired = models[step].objects.create(name="Of old", is_retired=True, **more)
    rule = make_rule(When.OPENED, steps={step: retired})
    ticket = make_ticket(ana)
    assert (log(rule), getattr(ticket, step) == retired) == ([("failed", "what it sets is retired. Change the rule.")], False)


def test_rule_when_the_ticket_has_the_retired_thing_that_it_sets_then_there_is_nothing_to_do(workflow, ana, dan):
    retired = TicketType.objects.create(name="Of old", is_retired=True)
    rule = make_rule(When.CUSTOMER_REPLIED, steps={"type": retired})
    ticket = make_ticket(ana)
    Ticket.objects.update(type=retired)  # from before it was retired
    actions.comment(ticket, actor=ana, message=message("And?"))
    assert log(rule) == []


def test_rule_when_something_breaks_inside_then_the_persons_action_stands(workflow, ana, dan, caplog):
    rule = make_rule(When.OPENED, steps={"priority": priority("High"), "note": "x"})
    gone = make_rule(When.OPENED, steps={"group": 999})
    with mock.patch.object(actions, "add_note", side_effect=RuntimeError("broken")):
        ticket = make_ticket(ana)
    assert (Ticket.objects.get(pk=ticket.pk).priority, log(rule)[0][0], log(gone)[0]) == (
        None,
        "failed",
        ("failed", "what it sets is no longer there. Change the rule."),
    )


def test_rule_when_it_listens_to_what_it_sets_then_settles_without_a_word(workflow, ana, dan):
    rule = make_rule(When.STATUS_CHANGED, steps={"status": status("Open"), "note": "back"})
    ticket = actions.change_status(make_ticket(ana), actor=dan, status=status("In Progress"))
    assert (ticket.status, len(log(rule))) == (status("Open"), 1)
    assert actions.change_status(ticket, actor=dan, status=status("Open")).events.filter(kind=EventKind.RULE_FAILED).count() == 0


def test_rules_when_they_undo_each_other_then_each_acts_once_and_the_ticket_says_so(workflow, ana, dan):
    low, high = priority("Low"), priority("High")
    down = make_rule(When.PRIORITY_CHANGED, "Down", conditions={"priority": [high]}, steps={"priority": low})
    up = make_rule(When.PRIORITY_CHANGED, "Up", conditions={"priority": [low]}, steps={"priority": high})
    ticket = actions.set_priority(make_ticket(ana), actor=dan, priority=high)
    assert (ticket.priority, [run[0] for run in log(down)], [run[0] for run in log(up)]) == (high, ["done", "stopped"], ["done"])
    assert history(ticket)[-1].startswith("could not act: it acted already, and what followed set it off again.")


def test_rules_when_each_sets_off_the_next_then_the_chain_ends_at_ten(workflow, ana, dan):
    types = [TicketType.objects.create(name=f"Type {number}") for number in range(14)]
    for number in reversed(range(13)):
        make_rule(When.TYPE_CHANGED, str(number), conditions={"type": [types[number]]}, steps={"type": types[number + 1]})
    ticket = actions.set_type(make_ticket(ana), actor=dan, type=types[0])
    assert (ticket.type, AutomationRun.objects.filter(outcome=Outcome.STOPPED).count()) == (types[10], 1)


def test_reply_of_a_rule_when_a_machine_answers_each_then_ends_after_three(workflow, ana):
    rule = make_rule(When.CUSTOMER_REPLIED, steps={"reply": "Got it."})
    ticket = make_ticket(ana)
    for _ in range(5):
        actions.comment(ticket, actor=ana, message=message("Out of office."))
    assert [outcome for outcome, _words in log(rule)] == ["done"] * 3 + ["stopped"] * 2


def test_ticket_when_it_is_spam_then_no_rule_touches_it(workflow, ana, dan):
    make_rule(When.OPENED, "Spam", conditions={"subject": ["offer"]}, steps={"spam": True})
    rule = make_rule(When.OPENED, "After", steps={"note": "x"})
    ticket = make_ticket(ana, "An OFFER for you")
    relay_waiting()
    assert (ticket.is_spam, log(rule), Delivery.objects.exclude(kind="set_password").count()) == (True, [], 0)


def test_assignment_when_it_goes_to_the_least_busy_then_who_left_is_passed_by_and_who_has_it_keeps_it(workflow, ana, dan, eve):
    group = AgentGroup.objects.get(name="Customer Support")
    fay, gus = (make_user(f"{name}@support.example", name, role="agent") for name in ("Fay", "Gus"))
    group.members.add(fay, gus)
    User.objects.filter(pk=gus.pk).update(is_active=False)
    actions.take(make_ticket(ana), actor=dan)
    rule = make_rule(When.OPENED, steps={"group": group, "assignee": "fewest"})
    assert [make_ticket(ana).assignee for _ in range(2)] == [fay, dan]
    empty = AgentGroup.objects.create(name="Empty")
    make_ticket(ana, group=empty)
    AutomationRule.objects.update(steps={"assignee": "fewest"})
    make_ticket(ana, group=empty)
    assert log(rule)[-1] == ("failed", "the ticket has no group that anybody of us is in.")


# --- Cost ----------------------------------------------------------------------------------------------------------------------


def test_verb_when_no_rule_holds_then_costs_one_query_more_and_two_where_rules_listen(workflow, ana, dan):
    ticket = make_ticket(ana)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            actions.set_priority(ticket, actor=dan, priority=priority("High"))
            actions.set_priority(ticket, actor=dan, priority=None)
        return len(captured)

    with mock.patch.object(acting.events, "listeners", []):
        without = queries()
    none_at_all = queries()
    for number in range(20):
        make_rule(When.PRIORITY_CHANGED, str(number), conditions={"subject": ["no such words"]}, steps={"note": "x"})
    assert (none_at_all - without, queries() - without) == (2, 4)


# --- Times ---------------------------------------------------------------------------------------------------------------------


def back(ticket: Ticket, **moments: timedelta) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(**{name: timezone.now() - ago for name, ago in moments.items()})


def test_sweep_when_a_time_has_passed_then_acts_once_for_it_and_again_for_the_next(workflow, ana, dan):
    rule = make_rule(When.UNANSWERED, span=DAY, since=timezone.now() - 3 * DAY, steps={"priority": priority("High"), "note": "a day"})
    make_rule(When.PRIORITY_CHANGED, "Follows", steps={"type": TicketType.objects.first()})
    late, early = make_ticket(ana), make_ticket(ana)
    back(late, waiting_since=DAY)
    assert (acting.sweep(), acting.sweep(), log(rule)) == (1, 0, [("done", ["set the priority to High", "add the note “a day”"])])
    assert (Ticket.objects.get(pk=late.pk).type, Ticket.objects.get(pk=early.pk).priority) == (TicketType.objects.first(), None)
    actions.comment(late, actor=dan, message=message("Sorry."))
    assert acting.sweep() == 0
    actions.comment(late, actor=ana, message=message("And now?"))
    back(late, waiting_since=DAY)
    assert (acting.sweep(), len(log(rule))) == (1, 2)


def test_sweep_when_the_status_changes_before_its_time_then_counts_anew(workflow, ana, dan):
    waiting = status("Waiting on Customer")
    make_rule(
        When.IN_STATUS, span=7 * DAY, since=timezone.now() - 9 * DAY, conditions={"status": [waiting]}, steps={"status": status("Closed")}
    )
    ticket = actions.change_status(make_ticket(ana), actor=dan, status=waiting)
    back(ticket, status_since=8 * DAY, created_at=30 * DAY)
    actions.change_status(ticket, actor=dan, status=status("Open"))
    actions.change_status(ticket, actor=dan, status=waiting)
    assert acting.sweep() == 0
    back(ticket, status_since=8 * DAY)
    assert (acting.sweep(), Ticket.objects.get(pk=ticket.pk).status) == (1, status("Closed"))


def test_sweep_when_a_rule_is_new_then_what_is_past_already_is_left_alone_unless_it_reaches_back(workflow, ana, max_admin):
    ticket = make_ticket(ana)
    back(ticket, created_at=3 * DAY)
    rule = acting.keep(AutomationRule(name="Old", when=When.AGE, span=DAY, steps={"note": "old"}), actor=max_admin)
    assert acting.sweep() == 0
    rule.reaches_back = True
    acting.keep(rule, actor=max_admin)
    assert (acting.sweep(), acting.sweep()) == (1, 0)
    with pytest.raises(actions.NotAllowed):
        acting.switch(rule, actor=ana, on=False)


def test_sweep_when_a_ticket_comes_to_match_and_is_overdue_then_a_rule_before_that_leaves_it_alone(workflow, ana, dan):
    high = Priority.objects.get(name="High")
    rule = make_rule(When.BEFORE_DUE, span=DAY, since=timezone.now() - 9 * DAY, conditions={"priority": [high]}, steps={"note": "soon"})
    overdue, soon = (make_ticket(ana, priority=high) for _ticket in range(2))
    back(overdue, due_at=3 * DAY)
    back(soon, due_at=-DAY / 2)
    assert (acting.sweep(), [run.ticket for run in rule.runs.all()]) == (1, [soon])


def test_sweep_when_a_ticket_goes_on_in_another_then_leaves_it_as_it_is(workflow, ana, dan):
    source, target = make_ticket(ana), make_ticket(ana)
    merging.merge(source, into=target, actor=dan)
    actions.close(target, actor=dan)
    rule = make_rule(When.IN_STATUS, span=DAY, reaches_back=True, steps={"status": status("Open")})
    for ticket in (source, target):
        back(ticket, status_since=2 * DAY)
    assert (acting.sweep(), [run.ticket for run in rule.runs.all()]) == (1, [target])
    assert not source.events.filter(kind=EventKind.RULE_FAILED).exists()


def test_sweep_when_the_rule_fails_then_is_not_tried_for_ever(workflow, ana):
    rule = make_rule(When.AGE, span=DAY, reaches_back=True, steps={"status": status("Resolved")})
    back(make_ticket(ana), created_at=3 * DAY)
    assert (acting.sweep(), acting.sweep(), [outcome for outcome, _words in log(rule)]) == (1, 0, ["failed"])


def test_sweep_when_conditions_are_asked_then_the_database_leaves_out_no_ticket_that_matches(workflow, ana, cleo, acme, dan):
    high = priority("High")
    tickets = [make_ticket(ana, "Ärger"), make_ticket(cleo, priority=high), make_ticket(cleo, "Other", text="Grüße")]
    back_dated = Ticket.objects.update(created_at=timezone.now() - 2 * DAY)
    cases = [
        ({"priority": {"values": [None]}}, False, [0, 2]),
        ({"priority": {"values": [high.pk], "not": True}}, False, [0, 2]),
        ({"priority": {"values": [high.pk, None], "not": True}}, False, []),
        ({"organization": {"values": [acme.pk]}}, False, [0]),
        ({"domain": {"values": ["globex.example"]}, "text": {"values": ["GRÜSSE", "grüße"]}}, False, [2]),
        ({"subject": {"values": ["ärger"]}, "priority": {"values": [high.pk]}}, True, [0, 1]),
        ({"category": {"values": ["new"]}, "channel": {"values": ["portal"]}, "assignee": {"values": [None]}}, False, [0, 1, 2]),
        ({}, False, [0, 1, 2]),
    ]
    for conditions, is_any, expected in cases:
        rule = make_rule(When.AGE, span=DAY, reaches_back=True, is_any=is_any, steps={"note": "x"})
        AutomationRule.objects.filter(pk=rule.pk).update(conditions=conditions)
        acting.sweep()
        found = sorted(rule.runs.values_list("ticket", flat=True))
        assert (found, back_dated) == ([tickets[at].pk for at in expected], 3), conditions
        rule.delete()


def test_rules_on_time_when_each_undoes_the_other_then_are_stopped_and_it_is_told(workflow, ana, dan):
    """Each acts on a moment that the other has just set, so no single cause ever ends it."""
    ours, theirs = status("In Progress"), status("Waiting on Dev Team")
    span = timedelta(minutes=1)
    rules = [
        make_rule(When.IN_STATUS, f"To {to}", conditions={"status": [was]}, steps={"status": to}, span=span, reaches_back=True)
        for was, to in ((ours, theirs), (theirs, ours))
    ]
    ticket = make_ticket(ana)
    actions.change_status(ticket, actor=dan, status=ours)
    with mock.patch.object(acting, "_ROUNDS", 3):
        for _minute in range(10):
            Ticket.objects.update(status_since=timezone.now() - 2 * span)
            acting.sweep()
    assert [rule.runs.filter(outcome=Outcome.DONE).count() for rule in rules] == [3, 3]
    assert log(rules[0])[-1] == (Outcome.STOPPED, "it acted here 3 times within a day. Look for a rule that undoes what it does.")


def test_sweep_when_a_rule_has_much_to_look_through_then_the_next_has_its_time_too(workflow, ana):
    make_rule(When.AGE, "Slow", conditions={"text": ["nobody says this"]}, steps={"note": "x"}, span=DAY, reaches_back=True)
    quick = make_rule(When.AGE, "Quick", steps={"note": "It is a day old."}, span=DAY, reaches_back=True)
    for _number in range(20):
        make_ticket(ana)
    Ticket.objects.update(created_at=timezone.now() - 2 * DAY)
    with mock.patch.object(acting, "monotonic", count().__next__), mock.patch.object(acting, "_SWEEP_SECONDS", 16):
        acting.sweep()
    assert 0 < quick.runs.count() < 8


def test_undo_when_a_rule_acted_on_the_resolution_then_takes_the_resolution_back_and_leaves_what_the_rule_did(workflow, ana, dan):
    ticket = make_ticket(ana)
    make_rule(When.STATUS_CHANGED, conditions={"status": [status("Closed")]}, steps={"priority": priority("High")})
    actions.close(ticket, actor=dan)
    closed = ticket.events.get(kind=EventKind.CLOSED)
    now = actions.undo(ticket, actor=dan, event_id=closed.pk)
    assert (now.is_closed, now.closed_at, now.priority.name) == (False, None, "High")


def test_undo_when_a_rule_moved_the_ticket_on_then_is_refused(workflow, ana, dan):
    ticket = make_ticket(ana)
    make_rule(When.STATUS_CHANGED, conditions={"status": [status("Closed")]}, steps={"status": status("Open")})
    actions.close(ticket, actor=dan)
    with pytest.raises(actions.IllegalMove):
        actions.undo(ticket, actor=dan, event_id=ticket.events.get(kind=EventKind.CLOSED).pk)
