"""A ticket's clocks through its course. Times are those of Berlin; work is from Monday to Friday, 09:00 to 17:00."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.models import AgentGroup
from tests.factories import make_policy, make_ticket, message
from tickets import actions, merging, sharing, sweeps
from tickets.events import describe
from tickets.models import (
    AutomationRule,
    Clock,
    Comment,
    EventKind,
    Priority,
    SlaPolicy,
    SlaStep,
    SlaTarget,
    Status,
    Ticket,
    TicketType,
    WorkingSpan,
)
from tickets.sla import clocks

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
NOW = timezone.now


def moment(text: str) -> datetime:
    """ "Mon 09:00" of the week of 23 November 2026; "Mon+1" of the next."""
    day, at = text.split()
    name, _plus, weeks = day.partition("+")
    date = 23 + "Mon Tue Wed Thu Fri Sat Sun".split().index(name)
    return datetime.fromisoformat(f"2026-11-01T{at}").replace(tzinfo=BERLIN) + timedelta(days=date - 1, weeks=int(weeks or 0))


@pytest.fixture
def at(monkeypatch):
    """Sets the machine's clock. The database's shows what it shows, which is later than all of these."""

    def set_clock(text: str) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment(text).astimezone(UTC))

    set_clock("Mon 09:00")
    return set_clock


@pytest.fixture
def policy(workflow):
    return make_policy(steps=("first before 30", "resolution before 60", "resolution after 0", "resolution after 60"))


@pytest.fixture
def ticket(policy, at, ana):
    return make_ticket(ana)


def status(name: str) -> Status:
    return Status.objects.get(name=name)


def shown(ticket: Ticket) -> dict[str, str]:
    """Each clock in short: how it stands, what it has spent of what, when it is due or was missed, in the calendar's zone."""
    told = {}
    for clock in ticket.clocks.order_by("metric", "round"):
        moments = {"due": clock.due_at, "missed": clock.breached_at}
        told[f"{clock.metric}{clock.round if clock.metric == 'next' else ''}"] = " ".join(
            [clock.state, f"{clock.spent}/{clock.target}"]
            + [f"{name} {moment.astimezone(BERLIN):%a %H:%M}" for name, moment in moments.items() if moment]
        )
    return told


def is_as_its_events_say(ticket: Ticket) -> bool:
    return clocks.recompute(ticket.pk, mend=False) == []


# --- Start, pause, resume, meet ------------------------------------------------------------------------------------------------


def test_ticket_when_opened_then_two_clocks_run_and_the_earlier_is_its_due_time(ticket):
    assert shown(ticket) == {"first": "running 0:00:00/4:00:00 due Mon 13:00", "resolution": "running 0:00:00/16:00:00 due Tue 17:00"}
    ticket.refresh_from_db()
    assert (ticket.due_at, ticket.sla.agreement.policy) == (moment("Mon 13:00"), "Standard")


def test_first_response_when_given_then_is_met_and_only_the_resolution_is_due(ticket, at, dan):
    at("Mon 11:30")
    actions.add_note(ticket, actor=dan, message=message())
    assert shown(ticket)["first"].startswith("running")
    actions.comment(ticket, actor=dan, message=message())
    ticket.refresh_from_db()
    assert (shown(ticket)["first"], ticket.due_at) == ("met 2:30:00/4:00:00", moment("Tue 17:00"))


def test_status_when_it_pauses_then_the_time_between_does_not_count(ticket, at, ana, dan):
    at("Mon 16:00")
    actions.comment(ticket, actor=dan, message=message(), status=status("Waiting on Customer"))
    assert shown(ticket) == {"first": "met 7:00:00/4:00:00 missed Mon 13:00", "resolution": "paused 7:00:00/16:00:00"}
    assert Ticket.objects.get(pk=ticket.pk).due_at is None
    at("Fri 16:30")
    actions.comment(ticket, actor=ana, message=message())
    assert shown(ticket) == {
        "first": "met 7:00:00/4:00:00 missed Mon 13:00",
        "next1": "running 0:00:00/2:00:00 due Mon 10:30",
        "resolution": "running 7:00:00/16:00:00 due Tue 09:30",
    }
    assert is_as_its_events_say(ticket)


