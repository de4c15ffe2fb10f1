"""The pages where people say how much mail they want: their settings, the control at each ticket, and what the link in a mail leads to."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from notifications import preferences
from notifications.models import Level, MailPreference, TicketPreference
from notifications.unsubscribe import unsubscribe_path
from tests.factories import make_ticket
from tickets import sharing
from tickets.models import Follower

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(workflow, ana, ben, dan):
    ticket = make_ticket(ana)
    sharing.follow(ticket, actor=ben)
    return ticket


def browser(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def html(response) -> str:
    return " ".join(response.content.decode().split())


def ticked(page: str) -> list[str]:
    return list(re.findall(r'<input type="radio"[^>]*value="(\w+)"[^>]*checked', page))


def chosen(page: str) -> tuple[list[str], list[str]]:
    """What the ticket's own control offers, and what it shows as chosen."""
    control = re.search(r'<select id="property-level".*?</select>', page)
    assert control
    options = re.findall(r'<option value="(\w*)"( selected)?>([^<]*)</option>', control[0])
    return [value for value, _selected, _words in options], [words for _value, selected, words in options if selected]


# --- For everything ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ana", "dan"])
def test_settings_when_never_chosen_then_are_every_update(request, workflow, who):
    assert ticked(html(browser(request.getfixturevalue(who)).get("/mail/"))) == ["all"]


@pytest.mark.parametrize("level", Level)
def test_settings_when_saved_then_are_kept_and_shown(ana, ben, level):
    client = browser(ana)
    saved = html(client.post("/mail/", {"level": level}, follow=True))
    assert ("Your mail settings are saved." in saved, ticked(saved)) == (True, [level])
    assert list(MailPreference.objects.values_list("user", "level")) == [(ana.pk, level)]


@pytest.mark.parametrize("posted", [{}, {"level": ""}, {"level": "no such"}, {"level": "\0"}, {"level": "x" * 5000}])
def test_settings_when_level_is_none_of_them_then_are_refused(ana, posted):
    response = browser(ana).post("/mail/", posted)
    assert (response.status_code, "Choose how much mail you want." in html(response), MailPreference.objects.count()) == (422, True, 0)


def test_settings_when_tickets_have_their_own_then_names_those_that_are_seen(ticket, ana, ben):
    hidden = make_ticket(ana, "Hidden", share=False)
    Follower.objects.create(ticket=hidden, user=ben, added_by=ana)
    for one, level in ((ticket, Level.DIGEST), (hidden, Level.ALL)):
        preferences.choose_for(one, ben, level)
    Follower.objects.filter(ticket=hidden, user=ben).delete()
    page = html(browser(ben).get("/mail/"))
    assert (f'#{ticket.number} Player is blank</a> <span class="muted">once a day</span>' in page, "Hidden" in page) == (True, False)


@pytest.mark.parametrize(("zone", "shown"), [("Europe/Berlin", "Europe/Berlin"), ("", "UTC"), ("America/New_York", "America/New York")])
def test_settings_when_shown_then_say_where_the_day_begins(ana, zone, shown):
    ana.time_zone = zone
    ana.save()
    assert f"about eight in the morning ({shown})" in html(browser(ana).get("/mail/"))


def test_settings_when_of_staff_then_say_that_no_customer_goes_unheard(ana, dan):
    assert ["No customer goes unheard" in html(browser(person).get("/mail/")) for person in (ana, dan)] == [False, True]


def test_menu_when_opened_then_leads_to_the_settings_in_both_rooms(ticket, ana, dan):
    assert ['href="/mail/"' in html(browser(person).get(path)) for person, path in ((ana, "/"), (dan, "/desk/"))] == [True, True]


# --- For one ticket ------------------------------------------------------------------------------------------------------------


def test_control_when_a_customer_follows_then_offers_what_does_not_contradict_following(ticket, ben):
    page = html(browser(ben).get(f"/tickets/{ticket.number}/"))
    assert chosen(page) == (["", "all", "digest"], ["As usual: every update"])
    assert ("Stop following" in page, "Follow this ticket" in page) == (True, False)


