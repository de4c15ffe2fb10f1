"""The connection to one IMAP mailbox: logs in by password or OAuth2, and says in words an admin can act on what goes wrong.

Nothing a server sends may cost more than is set here: time for an answer and for all together, and bytes for one literal. Must not store mail.
"""

from __future__ import annotations

import imaplib
import json
import re
import socket
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Timer
from typing import TYPE_CHECKING, Any

import requests
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from imap_tools import AND, U
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError
from imap_tools.mailbox import BaseMailBox

from tickets.models import ImapLogin, Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT = 30  # seconds, for each answer of the server
_TRIAL_SECONDS = 20  # somebody waits for the page
_TOKEN_TIMEOUT = 15
_TOKEN_BYTES = 65_536
_EARLY = timedelta(minutes=2)  # a token is renewed so long before its end
_MAX_LITERAL = settings.MAX_MAIL_BYTES + 65_536
_MAX_FOLDERS = 20  # named in an error
_AT_ONCE = 100  # mails asked about in one command
_ITEM = re.compile(rb"UID (\d{1,10})")
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,15})")
_DATE = re.compile(rb'INTERNALDATE "([^"]{10,40})"')


class Trouble(Exception):
    """A mailbox can't be polled; its text says why, without any secret."""


class NotGiven(Trouble):
    """The server refuses to hand over this one mail."""


@dataclass(frozen=True, slots=True)
class Item:
    """A mail on the server, as far as it is known before its bytes are fetched."""

    uid: int
    size: int
    arrived_at: datetime | None  # INTERNALDATE


# --- The connection ------------------------------------------------------------------------------------------------------------


class _Bounded(imaplib.IMAP4):
    """Ends after so many seconds: a server that sends a byte now and then never runs into a timeout."""

    def __init__(self, *args: Any, seconds: float, **options: Any) -> None:
        self._cut = Timer(seconds, self._end)
        self._cut.daemon = True
        super().__init__(*args, **options)

    def open(self, *args: Any, **options: Any) -> None:
        super().open(*args, **options)
        self._cut.start()

    def _end(self) -> None:
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def shutdown(self) -> None:
        self._cut.cancel()
        super().shutdown()

    def read(self, size: int) -> bytes:
        """As imaplib's, which takes memory for as much as the server says that will come."""
        if size > _MAX_LITERAL:
            raise Trouble(_("It announced %(bytes)s bytes at once, which is beyond every mail that we take.") % {"bytes": size})
        return super().read(size)


class _BoundedTls(_Bounded, imaplib.IMAP4_SSL):
    pass