def test_status_when_it_waits_for_the_developers_then_the_clock_goes_on(ticket, at, dan):
    at("Mon 10:00")
    actions.change_status(ticket, actor=dan, status=status("Waiting on Dev Team"))
    assert shown(ticket)["resolution"] == "running 0:00:00/16:00:00 due Tue 17:00"


def test_next_response_when_asked_and_answered_then_each_wait_is_a_round(ticket, at, ana, dan):
    for asked, answered in (("Mon 10:00", "Mon 11:00"), ("Tue 16:00", "Wed 10:30")):
        at(asked)
        actions.comment(ticket, actor=dan, message=message())
        actions.comment(ticket, actor=ana, message=message())
        actions.comment(ticket, actor=ana, message=message("And another thing."))
        at(answered)
        actions.comment(ticket, actor=dan, message=message())
    assert (shown(ticket)["next1"], shown(ticket)["next2"]) == ("met 1:00:00/2:00:00", "met 2:30:00/2:00:00 missed Wed 10:00")
    assert is_as_its_events_say(ticket)


def held_reply(ticket: Ticket) -> int:
    """What an agent knows who sends a reply now that goes out a little later."""
    newest: int = ticket.events.latest("pk").pk
    return newest


def waits(ticket: Ticket) -> list[str]:
    """For reports."""
    return [f"{row.began_at.astimezone(BERLIN):%H:%M} {row.ended_at.astimezone(BERLIN):%H:%M}" for row in ticket.stretches.order_by("pk")]


def test_next_response_when_the_customer_asks_more_while_it_is_held_then_ends_that_wait_and_the_next_counts_from_what_was_asked(
    ticket, at, ana, dan
):
    """Asked 11:00, answered 12:00; asked 11:59, answered 13:30. As if the reply had gone out at once: two waits, each as long as it was."""
    at("Mon 10:00")
    actions.comment(ticket, actor=dan, message=message())
    at("Mon 11:00")
    actions.comment(ticket, actor=ana, message=message())
    seen = held_reply(ticket)
    at("Mon 11:59")
    actions.comment(ticket, actor=ana, message=message("And another thing."))
    at("Mon 12:00")
    actions.comment(ticket, actor=dan, message=message(), seen=seen)
    assert (shown(ticket)["next1"], shown(ticket)["next2"]) == ("met 1:00:00/2:00:00", "running 0:00:00/2:00:00 due Mon 13:59")
    at("Mon 13:30")
    actions.comment(ticket, actor=dan, message=message())
    assert (shown(ticket)["next2"], waits(ticket)) == ("met 1:31:00/2:00:00", ["11:00 12:00", "11:59 13:30"])
    assert is_as_its_events_say(ticket)


def test_next_response_when_the_first_one_was_held_and_more_was_asked_then_counts_from_that(ticket, at, ana, dan):
    seen = held_reply(ticket)
    at("Mon 09:59")
    actions.comment(ticket, actor=ana, message=message("And another thing."))
    at("Mon 10:00")
    actions.comment(ticket, actor=dan, message=message(), seen=seen)
    assert (shown(ticket)["first"], shown(ticket)["next1"]) == ("met 1:00:00/4:00:00", "running 0:00:00/2:00:00 due Mon 11:59")
    at("Mon 11:00")
    actions.comment(ticket, actor=dan, message=message())
    assert (shown(ticket)["next1"], waits(ticket)) == ("met 1:01:00/2:00:00", ["09:59 11:00"])
    assert is_as_its_events_say(ticket)


def test_next_response_when_nothing_was_asked_before_the_held_one_then_the_wait_that_began_meanwhile_goes_on_as_one(ticket, at, ana, dan):
    at("Mon 10:00")
    actions.comment(ticket, actor=dan, message=message())
    seen = held_reply(ticket)
    at("Mon 10:59")
    actions.comment(ticket, actor=ana, message=message())
    at("Mon 11:00")
    actions.comment(ticket, actor=dan, message=message("PS"), seen=seen)
    at("Mon 12:00")
    actions.comment(ticket, actor=dan, message=message())
    assert ([key for key in shown(ticket) if key.startswith("next")], shown(ticket)["next1"]) == (["next1"], "met 1:01:00/2:00:00")
    assert (waits(ticket), is_as_its_events_say(ticket)) == (["10:59 12:00"], True)


