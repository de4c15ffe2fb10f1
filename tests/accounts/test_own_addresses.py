"""Several proven addresses: what adding, proving, removing and choosing one does, and what it must not."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import EmailDomain, Membership, User
from accounts.own_addresses import add, prove
from notifications.channels import deliver_due
from notifications.models import Delivery, Kind, State
from tests.factories import PASSWORD, make_user
from tickets import access

pytestmark = pytest.mark.django_db
PAGE, HOME = "/accounts/email/", "ana@home.example"


@pytest.fixture
def hers(client, ana):
    """Ana's, who has just shown her password."""
    client.force_login(ana)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def add_address(client, address: str = HOME):
    return client.post(PAGE, {"email": address})


def mailed(mailoutbox) -> str:
    deliver_due()
    (link,) = re.findall(r"http://127\.0\.0\.1:8000(/accounts/email/prove/\S+)", mailoutbox[-1].body)
    return link


def proven(person: User, address: str = HOME) -> EmailAddress:
    add(person, address)
    assert prove(person, address)
    return EmailAddress.objects.get(user=person, email=address)


def test_address_when_added_then_counts_once_its_link_came_back(hers, ana, mailoutbox):
    add_address(hers, " ANA@Home.example ")
    assert User.objects.by_address(HOME) is None
    link = mailed(mailoutbox)
    assert [mail.recipients() for mail in mailoutbox] == [[f"Ana Ford <{HOME}>"]]
    assert b"Yes, it is mine" in hers.get(link).content
    assert User.objects.by_address(HOME) is None
    assert hers.post(link).url == PAGE
    assert User.objects.by_address(HOME) == ana


@pytest.mark.parametrize("method", ["get", "head"])
def test_link_when_only_opened_then_proves_nothing(hers, mailoutbox, method):
    add_address(hers)
    getattr(hers, method)(mailed(mailoutbox))
    assert not EmailAddress.objects.get().verified


def test_link_when_used_by_somebody_else_then_nothing_happens(hers, client, cleo, mailoutbox):
    add_address(hers)
    link = mailed(mailoutbox)
    client.logout()
    assert client.post(link).url.startswith("/accounts/login/")
    client.force_login(cleo)
    assert (client.post(link).status_code, b"another account" in client.get(link).content) == (200, True)
    assert (EmailAddress.objects.get().verified, client.session["_auth_user_id"]) == (False, str(cleo.pk))


def test_link_when_used_twice_or_late_then_no_longer_works(hers, mailoutbox):
    add_address(hers)
    link = mailed(mailoutbox)
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert b"no longer works" in hers.get(link).content or hers.get(link).status_code == 302
    hers.post(link)
    assert (hers.post(link).status_code, b"no longer works" in hers.post(link).content) == (200, True)


@pytest.mark.parametrize("key", ["x", "%00", "a" * 10_000, "1:2:3", "%20"])
def test_link_when_nonsense_then_says_so(hers, key):
    assert b"no longer works" in hers.get(f"/accounts/email/prove/{key}/").content


def test_change_when_password_was_not_shown_then_asks_for_it_and_goes_on_after(client, ana):
    client.force_login(ana)
    asked = add_address(client)
    assert (asked.url.partition("?")[0], EmailAddress.objects.count()) == ("/accounts/reauthenticate/", 0)
    assert client.post(asked.url, {"password": "wrong", "next": PAGE}).status_code == 200
    done = client.post(asked.url, {"password": PASSWORD, "next": PAGE})
    assert (done.status_code, EmailAddress.objects.get().email) == (302, HOME)


@pytest.mark.parametrize("theirs", ["login", "proven"])
def test_address_when_somebody_elses_then_page_is_the_same_and_its_owner_is_told(hers, ana, cleo, mailoutbox, theirs):
    if theirs == "proven":
        proven(cleo, "cleo@home.example")
    address = cleo.email if theirs == "login" else "cleo@home.example"
    known, unknown = (add_address(hers, one) for one in (address, HOME))
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    page = hers.get(PAGE).content.decode()
    assert page.count("Not proven yet") == 2
    deliver_due()
    told = {delivery.address: (delivery.kind, delivery.recipient) for delivery in Delivery.objects.all()}
    assert told == {address: (Kind.KNOWN_ADDRESS, cleo), HOME: (Kind.PROVE_ADDRESS, ana)}


def test_address_when_taken_by_another_meanwhile_then_link_does_not_take_it_away(ana, cleo):
    add(ana, HOME)
    proven(cleo)
    assert (prove(ana, HOME), User.objects.by_address(HOME)) == (False, cleo)


def test_claim_when_not_proven_then_no_password_link_leads_to_who_claims(hers, ana):
    add_address(hers, "victim@x.example")
    Delivery.objects.all().delete()
    hers.logout()
    hers.post("/accounts/password/reset/", {"email": "victim@x.example"})
    hers.post("/accounts/login/", {"login": "victim@x.example", "password": PASSWORD})
    assert (Delivery.objects.count(), "_auth_user_id" in hers.session) == (0, False)


