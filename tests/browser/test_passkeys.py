"""Passkeys in a browser that has a fingerprint reader, if a pretended one."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser
CLARA = "csm@support.example"  # nobody else here: a second step logs out all other browsers


@pytest.fixture
def page(running, browser):
    """On `localhost`, as browsers make no passkeys for a number."""
    context = browser.new_context(base_url=running.url.replace("127.0.0.1", "localhost"))
    page = context.new_page()
    reader = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": {**reader, "automaticPresenceSimulation": True}})
    yield page
    context.close()


def log_in(page) -> None:
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(CLARA)
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Log in", exact=True).click()


def test_passkey_when_added_then_is_the_second_step_and_a_way_in_by_itself_until_removed(page):
    log_in(page)
    page.goto("/accounts/second-step/webauthn/add/")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add this passkey").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()

    log_in(page)  # the password alone opens nothing
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/desk/**")

    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/accounts/second-step/webauthn/")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.get_by_role("link", name="Remove Laptop").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove it").click()
    page.get_by_text("You have none.").wait_for()

    log_in(page)
    page.wait_for_url("**/desk/**")
