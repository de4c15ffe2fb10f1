"""A customer's message becomes a ticket of its own: theirs, with its files, once; and neither ticket loses anything."""

from __future__ import annotations

import pytest

from accounts.models import User
from notifications.models import Delivery, Kind
from notifications.relay import relay_waiting
from tests.desk.conftest import logged_in
from tests.desk.pages import words
from tests.factories import message, new_file
from tickets import access, actions, sharing
from tickets.models import Comment, Ticket


@pytest.fixture
def said(ticket, ben):
    return actions.comment(ticket, actor=ben, message=message("And the export is empty.", files=(new_file("export.csv"),)))


def path(said) -> str:
    return f"/desk/tickets/{said.ticket_id}/comments/{said.pk}/split/"


def test_message_when_split_off_then_is_its_authors_ticket_and_both_are_linked(desk, ticket, said, ben, dan, acme):
    assert "It becomes Ben Ode's ticket" in words(desk.get(path(said)))
    response = desk.post(path(said), {"subject": "Export\0 is empty"})
    new = Ticket.objects.latest("pk")
    assert response["Location"] == f"/desk/tickets/{new.number}/"
    assert (new.subject, new.requester, new.filer, new.follow_up_to, list(new.organizations.all())) == (
        "Export is empty",
        ben,
        dan,
        ticket,
        [acme],
    )
    copy = new.comments.get()
    assert (copy.text, copy.author, [file.name for file in copy.attachments.all()]) == ("And the export is empty.", ben, ["export.csv"])
    assert b"".join(logged_in(ben).get(f"/attachments/{copy.attachments.get().pk}/export.csv").streaming_content) == b"one line"
    old = words(desk.get(f"/desk/tickets/{ticket.number}/"))
    assert (f"split a message off into #{new.number}" in old, f"split off: #{new.number}" in old) == (True, True)
    assert f"Ben Ode wrote this on ticket #{ticket.number}; Dan Support split it off" in words(desk.get(f"/desk/tickets/{new.number}/"))
    relay_waiting()
    confirmed = Delivery.objects.filter(event__ticket=new, kind=Kind.CONFIRMATION)
    assert [one.recipient for one in confirmed] == [ben]


def test_message_when_split_off_twice_then_is_one_ticket(desk, said):
    for _twice in range(2):
        desk.post(path(said), {"subject": "Export"})
    assert (Ticket.objects.count(), Comment.objects.filter(split_from=said).count()) == (2, 1)


def test_message_when_its_author_is_from_outside_then_the_organization_does_not_see_the_new_ticket(desk, ticket, dan, cleo, ana):
    sharing.add_follower(ticket, actor=dan, person=cleo)
    said = actions.comment(ticket, actor=cleo, message=message("@Ana Ford, ours too."))
    desk.post(path(said), {"subject": "Ours"})
    new = Ticket.objects.latest("pk")
    assert (new.requester, access.can_see(ana, new), new.organizations.count()) == (cleo, False, 0)
    assert f"#{new.number}" not in words(logged_in(ana).get(f"/tickets/{ticket.number}/"))


def test_message_when_it_is_none_to_split_then_says_so(desk, ticket, dan, eve):
    ours = actions.comment(ticket, actor=dan, message=message("Look."))
    note = actions.add_note(ticket, actor=dan, message=message("Between us."))
    of_a_rule = actions.comment(ticket, actor=None, message=message("We look at it."))
    of_one_who_left = actions.comment(ticket, actor=eve, message=message("Try this."))
    User.objects.filter(pk=eve.pk).update(is_active=False)
    for one in (ticket.description, ours, note, of_a_rule, of_one_who_left):
        assert desk.post(path(one), {"subject": "New"}).status_code == 302
    assert "/split/" not in desk.get(f"/desk/tickets/{ticket.number}/").content.decode()
    assert Ticket.objects.count() == 1


def test_message_when_the_subject_is_empty_then_asks_again(desk, said):
    assert desk.post(path(said), {"subject": "  "}).status_code == 422
    assert Ticket.objects.count() == 1


def test_message_when_of_another_ticket_or_hidden_then_nothing_is_there(desk, ticket, secret, eve, ana):
    said = actions.comment(secret, actor=ana, message=message("More."))
    assert desk.get(path(said)).status_code == 404
    assert desk.get(f"/desk/tickets/{ticket.number}/comments/{said.pk}/split/").status_code == 404
