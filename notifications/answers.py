"""The two answers to "did this fix it?" as links in a mail: each leads to a page with one button, for people who have never logged in, too.

The signed link names person, ticket and answer, and does nothing else. It is worth nothing after thirty days, once the person's tokens are revoked, and
while they don't see the ticket.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from django.core import signing
from django.urls import reverse

from accounts.models import User
from tickets import access
from tickets.models import Ticket

_SALT = "helpdesk.answer"
LASTS = timedelta(days=30)


class Answer(StrEnum):
    FIXED = "fixed"
    BROKEN = "broken"


def answer_path(answer: Answer, ticket: Ticket, user: User) -> str:
    token = signing.TimestampSigner(salt=_SALT).sign_object([answer, ticket.pk, user.pk, user.token_generation])
    return reverse("mail_answer", args=[token])


def read(token: str) -> tuple[Answer, Ticket, User] | None:
    """None for what we did not sign, is too old, was revoked, or names a ticket that the person no longer sees."""
    try:
        answer, ticket_id, user_id, generation = signing.TimestampSigner(salt=_SALT).unsign_object(token, max_age=LASTS)
    except (signing.BadSignature, ValueError):
        return None
    user = User.objects.filter(pk=user_id, token_generation=generation).first()
    ticket = Ticket.objects.select_related("status").filter(pk=ticket_id).first()
    return (Answer(answer), ticket, user) if user and ticket and not user.is_staff and access.can_see(user, ticket) else None
