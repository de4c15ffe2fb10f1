"""Takes mail in: stored and committed first, then handled; each mail once, and none lost. What can't be decided waits for staff, whose verbs are here too."""

from __future__ import annotations

import logging
from datetime import timedelta
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.addresses import domain_of, normalise_address
from accounts.keys import without_keys
from accounts.models import Organization, Role, User
from accounts.proof import prove_address
from tickets import access, actions, sharing
from tickets.events import one_nudge
from tickets.files import NewFile
from tickets.locking import lock, said_elsewhere
from tickets.mail.authentication import authenticate
from tickets.mail.automatic import RELAYED
from tickets.mail.fingerprint import fingerprint
from tickets.mail.forwards import original_sender
from tickets.mail.parse import ParsedMail, UnreadableMail, parse, read_envelope
from tickets.mail.reports import read_report
from tickets.mail.route import Hold, Ignore, New, Reply, is_ours, route
from tickets.mail.rules import matching_rule
from tickets.mail.tokens import read_bounce_address, read_reply_address
from tickets.models import Authentication, Channel, Comment, InboundMessage, InboundState, Mailbox, MailRule, Ticket

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

_BATCH = 50  # about a second's work: those who send what comes of it are woken after each
_GROUP, _GROUP_BYTES = 8, 4_000_000  # mails claimed at once
_LEASE = timedelta(minutes=1)  # for a group; who takes longer may be overtaken
_RUN_SECONDS = 120  # well below the worker's time limit, which would cut a mail in the middle
_FLOOD, _FLOOD_SPAN = 100, timedelta(hours=1)
_BACKOFF = [timedelta(minutes=m) for m in (1, 5, 30, 120)]
_TRIES = len(_BACKOFF) + 1
_MAX_COPIED = 50  # addresses kept from To and Cc


# --- Storing -------------------------------------------------------------------------------------------------------------------


def mailbox_for(address: str) -> Mailbox | None:
    """The mailbox of ours that an address means, signed reply addresses included."""
    local, _at, domain = normalise_address(address).strip("<>").rpartition("@")
    return Mailbox.objects.filter(address=f"{local.partition('+')[0]}@{domain}", is_active=True).first()


def default_mailbox() -> Mailbox:
    return Mailbox.objects.get_or_create(address=settings.SUPPORT_ADDRESS, defaults={"name": "Support"})[0]


def meant_for(recipients: Sequence[str]) -> tuple[Mailbox, str]:
    """Where a mail belongs, and the one address of the envelope that says most, '' for none: several addresses of ours get one mail, and a signed one leads."""
    address = min(recipients, key=lambda address: read_reply_address(address) is None, default="")
    return mailbox_for(address) or default_mailbox(), address


def store(
    raw: bytes,
    *,
    mailbox: Mailbox,
    envelope_from: str = "",
    envelope_to: str = "",
    client_ip: str | None = None,
    client_name: str = "",
    arrived_at: datetime | None = None,
) -> tuple[InboundMessage, bool]:
    """Commits the bytes as they are. The flag is False for a mail that is here already. Raises django.db.Error when it could not be stored.

    `arrived_at` is when a mail server got it that we fetched it from, which tells a mail without id and date from the same one a day later.
    """
    sender, subject = read_envelope(raw)
    message, is_new = InboundMessage.objects.get_or_create(
        fingerprint=fingerprint(raw, now=arrived_at or timezone.now()),
        defaults={
            "mailbox": mailbox,
            "raw": raw,
            "sha256": sha256(raw).hexdigest(),
            "size": len(raw),
            "envelope_from": envelope_from[:320],
            "envelope_to": envelope_to[:320],
            "client_ip": client_ip,
            "client_name": client_name[:253],
            "from_address": sender[:320],
            "subject": subject[:250],
        },
    )
    if not is_new:
        InboundMessage.objects.filter(pk=message.pk).update(repeats=F("repeats") + 1)
    return message, is_new


# --- Handling ------------------------------------------------------------------------------------------------------------------


