"""One invitation accepted twice at once, one address invited twice at once, and leaving while somebody is named."""

from __future__ import annotations

import pytest

from accounts import invitations
from accounts.errors import IllegalMove
from accounts.models import EmailDomain, Invitation, Membership, User
from notifications import relay
from notifications.models import Delivery
from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_ticket
from tickets import membership
from tickets.models import Follower

pytestmark = marks


@pytest.fixture
def acme(acme):
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    return acme


def test_invitation_when_accepted_twice_at_once_then_one_wins(ana, acme):
    invitation = invitations.invite(actor=ana, organization=acme, address="new@acme.example")

    def accept() -> Membership:
        return invitations.accept(Invitation.objects.get(), actor=User.objects.get(pk=invitation.person_id), by_link=True)

    answers = at_once([accept] * 4)
    assert [type(error) for error in errors(answers)] == [IllegalMove] * 3
    assert Membership.objects.filter(user=invitation.person_id, is_active=True).count() == 1


def test_invitation_when_accepted_and_taken_back_at_once_then_one_wins(ana, acme):
    invitation = invitations.invite(actor=ana, organization=acme, address="new@acme.example")
    works = [
        lambda: invitations.accept(Invitation.objects.get(), actor=User.objects.get(pk=invitation.person_id), by_link=True),
        lambda: invitations.revoke(Invitation.objects.get(), actor=User.objects.get(pk=ana.pk)),
    ]
    answers = at_once(works)
    invitation.refresh_from_db()
    assert [type(error) for error in errors(answers)] == [IllegalMove]
    assert Membership.objects.filter(user=invitation.person_id, is_active=True).exists() == bool(invitation.accepted_at)


def test_address_when_invited_twice_at_once_then_is_invited_once(ana, ben, acme):
    works = [lambda who=who: invitations.invite(actor=who, organization=acme, address="new@acme.example") for who in (ana, ben)]
    assert (errors(at_once(works)), Invitation.objects.count(), User.objects.filter(email="new@acme.example").count()) == ([], 1, 1)


def test_relays_when_run_at_once_then_make_each_invitations_mail_once(ana, acme):
    for number in range(5):
        invitations.invite(actor=ana, organization=acme, address=f"new{number}@acme.example")
    answers = at_once([relay.relay_invitations] * 3)
    assert (errors(answers), sum(answers), Delivery.objects.count()) == ([], 5, 5)


def test_member_when_removed_twice_at_once_then_goes_once(workflow, ana, ben, acme, dan):
    from tickets import sharing

    ticket = make_ticket(ana)
    sharing.follow(ticket, actor=ben)
    answers = at_once([lambda: membership.remove_member(acme, actor=dan, person=ben)] * 2)
    assert [type(error) for error in errors(answers)] == [IllegalMove]
    assert not Follower.objects.filter(user=ben).exists()
