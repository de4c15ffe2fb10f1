"""Who has a part in a ticket, and who may change that."""

from __future__ import annotations

import pytest

from accounts.models import Membership
from tests.factories import make_ticket
from tests.tickets.test_actions import everything, kinds
from tickets import access, actions, sharing
from tickets.models import Ticket

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
