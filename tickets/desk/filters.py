"""What a query asks of the database. Only the fields listed here reach it; a query names them in its own words (`tickets.search.query`).

The dashboard's counts are made of the same conditions, so that a number and the list behind it can't disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import lru_cache, reduce
from operator import or_
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.models import UNDELIVERED, Delivery, Reason
from tickets.desk.vocabulary import Vocabulary
from tickets.lifecycle import UNRESOLVED, Category
from tickets.models import Event, OrganizationShare, Tagging
from tickets.paging import Part
from tickets.reading import has_news
from tickets.search.full_text import matching
from tickets.search.query import ANY, ME, NONE, Condition, Query, QueryError, Value, bounds, number_of, parse, value_of
from tickets.search.words import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from django.db.models import QuerySet
    from django.utils.functional import _StrPromise

    from accounts.models import User
    from tickets.models import Ticket

UNRESOLVED_ONLY = "unresolved"
FLAGS: dict[str, _StrPromise] = {
    "overdue": _("Overdue"),
    "soon": _("Due within 4 hours"),
    "waiting": _("Waiting for us"),
    "confirmed": _("Fix confirmed"),
    "failed": _("Mail failed"),
    "unread": _("Unread"),
    "mentioned": _("You were named"),
    "snoozed": _("Snoozed"),
}
SORTS: dict[str, tuple[_StrPromise, tuple[str, ...]]] = {
    "updated": (_("Last updated"), ("-updated_at", "-id")),
    "created": (_("Newest"), ("-created_at", "-id")),
    "waiting": (_("Waiting longest"), ("waiting_since", "id")),
    "due": (_("Due first"), ("due_at", "id")),
    "priority": (_("Priority"), ("priority__level", "-updated_at", "-id")),
    "number": (_("Number"), ("-id",)),
}
DEFAULT_SORT = "updated"


def parts_of(sort: str, vocabulary: Vocabulary) -> list[Part]:
    """Of a list that is sorted so, each with an index of its own: however many tickets there are, a page is the beginning of one or a few of them."""
    match sort:
        case "priority":
            levels = [Part(Q(priority=entry.pk), entry.rank) for entry in vocabulary.entries("priority")]
            return [*levels, Part(Q(priority=None))]
        case "waiting" | "due":
            column = SORTS[sort][1][0]
            return [Part(Q(**{f"{column}__isnull": False}), is_sorted=True), Part(Q(**{column: None}))]
    return []


def has_failed_mail() -> Exists:
    return Exists(Delivery.objects.filter(ticket=OuterRef("pk"), state__in=UNDELIVERED))


def naming(user: User) -> QuerySet[Delivery, Any]:
    """The tickets on which somebody named this person, who has done nothing there since."""
    done_since = Event.objects.filter(ticket=OuterRef("ticket"), actor=user, pk__gt=OuterRef("event"))
    named = Delivery.objects.filter(recipient=user, reason=Reason.MENTIONED, ticket__isnull=False)
    return named.exclude(Exists(done_since)).order_by().values("ticket")


# --- From a query to conditions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who asks, and when: what "me" and "today" mean."""

    user: User
    vocabulary: Vocabulary
    now: datetime

    def condition(self, condition: Condition) -> Q:
        meant = reduce(or_, (_FIELDS[condition.field](self, condition, value) for value in condition.values))
        return ~meant if condition.is_not else meant

    # Each says what one value of a field means.

    def status(self, condition: Condition, value: Value) -> Q:
        return self.vocabulary.statuses(condition, value)

    def priority(self, condition: Condition, value: Value) -> Q:
        if value.says(NONE):
            return Q(priority=None)
        found = self.vocabulary.find("priority", condition, value)
        if not condition.operator:
            return Q(priority__in=[entry.pk for entry in found])
        rank = found[0].rank  # 1 is the most urgent, so more is less
        than = {">": int.__lt__, ">=": int.__le__, "<": int.__gt__, "<=": int.__ge__}[condition.operator]
        return Q(priority__in=[entry.pk for entry in self.vocabulary.entries("priority") if than(entry.rank, rank)])

    def listed(self, condition: Condition, value: Value) -> Q:
        if value.says(NONE):
            return Q(**{f"{condition.field}__isnull": True})
        return Q(**{f"{condition.field}__in": [entry.pk for entry in self.vocabulary.find(condition.field, condition, value)]})

    def person(self, condition: Condition, value: Value) -> Q:
        if value.says(NONE):
            return Q(**{f"{condition.field}__isnull": True})
        return Q(**{f"{condition.field}__in": self._people(condition, value)})

    def csm(self, condition: Condition, value: Value) -> Q:
        led = OrganizationShare.objects.filter(ticket=OuterRef("pk"), organization__delivery_lead__isnull=False)
        if value.says(NONE):
            return ~Q(Exists(led))
        return Q(Exists(led.filter(organization__delivery_lead__in=self._people(condition, value))))

    def _people(self, condition: Condition, value: Value) -> list[int]:
        if value.says(ME):
            return [self.user.pk]
        return self.vocabulary.people(condition, value, is_staff=condition.field != "requester")

    def org(self, condition: Condition, value: Value) -> Q:
        shares = OrganizationShare.objects.filter(ticket=OuterRef("pk"))
        if value.says(NONE):
            return ~Q(Exists(shares))
        return Q(Exists(shares.filter(organization__in=self.vocabulary.organizations_of(condition, value))))

    def tag(self, condition: Condition, value: Value) -> Q:
        tags = Tagging.objects.filter(ticket=OuterRef("pk"))
        if value.says(NONE):
            return ~Q(Exists(tags))
        return Q(Exists(tags.filter(tag__name=self.vocabulary.tag(condition, value))))

    def channel(self, _condition: Condition, value: Value) -> Q:
        return Q(channel=value.text.casefold())

    def moment(self, condition: Condition, value: Value) -> Q:
        column = f"{condition.field}_at"
        if value.says(NONE):
            return Q(**{f"{column}__isnull": True})
        since, until = bounds(condition, value, self.now)
        limits = {f"{column}__gte": since, f"{column}__lt": until}
        return Q(**{name: limit for name, limit in limits.items() if limit})

    def flag(self, _condition: Condition, value: Value) -> Q:
        return _FLAGS[value.text.casefold()](self)

    def number(self, condition: Condition, value: Value) -> Q:
        lookup = {"": "pk", "<": "pk__lt", "<=": "pk__lte", ">": "pk__gt", ">=": "pk__gte"}[condition.operator]
        return Q(**{lookup: number_of(value.text)})


