"""Tags: staff's own words for tickets, found by `tag:` in the queue. Verbs like those of `tickets.actions`, and beside it."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import IllegalMove
from tickets.events import record
from tickets.locking import lock, save
from tickets.models import EventKind, Tag, Tagging

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import User
    from tickets.models import Ticket

MOST = 20  # on one ticket
_USED = timedelta(hours=1)  # so exactly is known when a tag was last used
_OTHER = re.compile(r"[^\w./+]+")


def tidy(word: str) -> str:
    """One spelling for each tag, which needs no quotes in a query: "#Data Export" is "data-export". '' when nothing is left."""
    folded = unicodedata.normalize("NFKC", word).lower()
    return _OTHER.sub("-", folded).strip("-./+_")[: Tag.MAX_LENGTH].strip("-./+_")


def tags_of(text: str) -> list[str]:
    """What somebody typed into one field, with commas between."""
    return list(dict.fromkeys(filter(None, map(tidy, re.split(r"[,;\n]", text)))))


@transaction.atomic
def add_tags(ticket: Ticket, *, actor: User | None, names: Iterable[str]) -> Ticket:
    """Those that it has not yet. Raises IllegalMove where it would have more than `MOST`."""
    ticket = lock(ticket, actor, staff_only=True)
    has = set(ticket.tagging_rows.values_list("tag__name", flat=True))
    new = [name for name in dict.fromkeys(filter(None, map(tidy, names))) if name not in has]
    if not new:
        return ticket
    if len(has) + len(new) > MOST:
        raise IllegalMove(_("A ticket has at most %(most)d tags. Remove one first.") % {"most": MOST})
    Tag.objects.bulk_create((Tag(name=name) for name in sorted(new)), ignore_conflicts=True)
    tags = list(Tag.objects.filter(name__in=new))
    # Not each time, as who writes the row holds it until the commit, and everybody else who puts the same tag on a ticket waits.
    Tag.objects.filter(pk__in=[tag.pk for tag in tags], used_at__lt=timezone.now() - _USED).update(used_at=timezone.now())
    Tagging.objects.bulk_create(Tagging(ticket=ticket, tag=tag, added_by=actor) for tag in tags)
    save(ticket)
    record(ticket, EventKind.TAGGED, actor=actor, is_internal=True, new=", ".join(new))
    return ticket


@transaction.atomic
def remove_tag(ticket: Ticket, *, actor: User, name: str) -> Ticket:
    ticket = lock(ticket, actor, staff_only=True)
    if ticket.tagging_rows.filter(tag__name=tidy(name)).delete()[0]:
        save(ticket)
        record(ticket, EventKind.UNTAGGED, actor=actor, is_internal=True, old=tidy(name))
    return ticket