def ingest_waiting() -> int:
    """Handles what is due, until nothing is or its time is over. Returns how many were handled."""
    handled, end = 0, monotonic() + _RUN_SECONDS
    while monotonic() < end and (groups := _due()):  # what is left is found again
        with one_nudge():
            done = sum(_try(message) for group in groups for message in _claim(group))
        if not done:  # other workers have them all
            break
        handled += done
    return handled


def ingest(pk: int) -> bool:
    """Handles one mail. False when it is not due: another worker has it, or had it."""
    return any(_try(message) for message in _claim([pk]))


def _due() -> list[list[int]]:
    """In groups to be claimed at once. Each sender's first mail, then each one's second …: who sends a thousand holds up nobody but themselves.

    What was tried before is a group of its own: if it kills its worker again, it puts off no other.
    """
    due = InboundMessage.objects.filter(state=InboundState.WAITING, next_attempt_at__lte=timezone.now())
    turn = Window(RowNumber(), partition_by=F("from_address"), order_by="id")
    groups: list[list[int]] = []
    room = 0  # bytes that the last group may still take: its mails are in memory together
    for pk, attempts, size in due.annotate(turn=turn).order_by("turn", "id").values_list("pk", "attempts", "size")[:_BATCH]:
        if groups and size <= room and not attempts and len(groups[-1]) < _GROUP:
            groups[-1].append(pk)
            room -= size
        else:
            groups.append([pk])
            room = 0 if attempts else _GROUP_BYTES - size
    return groups


def _claim(pks: list[int]) -> list[InboundMessage]:
    """Those of them that are due. Committed before the try: a mail that kills its worker is put off, and in the end given up, like any other that fails."""
    now = timezone.now()
    with transaction.atomic():
        due = InboundMessage.objects.filter(pk__in=pks, state=InboundState.WAITING, next_attempt_at__lte=now)
        mine = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True))
        InboundMessage.objects.filter(pk__in=mine).update(attempts=F("attempts") + 1, next_attempt_at=now + _LEASE)
    messages = InboundMessage.objects.select_related("mailbox__group").in_bulk(mine)
    return [messages[pk] for pk in pks if pk in messages]


def _try(message: InboundMessage) -> bool:
    """False when it took longer than its lease, and another worker has it."""
    if message.attempts > _TRIES:
        _give_up(message, _("The program that handled it died each time."))
        return True
    try:
        # What takes time, or asks others, is done before the transaction begins.
        mail = parse(bytes(message.raw))
        if message.authentication == Authentication.UNKNOWN:  # else replayed: signatures expire, the verdict stays
            message.authentication, message.authentication_details = authenticate(message)
        with transaction.atomic():
            _handle(message, mail)
    except _Overtaken:
        return False
    except UnreadableMail as error:
        _give_up(message, _("This mail is beyond what we can read safely: %(why)s.") % {"why": error})
    except Exception as error:
        logger.exception("inbound mail %s could not be handled", message.pk)
        _put_off(message, error)
    return True


def _handle(message: InboundMessage, mail: ParsedMail) -> None:
    _describe(message, mail)
    if report := _report(message, mail):
        message.report = report
        _settle(message, InboundState.REPORT, _("A mail server says what became of a mail of ours."))
        return
    match route(mail, envelope_to=message.envelope_to, is_forged=message.authentication == Authentication.FAILED):
        case Ignore(reason, ticket):
            message.ticket = ticket
            _settle(message, InboundState.IGNORED, reason)
        case Hold(reason, ticket):
            message.ticket = ticket
            _settle(message, InboundState.HELD, reason)
        case Reply() as reply:
            _reply(message, mail, reply)
        case New() as new:
            _new(message, mail, new)


def _report(message: InboundMessage, mail: ParsedMail) -> dict[str, Any] | None:
    """What a bounce says, for `notifications.bounces`. Only the address it came to can prove which mail of ours it is about."""
    came_to = (message.envelope_to, *mail.delivered_to, *(entry.address for entry in mail.to))
    delivery = next(filter(None, map(read_bounce_address, came_to)), None)
    report = read_report(bytes(message.raw)) if mail.bounce or delivery else None
    return report.as_json() | {"delivery": delivery, "proven": delivery is not None} if report else None


