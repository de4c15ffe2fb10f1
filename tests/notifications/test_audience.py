"""Who is told of what, by which mail, and why."""

from __future__ import annotations

import pytest

from accounts.models import AgentGroup, Membership, User
from notifications.audience import audience, may_be_told
from notifications.models import Suspension
from tests.factories import make_ticket, make_user, message
from tests.shaping import link_merge_split, recategorise, tag_and_snooze
from tickets import actions, sharing
from tickets.models import AutomationRule, EventKind, Follower, Priority, ProductArea, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db


@pytest.fixture
def fay(acme):
    """A teammate who follows."""
    return make_user("fay@acme.example", "Fay Follower", acme)


@pytest.fixture
def ticket(workflow, ana, ben, fay, cleo, dan, eve, max_admin):
    """Ana's. Fay follows it; Ben of Acme sees it; Cleo does not; Dan is its group, Eve and Max are other staff."""
    ticket = make_ticket(ana)
    sharing.follow(ticket, actor=fay)
    return ticket


def told(ticket: Ticket) -> dict[str, tuple[str, str]]:
    """First name → (kind of mail, reason), for the newest event."""
    event = ticket.events.select_related("ticket__requester", "ticket__assignee", "ticket__group", "actor").latest("id")
    return {person.user.name.split()[0]: (str(person.kind), str(person.reason)) for person in audience(event)}


def status(name: str) -> Status:
    return Status.objects.get(name=name)


REQUESTER, FOLLOWER, ASSIGNEE, GROUP = (("update", reason) for reason in ("requester", "follower", "assignee", "group"))
CUSTOMERS = {"Ana": REQUESTER, "Fay": FOLLOWER}


def test_opening_when_by_the_requester_then_confirmation_and_group(ticket, ana):
    assert told(make_ticket(ana)) == {"Ana": ("confirmation", "requester"), "Dan": GROUP}


def test_opening_when_staff_file_it_then_requester_is_told_and_filer_is_not(ticket, ana, dan):
    assert told(make_ticket(ana, actor=dan)) == {"Ana": ("confirmation", "requester")}


def test_opening_when_a_machine_wrote_then_support_alone_is_told(ticket, ana):
    assert told(make_ticket(ana, quiet=True)) == {"Dan": GROUP}


def test_opening_when_group_is_empty_then_all_staff_are_told(ticket, ana):
    empty = AgentGroup.objects.get(name="CSM Support")
    assert told(make_ticket(ana, group=empty)) == {
        "Ana": ("confirmation", "requester"),
        "Dan": GROUP,
        "Eve": GROUP,
        "Max": GROUP,
    }


def test_opening_when_there_is_no_group_then_all_staff_are_told(ticket, ana):
    AgentGroup.objects.update(is_default=False)
    assert sorted(told(make_ticket(ana))) == ["Ana", "Dan", "Eve", "Max"]


