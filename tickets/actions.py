"""Every write to a ticket is a verb here; portal, desk, mail and sweeps call the same ones.

A verb is one transaction: lock the ticket's row, check the permission, change, record exactly one Event. Nothing here knows of requests, mail or
the broker. What nothing would change does nothing and records nothing. Where `actor` may be None, a rule of an admin's may do it by itself
(`tickets.automation.acting`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError, IllegalMove, NotAllowed
from accounts.models import AgentGroup, Role, User
from tickets import access, files, measures
from tickets.events import SAID_BY_CLOCKS, record, rule_of, undoing
from tickets.help.links import note_links
from tickets.lifecycle import FINISHED, UNRESOLVED, Category, Trigger, target
from tickets.locking import hold_memberships, lock, lock_where_it_goes_on, save
from tickets.models import (
    Channel,
    Comment,
    Event,
    EventKind,
    Follower,
    MailRule,
    OrganizationShare,
    Priority,
    ProductArea,
    Status,
    Ticket,
    TicketType,
    Upload,
)
from tickets.naming import name_people
from tickets.search import word_index
from tickets.writing.courtesy import is_mere_thanks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from django.db.models import QuerySet

    from accounts.models import Organization

logger = logging.getLogger(__name__)

SUBJECT_LIMIT = 250  # characters
TEXT_LIMIT = 100_000


class NotStored(DomainError):
    """A file could not be kept, so nothing was done."""


class KeyTaken(DomainError):
    """The key of the form belongs to something else, which no page of ours brings about; with another one it can be sent."""


class TypeRequired(IllegalMove):
    """The status can't be entered without a type."""


class ReferenceRequired(IllegalMove):
    """The status can't be entered without an engineering reference (see `tickets.releases`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What somebody says, however it reached us."""

    text: str
    channel: Channel
    html: str = ""  # as it came; never shown without the `rich` filter
    quoted: str = ""
    files: tuple[files.NewFile, ...] = ()
    uploads: tuple[UUID, ...] = ()  # files of the same person that came before; the HTML shows pictures among them as cid:<id>
    submission_key: UUID | None = None  # of the form, so that one sent twice counts once


# --- Conversation --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def open_ticket(  # noqa: PLR0913 all by name
    *,
    actor: User,
    requester: User,
    subject: str,
    message: Message,
    share_with: Organization | None = None,
    people: Collection[User] = (),
    area: ProductArea | None = None,
    group: AgentGroup | None = None,
    type: TicketType | None = None,
    priority: Priority | None = None,
    follow_up_to: Ticket | None = None,
    split_from: Comment | None = None,
    sorted_by: MailRule | None = None,
    quiet: bool = False,
) -> Ticket:
    """A new ticket, followed by its requester, by who filed it and by `people`, with whom it is shared. `quiet`: nobody is sent a confirmation.

    `sorted_by`: an admin's rule that says more about it. `split_from`: what the requester wrote on another ticket, and this begins with a copy of.
    Returns the ticket that stands if the message's form was already sent, be it at this very moment.
    """
    if actor != requester and not actor.is_staff:
        raise NotAllowed(_("Only our staff can open a ticket for somebody else."))
    _check_people(people, actor)
    if earlier := _opened_by(message, requester):
        return earlier
    now = timezone.now()
    rule = sorted_by or MailRule()
    status = default_status(Category.SPAM if rule.is_spam else Category.NEW)
    ticket = Ticket(
        subject=subject[:SUBJECT_LIMIT],
        requester=requester,
        filer=actor if actor != requester else None,
        status=status,
        category=status.category,
        type=_in_use(rule.type, type),
        priority=_in_use(rule.priority, priority),
        area=area,
        group=_in_use(rule.group, group) or AgentGroup.objects.filter(is_default=True).first(),
        channel=message.channel,
        follow_up_to=follow_up_to,
        created_at=now,
        updated_at=now,
        public_updated_at=now,
        status_since=now,
        waiting_since=now,
        submission_key=message.submission_key,
    )
    if earlier := _insert(ticket, message):
        return earlier
    Follower.objects.bulk_create(Follower(ticket=ticket, user=person, added_by=actor) for person in {requester, actor, *people})
    if share_with:
        OrganizationShare.objects.create(ticket=ticket, organization=share_with, added_by=actor)
    ticket.description = _say(ticket, actor=requester if split_from else actor, message=message, split_from=split_from, is_first=True)
    is_quiet = quiet or rule.is_quiet
    details: dict[str, Any] = {"rule": rule.name, "spam": rule.is_spam} if sorted_by else {}
    if split_from:
        details["split_from"] = split_from.ticket_id
    elif not is_quiet:  # a machine names nobody, and who was named in a message is not named again by its copy
        details |= name_people(ticket.description, ticket, author=actor)
    details |= _for_whom(ticket, people, details.get("shared_with", []))
    record(ticket, EventKind.OPENED, actor=actor, comment=ticket.description, quiet=is_quiet, **details)
    return ticket


