from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from notifications import bounces, channels, relay
from tests.factories import make_ticket
from tests.tickets.mail.bounces import BOUNCES
from tests.tickets.mail.letters import letter, take_in

pytestmark = pytest.mark.django_db

QUIET = {
    "events_waiting": 0,
    "replies_waiting": 0,
    "inbound_waiting": 0,
    "deliveries_waiting": 0,
    "inbound_failed": 0,
    "held": 0,
    "deliveries_failed": 0,
    "mailboxes_failing": 0,
    "oldest_seconds": 0,
    "idle": True,
}


def told(capsys) -> dict[str, object]:
    call_command("queues", "--json")
    return dict(json.loads(capsys.readouterr().out))


def test_queues_when_nothing_ever_happened_are_idle(capsys):
    assert told(capsys) == QUIET


def test_queues_follow_a_ticket_until_its_mail_has_left(workflow, ana, dan, capsys):
    make_ticket(ana)
    assert told(capsys) == QUIET | {"events_waiting": 1, "idle": False}
    relay.relay_waiting()
    assert told(capsys) == QUIET | {"deliveries_waiting": 2, "idle": False}
    channels.deliver_due()
    assert told(capsys) == QUIET


def test_held_mail_is_counted_and_keeps_nobody_waiting(workflow, capsys):
    take_in(letter("robot@shop.example", Auto_Submitted="auto-generated"))
    assert told(capsys) == QUIET | {"held": 1}


def test_bounce_counts_as_waiting_until_it_is_matched(workflow, capsys):
    take_in(BOUNCES[0].raw())
    assert told(capsys) == QUIET | {"inbound_waiting": 1, "idle": False}
    bounces.match_reports()
    assert told(capsys) == QUIET


def test_queues_are_readable_by_people(workflow, capsys):
    call_command("queues")
    assert "deliveries_waiting   0" in capsys.readouterr().out.splitlines()
