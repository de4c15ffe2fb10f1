"""The tickets of the list as a file that spreadsheets open. Holds what the list and the tickets' own pages show this person, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tickets.portal.door import PersonRequest, customer_required
from tickets.portal.views.ticket_list import asked
from tickets.portal.words import standing
from tickets.ratelimit import is_too_often, refusal
from tickets.spreadsheets import CONTENT_TYPE, written

if TYPE_CHECKING:
    from datetime import datetime

_MOST = 5_000  # tickets in one file
_LIMIT = 20  # files of one person in ten minutes


@require_safe
@customer_required
def ticket_export(request: PersonRequest) -> HttpResponse:
    if is_too_often("export", request.user, limit=_LIMIT):
        return HttpResponse(refusal(), status=429, content_type="text/plain; charset=utf-8")
    it = asked(request)
    zone = timezone.get_current_timezone_name()
    head = [_("Number"), _("Subject"), _("Opened by"), _("Status"), _("Opened (%s)") % zone, _("Last update (%s)") % zone]
    rows: list[list[str | float | None]] = [[*head]]
    for ticket in it.tickets.select_related("status", "requester").order_by(*it.order)[:_MOST]:
        status = standing(ticket).label_for_customers
        moments = _moment(ticket.created_at), _moment(ticket.public_updated_at)
        rows.append([ticket.number, ticket.subject, ticket.requester.display_name, status, *moments])
    return HttpResponse(written(rows), content_type=CONTENT_TYPE, headers={"Content-Disposition": 'attachment; filename="tickets.csv"'})


def _moment(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M")