def _new(message: InboundMessage, mail: ParsedMail, new: New) -> None:
    """What an admin's rule says of such mail counts for more than our doubts; a flood only where the rule says that no person writes it."""
    rule = message.rule = matching_rule(mail, mailbox=message.mailbox, raw=bytes(message.raw))
    author = new.author or (_author_by_rule(rule, mail, doubt=new.doubt) if rule else None)
    if new.doubt and author is None:
        _settle(message, InboundState.HELD, new.doubt)
    elif not (rule and (rule.is_spam or rule.is_quiet or new.quiet)) and _is_flood(message):
        _settle(message, InboundState.HELD, _("This sender wrote more than %(many)s mails within an hour.") % {"many": _FLOOD})
    else:
        _open(message, mail, author=author or _admit(mail), rule=rule, quiet=new.quiet)


def _author_by_rule(rule: MailRule, mail: ParsedMail, *, doubt: str) -> User | None:
    """Neither spam nor a machine makes an account: their tickets are those of whom the rule names, or of who made it."""
    if not (rule.is_spam or doubt):
        return _admit(mail)
    author = next((person for person in (rule.requester, rule.created_by) if person and person.is_active), None)
    return author or (None if doubt else _admit(mail))


def _is_flood(message: InboundMessage) -> bool:
    """Whether more mails of this sender came within the hour before this one than a person writes."""
    earlier = InboundMessage.objects.filter(from_address=message.from_address, pk__lt=message.pk).order_by("-pk")
    then = earlier.values_list("received_at", flat=True)[_FLOOD - 1 : _FLOOD].first()
    return then is not None and message.received_at - then < _FLOOD_SPAN


def _reply(message: InboundMessage, mail: ParsedMail, reply: Reply) -> None:
    if reply.is_proof:
        prove_address(reply.author)
    into = said_elsewhere(lock(reply.ticket, reply.author), reply.author) if reply.author.is_staff else None
    if into and not reply.is_internal and _is_read_by_others(reply.ticket, into):
        message.ticket = reply.ticket
        reason = _("#%(number)d was merged into #%(into)d meanwhile, where other customers read. Look who does, then publish it there.")
        _settle(message, InboundState.HELD, reason % {"number": reply.ticket.pk, "into": into})
        return
    say = actions.add_note if reply.is_internal else actions.comment
    # What an agent's program quotes is our mail to staff: it has words and links that are not for customers.
    comment = say(reply.ticket, actor=reply.author, message=_words(mail, with_quotes=not reply.author.is_staff))
    _share_with_copied(message, mail, author=reply.author, ticket=comment.ticket)
    moved = _("It answered #%(number)d, which was merged into this ticket.") % {"number": reply.ticket.pk} if into else ""
    _done(message, comment, reason=moved)


def _is_read_by_others(ticket: Ticket, into: int) -> bool:
    """Whether words for this ticket's customers would reach others on that one, or not reach who asked."""
    target = Ticket.objects.get(pk=into)
    here, there = (set(access.who_see(one).filter(role=Role.CUSTOMER).values_list("pk", flat=True)) for one in (ticket, target))
    return not there <= here or ticket.requester_id not in there


def _open(
    message: InboundMessage, mail: ParsedMail, *, author: User, rule: MailRule | None = None, quiet: bool = False, reason: str = ""
) -> Ticket:
    ticket = actions.open_ticket(
        actor=author,
        requester=author,
        subject=mail.subject or _("(no subject)"),
        message=_words(mail),
        share_with=_home(author),
        group=message.mailbox.group,
        sorted_by=rule,
        quiet=quiet,
    )
    message.forwarded_from = original_sender(subject=mail.subject, text=mail.text)[:320]
    _share_with_copied(message, mail, author=author, ticket=ticket)
    _done(message, ticket.description, reason=reason)
    return ticket


