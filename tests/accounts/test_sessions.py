"""Where one is logged in: the list, ending one and all others, and what ends a session by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Device, Role, User
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
PAGE = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"


def log_in(person, browser: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": browser})
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD, "remember": "on"})
    return client


def is_inside(client) -> bool:
    return client.get("/profile/").status_code == 200


def test_page_when_opened_then_lists_ones_own_browsers_alone(ana, cleo):
    here, _phone, _theirs = log_in(ana), log_in(ana, IPHONE), log_in(cleo)
    page = here.get(PAGE).content.decode()
    assert (page.count("Firefox on Linux"), page.count("Safari on iPhone"), page.count("this one")) == (
        1,
        2,
        1,
    )  # once in its button's name


def test_one_when_ended_then_is_out_at_once(ana):
    here, phone = log_in(ana), log_in(ana, IPHONE)
    here.post(f"{PAGE}{Device.objects.get(browser=IPHONE).pk}/end/")
    assert (is_inside(here), is_inside(phone), Device.objects.count()) == (True, False, 1)


def test_one_when_it_is_anothers_then_stays(ana, cleo):
    here, theirs = log_in(ana), log_in(cleo)
    here.post(f"{PAGE}{Device.objects.get(user=cleo).pk}/end/")
    assert is_inside(theirs)


def test_all_others_when_ended_then_this_one_stays(ana, cleo):
    here, others, theirs = log_in(ana), [log_in(ana), log_in(ana, IPHONE)], log_in(cleo)
    here.post(f"{PAGE}others/end/")
    assert (is_inside(here), [is_inside(other) for other in others], is_inside(theirs)) == (True, [False, False], True)


def test_session_when_logging_in_then_has_another_id_than_before(client, ana):
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": "nobody@x.example", "password": "x"})
    before = client.session.session_key
    client.post("/accounts/login/", {"login": ana.email, "password": PASSWORD})
    assert client.session.session_key != before


def test_session_when_logged_out_then_is_gone_for_good(ana):
    here = log_in(ana)
    stolen = Client()
    stolen.cookies["session"] = here.cookies["session"].value
    assert is_inside(stolen)
    here.post("/accounts/logout/")
    assert (is_inside(stolen), Device.objects.count()) == (False, 0)


@pytest.mark.parametrize("change", [{"role": Role.AGENT}, {"is_active": False}, {"token_generation": 2}, {"password": "!x"}])
def test_session_when_role_account_or_password_changes_then_ends_whatever_changed_it(ana, change):
    here = log_in(ana)
    User.objects.filter(pk=ana.pk).update(**change)
    assert not is_inside(here)


def test_sessions_when_password_is_changed_then_all_end(ana):
    here, phone = log_in(ana), log_in(ana, IPHONE)
    new = "another horse battery"
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert (is_inside(here), is_inside(phone)) == (False, False)


def test_page_when_password_was_changed_elsewhere_then_old_browsers_are_not_listed(ana):
    log_in(ana)
    ana.set_password("another horse battery")
    ana.save()
    client = Client()
    client.force_login(ana)
    assert len(client.get(PAGE).context["devices"]) == 1


def test_device_when_used_on_then_is_noted_every_ten_minutes_alone(ana, django_assert_num_queries):
    here = log_in(ana)
    with django_assert_num_queries(2):  # session, person
        here.get("/accounts/password/change/")
    before = Device.objects.get().seen_at
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        here.get("/accounts/password/change/")
        after = Device.objects.get().seen_at
        assert after - before > timedelta(minutes=10)


@pytest.mark.parametrize("count", [1, 20])
def test_page_when_there_are_many_browsers_then_costs_three_queries(ana, django_assert_num_queries, count):
    for _ in range(count - 1):
        log_in(ana)
    here = log_in(ana)
    with django_assert_num_queries(3):  # session, person, devices
        here.get(PAGE)


@pytest.mark.parametrize("browser", ["", "\0", "x" * 10_000, "curl/8", "<script>alert(1)</script>"])
def test_browser_when_its_name_is_odd_then_is_listed_all_the_same(ana, browser):
    here = log_in(ana, browser)
    page = here.get(PAGE).content.decode()
    assert ("A browser we don" in page, "<script>alert" in page) == (True, False)


@pytest.mark.parametrize("header", ["X-Remote-User", "X-Forwarded-User", "X-On-Behalf-Of", "Remote-User", "X-User", "Authorization"])
def test_identity_when_claimed_by_a_header_then_nobody_is_let_in(client, header):
    boss = make_user("max@support.example", role=Role.ADMIN)
    assert client.get("/desk/", headers={header: boss.email}).status_code == 302