def test_proven_address_when_used_to_log_in_then_is_the_same_person(client, ana):
    proven(ana)
    client.post("/accounts/login/", {"login": "ANA@home.example", "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(ana.pk)


def test_password_link_when_asked_for_by_another_address_then_goes_to_the_login(client, ana):
    proven(ana)
    client.post("/accounts/password/reset/", {"email": HOME})
    assert Delivery.objects.get().address == ana.email


@pytest.mark.parametrize(
    ("before", "after"), [(None, True), ({"is_active": False, "awaits_proof": True}, True), ({"is_active": False}, False)]
)
def test_address_when_proven_then_its_domain_makes_a_member_unless_they_were_removed(cleo, acme, before, after):
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    if before:
        Membership.objects.create(user=cleo, organization=acme, **before)
    proven(cleo, "cleo@acme.example")
    assert cleo.active_organizations().filter(pk=acme.pk).exists() is after


def test_address_when_proven_by_staff_then_makes_no_member(ana, acme, dan):
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    proven(dan, "dan@acme.example")
    assert (Membership.objects.filter(user=dan).exists(), dan in access.findable_by(ana)) == (False, False)


def test_login_when_changed_then_old_address_stays_proven_and_is_told(hers, ana, mailoutbox):
    User.objects.filter(pk=ana.pk).update(proven_at=timezone.now())
    row = proven(ana)
    hers.post(f"{PAGE}{row.pk}/login/")
    ana.refresh_from_db()
    assert (ana.email, list(EmailAddress.objects.values_list("email", "verified", "primary"))) == (
        HOME,
        [("ana@acme.example", True, False)],
    )
    assert {User.objects.by_address(one) for one in (HOME, "ana@acme.example")} == {ana}
    deliver_due()
    assert [(mail.recipients(), "another email address" in mail.body) for mail in mailoutbox] == [(["Ana Ford <ana@acme.example>"], True)]


def test_login_when_old_one_was_never_proven_then_it_is_dropped(hers, ana):
    row = proven(ana)
    hers.post(f"{PAGE}{row.pk}/login/")
    assert (EmailAddress.objects.count(), User.objects.by_address("ana@acme.example")) == (0, None)


def test_login_when_address_is_not_proven_then_stays(hers, ana):
    add(ana, HOME)
    hers.post(f"{PAGE}{EmailAddress.objects.get().pk}/login/")
    ana.refresh_from_db()
    assert ana.email == "ana@acme.example"


def test_address_when_removed_then_no_longer_counts_and_both_are_told(hers, ana):
    row = proven(ana)
    hers.post(f"{PAGE}{row.pk}/remove/")
    assert User.objects.by_address(HOME) is None
    assert set(Delivery.objects.values_list("address", "change")) == {(HOME, "removed"), (ana.email, "removed")}


def test_proof_when_address_was_removed_before_it_leaves_then_is_not_sent(hers, mailoutbox):
    add_address(hers)
    hers.post(f"{PAGE}{EmailAddress.objects.get().pk}/remove/")
    deliver_due()
    assert (mailoutbox, Delivery.objects.get().state) == ([], State.CANCELLED)


@pytest.mark.parametrize("verb", ["resend", "remove", "login"])
def test_address_of_another_when_acted_on_then_is_as_if_there_were_none(hers, cleo, verb):
    row = proven(cleo)
    assert hers.post(f"{PAGE}{row.pk}/{verb}/").status_code == 404


def test_mails_when_asked_again_and_again_then_three_an_hour(hers):
    add_address(hers)
    for _ in range(4):
        hers.post(f"{PAGE}{EmailAddress.objects.get().pk}/resend/")
    assert Delivery.objects.count() == 3


def test_others_password_link_when_their_address_was_claimed_again_and_again_then_still_comes(hers, client, cleo):
    for _ in range(4):
        add_address(hers, cleo.email)
    client.post("/accounts/password/reset/", {"email": cleo.email})
    assert Delivery.objects.filter(kind=Kind.RESET_PASSWORD).count() == 1


def test_addresses_when_there_are_five_others_then_no_more(hers, ana):
    for number in range(5):
        add(ana, f"a{number}@home.example")
    answer = add_address(hers)
    assert (answer.status_code, "Remove one first" in answer.content.decode(), EmailAddress.objects.count()) == (422, True, 5)


@pytest.mark.parametrize("typed", ["", "none", "a@b.example\0", "a" * 10_000 + "@b.example", "a@b.example,c@d.example"])
def test_address_when_nonsense_then_form_says_so(hers, typed):
    assert (add_address(hers, typed).status_code, EmailAddress.objects.count()) == (422, 0)


def test_admin_when_giving_somebody_anothers_proven_address_then_is_refused(client, ana, cleo, max_admin):
    proven(ana)
    client.force_login(max_admin)
    page = client.post(f"/admin/accounts/user/{cleo.pk}/change/", {"email": HOME, "name": "Cleo", "role": "customer", "is_active": "on"})
    cleo.refresh_from_db()
    assert (page.status_code, cleo.email) == (200, "cleo@globex.example")


@pytest.mark.parametrize("count", [1, 5])
def test_page_when_opened_then_costs_three_queries(hers, ana, django_assert_num_queries, count):
    for number in range(count):
        add(ana, f"a{number}@home.example")
    hers.get(PAGE)
    with django_assert_num_queries(3):  # session, person, addresses
        hers.get(PAGE)


def test_account_when_switched_off_then_nothing_is_mailed_for_it(client, settings):
    settings.SIGNUP = "on"
    User.objects.filter(pk=make_user("off@x.example").pk).update(is_active=False)
    client.post("/accounts/signup/", {"name": "x", "email": "off@x.example"})
    assert Delivery.objects.count() == 0
