"""One mail that came in or went out, what became of it, and the buttons for what waits for a person. The lists are in `tickets.desk.mail_list`.

Shows; the verbs are in `tickets.mail.ingest` and `notifications.channels`. Mail of a ticket is for those who see the ticket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.keys import opens_an_account, without_keys
from accounts.models import User
from notifications import channels, kept_mail
from notifications.apps import wake_sender
from notifications.models import ACCOUNT_KINDS, UNDELIVERED, Delivery, Kind
from tickets import access, actions
from tickets.desk.door import StaffRequest, staff_required
from tickets.mail import ingest
from tickets.mail.parse import ParsedMail, UnreadableMail, parse
from tickets.models import InboundMessage, InboundState
from tickets.templatetags.rich import rich_text

if TYPE_CHECKING:
    from django.db.models import QuerySet

M = TypeVar("M", InboundMessage, Delivery)

WAITS = (InboundState.HELD, InboundState.FAILED)
_MAX_HEADERS = 20_000  # characters shown; all of it is in the download


# --- Who sees which ------------------------------------------------------------------------------------------------------------


def inbound_for(user: User) -> QuerySet[InboundMessage]:
    return access.inbound_for(user).defer("raw").select_related("mailbox", "ticket", "rule")


def deliveries_for(user: User) -> QuerySet[Delivery]:
    """Of the tickets that `access` shows, and mail about an account alone, which belongs to none: what it says is for admins (see `_may_read`)."""
    of_ticket = Q(ticket__isnull=False) & access.visible_to(user, path="ticket__")
    return Delivery.objects.filter(Q(ticket=None) | of_ticket).select_related("recipient", "ticket")


def needing_somebody(user: User) -> int:
    """How many mails came in that only a person can decide about."""
    return access.inbound_for(user).filter(state__in=WAITS).count()


# --- One that came in ----------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def mail_in(request: StaffRequest, pk: int) -> HttpResponse:
    message = _inbound(request.user, pk)
    raw = bytes(message.raw)
    parsed = _read(raw)
    is_open = _may_read_all(request.user, raw, parsed)
    offers = _offers(message, is_readable=parsed is not None)
    context = {
        "message": message,
        "sender": User.objects.by_address(message.from_address),
        "is_secret": not is_open,
        "parsed": parsed,
        "reply_text": rich_text(without_keys(parsed.reply_text)) if parsed else "",
        "headers": _headers(raw),
        "offers": offers,
        "newly_let_in": bool(offers) and _is_let_in(message, parsed),
    }
    return render(request, "desk/mail_in.html", context)


@require_safe
@staff_required
def mail_raw(request: StaffRequest, pk: int) -> HttpResponse:
    """The bytes as they came; their SHA-256 is on the page."""
    message = _inbound(request.user, pk)
    raw = bytes(message.raw)
    if not _may_read_all(request.user, raw, _read(raw)):
        raise actions.NotAllowed(_("This mail quotes a link that opens somebody's account, so only admins can read all of it."))
    name = f'attachment; filename="mail-{message.pk}.eml"'
    return HttpResponse(raw, content_type="message/rfc822", headers={"Content-Disposition": name})


@require_POST
@staff_required
def publish(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        comment = ingest.publish(_inbound(request.user, pk), actor=request.user)
    except UnreadableMail:
        return _unreadable(request, pk)
    messages.success(request, _("Published as %(author)s's reply.") % {"author": comment.author})
    return redirect(reverse("desk_ticket", args=[comment.ticket_id]) + f"#c{comment.pk}")


@require_POST
@staff_required
def open_held(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        ticket = ingest.open_held(_inbound(request.user, pk), actor=request.user)
    except UnreadableMail:
        return _unreadable(request, pk)
    messages.success(request, _("This is a ticket now."))
    return redirect("desk_ticket", ticket.number)


def _unreadable(request: StaffRequest, pk: int) -> HttpResponse:
    messages.error(request, _("Nothing in this mail can be read. Download it, and answer its sender yourself."))
    return redirect("desk_mail_in", pk)


@require_POST
@staff_required
def discard(request: StaffRequest, pk: int) -> HttpResponse:
    ingest.discard(_inbound(request.user, pk), actor=request.user)
    messages.success(request, _("Discarded. The mail itself is kept."))
    return redirect("desk_mail_in", pk)


@require_POST
@staff_required
def replay(request: StaffRequest, pk: int) -> HttpResponse:
    message = _inbound(request.user, pk)
    ingest.replay(message, actor=request.user)
    message.refresh_from_db(fields=["state"])
    messages.success(request, _("Handled again: %(state)s.") % {"state": InboundState(message.state).label.lower()})
    return redirect("desk_mail_in", pk)


def _inbound(user: User, pk: int) -> InboundMessage:
    return _one(access.inbound_for(user).select_related("mailbox", "ticket", "comment__author", "rule"), pk)


def _one(queryset: QuerySet[M], pk: int) -> M:
    """Invisible and missing are the same 404."""
    try:
        found = queryset.filter(pk=pk).first()
    except OverflowError:
        found = None
    if found is None:
        raise Http404
    return found


def _offers(message: InboundMessage, *, is_readable: bool) -> list[dict[str, str]]:
    """What can be done with it, the likeliest first."""
    if message.state in (InboundState.DONE, InboundState.WAITING):
        return []
    offers = [
        (
            "publish",
            _("Publish as the sender's reply to #%(number)s") % {"number": message.ticket_id},
            is_readable and message.ticket_id is not None and not message.report,
        ),
        ("open", _("Make it a new ticket"), is_readable),
        ("replay", _("Handle it again"), True),
        ("discard", _("Discard"), message.state != InboundState.DISCARDED),
    ]
    return [{"label": label, "url": reverse(f"desk_mail_{verb}", args=[message.pk])} for verb, label, is_offered in offers if is_offered]


def _is_let_in(message: InboundMessage, parsed: ParsedMail | None) -> bool:
    """Whether publishing would show the ticket to somebody who does not see it now."""
    if parsed is None or message.ticket is None or message.report:
        return False
    sender = User.objects.by_address(parsed.from_address)
    return sender is None or not access.can_see(sender, message.ticket)


def _may_read_all(user: User, raw: bytes, parsed: ParsedMail | None) -> bool:
    """A mail of ours that came back, in whatever way, may hold the link that opens an account: whoever reads that could become anybody."""
    if user.is_admin:
        return True
    pieces = [raw]
    if parsed:
        pieces += [parsed.text.encode(), parsed.html.encode(), *(part.content for part in parsed.attachments)]
    return not any(map(opens_an_account, pieces))


def _read(raw: bytes) -> ParsedMail | None:
    """None where nothing in it could be read."""
    try:
        return parse(raw)
    except UnreadableMail:
        return None


def _headers(raw: bytes) -> str:
    """Everything above the first empty line, as it came."""
    head = raw.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0][:_MAX_HEADERS]
    return head.decode("utf-8", "replace").replace("\0", "\ufffd")


# --- One that went out ---------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def mail_out(request: StaffRequest, pk: int) -> HttpResponse:
    delivery = _one(deliveries_for(request.user), pk)
    is_open = _may_read(request.user, delivery)
    raw = kept_mail.read(delivery.message_id) if delivery.message_id and is_open else None
    parsed = _read(raw) if raw else None
    context = {
        "delivery": delivery,
        "can_retry": delivery.state in UNDELIVERED,
        "is_secret": not is_open,
        "parsed": parsed,
        "text": rich_text(parsed.text) if parsed else "",
        "headers": _headers(raw) if raw else "",
    }
    return render(request, "desk/mail_out.html", context)


def _may_read(user: User, delivery: Delivery) -> bool:
    """A digest tells of tickets that not all staff see. A mail about an account may hold the link that opens it: whoever reads that could become
    anybody. In demo mode it is how the link is got.
    """
    if delivery.kind == Kind.DIGEST:
        return not delivery.tells.exclude(ticket__in=access.tickets_for(user)).exists()
    return delivery.kind not in ACCOUNT_KINDS or user.is_admin or settings.DEMO


@require_POST
@staff_required
def mail_out_retry(request: StaffRequest, pk: int) -> HttpResponse:
    try_again(request, _one(deliveries_for(request.user), pk))
    return redirect("desk_mail_out", pk)


def try_again(request: StaffRequest, delivery: Delivery) -> None:
    if channels.retry(delivery):
        transaction.on_commit(wake_sender)
        messages.success(request, _("The mail to %(who)s will be tried again now.") % {"who": delivery.recipient})
    else:
        messages.info(request, _("That mail has not failed, so there is nothing to try again."))
