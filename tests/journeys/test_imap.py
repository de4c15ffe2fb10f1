"""A mailbox on a real IMAP server: fetched once, marked only after it is ours."""

from __future__ import annotations

import imaplib
import os
import shutil
from pathlib import Path

import pytest

from tests.journeys.peers import DOVECOT, dovecot
from tests.tickets.mail.letters import letter
from tickets.mail import fetch, ingest
from tickets.models import InboundMessage, Mailbox, Ticket

pytestmark = [
    pytest.mark.journey,
    pytest.mark.django_db,
    pytest.mark.skipif(
        not Path(DOVECOT).exists() and not os.environ.get("CI"), reason="Dovecot is not installed (apt-get install dovecot-imapd)"
    ),
]


@pytest.fixture(scope="module")
def server():
    folder = Path("/tmp") / f"helpdesk-dovecot-{os.getpid()}"  # noqa: S108 its user must be able to enter every folder above it
    with dovecot(folder) as port:
        yield port
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def inbox(server):
    """The server's side of the mailbox, emptied."""
    with imaplib.IMAP4("127.0.0.1", server) as client:
        client.login("support", "secret")
        if client.select("INBOX")[1] != [b"0"]:
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()
        yield client


@pytest.fixture
def mailbox(workflow, server):
    mailbox = Mailbox.objects.get()
    mailbox.imap_host, mailbox.imap_port, mailbox.imap_tls = "127.0.0.1", server, False
    mailbox.imap_user, mailbox.imap_password = "support", "secret"
    mailbox.save()
    return mailbox


def seen(client) -> list[bytes]:
    client.select("INBOX")
    return client.search(None, "SEEN")[1][0].split()


def test_mail_is_fetched_byte_for_byte_and_then_marked(inbox, mailbox):
    raw = letter().replace(b"\n", b"\r\n")
    inbox.append("INBOX", None, None, raw)
    assert (fetch.fetch_all(), bytes(InboundMessage.objects.get().raw), len(seen(inbox))) == (1, raw, 1)


def test_second_poll_fetches_nothing_again(inbox, mailbox):
    inbox.append("INBOX", None, None, letter())
    assert [fetch.fetch_all(), fetch.fetch_all()] == [1, 0]


def test_mail_that_could_not_be_stored_stays_unseen(inbox, mailbox, monkeypatch):
    inbox.append("INBOX", None, None, letter())

    def full(*_args, **_fields):
        raise OSError("the disk is full")

    monkeypatch.setattr(fetch, "store", full)
    fetch.fetch_all()
    mailbox.refresh_from_db()
    assert (seen(inbox), mailbox.error) == ([], "OSError: the disk is full")


def test_fetched_mail_becomes_a_ticket(inbox, mailbox, ana):
    inbox.append("INBOX", None, None, letter())
    fetch.fetch_all()
    ingest.ingest_waiting()
    assert Ticket.objects.get().requester == ana


def test_wrong_password_is_kept_on_the_mailbox_and_holds_up_no_other(inbox, mailbox):
    inbox.append("INBOX", None, None, letter())
    Mailbox.objects.create(
        name="A first", address="first@support.example", imap_host="127.0.0.1", imap_port=mailbox.imap_port, imap_tls=False, imap_user="x"
    )
    assert fetch.fetch_all() == 1
    assert Mailbox.objects.get(name="A first").error != ""
