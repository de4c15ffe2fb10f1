"""The SMTP and LMTP listener. Says 250 only after the mail is committed; what it can't take it refuses in the protocol, so that the sender knows."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP
from django.conf import settings
from django.db import Error, close_old_connections

from tickets.mail import ingest
from tickets.tasks import wake_ingest

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiosmtpd.smtp import Envelope, Session

logger = logging.getLogger(__name__)
T = TypeVar("T")

_MOMENT = 0.05  # seconds


class _Smtp(SMTP):
    """Takes lines of any length: programs do send whole paragraphs, and pictures, as one line. The size of the mail is the limit."""

    line_length_limit = settings.MAX_MAIL_BYTES


class _Lmtp(LMTP):
    line_length_limit = settings.MAX_MAIL_BYTES


class _Nudge:
    """Wakes the worker once for all mails of a moment: it looks for work until it finds none, and a mail that comes later has a nudge of its own."""

    def __init__(self) -> None:
        self._is_due = False
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself holds them weakly

    def give(self) -> None:
        if not self._is_due:
            self._is_due = True
            task = asyncio.create_task(self._soon())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _soon(self) -> None:
        await asyncio.sleep(_MOMENT)
        self._is_due = False  # what is stored from now on may come too late for the worker's look
        await asyncio.to_thread(wake_ingest)

    def stop(self) -> None:
        """Nothing is lost: the schedule finds the mail."""
        for task in self._tasks:
            task.cancel()


class Handler:
    """The database is asked in threads, so that one slow mail holds up no other connection."""

    def __init__(self, nudge: _Nudge) -> None:
        self._nudge = nudge

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        """Named by aiosmtpd."""
        try:
            known = await asyncio.to_thread(_in_thread, lambda: ingest.mailbox_for(address))
        except Error:
            return "451 4.3.0 Try again later"
        if known is None:
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Named by aiosmtpd. LMTP wants an answer for each recipient; with fewer the other server waits, tries again, and in the end bounces."""
        answer = await self._store(envelope, client={} if isinstance(server, LMTP) else _client(session))
        return "\r\n".join([answer] * len(envelope.rcpt_tos)) if isinstance(server, LMTP) else answer

    async def _store(self, envelope: Envelope, *, client: dict[str, str]) -> str:
        try:
            await asyncio.to_thread(_in_thread, lambda: _store(envelope, client=client))
        except Error:
            logger.exception("a mail could not be stored")
            return "451 4.3.0 Try again later"
        self._nudge.give()
        return "250 2.0.0 Stored"


def _client(session: Session) -> dict[str, str]:
    """Who brought the mail, as SPF asks. What speaks LMTP is our own mail server, which somebody else brought it to."""
    return {"client_ip": str(session.peer[0]).partition("%")[0], "client_name": str(session.host_name or "")} if session.peer else {}


def _store(envelope: Envelope, *, client: dict[str, str]) -> None:
    mailbox, envelope_to = ingest.meant_for(envelope.rcpt_tos)
    content = envelope.original_content
    raw = content if isinstance(content, bytes) else (content or "").encode("utf-8", "surrogateescape")
    ingest.store(
        raw,
        mailbox=mailbox,
        envelope_from=envelope.mail_from or "",
        envelope_to=envelope_to,
        client_ip=client.get("client_ip"),
        client_name=client.get("client_name", ""),
    )


def _in_thread(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


async def serve(*, host: str, port: int, lmtp: bool) -> None:
    """Runs until it is cancelled."""
    kind = _Lmtp if lmtp else _Smtp
    loop = asyncio.get_running_loop()
    nudge = _Nudge()
    server = await loop.create_server(
        lambda: kind(
            Handler(nudge),
            data_size_limit=settings.MAX_MAIL_BYTES,
            hostname=settings.SUPPORT_DOMAIN,
            ident="Helpdesk",
            loop=loop,
        ),
        host,
        port,
    )
    logger.info("listening for %s on %s:%s", "LMTP" if lmtp else "SMTP", host, port)
    async with server:
        try:
            await server.serve_forever()
        finally:
            nudge.stop()
