from __future__ import annotations

import pytest

from accounts.models import User
from tests.portal.pages import errors, has

pytestmark = pytest.mark.django_db


def save(client, **fields):
    return client.post("/profile/", {"name": "Ana Ford", "time_zone": "Europe/Berlin", **fields})


def test_profile_when_saved_then_is_kept(client, ana):
    client.force_login(ana)
    response = save(client, name=" Ana\r\nF. ")
    saved = User.objects.get(pk=ana.pk)
    assert (response.url, saved.name, saved.time_zone) == ("/profile/", "Ana F.", "Europe/Berlin")
    assert has(client.get("/profile/"), "Your profile is saved.", "Acme", "ana@acme.example", "Change password") == [True] * 4


def test_profile_when_staff_then_is_theirs_too(client, dan):
    client.force_login(dan)
    assert (client.get("/profile/").status_code, save(client).status_code) == (200, 302)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "\0", "../../etc/passwd", "x" * 5000])
def test_profile_when_zone_is_none_then_is_refused(client, ana, zone):
    client.force_login(ana)
    response = save(client, time_zone=zone)
    assert (response.status_code, errors(response)) == (422, ["Choose a time zone of the list."])


def test_profile_when_name_is_too_long_then_is_refused(client, ana):
    client.force_login(ana)
    assert errors(save(client, name="n" * 300)) == ["Shorten this to 150 characters; it has 300 now."]


def test_profile_when_more_is_posted_then_only_these_change(client, ana):
    client.force_login(ana)
    save(client, role="admin", email="root@acme.example", is_active="", proven_at="2020-01-01")
    saved = User.objects.get(pk=ana.pk)
    assert (saved.role, saved.email, saved.is_active, saved.proven_at) == ("customer", "ana@acme.example", True, None)


def test_profile_when_anonymous_then_asks_to_log_in(client):
    assert client.get("/profile/").url == "/accounts/login/?next=/profile/"


def test_profile_when_deleted_then_is_refused(client, ana):
    client.force_login(ana)
    assert client.delete("/profile/").status_code == 405


def test_profile_when_opened_then_costs_four_queries(client, ana, django_assert_num_queries):
    client.force_login(ana)
    with django_assert_num_queries(4):  # session, person, organizations, whether mail to the person is stopped
        client.get("/profile/")


def test_language_when_chosen_then_pages_are_in_it_from_the_next_words_on(client, ana):
    client.force_login(ana)
    save(client, language="de")
    assert User.objects.get(pk=ana.pk).language == "de"
    assert has(client.get("/profile/"), "Ihr Profil ist gespeichert.", "Sprache", "Deutsch", "English") == [True] * 4


@pytest.mark.parametrize("language", ["fr", "\0", "de-DE", "../de", "x" * 5000])
def test_language_when_not_offered_then_is_refused(client, ana, language):
    client.force_login(ana)
    response = save(client, language=language)
    assert (response.status_code, errors(response)) == (422, ["Choose a language of the list."])


def test_language_when_left_to_the_browser_then_is_empty(client, ana):
    User.objects.filter(pk=ana.pk).update(language="de")
    client.force_login(ana)
    save(client, language="")
    assert (User.objects.get(pk=ana.pk).language, has(client.get("/profile/"), "Your profile is saved.")) == ("", [True])
