"""Following everything of an organization: a person's own choice, which ends with the membership and makes no row on any ticket."""

from __future__ import annotations

import pytest

from accounts.models import Membership
from notifications import preferences
from notifications.models import Delivery, Level, State
from notifications.relay import relay_waiting
from notifications.unsubscribe import unsubscribe_path
from tests.factories import make_ticket, message
from tests.notifications.test_render import text, to
from tests.portal.pages import has
from tickets import access, actions
from tickets.models import Channel, Follower

pytestmark = pytest.mark.django_db


@pytest.fixture
def ben(ben, acme):
    """Follows everything of Acme."""
    preferences.follow_all(ben, [acme])
    return ben


def told(person) -> list[str]:
    """What has gone, or would go, to the person since the last look."""
    relay_waiting()
    kinds = list(Delivery.objects.filter(recipient=person).exclude(state=State.CANCELLED).order_by("id").values_list("kind", flat=True))
    Delivery.objects.all().delete()
    return kinds


def say(ticket, who):
    actions.comment(ticket, actor=who, message=message("Try again.", channel=Channel.DESK))


def test_ticket_when_shared_with_the_organization_then_its_standing_follower_hears_from_the_start(workflow, ana, ben, dan):
    ticket = make_ticket(ana)
    say(ticket, dan)
    assert (told(ben), Follower.objects.filter(user=ben).exists()) == (["update", "update"], False)


def test_ticket_when_private_then_is_not_told(workflow, ana, ben, dan):
    say(make_ticket(ana, share=False), dan)
    assert told(ben) == []


def test_ticket_when_ones_own_then_is_told_as_ever(workflow, ben, dan):
    say(make_ticket(ben), dan)
    assert told(ben) == ["confirmation", "update"]


def test_note_when_added_then_is_not_told(workflow, ana, ben, dan):
    ticket = make_ticket(ana)
    told(ben)
    actions.add_note(ticket, actor=dan, message=message("gossip"))
    assert told(ben) == []


def test_mail_when_to_a_standing_follower_then_says_why_and_how_to_stop(workflow, ana, ben):
    ticket = make_ticket(ana)
    mail = text(to(ben))
    assert f"because you follow everything of your organization, and ticket #{ticket.number} is shared with it." in mail
    assert "/mail/unsubscribe/" in mail


@pytest.mark.parametrize("loss", ["left", "deactivated", "organization off"])
def test_mail_when_the_membership_ends_then_stops_even_if_it_waits(workflow, ana, ben, dan, acme, loss):
    ticket = make_ticket(ana)
    membership = Membership.objects.get(user=ben)
    told(ben)
    say(ticket, dan)
    relay_waiting()
    waiting = Delivery.objects.get(recipient=ben)
    match loss:
        case "left":
            membership.delete()
        case "deactivated":
            Membership.objects.filter(pk=membership.pk).update(is_active=False)
        case _:
            acme.is_active = False
            acme.save()
    from notifications.channels import deliver_due

    deliver_due()
    waiting.refresh_from_db()
    assert waiting.state == State.CANCELLED
    say(ticket, dan)
    assert (told(ben), access.can_see(ben, ticket)) == ([], False)


def test_choice_when_one_of_several_organizations_then_counts_for_it_alone(workflow, ana, ben, cleo, dan, globex):
    Membership.objects.create(user=ben, organization=globex)
    say(make_ticket(cleo), dan)
    assert told(ben) == []
    preferences.follow_all(ben, [globex])
    say(make_ticket(cleo), dan)
    say(make_ticket(ana), dan)
    assert told(ben) == ["update", "update"]


def test_choice_when_for_an_organization_of_others_then_does_nothing(ben, globex):
    preferences.follow_all(ben, [globex])
    assert list(Membership.objects.filter(follows_all=True)) == []


