"""Where a deed at a ticket leads to, and what is said of it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from tickets import access

if TYPE_CHECKING:
    from django.http import HttpResponse

    from tickets.desk.door import StaffRequest
    from tickets.models import Ticket


def back(request: StaffRequest, ticket: Ticket, words: str, *, undo: str = "", anchor: str = "") -> HttpResponse:
    """To the ticket, or, where the change took it out of sight, to the queue. `undo`: an address to post to."""
    if not access.can_see(request.user, ticket):
        messages.success(request, words + " " + _("It is in a private group now, so you no longer see it."))
        return redirect("desk_tickets")
    messages.success(request, words, extra_tags=undo)
    return redirect(reverse("desk_ticket", args=[ticket.number]) + anchor)
