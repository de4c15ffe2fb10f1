"""`manage.py seed`: what it writes is what the product makes of the same events, and it goes into an empty database alone."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from helpdesk.management.commands import seed
from notifications.models import Delivery
from tests.factories import make_ticket
from tickets import measures
from tickets.demo.seeding import Stories
from tickets.lifecycle import UNRESOLVED, Category
from tickets.models import Clock, Comment, Event, EventKind, IndexedTicket, Posting, Status, Stretch, Ticket, TicketWords
from tickets.search import indexing
from tickets.sla import clocks

pytestmark = [pytest.mark.django_db, pytest.mark.dear]


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """The same stories on every day, some of which are still open."""
    monkeypatch.setattr(seed.timezone, "now", lambda: datetime(2026, 11, 27, 15, tzinfo=UTC))


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


def test_seed_when_it_is_broken_off_then_leaves_nothing_and_can_begin_again(monkeypatch):
    def fail(*_args):
        raise KeyboardInterrupt

    whole = Stories.batch
    monkeypatch.setattr(Stories, "batch", fail)
    with pytest.raises(KeyboardInterrupt):
        call_command("seed", "--tickets", "10")
    monkeypatch.setattr(Stories, "batch", whole)
    assert (Ticket.objects.count(), User.objects.filter(email="agent1@support.example").count()) == (0, 0)
    call_command("seed", "--tickets", "10")
    assert Ticket.objects.count() == 10


def test_seed_when_the_preset_resolves_nothing_then_what_is_solved_is_closed():
    call_command("preset", "apprentice", verbosity=0)
    call_command("seed", "--tickets", "40")
    assert Ticket.objects.filter(category="closed").exclude(resolved_at=None).exclude(closed_at=None).exists()
    assert not Ticket.objects.filter(category="resolved").exists()


# --- Again, from the events ----------------------------------------------------------------------------------------------------


_MEASURED = ("first_response_at", "first_response_work", "waiting_since", "resolved_at", "resolution_work")


@pytest.fixture
def seeded(monkeypatch):
    monkeypatch.setattr(seed, "_BATCH", 60)  # so that other processes make some, as of many
    call_command("seed", "--tickets", "150")
    return list(Ticket.objects.order_by("pk"))


def test_seed_when_its_clocks_are_made_of_the_events_again_then_they_are_the_same(seeded):
    assert {clock.is_open for clock in Clock.objects.all()} == {True, False}
    assert Clock.objects.exclude(breached_at=None).exists()
    assert Event.objects.filter(kind=EventKind.SLA_BREACHED).exists()
    assert [said for ticket in seeded for said in clocks.recompute(ticket.pk, mend=False)] == []
    clock = Clock.objects.filter(state="met").first()
    Clock.objects.filter(pk=clock.pk).update(spent=clock.spent + clock.target)
    assert len(clocks.recompute(clock.ticket_id, mend=False)) == 1


def test_seed_when_each_event_is_measured_again_then_stretches_and_times_are_the_same(seeded):
    stretches = set(_stretches())
    assert {kind for _ticket, kind, *_rest in stretches} == {"answered", "resolved"}
    before = [_measured(ticket) for ticket in seeded]
    Stretch.objects.all().delete()
    for ticket in seeded:
        _measure_again(ticket)
    assert [_measured(ticket) for ticket in seeded] == before
    assert set(_stretches()) == stretches


def _measure_again(ticket):
    """As the verbs do it, step by step."""
    ticket.first_response_at = ticket.resolved_at = ticket.first_response_work = ticket.resolution_work = None
    ticket.waiting_since, ticket.category = ticket.created_at, Category.NEW
    for event in ticket.events.select_related("actor").order_by("pk"):
        by_staff = event.actor is not None and event.actor.is_staff
        if event.kind == EventKind.COMMENTED and by_staff:
            measures.answered(ticket, event.at)
            ticket.waiting_since = None
        elif event.kind in (EventKind.COMMENTED, EventKind.REOPENED):
            ticket.waiting_since = ticket.waiting_since or event.at
        if moved := event.data.get("category"):
            left, ticket.category = ticket.category, moved
            measures.moved(ticket, left, event.at)
            if ticket.is_finished:
                ticket.waiting_since = None


def _measured(ticket):
    return [getattr(ticket, name) for name in _MEASURED]


def _stretches():
    return Stretch.objects.values_list("ticket", "kind", "began_at", "ended_at", "work_seconds")


def test_seed_when_tickets_are_indexed_again_then_words_and_postings_are_the_same(seeded):
    before = _words(), _indexed()
    assert len(before[0]) == 150
    assert len(before[1][1]) > 1000
    TicketWords.objects.all().delete()
    IndexedTicket.objects.all().delete()
    Posting.objects.all().delete()
    Ticket.objects.update(is_indexed=False)
    assert indexing.index_waiting(most=200) == 150
    assert (_words(), _indexed()) == before


def _words():
    with connection.cursor() as cursor:  # as they are kept, which the field does not read
        cursor.execute("SELECT ticket_id, public, internal, size FROM tickets_ticketwords ORDER BY ticket_id")
        return cursor.fetchall()


def _indexed():
    entries = [(one.ticket, one.scopes, one.terms, one.day) for one in IndexedTicket.objects.order_by("ticket")]
    return entries, set(Posting.objects.values_list("scope", "term", "ticket", "impact", "day"))


def test_seed_when_a_story_is_told_then_each_step_leaves_what_the_ticket_says(seeded):
    """The last move of its events is where it stands, each begins where the one before ended, and nothing happens before it."""
    names = dict(Status.objects.values_list("pk", "name"))
    for ticket in seeded:
        events = list(ticket.events.order_by("pk"))
        assert all(one.at <= other.at for one, other in pairwise(events))
        moves = [event.data for event in events if event.data.get("category")]
        assert all(one["new"] == other["old"] for one, other in pairwise(moves))
        taken = [event.data["status"] for event in events if event.kind == EventKind.ASSIGNED]
        assert names[ticket.status_id] == [*["Open"], *taken, *(move["new"] for move in moves)][-1]
        assert ticket.clocks.exists()


def test_seed_when_people_were_mailed_then_the_mails_are_on_record_and_none_waits(seeded):
    assert Delivery.objects.filter(kind="confirmation").count() == 150
    assert Delivery.objects.filter(reason="assignee").exists()
    assert not Delivery.objects.due().exists()
    assert not Delivery.objects.exclude(state__in=("sent", "bounced")).exists()
