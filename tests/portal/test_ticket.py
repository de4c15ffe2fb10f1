from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from tests.factories import make_ticket, message, new_file
from tests.portal.pages import has, words
from tickets import actions, sharing
from tickets.models import Channel, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(ana, dan) -> Ticket:
    """Of Ana, shared with Acme, with a note that nobody but staff may ever see."""
    ticket = make_ticket(ana, text="It is broken.", message=message("It is broken.", files=(new_file("log.txt"),)))
    actions.add_note(ticket, actor=dan, message=message("secret gossip", channel=Channel.DESK, files=(new_file("note.txt"),)))
    return ticket


def page(client, person, ticket):
    client.force_login(person)
    return client.get(f"/tickets/{ticket.number}/")


def resolve(ticket, dan):
    return actions.resolve(ticket, actor=dan, type=TicketType.objects.get(name="Bug"))


def answer(ticket, person, text="Try again.", **fields):
    return actions.comment(ticket, actor=person, message=message(text, channel=Channel.DESK), **fields)


@pytest.mark.parametrize("who", ["ana", "ben"])
def test_ticket_when_visible_then_shows_what_was_said(client, request, ben, ticket, who):
    response = page(client, request.getfixturevalue(who), ticket)
    assert has(response, "Player is blank", "It is broken.", "log.txt", "opened by Ana Ford") == [True] * 4


@pytest.mark.parametrize("who", ["cleo", "solo"])
def test_ticket_when_person_is_a_stranger_then_is_404(client, request, cleo, solo, ticket, who):
    assert page(client, request.getfixturevalue(who), ticket).status_code == 404


def test_ticket_when_anonymous_then_asks_to_log_in(client, ticket):
    address = f"/tickets/{ticket.number}/"
    assert client.get(address).url == f"/accounts/login/?next={address}"


def test_ticket_when_staff_then_leads_to_the_desks_page(client, dan, ticket):
    assert page(client, dan, ticket).url == f"/desk/tickets/{ticket.number}/"


@pytest.mark.parametrize("number", ["0", "999999", "9" * 19, "9" * 40, "9" * 5000, "-1", "1.5", "x", "%00", "1'"])
def test_ticket_when_number_is_nonsense_then_is_404(client, ana, number):
    client.force_login(ana)
    assert client.get(f"/tickets/{number}/").status_code == 404


def test_ticket_when_posted_to_then_is_refused(client, ana, ticket):
    client.force_login(ana)
    assert client.post(f"/tickets/{ticket.number}/").status_code == 405


def test_ticket_when_staff_worked_on_it_then_nothing_internal_shows(client, ana, dan, eve, ticket):
    actions.assign(ticket, actor=dan, assignee=eve)
    actions.set_type(ticket, actor=dan, type=TicketType.objects.get(name="Bug"))
    sharing.follow(ticket, actor=dan)
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Waiting on Dev Team"))
    response = page(client, ana, ticket)
    hidden = (
        "secret gossip",
        "note.txt",
        "Waiting on Dev Team",
        "Bug",
        "Customer Support",
        "Dan Support",
        "Eve Devops",
        "@support.example",
    )
    assert has(response, "With our engineers", "Support changed the status", *hidden) == [True, True] + [False] * len(hidden)


def test_ticket_when_who_worked_on_it_has_left_then_still_has_no_name(client, ana, eve, ticket):
    actions.change_status(ticket, actor=eve, status=Status.objects.get(name="Waiting on Dev Team"))
    User.objects.filter(pk=eve.pk).update(is_active=False)
    assert has(page(client, ana, ticket), "Support changed the status", "Eve Devops") == [True, False]


def test_ticket_when_staff_replied_then_they_have_a_name(client, ana, dan, ticket):
    answer(ticket, dan)
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Waiting on Dev Team"))
    assert has(page(client, ana, ticket), "Try again.", "Dan Support changed the status") == [True, True]


def test_ticket_when_spam_then_looks_closed_and_offers_nothing(client, ana, dan, ticket):
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Spam"))
    response = page(client, ana, ticket)
    assert has(response, "Closed", "Spam", "spam", "Reopen") == [True, False, False, False]
    assert b"is-spam" not in response.content


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("Open", "We have it."),
        ("In Progress", "Support is working on it."),
        ("Waiting on Customer", "It is your turn"),
        ("Waiting on Dev Team", "Support waits for others"),
        ("Resolved", "Support thinks that this is solved."),
        ("Closed", "This ticket is finished."),
    ],
)
def test_ticket_when_in_a_status_then_says_what_happens_next(client, ana, dan, ticket, status, sentence):
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name=status), type=TicketType.objects.get(name="Bug"))
    assert has(page(client, ana, ticket), sentence) == [True]


