"""Leaving an organization takes away what it gave, at once, everywhere."""

from __future__ import annotations

import pytest

from accounts import invitations
from accounts.errors import IllegalMove, NotAllowed
from accounts.models import EmailDomain, Invitation, Membership, Organization, Role, User
from notifications.channels import deliver_due
from notifications.models import Delivery, State
from notifications.relay import relay_waiting
from tests.factories import make_ticket, make_user, message
from tests.tickets.mail.letters import letter, signed_address, take_in
from tickets import access, actions, membership, sharing
from tickets.models import Event, EventKind, Follower, InboundState, OrganizationShare

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(acme):
    boss = make_user("boss@acme.example", "Bea Boss", acme)
    Membership.objects.filter(user=boss).update(is_manager=True)
    return boss


def leaves(person, organization) -> None:
    membership.leave(organization, actor=person)


def removed(person, organization) -> None:
    membership.remove_member(organization, actor=User.objects.get(email="boss@acme.example"), person=person)


def switched_off(_person, organization) -> None:
    membership.switch(organization, actor=User.objects.get(email="dan@support.example"), is_active=False)


WAYS = [leaves, removed, switched_off]


def seen(person) -> set[str]:
    return set(access.tickets_for(person).values_list("subject", flat=True))


@pytest.fixture
def tickets(workflow, acme, globex, ana, ben, cleo, dan, boss):
    """Every way in which Ben, who is in Acme and Globex, sees a ticket."""
    Membership.objects.create(user=ben, organization=globex)
    made = {
        "his own": make_ticket(ben, "his own", share_with=acme),
        "shared": make_ticket(ana, "shared", share_with=acme),
        "shared and followed": make_ticket(ana, "shared and followed", share_with=acme),
        "named": make_ticket(ana, "named", share=False),
        "shared with both": make_ticket(ana, "shared with both", share_with=acme),
        "of the other": make_ticket(cleo, "of the other", share_with=globex),
        "named by the other": make_ticket(cleo, "named by the other", share=False),
        "of nobody": make_ticket(make_user("solo@else.example"), "of nobody"),
    }
    OrganizationShare.objects.create(ticket=made["shared with both"], organization=globex)
    for name in ("shared and followed", "shared with both", "of the other"):
        sharing.follow(made[name], actor=ben)
    for name in ("named", "named by the other", "of nobody"):
        sharing.add_follower(made[name], actor=dan, person=ben)
    return made


STAYS = {"his own", "shared with both", "of the other", "named by the other", "of nobody"}


@pytest.mark.parametrize("way", WAYS)
def test_member_when_out_then_loses_what_the_organization_gave_and_nothing_else(tickets, ben, acme, dan, way):
    assert seen(ben) == set(tickets)
    assert set(membership.given_by(acme, ben).values_list("subject", flat=True)) == set(tickets) - STAYS
    way(ben, acme)
    assert seen(ben) == STAYS
    assert set(Follower.objects.filter(user=ben).values_list("ticket__subject", flat=True)) == STAYS


@pytest.mark.parametrize("way", WAYS)
def test_ticket_when_a_follower_is_taken_off_then_its_history_says_so_once(tickets, ben, acme, way):
    before = Event.objects.count()
    way(ben, acme)
    events = Event.objects.filter(pk__gt=0, kind=EventKind.FOLLOWER_REMOVED)
    assert (sorted(event.ticket.subject for event in events), Event.objects.count() - before) == (["named", "shared and followed"], 2)


@pytest.mark.parametrize("way", WAYS)
def test_mail_when_queued_before_then_is_not_sent(tickets, ben, acme, dan, way, mailoutbox):
    relay_waiting()
    deliver_due()
    mailoutbox.clear()
    actions.comment(tickets["shared and followed"], actor=dan, message=message("Try again."))
    relay_waiting()
    way(ben, acme)
    deliver_due()
    assert Delivery.objects.filter(recipient=ben, state=State.QUEUED).count() == 0
    assert "ben@acme.example" not in {address for mail in mailoutbox for address in mail.recipients()}


