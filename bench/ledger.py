"""Is any mail lost, doubled or half done when programs die? Hundreds go in while receiver, worker and web are killed; then each is accounted for.

    python -m bench.ledger --mails 500 --kills 30 --seed 7

Needs PostgreSQL and Redis (DATABASE_URL, REDIS_URL; databases of its own, dropped at the end). Takes about ten minutes, most of it waiting: what a dead
program had in hand is taken up again when its lease ends. Ends with status 1 if anything is amiss.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import smtplib
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import parseaddr
from hashlib import sha256
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Lock, Thread
from typing import Any

import requests

from tests.journeys.peers import Sink, smtp_sink, wait_until
from tests.journeys.stack import Stack, stack

SUPPORT = "support@support.example"
AGENT = "agent@support.example"  # the one in the group that hears of new tickets in the demo's workflow
VICTIMS = {
    "mail": "manage.py mail_receiver",
    "worker": "celery -A helpdesk worker",
    "web": "gunicorn helpdesk.wsgi",
}  # how their command lines tell them
SENDERS = 4
MAILS_A_PERSON = 3
ANSWERS_A_TICKET = 4
FILE_BYTES = 100_000
AT_WORK = 4.0  # seconds a program must have been up before it is killed: one that only starts has nothing to lose
AFTER_250 = 2.0  # seconds in which our commit follows the sink's word, on a busy machine
WEBHOOK = {"MAIL_WEBHOOKS": "postmark", "ANYMAIL_WEBHOOK_SECRET": "provider:only-for-the-ledger"}


@dataclass(frozen=True, slots=True)
class Plan:
    mails: int
    kills: int
    seed: int
    hurry: bool = False  # does not wait for the leases of the dead, but ends them


@dataclass(slots=True)
class Letter:
    """A mail, and what must have become of it."""

    token: str
    sender: str
    to: str
    raw: bytes
    ticket: int | None = None  # that it answers
    files: list[str] = field(default_factory=list)  # SHA-256


@dataclass(frozen=True, slots=True)
class Kill:
    at: float
    program: str


@dataclass(slots=True)
class Tally:
    letters: list[Letter] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    sends: int = 0
    retries: int = 0
    cut_off: int = 0  # of them, in the middle of a mail, or between it and our answer
    twins: int = 0


# --- Senders -----------------------------------------------------------------------------------------------------------------


class Senders:
    """Each takes mails from the heap and tries until one of ours has said that it is stored, as every mail server does."""

    def __init__(self, running: Stack, tally: Tally) -> None:
        self._running, self._tally = running, tally
        self._heap: Queue[tuple[str, Letter, bytes]] = Queue()
        self._lock, self._over = Lock(), Event()
        self.under_way: Counter[str] = Counter()  # by the program that takes it
        self._threads = [Thread(target=self._run, daemon=True) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def put(self, way: str, letter: Letter, raw: bytes) -> None:
        self._heap.put((way, letter, raw))

    def finish(self) -> None:
        """When all have been taken by us."""
        self._heap.join()
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            with suppress(Empty):
                way, letter, raw = self._heap.get(timeout=0.2)
                self._send(way, letter, raw)
                self._heap.task_done()

    def _send(self, way: str, letter: Letter, raw: bytes) -> None:
        hand_over = self._by_smtp if way == "mail" else self._by_webhook
        while True:
            with self._lock:
                self._tally.sends += 1
                self.under_way[way] += 1
            try:
                return hand_over(letter, raw)
            except (OSError, smtplib.SMTPException) as error:  # a requests exception is an OSError
                with self._lock:
                    self._tally.retries += 1
                    self._tally.cut_off += "refused" not in str(error)
            finally:
                with self._lock:
                    self.under_way[way] -= 1
            time.sleep(0.3)

    def _by_smtp(self, letter: Letter, raw: bytes) -> None:
        self._running.send(raw, sender=letter.sender, to=letter.to)

    def _by_webhook(self, letter: Letter, raw: bytes) -> None:
        """As Postmark posts a mail."""
        posted = {"RawEmail": raw.decode("ascii"), "OriginalRecipient": letter.to, "Headers": []}
        user, _colon, password = WEBHOOK["ANYMAIL_WEBHOOK_SECRET"].partition(":")
        address = f"{self._running.url}/webhooks/postmark/mime"
        requests.post(address, json=posted, auth=(user, password), timeout=20).raise_for_status()


class Writer:
    """Thinks up the mails: new ones, answers to what we have sent, files, and the same mail once more."""

    def __init__(self, plan: Plan, sink: Sink) -> None:
        self._chance, self._sink = random.Random(plan.seed), sink
        self._answered: Counter[int] = Counter()
        self._firsts = self._serial = 0

    def write(self) -> Letter:
        self._serial += 1
        token = f"token-{self._serial:04}-{self._chance.getrandbits(32):08x}"
        ours = self._to_answer() if self._chance.random() < 0.3 else None
        mail, letter = (self._answer(token, ours) if ours else self._new(token)), Letter(token, "", SUPPORT, b"")
        letter.sender, letter.to = parseaddr(mail["From"])[1], parseaddr(mail["To"])[1]
        letter.ticket = _number(ours) if ours else None
        if self._chance.random() < 0.2:
            content = self._chance.randbytes(FILE_BYTES)
            mail.add_attachment(content, maintype="application", subtype="octet-stream", filename="trace.bin")
            letter.files.append(sha256(content).hexdigest())
        letter.raw = mail.as_bytes()
        return letter

    def twin(self, raw: bytes) -> bytes | None:
        """The same mail once more: one in ten byte by byte, one in ten over another relay."""
        match self._chance.randrange(10):
            case 0:
                return raw
            case 1:
                hop = self._chance.randrange(1000)
                return f"Received: from relay{hop}.example by mx.example; Sat, 21 Nov 2026 10:00:00 +0000\nX-Relay: {hop}\n".encode() + raw
        return None

    def way(self) -> str:
        """The program that takes it in: by SMTP, or by a provider's webhook."""
        return "web" if self._chance.random() < 0.2 else "mail"

    def _to_answer(self) -> EmailMessage | None:
        """A mail of ours to a customer; waited for, as nobody answers what has not come. None at the very start."""
        end = time.monotonic() + (10 if self._firsts >= 5 else 0)
        while True:
            ours = self._chance.choice(self._sink.mails) if self._sink.mails else None
            if ours and ours["Reply-To"] and ours["X-Envelope-To"] != AGENT and self._answered[_number(ours)] < ANSWERS_A_TICKET:
                self._answered[_number(ours)] += 1
                return ours
            if time.monotonic() > end:
                return None
            time.sleep(0.01)

    def _new(self, token: str) -> EmailMessage:
        self._firsts += 1
        mail = EmailMessage()
        mail["From"], mail["To"] = f"person{self._firsts // MAILS_A_PERSON}@elsewhere.example", SUPPORT
        mail["Subject"] = f"Matter {self._firsts}"
        return self._finished(mail, token)

    def _answer(self, token: str, ours: EmailMessage) -> EmailMessage:
        """Half go to the signed address, half refer to our mail only."""
        mail = EmailMessage()
        mail["From"], mail["Subject"] = str(ours["X-Envelope-To"]), f"Re: {ours['Subject']}"
        if self._chance.random() < 0.5:
            mail["To"] = parseaddr(ours["Reply-To"])[1]
        else:
            mail["To"], mail["In-Reply-To"] = SUPPORT, ours["Message-ID"]
        return self._finished(mail, token)

    def _finished(self, mail: EmailMessage, token: str) -> EmailMessage:
        mail["Date"], mail["Message-ID"] = "Sat, 21 Nov 2026 10:00:00 +0000", f"<{token}@elsewhere.example>"
        mail.set_content(f"Something is wrong, see {token}.\n")
        return mail


