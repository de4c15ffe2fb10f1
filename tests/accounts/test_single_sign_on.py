"""Logging in at an identity provider: a real one, if small, on a port of its own."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from accounts.models import EmailDomain, Membership, Role, User
from accounts.own_addresses import add, prove
from notifications.models import Delivery
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
LOGIN, BEGIN, BACK = "/accounts/login/", "/accounts/sso/login/", "/accounts/sso/callback/"
ANA: dict[str, Any] = {"sub": "1001", "email": "ana@acme.example", "email_verified": True, "name": "Ana of the provider"}


class Provider(HTTPServer):
    """Answers as OpenID Connect's discovery, token and userinfo endpoints do; `claims` is who logs in."""

    claims: dict[str, Any]
    challenge: str
    broken: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        if self.server.broken == self.path:
            return self.say("this is no JSON", 200)
        if self.path == "/elsewhere/.well-known/openid-configuration":
            self.send_response(302)
            self.send_header("Location", f"{self.server.url}/.well-known/openid-configuration")
            return self.end_headers()
        if self.path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "userinfo", "jwks_uri": "keys"}
            return self.say({"issuer": self.server.url, **{name: f"{self.server.url}/{end}" for name, end in ends.items()}})
        assert self.headers["Authorization"] == "Bearer of-the-test"
        return self.say(self.server.claims)

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        proof = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"][0].encode()).digest()).decode().rstrip("=")
        right = (sent["code"], proof) == (["good"], self.server.challenge)
        return self.say(
            {"access_token": "of-the-test", "token_type": "Bearer"} if right else {"error": "invalid_grant"}, 200 if right else 400
        )

    def say(self, words: Any, status: int = 200) -> None:
        body = (words if isinstance(words, str) else json.dumps(words)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        pass


def configured(settings, url: str) -> None:
    app = {"provider_id": "sso", "name": "Example ID", "client_id": "helpdesk", "secret": "s", "settings": {"server_url": url}}
    settings.OIDC_SERVER_URL, settings.OIDC_NAME = url, "Example ID"
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}


@pytest.fixture
def provider(settings):
    server = Provider(("127.0.0.1", 0), Answers)
    server.claims = ANA
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)  # seconds until it sees that it is to stop
    thread.start()
    configured(settings, server.url)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def begin(client, provider, **sent) -> str:
    """Presses the button; returns the state that the provider gives back."""
    page = client.post(BEGIN, sent).content.decode()
    (address,) = set(re.findall(r'href="(http[^"]+/authorize[^"]+)"', page))
    asked = parse_qs(urlsplit(html.unescape(address)).query)
    assert (asked["client_id"], asked["redirect_uri"], asked["code_challenge_method"]) == (
        ["helpdesk"],
        [f"http://testserver{BACK}"],
        ["S256"],
    )
    provider.challenge = asked["code_challenge"][0]
    return asked["state"][0]


def come_back(client, provider, claims: dict[str, Any] | None = None, **sent):
    provider.claims = ANA if claims is None else claims
    state = begin(client, provider, **sent)
    return client.get(BACK, {"code": "good", "state": state})


def who(client) -> str | None:
    return client.session.get("_auth_user_id")


def said(client) -> str:
    return html.unescape(client.get(LOGIN).content.decode())


def test_known_person_when_provider_proves_the_address_then_is_in_and_told_once(client, provider, ana):
    assert come_back(client, provider).url == "/"
    assert who(client) == str(ana.pk)
    client.logout()
    come_back(client, provider, {**ANA, "email": "renamed@acme.example"})  # the same person by the provider's id
    assert (who(client), list(Delivery.objects.values_list("change", flat=True))) == (str(ana.pk), ["single_sign_on"])
    ana.refresh_from_db()
    assert (ana.email, ana.name, ana.role) == ("ana@acme.example", "Ana Ford", Role.CUSTOMER)


def test_known_person_when_it_is_another_proven_address_then_is_the_same(client, provider, ana):
    add(ana, "ana@home.example")
    prove(ana, "ana@home.example")
    come_back(client, provider, {**ANA, "email": "ANA@home.example"})
    assert who(client) == str(ana.pk)


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": "false"},
        {"email_verified": 1},
        {"email_verified": None},
        {"email": ""},
        {"email": None},
        {"email": ["ana@acme.example"]},
        {"email": "ana@acme.example\0"},
        {"email": "ana@acme.example,evil@x.example"},
        {"email": "\N{KELVIN SIGN}ana@acme.example"},
    ],
)
def test_address_when_not_proven_by_the_provider_then_opens_nothing(client, provider, ana, claims):
    come_back(client, provider, {**ANA, **claims})
    assert (who(client), SocialAccount.objects.count(), User.objects.count()) == (None, 0, 1)


