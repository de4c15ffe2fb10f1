"""Turns a delivery into a mail, for its one recipient, at the moment it is sent. Reads; sends nothing."""

from __future__ import annotations

import re
import unicodedata
from email.utils import formataddr
from typing import TYPE_CHECKING

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.models import User
from notifications.content import context_of, events_of, is_internal, stop_url
from notifications.models import Delivery
from tickets.mail.tokens import bounce_address, message_id, reply_address, thread_id
from tickets.models import InboundMessage

if TYPE_CHECKING:
    from tickets.events import Support
    from tickets.models import Event, Ticket

_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)
_BLANK_LINES = re.compile(r"\n\s*\n")


def render(delivery: Delivery) -> EmailMultiAlternatives:
    """The whole mail, headers and both bodies. May raise whatever a template raises."""
    recipient, events = delivery.recipient, events_of(delivery)
    with translation.override(recipient.known_language), timezone.override(recipient.known_zone):
        context = context_of(delivery, events)
        folder = f"emails/{delivery.kind}"
        subject = one_line(render_to_string(f"{folder}/subject.txt", context))
        text = _BLANK_LINES.sub("\n\n", render_to_string(f"{folder}/body.txt", context)).strip() + "\n"
        html = _INLINER.inline(render_to_string(f"{folder}/body.html", context))
    mail = EmailMultiAlternatives(
        subject=subject,
        body=text,
        # The envelope's sender, where what can't be delivered comes back to; people see the header.
        from_email=bounce_address(delivery_id=delivery.pk),
        to=[formataddr((one_line(recipient.name), delivery.address))],
        headers={"From": _sender(delivery, context.get("actor")), **_headers(delivery)},
    )
    mail.attach_alternative(html, "text/html")
    if file := context.get("file"):
        mail.attach(file[0], file[1], "text/csv")
    if _is_about_ticket(delivery):
        mail.reply_to = [_reply_to(delivery, events)]
    return mail


def _is_about_ticket(delivery: Delivery) -> bool:
    return delivery.event_id is not None and delivery.ticket_id is not None


def one_line(text: str, limit: int = 200) -> str:
    """Fit for a header: no line break or control character of anybody's can add another header."""
    return " ".join("".join(" " if unicodedata.category(char)[0] == "C" else char for char in text).split())[:limit]


def _sender(delivery: Delivery, actor: User | Support | None) -> str:
    """The person who did it by name, as far as its reader knows it, unless that is who reads; but always our address: theirs is not ours to send from."""
    name = f"{actor.display_name} ({settings.SITE_NAME})" if isinstance(actor, User) and actor != delivery.recipient else settings.SITE_NAME
    return formataddr((one_line(name), settings.SUPPORT_ADDRESS))


def _reply_to(delivery: Delivery, events: list[Event]) -> str:
    address = reply_address(ticket_id=events[0].ticket_id, user=delivery.recipient, is_internal=is_internal(events))
    return formataddr((one_line(settings.SITE_NAME), address))


def _headers(delivery: Delivery) -> dict[str, str]:
    headers = {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-Helpdesk-Loop": settings.SUPPORT_ADDRESS,
        "Message-ID": f"<account.{delivery.pk}.{int(delivery.created_at.timestamp())}@{settings.SUPPORT_DOMAIN}>",
    }
    if delivery.event is not None and delivery.ticket_id is not None:
        headers |= _thread(delivery.event.ticket, delivery.recipient)
        headers["Message-ID"] = f"<{message_id(event_id=delivery.event.pk, user_id=delivery.recipient_id)}>"
    if stop := stop_url(delivery):
        headers |= {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return headers


def _thread(ticket: Ticket, recipient: User) -> dict[str, str]:
    """Keeps a ticket's mails together: its own root, and the last mail that this person wrote on it."""
    root = f"<{thread_id(ticket.pk)}>"
    written = InboundMessage.objects.filter(comment__ticket=ticket, comment__author=recipient).exclude(message_id="")
    last = written.order_by("-id").values_list("message_id", flat=True).first()
    if last and last == one_line(last).replace(" ", ""):
        return {"References": f"{root} <{last}>", "In-Reply-To": f"<{last}>"}
    return {"References": root, "In-Reply-To": root}
