"""Who may invite whom, what an invitation gives, and that nobody learns who has an account."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import invitations
from accounts.errors import DomainError, IllegalMove, NotAllowed
from accounts.models import EmailDomain, Invitation, Inviters, Membership, Organization, Role, User
from accounts.proof import prove_address
from tests.factories import make_user

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=11)


@pytest.fixture
def acme(acme):
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    return acme


@pytest.fixture
def csm():
    return make_user("csm@support.example", "Clara Csm", role=Role.CSM)


def choose(organization: Organization, who: Inviters) -> None:
    Organization.objects.filter(pk=organization.pk).update(invitations_by_members=who)
    organization.refresh_from_db()


def said(deed) -> str:
    """What the verb answers: the kind of its error, or nothing."""
    try:
        deed()
    except DomainError as error:
        return type(error).__name__
    return ""


@pytest.mark.parametrize(
    ("policy", "address", "answer"),
    [
        (Inviters.NOBODY, "new@acme.example", "NotAllowed"),
        (Inviters.DOMAINS, "new@acme.example", ""),
        (Inviters.DOMAINS, " NEW@Acme.Example ", ""),
        (Inviters.DOMAINS, "new@else.example", "NotAllowed"),
        (Inviters.DOMAINS, "new@sub.acme.example", "NotAllowed"),
        (Inviters.DOMAINS, "new@acme.example.evil.example", "NotAllowed"),
        (Inviters.DOMAINS, "new@acme.example.", "IllegalMove"),
        (Inviters.DOMAINS, "new@acm\u0435.example", "IllegalMove"),
        (Inviters.DOMAINS, "new@\u212acme.example", "IllegalMove"),
        (Inviters.ANYBODY, "new@else.example", ""),
        (Inviters.ANYBODY, "new@support.example", "IllegalMove"),
        (Inviters.ANYBODY, "a@x.example,b@y.example", "IllegalMove"),
        (Inviters.ANYBODY, "a@x.example\nb@y.example", "IllegalMove"),
        (Inviters.ANYBODY, "a\0@x.example", "IllegalMove"),
        (Inviters.ANYBODY, "", "IllegalMove"),
        (Inviters.ANYBODY, "x" * 10_000 + "@x.example", "IllegalMove"),
    ],
)
def test_member_when_inviting_then_the_organization_decides(ana, acme, policy, address, answer, settings):
    settings.SUPPORT_DOMAIN = "support.example"
    choose(acme, policy)
    assert said(lambda: invitations.invite(actor=ana, organization=acme, address=address)) == answer
    assert Invitation.objects.count() == int(answer == "")


@pytest.mark.parametrize("policy", Inviters)
def test_member_when_inviting_into_a_foreign_organization_then_may_not(ana, acme, globex, policy):
    choose(globex, policy)
    assert not invitations.may_invite(ana, globex)
    with pytest.raises(NotAllowed):
        invitations.invite(actor=ana, organization=globex, address="new@acme.example")
    assert not User.objects.filter(email="new@acme.example").exists()


@pytest.mark.parametrize(
    ("role", "leads", "answer"), [("agent", False, ""), ("admin", False, ""), ("csm", False, "NotAllowed"), ("csm", True, "")]
)
def test_staff_when_inviting_then_a_csm_stays_with_their_own(acme, role, leads, answer):
    actor = make_user("staff@support.example", role=Role(role))
    choose(acme, Inviters.NOBODY)
    Organization.objects.filter(pk=acme.pk).update(delivery_lead=actor if leads else None)
    assert said(lambda: invitations.invite(actor=actor, organization=acme, address="new@else.example")) == answer


def test_invitation_when_made_then_gives_nothing_yet_but_an_account_without_password(ana, acme):
    invitation = invitations.invite(actor=ana, organization=acme, address="new@acme.example", name="Nia New")
    person = invitation.person
    assert (person.name, person.role, person.has_usable_password()) == ("Nia New", Role.CUSTOMER, False)
    assert list(person.active_organizations()) == []
    assert timedelta(days=6) < invitation.expires_at - timezone.now() <= timedelta(days=7)


def test_invitation_when_address_is_invited_again_then_stays_one_and_is_sent_anew_after_a_while(ana, ben, acme):
    first = invitations.invite(actor=ana, organization=acme, address="new@acme.example")
    again = invitations.invite(actor=ben, organization=acme, address="NEW@acme.example")
    with time_machine.travel(timezone.now() + LATER):
        later = invitations.invite(actor=ben, organization=acme, address="new@acme.example")
    assert [(one.pk, one.generation) for one in (first, again, later)] == [(first.pk, 1), (first.pk, 1), (first.pk, 2)]


def test_invitation_when_one_is_pending_then_the_database_refuses_a_second(ana, acme):
    first = invitations.invite(actor=ana, organization=acme, address="new@acme.example")
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(organization=acme, person=first.person, address=first.address, invited_by=ana, expires_at=timezone.now())


def test_inviter_when_address_is_a_colleagues_then_is_told_so(ana, ben, acme):
    assert said(lambda: invitations.invite(actor=ana, organization=acme, address=ben.email)) == "IllegalMove"


def test_inviter_when_address_has_an_account_elsewhere_then_sees_what_a_new_one_shows(ana, cleo, acme):
    choose(acme, Inviters.ANYBODY)
    known = invitations.invite(actor=ana, organization=acme, address=cleo.email, name="C")
    new = invitations.invite(actor=ana, organization=acme, address="nobody@globex.example", name="C")
    assert (known.display_name, known.name, known.is_open) == (new.display_name, new.name, new.is_open)
    cleo.refresh_from_db()
    assert cleo.name == "Cleo Roy"


def test_inviter_when_too_eager_then_has_to_wait(ana, acme):
    for number in range(20):
        invitations.invite(actor=ana, organization=acme, address=f"new{number}@acme.example")
    assert said(lambda: invitations.invite(actor=ana, organization=acme, address="more@acme.example")) == "IllegalMove"


# --- Resend and revoke ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def invitation(ana, acme) -> Invitation:
    return invitations.invite(actor=ana, organization=acme, address="new@acme.example")


def test_invitation_when_sent_again_then_the_older_link_is_dead(invitation, ana):
    old = invitations.link_path(invitation).split("/")[-2]
    with time_machine.travel(timezone.now() + LATER):
        again = invitations.resend(invitation, actor=ana)
    new = invitations.link_path(again).split("/")[-2]
    assert (invitations.find(old), invitations.find(new)) == (None, again)


def test_invitation_when_just_sent_then_is_not_sent_again(invitation, ana):
    assert said(lambda: invitations.resend(invitation, actor=ana)) == "IllegalMove"


def test_invitation_when_the_address_changes_then_its_link_is_dead(invitation):
    token = invitations.link_path(invitation).split("/")[-2]
    User.objects.filter(pk=invitation.person_id).update(email="other@acme.example")
    assert invitations.find(token) is None


@pytest.mark.parametrize("token", ["", " ", "\0", "1-", "x" * 10_000, "1-" + "a" * 26, "9" * 15 + "-" + "a" * 26])
def test_link_when_nonsense_then_is_nobodys(invitation, token):
    assert invitations.find(token) is None


@pytest.mark.parametrize("deed", [invitations.resend, invitations.revoke])
def test_invitation_when_changed_then_by_its_inviter_managers_and_staff_alone(invitation, deed, ana, ben, cleo, dan, csm, acme):
    late = timezone.now() + LATER
    manager = make_user("boss@acme.example", organization=acme)
    Membership.objects.filter(user=manager).update(is_manager=True)

    def answer(actor) -> str:
        with time_machine.travel(late), transaction.atomic():
            try:
                return said(lambda: deed(invitation, actor=actor))
            finally:
                transaction.set_rollback(True)

    assert [answer(actor) for actor in (ana, manager, dan)] == ["", "", ""]
    assert [answer(actor) for actor in (ben, cleo, csm)] == ["NotAllowed"] * 3


def test_inviter_when_no_longer_a_member_then_can_change_nothing(invitation, ana):
    Membership.objects.filter(user=ana).update(is_active=False)
    assert said(lambda: invitations.revoke(invitation, actor=ana)) == "NotAllowed"


def test_invitation_when_revoked_then_not_even_a_proven_address_of_the_domain_joins(invitation, ana):
    invitations.revoke(invitation, actor=ana)
    person = User.objects.get(pk=invitation.person_id)
    prove_address(person)
    invitations.accept_vouched_for(person)
    assert list(person.active_organizations()) == []


# --- Accepting -----------------------------------------------------------------------------------------------------------------


def accept(invitation: Invitation, *, by_link: bool = True, actor: User | None = None) -> str:
    return said(lambda: invitations.accept(invitation, actor=actor or User.objects.get(pk=invitation.person_id), by_link=by_link))


def test_invitation_when_accepted_by_link_then_proves_the_address_and_joins(invitation, acme):
    assert accept(invitation) == ""
    person = User.objects.get(pk=invitation.person_id)
    assert (list(person.active_organizations()), person.proven_at is not None) == ([acme], True)
    assert Membership.objects.get(user=person).is_manager is False


def test_invitation_when_accepted_twice_then_second_time_does_nothing(invitation):
    assert (accept(invitation), accept(invitation)) == ("", "IllegalMove")


@pytest.mark.parametrize("over", ["expired", "revoked", "inactive", "disabled", "reissued"])
def test_invitation_when_over_then_can_not_be_accepted(invitation, ana, acme, over):
    now = timezone.now()
    if over == "revoked":
        invitations.revoke(invitation, actor=ana)
    elif over == "inactive":
        Organization.objects.filter(pk=acme.pk).update(is_active=False)
    elif over == "disabled":
        User.objects.filter(pk=invitation.person_id).update(is_active=False)
    elif over == "reissued":
        Invitation.objects.filter(pk=invitation.pk).update(generation=2)
    with time_machine.travel(now + timedelta(days=8) if over == "expired" else now):
        assert accept(invitation) == "IllegalMove"


def test_invitation_when_for_somebody_else_then_is_not_accepted(invitation, ben):
    assert accept(invitation, actor=ben) == "NotAllowed"


def test_invitation_when_address_is_unproven_then_needs_its_link(invitation):
    assert accept(invitation, by_link=False) == "NotAllowed"


def test_invitation_when_address_is_proven_then_needs_no_link(ana, cleo, acme):
    choose(acme, Inviters.ANYBODY)
    invitation = invitations.invite(actor=ana, organization=acme, address=cleo.email)
    prove_address(cleo)
    assert accept(invitation, by_link=False) == ""
    assert {one.name for one in cleo.active_organizations()} == {"Acme", "Globex"}


def test_staff_when_invited_then_become_no_members(ana, dan, acme, settings):
    settings.SUPPORT_DOMAIN = "elsewhere.example"
    choose(acme, Inviters.ANYBODY)
    invitation = invitations.invite(actor=ana, organization=acme, address=dan.email)
    assert accept(invitation) == "NotAllowed"


@pytest.mark.parametrize(
    ("by", "address", "joins"), [("ana", "new@acme.example", True), ("ana", "new@else.example", False), ("dan", "new@else.example", True)]
)
def test_newcomer_when_proving_the_address_otherwise_then_joins_where_it_is_vouched_for(request, acme, by, address, joins):
    choose(acme, Inviters.ANYBODY)
    person = invitations.invite(actor=request.getfixturevalue(by), organization=acme, address=address).person
    prove_address(person)
    invitations.accept_vouched_for(person)
    assert person.active_organizations().exists() == joins


def test_member_when_leaving_then_takes_the_invitations_along(invitation, ana, ben, acme):
    mine = invitations.invite(actor=ben, organization=acme, address="other@acme.example")
    invitations.revoke_all(ana, acme)
    assert list(Invitation.objects.pending()) == [mine]


def test_links_when_logged_then_keep_their_key_to_themselves(invitation):
    from accounts.keys import without_keys

    path = invitations.link_path(invitation)
    assert without_keys(f"GET {path}") == "GET /invitations/…/"


def test_error_when_told_then_is_kind(ana, acme):
    with pytest.raises(IllegalMove, match=r"name@example\.com"):
        invitations.invite(actor=ana, organization=acme, address="nonsense")