def test_ticket_when_resolved_then_asks_and_says_when_it_closes(client, ana, dan, ticket):
    resolve(ticket, dan)
    Ticket.objects.update(close_due_at=timezone.now() + timedelta(hours=30, minutes=1))
    asked = ("Did this fix it?", "the ticket closes by itself in 30 h", "Yes, this fixed it", "No, still broken")
    assert has(page(client, ana, ticket), *asked) == [True] * 4


def test_ticket_when_fix_is_confirmed_but_unfinished_then_says_so(client, ana, dan, ticket):
    answer(ticket, dan)
    assert has(page(client, ana, ticket), "Is it solved?") == [True]
    actions.confirm_fix(ticket, actor=ana)
    assert has(page(client, ana, ticket), "You said that it works now.", "Is it solved?") == [True, False]


def test_ticket_when_the_customer_had_the_last_word_then_does_not_ask(client, ana, dan, ticket):
    answer(ticket, dan)
    actions.comment(ticket, actor=ana, message=message("Still blank"))
    assert has(page(client, ana, ticket), "Is it solved?") == [False]


def test_ticket_when_closed_then_says_that_a_reply_opens_another(client, ana, ticket):
    actions.close(ticket, actor=ana)
    assert has(page(client, ana, ticket), "your reply opens a new one", "Reopen this ticket") == [True, True]


def test_follow_up_when_visible_then_both_are_linked(client, ana, ticket):
    actions.close(ticket, actor=ana)
    later = actions.comment(ticket, actor=ana, message=message("Again")).ticket
    assert has(page(client, ana, ticket), f"It goes on in #{later.number}") == [True]
    assert has(page(client, ana, later), f"It goes on from #{ticket.number}") == [True]


def test_follow_up_when_not_visible_then_is_not_named(client, ana, cleo, dan, ticket):
    sharing.add_follower(ticket, actor=dan, person=cleo)
    actions.close(ticket, actor=ana)
    later = actions.comment(ticket, actor=cleo, message=message("Mine now")).ticket
    assert has(page(client, ana, ticket), f"#{later.number}") == [False]
    sharing.remove_follower(ticket, actor=dan, person=cleo)
    assert has(page(client, cleo, later), f"It goes on from #{ticket.number}") == [False]


def test_people_when_shown_then_are_customers_alone(client, ana, ben, dan, ticket):
    sharing.follow(ticket, actor=dan)
    sharing.follow(ticket, actor=ben)
    response = page(client, ana, ticket)
    assert [person.display_name for person in response.context["people"].followers] == ["Ben Ode"]
    assert has(response, "Dan Support", "Stop following", "Acme") == [False, True, True]


def test_timeline_when_merged_then_is_oldest_first(client, ana, dan, ticket):
    answer(ticket, dan, "First answer")
    actions.close(ticket, actor=ana)
    actions.reopen(ticket, actor=ana)
    read = words(page(client, ana, ticket))
    order = [read.index(one) for one in ("It is broken.", "First answer", "closed the ticket", "reopened the ticket")]
    assert order == sorted(order)


def test_inline_picture_when_shown_in_place_then_is_not_listed_below(client, ana, ticket):
    from tests.tickets.test_attachments import png
    from tickets.files import NewFile

    file = new_file("a.png", png())
    mail = message("See", html='<p>See <img src="cid:1"></p>', files=(NewFile(name="a.png", content=file.content, content_id="1"),))
    actions.comment(ticket, actor=ana, message=mail)
    body = page(client, ana, ticket).content.decode()
    conversation = body[body.index('class="timeline"') : body.index("<aside")]
    assert len(re.findall(r"/a\.png", conversation)) == 1


@pytest.mark.parametrize("count", [1, 25])
def test_ticket_when_long_then_costs_the_same(client, ana, ben, dan, ticket, django_assert_num_queries, count):
    for at in range(count):
        mail = message(f"Answer {at}", channel=Channel.DESK, html="<p>x</p>", files=(new_file(),))
        actions.comment(ticket, actor=(dan, ben)[at % 2], message=mail)
    client.force_login(ana)
    # session, person, ticket, comments, attachments, events, followers, own organizations, who of the followers may be found, organizations, linked
    # tickets, whether mail to the person is stopped
    with django_assert_num_queries(13):
        assert client.get(f"/tickets/{ticket.number}/").status_code == 200
