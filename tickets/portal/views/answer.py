"""Where the two answers in the mail of a resolved ticket lead: a page with one button, with or without a login.

Opening it does nothing, as mail scanners open links.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from notifications.answers import Answer, read
from tickets import actions
from tickets.ratelimit import is_too_often, refusal
from tickets.reading import mark_read

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import User
    from tickets.models import Ticket

_LIMIT = 30  # answers of one person in ten minutes, as each may mail all who follow


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    found = read(token)
    if found is None or (request.user.is_authenticated and request.user != found[2]):  # whatever it was, it is said in the same words
        return render(request, "portal/answer.html", {"is_dead": True}, status=404)
    chosen, ticket, person = found
    context = {"ticket": ticket, "is_fix": chosen == Answer.FIXED, "is_open": _is_open(chosen, ticket)}
    if request.method != "POST" or not context["is_open"]:
        return render(request, "portal/answer.html", context)
    if is_too_often("verb", person, limit=_LIMIT):
        return render(request, "portal/answer.html", context | {"refusal": refusal()}, status=429)
    _do(chosen, ticket, person)
    if request.user.is_authenticated:
        messages.success(request, _said(chosen))
        return redirect(f"{reverse('ticket', args=[ticket.pk])}{'' if chosen == Answer.FIXED else '#reply'}")
    return render(request, "portal/answer.html", context | {"is_done": True})


def _is_open(chosen: Answer, ticket: Ticket) -> bool:
    """Whether there is anything left to answer: what has closed can still be opened again."""
    return ticket.is_resolved or (chosen == Answer.BROKEN and ticket.is_closed)


def _do(chosen: Answer, ticket: Ticket, person: User) -> None:
    mark_read(ticket, person)
    if chosen == Answer.FIXED:
        actions.close(ticket, actor=person)
    else:
        actions.reopen(ticket, actor=person)


def _said(chosen: Answer) -> str:
    if chosen == Answer.FIXED:
        return _("Good to hear. The ticket is closed.")
    return _("The ticket is open again. Tell us below what is still wrong.")