@pytest.mark.parametrize("signup", ["off", "domains", "on"])
@pytest.mark.parametrize("domain", ["acme.example", "x.example"])
def test_stranger_when_sign_up_allows_it_then_has_an_account_and_its_domain_counts(client, provider, settings, acme, signup, domain):
    settings.SIGNUP = signup
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    come_back(client, provider, {**ANA, "email": f"nia@{domain}", "role": "admin", "is_staff": True, "groups": ["admin"]})
    allowed = signup == "on" or (signup == "domains" and domain == "acme.example")
    assert (who(client) is not None, User.objects.count()) == (allowed, int(allowed))
    if allowed:
        person = User.objects.get()
        assert (person.role, person.has_usable_password(), person.proven_at is not None) == (Role.CUSTOMER, False, True)
        assert list(person.active_organizations()) == ([acme] if domain == "acme.example" else [])
        assert EmailAddress.objects.count() == 0
    else:
        assert "There is no account here" in said(client)


def test_account_when_its_address_was_never_proven_then_an_early_password_is_worthless(client, provider, acme):
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    early = make_user("ana@acme.example")
    Membership.objects.create(user=early, organization=acme, is_active=False, awaits_proof=True)
    inside = client.__class__()
    inside.force_login(early)
    come_back(client, provider)
    early.refresh_from_db()
    assert (early.check_password(PASSWORD), inside.get("/profile/").status_code, who(client)) == (False, 302, str(early.pk))
    assert list(early.active_organizations()) == [acme]


def test_account_when_switched_off_then_stays_closed(client, provider, ana):
    User.objects.filter(pk=ana.pk).update(is_active=False)
    come_back(client, provider)
    assert (who(client), "switched off" in said(client)) == (None, True)


@pytest.mark.parametrize(("provider_does_it", "lands"), [(False, 302), (True, 200)])
def test_staff_when_they_must_have_a_second_step_then_the_providers_counts_where_the_operator_says_so(
    client, provider, dan, settings, provider_does_it, lands
):
    settings.STAFF_MFA, settings.OIDC_MFA = True, provider_does_it
    come_back(client, provider, {**ANA, "email": dan.email})
    assert (who(client), client.get("/desk/").status_code) == (str(dan.pk), lands)
    client.logout()
    client.post(LOGIN, {"login": dan.email, "password": PASSWORD})
    assert client.get("/desk/").status_code == 302


@pytest.mark.parametrize(
    "sent", [{"code": "bad"}, {"error": "access_denied"}, {"error": "server_error"}, {}, {"code": "good", "state": "forged"}]
)
def test_answer_when_it_is_none_or_forged_then_opens_nothing(client, provider, ana, sent):
    state = begin(client, provider)
    assert (client.get(BACK, {"state": state, **sent}).url, who(client)) == (LOGIN, None)
    assert "did not work" in said(client)


def test_answer_when_somebody_elses_browser_brings_it_then_opens_nothing(client, provider, ana):
    """Log-in CSRF: a thief has the victim's browser finish the thief's log-in."""
    state = begin(client.__class__(), provider)
    client.get(BACK, {"code": "good", "state": state})
    assert who(client) is None


def test_account_of_another_when_logged_in_then_is_never_connected(client, provider, ana, cleo):
    client.force_login(cleo)
    come_back(client, provider, process="connect")
    assert SocialAccount.objects.count() == 0


@pytest.mark.parametrize("next_page", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"])
def test_next_when_it_leads_elsewhere_then_stays_here(client, provider, ana, next_page):
    assert come_back(client, provider, next=next_page).url == "/"


@pytest.mark.parametrize("broken", ["/.well-known/openid-configuration", "/userinfo", "gone", "redirects"])
def test_provider_when_broken_then_says_so_and_nothing_breaks(client, provider, ana, settings, broken):
    state = begin(client, provider)
    provider.broken = broken
    if broken in ("gone", "redirects"):
        configured(settings, "http://127.0.0.1:9" if broken == "gone" else f"{provider.url}/elsewhere")
    pages = [client.post(BEGIN), client.get(BACK, {"code": "good", "state": state})]
    assert ({page.status_code for page in pages} <= {200, 302}, who(client)) == (True, None)


def test_login_page_when_there_is_a_provider_then_has_its_button(client, provider):
    assert "Log in with Example ID" in said(client)


def test_button_when_only_opened_then_does_nothing(client, provider):
    assert client.get(BEGIN).status_code == 405


def test_admin_when_looking_for_keys_then_finds_none(client, max_admin):
    client.force_login(max_admin)
    assert re.findall(r"/admin/(account|mfa|socialaccount)/", client.get("/admin/").content.decode()) == []
