"""The only code that sends. Each mail is claimed for two minutes, sent outside any transaction, and its fate kept.

SMTP has no transaction with us: who dies between the server's 250 and our commit sends that one mail again, under the same Message-ID. Nothing else repeats.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta
from time import monotonic

from anymail.exceptions import AnymailRecipientsRefused
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import own_addresses
from notifications import bounces
from notifications.audience import may_be_told
from notifications.content import events_of
from notifications.models import SENT_ELSEWHERE, UNDELIVERED, Delivery, Kind, Reason, State
from notifications.render import render

logger = logging.getLogger(__name__)

_BATCH = 200
LEASE = timedelta(minutes=2)
# Waits after each failed try: eight tries over a day.
BACKOFF = [timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720)]
_TRIES = len(BACKOFF) + 1
_RUN_SECONDS = 120  # well below the worker's time limit, which would cut a mail in the middle


def deliver_due() -> int:
    """Sends what is due over one connection, oldest first, and in order for each person and ticket. Returns how many were sent."""
    if not _waiting():
        return 0
    connection = get_connection()
    try:
        connection.open()
    except Exception as error:
        logger.exception("the mail server can't be reached")
        Delivery.objects.due().update(error=_words(error))
        return 0  # nobody's mail was tried: all goes at once when the server is back
    try:
        return _send_all(connection)
    finally:
        connection.close()


def _waiting() -> list[tuple[int, int]]:
    """What may go now: of each person and ticket, the earliest."""
    unsent = (State.QUEUED, State.SENDING)
    earlier = Delivery.objects.filter(ticket=OuterRef("ticket"), recipient=OuterRef("recipient"), id__lt=OuterRef("id"), state__in=unsent)
    account_first = Case(When(reason=Reason.ACCOUNT, then=0), default=1)  # somebody sits there and waits for the link
    due = Delivery.objects.due().filter(Q(ticket=None) | ~Exists(earlier)).order_by(account_first, "id")
    return list(due.values_list("pk", "attempts")[:_BATCH])


def _send_all(connection: BaseEmailBackend) -> int:
    """Round by round, as each mail that went may make way for the next, until nothing moves or the time is over."""
    sent, end = 0, monotonic() + _RUN_SECONDS
    while waiting := _waiting():
        before = sent
        for pk, attempts in waiting:
            if monotonic() > end:  # a slow server; what is left is found again
                return sent
            if _claim(pk, attempts):
                sent += _deliver(pk, connection)
        if sent == before:
            break
    return sent


def _claim(pk: int, attempts: int) -> bool:
    """Compare and set: of any number of workers one gets it."""
    claimed = Delivery.objects.due().filter(pk=pk, attempts=attempts)
    return claimed.update(state=State.SENDING, attempts=F("attempts") + 1, next_attempt_at=timezone.now() + LEASE) == 1


_NEEDED = ("event__ticket__status", "event__actor", "event__comment", "recipient", "subscription__created_by")


def _deliver(pk: int, connection: BaseEmailBackend) -> bool:
    delivery = Delivery.objects.select_related(*_NEEDED).get(pk=pk)
    if delivery.attempts > _TRIES:
        _settle(delivery, State.FAILED, error=_("Its sender died with it each time."))
        return False
    try:
        if refusal := _refusal(delivery):
            _settle(delivery, State.CANCELLED, error=refusal)
            return False
        if delivery.kind not in SENT_ELSEWHERE:
            delivery.address = delivery.recipient.email  # as it is now: a link must not reach who had it before
        mail = render(delivery)
        delivery.subject, delivery.message_id = mail.subject[:300], mail.extra_headers["Message-ID"].strip("<>")
        mail.metadata = {"delivery": str(delivery.pk)}  # type: ignore[attr-defined] # anymail's: given back with what becomes of the mail
        connection.open()  # does nothing while it is; after a failure it stays open again for all that follow
        connection.send_messages([mail])
    except Exception as error:  # noqa: BLE001 whatever it was, the row keeps it, and no other mail waits for it
        _failed(delivery, error)
        connection.close()
        return False
    _settle(delivery, State.SENT)
    return True


def _refusal(delivery: Delivery) -> str:
    """Why it must no longer be sent; '' when it may."""
    if not delivery.recipient.is_active:
        return _("This person's account is switched off.")
    if delivery.event and not may_be_told(delivery.recipient, delivery.event):
        return _("This person may no longer see the ticket.")
    if delivery.kind == Kind.INVITATION and delivery.invitation and not delivery.invitation.is_open:
        return _("The invitation was accepted or taken back meanwhile.")
    if delivery.kind == Kind.REPORT and not (delivery.subscription_id and delivery.recipient.is_staff):
        return _("This person is subscribed to the report no more.")
    if delivery.kind == Kind.DIGEST and not events_of(delivery):
        return _("Nothing that it was to tell may be told any more.")
    if delivery.kind == Kind.PROVE_ADDRESS and not own_addresses.awaits_proof(delivery.recipient, delivery.address):
        return _("The address was proven or removed meanwhile.")
    return bounces.refusal(delivery)


def _failed(delivery: Delivery, error: Exception) -> None:
    logger.warning("delivery %s failed: %s", delivery.pk, type(error).__name__)
    if _is_final(error) or delivery.attempts >= _TRIES:
        _settle(delivery, State.FAILED, error=_words(error))
        bounces.suspend_if_hopeless(delivery)
    else:
        delivery.next_attempt_at = timezone.now() + BACKOFF[delivery.attempts - 1]
        _settle(delivery, State.QUEUED, error=_words(error))


def _words(error: Exception) -> str:
    """For agents: what the server said; a fault of our own program by its name."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        words = "; ".join(f"{code} {_text(said)}" for code, said in error.recipients.values())
    elif isinstance(error, smtplib.SMTPSenderRefused):  # said so, as it tells nothing about the recipient's address
        words = f"{error.smtp_code} Sender rejected: {_text(error.smtp_error)}"
    elif isinstance(error, smtplib.SMTPResponseException):
        words = f"{error.smtp_code} {_text(error.smtp_error)}"
    else:
        words = str(error) if isinstance(error, OSError) and str(error) else f"{type(error).__name__}: {error}"
    return words.replace("\0", "")[:500]


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said


# No recipient's fault: a server that takes nothing from us, or not under our addresses, may be made to.
_OURS_TO_MEND = (smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPSenderRefused)


def _is_final(error: Exception) -> bool:
    """A 5xx of the server will be the same next time; anything else may pass."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _words in error.recipients.values())
    if isinstance(error, _OURS_TO_MEND):
        return False
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    return isinstance(error, AnymailRecipientsRefused)


def _settle(delivery: Delivery, state: State, *, error: str = "") -> None:
    delivery.state, delivery.error = state, error
    if state == State.SENT:
        delivery.sent_at = timezone.now()
    # Only while the lease is ours: a sender that slept past it must not overwrite what another has done since, nor a bounce that was quicker than we.
    Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, state=State.SENDING).update(
        state=delivery.state,
        error=delivery.error,
        address=delivery.address,
        sent_at=delivery.sent_at,
        subject=delivery.subject,
        message_id=delivery.message_id,
        next_attempt_at=delivery.next_attempt_at,
    )


def retry(delivery: Delivery) -> bool:
    """By hand, for one that failed or came back: its tries begin anew. False when it had not."""
    failed = Delivery.objects.filter(pk=delivery.pk, state__in=UNDELIVERED)
    return failed.update(state=State.QUEUED, attempts=0, next_attempt_at=timezone.now(), bounced_at=None) == 1
