"""The product between mail servers: an Exim that hands mail over in each of the ways it can, and a server for our mail that goes away and comes back."""

from __future__ import annotations

import json
import os
import re
import shlex
import smtplib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import parseaddr
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin
from uuid import uuid4

import pytest
import requests
from lxml import html

from tests.journeys.exim import EXIM, Exim, by_network, by_pipe, exim
from tests.journeys.peers import ROOT, answers, free_port, manage, processes, smtp_sink, wait_until
from tests.journeys.stack import Stack, stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

with_exim = pytest.mark.skipif(
    not Path(EXIM).exists() and not os.environ.get("CI"), reason="Exim is not installed (apt-get install exim4-daemon-light)"
)
with_swaks = pytest.mark.skipif(
    subprocess.run(["sh", "-c", "command -v swaks"], check=False, capture_output=True).returncode != 0 and not os.environ.get("CI"),
    reason="swaks is not installed (apt-get install swaks)",
)
pytestmark = pytest.mark.journey

SUPPORT, SALES, AGENT = "support@support.example", "sales@support.example", "agent@support.example"
TOO_LARGE = 51 * 1024 * 1024


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with smtp_sink() as sink, stack(tmp_path_factory.mktemp("servers"), sink) as running:
        running.shell(f"from tickets.models import Mailbox; Mailbox.objects.create(name='Sales', address='{SALES}')")
        yield running


@pytest.fixture
def sender() -> str:
    """Somebody new each time, so that nothing of another test counts."""
    return f"{uuid4().hex[:8]}@elsewhere.example"


@pytest.fixture
def pipe(running, tmp_path):
    """An Exim that pipes into the command of docs/operations.md, which reads its environment from a file."""
    write_environment(tmp_path, running.env)
    command = tmp_path / "hand-over"
    command.write_text(
        f"#!/bin/sh\n. {tmp_path}/environment\ncd {ROOT}\n"
        f'{sys.executable} manage.py receive_mail --to "$RECIPIENT" --from "$SENDER" || exit 75\n. {tmp_path}/afterwards\n'
    )
    (tmp_path / "afterwards").write_text("")
    with exim(tmp_path / "exim", by_pipe(command)) as server:
        yield server


def write_environment(folder: Path, env: dict[str, str]) -> None:
    exported = (f"export {name}={shlex.quote(value)}\n" for name, value in env.items() if re.fullmatch(r"[A-Z_]+", name))
    (folder / "environment").write_text("".join(exported))


