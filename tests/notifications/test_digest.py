"""One mail a day with what was collected, at eight where the person is; once, and only of what they may still see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db.models import F

from accounts.models import AgentGroup, Membership, User
from notifications import digest, preferences
from notifications.channels import deliver_due
from notifications.models import Delivery, Kind, Level, MailPreference, State
from notifications.relay import queue_password_link, relay_waiting
from tests.factories import make_ticket, make_user, message
from tickets import actions, sharing
from tickets.models import Follower, Status

pytestmark = pytest.mark.django_db


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(moment: str):
    return time_machine.travel(utc(moment), tick=False)


@pytest.fixture
def ticket(workflow, ana, dan):
    """Ana's, who wants one mail a day and lives in Berlin."""
    with at("2026-11-01T12:00"):
        ticket = make_ticket(ana)
        User.objects.filter(pk=ana.pk).update(time_zone="Europe/Berlin")
        preferences.choose(ana, Level.DIGEST)
        relay_waiting()
        Delivery.objects.all().delete()
    return ticket


def say(ticket, dan, text="An answer."):
    actions.comment(ticket, actor=dan, message=message(text))
    relay_waiting()


def collect(ticket, dan, moment: str, text="An answer.") -> None:
    with at(moment):
        say(ticket, dan, text)


def made(moment: str) -> int:
    with at(moment):
        return digest.make_due()


def states(person: User, kind: Kind = Kind.UPDATE) -> list[str]:
    return list(Delivery.objects.filter(recipient=person, kind=kind).order_by("id").values_list("state", flat=True))


def send() -> None:
    """Whatever the tests' clock said, the database's own says that it is due."""
    Delivery.objects.filter(state=State.QUEUED).update(next_attempt_at=utc("2020-01-01"))
    while deliver_due():
        pass


def test_updates_when_collected_then_become_one_mail_at_eight(ticket, sink, ana, dan):
    collect(ticket, dan, "2026-11-10T10:00", "Answer one.")
    collect(ticket, dan, "2026-11-10T15:00", "Answer two.")
    assert [made(moment) for moment in ("2026-11-10T20:00", "2026-11-11T06:59", "2026-11-11T07:00", "2026-11-11T07:05")] == [0, 0, 1, 0]
    digests = Delivery.objects.get(kind=Kind.DIGEST)
    assert (digests.recipient, digests.event, digests.ticket, str(digests.reason)) == (ana, None, None, "digest")
    assert list(digests.tells.order_by("id").values_list("event__comment__text", "state")) == [
        ("Answer one.", "merged"),
        ("Answer two.", "merged"),
    ]
    send()
    (text,) = [mail.get_body(("plain",)).get_content() for addresses, mail in sink.mails if addresses == [ana.email]]
    assert ("Answer one." in text, "Answer two." in text) == (True, True)


def test_updates_when_collected_after_eight_then_wait_for_the_next_day(ticket, dan):
    collect(ticket, dan, "2026-11-10T10:00")
    assert made("2026-11-11T07:10") == 1
    collect(ticket, dan, "2026-11-11T07:20")
    assert [made(moment) for moment in ("2026-11-11T08:00", "2026-11-11T23:59", "2026-11-12T07:01")] == [0, 0, 1]


def test_day_when_nothing_happened_then_brings_no_mail(ticket, ana):
    assert ([made(f"2026-11-1{day}T07:30") for day in range(5)], Delivery.objects.count()) == ([0] * 5, 0)


def test_sweep_when_it_was_away_at_eight_then_makes_one_later(ticket, dan):
    collect(ticket, dan, "2026-11-10T10:00")
    assert [made(moment) for moment in ("2026-11-13T15:00", "2026-11-13T15:05")] == [1, 0]


def test_update_when_its_commit_came_late_then_makes_no_second_digest_that_day(ticket, dan):
    collect(ticket, dan, "2026-11-10T10:00")
    assert made("2026-11-11T07:00") == 1
    collect(ticket, dan, "2026-11-11T06:59")
    assert [made(moment) for moment in ("2026-11-11T07:05", "2026-11-12T07:00")] == [0, 1]


# Eight in the morning of the day after, where the person is, in UTC. Clocks: Berlin back on 25 October 2026 and forward on 28 March 2027, New York
# back on 1 November; Lord Howe by half an hour on 4 October.
MORNINGS = [
    ("Europe/Berlin", "2026-10-24T12:00", "2026-10-25T07:00"),
    ("Europe/Berlin", "2026-10-23T12:00", "2026-10-24T06:00"),
    ("Europe/Berlin", "2027-03-27T12:00", "2027-03-28T06:00"),
    ("Europe/Berlin", "2027-03-26T12:00", "2027-03-27T07:00"),
    ("America/New_York", "2026-10-31T18:00", "2026-11-01T13:00"),
    ("Asia/Kolkata", "2026-11-10T12:00", "2026-11-11T02:30"),
    ("Pacific/Auckland", "2026-11-10T12:00", "2026-11-10T19:00"),
    ("Pacific/Kiritimati", "2026-11-10T12:00", "2026-11-10T18:00"),
    ("Australia/Lord_Howe", "2026-10-03T12:00", "2026-10-03T21:00"),
    ("", "2026-11-10T12:00", "2026-11-11T08:00"),
    ("Mars/Olympus_Mons", "2026-11-10T12:00", "2026-11-11T08:00"),
]


