"""Nobody sees what is not theirs, by any door: after any course of sharing, following, joining, leaving and taking away, each person finds the same
tickets in the list, on the pages, in files, search, related tickets and mail; and may find the same people wherever names are completed.

What they should find is worked out here from the bare rows, in the words of MISSION.md's access rule, without a line of `tickets.access`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.errors import DomainError
from accounts.models import Membership, Organization, Role, User
from notifications.models import Delivery
from notifications.relay import relay_waiting
from tests.factories import make_ticket, make_user, message, new_file
from tickets import actions, membership, sharing
from tickets.models import Attachment, Channel, Follower, OrganizationShare, Ticket
from tickets.search.indexing import index_waiting

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.django_db, pytest.mark.dear]

# Each ticket's first message has these words and one of its own, so that search and related tickets have something to leak.
WORDS = "player stays blank after update of browser"
_names = count()


@dataclass(frozen=True)
class World:
    people: list[User]
    organizations: list[Organization]
    tickets: list[Ticket]


@pytest.fixture
def world(workflow, acme, globex, ana, ben, cleo, solo, dan) -> World:
    """Ana and Ben of Acme, Cleo of Globex, Uma of both, solo of none; a ticket of each of four of them, Ana's filed by the CSM."""
    acme.delivery_lead = make_user("carla@support.example", "Carla Lead", role=Role.CSM)
    acme.save()
    uma = make_user("uma@both.example", "Uma Both", acme)
    Membership.objects.create(user=uma, organization=globex)
    filed = {ana: acme.delivery_lead}
    tickets = [
        make_ticket(
            person,
            f"{WORDS} nr{number}",
            actor=filed.get(person, person),
            message=message(f"{WORDS} token{number}x", files=(new_file(f"file{number}.txt"),)),
        )
        for number, person in enumerate((ana, cleo, uma, solo))
    ]
    for ticket in tickets:
        actions.add_note(ticket, actor=dan, message=message(f"{WORDS} secret", channel=Channel.DESK, files=(new_file("secret.txt"),)))
    return World([ana, ben, cleo, solo, uma], [acme, globex], tickets)


# --- What may happen ------------------------------------------------------------------------------------------------------------


def _join(world: World, person: User, organization: Organization) -> None:
    Membership.objects.get_or_create(user=person, organization=organization)


DEEDS: dict[str, Callable[[World, User, User, Organization, Ticket], object]] = {
    "follow": lambda world, actor, person, organization, ticket: sharing.follow(ticket, actor=actor),
    "unfollow": lambda world, actor, person, organization, ticket: sharing.unfollow(ticket, actor=actor),
    "share": lambda world, actor, person, organization, ticket: sharing.add_follower(ticket, actor=actor, person=person),
    "share with organization": lambda world, actor, person, organization, ticket: sharing.add_organization(
        ticket, actor=actor, organization=organization
    ),
    "remove": lambda world, actor, person, organization, ticket: sharing.remove_follower(ticket, actor=actor, person=person),
    "remove organization": lambda world, actor, person, organization, ticket: sharing.remove_organization(
        ticket, actor=actor, organization=organization
    ),
    "name": lambda world, actor, person, organization, ticket: actions.comment(
        ticket, actor=actor, message=message(f"@{person.name} look at this")
    ),
    "join": lambda world, actor, person, organization, ticket: _join(world, person, organization),
    "leave": lambda world, actor, person, organization, ticket: membership.leave(organization, actor=person),
    "switch off": lambda world, actor, person, organization, ticket: Organization.objects.filter(pk=organization.pk).update(
        is_active=False
    ),
    "switch on": lambda world, actor, person, organization, ticket: Organization.objects.filter(pk=organization.pk).update(is_active=True),
    "spam": lambda world, actor, person, organization, ticket: actions.change_status(
        ticket, actor=User.objects.get(email="dan@support.example"), status=actions.default_status(actions.Category.SPAM)
    ),
}
COURSES = st.lists(
    st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 4), st.integers(0, 4), st.integers(0, 1), st.integers(0, 3)), max_size=12
)


def happen(world: World, course: list[tuple[str, int, int, int, int]]) -> None:
    """What is refused does not happen."""
    for deed, actor, person, organization, ticket in course:
        people = [User.objects.get(pk=one.pk) for one in world.people]
        subject = Ticket.objects.get(pk=world.tickets[ticket].pk)
        try:
            with transaction.atomic():
                DEEDS[deed](
                    world, people[actor], people[person], Organization.objects.get(pk=world.organizations[organization].pk), subject
                )
        except (DomainError, Ticket.DoesNotExist):
            pass