def _in_use(*things: Any) -> Any:
    """The first of these that there is: what a rule, a mailbox or an older ticket names may be retired by now, and is for no new ticket then."""
    return next((thing for thing in things if thing and not thing.is_retired), None)


def _for_whom(ticket: Ticket, people: Collection[User], named: list[str]) -> dict[str, Any]:
    """What the first event says of the requester that it was filed for, and of with whom it is shared from the start."""
    told: dict[str, Any] = {"new": _name(ticket.requester)} if ticket.filer else {}
    if people:
        told |= {"people": [person.pk for person in people], "shared_with": [*(person.display_name for person in people), *named]}
    return told


def _check_people(people: Collection[User], actor: User) -> None:
    """As where a ticket that stands is shared, see `tickets.sharing`."""
    if not people or actor.is_staff:
        return
    hold_memberships(people)
    if access.findable_by(actor).filter(pk__in=[person.pk for person in people]).count() < len(set(people)):
        raise NotAllowed(_("You can share a ticket with people of your own organization."))


def _insert(ticket: Ticket, message: Message) -> Ticket | None:
    """The ticket that stands already when the same form was sent twice at once."""
    if not message.submission_key:
        ticket.save(force_insert=True)
        return None
    try:
        with transaction.atomic():
            ticket.save(force_insert=True)
    except IntegrityError:
        if earlier := _opened_by(message, ticket.requester):
            return earlier
        raise
    return None


def _opened_by(message: Message, requester: User) -> Ticket | None:
    """The ticket that this form opened when it was sent before."""
    return Ticket.objects.filter(submission_key=message.submission_key, requester=requester).first() if message.submission_key else None


@transaction.atomic
def comment(
    ticket: Ticket,
    *,
    actor: User | None,
    message: Message,
    status: Status | None = None,
    type: TicketType | None = None,
    reference: str = "",
    seen: int | None = None,
) -> Comment:
    """A public reply; `status` is where staff want the ticket to go with it, `type` and engineering's `reference` what that status may require. Who is
    named in it sees the ticket.

    `seen`: the newest event that staff knew of who wrote it a little earlier. What a customer did since then is not answered by it, and stands.
    A customer's reply to a closed ticket opens a linked follow-up (or reopens, if the status says so), and what is said on a merged ticket is said on
    the one that it goes on in: the answer's `.ticket` tells which.
    What nobody says (`actor` is None: a rule) is no answer: it moves nothing, and the customer goes on waiting.
    """
    ticket = lock_where_it_goes_on(ticket, actor)
    if actor is None:
        return _say_by_itself(ticket, message)
    if earlier := said_before(message, actor):
        return earlier
    if not actor.is_staff and ticket.is_closed and (ticket.merged_into_id or not ticket.status.reopens_on_reply):
        return _follow_up(ticket, actor=actor, message=message)
    if (status or type or reference) and not actor.is_staff:
        raise NotAllowed(_("Only our staff can choose a status or a type."))
    said = _say(ticket, actor=actor, message=message)
    moved = _answered(ticket, status=status, given=_give(ticket, type, reference), seen=seen) if actor.is_staff else _heard(ticket, said)
    save(ticket, public=True)
    record(ticket, EventKind.COMMENTED, actor=actor, comment=said, **moved, **name_people(said, ticket, author=actor))
    return said


def _say_by_itself(ticket: Ticket, message: Message) -> Comment:
    said = _say(ticket, actor=None, message=message)
    save(ticket, public=True)
    record(ticket, EventKind.COMMENTED, actor=None, comment=said)
    return said


