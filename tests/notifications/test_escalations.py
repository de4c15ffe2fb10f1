"""Who is mailed about a clock: whom the policy's steps name, once each, while it runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AgentGroup, Role, User
from notifications.audience import audience
from notifications.channels import deliver_due
from notifications.relay import dispatch, relay_waiting
from tests.factories import make_policy, make_ticket, make_user, message
from tickets import actions, events, sweeps
from tickets.models import Event, EventKind, SlaStep, Ticket
from tickets.sla import clocks

pytestmark = pytest.mark.django_db


@pytest.fixture
def breach(workflow, ana, dan, eve, max_admin):
    """Overdue by an hour: told to who works on it, to Eve's group and, an hour later, to Max. Gives what the sweep said of it."""
    policy = make_policy(steps=("first after 0", "first after 60"), next_response=None, resolution=None)
    policy.targets.update(in_business_hours=False)
    at_once, later = SlaStep.objects.order_by("span")
    at_once.groups.add(AgentGroup.objects.get(name="DevOps"))
    later.people.add(max_admin, make_user("left@support.example", "Who Left", role=Role.AGENT))
    User.objects.filter(email="left@support.example").update(is_active=False)
    SlaStep.objects.filter(pk=later.pk).update(to_assignee=False)
    ticket = make_ticket(ana)

    def sweep(overdue: timedelta) -> Event:
        Event.objects.update(at=timezone.now() - timedelta(hours=4) - overdue, dispatched_at=timezone.now())
        clocks.recompute(ticket.pk)
        assert sweeps.tell_due_clocks() == 1
        return Event.objects.latest("pk")

    return sweep


def told(event: Event) -> dict[str, str]:
    return {person.user.display_name: person.reason for person in audience(event)}


def test_breach_when_told_then_names_the_group_while_nobody_works_on_it(breach):
    assert told(breach(timedelta(minutes=1))) == {"Dan Support": "group", "Eve Devops": "sla"}


def test_breach_when_somebody_works_on_it_then_is_theirs(breach, eve):
    actions.assign(Ticket.objects.get(), actor=eve, assignee=eve)
    assert told(breach(timedelta(minutes=1))) == {"Eve Devops": "assignee"}


def test_breach_when_found_late_then_each_hears_once_of_all_of_it(breach):
    event = breach(timedelta(minutes=90))
    assert (event.kind, told(event)) == ("sla_breached", {"Dan Support": "group", "Eve Devops": "sla", "Max Manager": "sla"})


def test_breach_when_told_then_its_mail_waits_for_nothing(breach, settings):
    settings.MERGE_SECONDS = settings.UNDO_SECONDS = 60
    breach(timedelta(minutes=1))
    relay_waiting()
    assert deliver_due() == 2


def test_breach_when_what_a_rule_says_waits_to_be_mailed_then_takes_it_along(breach, dan, settings):
    settings.MERGE_SECONDS = settings.UNDO_SECONDS = 60
    ticket = breach(timedelta(minutes=1)).ticket
    by_rule = events.record(ticket, EventKind.STAFF_TOLD, actor=None, is_internal=True, told=[dan.pk], names=["Dan"], words="Look.")
    dispatch(by_rule.pk)
    relay_waiting()
    assert deliver_due() == 2


def test_breach_when_answered_before_the_mail_then_nobody_is_told(breach, dan):
    event = breach(timedelta(minutes=1))
    actions.comment(event.ticket, actor=dan, message=message())
    assert told(event) == {}


def test_breach_when_mailed_then_says_what_is_overdue_to_staff_alone(breach, mailoutbox):
    breach(timedelta(minutes=1))
    relay_waiting()
    deliver_due()
    assert sorted(mail.to[0] for mail in mailoutbox) == ["Dan Support <dan@support.example>", "Eve Devops <eve@support.example>"]
    (eves,) = [mail.body for mail in mailoutbox if "eve@" in mail.to[0]]
    assert ("First response is overdue" in eves, "because the SLA policy of ticket" in eves, "INTERNAL" in eves) == (True, True, True)