def test_thanks_when_on_a_resolved_ticket_then_no_clock_starts(ticket, at, ana, dan):
    actions.comment(ticket, actor=dan, message=message())
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    actions.comment(ticket, actor=ana, message=message("Thank you!"))
    assert (set(shown(ticket)), shown(ticket)["resolution"]) == ({"first", "resolution"}, "met 0:00:00/16:00:00")


def test_resolution_when_reopened_then_goes_on_with_what_was_left(ticket, at, ana, dan):
    at("Mon 12:00")
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    assert shown(ticket) == {"first": "dropped 3:00:00/4:00:00", "resolution": "met 3:00:00/16:00:00"}
    at("Thu 12:00")
    actions.comment(ticket, actor=ana, message=message("Still broken."))
    assert shown(ticket) == {"first": "running 3:00:00/4:00:00 due Thu 13:00", "resolution": "running 3:00:00/16:00:00 due Fri 17:00"}
    at("Mon+1 10:00")
    actions.comment(ticket, actor=dan, message=message(), status=status("Resolved"))
    assert shown(ticket) == {"first": "met 17:00:00/4:00:00 missed Thu 13:00", "resolution": "met 17:00:00/16:00:00 missed Fri 17:00"}
    assert is_as_its_events_say(ticket)


def test_close_when_taken_back_then_the_wait_is_the_same_as_before(ticket, at, ana, dan):
    actions.comment(ticket, actor=dan, message=message())
    actions.comment(ticket, actor=ana, message=message())
    at("Mon 10:00")
    actions.close(ticket, actor=dan)
    assert shown(ticket)["next1"] == "dropped 1:00:00/2:00:00"
    actions.undo(ticket, actor=dan, event_id=ticket.events.latest("pk").pk)
    assert shown(ticket)["next1"] == "running 1:00:00/2:00:00 due Mon 11:00"
    actions.close(ticket, actor=dan)
    actions.reopen(ticket, actor=ana)
    assert shown(ticket)["next2"] == "running 0:00:00/2:00:00 due Mon 12:00"
    assert is_as_its_events_say(ticket)


def test_spam_when_marked_then_nothing_is_due_until_it_is_none(ticket, at, dan):
    at("Mon 10:00")
    actions.change_status(ticket, actor=dan, status=status("Spam"))
    assert ({state.split()[0] for state in shown(ticket).values()}, Ticket.objects.get().due_at) == ({"dropped"}, None)
    at("Tue 10:00")
    actions.change_status(ticket, actor=dan, status=status("Open"))
    assert shown(ticket) == {"first": "running 1:00:00/4:00:00 due Tue 13:00", "resolution": "running 1:00:00/16:00:00 due Wed 17:00"}


def test_ticket_when_merged_then_has_no_clock_until_it_comes_back_and_the_other_waits(ticket, at, ana, dan):
    target = make_ticket(ana, share=False)
    actions.comment(target, actor=dan, message=message())
    Comment.objects.update(created_at=timezone.now())  # by the test's clock too
    at("Mon 11:00")
    merging.merge(ticket, into=target, actor=dan)
    assert shown(ticket) == {"first": "dropped 2:00:00/4:00:00", "resolution": "dropped 2:00:00/16:00:00"}
    assert shown(target)["next1"] == "running 0:00:00/2:00:00 due Mon 13:00"
    at("Mon 12:00")
    merging.unmerge(Ticket.objects.get(pk=ticket.pk), actor=dan)
    assert shown(ticket)["first"] == "running 2:00:00/4:00:00 due Mon 14:00"
    assert shown(target)["next1"] == "dropped 1:00:00/2:00:00"
    assert (is_as_its_events_say(ticket), is_as_its_events_say(target)) == (True, True)


def test_wait_when_put_aside_for_the_customer_without_an_answer_then_is_neither_met_nor_missed(ticket, at, ana, dan):
    actions.comment(ticket, actor=dan, message=message())
    at("Mon 10:00")
    actions.comment(ticket, actor=ana, message=message("It is with our security team; they meet on Tuesdays."))
    at("Mon 10:30")
    actions.change_status(ticket, actor=dan, status=status("Waiting on Customer"))
    assert (shown(ticket)["next1"], Ticket.objects.get(pk=ticket.pk).waiting_since) == ("dropped 0:30:00/2:00:00", None)
    at("Mon 12:00")
    actions.comment(ticket, actor=ana, message=message("They said yes. And now?"))
    assert (shown(ticket)["next2"], Ticket.objects.get(pk=ticket.pk).waiting_since) == (
        "running 0:00:00/2:00:00 due Mon 14:00",
        timezone.now(),
    )
    assert is_as_its_events_say(ticket)


