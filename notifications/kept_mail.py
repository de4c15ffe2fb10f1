"""Where mail goes on an installation without a mail server: into files, which staff can read at the desk's Mail page. For demo and development."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from django.core.mail import EmailMessage


class EmailBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for mail in email_messages:
            path = path_of(mail.extra_headers["Message-ID"].strip("<>"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(mail.message().as_bytes())
        return len(email_messages)


def path_of(message_id: str) -> Path:
    return settings.OUTBOX_DIR / f"{sha256(message_id.encode()).hexdigest()[:32]}.eml"


def read(message_id: str) -> bytes | None:
    """The mail as it would have left; None where mail really leaves."""
    try:
        return path_of(message_id).read_bytes()
    except OSError:
        return None
