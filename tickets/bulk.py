"""The same done to many tickets: each in a transaction of its own, by the ordinary verbs, which ask permission for each.

A run is data: whoever works it off (the request, or the worker where it is long) takes items one by one, and may be interrupted at any moment. What
is refused for one ticket is noted with its reason and holds up no other. Nothing here knows of requests or the broker.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError, IllegalMove
from accounts.models import AgentGroup, User
from tickets import access, actions, merging, tagging
from tickets.actions import Message
from tickets.events import SAID_BY_CLOCKS, one_nudge, undoing
from tickets.locking import lock, said_elsewhere
from tickets.models import BulkItem, BulkRun, BulkState, Channel, Event, ItemState, Priority, Status, Tagging, Ticket, TicketType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    _Deed = Callable[[BulkItem, BulkRun], None]

logger = logging.getLogger(__name__)

MOST = 1000  # tickets of one run
AT_ONCE = 50  # so many are done while the page waits; more are the worker's
NONE = "none"
_KEYS = UUID(
    "7d9a6c1e-52a0-4b53-9d0e-8c8ad1f0b1b7"
)  # a reply's submission key is made of it, the run and the ticket, so that it is said once
_DRAFTS_KEPT, _RUNS_KEPT = timedelta(days=1), timedelta(days=30)
_BATCH = 200
PROPERTIES = ("status", "type", "priority", "assignee", "group")

_MODELS: dict[str, Any] = {"status": Status, "type": TicketType, "missing_type": TicketType, "priority": Priority, "group": AgentGroup}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be done to each. As `BulkRun.changes` keeps it: by field, a number, or "none" for taking away."""

    asked: dict[str, str]  # the fields of properties that change
    things: dict[str, Any] = field(default_factory=dict)  # what each stands for; None: taken away
    tags: tuple[str, ...] = ()
    text: str = ""  # a public reply
    reference: str = ""  # engineering's, for those that have none where the status asks for one
    into: Ticket | None = None  # that all others are merged into, and then nothing else is done

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Changes:
        """Raises IllegalMove for what is not there any more, or was retired."""
        asked = {name: str(value) for name, value in kept.items() if name in (*_MODELS, "assignee") and value}
        things = {name: None if value == NONE else _thing(name, value) for name, value in asked.items()}
        into = Ticket.objects.filter(pk=kept["into"]).first() if kept.get("into") else None
        if kept.get("into") and not into:
            raise IllegalMove(_("The ticket that the others were to be merged into is not here any more."))
        return cls(
            asked=asked,
            things=things,
            tags=tuple(kept.get("tags", ())),
            text=kept.get("text", ""),
            reference=kept.get("missing_reference", ""),
            into=into,
        )

    def type_for(self, ticket: Ticket) -> TicketType | None:
        """What goes with the status; `missing_type` is for those alone that have none."""
        chosen: TicketType | None = self.things.get("type") or (None if ticket.type_id else self.things.get("missing_type"))
        return chosen


def _thing(name: str, value: str) -> Any:
    among = User.objects.active_staff() if name == "assignee" else _MODELS[name].objects.all()
    thing = among.filter(pk=value).first() if value.isascii() and value.isdigit() and len(value) <= 18 else None
    if thing is None:
        raise IllegalMove(_("Something that you chose is not in its list any more. Choose again."))
    if getattr(thing, "is_retired", False):
        raise IllegalMove(_("“%(name)s” is not offered any more. Choose something else in its place.") % {"name": thing})
    return thing


# --- Beginning -----------------------------------------------------------------------------------------------------------------


@transaction.atomic
def prepare(*, actor: User, numbers: Iterable[int], changes: dict[str, Any] | None = None, text: str = "", sort: str = "") -> BulkRun:
    """A run that has not begun, of those of the tickets that the person sees; of the others there is no trace."""
    run = BulkRun.objects.create(owner=actor, changes=changes or {}, text=text, sort=sort)
    seen = access.tickets_for(actor).filter(pk__in=list(numbers)[:MOST]).order_by("pk").values_list("pk", flat=True)
    BulkItem.objects.bulk_create(BulkItem(run=run, ticket_id=number) for number in seen)
    return run


