"""Logging in by address and password, and how guessing is slowed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher

from accounts.models import User
from accounts.own_addresses import add, prove
from tests.accounts.test_password_reset import forgot, mailed_link, use
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
PLACES = [f"198.51.100.{last}" for last in range(60)]


def log_in(client, address: str, password: str = PASSWORD, **extra) -> bool:
    client.logout()
    client.post(LOGIN, {"login": address, "password": password}, **extra)
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("typed", ["ana@acme.example", "ANA@acme.example", "Ana@Acme.Example", " ana@acme.example "])
def test_login_when_case_differs_then_is_the_same_person(client, ana, typed):
    assert log_in(client, typed)


@pytest.mark.parametrize(
    "typed", ["ana", "ana+x@acme.example", "an\N{FULLWIDTH LATIN SMALL LETTER A}@acme.example", "ana@acme.example\0", ""]
)
def test_login_when_address_is_another_then_is_refused(client, ana, typed):
    assert not log_in(client, typed)


@pytest.mark.parametrize("password", ["", "x", PASSWORD.upper(), PASSWORD + " x", "!", "x" * 100_000])
def test_login_when_password_is_wrong_then_is_refused(client, ana, password):
    assert not log_in(client, ana.email, password)


@pytest.mark.parametrize("password", ["", "!", "None"])
def test_login_when_there_never_was_a_password_then_is_refused(client, password):
    User.objects.create_user("new@acme.example")
    assert not log_in(client, "new@acme.example", password)


def test_login_when_account_is_switched_off_then_is_refused_and_told_why(client, ana):
    User.objects.filter(pk=ana.pk).update(is_active=False)
    page = client.post(LOGIN, {"login": ana.email, "password": PASSWORD}, follow=True)
    assert ("_auth_user_id" in client.session, "switched off" in page.content.decode()) == (False, True)


def test_login_when_account_is_off_and_password_wrong_then_nothing_is_told(client, ana):
    User.objects.filter(pk=ana.pk).update(is_active=False)
    page = client.post(LOGIN, {"login": ana.email, "password": "wrong"}, follow=True)
    assert "switched off" not in page.content.decode()


def test_login_when_switched_off_while_inside_then_session_ends(client, ana):
    log_in(client, ana.email)
    assert client.get("/accounts/password/change/").status_code == 200
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert client.get("/accounts/password/change/").status_code == 302


def test_guessing_when_one_account_is_tried_from_many_places_then_stops_after_five(client, ana):
    for place in PLACES[:5]:
        assert not log_in(client, ana.email, "wrong", REMOTE_ADDR=place)
    assert not log_in(client, ana.email, REMOTE_ADDR="203.0.113.9")


def test_guessing_when_another_account_was_tried_then_mine_still_opens(client, ana, ben):
    for place in PLACES[:6]:
        log_in(client, ben.email, "wrong", REMOTE_ADDR=place)
    assert log_in(client, ana.email)


@pytest.mark.parametrize("spelling", ["ANA@acme.example", " ana@acme.example", "Ana@Acme.Example"])
def test_guessing_when_spelling_changes_then_counts_together(client, ana, spelling):
    for place in PLACES[:5]:
        log_in(client, spelling, "wrong", REMOTE_ADDR=place)
    assert not log_in(client, ana.email, REMOTE_ADDR="203.0.113.9")


def test_guessing_when_several_of_ones_addresses_are_tried_then_counts_together(client, ana):
    add(ana, "ana@home.example")
    prove(ana, "ana@home.example")
    for place in PLACES[:5]:
        log_in(client, ("ana@home.example", ana.email)[int(place[-1]) % 2], "wrong", REMOTE_ADDR=place)
    assert not log_in(client, ana.email, REMOTE_ADDR="203.0.113.9")


def test_guessing_when_it_goes_on_then_the_mailed_link_lets_its_owner_in_all_the_same(client, ana, mailoutbox):
    for place in PLACES[:6]:
        log_in(client, ana.email, "wrong", REMOTE_ADDR=place)
    forgot(client, ana.email)
    use(client, mailed_link(mailoutbox))
    assert "_auth_user_id" in client.session


def test_guessing_when_many_accounts_are_tried_from_one_place_then_stops_after_ten(client, ana):
    for number in range(10):
        log_in(client, f"nobody{number}@acme.example", "wrong")
    assert not log_in(client, ana.email)
    assert log_in(client, ana.email, REMOTE_ADDR="203.0.113.9")


def test_guessing_when_forwarded_address_is_made_up_then_counts_as_one_place(client, ana):
    for number in range(10):
        log_in(client, f"nobody{number}@acme.example", "wrong", headers={"X-Forwarded-For": PLACES[number], "X-Real-IP": PLACES[number]})
    assert not log_in(client, ana.email, headers={"X-Forwarded-For": "203.0.113.9"})


def test_guessing_when_one_gets_in_between_then_still_counts(client, ana, ben):
    for number in range(10):
        log_in(client, f"nobody{number}@acme.example", "wrong")
        log_in(client, ben.email)
    assert not log_in(client, ana.email)


def test_login_page_when_pressed_too_often_then_says_so(client, ana):
    answers = [client.post(LOGIN, {"login": f"n{number}@x.example", "password": "x"}).status_code for number in range(31)]
    assert answers == [200] * 30 + [429]


def test_passwords_when_kept_then_by_argon2():
    from helpdesk import settings as ours

    assert ours.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.Argon2PasswordHasher"
    assert settings.AUTH_USER_MODEL == "accounts.User"


def test_login_when_refused_then_takes_as_long_for_strangers_as_for_people_we_know(client, ana, monkeypatch):
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, password, salt: hashed.append(password) or encode(self, password, salt))
    for address in (ana.email, "nobody@acme.example"):
        log_in(client, address, f"wrong for {address}")
    assert hashed.count(f"wrong for {ana.email}") == hashed.count("wrong for nobody@acme.example") == 1


def test_password_when_kept_in_demo_mode_then_opens_nothing_outside_it(client, ana, settings):
    argon = "django.contrib.auth.hashers.Argon2PasswordHasher"
    settings.PASSWORD_HASHERS = ["accounts.hashers.DemoPasswordHasher", argon]
    ana.set_password(PASSWORD)
    ana.save()
    assert log_in(client, ana.email)
    settings.PASSWORD_HASHERS = [argon]
    assert not log_in(client, ana.email)


@pytest.mark.parametrize(("demo", "first"), [("1", "DemoPasswordHasher"), ("0", "Argon2PasswordHasher")])
def test_passwords_when_demo_mode_is_on_then_are_kept_for_it_alone(demo, first):
    say = "from helpdesk import settings; print(*settings.PASSWORD_HASHERS)"
    said = subprocess.run([sys.executable, "-c", say], env=os.environ | {"DEMO": demo}, capture_output=True, text=True, check=True)
    assert said.stdout.split()[0].endswith(first)
    assert ("DemoPasswordHasher" in said.stdout) == (demo == "1")


@pytest.mark.parametrize("next_page", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"])
def test_login_when_next_leads_elsewhere_then_stays_here(client, ana, next_page):
    answer = client.post(f"{LOGIN}?next={next_page}", {"login": ana.email, "password": PASSWORD, "next": next_page})
    assert (answer.status_code, answer.url) == (302, "/")


def test_password_when_there_never_was_one_then_changing_it_leads_to_the_mailed_link(client):
    client.force_login(User.objects.create_user("new@acme.example"))
    assert client.get("/accounts/password/change/", follow=True).redirect_chain[-1][0] == "/accounts/password/reset/"