class Server(BaseMailBox):
    """A mailbox on its server, with its folder open."""

    def __init__(self, mailbox: Mailbox, *, seconds: float, timeout: float) -> None:
        self._mailbox = mailbox
        self._limits = {"seconds": seconds, "timeout": timeout}
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        host, port = self._mailbox.imap_host, self._mailbox.imap_port
        if not self._mailbox.imap_tls:
            return _Bounded(host, port, **self._limits)
        return _BoundedTls(host, port, **self._limits, ssl_context=ssl.create_default_context())

    def folders(self) -> list[str]:
        return [found.name for found in self.folder.list()]

    def open_folder(self) -> None:
        name = self._mailbox.imap_folder
        try:
            self.folder.set(name)
        except MailboxFolderSelectError as error:
            folders = ", ".join(self.folders()[:_MAX_FOLDERS])
            raise Trouble(_("There is no folder “%(name)s”. There are: %(folders)s.") % {"name": name, "folders": folders}) from error

    @property
    def uid_validity(self) -> int:
        """Of the open folder: UIDs mean something only together with it (RFC 3501, 2.3.1.1)."""
        said = self.client.response("UIDVALIDITY")[1][-1]
        return int(said) if said else 0

    def uids_after(self, last: int, *, since: datetime) -> list[int]:
        """In ascending order. SINCE knows days alone, of the server's own time zone, so it finds a few too many."""
        day = (since.astimezone(UTC) - timedelta(days=1)).date()
        found = sorted(map(int, self.uids(AND(uid=U(str(last + 1), "*"), date_gte=day), charset=None)))
        return [uid for uid in found if uid > last]  # "9:*" finds the last mail even if that is 8

    def items(self, uids: list[int]) -> Iterator[Item]:
        """What is known of each that is still there."""
        for some in _batches(uids, _AT_ONCE):
            _answer, lines = self.client.uid("FETCH", ",".join(map(str, some)), "(UID RFC822.SIZE INTERNALDATE)")
            known = {item.uid: item for line in lines if isinstance(line, bytes) and (item := _item(line))}
            yield from (known[uid] for uid in some if uid in known)

    def fetch_raw(self, uid: int, part: str = "BODY.PEEK[]") -> bytes | None:
        """The server's own bytes, not a library's rewriting of them; None when it is gone. PEEK leaves it unseen, should we die before it is stored."""
        answer, parts = self.client.uid("FETCH", str(uid), f"({part})")
        if answer != "OK":
            raise NotGiven(_("The server does not hand over the mail with UID %(uid)s: %(words)s") % {"uid": uid, "words": _said(parts)})
        return next((bytes(part[1]) for part in parts if isinstance(part, tuple)), None)

    def mark_seen(self, uid: int) -> None:
        """Whoever looks into the mailbox sees what has been taken. Not imap-tools' `flag`, which would also expunge what others marked as deleted."""
        self.client.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Seen)")