def test_machine_when_its_clock_jumps_back_then_no_time_is_given_back(ticket, at, dan):
    at("Mon 12:00")
    actions.change_status(ticket, actor=dan, status=status("Waiting on Customer"))
    at("Mon 09:30")
    actions.change_status(ticket, actor=dan, status=status("In Progress"))
    assert shown(ticket)["first"] == "running 3:00:00/4:00:00 due Mon 13:00"


# --- Another promise -----------------------------------------------------------------------------------------------------------


def promise(policy: SlaPolicy, name: str, **spans: timedelta) -> Priority:
    priority = Priority.objects.get(name=name)
    SlaTarget.objects.create(policy=policy, priority=priority, **spans)
    return priority


def test_priority_when_raised_then_counts_from_the_beginning_but_nothing_is_missed_before(policy, ticket, at, dan):
    critical = promise(policy, "Critical", first_response=timedelta(hours=1), resolution=timedelta(hours=8))
    at("Mon 11:00")
    actions.set_priority(ticket, actor=dan, priority=critical)
    assert shown(ticket) == {
        "first": "running 2:00:00/1:00:00 due Mon 11:00 missed Mon 11:00",
        "resolution": "running 2:00:00/8:00:00 due Mon 17:00",
    }
    assert is_as_its_events_say(ticket)


def test_priority_when_lowered_then_what_is_not_late_any_more_is_not_missed(policy, ticket, at, dan):
    low = promise(policy, "Low", first_response=timedelta(hours=8))
    at("Mon 14:00")
    actions.change_status(ticket, actor=dan, status=status("Waiting on Customer"))
    actions.change_status(ticket, actor=dan, status=status("In Progress"))
    assert shown(ticket)["first"].endswith("missed Mon 13:00")
    actions.set_priority(ticket, actor=dan, priority=low)
    assert shown(ticket) == {"first": "running 5:00:00/8:00:00 due Mon 17:00", "resolution": "dropped 5:00:00/16:00:00"}
    assert is_as_its_events_say(ticket)


def test_priority_when_it_counts_hours_of_the_clock_then_nights_count_from_the_beginning(policy, ticket, at, dan):
    always = promise(policy, "High", first_response=timedelta(hours=48), resolution=timedelta(hours=48), in_business_hours=False)
    at("Mon 10:00")
    actions.change_status(ticket, actor=dan, status=status("Waiting on Customer"))
    at("Tue 10:00")
    actions.change_status(ticket, actor=dan, status=status("In Progress"))
    at("Wed 09:00")
    actions.set_priority(ticket, actor=dan, priority=always)
    assert shown(ticket)["first"] == "running 1 day, 0:00:00/2 days, 0:00:00 due Thu 09:00"
    assert is_as_its_events_say(ticket)


def test_policy_when_edited_then_what_was_promised_stays_until_the_ticket_is_matched_anew(policy, ticket, at, ana, dan):
    SlaTarget.objects.update(first_response=timedelta(hours=1))
    policy.calendar.spans.all().delete()
    actions.add_note(ticket, actor=dan, message=message())
    assert shown(ticket)["first"] == "running 0:00:00/4:00:00 due Mon 13:00"
    later = make_ticket(ana)
    assert shown(later)["first"] == "running 0:00:00/1:00:00"  # never due, as nobody works any more
    actions.set_type(ticket, actor=dan, type=TicketType.objects.first())
    assert shown(ticket)["first"] == "running 0:00:00/1:00:00"
    assert is_as_its_events_say(ticket)