@pytest.mark.parametrize("way", WAYS)
def test_reply_address_when_the_membership_ended_then_publishes_nothing(tickets, ben, acme, way):
    ticket = tickets["shared and followed"]
    address = signed_address(ticket, ben)
    way(ben, acme)
    before = ticket.comments.count()
    held = take_in(letter("ben@acme.example", to=address))
    assert (held.state, ticket.comments.count()) == (InboundState.HELD, before)


def test_account_when_disabled_then_sees_nothing_at_once(tickets, ben):
    User.objects.filter(pk=ben.pk).update(is_active=False)
    ben.refresh_from_db()
    assert seen(ben) == set()


@pytest.mark.parametrize("way", [removed, switched_off])
def test_member_when_taken_out_while_disabled_then_gets_nothing_back_by_being_enabled(tickets, ben, acme, way):
    User.objects.filter(pk=ben.pk).update(is_active=False)
    way(User.objects.get(pk=ben.pk), acme)
    User.objects.filter(pk=ben.pk).update(is_active=True)
    assert seen(User.objects.get(pk=ben.pk)) == STAYS


def test_member_when_out_then_is_found_by_nobody_there(tickets, ana, ben, acme):
    leaves(ben, acme)
    assert (ben in access.findable_by(ana), ana in access.findable_by(ben)) == (False, False)


def test_member_when_out_then_no_invitation_that_they_made_lets_them_back_in(boss, ana, acme):
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    backdoor = invitations.invite(actor=ana, organization=acme, address="ana.private@acme.example")
    removed(ana, acme)
    assert not Invitation.objects.open().filter(pk=backdoor.pk).exists()
    with pytest.raises(IllegalMove):
        invitations.accept(backdoor, actor=backdoor.person, by_link=True)


def test_manager_when_leaving_and_coming_back_then_is_none(boss, acme, dan):
    leaves(boss, acme)
    invitation = invitations.invite(actor=dan, organization=acme, address=boss.email)
    invitations.accept(invitation, actor=boss, by_link=True)
    assert Membership.objects.values_list("is_active", "is_manager").get(user=boss) == (True, False)


def test_organization_when_switched_on_again_then_has_its_members(ana, dan, acme):
    switched_off(ana, acme)
    membership.switch(acme, actor=dan, is_active=True)
    assert list(ana.active_organizations()) == [acme]


def test_guess_when_removed_then_never_begins(boss, acme):
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    guessed = User.objects.admit("new@acme.example")
    removed(guessed, acme)
    from accounts.proof import prove_address

    prove_address(guessed)
    assert list(guessed.active_organizations()) == []


DEEDS = {
    "remove": lambda actor, acme, ben: membership.remove_member(acme, actor=actor, person=ben),
    "promote": lambda actor, acme, ben: membership.set_manager(acme, actor=actor, person=ben, is_manager=True),
    "switch": lambda actor, acme, ben: membership.switch(acme, actor=actor, is_active=False),
    "add": lambda actor, acme, ben: membership.add_member(acme, actor=actor, person=User.objects.get(email="cleo@globex.example")),
}


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        ("ana", ""),
        ("cleo", ""),
        ("boss", "remove promote"),
        ("dan", "remove promote switch add"),
        ("csm", ""),
        ("lead", "remove promote switch add"),
        ("gone", ""),
    ],
)
def test_deeds_when_done_then_by_whom_they_are_allowed(request, workflow, boss, acme, ben, cleo, who, allowed):
    from django.db import transaction

    from accounts.proof import prove_address

    prove_address(cleo)
    if who in ("csm", "lead"):
        actor = make_user("csm@support.example", role=Role.CSM)
        Organization.objects.filter(pk=acme.pk).update(delivery_lead=actor if who == "lead" else None)
    elif who == "gone":
        actor = make_user("gone@acme.example", organization=acme)
        Membership.objects.filter(user=actor).update(is_manager=True, is_active=False)
    else:
        actor = request.getfixturevalue(who)
    acme.refresh_from_db()
    done = []
    for name, deed in DEEDS.items():
        with transaction.atomic():
            try:
                deed(actor, acme, ben)
                done.append(name)
            except NotAllowed:
                pass
            transaction.set_rollback(True)
    assert done == allowed.split()