# The event × person table. Who acts is never told; Ben, who sees but does not follow, and Cleo, who does not see, never are either.
BY = {
    "customer replies": ("ana", lambda t, who: actions.comment(t, actor=who, message=message()), {"Fay": FOLLOWER, "Dan": GROUP}),
    "follower replies": ("fay", lambda t, who: actions.comment(t, actor=who, message=message()), {"Ana": REQUESTER, "Dan": GROUP}),
    "teammate replies": ("ben", lambda t, who: actions.comment(t, actor=who, message=message()), CUSTOMERS | {"Dan": GROUP}),
    "agent replies": ("dan", lambda t, who: actions.comment(t, actor=who, message=message()), CUSTOMERS),
    "agent notes": ("dan", lambda t, who: actions.add_note(t, actor=who, message=message()), {}),
    "status": ("dan", lambda t, who: actions.change_status(t, actor=who, status=status("Waiting on Customer")), CUSTOMERS),
    "resolved": ("dan", lambda t, who: actions.resolve(t, actor=who, type=TicketType.objects.first()), CUSTOMERS),
    "closed by staff": ("dan", lambda t, who: actions.close(t, actor=who), CUSTOMERS),
    "closed by customer": ("ana", lambda t, who: actions.close(t, actor=who), {"Fay": FOLLOWER, "Dan": GROUP}),
    "fix confirmed": ("ana", lambda t, who: actions.confirm_fix(t, actor=who), {"Fay": FOLLOWER, "Dan": GROUP}),
    "taken": ("dan", lambda t, who: actions.take(t, actor=who), {}),
    "type": ("dan", lambda t, who: actions.set_type(t, actor=who, type=TicketType.objects.first()), {}),
    "priority": ("dan", lambda t, who: actions.set_priority(t, actor=who, priority=Priority.objects.first()), {}),
    "priority told": (
        "dan",
        lambda t, who: actions.set_priority(t, actor=who, priority=Priority.objects.first(), message=message()),
        CUSTOMERS,
    ),
    "area": ("dan", lambda t, who: actions.set_area(t, actor=who, area=ProductArea.objects.create(name="Player")), {}),
    "group": ("dan", lambda t, who: actions.set_group(t, actor=who, group=AgentGroup.objects.get(name="DevOps")), {}),
    "teammate follows": ("ben", lambda t, who: sharing.follow(t, actor=who), {"Ben": ("shared", "follower")}),
    "agent follows": ("dan", lambda t, who: sharing.follow(t, actor=who), {}),
    "unfollowed": ("fay", lambda t, who: sharing.unfollow(t, actor=who), {}),
    "new requester": (
        "dan",
        lambda t, who: sharing.change_requester(t, actor=who, requester=User.objects.get(email="ben@acme.example")),
        {"Ben": ("confirmation", "requester")},
    ),
    "spam": ("dan", lambda t, who: actions.change_status(t, actor=who, status=status("Spam")), {}),
}


@pytest.mark.parametrize("case", BY)
def test_event_when_nobody_is_assigned_then_these_are_told(request, ticket, case):
    who, verb, expected = BY[case]
    verb(ticket, request.getfixturevalue(who))
    assert told(ticket) == expected


@pytest.mark.parametrize("case", BY)
def test_event_when_eve_is_assigned_then_she_stands_for_the_group(request, ticket, dan, eve, case):
    actions.assign(ticket, actor=dan, assignee=eve)
    who, verb, expected = BY[case]
    verb(ticket, request.getfixturevalue(who))
    silent = {"taken", "type", "priority", "area", "group", "teammate follows", "agent follows", "unfollowed", "new requester", "spam"}
    eves = {} if case in silent else {"Eve": ASSIGNEE}
    assert told(ticket) == {name: why for name, why in expected.items() if name != "Dan"} | eves


def test_answer_when_mail_to_the_assignee_came_back_then_the_group_hears_of_it(ticket, ana, dan, eve):
    actions.assign(ticket, actor=dan, assignee=eve)
    Suspension.objects.create(user=eve, address=eve.email, reason="550 5.1.1")
    actions.comment(ticket, actor=ana, message=message())
    assert told(ticket) == {"Fay": FOLLOWER, "Dan": GROUP}


def test_every_kind_when_counted_then_is_in_the_table(ticket, acme, ana, dan, fay):
    for who, verb, _expected in BY.values():
        other = make_ticket(ana)
        sharing.follow(other, actor=fay)
        verb(other, {"ana": ana, "dan": dan, "fay": fay}.get(who, dan))
    sharing.remove_follower(ticket, actor=dan, person=fay)
    sharing.remove_organization(ticket, actor=dan, organization=acme)
    sharing.add_organization(ticket, actor=dan, organization=acme)
    actions.close(ticket, actor=dan)
    actions.reopen(ticket, actor=dan)
    for steps in ({"mail": {"people": [dan.pk]}}, {"group": 999}):  # one fails
        AutomationRule.objects.create(when="noted", steps=steps)
    actions.add_note(ticket, actor=dan, message=message())
    actions.change_status(ticket, actor=dan, status=status("Spam"))
    actions.change_status(ticket, actor=dan, status=status("Open"))
    tag_and_snooze(ticket, actor=dan)
    recategorise(actor=dan)
    link_merge_split(ticket, actor=dan)
    from tickets.models import Event

    of_clocks = {EventKind.SLA_WARNED, EventKind.SLA_BREACHED, EventKind.SLA_ESCALATED}  # tests/notifications/test_escalations.py
    assert set(Event.objects.values_list("kind", flat=True)) == set(EventKind) - of_clocks