def test_calendar_when_edited_while_a_clock_is_paused_then_the_promise_goes_on_in_the_old_hours(policy, ticket, at, ana, dan):
    """Two hours of four are spent; on Thursday, a holiday since, they go on, as it was promised when Thursdays were worked."""
    at("Mon 11:00")
    actions.change_status(ticket, actor=dan, status=status("Waiting on Customer"))
    policy.calendar.holidays.create(date=moment("Thu 00:00").date())
    at("Thu 10:00")
    actions.change_status(ticket, actor=dan, status=status("In Progress"))
    assert shown(ticket)["first"] == "running 2:00:00/4:00:00 due Thu 12:00"
    assert shown(make_ticket(ana))["first"] == "running 0:00:00/4:00:00 due Fri 13:00"
    assert is_as_its_events_say(ticket)


def test_clocks_when_those_on_the_wall_change_then_hours_are_real_ones(workflow, monkeypatch, ana, dan):
    """All day, from Saturday noon: 12 of 16 hours until midnight, and 4 of a night in which 02:00 is 03:00, or comes twice. 10 are spent until 22:00, so 6
    are left on Sunday at 04:00, however long that night was; with 24 promised it is 14, and when it is resolved at 05:00 and opened anew at 08:00, 13.
    """
    policy = make_policy(hours="00:00-00:00")
    policy.calendar.spans.bulk_create(WorkingSpan(calendar=policy.calendar, weekday=day, opens=time(), closes=time()) for day in (5, 6))
    high = promise(policy, "High", resolution=timedelta(hours=24))

    def do(day: int, month: int, hour: int, deed):
        now = datetime(2026, month, day, hour, tzinfo=BERLIN).astimezone(UTC)
        monkeypatch.setattr(timezone, "now", lambda: now)
        return deed()

    for saturday, month, first_due in ((28, 3, "Sun 05:00"), (24, 10, "Sun 03:00")):
        ticket = do(saturday, month, 12, lambda: make_ticket(ana))
        dues = [shown(ticket)["resolution"]]
        for day, hour, deed in (
            (saturday, 22, lambda: actions.change_status(ticket, actor=dan, status=status("Waiting on Customer"))),  # noqa: B023
            (saturday + 1, 4, lambda: actions.change_status(ticket, actor=dan, status=status("In Progress"))),  # noqa: B023
            (saturday + 1, 4, lambda: actions.set_priority(ticket, actor=dan, priority=high)),  # noqa: B023
            (saturday + 1, 5, lambda: actions.resolve(ticket, actor=dan, type=TicketType.objects.first())),  # noqa: B023
            (saturday + 1, 8, lambda: actions.reopen(ticket, actor=ana)),  # noqa: B023
        ):
            do(day, month, hour, deed)
            dues.append(shown(ticket)["resolution"])
        assert dues == [
            f"running 0:00:00/16:00:00 due {first_due}",
            "paused 10:00:00/16:00:00",
            "running 10:00:00/16:00:00 due Sun 10:00",
            "running 10:00:00/1 day, 0:00:00 due Sun 18:00",
            "met 11:00:00/1 day, 0:00:00",
            "running 11:00:00/1 day, 0:00:00 due Sun 21:00",
        ]
        assert is_as_its_events_say(ticket)


def test_policies_when_several_match_then_the_first_one_counts(policy, at, acme, ana, ben, solo, dan):
    devops = AgentGroup.objects.get(name="DevOps")
    bug = TicketType.objects.get(name="Bug")
    make_policy("Of the group", group=devops, position=3)
    make_policy("Acme's bugs", organization=acme, type=bug, position=1)
    make_policy("Acme's", organization=acme, position=2)
    make_policy("Of old", is_retired=True)
    SlaPolicy.objects.filter(pk=policy.pk).update(position=9)

    def name(ticket):
        return Ticket.objects.get(pk=ticket.pk).sla.agreement.policy

    shared, private, strangers = make_ticket(ana), make_ticket(ben, share=False), make_ticket(solo)
    assert [name(ticket) for ticket in (shared, private, strangers)] == ["Acme's", "Acme's", "Standard"]
    actions.set_type(shared, actor=dan, type=bug)
    actions.set_group(strangers, actor=dan, group=devops)
    assert [name(ticket) for ticket in (shared, strangers)] == ["Acme's bugs", "Of the group"]
    sharing.add_organization(strangers, actor=dan, organization=acme)
    assert name(strangers) == "Acme's"


