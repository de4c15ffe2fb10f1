"""Merging: one ticket goes on in another, and the merge can be undone for a while.

Nothing is moved: each ticket keeps its conversation, and who may read that. The one that was merged is closed and points to the other, whose page shows
both conversations to who sees both. So nobody reads more than before, but the people of the merged ticket whom the agent takes along: they read the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import IllegalMove
from accounts.models import Membership, Organization, Role, User
from tickets import access, actions
from tickets.events import record, undoing
from tickets.lifecycle import Category
from tickets.links import number_of
from tickets.locking import hold_memberships, lock_both, save
from tickets.models import Comment, Event, EventKind, Follower, OrganizationShare, Status, Ticket

if TYPE_CHECKING:
    from collections.abc import Collection


Who = TypeVar("Who", User, Organization)
UNDOABLE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Newcomer(Generic[Who]):
    """A person, or an organization with all its members, who would read the other ticket from then on."""

    who: Who
    is_near: bool  # belongs to the other's requester anyway: the same person, a teammate, their organization
    homes: tuple[str, ...] = ()  # names of a person's organizations


@dataclass(frozen=True, slots=True)
class Plan:
    """What merging `source` into `target` would do, as things stand."""

    source: Ticket
    target: Ticket
    people: list[Newcomer[User]]
    organizations: list[Newcomer[Organization]]
    following: list[User]  # see the target already, and follow it from then on
    refusal: str = ""

    @property
    def is_between_strangers(self) -> bool:
        """The two requesters share no organization."""
        mine, theirs = self.source.requester, self.target.requester
        return mine != theirs and not mine.is_staff and not theirs.is_staff and not mine.is_teammate_of(theirs)


def plan(source: Ticket, target: Ticket) -> Plan:
    """Of two tickets that the agent sees."""
    sees = set(access.who_see(target).values_list("pk", flat=True))
    follows = set(target.follower_rows.values_list("user", flat=True))
    people = _people(source)
    new = [person for person in people if person.pk not in sees and not person.is_staff]
    shared = set(target.organizations.values_list("pk", flat=True))
    organizations = [one for one in source.organizations.filter(is_active=True).order_by("name") if one.pk not in shared]
    own = set(target.requester.active_organizations().values_list("pk", flat=True))
    return Plan(
        source=source,
        target=target,
        people=_newcomers(new, target, own),
        organizations=[Newcomer(one, is_near=one.pk in own) for one in organizations],
        following=[person for person in people if person.pk in sees and person.pk not in follows],
        refusal=_refusal(source, target),
    )


def _people(ticket: Ticket) -> list[User]:
    """Who is told of it: its requester, its filer, and who follows it with mail."""
    told = ticket.follower_rows.in_force().filter(is_muted=False).values("user")
    people = User.objects.filter(pk__in=told) | User.objects.filter(pk__in=[pk for pk in (ticket.requester_id, ticket.filer_id) if pk])
    return list(people.filter(is_active=True).order_by("name", "email"))


def _newcomers(people: list[User], target: Ticket, near: Collection[int]) -> list[Newcomer[User]]:
    """`near`: the organizations of the target's requester. One query, however many there are."""
    homes: dict[int, list[Organization]] = {person.pk: [] for person in people}
    memberships = Membership.objects.filter(user__in=people, is_active=True, organization__is_active=True)
    for membership in memberships.select_related("organization").order_by("organization__name"):
        homes[membership.user_id].append(membership.organization)
    return [
        Newcomer(
            person,
            is_near=person.pk in (target.requester_id, target.filer_id) or any(home.pk in near for home in homes[person.pk]),
            homes=tuple(home.name for home in homes[person.pk]),
        )
        for person in people
    ]


def _refusal(source: Ticket, target: Ticket) -> str:
    words = {"source": source.pk, "target": target.pk}
    if source.pk == target.pk:
        return _("A ticket can't be merged into itself.")
    for ticket in (source, target):
        if ticket.merged_into_id:
            return _("#%(number)d was merged into #%(into)d already.") % {"number": ticket.pk, "into": ticket.merged_into_id}
        if ticket.is_spam:
            return _("#%(number)d is spam. Say that it is not, first.") % {"number": ticket.pk}
    if target.is_finished and source.is_unresolved:
        return _("#%(target)d is done, and #%(source)d is not. Reopen #%(target)d first, or merge the other way round.") % words
    return ""