def test_control_when_a_customer_does_not_follow_then_is_not_there(ticket, ben):
    preferences.stop(ticket, ben)
    page = html(browser(ben).get(f"/tickets/{ticket.number}/"))
    assert ("property-level" in page, "Stop following" in page, "Follow this ticket" in page) == (False, False, True)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("all", "You get an email at each update."),
        ("digest", "What happens on this ticket is in your daily email."),
        ("", "You follow this ticket. Your mail settings bring you no email about it."),
    ],
)
def test_control_when_a_customer_chooses_then_is_kept_and_said(ticket, ben, level, words):
    preferences.choose(ben, Level.NONE)
    client = browser(ben)
    page = html(client.post(f"/tickets/{ticket.number}/mail/", {"level": level}, follow=True))
    labels = {"all": "Every update", "digest": "Once a day", "": "As usual: nothing"}
    assert (words in page, chosen(page)[1]) == (True, [labels[level]])


def test_control_when_staff_then_offers_nothing_too(ticket, dan):
    client = browser(dan)
    page = html(client.post(f"/desk/tickets/{ticket.number}/mail/", {"level": "none"}, follow=True))
    assert chosen(page) == (["", "all", "digest", "none"], ["Nothing"])
    assert "You get no mail about this ticket, as long as somebody else at the desk hears what customers say." in page


def test_following_when_settings_say_less_then_page_does_not_promise_more(ticket, ben):
    preferences.stop(ticket, ben)
    preferences.choose(ben, Level.MINE)
    page = html(browser(ben).post(f"/tickets/{ticket.number}/follow/", follow=True))
    assert ("Your mail settings bring you answers on your own tickets only." in page, "at each update" in page) == (True, False)


@pytest.mark.parametrize("posted", [{}, {"level": "none"}, {"level": "mine"}, {"level": "x" * 5000}])
def test_control_when_level_is_not_offered_then_nothing_changes(ticket, ben, posted):
    page = html(browser(ben).post(f"/tickets/{ticket.number}/mail/", posted, follow=True))
    assert ("Choose how you want to be mailed" in page, TicketPreference.objects.count()) == (True, 0)
    assert Follower.objects.filter(user=ben, is_muted=False).exists()


def test_desk_when_followers_chose_less_then_names_who_is_mailed_and_how(ticket, ana, ben, cleo, dan):
    sharing.add_follower(ticket, actor=dan, person=cleo)
    preferences.choose(ben, Level.MINE)
    preferences.choose(cleo, Level.DIGEST)
    page = html(browser(dan).get(f"/desk/tickets/{ticket.number}/"))
    assert "Mails Ana Ford, Cleo Roy" in page
    said = re.findall(r'<span class="muted tiny">([^<]*)</span>', page)
    assert said == ["requester", "answers on their own tickets", "once a day"]


# --- From a mail ---------------------------------------------------------------------------------------------------------------


def test_link_when_opened_then_offers_less_instead_of_nothing(ticket, ben):
    page = html(Client().get(unsubscribe_path(ticket, ben)))
    assert [f'href="{path}"' in page for path in (f"/tickets/{ticket.number}/", "/mail/")] == [True, True]
    assert Client().get("/mail/").url == "/accounts/login/?next=/mail/"


def test_link_when_used_then_the_page_leads_back(ticket, ben):
    page = html(Client().post(unsubscribe_path(ticket, ben)))
    assert ("No more mails about this ticket" in page, f'href="/tickets/{ticket.number}/"' in page, 'href="/mail/"' in page) == (True,) * 3


def test_link_when_of_staff_then_stops_it_and_says_what_still_comes(ticket, dan):
    page = html(Client().post(unsubscribe_path(ticket, dan)))
    assert ("where nobody else at the desk would hear it" in page, f'href="/desk/tickets/{ticket.number}/"' in page) == (True, True)
    assert TicketPreference.objects.get().level == Level.NONE