def _number(ours: EmailMessage) -> int:
    found = re.search(r"\[#(\d+)\]", str(ours["Subject"]))
    return int(found[1]) if found else 0


# --- Deaths ------------------------------------------------------------------------------------------------------------------


class Reaper:
    """Kills a program of the running product at a random moment. The product's own supervisor starts it again."""

    def __init__(self, plan: Plan, running: Stack, tally: Tally) -> None:
        self._chance, self._running, self._tally = random.Random(plan.seed + 1), running, tally
        self._victims = [name for _ in range(plan.kills) for name in VICTIMS][: plan.kills]
        self._chance.shuffle(self._victims)
        self._name, self._pids = "", list[int]()
        self._dead: set[int] = set()  # for a moment the system still shows them

    def choose(self) -> None:
        """The next whose time has come and that is at work; waits for one."""

        def one_is_at_work() -> bool:
            for name in dict.fromkeys(self._victims):
                self._pids = self._at_work(VICTIMS[name])
                if self._pids:
                    self._victims.remove(name)
                    self._name = name
                    return True
            return False

        wait_until(one_is_at_work, seconds=120, told="no program came back")

    def strike(self, senders: Senders) -> None:
        """Every second death is at the worst moment, the others at any."""
        if self._chance.random() < 0.5:
            time.sleep(self._chance.uniform(0, 1.5))
            self._kill()
        elif self._name == "worker":
            self._kill_around_250()
        else:
            self._kill_amid(senders)

    def _kill_amid(self, senders: Senders) -> None:
        """While it takes in a mail, or has just stored it."""
        end = time.monotonic() + 3
        while not senders.under_way[self._name] and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(self._chance.uniform(0, 0.02))
        self._kill()

    def _kill_around_250(self) -> None:
        """Just before the sink says that it has a mail, where one could be lost; or just after, where one could go twice."""
        sink, struck, once = self._running.sink, Event(), Lock()

        def kill() -> None:
            if not once.acquire(blocking=False):  # two mails arrive at once, or one does as we stop waiting
                return
            sink.before_250 = sink.after_250 = None
            self._kill()
            struck.set()

        if self._chance.random() < 0.5:
            sink.before_250 = kill
        else:
            sink.after_250 = kill
        if not struck.wait(3):
            kill()

    def _kill(self) -> None:
        pid = self._chance.choice(self._pids)
        os.kill(pid, signal.SIGKILL)
        self._dead.add(pid)
        self._tally.kills.append(Kill(time.time(), self._name if pid == self._pids[0] else f"{self._name}'s child"))

    def _at_work(self, sign: str) -> list[int]:
        """The program's process, and of the web its child, which is what answers."""

        def is_at_work(pid: int) -> bool:
            return pid not in self._dead and sign in _command_line(pid) and _age(pid) > AT_WORK

        for pid in filter(is_at_work, _children(self._running.pid)):
            return [pid, *filter(is_at_work, _children(pid))]
        return []


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _age(pid: int) -> float:
    try:
        started = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


