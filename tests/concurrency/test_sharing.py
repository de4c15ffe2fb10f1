"""A ticket's people changed by several at once: nothing fails, nothing is there twice, everybody is mailed once (RA07)."""

from __future__ import annotations

import pytest
from django.test import Client

from notifications.models import Delivery, Kind
from notifications.relay import relay_waiting
from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_ticket
from tickets import sharing
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
