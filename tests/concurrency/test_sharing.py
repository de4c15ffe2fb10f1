"""A ticket's people changed by several at once: nothing fails, nothing is there twice, everybody is mailed once (RA07)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event as Started
from time import sleep

import pytest
from django.db import connections, transaction
from django.test import Client

from notifications.models import Delivery, Kind
from notifications.relay import relay_waiting
from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_ticket, message
from tickets import actions, membership, sharing
from tickets.locking import hold_memberships, lock
from tickets.models import Event, Follower, OrganizationShare, Ticket

pytestmark = marks


@pytest.fixture
def ticket(workflow, ana, dan):
    ticket = make_ticket(ana)
    relay_waiting()
    Delivery.objects.all().delete()
    return ticket


def test_person_when_shared_with_by_many_at_once_then_is_there_once_and_mailed_once(ticket, ana, ben, dan):
    works = [lambda who=who: sharing.add_follower(ticket, actor=who, person=ben) for who in (ana, dan) * 5]
    works += [lambda: sharing.follow(ticket, actor=ben)] * 2
    assert errors(at_once(works)) == []
    at_once([relay_waiting] * 3)
    relay_waiting()
    told = Delivery.objects.filter(recipient=ben, kind=Kind.SHARED).count()
    assert (Follower.objects.filter(user=ben).count(), Event.objects.filter(kind="follower_added").count(), told) == (1, 1, 1)


def test_form_when_sent_ten_times_at_once_then_no_page_fails(ticket, ana, ben):
    clients = [Client() for _ in range(10)]
    for client in clients:
        client.force_login(ana)
    works = [lambda client=client: client.post(f"/tickets/{ticket.number}/share/", {"person": ben.pk}).status_code for client in clients]
    assert at_once(works) == [302] * 10
    assert (Follower.objects.filter(user=ben).count(), Event.objects.filter(kind="follower_added").count()) == (1, 1)


def test_organization_when_shared_and_taken_away_at_once_then_history_tells_what_is(ticket, globex, ana, dan, eve):
    works = [lambda who=who: sharing.add_organization(ticket, actor=who, organization=globex) for who in (dan, eve) * 3]
    works += [lambda: sharing.remove_organization(ticket, actor=ana, organization=globex)] * 3
    assert errors(at_once(works)) == []
    kinds = list(Event.objects.filter(kind__startswith="organization").order_by("pk").values_list("kind", flat=True))
    assert kinds == ["organization_added", "organization_removed"] * (len(kinds) // 2) + ["organization_added"] * (len(kinds) % 2)
    assert OrganizationShare.objects.filter(organization=globex).count() == len(kinds) % 2


def test_member_when_the_organization_is_removed_while_they_act_then_is_shut_out_or_came_first(ticket, acme, ana, ben):
    """Whoever is second looks again under the lock: nobody follows whom the removal has shut out."""
    works = [lambda: sharing.remove_organization(ticket, actor=ana, organization=acme), lambda: sharing.follow(ticket, actor=ben)]
    failed = errors(at_once(works))
    assert [type(error) for error in failed] in ([], [Ticket.DoesNotExist])
    assert Follower.objects.filter(user=ben).exists() == (not failed)


WAYS = {
    "sharing": lambda ticket, ana, ben: sharing.add_follower(ticket, actor=ana, person=ben),
    "naming": lambda ticket, ana, ben: actions.comment(ticket, actor=ana, message=message("@Ben, look.")),
    "filing": lambda ticket, ana, ben: make_ticket(ana, share=False, people=[ben]),
}


@pytest.mark.parametrize("way", WAYS)
def test_member_when_shared_with_at_the_moment_of_leaving_then_does_not_follow(ticket, acme, ana, ben, way):
    """The sharing waits for the leaving, which has not come to its end, and then looks again."""

    def shared() -> None:
        try:
            WAYS[way](ticket, ana, ben)
        finally:
            connections.close_all()

    sharing.remove_organization(ticket, actor=ana, organization=acme)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            membership.leave(acme, actor=ben)
            done = pool.submit(shared)
            wait([done], timeout=1)
        assert type(done.exception()) is (type(None) if way == "naming" else actions.NotAllowed)
    assert (Follower.objects.filter(user=ben).exists(), "named" in Event.objects.latest("pk").data) == (False, False)


@pytest.mark.parametrize("way", WAYS)
def test_member_when_the_organization_is_switched_off_as_they_are_shared_with_then_does_not_follow(ticket, acme, ana, ben, dan, way):
    """The switching off waits for the sharing, and takes it back with all else."""

    def switched_off() -> None:
        try:
            membership.switch(acme, actor=dan, is_active=False)
        finally:
            connections.close_all()

    sharing.remove_organization(ticket, actor=ana, organization=acme)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            WAYS[way](ticket, ana, ben)
            done = pool.submit(switched_off)
            wait([done], timeout=1)
        assert done.exception() is None
    assert not Follower.objects.filter(user=ben).exists()


@pytest.mark.parametrize("way", WAYS)
def test_member_when_leaving_at_the_moment_of_being_shared_with_then_does_not_follow(ticket, acme, ana, ben, way):
    """The leaving waits for the sharing, and takes it back with all else."""

    def left() -> None:
        try:
            membership.leave(acme, actor=ben)
        finally:
            connections.close_all()

    sharing.remove_organization(ticket, actor=ana, organization=acme)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            WAYS[way](ticket, ana, ben)
            done = pool.submit(left)
            wait([done], timeout=1)
        assert done.exception() is None
    assert not Follower.objects.filter(user=ben).exists()


@pytest.mark.parametrize("way", [membership.leave, membership.switch])
def test_member_when_shut_out_while_somebody_shares_what_they_follow_then_nobody_fails(ticket, acme, ana, ben, dan, way):
    """Both lock the ticket first and the membership then: the other way round each would wait for the other."""
    sharing.add_follower(ticket, actor=ana, person=ben)
    locked = Started()

    @transaction.atomic
    def share() -> None:
        lock(ticket, ana)
        locked.set()
        sleep(0.5)
        hold_memberships([ben])

    def shut_out() -> None:
        locked.wait(timeout=20)
        way(acme, **({"actor": ben} if way == membership.leave else {"actor": dan, "is_active": False}))

    assert errors(at_once([share, shut_out])) == []
    assert not Follower.objects.filter(user=ben).exists()