def _answered(ticket: Ticket, *, status: Status | None, given: dict[str, Any], seen: int | None) -> dict[str, Any]:
    """What an agent's reply moves."""
    if seen is not None and (crossing := list(_done_by_customers_since(ticket, seen))):
        _cross(ticket, crossing, seen)
        return {**given, "seen": seen}
    measures.answered(ticket, timezone.now())
    ticket.waiting_since = None
    moved = _enter(ticket, status) if status else _pull(ticket, Trigger.AGENT_REPLIED)
    return {**moved, **given}


def _cross(ticket: Ticket, crossing: list[Event], seen: int) -> None:
    """The answer and the customer's next words passed each other: it answers what was asked before, and they wait on with what they asked since."""
    wait = ticket.waiting_since
    began_since = wait is not None and wait > Event.objects.values_list("at", flat=True).get(pk=seen)
    asked = [event.at for event in crossing if event.kind in (EventKind.COMMENTED, EventKind.REOPENED)]
    ticket.waiting_since = None if began_since else wait
    measures.answered(ticket, timezone.now())
    ticket.waiting_since = wait if began_since else asked[0] if asked and wait else None


def _done_by_customers_since(ticket: Ticket, seen: int) -> QuerySet[Event]:
    return ticket.events.filter(pk__gt=seen, kind__in=_SAID_BY_CUSTOMERS, is_internal=False, actor__role=Role.CUSTOMER).order_by("pk")


_SAID_BY_CUSTOMERS = (EventKind.COMMENTED, EventKind.REOPENED, EventKind.FIX_CONFIRMED, EventKind.RESOLVED, EventKind.CLOSED)


def _heard(ticket: Ticket, said: Comment) -> dict[str, Any]:
    """What a customer's reply moves: a bare "thank you" on a resolved ticket, nothing."""
    if ticket.is_resolved and is_mere_thanks(said.text, author=said.author.name) and not said.attachments.exists():
        return {}
    ticket.waiting_since = ticket.waiting_since or timezone.now()
    ticket.fix_confirmed_at = None
    woke = {"woke": True} if ticket.snoozed_until else {}
    ticket.snoozed_until = None
    return {**_pull(ticket, Trigger.CUSTOMER_REPLIED), **woke}


@transaction.atomic
def add_note(ticket: Ticket, *, actor: User | None, message: Message) -> Comment:
    """An internal note. Moves nothing that a customer can see. On a merged ticket, see `comment`."""
    if actor and not actor.is_staff:
        raise NotAllowed(_("Only our staff can do that."))
    ticket = lock_where_it_goes_on(ticket, actor)
    if earlier := said_before(message, actor):
        return earlier
    note = _say(ticket, actor=actor, message=message, is_internal=True)
    save(ticket)
    record(ticket, EventKind.NOTED, actor=actor, comment=note, is_internal=True, **_named(note, ticket, author=actor))
    return note


def _named(said: Comment, ticket: Ticket, *, author: User | None) -> dict[str, Any]:
    """What is said by itself names nobody."""
    return name_people(said, ticket, author=author) if author else {}


def said_before(message: Message, actor: User | None) -> Comment | None:
    """What this form said when it was sent before. Raises KeyTaken."""
    if not message.submission_key:
        return None
    said = Comment.objects.filter(submission_key=message.submission_key).first()
    if said and (actor is None or said.author_id != actor.pk):
        raise KeyTaken(_("This was not sent. Send it again."))
    return said


def _say(
    ticket: Ticket,
    *,
    actor: User | None,
    message: Message,
    is_internal: bool = False,
    split_from: Comment | None = None,
    is_first: bool = False,
) -> Comment:
    said = Comment.objects.create(
        ticket=ticket,
        author=actor or User.objects.automaton(),
        text=message.text,
        html=message.html,
        quoted=message.quoted,
        is_internal=is_internal,
        channel=message.channel,
        submission_key=message.submission_key,
        split_from=split_from,
    )
    for new in message.files:
        _attach(said, new)
    _attach_uploads(said, message)
    note_links(said)
    has_files = message.files or message.uploads
    word_index.add(said, files=said.attachments.values_list("name", flat=True) if has_files else (), is_first=is_first)
    return said


