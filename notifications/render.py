"""Turns a delivery into a mail, for its one recipient, at the moment it is sent. Reads; sends nothing."""

from __future__ import annotations

import unicodedata
from email.utils import formataddr
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.proof import set_password_path
from notifications.models import Delivery, Kind, Reason
from notifications.unsubscribe import unsubscribe_path
from tickets.events import describe
from tickets.mail.tokens import message_id, reply_address, thread_id
from tickets.models import EventKind, InboundMessage

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models import Event, Ticket

_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


def render(delivery: Delivery) -> EmailMultiAlternatives:
    """The whole mail, headers and both bodies. May raise whatever a template raises."""
    recipient = delivery.recipient
    with translation.override(settings.LANGUAGE_CODE), timezone.override(recipient.known_zone):
        context = _context(delivery)
        folder = f"emails/{delivery.kind}"
        subject = one_line(render_to_string(f"{folder}/subject.txt", context))
        text = render_to_string(f"{folder}/body.txt", context).strip() + "\n"
        html = _INLINER.inline(render_to_string(f"{folder}/body.html", context))
    mail = EmailMultiAlternatives(
        subject=subject,
        body=text,
        from_email=_sender(delivery.event),
        to=[formataddr((one_line(recipient.name), delivery.address))],
        headers=_headers(delivery),
    )
    mail.attach_alternative(html, "text/html")
    if delivery.event and delivery.ticket:
        mail.reply_to = [_reply_to(delivery.ticket.pk, recipient, delivery.event)]
    return mail


def _because(delivery: Delivery) -> str:
    """The end of "You get this mail because …"."""
    number = delivery.ticket.number if delivery.ticket else 0
    return {
        Reason.REQUESTER: _("ticket #%(number)s is yours"),
        Reason.FOLLOWER: _("you follow ticket #%(number)s"),
        Reason.ASSIGNEE: _("ticket #%(number)s is assigned to you"),
        Reason.GROUP: _("ticket #%(number)s waits for your group"),
        Reason.ACCOUNT: _("somebody wrote to us from your address, or asked for it"),
    }[Reason(delivery.reason)] % {"number": number}


def one_line(text: str, limit: int = 200) -> str:
    """Fit for a header: no line break or control character of anybody's can add another header."""
    return " ".join("".join(" " if unicodedata.category(char)[0] == "C" else char for char in text).split())[:limit]


def _sender(event: Event | None) -> str:
    """The person who did it by name, but always our address: theirs is not ours to send from."""
    actor = event.actor if event else None
    name = f"{actor.display_name} ({settings.SITE_NAME})" if actor else settings.SITE_NAME
    return formataddr((one_line(name), settings.SUPPORT_ADDRESS))


def _reply_to(ticket_id: int, recipient: User, event: Event) -> str:
    address = reply_address(ticket_id=ticket_id, user=recipient, is_internal=event.is_internal)
    return formataddr((one_line(settings.SITE_NAME), address))


def _headers(delivery: Delivery) -> dict[str, str]:
    headers = {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-Helpdesk-Loop": settings.SUPPORT_ADDRESS,
        "Message-ID": f"<account.{delivery.pk}.{int(delivery.created_at.timestamp())}@{settings.SUPPORT_DOMAIN}>",
    }
    if delivery.event is None or delivery.ticket is None or delivery.kind == Kind.SET_PASSWORD:
        return headers
    headers |= _thread(delivery.ticket, delivery.recipient)
    headers["Message-ID"] = f"<{message_id(event_id=delivery.event.pk, user_id=delivery.recipient_id)}>"
    if stop := _stop_url(delivery):
        headers |= {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return headers


def _stop_url(delivery: Delivery) -> str:
    """Where mails about the ticket can be stopped; '' for who is told because the work is theirs, which no link ends."""
    if delivery.ticket is None or delivery.reason not in (Reason.REQUESTER, Reason.FOLLOWER):
        return ""
    return urljoin(settings.SITE_URL, unsubscribe_path(delivery.ticket, delivery.recipient))


def _thread(ticket: Ticket, recipient: User) -> dict[str, str]:
    """Keeps a ticket's mails together: its own root, and the last mail that this person wrote on it."""
    root = f"<{thread_id(ticket.pk)}>"
    written = InboundMessage.objects.filter(comment__ticket=ticket, comment__author=recipient).exclude(message_id="")
    last = written.order_by("-id").values_list("message_id", flat=True).first()
    if last and last == one_line(last).replace(" ", ""):
        return {"References": f"{root} <{last}>", "In-Reply-To": f"<{last}>"}
    return {"References": root, "In-Reply-To": root}


def _context(delivery: Delivery) -> dict[str, Any]:
    recipient, event = delivery.recipient, delivery.event
    context: dict[str, Any] = {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "support_address": settings.SUPPORT_ADDRESS,
        "accent": settings.ACCENT,
        "recipient": recipient,
        "because": _because(delivery),
    }
    if delivery.kind in (Kind.SET_PASSWORD, Kind.RESET_PASSWORD):
        context["link"] = urljoin(settings.SITE_URL, set_password_path(recipient))
    if event is None or delivery.ticket is None:
        return context
    ticket, comment = delivery.ticket, event.comment
    return context | {
        "ticket": ticket,
        "ticket_url": urljoin(settings.SITE_URL, reverse("desk_ticket" if recipient.is_staff else "ticket", args=[ticket.number])),
        "unsubscribe_url": _stop_url(delivery),
        "actor": event.actor,
        "did": describe(event, for_staff=recipient.is_staff),
        "status": ticket.status.name if recipient.is_staff else ticket.status.label_for_customers,
        "comment": comment,
        "files": list(comment.attachments.all()) if comment else [],
        "is_note": event.is_internal and comment is not None,
        "is_resolved": event.kind == EventKind.RESOLVED or event.data.get("category") == "resolved",
        "closes_at": ticket.close_due_at,
    }