def test_ticket_when_no_policy_promises_anything_then_costs_nothing(workflow, ana, dan, django_assert_num_queries):
    ticket = make_ticket(ana)
    ticket.refresh_from_db()
    with django_assert_num_queries(0):
        assert clocks.follow(ticket, EventKind.NOTED, actor=dan, at=timezone.now()) == {}
    assert (Clock.objects.count(), ticket.due_at) == (0, None)


# --- From the events -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_clocks_when_made_of_the_events_again_then_are_the_same_whatever_happened(policy, at, monkeypatch, ana, dan, seed):
    """Any course at all, with the sweeps in between; the machine's clock is set back now and then."""
    promise(policy, "Critical", first_response=timedelta(hours=1), resolution=timedelta(hours=8), in_business_hours=False)
    choose = random.Random(seed)  # noqa: S311
    ticket = make_ticket(ana)
    now = moment("Mon 09:00")
    names = Status.objects.filter(is_retired=False).values_list("name", flat=True)
    deeds = (
        lambda: actions.comment(ticket, actor=ana, message=message()),
        lambda: actions.comment(ticket, actor=dan, message=message()),
        lambda: actions.comment(ticket, actor=dan, message=message(), status=status("Waiting on Customer")),
        lambda: actions.change_status(ticket, actor=dan, status=status(choose.choice(names)), type=TicketType.objects.first()),
        lambda: actions.set_priority(ticket, actor=dan, priority=choose.choice([None, *Priority.objects.all()])),
        lambda: actions.reopen(ticket, actor=ana),
        sweeps.tell_due_clocks,
    )
    for _deed in range(30):
        now += timedelta(seconds=choose.randrange(-3600, 40_000))
        monkeypatch.setattr(timezone, "now", lambda now=now: now.astimezone(UTC))
        try:
            choose.choice(deeds)()
        except actions.IllegalMove:
            continue
        assert clocks.recompute(ticket.pk, mend=False) == []


def test_clocks_when_lost_then_are_made_again_and_what_was_wrong_is_said(ticket):
    before = shown(ticket)
    Clock.objects.filter(metric="first").update(told=2)
    Clock.objects.filter(metric="resolution").delete()
    wrong = clocks.recompute(ticket.pk)
    assert (len(wrong) > 1, shown(ticket), clocks.recompute(ticket.pk)) == (True, before, [])


# --- Warnings, breaches, escalations -------------------------------------------------------------------------------------------


def said(ticket: Ticket) -> list[tuple[str, str]]:
    events = ticket.events.filter(kind__startswith="sla_").order_by("pk")
    return [(event.kind.removeprefix("sla_"), event.data["sla"]["metric"]) for event in events]


def until(ticket: Ticket, metric: str, left: timedelta) -> None:
    """As if the clock had run in a calendar without nights until so much is left of it by the database's clock."""
    clock = ticket.clocks.get(metric=metric)
    clock.due_at = NOW() + left
    clock.since = clock.due_at - clock.target
    clock.started_at = clock.since
    clock.next_at = clocks._next(clock)
    clock.save()


@pytest.fixture
def always(workflow, ana):
    """A ticket whose promises count hours of the clock, with no other clock in the way."""
    policy = make_policy(
        steps=("resolution before 60", "resolution after 60", "resolution after 120"), first_response=None, next_response=None
    )
    SlaTarget.objects.update(in_business_hours=False)
    SlaStep.objects.update(to_assignee=False)
    assert policy.steps.count() == 3
    return make_ticket(ana)


