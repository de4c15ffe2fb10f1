"""What one person does within a minute is one mail to each who is told; it goes a minute after the first thing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from notifications.channels import deliver_due, retry
from notifications.models import Delivery, Kind, Reason, State
from notifications.relay import relay_waiting
from tests.factories import make_ticket, make_user, message
from tickets import actions, sharing
from tickets.models import Channel, Event, Follower, Status

pytestmark = pytest.mark.django_db


class Clock:
    """Time passes by moving what happened into the past, as the database's own clock can't be moved."""

    def shift(self, span: timedelta) -> None:
        Event.objects.update(at=F("at") - span)
        Delivery.objects.update(next_attempt_at=F("next_attempt_at") - span, created_at=F("created_at") - span)


@pytest.fixture
def clock(settings):
    settings.MERGE_SECONDS = 60
    return Clock()


@pytest.fixture
def ticket(clock, workflow, ana, ben, dan):
    """Ana's, Ben follows it. Long ago."""
    ticket = make_ticket(ana)
    sharing.follow(ticket, actor=ben)
    relay_waiting()
    Delivery.objects.all().delete()
    clock.shift(timedelta(hours=1))
    return ticket


def say(ticket, who, text="An answer.", **fields):
    actions.comment(ticket, actor=who, message=message(text, **fields))
    relay_waiting()


def mails(person) -> list[tuple[str, list[str]]]:
    """Kind, and what each tells, of those that are no part of another."""
    rows = Delivery.objects.filter(recipient=person).exclude(state=State.MERGED).order_by("id")
    return [
        (str(row.kind), [row.event.comment.text if row.event.comment else row.event.kind for row in (row, *row.tells.order_by("event"))])
        for row in rows
    ]


def texts(sink, address: str) -> list[str]:
    return [mail.get_body(("plain",)).get_content() for addresses, mail in sink.mails if addresses == [address]]


def test_update_when_made_then_goes_a_minute_after_what_happened(ticket, clock, ana, dan):
    say(ticket, dan)
    happened = ticket.events.latest("id").at
    assert (deliver_due(), Delivery.objects.get(recipient=ana).next_attempt_at) == (0, happened + timedelta(seconds=60))
    clock.shift(timedelta(seconds=45))
    assert deliver_due() == 0
    clock.shift(timedelta(seconds=15))
    assert deliver_due() == 2


def test_update_when_relayed_late_then_does_not_wait_once_more(ticket, clock, dan):
    actions.comment(ticket, actor=dan, message=message())
    clock.shift(timedelta(minutes=5))
    relay_waiting()
    assert deliver_due() == 2


def test_update_when_merging_is_off_then_goes_at_once(ticket, settings, dan):
    settings.MERGE_SECONDS = 0
    say(ticket, dan, "One.")
    say(ticket, dan, "Two.")
    assert (deliver_due(), Delivery.objects.filter(state=State.MERGED).count()) == (4, 0)


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.SET_PASSWORD, Kind.SHARED])
def test_other_mail_when_made_then_never_waits(ticket, ana, cleo, dan, kind):
    from accounts.models import User

    newcomer = User.objects.create_user("new@else.example", name="Nia New")
    make_ticket(newcomer, message=message(channel=Channel.EMAIL))
    sharing.add_follower(ticket, actor=dan, person=cleo)
    relay_waiting()
    deliver_due()
    assert Delivery.objects.get(kind=kind).state == State.SENT


def test_updates_when_one_person_makes_three_within_a_minute_then_one_mail_tells_all(ticket, clock, sink, ana, ben, dan):
    for number in range(3):
        say(ticket, dan, f"Answer {number}.")
        clock.shift(timedelta(seconds=20))
    assert (deliver_due(), deliver_due()) == (2, 0)
    for person in (ana, ben):
        (text,) = texts(sink, person.email)
        places = [text.find(f"Answer {number}.") for number in range(3)]
        assert (-1 not in places, places) == (True, sorted(places))
        rows = Delivery.objects.filter(recipient=person).order_by("id")
        assert [(row.state, row.told_by) for row in rows] == [("sent", None), ("merged", rows[0]), ("merged", rows[0])]


def test_updates_when_a_minute_lies_between_then_are_two_mails(ticket, clock, ana, dan):
    say(ticket, dan, "First.")
    clock.shift(timedelta(seconds=61))
    say(ticket, dan, "Second.")
    assert mails(ana) == [("update", ["First."]), ("update", ["Second."])]


def test_updates_when_the_first_has_left_then_the_second_is_its_own(ticket, clock, ana, dan):
    say(ticket, dan, "First.")
    clock.shift(timedelta(seconds=30))
    Delivery.objects.update(next_attempt_at=timezone.now())
    deliver_due()
    say(ticket, dan, "Second.")
    assert mails(ana) == [("update", ["First."]), ("update", ["Second."])]


def test_updates_when_the_first_was_tried_in_vain_then_the_second_is_its_own(ticket, clock, sink, ana, dan):
    """The server may have it all the same; under one Message-ID there must not be two texts."""
    sink.answers[ana.email] = "450 4.7.1 Greylisted"
    say(ticket, dan, "First.")
    clock.shift(timedelta(seconds=30))
    Delivery.objects.update(next_attempt_at=timezone.now())
    deliver_due()
    say(ticket, dan, "Second.")
    assert mails(ana) == [("update", ["First."]), ("update", ["Second."])]