def _batches(values: list[int], size: int) -> Iterator[list[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _item(line: bytes) -> Item | None:
    uid, size, date = _ITEM.search(line), _SIZE.search(line), _DATE.search(line)
    if uid is None:
        return None
    return Item(int(uid[1]), int(size[1]) if size else 0, _moment(date[1]) if date else None)


def _moment(date: bytes) -> datetime | None:
    with suppress(ValueError, TypeError):
        return parsedate_to_datetime(date.decode("ascii", "replace").strip().replace("-", " ", 2))
    return None


@contextmanager
def connected(mailbox: Mailbox, *, seconds: float, timeout: float = _TIMEOUT) -> Iterator[Server]:
    """Logged in and with the folder open, for no longer than that. Raises Trouble."""
    try:
        server = Server(mailbox, seconds=seconds, timeout=timeout)
        try:
            _log_in(server, mailbox)
            server.open_folder()
            yield server
            with suppress(Exception):
                server.logout()
        finally:
            with suppress(OSError):
                server.client.shutdown()
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
        raise Trouble(in_words(error, mailbox)) from error


def in_words(error: Exception, mailbox: Mailbox) -> str:
    where = {"host": mailbox.imap_host, "port": mailbox.imap_port, "words": _said([str(error)])}
    match error:
        case ssl.SSLCertVerificationError():
            return _("The certificate of %(host)s is not valid: %(words)s") % {**where, "words": error.verify_message}
        case ssl.SSLError():
            return _("%(host)s does not speak TLS at port %(port)s: %(words)s") % where
        case socket.gaierror():
            return _("There is no server named %(host)s.") % where
        case ConnectionRefusedError():
            return _("%(host)s takes no connections at port %(port)s.") % where
        case TimeoutError():
            return _("%(host)s did not answer in time.") % where
        case imaplib.IMAP4.abort() | ConnectionError():
            return _("The connection to %(host)s broke: %(words)s") % where
        case _:
            return f"{type(error).__name__}: {where['words']}"


def _said(parts: list[Any]) -> str:
    """What a server said, on one short line."""
    words = " ".join(part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts if part)
    return " ".join(words.replace("\0", "").split())[:200]


# --- Logging in ----------------------------------------------------------------------------------------------------------------


def _log_in(server: Server, mailbox: Mailbox) -> None:
    try:
        if mailbox.imap_login == ImapLogin.OAUTH2:
            _log_in_by_token(server, mailbox)
        elif mailbox.imap_user.isascii() and mailbox.imap_password.isascii():
            server.login(mailbox.imap_user, mailbox.imap_password, initial_folder=None)
        else:
            server.login_utf8(mailbox.imap_user, mailbox.imap_password, initial_folder=None)
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, ImapToolsError) as error:
        words = {"user": mailbox.imap_user, "words": _refusal(error)}
        raise Trouble(_("The server refuses %(user)s: %(words)s") % words) from error


def _refusal(error: Exception) -> str:
    """The server's words alone; imap-tools puts its own around them."""
    result = getattr(error, "command_result", None)
    return _said(list(result[1])) if result else _said([str(error)])


def _log_in_by_token(server: Server, mailbox: Mailbox) -> None:
    """A token that was kept may have been withdrawn before its end; then a new one is asked for, once."""
    is_kept = _is_fresh(mailbox)
    try:
        _xoauth2(server, mailbox)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        if not is_kept:
            raise
        _renew(mailbox)
        _xoauth2(server, mailbox)


def _xoauth2(server: Server, mailbox: Mailbox) -> None:
    """A refusal comes as a challenge that wants an empty answer."""
    if not _is_fresh(mailbox):
        _renew(mailbox)
    answers = iter([f"user={mailbox.imap_user}\1auth=Bearer {mailbox.oauth_access_token}\1\1".encode()])
    server.client.authenticate("XOAUTH2", lambda _challenge: next(answers, b""))


def _is_fresh(mailbox: Mailbox) -> bool:
    return bool(mailbox.oauth_access_token and mailbox.oauth_expires_at and mailbox.oauth_expires_at > timezone.now() + _EARLY)


def _renew(mailbox: Mailbox) -> None:
    """An access token for the refresh token (RFC 6749, 6). A provider may give a new refresh token, and the old one is then worth nothing."""
    answer = _ask_for_token(mailbox)
    mailbox.oauth_access_token = str(answer["access_token"])
    mailbox.oauth_expires_at = timezone.now() + timedelta(seconds=_seconds(answer.get("expires_in")))
    mailbox.oauth_refresh_token = str(answer.get("refresh_token") or mailbox.oauth_refresh_token)
    mailbox.save(update_fields=["oauth_access_token", "oauth_expires_at", "oauth_refresh_token"])


def _ask_for_token(mailbox: Mailbox) -> dict[str, Any]:
    asked = {
        "grant_type": "refresh_token",
        "refresh_token": mailbox.oauth_refresh_token,
        "client_id": mailbox.oauth_client_id,
        "client_secret": mailbox.oauth_client_secret,
        "scope": mailbox.oauth_scope,
    }
    where = {"url": mailbox.oauth_token_url}
    try:
        with requests.post(
            mailbox.oauth_token_url,
            data={name: value for name, value in asked.items() if value},
            headers={"Accept": "application/json"},
            timeout=_TOKEN_TIMEOUT,
            allow_redirects=False,
            stream=True,
        ) as response:
            answer = _json(response)
    except (requests.RequestException, ValueError) as error:
        raise Trouble(_("%(url)s gives no access token: %(words)s") % {**where, "words": type(error).__name__}) from error
    if not answer.get("access_token"):
        words = _said([answer.get("error"), answer.get("error_description")]) or f"HTTP {response.status_code}"
        raise Trouble(_("%(url)s gives no access token: %(words)s") % {**where, "words": words})
    return answer


def _json(response: requests.Response) -> dict[str, Any]:
    answer = json.loads(next(response.iter_content(_TOKEN_BYTES), b""))
    return answer if isinstance(answer, dict) else {}


def _seconds(said: Any) -> int:
    try:
        return max(0, min(int(said), 86_400))
    except (TypeError, ValueError):
        return 300


# --- For an admin to try -------------------------------------------------------------------------------------------------------


def try_connection(mailbox: Mailbox) -> list[str]:
    """The folders that are there. Raises Trouble; changes nothing at the server."""
    with connected(mailbox, seconds=_TRIAL_SECONDS, timeout=_TRIAL_SECONDS / 2) as server:
        return server.folders()