def test_one_ticket_when_stopped_then_is_silent_and_the_others_are_not(client, workflow, ana, ben, dan):
    ticket, other = make_ticket(ana), make_ticket(ana)
    assert client.post(unsubscribe_path(ticket, ben)).status_code == 200
    told(ben)
    for one in (ticket, other):
        say(one, dan)
    assert told(ben) == ["update"]
    client.force_login(ben)
    page = f"/tickets/{ticket.number}/"
    assert has(client.get(page), "Follow this ticket", "Stop following") == [True, False]
    client.post(f"{page}follow/")
    assert has(client.get(page), "Follow this ticket", "Stop following") == [False, True]
    say(ticket, dan)
    assert (told(ben), Follower.objects.filter(user=ben).exists()) == (["update"], False)


def test_one_ticket_when_stopped_then_who_is_named_hears_all_the_same(workflow, ana, ben):
    ticket = make_ticket(ana)
    preferences.stop(ticket, ben)
    told(ben)
    actions.comment(ticket, actor=ana, message=message("@Ben Ode, do you know?"))
    assert told(ben) == ["update"]


def test_requester_when_they_stopped_and_follow_everything_then_stay_stopped_until_they_follow(client, workflow, ben, dan):
    ticket = make_ticket(ben)
    preferences.stop(ticket, ben)
    told(ben)
    say(ticket, dan)
    assert told(ben) == []
    preferences.follow(ticket, ben)
    say(ticket, dan)
    assert told(ben)[-1:] == ["update"]


@pytest.mark.parametrize(("level", "kinds"), [(Level.ALL, 1), (Level.DIGEST, 1), (Level.MINE, 0), (Level.NONE, 0)])
def test_level_when_chosen_then_holds_for_standing_too(workflow, ana, ben, dan, level, kinds):
    ticket = make_ticket(ana)
    told(ben)
    preferences.choose(ben, level)
    say(ticket, dan)
    assert len(told(ben)) == kinds


def test_settings_when_ticked_then_follow_and_unticked_then_no_longer(client, ana, acme, globex):
    Membership.objects.create(user=ana, organization=globex)
    client.force_login(ana)
    for chosen in ([acme.pk, globex.pk], [globex.pk], []):
        client.post("/mail/", {"level": "all", "follow_all": chosen})
        following = Membership.objects.filter(user=ana, follows_all=True)
        assert sorted(following.values_list("organization", flat=True)) == chosen
        assert client.get("/mail/").content.decode().count("checked") == 1 + len(chosen)


@pytest.mark.parametrize("value", ["x", "999999", "\0", "9" * 30])
def test_settings_when_the_organization_is_not_ones_own_then_says_so(client, ana, cleo, globex, value):
    client.force_login(ana)
    for one in (value, globex.pk):
        assert client.post("/mail/", {"level": "all", "follow_all": [one]}).status_code == 422
    assert not Membership.objects.filter(follows_all=True).exists()


def test_settings_when_of_staff_then_offer_no_organization(client, dan):
    client.force_login(dan)
    assert "follow_all" not in client.get("/mail/").content.decode()


def test_list_of_an_organization_when_asked_then_follows_and_stops(client, ana, acme, globex):
    Membership.objects.create(user=ana, organization=globex, follows_all=True)
    client.force_login(ana)
    page = f"/tickets/?whose=organization-{acme.pk}"
    assert has(client.get(page), "Follow everything of Acme") == [True]
    answer = client.post(f"/tickets/organizations/{acme.pk}/follow/", {"follow": "1"}, follow=True)
    assert has(answer, "You follow everything of Acme", "Follow only what I choose") == [True, True]
    client.post(f"/tickets/organizations/{acme.pk}/follow/")
    assert list(Membership.objects.filter(user=ana, follows_all=True).values_list("organization__name", flat=True)) == ["Globex"]


def test_desk_when_an_answer_is_written_then_names_who_follows_everything(client, workflow, ana, ben, dan):
    client.force_login(dan)
    assert "Mails Ana Ford, Ben Ode" in client.get(f"/desk/tickets/{make_ticket(ana).number}/").content.decode()