@pytest.mark.parametrize(("zone", "said", "eight"), MORNINGS)
def test_morning_when_clocks_and_zones_differ_then_it_is_eight_there(ticket, ana, dan, zone, said, eight):
    User.objects.filter(pk=ana.pk).update(time_zone=zone)
    collect(ticket, dan, said)
    before = (utc(eight) - timedelta(minutes=1)).isoformat()[:16]
    assert [made(before), made(eight), made(eight)] == [0, 1, 0]


def test_zone_when_the_installation_has_one_then_counts_for_who_chose_none(ticket, ana, dan, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    User.objects.filter(pk=ana.pk).update(time_zone="")
    collect(ticket, dan, "2026-11-10T12:00")
    assert [made("2026-11-10T22:59"), made("2026-11-10T23:00")] == [0, 1]


def test_people_when_several_collect_then_each_gets_their_own_once(ticket, ana, ben, dan):
    preferences.choose(ben, Level.DIGEST)
    sharing.follow(ticket, actor=ben)
    collect(ticket, dan, "2026-11-10T10:00")
    assert [made("2026-11-11T07:30"), made("2026-11-11T08:30"), made("2026-11-11T08:31")] == [1, 1, 0]
    assert sorted(Delivery.objects.filter(kind=Kind.DIGEST).values_list("recipient", flat=True)) == sorted([ana.pk, ben.pk])


@pytest.mark.parametrize("people", [1, 8])
def test_sweep_when_nobody_is_due_then_costs_two_queries_however_many_collect(ticket, acme, dan, django_assert_num_queries, people):
    for number in range(people):
        person = make_user(f"p{number}@acme.example", organization=acme)
        Follower.objects.create(ticket=ticket, user=person, added_by=person)
        preferences.choose(person, Level.DIGEST)
    collect(ticket, dan, "2026-11-10T10:00")
    with at("2026-11-10T12:00"), django_assert_num_queries(2):
        assert digest.make_due() == 0


def test_digest_when_one_persons_fails_then_the_others_get_theirs(ticket, ana, ben, dan, monkeypatch, caplog):
    preferences.choose(ben, Level.DIGEST)
    sharing.follow(ticket, actor=ben)
    collect(ticket, dan, "2026-11-10T10:00")
    judge = digest.may_be_told_of

    def choke(user, events):
        if user == ana:
            raise RuntimeError("poison")
        return judge(user, events)

    monkeypatch.setattr(digest, "may_be_told_of", choke)
    assert made("2026-11-11T09:00") == 1
    assert f"the digest of person {ana.pk} could not be made" in caplog.text
    assert (states(ana), states(ben)) == (["collected"], ["merged"])


# --- What may no longer be seen ------------------------------------------------------------------------------------------------


def test_ticket_when_out_of_sight_then_is_left_out(ticket, ana, ben, dan):
    """Ben follows two; of one he is taken off."""
    preferences.choose(ben, Level.DIGEST)
    hidden = make_ticket(ana, "Hidden", share=False)
    for one in (ticket, hidden):
        Follower.objects.create(ticket=one, user=ben, added_by=ana)
        collect(one, dan, "2026-11-10T10:00")
    Follower.objects.filter(ticket=hidden, user=ben).delete()
    made("2026-11-11T09:00")
    assert list(Delivery.objects.get(kind=Kind.DIGEST, recipient=ben).tells.values_list("ticket", flat=True)) == [ticket.pk]
    assert Delivery.objects.get(ticket=hidden, recipient=ben, kind=Kind.UPDATE).state == State.CANCELLED


@pytest.mark.parametrize("loss", ["spam", "switched off", "left"])
def test_digest_when_nothing_is_left_to_tell_then_is_not_made(ticket, ana, ben, dan, loss):
    preferences.choose(ben, Level.DIGEST)
    sharing.follow(ticket, actor=ben)
    collect(ticket, dan, "2026-11-10T10:00")
    if loss == "spam":
        actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Spam"))
    elif loss == "left":
        Membership.objects.filter(user=ben).delete()
        Follower.objects.filter(user=ben).delete()
    else:
        User.objects.filter(pk=ben.pk).update(is_active=False)
    made("2026-11-11T09:00")
    assert (states(ben, Kind.DIGEST), states(ben)) == ([], ["cancelled"])


def test_digest_when_all_is_lost_between_made_and_sent_then_does_not_go(ticket, sink, ana, dan):
    collect(ticket, dan, "2026-11-10T10:00")
    made("2026-11-11T09:00")
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Spam"))
    send()
    assert (sink.mails, states(ana, Kind.DIGEST)) == ([], ["cancelled"])


def test_digest_when_part_is_lost_between_made_and_sent_then_tells_the_rest(ticket, sink, ana, dan):
    other = make_ticket(ana, "Camera is broken")
    relay_waiting()
    Delivery.objects.all().delete()
    collect(ticket, dan, "2026-11-10T10:00", "About the player.")
    collect(other, dan, "2026-11-10T10:00", "About the camera.")
    made("2026-11-11T09:00")
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Spam"))
    send()
    text = next(mail.get_body(("plain",)).get_content() for addresses, mail in sink.mails if addresses == [ana.email])
    assert ("About the player." in text, "About the camera." in text) == (False, True)


def test_digest_of_staff_when_read_at_the_desk_then_only_by_who_sees_all_its_tickets(client, ticket, ana, dan, eve, settings):
    private = AgentGroup.objects.create(name="Security", is_private=True)
    private.members.add(dan)
    secret = make_ticket(ana, "Secret", group=private)
    preferences.choose(dan, Level.DIGEST)
    collect(secret, ana, "2026-11-10T10:00", "The password is 1234.")
    settings.EMAIL_BACKEND = "notifications.kept_mail.EmailBackend"
    made("2026-11-11T09:00")
    send()
    path = f"/desk/mail/out/{Delivery.objects.get(kind=Kind.DIGEST, recipient=dan).pk}/"
    shown = []
    for person in (dan, eve):
        client.force_login(person)
        shown.append("The password is 1234." in client.get(path).content.decode())
    assert shown == [True, False]


# --- Changing one's mind -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [Level.ALL, Level.MINE])
def test_level_when_changed_then_what_was_collected_goes_with_the_next_sweep(ticket, ana, dan, level):
    collect(ticket, dan, "2026-11-10T10:00")
    collect(ticket, dan, "2026-11-10T11:00")
    preferences.choose(ana, level)
    assert [made("2026-11-10T11:05"), made("2026-11-10T11:10")] == [1, 0]
    assert Delivery.objects.get(kind=Kind.DIGEST).tells.count() == 2


def test_level_when_changed_to_nothing_then_nothing_of_it_goes(ticket, ana, dan):
    collect(ticket, dan, "2026-11-10T10:00")
    preferences.choose(ana, Level.NONE)
    assert (made("2026-11-11T09:00"), states(ana)) == (0, ["cancelled"])


def test_ticket_when_stopped_then_is_not_in_the_digest(ticket, ana, dan):
    other = make_ticket(ana)
    relay_waiting()
    Delivery.objects.all().delete()
    for one in (ticket, other):
        collect(one, dan, "2026-11-10T10:00")
    preferences.stop(ticket, ana)
    assert made("2026-11-11T09:00") == 1
    assert list(Delivery.objects.get(kind=Kind.DIGEST).tells.values_list("ticket", flat=True)) == [other.pk]


def test_one_ticket_when_wanted_daily_then_is_collected_alone(ticket, ana, dan):
    MailPreference.objects.all().delete()
    preferences.choose_for(ticket, ana, Level.DIGEST)
    collect(ticket, dan, "2026-11-10T10:00")
    assert (states(ana), made("2026-11-10T12:00"), made("2026-11-11T07:00")) == (["collected"], 0, 1)


def test_link_when_many_digests_wait_then_goes_first(ticket, sink, ana, dan):
    collect(ticket, dan, "2026-11-10T10:00")
    made("2026-11-11T09:00")
    queue_password_link(ana)
    Delivery.objects.update(next_attempt_at=F("next_attempt_at") - timedelta(days=900))
    deliver_due()
    assert ["password" in mail["Subject"] for _addresses, mail in sink.mails] == [True, False]


# --- At the ticket -------------------------------------------------------------------------------------------------------------


def test_ticket_page_when_collected_and_when_sent_then_says_so(client, ticket, sink, dan, ana):
    collect(ticket, dan, "2026-11-10T10:00")
    client.force_login(dan)
    path = f"/desk/tickets/{ticket.number}/"
    assert "with the daily mail" in client.get(path).content.decode()
    made("2026-11-11T09:00")
    send()
    page = client.get(path).content.decode()
    digest_page = f"/desk/mail/out/{Delivery.objects.get(kind=Kind.DIGEST).pk}/"
    assert ("with the daily mail" in page, f'<a href="{digest_page}">Ana Ford</a> (chose the daily digest)' in page) == (False, True)
