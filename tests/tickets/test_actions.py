"""Each verb: what it changes, the one event it records, what it refuses, and that nothing happens where nothing would change."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import AgentGroup, Membership, Organization, User
from tests.factories import make_ticket, message, new_file
from tickets import access, actions, sharing, snoozing
from tickets.models import Attachment, Channel, Comment, Event, EventKind, Follower, OrganizationShare, Priority, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(workflow, ana):
    return make_ticket(ana)


@pytest.fixture
def bug(workflow):
    return TicketType.objects.get(name="Bug")


@pytest.fixture
def resolved(ticket, dan, bug):
    return actions.resolve(ticket, actor=dan, type=bug)


@pytest.fixture
def closed(resolved, dan):
    return actions.close(resolved, actor=dan)


def status(name: str) -> Status:
    return Status.objects.get(name=name)


def now_is(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related("status").get(pk=ticket.pk)


def kinds(ticket: Ticket) -> list[str]:
    """What was recorded, after the opening."""
    return list(ticket.events.order_by("id").values_list("kind", flat=True))[1:]


def everything(ticket: Ticket) -> object:
    """All that a verb could change."""
    rows = (Ticket, Comment, Event, Follower, OrganizationShare)
    return [list(model.objects.order_by("pk").values()) for model in rows]


# --- Opening -------------------------------------------------------------------------------------------------------------------


def test_ticket_when_opened_then_is_new_followed_shared_and_told_once(workflow, ana, acme):
    ticket = make_ticket(ana)
    assert (ticket.status.name, ticket.group.name, ticket.filer, ticket.type) == ("Open", "Customer Support", None, None)
    assert list(ticket.followers.all()) == [ana]
    assert list(ticket.organizations.all()) == [acme]
    assert list(ticket.events.values_list("kind", "actor")) == [(EventKind.OPENED, ana.pk)]
    assert ticket.events.get().comment == ticket.comments.get()


def test_ticket_when_filed_for_a_customer_then_is_theirs_and_filer_follows(workflow, ana, dan):
    ticket = make_ticket(ana, actor=dan)
    assert (ticket.requester, ticket.filer, set(ticket.followers.all())) == (ana, dan, {ana, dan})


def test_ticket_when_a_customer_files_for_another_then_is_refused(workflow, ana, ben):
    with pytest.raises(actions.NotAllowed):
        make_ticket(ana, actor=ben)
    assert Ticket.objects.count() == 0


@pytest.mark.parametrize(("sent", "kept"), [("x" * 100_000, "x" * 250), ("ok", "ok")])
def test_subject_when_long_then_is_cut(workflow, ana, sent, kept):
    assert now_is(make_ticket(ana, sent)).subject == kept


def test_form_when_sent_twice_then_opens_one_ticket(workflow, ana):
    form = message(submission_key=uuid4())
    first, second = (make_ticket(ana, message=form) for _ in range(2))
    assert (first, Ticket.objects.count(), Event.objects.count(), Comment.objects.count()) == (second, 1, 1, 1)


def test_form_when_another_person_has_its_key_then_shows_nothing_of_theirs(workflow, ana, cleo):
    from django.db import IntegrityError

    form = message(submission_key=uuid4())
    make_ticket(ana, message=form)
    with pytest.raises(IntegrityError):
        make_ticket(cleo, message=form)


def test_mail_when_from_a_machine_then_event_says_to_answer_nobody(workflow, ana):
    assert make_ticket(ana, quiet=True).events.get().data == {"quiet": True}


# --- Talking -------------------------------------------------------------------------------------------------------------------


def test_comment_when_customer_speaks_then_event_and_waiting_begin(ticket, ana):
    said = actions.comment(ticket, actor=ana, message=message("And now?"))
    assert (said.text, said.author, said.is_internal, kinds(ticket)) == ("And now?", ana, False, ["commented"])
    assert now_is(ticket).status.name == "Open"


def test_comment_when_first_agent_answers_then_ticket_is_picked_up_and_first_response_kept(ticket, dan):
    actions.comment(ticket, actor=dan, message=message("Looking."))
    first = now_is(ticket).first_response_at
    actions.comment(ticket, actor=dan, message=message("Found it."))
    now = now_is(ticket)
    assert (now.status.name, now.first_response_at, now.waiting_since) == ("In Progress", first, None)
    assert kinds(ticket) == ["commented", "commented"]


def test_comment_when_nobody_answered_then_waiting_counts_from_the_oldest_word(ticket, ana):
    since = now_is(ticket).waiting_since
    actions.comment(ticket, actor=ana, message=message("Hello?"))
    assert now_is(ticket).waiting_since == since


def test_comment_when_status_is_chosen_then_one_event_tells_both(ticket, dan):
    actions.comment(ticket, actor=dan, message=message("Try 2.1."), status=status("Waiting on Customer"))
    event = ticket.events.last()
    assert (now_is(ticket).status.name, kinds(ticket), event.data["new"]) == ("Waiting on Customer", ["commented"], "Waiting on Customer")


def test_comment_when_resolving_without_type_then_nothing_is_said(ticket, dan):
    before = everything(ticket)
    with pytest.raises(actions.TypeRequired):
        actions.comment(ticket, actor=dan, message=message("Done.", files=(new_file(),)), status=status("Resolved"))
    assert (everything(ticket), Attachment.objects.count()) == (before, 0)


def test_comment_when_resolving_with_type_then_closes_in_48_hours(ticket, dan, bug):
    actions.comment(ticket, actor=dan, message=message("Done."), status=status("Resolved"), type=bug)
    now = now_is(ticket)
    assert (now.type, now.close_due_at - now.resolved_at, kinds(ticket)) == (bug, timedelta(hours=48), ["commented"])


@pytest.mark.parametrize("extra", ["status", "type"])
def test_comment_when_a_customer_chooses_what_is_staffs_then_nothing_is_said(ticket, ana, bug, extra):
    before = everything(ticket)
    with pytest.raises(actions.NotAllowed):
        actions.comment(ticket, actor=ana, message=message(), **{extra: status("Resolved") if extra == "status" else bug})
    assert everything(ticket) == before


def test_comment_when_waiting_on_customer_then_their_reply_returns_it(ticket, ana, dan):
    actions.change_status(ticket, actor=dan, status=status("Waiting on Customer"))
    actions.comment(ticket, actor=ana, message=message("Here it is."))
    assert now_is(ticket).status.name == "In Progress"


def test_reply_when_resolved_then_reopens_and_stops_the_clock(resolved, ana):
    actions.comment(resolved, actor=ana, message=message("Still broken."))
    now = now_is(resolved)
    assert (now.status.name, now.close_due_at, now.resolved_at, now.closed_at) == ("In Progress", None, None, None)
    assert kinds(resolved) == ["resolved", "commented"]


def test_comment_form_when_sent_twice_then_counts_once(ticket, ana):
    form = message("Once", submission_key=uuid4())
    first, second = (actions.comment(ticket, actor=ana, message=form) for _ in range(2))
    assert (first, kinds(ticket)) == (second, ["commented"])


def test_comment_when_person_lost_the_ticket_meanwhile_then_nothing_is_said(ticket, ben):
    seen = access.get_ticket(ben, ticket.pk)
    Membership.objects.filter(user=ben).delete()
    before = everything(ticket)
    with pytest.raises(Ticket.DoesNotExist):
        actions.comment(seen, actor=ben, message=message("Am I still here?"))
    assert everything(ticket) == before


def test_comment_when_file_is_broken_off_then_nothing_is_said(ticket, ana, tmp_path):
    before = everything(ticket)
    (tmp_path / "media").write_text("no folder")
    with pytest.raises(actions.NotStored):
        actions.comment(ticket, actor=ana, message=message(files=(new_file(),)))
    assert everything(ticket) == before


def test_note_when_added_then_nothing_a_customer_sees_moves(ticket, dan):
    before = now_is(ticket)
    note = actions.add_note(ticket, actor=dan, message=message("Between us."))
    now = now_is(ticket)
    assert (note.is_internal, kinds(ticket), ticket.events.last().is_internal) == (True, ["noted"], True)
    assert (now.public_updated_at, now.status, now.waiting_since) == (before.public_updated_at, before.status, before.waiting_since)
    assert (now.updated_at > before.updated_at, now.first_response_at) == (True, None)


@pytest.mark.parametrize("verb", ["type", "priority", "group", "assignee"])
def test_internal_property_when_set_then_customers_see_no_update(ticket, dan, bug, verb):
    before = now_is(ticket)
    {
        "type": lambda: actions.set_type(ticket, actor=dan, type=bug),
        "priority": lambda: actions.set_priority(ticket, actor=dan, priority=Priority.objects.first()),
        "group": lambda: actions.set_group(ticket, actor=dan, group=AgentGroup.objects.get(name="DevOps")),
        "assignee": lambda: actions.assign(ticket, actor=dan, assignee=dan),
    }[verb]()
    now = now_is(ticket)
    assert (now.public_updated_at, now.updated_at > before.updated_at) == (before.public_updated_at, True)
    assert [event.is_internal for event in ticket.events.all()] == [False, True]


# --- Closed, and what comes after ----------------------------------------------------------------------------------------------


def test_reply_when_closed_then_opens_a_linked_ticket_of_the_replier(closed, ana, acme):
    said = actions.comment(closed, actor=ana, message=message("It is back."))
    new = said.ticket
    assert (new.follow_up_to, new.requester, new.subject, new.group) == (closed, ana, closed.subject, closed.group)
    assert (list(new.organizations.all()), new.status.name, now_is(closed).status.name) == ([acme], "Open", "Closed")
    assert (kinds(closed), [event.kind for event in new.events.all()]) == (["resolved", "closed"], ["opened"])


def test_reply_when_closed_by_somebody_from_outside_then_follow_up_is_theirs_alone(closed, ana, dan, solo):
    sharing.add_follower(closed, actor=dan, person=solo)
    new = actions.comment(closed, actor=solo, message=message("Me too.")).ticket
    assert (new.requester, list(new.organizations.all()), list(new.followers.all())) == (solo, [], [solo])
    assert not access.can_see(ana, new)


def test_reply_when_closed_form_is_sent_twice_then_one_follow_up(closed, ana):
    form = message("It is back.", submission_key=uuid4())
    first, second = (actions.comment(closed, actor=ana, message=form) for _ in range(2))
    assert (first, Ticket.objects.count()) == (second, 2)


def test_reply_when_closed_status_reopens_then_the_ticket_itself_goes_on(closed, ana):
    Status.objects.filter(name="Closed").update(reopens_on_reply=True)
    said = actions.comment(closed, actor=ana, message=message("It is back."))
    now = now_is(closed)
    assert (said.ticket, now.status.name, now.closed_at, Ticket.objects.count()) == (closed, "In Progress", None, 1)


def test_reply_when_closed_and_staff_speak_then_stays_closed(closed, dan):
    said = actions.comment(closed, actor=dan, message=message("For the record."))
    assert (said.ticket, now_is(closed).status.name) == (closed, "Closed")


# --- Course --------------------------------------------------------------------------------------------------------------------


def test_resolve_when_type_is_missing_then_is_refused(ticket, dan):
    before = everything(ticket)
    with pytest.raises(actions.TypeRequired, match="Resolved"):
        actions.resolve(ticket, actor=dan)
    assert everything(ticket) == before


def test_resolve_when_type_is_given_then_one_event(ticket, dan, bug):
    actions.resolve(ticket, actor=dan, type=bug)
    now = now_is(ticket)
    assert (now.status.name, now.type, kinds(ticket)) == ("Resolved", bug, ["resolved"])
    assert (now.waiting_since, now.close_due_at - now.resolved_at) == (None, timedelta(hours=48))


@pytest.mark.parametrize("name", ["Pending"])
def test_status_when_retired_then_is_never_entered(ticket, dan, name):
    before = everything(ticket)
    with pytest.raises(actions.IllegalMove, match="retired"):
        actions.change_status(ticket, actor=dan, status=status(name))
    assert everything(ticket) == before


@pytest.mark.parametrize("to", ["In Progress", "Waiting on Customer", "Waiting on Dev Team", "Closed", "Spam"])
def test_status_when_changed_then_one_event_and_category_follow(ticket, dan, to):
    actions.change_status(ticket, actor=dan, status=status(to))
    now = now_is(ticket)
    expected = {"Closed": "closed", "Spam": "marked_spam"}.get(to, "status_changed")
    assert (now.status.name, now.category, kinds(ticket)) == (to, status(to).category, [expected])


def test_status_when_it_is_the_same_then_nothing_happens(ticket, dan):
    before = everything(ticket)
    actions.change_status(ticket, actor=dan, status=status("Open"))
    assert everything(ticket) == before


def test_spam_when_marked_and_taken_back_then_customers_see_no_update(ticket, dan):
    before = now_is(ticket).public_updated_at
    actions.change_status(ticket, actor=dan, status=status("Spam"))
    actions.change_status(ticket, actor=dan, status=status("Open"))
    assert (kinds(ticket), now_is(ticket).public_updated_at) == (["marked_spam", "not_spam"], before)
    assert [event.is_internal for event in ticket.events.all()] == [False, True, True]


def test_fix_when_confirmed_without_type_then_asks_staff_once(ticket, ana):
    for _ in range(2):
        actions.confirm_fix(ticket, actor=ana)
    now = now_is(ticket)
    assert (now.status.name, now.fix_confirmed_at is not None, kinds(ticket)) == ("Open", True, ["fix_confirmed"])


def test_fix_when_confirmed_with_type_then_resolves(ticket, ana, dan, bug):
    actions.set_type(ticket, actor=dan, type=bug)
    actions.confirm_fix(ticket, actor=ana)
    assert (now_is(ticket).status.name, kinds(ticket)) == ("Resolved", ["type_changed", "resolved"])


def test_fix_when_confirmed_and_the_ticket_is_set_to_wait_for_the_customer_then_stays_confirmed(ticket, ana, dan):
    actions.confirm_fix(ticket, actor=ana)
    confirmed = now_is(ticket).fix_confirmed_at
    actions.change_status(ticket, actor=dan, status=Status.objects.filter(pauses_sla=True).first())
    now = now_is(ticket)
    assert (now.fix_confirmed_at, now.waiting_since) == (confirmed, None)


def test_fix_when_customer_says_more_then_is_no_longer_confirmed(ticket, ana):
    actions.confirm_fix(ticket, actor=ana)
    actions.comment(ticket, actor=ana, message=message("No, it is back."))
    assert now_is(ticket).fix_confirmed_at is None


@pytest.mark.parametrize("verb", [actions.confirm_fix, actions.close])
def test_finished_when_finished_again_then_is_refused(closed, ana, verb):
    before = everything(closed)
    with pytest.raises(actions.IllegalMove):
        verb(closed, actor=ana)
    assert everything(closed) == before


def test_reopen_when_open_then_is_refused(ticket, ana):
    before = everything(ticket)
    with pytest.raises(actions.IllegalMove):
        actions.reopen(ticket, actor=ana)
    assert everything(ticket) == before


@pytest.mark.parametrize("who", ["requester", "teammate", "agent"])
def test_close_and_reopen_when_one_sees_the_ticket_then_may(ticket, ana, ben, dan, who):
    person = {"requester": ana, "teammate": ben, "agent": dan}[who]
    actions.close(ticket, actor=person)
    assert now_is(ticket).closed_at is not None
    actions.reopen(ticket, actor=person)
    now = now_is(ticket)
    assert (now.status.name, now.closed_at, now.resolved_at, kinds(ticket)) == ("In Progress", None, None, ["closed", "reopened"])


def test_undo_when_closed_then_what_waited_waits_again(ticket, ana, dan):
    actions.confirm_fix(ticket, actor=ana)
    before = now_is(ticket)
    actions.close(ticket, actor=dan)
    actions.undo(ticket, actor=dan, event_id=ticket.events.latest("pk").pk)
    now = now_is(ticket)
    assert (now.status, now.waiting_since, now.fix_confirmed_at) == (before.status, before.waiting_since, before.fix_confirmed_at)
    assert (now.closed_at, now.resolved_at, kinds(ticket)) == (None, None, ["fix_confirmed", "closed", "status_changed"])


@pytest.mark.parametrize("name", ["Resolved", "Spam"])
def test_undo_when_the_ticket_was_snoozed_then_sleeps_on(ticket, dan, bug, name):
    snoozing.snooze(ticket, actor=dan, until=timezone.now() + timedelta(days=3))
    before = now_is(ticket)
    actions.change_status(ticket, actor=dan, status=status(name), type=bug)
    assert now_is(ticket).snoozed_until is None
    actions.undo(ticket, actor=dan, event_id=ticket.events.latest("pk").pk)
    assert now_is(ticket).snoozed_until == before.snoozed_until


def test_undo_when_spam_then_customers_see_no_update(ticket, dan):
    before = now_is(ticket)
    actions.change_status(ticket, actor=dan, status=status("Spam"))
    actions.undo(ticket, actor=dan, event_id=ticket.events.latest("pk").pk)
    now = now_is(ticket)
    assert (now.status, now.public_updated_at, kinds(ticket)) == (before.status, before.public_updated_at, ["marked_spam", "not_spam"])


@pytest.mark.parametrize("case", ["of another", "not the last", "something else", "renamed"])
def test_undo_when_it_is_not_ones_own_last_move_then_is_refused(ticket, dan, eve, case):
    actions.close(ticket, actor=eve if case == "of another" else dan)
    event_id = ticket.events.latest("pk").pk
    if case == "not the last":
        actions.add_note(ticket, actor=dan, message=message())
    if case == "something else":
        actions.reopen(ticket, actor=dan)
        event_id = ticket.events.latest("pk").pk
    if case == "renamed":
        Status.objects.filter(name="Open").update(name="To do")
    before = everything(ticket)
    with pytest.raises(actions.IllegalMove, match="can't be undone"):
        actions.undo(ticket, actor=dan, event_id=event_id)
    assert everything(ticket) == before


def test_close_when_due_is_asked_too_early_then_does_nothing(resolved):
    before = everything(resolved)
    assert actions.close_if_due(resolved.pk) is False
    assert everything(resolved) == before


# --- Properties ----------------------------------------------------------------------------------------------------------------


def test_take_when_new_then_is_mine_and_picked_up_in_one_event(ticket, dan):
    for _ in range(2):
        actions.take(ticket, actor=dan)
    now = now_is(ticket)
    assert (now.assignee, now.status.name, kinds(ticket)) == (dan, "In Progress", ["assigned"])


def test_take_when_somebody_has_it_then_changes_hands(ticket, dan, eve):
    actions.take(ticket, actor=dan)
    actions.take(ticket, actor=eve)
    data = ticket.events.last().data
    assert (now_is(ticket).assignee, data["old"], data["new"]) == (eve, "Dan Support", "Eve Devops")


def test_assign_when_person_is_no_staff_then_is_refused(ticket, ana, dan):
    before = everything(ticket)
    with pytest.raises(actions.NotAllowed):
        actions.assign(ticket, actor=dan, assignee=ana)
    assert everything(ticket) == before


def test_assign_when_agent_is_switched_off_then_is_refused(ticket, dan, eve):
    User.objects.filter(pk=eve.pk).update(is_active=False)
    with pytest.raises(actions.NotAllowed):
        actions.assign(ticket, actor=dan, assignee=User.objects.get(pk=eve.pk))


@pytest.mark.parametrize("verb", ["type", "priority", "group", "assignee"])
def test_property_when_set_to_what_it_is_then_nothing_happens(ticket, dan, verb):
    before = everything(ticket)
    {
        "type": lambda: actions.set_type(ticket, actor=dan, type=None),
        "priority": lambda: actions.set_priority(ticket, actor=dan, priority=None),
        "group": lambda: actions.set_group(ticket, actor=dan, group=ticket.group),
        "assignee": lambda: actions.assign(ticket, actor=dan, assignee=None),
    }[verb]()
    assert everything(ticket) == before


def test_type_when_status_requires_one_then_cannot_be_taken_off(resolved, dan):
    before = everything(resolved)
    with pytest.raises(actions.TypeRequired):
        actions.set_type(resolved, actor=dan, type=None)
    assert everything(resolved) == before


def test_property_when_set_by_two_agents_from_old_pages_then_neither_is_lost(ticket, dan, eve, bug):
    seen_by_dan, seen_by_eve = now_is(ticket), now_is(ticket)
    high = Priority.objects.get(name="High")
    actions.set_type(seen_by_dan, actor=dan, type=bug)
    actions.set_priority(seen_by_eve, actor=eve, priority=high)
    assert (now_is(ticket).type, now_is(ticket).priority) == (bug, high)


STAFFS = {
    "note": lambda ticket, who: actions.add_note(ticket, actor=who, message=message()),
    "status": lambda ticket, who: actions.change_status(ticket, actor=who, status=status("Closed")),
    "resolve": lambda ticket, who: actions.resolve(ticket, actor=who, type=TicketType.objects.first()),
    "undo": lambda ticket, who: actions.undo(ticket, actor=who, event_id=ticket.events.latest("pk").pk),
    "take": lambda ticket, who: actions.take(ticket, actor=who),
    "assign": lambda ticket, who: actions.assign(ticket, actor=who, assignee=None),
    "group": lambda ticket, who: actions.set_group(ticket, actor=who, group=None),
    "type": lambda ticket, who: actions.set_type(ticket, actor=who, type=TicketType.objects.first()),
    "priority": lambda ticket, who: actions.set_priority(ticket, actor=who, priority=Priority.objects.first()),
}
EVERYBODYS = {
    "comment": lambda ticket, who: actions.comment(ticket, actor=who, message=message()),
    "confirm": lambda ticket, who: actions.confirm_fix(ticket, actor=who),
    "close": lambda ticket, who: actions.close(ticket, actor=who),
    "reopen": lambda ticket, who: actions.reopen(ticket, actor=who),
    "follow": lambda ticket, who: sharing.follow(ticket, actor=who),
    "unfollow": lambda ticket, who: sharing.unfollow(ticket, actor=who),
    "add": lambda ticket, who: sharing.add_follower(ticket, actor=who, person=who),
    "remove": lambda ticket, who: sharing.remove_follower(ticket, actor=who, person=who),
    "unshare": lambda ticket, who: sharing.remove_organization(ticket, actor=who, organization=Organization.objects.get(name="Acme")),
}


@pytest.mark.parametrize("verb", STAFFS)
def test_verb_of_staff_when_the_requester_calls_it_then_is_refused(ticket, ana, verb):
    before = everything(ticket)
    with pytest.raises(actions.NotAllowed):
        STAFFS[verb](ticket, ana)
    assert everything(ticket) == before


@pytest.mark.parametrize("verb", STAFFS)
def test_verb_of_staff_when_group_is_private_then_outsiders_find_nothing(ticket, dan, eve, verb):
    group = AgentGroup.objects.create(name="Security", is_private=True)
    group.members.add(dan)
    actions.set_group(ticket, actor=dan, group=group)
    before = everything(ticket)
    with pytest.raises(Ticket.DoesNotExist):
        STAFFS[verb](ticket, eve)
    assert everything(ticket) == before


@pytest.mark.parametrize("verb", EVERYBODYS)
def test_verb_when_person_does_not_see_the_ticket_then_finds_nothing(ticket, cleo, verb):
    before = everything(ticket)
    with pytest.raises((Ticket.DoesNotExist, actions.NotAllowed)):
        EVERYBODYS[verb](ticket, cleo)
    assert everything(ticket) == before


@pytest.mark.parametrize("verb", [*STAFFS, *EVERYBODYS])
def test_verb_when_it_changes_something_then_records_exactly_one_event(ticket, ana, dan, verb):
    actions.set_type(ticket, actor=dan, type=TicketType.objects.last())
    actions.assign(ticket, actor=dan, assignee=dan)
    if verb in ("reopen", "undo"):
        actions.close(ticket, actor=dan)
    if verb in ("remove", "unfollow"):
        sharing.follow(ticket, actor=dan)
    if verb == "take":
        actions.assign(ticket, actor=dan, assignee=None)
    before = ticket.events.count()
    (STAFFS | EVERYBODYS)[verb](ticket, dan)
    assert ticket.events.count() == before + 1


# --- What is kept ---------------------------------------------------------------------------------------------------------------


def test_words_when_they_hold_anything_then_are_kept_as_they_are(ticket, ana):
    text = "Grüße \N{GRINNING FACE} <b>&amp;</b>\r\n" + "x" * 100_000
    said = actions.comment(ticket, actor=ana, message=message(text, channel=Channel.EMAIL, html="<p>h</p>", quoted="> q"))
    said.refresh_from_db()
    assert (said.text, said.html, said.quoted, said.channel) == (text, "<p>h</p>", "> q", Channel.EMAIL)


def test_moments_when_verbs_run_then_are_of_now(ticket, dan, bug):
    began = timezone.now()
    actions.resolve(ticket, actor=dan, type=bug)
    now = now_is(ticket)
    assert began <= now.resolved_at <= now.updated_at == now.public_updated_at <= timezone.now()


def test_automatic_move_is_not_refused_for_want_of_a_type(ana, dan):
    Status.objects.filter(name="Closed").update(requires_type=True)
    closed = actions.close(make_ticket(ana), actor=ana)
    with pytest.raises(actions.TypeRequired):
        actions.change_status(make_ticket(ana), actor=dan, status=Status.objects.get(name="Closed"))
    assert closed.is_closed
