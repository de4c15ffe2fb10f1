"""Everything a customer can do with a ticket, each a POST."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import make_ticket, message
from tests.portal.pages import errors, has, reply, said, typed
from tickets import actions, sharing
from tickets.models import Attachment, Channel, Comment, EventKind, Follower, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db

DEEDS = ("reply", "follow", "unfollow", "fixed", "close", "reopen")


@pytest.fixture
def ticket(ana, dan) -> Ticket:
    return make_ticket(ana)


def do(client, person, ticket, deed):
    client.force_login(person)
    return client.post(f"/tickets/{ticket.number}/{deed}/", follow=True)


def resolve(ticket, dan):
    actions.resolve(ticket, actor=dan, type=TicketType.objects.get(name="Bug"))


def category(ticket) -> str:
    return Ticket.objects.get(pk=ticket.pk).category


def kinds(ticket) -> list[str]:
    return list(ticket.events.order_by("id").values_list("kind", flat=True))[1:]


# --- The ladder, for each -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", DEEDS)
def test_deed_when_asked_for_by_get_then_is_refused(client, ana, ticket, deed):
    client.force_login(ana)
    assert client.get(f"/tickets/{ticket.number}/{deed}/").status_code == 405
    assert kinds(ticket) == []


@pytest.mark.parametrize("deed", DEEDS)
def test_deed_when_a_browser_opens_its_address_then_leads_to_the_ticket_and_does_nothing(client, ana, ticket, deed):
    client.force_login(ana)
    way = client.get(f"/tickets/{ticket.number}/{deed}/", headers={"accept": "text/html,*/*"}, follow=True)
    assert (way.redirect_chain, way.status_code, kinds(ticket)) == ([(f"/tickets/{ticket.number}/", 302)], 200, [])


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("who", ["cleo", "solo"])
def test_deed_when_person_is_a_stranger_then_is_404_and_does_nothing(client, request, cleo, solo, ticket, deed, who):
    assert do(client, request.getfixturevalue(who), ticket, deed).status_code == 404
    assert kinds(ticket) == []


@pytest.mark.parametrize("deed", DEEDS)
def test_deed_when_anonymous_then_asks_to_log_in(client, ticket, deed):
    address = f"/tickets/{ticket.number}/{deed}/"
    assert client.post(address).url == f"/accounts/login/?next={address}"


@pytest.mark.parametrize("deed", DEEDS)
def test_deed_when_staff_then_leads_to_the_desk_and_does_nothing(client, dan, ticket, deed):
    client.force_login(dan)
    assert client.post(f"/tickets/{ticket.number}/{deed}/", {"text": "x"}).url == f"/desk/tickets/{ticket.number}/"
    assert kinds(ticket) == []


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("number", ["0", "999999", "9" * 40, "x"])
def test_deed_when_number_is_nonsense_then_is_404(client, ana, deed, number):
    client.force_login(ana)
    assert client.post(f"/tickets/{number}/{deed}/").status_code == 404


# --- Reply ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ana", "ben"])
def test_reply_when_posted_then_stands_on_the_ticket(client, request, ben, ticket, who):
    client.force_login(request.getfixturevalue(who))
    response = reply(client, ticket, "Still blank", files=[SimpleUploadedFile("a.txt", b"x")])
    assert (response.status_code, response.url) == (302, f"/tickets/{ticket.number}/#c{ticket.comments.last().pk}")
    assert (said(ticket), Attachment.objects.get().name) == (["It is broken.", "Still blank"], "a.txt")
    assert has(client.get(response.url), "Your reply is posted.", "Still blank") == [True, True]


def test_reply_when_sent_twice_then_stands_once(client, ana, ticket):
    client.force_login(ana)
    key = str(uuid4())
    assert [reply(client, ticket, key=key).status_code for _at in range(2)] == [302, 302]
    assert said(ticket) == ["It is broken.", "An answer"]


def test_reply_when_key_is_anothers_then_asks_to_send_again(client, ana, ben, ticket):
    client.force_login(ana)
    key = str(uuid4())
    reply(client, ticket, key=key)
    client.force_login(ben)
    response = reply(client, ticket, "Kept", key=key)
    assert (response.status_code, typed(response), errors(response)) == (409, "Kept", ["This was not sent. Send it again."])
    assert reply(client, ticket, key=response.context["form"]["key"].value()).status_code == 302


def test_reply_when_ticket_is_closed_then_opens_a_follow_up(client, ana, ticket):
    actions.close(ticket, actor=ana)
    client.force_login(ana)
    response = reply(client, ticket, "Again")
    later = Ticket.objects.get(follow_up_to=ticket)
    assert (response.url, said(later)) == (f"/tickets/{later.number}/#c{later.comments.get().pk}", ["Again"])
    assert has(client.get(response.url), f"Ticket {ticket.number} was closed, so your reply opened this one") == [True]


def test_reply_when_resolved_then_reopens(client, ana, dan, ticket):
    resolve(ticket, dan)
    client.force_login(ana)
    reply(client, ticket)
    assert category(ticket) == "open"


def test_reply_when_others_wrote_meanwhile_then_is_shown_first_with_the_text_kept(client, ana, dan, ticket):
    seen = ticket.events.get().pk
    actions.comment(ticket, actor=dan, message=message("It is fixed", channel=Channel.DESK))
    client.force_login(ana)
    response = reply(client, ticket, "Any news?", seen=seen)
    assert (response.status_code, typed(response), said(ticket)) == (409, "Any news?", ["It is broken.", "It is fixed"])
    assert has(response, "While you were writing, something new came in", "It is fixed") == [True, True]
    assert reply(client, ticket, "Any news?", seen=response.context["seen"]).status_code == 302


def test_reply_when_the_ticket_closed_meanwhile_then_tells_first(client, ana, dan, ticket):
    seen = ticket.events.get().pk
    actions.close(ticket, actor=dan)
    client.force_login(ana)
    assert (reply(client, ticket, seen=seen).status_code, Ticket.objects.count()) == (409, 1)


@pytest.mark.parametrize("other", ["note", "self", "follower"])
def test_reply_when_nothing_to_know_of_happened_then_is_posted(client, ana, ben, dan, ticket, other):
    seen = ticket.events.get().pk
    if other == "note":
        actions.add_note(ticket, actor=dan, message=message("x", channel=Channel.DESK))
    elif other == "self":
        actions.comment(ticket, actor=ana, message=message("By mail", channel=Channel.EMAIL))
    else:
        sharing.follow(ticket, actor=ben)
    client.force_login(ana)
    assert reply(client, ticket, seen=seen).status_code == 302


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"text": ""}, "Write something, or attach a file."),
        ({"text": " \0 "}, "Write something, or attach a file."),
        ({"text": "t" * 100_001}, "This is 100,001 characters long, and 100,000 fit. Shorten it, or attach it as a file."),
        ({"files": [SimpleUploadedFile("e.log", b"")]}, "“e.log” is empty. Look whether it is the right file, and choose it again."),
        (
            {"files": [SimpleUploadedFile(f"{at}.txt", b"x") for at in range(30)]},
            "Attach at most 20 files at a time; these were 30.",
        ),
    ],
)
def test_reply_when_something_is_wrong_then_says_what_and_keeps_the_text(client, ana, ticket, fields, complaint):
    client.force_login(ana)
    response = reply(client, ticket, **{"text": "Kept", **fields})
    assert (response.status_code, errors(response), said(ticket)) == (422, [complaint], ["It is broken."])
    assert typed(response) == fields.get("text", "Kept").strip()


@pytest.mark.parametrize(
    "fields", [{"seen": ""}, {"seen": "x"}, {"seen": "9" * 5000}, {"key": "x"}, {"text": "a\0b\x1b"}, {"text": ["a", "b"]}]
)
def test_reply_when_hidden_fields_are_nonsense_then_is_posted(client, ana, ticket, fields):
    client.force_login(ana)
    assert reply(client, ticket, **fields).status_code == 302


def test_reply_when_too_often_then_is_put_off_with_the_text_kept(client, ana, ticket):
    client.force_login(ana)
    assert {reply(client, ticket).status_code for _at in range(30)} == {302}
    response = reply(client, ticket, "One too many")
    assert (response.status_code, typed(response), Comment.objects.count()) == (429, "One too many", 31)


def test_deeds_when_too_many_then_nothing_more_is_done_and_nobody_mailed(client, ana, ticket):
    for _at in range(15):
        do(client, ana, ticket, "close")
        do(client, ana, ticket, "reopen")
    told = do(client, ana, ticket, "close")
    assert (has(told, "a lot in a short time"), len(kinds(ticket))) == ([True], 30)


# --- Follow and unfollow --------------------------------------------------------------------------------------------------------


def test_follow_when_teammate_then_gets_mail_from_now_on_and_can_undo(client, ben, ticket):
    response = do(client, ben, ticket, "follow")
    assert Follower.objects.filter(ticket=ticket, user=ben, is_muted=False).count() == 1
    assert (has(response, "You get an email at each update.", "Undo"), kinds(ticket)) == ([True, True], [EventKind.FOLLOWER_ADDED])


def test_unfollow_when_requester_then_gets_no_mail_but_keeps_the_ticket(client, ana, ticket):
    response = do(client, ana, ticket, "unfollow")
    assert (response.status_code, Follower.objects.get(ticket=ticket, user=ana).is_muted) == (200, True)
    assert has(response, "You get no more email about this ticket.", "Follow this ticket") == [True, True]


# --- Course ---------------------------------------------------------------------------------------------------------------------


def test_fixed_when_type_is_known_then_resolves(client, ana, dan, ticket):
    actions.set_type(ticket, actor=dan, type=TicketType.objects.get(name="Bug"))
    assert has(do(client, ana, ticket, "fixed"), "Good to hear. The ticket is resolved.") == [True]
    assert category(ticket) == "resolved"


def test_fixed_when_type_is_missing_then_leaves_the_rest_to_support(client, ana, ticket):
    assert has(do(client, ana, ticket, "fixed"), "Good to hear. Support finishes the ticket.") == [True]
    assert (category(ticket), kinds(ticket)) == ("new", [EventKind.FIX_CONFIRMED])


def test_fixed_when_resolved_then_closes(client, ana, dan, ticket):
    resolve(ticket, dan)
    assert has(do(client, ana, ticket, "fixed"), "Good to hear. The ticket is closed.") == [True]
    assert category(ticket) == "closed"


def test_fixed_when_closed_then_says_so(client, ana, ticket):
    actions.close(ticket, actor=ana)
    assert has(do(client, ana, ticket, "fixed"), "This ticket is already resolved.") == [True]


def test_close_when_open_then_closes_and_can_be_undone(client, ben, ticket):
    assert has(do(client, ben, ticket, "close"), "The ticket is closed.", "Undo") == [True, True]
    assert category(ticket) == "closed"


def test_close_when_closed_then_says_so(client, ana, ticket):
    actions.close(ticket, actor=ana)
    assert has(do(client, ana, ticket, "close"), "This ticket is already closed.") == [True]
    assert kinds(ticket) == [EventKind.CLOSED]


@pytest.mark.parametrize("from_status", ["Resolved", "Closed"])
def test_reopen_when_finished_then_opens(client, ben, dan, ticket, from_status):
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name=from_status), type=TicketType.objects.get(name="Bug"))
    assert has(do(client, ben, ticket, "reopen"), "The ticket is open again.") == [True]
    assert category(ticket) == "open"


def test_reopen_when_open_then_says_so(client, ana, ticket):
    assert has(do(client, ana, ticket, "reopen"), "This ticket is open already.") == [True]