def test_updates_when_two_people_make_them_then_are_two_mails(ticket, ana, ben, dan):
    say(ticket, dan, "Dan's.")
    say(ticket, ben, "Ben's.")
    assert mails(ana) == [("update", ["Dan's."]), ("update", ["Ben's."])]


def test_updates_when_another_spoke_between_then_nobody_reads_an_answer_before_the_question(ticket, ana, ben, dan):
    say(ticket, dan, "Try this.")
    say(ticket, ben, "Does not work.")
    say(ticket, dan, "Then that.")
    assert mails(ana) == [("update", ["Try this."]), ("update", ["Does not work."]), ("update", ["Then that."])]
    assert mails(ben) == [("update", ["Try this.", "Then that."])]


def test_updates_when_of_two_tickets_then_are_two_mails(ticket, ana, dan):
    other = make_ticket(ana)
    for one in (ticket, other):
        say(one, dan)
    assert [kind for kind, _texts in mails(ana) if kind == "update"] == ["update"] * 2


def test_note_when_beside_an_answer_then_is_a_mail_of_its_own(ticket, dan, eve):
    sharing.follow(ticket, actor=eve)
    actions.add_note(ticket, actor=dan, message=message("Between us."))
    say(ticket, dan, "To all.")
    assert mails(eve) == [("update", ["Between us."]), ("update", ["To all."])]


def test_step_when_it_answers_and_moves_then_is_one_mail(ticket, ana, dan):
    actions.comment(ticket, actor=dan, message=message("Look."))
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Waiting on Customer"))
    relay_waiting()
    assert mails(ana) == [("update", ["Look.", "status_changed"])]


# --- Shared, and spoken to at the same moment ----------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["share", "answer"])
def test_newcomer_when_shared_with_and_spoken_to_then_gets_one_mail_at_once(ticket, sink, cleo, dan, first):
    def share():
        sharing.add_follower(ticket, actor=dan, person=cleo)

    def answer():
        actions.comment(ticket, actor=dan, message=message("Cleo, please look."))

    for deed in (share, answer) if first == "share" else (answer, share):
        deed()
    relay_waiting()
    deliver_due()
    (text,) = texts(sink, cleo.email)
    assert ("shared ticket" in text, "Cleo, please look." in text) == (True, True)
    assert sorted(Delivery.objects.filter(recipient=cleo).values_list("kind", "state")) == [("shared", "sent"), ("update", "merged")]


def test_share_when_more_waits_then_takes_all_of_it_along(ticket, ana, cleo, dan):
    """As when a follower was taken off by mistake, while mails to them wait, and is put back."""
    Follower.objects.create(ticket=ticket, user=cleo, added_by=ana)
    for number in range(2):
        say(ticket, dan, f"Answer {number}.")
    Follower.objects.filter(user=cleo).delete()
    sharing.add_follower(ticket, actor=dan, person=cleo)
    say(ticket, dan, "Answer 2.")
    assert mails(cleo) == [("shared", ["follower_added", "Answer 0.", "Answer 1.", "Answer 2."])]


# --- What became of it ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["spam", "muted and gone"])
def test_mail_when_it_may_not_go_any_more_then_nothing_of_it_goes(ticket, clock, sink, ana, ben, dan, loss):
    from accounts.models import Membership

    for number in range(2):
        say(ticket, dan, f"Answer {number}.")
    if loss == "spam":
        actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Spam"))
    else:
        Membership.objects.filter(user=ben).delete()
        Follower.objects.filter(user=ben).delete()
    clock.shift(timedelta(seconds=60))
    deliver_due()
    assert texts(sink, ben.email) == []
    assert list(Delivery.objects.filter(recipient=ben).order_by("id").values_list("state", flat=True)) == ["cancelled", "merged"]


def test_mail_when_it_failed_and_is_retried_then_tells_all(ticket, clock, sink, ana, dan):
    sink.answers[ana.email] = "550 5.1.1 No such user"
    for number in range(2):
        say(ticket, dan, f"Answer {number}.")
    clock.shift(timedelta(seconds=60))
    deliver_due()
    sink.answers.clear()
    retry(Delivery.objects.get(recipient=ana, state=State.FAILED))
    deliver_due()
    (text,) = texts(sink, ana.email)
    assert ("Answer 0." in text, "Answer 1." in text) == (True, True)


def test_ration_when_mails_are_counted_then_parts_of_one_count_once(ticket, clock, ana, ben):
    for _ in range(30):
        actions.comment(ticket, actor=ben, message=message("Away.", channel=Channel.EMAIL))
    relay_waiting()
    assert sorted(set(Delivery.objects.filter(recipient=ana).values_list("state", flat=True))) == ["merged", "queued"]


def test_followers_when_many_then_each_gets_one_mail(ticket, clock, sink, acme, dan):
    people = [make_user(f"p{number}@acme.example", organization=acme) for number in range(5)]
    for person in people:
        Follower.objects.create(ticket=ticket, user=person, added_by=person)
    for number in range(4):
        say(ticket, dan, f"Answer {number}.")
    clock.shift(timedelta(seconds=60))
    assert deliver_due() == 7
    assert Delivery.objects.filter(state=State.MERGED).count() == 3 * 7


def test_mail_when_one_of_its_updates_names_the_reader_then_that_is_why(ticket, ana, dan):
    say(ticket, dan)
    say(ticket, dan, "@Ana, can you try?")
    assert mails(ana) == [("update", ["An answer.", "@Ana, can you try?"])]
    assert Delivery.objects.get(recipient=ana, state=State.QUEUED).reason == Reason.MENTIONED
