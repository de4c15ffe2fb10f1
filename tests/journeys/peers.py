"""The other end of the wire, for real: a Dovecot that serves IMAP, a sink that takes our SMTP, our own processes."""

from __future__ import annotations

import asyncio
import getpass
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiosmtpd.smtp import Envelope

ROOT = Path(__file__).resolve().parent.parent.parent
DOVECOT = shutil.which("dovecot") or "/usr/sbin/dovecot"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(what: Callable[[], object], *, seconds: float = 30, told: str = "") -> None:
    """Asks again and again; fails with `told` when the time is over."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, told or "it did not happen in time"
        time.sleep(0.1)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def dovecot(folder: Path, *, more: str = "") -> Iterator[int]:
    """An IMAP server without TLS for user `support`, password `secret`, with `more` in its configuration. Gives its port."""
    port, me = free_port(), getpass.getuser()
    mail_user = me if me != "root" else "nobody"
    ids = pwd.getpwnam(mail_user)
    mails = folder / "mails"
    mails.mkdir(parents=True)
    os.chown(mails, ids.pw_uid, ids.pw_gid)
    for parent in (folder, *folder.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    (folder / "users").write_text(f"support:{{PLAIN}}secret:{ids.pw_uid}:{ids.pw_gid}::{mails}::\n")
    (folder / "dovecot.conf").write_text(
        f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
default_login_user = {mail_user}
default_internal_user = {mail_user}
default_internal_group = {"nogroup" if mail_user == "nobody" else mail_user}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{mails}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
# Nobody waits for having been refused before.
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
{more}
"""
    )
    server = subprocess.Popen([DOVECOT, "-F", "-c", str(folder / "dovecot.conf")])
    try:
        wait_until(lambda: answers(port), told="Dovecot did not start")
        yield port
    finally:
        server.terminate()
        server.wait(10)


class Sink:
    """Takes every mail that our worker sends, and keeps it with its envelope and the time (X-Taken-At, seconds of the system's clock)."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[EmailMessage] = []
        self.before_250: Callable[[], object] | None = None  # called instead of taking a mail
        self.after_250: Callable[[], object] | None = None  # called as soon as the answer to a mail is on its way

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802 named by aiosmtpd
        if self.before_250:
            self.before_250()
            return "451 4.3.0 Not taken"
        mail = message_from_bytes(envelope.original_content or b"", _class=EmailMessage, policy=policy.default)
        mail["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        mail["X-Taken-At"] = str(time.time())
        self.mails.append(mail)
        if self.after_250:
            asyncio.get_running_loop().call_soon(self.after_250)
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in list(self.mails) if mail["X-Envelope-To"] == address]

    def start(self) -> None:
        """On the same port each time: a server that was away comes back where it was."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()


@contextmanager
def smtp_sink() -> Iterator[Sink]:
    sink = Sink()
    sink.start()
    try:
        yield sink
    finally:
        sink.stop()


@contextmanager
def processes(commands: dict[str, list[str]], *, env: dict[str, str], logs: Path) -> Iterator[None]:
    """Runs each command from the project's root until the block ends."""
    logs.mkdir(parents=True, exist_ok=True)
    running = []
    try:
        for name, command in commands.items():
            with (logs / f"{name}.log").open("wb") as log:
                running.append(subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT))
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def manage(*args: str) -> list[str]:
    return [sys.executable, "manage.py", *args]