def test_reopening_when_by_a_customer_then_support_hears(ticket, fay, dan):
    actions.close(ticket, actor=dan)
    actions.reopen(ticket, actor=fay)
    assert told(ticket) == {"Ana": REQUESTER, "Dan": GROUP}


def test_closing_when_by_itself_then_followers_and_assignee_hear(ticket, dan, eve):
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    actions.assign(ticket, actor=dan, assignee=eve)
    Ticket.objects.update(close_due_at="2020-01-01T00:00Z")
    actions.close_if_due(ticket.pk)
    assert told(ticket) == CUSTOMERS | {"Eve": ASSIGNEE}


def test_follower_when_added_by_staff_then_is_told_and_nobody_else(ticket, dan, cleo):
    sharing.add_follower(ticket, actor=dan, person=cleo)
    assert told(ticket) == {"Cleo": ("shared", "follower")}


def test_follower_when_removed_then_nobody_is_told(ticket, dan, fay):
    sharing.remove_follower(ticket, actor=dan, person=fay)
    assert told(ticket) == {}


def test_assignment_when_by_another_then_assignee_is_told(ticket, dan, eve):
    actions.assign(ticket, actor=dan, assignee=eve)
    assert told(ticket) == {"Eve": ASSIGNEE}


def test_assignment_when_it_moved_on_meanwhile_then_each_event_tells_its_own(ticket, dan, eve, max_admin):
    actions.assign(ticket, actor=dan, assignee=eve)
    first = ticket.events.last()
    actions.assign(ticket, actor=dan, assignee=max_admin)
    ticket.refresh_from_db()
    assert ([person.user for person in audience(first)], list(told(ticket))) == ([], ["Max"])


def test_assignee_when_switched_off_then_group_hears_customers_instead(ticket, ana, dan, eve):
    actions.assign(ticket, actor=dan, assignee=eve)
    User.objects.filter(pk=eve.pk).update(is_active=False)
    actions.comment(ticket, actor=ana, message=message("Hello?"))
    assert told(ticket) == {"Fay": FOLLOWER, "Dan": GROUP}


def test_note_when_staff_follow_then_they_and_the_assignee_are_told(ticket, dan, eve, max_admin):
    actions.assign(ticket, actor=dan, assignee=eve)
    sharing.follow(ticket, actor=max_admin)
    actions.add_note(ticket, actor=dan, message=message("Between us."))
    assert told(ticket) == {"Eve": ASSIGNEE, "Max": FOLLOWER}


def test_person_when_requester_and_follower_and_assignee_then_is_told_once(ticket, dan, eve):
    own = make_ticket(eve, share=False)
    actions.assign(own, actor=dan, assignee=eve)
    actions.comment(own, actor=dan, message=message())
    assert told(own) == {"Eve": REQUESTER}


def test_status_when_customers_read_both_as_the_same_then_is_no_news(ticket, dan):
    actions.change_status(ticket, actor=dan, status=status("In Progress"))
    Status.objects.filter(name="Waiting on Dev Team").update(public_name="In Progress")
    actions.change_status(ticket, actor=dan, status=status("Waiting on Dev Team"))
    assert told(ticket) == {}


