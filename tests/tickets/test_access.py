"""The one rule: who sees a ticket. Lists, pages, files and mail must agree on it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.backends import AddressBackend
from accounts.models import AgentGroup, Membership, Organization, Role, User
from notifications.audience import may_be_told
from tests.factories import make_ticket, make_user, message, new_file
from tickets import access, actions, sharing
from tickets.models import Attachment, Follower, OrganizationShare, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(workflow, ana):
    """Ana's, shared with Acme, with a public file, a note and the note's file."""
    return make_ticket(ana, message=message(files=(new_file("public.txt"),)))


@pytest.fixture
def note(ticket, dan):
    return actions.add_note(ticket, actor=dan, message=message("Between us.", files=(new_file("internal.txt"),)))


def sees(person: User, ticket: Ticket) -> bool:
    """By the yes/no. That all ways agree is a test of its own, below."""
    return access.can_see(User.objects.get(pk=person.pk), ticket)


def test_ticket_when_mine_then_i_see_it_without_any_share(workflow, solo):
    assert sees(solo, make_ticket(solo, share=False))


def test_ticket_when_requester_unfollows_and_nothing_is_shared_then_still_theirs(workflow, solo):
    ticket = make_ticket(solo, share=False)
    Follower.objects.all().delete()
    assert sees(solo, ticket)


def test_ticket_when_filed_for_another_then_filer_sees_it_even_as_a_customer_later(workflow, ana, dan):
    ticket = make_ticket(ana, actor=dan, share=False)
    Follower.objects.all().delete()
    User.objects.filter(pk=dan.pk).update(role=Role.CUSTOMER)
    assert sees(dan, ticket)


def test_ticket_when_followed_then_seen_from_outside_the_organization(ticket, cleo, dan):
    assert not sees(cleo, ticket)
    sharing.add_follower(ticket, actor=dan, person=cleo)
    assert sees(cleo, ticket)
    sharing.remove_follower(ticket, actor=dan, person=cleo)
    assert not sees(cleo, ticket)


def test_ticket_when_shared_with_my_organization_then_seen(ticket, ben, cleo, solo):
    assert [sees(person, ticket) for person in (ben, cleo, solo)] == [True, False, False]


def test_ticket_when_not_shared_then_teammates_do_not_see_it(workflow, ana, ben):
    assert not sees(ben, make_ticket(ana, share=False))


@pytest.mark.parametrize("loss", ["membership", "organization", "share", "leaves", "disabled"])
def test_teammate_when_a_link_is_cut_then_no_longer_sees(ticket, acme, ben, loss):
    assert sees(ben, ticket)
    {
        "membership": lambda: Membership.objects.filter(user=ben).update(is_active=False),
        "organization": lambda: Organization.objects.filter(pk=acme.pk).update(is_active=False),
        "share": lambda: OrganizationShare.objects.all().delete(),
        "leaves": lambda: Membership.objects.filter(user=ben).delete(),
        "disabled": lambda: User.objects.filter(pk=ben.pk).update(is_active=False),
    }[loss]()
    assert not sees(ben, ticket)


def test_requester_when_switched_off_then_sees_nothing(ticket, ana):
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert not sees(ana, ticket)


def test_member_of_two_when_leaving_one_then_sees_the_others(ticket, globex, acme, ben, cleo):
    Membership.objects.create(user=ben, organization=globex)
    theirs = make_ticket(cleo)
    Membership.objects.filter(user=ben, organization=acme).delete()
    assert [sees(ben, each) for each in (ticket, theirs)] == [False, True]


def test_requester_when_leaving_the_organization_then_keeps_their_own(ticket, ana):
    Membership.objects.filter(user=ana).delete()
    assert sees(ana, ticket)


def test_anonymous_when_asking_then_sees_nothing(ticket):
    assert list(access.tickets_for(AnonymousUser())) == []


# --- Staff and private groups --------------------------------------------------------------------------------------------------


@pytest.fixture
def private(dan):
    group = AgentGroup.objects.create(name="Security", is_private=True)
    group.members.add(dan)
    return group


def test_staff_when_group_is_private_then_only_members_see(ticket, private, dan, eve, max_admin):
    assert [sees(person, ticket) for person in (dan, eve, max_admin)] == [True, True, True]
    actions.set_group(ticket, actor=dan, group=private)
    assert [sees(person, ticket) for person in (dan, eve, max_admin)] == [True, False, False]


def test_staff_when_known_from_a_session_then_hidden_groups_are_known_too(ticket, private, ana, dan, eve, max_admin):
    other = AgentGroup.objects.create(name="People", is_private=True)
    of_session = [AddressBackend().get_user(person.pk) for person in (ana, dan, eve)]
    assert [sorted(person.hidden_groups) for person in of_session] == [[private.pk, other.pk], [other.pk], [private.pk, other.pk]]
    actions.set_group(ticket, actor=dan, group=private)
    assert [sees(person, ticket) for person in of_session] == [True, True, False]


def test_staff_when_group_became_private_after_the_request_began_then_cannot_write(ticket, private, dan, eve):
    AgentGroup.objects.update(is_private=False)
    actions.set_group(ticket, actor=dan, group=private)
    eve = AddressBackend().get_user(eve.pk)
    AgentGroup.objects.update(is_private=True)
    assert access.can_see(eve, ticket)  # by what the request began with
    with pytest.raises(Ticket.DoesNotExist):
        actions.add_note(ticket, actor=eve, message=message("Hm."))


def test_staff_when_assigned_in_a_private_group_then_sees_that_one(ticket, private, ana, dan, eve):
    other = make_ticket(ana, group=private)
    actions.set_group(ticket, actor=dan, group=private)
    actions.assign(ticket, actor=dan, assignee=eve)
    assert [sees(eve, each) for each in (ticket, other)] == [True, False]


def test_staff_when_following_in_a_private_group_then_still_do_not_see(ticket, private, dan, eve):
    sharing.follow(ticket, actor=eve)
    actions.set_group(ticket, actor=dan, group=private)
    assert not sees(eve, ticket)


def test_customers_when_group_becomes_private_then_see_as_before(ticket, private, ana, ben, cleo, dan):
    actions.set_group(ticket, actor=dan, group=private)
    assert [sees(person, ticket) for person in (ana, ben, cleo)] == [True, True, False]


def test_staff_when_ticket_has_no_group_then_all_see(ticket, eve):
    Ticket.objects.update(group=None)
    assert sees(eve, ticket)


# --- What belongs to staff -----------------------------------------------------------------------------------------------------


def test_note_when_customer_reads_then_is_not_there(ticket, note, ana, dan):
    assert [comment.text for comment in access.comments_for(ana, ticket)] == ["It is broken."]
    assert [comment.text for comment in access.comments_for(dan, ticket)] == ["It is broken.", "Between us."]


def test_note_when_customer_reads_history_then_left_no_event(ticket, note, ana, dan):
    assert [event.kind for event in access.events_for(ana, ticket)] == ["opened"]
    assert [event.kind for event in access.events_for(dan, ticket)] == ["opened", "noted"]


def test_file_of_a_note_when_requester_asks_then_does_not_exist(ticket, note, ana, dan):
    public, internal = Attachment.objects.get(name="public.txt"), Attachment.objects.get(name="internal.txt")
    assert access.get_attachment(ana, public.pk) == public
    assert access.get_attachment(dan, internal.pk) == internal
    with pytest.raises(Http404):
        access.get_attachment(ana, internal.pk)


def test_file_when_ticket_is_foreign_then_does_not_exist(ticket, cleo):
    with pytest.raises(Http404):
        access.get_attachment(cleo, Attachment.objects.get().pk)


@pytest.mark.parametrize("number", [0, -1, 10**9, 2**63, 10**30])
def test_number_when_nobody_has_it_then_is_missing_for_everybody(ticket, ana, dan, number):
    for person in (ana, dan):
        with pytest.raises(Http404):
            access.get_ticket(person, number)
        with pytest.raises(Http404):
            access.get_attachment(person, number)


def test_part_in_a_ticket_when_only_the_organization_sees_it_then_is_none(ticket, ana, ben, dan):
    assert [access.is_on(person, ticket) for person in (ana, ben, dan)] == [True, False, False]
    sharing.follow(ticket, actor=ben)
    actions.take(ticket, actor=dan)
    ticket.refresh_from_db()
    assert [access.is_on(person, ticket) for person in (ana, ben, dan)] == [True, True, True]


# --- Who may be found ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lia(acme) -> User:
    """Looks after Acme."""
    acme.delivery_lead = make_user("lia@support.example", "Lia Lead", role=Role.CSM)
    acme.save()
    return acme.delivery_lead


def finds(person: User) -> set[User]:
    return set(access.findable_by(person))


def test_people_when_customer_looks_then_are_teammates_and_the_delivery_lead(ana, ben, cleo, solo, dan, lia):
    assert [finds(person) for person in (ana, ben, cleo, solo)] == [{ben, lia}, {ana, lia}, set(), set()]


def test_people_when_staff_look_then_are_all_others_who_are_active(ana, ben, cleo, dan, eve, lia):
    User.objects.filter(pk=ben.pk).update(is_active=False)
    assert finds(dan) == {ana, cleo, eve, lia}


@pytest.mark.parametrize("loss", ["membership", "organization", "leaves", "i leave", "disabled", "i am disabled"])
def test_teammate_when_a_link_is_cut_then_is_no_longer_found(acme, ana, ben, loss):
    assert finds(ana) == {ben}
    {
        "membership": lambda: Membership.objects.filter(user=ben).update(is_active=False),
        "organization": lambda: Organization.objects.filter(pk=acme.pk).update(is_active=False),
        "leaves": lambda: Membership.objects.filter(user=ben).delete(),
        "i leave": lambda: Membership.objects.filter(user=ana).delete(),
        "disabled": lambda: User.objects.filter(pk=ben.pk).update(is_active=False),
        "i am disabled": lambda: User.objects.filter(pk=ana.pk).update(is_active=False),
    }[loss]()
    assert finds(User.objects.get(pk=ana.pk)) == set()


def test_lead_when_no_longer_on_our_staff_then_is_not_found(ana, lia):
    User.objects.filter(pk=lia.pk).update(role=Role.CUSTOMER)
    assert finds(ana) == set()


def test_people_when_member_of_two_then_are_found_once_each(globex, ana, ben, cleo):
    for person in (ana, ben):
        Membership.objects.create(user=person, organization=globex)
    assert list(access.findable_by(ana)) == [ben, cleo]


# --- All ways agree ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A person and a ticket in some relation, described by what may join or part them."""

    role: Role
    active: bool
    member: bool
    membership_active: bool
    organization_active: bool
    shared: bool
    requester: bool
    filer: bool
    follower: bool
    muted: bool
    private: bool
    in_group: bool
    assignee: bool

    @property
    def allowed(self) -> bool:
        """The rule again, in plain words, as MISSION.md states it."""
        if not self.active:
            return False
        if self.role != Role.CUSTOMER:
            return not self.private or self.in_group or self.assignee
        by_organization = self.member and self.membership_active and self.organization_active and self.shared
        return self.requester or self.filer or self.follower or by_organization


