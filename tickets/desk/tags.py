"""Tags on the ticket's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tickets import access, tagging
from tickets.desk.back import back
from tickets.desk.door import StaffRequest, staff_required
from tickets.models import Tagging

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.models import User
    from tickets.models import Ticket

_OFFERED = 100  # the ones used last
_LIMIT = 400  # characters typed at once


def shown(user: User, ticket: Ticket) -> dict[str, Any]:
    """For the ticket's page: its tags, and those that are offered for completion."""
    is_own = Exists(Tagging.objects.filter(ticket=ticket, tag=OuterRef("pk")))
    tags = list(access.tags_for(user).annotate(is_own=is_own).order_by("-is_own", "-used_at")[:_OFFERED])
    own = sorted((tag for tag in tags if tag.is_own), key=lambda tag: tag.name)
    return {"tags": own, "known_tags": [tag for tag in tags if not tag.is_own]}


@require_POST
@staff_required
def add(request: StaffRequest, number: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    names = tagging.tags_of((request.POST.get("tags") or request.GET.get("tags", ""))[:_LIMIT])
    if not names:
        messages.error(request, _("Write a tag of letters or digits."))
        return redirect("desk_ticket", number)
    tagging.add_tags(ticket, actor=request.user, names=names)
    undo = _undo("desk_ticket_untag", number, tag=names[0]) if len(names) == 1 else ""
    return back(request, ticket, _("Tagged with %(names)s.") % {"names": ", ".join(names)}, undo=undo)


@require_POST
@staff_required
def remove(request: StaffRequest, number: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    name = tagging.tidy(request.POST.get("tag") or request.GET.get("tag", ""))
    tagging.remove_tag(ticket, actor=request.user, name=name)
    undo = _undo("desk_ticket_tag", number, tags=name)
    return back(request, ticket, _("The tag %(name)s is off the ticket.") % {"name": name}, undo=undo)


def _undo(name: str, number: int, **what: str) -> str:
    """An Undo has nothing but its address: what it is about stands there."""
    return f"{reverse(name, args=[number])}?{urlencode(what)}"
