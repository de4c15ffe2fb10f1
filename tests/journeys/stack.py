"""The whole product as its processes, on a database of its own, sending to a sink: what `make demo` starts, with a mail server to talk to."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import smtplib
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from redis import Redis

from tests.journeys.peers import ROOT, Sink, answers, free_port, manage, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_serial = count()


@dataclass(frozen=True, slots=True)
class Stack:
    url: str
    smtp_port: int
    sink: Sink
    env: dict[str, str]
    pid: int  # of the process that starts all others

    def send(self, raw: bytes, *, sender: str, to: str) -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=20) as client:
            client.sendmail(sender, to, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def shell(self, code: str) -> str:
        """Runs code in the product's own environment; returns what it printed."""
        done = subprocess.run(manage("shell", "-v0", "-c", code), cwd=ROOT, env=self.env, capture_output=True, text=True, check=True)
        return done.stdout

    def queues(self) -> dict[str, int]:
        done = subprocess.run(manage("queues", "--json"), cwd=ROOT, env=self.env, capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout))

    def wait_until_idle(self, *, seconds: float = 60) -> None:
        wait_until(lambda: self.queues()["idle"], seconds=seconds, told="the queues did not empty")

    def wake(self, task: str) -> None:
        """Asks the worker for a task, as beat would."""
        subprocess.run(
            [sys.executable, "-m", "celery", "-A", "helpdesk", "call", task], cwd=ROOT, env=self.env, check=True, capture_output=True
        )


@contextmanager
def stack(folder: Path, sink: Sink, **more: str) -> Iterator[Stack]:
    """Sends to `sink`. Further environment by keyword."""
    port, smtp_port = free_port(), free_port()
    with _database(folder) as database:
        env = {
            **os.environ,
            **database,
            "PORT": str(port),
            "SMTP_PORT": str(smtp_port),
            "VAR_DIR": str(folder / "var"),
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(sink.port),
            "MERGE_SECONDS": "0",
            "UNDO_SECONDS": "0",
            **more,
        }
        _take_assets(folder)
        with (folder / "demo.log").open("wb") as log:
            demo = subprocess.Popen(manage("demo"), cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until(
                lambda: "Log in with the password" in (folder / "demo.log").read_text() or demo.poll() is not None,
                seconds=120,
                told="the demo did not start",
            )
            assert demo.poll() is None, (folder / "demo.log").read_text()
            wait_until(lambda: answers(smtp_port), told="the mail receiver does not listen")
            _leave_assets(folder)
            own = {"SECRET_KEY": (folder / "var" / "secret_key").read_text().strip(), "DEMO": "1", "SITE_URL": f"http://127.0.0.1:{port}"}
            yield Stack(f"http://127.0.0.1:{port}", smtp_port, sink, env | own, demo.pid)
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(30)


def _common(folder: Path) -> Path:
    """What `collectstatic` made takes longer than all the rest of a start: it lies beside the folders of all tests of this run, for every worker of pytest."""
    return (folder.parent.parent if folder.parent.name.startswith("popen-") else folder.parent) / "assets"


def _take_assets(folder: Path) -> None:
    if _common(folder).exists():
        shutil.copytree(_common(folder), folder / "var", dirs_exist_ok=True)


def _leave_assets(folder: Path) -> None:
    if not _common(folder).exists():
        copy = folder / "assets"
        shutil.copytree(folder / "var" / "static", copy / "static")
        shutil.copy(folder / "var" / "static.fingerprint", copy)
        with suppress(OSError):  # another was quicker
            copy.rename(_common(folder))


@contextmanager
def _database(folder: Path) -> Iterator[dict[str, str]]:
    """Of the engine that the tests run on, and empty."""
    given = urlsplit(os.environ.get("DATABASE_URL", ""))
    if not given.scheme.startswith("postgres"):
        yield {"DATABASE_URL": f"sqlite:///{folder}/var/db.sqlite3", "REDIS_URL": ""}
        return
    serial = next(_serial)
    name = f"helpdesk_journey_{os.getpid()}_{serial}"
    admin = psycopg2.connect(urlunsplit(given._replace(path="/postgres")))
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        redis = re.sub(r"/\d+$", "", os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))
        # A broker of its own: another stack's worker would take its jobs, and do them on its own database.
        worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        number = 1 + worker % 2 * 4 + serial % 4
        with Redis.from_url(f"{redis}/{number}") as broker:
            broker.flushdb()  # the run before may have counted the same people
        yield {"DATABASE_URL": urlunsplit(given._replace(path=f"/{name}")), "REDIS_URL": f"{redis}/{number}"}
    finally:
        with admin.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
        admin.close()