CASES = st.builds(Case, st.sampled_from(Role), *[st.booleans()] * 12)


def build(case: Case) -> tuple[User, Ticket]:
    serial = User.objects.count()
    other = make_user(f"other{serial}@x.example")
    person = make_user(f"person{serial}@x.example", role=case.role)
    organization = Organization.objects.create(name=f"O{serial}", is_active=case.organization_active)
    if case.member:
        Membership.objects.create(user=person, organization=organization, is_active=case.membership_active)
    group = AgentGroup.objects.create(name=f"G{serial}", is_private=case.private)
    if case.in_group and case.role != Role.CUSTOMER:
        group.members.add(person)
    ticket = make_ticket(other, share=False, group=group, message=message(files=(new_file(),)))
    ticket.requester = person if case.requester else other
    ticket.filer = person if case.filer and not case.requester else None
    ticket.assignee = person if case.assignee and case.role != Role.CUSTOMER else None
    ticket.save()
    if case.follower:
        Follower.objects.create(ticket=ticket, user=person, is_muted=case.muted)
    if case.shared:
        OrganizationShare.objects.create(ticket=ticket, organization=organization)
    User.objects.filter(pk=person.pk).update(is_active=case.active)
    return User.objects.get(pk=person.pk), ticket


def ways(person: User, ticket: Ticket) -> dict[str, bool]:
    found = {"page": False, "file": False}
    with suppress(Http404):
        found["page"] = access.get_ticket(person, ticket.pk) == ticket
    with suppress(Http404):
        found["file"] = bool(access.get_attachment(person, Attachment.objects.get(comment__ticket=ticket).pk))
    return found | {
        "list": ticket in access.tickets_for(person),
        "yes": access.can_see(person, ticket),
        "among known ones": ticket in Ticket.objects.filter(access.visible_to(person, numbers=[ticket.pk])),
        "mail": may_be_told(person, ticket.events.get()),
        "asked the other way round": person in access.who_see(ticket),
    }


@given(case=CASES)
@hypothesis_settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rule_when_asked_in_any_way_then_answers_the_same(workflow, case):
    person, ticket = build(case)
    found = ways(person, ticket)
    assert found == dict.fromkeys(found, case.allowed)