# --- What should be seen --------------------------------------------------------------------------------------------------------


def teams(person: User) -> set[int]:
    rows = Membership.objects.filter(user=person, is_active=True).select_related("organization")
    return {row.organization_id for row in rows if row.organization.is_active}


def rule(person: User, ticket: Ticket) -> bool:
    """Requester or filer, or a follower, or an active member of an organization that the ticket is shared with."""
    if person.pk in (ticket.requester_id, ticket.filer_id):
        return True
    row = Follower.objects.filter(ticket=ticket, user=person).first()
    if row and (row.through_id is None or row.through_id in teams(person)):  # following as a member ends with the membership
        return True
    return bool(teams(person) & set(OrganizationShare.objects.filter(ticket=ticket).values_list("organization", flat=True)))


def known_people(person: User) -> set[str]:
    mine = teams(person)
    team = {row.user for row in Membership.objects.filter(organization__in=mine, is_active=True).select_related("user")}
    leads = {one.delivery_lead for one in Organization.objects.filter(pk__in=mine).select_related("delivery_lead")}
    return {one.name for one in team | leads if one and one != person}


# --- The doors ------------------------------------------------------------------------------------------------------------------


def numbers(html: str) -> set[int]:
    return {int(found) for found in re.findall(r"/tickets/(\d+)/", html)}


def page(client, name: str, *args: object, **query: str) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def is_open(client, path: str) -> bool:
    answer = client.get(path)
    if answer.streaming:  # a download keeps its file open until its end
        list(answer)
    return answer.status_code == 200


def doors(client, world: World) -> dict[str, set[int]]:
    """The numbers of the tickets that whoever is logged in finds behind each."""
    files = {file.pk: file for file in Attachment.objects.filter(comment__ticket__in=world.tickets).select_related("comment")}
    opened = {pk for pk, file in files.items() if is_open(client, reverse("attachment", args=[pk, file.name]))}
    assert not [files[pk] for pk in opened if files[pk].comment.is_internal]
    related = client.post(reverse("ticket_similar"), {"subject": WORDS, "text": WORDS})
    assert related.status_code == 200
    return {
        "list": numbers(page(client, "tickets", show="all", whose="any")),
        "search": numbers(page(client, "tickets", q="player blank")),
        "page": {one.pk for one in world.tickets if is_open(client, reverse("ticket", args=[one.pk]))},
        "file": {files[pk].comment.ticket_id for pk in opened},
        "related": numbers(related.content.decode()),
    }


def mailed(person: User, ticket: Ticket) -> bool:
    """Whether a word of support's on it, now, makes a mail for this person."""
    agent = User.objects.get(email="dan@support.example")
    said = actions.comment(ticket, actor=agent, message=message("We look.", channel=Channel.DESK))
    relay_waiting()
    return Delivery.objects.filter(event__comment=said, recipient=person).exists()


@hypothesis_settings(
    max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(course=COURSES)
def test_every_door_shows_the_same(client, world, course):
    with transaction.atomic():
        happen(world, course)
        index_waiting(most=100)
        for person in (User.objects.get(pk=one.pk) for one in world.people):
            cache.clear()  # the limits of how often, as one person asks here what many would in a day
            tickets = list(Ticket.objects.filter(pk__in=[one.pk for one in world.tickets]))
            visible = {ticket.pk for ticket in tickets if rule(person, ticket)}
            client.force_login(person)
            found = doors(client, world)
            not_spam = {ticket.pk for ticket in tickets if not ticket.is_spam}
            assert found == {"list": visible, "search": visible, "page": visible, "file": visible, "related": visible & not_spam}
            finds = {one["name"] for one in client.get(reverse("people_find"), {"q": ""}).json()["people"]}
            names = {one["name"] for one in client.get(reverse("nameable")).json()["people"]}
            assert (finds, names) == (known_people(person), known_people(person))
        for ticket in Ticket.objects.filter(pk__in=[one.pk for one in world.tickets]).exclude(category="spam"):
            followers = {row.user_id for row in Follower.objects.filter(ticket=ticket, is_muted=False)}
            for person in (User.objects.get(pk=one.pk) for one in world.people):
                assert mailed(person, ticket) == (person.pk in followers and rule(person, ticket))
        transaction.set_rollback(True)
