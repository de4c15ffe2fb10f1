"""`manage.py mail_receiver`: the process that listens for mail, by SMTP or LMTP."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand

from helpdesk.env import refuse_if_broken
from tickets.mail.receiver import serve

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Listens for mail to our mailboxes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.SMTP_HOST)
        parser.add_argument("--port", type=int, default=settings.SMTP_PORT)
        parser.add_argument("--lmtp", action="store_true", help="speak LMTP, as Postfix and Exim do to a delivery agent")

    def handle(self, *_args: Any, **options: Any) -> None:
        refuse_if_broken()
        asyncio.run(_until_stopped(host=options["host"], port=options["port"], lmtp=options["lmtp"]))


async def _until_stopped(*, host: str, port: int, lmtp: bool) -> None:
    serving = asyncio.ensure_future(serve(host=host, port=port, lmtp=lmtp))
    for stop in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        return
