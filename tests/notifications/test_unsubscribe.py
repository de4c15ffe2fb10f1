"""Stopping a ticket's mails from within one, without logging in."""

from __future__ import annotations

import pytest
from django.core import signing

from accounts.models import Membership, User
from notifications import preferences
from notifications.models import Level
from notifications.unsubscribe import unsubscribe_path
from tests.factories import make_ticket
from tickets import sharing
from tickets.models import Event, Follower

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(workflow, ana):
    return make_ticket(ana)


def muted(user: User) -> bool:
    return Follower.objects.get(user=user).is_muted


@pytest.mark.parametrize("method", ["get", "head"])
def test_link_when_opened_then_changes_nothing(client, ticket, ana, method):
    answer = getattr(client, method)(unsubscribe_path(ticket, ana))
    assert (answer.status_code, muted(ana), Event.objects.count()) == (200, False, 1)


def test_button_when_pressed_then_mutes_without_login(client, ticket, ana):
    answer = client.post(unsubscribe_path(ticket, ana))
    assert (answer.status_code, muted(ana)) == (200, True)


def test_mail_program_when_it_posts_one_click_then_needs_no_cookie_or_token(ticket, ana):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(unsubscribe_path(ticket, ana), {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, muted(ana)) == (200, True)


def test_button_when_pressed_twice_then_is_recorded_once(client, ticket, ana):
    answers = [client.post(unsubscribe_path(ticket, ana)).status_code for _ in range(2)]
    assert (answers, Event.objects.filter(kind="follower_removed").count()) == ([200, 200], 1)


def test_link_when_another_is_logged_in_then_acts_for_whom_it_names(client, ticket, ana, dan):
    sharing.follow(ticket, actor=dan)
    client.force_login(dan)
    client.post(unsubscribe_path(ticket, ana))
    assert (muted(ana), muted(dan)) == (True, False)


def test_link_when_used_then_other_tickets_go_on(client, ticket, ana):
    other = make_ticket(ana)
    client.post(unsubscribe_path(ticket, ana))
    assert Follower.objects.get(ticket=other).is_muted is False


@pytest.mark.parametrize("token", ["x", "a:b", "WzEsMSwxXQ:forged", "%00", "x" * 5000, "WzEsMSwxXQ"])
def test_link_when_forged_then_does_not_exist(client, ticket, token):
    answers = [client.get(f"/mail/unsubscribe/{token}/").status_code, client.post(f"/mail/unsubscribe/{token}/").status_code]
    assert (answers, Event.objects.count()) == ([404, 404], 1)


def test_link_when_signed_for_another_purpose_then_does_not_exist(client, ticket, ana):
    named = [ticket.pk, ana.pk, ana.token_generation]
    for token in (signing.dumps(named), signing.Signer(salt="x").sign_object(named), signing.Signer(salt="helpdesk.unsubscribe").sign("x")):
        assert client.post(f"/mail/unsubscribe/{token}/").status_code == 404
    assert muted(ana) is False


def test_link_when_changed_by_a_letter_then_does_not_exist(client, ticket, ana):
    path = unsubscribe_path(ticket, ana)
    other = "b" if path[-3] != "b" else "c"
    assert client.post(f"{path[:-3]}{other}{path[-2:]}").status_code == 404
    assert muted(ana) is False


def test_link_when_tokens_were_revoked_then_does_not_exist(client, ticket, ana):
    path = unsubscribe_path(ticket, ana)
    User.objects.filter(pk=ana.pk).update(token_generation=2)
    assert (client.post(path).status_code, muted(ana)) == (404, False)


def test_link_of_the_daily_mail_when_one_of_its_tickets_went_out_of_sight_then_stops_it_all_the_same(client, ticket, ana, cleo, dan):
    seen = make_ticket(ana)
    for shared in (ticket, seen):
        sharing.add_follower(shared, actor=dan, person=cleo)
        preferences.choose_for(shared, cleo, Level.DIGEST)
    preferences.choose(cleo, Level.DIGEST)
    sharing.remove_follower(ticket, actor=dan, person=cleo)
    answer = client.post(unsubscribe_path(None, cleo))
    assert (answer.status_code, preferences.general_level(cleo), muted(cleo)) == (200, Level.NONE, True)
    assert not cleo.ticket_preferences.exists()


@pytest.mark.parametrize("loss", ["left", "switched off"])
def test_link_when_person_no_longer_sees_the_ticket_then_shows_nothing_of_it(client, ticket, ben, loss):
    path = unsubscribe_path(ticket, ben)
    assert "Player is blank" in client.get(path).content.decode()
    Membership.objects.filter(user=ben).delete() if loss == "left" else User.objects.filter(pk=ben.pk).update(is_active=False)
    answer = client.get(path)
    assert (answer.status_code, "Player is blank" in answer.content.decode()) == (404, False)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_link_when_method_is_another_then_is_refused(client, ticket, ana, method):
    assert getattr(client, method)(unsubscribe_path(ticket, ana)).status_code == 405
