"""A mailbox on a real IMAP server: every mail since a date once, whatever happens in between, and nothing else touched."""

from __future__ import annotations

import imaplib
import os
import shutil
import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from tests.journeys.peers import DOVECOT, dovecot, free_port
from tests.journeys.tokens import token_server
from tests.tickets.mail.letters import letter
from tickets.mail import fetch, imap, ingest
from tickets.models import ImapLogin, InboundMessage, InboundState, Mailbox, Ticket

pytestmark = [
    pytest.mark.journey,
    pytest.mark.django_db,
    pytest.mark.skipif(
        not Path(DOVECOT).exists() and not os.environ.get("CI"), reason="Dovecot is not installed (apt-get install dovecot-imapd)"
    ),
]

YEARS_AGO = datetime(2019, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def tokens():
    """Gives tokens to us, and says to Dovecot whose they are."""
    with token_server(user="support") as server:
        yield server


@pytest.fixture(scope="module")
def server(tokens):
    folder = Path("/tmp") / f"helpdesk-dovecot-{os.getpid()}"  # noqa: S108 its user must be able to enter every folder above it
    oauth = folder / "oauth2.conf"
    oauth.parent.mkdir(parents=True)
    oauth.write_text(
        f"tokeninfo_url = {tokens.url}/info?token=\nusername_attribute = user\nactive_attribute = active\nactive_value = yes\n"
    )
    more = f"auth_mechanisms = plain login xoauth2\npassdb {{\n  driver = oauth2\n  mechanisms = xoauth2\n  args = {oauth}\n}}\n"
    try:
        with dovecot(folder, more=more) as port:
            yield port
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def inbox(server):
    """The server's side of the mailbox, emptied."""
    with imaplib.IMAP4("127.0.0.1", server) as client:
        client.login("support", "secret")
        for name in ("Work", "Archive"):
            client.delete(name)
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


def subjects() -> list[str]:
    return list(InboundMessage.objects.order_by("id").values_list("subject", flat=True))


def error_of(mailbox) -> str:
    mailbox.refresh_from_db()
    return mailbox.error


# --- Each mail once ------------------------------------------------------------------------------------------------------------


def test_mail_is_fetched_byte_for_byte_and_then_marked(inbox, mailbox):
    raw = letter().replace(b"\n", b"\r\n")
    inbox.append("INBOX", None, None, raw)
    assert (fetch.fetch_all(), bytes(InboundMessage.objects.get().raw), len(seen(inbox))) == (1, raw, 1)


def test_second_poll_fetches_nothing_again(inbox, mailbox, monkeypatch):
    inbox.append("INBOX", None, None, letter())
    assert fetch.fetch_all() == 1
    monkeypatch.setattr(imap.Server, "fetch_raw", None)
    assert (fetch.fetch_all(), error_of(mailbox)) == (0, "")


def test_fetched_mail_becomes_a_ticket(inbox, mailbox, ana):
    inbox.append("INBOX", None, None, letter())
    fetch.fetch_all()
    ingest.ingest_waiting()
    assert Ticket.objects.get().requester == ana


def test_mail_that_somebody_opened_is_fetched_all_the_same(inbox, mailbox):
    inbox.append("INBOX", "\\Seen", None, letter())
    assert fetch.fetch_all() == 1


def test_what_others_marked_as_deleted_stays(inbox, mailbox):
    inbox.append("INBOX", "\\Deleted", None, letter(subject="Marked by hand"))
    inbox.append("INBOX", None, None, letter())
    fetch.fetch_all()
    assert inbox.select("INBOX")[1] == [b"2"]


def test_mail_that_could_not_be_stored_stays_unseen_and_is_fetched_later(inbox, mailbox, monkeypatch):
    inbox.append("INBOX", None, None, letter(subject="First"))
    inbox.append("INBOX", None, None, letter(subject="Second"))

    def full(*args, **fields):
        if b"Second" in args[0]:
            raise OSError("the disk is full")
        return ingest.store(*args, **fields)

    with monkeypatch.context() as patch:
        patch.setattr(fetch, "store", full)
        assert fetch.fetch_all() == 1
    assert (len(seen(inbox)), error_of(mailbox)) == (1, "OSError: the disk is full")
    assert (fetch.fetch_all(), subjects(), error_of(mailbox), mailbox.failing_since) == (1, ["First", "Second"], "", None)


def test_connection_that_dies_in_the_middle_loses_nothing(inbox, mailbox, monkeypatch):
    for number in range(3):
        inbox.append("INBOX", None, None, letter(subject=f"Mail {number}"))
    whole = imap.Server.fetch_raw

    def dies(self, uid, *part):
        if subjects():
            self.client.sock.shutdown(socket.SHUT_RDWR)
        return whole(self, uid, *part)

    with monkeypatch.context() as patch:
        patch.setattr(imap.Server, "fetch_raw", dies)
        assert fetch.fetch_all() == 1
    assert "The connection to 127.0.0.1 broke" in error_of(mailbox)
    assert (fetch.fetch_all(), subjects()) == (2, ["Mail 0", "Mail 1", "Mail 2"])


def test_poll_that_takes_too_long_is_gone_on_with_by_the_next(inbox, mailbox, monkeypatch):
    for number in range(3):
        inbox.append("INBOX", None, None, letter(subject=f"Mail {number}"))
    monkeypatch.setattr(fetch, "_SECONDS", -1)
    assert (fetch.fetch_all(), error_of(mailbox)) == (0, "")
    monkeypatch.setattr(fetch, "_SECONDS", 30)
    monkeypatch.setattr(fetch, "_BATCH", 2)
    assert [fetch.fetch_all(), fetch.fetch_all(), fetch.fetch_all()] == [2, 1, 0]


def test_mailbox_that_another_worker_polls_is_left_alone(inbox, mailbox, monkeypatch):
    inbox.append("INBOX", None, None, letter())
    polled_meanwhile = []
    whole = imap.Server.fetch_raw

    def slow(self, uid, *part):
        polled_meanwhile.append(fetch.fetch_all())
        return whole(self, uid, *part)

    monkeypatch.setattr(imap.Server, "fetch_raw", slow)
    assert (fetch.fetch_all(), polled_meanwhile) == (1, [0])


# --- Since a date, and folders that change --------------------------------------------------------------------------------------


def test_mail_from_before_the_start_stays_untouched(inbox, mailbox):
    for day in range(300):
        inbox.append("INBOX", None, YEARS_AGO + timedelta(days=day), letter(subject="Old"))
    inbox.append("INBOX", None, timezone.now() - timedelta(hours=1), letter(subject="Old today"))
    inbox.append("INBOX", None, None, letter(subject="New"))
    assert (fetch.fetch_all(), subjects(), len(seen(inbox))) == (1, ["New"], 1)
    assert fetch.fetch_all() == 0


def test_start_may_be_set_back(inbox, mailbox):
    inbox.append("INBOX", None, YEARS_AGO, letter(subject="Old"))
    inbox.append("INBOX", None, YEARS_AGO - timedelta(days=2), letter(subject="Older"))
    Mailbox.objects.update(import_since=YEARS_AGO - timedelta(days=1))
    assert (fetch.fetch_all(), subjects()) == (1, ["Old"])


def test_folder_made_anew_is_read_again_and_nothing_is_lost_or_doubled(inbox, mailbox):
    Mailbox.objects.update(imap_folder="Work", import_since=timezone.now() - timedelta(days=2))
    inbox.create("Work")
    undated = b"From: device@acme.example\r\nSubject: Undated\r\n\r\nI am a device.\r\n"
    for raw in (letter(subject="First"), undated):
        inbox.append("Work", None, datetime.now(UTC) - timedelta(days=1), raw)
    old = letter(subject="Old")
    inbox.append("Work", None, YEARS_AGO, old)
    assert fetch.fetch_all() == 2
    mailbox.refresh_from_db()
    before = mailbox.imap_uid_validity
    inbox.select("Work")
    kept = [inbox.fetch(str(number), "(INTERNALDATE BODY.PEEK[])")[1][0] for number in (1, 2, 3)]
    inbox.close()
    inbox.delete("Work")
    time.sleep(1.1)  # Dovecot's UIDVALIDITY is the second
    inbox.create("Work")
    inbox.append("Work", None, None, letter(subject="Came with the move"))
    for item in kept:
        inbox.append("Work", None, imaplib.Time2Internaldate(imaplib.Internaldate2tuple(item[0])), item[1])
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=3)):
        assert (fetch.fetch_all(), subjects()) == (1, ["First", "Undated", "Came with the move"])
    mailbox.refresh_from_db()
    assert (mailbox.imap_uid_validity != before, mailbox.imap_last_uid) == (True, 3)


