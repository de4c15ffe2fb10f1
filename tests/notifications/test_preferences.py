"""How much mail each person gets: what they chose, for everything and for one ticket, and that support hears of every customer all the same."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AgentGroup, User
from notifications import preferences
from notifications.audience import audience
from notifications.models import Delivery, Kind, Level, State, TicketPreference
from notifications.relay import queue_password_link, relay_waiting
from tests.factories import make_ticket, make_user, message
from tickets import actions, sharing
from tickets.models import Follower, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(workflow, ana, ben, dan):
    """Ana's, Ben follows it, Dan is its group. Nothing of it waits to be told."""
    ticket = make_ticket(ana)
    sharing.follow(ticket, actor=ben)
    relay_waiting()
    Delivery.objects.all().delete()
    return ticket


def told() -> dict[str, tuple[str, str]]:
    """First name → (kind, state) of what was made since."""
    relay_waiting()
    made = {row.recipient.name.split()[0]: (str(row.kind), str(row.state)) for row in Delivery.objects.select_related("recipient")}
    Delivery.objects.all().delete()
    return made


AT_ONCE, LATER = ("update", "queued"), ("update", "collected")


def answer(ticket, dan):
    actions.comment(ticket, actor=dan, message=message())


def move(ticket, dan):
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Waiting on Customer"))


def resolve(ticket, dan):
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())


# What each level of Ana's (her own ticket) and of Ben's (who follows) makes of it.
CUSTOMERS = [
    (Level.ALL, answer, AT_ONCE, AT_ONCE),
    (Level.ALL, move, AT_ONCE, AT_ONCE),
    (Level.MINE, answer, AT_ONCE, None),
    (Level.MINE, resolve, AT_ONCE, None),
    (Level.MINE, move, None, None),
    (Level.DIGEST, answer, LATER, LATER),
    (Level.DIGEST, move, LATER, LATER),
    (Level.NONE, answer, None, None),
    (Level.NONE, resolve, None, None),
]


@pytest.mark.parametrize(("level", "deed", "anas", "bens"), CUSTOMERS)
def test_update_when_customers_chose_a_level_then_it_decides(ticket, ana, ben, dan, level, deed, anas, bens):
    for person in (ana, ben):
        preferences.choose(person, level)
    deed(ticket, dan)
    expected = {"Ana": anas, "Ben": bens}
    assert told() == {name: how for name, how in expected.items() if how}


@pytest.mark.parametrize(("level", "how"), [(Level.ALL, AT_ONCE), (Level.MINE, AT_ONCE), (Level.DIGEST, LATER), (Level.NONE, None)])
def test_named_when_following_in_silence_then_level_alone_decides(ticket, ana, ben, dan, level, how):
    preferences.stop(ticket, ben)
    preferences.choose(ben, level)
    actions.comment(ticket, actor=dan, message=message("@Ben?"))
    assert told().get("Ben") == how


@pytest.mark.parametrize(("level", "how"), [(Level.ALL, "queued"), (Level.MINE, "queued"), (Level.DIGEST, "queued"), (Level.NONE, None)])
def test_confirmation_when_a_level_was_chosen_then_only_nothing_stops_it(ticket, ana, level, how):
    preferences.choose(ana, level)
    make_ticket(ana)
    assert told().get("Ana") == (("confirmation", how) if how else None)


@pytest.mark.parametrize(("level", "how"), [(Level.ALL, "queued"), (Level.MINE, "queued"), (Level.DIGEST, "collected"), (Level.NONE, None)])
def test_share_when_a_level_was_chosen_then_being_named_counts_as_mine(ticket, cleo, dan, level, how):
    preferences.choose(cleo, level)
    sharing.add_follower(ticket, actor=dan, person=cleo)
    assert told() == ({"Cleo": ("shared", how)} if how else {})


def test_following_when_only_mine_then_ones_own_click_is_no_mail(ticket, acme):
    gus = make_user("gus@acme.example", "Gus Guest", acme)
    preferences.choose(gus, Level.MINE)
    sharing.follow(ticket, actor=gus)
    assert told() == {}


def test_account_mail_when_nothing_is_wanted_then_still_goes(ticket, ana):
    preferences.choose(ana, Level.NONE)
    queue_password_link(ana)
    assert told() == {"Ana": ("reset_password", "queued")}