_SOON = timedelta(hours=4)
# Made when they are asked for: some are subqueries, and a dashboard asks for a dozen.
_FLAGS: dict[str, Callable[[_Reader], Q]] = {
    "waiting": lambda _reader: Q(waiting_since__isnull=False),
    "unread": lambda reader: Q(has_news(reader.user)),
    "confirmed": lambda _reader: Q(fix_confirmed_at__isnull=False),
    "failed": lambda _reader: Q(has_failed_mail()),
    "overdue": lambda reader: Q(due_at__lt=reader.now),
    "soon": lambda reader: Q(due_at__gte=reader.now, due_at__lt=reader.now.astimezone(UTC) + _SOON),
    "mentioned": lambda reader: Q(pk__in=naming(reader.user)),
    "snoozed": lambda _reader: Q(snoozed_until__isnull=False),
}


_FIELDS: dict[str, Callable[[_Reader, Condition, Value], Q]] = {
    "status": _Reader.status,
    "priority": _Reader.priority,
    "type": _Reader.listed,
    "area": _Reader.listed,
    "group": _Reader.listed,
    "assignee": _Reader.person,
    "requester": _Reader.person,
    "filer": _Reader.person,
    "csm": _Reader.csm,
    "org": _Reader.org,
    "tag": _Reader.tag,
    "channel": _Reader.channel,
    "due": _Reader.moment,
    "created": _Reader.moment,
    "updated": _Reader.moment,
    "resolved": _Reader.moment,
    "is": _Reader.flag,
    "number": _Reader.number,
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked for, as conditions; or why it can't be."""

    text: str  # as it was typed
    query: Query
    condition: Q  # of everything but the words
    sort: str = DEFAULT_SORT
    problem: QueryError | None = None

    @property
    def order(self) -> tuple[str, ...]:
        return SORTS[self.sort][1]

    @property
    def words(self) -> str:
        return " ".join(map(str, self.query.words))

    @property
    def default_status(self) -> str:
        return default_status(self.query)

    def among(self, tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
        """Those of the tickets that are asked for. `tickets` is what the person may see."""
        if self.problem:
            return tickets.none()
        return matching(tickets.filter(self.condition), self.asked, for_staff=True)

    @property
    def asked(self) -> Asked:
        """Its words, as search knows them."""
        words = [word.text for word in self.query.words if not (word.is_phrase or word.is_not)]
        phrases = [word.text for word in self.query.words if word.is_phrase and not word.is_not]
        excluded = [word.text for word in self.query.words if word.is_not]
        return Asked(tuple(words), tuple(phrases), tuple(excluded))


def default_status(query: Query) -> str:
    """What no status means. Who looks for words, a number or what was resolved looks among all."""
    looks_anywhere = query.of("number") or query.of("resolved") or any(not word.is_not for word in query.words)
    return ANY if looks_anywhere else UNRESOLVED_ONLY


def read(params: Mapping[str, str], user: User, vocabulary: Vocabulary | None = None) -> Filters:
    text, sort = params.get("q", "").strip(), params.get("sort", "")
    return of_text(text, user, vocabulary or Vocabulary(user), sort=sort if sort in SORTS else DEFAULT_SORT)


def of_text(text: str, user: User, vocabulary: Vocabulary, *, sort: str = DEFAULT_SORT) -> Filters:
    try:
        query = parse(text)
        return Filters(text, query, condition_of(query, user, vocabulary), sort)
    except QueryError as problem:
        return Filters(text, Query(), Q(pk__in=()), sort, problem)


def condition_of(query: Query, user: User, vocabulary: Vocabulary) -> Q:
    """Of everything but the words. Raises QueryError for a name of nothing."""
    reader = _Reader(user, vocabulary, timezone.localtime())
    found = Q(*(reader.condition(condition) for condition in query.conditions))
    if all(condition.is_not for condition in query.of("status")):  # what is left out of the usual is still the usual
        found &= ~Q(category=Category.SPAM) if default_status(query) == ANY else _to_be_done(query)
    return found


def _to_be_done(query: Query) -> Q:
    """What snoozes is not, unless the query speaks of it."""
    return Q(category__in=UNRESOLVED) if _speaks_of_snoozed(query) else Q(category__in=UNRESOLVED, snoozed_until=None)


def _speaks_of_snoozed(query: Query) -> bool:
    return any(value.says("snoozed") for condition in query.of("is") for value in condition.values)


def snoozed_beside(filters: Filters) -> View | None:
    """What would be in a list of the unresolved, did it not snooze."""
    query = filters.query
    names_status = any(not condition.is_not for condition in query.of("status"))
    if filters.problem or names_status or query.words or default_status(query) == ANY or _speaks_of_snoozed(query):
        return None
    return View("snoozed", _("Snoozed"), f"{query} is:snoozed".strip())


# --- Addresses -----------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1000)
def query_string(text: str, sort: str = "", **others: str) -> str:
    sort = sort if sort in SORTS and sort != DEFAULT_SORT else ""
    query = urlencode({name: value for name, value in {"q": text, "sort": sort, **others}.items() if value})
    return f"?{query}" if query else ""


def queue_url(text: str = "", sort: str = "", **others: str) -> str:
    return reverse("desk_tickets") + query_string(text, sort, **others)


def condition_text(field: str, *values: str) -> str:
    """One condition as it is typed, of names."""
    return str(Condition(field, tuple(value_of(value) for value in values)))


@dataclass(frozen=True, slots=True)
class View:
    """A list that somebody at the desk looks at often."""

    key: str
    label: str | _StrPromise
    text: str  # the query
    sort: str = ""
    tone: str = ""  # of its tile when there is something in it

    @property
    def href(self) -> str:
        return queue_url(self.text, self.sort)

    def condition(self, user: User, vocabulary: Vocabulary) -> Q:
        return condition_of(parse(self.text), user, vocabulary)


VIEWS = (
    View("unresolved", _("Unresolved"), ""),
    View("mine", _("Mine"), "assignee:me"),
    View("unassigned", _("Unassigned"), "assignee:none", tone="warn"),
    View("waiting", _("Waiting for us"), "is:waiting", sort="waiting"),
    View("confirmed", _("Fix confirmed"), "is:confirmed", tone="warn"),
)
FAILED = View("failed", _("Mail failed"), "is:failed status:any", tone="alert")