@transaction.atomic
def begin(run: BulkRun) -> None:
    """Once; what has begun is left alone. One with a reply waits as a reply does (see `tickets.writing.drafts`), all of it, and can be taken back."""
    says = Changes.of(run.changes).text
    wait = timedelta(seconds=settings.UNDO_SECONDS if says else 0)
    state = BulkState.WAITING if wait else BulkState.WORKING
    seen = Event.objects.aggregate(newest=Max("pk"))["newest"]
    BulkRun.objects.filter(pk=run.pk, state=BulkState.DRAFT).update(state=state, begins_at=timezone.now() + wait, seen=seen)


def take_back(run: BulkRun) -> bool:
    """Of one that waits nothing has happened: it is what is still to be looked at. False once it has begun."""
    return bool(BulkRun.objects.filter(pk=run.pk, state=BulkState.WAITING).update(state=BulkState.DRAFT, begins_at=None))


def begin_due() -> int:
    """Of any number of workers, and of who takes it back, one is first. Returns how many have begun."""
    return BulkRun.objects.filter(state=BulkState.WAITING, begins_at__lte=Now()).update(state=BulkState.WORKING)


@transaction.atomic
def begin_undo(run: BulkRun) -> None:
    if BulkRun.objects.filter(pk=run.pk, state=BulkState.DONE).update(state=BulkState.UNDOING):
        run.items.filter(state=ItemState.DONE).update(state=ItemState.TO_UNDO)


# --- Working it off ------------------------------------------------------------------------------------------------------------


def work_waiting() -> int:
    """All runs that have begun, the oldest first. Returns how many tickets this call dealt with."""
    return sum(work(run) for run in BulkRun.objects.filter(state__in=(BulkState.WORKING, BulkState.UNDOING)).order_by("pk"))


def work(run: BulkRun, *, most: int | None = None) -> int:
    """Takes items until none is left (or `most` were taken); any number of workers may. Returns how many this call dealt with."""
    run = BulkRun.objects.select_related("owner").get(pk=run.pk)
    deed: _Deed
    waiting, deed = ItemState.TO_UNDO, _take_back
    if run.state == BulkState.WORKING:
        try:
            waiting, deed = ItemState.WAITING, partial(_change, changes=Changes.of(run.changes))
        except IllegalMove as error:
            run.items.filter(state=ItemState.WAITING).update(state=ItemState.REFUSED, why=str(error))
    dealt = 0
    with one_nudge():
        while numbers := list(run.items.filter(state=waiting).order_by("pk").values_list("pk", flat=True)[:_BATCH]):
            done = sum(_deal(pk, run, waiting, deed) for pk in numbers[: None if most is None else most - dealt])
            dealt += done
            if not done or dealt == most:  # others have the rest
                break
    _finish(run, waiting)
    return dealt


def _finish(run: BulkRun, waiting: ItemState) -> None:
    end = {BulkState.WORKING: BulkState.DONE, BulkState.UNDOING: BulkState.UNDONE}.get(BulkState(run.state))
    if end and not run.items.filter(state=waiting).exists():
        BulkRun.objects.filter(pk=run.pk, state=run.state).update(state=end, finished_at=timezone.now())


@transaction.atomic
def _deal(pk: int, run: BulkRun, waiting: ItemState, deed: _Deed) -> bool:
    """What became of the ticket is committed together with it. True when this call did it."""
    found = BulkItem.objects.select_for_update(of=("self",), skip_locked=True).select_related("ticket")
    item = found.filter(pk=pk, state=waiting).first()
    if item is None:
        return False
    refused = ItemState.REFUSED if waiting == ItemState.WAITING else ItemState.KEPT
    try:
        with transaction.atomic():  # what is refused half-way leaves no trace
            deed(item, run)
    except Ticket.DoesNotExist:
        item.state, item.why = refused, _("You don't see it any more.")
    except DomainError as error:
        item.state, item.why = refused, str(error)[:300]
    except Exception:
        logger.exception("ticket %s of bulk run %s", item.ticket_id, run.pk)
        item.state, item.why = refused, _("Something went wrong. Try it at the ticket.")
    item.save(update_fields=["state", "why", "before", "last_event"])
    return True


