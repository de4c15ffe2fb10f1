"""`manage.py seed`: what it writes is as the product's own, and goes into an empty database alone."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from tests.factories import make_ticket
from tickets.lifecycle import UNRESOLVED
from tickets.models import Comment, Event, EventKind, Ticket

pytestmark = pytest.mark.django_db


def test_seed_when_the_database_is_empty_then_fills_it_with_what_the_pages_show(client, settings):
    settings.DEMO = False
    call_command("seed", "--tickets", "120")
    connection.check_constraints()
    tickets, closed = Ticket.objects.all(), Ticket.objects.filter(category="closed")
    assert (tickets.count(), tickets.filter(category__in=UNRESOLVED).exists(), closed.count() > 60) == (120, True, True)
    assert not closed.filter(resolved_at=None).exists()
    assert Comment.objects.filter(is_internal=True).exists()
    assert Event.objects.filter(kind=EventKind.OPENED).count() == 120
    assert not Event.objects.filter(dispatched_at=None).exists()  # nobody is mailed
    agent = User.objects.get(email="agent1@support.example")
    client.force_login(agent)
    for path in ("/desk/", "/desk/tickets/?q=status:any", f"/desk/tickets/{closed[0].number}/"):
        assert client.get(path).status_code == 200
    assert not agent.has_usable_password()
    assert make_ticket(tickets[0].requester).number == 121


def test_seed_when_there_are_tickets_then_is_refused(workflow, ana):
    make_ticket(ana)
    with pytest.raises(CommandError, match="has tickets already"):
        call_command("seed", "--tickets", "10")
    assert Ticket.objects.count() == 1
