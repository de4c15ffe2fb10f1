"""The same thing sent many times at once is one thing."""

from __future__ import annotations

from uuid import uuid4

from accounts.models import User
from notifications.models import Delivery, Kind
from notifications.relay import relay_waiting
from tests.concurrency.threads import at_once, errors, marks
from tests.factories import PASSWORD, make_ticket, message
from tests.tickets.mail.letters import letter
from tickets import actions, sharing
from tickets.mail import ingest
from tickets.models import Comment, Event, Follower, InboundMessage, InboundState, Priority, Ticket, TicketType

pytestmark = marks


def test_mail_when_stored_ten_times_at_once_then_is_one_row(workflow):
    raw, mailbox = letter(), ingest.default_mailbox()
    answers = at_once([lambda: ingest.store(raw, mailbox=mailbox)] * 10)
    assert errors(answers) == []
    assert (sorted(is_new for _stored, is_new in answers), InboundMessage.objects.count()) == ([False] * 9 + [True], 1)


def test_mail_when_handled_by_ten_workers_at_once_then_is_one_ticket(workflow):
    stored, _new = ingest.store(letter("new@else.example"), mailbox=ingest.default_mailbox())
    answers = at_once([lambda: ingest.ingest(stored.pk)] * 10)
    assert (errors(answers), sum(answers), Ticket.objects.count()) == ([], 1, 1)


def test_first_mails_when_five_come_at_once_then_one_account_one_link_five_tickets(workflow):
    mailbox = ingest.default_mailbox()
    stored = [ingest.store(letter("new@else.example", subject=f"Mail {number}"), mailbox=mailbox)[0].pk for number in range(5)]
    answers = at_once([lambda pk=pk: ingest.ingest(pk) for pk in stored])
    assert (errors(answers), set(InboundMessage.objects.values_list("state", flat=True))) == ([], {InboundState.DONE})
    assert errors(at_once([relay_waiting] * 2)) == []
    deliveries = [Delivery.objects.filter(kind=kind).count() for kind in (Kind.SET_PASSWORD, Kind.CONFIRMATION)]
    assert (User.objects.count(), Ticket.objects.count(), deliveries) == (1, 5, [1, 5])


def test_form_when_posted_twenty_times_at_once_then_all_get_the_one_ticket(workflow, ana):
    form = message(submission_key=uuid4())
    answers = at_once([lambda: make_ticket(ana, message=form).pk] * 20)
    assert (errors(answers), len(set(answers))) == ([], 1)
    assert (Ticket.objects.count(), Comment.objects.count(), Event.objects.count(), Follower.objects.count()) == (1, 1, 1, 1)


def test_reply_when_posted_ten_times_at_once_then_is_one_comment(workflow, ana):
    ticket, form = make_ticket(ana), message("Once", submission_key=uuid4())
    answers = at_once([lambda: actions.comment(ticket, actor=ana, message=form).pk] * 10)
    assert (errors(answers), len(set(answers)), ticket.events.count()) == ([], 1, 2)


def test_reply_to_a_closed_ticket_when_posted_at_once_then_is_one_follow_up(workflow, ana, dan):
    ticket, form = make_ticket(ana), message("Back", submission_key=uuid4())
    actions.close(ticket, actor=dan)
    answers = at_once([lambda: actions.comment(ticket, actor=ana, message=form).ticket_id] * 10)
    assert (errors(answers), len(set(answers)), Ticket.objects.count()) == ([], 1, 2)


def test_tickets_when_opened_at_once_then_have_numbers_of_their_own(workflow, ana):
    answers = at_once([lambda: make_ticket(ana).pk] * 20)
    assert (errors(answers), len(set(answers))) == ([], 20)


def test_agents_when_changing_different_things_at_once_then_nothing_is_lost(workflow, ana, dan, eve):
    ticket, bug, high = make_ticket(ana), TicketType.objects.get(name="Bug"), Priority.objects.get(name="High")
    works = [
        lambda: actions.set_type(ticket, actor=dan, type=bug),
        lambda: actions.set_priority(ticket, actor=eve, priority=high),
        lambda: actions.take(ticket, actor=eve),
        lambda: actions.comment(ticket, actor=ana, message=message("And?")),
    ]
    assert errors(at_once(works)) == []
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.type, now.priority, now.assignee, now.events.count()) == (bug, high, eve, 5)


def test_teammate_when_following_ten_times_at_once_then_once(workflow, ana, ben):
    ticket = make_ticket(ana)
    answers = at_once([lambda: sharing.follow(ticket, actor=ben)] * 10)
    assert (errors(answers), Follower.objects.filter(user=ben).count(), ticket.events.count()) == ([], 1, 2)


def test_ticket_when_closed_by_two_at_once_then_second_is_told(workflow, ana, ben):
    ticket = make_ticket(ana)
    answers = at_once([lambda who=who: actions.close(ticket, actor=who) for who in (ana, ben)])
    assert [type(error) for error in errors(answers)] == [actions.IllegalMove]
    assert ticket.events.filter(kind="closed").count() == 1


def test_link_when_used_twice_at_once_then_one_password_wins(ana):
    from django.test import Client

    from accounts.proof import set_password_path

    path, clients = set_password_path(ana), [Client(), Client()]
    pages = [each.get(path).url for each in clients]
    passwords = ["first horse battery", "second horse battery"]
    works = [
        lambda each=each, page=page, new=new: each.post(page, {"password1": new, "password2": new}).status_code
        for each, page, new in zip(clients, pages, passwords, strict=True)
    ]
    assert errors(at_once(works)) == []
    ana.refresh_from_db()
    assert [ana.check_password(word) for word in (PASSWORD, *passwords)].count(True) == 1
    assert ["_auth_user_id" in each.session for each in clients].count(True) == 1
