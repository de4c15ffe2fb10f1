"""The link that sets a password: for whom, how long, and what ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import EmailDomain, Membership, User
from accounts.proof import prove_address, set_password_path
from accounts.tokens import SetPasswordTokens
from tests.factories import make_user

pytestmark = pytest.mark.django_db
HOUR, WEEK, MINUTE = timedelta(hours=1), timedelta(days=7), timedelta(minutes=1)


def issue(user: User) -> str:
    """The token in a new link, as it stands in the mail."""
    return set_password_path(user).rstrip("/").partition("key/")[2].partition("-")[2]


def opens(user: User, token: str | None) -> bool:
    return SetPasswordTokens().check_token(User.objects.get(pk=user.pk), token)


@pytest.fixture
def newcomer():
    return User.objects.create_user("new@acme.example")


@pytest.mark.parametrize(
    ("has_password", "later", "works"),
    [
        (True, HOUR - MINUTE, True),
        (True, HOUR + MINUTE, False),
        (False, HOUR + MINUTE, True),
        (False, WEEK - MINUTE, True),
        (False, WEEK + MINUTE, False),
    ],
)
def test_link_when_time_passes_then_ends_after_an_hour_or_a_week(ana, newcomer, has_password, later, works):
    person = ana if has_password else newcomer
    token = issue(person)
    with time_machine.travel(timezone.now() + later, tick=False):
        assert opens(person, token) is works


def test_link_when_newer_one_is_issued_then_dies(newcomer):
    older = issue(newcomer)
    newer = issue(newcomer)
    assert (opens(newcomer, older), opens(newcomer, newer)) == (False, True)


def test_link_when_used_then_dies(ana):
    token = issue(ana)
    assert opens(ana, token)
    ana.set_password("another horse battery")
    ana.save(update_fields=["password"])
    assert not opens(ana, token)


@pytest.mark.parametrize("change", [{"email": "other@acme.example"}, {"is_active": False}])
def test_link_when_address_or_account_changes_then_dies(ana, change):
    token = issue(ana)
    User.objects.filter(pk=ana.pk).update(**change)
    assert not opens(ana, token)


def test_link_when_it_is_somebody_elses_then_does_not_open(ana, ben):
    issue(ben)
    assert not opens(ben, issue(ana))


@pytest.mark.parametrize(
    "nonsense", ["", " ", "\0", "%00", "-", "0-", "x" * 10_000, f"{'9' * 10_000}-{'a' * 64}", None, "set-password", "ß-ß"]
)
def test_link_when_nonsense_then_opens_nobody(newcomer, nonsense):
    issue(newcomer)
    assert not opens(newcomer, nonsense)


def test_link_when_nobody_is_meant_then_does_not_open(ana):
    assert not SetPasswordTokens().check_token(None, issue(ana))


def test_address_when_proven_then_only_memberships_that_waited_begin(acme, globex):
    person = make_user("new@acme.example")
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    Membership.objects.create(user=person, organization=acme, is_active=False, awaits_proof=True)
    Membership.objects.create(user=person, organization=globex, is_active=False)
    prove_address(person)
    assert list(person.active_organizations()) == [acme]


def test_address_when_its_domain_is_no_longer_the_organizations_then_nothing_begins(acme):
    person = make_user("new@acme.example")
    Membership.objects.create(user=person, organization=acme, is_active=False, awaits_proof=True)
    prove_address(person)
    assert list(person.active_organizations()) == []


def test_address_when_proven_twice_then_first_moment_stays(ana):
    prove_address(ana)
    first = ana.proven_at
    prove_address(ana)
    ana.refresh_from_db()
    assert ana.proven_at == first


def test_membership_when_guessed_after_the_proof_then_does_not_begin_by_itself(ana, globex):
    prove_address(ana)
    Membership.objects.create(user=ana, organization=globex, is_active=False, awaits_proof=True)
    prove_address(ana)
    assert not Membership.objects.get(user=ana, organization=globex).is_active
