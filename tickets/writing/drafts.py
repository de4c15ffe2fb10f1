"""What staff write on a ticket before it is said: drafts kept on the server, and replies that wait some seconds so that they can be taken back.

A reply that waits is a draft with `send_at`, and nothing else of it exists: no comment, no event, no change of the ticket. So there is nothing to hide from
customers, lists, search, mail or clocks, and taking it back restores nothing. When its time has come it is said by the ordinary verb. A macro with a reply
waits with it, all of it.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.html import escape, linebreaks
from django.utils.translation import gettext as _

from accounts.errors import DomainError, IllegalMove
from tickets import actions, files
from tickets.actions import Message, NotStored, gone
from tickets.locking import lock, said_elsewhere
from tickets.models import Channel, Comment, Draft, Macro, Status, Ticket, TicketType, Upload
from tickets.writing import macros

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

logger = logging.getLogger(__name__)

_BATCH = 500
_PUT_OFF = timedelta(seconds=30)
_KEPT = timedelta(days=90)


class Outdated(DomainError):
    """The draft is not the one that the page knew: it was written on elsewhere, or has been sent. Nothing was saved."""


def of(user: User) -> QuerySet[Draft]:
    """All that this person is writing, the newest first; nobody else's."""
    return Draft.objects.filter(writer=user).order_by("-updated_at", "-pk") if user.is_staff else Draft.objects.none()


def with_own(tickets: QuerySet[Ticket], user: User) -> QuerySet[Ticket]:
    """Each with `has_draft`: this person has begun to write on it."""
    return tickets.annotate(has_draft=Exists(Draft.objects.filter(ticket=OuterRef("pk"), writer=user)))


def with_marks(tickets: QuerySet[Ticket], user: User) -> QuerySet[Ticket]:
    """Each with `has_draft`, and `has_leaving`: somebody's reply is on its way out."""
    leaving = Draft.objects.filter(ticket=OuterRef("pk"), send_at__isnull=False)
    return with_own(tickets, user).annotate(has_leaving=Exists(leaving))


def at(ticket: Ticket, *, user: User) -> tuple[list[Draft], Draft | None, list[User]]:
    """What a ticket's page shows: the person's drafts, the newest first, their reply that is leaving, and whose else is. Of a ticket `with_marks` no
    query where there is none.
    """
    if not (getattr(ticket, "has_draft", True) or getattr(ticket, "has_leaving", True)):
        return [], None, []
    rows = Draft.objects.filter(Q(writer=user) | Q(send_at__isnull=False), ticket=ticket)
    found = list(rows.select_related("writer", "status", "type", "macro").prefetch_related("uploads").order_by("-updated_at", "-pk"))
    own = [row for row in found if row.writer_id == user.pk]
    leaving = next((row for row in own if row.send_at), None)
    return [row for row in own if not row.send_at], leaving, [row.writer for row in found if row.writer_id != user.pk]


def sending(ticket: Ticket) -> QuerySet[Draft]:
    """The replies that are on their way out."""
    return Draft.objects.filter(ticket=ticket, send_at__isnull=False)


@transaction.atomic
def save(
    ticket: Ticket, *, actor: User, message: Message, is_note: bool = False, status: Status | None = None, known: UUID | None = None
) -> Draft | None:
    """Keeps what is being written; where that is nothing, there is no draft. `known`: the version that the page had, if any. Raises Outdated.

    A reply and a note are two drafts: neither takes the other's words. Only who posts the one that they knew as the other kind makes it that.
    """
    ticket = lock(ticket, actor, staff_only=True)
    unsent = list(_unsent(ticket, actor))
    draft = next((one for one in unsent if one.version == known), None)
    is_taken = any(one.is_note == is_note and one != draft for one in unsent)
    if (known and draft is None) or is_taken or _sent_before(message, actor):
        raise Outdated(
            _("This was written on in another window, or sent. Open the ticket again to see it; nothing here was saved over it.")
        )
    kept = _kept(message, actor)
    if not (message.text.strip() or message.html or kept):
        discard(draft)
        return None
    draft = draft or Draft(writer=actor, ticket=ticket)
    draft.text, draft.html, draft.is_note, draft.status = message.text, message.html, is_note, status
    draft.version, draft.updated_at, draft.problem = uuid4(), timezone.now(), ""
    draft.save()
    draft.uploads.set(kept)
    return draft


def discard(draft: Draft | None) -> None:
    """Its files go with the next sweep, as any upload that nobody posted."""
    if draft:
        draft.delete()