def _words(mail: ParsedMail, *, with_quotes: bool = True) -> actions.Message:
    """What the person wrote. The HTML is used only where its quotes are known to be off it. Keys in quoted mails of ours are nobody else's to use."""
    text = without_keys(mail.reply_text.strip())
    if len(text) > actions.TEXT_LIMIT:
        text = text[: actions.TEXT_LIMIT] + "\n\n" + _("(The rest of this long mail is in the original.)")
    return actions.Message(
        text=text or _("(This mail had no text.)"),
        html=without_keys(mail.reply_html or ("" if mail.quoted_text else mail.html)),
        quoted=without_keys(mail.quoted_text[: actions.TEXT_LIMIT]) if with_quotes else "",
        files=tuple(NewFile(name=part.name, content=ContentFile(part.content), content_id=part.content_id) for part in mail.attachments),
        channel=Channel.EMAIL,
    )


def _admit(mail: ParsedMail) -> User:
    return User.objects.admit(mail.from_address, name=mail.from_name)


def _home(author: User) -> Organization | None:
    """Whom a mailed ticket is shared with: the one organization, or of several the one whose domain the author writes from."""
    organizations = list(author.active_organizations()[:2])
    if len(organizations) < 2:
        return organizations[0] if organizations else None
    return author.active_organizations().filter(domains__domain=domain_of(author.email)).first()


def _share_with_copied(message: InboundMessage, mail: ParsedMail, *, author: User, ticket: Ticket) -> None:
    """Teammates in Cc follow. All others are only named to staff: being in Cc gives nobody access, an account or mail."""
    others: list[str] = []
    for entry in (*mail.to, *mail.cc)[:_MAX_COPIED]:
        if normalise_address(entry.address) == message.mailbox.address or mailbox_for(entry.address):
            continue
        person = User.objects.by_address(entry.address)
        if person and person.is_active and not author.is_staff and person.is_teammate_of(author):
            sharing.add_follower(ticket, actor=author, person=person)
        elif person is None or not access.can_see(person, ticket):
            others.append(entry.address)
    message.copied_to = others


# --- What became of it ---------------------------------------------------------------------------------------------------------


def _describe(message: InboundMessage, mail: ParsedMail) -> None:
    message.from_address = mail.from_address[:320]
    message.subject = mail.subject[:250]
    message.message_id = mail.message_id[:250]


def _done(message: InboundMessage, comment: Comment, *, reason: str = "") -> None:
    message.ticket, message.comment = comment.ticket, comment
    _settle(message, InboundState.DONE, reason)


def _put_off(message: InboundMessage, error: Exception) -> None:
    """What was begun is undone; the row says why."""
    reason = f"{type(error).__name__}: {error}"
    if message.attempts >= _TRIES:
        _give_up(message, reason)
    else:
        again = timezone.now() + _BACKOFF[message.attempts - 1]
        _still_waiting(message).update(reason=_storable(reason), next_attempt_at=again)


def _give_up(message: InboundMessage, reason: str) -> None:
    _still_waiting(message).update(state=InboundState.FAILED, reason=_storable(reason))


def _still_waiting(message: InboundMessage) -> QuerySet[InboundMessage]:
    return InboundMessage.objects.filter(pk=message.pk, state=InboundState.WAITING, attempts=message.attempts)


class _Overtaken(Exception):
    """This try took longer than its pause, and another worker has begun its own; what this one did is undone."""


def _settle(message: InboundMessage, state: InboundState, reason: str) -> None:
    """Compare and set, in the transaction of what was done about it. Raises _Overtaken."""
    as_taken_up = InboundMessage.objects.filter(pk=message.pk, state=message.state, attempts=message.attempts)
    message.state, message.reason = state, _storable(reason)
    if not as_taken_up.update(**{name: getattr(message, name) for name in _SETTLED}):
        raise _Overtaken


_SETTLED = (
    "state reason ticket_id comment_id rule_id from_address subject message_id forwarded_from copied_to "
    "authentication authentication_details report"
).split()


def _storable(reason: str) -> str:
    return reason.replace("\0", "")[:250]


# --- Delivery reports, which `notifications` understands -----------------------------------------------------------------------


def settle_report(message: InboundMessage, reason: str) -> None:
    """Keeps what a report, whose row the caller has locked, was found to be about (`ticket`, `report`)."""
    message.state, message.reason = InboundState.IGNORED, _storable(reason)
    message.save(update_fields=["state", "reason", "ticket", "report"])


