"""`make demo`: the whole product on this machine, under one process that stops it together. Only ever reachable from this machine.

This process runs no product code: it prepares the environment and hands it to the programs, which are the same as in production.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import io
import itertools
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from helpdesk.env import env_int, env_str, problems
from helpdesk.supervisor import AlreadyHeld, Program, Stopping, Supervisor, held, stopped_by_signals
from tickets.demo.story import DEMO_ACCOUNTS, PASSWORD

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

_GIVEN_BY_US = {"SECRET_KEY", "ALLOWED_HOSTS", "DEMO", "SITE_URL", "SMTP_HOST", "EMAIL_HOST"}
_READY_SECONDS = 90
# All that the product writes to VAR_DIR, which may be a folder with other things in it. The key, by which a reset knows that a demo was here, is last.
_DATA = (
    "db.sqlite3*",
    "media",
    "outbox",
    "broker",
    "broker-control",
    "log",
    "static",
    "static.fingerprint",
    "beat",
    "beat[.-]*",
    "secret_key",
)
# Of the packages' assets, what no page of ours asks for: compressing it would take most of the first start.
_UNUSED_ASSETS = [
    "bootstrap-*",
    "*.rtl.*",
    "bootstrap.css*",
    "bootstrap.js*",
    "bootstrap.bundle.js*",
    "*.esm.*",
    "jquery.js",
    "select2.full.js",
    "xregexp.js",
    "default.js*",
    "configurable.js*",
    "material-icons*",
    "overrides.css*",
    "editor.css*",
]


class Command(BaseCommand):
    help = "Runs web, worker, beat and the mail receiver with demo data. PORT and SMTP_PORT choose the ports."
    requires_system_checks: list[str] = []  # noqa: RUF012 Django's own shape; the programs check their own environment

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--prepare", action="store_true", help="only make database, assets and demo data ready (used by the command itself)"
        )
        parser.add_argument("--reset", action="store_true", help="only throw the demo's data away")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["prepare"]:
            prepare()
        elif options["reset"]:
            with _alone("Stop it first (Ctrl-C)."):
                self.stdout.write(reset())
        else:
            with _alone("Stop it, or use VAR_DIR=…"):
                self._run()

    def _run(self) -> None:
        port, smtp_port = _ports()
        env = _environment(port, smtp_port)
        os.chdir(settings.BASE_DIR)
        with stopped_by_signals() as stopping:
            if _prepared(env, stopping):
                self._serve(env, port, smtp_port, stopping)
        self.stdout.write("Stopped.")

    def _serve(self, env: dict[str, str], port: int, smtp_port: int, stopping: Stopping) -> None:
        log_dir = Path(env["VAR_DIR"]) / "log"
        supervisor = Supervisor(_programs(port), env=env, log_dir=log_dir, tell=self._tell)
        try:
            supervisor.start()
            if _wait_until_ready(supervisor, port, stopping):
                self.stdout.write(_welcome(env, port, smtp_port, log_dir))
            elif not stopping.is_set():
                self._tell(f"The site does not answer yet. {log_dir / 'web.log'} says why.")
            self.stdout.flush()
            supervisor.run(stopping)
            self.stdout.write("Stopping …")
        finally:
            supervisor.stop()

    def _tell(self, line: str) -> None:
        self.stderr.write(line)
        self.stderr.flush()


# --- Before ------------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _alone(advice: str) -> Iterator[None]:
    """Keeps VAR_DIR for one demo, or one reset."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    try:
        with held(settings.VAR_DIR / "demo.lock"):
            yield
    except AlreadyHeld as error:
        raise CommandError(f"The demo already runs here (pid {error}). {advice}") from error


def reset() -> str:
    """Deletes the data, and says so."""
    if not (settings.VAR_DIR / "secret_key").exists():
        return f"There is no demo's data in {settings.VAR_DIR}."
    for pattern in _DATA:
        for path in settings.VAR_DIR.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    return "The demo's data is gone."


def _ports() -> tuple[int, int]:
    """Raises CommandError that names the variable to change."""
    port, smtp_port = env_int("PORT", 8000, low=1, high=65535), settings.SMTP_PORT
    told = [f"{name} {problem}" for name, problem in sorted(problems.items()) if name not in _GIVEN_BY_US]
    if told:
        raise CommandError("\n".join(told))
    if port == smtp_port:
        raise CommandError(f"PORT and SMTP_PORT are both {port}: choose two.")
    for name, number, other in (("PORT", port, smtp_port), ("SMTP_PORT", smtp_port, port)):
        if trouble := _trouble(number):
            raise CommandError(f"Port {number} {trouble}. Choose another one: {_again(name, _next_free(number, other))}")
    return port, smtp_port


def _trouble(port: int) -> str:
    """Why we can't listen there; empty if we can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return "is in use by another program" if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
    return ""


def _next_free(port: int, other: int) -> int:
    return next(number for number in itertools.count(port % 60000 + 1001) if number != other and not _trouble(number))


def _again(name: str, value: int) -> str:
    """The command to type, with what else was chosen: without it the next try would fail at another place."""
    chosen = {variable: env_str(variable) for variable in ("VAR_DIR", "PORT", "SMTP_PORT") if env_str(variable)} | {name: str(value)}
    return " ".join([*(f"{variable}={shlex.quote(text)}" for variable, text in chosen.items()), "make demo"])


def _environment(port: int, smtp_port: int) -> dict[str, str]:
    var_dir = settings.VAR_DIR.resolve()
    for folder in ("broker", "broker-control", "log"):
        (var_dir / folder).mkdir(parents=True, exist_ok=True)
    return os.environ | {
        "VAR_DIR": str(var_dir),
        "SECRET_KEY": _secret(var_dir / "secret_key"),
        "DEMO": "1",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp_port),
        "PYTHONUNBUFFERED": "1",
    }


def _secret(path: Path) -> str:
    """Made once and kept, for sessions and reply addresses outlive a restart. Readable by its owner alone."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


