"""What is mailed when a ticket is shared; and that what was queued for somebody who lost the ticket is never sent (VI20)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import Invitation, Membership, User
from notifications import digest, preferences
from notifications.channels import deliver_due
from notifications.models import Delivery, Kind, Level, State
from notifications.relay import relay_waiting
from tests.factories import make_ticket, make_user, message
from tickets import actions, sharing
from tickets.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(workflow, ana, ben, dan):
    """Ana's, in Acme; Ben follows it as a member, Cleo because staff shared it with her. Long ago."""
    ticket = make_ticket(ana)
    sharing.follow(ticket, actor=ben)
    sharing.add_follower(ticket, actor=dan, person=make_user("cleo@globex.example", "Cleo Roy"))
    relay_waiting()
    Delivery.objects.all().delete()
    Event.objects.update(at=F("at") - timedelta(hours=1))
    return ticket


@pytest.fixture
def cleo(ticket) -> User:
    return User.objects.get(email="cleo@globex.example")


LOSSES = {
    "removed": lambda ticket, ana, cleo: sharing.remove_follower(ticket, actor=ana, person=cleo),
    "left": lambda ticket, ana, cleo: sharing.remove_follower(ticket, actor=cleo, person=cleo),
}
MEMBER_LOSSES = {
    "left the organization": lambda ticket, acme, ben: Membership.objects.filter(user=ben).delete(),
    "organization is switched off": lambda ticket, acme, ben: type(acme).objects.update(is_active=False),
    "organization and follower removed": lambda ticket, acme, ben: (
        sharing.remove_organization(ticket, actor=ben, organization=acme),
        sharing.remove_follower(ticket, actor=ben, person=ben),
    ),
}


def states(person: User) -> list[str]:
    return list(Delivery.objects.filter(recipient=person).order_by("id").values_list("state", flat=True))


def say(ticket, dan, *texts: str) -> None:
    for text in texts:
        actions.comment(ticket, actor=dan, message=message(text))
        relay_waiting()


@pytest.mark.parametrize("loss", LOSSES)
def test_mail_when_queued_and_the_follower_goes_then_is_not_sent(ticket, sink, ana, cleo, dan, loss):
    say(ticket, dan, "Secret answer.")
    LOSSES[loss](ticket, ana, cleo)
    relay_waiting()
    deliver_due()
    assert (states(cleo), cleo.email in sink.recipients, ana.email in sink.recipients) == ([State.CANCELLED], False, True)


@pytest.mark.parametrize("loss", MEMBER_LOSSES)
def test_mail_when_queued_and_a_member_loses_the_ticket_then_is_not_sent(ticket, sink, acme, ana, ben, dan, loss):
    say(ticket, dan, "Secret answer.")
    MEMBER_LOSSES[loss](ticket, acme, ben)
    deliver_due()
    assert (states(ben), ben.email in sink.recipients, ana.email in sink.recipients) == ([State.CANCELLED], False, True)


def test_mail_when_the_organization_goes_then_who_follows_still_gets_it(ticket, sink, acme, ana, ben, dan):
    say(ticket, dan, "An answer.")
    sharing.remove_organization(ticket, actor=ana, organization=acme)
    deliver_due()
    assert (states(ben), ben.email in sink.recipients) == ([State.SENT], True)


def test_mail_of_several_when_queued_and_the_follower_goes_then_none_of_it_is_sent(ticket, sink, settings, ana, cleo, dan):
    settings.MERGE_SECONDS = 60
    say(ticket, dan, "One.", "Two.")
    assert states(cleo) == [State.QUEUED, State.MERGED]
    sharing.remove_follower(ticket, actor=ana, person=cleo)
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=5))
    deliver_due()
    assert (states(cleo), cleo.email in sink.recipients, ana.email in sink.recipients) == ([State.CANCELLED, State.MERGED], False, True)


@pytest.mark.parametrize("is_made", [False, True])
def test_digest_when_collected_or_made_and_the_follower_goes_then_is_not_sent(ticket, sink, ana, cleo, dan, is_made):
    preferences.choose(cleo, Level.DIGEST)
    say(ticket, dan, "Secret answer.")
    Delivery.objects.update(created_at=F("created_at") - timedelta(days=2))
    if is_made:
        assert digest.make_due() == 1
    sharing.remove_follower(ticket, actor=ana, person=cleo)
    digest.make_due()
    deliver_due()
    assert cleo.email not in sink.recipients
    assert Delivery.objects.filter(recipient=cleo, state=State.SENT).count() == 0


def test_share_when_with_a_person_then_mails_that_one_once(ticket, sink, acme, ana, dan):
    gus = make_user("gus@acme.example", "Gus Few", acme)
    for _ in range(2):
        sharing.add_follower(ticket, actor=ana, person=gus)
    relay_waiting()
    deliver_due()
    assert list(Delivery.objects.values_list("recipient__name", "kind")) == [("Gus Few", Kind.SHARED)]


def test_share_when_with_an_organization_or_taken_away_then_mails_nobody(ticket, globex, acme, ana, dan, cleo):
    make_user("gil@globex.example", organization=globex)
    sharing.add_organization(ticket, actor=dan, organization=globex)
    sharing.remove_organization(ticket, actor=ana, organization=globex)
    sharing.remove_follower(ticket, actor=ana, person=cleo)
    sharing.remove_organization(ticket, actor=ana, organization=acme)
    relay_waiting()
    assert Delivery.objects.count() == 0


def test_address_when_invited_with_the_ticket_then_gets_the_invitation_and_nothing_of_the_ticket(ticket, sink, acme, ana, dan):
    acme.invitations_by_members = "anybody"
    acme.save()
    ticket.share_rows.all().delete()
    sharing.invite_follower(ticket, actor=ana, organization=acme, address="new@else.example")
    say(ticket, dan, "Secret answer.")
    relay_waiting()
    deliver_due()
    told = Delivery.objects.filter(recipient__email="new@else.example").exclude(kind__in=("invitation",))
    assert (list(told), Invitation.objects.count()) == ([], 1)
    assert all("Secret answer." not in str(mail) for to, mail in sink.mails if to == ["new@else.example"])
