"""Stopping a ticket's mails, the daily digest, or a report, from within one of them, without logging in (RFC 8058).

The signed link names person and ticket (none: the digest), or the subscription, and does nothing else.
"""

from __future__ import annotations

from django.core import signing
from django.urls import reverse

from accounts.models import User
from notifications.models import ReportSubscription
from tickets.access import can_see
from tickets.models import Ticket

_SALT, _REPORT_SALT = "helpdesk.unsubscribe", "helpdesk.unsubscribe.report"


def unsubscribe_path(ticket: Ticket | None, user: User) -> str:
    token = signing.Signer(salt=_SALT).sign_object([ticket.pk if ticket else None, user.pk, user.token_generation])
    return reverse("unsubscribe", args=[token])


def read(token: str) -> tuple[Ticket | None, User] | None:
    """None for what we did not sign, was revoked, or names a ticket that the person no longer sees."""
    try:
        ticket_id, user_id, generation = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        return None
    user = User.objects.filter(pk=user_id, token_generation=generation).first()
    if user and ticket_id is None:
        return None, user
    ticket = Ticket.objects.filter(pk=ticket_id).first()
    return (ticket, user) if user and ticket and can_see(user, ticket) else None


def report_path(subscription: ReportSubscription) -> str:
    recipient = subscription.recipient
    token = signing.Signer(salt=_REPORT_SALT).sign_object([subscription.pk, recipient.pk, recipient.token_generation])
    return reverse("unsubscribe_report", args=[token])


def read_report(token: str) -> int | None:
    """The number of the subscription, which may be over; None for what we did not sign, or was revoked."""
    try:
        pk, user_id, generation = signing.Signer(salt=_REPORT_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        return None
    return pk if User.objects.filter(pk=user_id, token_generation=generation).exists() else None
