"""A report by mail: each Monday at seven where the company is, once, and only of what its recipient sees."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail as outbox
from django.urls import reverse

from accounts.errors import IllegalMove, NotAllowed
from accounts.models import Role, User
from notifications import subscriptions
from notifications.channels import deliver_due
from notifications.models import Delivery, ReportSubscription
from notifications.unsubscribe import report_path
from tests.desk.conftest import logged_in
from tickets.reports.asked import read

pytestmark = pytest.mark.django_db

LAST_WEEK = {"period": "last_week"}


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


def subscribe(actor, recipient=None, name="volume", at="2026-10-21T12:00", **params):
    with time_machine.travel(berlin(at), tick=False):
        return subscriptions.subscribe(name, read(LAST_WEEK | params, actor), actor=actor, recipient=recipient or actor)


def made(at: str) -> int:
    with time_machine.travel(berlin(at), tick=False):
        return subscriptions.make_due()


def sent(at: str = "2026-10-26T07:00"):
    """The mails that leave then."""
    made(at)
    outbox.outbox.clear()
    with time_machine.travel(berlin(at), tick=False):
        deliver_due()
    return outbox.outbox


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-10-21T12:00", "2026-10-26T06:00"),  # the Sunday between has 25 hours
        ("2026-03-27T12:00", "2026-03-30T05:00"),
        ("2026-10-26T06:59", "2026-10-26T06:00"),
        ("2026-10-26T07:00", "2026-11-02T06:00"),
    ],
)
def test_monday_when_clocks_change_then_is_at_seven_on_the_wall(settings, now, expected):
    settings.TIME_ZONE = "Europe/Berlin"
    assert subscriptions.next_monday(berlin(now)) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_mail_when_monday_comes_then_is_made_once_a_week(october, dan):
    subscribe(dan)
    course = [
        "2026-10-26T06:59",
        "2026-10-26T07:00",
        "2026-10-26T07:01",
        "2026-11-01T23:59",
        "2026-11-02T07:00",
        "2026-11-24T09:00",
        "2026-11-24T10:00",
    ]
    assert [made(at) for at in course] == [0, 1, 0, 0, 1, 1, 0]  # two Mondays were missed, and are not made up for


def test_mail_when_sent_then_shows_what_its_recipient_sees_and_holds_the_file(october, dan, eve):
    subscribe(dan, eve, by="type")
    subscribe(dan, by="type")
    to_eve, to_dan = sent()
    assert to_dan.subject == "Helpdesk: Volume, 19 Oct 2026 – 25 Oct 2026"
    assert "In all: 6 | 2 | 1 | 5" in to_dan.body
    assert "In the period before there was nothing to compare with." in to_dan.body
    assert "In all: 7 | 2 | 1 | 6" in to_eve.body  # of the private group too
    assert "because you subscribed" in to_dan.body
    assert "because Dan Support subscribed you" in to_eve.body
    assert "Last week, by type" in to_dan.body
    (name, content, kind) = to_dan.attachments[0]
    with time_machine.travel(berlin("2026-10-26T07:00"), tick=False):
        page = logged_in(dan).get(reverse("desk_report_csv", args=["volume"]), LAST_WEEK | {"by": "type"})
    assert (name, kind, content) == ("volume-2026-10-19-2026-10-25.csv", "text/csv", page.content.decode())


@pytest.mark.parametrize(("measure", "said"), [("", "First response"), ("resolution", "Resolution")])
def test_mail_of_times_when_sent_then_says_which_time_and_the_list_of_what_is_mailed_does_too(october, dan, measure, said):
    subscribe(dan, name="times", measure=measure)
    subscribe(dan, name="volume", measure=measure)
    to_dan, of_volume = sent()
    page = logged_in(dan).get(reverse("desk_reports"))
    told = {one["title"]: [str(word) for word in one["words"]] for one in page.context["by_mail"]}
    assert told == {"Times": [said, "Last week"], "Volume": ["Last week"]}
    assert (f"Times ({said}, Last week)" in to_dan.body, "Volume (Last week)" in of_volume.body) == (True, True)


def test_mail_when_rows_are_days_then_a_date_stays_on_one_line(october, dan):
    subscribe(dan)
    page = sent()[0].alternatives[0][0]
    assert re.findall(r"<th[^>]* nowrap[^>]*>([^<]*)<", page) == [f"2026-10-{day}" for day in range(19, 26)]


def test_mail_when_it_leaves_late_then_tells_of_the_week_that_it_was_made_for(october, dan):
    subscribe(dan)
    made("2026-10-26T07:00")
    assert sent("2026-11-03T09:00")[0].subject.endswith("19 Oct 2026 – 25 Oct 2026")


@pytest.mark.parametrize("name", ["overview", "times", "sla", "hours", "oldest"])
def test_every_report_can_be_mailed(october, dan, name):
    subscribe(dan, name=name)
    letter = sent()[0]
    assert (len(letter.attachments), "[[" in letter.body) == (1, False)


def test_mail_when_the_recipient_works_here_no_more_then_is_not_sent(october, dan, eve, max_admin):
    subscribe(max_admin, dan)
    subscribe(max_admin, eve)
    User.objects.filter(pk=dan.pk).update(role=Role.CUSTOMER)
    assert made("2026-10-26T07:00") == 1
    User.objects.filter(pk=eve.pk).update(role=Role.CUSTOMER)
    assert sent("2026-10-26T07:01") == []
    assert Delivery.objects.get(recipient=eve, kind="report").state == "cancelled"


def test_link_when_its_button_is_pressed_then_ends_it_without_login(client, october, dan):
    subscription = subscribe(dan)
    letter = sent()[0]
    path = report_path(subscription)
    assert letter.extra_headers["List-Unsubscribe"] == f"<http://127.0.0.1:8000{path}>"
    assert (client.get(path).status_code, ReportSubscription.objects.count()) == (200, 1)
    assert [client.post(path).status_code for _ in range(2)] == [200, 200]
    assert ReportSubscription.objects.count() == 0
    assert made("2026-11-02T07:00") == 0
    assert client.get(path[:-3] + "x/").status_code == 404


def test_mail_when_ended_before_it_left_then_is_not_sent(october, dan):
    subscription = subscribe(dan)
    made("2026-10-26T07:00")
    subscriptions.end(subscription, actor=dan)
    assert sent("2026-10-26T07:01") == []


def test_subscription_when_it_stands_already_then_is_one(october, dan):
    assert subscribe(dan) == subscribe(dan)
    assert subscribe(dan) != subscribe(dan, by="type")


def test_subscription_when_it_can_not_be_then_is_refused(october, dan, eve, ana):
    with pytest.raises(NotAllowed):
        subscribe(dan, ana)
    with pytest.raises(NotAllowed):
        subscribe(ana, dan)
    with pytest.raises(IllegalMove, match="the same each week"):
        subscribe(dan, period="", **{"from": "2026-10-01", "to": "2026-10-02"})
    with pytest.raises(NotAllowed):
        subscriptions.end(subscribe(dan), actor=eve)
    for at in range(subscriptions.MOST - 1):
        subscribe(dan, type=str(at + 1))
    with pytest.raises(IllegalMove, match="20 reports already"):
        subscribe(dan, channel="email")


def test_page_when_a_report_is_mailed_then_says_so_and_offers_to_stop(october, dan, eve):
    desk, colleague = logged_in(dan), logged_in(eve)
    address = reverse("desk_report_subscribe", args=["volume"]) + "?period=last_week&by=type"
    page = desk.post(address, {"recipient": eve.pk}, follow=True).content.decode()
    assert "Each Monday at 7:00 this report is mailed to Eve Devops." in page
    assert "Last week, by type · to Eve Devops" in page
    assert "to you, from Dan Support" in colleague.get(reverse("desk_reports")).content.decode()
    subscription = ReportSubscription.objects.get()
    assert (subscription.recipient, subscription.created_by, subscription.query) == (eve, dan, "period=last_week&by=type")
    for nonsense in ("", "x", "9" * 30):
        assert "Choose who gets the report" in desk.post(address, {"recipient": nonsense}, follow=True).content.decode()
    colleague.post(reverse("desk_report_stop", args=[subscription.pk]))
    assert not ReportSubscription.objects.exists()