def _attach_uploads(said: Comment, message: Message) -> None:
    """Somebody else's are as good as none."""
    if not message.uploads:
        return
    kept = list(Upload.objects.select_for_update().filter(pk__in=message.uploads, uploader=said.author).order_by("created_at"))
    if len(kept) < len(set(message.uploads)):
        raise NotStored(gone())
    for upload in kept:
        files.attach_kept(said, upload)


def gone() -> str:
    return _("A file that you had added is not here any more, as it waited for more than a day. Take it out, and add it again.")


def _attach(said: Comment, new: files.NewFile) -> None:
    try:
        files.attach(said, new)
    except OSError as error:
        logger.exception("a file could not be stored")
        raise NotStored(files.not_stored(new.name)) from error


def _follow_up(closed: Ticket, *, actor: User, message: Message) -> Comment:
    """The new ticket is the replier's own, and shared as far as the old one only where the replier belongs too."""
    shared = actor.active_organizations().filter(share_rows__ticket=closed).first()
    opened = open_ticket(
        actor=actor,
        requester=actor,
        subject=closed.subject,
        message=message,
        share_with=shared,
        group=closed.group,
        follow_up_to=closed,
    )
    return opened.description


# --- Course --------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def change_status(
    ticket: Ticket,
    *,
    actor: User | None,
    status: Status,
    type: TicketType | None = None,
    reference: str = "",
    resumed: Mapping[str, datetime] | None = None,
) -> Ticket:
    """By hand, to any status that is not retired. `type` and `reference` are set with it where given. Raises TypeRequired, ReferenceRequired.

    `resumed`: moments that had ended with the work and run on, where this takes something back.
    """
    ticket = lock(ticket, actor, staff_only=True)
    if resumed is not None:
        _as_if_it_never_was(ticket, status)
    for name, moment in (resumed or {}).items():
        setattr(ticket, name, moment)
    if status == ticket.status:
        ticket = set_reference(ticket, actor=actor, reference=reference) if reference else ticket
        return _set(ticket, "type", type, EventKind.TYPE_CHANGED, actor=actor) if type else ticket
    return _change_status(ticket, actor=actor, status=status, given=_give(ticket, type, reference))


def _give(ticket: Ticket, type: TicketType | None, reference: str) -> dict[str, Any]:
    """Sets what goes with a status. Answers what the event says of it: also what `undo` has to know."""
    had: dict[str, Any] = {}
    if type and type != ticket.type:
        had["type"], ticket.type = ticket.type_id, type
    if reference and (reference := tidy_reference(reference)) != ticket.reference:
        had["reference"], ticket.reference = ticket.reference, reference
    return {"type": _name(type), "reference": ticket.reference if "reference" in had else "", "had": had}


def _change_status(ticket: Ticket, *, actor: User | None, status: Status, given: dict[str, Any]) -> Ticket:
    was_spam = ticket.is_spam
    moved = _enter(ticket, status)
    kind = _KIND_OF_MOVE.get(Category(status.category), EventKind.NOT_SPAM if was_spam else EventKind.STATUS_CHANGED)
    hidden = was_spam or ticket.is_spam
    save(ticket, public=not hidden)
    record(ticket, kind, actor=actor, is_internal=hidden, **given, **moved)
    return ticket


_KIND_OF_MOVE = {
    Category.RESOLVED: EventKind.RESOLVED,
    Category.CLOSED: EventKind.CLOSED,
    Category.SPAM: EventKind.MARKED_SPAM,
}


def resolve(ticket: Ticket, *, actor: User, type: TicketType | None = None, reference: str = "") -> Ticket:
    """Staff's. Raises TypeRequired when the ticket has no type and none is given."""
    return change_status(ticket, actor=actor, status=default_status(Category.RESOLVED), type=type, reference=reference)


