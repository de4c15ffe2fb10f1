"""Who can be named by "@" in what somebody is writing, for the list that opens while they type. Names alone, never an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tickets import access
from tickets.naming import nameable
from tickets.portal.door import PersonRequest, person_required
from tickets.ratelimit import is_too_often
from tickets.writing.mentions import ways_to_name

if TYPE_CHECKING:
    from accounts.models import User

_SHOWN = 200  # people, which is more than anybody scrolls through
_LIMIT = 200  # lists of one person in ten minutes: a page asks for one or two, and each reads all of them


@never_cache
@require_safe
@person_required
def nameable_people(request: PersonRequest, number: int | None = None) -> JsonResponse:
    """Of staff too. `note`: for an internal one. Without a number: for a ticket that is about to be filed."""
    if is_too_often("nameable", request.user, limit=_LIMIT):
        return JsonResponse({"people": []}, status=429)
    ticket = None if number is None else access.get_ticket(request.user, number)
    people = list(access.nameable_on(request.user, ticket, is_internal="note" in request.GET))
    see = set(access.who_see(ticket).filter(pk__in=[one.pk for one in people]).values_list("pk", flat=True)) if ticket else set()
    ways = ways_to_name(nameable(people))
    rows = [_row(one, ways[one.pk], sees=one.pk in see) for one in people if one.pk in ways]
    return JsonResponse({"people": rows[:_SHOWN]})


def _row(one: User, ways: list[str], *, sees: bool) -> dict[str, Any]:
    return {"name": one.display_name, "as": ways[0], "ways": ways, "about": _("Support") if one.is_staff else "", "sees": sees}
