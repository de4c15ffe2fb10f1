"""What the database itself refuses."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AgentGroup, EmailDomain, Membership, Organization, Role, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def _refused(make) -> bool:
    try:
        with transaction.atomic():
            make()
    except IntegrityError:
        return True
    return False


def test_address_when_taken_then_second_account_is_refused(ana):
    assert _refused(lambda: User.objects.create(email=ana.email))


def test_membership_when_it_stands_then_second_is_refused(ana, acme):
    assert _refused(lambda: Membership.objects.create(user=ana, organization=acme))


def test_organization_name_when_taken_then_second_is_refused(acme):
    assert _refused(lambda: Organization.objects.create(name="Acme"))


def test_domain_when_taken_then_second_is_refused(acme, globex):
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    assert _refused(lambda: EmailDomain.objects.create(organization=globex, domain="acme.example"))


def test_default_group_when_there_is_one_then_second_is_refused(workflow):
    assert AgentGroup.objects.filter(is_default=True).count() == 1
    assert _refused(lambda: AgentGroup.objects.create(name="Another", is_default=True))


@pytest.mark.parametrize(
    ("role", "is_active", "is_staff", "is_admin"),
    [
        (Role.CUSTOMER, True, False, False),
        (Role.AGENT, True, True, False),
        (Role.CSM, True, True, False),
        (Role.ADMIN, True, True, True),
        (Role.ADMIN, False, False, False),
        (Role.AGENT, False, False, False),
    ],
)
def test_role_when_account_is_active_then_opens_desk_and_admin(role, is_active, is_staff, is_admin):
    person = User(email="p@x.example", role=role, is_active=is_active)
    rights = (person.is_staff, person.is_admin, person.has_perm("tickets.add_ticket"), person.has_module_perms("tickets"))
    assert rights == (is_staff, is_admin, is_admin, is_admin)


def test_person_without_password_when_made_then_has_no_usable_one():
    assert not User.objects.create_user("new@x.example").has_usable_password()


@pytest.mark.parametrize(
    ("name", "email", "shown", "initials"),
    [
        ("Ana Ford", "ana@acme.example", "Ana Ford", "AF"),
        ("", "ana.ford@acme.example", "ana.ford", "AF"),
        ("Ana", "ana@acme.example", "Ana", "A"),
        ("...", "ana@acme.example", "...", "?"),
        ("Ana van der Ford", "a@acme.example", "Ana van der Ford", "AF"),
    ],
)
def test_person_when_shown_then_address_stays_unsaid(name, email, shown, initials):
    person = User(email=email, name=name)
    assert (str(person), person.initials) == (shown, initials)


def test_organization_when_inactive_then_is_nobodys(ana, acme):
    Organization.objects.filter(pk=acme.pk).update(is_active=False)
    assert list(ana.active_organizations()) == []


def test_staff_when_disabled_then_are_not_listed():
    here, gone = make_user("here@support.example", role=Role.AGENT), make_user("gone@support.example", role=Role.AGENT)
    make_user("ana@acme.example")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert list(User.objects.active_staff()) == [here]
