"""The second step: what it guards, that each code is good once, and what staff may do before they have one."""

from __future__ import annotations

import json
import re
import time

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.models import Role, User
from notifications.models import Delivery
from tests.accounts.test_password_reset import forgot, mailed_link, use
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
LOGIN, STEP, ENTER = "/accounts/login/", "/accounts/second-step/", "/accounts/second-step/authenticate/"
SECRET = generate_totp_secret()
NOW = time.time() // 30 * 30 - 20  # ten seconds into the step before this one


def code_at(moment: float, secret: str = SECRET) -> str:
    return format_hotp_value(hotp_value(secret, int(moment) // 30))


def log_in(client, person) -> bool:
    client.post(LOGIN, {"login": person.email, "password": PASSWORD})
    return inside(client)


def enter(client, code: str) -> bool:
    client.post(ENTER, {"code": code})
    return inside(client)


def inside(client) -> bool:
    return "_auth_user_id" in client.session


@pytest.fixture
def guarded(ana):
    """Ana, with an app and recovery codes."""
    TOTP.activate(ana, SECRET)
    RecoveryCodes.activate(ana)
    return ana


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


# --- Logging in ----------------------------------------------------------------------------------------------------------------


def test_login_when_app_is_on_then_password_alone_opens_nothing(client, guarded, clock):
    assert not log_in(client, guarded)
    assert client.get("/profile/").status_code == 302
    assert enter(client, code_at(NOW))


@pytest.mark.parametrize(("away", "works"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_code_when_a_clock_is_off_by_a_step_then_works(client, guarded, clock, away, works):
    log_in(client, guarded)
    assert enter(client, code_at(NOW + away)) is works


@pytest.mark.parametrize("code", ["", "000000", "abc", "\0", "x" * 10_000, "१२३४५६", "12345", "-1", " "])
def test_code_when_wrong_then_is_refused(client, guarded, clock, code):
    log_in(client, guarded)
    assert not enter(client, code)


@pytest.mark.parametrize("later", [0, 25, 45])
def test_code_when_used_then_never_again_whatever_the_cache_forgot(client, guarded, clock, later):
    code = code_at(NOW)
    log_in(client, guarded)
    assert enter(client, code)
    client.logout()
    cache.clear()
    clock.move_to(NOW + later)
    log_in(client, guarded)
    assert not enter(client, code)


def test_code_when_a_newer_one_was_used_then_older_is_worthless(client, guarded, clock):
    log_in(client, guarded)
    enter(client, code_at(NOW))
    client.logout()
    log_in(client, guarded)
    assert not enter(client, code_at(NOW - 30))


def test_recovery_code_when_used_then_opens_once(client, guarded):
    code = RecoveryCodes.activate(guarded).get_unused_codes()[0]
    log_in(client, guarded)
    assert enter(client, code)
    client.logout()
    log_in(client, guarded)
    assert not enter(client, code)


def test_codes_when_guessed_then_stop_after_five_wherever_from(client, guarded, clock):
    log_in(client, guarded)
    for number in range(5):
        client.post(ENTER, {"code": "000000"}, REMOTE_ADDR=f"10.0.0.{number}", headers={"X-Forwarded-For": f"10.1.0.{number}"})
    assert not enter(client, code_at(NOW))


def test_step_when_nobody_began_to_log_in_then_leads_to_the_login(client, guarded):
    assert client.post(ENTER, {"code": "000000"}).url.startswith(LOGIN)


def test_password_link_when_used_then_second_step_is_still_asked_for(client, guarded, clock, mailoutbox):
    forgot(client, guarded.email)
    use(client, mailed_link(mailoutbox))
    assert not inside(client)
    assert enter(client, code_at(NOW))
    assert Authenticator.objects.filter(user=guarded, type="totp").exists()


def test_account_when_switched_off_between_the_steps_then_does_not_open(client, guarded, clock):
    log_in(client, guarded)
    type(guarded).objects.filter(pk=guarded.pk).update(is_active=False)
    enter(client, code_at(NOW))
    assert client.get("/profile/").status_code == 302


# --- Setting it up -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hers(client, ana):
    client.force_login(ana)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def activate(client):
    page = client.get(f"{STEP}totp/activate/").content.decode()
    (secret,) = re.findall(r'<code class="key">([A-Z2-7]+)</code>', page)
    assert 'src="data:image/svg+xml;base64,' in page
    return client.post(f"{STEP}totp/activate/", {"code": code_at(time.time(), secret)}), secret


def test_app_when_set_up_then_is_on_with_codes_and_told_by_mail(hers, ana, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer, secret = activate(hers)
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert (answer.url, secret in kept, Authenticator.objects.count()) == (reverse("mfa_view_recovery_codes"), False, 2)
    assert list(Delivery.objects.values_list("address", "change")) == [(ana.email, "app_on")]
    assert len(re.findall(r"<li><code>\d{8}</code>", hers.get(answer.url).content.decode())) == 10


def test_app_when_set_up_then_browsers_that_came_in_without_it_are_out(hers, ana, django_capture_on_commit_callbacks):
    elsewhere = hers.__class__()
    elsewhere.force_login(ana)
    with django_capture_on_commit_callbacks(execute=True):
        activate(hers)
    assert (elsewhere.get("/profile/").status_code, hers.get("/profile/").status_code) == (302, 200)


@pytest.mark.parametrize("path", ["totp/activate/", "recovery-codes/generate/", "webauthn/add/"])
def test_change_when_password_was_not_shown_then_asks_for_it(client, ana, path):
    client.force_login(ana)
    assert client.get(STEP + path).url.startswith("/accounts/reauthenticate/")


def test_passkey_when_added_in_german_then_its_field_is_german_too(client, ana):
    User.objects.filter(pk=ana.pk).update(language="de")
    client.force_login(ana)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert "Etwa „Laptop“ oder „Telefon“" in client.get(f"{STEP}webauthn/add/").content.decode()


@pytest.mark.parametrize("path", ["totp/deactivate/", "recovery-codes/", "recovery-codes/download/", "recovery-codes/generate/"])
def test_change_when_there_is_a_second_step_then_password_is_not_enough(client, guarded, clock, path):
    client.force_login(guarded)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert client.get(STEP + path).url.startswith(f"{STEP}reauthenticate/")
    asked = client.post(f"{STEP}reauthenticate/", {"code": code_at(NOW), "next": STEP + path})
    assert (asked.url, client.get(STEP + path).status_code) == (STEP + path, 200)


def test_app_when_switched_off_then_codes_go_too_and_it_is_told(client, guarded, clock):
    client.force_login(guarded)
    client.post(f"{STEP}reauthenticate/", {"code": code_at(NOW)})
    client.post(f"{STEP}totp/deactivate/")
    assert (Authenticator.objects.count(), Delivery.objects.get().change) == (0, "app_off")


# --- Staff must ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.AGENT, Role.CSM, Role.ADMIN])
@pytest.mark.parametrize(
    "path", ["/desk/", "/desk/tickets/", "/admin/", "/profile/", "/", "/accounts/email/", "/accounts/password/change/"]
)
def test_staff_when_they_must_and_have_none_then_reach_the_set_up_alone(client, workflow, settings, role, path):
    settings.STAFF_MFA = True
    client.force_login(make_user("staff@support.example", role=role))
    assert (client.get(path).url, client.post(path).url) == (STEP, STEP)
    assert (client.get(STEP).status_code, b"before you start" in client.get(STEP).content) == (200, True)


@pytest.mark.parametrize("way", ["login", "reset"])
def test_staff_when_they_must_then_every_way_in_leads_there(client, dan, settings, mailoutbox, way):
    settings.STAFF_MFA = True
    if way == "reset":
        forgot(client, dan.email)
        use(client, mailed_link(mailoutbox))
    else:
        log_in(client, dan)
    assert client.get("/desk/").url == STEP


def test_staff_when_they_have_set_it_up_then_work(client, dan, settings):
    settings.STAFF_MFA = True
    client.force_login(dan)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    activate(client)
    assert client.get("/desk/").status_code == 200


def test_staff_when_only_recovery_codes_are_left_then_must_set_up(client, dan, settings):
    settings.STAFF_MFA = True
    RecoveryCodes.activate(dan)
    client.force_login(dan)
    assert client.get("/desk/").url == STEP


def test_customers_when_staff_must_then_need_not(client, ana, settings):
    settings.STAFF_MFA = True
    client.force_login(ana)
    assert client.get("/").status_code == 200


# --- Lost ----------------------------------------------------------------------------------------------------------------------


def test_second_step_when_lost_then_staff_at_the_server_remove_it_and_it_is_told(client, guarded):
    call_command("forget_second_step", "ANA@acme.example")
    assert log_in(client, guarded)
    assert (Authenticator.objects.count(), list(Delivery.objects.values_list("address", "change"))) == (0, [(guarded.email, "forgotten")])


def test_second_step_when_address_is_nobodys_then_says_so(db):
    with pytest.raises(CommandError, match="Nobody has"):
        call_command("forget_second_step", "nobody@acme.example")


# --- Passkeys: the ceremony itself is in tests/browser/test_passkeys.py --------------------------------------------------------

FRAME = '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {%s}}'
GARBAGE = [
    "",
    "x",
    "null",
    "[]",
    "{}",
    "1",
    '"text"',
    '{"id": 1}',
    FRAME % "",
    FRAME % '"clientDataJSON": "AA", "attestationObject": "AA"',
    FRAME % '"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "userHandle": "MQ"',
    "[" * 5000,
]


@pytest.mark.parametrize("credential", GARBAGE)
def test_passkey_when_nonsense_then_is_refused_and_nothing_breaks(hers, ana, credential):
    for path in ("webauthn/add/", "webauthn/reauthenticate/"):
        hers.get(STEP + path)
        assert hers.post(STEP + path, {"credential": credential}).status_code in (200, 302)
    hers.logout()
    hers.get(f"{STEP}webauthn/login/", headers={"Accept": "application/json"})
    assert hers.post(f"{STEP}webauthn/login/", {"credential": credential}).url == LOGIN
    assert (Authenticator.objects.count(), inside(hers)) == (0, False)
