"""Decides what a mail is: an answer on a ticket, a new ticket, nothing for anybody, or a question for staff. Reads; changes nothing.

A sender is believed as far as proven. In order: a signed reply address (names ticket and person), a reference to a mail that we sent or stored, a ticket
number in the subject. The first two only find the ticket: the author must be somebody who sees it. A number is enough only from who is on the ticket already.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from accounts.addresses import normalise_address
from accounts.models import User
from tickets import access
from tickets.mail.automatic import ANSWERS, RELAYED
from tickets.mail.tokens import read_message_id, read_reply_address, read_thread_id
from tickets.models import InboundMessage, Mailbox, Ticket

if TYPE_CHECKING:
    from tickets.mail.parse import ParsedMail
    from tickets.mail.tokens import ReplyAddress

_NUMBER = re.compile(r"\[#(\d{1,15})\]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ignore:
    """Kept, and nothing else: it is from a machine that expects no answer, or from ourselves. Who sees the `ticket` that it answers may read it."""

    reason: str
    ticket: Ticket | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    ticket: Ticket
    author: User
    is_internal: bool = False
    is_proof: bool = False  # came to the author's own signed address, so the author's address is proven


@dataclass(frozen=True, slots=True)
class New:
    author: User | None  # None: nobody has this address yet
    quiet: bool = False  # a machine wrote it: no mail answers it
    doubt: str = ""  # why staff decide, unless an admin's rule knows such mail


@dataclass(frozen=True, slots=True)
class Hold:
    """Staff decide. `ticket` is the one it claims to answer."""

    reason: str
    ticket: Ticket | None = None


Verdict = Ignore | Reply | New | Hold


class _By(Enum):
    ADDRESS = "address"
    REFERENCE = "reference"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class _Claim:
    """Which ticket a mail says it answers, and what makes it say so."""

    ticket: Ticket
    by: _By
    reply_address: ReplyAddress | None = None


def route(mail: ParsedMail, *, envelope_to: str, is_forged: bool = False) -> Verdict:
    """`is_forged`: the domain in From says that this mail is not from there."""
    if echo := _route_echo(mail):
        return echo
    claim = _claim(mail, envelope_to)
    claimed = claim.ticket if claim else None
    if is_forged:
        return Hold(_("The sender's domain says that this mail is not from there."), claimed)
    if not mail.from_address or not mail.from_address.isascii():
        return Hold(_("It names no single sender that can be relied upon."), claimed)
    author = User.objects.by_address(mail.from_address)
    if mail.auto and mail.auto_reason not in RELAYED:
        return _route_automatic(mail, author=author, claim=claim)
    if author and not author.is_active:
        return Hold(_("The sender's account is switched off."), claimed)
    if claim:
        return _route_claim(claim, author=author)
    if mail.auto and author is None:
        return New(None, quiet=True, doubt=_("It came through a mailing list, from an unknown sender."))
    return New(author, quiet=mail.auto)


def _route_echo(mail: ParsedMail) -> Verdict | None:
    """What our own mail brought about, and what pretends to be ours."""
    if read_message_id(mail.message_id) is not None:
        return Ignore(_("Our own mail came back."))
    if is_ours(mail.from_address):
        return Ignore(_("Automatic mail of our own address.")) if mail.auto else Hold(_("It was sent under our own address."))
    if mail.bounce:
        return Ignore(_("A mail server says that a mail could not be delivered."))
    return None


def is_ours(address: str) -> bool:
    """Whether this is an address of one of our mailboxes, however it is written, or one that answers to our mails go to."""
    local, _at, domain = normalise_address(address).rpartition("@")
    return Mailbox.objects.filter(address=f"{local.partition('+')[0]}@{domain}").exists()


def _route_automatic(mail: ParsedMail, *, author: User | None, claim: _Claim | None) -> Verdict:
    """An absence note answers a mail of ours and says nothing about the matter. Other machines may have something to say, but never get an answer."""
    if claim or mail.in_reply_to or mail.auto_reason in ANSWERS:
        return Ignore(_("Automatic mail (%(why)s).") % {"why": mail.auto_reason}, claim.ticket if claim else None)
    if author is None or not author.is_active:
        return New(None, quiet=True, doubt=_("Automatic mail from an unknown sender (%(why)s).") % {"why": mail.auto_reason})
    return New(author, quiet=True)


def _route_claim(claim: _Claim, *, author: User | None) -> Verdict:
    ticket, signed = claim.ticket, claim.reply_address
    own = signed is not None and author is not None and author.pk == signed.user_id
    if author is None or not access.can_see(author, ticket):
        if claim.by == _By.NUMBER:
            return New(author)  # shows nothing of the ticket that it names
        return Hold(_("The sender is nobody who sees the ticket that this mail answers."), ticket)
    if author.is_staff and not own:
        return Hold(_("An agent's answer counts only from the reply address of the agent's own notification."), ticket)
    if claim.by == _By.NUMBER and not access.is_on(author, ticket):
        return New(author)
    if signed and signed.is_internal:
        return Reply(ticket, author, is_internal=True) if author.is_staff else Hold(_("It answers an internal note."), ticket)
    return Reply(ticket, author, is_proof=own)


def _claim(mail: ParsedMail, envelope_to: str) -> _Claim | None:
    return _by_address(mail, envelope_to) or _by_reference(mail) or _by_number(mail)


def _by_address(mail: ParsedMail, envelope_to: str) -> _Claim | None:
    for address in (envelope_to, *mail.delivered_to, *(entry.address for entry in (*mail.to, *mail.cc))):
        signed = read_reply_address(address)
        ticket = Ticket.objects.filter(pk=signed.ticket_id).first() if signed else None
        if ticket:
            return _Claim(ticket, _By.ADDRESS, signed)
    return None


def _by_reference(mail: ParsedMail) -> _Claim | None:
    ids = [*mail.in_reply_to, *reversed(mail.references)]
    if not ids:
        return None
    events = [event for event in map(read_message_id, ids) if event]
    threads = [ticket for ticket in map(read_thread_id, ids) if ticket]
    ticket = (
        (events and Ticket.objects.filter(events=events[0]).first())
        or (threads and Ticket.objects.filter(pk=threads[0]).first())
        or _stored(ids)
    )
    return _Claim(ticket, _By.REFERENCE) if ticket else None


def _stored(ids: list[str]) -> Ticket | None:
    """The ticket that first took in a mail with one of these Message-IDs: who uses another's again draws no answers to a ticket of their own."""
    stored = InboundMessage.objects.filter(message_id__in=ids[:20], comment__isnull=False).select_related("ticket").order_by("id").first()
    return stored.ticket if stored else None


def _by_number(mail: ParsedMail) -> _Claim | None:
    found = _NUMBER.search(mail.subject)
    ticket = Ticket.objects.filter(pk=int(found[1])).first() if found else None
    return _Claim(ticket, _By.NUMBER) if ticket else None