# --- The run -----------------------------------------------------------------------------------------------------------------


def run(plan: Plan, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The figures, and what is amiss."""
    started = time.monotonic()
    with smtp_sink() as sink, stack(folder, sink, **WEBHOOK) as running:
        ready = time.monotonic()
        tally = _send_and_kill(plan, running)
        sent = time.monotonic()
        _wait_for_quiet(plan, running, tally)
        quiet = time.monotonic()
        ledger = json.loads(running.shell("from bench import books; books.show()"))
        faults = _faults(tally, ledger, sink)
        restarts = (folder / "demo.log").read_text().count("it starts again in")
        figures = {
            "seed": plan.seed,
            "mails": len(tally.letters),
            "answers": sum(letter.ticket is not None for letter in tally.letters),
            "with_file": sum(bool(letter.files) for letter in tally.letters),
            "twins": tally.twins,
            "sends": tally.sends,
            "sends_not_acknowledged": tally.retries,
            "sends_cut_off": tally.cut_off,
            "kills": dict(Counter(kill.program for kill in tally.kills)),
            "restarts_by_the_supervisor": restarts,
            "tickets": len({comment["ticket"] for comment in ledger["comments"]}),
            "comments": len(ledger["comments"]),
            "events": len(ledger["events"]),
            "deliveries": len(ledger["deliveries"]),
            "mails_at_the_sink": len(sink.mails),
            "repeats_at_the_sink": len(sink.mails) - len(_per_mail(sink)),
            "seconds": {"start": round(ready - started), "mails_and_kills": round(sent - ready), "until_quiet": round(quiet - sent)},
        }
        return figures, faults


def _send_and_kill(plan: Plan, running: Stack) -> Tally:
    """As many mails between two deaths as come out even: every death finds work going on."""
    tally = Tally()
    writer, senders, reaper = Writer(plan, running.sink), Senders(running, tally), Reaper(plan, running, tally)
    for death in range(plan.kills):
        reaper.choose()
        while len(tally.letters) * plan.kills < plan.mails * (death + 1):
            letter = writer.write()
            tally.letters.append(letter)
            senders.put(writer.way(), letter, letter.raw)
            if twin := writer.twin(letter.raw):
                tally.twins += 1
                senders.put(writer.way(), letter, twin)
        reaper.strike(senders)
    senders.finish()
    return tally


def _wait_for_quiet(plan: Plan, running: Stack, tally: Tally) -> None:
    """The last death may have left something that nobody has found yet, so it must be quiet twice."""
    last = max((kill.at for kill in tally.kills if kill.program == "worker"), default=0.0)

    def is_quiet() -> bool:
        if plan.hurry:
            running.shell(f"from bench import books; books.end_leases({last})")
        return bool(running.queues()["idle"])

    wait_until(lambda: is_quiet() and is_quiet(), seconds=1200, told="the queues did not empty")


# --- The books ---------------------------------------------------------------------------------------------------------------


def _faults(tally: Tally, ledger: dict[str, Any], sink: Sink) -> list[str]:
    return [
        *_lost_or_doubled(tally, ledger["comments"]),
        *_unfinished(ledger),
        *_misdelivered(ledger),
        *_missed_at_the_sink(ledger["deliveries"], sink),
        *_repeated_without_cause(tally, sink),
    ]


def _lost_or_doubled(tally: Tally, comments: list[dict[str, Any]]) -> list[str]:
    """Each mail is one comment by its sender, on the ticket that it answers, with its files whole."""
    by_token: dict[str, list[dict[str, Any]]] = {}
    for comment in comments:
        by_token.setdefault(comment["token"], []).append(comment)
    faults = []
    for letter in tally.letters:
        found = by_token.pop(letter.token, [])
        if len(found) != 1:
            faults.append(f"{letter.token} became {len(found)} comments")
        elif (found[0]["author"], found[0]["files"]) != (letter.sender, letter.files):
            faults.append(f"{letter.token} is {found[0]}, expected {letter.sender} and {letter.files}")
        elif found[0]["opens"] == (letter.ticket is not None) or letter.ticket not in (None, found[0]["ticket"]):
            faults.append(f"{letter.token} answers {letter.ticket}, but is on {found[0]['ticket']} (opens it: {found[0]['opens']})")
    return faults + [f"nobody wrote {token}" for token in by_token]


def _unfinished(ledger: dict[str, Any]) -> list[str]:
    faults = [f"inbound {mail} is neither done nor refused" for mail in ledger["inbound"] if mail["state"] != "done" or not mail["comment"]]
    faults += [f"ticket {ticket} has {opened} events that open it" for ticket, opened in ledger["tickets"] if opened != 1]
    faults += [f"event {event} was never dispatched" for event in ledger["events"] if not event["dispatched"]]
    return faults + [f"delivery {mail} was not sent" for mail in ledger["deliveries"] if mail["state"] != "sent"]


def _misdelivered(ledger: dict[str, Any]) -> list[str]:
    """Nobody here does anything but write: of a new ticket the sender gets a confirmation, and support hears of every mail."""
    expected: Counter[tuple[int, str, str]] = Counter()
    people = set()
    for event in ledger["events"]:
        expected[event["id"], AGENT, "update"] += 1
        people.add(event["actor"])
        if event["kind"] == "opened":
            expected[event["id"], event["actor"], "confirmation"] += 1
    links = Counter(mail["to"] for mail in ledger["deliveries"] if mail["kind"] == "set_password")
    made = Counter((mail["event"], mail["to"], mail["kind"]) for mail in ledger["deliveries"] if mail["kind"] != "set_password")
    faults = [f"{key}: {made[key]} deliveries instead of {expected[key]}" for key in made | expected if made[key] != expected[key]]
    return faults + [f"{person} got {links[person]} links to set a password" for person in people | set(links) if links[person] != 1]


def _missed_at_the_sink(deliveries: list[dict[str, Any]], sink: Sink) -> list[str]:
    arrived, sent = set(_per_mail(sink)), {(mail["message_id"], mail["to"]) for mail in deliveries}
    faults = [f"{mail} was sent, but the sink never got it" for mail in sent - arrived]
    faults += [f"the sink got {mail}, of which the books know nothing" for mail in arrived - sent]
    return faults + ([] if len(sent) == len(deliveries) else ["two deliveries have the same Message-ID and recipient"])


def _repeated_without_cause(tally: Tally, sink: Sink) -> list[str]:
    """A mail goes again only if its worker was killed between the sink's 250 and our commit."""
    deaths = [kill.at for kill in tally.kills if kill.program == "worker"]
    return [
        f"{mail} came again, though no worker died after it was taken at {taken}"
        for mail, times in _per_mail(sink).items()
        for taken in sorted(times)[:-1]
        if not any(taken <= death <= taken + AFTER_250 for death in deaths)
    ]


def _per_mail(sink: Sink) -> dict[tuple[str, str], list[float]]:
    """When each was taken."""
    taken: dict[tuple[str, str], list[float]] = {}
    for mail in list(sink.mails):
        taken.setdefault((str(mail["Message-ID"]).strip("<>"), str(mail["X-Envelope-To"])), []).append(float(mail["X-Taken-At"]))
    return taken


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--mails", type=int, default=500)
    words.add_argument("--kills", type=int, default=30)
    words.add_argument("--seed", type=int, default=random.randrange(10_000))
    given = words.parse_args()
    os.environ.setdefault("DATABASE_URL", "postgres://root@127.0.0.1:5432/helpdesk")
    os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379")
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        (Path(folder) / "stack").mkdir()
        figures, faults = run(Plan(given.mails, given.kills, given.seed), Path(folder) / "stack")
    print(json.dumps(figures, indent=2))
    print("\n".join(faults) or "Every mail is accounted for.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