def _prepared(env: dict[str, str], stopping: Stopping) -> bool:
    """In a process of its own, because it needs the environment that we made. False when we were stopped meanwhile."""
    process = subprocess.Popen([sys.executable, "manage.py", "demo", "--prepare"], env=env, start_new_session=True)
    while process.poll() is None:
        if stopping.wait(0.05):
            process.terminate()
            process.wait()
    if process.returncode and not stopping.is_set():
        raise CommandError("The demo could not be made ready; what went wrong is above.")
    return not stopping.is_set()


def prepare() -> None:
    """Database, assets, workflow and demo data. What stands already stays as it is."""
    call_command("check", stdout=io.StringIO())  # it prints what is fine; what is wrong it raises
    call_command("migrate", verbosity=0)
    _collect_assets()
    call_command("preset", "apty")
    call_command("seed_demo", if_fresh=True)


def _collect_assets() -> None:
    """Only when they changed: compressing them takes far longer than all the rest."""
    stamp, fingerprint = settings.VAR_DIR / "static.fingerprint", _assets_fingerprint()
    if not (stamp.exists() and settings.STATIC_ROOT.exists() and stamp.read_text() == fingerprint):
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=_UNUSED_ASSETS)
        stamp.write_text(fingerprint)


def _assets_fingerprint() -> str:
    """Of our own files, and of the pinned packages that bring the others."""
    digest = hashlib.sha256((settings.BASE_DIR / "requirements.txt").read_bytes())
    for path in sorted((settings.BASE_DIR / "static").rglob("*")):
        if path.is_file():
            digest.update(f"{path}:{path.stat().st_mtime_ns}:{path.stat().st_size}\n".encode())
    return digest.hexdigest()


# --- While it runs -----------------------------------------------------------------------------------------------------------


def _programs(port: int) -> list[Program]:
    """As in production (docker-compose.yml), save that the worker has threads: SQLite has one writer, and a thread starts at once."""
    celery = [sys.executable, "-m", "celery", "-A", "helpdesk"]
    gunicorn = [
        sys.executable,
        "-m",
        "gunicorn",
        "helpdesk.wsgi",
        "--no-control-socket",
        "--access-logfile",
        "-",
        "--limit-request-line",
        "8190",
        "--graceful-timeout",
        "5",
    ]
    threads = ["--worker-class", "gthread", "--workers", "1", "--threads", "8", "--bind", f"127.0.0.1:{port}"]
    return [
        Program("web", [*gunicorn, *threads]),
        Program(
            "worker", [*celery, "worker", "--pool", "threads", "-c", "2", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        ),
        Program("beat", [*celery, "beat", "--loglevel", "WARNING"]),
        Program("mail", [sys.executable, "manage.py", "mail_receiver"]),
    ]


def _wait_until_ready(supervisor: Supervisor, port: int, stopping: Stopping) -> bool:
    tries = iter(range(_READY_SECONDS * 5))
    ready = False

    def settled() -> bool:
        nonlocal ready
        ready = _answers(port)
        return ready or next(tries, None) is None

    supervisor.run(stopping, until=settled)
    return ready


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _welcome(env: dict[str, str], port: int, smtp_port: int, log_dir: Path) -> str:
    accounts = "\n".join(f"    {account.email:<26} {account.name}, {account.what}" for account in DEMO_ACCOUNTS)
    return f"""
  {settings.SITE_NAME} is at  http://127.0.0.1:{port}

  Log in with the password "{PASSWORD}" as
{accounts}

  Send it a first mail, and read the answer at the desk's Mail page:
    {_first_mail(smtp_port)}
  or hand it a message from a file:
    {_shell(env)} {sys.executable} manage.py receive_mail < message.eml

  Logs are in {log_dir}. Ctrl-C stops it all; the data stays. `make demo-reset` starts over.
"""


def _first_mail(smtp_port: int) -> str:
    """One line to paste; every run of it is a new message."""
    head = rf"Message-ID: <{{time.time()}}@globex.example>\nFrom: Noor Haddad <noor@globex.example>\nTo: {settings.SUPPORT_ADDRESS}"
    mail = rf"{head}\nSubject: The player stays blank\n\nSince this morning nothing shows.\n"
    send = f"sendmail('noor@globex.example', '{settings.SUPPORT_ADDRESS}', f'{mail}')"
    return f"""python3 -c "import smtplib, time; smtplib.SMTP('127.0.0.1', {smtp_port}).{send}\""""


def _shell(env: dict[str, str]) -> str:
    var_dir = Path(env["VAR_DIR"])
    moved = "" if var_dir == settings.BASE_DIR / "var" else f"VAR_DIR={var_dir} "
    return f"{moved}DEMO=1 SECRET_KEY=$(cat {var_dir / 'secret_key'})"