def _change(item: BulkItem, run: BulkRun, *, changes: Changes) -> None:
    if changes.into:
        _merge(item, run, into=changes.into)
        return
    actor = run.owner
    ticket = lock(item.ticket, actor, staff_only=True)
    newest = _newest(ticket)
    if changes.text and (into := said_elsewhere(ticket, actor)):  # and the status set of what nobody ticked
        raise IllegalMove(_("It was merged into #%(number)d: reply there.") % {"number": into})
    item.before = _before(ticket, changes) | {"newest": newest}
    _say_and_move(ticket, run, changes, newest=newest)
    if "priority" in changes.things:
        actions.set_priority(ticket, actor=actor, priority=changes.things["priority"])
    if "assignee" in changes.things:
        actions.assign(ticket, actor=actor, assignee=changes.things["assignee"])
    if changes.tags:
        tagging.add_tags(ticket, actor=actor, names=changes.tags)
    if "group" in changes.things:  # last: it may take the ticket out of sight
        actions.set_group(ticket, actor=actor, group=changes.things["group"])
    item.last_event = _newest(ticket)
    item.state = ItemState.DONE if item.last_event != newest else ItemState.UNCHANGED


def _merge(item: BulkItem, run: BulkRun, *, into: Ticket) -> None:
    """Takes along who belongs to the other's requester anyway, and nobody else: at the ticket's page one can choose. Locks both by itself."""
    if item.ticket_id == into.pk:
        item.state = ItemState.UNCHANGED
        return
    if not access.can_see(run.owner, item.ticket) or not access.can_see(run.owner, into):
        raise Ticket.DoesNotExist
    near = merging.plan(item.ticket, into)
    merging.merge(
        item.ticket,
        into=into,
        actor=run.owner,
        people=[one.who for one in near.people if one.is_near],
        organizations=[one.who for one in near.organizations if one.is_near],
    )
    item.before, item.state = {"merged": True}, ItemState.DONE


def _say_and_move(ticket: Ticket, run: BulkRun, changes: Changes, *, newest: int) -> None:
    """Words, status and type go together, as they do at the ticket's page."""
    status, kind = changes.things.get("status"), changes.things.get("type")
    if status and status.requires_type:
        kind = changes.type_for(ticket)
    given: dict[str, Any] = {
        "type": kind,
        "reference": changes.reference if status and status.asks_reference and not ticket.reference else "",
    }
    if changes.text:
        message = Message(text=changes.text, channel=Channel.DESK, submission_key=uuid5(_KEYS, f"{run.pk}-{ticket.pk}"))
        seen = ticket.events.filter(pk__lte=run.seen or newest).latest("pk").pk
        actions.comment(ticket, actor=run.owner, message=message, status=status, **given, seen=seen)
    elif status:
        actions.change_status(ticket, actor=run.owner, status=status, **given)
    if "type" in changes.things and not (status and kind):
        actions.set_type(ticket, actor=run.owner, type=changes.things["type"])


def _newest(ticket: Ticket) -> int:
    newest: int = ticket.events.exclude(kind__in=SAID_BY_CLOCKS).order_by("-pk").values_list("pk", flat=True)[0]
    return newest


# --- Taking back ---------------------------------------------------------------------------------------------------------------

_MOMENTS = ("waiting_since", "fix_confirmed_at", "snoozed_until")  # that end with the work


def _before(ticket: Ticket, changes: Changes) -> dict[str, Any]:
    """What taking back brings back: also what a reply or a status moves by itself."""
    before: dict[str, Any] = {name: getattr(ticket, f"{name}_id") for name in PROPERTIES}
    before |= {name: moment.isoformat() for name in _MOMENTS if (moment := getattr(ticket, name))}
    before["reference"] = ticket.reference
    if changes.tags:
        has = set(ticket.tagging_rows.values_list("tag__name", flat=True))
        before["new_tags"] = [name for name in changes.tags if name not in has]
    return before


