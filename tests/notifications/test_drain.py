"""Hundreds of mails leave at once: over one connection, in little memory, and whoever is slow or refused holds up nobody."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from resource import getpagesize

import pytest

from accounts.models import User
from notifications import channels
from notifications.channels import deliver_due
from notifications.models import Delivery, Kind, Reason, State
from tests.factories import make_ticket, message
from tickets import actions
from tickets.models import Follower

pytestmark = [pytest.mark.django_db, pytest.mark.dear]

_MEGABYTE = 1024 * 1024


def queue(ticket, dan, count: int, name: str = "p") -> list[str]:
    """An answer, to be mailed to so many followers. Their addresses."""
    actions.comment(ticket, actor=dan, message=message("Some words. " * 100))
    event = ticket.events.latest("id")
    people = User.objects.bulk_create(User(email=f"{name}{number}@acme.example", name=f"Person {number}") for number in range(count))
    Follower.objects.bulk_create(Follower(ticket=ticket, user=person, added_by=dan) for person in people)
    about = {"event": event, "ticket": ticket, "kind": Kind.UPDATE, "reason": Reason.FOLLOWER}
    Delivery.objects.bulk_create(Delivery(recipient=person, address=person.email, **about) for person in people)
    return [person.email for person in people]


def connections_of(sink) -> set[int]:
    """Where the mails come from. The sink forgets what they say, as its memory is not what is weighed here."""
    seen: set[int] = set()
    take = sink.handle_DATA

    async def handle(server, session, envelope) -> str:
        seen.add(session.peer[1])
        answer = await take(server, session, envelope)
        sink.mails[-1] = (sink.mails[-1][0], EmailMessage())
        return answer

    sink.handle_DATA = handle
    return seen


@contextmanager
def peak():
    """The most memory that this process has, in bytes above where it begins; sampled."""
    over, most, began = threading.Event(), [0], resident()

    def watch() -> None:
        while not over.wait(0.01):
            most[0] = max(most[0], resident() - began)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield most
    finally:
        over.set()
        watching.join()


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


def sent() -> int:
    return Delivery.objects.filter(state=State.SENT).count()


@pytest.fixture
def ticket(workflow, ana, dan):
    ticket = make_ticket(ana)
    Follower.objects.all().delete()
    return ticket


def test_hundreds_of_mails_when_they_leave_then_by_one_connection_and_in_little_memory(ticket, sink, dan, monkeypatch):
    monkeypatch.setattr(channels, "_RUN_SECONDS", 900)  # in one run, however busy this machine is
    queue(ticket, dan, 20, name="first")
    deliver_due()  # what is loaded once is loaded
    Delivery.objects.all().delete()
    sink.mails.clear()
    addresses, connections = queue(ticket, dan, 500), connections_of(sink)  # more than two handfuls of the sender
    with peak() as most:
        assert deliver_due() == 500
    assert (sorted(sink.recipients), len(connections)) == (sorted(addresses), 1)
    assert most[0] < 20 * _MEGABYTE


def test_recipients_when_some_are_refused_then_all_others_go_and_a_refusal_costs_one_connection(ticket, sink, dan):
    addresses, connections = queue(ticket, dan, 60), connections_of(sink)
    refused = addresses[5:60:20]
    for address, answer in zip(refused, ("550 5.1.1 No such user", "450 4.7.1 Greylisted", "550 5.7.1 No"), strict=True):
        sink.answers[address] = answer
    assert deliver_due() == 57
    assert (sorted(sink.recipients), len(connections)) == (sorted(set(addresses) - set(refused)), 4)


def test_recipient_when_their_server_hangs_then_costs_the_others_one_timeout(ticket, sink, dan, settings):
    settings.EMAIL_TIMEOUT = 1
    addresses = queue(ticket, dan, 40)
    answer = sink.handle_RCPT

    async def hang(server, session, envelope, address, options) -> str:
        if address == addresses[3]:
            await asyncio.sleep(60)  # until the client has had enough
        return await answer(server, session, envelope, address, options)

    sink.handle_RCPT = hang
    assert deliver_due() == 39
    slow = Delivery.objects.get(address=addresses[3])
    assert (slow.state, slow.attempts, "timed out" in slow.error, sent()) == (State.QUEUED, 1, True, 39)
