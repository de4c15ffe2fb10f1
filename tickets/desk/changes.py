"""What happened to a list since its page was made: how many tickets, in words. No row moves by itself; who wants to see them asks for the page."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from tickets import access
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.filters import read
from tickets.search.query import number_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse

_MOST = 100  # tickets that are looked at; more are "100+"
_SHOWN = 100  # numbers that a page may name


@require_safe
@staff_required
def changes(request: StaffRequest) -> HttpResponse:
    """Cheap however long the list: only what changed since then is read, the newest first."""
    since = _moment(request.GET.get("since", ""))
    if since is None:
        return JsonResponse({"words": ""})
    seen = access.tickets_for(request.user)
    changed = list(seen.filter(updated_at__gt=since).order_by("-updated_at", "-id").values_list("pk", flat=True)[:_MOST])
    if not changed:
        return JsonResponse({"words": ""})
    shown = {number for text in request.GET.get("shown", "").split(",")[:_SHOWN] if (number := number_of(text))}
    filters = read(request.GET.dict(), request.user)
    among = set(filters.among(seen.filter(pk__in=changed)).order_by().values_list("pk", flat=True)) | (shown & set(changed))
    return JsonResponse({"words": _words(len(among), len(changed))})


def _words(count: int, looked_at: int) -> str:
    if looked_at == _MOST:
        return _("Many are new or changed. Show")
    return ngettext("%(n)d is new or changed. Show", "%(n)d are new or changed. Show", count) % {"n": count} if count else ""


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):  # the latter of a day before the first or after the last there is
        return None