@pytest.mark.parametrize(
    ("general", "own", "how"),
    [
        (Level.NONE, Level.ALL, AT_ONCE),
        (Level.MINE, Level.ALL, AT_ONCE),
        (Level.ALL, Level.DIGEST, LATER),
        (Level.DIGEST, Level.ALL, AT_ONCE),
        (Level.DIGEST, "", LATER),
    ],
)
def test_level_when_the_ticket_has_its_own_then_that_counts_for_it_alone(ticket, ana, ben, dan, general, own, how):
    other = make_ticket(ana, "Another")
    sharing.follow(other, actor=ben)
    told()
    preferences.choose(ben, general)
    preferences.choose_for(ticket, ben, own)
    answer(ticket, dan)
    assert told().get("Ben") == how
    answer(other, dan)
    assert told().get("Ben") == {Level.ALL: AT_ONCE, Level.DIGEST: LATER}.get(general)


def test_own_level_when_taken_back_then_the_general_one_counts(ticket, ben, dan):
    preferences.choose_for(ticket, ben, Level.DIGEST)
    preferences.choose_for(ticket, ben, "")
    answer(ticket, dan)
    assert (told()["Ben"], TicketPreference.objects.count()) == (AT_ONCE, 0)


@pytest.mark.parametrize("people", [1, 20])
def test_levels_when_many_are_told_then_cost_two_queries(ticket, acme, dan, people):
    for number in range(people):
        person = make_user(f"p{number}@acme.example", organization=acme)
        sharing.follow(ticket, actor=person)
        preferences.choose(person, Level.DIGEST)
    answer(ticket, dan)
    event = ticket.events.select_related("ticket", "actor").latest("id")
    persons = audience(event)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        wanted = preferences.wanted(event, persons)
    assert (len(queries), len(wanted)) == (2, people + 2)


# --- Support hears of every customer's word ------------------------------------------------------------------------------------


@pytest.fixture
def team(dan, workflow):
    """Dan's colleague in the group."""
    ivy = make_user("ivy@support.example", "Ivy Second", role=dan.role)
    AgentGroup.objects.get(name="Customer Support").members.add(ivy)
    return [dan, ivy]


STAFF = [
    ((Level.ALL, Level.NONE), {"Dan": AT_ONCE}),
    ((Level.MINE, Level.ALL), {"Ivy": AT_ONCE}),
    ((Level.DIGEST, Level.NONE), {"Dan": LATER}),
    ((Level.NONE, Level.NONE), {"Dan": AT_ONCE, "Ivy": AT_ONCE}),
    ((Level.MINE, Level.NONE), {"Dan": AT_ONCE, "Ivy": AT_ONCE}),
]


@pytest.mark.parametrize(("levels", "heard"), STAFF)
def test_customers_word_when_the_group_chose_less_then_somebody_hears(ticket, ana, team, levels, heard):
    for person, level in zip(team, levels, strict=True):
        preferences.choose(person, level)
    actions.comment(ticket, actor=ana, message=message("Hello?"))
    assert told() == {"Ben": AT_ONCE} | heard


@pytest.mark.parametrize(("level", "how"), [(Level.ALL, AT_ONCE), (Level.MINE, AT_ONCE), (Level.DIGEST, LATER), (Level.NONE, AT_ONCE)])
def test_customers_word_when_somebody_works_on_it_then_they_hear_whatever_they_chose(ticket, ana, team, level, how):
    dan, ivy = team
    actions.assign(ticket, actor=ivy, assignee=dan)
    told()
    preferences.choose(dan, level)
    actions.comment(ticket, actor=ana, message=message("Hello?"))
    assert told() == {"Ben": AT_ONCE, "Dan": how}


def test_new_ticket_when_nobody_at_the_desk_wants_mail_then_all_who_would_be_told_are(ticket, ana, team):
    for person in team:
        preferences.choose(person, Level.NONE)
    make_ticket(ana)
    assert told() == {"Ana": ("confirmation", "queued"), "Dan": AT_ONCE, "Ivy": AT_ONCE}


