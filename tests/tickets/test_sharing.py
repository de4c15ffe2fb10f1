"""Who has a part in a ticket, and who may change that."""

from __future__ import annotations

import pytest

from accounts import invitations
from accounts.models import Invitation, Membership, Organization, Role, User
from tests.factories import make_ticket, make_user
from tests.tickets.test_actions import everything, kinds
from tickets import access, actions, membership, sharing
from tickets.events import describe
from tickets.models import Follower, OrganizationShare, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(workflow, ana):
    """Ana's, shared with Acme."""
    return make_ticket(ana)


def muted(ticket: Ticket) -> dict[str, bool]:
    return {row.user.name: row.is_muted for row in ticket.follower_rows.select_related("user").order_by("user__name")}


def test_follow_when_teammate_does_then_once_is_enough(ticket, ben):
    for _ in range(2):
        sharing.follow(ticket, actor=ben)
    assert (muted(ticket), kinds(ticket)) == ({"Ana Ford": False, "Ben Ode": False}, ["follower_added"])


def test_unfollow_when_seen_by_following_alone_then_stays_seen_but_mute(ticket, cleo, dan):
    sharing.add_follower(ticket, actor=dan, person=cleo)
    for _ in range(2):
        sharing.unfollow(ticket, actor=cleo)
    assert (muted(ticket)["Cleo Roy"], access.can_see(cleo, ticket)) == (True, True)
    assert kinds(ticket) == ["follower_added", "follower_removed"]


def test_unfollow_when_seen_by_the_organization_too_then_row_goes(ticket, ben):
    sharing.follow(ticket, actor=ben)
    sharing.unfollow(ticket, actor=ben)
    assert (muted(ticket), access.can_see(ben, ticket)) == ({"Ana Ford": False}, True)


def test_unfollow_when_requester_does_then_is_mute_and_may_come_back(ticket, ana):
    sharing.unfollow(ticket, actor=ana)
    assert muted(ticket) == {"Ana Ford": True}
    sharing.follow(ticket, actor=ana)
    assert (muted(ticket), kinds(ticket)) == ({"Ana Ford": False}, ["follower_removed", "follower_added"])


def test_follower_when_muted_and_added_by_another_then_stays_muted(ticket, ana, dan):
    sharing.unfollow(ticket, actor=ana)
    sharing.add_follower(ticket, actor=dan, person=ana)
    assert muted(ticket) == {"Ana Ford": True}


@pytest.mark.parametrize(("person", "allowed"), [("ben", True), ("cleo", False), ("solo", False), ("dan", False), ("ana", True)])
def test_follower_when_customer_adds_then_teammates_alone(request, ticket, ana, person, allowed):
    added = request.getfixturevalue(person)
    before = everything(ticket)
    try:
        sharing.add_follower(ticket, actor=ana, person=added)
    except actions.NotAllowed:
        assert (allowed, everything(ticket)) == (False, before)
    else:
        assert (allowed, access.can_see(added, ticket)) == (True, True)


def test_follower_when_membership_is_not_active_then_is_no_teammate(ticket, ana, ben):
    Membership.objects.filter(user=ben).update(is_active=False)
    with pytest.raises(actions.NotAllowed):
        sharing.add_follower(ticket, actor=ana, person=ben)


def test_requester_when_staff_remove_them_then_is_refused(ticket, ana, dan):
    before = everything(ticket)
    with pytest.raises(actions.NotAllowed):
        sharing.remove_follower(ticket, actor=dan, person=ana)
    assert everything(ticket) == before


def test_follower_when_not_there_then_removing_does_nothing(ticket, ben, dan):
    before = everything(ticket)
    sharing.remove_follower(ticket, actor=dan, person=ben)
    assert everything(ticket) == before


# --- Organizations -------------------------------------------------------------------------------------------------------------


def sees(*people: User, ticket: Ticket) -> list[bool]:
    return [access.can_see(person, ticket) for person in people]


def shared_with(ticket: Ticket) -> list[str]:
    return list(ticket.organizations.order_by("name").values_list("name", flat=True))


def history(ticket: Ticket, person: User) -> list[str]:
    return [describe(event, for_staff=person.is_staff) for event in access.events_for(person, ticket)][1:]


def test_organization_when_staff_share_with_it_then_its_members_see_once(ticket, globex, cleo, dan):
    for _ in range(2):
        sharing.add_organization(ticket, actor=dan, organization=globex)
    assert (sees(cleo, ticket=ticket), shared_with(ticket), history(ticket, cleo)) == (
        [True],
        ["Acme", "Globex"],
        ["shared the ticket with Globex"],
    )


