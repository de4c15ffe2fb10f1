"""Writes mails as other people's programs would."""

from __future__ import annotations

from email.message import EmailMessage
from itertools import count
from typing import Any

from accounts.models import User
from tickets.mail.tokens import message_id, reply_address
from tickets.models import InboundMessage, Ticket

_serial = count(1)


def letter(
    sender: str = "Ana Ford <ana@acme.example>",
    *,
    to: str = "support@support.example",
    subject: str = "Player is blank",
    text: str = "It is blank since this morning.\n",
    **headers: Any,
) -> bytes:
    """A plain mail. Further headers by keyword, with underscores for dashes."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = "Sat, 21 Nov 2026 10:00:00 +0000"
    mail["Message-ID"] = headers.pop("Message_ID", f"<letter-{next(_serial)}@elsewhere.example>")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def with_file(
    raw_text: str = "See the log.\n", *, sender: str = "Ana Ford <ana@acme.example>", name: str = "log.txt", content: bytes = b"line"
) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "support@support.example", "With a file"
    mail["Message-ID"] = f"<letter-{next(_serial)}@elsewhere.example>"
    mail.set_content(raw_text)
    mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def signed_address(ticket: Ticket, user: User, *, is_internal: bool = False) -> str:
    """Where an answer to our notification goes."""
    return reply_address(ticket_id=ticket.pk, user=user, is_internal=is_internal)


def our_message_id(ticket: Ticket, user: User) -> str:
    """The Message-ID of our newest mail about the ticket to `user`."""
    event = ticket.events.order_by("-id").first()
    assert event
    return f"<{message_id(event_id=event.pk, user_id=user.pk)}>"


def take_in(raw: bytes, *, to: str = "support@support.example") -> InboundMessage:
    """Through the same two steps as every way in."""
    from tickets.mail import ingest

    mailbox = ingest.mailbox_for(to) or ingest.default_mailbox()
    stored, _is_new = ingest.store(raw, mailbox=mailbox, envelope_to=to)
    ingest.ingest(stored.pk)
    stored.refresh_from_db()
    return stored
