"""Macros: several changes in one click, shown before, all of them or none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.errors import IllegalMove
from accounts.models import AgentGroup
from tests.desk.conftest import logged_in
from tests.desk.pages import newest_event, send, words
from tests.factories import make_ticket, message
from tickets import actions, merging
from tickets.lifecycle import Category
from tickets.models import CannedReply, Draft, Event, Macro, Priority, Status, Ticket, TicketType
from tickets.writing import drafts


@pytest.fixture
def reply(workflow):
    return CannedReply.objects.create(name="On it", text="Hello {first_name}, we are on it.")


@pytest.fixture
def macro(reply, eve):
    return Macro.objects.create(
        name="Escalate",
        status=Status.objects.get(name="In Progress"),
        type=TicketType.objects.get(name="Bug"),
        priority=Priority.objects.get(name="High"),
        to_group=AgentGroup.objects.get(name="DevOps"),
        assigns="person",
        assignee=eve,
        tags="player, urgent",
        reply=reply,
        note="{name} calls at noon.",
    )


def run(client, ticket, macro, **data):
    return client.post(reverse("desk_ticket_macro", args=[ticket.number, macro.pk]), {"seen": newest_event(ticket), **data})


def test_list_when_opened_by_its_bare_address_then_what_stands_on_the_ticket_counts_as_seen(desk, ticket, ana):
    actions.comment(ticket, actor=ana, message=message("Still broken."))
    page = desk.get(reverse("desk_ticket_macros", args=[ticket.number]))
    assert page.context["seen"] == newest_event(ticket)


def facts(ticket):
    return Ticket.objects.values().get(pk=ticket.pk), Event.objects.count(), Draft.objects.count()


def test_macro_when_offered_then_shows_what_it_will_do_to_this_ticket(desk, ticket, macro):
    before = facts(ticket)
    for shown in (desk.get(reverse("desk_ticket_macros", args=[ticket.number]), piece) for piece in ({}, {"piece": "1", "q": "escal"})):
        told = words(shown)
        for said in (
            "set the status to In Progress · set the type to Bug · set the priority to High",
            "assign it to Eve Devops · move it to DevOps · tag it player, urgent",
            "Sends the customer Hello Ana, we are on it.",
            "Adds an internal note Ana Ford calls at noon.",
        ):
            assert said in told
    assert facts(ticket) == before


def test_macro_when_run_then_does_all_of_it_each_with_its_event(desk, ticket, macro, eve):
    response = run(desk, ticket, macro)
    now = Ticket.objects.get(pk=ticket.pk)
    done = (now.status.name, now.type.name, now.priority.name, now.group.name, now.assignee)
    assert (response.status_code, done) == (302, ("In Progress", "Bug", "High", "DevOps", eve))
    assert [(said.text, said.is_internal) for said in ticket.comments.order_by("pk")[1:]] == [
        ("Ana Ford calls at noon.", True),
        ("Hello Ana, we are on it.", False),
    ]
    kinds = "type_changed priority_changed tagged assigned noted commented group_changed"
    assert " ".join(ticket.events.order_by("pk").values_list("kind", flat=True)[1:]) == kinds
    assert (Macro.objects.get().used, CannedReply.objects.get().used) == (1, 1)


def time_passes():
    Draft.objects.filter(send_at__isnull=False).update(send_at=timezone.now() - timedelta(seconds=1))
    return drafts.send_due()


def test_macro_when_its_reply_is_taken_back_then_nothing_of_it_was_done_and_the_draft_stays(settings, desk, ticket, macro):
    settings.UNDO_SECONDS = 10
    desk.post(reverse("desk_ticket_draft", args=[ticket.number]), {"text": "Mine."})
    before = facts(ticket)[:2]
    response = run(desk, ticket, macro)
    assert (response.url.endswith("#leaving"), facts(ticket)[:2]) == (True, before)
    told = words(desk.get(reverse("desk_ticket", args=[ticket.number])))
    for said in ("“Escalate” is done in 10 seconds.", "set the priority to High · assign it to Eve Devops", "Ana Ford calls at noon."):
        assert said in told
    leaving = Draft.objects.get(send_at__isnull=False)
    desk.post(reverse("desk_ticket_take_back", args=[ticket.number, leaving.pk]))
    assert (Draft.objects.get().text, facts(ticket)[:2], time_passes()) == ("Hello Ana, we are on it.\n\nMine.", before, 0)


def test_macro_when_its_reply_was_not_taken_back_then_all_of_it_is_done_at_once(settings, desk, ticket, macro, eve, dan):
    settings.UNDO_SECONDS = 10
    run(desk, ticket, macro)
    assert time_passes() == 1
    now = Ticket.objects.get(pk=ticket.pk)
    done = (now.status.name, now.type.name, now.priority.name, now.group.name, now.assignee)
    assert done == ("In Progress", "Bug", "High", "DevOps", eve)
    kinds = "type_changed priority_changed tagged assigned noted commented group_changed"
    assert " ".join(ticket.events.order_by("pk").values_list("kind", flat=True)[1:]) == kinds
    assert set(ticket.events.filter(pk__gt=ticket.events.earliest("pk").pk).values_list("actor", flat=True)) == {dan.pk}
    assert (Macro.objects.get().used, CannedReply.objects.get().used, Draft.objects.exists()) == (1, 1, False)


def test_macro_when_it_is_changed_or_deleted_before_its_reply_goes_out_then_nothing_else_is_done_than_was_shown(
    settings, desk, ticket, macro, eve
):
    settings.UNDO_SECONDS = 10
    before = facts(ticket)[:2]
    run(desk, ticket, macro)
    hers = logged_in(eve)
    refused = hers.post(reverse("desk_macro_delete", args=[macro.pk]), follow=True)
    assert "Somebody is using it at this moment." in words(refused)
    make(hers, macro.pk, share="everybody", name="Escalate", tags="other")
    assert (time_passes(), facts(ticket)[:2], Draft.objects.get().text) == (0, before, "Hello Ana, we are on it.")
    assert "“Escalate” was changed meanwhile." in words(desk.get(reverse("desk_ticket", args=[ticket.number])))


@pytest.mark.parametrize("seconds", [0, 10])
@pytest.mark.parametrize("says", [True, False])
def test_macro_when_a_type_is_missing_then_asks_in_place_and_has_done_nothing(settings, desk, ticket, reply, seconds, says):
    settings.UNDO_SECONDS = seconds
    solve = Macro.objects.create(
        name="Solve", status=Status.objects.get(name="Resolved"), priority=Priority.objects.get(name="Low"), reply=reply if says else None
    )
    before = facts(ticket)
    asked = run(desk, ticket, solve)
    assert (asked.status_code, facts(ticket)) == (422, before)
    assert "Choose a type first: “Resolved” requires one." in words(asked)
    bug = TicketType.objects.get(name="Bug")
    assert run(desk, ticket, solve, type=bug.pk).status_code == 302
    now = Ticket.objects.get(pk=ticket.pk)
    waits = bool(says and seconds)
    assert (now.is_resolved, now.type == bug) == (not waits, not waits)
    assert time_passes() == waits
    now.refresh_from_db()
    assert (now.type, now.priority.name, now.is_resolved) == (bug, "Low", True)


def test_macro_when_engineerings_reference_is_missing_then_asks_in_place_for_all_it_needs(desk, ticket):
    escalated = Status.objects.create(name="Escalated", category=Category.CLOSED, asks_reference=True, requires_type=True, position=50)
    hand = Macro.objects.create(name="To engineering", status=escalated)
    before = facts(ticket)
    asked = run(desk, ticket, hand)
    html = asked.content.decode()
    assert (asked.status_code, facts(ticket), 'id="macro-type"' in html, 'id="macro-reference"' in html) == (422, before, True, True)
    again = run(desk, ticket, hand, reference="ENG-7")
    assert ('value="ENG-7"' in again.content.decode(), facts(ticket)) == (True, before)
    assert run(desk, ticket, hand, reference="ENG-7", type=TicketType.objects.first().pk).status_code == 302
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.status, now.reference) == (escalated, "ENG-7")


def test_macro_when_overtaken_then_does_nothing_and_shows_what_happened(desk, ticket, macro, ana):
    seen = newest_event(ticket)
    actions.comment(ticket, actor=ana, message=message("It works again!"))
    before = facts(ticket)
    response = run(desk, ticket, macro, seen=seen)
    assert (response.status_code, facts(ticket), "It works again!" in words(response)) == (409, before, True)


@pytest.mark.parametrize("part", ["status", "priority", "to_group", "assignee"])
def test_macro_when_a_part_of_it_is_gone_then_does_nothing_and_says_what(desk, ticket, macro, eve, part):
    if part == "assignee":
        eve.is_active = False
        eve.save()
    else:
        model = {"status": Status, "priority": Priority, "to_group": AgentGroup}[part]
        gone = {"is_retired": True, "is_default": False} if part == "status" else {"is_retired": True}
        model.objects.filter(pk=getattr(macro, f"{part}_id")).update(**gone)
    before = facts(ticket)
    response = desk.post(reverse("desk_ticket_macro", args=[ticket.number, macro.pk]), {"seen": newest_event(ticket)}, follow=True)
    assert (facts(ticket), "change the macro “Escalate”" in words(response)) == (before, True)


def test_macro_when_it_takes_the_ticket_out_of_sight_then_its_reply_goes_out_all_the_same(settings, desk, ticket, macro, ana):
    settings.UNDO_SECONDS = 10
    Macro.objects.update(to_group=AgentGroup.objects.create(name="People team", is_private=True))
    run(desk, ticket, macro)
    assert (time_passes(), ticket.comments.last().text, Draft.objects.exists()) == (1, "Hello Ana, we are on it.", False)
    assert desk.get(reverse("desk_ticket", args=[ticket.number])).status_code == 404


def test_macro_when_a_reply_on_its_way_says_what_its_status_requires_then_asks_for_nothing(settings, desk, ticket, macro):
    settings.UNDO_SECONDS = 10
    Macro.objects.update(status=Status.objects.get(name="Resolved"), type=None)
    bug = TicketType.objects.get(name="Bug")
    send(desk, ticket, "reply", text="Try again.", status=Status.objects.get(name="Resolved").pk, type=bug.pk)
    assert run(desk, ticket, macro).status_code == 302
    assert (time_passes(), Ticket.objects.get(pk=ticket.pk).type, ticket.comments.last().text) == (1, bug, "Hello Ana, we are on it.")


def test_macro_of_another_or_retired_is_none(desk, ticket, eve):
    hers = Macro.objects.create(name="Hers", assigns="me", owner=eve)
    old = Macro.objects.create(name="Old", assigns="me", is_retired=True)
    assert [run(desk, ticket, macro).status_code for macro in (hers, old)] == [404, 404]
    told = words(desk.get(reverse("desk_ticket_macros", args=[ticket.number])))
    assert ("Hers" in told, "Old" in told) == (False, False)


def make(client, pk=None, **data):
    path = reverse("desk_macro", args=[pk]) if pk else reverse("desk_macro_new")
    return client.post(path, {"name": "Mine", "share": "me", **data})


def test_macro_when_made_then_is_kept_as_it_was_chosen(desk, ticket, reply, dan):
    waiting = Status.objects.get(name="Waiting on Customer")
    make(desk, status=waiting.pk, assigns="me", tags="Player, Data Export", reply=reply.pk, note="Call {name}")
    made = Macro.objects.get()
    assert (made.owner, made.status, made.assigns, made.tags, made.reply, made.note) == (
        dan,
        waiting,
        "me",
        "player, data-export",
        reply,
        "Call {name}",
    )
    assert "reply with “On it”" in words(desk.get("/desk/macros/"))
    run(desk, ticket, made)
    assert Ticket.objects.get(pk=ticket.pk).assignee == dan
    make(desk, made.pk, name="Only tags", tags="x")
    made.refresh_from_db()
    assert (made.name, made.status, made.reply) == ("Only tags", None, None)
    desk.post(reverse("desk_macro_delete", args=[made.pk]))
    assert not Macro.objects.exists()


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({}, "Choose what it does, or it would do nothing."),
        ({"assigns": "person"}, "Choose who gets the ticket."),
        ({"note": "Hi {nmae}"}, "{nmae} can't be filled in."),
        ({"share": "everybody", "reply": "his"}, "Not all who would use the macro can use this canned reply."),
        ({"status": "99999"}, "Select a valid choice."),
    ],
)
def test_macro_when_something_is_wrong_then_says_so(desk, reply, dan, data, complaint):
    CannedReply.objects.update(owner=dan)
    response = make(desk, **{name: reply.pk if value == "his" else value for name, value in data.items()})
    assert (response.status_code, complaint in words(response), Macro.objects.exists()) == (422, True, False)


def test_macro_of_a_group_is_for_its_members(desk, eve):
    group = AgentGroup.objects.get(name="Customer Support")
    make(desk, share=f"group-{group.pk}", tags="x")
    made = Macro.objects.get()
    hers = logged_in(eve)
    assert (made.group, hers.get(reverse("desk_macro", args=[made.pk])).status_code, "Mine" in words(hers.get("/desk/macros/"))) == (
        group,
        404,
        False,
    )


def test_macro_when_the_ticket_was_merged_then_says_nothing_to_the_others_people(ticket, reply, cleo, dan):
    source = make_ticket(cleo, "Same here")
    merging.merge(source, into=ticket, actor=dan)
    made = Macro.objects.create(name="Hello", reply=reply, tags="x")
    before = facts(ticket), facts(source)
    with pytest.raises(IllegalMove, match=f"#{ticket.number}"):
        drafts.use(made, source, actor=dan)
    assert (facts(ticket), facts(source)) == before