@transaction.atomic
def confirm_fix(ticket: Ticket, *, actor: User) -> Ticket:
    """A customer says that it works: that resolves the ticket, or, while it lacks the type that only staff know, asks them to."""
    ticket = lock(ticket, actor)
    if not ticket.is_unresolved:
        raise IllegalMove(_("This ticket is already resolved."))
    resolved = default_status(Category.RESOLVED)
    if resolved.requires_type and ticket.type_id is None:
        if not ticket.fix_confirmed_at:
            ticket.fix_confirmed_at, ticket.snoozed_until = timezone.now(), None
            save(ticket, public=True)
            record(ticket, EventKind.FIX_CONFIRMED, actor=actor)
        return ticket
    moved = _enter(ticket, resolved)
    save(ticket, public=True)
    record(ticket, _KIND_OF_MOVE[Category(resolved.category)], actor=actor, **moved)
    return ticket


@transaction.atomic
def close(ticket: Ticket, *, actor: User) -> Ticket:
    """Closes by hand; anybody who sees the ticket may, as anybody may reopen it."""
    return _move(lock(ticket, actor), Trigger.CLOSED, EventKind.CLOSED, actor=actor, refusal=_("This ticket is already closed."))


@transaction.atomic
def undo(ticket: Ticket, *, actor: User, event_id: int) -> Ticket:
    """Takes back that one resolved, closed or marked as spam, the event `event_id`: the ticket is where it was.

    Refused once anything has happened since, but for what rules did about it, which stays, and what clocks said.
    """
    ticket = lock(ticket, actor, staff_only=True)
    done = ticket.events.filter(pk=event_id, actor=actor, kind__in=_UNDONE).first()
    old = Status.objects.filter(name=done.data.get("old", "")).first() if done else None
    since = ticket.events.filter(pk__gt=event_id).exclude(kind__in=SAID_BY_CLOCKS)
    if done is None or old is None or any(not rule_of(event) or "category" in event.data for event in since):
        raise IllegalMove(
            _("Something has happened since, so this can't be undone any more. Choose the status that the ticket should have.")
        )
    _as_if_it_never_was(ticket, old)
    for name, moment in done.data.get("ended", {}).items():
        setattr(ticket, name, datetime.fromisoformat(moment))
    had = done.data.get("had", {})
    if "type" in had:
        ticket.type = TicketType.objects.filter(pk=had["type"]).first()
    ticket.reference = had.get("reference", ticket.reference)
    with undoing([done.pk]):
        return _change_status(ticket, actor=actor, status=old, given={})


_UNDONE = (EventKind.RESOLVED, EventKind.CLOSED, EventKind.MARKED_SPAM)


@transaction.atomic
def close_if_due(number: int) -> bool:
    """By itself, after its time as resolved. Looks again under the lock, so any number of sweeps close it once. True when this call did."""
    ticket = Ticket.objects.due_to_close().select_for_update(of=("self",), skip_locked=True).filter(pk=number).first()
    if ticket is None:
        return False
    _move(ticket, Trigger.CLOSE_DUE, EventKind.CLOSED, actor=None, refusal="")
    return True


@transaction.atomic
def reopen(ticket: Ticket, *, actor: User) -> Ticket:
    ticket = lock(ticket, actor)
    if not actor.is_staff:
        ticket.waiting_since = timezone.now()
    return _move(
        ticket,
        Trigger.REOPENED,
        EventKind.REOPENED,
        actor=actor,
        refusal=_("This ticket is open already."),
    )


def _move(ticket: Ticket, trigger: Trigger, kind: EventKind, *, actor: User | None, refusal: str) -> Ticket:
    moved = _pull(ticket, trigger)
    if not moved:
        raise IllegalMove(refusal)
    save(ticket, public=True)
    record(ticket, kind, actor=actor, **moved)
    return ticket


def _pull(ticket: Ticket, trigger: Trigger) -> dict[str, Any]:
    """Moves the ticket where `trigger` leads, if anywhere. Answers what the event says of it."""
    goal = target(ticket.category, trigger)
    return _enter(ticket, default_status(goal), by_hand=False) if goal else {}


