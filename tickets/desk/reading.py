"""A ticket's page says that it was looked at, so that `is:unread` finds it no more."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from tickets import access
from tickets.desk.door import StaffRequest, staff_required
from tickets.reading import mark_read
from tickets.uploads import SeenField


@require_POST
@staff_required
def seen(request: StaffRequest, number: int) -> HttpResponse:
    """Up to the event that the page shows. Sent by the page itself; without scripts a ticket stays unread until one answers."""
    ticket = access.get_ticket(request.user, number)
    if newest := SeenField(required=False).clean(request.POST.get("seen")):
        mark_read(ticket, request.user, seen=newest)
    return HttpResponse(status=204)