def clear(ticket: Ticket, *, actor: User, is_note: bool, known: UUID | None) -> None:
    """What was in progress has been said: of that kind, or begun as the other one (`known`, see `save`)."""
    _unsent(ticket, actor).filter(Q(is_note=is_note) | Q(version=known)).delete()


def _unsent(ticket: Ticket, writer: User) -> QuerySet[Draft]:
    return Draft.objects.filter(ticket=ticket, writer=writer, send_at=None)


def _sent_before(message: Message, writer: User) -> Draft | Comment | None:
    """What became of this form when it was sent before."""
    if (key := message.submission_key) is None:
        return None
    return Draft.objects.filter(writer=writer, submission_key=key).first() or actions.said_before(message, writer)


def _kept(message: Message, writer: User) -> list[Upload]:
    """The message's files as uploads, which outlive the request."""
    kept = list(Upload.objects.filter(pk__in=message.uploads, uploader=writer))
    if len(kept) < len(set(message.uploads)):
        raise NotStored(gone())
    for new in message.files:
        try:
            kept.append(files.keep(new, uploader=writer))
        except OSError as error:
            logger.exception("a file could not be stored")
            raise NotStored(files.not_stored(new.name)) from error
    return kept


@transaction.atomic
def add(ticket: Ticket, *, actor: User, text: str, html: str = "") -> Draft:
    """Puts words below what was written last, if anything is."""
    ticket = lock(ticket, actor, staff_only=True)
    draft = _unsent(ticket, actor).order_by("-updated_at").first() or Draft(writer=actor, ticket=ticket)
    _append(draft, text, html)
    draft.version, draft.updated_at = uuid4(), timezone.now()
    draft.save()
    return draft


def _append(draft: Draft, text: str, html: str) -> None:
    if draft.html or html:
        both = ((draft.text, draft.html), (text, html))
        draft.html = "".join(rich or linebreaks(escape(plain)) for plain, rich in both if rich or plain)
    draft.text = f"{draft.text}\n\n{text}".strip()


# --- Replies that can be taken back --------------------------------------------------------------------------------------------


@transaction.atomic
def send(  # noqa: PLR0913 all by name
    ticket: Ticket,
    *,
    actor: User,
    message: Message,
    status: Status | None = None,
    type: TicketType | None = None,
    reference: str = "",
    known: UUID | None = None,
    keeps_draft: bool = False,
    macro: Macro | None = None,
) -> Draft | Comment:
    """A reply of staff, in place of what was their draft. It goes out after UNDO_SECONDS; at once, as the comment that it is, where those are 0.

    `known`: see `clear`. `keeps_draft`: it is none of what they were writing, which stays. `macro`: what it is the reply of, and all that is done with it.
    """
    ticket = lock(ticket, actor, staff_only=True)
    if earlier := _sent_before(message, actor):
        return earlier
    kept = _kept(message, actor) if settings.UNDO_SECONDS else []
    if not keeps_draft:
        clear(ticket, actor=actor, is_note=False, known=known)
    settle(ticket, actor=actor)  # last: where that can't be said any more, it is a draft again
    ticket.refresh_from_db(fields=("status", "type", "reference"))  # which that may have moved
    if not settings.UNDO_SECONDS:
        return actions.comment(ticket, actor=actor, message=message, status=status, type=type, reference=reference)
    if status and status != ticket.status:
        actions.check_entry(status, has_type=bool(type or ticket.type_id), has_reference=bool(reference or ticket.reference))
    now = timezone.now()
    leaving = Draft.objects.create(
        writer=actor,
        ticket=ticket,
        text=message.text,
        html=message.html,
        status=status,
        type=type,
        reference=reference,
        macro=macro,
        updated_at=now,
        send_at=now + timedelta(seconds=settings.UNDO_SECONDS),
        seen=ticket.events.aggregate(newest=Max("pk"))["newest"],
        submission_key=message.submission_key,
    )
    leaving.uploads.set(kept)
    return leaving


@transaction.atomic
def use(macro: Macro, ticket: Ticket, *, actor: User, type: TicketType | None = None, reference: str = "") -> Draft | None:
    """Does what a macro says; one with a reply waits as that does, and is answered. `type`: in place of the macro's. `reference`: for its status.

    Raises TypeRequired, and then nothing has been done.
    """
    macros.check(macro)
    ticket = lock(ticket, actor, staff_only=True)
    if into := said_elsewhere(ticket, actor):  # its reply would be said there, to others than it was filled in for
        raise IllegalMove(_("This ticket was merged into #%(number)d. Use the macro there.") % {"number": into})
    message = macros.reply_of(macro, ticket, actor=actor)
    if message is None or not settings.UNDO_SECONDS:
        settle(ticket, actor=actor)
        macros.do(macro, ticket, actor=actor, type=type, reference=reference, message=message)
        return None
    given: dict[str, Any] = {"type": type or macro.type, "reference": reference}
    said = send(ticket, actor=actor, message=message, status=macro.status, **given, keeps_draft=True, macro=macro)
    return said if isinstance(said, Draft) else None


