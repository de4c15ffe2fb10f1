"""Two people at one ticket: who answers from a page that is out of date is shown what happened before anything is done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets import access
from tickets.events import SAID_BY_CLOCKS
from tickets.models import Ticket
from tickets.writing import drafts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import User
    from tickets.models import Event, EventKind


class Overtaken(Exception):
    """Others did something since the page was opened. Nothing has been done yet."""

    def __init__(self, events: list[Event], senders: list[User]) -> None:
        super().__init__()
        self.events = events
        self.senders = senders  # whose reply is on its way out

    def __str__(self) -> str:
        if not self.events:
            names = ", ".join(sender.display_name for sender in self.senders)
            return _(
                "%(names)s is sending a reply at this moment. Nothing of yours has been sent or changed. Look at it, then send again."
            ) % {"names": names}
        actors = list(dict.fromkeys(event.actor.display_name if event.actor else _("the clock") for event in self.events))
        return ngettext(
            "Something happened here since you opened this page, by %(names)s; it is marked above. Nothing has been sent or changed. "
            "Look, then send again.",
            "%(count)d things happened here since you opened this page, by %(names)s; they are marked above. Nothing has been sent or changed. "
            "Look, then send again.",
            len(self.events),
        ) % {"count": len(self.events), "names": ", ".join(actors)}


@contextmanager
def unless_overtaken(ticket: Ticket, *, actor: User, seen: int | None, kinds: tuple[EventKind, ...] = ()) -> Iterator[None]:
    """Does its block with the ticket's row locked, so that nobody slips in between look and deed. `kinds`: only these count; none: all do.

    Raises Overtaken when others added events after the one that was last `seen`, or have a reply on its way out; one's own count as seen.
    """
    with transaction.atomic():
        access.get_ticket(actor, ticket.pk, among=Ticket.objects.select_for_update(of=("self",)))
        unseen = access.events_for(actor, ticket).filter(pk__gt=seen or 0).exclude(actor=actor).exclude(kind__in=SAID_BY_CLOCKS)
        if kinds:
            unseen = unseen.filter(Q(kind__in=kinds))
        events = list(unseen.select_related("actor"))
        senders = [] if kinds else [draft.writer for draft in drafts.sending(ticket).exclude(writer=actor).select_related("writer")]
        if events or senders:
            raise Overtaken(events, senders)
        yield