def test_colleagues_word_when_the_assignee_wants_nothing_then_stays_unmailed(ticket, team):
    dan, ivy = team
    actions.assign(ticket, actor=ivy, assignee=dan)
    told()
    preferences.choose(dan, Level.NONE)
    actions.add_note(ticket, actor=ivy, message=message("Between us."))
    assert told() == {}


def test_link_when_one_of_the_group_stops_a_ticket_then_the_others_go_on(client, ticket, ana, team):
    from notifications.unsubscribe import unsubscribe_path

    client.post(unsubscribe_path(ticket, team[0]))
    actions.comment(ticket, actor=ana, message=message("Hello?"))
    assert told() == {"Ben": AT_ONCE, "Ivy": AT_ONCE}


# --- Following and levels are one thing ----------------------------------------------------------------------------------------


def follows(person: User, ticket: Ticket) -> bool:
    return Follower.objects.filter(ticket=ticket, user=person, is_muted=False).exists()


def own_level(person: User) -> str:
    return TicketPreference.objects.filter(user=person).values_list("level", flat=True).first() or ""


def test_customer_when_stopping_then_keeps_no_level_and_follows_no_more(ticket, ben):
    preferences.choose_for(ticket, ben, Level.DIGEST)
    preferences.stop(ticket, ben)
    assert (follows(ben, ticket), own_level(ben)) == (False, "")


def test_customer_when_choosing_a_level_after_stopping_then_follows_again(ticket, ben, dan):
    preferences.stop(ticket, ben)
    preferences.choose_for(ticket, ben, Level.ALL)
    told()
    answer(ticket, dan)
    assert (follows(ben, ticket), told()["Ben"]) == (True, AT_ONCE)


@pytest.mark.parametrize("level", [Level.NONE, Level.MINE, "no such", "?"])
def test_customer_when_level_is_not_offered_then_is_refused(ticket, ben, level):
    with pytest.raises(actions.IllegalMove):
        preferences.choose_for(ticket, ben, level)
    assert (follows(ben, ticket), own_level(ben)) == (True, "")


def test_staff_when_choosing_nothing_then_follow_no_more_and_following_takes_it_back(ticket, dan, eve):
    sharing.follow(ticket, actor=eve)
    preferences.choose_for(ticket, eve, Level.NONE)
    assert (follows(eve, ticket), own_level(eve)) == (False, "none")
    preferences.follow(ticket, eve)
    assert (follows(eve, ticket), own_level(eve)) == (True, "")


def test_staff_when_choosing_a_level_then_do_not_begin_to_follow(ticket, eve):
    preferences.choose_for(ticket, eve, Level.DIGEST)
    assert (follows(eve, ticket), own_level(eve)) == (False, "digest")


def test_stopping_when_a_mail_still_waits_then_it_does_not_go(ticket, ben, dan):
    answer(ticket, dan)
    relay_waiting()
    preferences.stop(ticket, ben)
    assert told() == {"Ana": AT_ONCE, "Ben": ("update", "cancelled")}


def test_nothing_when_chosen_then_what_waits_goes_only_for_tickets_with_their_own_level(ticket, ana, ben, dan):
    other = make_ticket(ana, "Another")
    sharing.follow(other, actor=ben)
    told()
    preferences.choose_for(other, ben, Level.ALL)
    answer(ticket, dan)
    answer(other, dan)
    relay_waiting()
    preferences.choose(ben, Level.NONE)
    kept = dict(Delivery.objects.filter(recipient=ben).values_list("ticket", "state"))
    assert kept == {ticket.pk: State.CANCELLED, other.pk: State.QUEUED}


def test_staff_when_stopping_then_what_customers_said_still_goes(ticket, ana, dan):
    actions.comment(ticket, actor=ana, message=message("Hello?"))
    relay_waiting()
    preferences.stop(ticket, dan)
    assert Delivery.objects.get(recipient=dan, kind=Kind.UPDATE).state == State.QUEUED


def test_support_when_it_wants_no_more_then_still_hears_what_was_said_before(ticket, ana, dan):
    preferences.choose(dan, Level.DIGEST)
    actions.comment(ticket, actor=ana, message=message())
    relay_waiting()
    preferences.choose(dan, Level.NONE)
    preferences.stop(ticket, dan)
    assert Delivery.objects.filter(recipient=dan).latest("pk").state == State.COLLECTED