@transaction.atomic
def take_back(pk: int, *, actor: User) -> Draft:
    """A reply that has not gone out is a draft again; nobody will learn of it. Its writer's, whether or not they still see the ticket. Raises IllegalMove."""
    draft = _hold(actor.drafts.filter(pk=pk, send_at__isnull=False))
    if draft is None:
        raise IllegalMove(_("It is too late: your reply has gone out. Write another one that puts things right."))
    return _give_back(draft)


def settle(ticket: Ticket, *, actor: User) -> None:
    """What this person sent off before goes out now, as what they do next comes after it. With the ticket locked."""
    if leaving := Draft.objects.filter(ticket=ticket, writer=actor, send_at__isnull=False).first():
        _say_or_give_back(leaving)


def send_due() -> int:
    """Says what was not taken back; one that fails is told in the log, put off, and holds up no other. Returns how many went out."""
    sent = 0
    for pk in list(Draft.objects.filter(send_at__lte=Now()).order_by("send_at").values_list("pk", flat=True)[:_BATCH]):
        try:
            sent += send_if_due(pk)
        except Exception:
            logger.exception("reply %s could not go out; it is tried again in half a minute", pk)
            Draft.objects.filter(pk=pk, send_at__isnull=False).update(send_at=timezone.now() + _PUT_OFF)
    return sent


@transaction.atomic
def send_if_due(pk: int) -> bool:
    """Looks again under the ticket's lock, so that of any number of workers, and of who takes it back, one is first. True when this call sent it."""
    draft = _hold(Draft.objects.filter(pk=pk, send_at__lte=Now()))
    return draft is not None and _say_or_give_back(draft)


def drop_old() -> int:
    """Throws away what nobody has gone on with. Returns how many this call dropped."""
    old = Draft.objects.filter(send_at=None, updated_at__lt=timezone.now() - _KEPT)
    return old.delete()[1].get(Draft._meta.label, 0)


def _hold(drafts: QuerySet[Draft]) -> Draft | None:
    """The one of these that there is, if it is still among them once the ticket and it are ours."""
    number = drafts.values_list("ticket", flat=True).first()
    if number is None:
        return None
    Ticket.objects.select_for_update().only("pk").get(pk=number)
    return drafts.select_for_update(of=("self",)).select_related("writer", "ticket", "status", "type", "macro").first()


def _say_or_give_back(draft: Draft) -> bool:
    """A reply that can't be said any more comes back to its writer with the reason, and is never lost."""
    try:
        with transaction.atomic():
            if into := said_elsewhere(draft.ticket, draft.writer):  # others read there, and who was answered may not
                raise IllegalMove(
                    _("The ticket was merged into #%(number)d meanwhile. Look who reads there, then send it.") % {"number": into}
                )
            _say(draft)
            draft.delete()
    except DomainError as error:
        _give_back(draft, problem=str(error))
    except Ticket.DoesNotExist:
        _give_back(draft, problem=_("You no longer see this ticket."))
    else:
        return True
    return False


def _say(draft: Draft) -> None:
    message = Message(
        text=draft.text,
        html=draft.html,
        uploads=tuple(draft.uploads.values_list("pk", flat=True)),
        channel=Channel.DESK,
        submission_key=draft.submission_key,
    )
    given: dict[str, Any] = {"type": draft.type, "reference": draft.reference, "seen": draft.seen}
    if (macro := draft.macro) is None:
        actions.comment(draft.ticket, actor=draft.writer, message=message, status=draft.status, **given)
    elif macro.changed_at > draft.updated_at:
        raise IllegalMove(_("“%(macro)s” was changed meanwhile. Look at what it does now, and use it again.") % {"macro": macro})
    else:
        macros.do(macro, draft.ticket, actor=draft.writer, message=message, **given)


def _give_back(draft: Draft, *, problem: str = "") -> Draft:
    """Another reply that was begun meanwhile stands below it."""
    begun = _unsent(draft.ticket, draft.writer).filter(is_note=False).first()
    if begun:
        _append(draft, begun.text, begun.html)
        draft.uploads.add(*begun.uploads.all())
        begun.delete()
    draft.send_at = draft.seen = draft.submission_key = draft.macro = None
    draft.version, draft.updated_at, draft.problem = uuid4(), timezone.now(), problem
    draft.save()
    return draft
