"""A mail server in front of us, for real: an Exim with a configuration, queue and port of its own, which hands mail to support.example over to the product.

It runs without root's rights, whoever runs the tests: Debian's Exim never runs a pipe as root.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from tests.journeys.peers import answers, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

EXIM = shutil.which("exim4") or "/usr/sbin/exim4"
IS_ROOT = os.geteuid() == 0
USER = "nobody" if IS_ROOT else getpass.getuser()
GROUP = "nogroup" if IS_ROOT else str(os.getegid())
# As root we become nobody, who may still read and write what is root's: the interpreter and the checkout need not be open to everybody.
_AS_USER = ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]

_CONFIGURATION = """
exim_path = {folder}/exim
exim_user = {user}
exim_group = {group}
deliver_drop_privilege
primary_hostname = mx.elsewhere.example
spool_directory = {folder}/spool
log_file_path = {folder}/spool/%s.log
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
message_size_limit = 100M
tls_advertise_hosts =
host_lookup =
keep_environment =
acl_smtp_rcpt = accept
acl_smtp_data = accept

begin routers

# What two mailboxes that forward to each other do.
forward:
  driver = redirect
  local_parts = sales
  domains = support.example
  data = support@support.example
  unseen

forward_back:
  driver = redirect
  local_parts = support
  domains = support.example
  condition = ${{if match{{$h_subject:}}{{forwarded}}}}
  data = sales@support.example
  unseen

ours:
  {router}
  domains = support.example
  transport = helpdesk

elsewhere:
  driver = accept
  transport = kept

begin transports

helpdesk:
  {transport}

kept:
  driver = appendfile
  maildir_format
  directory = {folder}/kept
  user = {user}
  group = {group}

begin retry

*  *  F,4d,1s
"""


@dataclass(frozen=True, slots=True)
class Exim:
    folder: Path
    port: int

    def empty_queue(self) -> None:
        """Tries what waits until none is left; the try before may still have its hand on a mail."""

        def is_empty() -> bool:
            subprocess.run([*_exim(self.folder), "-qff"], check=True, timeout=60)
            return self.waiting() == 0

        wait_until(is_empty, told="Exim could not hand over what waits")

    def waiting(self) -> int:
        return len(list((self.folder / "spool" / "input").glob("**/*-H")))

    def returned(self) -> list[EmailMessage]:
        """The reports to senders outside that their mail did not arrive."""
        files = sorted((self.folder / "kept").glob("new/*"))
        return [message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=policy.default) for file in files]

    def log(self) -> str:
        return (self.folder / "spool" / "main.log").read_text()


def by_pipe(command: Path) -> tuple[str, str]:
    lines = ["driver = pipe", f"command = /bin/sh {command}", f"user = {USER}", f"group = {GROUP}", "return_fail_output"]
    return "driver = accept", "\n  ".join(lines)


def by_network(protocol: str, port: int) -> tuple[str, str]:
    lines = ["driver = smtp", f"protocol = {protocol}", f"port = {port}", "allow_localhost", "hosts_avoid_tls = *"]
    return "driver = manualroute\n  route_list = * 127.0.0.1\n  self = send", "\n  ".join(lines)


@contextmanager
def exim(folder: Path, hand_over: tuple[str, str]) -> Iterator[Exim]:
    router, transport = hand_over
    server = Exim(folder, free_port())
    for name in ("spool", "kept"):
        (folder / name).mkdir(parents=True)
        if IS_ROOT:
            shutil.chown(folder / name, USER, GROUP)
    shutil.copyfile(EXIM, folder / "exim")  # which is setuid root
    (folder / "exim").chmod(0o755)
    configuration = _CONFIGURATION.format(folder=folder, user=USER, group=GROUP, port=server.port, router=router, transport=transport)
    (folder / "exim.conf").write_text(configuration)
    with (folder / "exim.out").open("wb") as out:
        daemon = subprocess.Popen([*_exim(folder), "-bdf"], stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: answers(server.port), told="Exim did not start")
        yield server
    finally:
        daemon.terminate()
        daemon.wait(10)


def _exim(folder: Path) -> list[str]:
    return [*(_AS_USER if IS_ROOT else []), str(folder / "exim"), "-C", str(folder / "exim.conf")]