@pytest.mark.parametrize("loss", ["muted", "switched off", "left and not following", "requester muted"])
def test_person_when_not_to_be_told_any_more_then_is_not(ticket, ana, fay, dan, loss):
    {
        "muted": lambda: Follower.objects.filter(user=fay).update(is_muted=True),
        "switched off": lambda: User.objects.filter(pk=fay.pk).update(is_active=False),
        "left and not following": lambda: (Membership.objects.filter(user=fay).delete(), Follower.objects.filter(user=fay).delete()),
        "requester muted": lambda: Follower.objects.filter(user=ana).update(is_muted=True),
    }[loss]()
    actions.comment(ticket, actor=dan, message=message())
    assert told(ticket) == ({"Fay": FOLLOWER} if loss == "requester muted" else {"Ana": REQUESTER})


def test_spam_when_a_customer_writes_on_then_nobody_is_told(ticket, ana, dan):
    actions.change_status(ticket, actor=dan, status=status("Spam"))
    actions.comment(ticket, actor=ana, message=message("Buy now"))
    assert told(ticket) == {}


def test_spam_when_taken_back_then_nothing_is_told_afterwards(ticket, dan):
    for name in ("Spam", "Open"):
        actions.change_status(ticket, actor=dan, status=status(name))
    assert told(ticket) == {}


def test_private_group_when_customer_writes_then_outsiders_at_the_desk_hear_nothing(ticket, ana, dan, eve):
    group = AgentGroup.objects.create(name="Security", is_private=True)
    group.members.add(dan)
    sharing.follow(ticket, actor=eve)
    actions.set_group(ticket, actor=dan, group=group)
    actions.comment(ticket, actor=ana, message=message("A secret"))
    assert told(ticket) == {"Fay": FOLLOWER, "Dan": GROUP}


# --- Named ---------------------------------------------------------------------------------------------------------------------

NAMED = ("update", "mentioned")


def test_reply_when_it_names_people_then_each_is_told_once_and_as_named(ticket, ana, ben, dan):
    actions.comment(ticket, actor=dan, message=message("@Ana, @Ben Ode, @Eve Devops, @Dan: look. @Ana!"))
    assert told(ticket) == {"Ana": NAMED, "Ben": NAMED, "Eve": NAMED, "Fay": FOLLOWER}


def test_reply_when_it_names_who_follows_in_silence_then_they_are_told(ticket, ana, fay):
    sharing.unfollow(ticket, actor=fay)
    actions.comment(ticket, actor=ana, message=message("@Fay?"))
    assert told(ticket) == {"Fay": NAMED, "Dan": GROUP}


def test_opening_when_it_names_a_teammate_then_they_are_told(ticket, ana, ben):
    assert told(make_ticket(ana, share=False, text="@ben")) == {"Ana": ("confirmation", "requester"), "Ben": NAMED, "Dan": GROUP}


def test_note_when_it_names_staff_and_a_customer_then_staff_are_told(ticket, dan, eve):
    actions.add_note(ticket, actor=dan, message=message("@Eve, @Ana Ford and @Fay"))
    assert told(ticket) == {"Eve": NAMED}


def test_note_when_named_in_data_by_whatever_way_then_no_customer_is_told(ticket, dan, ana):
    note = actions.add_note(ticket, actor=dan, message=message("..."))
    note.events.update(data={"named": {"@Ana": ana.pk}})
    assert told(ticket) == {}


def test_reply_when_it_names_nobody_who_may_be_named_then_the_same_people_are_told(ticket, ana, cleo):
    actions.comment(ticket, actor=ana, message=message("@Cleo Roy @nobody"))
    assert told(ticket) == {"Fay": FOLLOWER, "Dan": GROUP}


def test_named_person_when_taken_off_before_mail_leaves_then_is_not_told(workflow, ana, ben, dan):
    ticket = make_ticket(ana, share=False)
    actions.comment(ticket, actor=ana, message=message("@ben"))
    event = ticket.events.latest("pk")
    assert may_be_told(ben, event)
    sharing.remove_follower(ticket, actor=dan, person=ben)
    assert not may_be_told(ben, event)
