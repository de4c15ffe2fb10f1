"""Escalated to engineering: the status asks for a reference in place, and a release is told once on each ticket that waited, however often it is run."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import AgentGroup
from notifications.models import Delivery
from notifications.relay import relay_waiting
from tests.desk.conftest import logged_in
from tests.desk.pages import send, words
from tests.factories import make_ticket, make_user
from tickets import actions, merging, releases
from tickets.events import describe
from tickets.lifecycle import Category
from tickets.models import CannedReply, Comment, Draft, Event, Macro, Release, ReleasePost, Status, Ticket, TicketType
from tickets.writing import drafts

TEXT = "Hello {name}, {number} is in {version}."


@pytest.fixture
def escalated(workflow):
    return Status.objects.create(name="Escalated", category=Category.CLOSED, asks_reference=True, position=50)


@pytest.fixture
def tickets(escalated, ana, cleo, eve):
    """Two for TEM-1, one for TEM-2."""
    made = [make_ticket(ana), make_ticket(cleo), make_ticket(ana)]
    for ticket, reference in zip(made, ("tem-1", "TEM-1", "TEM-2"), strict=True):
        actions.set_reference(ticket, actor=eve, reference=reference)
        actions.change_status(ticket, actor=eve, status=escalated)
    relay_waiting()
    Delivery.objects.all().delete()
    return made


def fresh(ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def told() -> list[int]:
    return sorted(Comment.objects.filter(text__contains=" is in ").values_list("ticket", flat=True))


# --- Asking ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["status", "reply"])
def test_reference_when_it_is_missing_then_is_asked_for_in_place_and_kept(desk, ticket, escalated, verb, settings):
    settings.UNDO_SECONDS = 0
    data = {"status": escalated.pk, "text": "Engineering has it."}
    asked = send(desk, ticket, verb, **data)
    assert (asked.status_code, "Engineering's reference for it" in words(asked), fresh(ticket).category) == (422, True, "new")
    send(desk, ticket, verb, **data, reference=" tem-7 ")
    done = fresh(ticket)
    assert (done.status, done.reference) == (escalated, "TEM-7")
    event = ticket.events.latest("pk")
    assert describe(event, for_staff=True).endswith(", with the reference TEM-7")
    assert "TEM-7" not in describe(event, for_staff=False)
    send(desk, ticket, "status", status=escalated.pk, reference="TEM-8")  # as it has that status already
    assert fresh(ticket).reference == "TEM-8"


def test_reference_when_the_reply_with_it_is_taken_back_then_was_never_given(desk, ticket, escalated, settings):
    settings.UNDO_SECONDS = 10
    before = Ticket.objects.values().get(pk=ticket.pk), Event.objects.count()
    send(desk, ticket, "reply", text="Engineering has it.", status=escalated.pk, reference="TEM-7")
    assert (Ticket.objects.values().get(pk=ticket.pk), Event.objects.count()) == before
    desk.post(reverse("desk_ticket_take_back", args=[ticket.number, Draft.objects.get().pk]))
    send(desk, ticket, "reply", text="Engineering has it.", status=escalated.pk, reference="TEM-7")
    Draft.objects.update(send_at=timezone.now() - timedelta(seconds=1))
    drafts.send_due()
    assert (fresh(ticket).reference, fresh(ticket).status) == ("TEM-7", escalated)


def test_reference_and_type_when_the_status_is_undone_then_go_back_with_it(desk, ticket, escalated):
    before = fresh(ticket)
    send(desk, ticket, "status", status=escalated.pk, reference="TEM-7", type=TicketType.objects.first().pk)
    desk.post(reverse("desk_ticket_undo", args=[ticket.number, ticket.events.latest("pk").pk]))
    now = fresh(ticket)
    assert (now.status, now.reference, now.type) == (before.status, "", None)
    words = f"changed the status from Escalated to {before.status}, by Undo"
    assert describe(ticket.events.latest("pk"), for_staff=True) == words


def test_reference_when_a_macro_with_a_reply_is_taken_back_then_was_never_given(desk, ticket, escalated, settings, dan):
    settings.UNDO_SECONDS = 10
    reply = CannedReply.objects.create(name="Handed over", text="Engineering has it.", owner=dan)
    macro = Macro.objects.create(name="Hand over", status=escalated, reply=reply, owner=dan)
    path = reverse("desk_ticket_macro", args=[ticket.number, macro.pk])
    desk.post(path, {"seen": ticket.events.latest("pk").pk, "reference": "TEM-7"})
    assert fresh(ticket).reference == ""
    Draft.objects.update(send_at=timezone.now() - timedelta(seconds=1))
    drafts.send_due()
    assert (fresh(ticket).reference, fresh(ticket).status) == ("TEM-7", escalated)


def test_reference_and_type_when_both_are_missing_then_are_asked_together(desk, ticket, escalated):
    Status.objects.filter(pk=escalated.pk).update(requires_type=True)
    asked = words(send(desk, ticket, "status", status=escalated.pk))
    assert ("What kind of matter was it?" in asked, "Engineering's reference for it" in asked) == (True, True)


def test_reference_when_verbs_are_called_without_then_they_refuse(ticket, escalated, dan):
    with pytest.raises(actions.ReferenceRequired):
        actions.change_status(ticket, actor=dan, status=escalated)


def test_reference_when_changed_on_the_page_then_customers_never_see_it(desk, tickets, ana):
    send(desk, tickets[0], "reference", reference="secret-9")
    send(desk, tickets[2], "reference", reference="")  # its status asks for one
    assert [fresh(one).reference for one in tickets] == ["SECRET-9", "TEM-1", "TEM-2"]
    client = logged_in(ana)
    page = client.get(f"/tickets/{tickets[0].number}/").content.decode()
    assert ("SECRET" in page, "SECRET" in client.get("/tickets/?show=all").content.decode()) == (False, False)


# --- Telling --------------------------------------------------------------------------------------------------------------------


def post(desk, step: str = "", **data):
    return desk.post("/desk/releases/", {"version": "4.2", "reference": ["TEM-1"], "text": TEXT, **({step: "1"} if step else {}), **data})


def test_release_when_previewed_then_shows_tickets_and_words_and_says_nothing(desk, tickets):
    listed = words(desk.get("/desk/releases/"))
    assert ("TEM-1 2 tickets" in listed, "TEM-2 1 ticket" in listed) == (True, True)
    shown = words(post(desk))
    assert (f"Hello Ana Ford, #{tickets[0].pk} is in 4.2." in shown, f"#{tickets[1].pk}" in shown, f"#{tickets[2].pk}" in shown) == (
        True,
        True,
        False,
    )
    assert (told(), Release.objects.count()) == ([], 0)
    again = post(desk, "change")
    assert (again.status_code, again.context["ticked"], TEXT in words(again)) == (200, ["TEM-1"], True)


def test_release_when_told_then_each_ticket_has_its_comment_and_its_followers_a_mail(desk, tickets):
    response = post(desk, "post")
    assert told() == [tickets[0].pk, tickets[1].pk]
    assert {fresh(one).category for one in tickets} == {"closed"}
    relay_waiting()
    assert sorted(Delivery.objects.values_list("recipient__name", flat=True)) == ["Ana Ford", "Cleo Roy"]
    page = words(desk.get(response["Location"]))
    assert ("2 of 2 tickets told." in page, f"#{tickets[0].pk} Player is blank" in page) == (True, True)
    assert [row["reference"] for row in desk.get("/desk/releases/").context["waiting"]] == ["TEM-2"]


def test_release_when_run_again_then_says_nothing_twice(desk, tickets, dan):
    post(desk, "post")
    releases.release(actor=dan, version="4.2", references=["TEM-1", "tem-2"], text=TEXT)
    assert (releases.post_waiting(), releases.post_waiting(), told()) == (1, 0, [one.pk for one in tickets])


def test_release_when_it_died_half_way_then_goes_on_where_it_was(desk, tickets, dan, monkeypatch):
    shipped = releases.release(actor=dan, version="4.2", references=["TEM-1", "TEM-2"], text=TEXT)
    said, comment = [], actions.comment

    def dies_at_the_second(*arguments, **named):
        if said:
            raise KeyboardInterrupt
        said.append(1)
        return comment(*arguments, **named)

    monkeypatch.setattr(actions, "comment", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        releases.post_waiting()
    monkeypatch.undo()
    assert told() == [tickets[0].pk]
    assert "1 of 3 tickets told. 2 are told in the background" in words(desk.get(f"/desk/releases/{shipped.pk}/"))
    desk.post(f"/desk/releases/{shipped.pk}/go-on/")
    assert told() == [one.pk for one in tickets]


def test_release_when_its_row_was_not_noted_then_the_comment_still_stands_once(tickets, dan):
    releases.release(actor=dan, version="4.2", references=["TEM-2"], text=TEXT)
    releases.post_waiting()
    ReleasePost.objects.update(posted_at=None, comment=None)
    releases.post_waiting()
    assert told() == [tickets[2].pk]


def test_release_when_a_ticket_is_open_again_then_is_left_to_its_agent_and_said(desk, tickets, dan, ana):
    shipped = releases.release(actor=dan, version="4.2", references=["TEM-1"], text=TEXT)
    actions.reopen(tickets[0], actor=ana)
    assert (releases.post_waiting(), told()) == (1, [tickets[1].pk])
    assert "It is not with engineering any more" in words(desk.get(f"/desk/releases/{shipped.pk}/"))
    actions.change_status(fresh(tickets[0]), actor=dan, status=Status.objects.get(name="Escalated"))
    desk.post(f"/desk/releases/{shipped.pk}/go-on/")
    assert told() == [tickets[0].pk, tickets[1].pk]


def test_release_when_a_ticket_is_in_a_private_group_then_outsiders_neither_see_nor_tell_it(desk, tickets, dan, eve):
    group = AgentGroup.objects.create(name="People team", is_private=True)
    group.members.add(eve)
    actions.set_group(tickets[1], actor=eve, group=group)
    assert "TEM-1 1 ticket," in words(desk.get("/desk/releases/"))
    post(desk, "post")
    assert told() == [tickets[0].pk]
    mine = logged_in(eve)
    post(mine, "post")
    assert (told(), f"#{tickets[1].pk} " in words(desk.get(f"/desk/releases/{Release.objects.get().pk}/"))) == (
        [tickets[0].pk, tickets[1].pk],
        False,
    )


@pytest.mark.parametrize("wrong", [{"version": ""}, {"reference": []}, {"reference": ["TEM-9"]}, {"text": " "}, {"text": "{assignee}"}])
def test_release_when_something_is_missing_then_says_so_and_keeps_the_words(desk, tickets, wrong):
    response = post(desk, "post", **wrong)
    assert (response.status_code, Release.objects.count(), wrong.get("text", TEXT).strip() in words(response)) == (422, 0, True)


def test_command_when_run_twice_then_tells_once(tickets, dan):
    out = StringIO()
    arguments = ["release", "4.2", "tem-1", "TEM-2", "--by", dan.email]
    call_command(*arguments, "--dry-run", stdout=out)
    assert ("3 tickets would be told of 4.2." in out.getvalue(), Release.objects.count()) == (True, 0)
    for _twice in range(2):
        call_command(*arguments, stdout=out)
    assert Comment.objects.filter(text__contains="is part of release 4.2").count() == 3
    assert "4.2: 0 tickets were told now, 3 in all." in out.getvalue()
    with pytest.raises(CommandError):
        call_command("release", "4.2", "TEM-1", "--by", "ana@acme.example", stdout=out)


def test_release_when_a_ticket_was_merged_then_its_words_are_not_said_to_the_others_people(tickets, escalated, eve, dan):
    """Merged into one that waits for the same, it is told there alone; into another, a person tells there."""
    first, second, other = tickets
    merging.merge(second, into=first, actor=eve)
    shipped = releases.release(actor=eve, version="4.2", references=["TEM-1"], text=TEXT)
    assert (releases.post_waiting(shipped), told()) == (1, [first.pk])
    merging.merge(other, into=first, actor=eve)
    shipped = releases.release(actor=eve, version="4.3", references=["TEM-2"], text=TEXT)
    assert (releases.post_waiting(shipped), told()) == (0, [first.pk])
    assert f"merged into #{first.pk}" in shipped.posts.get().problem


def test_reference_when_written_with_what_no_database_takes_then_is_kept_without_it(desk, ticket):
    desk.post(f"/desk/tickets/{ticket.number}/reference/", {"reference": "tem\0-7"})
    assert fresh(ticket).reference == "TEM-7"


@pytest.mark.parametrize(("role", "is_led_there"), [("agent", False), ("admin", True)])
def test_page_when_no_status_asks_for_a_reference_then_leads_who_can_change_that(workflow, role, is_led_there):
    page = logged_in(make_user("max@support.example", role=role)).get("/desk/releases/").content.decode()
    assert (reverse("admin:tickets_status_changelist") in page) == is_led_there
