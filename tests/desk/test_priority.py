"""P8: setting a priority may tell the customer which it is and what that means."""

from __future__ import annotations

import re

import pytest

from notifications.audience import audience
from tests.factories import message
from tests.portal.pages import has
from tickets import actions
from tickets.models import Comment, EventKind, Priority, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def high(workflow) -> Priority:
    return Priority.objects.get(name="High")


def post(desk, ticket, **data):
    return desk.post(f"/desk/tickets/{ticket.number}/priority/", data)


def state(ticket) -> tuple[str, list[str], bool]:
    """The priority, the public answers, and whether the customer waits."""
    ticket = Ticket.objects.select_related("priority").get(pk=ticket.pk)
    answers = ticket.comments.filter(is_internal=False).exclude(pk=ticket.description.pk)
    return str(ticket.priority), [said.text for said in answers], ticket.waiting_since is not None


def test_priority_with_the_box_ticked_asks_for_the_words_before_anything_is_done(desk, ticket, high):
    page = post(desk, ticket, priority=high.pk, tell="1")
    assert page.status_code == 422
    assert has(page, "We have set the priority of this ticket to High.", "Set to High and tell the customer") == [True, True]
    assert state(ticket) == ("None", [], True)


def test_words_as_changed_go_out_with_the_priority_in_one_event(desk, ticket, high):
    before = ticket.events.count()
    answer = post(desk, ticket, priority=high.pk, tell="1", text="It is <b>High</b>, {name}.", seen=ticket.events.latest("pk").pk)
    assert answer.status_code == 302
    assert state(ticket) == ("High", ["It is <b>High</b>, {name}."], True)
    event = ticket.events.latest("pk")
    assert (ticket.events.count(), event.kind, event.is_internal) == (before + 1, EventKind.PRIORITY_CHANGED, False)
    assert event.data == {"old": "", "new": "High", "priority": high.pk}


def test_empty_words_are_refused_and_nothing_is_done(desk, ticket, high):
    page = post(desk, ticket, priority=high.pk, tell="1", text="  ")
    assert page.status_code == 422
    assert has(page, "Write what the customer is to read") == [True]
    assert state(ticket) == ("None", [], True)


@pytest.mark.parametrize(
    ("data", "priority"),
    [({}, "High"), ({"text": "Untold."}, "High"), ({"tell": "1", "priority": ""}, "None"), ({"tell": "1", "priority": "999"}, "None")],
)
def test_customer_is_told_nothing_where_it_is_not_meant(desk, ticket, high, data, priority):
    assert post(desk, ticket, **{"priority": high.pk, **data}).status_code == 302
    assert state(ticket) == (priority, [], True)


def test_priority_without_words_is_set_and_not_told(desk, ticket, high):
    Priority.objects.update(public_comment="")
    assert post(desk, ticket, priority=high.pk, tell="1").status_code == 302
    assert state(ticket) == ("High", [], True)


def test_form_sent_twice_tells_once(desk, ticket, high):
    for _time in range(2):
        post(desk, ticket, priority=high.pk, tell="1", text="High.", key="0b5a6a2e-7f0f-4c6f-9c53-3a3d3ab5c0de")
    assert state(ticket) == ("High", ["High."], True)


def test_others_who_set_it_meanwhile_are_heard_first(desk, ticket, high, eve):
    seen = ticket.events.latest("pk").pk
    actions.set_priority(ticket, actor=eve, priority=Priority.objects.get(name="Low"))
    page = post(desk, ticket, priority=high.pk, tell="1", text="High, as I typed.", seen=seen)
    assert page.status_code == 409
    assert has(page, "High, as I typed.") == [True]
    assert state(ticket) == ("Low", [], True)


def test_customer_reads_priority_and_definition_once_told(client, ticket, high, ana, dan):
    def sees_it() -> list[bool]:
        client.force_login(ana)
        return has(client.get(f"/tickets/{ticket.number}/"), "High", "an essential component malfunctions")

    actions.set_priority(ticket, actor=dan, priority=high)
    assert sees_it() == [False, False]
    actions.set_priority(ticket, actor=dan, priority=high, message=message("It is urgent."))
    assert sees_it() == [True, True]
    actions.set_priority(ticket, actor=dan, priority=Priority.objects.get(name="Low"))
    assert sees_it() == [True, False]  # what was said stays; what is true now was not told


def test_followers_are_told_of_what_was_told_and_of_nothing_else(ticket, high, ana, dan):
    actions.set_priority(ticket, actor=dan, priority=Priority.objects.get(name="Low"))
    assert audience(ticket.events.latest("pk")) == []
    actions.set_priority(ticket, actor=dan, priority=high, message=message("It is urgent."))
    assert [told.user for told in audience(ticket.events.latest("pk"))] == [ana]


def test_customer_sets_no_priority(ticket, high, ana):
    with pytest.raises(actions.NotAllowed):
        actions.set_priority(ticket, actor=ana, priority=high, message=message("Critical, please."))
    assert Comment.objects.count() == 1


def test_words_of_an_admin_stay_text(high):
    high.public_comment = "{name}: {priority} {{ ticket.group }} {% load x %} {secret} ${x}\n{definition}"
    high.definition = "{name} {{ 7*7 }}"
    assert (
        high.words_for("Ana <b> {priority}") == "Ana <b> {priority}: High {{ ticket.group }} {% load x %} {secret} ${x}\n{name} {{ 7*7 }}"
    )


def test_admin_is_told_of_a_placeholder_that_is_none(client, high, max_admin):
    client.force_login(max_admin)
    fields = {"name": "High", "level": high.level, "position": 2, "definition": "x", "public_comment": "{priority} {secret}"}
    page = client.post(f"/admin/tickets/priority/{high.pk}/change/", fields)
    assert has(page, "{secret} can't be filled in.") == [True]


@pytest.mark.parametrize("ticked", [True, False])
def test_box_is_ticked_from_the_start_where_the_setting_says_so(desk, ticket, settings, ticked):
    settings.TELL_PRIORITY = ticked
    page = desk.get(f"/desk/tickets/{ticket.number}/").content.decode()
    assert (bool(re.search(r'name="tell"[^>]* checked', page)), page.count('name="tell"')) == (ticked, 1)
