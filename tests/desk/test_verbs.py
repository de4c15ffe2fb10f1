"""What the forms of the ticket's page do, and what a person sees when they can't."""

from __future__ import annotations

import re
from uuid import uuid4, uuid5

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import AgentGroup, User
from tests.desk.pages import send, words
from tests.factories import make_ticket, message
from tickets import actions, sharing
from tickets.models import Comment, Event, EventKind, Follower, Priority, Status, Ticket, TicketType


def fresh(ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def status(name: str) -> Status:
    return Status.objects.get(name=name)


def kinds(ticket) -> list[str]:
    return list(ticket.events.order_by("pk").values_list("kind", flat=True))


# --- Conversation --------------------------------------------------------------------------------------------------------------


def test_reply_when_sent_then_is_public_and_picks_the_ticket_up(desk, ticket, dan):
    response = send(desk, ticket, "reply", text="Try again.", kind="reply")
    said = ticket.comments.last()
    assert response["Location"] == f"/desk/tickets/{ticket.number}/#c{said.pk}"
    assert (said.text, said.author, said.is_internal, fresh(ticket).status.name) == ("Try again.", dan, False, "In Progress")


def test_note_when_kept_then_moves_nothing_that_customers_see(desk, ticket):
    before = fresh(ticket)
    send(desk, ticket, "note", text="Between us.")
    after = fresh(ticket)
    assert (ticket.comments.last().is_internal, after.status, after.public_updated_at) == (True, before.status, before.public_updated_at)


def test_reply_when_composer_was_switched_to_note_then_nothing_goes_out(desk, ticket):
    send(desk, ticket, "reply", text="Between us.", kind="note", status=status("Resolved").pk)
    assert (ticket.comments.last().is_internal, fresh(ticket).status.name) == (True, "Open")


@pytest.mark.parametrize("verb", ["reply", "note"])
def test_message_when_empty_then_asks_for_something(desk, ticket, verb):
    response = send(desk, ticket, verb, text="  ")
    assert (response.status_code, "Write something, or attach a file." in words(response)) == (422, True)
    assert ticket.comments.count() == 1


@pytest.mark.parametrize("verb", ["reply", "note"])
def test_message_when_too_long_then_keeps_the_text(desk, ticket, verb):
    text = "a" * 100_001
    response = send(desk, ticket, verb, text=text)
    assert (response.status_code, text in response.content.decode(), ticket.comments.count()) == (422, True, 1)


def test_message_when_sent_twice_then_counts_once(desk, ticket):
    key = str(uuid4())
    for _time in range(2):
        send(desk, ticket, "reply", text="Try again.", key=key)
    assert ticket.comments.count() == 2


@pytest.mark.parametrize("verb", ["reply", "note"])
def test_message_when_its_key_is_anothers_then_asks_to_send_again(desk, ticket, ana, verb):
    key = uuid4()
    actions.comment(ticket, actor=ana, message=message(submission_key=key))
    actions.add_note(ticket, actor=None, message=message(submission_key=uuid5(key, "note")))
    response = send(desk, ticket, verb, text="Kept", key=key)
    told = words(response)
    assert (response.status_code, "Kept" in told, "This was not sent. Send it again." in told) == (422, True, True)
    assert send(desk, ticket, verb, text="Kept", key=response.context["form"]["key"].value()).status_code == 302
    assert ticket.comments.last().text == "Kept"


def test_message_when_files_are_attached_then_keeps_them(desk, ticket):
    send(desk, ticket, "note", text="See", files=[SimpleUploadedFile("a.txt", b"a"), SimpleUploadedFile("b.txt", b"b")])
    assert [file.name for file in ticket.comments.last().attachments.order_by("pk")] == ["a.txt", "b.txt"]


def test_reply_when_file_is_empty_then_tells_and_keeps_the_text(desk, ticket):
    response = send(desk, ticket, "reply", text="See the log", files=[SimpleUploadedFile("a.log", b"")])
    assert (response.status_code, "“a.log” is empty" in words(response), "See the log" in words(response)) == (422, True, True)


def test_reply_when_status_goes_with_it_then_is_one_event(desk, ticket):
    send(desk, ticket, "reply", text="Try again.", status=status("Waiting on Customer").pk)
    assert (kinds(ticket), fresh(ticket).status.name) == (["opened", "commented"], "Waiting on Customer")


def test_reply_when_it_resolves_without_type_then_asks_in_place_and_keeps_the_text(desk, ticket):
    response = send(desk, ticket, "reply", text="It is fixed.", status=status("Resolved").pk)
    assert (response.status_code, response.context["statuses"][0][0]) == (422, str(status("Resolved").pk))
    assert ("Choose a type first" in words(response), "It is fixed." in words(response), ticket.comments.count()) == (True, True, 1)


def test_reply_when_it_resolves_with_type_then_does(desk, ticket):
    send(desk, ticket, "reply", text="It is fixed.", status=status("Resolved").pk, type=TicketType.objects.get(name="Bug").pk)
    assert (fresh(ticket).status.name, fresh(ticket).type.name, kinds(ticket)) == ("Resolved", "Bug", ["opened", "commented"])


@pytest.mark.parametrize("value", ["x", "999999", "9" * 40, "-1"])
def test_reply_when_status_is_nonsense_then_sends_nothing(desk, ticket, value):
    response = send(desk, ticket, "reply", text="Hello", status=value)
    assert (response.status_code, ticket.comments.count()) == (422, 1)


def test_reply_when_status_is_retired_then_sends_nothing(desk, ticket):
    assert send(desk, ticket, "reply", text="Hello", status=status("Pending").pk).status_code == 422


# --- Course --------------------------------------------------------------------------------------------------------------------


def test_resolve_when_type_is_missing_then_asks_in_place(desk, ticket):
    response = send(desk, ticket, "resolve")
    assert (response.status_code, "What kind of matter was it?" in words(response), fresh(ticket).status.name) == (422, True, "Open")


@pytest.mark.parametrize(("to", "button"), [("Resolved", "Resolve"), ("Waiting on Customer", "Set status")])
def test_question_for_a_type_when_shown_then_is_no_error_and_its_button_says_what_it_does(desk, ticket, to, button):
    Status.objects.filter(name=to).update(requires_type=True)
    html = send(desk, ticket, "status", status=status(to).pk).content.decode()
    box = html[html.index('<form class="resolve"') :]
    box = box[: box.index("</form>")]
    assert ("errorlist" in box, f"“{to}” requires one" in box, f">{button}</button>" in box) == (False, True, True)
    assert "/resolve/" not in html  # one button of that name on the page


def test_resolve_when_type_comes_along_then_is_done(desk, ticket):
    send(desk, ticket, "resolve", type=TicketType.objects.get(name="Bug").pk)
    assert (fresh(ticket).status.name, fresh(ticket).type.name) == ("Resolved", "Bug")


def test_resolve_when_type_is_set_then_asks_nothing(desk, ticket, dan):
    actions.set_type(ticket, actor=dan, type=TicketType.objects.get(name="DevOps"))
    assert send(desk, ticket, "resolve").status_code == 302
    assert fresh(ticket).status.name == "Resolved"


def test_status_when_changed_then_is_told(desk, ticket):
    response = desk.get(send(desk, ticket, "status", status=status("Waiting on Dev Team").pk)["Location"])
    assert (fresh(ticket).status.name, "The status is Waiting on Dev Team now." in words(response)) == ("Waiting on Dev Team", True)


def test_status_when_type_is_missing_then_asks_for_it_with_the_same_status(desk, ticket):
    response = send(desk, ticket, "status", status=status("Resolved").pk)
    assert (response.status_code, response.context["move"].data["status"]) == (422, str(status("Resolved").pk))


@pytest.mark.parametrize("value", ["", "x", "999999", "9" * 40])
def test_status_when_nonsense_then_changes_nothing(desk, ticket, value):
    response = send(desk, ticket, "status", status=value)
    assert (response.status_code, fresh(ticket).status.name) == (422, "Open")
    told = words(response)
    assert ("Choose a status of the list." if value == "" else "That status is not in the list any more. Choose again.") in told
    assert "Select a valid choice" not in told


def test_type_when_nonsense_goes_with_a_status_then_is_told_in_our_words(desk, ticket):
    told = words(send(desk, ticket, "status", status=status("Closed").pk, type="999999"))
    assert ("That type is not in the list any more. Choose again." in told, "Select a valid choice" in told) == (True, False)


def test_close_and_reopen_when_asked_then_are_done(desk, ticket):
    send(desk, ticket, "close")
    closed = fresh(ticket).status.name
    send(desk, ticket, "reopen")
    assert (closed, fresh(ticket).status.name) == ("Closed", "In Progress")


def test_close_when_closed_already_then_says_so(desk, ticket):
    send(desk, ticket, "close")
    response = desk.get(send(desk, ticket, "close")["Location"], follow=True)
    assert kinds(ticket) == ["opened", "closed"]
    assert response.status_code == 200


def undo_on(page) -> str:
    """Where the page's Undo posts to."""
    (address,) = re.findall(r'action="(/desk/tickets/\d+/undo/\d+/)"', page.content.decode())
    return str(address)


@pytest.mark.parametrize("verb", ["close", "spam"])
@pytest.mark.parametrize("was", ["Open", "In Progress", "Waiting on Customer", "Resolved"])
def test_undo_when_nothing_happened_since_then_the_ticket_is_where_it_was(desk, ticket, dan, was, verb):
    actions.change_status(ticket, actor=dan, status=status(was), type=TicketType.objects.first())
    waited = fresh(ticket).waiting_since
    page = desk.get(send(desk, ticket, verb)["Location"])
    moved = fresh(ticket).status.name
    told = desk.get(desk.post(undo_on(page))["Location"])
    assert (moved != was, fresh(ticket).status.name, fresh(ticket).waiting_since) == (True, was, waited)
    assert f"Undone: the status is {was} again." in words(told)


@pytest.mark.parametrize("was", ["Open", "Waiting on Customer"])
def test_undo_when_resolved_then_the_ticket_is_where_it_was_and_never_was_resolved(desk, ticket, dan, was):
    actions.change_status(ticket, actor=dan, status=status(was))
    waited = fresh(ticket).waiting_since
    page = desk.get(send(desk, ticket, "resolve", type=TicketType.objects.first().pk)["Location"])
    assert fresh(ticket).status.name == "Resolved"
    desk.post(undo_on(page))
    now = fresh(ticket)
    assert (now.status.name, now.waiting_since, now.resolved_at, now.close_due_at) == (was, waited, None, None)


def test_undo_when_something_happened_since_then_is_refused(desk, ticket, ana):
    page = desk.get(send(desk, ticket, "close")["Location"])
    sharing.follow(ticket, actor=ana)
    actions.reopen(ticket, actor=ana)
    told = desk.post(undo_on(page), follow=True)
    assert (fresh(ticket).status.name, "can't be undone any more" in words(told)) == ("In Progress", True)


def test_undo_when_pressed_twice_then_counts_once(desk, ticket):
    page = desk.get(send(desk, ticket, "close")["Location"])
    for _time in range(2):
        desk.post(undo_on(page))
    assert kinds(ticket) == ["opened", "closed", "status_changed"]


def test_not_spam_when_asked_then_is_new_again(desk, ticket):
    send(desk, ticket, "spam")
    send(desk, ticket, "not_spam")
    assert fresh(ticket).category == "new"


def test_not_spam_when_it_never_was_then_changes_nothing(desk, ticket):
    send(desk, ticket, "resolve", type=TicketType.objects.first().pk)
    send(desk, ticket, "not_spam")
    assert fresh(ticket).category == "resolved"


# --- Properties ----------------------------------------------------------------------------------------------------------------


def test_take_when_nobody_has_it_then_is_mine_and_in_progress(desk, ticket, dan):
    send(desk, ticket, "take")
    assert (fresh(ticket).assignee, fresh(ticket).status.name, kinds(ticket)) == (dan, "In Progress", ["opened", "assigned"])


@pytest.mark.parametrize(("name", "model"), [("priority", Priority), ("type", TicketType), ("group", AgentGroup), ("assignee", User)])
def test_property_when_set_and_taken_away_then_is_so(desk, ticket, eve, name, model):
    value = eve if name == "assignee" else model.objects.last()
    send(desk, ticket, name, **{name: value.pk})
    first = getattr(fresh(ticket), name)
    send(desk, ticket, name, **{name: ""})
    assert (first, getattr(fresh(ticket), name)) == (value, None)


@pytest.mark.parametrize("name", ["priority", "type", "group", "assignee"])
@pytest.mark.parametrize("value", ["x", "999999", "9" * 40, "1 OR 1=1", None])
def test_property_when_nonsense_then_changes_nothing(desk, ticket, name, value):
    before = Event.objects.count()
    data = {} if value is None else {name: value}
    page = desk.get(send(desk, ticket, name, **data)["Location"])
    assert ("not in the list any more" in words(page), Event.objects.count()) == (True, before)


def test_assignee_when_a_customer_then_is_refused(desk, ticket, ana):
    send(desk, ticket, "assignee", assignee=ana.pk)
    assert fresh(ticket).assignee is None


def test_type_when_status_requires_one_then_is_not_taken_away(desk, ticket):
    send(desk, ticket, "resolve", type=TicketType.objects.get(name="Bug").pk)
    send(desk, ticket, "type", type="")
    assert fresh(ticket).type.name == "Bug"


def test_group_when_moved_out_of_sight_then_leads_to_the_queue(desk, ticket):
    hidden = AgentGroup.objects.create(name="People team", is_private=True)
    response = send(desk, ticket, "group", group=hidden.pk)
    assert response["Location"] == "/desk/tickets/"
    assert "It is in a private group now, so you no longer see it." in words(desk.get("/desk/tickets/"))


# --- People --------------------------------------------------------------------------------------------------------------------


def test_follow_when_asked_and_taken_back_then_is_so(desk, ticket, dan):
    send(desk, ticket, "follow")
    followed = Follower.objects.filter(ticket=ticket, user=dan).exists()
    send(desk, ticket, "unfollow")
    assert (followed, Follower.objects.filter(ticket=ticket, user=dan).exists()) == (True, False)


def test_follower_when_added_by_address_then_sees_the_ticket(desk, ticket, cleo):
    send(desk, ticket, "add_follower", who=" Cleo@Globex.Example ")
    assert Follower.objects.filter(ticket=ticket, user=cleo).exists()


def test_follower_when_unknown_then_asks_before_making_an_account(desk, ticket):
    response = send(desk, ticket, "add_follower", who="new@else.example")
    assert (response.status_code, User.objects.filter(email="new@else.example").exists()) == (422, False)
    assert ("new@else.example" in response.content.decode(), "This person is new here" in words(response)) == (True, True)


def test_follower_when_meant_to_be_new_then_gets_an_account_without_password(desk, ticket):
    for _time in range(2):
        send(desk, ticket, "add_follower", who="New@Else.Example", is_new="on")
    person = User.objects.get(email="new@else.example")
    assert (person.has_usable_password(), person.role, ticket.follower_rows.filter(user=person).count()) == (False, "customer", 1)


@pytest.mark.parametrize("email", ["", "x", "a@b", "a@b.example,c@d.example", "a" * 300 + "@x.example", "\0"])
def test_follower_when_address_is_nonsense_then_says_so(desk, ticket, email):
    assert (send(desk, ticket, "add_follower", who=email, is_new="on").status_code, ticket.follower_rows.count()) == (422, 1)


@pytest.mark.parametrize("email", ["support@support.example", " Support+anything@SUPPORT.example "])
def test_follower_when_address_is_our_own_then_is_refused_kindly(desk, ticket, email):
    response = send(desk, ticket, "add_follower", who=email, is_new="on")
    told = words(response)
    assert (response.status_code, "This is our own address" in told, "make an account" in told) == (422, True, False)
    assert (ticket.follower_rows.count(), User.objects.filter(email__startswith="support").exists()) == (1, False)


def test_follower_when_switched_off_then_is_not_added(desk, ticket, cleo):
    User.objects.filter(pk=cleo.pk).update(is_active=False)
    response = send(desk, ticket, "add_follower", who=cleo.email)
    assert (response.status_code, "switched off" in words(response), ticket.follower_rows.count()) == (422, True, 1)


def test_follower_when_removed_then_is_gone(desk, ticket, dan, cleo):
    sharing.add_follower(ticket, actor=dan, person=cleo)
    desk.post(f"/desk/tickets/{ticket.number}/followers/{cleo.pk}/remove/")
    assert list(ticket.follower_rows.values_list("user__name", flat=True)) == ["Ana Ford"]


def test_requester_when_to_be_removed_then_stays(desk, ticket, ana):
    response = desk.post(f"/desk/tickets/{ticket.number}/followers/{ana.pk}/remove/")
    assert (response.status_code, ticket.follower_rows.count()) == (403, 1)


def test_customer_never_sees_what_was_noted_or_who_was_mailed(desk, ticket, ana):
    send(desk, ticket, "note", text="Between us.")
    assert [said.text for said in Comment.objects.filter(ticket=ticket, is_internal=False)] == [message().text]
    assert [event.kind for event in ticket.events.filter(is_internal=True)] == [EventKind.NOTED]
    assert make_ticket(ana).events.filter(is_internal=True).count() == 0