@pytest.mark.parametrize("who", ["member", "foreign", "inactive membership", "inactive organization"])
def test_organization_when_a_customer_shares_then_an_own_active_one_alone(ticket, globex, ana, who):
    before = everything(ticket)
    if who != "foreign":
        Membership.objects.create(user=ana, organization=globex, is_active=who != "inactive membership")
    Organization.objects.filter(pk=globex.pk).update(is_active=who != "inactive organization")
    globex.refresh_from_db()
    if who == "member":
        sharing.add_organization(ticket, actor=ana, organization=globex)
        assert shared_with(ticket) == ["Acme", "Globex"]
    else:
        with pytest.raises(actions.NotAllowed):
            sharing.add_organization(ticket, actor=ana, organization=globex)
        assert everything(ticket) == before


def test_organization_when_switched_off_then_staff_are_told_so(ticket, globex, dan):
    globex.is_active = False
    with pytest.raises(actions.IllegalMove):
        sharing.add_organization(ticket, actor=dan, organization=globex)


def test_organization_when_removed_then_who_saw_by_it_alone_loses_the_ticket(ticket, acme, ana, ben):
    fay = make_user("fay@acme.example", "Fay Fan", acme)
    sharing.follow(ticket, actor=fay)
    assert set(access.losing(ticket, acme)) == {ben}
    assert [access.sees_only_by(acme, person, ticket) for person in (ana, ben, fay)] == [False, True, False]
    sharing.remove_organization(ticket, actor=ben, organization=acme)
    assert (sees(ana, ben, fay, ticket=ticket), history(ticket, ana)[-1]) == ([True, False, True], "removed Acme from the ticket")


def test_organization_when_removed_then_members_of_another_one_keep_the_ticket(ticket, acme, globex, ana, ben, dan):
    Membership.objects.create(user=ben, organization=globex)
    sharing.add_organization(ticket, actor=dan, organization=globex)
    assert list(access.losing(ticket, acme)) == []
    sharing.remove_organization(ticket, actor=ana, organization=acme)
    assert sees(ana, ben, ticket=ticket) == [True, True]


def test_requester_when_own_organization_is_gone_then_adds_it_and_people_again(ticket, acme, ana, ben):
    sharing.remove_organization(ticket, actor=ana, organization=acme)
    sharing.add_follower(ticket, actor=ana, person=ben)
    sharing.add_organization(ticket, actor=ana, organization=acme)
    assert (sees(ana, ben, ticket=ticket), shared_with(ticket)) == ([True, True], ["Acme"])


def test_requester_when_rows_are_deleted_in_the_database_then_still_sees(ticket, ana):
    Follower.objects.all().delete()
    OrganizationShare.objects.all().delete()
    assert sees(ana, ticket=ticket) == [True]


def test_share_when_access_was_lost_meanwhile_then_nothing_is_shared(ticket, acme, globex, ana, ben):
    Membership.objects.create(user=ben, organization=globex)
    sharing.remove_organization(ticket, actor=ana, organization=acme)
    before = everything(ticket)
    for verb in (lambda: sharing.add_organization(ticket, actor=ben, organization=globex), lambda: sharing.follow(ticket, actor=ben)):
        with pytest.raises(Ticket.DoesNotExist):
            verb()
    assert everything(ticket) == before


# --- Customers take away -------------------------------------------------------------------------------------------------------


def test_follower_when_a_customer_removes_them_then_they_lose_the_ticket(ticket, ben, cleo, dan):
    sharing.add_follower(ticket, actor=dan, person=cleo)
    sharing.remove_follower(ticket, actor=ben, person=cleo)
    assert (sees(cleo, ticket=ticket), history(ticket, ben)) == (
        [False],
        ["shared the ticket with Cleo Roy", "removed Cleo Roy from the ticket"],
    )


def test_follower_when_removing_themselves_then_has_left(ticket, ana, cleo, dan):
    sharing.add_follower(ticket, actor=dan, person=cleo)
    sharing.remove_follower(ticket, actor=cleo, person=cleo)
    assert (sees(cleo, ticket=ticket), history(ticket, ana)[-1]) == ([False], "left the ticket")


@pytest.mark.parametrize("who", ["ana", "ben", "dan"])
def test_requester_when_anybody_removes_them_then_is_refused(request, ticket, ana, ben, dan, who):
    before = everything(ticket)
    with pytest.raises(actions.NotAllowed):
        sharing.remove_follower(ticket, actor=request.getfixturevalue(who), person=ana)
    assert everything(ticket) == before


# --- Staff who follow ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lia(acme) -> User:
    """Looks after Acme."""
    acme.delivery_lead = make_user("lia@support.example", "Lia Lead", role=Role.CSM)
    acme.save()
    return acme.delivery_lead


def test_staff_when_they_come_and_go_by_themselves_then_customers_do_not_know(ticket, ana, dan, eve, lia):
    sharing.follow(ticket, actor=dan)
    sharing.add_follower(ticket, actor=dan, person=lia)
    sharing.unfollow(ticket, actor=dan)
    sharing.remove_follower(ticket, actor=eve, person=lia)
    assert (history(ticket, ana), len(history(ticket, dan))) == ([], 4)


