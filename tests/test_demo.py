"""The demo's data: played through the verbs, dated back, and nobody is mailed about it. Seeded once for all tests here, which only look."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db import transaction
from django.db.models import F
from django.test import override_settings
from django.utils import timezone

from accounts.models import User
from notifications.models import Delivery
from tickets import access
from tickets.demo.story import DEMO_ACCOUNTS, PASSWORD, stories
from tickets.management.commands.preset import install
from tickets.models import Attachment, Clock, Comment, Event, InboundMessage, Status, Ticket
from tickets.presets import APTY
from tickets.sla import clocks

pytestmark = [pytest.mark.django_db, pytest.mark.dear]


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker, tmp_path_factory):
    """Gives the folder of kept mail."""
    folder = tmp_path_factory.mktemp("demo")
    quick = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    own = override_settings(DEMO=True, MEDIA_ROOT=str(folder / "media"), OUTBOX_DIR=folder / "outbox", PASSWORD_HASHERS=quick)
    with django_db_blocker.unblock(), own, transaction.atomic():
        install(APTY)
        call_command("seed_demo", stdout=StringIO())
        yield folder / "outbox"
        transaction.set_rollback(True)


def test_accounts_when_offered_then_are_the_eight_that_are_promised():
    assert [account.email for account in DEMO_ACCOUNTS] == [
        "customer@acme.example",
        "teammate@acme.example",
        "customer@globex.example",
        "solo@example.net",
        "agent@support.example",
        "agent2@support.example",
        "csm@support.example",
        "admin@support.example",
    ]


def test_stories_when_told_then_all_of_it_lies_in_the_past():
    now = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    assert [step for step in stories(now) if step.at >= now] == []


@pytest.mark.parametrize("hour", [0, 7, 15, 23])
@pytest.mark.parametrize("day", [5, 7, 8])  # a Thursday, a Saturday, a Sunday
def test_stories_when_told_at_any_hour_then_lie_in_the_past_and_most_of_staffs_work_is_done_in_office_hours(day, hour):
    now = datetime(2026, 11, day, hour, 30, tzinfo=UTC)
    told = stories(now)
    work = [step for step in told if step.who in {"priya", "tom", "clara"} and step.does != "open"]
    in_hours = [step for step in work if step.at.weekday() < 5 and 9 <= step.at.hour <= 17]
    opened = [now - step.at for step in told if step.does == "open"]
    assert ([step for step in told if step.at >= now], len(in_hours) > 0.5 * len(work)) == ([], True)
    assert opened == sorted(opened, reverse=True)  # as they are told, so that each keeps its number


def test_every_status_that_is_not_retired_when_seeded_then_has_tickets(seeded):
    used = set(Ticket.objects.values_list("status__name", flat=True))
    assert used == set(Status.objects.filter(is_retired=False).values_list("name", flat=True))
    assert Ticket.objects.count() == 42


def test_outbox_when_seeded_then_is_empty_and_one_mail_failed(seeded):
    assert Event.objects.filter(dispatched_at=None).count() == 0
    assert Delivery.objects.due().count() == 0
    assert Delivery.objects.filter(state="failed").count() == 1


def test_kept_mail_when_seeded_then_holds_each_delivery(seeded):
    assert len(list(seeded.iterdir())) == Delivery.objects.count()


def test_times_when_seeded_then_run_with_the_numbers_and_never_ahead(seeded):
    opened = list(Ticket.objects.order_by("pk").values_list("created_at", flat=True))
    assert opened == sorted(opened)
    history = list(Event.objects.exclude(kind__startswith="sla_").order_by("pk").values_list("at", flat=True))  # those were said at the end
    assert history == sorted(history)
    assert Event.objects.filter(at__gt=timezone.now()).count() == 0
    assert Ticket.objects.filter(updated_at__lt=F("created_at")).count() == 0


def test_resolved_tickets_when_seeded_then_close_two_days_after_they_were_resolved(seeded):
    due = Ticket.objects.filter(close_due_at__isnull=False)
    assert {ticket.close_due_at - ticket.resolved_at for ticket in due} == {Status.objects.get(name="Resolved").closes_after}
    assert Ticket.objects.due_to_close().count() == 0


def test_comments_when_seeded_then_carry_the_time_of_their_event(seeded):
    assert Comment.objects.filter(events__at=F("created_at")).count() == Comment.objects.count()


def test_pictures_when_seeded_then_are_shown_in_place(seeded):
    kinds = Counter(Attachment.objects.values_list("content_type", "is_image"))
    assert kinds["image/png", True] == 13
    assert kinds["application/pdf", False] == 4
    assert sum(kinds.values()) == 27


def test_follow_up_when_seeded_then_names_the_closed_ticket_it_follows(seeded):
    follow_up = Ticket.objects.get(follow_up_to__isnull=False)
    assert (follow_up.subject, follow_up.follow_up_to.status.name) == ("Fwd: Player covers the Save button on small laptops", "Closed")


def test_incoming_mail_when_seeded_then_two_wait_for_a_person(seeded):
    assert Counter(InboundMessage.objects.values_list("state", flat=True)) == {"held": 2, "ignored": 1}


def test_teammate_when_seeded_then_sees_what_is_shared_and_the_stranger_does_not(seeded):
    shared = Ticket.objects.filter(requester__email="customer@acme.example")
    teammate, stranger = (User.objects.get(email=email) for email in ("teammate@acme.example", "customer@globex.example"))
    assert shared.count() > 5
    assert access.tickets_for(teammate).filter(pk__in=shared).count() == shared.count()
    assert access.tickets_for(stranger).filter(pk__in=shared).count() == 0


def test_demo_accounts_when_seeded_then_open_with_the_password_and_no_other_account_does(seeded):
    able = [user.email for user in User.objects.all() if authenticate(username=user.email, password=PASSWORD)]
    assert sorted(able) == sorted(account.email for account in DEMO_ACCOUNTS)


def test_clocks_when_made_of_the_events_again_then_are_the_same_for_every_ticket(seeded):
    wrong = [said for number in Ticket.objects.values_list("pk", flat=True) for said in clocks.recompute(number, mend=False)]
    kinds = set(Clock.objects.values_list("metric", "state"))
    assert (wrong, len(kinds) >= 6, Event.objects.filter(kind="sla_breached").exists()) == ([], True, True)