def fail_report(pk: int, reason: str) -> None:
    """It waits at the Mail page."""
    InboundMessage.objects.filter(pk=pk, state=InboundState.REPORT).update(state=InboundState.FAILED, reason=_storable(reason))


# --- Staff's verbs -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def publish(message: InboundMessage, *, actor: User) -> Comment:
    """A held answer becomes the sender's comment; who did not see the ticket follows it from now on. Raises DomainError when it can't."""
    message = _take_up(message, actor)
    if message.ticket is None:
        raise actions.IllegalMove(_("This mail answers no ticket. Make it a new one."))
    mail = parse(bytes(message.raw))
    author = _named_sender(mail)
    if author is None:
        raise actions.IllegalMove(_("This mail names no sender who could have said it. Make it a new ticket."))
    if not access.can_see(author, message.ticket):
        sharing.add_follower(message.ticket, actor=actor, person=author)
    comment = actions.comment(message.ticket, actor=author, message=_words(mail, with_quotes=not author.is_staff))
    _done(message, comment, reason=_("Published by %(who)s.") % {"who": actor})
    return comment


@transaction.atomic
def open_held(message: InboundMessage, *, actor: User) -> Ticket:
    """A mail that waits becomes a ticket of its sender, or of `actor` where it names none. Raises DomainError when it can't."""
    message = _take_up(message, actor)
    mail = parse(bytes(message.raw))
    author = _named_sender(mail) or actor
    _describe(message, mail)
    return _open(message, mail, author=author, quiet=mail.auto, reason=_("Made a ticket by %(who)s.") % {"who": actor})


@transaction.atomic
def discard(message: InboundMessage, *, actor: User) -> None:
    """Out of the list that needs somebody. The mail stays, and can be taken up again."""
    _settle(_take_up(message, actor), InboundState.DISCARDED, _("Discarded by %(who)s.") % {"who": actor})


def replay(message: InboundMessage, *, actor: User) -> None:
    """Handles it as if it came in now."""
    with transaction.atomic():
        message = _take_up(message, actor)
        _settle(message, InboundState.WAITING, _("Replayed by %(who)s.") % {"who": actor})
        InboundMessage.objects.filter(pk=message.pk).update(attempts=0, next_attempt_at=timezone.now())
    ingest(message.pk)


def _take_up(message: InboundMessage, actor: User) -> InboundMessage:
    """The row, ours until the commit. Raises DomainError when it is a ticket by now, or somebody else was quicker."""
    if not actor.is_staff:
        raise actions.NotAllowed(_("Only our staff can do that."))
    message = InboundMessage.objects.select_for_update(of=("self",)).select_related("mailbox__group", "ticket").get(pk=message.pk)
    if message.state in (InboundState.DONE, InboundState.WAITING):
        raise actions.IllegalMove(_("Somebody has already dealt with this mail."))
    return message


def _named_sender(mail: ParsedMail) -> User | None:
    """None where the mail names nobody, one of our own mailboxes, or a machine that is unknown here: none of these ever becomes an account."""
    if not mail.from_address or not mail.from_address.isascii() or is_ours(mail.from_address):
        return None
    author = User.objects.by_address(mail.from_address)
    if author is None and mail.auto and mail.auto_reason not in RELAYED:
        return None
    author = author or _admit(mail)
    if not author.is_active:
        raise actions.IllegalMove(_("The sender's account is switched off. Switch it on first."))
    return author


def outcome(message: InboundMessage, *, is_new: bool) -> dict[str, Any]:
    """What `receive_mail` prints of it."""
    opened = message.comment is not None and message.comment.events.filter(kind="opened").exists()
    words: dict[str, str] = {
        InboundState.DONE: "opened" if opened else "commented",
        InboundState.WAITING: "queued",
        InboundState.FAILED: "held",
        InboundState.DISCARDED: "ignored",
    }
    status = words.get(message.state, message.state) if is_new else "duplicate"
    return {"status": status, "ticket": message.ticket_id, "reason": message.reason}
