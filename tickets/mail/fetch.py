"""Polls the IMAP mailboxes, each from where the last poll stopped. A mailbox that fails or dawdles holds up no other.

Progress is a UID, not the Seen flag: who opens a mail in a mail program must not make it vanish for us. It is kept after our commit of each mail, so what
breaks in between is fetched again, and recognised by its content; so is a whole folder whose UIDs begin anew.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.mail.imap import Item, NotGiven, Server, Trouble, connected
from tickets.mail.ingest import store
from tickets.models import InboundMessage, InboundState, Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

_BATCH = 200  # mails of a mailbox in one poll
_SECONDS = 45  # for a mailbox; the next poll goes on
_CUT_AFTER = 75  # seconds: then the connection is broken off, whatever it is at
_ALL_SECONDS = 150  # after which no further mailbox is begun
_HEADER_BYTES = 262_144  # kept of a mail that is too large


def fetch_all() -> int:
    """Returns how many mails were new. An error is kept on its mailbox, where admins see it; those that fail are asked last."""
    end = monotonic() + _ALL_SECONDS
    polled = Mailbox.objects.filter(is_active=True).exclude(imap_host="")
    new = 0
    for mailbox in polled.order_by(F("failing_since").asc(nulls_first=True), F("polled_at").asc(nulls_first=True), "pk"):
        if monotonic() > end:
            break
        new += fetch(mailbox)
    return new


def fetch(mailbox: Mailbox) -> int:
    """Nothing when another worker is at it."""
    lock = f"fetch-{mailbox.pk}"
    if not cache.add(lock, value=True, timeout=2 * _CUT_AFTER):
        return 0
    try:
        return _poll(mailbox)
    finally:
        cache.delete(lock)


def _poll(mailbox: Mailbox) -> int:
    new, error = 0, ""
    try:
        with connected(mailbox, seconds=_CUT_AFTER) as server:
            for is_new in _take_new(mailbox, server):
                new += is_new
    except Trouble as trouble:
        error = str(trouble)
        logger.error("mailbox %s could not be polled: %s", mailbox, error)  # noqa: TRY400 the words say it; a trace each minute says no more
    except Exception as problem:
        logger.exception("mailbox %s could not be polled", mailbox)
        error = f"{type(problem).__name__}: {problem}"
    mailbox.polled_at, mailbox.error = timezone.now(), error.replace("\0", "")[:500]
    mailbox.failing_since = (mailbox.failing_since or mailbox.polled_at) if error else None
    mailbox.save(update_fields=["polled_at", "error", "failing_since"])
    return new


def _take_new(mailbox: Mailbox, server: Server) -> Iterator[bool]:
    """Whether each mail was new to us."""
    end = monotonic() + _SECONDS
    _begin(mailbox, server.uid_validity)
    uids = server.uids_after(mailbox.imap_last_uid, since=mailbox.import_since)[:_BATCH]
    for item in server.items(uids):
        if monotonic() > end:
            return
        yield _take(mailbox, server, item)
        mailbox.imap_last_uid = item.uid
        mailbox.save(update_fields=["imap_last_uid"])


def _begin(mailbox: Mailbox, uid_validity: int) -> None:
    """A folder that was made anew, or another one: all of it is looked through again, and what we have is recognised."""
    if mailbox.imap_uid_validity != uid_validity:
        mailbox.imap_uid_validity, mailbox.imap_last_uid = uid_validity, 0
        mailbox.save(update_fields=["imap_uid_validity", "imap_last_uid"])


def _take(mailbox: Mailbox, server: Server, item: Item) -> bool:
    if item.arrived_at and item.arrived_at < mailbox.import_since.replace(second=0, microsecond=0):  # clocks differ by seconds
        return False
    if item.size > settings.MAX_MAIL_BYTES:
        size = {"size": filesizeformat(item.size), "limit": filesizeformat(settings.MAX_MAIL_BYTES)}
        return _keep_header(
            mailbox,
            server,
            item,
            _("It has %(size)s, and we take %(limit)s. The whole mail is on the mail server alone.") % size,
        )
    try:
        raw = server.fetch_raw(item.uid)
    except NotGiven as refusal:
        if not mailbox.has_failed_for_long:
            raise  # it may be a passing trouble
        return _keep_header(mailbox, server, item, str(refusal))
    if raw is None:  # expunged meanwhile
        return False
    _message, is_new = store(raw, mailbox=mailbox, envelope_to=mailbox.address, arrived_at=item.arrived_at)
    server.mark_seen(item.uid)
    return is_new


def _keep_header(mailbox: Mailbox, server: Server, item: Item, reason: str) -> bool:
    """What can't be taken is told to staff at the Mail page, and stays on the server as it is."""
    try:
        header = server.fetch_raw(item.uid, f"BODY.PEEK[HEADER]<0.{_HEADER_BYTES}>")
    except NotGiven:
        header = None
    raw = header or f"Subject: UID {item.uid}\r\nMessage-ID: <{mailbox.imap_uid_validity}-{item.uid}@{mailbox.imap_host}>\r\n\r\n".encode()
    with transaction.atomic():  # it is never seen waiting
        message, is_new = store(raw, mailbox=mailbox, envelope_to=mailbox.address, arrived_at=item.arrived_at)
        if is_new:
            InboundMessage.objects.filter(pk=message.pk).update(state=InboundState.FAILED, reason=reason[:250], size=item.size)
    return is_new