def _enter(ticket: Ticket, status: Status, *, by_hand: bool = True) -> dict[str, Any]:
    """The only place that sets a ticket's status, and with it everything that hangs on it.

    A reply or a deadline is never refused for want of a type, which its author may not know; nothing by itself leads to resolved.
    """
    if status == ticket.status:
        return {}
    if ticket.merged_into_id:
        raise IllegalMove(_("This ticket was merged into another one. Undo the merge first."))
    if by_hand:
        status = Status.objects.get(pk=status.pk)  # as it is now that the ticket is locked: see `tickets.configuring`
    check_entry(status, has_type=not by_hand or ticket.type_id is not None, has_reference=not by_hand or bool(ticket.reference))
    moved: dict[str, Any] = {
        "old": ticket.status.name,
        "new": status.name,
        "old_public": ticket.status.label_for_customers,
        "new_public": status.label_for_customers,
        "category": status.category,
        "old_category": ticket.category,
    }
    ticket.status_since = timezone.now()
    return moved | stand(ticket, status, ticket.status_since)


def stand(ticket: Ticket, status: Status, now: datetime) -> dict[str, Any]:
    """Puts the ticket, locked and to be saved, into the status' category, with all that hangs on it. Answers what `undo` has to know."""
    ticket.is_indexed &= Category.SPAM not in (ticket.category, status.category)
    left, ticket.status, ticket.category = ticket.category, status, status.category
    measures.moved(ticket, left, now)
    ticket.close_due_at = now + status.closes_after if status.closes_after else None
    ticket.closed_at = now if ticket.is_closed else None
    ending = _END_WITH_THE_WORK if ticket.is_finished else _END_AS_SPAM if ticket.is_spam else _PUT_ASIDE if status.pauses_sla else ()
    ended = {name: at.isoformat() for name in ending if (at := getattr(ticket, name))}
    for name in ended:
        setattr(ticket, name, None)
    return {"ended": ended} if ending else {}


def check_entry(status: Status, *, has_type: bool, has_reference: bool) -> None:
    """Raises IllegalMove, TypeRequired or ReferenceRequired where a ticket can't be set to this status by hand."""
    if status.is_retired:
        raise IllegalMove(_("The status “%(status)s” is retired.") % {"status": status})
    if status.requires_type and not has_type:
        raise TypeRequired(_("Choose a type first: “%(status)s” requires one.") % {"status": status})
    if status.asks_reference and not has_reference:
        raise ReferenceRequired(_("Write engineering's reference first: “%(status)s” asks for one.") % {"status": status})


_END_WITH_THE_WORK = ("fix_confirmed_at", "waiting_since", "snoozed_until")
_END_AS_SPAM = ("snoozed_until",)
_PUT_ASIDE = ("waiting_since",)  # by who waits for the customer: nothing of theirs is to be answered, and a fix stays confirmed


def close_quietly(ticket: Ticket) -> dict[str, Any]:
    """For a verb that says itself what became of the ticket, which it has locked, saves and records: closed, unless it is."""
    return {} if ticket.is_closed else _enter(ticket, default_status(Category.CLOSED), by_hand=False)


def put_back(ticket: Ticket, *, status: Status, ended: dict[str, str]) -> dict[str, Any]:
    """As above, the other way: in the status that it had, and with what `ended` with the work (see `_enter`)."""
    _as_if_it_never_was(ticket, status)
    moved = _enter(ticket, status, by_hand=False)
    for name, moment in ended.items():
        setattr(ticket, name, datetime.fromisoformat(moment))
    return moved


def _as_if_it_never_was(ticket: Ticket, status: Status) -> None:
    """Where what is taken back resolved or reopened the ticket: back in `status`, it never was, so that no report counts it."""
    if status.category in UNRESOLVED and ticket.resolved_at == ticket.status_since:
        ticket.resolved_at = None
    elif status.category in FINISHED and ticket.is_unresolved:
        measures.never_reopened(ticket)


def default_status(category: Category) -> Status:
    """Where automatic moves lead. In a set of statuses that resolves nothing, what is solved is closed."""
    found = Status.objects.filter(category=category, is_default=True).first()
    return found or Status.objects.get(category=_INSTEAD.get(category, category), is_default=True)


_INSTEAD = {Category.RESOLVED: Category.CLOSED}


# --- Properties ----------------------------------------------------------------------------------------------------------------


@transaction.atomic
def take(ticket: Ticket, *, actor: User) -> Ticket:
    """Makes the ticket mine, and picks it up if nobody had."""
    ticket = lock(ticket, actor, staff_only=True)
    if ticket.assignee_id == actor.pk:
        return ticket
    return _assign(ticket, actor=actor, assignee=actor, moved=_pull(ticket, Trigger.PICKED_UP))