def test_staff_who_follow_unseen_when_a_customer_removes_them_then_nothing_happens(ticket, ana, dan):
    sharing.follow(ticket, actor=dan)
    before = everything(ticket)
    sharing.remove_follower(ticket, actor=ana, person=dan)
    assert everything(ticket) == before


@pytest.mark.parametrize("follows", [False, True])
def test_delivery_lead_when_a_customer_brings_them_then_is_seen_and_may_be_removed(ticket, ana, lia, follows):
    if follows:  # which the customer could not know
        sharing.follow(ticket, actor=lia)
    sharing.add_follower(ticket, actor=ana, person=lia)
    assert [row.user for row in access.followers_for(ana, ticket).order_by("pk")] == [ana, lia]
    sharing.remove_follower(ticket, actor=ana, person=lia)
    assert history(ticket, ana) == ["shared the ticket with Lia Lead", "removed Lia Lead from the ticket"]


# --- Following as a member -----------------------------------------------------------------------------------------------------


def test_follower_when_leaving_the_organization_they_followed_as_members_of_then_loses_the_ticket(ticket, ben):
    sharing.follow(ticket, actor=ben)
    Membership.objects.filter(user=ben).delete()
    assert (sees(ben, ticket=ticket), access.is_on(ben, ticket)) == ([False], False)


def test_follower_when_shared_with_them_again_then_nothing_is_news(ticket, ana, ben):
    sharing.follow(ticket, actor=ben)
    before = everything(ticket)
    sharing.add_follower(ticket, actor=ana, person=ben)
    assert everything(ticket) == before


# --- New addresses -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_acme(acme) -> Organization:
    """Its members may invite anybody."""
    acme.invitations_by_members = "anybody"
    acme.save()
    return acme


@pytest.mark.parametrize("address", ["new@else.example", "cleo@globex.example"])
def test_address_when_invited_then_sees_nothing_until_they_are_a_member(ticket, open_acme, ana, cleo, address):
    ticket.share_rows.all().delete()
    sharing.invite_follower(ticket, actor=ana, organization=open_acme, address=address)
    person = User.objects.get(email=address)
    assert (sees(person, ticket=ticket), access.is_on(person, ticket)) == ([False], False)
    (row,) = access.followers_for(ana, ticket).exclude(user=ana).with_newcomers()
    assert (row.name, history(ticket, ana)) == (address.partition("@")[0], [f"shared the ticket with {address.partition('@')[0]}"])
    invitations.accept(Invitation.objects.get(), actor=person, by_link=True)
    assert sees(person, ticket=ticket) == [True]


def test_address_when_the_organization_does_not_allow_it_then_nothing_happens(ticket, acme, ana):
    before = everything(ticket)
    with pytest.raises(actions.NotAllowed):
        sharing.invite_follower(ticket, actor=ana, organization=acme, address="new@else.example")
    assert (everything(ticket), User.objects.filter(email="new@else.example").exists()) == (before, False)


def test_address_when_staff_share_with_its_owner_then_need_not_wait(ticket, open_acme, ana, cleo, dan):
    sharing.invite_follower(ticket, actor=ana, organization=open_acme, address=cleo.email)
    sharing.add_follower(ticket, actor=dan, person=cleo)
    assert (sees(cleo, ticket=ticket), history(ticket, ana)[-1]) == ([True], "shared the ticket with Cleo Roy")


def test_address_when_its_owner_is_removed_before_coming_then_keeps_nothing(ticket, open_acme, ana, cleo):
    sharing.invite_follower(ticket, actor=ana, organization=open_acme, address=cleo.email)
    sharing.remove_follower(ticket, actor=ana, person=cleo)
    ticket.share_rows.all().delete()
    invitations.accept(Invitation.objects.get(), actor=cleo, by_link=True)
    assert (sees(cleo, ticket=ticket), history(ticket, ana)[-1]) == ([False], "removed cleo from the ticket")


# --- Whose it is ---------------------------------------------------------------------------------------------------------------


def test_requester_when_changed_then_the_one_before_obeys_the_rule_again(ticket, acme, ana, ben, dan):
    Ticket.objects.filter(pk=ticket.pk).update(filer=dan)  # so Ana does not become who filed it
    sharing.change_requester(ticket, actor=dan, requester=ben)
    sharing.remove_follower(ticket, actor=ben, person=ana)
    assert sees(ana, ben, ticket=ticket) == [True, True]
    sharing.remove_organization(ticket, actor=ben, organization=acme)
    assert sees(ana, ben, ticket=ticket) == [False, True]


def test_requester_who_followed_as_a_member_then_is_mailed_also_after_leaving(workflow, acme, ana, ben, dan):
    ticket = make_ticket(ana)
    sharing.follow(ticket, actor=ben)
    sharing.change_requester(ticket, actor=dan, requester=ben)
    membership.leave(acme, actor=ben)
    assert Follower.objects.in_force().filter(ticket=ticket, user=ben, is_muted=False).exists()
