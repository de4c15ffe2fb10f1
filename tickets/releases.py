"""What was handed to engineering, and the word that it has shipped: said once on each ticket that waited for it, however often it is run.

Planned first, as rows with a key each; then said one by one, each in a transaction that notes it on its row. So it can stop anywhere and go on.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, F, Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError, IllegalMove, NotAllowed
from tickets import access, actions
from tickets.locking import lock, said_elsewhere
from tickets.models import Channel, Release, ReleasePost, Ticket
from tickets.writing.placeholders import fill

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from accounts.models import User

logger = logging.getLogger(__name__)

_BATCH = 500


# --- References ----------------------------------------------------------------------------------------------------------------


def escalated(user: User) -> QuerySet[Ticket]:
    """Tickets that are with engineering, among those that this person sees. Not those merged into one that waits for the same."""
    tickets = access.tickets_for(user).filter(status__asks_reference=True).exclude(reference="")
    return tickets.exclude(merged_into__status__asks_reference=True, merged_into__reference=F("reference"))


def waiting(user: User) -> QuerySet[Any, Any]:
    """The references of which nothing was released yet: `reference`, how many `tickets`, and since when the `oldest` waits."""
    tickets = escalated(user).filter(release_posts=None).order_by()
    return tickets.values("reference").annotate(tickets=Count("pk"), oldest=Min("closed_at")).order_by("oldest", "reference")


# --- Releasing -----------------------------------------------------------------------------------------------------------------


def told_by(user: User, *, version: str, references: Collection[str]) -> QuerySet[Ticket]:
    """The tickets that a release of these would be said on: not those that this version was said on, or is about to be."""
    wanted = escalated(user).filter(reference__in=[actions.tidy_reference(reference) for reference in references])
    return wanted.exclude(release_posts__release__version=version).order_by("pk")


def words_for(text: str, ticket: Ticket, *, version: str) -> str:
    """Filled with what the customer knows, and nothing else."""
    values = {"version": version, "name": ticket.requester.display_name, "number": f"#{ticket.pk}", "subject": ticket.subject}
    return fill(text, values).strip()


@transaction.atomic
def release(*, actor: User, version: str, references: Collection[str], text: str) -> Release:
    """Plans what is to be said, and says nothing yet. Again for the same version: adds what was not planned; what is not said yet is said in these words."""
    if not actor.is_staff:
        raise NotAllowed(_("Only our staff can do that."))
    if not (version and text.strip()):
        raise IllegalMove(_("A release needs a version, and words."))
    shipped, is_new = Release.objects.select_for_update().get_or_create(version=version, defaults={"text": text, "created_by": actor})
    if not is_new and shipped.text != text:
        shipped.text = text
        shipped.save(update_fields=["text"])
    ReleasePost.objects.bulk_create(
        (
            ReleasePost(release=shipped, ticket=ticket, reference=ticket.reference, planned_by=actor)
            for ticket in told_by(actor, version=version, references=references)
        ),
        ignore_conflicts=True,
    )
    return shipped


def post_waiting(shipped: Release | None = None, *, most: int = _BATCH) -> int:
    """Says what is planned, of one release or of all. What can't be said is noted, and holds up no other. Returns how many this call said."""
    due = ReleasePost.objects.filter(posted_at=None, problem="")
    if shipped:
        due = due.filter(release=shipped)
    return sum(_try(pk) for pk in list(due.order_by("pk").values_list("pk", flat=True)[:most]))


def _try(pk: int) -> bool:
    try:
        return post(pk)
    except (DomainError, Ticket.DoesNotExist) as error:
        problem = str(error) if isinstance(error, DomainError) else _("Who released it does not see this ticket any more.")
    except Exception:
        logger.exception("the release could not be told by post %s", pk)
        problem = _("It failed, and the log says why.")
    ReleasePost.objects.filter(pk=pk, posted_at=None).update(problem=problem[:250])
    return False


@transaction.atomic
def post(pk: int) -> bool:
    """Looks again under the row's lock, so that any number of workers say it once. True when this call did."""
    rows = ReleasePost.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk, posted_at=None)
    row = rows.select_related("release", "planned_by", "ticket").first()
    if row is None:
        return False
    ticket = lock(row.ticket, row.planned_by)
    if not ticket.status.asks_reference:
        raise IllegalMove(_("It is not with engineering any more, so the customer is told there, by hand."))
    if into := said_elsewhere(ticket, row.planned_by):  # what names one ticket is not said on another, which other people read
        raise IllegalMove(_("It was merged into #%(number)d, so the customer is told there, by hand.") % {"number": into})
    text = words_for(row.release.text, ticket, version=row.release.version)
    message = actions.Message(text=text, channel=Channel.DESK, submission_key=row.key)
    row.comment = actions.comment(ticket, actor=row.planned_by, message=message)
    row.posted_at, row.problem = timezone.now(), ""
    row.save(update_fields=["comment", "posted_at", "problem"])
    return True


def try_again(shipped: Release) -> int:
    """What could not be said is tried with the rest from now on."""
    return ReleasePost.objects.filter(release=shipped, posted_at=None).exclude(problem="").update(problem="")
