"""My organizations, an invitation from the button to the membership, and leaving."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts import invitations
from accounts.models import EmailDomain, Invitation, Inviters, Membership, Organization, Role, User
from accounts.proof import prove_address
from notifications.channels import deliver_due
from notifications.models import Delivery, Kind, State
from notifications.relay import relay_invitations
from tests.factories import make_ticket, make_user
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
PASSWORD = "a new horse battery"
FIELDS = {"name": "Nia New", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def acme(acme):
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    return acme


@pytest.fixture
def portal(client, ana):
    client.force_login(ana)
    return client


def send(mailoutbox) -> dict[str, str]:
    """Whom was written what."""
    mailoutbox.clear()
    relay_invitations()
    deliver_due()
    return {mail.to[0].rpartition("<")[2].rstrip(">"): mail.body for mail in mailoutbox}


def invited(portal, acme, mailoutbox, address="new@acme.example") -> str:
    """The link that was mailed."""
    assert portal.post(reverse("organization_invite", args=[acme.pk]), {"address": address, "name": "Nia New"}).status_code == 302
    (link,) = re.findall(r"http://127\.0\.0\.1:8000(/invitations/\S+)", send(mailoutbox)[address])
    return link


def person() -> User:
    return User.objects.get(email="new@acme.example")


# --- Accepting -----------------------------------------------------------------------------------------------------------------


def test_newcomer_when_using_the_link_then_sets_a_password_and_is_in(client, portal, acme, mailoutbox):
    link = invited(portal, acme, mailoutbox)
    client.logout()
    assert "Set password and join" in client.get(link).content.decode()
    answer = client.post(link, FIELDS, follow=True)
    assert (answer.redirect_chain[-1][0], answer.wsgi_request.user) == (reverse("organization", args=[acme.pk]), person())
    assert (person().check_password(PASSWORD), person().proven_at is not None, list(person().active_organizations())) == (
        True,
        True,
        [acme],
    )


@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_link_when_a_scanner_calls_it_then_is_not_used_up(client, portal, acme, mailoutbox, method):
    link = invited(portal, acme, mailoutbox)
    client.logout()
    getattr(client, method)(link)
    assert (person().has_usable_password(), person().proven_at, Invitation.objects.open().count()) == (False, None, 1)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password2": "another battery"}, "The two passwords differ."),
        ({"password1": "123", "password2": "123"}, "too short"),
        ({"password1": "new@acme.example", "password2": "new@acme.example"}, "too similar"),
    ],
)
def test_newcomer_when_the_password_is_no_good_then_is_told_and_keeps_the_name(client, portal, acme, mailoutbox, fields, said):
    link = invited(portal, acme, mailoutbox)
    client.logout()
    page = client.post(link, FIELDS | fields)
    assert (page.status_code, said in page.content.decode(), 'value="Nia New"' in page.content.decode()) == (422, True, True)


def test_link_when_used_twice_then_the_second_time_changes_nothing(client, portal, acme, mailoutbox):
    link = invited(portal, acme, mailoutbox)
    client.logout()
    client.post(link, FIELDS)
    client.logout()
    again = client.post(link, FIELDS | {"password1": "a third battery", "password2": "a third battery"})
    assert (again.status_code, person().check_password(PASSWORD), "_auth_user_id" in client.session) == (410, True, False)


def test_known_person_when_using_the_link_then_logs_in_and_presses_a_button(client, portal, acme, cleo, mailoutbox):
    Organization.objects.update(invitations_by_members=Inviters.ANYBODY)
    link = invited(portal, acme, mailoutbox, cleo.email)
    client.logout()
    page = client.get(link).content.decode()
    assert f"{reverse('account_login')}?next={link}" in page
    assert (client.post(link, FIELDS).status_code, cleo.active_organizations().count()) == (409, 1)
    client.force_login(cleo)
    client.get(link)
    assert cleo.active_organizations().count() == 1
    client.post(link)
    assert {one.name for one in cleo.active_organizations()} == {"Acme", "Globex"}


@pytest.mark.parametrize("method", ["get", "post"])
def test_link_when_logged_in_as_another_then_explains_and_changes_nobody(portal, acme, ana, mailoutbox, method):
    link = invited(portal, acme, mailoutbox)
    page = getattr(portal, method)(link, FIELDS)
    assert "you are logged in as ana@acme.example" in page.content.decode()
    assert (portal.session["_auth_user_id"], person().has_usable_password(), Invitation.objects.open().count()) == (str(ana.pk), False, 1)
    out = portal.post(reverse("account_logout"), {"next": link})
    assert (out.url, "_auth_user_id" in portal.session) == (link, False)


def test_link_when_too_old_then_page_says_so(client, portal, acme, mailoutbox):
    link = invited(portal, acme, mailoutbox)
    client.logout()
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        page = client.post(link, FIELDS)
    assert (page.status_code, person().has_usable_password()) == (410, False)


@pytest.mark.parametrize("token", ["x", "1-aaaaaaaaaaaaaaaaaaaaaaaaaa", "%00", "x" * 5000, "1-%20"])
def test_link_when_nonsense_then_page_says_it_no_longer_works(client, token):
    assert client.get(f"/invitations/{token}/").status_code == 410


def test_forgot_password_when_invited_then_is_as_good_a_way_in(client, portal, acme, mailoutbox):
    invited(portal, acme, mailoutbox)
    client.logout()
    client.post("/accounts/password/reset/", {"email": "new@acme.example"})
    deliver_due()
    (link,) = re.findall(r"http://127\.0\.0\.1:8000(/accounts/password/reset/key/\S+)", mailoutbox[-1].body)
    client.post(client.get(link).url, {"password1": PASSWORD, "password2": PASSWORD})
    assert list(person().active_organizations()) == [acme]
    assert not Invitation.objects.pending().exists()


def test_own_invitation_when_logged_in_and_proven_then_can_be_joined_or_declined(client, ana, cleo, acme):
    Organization.objects.update(invitations_by_members=Inviters.ANYBODY)
    client.force_login(cleo)
    waiting = invitations.invite(actor=ana, organization=acme, address=cleo.email)
    assert client.post(reverse("invitation_join", args=[waiting.pk])).status_code == 404  # her address is not proven
    prove_address(cleo)
    assert "Ana Ford invites you" in client.get(reverse("organizations")).content.decode()
    client.post(reverse("invitation_decline", args=[waiting.pk]))
    assert not Invitation.objects.pending().exists()
    again = invitations.invite(actor=ana, organization=acme, address=cleo.email)
    assert client.post(reverse("invitation_join", args=[again.pk])).url == reverse("organization", args=[acme.pk])
    assert acme in cleo.active_organizations()


# --- Its mails -----------------------------------------------------------------------------------------------------------------


def test_mail_when_a_member_invites_then_goes_to_who_is_invited_and_to_the_lead_once(portal, acme, mailoutbox):
    lead = make_user("csm@support.example", "Clara Csm", role=Role.CSM)
    Organization.objects.filter(pk=acme.pk).update(delivery_lead=lead)
    portal.post(reverse("organization_invite", args=[acme.pk]), {"address": "new@acme.example"})
    mails = send(mailoutbox)
    assert sorted(mails) == ["csm@support.example", "new@acme.example"]
    assert ("/invitations/" in mails["csm@support.example"], f"/desk/organizations/{acme.pk}/" in mails["csm@support.example"]) == (
        False,
        True,
    )
    Invitation.objects.update(issued_at=timezone.now() - timedelta(minutes=11))
    portal.post(reverse("organization_resend", args=[acme.pk, Invitation.objects.get().pk]))
    assert sorted(send(mailoutbox)) == ["new@acme.example"]


def test_mail_when_staff_invite_then_the_lead_is_not_told(dan, acme, mailoutbox):
    invitations.invite(actor=dan, organization=acme, address="new@acme.example")
    assert sorted(send(mailoutbox)) == ["new@acme.example"]


def test_mail_when_the_invitation_is_taken_back_first_then_is_not_sent(ana, acme, mailoutbox):
    invitation = invitations.invite(actor=ana, organization=acme, address="new@acme.example")
    relay_invitations()
    invitations.revoke(invitation, actor=ana)
    deliver_due()
    assert (mailoutbox, Delivery.objects.get(kind=Kind.INVITATION).state) == ([], State.CANCELLED)


def test_mailbox_when_invited_by_many_then_gets_three_mails_a_day(workflow, dan, mailoutbox):
    for number in range(5):
        organization = Organization.objects.create(name=f"Customer {number}")
        invitations.invite(actor=dan, organization=organization, address=f"new+{number}@else.example")
    send(mailoutbox)
    assert len(mailoutbox) == 3


def test_mails_when_sent_then_stand_in_no_row_with_their_link(portal, acme, mailoutbox):
    link = invited(portal, acme, mailoutbox)
    token = link.split("/")[-2]
    rows = [str(vars(row)) for model in (Invitation, Delivery) for row in model.objects.all()]
    assert not any(token in row for row in rows)


# --- The pages -----------------------------------------------------------------------------------------------------------------


def test_list_when_there_is_one_then_leads_there_and_shows_several(portal, ana, acme, globex):
    assert portal.get(reverse("organizations")).url == reverse("organization", args=[acme.pk])
    Membership.objects.create(user=ana, organization=globex)
    page = portal.get(reverse("organizations")).content.decode()
    assert ("Acme" in page, "Globex" in page) == (True, True)


def test_list_when_there_is_none_then_says_what_to_do(client, solo):
    client.force_login(solo)
    assert "You belong to no organization here" in client.get(reverse("organizations")).content.decode()


def test_page_when_shown_then_names_people_and_keeps_their_addresses(portal, ben, acme, cleo):
    page = portal.get(reverse("organization", args=[acme.pk])).content.decode()
    assert ("Ben Ode" in page, ben.email in page, "Cleo Roy" in page) == (True, False, False)


def test_pending_when_shown_then_address_is_for_its_inviter_and_managers_alone(client, ana, ben, acme):
    invitations.invite(actor=ana, organization=acme, address="new@acme.example", name="Nia New")

    def sees(who) -> tuple[bool, bool]:
        client.force_login(who)
        page = client.get(reverse("organization", args=[acme.pk])).content.decode()
        return "Nia New" in page, "new@acme.example" in page

    assert (sees(ana), sees(ben)) == ((True, True), (True, False))
    Membership.objects.filter(user=ben).update(is_manager=True)
    assert sees(ben) == (True, True)


@pytest.mark.parametrize(("policy", "offered"), [("nobody", False), ("domains", True), ("anybody", True)])
def test_form_when_the_organization_lets_nobody_invite_then_says_whom_to_ask(portal, acme, policy, offered):
    Organization.objects.update(invitations_by_members=policy)
    page = portal.get(reverse("organization", args=[acme.pk])).content.decode()
    assert ("Send the invitation" in page, "Support invites people" in page) == (offered, not offered)


def test_policy_when_a_manager_chooses_then_goes_as_far_as_staff_allow(client, ana, ben, acme):
    Membership.objects.filter(user=ana).update(is_manager=True)
    page, post = reverse("organization", args=[acme.pk]), reverse("organization_inviters", args=[acme.pk])

    def chosen(who, value: str) -> tuple[int, str]:
        client.force_login(who)
        status = client.post(post, {"who": value}).status_code
        acme.refresh_from_db()
        return status, acme.invitations_by_members

    assert [chosen(ana, value) for value in ("nobody", "anybody", "nonsense", "domains")] == [
        (302, "nobody"),
        (403, "nobody"),
        (422, "nobody"),
        (302, "domains"),
    ]
    assert chosen(ben, "nobody") == (403, "domains")
    shown = [(client.force_login(who), client.get(page).content.decode())[1] for who in (ana, ben)]
    assert [('name="who"' in html, 'value="anybody"' in html) for html in shown] == [(True, False), (False, False)]
    Organization.objects.update(inviters_at_most="nobody")  # what stands may stay; what is closed is not opened again
    assert [chosen(ana, value)[1] for value in ("domains", "nobody", "domains")] == ["domains", "nobody", "nobody"]


@pytest.mark.parametrize(
    "address", ["x@else.example", "nonsense", "", "a\0@acme.example", "x" * 300 + "@acme.example", "k@acme\u212a.example"]
)
def test_form_when_refused_then_keeps_what_was_typed(portal, acme, address):
    page = portal.post(reverse("organization_invite", args=[acme.pk]), {"address": address, "name": "Typed Name"})
    assert (page.status_code, 'value="Typed Name"' in page.content.decode(), Invitation.objects.count()) == (422, True, 0)


def test_form_when_more_is_posted_than_asked_then_gives_no_role_and_no_right(portal, acme, globex):
    extra = {"role": "admin", "is_staff": "1", "is_manager": "1", "organization": globex.pk, "address": ["new@acme.example"]}
    portal.post(reverse("organization_invite", args=[acme.pk]), extra)
    invitation = Invitation.objects.get()
    assert (invitation.organization, invitation.person.role) == (acme, Role.CUSTOMER)


def test_manager_when_making_another_and_removing_one_then_it_is_so(portal, ana, ben, acme):
    Membership.objects.filter(user=ana).update(is_manager=True)
    portal.post(reverse("organization_manager", args=[acme.pk, ben.pk]), {"manager": "yes"})
    assert Membership.objects.get(user=ben).is_manager
    page = portal.get(reverse("organization_remove", args=[acme.pk, ben.pk])).content.decode()
    assert "Remove Ben Ode from Acme?" in page
    portal.post(reverse("organization_remove", args=[acme.pk, ben.pk]))
    assert list(ben.active_organizations()) == []


def test_leaving_when_asked_then_says_what_is_lost_first(workflow, portal, ana, ben, acme):
    make_ticket(ben, share_with=acme)
    make_ticket(ana, share_with=acme)
    page = portal.get(reverse("organization_leave", args=[acme.pk])).content.decode()
    assert "You lose sight of 1 ticket," in page
    assert ana.active_organizations().exists()
    portal.post(reverse("organization_leave", args=[acme.pk]))
    assert not ana.active_organizations().exists()


@pytest.mark.parametrize("many", [1, 50])
def test_page_when_there_is_much_then_asks_no_more(portal, ana, acme, workflow, django_assert_num_queries, many):
    for number in range(many):
        make_user(f"p{number}@acme.example", organization=acme)
        Invitation.objects.create(
            organization=acme,
            person=make_user(f"q{number}@acme.example"),
            address=f"q{number}@acme.example",
            invited_by=ana,
            expires_at=timezone.now(),
        )
    with django_assert_num_queries(7):
        portal.get(reverse("organization", args=[acme.pk]))
    Membership.objects.create(user=ana, organization=Organization.objects.create(name="Another"))
    with django_assert_num_queries(3):
        portal.get(reverse("organizations"))


def test_lead_when_written_to_then_is_chosen_in_the_form(workflow, portal, acme, globex):
    lead = make_user("csm@support.example", "Clara Csm", role=Role.CSM)
    Organization.objects.update(delivery_lead=lead)
    link = f"{reverse('ticket_new')}?lead={acme.pk}"
    assert link in portal.get(reverse("organization", args=[acme.pk])).content.decode()
    form = portal.get(link).context["form"]
    assert (form["people"].value(), form["share"].value()) == ([str(lead.pk)], str(acme.pk))
    sent = {"subject": "Roll-out", "text": "When do we start?", "people": form["people"].value(), "share": form["share"].value()}
    portal.post(reverse("ticket_new"), sent)
    assert set(Ticket.objects.get().followers.values_list("email", flat=True)) == {"ana@acme.example", "csm@support.example"}


@pytest.mark.parametrize("number", ["", "x", "9" * 40, "-1", "\u0663"])
def test_lead_when_nonsense_or_of_a_foreign_organization_then_nobody_is_chosen(workflow, portal, ana, globex, number):
    Organization.objects.update(delivery_lead=make_user("csm@support.example", role=Role.CSM))
    for lead in (number, str(globex.pk)):
        assert not portal.get(reverse("ticket_new"), {"lead": lead}).context["form"]["people"].value()