def test_sweeps_when_time_passes_then_each_step_is_said_once(always):
    seen = []
    for left in (90, 59, 30, -1, -30, -61, -90, -121, -500):
        until(always, "resolution", timedelta(minutes=left))
        sweeps.tell_due_clocks()
        sweeps.tell_due_clocks()
        seen.append(len(said(always)))
    assert seen == [0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert [kind for kind, _metric in said(always)] == ["warned", "breached", "escalated", "escalated"]
    assert {event.is_internal for event in always.events.filter(kind__startswith="sla_")} == {True}


def test_warning_when_less_is_left_than_the_step_says_then_says_what_is_left(always):
    until(always, "resolution", timedelta(minutes=25))
    sweeps.tell_due_clocks()
    assert describe(always.events.latest("pk"), for_staff=True) == "Resolution: 25m left"


def test_warning_when_it_would_come_before_the_beginning_then_is_left_out(always, ana):
    SlaTarget.objects.update(resolution=timedelta(minutes=10))
    ticket = make_ticket(ana)
    assert (sweeps.tell_due_clocks(), ticket.clocks.get().next_at == ticket.clocks.get().due_at) == (0, True)


def test_breach_when_noticed_late_then_has_its_true_moment_and_is_one_event(always):
    until(always, "resolution", -timedelta(days=3))
    due = always.clocks.get().due_at
    assert [sweeps.tell_due_clocks() for _sweep in range(3)] == [1, 0, 0]
    assert (said(always), always.clocks.get().breached_at) == ([("breached", "resolution")], due)
    assert datetime.fromisoformat(always.events.latest("pk").data["moment"]) == due + timedelta(
        minutes=120
    )  # of the last step that it tells


def test_clock_when_paused_then_is_not_warned_of_and_tells_when_it_runs_again(always, dan):
    until(always, "resolution", -timedelta(minutes=1))
    actions.change_status(always, actor=dan, status=status("Waiting on Customer"))
    assert (sweeps.tell_due_clocks(), said(always)) == (0, [])
    actions.change_status(always, actor=dan, status=status("In Progress"))
    assert (sweeps.tell_due_clocks(), said(always)) == (1, [("breached", "resolution")])


def test_clock_when_met_before_the_sweep_came_then_nothing_is_said_though_it_was_missed(always, dan):
    until(always, "resolution", -timedelta(minutes=1))
    actions.resolve(always, actor=dan, type=TicketType.objects.first())
    clock = always.clocks.get()
    assert (sweeps.tell_due_clocks(), said(always), clock.state, clock.breached_at is None) == (0, [], "met", False)


def test_machine_when_its_clock_is_a_week_ahead_then_nothing_is_missed(always, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW() + timedelta(days=7))
    assert (sweeps.tell_due_clocks(), said(always)) == (0, [])


def test_sweep_when_one_clock_fails_then_the_others_are_told_and_it_is_put_off(always, ana, caplog, monkeypatch):
    other = make_ticket(ana)
    for ticket in (always, other):
        until(ticket, "resolution", -timedelta(minutes=1))
    tell, bad = sweeps.tell_due, always.clocks.get().pk

    def poisoned(pks):
        if bad in pks:
            raise RuntimeError("poison")
        return tell(pks)

    monkeypatch.setattr(sweeps, "tell_due", poisoned)
    assert [sweeps.tell_due_clocks() for _sweep in range(2)] == [1, 0]
    assert (said(always), said(other)) == ([], [("breached", "resolution")])
    assert timedelta(minutes=59) < always.clocks.get().next_at - NOW() <= timedelta(hours=1)


@pytest.mark.parametrize("step", ["priority", "spam"])
def test_sweep_when_a_rule_changes_what_is_promised_then_another_clock_is_told_by_what_holds_now(workflow, ana, step):
    policy = make_policy(next_response=None)
    long = promise(policy, "Low", first_response=timedelta(hours=400), resolution=timedelta(hours=400))
    SlaTarget.objects.update(in_business_hours=False)
    AutomationRule.objects.create(name="Late", when="sla_breached", steps={"priority": long.pk} if step == "priority" else {"spam": True})
    ticket = make_ticket(ana)
    for metric in ("first", "resolution"):
        until(ticket, metric, -timedelta(minutes=1))
    assert (sweeps.tell_due_clocks(), len(said(ticket))) == (1, 1)
    assert list(ticket.clocks.filter(metric="resolution").values_list("told", flat=True)) == [0]


def test_sweeps_when_they_were_down_then_what_is_late_is_spread_and_what_is_on_time_is_not_held_up(always, ana, monkeypatch):
    monkeypatch.setattr(sweeps, "_LATE_CLOCKS", 2)
    late = [always, *(make_ticket(ana) for _ticket in range(3))]
    for ticket in late:
        until(ticket, "resolution", -timedelta(days=2))
    fresh = make_ticket(ana)
    until(fresh, "resolution", timedelta(minutes=30))
    assert [sweeps.tell_due_clocks() for _sweep in range(4)] == [3, 2, 0, 0]
    assert said(fresh) == [("warned", "resolution")]
