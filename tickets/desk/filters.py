"""What the address of the queue may ask for. Only what is listed here reaches the database; anything else is ignored.

The dashboard's counts are made of the same conditions, so that a number and the list behind it can't disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from notifications.models import UNDELIVERED, Delivery
from tickets import tagging
from tickets.lifecycle import UNRESOLVED, Category
from tickets.models import OrganizationShare, Tagging
from tickets.search import MAX_LENGTH, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.utils.functional import _StrPromise

    from accounts.models import User

NONE, ME, ANY, UNRESOLVED_ONLY = "none", "me", "any", "unresolved"
FLAGS: dict[str, _StrPromise] = {
    "waiting": _("Waiting for us"),
    "confirmed": _("Fix confirmed"),
    "failed": _("Mail failed"),
    "snoozed": _("Snoozed"),
}
SORTS: dict[str, tuple[_StrPromise, tuple[str, ...]]] = {
    "updated": (_("Last updated"), ("-updated_at", "-id")),
    "created": (_("Newest"), ("-created_at", "-id")),
    "waiting": (_("Waiting longest"), ("waiting_since", "id")),
    "priority": (_("Priority"), ("priority__level", "-updated_at", "-id")),
    "number": (_("Number"), ("-id",)),
}
_DEFAULT_SORT = "updated"


def _pk(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None


def _by_status(value: str, _user: User) -> Q | None:
    named = {ANY: ~Q(category=Category.SPAM), UNRESOLVED_ONLY: Q(category__in=UNRESOLVED), str(Category.SPAM): Q(category=Category.SPAM)}
    pk = _pk(value)
    return named.get(value) if pk is None else Q(status=pk)


def _by(field: str) -> Callable[[str, User], Q | None]:
    """One of a list, or none of it."""

    def condition(value: str, _user: User) -> Q | None:
        pk = _pk(value)
        if pk is None:
            return Q(**{f"{field}__isnull": True}) if value == NONE else None
        return Q(**{field: pk})

    return condition


def _by_assignee(value: str, user: User) -> Q | None:
    return Q(assignee=user) if value == ME else _by("assignee")(value, user)


def _by_organization(value: str, _user: User) -> Q | None:
    pk = _pk(value)
    return None if pk is None else Q(Exists(OrganizationShare.objects.filter(ticket=OuterRef("pk"), organization=pk)))


def _by_tag(value: str, _user: User) -> Q | None:
    name = tagging.tidy(value)
    return Q(Exists(Tagging.objects.filter(ticket=OuterRef("pk"), tag__name=name))) if name else None


def _by_flag(value: str, _user: User) -> Q | None:
    return {
        "waiting": Q(waiting_since__isnull=False),
        "confirmed": Q(fix_confirmed_at__isnull=False),
        "failed": Q(has_failed_mail()),
        "snoozed": Q(snoozed_until__isnull=False),
    }.get(value)


def has_failed_mail() -> Exists:
    return Exists(Delivery.objects.filter(ticket=OuterRef("pk"), state__in=UNDELIVERED))


_CONDITIONS: dict[str, Callable[[str, User], Q | None]] = {
    "status": _by_status,
    "priority": _by("priority"),
    "type": _by("type"),
    "group": _by("group"),
    "assignee": _by_assignee,
    "organization": _by_organization,
    "tag": _by_tag,
    "flag": _by_flag,
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked for, less what makes no sense."""

    chosen: dict[str, str]  # parameter -> value, as the address has them
    condition: Q  # of everything but the words
    words: str
    sort: str

    @property
    def order(self) -> tuple[str, ...]:
        return SORTS[self.sort][1]

    @property
    def default_status(self) -> str:
        """What no status means. Who looks for words looks among all."""
        return ANY if self.words else UNRESOLVED_ONLY


def read(params: Mapping[str, str], user: User) -> Filters:
    words = " ".join(words_of(params.get("q", "")))[:MAX_LENGTH]
    sort = params.get("sort", "")
    found = {name: (params.get(name, ""), make(params.get(name, ""), user)) for name, make in _CONDITIONS.items()}
    chosen = {name: value for name, (value, condition) in found.items() if condition is not None}
    condition = Q(*(condition for _value, condition in found.values() if condition is not None))
    if "status" not in chosen:
        condition &= _by_status(ANY if words else UNRESOLVED_ONLY, user) or Q()
        if not words and chosen.get("flag") != "snoozed":
            condition &= Q(snoozed_until=None)
    if words:
        chosen["q"] = words
    if sort in SORTS and sort != _DEFAULT_SORT:
        chosen["sort"] = sort
    return Filters(chosen=chosen, condition=condition, words=words, sort=sort if sort in SORTS else _DEFAULT_SORT)


def queue_url(**params: str) -> str:
    query = urlencode({name: value for name, value in params.items() if value})
    return reverse("desk_tickets") + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class View:
    """A list that somebody at the desk looks at often, among the unresolved tickets."""

    key: str
    label: str | _StrPromise
    params: dict[str, str]
    tone: str = ""  # of its tile when there is something in it

    @property
    def href(self) -> str:
        return queue_url(**self.params)

    def condition(self, user: User) -> Q:
        return read(self.params, user).condition


VIEWS = (
    View("unresolved", _("Unresolved"), {}),
    View("mine", _("Mine"), {"assignee": ME}),
    View("unassigned", _("Unassigned"), {"assignee": NONE}, "warn"),
    View("waiting", _("Waiting for us"), {"flag": "waiting", "sort": "waiting"}),
    View("confirmed", _("Fix confirmed"), {"flag": "confirmed"}, "warn"),
)
FAILED = View("failed", _("Mail failed"), {"flag": "failed", "status": ANY}, "alert")