@transaction.atomic
def assign(ticket: Ticket, *, actor: User | None, assignee: User | None) -> Ticket:
    ticket = lock(ticket, actor, staff_only=True)
    if assignee == ticket.assignee:
        return ticket
    if assignee and not assignee.is_staff:
        raise NotAllowed(_("Tickets are assigned to our staff only."))
    return _assign(ticket, actor=actor, assignee=assignee, moved={})


def _assign(ticket: Ticket, *, actor: User | None, assignee: User | None, moved: dict[str, Any]) -> Ticket:
    data: dict[str, Any] = {"old": _name(ticket.assignee), "new": _name(assignee), "assignee": assignee.pk if assignee else None}
    ticket.assignee = assignee
    save(ticket, public=bool(moved))
    record(ticket, EventKind.ASSIGNED, actor=actor, is_internal=True, status=moved.get("new", ""), **data)
    return ticket


@transaction.atomic
def set_group(ticket: Ticket, *, actor: User | None, group: AgentGroup | None) -> Ticket:
    ticket = lock(ticket, actor, staff_only=True)
    return _set(ticket, "group", group, EventKind.GROUP_CHANGED, actor=actor)


@transaction.atomic
def set_type(ticket: Ticket, *, actor: User | None, type: TicketType | None) -> Ticket:
    ticket = lock(ticket, actor, staff_only=True)
    if type is None and ticket.status.requires_type:
        raise TypeRequired(_("The status “%(status)s” requires a type.") % {"status": ticket.status})
    return _set(ticket, "type", type, EventKind.TYPE_CHANGED, actor=actor)


@transaction.atomic
def set_area(ticket: Ticket, *, actor: User | None, area: ProductArea | None) -> Ticket:
    ticket = lock(ticket, actor, staff_only=True)
    return _set(ticket, "area", area, EventKind.AREA_CHANGED, actor=actor)


@transaction.atomic
def set_priority(ticket: Ticket, *, actor: User | None, priority: Priority | None, message: Message | None = None) -> Ticket:
    """`message` tells the customer, in the same event. It is no answer to what they wrote: nobody stops waiting for it."""
    ticket = lock(ticket, actor, staff_only=True)
    if priority is None or message is None:
        return _set(ticket, "priority", priority, EventKind.PRIORITY_CHANGED, actor=actor)
    if said_before(message, actor):
        return ticket
    said = _say(ticket, actor=actor, message=message)
    data: dict[str, Any] = {"old": _name(ticket.priority), "new": _name(priority), "priority": priority.pk}
    ticket.priority = priority
    save(ticket, public=True)
    record(ticket, EventKind.PRIORITY_CHANGED, actor=actor, comment=said, **data, **_named(said, ticket, author=actor))
    return ticket


def tidy_reference(reference: str) -> str:
    """One spelling for each, so that all of its tickets are found."""
    return " ".join(reference.split()).upper()[: Ticket._meta.get_field("reference").max_length]


@transaction.atomic
def set_reference(ticket: Ticket, *, actor: User | None, reference: str) -> Ticket:
    """Engineering's number for the matter; '' for none. Staff's own: customers never see it."""
    ticket = lock(ticket, actor, staff_only=True)
    reference = tidy_reference(reference)
    if reference == ticket.reference:
        return ticket
    if not reference and ticket.status.asks_reference:
        raise IllegalMove(_("“%(status)s” asks for a reference, so it can't be empty.") % {"status": ticket.status})
    old, ticket.reference = ticket.reference, reference
    save(ticket)
    record(ticket, EventKind.REFERENCE_CHANGED, actor=actor, is_internal=True, old=old, new=reference)
    return ticket


def _set(
    ticket: Ticket, field: str, value: AgentGroup | TicketType | Priority | ProductArea | None, kind: EventKind, *, actor: User | None
) -> Ticket:
    old = getattr(ticket, field)
    if old == value:
        return ticket
    setattr(ticket, field, value)
    save(ticket)
    record(ticket, kind, actor=actor, is_internal=True, old=_name(old), new=_name(value))
    return ticket


# --- Inside --------------------------------------------------------------------------------------------------------------------


def _name(thing: object) -> str:
    return "" if thing is None else str(thing)
