"""Many tickets changed at once, through the pages: chosen, looked at once more, done, and taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AgentGroup
from notifications import relay
from notifications.models import Delivery
from tests.desk.conftest import logged_in
from tests.desk.pages import rows, words
from tests.factories import make_ticket, message
from tickets import actions, bulk, events, merging, tagging
from tickets.desk.bulk import BulkForm
from tickets.models import BulkRun, Event, EventKind, Priority, Status, Ticket, TicketType
from tickets.tasks import send_replies

NEW = "/desk/tickets/bulk/"


@pytest.fixture
def three(workflow, ana, cleo, dan):
    """One has a type, two have none."""
    tickets = [make_ticket(ana, "Player is blank"), make_ticket(cleo, "Invoice"), make_ticket(ana, "Export")]
    actions.set_type(tickets[0], actor=dan, type=TicketType.objects.get(name="Bug"))
    return tickets


def pk(model, name: str) -> str:
    return str(model.objects.get(name=name).pk)


def choose(client, tickets, **changes):
    """Ticks them in the queue, and goes on to the page that says what will happen."""
    response = client.post(NEW, {"ticket": [ticket.pk for ticket in tickets], **changes}, follow=True)
    return response.redirect_chain[-1][0], response


def do(client, path: str, **changes):
    return client.post(path, {"go": "1", **changes}, follow=True)


def fresh(tickets) -> list[Ticket]:
    return [Ticket.objects.select_related("status", "type", "priority", "assignee", "group").get(pk=ticket.pk) for ticket in tickets]


def test_bulk_when_everything_is_chosen_then_is_told_done_by_the_verbs_and_taken_back(desk, three, dan, eve):
    before = [(one.status_id, one.type_id, one.priority_id, one.assignee_id, one.group_id, one.waiting_since) for one in fresh(three)]
    asked = {
        "status": pk(Status, "Resolved"),
        "type": pk(TicketType, "DevOps"),
        "priority": pk(Priority, "High"),
        "assignee": str(eve.pk),
        "group": pk(AgentGroup, "DevOps"),
        "tags": "Roll out, spring",
    }
    path, page = choose(desk, three, **asked)
    assert "What will happen Status Resolved Type DevOps Priority High Assignee Eve Devops Group DevOps Tags + roll-out, spring" in words(
        page
    )
    assert {one.status.name for one in fresh(three)} == {"Open"}
    page = do(desk, path, **asked)
    assert "3 tickets are changed." in words(page)
    assert {(str(one.status), str(one.type), str(one.priority), one.assignee, str(one.group)) for one in fresh(three)} == {
        ("Resolved", "DevOps", "High", eve, "DevOps")
    }
    assert [sorted(one.tagging_rows.values_list("tag__name", flat=True)) for one in three] == [["roll-out", "spring"]] * 3
    assert Event.objects.filter(kind=EventKind.RESOLVED, actor=dan).count() == 3
    page = desk.post(f"{path}undo/", follow=True)
    assert "3 tickets are as they were before." in words(page)
    assert [
        (one.status_id, one.type_id, one.priority_id, one.assignee_id, one.group_id, one.waiting_since) for one in fresh(three)
    ] == before
    assert {one.tagging_rows.count() for one in three} == {0}
    assert {(one.resolved_at, one.stretches.count()) for one in fresh(three)} == {(None, 0)}  # nothing was resolved, for the reports


def test_bulk_when_some_are_so_already_then_counts_those_that_will_change(desk, three, dan):
    actions.set_priority(three[0], actor=dan, priority=Priority.objects.get(name="Low"))
    tagging.add_tags(three[0], actor=dan, names=["spring", "roll-out"])
    tagging.add_tags(three[1], actor=dan, names=["spring"])
    low = {"priority": pk(Priority, "Low")}
    asked = [low, low | {"tags": "spring, roll-out"}, low | {"assignee": str(dan.pk)}, low | {"text": "Hello"}, {"tags": "spring"}]
    pages = [words(choose(desk, three, **changes)[1]) for changes in asked]
    some = ["1 is like this already. Change 2 of 3 tickets Cancel"] * 2
    told = [*some, "Change 3 tickets Cancel", "Change 3 tickets Cancel", "2 are like this already. Change 1 of 3 tickets Cancel"]
    assert [words in page for words, page in zip(told, pages, strict=True)] == [True] * 5
    page = words(choose(desk, three[:1], **low)[1])
    assert ("1 is like this already. Cancel" in page, "Change 1 ticket Cancel" in page) == (True, False)
    assert "Change 2 of 3 tickets Cancel" in words(choose(desk, three, into=str(three[0].pk))[1])


def test_resolving_when_some_have_no_type_then_asks_in_place_and_leaves_those_without(desk, three):
    asked = {"status": pk(Status, "Resolved")}
    path, page = choose(desk, three, **asked)
    assert "2 have no type, which “Resolved” requires" in words(page)
    refused = do(desk, path, **asked)
    assert "1 ticket is changed. 2 are as they were:" in words(refused)
    assert "Choose a type first: “Resolved” requires one." in words(refused)
    assert [one.status.name for one in fresh(three)] == ["Resolved", "Open", "Open"]
    path, _page = choose(desk, three, **asked)
    done = do(desk, path, **asked, missing_type=pk(TicketType, "Lack of Knowledge"))
    assert "2 tickets are changed. 1 was like this already." in words(done)
    assert [(one.status.name, str(one.type)) for one in fresh(three)] == [
        ("Resolved", "Bug"),
        ("Resolved", "Lack of Knowledge"),
        ("Resolved", "Lack of Knowledge"),
    ]


def test_escalating_when_some_have_no_reference_then_asks_in_place_and_leaves_those_without(desk, three, dan):
    status = Status.objects.create(name="Escalated", category="closed", asks_reference=True, position=50)
    actions.set_reference(three[0], actor=dan, reference="TEM-1")
    asked = {"status": str(status.pk)}
    path, page = choose(desk, three, **asked)
    assert "2 have no engineering reference, which “Escalated” asks for" in words(page)
    assert "1 ticket is changed. 2 are as they were:" in words(do(desk, path, **asked))
    path, _page = choose(desk, three, **asked)
    do(desk, path, **asked, missing_reference="tem-2")
    assert [(one.status.name, one.reference) for one in fresh(three)] == [
        ("Escalated", "TEM-1"),
        ("Escalated", "TEM-2"),
        ("Escalated", "TEM-2"),
    ]
    desk.post(f"{path}undo/")
    assert [(one.status.name, one.reference) for one in fresh(three)] == [("Escalated", "TEM-1"), ("Open", ""), ("Open", "")]


def test_reply_when_said_to_many_then_is_said_once_to_each_and_stays_when_the_rest_is_taken_back(desk, three):
    asked = {"status": pk(Status, "Waiting on Customer"), "text": "A new version is out."}
    path, page = choose(desk, three, **asked)
    assert "The reply is mailed to whoever follows each ticket." in words(page)
    do(desk, path, **asked)
    do(desk, path, **asked)  # pressed twice
    assert [list(one.comments.values_list("text", flat=True))[1:] for one in three] == [["A new version is out."]] * 3
    assert {(one.status.name, one.waiting_since) for one in fresh(three)} == {("Waiting on Customer", None)}
    desk.post(f"{path}undo/")
    assert {(one.status.name, one.waiting_since) for one in fresh(three)} == {("Open", None)}
    assert {one.comments.count() for one in three} == {2}


@pytest.fixture
def leaving(desk, three, settings):
    """The address of a run that says something, resolves and assigns, and that waits."""
    settings.UNDO_SECONDS = 10
    asked = {"status": pk(Status, "Resolved"), "type": pk(TicketType, "Bug"), "text": "A new version is out.", "tags": "spring"}
    path, _page = choose(desk, three, **asked)
    page = do(desk, path, **asked)
    assert "Changing 3 tickets The reply goes out in 10 seconds, and all else is done with it." in words(page)
    assert page["Refresh"] == "12"
    return path


def time_passes() -> int:
    BulkRun.objects.update(begins_at=timezone.now() - timedelta(seconds=1))
    send_replies()
    return bulk.work_waiting()


def test_run_with_a_reply_when_taken_back_in_time_then_nothing_has_happened_and_all_that_was_chosen_is_kept(desk, three, leaving):
    before = Event.objects.count()
    bulk.begin_due()
    page = desk.post(f"{leaving}undo/", follow=True)
    assert ("Taken back: nothing has happened, and nobody was mailed." in words(page), page.context["form"]["text"].value()) == (
        True,
        "A new version is out.",
    )
    assert (time_passes(), Event.objects.count(), BulkRun.objects.get().state) == (0, before, "draft")
    assert "Change 3 tickets" in words(page)


def test_run_with_a_reply_when_its_time_has_come_then_is_done_and_leaves_what_customers_wrote_meanwhile(desk, three, leaving, ana):
    actions.comment(three[2], actor=ana, message=message("One more thing!"))
    assert time_passes() == 3
    assert "3 tickets are changed." in words(desk.get(leaving))
    assert [(one.status.name, one.waiting_since is None) for one in fresh(three)] == [
        ("Resolved", True),
        ("Resolved", True),
        ("Open", False),
    ]
    assert "Something has happened there since" not in words(desk.post(f"{leaving}undo/", follow=True))
    assert {one.comments.filter(text="A new version is out.").count() for one in three} == {1}


def test_run_with_a_reply_when_taken_back_too_late_then_that_is_said(desk, three, leaving):
    BulkRun.objects.update(begins_at=timezone.now() - timedelta(seconds=1))
    bulk.begin_due()
    page = desk.post(f"{leaving}undo/", follow=True)
    assert "It is too late to stop it: the changes are being made." in words(page)
    assert {one.status.name for one in fresh(three)} == {"Resolved"}


def test_reply_when_the_rest_is_taken_back_then_the_status_it_led_to_stays_and_no_customer_hears_of_it(desk, three, eve):
    asked = {"assignee": str(eve.pk), "text": "A new version is out."}
    path, _page = choose(desk, three, **asked)
    do(desk, path, **asked)
    answered = {one.status.name for one in fresh(three)}
    relay.relay_waiting()
    told = Delivery.objects.count()
    page = desk.post(f"{path}undo/", follow=True)
    relay.relay_waiting()
    assert "3 tickets are as they were before, but for the reply, which stays." in words(page)
    assert ({one.status.name for one in fresh(three)}, {one.assignee for one in fresh(three)}, answered) == (
        answered,
        {None},
        {"In Progress"},
    )
    assert ({one.waiting_since for one in fresh(three)}, Delivery.objects.count()) == ({None}, told)


def test_undo_when_something_happened_since_then_leaves_that_ticket(desk, three, ana):
    asked = {"priority": pk(Priority, "Low"), "assignee": "none", "type": "none"}
    path, _page = choose(desk, three, **asked)
    do(desk, path, **asked)
    actions.comment(three[2], actor=ana, message=message("Any news?"))
    page = desk.post(f"{path}undo/", follow=True)
    assert "2 tickets are as they were before. 1 is as it was: 3 Export Something has happened there since." in words(page).replace(
        str(three[2].pk), "3"
    )
    assert [(str(one.priority), str(one.type)) for one in fresh(three)] == [("None", "Bug"), ("None", "None"), ("Low", "None")]


def test_undo_when_only_a_clock_spoke_since_then_takes_back_all(desk, three):
    merged, target, third = make_ticket(three[0].requester, "Blank again"), three[0], three[1]
    runs = [choose(desk, [third], priority=pk(Priority, "Low"))[0], choose(desk, [merged], into=f"#{target.pk}")[0]]
    do(desk, runs[0], priority=pk(Priority, "Low"))
    do(desk, runs[1], into=str(target.pk))
    for ticket in (target, third):
        events.record(ticket, EventKind.SLA_BREACHED, actor=None, is_internal=True, minutes=0)
    for path in runs:
        assert "1 ticket is as it was before." in words(desk.post(f"{path}undo/", follow=True))
    assert [(one.priority, one.merged_into_id) for one in fresh([third, merged])] == [(None, None), (None, None)]


def test_bulk_when_the_form_is_changed_then_shows_what_will_happen_now(desk, three):
    path, page = choose(desk, three)
    assert "What is to be changed?" in words(page)
    assert "Choose what is to be changed." in words(do(desk, path))
    page = do(desk, path, priority=pk(Priority, "Low"))
    assert "You changed something here: this is what will happen now. " in words(page) + " "
    assert {one.priority for one in fresh(three)} == {None}
    bad = desk.post(path, {"priority": "999", "status": "x", "text": "kept"})
    assert (bad.status_code, words(bad).count("That is not in the list any more. Choose again."), ">\nkept" in bad.content.decode()) == (
        422,
        2,
        True,
    )


def test_bulk_when_some_are_hidden_then_acts_on_the_others_and_names_none(desk, three, secret):
    path, page = choose(desk, [*three, secret, Ticket(pk=987654)], priority=pk(Priority, "Low"))
    assert ("Change 3 tickets" in words(page), "Salary letter" in words(page), str(secret.pk) in rows(page)) == (True, False, False)
    do(desk, path, priority=pk(Priority, "Low"))
    assert Ticket.objects.get(pk=secret.pk).priority is None
    nothing = desk.post(NEW, {"ticket": [secret.pk, "x", "9" * 40, "\0"], "q": "is:waiting"})
    assert (nothing["Location"], BulkRun.objects.count()) == ("/desk/tickets/?q=is%3Awaiting", 1)


def test_bulk_when_a_ticket_goes_out_of_sight_meanwhile_then_is_refused_without_its_subject(desk, three, eve):
    private = AgentGroup.objects.create(name="People team", is_private=True)
    private.members.add(eve)
    path, _page = choose(desk, three, priority=pk(Priority, "Low"))
    actions.set_group(three[1], actor=eve, group=private)
    page = do(desk, path, priority=pk(Priority, "Low"))
    assert "2 tickets are changed. 1 is as it was: You don't see it any more." in words(page)
    assert "Invoice" not in words(page)


def test_bulk_when_tickets_move_into_a_private_group_then_says_so_and_does_all_else_first(desk, three):
    AgentGroup.objects.create(name="People team", is_private=True)
    asked = {"group": pk(AgentGroup, "People team"), "priority": pk(Priority, "Low")}
    path, page = choose(desk, three, **asked)
    assert "“People team” is private: only its members see these tickets afterwards." in words(page)
    assert "3 tickets are changed." in words(do(desk, path, **asked))
    assert {(str(one.group), str(one.priority)) for one in fresh(three)} == {("People team", "Low")}


def test_bulk_when_it_is_somebody_elses_then_is_not_there(desk, three, eve):
    path, _page = choose(desk, three, priority=pk(Priority, "Low"))
    other = logged_in(eve)
    assert [other.get(path).status_code, other.post(path, {"go": 1}).status_code, other.post(f"{path}undo/").status_code] == [404, 404, 404]


def test_all_that_match_when_chosen_then_are_those_of_the_query_up_to_a_limit(desk, three, monkeypatch):
    page = desk.post(NEW, {"all": "1", "q": "org:acme", "sort": "created", "priority": pk(Priority, "Low")}, follow=True)
    assert ("Change 2 tickets" in words(page), "?q=org%3Aacme&amp;sort=created" in page.content.decode()) == (True, True)
    monkeypatch.setattr(bulk, "MOST", 1)
    page = desk.post(NEW, {"all": "1", "q": ""}, follow=True)
    assert "These are the first 1 of them: change the others afterwards." in words(page)
    assert BulkRun.objects.latest("pk").items.count() == 1
    assert desk.post(NEW, {"all": "1", "q": "statsu:x"})["Location"] == "/desk/tickets/?q=statsu%3Ax"


def test_long_run_when_begun_then_the_worker_does_it_and_the_page_shows_how_far(desk, three, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    asked = {"priority": pk(Priority, "Low")}
    path, _page = choose(desk, three, **asked)
    page = do(desk, path, **asked)
    assert ("Changing 3 tickets 0 of 3" in words(page), page["Refresh"]) == (True, "2")
    run = BulkRun.objects.get()
    bulk.work(run, most=2)
    assert "2 of 3" in words(desk.get(path))
    assert bulk.work_waiting() == 1
    assert "3 tickets are changed." in words(desk.get(path))
    desk.post(f"{path}undo/")
    assert "Taking 3 changes back" in words(desk.get(path))
    bulk.work_waiting()
    assert ("3 tickets are as they were before." in words(desk.get(path)), {one.priority for one in fresh(three)}) == (True, {None})


def test_run_when_it_has_begun_in_another_window_then_what_is_done_stays_what_was_shown(desk, three, monkeypatch):
    path, _page = choose(desk, three, priority=pk(Priority, "Low"))
    changes = BulkForm.changes

    def overtaken(form):
        bulk.begin(BulkRun.objects.get())
        return changes(form)

    monkeypatch.setattr(BulkForm, "changes", overtaken)
    do(desk, path, priority=pk(Priority, "High"))
    run = BulkRun.objects.get()
    assert (run.changes, run.state) == ({"priority": pk(Priority, "Low")}, "working")


def test_run_when_what_was_chosen_is_gone_then_says_so(desk, three, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 0)
    low = Priority.objects.get(name="Low")
    path, _page = choose(desk, three, priority=str(low.pk))
    do(desk, path, priority=str(low.pk))
    low.delete()
    bulk.work_waiting()
    assert "Nothing was changed 3 are as they were:" in words(desk.get(path))
    path, _page = choose(desk, three, priority=str(low.pk))
    assert desk.get(path).status_code == 200


def test_run_when_what_was_chosen_is_retired_meanwhile_then_says_what_and_keeps_the_rest(desk, three, monkeypatch):
    low, asked = Priority.objects.get(name="Low"), {"priority": pk(Priority, "Low"), "tags": "spring"}
    path, _page = choose(desk, three, **asked)
    monkeypatch.setattr(bulk, "AT_ONCE", 0)
    begun, _page = choose(desk, three, **asked)
    do(desk, begun, **asked)
    Priority.objects.filter(pk=low.pk).update(is_retired=True)
    page = desk.get(path)
    told = "“Low” is not offered any more. Choose something else in its place."
    assert (told in words(page), page.context["form"]["tags"].value(), page.context["happens"]) == (True, "spring", [])
    bulk.work_waiting()
    assert ("3 are as they were:" in words(desk.get(begun)), words(desk.get(begun)).count(told)) == (True, 3)
    assert {one.priority for one in fresh(three)} == {None}
    _path, page = choose(desk, three, **asked)  # from a queue that was opened before
    assert ("That is not in the list any more. Choose again." in words(page), page.context["form"]["tags"].value()) == (True, "spring")


def test_merge_when_many_are_one_matter_then_each_goes_on_in_one_and_comes_back(desk, three, secret, ben):
    target, of_globex, third = three[0], three[1], make_ticket(ben, "Export again")
    path, page = choose(desk, [*three[:2], third])
    wrong = [desk.post(path, {"into": number, **more}) for number, more in ((secret.pk, {}), ("x", {}), (target.pk, {"text": "Hello"}))]
    assert [(answer.status_code, "There is no ticket of that number." in words(answer)) for answer in wrong] == [
        (422, True),
        (422, True),
        (422, False),
    ]
    page = desk.post(path, {"into": f"#{target.pk}"}, follow=True)
    assert f"Merge all others into #{target.pk} Player is blank" in words(page)
    page = do(desk, path, into=str(target.pk))
    assert "2 tickets are changed. 1 was like this already." in words(page)
    assert [one.merged_into_id for one in fresh([of_globex, third, target])] == [target.pk, target.pk, None]
    assert sorted(target.follower_rows.values_list("user__name", flat=True)) == ["Ana Ford", "Ben Ode"]  # Cleo is a stranger to it
    page = desk.post(f"{path}undo/", follow=True)
    assert ([one.merged_into_id for one in fresh([of_globex, third])], "2 tickets are as they were" in words(page)) == ([None, None], True)


def test_old_runs_when_swept_then_go(desk, three, dan):
    draft = bulk.prepare(actor=dan, numbers=[three[0].pk])
    done = bulk.prepare(actor=dan, numbers=[three[1].pk], changes={"assignee": "none"})
    bulk.begin(done)
    bulk.work(done)
    BulkRun.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert (bulk.drop_old(), list(BulkRun.objects.all())) == (1, [done])
    BulkRun.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert (bulk.drop_old(), BulkRun.objects.filter(pk=draft.pk).exists()) == (1, False)


def test_tags_when_one_was_there_before_then_stays_when_the_rest_is_taken_back(desk, three, dan):
    tagging.add_tags(three[0], actor=dan, names=["spring"])
    path, _page = choose(desk, three, tags="spring")
    do(desk, path, tags="spring")
    desk.post(f"{path}undo/")
    assert [one.tagging_rows.count() for one in three] == [1, 0, 0]


@pytest.mark.parametrize("tickets", [1, 25])
def test_page_when_tickets_are_many_then_asks_no_more(desk, ana, dan, workflow, django_assert_num_queries, tickets):
    run = bulk.prepare(actor=dan, numbers=[make_ticket(ana).pk for _number in range(tickets)], changes={"status": pk(Status, "Resolved")})
    with django_assert_num_queries(10):
        desk.get(f"{NEW}{run.pk}/")


def test_bulk_when_a_ticket_was_merged_then_nothing_is_said_or_set_where_it_went(desk, three, dan):
    source, target = three[1:]
    merging.merge(source, into=target, actor=dan)
    path, _page = choose(desk, [source], status=pk(Status, "Resolved"), text="Done.")
    done = do(desk, path, status=pk(Status, "Resolved"), text="Done.", missing_type=pk(TicketType, "Bug"))
    assert f"It was merged into #{target.pk}: reply there." in words(done)
    assert (target.comments.count(), fresh([target])[0].status.name) == (1, "Open")


@pytest.mark.parametrize("text", ["a\0b", "a" * 501])
def test_bulk_when_the_query_can_not_be_kept_then_goes_on_without_it(desk, three, text):
    assert choose(desk, three, q=text)[1].status_code == 200


def test_bulk_when_a_resolved_ticket_lost_its_type_with_it_then_taking_back_gives_it_both(desk, three, dan):
    actions.resolve(three[0], actor=dan)
    asked = {"status": pk(Status, "In Progress"), "type": "none"}
    path, _page = choose(desk, three[:1], **asked)
    do(desk, path, **asked)
    assert (fresh(three)[0].status.name, fresh(three)[0].type) == ("In Progress", None)
    desk.post(f"{path}undo/")
    assert (fresh(three)[0].status.name, fresh(three)[0].type.name) == ("Resolved", "Bug")