@transaction.atomic
def merge(
    source: Ticket, *, into: Ticket, actor: User, people: Collection[User] = (), organizations: Collection[Organization] = ()
) -> Ticket:
    """`people`, `organizations`: those of the `plan` who are to read the other ticket; who is not among its newcomers counts for nothing.

    Closes the source without a word of its own; its followers are told once, by the event that says where it went.
    """
    source, target = lock_both(source, into, actor=actor, along=Q(merged_into=source.pk))
    hold_memberships([source.requester, target.requester])
    planned = plan(source, target)
    if planned.refusal:
        raise IllegalMove(planned.refusal)
    taken = [one.who for one in planned.people if one.who in people]
    shared = [one.who for one in planned.organizations if one.who in organizations]
    data: dict[str, Any] = {
        "into": target.pk,
        "was": source.status_id,
        "taken": _follow(source, target, [*taken, *planned.following], actor=actor),
        "shared": [one.pk for one in shared],
        "brought": list(source.merged.values_list("pk", flat=True)),
        "waiting": {"before": _iso(target.waiting_since), "after": ""},
    }
    OrganizationShare.objects.bulk_create(OrganizationShare(ticket=target, organization=one, added_by=actor) for one in shared)
    if source.waiting_since and target.is_unresolved:
        target.waiting_since, target.snoozed_until = min(source.waiting_since, target.waiting_since or source.waiting_since), None
        data["waiting"]["after"] = _iso(target.waiting_since)
    data["ended"] = actions.close_quietly(source).get("ended", {})
    source.merged_into = target
    source.merged.update(merged_into=target)
    save(source, public=True)
    save(target, public=True)
    readers = access.who_see(source).filter(role=Role.CUSTOMER)
    everybody = not readers.exclude(pk__in=access.who_see(target).values("pk")).exists()
    told = number_of(target, reader_of=source)
    record(source, EventKind.MERGED, actor=actor, new_public=f"#{target.pk}" if everybody else "", **told, **data)
    record(target, EventKind.TOOK_IN, actor=actor, is_internal=True, source=source.pk, **number_of(source, reader_of=target))
    return target


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _follow(source: Ticket, target: Ticket, people: Collection[User], *, actor: User) -> list[int]:
    """As they followed the source: who did as a member of an organization does so here. Answers whose rows are new."""
    has = set(target.follower_rows.values_list("user", flat=True))
    through = dict(source.follower_rows.values_list("user", "through"))
    new = [person for person in people if person.pk not in has]
    Follower.objects.bulk_create(Follower(ticket=target, user=person, added_by=actor, through_id=through.get(person.pk)) for person in new)
    return [person.pk for person in new]


# --- Undoing -------------------------------------------------------------------------------------------------------------------


def last_merge(ticket: Ticket) -> Event | None:
    """The event that merged this ticket into the one where it is now; None where it came along with another."""
    event = ticket.events.filter(kind=EventKind.MERGED).order_by("-pk").first()
    return event if event and event.data["into"] == ticket.merged_into_id else None


def why_not_undone(ticket: Ticket) -> str:
    """'' while the merge of this ticket can be undone."""
    if ticket.merged_into_id is None:
        return _("This ticket is not merged.")
    event = last_merge(ticket)
    if event is None:
        return _("It came here with another ticket that was merged. Undo that merge first.")
    if event.at < timezone.now() - UNDOABLE:
        return _("The merge is more than %(days)d days old, so it can't be undone any more.") % {"days": UNDOABLE.days}
    return ""


def undoable(merged: Collection[Ticket]) -> set[int]:
    """The numbers of those whose merge can be undone: as `why_not_undone`, of many in one query."""
    events = Event.objects.filter(ticket__in=merged, kind=EventKind.MERGED, at__gte=timezone.now() - UNDOABLE).order_by("pk")
    last = {event.ticket_id: event.data["into"] for event in events}
    return {ticket.pk for ticket in merged if last.get(ticket.pk) == ticket.merged_into_id}


@transaction.atomic
def unmerge(ticket: Ticket, *, actor: User) -> Ticket:
    """It goes on by itself, in the status that it had. Who was taken along no longer reads the other, unless they wrote there meanwhile."""
    if ticket.merged_into is None:
        raise IllegalMove(_("This ticket is not merged."))
    source, target = lock_both(ticket, ticket.merged_into, actor=actor, along=Q(merged_into=ticket.merged_into_id))
    if source.merged_into_id != target.pk:  # undone meanwhile, and perhaps merged into another
        raise IllegalMove(_("Somebody was quicker: look where this ticket stands now."))
    if refusal := why_not_undone(source):
        raise IllegalMove(refusal)
    event = source.events.filter(kind=EventKind.MERGED).latest("pk")
    data = event.data
    source.merged_into = None
    Ticket.objects.filter(pk__in=data["brought"], merged_into=target).update(merged_into=source)
    actions.put_back(source, status=_status_again(source, data["was"]), ended=data["ended"])
    stays = Comment.objects.filter(ticket=target, created_at__gt=event.at, author__in=data["taken"])
    leaving = target.follower_rows.filter(user__in=data["taken"]).exclude(user__in=stays.values("author"))
    leaving.exclude(user=target.requester_id).delete()
    OrganizationShare.objects.filter(ticket=target, organization__in=data["shared"]).delete()
    if target.waiting_since and _iso(target.waiting_since) == data["waiting"]["after"]:
        target.waiting_since = _waited_anyway(target, before=data["waiting"]["before"], merged_at=event.at)
    save(source, public=True)
    save(target, public=True)
    with undoing([event.pk]):
        record(source, EventKind.UNMERGED, actor=actor)
    record(target, EventKind.GAVE_BACK, actor=actor, is_internal=True, **number_of(source, reader_of=target))
    return source


def _status_again(source: Ticket, was: int) -> Status:
    """The one that it had, where it may still enter that: while it was merged, its type may have been taken away."""
    status = Status.objects.filter(pk=was).first()
    if status and status != source.status:
        try:
            actions.check_entry(status, has_type=source.type_id is not None, has_reference=bool(source.reference))
        except IllegalMove:
            status = None
    return status or actions.default_status(Category.OPEN)


def _waited_anyway(target: Ticket, *, before: str, merged_at: datetime) -> datetime | None:
    """Since when it would wait for us without the merge: as before it, or since what a customer wrote after."""
    if before:
        return datetime.fromisoformat(before)
    later = Comment.objects.filter(ticket=target, is_internal=False, author__role=Role.CUSTOMER, created_at__gt=merged_at)
    return later.order_by("pk").values_list("created_at", flat=True).first()