def test_folder_that_is_gone_is_told_with_those_that_are_there(inbox, mailbox):
    inbox.create("Archive")
    Mailbox.objects.update(imap_folder="Suppört")
    assert fetch.fetch_all() == 0
    assert error_of(mailbox) in (f"There is no folder “Suppört”. There are: {folders}." for folders in ("Archive, INBOX", "INBOX, Archive"))
    inbox.create("Supp&APY-rt")
    inbox.append("Supp&APY-rt", None, None, letter())
    assert (fetch.fetch_all(), error_of(mailbox)) == (1, "")
    inbox.delete("Supp&APY-rt")


# --- What can't be taken -------------------------------------------------------------------------------------------------------


def test_mail_that_is_too_large_is_told_to_staff_and_stays_on_the_server(inbox, mailbox, settings):
    settings.MAX_MAIL_BYTES = 2_000
    inbox.append("INBOX", None, None, letter(subject="Huge", text="x" * 3_000))
    inbox.append("INBOX", None, None, letter(subject="Small"))
    assert fetch.fetch_all() == 2
    huge = InboundMessage.objects.get(subject="Huge")
    assert (huge.state, huge.from_address, huge.size > 3_000, len(huge.raw) < 1_000) == (
        InboundState.FAILED,
        "ana@acme.example",
        True,
        True,
    )
    assert huge.reason.startswith("It has 3.")
    assert (len(seen(inbox)), fetch.fetch_all()) == (1, 0)


