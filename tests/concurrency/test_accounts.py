"""Two browsers at the same moment: one code opens one of them, one address becomes one person's, one sign-up is one account."""

from __future__ import annotations

import time
from threading import Event

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from accounts import own_addresses
from accounts.models import Device, User
from accounts.second_step import code_of
from notifications.models import Delivery
from tests.concurrency.threads import at_once, errors, marks
from tests.factories import PASSWORD, make_ticket, message
from tickets import actions
from tickets.locking import lock

pytestmark = marks
AT_ONCE = 4


def enter(client: Client, code: str) -> bool:
    cache.clear()  # what it remembers must not be what decides
    client.post("/accounts/second-step/authenticate/", {"code": code})
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_code_when_used_in_several_browsers_at_once_then_opens_one(ana, kind, settings):
    settings.ACCOUNT_RATE_LIMITS = False  # its own lock would make the browsers wait for each other
    secret = generate_totp_secret()
    TOTP.activate(ana, secret)
    codes = RecoveryCodes.activate(ana).get_unused_codes()
    clients = [Client() for _ in range(AT_ONCE)]
    for client in clients:
        client.post("/accounts/login/", {"login": ana.email, "password": PASSWORD})
    code = code_of(secret, int(time.time()) // 30) if kind == "app" else codes[0]
    entered = at_once([lambda client=client: enter(client, code) for client in clients])
    assert (errors(entered), entered.count(True)) == ([], 1)
    assert Authenticator.objects.count() == 2


def test_sign_up_when_pressed_twice_at_once_then_is_one_account_with_at_most_three_mails(db, settings):
    settings.SIGNUP, settings.ACCOUNT_RATE_LIMITS = "on", False
    pressed = at_once([lambda: Client().post("/accounts/signup/", {"name": "Nia", "email": "nia@x.example"}).status_code for _ in range(6)])
    assert (pressed, User.objects.count(), Delivery.objects.count()) == ([302] * 6, 1, 3)


def test_address_when_proven_by_two_people_at_once_then_is_one_persons(ana, cleo):
    for person in (ana, cleo):
        own_addresses.add(person, "both@home.example")
    proven = at_once([lambda person=person: own_addresses.prove(person, "both@home.example") for person in (ana, cleo)])
    assert [proven.count(True), len(errors(proven)) + proven.count(False)] == [1, 1]


def test_browser_when_logged_out_from_elsewhere_while_it_asks_then_nothing_breaks(ana):
    here, other = Client(), Client()
    for client in (here, other):
        client.post("/accounts/login/", {"login": ana.email, "password": PASSWORD})
    session = other.session
    session["seen_at"] = 0
    session.save()
    answers = at_once([lambda: other.get("/profile/").status_code, lambda: here.post("/accounts/sessions/others/end/").status_code])
    assert (errors(answers), answers[0] in (200, 302, 400), answers[1]) == ([], True, 302)
    assert Device.objects.filter(user=ana).count() == 1


def test_login_when_changed_while_the_person_acts_on_their_ticket_then_nobody_fails(workflow, ana):
    """Search is to find their tickets by the new address: those are locked before the person, as every verb that names the person does."""
    ticket = make_ticket(ana)
    new = EmailAddress.objects.create(user=ana, email="ana@home.example", verified=True)
    locked = Event()

    @transaction.atomic
    def act() -> None:
        lock(ticket, ana)
        locked.set()
        time.sleep(0.5)
        actions.comment(ticket, actor=ana, message=message("More."))

    def change() -> None:
        locked.wait(timeout=20)
        own_addresses.make_login(User.objects.get(pk=ana.pk), new)

    assert errors(at_once([act, change])) == []
    assert User.objects.get(pk=ana.pk).email == "ana@home.example"
