"""A mail server that keeps what it is given, and answers each recipient as told."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage


class Sink:
    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.senders: list[str | None] = []  # of the envelopes
        self.answers: dict[str, str] = {}  # to RCPT, by recipient
        self.data_answers: dict[str, str] = {}  # to DATA, by recipient
        self.before_answer: Callable[[], None] | None = None  # runs when a mail is here, before the server says so

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:  # noqa: N802 named by aiosmtpd
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802 as above
        for address in envelope.rcpt_tos:
            if address in self.data_answers:
                return self.data_answers[address]
        self.senders.append(envelope.mail_from)
        self.mails.append((list(envelope.rcpt_tos), email.message_from_bytes(envelope.content, policy=email.policy.default)))
        if self.before_answer:
            self.before_answer()
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        return [address for addresses, _mail in self.mails for address in addresses]

    @property
    def per_mail(self) -> Counter[tuple[str, str]]:
        """How often each (Message-ID, recipient) was accepted."""
        return Counter((str(mail["Message-ID"]), address) for addresses, mail in self.mails for address in addresses)


@contextmanager
def running(port: int = 0) -> Iterator[tuple[Sink, int]]:
    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=port or _free_port())
    controller.start()
    try:
        yield sink, controller.port
    finally:
        controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