def test_mail_that_the_server_does_not_hand_over_holds_up_the_others_for_ten_minutes_alone(inbox, mailbox, monkeypatch):
    inbox.append("INBOX", None, None, letter(subject="Broken"))
    inbox.append("INBOX", None, None, letter(subject="Sound"))
    whole, refused = imap.Server.fetch_raw, []

    def refuses(self, uid, part="BODY.PEEK[]"):
        refused.append(uid)
        if uid == refused[0] and "HEADER" not in part:
            raise imap.NotGiven("The server does not hand it over: NO [SERVERBUG]")
        return whole(self, uid, part)

    monkeypatch.setattr(imap.Server, "fetch_raw", refuses)
    assert (fetch.fetch_all(), error_of(mailbox)) == (0, "The server does not hand it over: NO [SERVERBUG]")
    Mailbox.objects.update(failing_since=timezone.now() - timedelta(minutes=11))
    assert (fetch.fetch_all(), error_of(mailbox)) == (2, "")
    broken = InboundMessage.objects.get(subject="Broken")
    assert (broken.state, broken.reason) == (InboundState.FAILED, "The server does not hand it over: NO [SERVERBUG]")


# --- Several mailboxes, and servers that do not behave ---------------------------------------------------------------------------


def another(**fields) -> Mailbox:
    defaults = {"name": "A first", "address": "first@support.example", "imap_host": "127.0.0.1", "imap_tls": False, "imap_user": "x"}
    return Mailbox.objects.create(**defaults | fields)


def test_wrong_password_is_kept_on_the_mailbox_and_holds_up_no_other(inbox, mailbox):
    inbox.append("INBOX", None, None, letter())
    broken = another(imap_port=mailbox.imap_port, imap_password="hunter2hunter2")
    assert fetch.fetch_all() == 1
    assert error_of(broken) == "The server refuses x: [AUTHENTICATIONFAILED] Authentication failed."
    since = broken.failing_since
    fetch.fetch_all()
    broken.refresh_from_db()
    assert (broken.failing_since, broken.has_failed_for_long) == (since, False)


def test_mailboxes_that_fail_are_asked_last(inbox, mailbox, monkeypatch):
    failing = another(imap_port=1, failing_since=timezone.now())
    asked = []
    monkeypatch.setattr(fetch, "fetch", lambda each: asked.append(each) or 0)
    fetch.fetch_all()
    assert asked == [mailbox, failing]


