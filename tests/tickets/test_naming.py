"""Naming somebody by "@": who can be named by whom, and what it brings about."""

from __future__ import annotations

from uuid import uuid4

import pytest

from accounts.models import AgentGroup, Membership, Role, User
from tests.factories import make_ticket, make_user, message
from tests.tickets.mail.letters import letter, signed_address, take_in
from tickets import access, actions, sharing
from tickets.models import Event, Follower, Status, Ticket
from tickets.naming import name_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def lia(acme) -> User:
    """Looks after Acme."""
    lia = make_user("lia@support.example", "Lia Lead", role=Role.CSM)
    acme.delivery_lead = lia
    acme.save()
    return lia


@pytest.fixture
def ticket(workflow, ana, ben, cleo, dan, eve, lia) -> Ticket:
    """Ana's, and hers alone. Dan answered it."""
    ticket = make_ticket(ana, share=False)
    actions.comment(ticket, actor=dan, message=message("On it."))
    return ticket


def last(ticket: Ticket) -> Event:
    return ticket.events.latest("pk")


def first_names(people) -> list[str]:
    return [person.name.split()[0] for person in people]


# --- Who can be named ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "in_reply", "in_note"),
    [
        ("ana", ["Ben", "Dan", "Lia"], []),  # Eve never wrote, Cleo is of another organization
        ("ben", ["Ana", "Dan", "Lia"], []),
        ("dan", ["Ana", "Eve", "Fay", "Lia"], ["Eve", "Lia"]),  # Ben does not see it
    ],
)
def test_people_who_can_be_named(request, ticket, dan, who, in_reply, in_note):
    follower = make_user("fay@elsewhere.example", "Fay Outsider")
    sharing.add_follower(ticket, actor=dan, person=follower)
    user = request.getfixturevalue(who)
    assert [first_names(access.nameable_on(user, ticket, is_internal=internal)) for internal in (False, True)] == [in_reply, in_note]


def test_people_before_there_is_a_ticket(ticket, ana, dan, solo):
    assert [first_names(access.nameable_on(user, None)) for user in (ana, dan, solo)] == [["Ben", "Lia"], ["Eve", "Lia"], []]


def test_staff_outside_a_private_group_can_be_named_by_nobody(ticket, ana, dan, lia, max_admin):
    private = AgentGroup.objects.create(name="Private", is_private=True)
    private.members.add(dan, max_admin)
    ticket = actions.set_group(ticket, actor=dan, group=private)
    assert [first_names(access.nameable_on(user, ticket)) for user in (ana, dan)] == [["Ben", "Dan"], ["Ana", "Max"]]


def test_assignee_outside_the_private_group_can_be_named(ticket, dan, eve):
    private = AgentGroup.objects.create(name="Private", is_private=True)
    private.members.add(dan)
    actions.set_group(ticket, actor=dan, group=private)
    ticket = actions.assign(ticket, actor=dan, assignee=eve)
    assert first_names(access.nameable_on(dan, ticket)) == ["Ana", "Eve"]


@pytest.mark.parametrize("loss", ["left", "switched off"])
def test_teammate_who_is_gone_can_not_be_named(ticket, ana, ben, loss):
    Membership.objects.filter(user=ben).update(is_active=False) if loss == "left" else User.objects.filter(pk=ben.pk).update(
        is_active=False
    )
    assert first_names(access.nameable_on(ana, ticket)) == ["Dan", "Lia"]


def test_person_switched_off_can_name_nobody(ticket, ana):
    ana.is_active = False
    assert list(access.nameable_on(ana, ticket)) == []


# --- What it brings about ------------------------------------------------------------------------------------------------------


def test_teammate_who_is_named_sees_the_ticket_by_the_same_event(ticket, ana, ben):
    before = ticket.events.count()
    actions.comment(ticket, actor=ana, message=message("@Ben Ode, have you seen this?"))
    assert ticket.events.count() == before + 1
    assert {key: last(ticket).data[key] for key in ("named", "shared_with")} == {"named": {"@Ben Ode": ben.pk}, "shared_with": ["Ben Ode"]}
    assert access.can_see(ben, ticket)
    assert Follower.objects.get(ticket=ticket, user=ben).added_by == ana


def test_teammate_whose_follow_ended_with_a_membership_is_back(ticket, ana, ben, globex):
    Follower.objects.create(ticket=ticket, user=ben, through=globex)
    assert not access.can_see(ben, ticket)
    actions.comment(ticket, actor=ana, message=message("@ben"))
    assert access.can_see(ben, ticket)


def test_who_sees_the_ticket_already_does_not_follow_it_for_being_named(workflow, ana, ben):
    ticket = make_ticket(ana)
    actions.comment(ticket, actor=ana, message=message("@ben"))
    assert last(ticket).data == {"named": {"@ben": ben.pk}}
    assert not Follower.objects.filter(user=ben).exists()


