"""Mails a second, from SMTP DATA to a committed ticket with its outbox row: `python -m bench.mail` on an empty PostgreSQL database.

Starts a mail receiver and one worker as production does, sends generated mails over some connections at once, and waits until all are handled.
Then the parser alone, over a folder of mails. Writes into the database that DATABASE_URL names: give it one of its own.
"""

from __future__ import annotations

import argparse
import os
import random
import smtplib
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from typing import Self

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from tickets import actions  # noqa: E402
from tickets.mail.parse import parse  # noqa: E402
from tickets.mail.tokens import reply_address  # noqa: E402
from tickets.models import Channel, Event, InboundMessage, InboundState, Status, Ticket  # noqa: E402

SENDERS = 200
_RUN = time.time_ns()
CONNECTIONS = 4
_WORDS = "player blank login export report slow crash upload invoice error page video site button broken since morning update".split()


def main() -> None:
    options = _options()
    if connection.vendor != "postgresql":
        sys.exit("Set DATABASE_URL to an empty PostgreSQL database of its own.")
    call_command("migrate", verbosity=0)
    call_command("preset", "apty", verbosity=0)
    _fill(options.tickets)
    random.seed(options.seed)
    mails = _mails(options.count)
    with _Product() as product:
        begun = time.monotonic()
        _send(mails, product.port)
        sent = time.monotonic() - begun
        _wait(len(mails))
        took = time.monotonic() - begun
    states = list(InboundMessage.objects.filter(message_id__endswith=f".{_RUN}@elsewhere.example").values_list("state", flat=True))
    print(f"{Ticket.objects.count():,} tickets in the table; {states.count('done')} of {len(mails)} mails became a ticket or a comment")
    print(f"received: {len(mails) / sent:.0f} mails/s; handled: {len(mails) / took:.0f} mails/s ({took:.1f} s in all)")
    print(f"the worker used {product.cpu_seconds:.1f} s of CPU: {len(mails) / product.cpu_seconds:.0f} mails/s on a core of its own")
    if options.parse:
        _time_parser(options.parse)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--tickets", type=int, default=0, help="how many tickets stand in the table before")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parse", type=Path, help="a folder of .eml files to time the parser on")
    return parser.parse_args()


# --- What is sent --------------------------------------------------------------------------------------------------------------


def _fill(count: int) -> None:
    """Old tickets, their events and mails, of as many people as there would be."""
    missing = count - Ticket.objects.count()
    if missing <= 0:
        return
    now, status = timezone.now(), Status.objects.get(category="closed", is_default=True)
    people = [User(email=f"old{number}@customer{number % 500}.example", password="!") for number in range(max(1, missing // 20))]
    User.objects.bulk_create(people, ignore_conflicts=True, batch_size=5000)
    ids = list(User.objects.filter(email__startswith="old").values_list("pk", flat=True))
    rows = [
        Ticket(
            subject=f"Old matter {number}",
            requester_id=ids[number % len(ids)],
            status=status,
            category=status.category,
            channel="email",
            created_at=now,
            updated_at=now,
            public_updated_at=now,
        )
        for number in range(missing)
    ]
    Ticket.objects.bulk_create(rows, batch_size=5000)
    Event.objects.bulk_create(
        (Event(ticket_id=row.pk, kind="opened", dispatched_at=now) for row in rows),
        batch_size=5000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _mails(count: int) -> list[tuple[str, bytes]]:
    """(address, bytes): 30 % answers to tickets of the senders, 20 % with a file of 100 KB."""
    tickets = _tickets_to_answer()
    return [_mail(number, random.choice(tickets) if number % 10 < 3 else None) for number in range(count)]


def _tickets_to_answer() -> list[Ticket]:
    people = [User.objects.admit(f"bench{number}@customer{number % 50}.example") for number in range(SENDERS)]
    message = actions.Message(text="It fails.", channel=Channel.EMAIL)
    return [actions.open_ticket(actor=one, requester=one, subject="It fails", message=message) for one in people]


def _mail(number: int, answered: Ticket | None) -> tuple[str, bytes]:
    mail = EmailMessage()
    sender = answered.requester.email if answered else f"bench{number % SENDERS}@customer{number % SENDERS % 50}.example"
    to = reply_address(ticket_id=answered.pk, user=answered.requester) if answered else settings.SUPPORT_ADDRESS
    mail["From"], mail["To"], mail["Subject"] = f"Bench {number} <{sender}>", to, " ".join(random.choices(_WORDS, k=5))
    mail["Message-ID"] = f"<{number}.{_RUN}@elsewhere.example>"  # else a second run would bring nothing new
    mail["Date"] = "Sat, 21 Nov 2026 10:00:00 +0000"
    text = "\n".join(" ".join(random.choices(_WORDS, k=12)) for _line in range(12))
    quote = "\n\nOn Fri, 20 Nov 2026 at 09:00, Helpdesk <support@support.example> wrote:\n> It fails.\n> And fails.\n" if answered else ""
    mail.set_content(f"{text}{quote}\n")
    mail.add_alternative(f"<html><body><p>{text}</p><blockquote type=cite>{quote}</blockquote></body></html>", subtype="html")
    if number % 5 == 0:
        mail.add_attachment(random.randbytes(100_000), maintype="application", subtype="octet-stream", filename=f"log-{number}.bin")
    return to, mail.as_bytes()


# --- The product, and its peers ------------------------------------------------------------------------------------------------


class _Product:
    """A receiver, and one process of a worker, with two threads as `make demo` has, that handles what comes in; the broker of REDIS_URL, or files."""

    def __enter__(self) -> Self:
        self.port = _free_port()
        receiver = [sys.executable, "manage.py", "mail_receiver", "--host", "127.0.0.1", "--port", str(self.port)]
        worker = [sys.executable, *"-m celery -A helpdesk worker --pool threads -c 2 -Q intake --loglevel WARNING".split()]
        self.processes = [subprocess.Popen(command) for command in (receiver, worker)]
        self.worker = self.processes[1].pid
        for _try in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.1)
        time.sleep(3)  # until the worker listens
        self.cpu_before = _cpu_seconds(self.worker)
        return self

    def __exit__(self, *_error: object) -> None:
        self.cpu_seconds = _cpu_seconds(self.worker) - self.cpu_before
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _send(mails: list[tuple[str, bytes]], port: int) -> None:
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda start: _send_some(mails[start::CONNECTIONS], port), range(CONNECTIONS)))


def _send_some(mails: list[tuple[str, bytes]], port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        for to, raw in mails:
            client.sendmail("bench@elsewhere.example", to, raw)


def _wait(count: int) -> None:
    """Until nothing waits."""
    for _try in range(3000):
        if not InboundMessage.objects.filter(state=InboundState.WAITING).exists():
            return
        time.sleep(0.1)
    raise TimeoutError(f"{count} mails were not handled within five minutes")


def _time_parser(folder: Path) -> None:
    spent = []
    for path in sorted(folder.rglob("*.eml")):
        raw = path.read_bytes()
        begun = time.perf_counter()
        parse(raw)
        spent.append((time.perf_counter() - begun, path.name))
    mean, (slowest, name) = sum(seconds for seconds, _name in spent) / len(spent), max(spent)
    print(f"parser: {len(spent)} mails, {mean * 1000:.2f} ms each, slowest {slowest * 1000:.0f} ms ({name})")


if __name__ == "__main__":
    try:
        main()
    finally:
        connections.close_all()