@contextmanager
def scripted(*lines: bytes, slowly: bool = False):
    """A server that says this, whatever it is told; then silence."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stop = threading.Event()

        def speak():
            connection, _address = listening.accept()
            with connection:
                for line in lines:
                    connection.sendall(line)
                    if line.startswith(b"* OK"):
                        continue
                    connection.recv(4_096)
                while slowly and not stop.wait(0.1):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return
                stop.wait(20)

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        stop.set()
        thread.join()


def test_server_that_drips_is_cut_off(mailbox, monkeypatch):
    monkeypatch.setattr(fetch, "_CUT_AFTER", 1)
    with scripted(b"* OK ready\r\n", slowly=True) as port:
        Mailbox.objects.update(imap_port=port)
        started = time.monotonic()
        fetch.fetch_all()
        assert time.monotonic() - started < 10
    assert error_of(mailbox).startswith("The connection to 127.0.0.1 broke")


def test_server_that_announces_gigabytes_is_not_believed(mailbox):
    with scripted(b"* OK ready\r\n", b"* CAPABILITY IMAP4rev1 {99999999999}\r\n") as port:
        Mailbox.objects.update(imap_port=port)
        fetch.fetch_all()
    assert error_of(mailbox) == "It announced 99999999999 bytes at once, which is beyond every mail that we take."


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"imap_host": "nowhere.invalid"}, "There is no server named nowhere.invalid."),
        ({"imap_port": 1}, "127.0.0.1 takes no connections at port 1."),
        ({"imap_tls": True}, "127.0.0.1 does not speak TLS at port"),
    ],
)
def test_server_that_is_not_there_is_told_in_words(mailbox, fields, words):
    Mailbox.objects.update(**fields)
    fetch.fetch_all()
    assert error_of(mailbox).startswith(words)


# --- OAuth2 ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def by_token(mailbox, tokens):
    tokens.reset()
    mailbox.imap_login, mailbox.imap_password = ImapLogin.OAUTH2, ""
    mailbox.oauth_token_url, mailbox.oauth_client_id, mailbox.oauth_client_secret = f"{tokens.url}/token", "helpdesk", "hush"
    mailbox.oauth_refresh_token, mailbox.oauth_scope = "refresh-1", "https://mail.example/.default"
    mailbox.save()
    return mailbox


def test_token_opens_the_mailbox_and_is_kept_for_the_next_poll(inbox, by_token, tokens):
    inbox.append("INBOX", None, None, letter())
    assert (fetch.fetch_all(), error_of(by_token)) == (1, "")
    fetch.fetch_all()
    asked = {"client_id": "helpdesk", "client_secret": "hush", "grant_type": "refresh_token", "refresh_token": "refresh-1"}
    assert tokens.asked == [asked | {"scope": "https://mail.example/.default"}]


def test_token_is_renewed_before_its_end_with_the_newest_refresh_token(inbox, by_token, tokens):
    fetch.fetch_all()
    Mailbox.objects.update(oauth_expires_at=timezone.now() + timedelta(seconds=30))
    fetch.fetch_all()
    assert ([asked["refresh_token"] for asked in tokens.asked], error_of(by_token)) == (["refresh-1", "refresh-2"], "")


def test_token_that_was_withdrawn_is_renewed_at_once(inbox, by_token, tokens):
    fetch.fetch_all()
    tokens.valid.clear()
    inbox.append("INBOX", None, None, letter())
    assert (fetch.fetch_all(), len(tokens.asked), error_of(by_token)) == (1, 2, "")


def test_refusal_of_the_token_address_is_told_without_a_secret(inbox, by_token, tokens, caplog):
    tokens.refuses = True
    fetch.fetch_all()
    assert error_of(by_token) == f"{tokens.url}/token gives no access token: invalid_grant The refresh token has expired."
    assert [word for word in ("hush", "refresh-1") if word in f"{by_token.error}{caplog.text}"] == []


@pytest.mark.parametrize("path", ["nonsense", "moved", "list", "nothing"])
def test_nonsense_of_the_token_address_is_told(inbox, by_token, tokens, path):
    Mailbox.objects.update(oauth_token_url=f"{tokens.url}/{path}")
    fetch.fetch_all()
    assert error_of(by_token).startswith(f"{tokens.url}/{path} gives no access token: ")
    Mailbox.objects.update(oauth_token_url=f"http://127.0.0.1:{free_port()}/")
    fetch.fetch_all()
    assert error_of(by_token).endswith("gives no access token: ConnectionError")


def test_server_that_refuses_every_token_is_asked_twice_and_no_more(inbox, by_token, tokens):
    fetch.fetch_all()
    tokens.valid.clear()
    tokens.worthless = True
    fetch.fetch_all()
    assert (len(tokens.asked), error_of(by_token)) == (2, "The server refuses support: [AUTHENTICATIONFAILED] Authentication failed.")


# --- The connection is tried ---------------------------------------------------------------------------------------------------


def test_trial_names_the_folders(inbox, mailbox):
    inbox.create("Archive")
    assert sorted(imap.try_connection(mailbox)) == ["Archive", "INBOX"]


def test_trial_that_fails_says_why(mailbox):
    mailbox.imap_password = "wrong"
    with pytest.raises(imap.Trouble, match="The server refuses support"):
        imap.try_connection(mailbox)
