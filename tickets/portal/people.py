"""Who has a part in a ticket, as its customers may know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from tickets import access

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import Organization, User
    from tickets.models import Follower, Ticket


@dataclass(frozen=True, slots=True)
class Person:
    """For `components/person_chip.html`, and what the reader may do about them."""

    pk: int
    row: int  # by which they are removed: the person's own number would tell how long we have known an address that was invited
    display_name: str
    initials: str
    is_staff: bool
    note: str = ""
    can_remove: bool = False
    asks: bool = False  # as the reader could not take it back
    is_me: bool = False


@dataclass(frozen=True, slots=True)
class People:
    requester: User
    filer: User | None
    followers: list[Person]
    support: list[User]
    organizations: list[Organization]
    own: list[Organization]  # the reader's
    is_following: bool

    @property
    def offered(self) -> list[Organization]:
        """Own organizations that it is not shared with."""
        return [one for one in self.own if one not in self.organizations]

    @property
    def count(self) -> int:
        return len({self.requester.pk, *(one.pk for one in self.followers), *(one.pk for one in (self.filer, *self.support) if one)})


def people_of(reader: User, ticket: Ticket, *, answered: Iterable[User]) -> People:
    """`answered`: who wrote in public. Four queries, however many they are."""
    rows = list(access.followers_for(reader, ticket).with_newcomers().select_related("user").order_by("created_at", "id"))
    own = list(access.shareable_by(reader))
    findable = set(access.findable_by(reader).filter(pk__in=[row.user_id for row in rows]).values_list("pk", flat=True))
    organizations = list(ticket.organizations.filter(is_active=True))
    keeps = any(one in organizations for one in own)
    apart = {ticket.requester_id, ticket.filer_id}
    return People(
        requester=ticket.requester,
        filer=ticket.filer,
        followers=[
            _person(row, reader, findable=findable, keeps=keeps)
            for row in rows
            if row.user_id not in apart and (row.user.is_active or row.awaited)  # type: ignore[attr-defined] # annotated
        ],
        support=[one for one in {one.pk: one for one in answered if one.is_staff}.values() if one.pk not in apart],
        organizations=organizations,
        own=own,
        is_following=any(row.user_id == reader.pk and not row.is_muted for row in rows),
    )


def _person(row: Follower, reader: User, *, findable: set[int], keeps: bool) -> Person:
    """`keeps`: whether the reader sees the ticket as a member of an organization as well, so that to stop following is all there is to do."""
    is_awaited = bool(row.awaited)  # type: ignore[attr-defined] # annotated
    is_me = row.user_id == reader.pk
    return Person(
        pk=row.user_id,
        row=row.pk,
        display_name=row.name,
        initials=row.name[:1].upper() if is_awaited else row.user.initials,
        is_staff=row.user.is_staff and not is_awaited,
        note=_note(row, is_me=is_me, is_awaited=is_awaited),
        can_remove=not (is_me and keeps),
        asks=row.user_id not in findable,
        is_me=is_me,
    )


def _note(row: Follower, *, is_me: bool, is_awaited: bool) -> str:
    if is_awaited:
        return _("invited")
    if is_me:
        return _("you")
    if row.user.is_staff:
        return _("Support")
    return _("gets no email") if row.is_muted else ""
