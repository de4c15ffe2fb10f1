"""Making an account for oneself: who may, and that nobody learns who has one."""

from __future__ import annotations

import pytest

from accounts.models import EmailDomain, User
from notifications.channels import deliver_due
from notifications.models import Delivery, Kind
from tests.accounts.test_password_reset import mailed_link, use
from tests.factories import make_user

pytestmark = pytest.mark.django_db
SIGN_UP, DONE = "/accounts/signup/", "/accounts/signup/done/"


def sign_up(client, address: str, name: str = "Nia New", **extra):
    return client.post(SIGN_UP, {"name": name, "email": address}, **extra)


@pytest.fixture
def opened(settings):
    settings.SIGNUP = "on"


@pytest.fixture
def for_domains(settings, acme, globex):
    settings.SIGNUP = "domains"
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    globex.is_active = False
    globex.save()
    EmailDomain.objects.create(organization=globex, domain="globex.example")


@pytest.mark.parametrize("path", [SIGN_UP, DONE])
def test_sign_up_when_off_then_there_is_none(client, db, path):
    assert (client.get(path).status_code, client.get("/accounts/login/").content.decode().count("Create an account")) == (404, 0)


def test_sign_up_when_on_then_the_mailed_link_begins_the_account(client, opened, mailoutbox):
    sign_up(client, " NIA@new.example ", " Nia \t New ")
    person = User.objects.get()
    assert (person.email, person.name, person.has_usable_password(), person.proven_at) == ("nia@new.example", "Nia New", False, None)
    use(client, mailed_link(mailoutbox))
    person.refresh_from_db()
    assert (client.session["_auth_user_id"], person.proven_at is not None) == (str(person.pk), True)


def test_sign_up_when_domain_is_an_organizations_then_member_once_proven(client, for_domains, acme, mailoutbox):
    sign_up(client, "nia@acme.example")
    assert list(User.objects.get().active_organizations()) == []
    use(client, mailed_link(mailoutbox))
    assert list(User.objects.get().active_organizations()) == [acme]


@pytest.mark.parametrize(
    "address",
    [
        "nia@new.example",
        "nia@sub.acme.example",
        "nia@acme.example.evil.example",
        "nia@globex.example",
        "nia@acme.example.",
        "nia@xacme.example",
        "nia@\N{CYRILLIC SMALL LETTER A}cme.example",
    ],
)
def test_sign_up_when_domain_is_nobodys_then_page_is_the_same_and_nothing_is_made(client, for_domains, address):
    answer = sign_up(client, address)
    assert (User.objects.count(), Delivery.objects.count(), answer.status_code in (302, 422)) == (0, 0, True)


@pytest.mark.parametrize("address", ["support@support.example", "support+r1@support.example", "SUPPORT@support.example"])
def test_sign_up_when_address_is_our_own_then_nothing_is_made(client, opened, address):
    sign_up(client, address)
    assert (User.objects.count(), Delivery.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("on@acme.example", [Kind.KNOWN_ADDRESS]),
        ("never@acme.example", [Kind.SET_PASSWORD]),
        ("off@acme.example", []),
        ("new@acme.example", [Kind.SET_PASSWORD]),
    ],
)
def test_sign_up_when_address_is_known_then_page_is_the_same_and_its_owner_alone_is_told(client, opened, address, kind):
    make_user("on@acme.example")
    User.objects.create_user("never@acme.example")
    User.objects.filter(pk=make_user("off@acme.example").pk).update(is_active=False)
    answer = sign_up(client, address)
    assert (answer.status_code, answer.url, list(Delivery.objects.values_list("kind", flat=True))) == (302, DONE, kind)
    assert b"Look into your mail" in client.get(DONE).content


def test_sign_up_when_account_has_a_password_then_it_and_its_sessions_stay(client, opened, ana, mailoutbox):
    sign_up(client, "ANA@acme.example", "Evil")
    deliver_due()
    ana.refresh_from_db()
    assert (ana.name, ana.has_usable_password(), len(mailoutbox), "key/" in mailoutbox[0].body) == ("Ana Ford", True, 1, False)


def test_sign_up_when_somebody_waits_inside_an_unproven_account_then_using_the_link_ends_it(client, opened, mailoutbox):
    """An account whose password was set before its address was proven (by an admin, say) is its owner's alone once they use the link."""
    early = make_user("victim@acme.example")
    inside = client.__class__()
    inside.force_login(early)
    client.post("/accounts/password/reset/", {"email": early.email})
    use(client, mailed_link(mailoutbox))
    early.refresh_from_db()
    assert (inside.get("/profile/").status_code, early.check_password("correct horse battery")) == (302, False)


def test_sign_up_when_pressed_again_and_again_then_three_mails_an_hour(client, opened):
    for number in range(5):
        sign_up(client, ("nia@new.example", "NIA@new.example", "nia+x@new.example")[number % 3], REMOTE_ADDR=f"10.0.0.{number}")
    assert Delivery.objects.count() == 3


def test_sign_up_when_one_network_presses_then_is_told_to_wait(client, opened):
    answers = [sign_up(client, f"n{number}@x.example", headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code for number in range(6)]
    assert answers == [302] * 5 + [429]


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"name": "x", "email": "no address"},
        {"name": "x", "email": "a@b.example\0"},
        {"name": "\0", "email": "a@b.example"},
        {"name": "x" * 10_000, "email": "a@b.example"},
        {"name": "x", "email": "a" * 10_000 + "@b.example"},
        {"name": "x", "email": "a@b.example,c@d.example"},
        {"name": "x", "email": "a@b.example\nBcc: c@d.example"},
        {"name": " ", "email": "a@b.example"},
    ],
)
def test_sign_up_when_nonsense_then_form_says_so(client, opened, typed):
    assert (client.post(SIGN_UP, typed).status_code, User.objects.count()) == (422, 0)


@pytest.mark.parametrize(
    "name", ["Your prize: https://evil.example/x", "Go to evil.example now", "EVIL.EXAMPLE", "//evil", "x@evil.example"]
)
def test_sign_up_when_the_name_is_a_link_then_no_mail_carries_it_to_a_stranger(client, opened, name):
    assert (sign_up(client, "victim@else.example", name).status_code, User.objects.count(), Delivery.objects.count()) == (422, 0, 0)


@pytest.mark.parametrize("name", ["Dr. J.R.R. Tolkien", "Prof.Meier", "Ann-Marie O’Neil", "Łucja", "王小明"])
def test_sign_up_when_the_name_is_one_then_is_taken(client, opened, name):
    sign_up(client, "nia@new.example", name)
    assert User.objects.get().name == name


def test_sign_up_when_logged_in_then_goes_home(client, opened, ana):
    client.force_login(ana)
    assert client.get(SIGN_UP).url == "/"
