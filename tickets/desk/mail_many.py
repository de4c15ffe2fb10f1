"""Waiting mails of one sender, dealt with at once: a flood is one decision. So many a request that it answers in time; the rest waits for the next click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from tickets import access
from tickets.actions import DomainError
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.mail_list import alike, group_url
from tickets.mail import ingest, rules
from tickets.mail.parse import UnreadableMail

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpResponse

    from tickets.models import InboundMessage

BATCH = 100


@require_POST
@staff_required
def discard_all(request: StaffRequest) -> HttpResponse:
    return _discard(request)


def _discard(request: StaffRequest) -> HttpResponse:
    if done := _each(request, ingest.discard):
        told = ngettext("%(n)d mail is discarded. It is kept all the same.", "%(n)d mails are discarded. They are kept all the same.", done)
        messages.success(request, told % {"n": done})
    return _back(request)


@require_POST
@staff_required
def open_all(request: StaffRequest) -> HttpResponse:
    """Oldest first, so that the tickets' numbers are in the order of the mails."""
    if done := _each(request, ingest.open_held):
        messages.success(request, ngettext("%(n)d mail is a ticket now.", "%(n)d mails are tickets now.", done) % {"n": done})
    return _back(request)


@require_POST
@staff_required
def always_spam(request: StaffRequest) -> HttpResponse:
    """The sender is remembered; what waits of them is discarded."""
    newest = _alike(request).order_by("pk").last()
    if newest:
        rules.remember_spammer(newest.from_address, actor=request.user)
        messages.success(request, _("New mail from %(who)s is spam from now on.") % {"who": newest.from_address})
    return _discard(request)


def _alike(request: StaffRequest) -> QuerySet[InboundMessage]:
    wanted = alike(request.POST.get("sender", ""), request.POST.get("reason", ""))
    return access.inbound_for(request.user).filter(wanted).defer("raw")


def _each(request: StaffRequest, deed: Callable[..., object]) -> int:
    """How many it was done to. What can't be done to one is told, and holds up no other."""
    refused = []
    batch = list(_alike(request).order_by("pk")[:BATCH])
    if not batch:
        messages.info(request, _("Somebody has already dealt with these mails."))
    for message in batch:
        try:
            deed(message, actor=request.user)
        except UnreadableMail:
            refused.append(_("Nothing in it can be read."))
        except DomainError as error:
            refused.append(str(error))
    if refused:
        told = ngettext("%(n)d mail could not: %(why)s", "%(n)d mails could not: %(why)s", len(refused))
        messages.error(request, told % {"n": len(refused), "why": refused[0]})
    return len(batch) - len(refused)


def _back(request: StaffRequest) -> HttpResponse:
    """To what is left of them, if anything is."""
    left = _alike(request).count()
    if not left:
        return redirect("desk_mail")
    messages.info(
        request,
        ngettext("%(n)d more of this sender waits: go on below.", "%(n)d more of this sender wait: go on below.", left) % {"n": left},
    )
    return redirect(reverse("desk_mail") + group_url(request.POST.get("sender", ""), request.POST.get("reason", "")))