def _take_back(item: BulkItem, run: BulkRun) -> None:
    """Each property to what it was, by the ordinary verbs; words that were said stay said, so the ticket stays answered, in the status this led to."""
    actor, before = run.owner, item.before
    if before.get("merged"):
        merging.unmerge(item.ticket, actor=actor)
        item.state = ItemState.UNDONE
        return
    ticket = lock(item.ticket, actor, staff_only=True)
    if _newest(ticket) != item.last_event:
        raise IllegalMove(_("Something has happened there since."))
    done = ticket.events.filter(pk__gt=before.get("newest", item.last_event), pk__lte=item.last_event, actor=actor)
    with undoing(done.values_list("pk", flat=True)):
        _put_back(ticket, run, before)
    item.state = ItemState.UNDONE


def _put_back(ticket: Ticket, run: BulkRun, before: dict[str, Any]) -> None:
    actor, has_answered = run.owner, "text" in run.changes
    if before["status"] != ticket.status_id and (not has_answered or "status" in run.changes):
        moments = {} if has_answered else {name: datetime.fromisoformat(before[name]) for name in _MOMENTS if name in before}
        kind = TicketType.objects.filter(pk=before["type"]).first() if before["type"] != ticket.type_id else None
        ticket = actions.change_status(ticket, actor=actor, status=Status.objects.get(pk=before["status"]), type=kind, resumed=moments)
    for name, verb, model in _VERBS:
        if before[name] != getattr(ticket, f"{name}_id"):
            verb(ticket, actor=actor, **{name: model.objects.filter(pk=before[name]).first()})
    ticket = actions.set_reference(ticket, actor=actor, reference=before.get("reference", ticket.reference))
    for tag in before.get("new_tags", ()):
        tagging.remove_tag(ticket, actor=actor, name=tag)


_VERBS: tuple[tuple[str, Callable[..., Ticket], Any], ...] = (
    ("type", actions.set_type, TicketType),
    ("priority", actions.set_priority, Priority),
    ("assignee", actions.assign, User),
    ("group", actions.set_group, AgentGroup),
)


# --- Looking ahead, and back ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outlook:
    """What will happen, and what can't. `without_type`, `without_reference`: numbers of tickets that need one first."""

    total: int
    already: int  # are so in everything that is asked for
    gone: int  # not to be seen any more
    without_type: list[int]
    without_reference: list[int]


def outlook(run: BulkRun, changes: Changes) -> Outlook:
    """In one query, two where tags are put on, whatever the length."""
    seen = access.tickets_for(run.owner).filter(pk__in=run.items.values("ticket"))
    rows = list(seen.order_by("pk").values("pk", "reference", *PROPERTIES))
    status = changes.things.get("status")
    needs_type = status is not None and status.requires_type and not changes.things.get("type")
    enter = [row for row in rows if status is not None and row["status"] != status.pk]
    return Outlook(
        total=len(rows),
        already=_so_already(rows, changes),
        gone=run.items.count() - len(rows),
        without_type=[row["pk"] for row in enter if row["type"] is None] if needs_type else [],
        without_reference=[row["pk"] for row in enter if not row["reference"]] if status and status.asks_reference else [],
    )


def _so_already(rows: list[dict[str, Any]], changes: Changes) -> int:
    """How many of them nothing will be done to."""
    if changes.text:
        return 0
    if changes.into:
        return sum(row["pk"] == changes.into.pk for row in rows)
    asked = {name: thing and thing.pk for name, thing in changes.things.items() if name in PROPERTIES}
    alike = [row["pk"] for row in rows if all(row[name] == key for name, key in asked.items())]
    if not changes.tags:
        return len(alike)
    tagged = Counter(Tagging.objects.filter(ticket__in=alike, tag__name__in=changes.tags).values_list("ticket", flat=True))
    return sum(has == len(changes.tags) for has in tagged.values())


def counts(run: BulkRun) -> Counter[str]:
    """How many items are in each state."""
    return Counter(run.items.values_list("state", flat=True))


def drop_old() -> int:
    """Runs that never began, after a day; what became of others, after thirty. Returns how many went."""
    now = timezone.now()
    never_begun = BulkRun.objects.filter(state=BulkState.DRAFT, created_at__lt=now - _DRAFTS_KEPT)
    over = BulkRun.objects.filter(state__in=(BulkState.DONE, BulkState.UNDONE), created_at__lt=now - _RUNS_KEPT)
    return never_begun.delete()[1].get("tickets.BulkRun", 0) + over.delete()[1].get("tickets.BulkRun", 0)
