"""The whole product as its processes, on a database of its own, sending to a sink: what `make demo` starts, with a mail server to talk to."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import re
import secrets
import shutil
import signal
import smtplib
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from redis import Redis

from tests.journeys.peers import ROOT, Sink, answers, free_port, manage, wait_until
from tests.postgres import NO_WAITING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_serial = count()
_brokers = [1, 2]  # of Redis' databases, those that are free; more than these many stacks are never up at once in one process
# Runs each line it is given, and answers with what that printed. A process for each question would take a second of processor each.
_CONSOLE = """
import io, json, sys
from contextlib import redirect_stdout
import django
django.setup()
from django.db import connections
for line in sys.stdin:
    with redirect_stdout(io.StringIO()) as out:
        exec(json.loads(line), {})
    connections.close_all()
    print(json.dumps(out.getvalue()), flush=True)
"""


class Console:
    """A process with the product's own environment, which lives from the first question on."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env | {"DJANGO_SETTINGS_MODULE": "helpdesk.settings"}
        self._process: subprocess.Popen[str] | None = None

    def run(self, code: str) -> str:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _CONSOLE], cwd=ROOT, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(code)}\n")
        self._process.stdin.flush()
        printed = self._process.stdout.readline()
        assert printed, f"failed, as told above: {code}"
        return str(json.loads(printed))

    def close(self) -> None:
        if self._process:
            self._process.communicate(timeout=20)


@dataclass(frozen=True, slots=True)
class Stack:
    url: str
    smtp_port: int
    sink: Sink
    env: dict[str, str]
    pid: int  # of the process that starts all others
    console: Console

    def send(self, raw: bytes, *, sender: str, to: str) -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=20) as client:
            client.sendmail(sender, to, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def shell(self, code: str) -> str:
        """Runs code in the product's own environment; returns what it printed."""
        return self.console.run(code)

    def queues(self) -> dict[str, int]:
        return dict(json.loads(self.shell("import json; from helpdesk.health import queues; print(json.dumps(queues()))")))

    def wait_until_idle(self, *, seconds: float = 60) -> None:
        wait_until(lambda: self.queues()["idle"], seconds=seconds, told="the queues did not empty")

    def wake(self, task: str) -> None:
        """Asks the worker for a task, as beat would."""
        self.shell(f"from helpdesk.celery import app; app.send_task({task!r})")


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
        with (folder / "demo.log").open("wb") as log:
            demo = subprocess.Popen(manage("demo"), cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
        own = {"SECRET_KEY": (folder / "var" / "secret_key").read_text().strip(), "DEMO": "1", "SITE_URL": f"http://127.0.0.1:{port}"}
        console = Console(env | own)
        try:
            wait_until(
                lambda: "Log in with the password" in (folder / "demo.log").read_text() or demo.poll() is not None,
                seconds=120,
                told="the demo did not start",
            )
            assert demo.poll() is None, (folder / "demo.log").read_text()
            wait_until(lambda: answers(smtp_port), told="the mail receiver does not listen")
            yield Stack(f"http://127.0.0.1:{port}", smtp_port, sink, env | own, demo.pid, console)
        finally:
            console.close()
            demo.send_signal(signal.SIGTERM)
            demo.wait(30)


# --- What every stack begins with ----------------------------------------------------------------------------------------------


@contextmanager
def _database(folder: Path) -> Iterator[dict[str, str]]:
    """Of the engine that the tests run on, with the demo's data. Its files lie in `folder` then, too."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        shutil.copytree(_prepared(folder, {"DATABASE_URL": "", "REDIS_URL": ""}), folder / "var")
        yield {"DATABASE_URL": f"sqlite:///{folder}/var/db.sqlite3", "REDIS_URL": ""}
        return
    redis = re.sub(r"/\d+$", "", os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))
    # A broker of its own: another stack's worker would take its jobs, and do them on its own database.
    broker = _brokers.pop()
    url = f"{redis}/{broker + 2 * (_worker() % 4)}"
    name = f"helpdesk_journey_{os.getpid()}_{next(_serial)}"
    shutil.copytree(_prepared(folder, {"DATABASE_URL": _named(given, _template()), "REDIS_URL": url}), folder / "var")
    with Redis.from_url(url) as emptied:
        emptied.flushdb()  # the run before may have counted the same people
    _on_server(given, f"CREATE DATABASE {name} TEMPLATE {_template()}")
    _on_server(given, f"ALTER DATABASE {name} SET {NO_WAITING}")
    try:
        yield {"DATABASE_URL": _named(given, name), "REDIS_URL": url}
    finally:
        _on_server(given, f"DROP DATABASE {name} WITH (FORCE)")
        _brokers.append(broker)


def _prepared(folder: Path, database: dict[str, str]) -> Path:
    """What the demo's first start makes of an empty folder and database takes longer than all the rest: it is made once in a run, for every worker of
    pytest, and copied. A worker that comes meanwhile waits for the one that makes it.
    """
    common = (folder.parent.parent if folder.parent.name.startswith("popen-") else folder.parent) / "prepared"
    common.mkdir(exist_ok=True)
    with (common / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made, making = common / "var", common / "making"
        if not made.exists():
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            (making / "secret_key").write_text(secrets.token_urlsafe(50))
            if database["DATABASE_URL"]:
                drop_template()
                _on_server(database["DATABASE_URL"], f"CREATE DATABASE {_template()}")
                _on_server(database["DATABASE_URL"], f"ALTER DATABASE {_template()} SET {NO_WAITING}")
                if "PYTEST_XDIST_WORKER" not in os.environ:
                    atexit.register(drop_template)
            env = {**os.environ, **database, "VAR_DIR": str(making), "SECRET_KEY": (making / "secret_key").read_text(), "DEMO": "1"}
            subprocess.run(manage("demo", "--prepare"), cwd=ROOT, env=env, check=True)
            making.rename(made)
    return made


def drop_template() -> None:
    """At the end of a run, by the process that started pytest's workers."""
    if (given := os.environ.get("DATABASE_URL", "")).startswith("postgres"):
        _on_server(given, f"DROP DATABASE IF EXISTS {_template()} WITH (FORCE)")


def _template() -> str:
    return f"helpdesk_journey_template_{os.getppid() if 'PYTEST_XDIST_WORKER' in os.environ else os.getpid()}"


def _worker() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def _named(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _on_server(url: str, statement: str) -> None:
    server: Any = psycopg2.connect(_named(url, "postgres"))
    try:
        server.autocommit = True
        server.cursor().execute(statement)
    finally:
        server.close()
