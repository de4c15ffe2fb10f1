"""What an open ticket's page asks every few seconds: who else is here, whether anything has happened since, and whether one's reply has gone out.

Access is asked each time, and the answer holds names of our staff and numbers, never what was said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from tickets import access, presence
from tickets.desk.door import StaffRequest, staff_required
from tickets.models import EventKind, Ticket
from tickets.uploads import SeenField
from tickets.writing import drafts

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models import Event

_COUNTED = 20  # events; more of them are as good as many


@require_POST
@staff_required
def here(request: StaffRequest, number: int) -> JsonResponse:
    """ "writing" and "leaving" are there or not; "seen" is the newest event that the page shows."""
    ticket = access.get_ticket(request.user, number, among=drafts.with_marks(Ticket.objects.only("pk"), request.user))
    others = presence.tell(ticket, request.user, is_writing="writing" in request.POST, is_leaving="leaving" in request.POST)
    sending = list(drafts.sending(ticket).values_list("writer", flat=True)) if ticket.has_leaving else []  # type: ignore[attr-defined] # annotated
    return JsonResponse(
        {
            "here": [{"id": one.person, "words": _said_of(one, sending)} for one in others],
            "news": _news(request.user, ticket, SeenField(required=False).clean(request.POST.get("seen")) or 0),
            "waits": request.user.pk in sending,
        }
    )


def _said_of(one: presence.Present, sending: list[int]) -> str:
    name = {"name": one.name}
    if one.person in sending:
        return _("%(name)s is sending a reply") % name
    return _("%(name)s is writing") % name if one.is_writing else _("%(name)s is looking at this") % name


def _news(user: User, ticket: Ticket, seen: int) -> dict[str, Any] | None:
    """What others did since, in words, and where the page shows it."""
    unseen = access.events_for(user, ticket).filter(pk__gt=seen).exclude(actor=user).select_related("actor")
    events = list(unseen.only("kind", "comment", "actor")[:_COUNTED])
    if not events:
        return None
    first = events[0]
    anchor = f"c{first.comment_id}" if first.comment_id else f"e{first.pk}"
    return {"words": _told(events), "url": f"{reverse('desk_ticket', args=[ticket.pk])}?since={seen}#{anchor}"}


def _told(events: list[Event]) -> str:
    names = ", ".join(dict.fromkeys(event.actor.display_name if event.actor else _("the clock") for event in events))
    replies = sum(event.kind == EventKind.COMMENTED for event in events)
    if replies:
        words = ngettext(
            "A reply arrived since you opened this, by %(names)s.",
            "%(count)d replies arrived since you opened this, by %(names)s.",
            replies,
        )
        return words % {"count": replies, "names": names}
    words = ngettext(
        "Something happened since you opened this, by %(names)s.",
        "%(count)d things happened since you opened this, by %(names)s.",
        len(events),
    )
    return words % {"count": len(events), "names": names}