def letter(sender: str, *, to: str = SUPPORT, subject: str = "Blank player", text: str = "It is blank.\n", **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = sender, to, subject, f"<{uuid4().hex}@elsewhere.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def submit(server: Exim, raw: bytes, *, sender: str, to: str | list[str] = SUPPORT) -> None:
    with smtplib.SMTP("127.0.0.1", server.port, timeout=60) as client:
        client.sendmail(sender, to, raw)


def wait_for_try(server: Exim, sign: str) -> None:
    wait_until(lambda: sign in server.log(), told=f"Exim's log never said {sign}")


def tickets_of(running: Stack, sender: str) -> list[list[str]]:
    """The texts on each ticket of this person, when all work is done."""
    texts = f'[[c.text for c in t.comments.order_by("id")] for t in Ticket.objects.filter(requester__email="{sender}").order_by("id")]'
    code = f"import json; from helpdesk.health import queues; from tickets.models import Ticket; print(json.dumps([queues()['idle'], {texts}]))"
    texts_so_far: list[list[list[str]]] = []

    def is_idle() -> bool:
        idle, answer = json.loads(running.shell(code))
        texts_so_far.append(answer)
        return bool(idle)

    wait_until(is_idle, seconds=60, told="the queues did not empty")
    return texts_so_far[-1]


def subjects_to(running: Stack, address: str) -> list[str]:
    return [str(mail["Subject"]) for mail in running.sink.to(address)]


# --- In, from Exim -----------------------------------------------------------------------------------------------------------


@with_exim
def test_pipe_when_the_database_is_away_then_the_mail_waits_with_the_server_and_comes_once(pipe, running, sender, tmp_path):
    write_environment(tmp_path, running.env | {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/gone"})
    submit(pipe, letter(sender), sender=sender)
    wait_for_try(pipe, "defer")
    assert (pipe.waiting(), pipe.returned()) == (1, [])
    write_environment(tmp_path, running.env)
    pipe.empty_queue()
    assert (pipe.returned(), tickets_of(running, sender)) == ([], [["It is blank."]])


@with_exim
def test_pipe_when_the_server_does_not_hear_that_it_was_stored_then_it_comes_again_and_is_one_ticket(pipe, running, sender, tmp_path):
    (tmp_path / "afterwards").write_text("exit 75\n")
    submit(pipe, letter(sender), sender=sender)
    wait_for_try(pipe, "defer")
    (tmp_path / "afterwards").write_text("")
    pipe.empty_queue()
    assert (pipe.returned(), tickets_of(running, sender)) == ([], [["It is blank."]])


@with_exim
def test_mailboxes_when_they_forward_to_each_other_then_one_ticket_and_one_confirmation(pipe, running, sender):
    submit(pipe, letter(sender, Cc=SALES, subject="Both, forwarded"), sender=sender, to=[SUPPORT, SALES])
    wait_until(lambda: pipe.log().count("=> ") >= 2, told="it was not handed over for both")
    wait_until(lambda: pipe.waiting() == 0)
    assert tickets_of(running, sender) == [["It is blank."]]
    assert sorted("password" in subject for subject in subjects_to(running, sender)) == [False, True]  # the confirmation, and the one link


@with_exim
@with_swaks
def test_client_when_it_sends_a_file_and_then_answers_our_mail_then_both_arrive_whole(pipe, running, sender, tmp_path):
    content = os.urandom(100_000)
    (tmp_path / "trace.bin").write_bytes(content)
    swaks(pipe, sender, SUPPORT, "--header", "Subject: From a client", "--body", "See the trace.", "--attach", f"@{tmp_path}/trace.bin")
    wait_until(lambda: any("[#" in subject for subject in subjects_to(running, sender)), told="no confirmation came")
    ours = next(mail for mail in running.sink.to(sender) if "[#" in mail["Subject"])
    reply_to = parseaddr(ours["Reply-To"])[1]
    thread = ["--header", f"Subject: Re: {ours['Subject']}", "--header", f"In-Reply-To: {ours['Message-ID']}"]
    swaks(pipe, sender, reply_to, *thread, "--body", "And one more thing.")
    wait_until(lambda: pipe.log().count("=> support+r1-") == 1, told="the answer was not handed over")
    assert tickets_of(running, sender) == [["See the trace.", "And one more thing."]]
    code = "from tickets.models import Attachment; from hashlib import sha256; print(sha256(Attachment.objects.last().file.read()).hexdigest())"
    assert running.shell(code).strip() == sha256(content).hexdigest()


def swaks(server: Exim, sender: str, to: str, *args: str) -> None:
    command = ["swaks", "--server", f"127.0.0.1:{server.port}", "--from", sender, "--to", to, *args]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


@contextmanager
def lmtp_receiver(running: Stack, port: int, logs: Path) -> Iterator[None]:
    with processes({"lmtp": manage("mail_receiver", "--lmtp", "--port", str(port))}, env=running.env, logs=logs):
        wait_until(lambda: answers(port), told="the LMTP receiver does not listen")
        yield


@with_exim
def test_lmtp_when_the_receiver_is_away_then_the_mail_waits_with_the_server_and_comes_once(running, sender, tmp_path):
    port = free_port()
    with exim(tmp_path / "exim", by_network("lmtp", port)) as server:
        submit(server, letter(sender, Cc=SALES), sender=sender, to=[SUPPORT, SALES])
        wait_for_try(server, "Connection refused")
        assert (server.waiting(), server.returned()) == (1, [])
        with lmtp_receiver(running, port, tmp_path):
            server.empty_queue()
            assert server.log().count("=> ") + server.log().count("-> ") == 2
            assert tickets_of(running, sender) == [["It is blank."]]


@with_exim
def test_refusals_when_exim_speaks_smtp_then_the_sender_is_told_in_our_words(running, sender, tmp_path):
    with exim(tmp_path / "exim", by_network("smtp", running.smtp_port)) as server:
        submit(server, letter(sender), sender=sender, to="nobody@support.example")
        submit(server, letter(sender) + b"long line\n" * (TOO_LARGE // 10), sender=sender)
        submit(server, letter(sender, text="This one is fine.\n"), sender=sender)
        wait_until(lambda: len(server.returned()) == 2 and server.waiting() == 0, told="two reports should have come")
        told = sorted(report.as_string() for report in server.returned())
        assert [sum(words in report for report in told) for words in ("550 5.1.1 No such mailbox here", "552")] == [1, 1]
        assert {report["To"] for report in server.returned()} == {sender}
        assert tickets_of(running, sender) == [["This one is fine."]]


# --- Straight into the receiver ----------------------------------------------------------------------------------------------


def test_same_mail_when_ten_servers_hand_it_over_at_once_then_one_ticket(running, sender):
    raw = letter(sender)

    def hand_over(number: int) -> None:
        relayed = f"Received: from relay{number}.example by mx{number}.example; Sat, 21 Nov 2026 10:00:{number:02} +0000\n".encode()
        running.send(relayed + raw, sender=sender, to=SUPPORT)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(hand_over, range(10)))
    assert tickets_of(running, sender) == [["It is blank."]]


# --- Out ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(running):
    """An agent's browser, without its screen."""
    with requests.Session() as session:
        post_form(session, f"{running.url}/accounts/login/", "login", login=AGENT, password="demo")
        yield session


def post_form(session: requests.Session, url: str, field: str, **values: str) -> requests.Response:
    """Fills in the form that has this field, and sends it."""
    page = html.fromstring(session.get(url, timeout=20).content, base_url=url)
    form = next(form for form in page.forms if field in form.fields)
    form.fields.update(values)
    return session.post(urljoin(url, form.action or url), data=form.form_values(), headers={"Referer": url}, timeout=20)


def test_outage_when_the_mail_server_comes_back_then_each_mail_goes_once_and_in_order(running, desk):
    people = [f"{name}-{uuid4().hex[:8]}@elsewhere.example" for name in ("one", "two")]
    for person in people:
        running.send(letter(person), sender=person, to=SUPPORT)
    running.wait_until_idle()
    numbers = [re.search(r"#(\d+)", str(mail["Subject"])) for person in people for mail in running.sink.to(person)]
    tickets = [number[1] for number in numbers if number]
    before = {person: len(running.sink.to(person)) for person in people}

    running.sink.stop()
    try:
        started = time.monotonic()
        for word in ("First", "Second", "Third"):
            for ticket in tickets:
                done = post_form(desk, f"{running.url}/desk/tickets/{ticket}/", "text", text=f"{word} answer.")
                assert (done.status_code, f"{word} answer." in done.text) == (200, True)
        seconds = (time.monotonic() - started) / 6
        running.wake("notifications.tasks.relay")
        wait_until(lambda: running.queues()["deliveries_waiting"] == 6, told="six mails should wait")
    finally:
        running.sink.start()
    running.wake("notifications.tasks.deliver_due")
    running.wait_until_idle()

    assert seconds < 2  # for two pages
    heard = [[body(mail) for mail in running.sink.to(person)[before[person] :]] for person in people]
    words = ("First", "Second", "Third")
    assert [[newest(text, words) for text in texts] for texts in heard] == [[*words], [*words]]


def body(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part
    return str(part.get_content())


def newest(text: str, words: Iterable[str]) -> str:
    """What was said before stands below it."""
    return min((text.find(f"{word} answer."), word) for word in words if f"{word} answer." in text)[1]
