"""Polls the IMAP mailboxes. The server's copy is marked as seen only after ours is committed; a mailbox that fails holds up no other."""

from __future__ import annotations

import logging

from django.utils import timezone
from imap_tools import AND, MailBox, MailBoxUnencrypted, MailMessageFlags
from imap_tools.mailbox import BaseMailBox

from tickets.mail.ingest import store
from tickets.models import Mailbox

logger = logging.getLogger(__name__)

_TIMEOUT = 30  # seconds, for each answer of the server
_BATCH = 200


def fetch_all() -> int:
    """Returns how many mails were new. An error is kept on its mailbox, where the admin sees it."""
    return sum(fetch(mailbox) for mailbox in Mailbox.objects.filter(is_active=True).exclude(imap_host=""))


def fetch(mailbox: Mailbox) -> int:
    new, error = 0, ""
    try:
        with _connect(mailbox) as server:
            for uid in server.uids(AND(seen=False))[:_BATCH]:
                new += _take(mailbox, server, uid)
    except Exception as problem:
        logger.exception("mailbox %s could not be polled", mailbox)
        error = f"{type(problem).__name__}: {problem}"[:500]
    mailbox.polled_at, mailbox.error = timezone.now(), error
    mailbox.save(update_fields=["polled_at", "error"])
    return new


def _connect(mailbox: Mailbox) -> BaseMailBox:
    kind = MailBox if mailbox.imap_tls else MailBoxUnencrypted
    server = kind(mailbox.imap_host, mailbox.imap_port, timeout=_TIMEOUT)
    try:
        return server.login(mailbox.imap_user, mailbox.imap_password, initial_folder=mailbox.imap_folder)
    except Exception:
        server.client.shutdown()  # nobody else closes what nobody is logged in to
        raise


def _take(mailbox: Mailbox, server: BaseMailBox, uid: str) -> bool:
    """BODY.PEEK leaves the mail unseen, should we die before it is stored; the bytes are the server's own, not a library's rewriting of them."""
    _answer, parts = server.client.uid("FETCH", uid, "(BODY.PEEK[])")
    raw = next((part[1] for part in parts if isinstance(part, tuple)), None)
    if raw is None:  # expunged meanwhile
        return False
    _message, is_new = store(raw, mailbox=mailbox, envelope_to=mailbox.address)
    server.flag([uid], MailMessageFlags.SEEN, value=True)
    return is_new