def test_delivery_lead_can_be_tagged_directly(ticket, ana, lia):
    actions.comment(ticket, actor=ana, message=message("@Lia, please help."))
    assert last(ticket).data["named"] == {"@Lia": lia.pk}
    assert not Follower.objects.filter(user=lia).exists()


def test_person_can_be_named_while_filing(ticket, ana, ben):
    opened = make_ticket(ana, share=False, text="Blank since @ben left.")
    assert last(opened).data["shared_with"] == ["Ben Ode"]
    assert access.can_see(ben, opened)


def test_reply_to_a_closed_ticket_names_on_the_one_that_it_opens(ticket, ana, ben, dan):
    actions.close(ticket, actor=dan)
    opened = actions.comment(ticket, actor=ana, message=message("Again, @ben.")).ticket
    assert opened != ticket
    assert [access.can_see(ben, one) for one in (ticket, opened)] == [False, True]


@pytest.mark.parametrize(
    "words",
    [
        "@Cleo Roy",
        "@cleo",
        "@nobody",
        "@cleo@globex.example",
        "cleo@globex.example",
        "@{pk}",
        "@cleo~{pk}",
        '<span class="mention" data-id="{pk}">@Cleo Roy</span>',
        "@Eve Devops",
    ],
)
def test_outsider_is_as_unknown_as_nobody(ticket, ana, cleo, words):
    followers = Follower.objects.count()
    said = actions.comment(ticket, actor=ana, message=message(words.format(pk=cleo.pk)))
    assert said.text == words.format(pk=cleo.pk)
    assert "named" not in last(ticket).data
    assert Follower.objects.count() == followers


def test_what_the_editor_marked_as_code_names_nobody(ticket, ana, ben, lia):
    html = "<p>Run <code>mail @Ben</code>, @Lia</p><pre>@Ben Ode</pre>"
    actions.comment(ticket, actor=ana, message=message("Run mail @Ben, @Lia\n\n@Ben Ode", html=html))
    assert last(ticket).data["named"] == {"@Lia": lia.pk}


def test_customer_in_a_note_is_named_to_nobody(ticket, dan, ana, ben, eve):
    """NO03."""
    actions.add_note(ticket, actor=dan, message=message("@Ana Ford and @Ben Ode know; @Eve Devops, look."))
    assert last(ticket).data == {"named": {"@Eve Devops": eve.pk}}
    assert not access.can_see(ben, ticket)


def test_staff_share_nothing_by_a_name(ticket, dan, ben):
    actions.comment(ticket, actor=dan, message=message("@Ben Ode may know."))
    assert "named" not in last(ticket).data
    assert not access.can_see(ben, ticket)


def test_spam_names_nobody(ticket, ana, ben, dan):
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Spam"))
    actions.comment(ticket, actor=ana, message=message("@ben"))
    assert not access.can_see(ben, ticket)


def test_machine_names_nobody(ticket, ana, ben):
    assert not access.can_see(ben, make_ticket(ana, share=False, quiet=True, text="@ben"))


@pytest.mark.parametrize("many", [1, 12])
def test_naming_many_costs_as_much_as_naming_one(ticket, acme, ana, django_assert_num_queries, many):
    for number in range(many):
        make_user(f"mate{number}@acme.example", f"Mate{number} Of", acme)
    said = ticket.comments.earliest("pk")
    said.text = " ".join(f"@Mate{number}" for number in range(many))
    with django_assert_num_queries(5):  # who may be named, who sees it, the others held, still a teammate, who follows from now on
        named = name_people(said, ticket, author=ana)
    assert len(named["shared_with"]) == many


def test_form_sent_twice_names_once(ticket, ana, ben):
    words = message("@ben", submission_key=uuid4())
    assert actions.comment(ticket, actor=ana, message=words) == actions.comment(ticket, actor=ana, message=words)
    assert Follower.objects.filter(user=ben).count() == 1


# --- By mail -------------------------------------------------------------------------------------------------------------------


def test_mailed_reply_names_as_the_portal_does(ticket, ana, ben):
    take_in(letter(to=signed_address(ticket, ana), text="Yes.\n\n@Ben\nOde can show you.\n\nOn Monday Dan wrote:\n> @Lia Lead\n"))
    assert last(ticket).data["shared_with"] == ["Ben Ode"]
    assert list(last(ticket).data["named"].values()) == [ben.pk]


def test_mail_that_opens_a_ticket_names_too(workflow, ana, ben, globex):
    Membership.objects.create(user=ana, organization=globex)  # so that it is shared with neither of her two
    take_in(letter(text="Blank, says @Ben Ode.\n"))
    assert last(Ticket.objects.get()).data["shared_with"] == ["Ben Ode"]
