"""The names that a query may say, and what they stand for here: statuses, types, priorities, areas, groups, our staff, organizations.

Read once a page, the small lists in one query. Looks names up and completes them; what a query finds is decided by `tickets.desk.filters`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Case, CharField, Exists, IntegerField, OuterRef, Q, Value, When
from django.utils.translation import gettext as _

from accounts.models import AgentGroup, Organization, User
from tickets import access
from tickets.lifecycle import UNRESOLVED, Category
from tickets.models import Priority, ProductArea, Status, TicketType
from tickets.search.query import ANY, ME, NONE, Condition, Query, QueryError, number_of, unknown, value_of
from tickets.search.query import Value as Written
from tickets.tagging import tidy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

OWN = "own"
FEW = 200  # more organizations than this are no list to choose from
_MOST_FOUND = 100  # people or organizations that one name may mean
_MOST_TAGS = 1000
_MODELS: dict[str, Any] = {"status": Status, "priority": Priority, "type": TicketType, "area": ProductArea, "group": AgentGroup}


@dataclass(frozen=True, slots=True)
class Entry:
    """One of a list. `rank` orders it; `note` is the category of a status, and OWN for a group that the person is in.

    `is_hidden`: a private group none of whose tickets the person sees. Tickets may go there, and are not asked for by its name.
    """

    pk: int
    name: str
    note: str = ""
    rank: int = 0
    is_retired: bool = False
    is_hidden: bool = False

    def __str__(self) -> str:
        return self.name


class Vocabulary:
    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def _lists(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {kind: [] for kind in _MODELS}
        parts = [self._rows(kind, model) for kind, model in _MODELS.items()]
        for kind, *row in parts[0].union(*parts[1:], all=True):
            found[kind].append(Entry(*row))
        return {kind: sorted(entries, key=lambda entry: (entry.rank, entry.name)) for kind, entries in found.items()}

    def _rows(self, kind: str, model: Any) -> Any:
        """Of one list, in columns that are alike in all of them."""
        word, number = CharField(), IntegerField()
        note: Any = "category" if model is Status else Value("", output_field=word)
        rank: Any = "level" if model is Priority else "position"
        is_hidden: Any = Value(value=False)
        if model is AgentGroup:
            own = AgentGroup.members.through.objects.filter(agentgroup=OuterRef("pk"), user=self.user)
            note = Case(When(Exists(own), then=Value(OWN)), default=Value(""), output_field=word)
            rank = Value(0, output_field=number)
            if not self.user.is_admin:
                is_hidden = Case(When(access.has_seen_tickets(self.user), then=is_hidden), default=Value(value=True))
        return model.objects.order_by().values_list(Value(kind, output_field=word), "pk", "name", note, rank, "is_retired", is_hidden)

    def entries(self, kind: str) -> list[Entry]:
        """All of a list that this person may ask for, in its order."""
        return [entry for entry in self._lists[kind] if not entry.is_hidden]

    def offered(self, kind: str) -> list[Entry]:
        """What tickets can be set to."""
        return [entry for entry in self._lists[kind] if not entry.is_retired]

    @cached_property
    def staff(self) -> list[User]:
        return list(User.objects.active_staff().order_by("name", "email"))

    @cached_property
    def organizations(self) -> list[Entry] | None:
        """None where they are too many for a list."""
        few = Organization.objects.order_by("name").values_list("pk", "name")[: FEW + 1]
        return [Entry(*row) for row in few] if len(few) <= FEW else None

    @cached_property
    def tags(self) -> list[str]:
        """The ones put on a ticket last."""
        return list(access.tags_for(self.user).order_by("-used_at").values_list("name", flat=True)[:_MOST_TAGS])

    # --- From a name to what it stands for -------------------------------------------------------------------------------------

    def find(self, kind: str, condition: Condition, value: Written) -> list[Entry]:
        """What one of the small lists has under this name: the whole name, else what begins with it, else what holds it. Raises QueryError."""
        entries = self.entries(kind)
        if found := _by_number(value, entries) or _by_name(value.text, entries):
            return found
        words = {
            "status": _("There is no status “%(value)s”."),
            "priority": _("There is no priority “%(value)s”."),
            "type": _("There is no type “%(value)s”."),
            "area": _("There is no product area “%(value)s”."),
            "group": _("There is no group “%(value)s”."),
        }[kind]
        raise unknown(condition, value, [entry.name for entry in entries], words)

    def statuses(self, condition: Condition, value: Written) -> Q:
        """A status of that name; a category of that word where no status is called so."""
        named = {ANY: ~Q(category=Category.SPAM), "unresolved": Q(category__in=UNRESOLVED)}
        if not value.is_quoted and (meant := named.get(value.text.casefold())):
            return meant
        if self.is_category(value):
            return Q(category=value.text.casefold())
        return Q(status__in=[entry.pk for entry in self.find("status", condition, value)])

    def is_category(self, value: Written) -> bool:
        word = value.text.casefold()
        return not value.is_quoted and word in Category.values and all(entry.name.casefold() != word for entry in self.entries("status"))

    def people(self, condition: Condition, value: Written, *, is_staff: bool = False) -> list[int]:
        """Whom an address or a name means. Raises QueryError for nobody, and for more than can be looked for: some of them would be left out."""
        if is_staff and (found := _by_number(value, self.staff) or _people_of(value.text, self.staff)):
            return [person.pk for person in found]
        name, number = value.text, _number(value)
        people = User.objects.filter(pk=number) if number else User.objects.filter(Q(email__iexact=name) | Q(name__iexact=name))
        too_many = _("“%(value)s” means more than %(most)s people. Write more of the name, or the address.")
        pks = _few(people, condition, value, too_many)
        if not (pks or number):
            pks = _few(User.objects.filter(Q(email__istartswith=name) | Q(name__icontains=name)), condition, value, too_many)
        if not pks:
            names = [name for person in self.staff for name in (person.display_name, person.email)] if is_staff else []
            raise unknown(condition, value, names, _("Nobody here is called “%(value)s”."))
        return pks

    def tag(self, condition: Condition, value: Written) -> str:
        """In the spelling that tags have. Raises QueryError for one that was never put on a ticket, as far as they can be told."""
        name = tidy(value.text)
        if name in self.tags or (name and len(self.tags) == _MOST_TAGS):
            return name
        raise unknown(condition, value, self.tags, _("No ticket has the tag “%(value)s”."))

    def organizations_of(self, condition: Condition, value: Written) -> list[int]:
        if self.organizations is not None:
            if found := _by_number(value, self.organizations) or _by_name(value.text, self.organizations):
                return [one.pk for one in found]
            names = [one.name for one in self.organizations]
        else:
            if number := _number(value):
                return [number]
            too_many = _("“%(value)s” means more than %(most)s organizations. Write more of the name.")
            for lookup in ("iexact", "istartswith", "icontains"):
                if pks := _few(Organization.objects.filter(**{f"name__{lookup}": value.text}), condition, value, too_many):
                    return pks
            names = []
        raise unknown(condition, value, names, _("There is no organization “%(value)s”."))

    # --- From a thing to its name ----------------------------------------------------------------------------------------------

    def name_of(self, field: str, pk: int) -> str:
        """How a query writes the thing; empty for what is not there (any more)."""
        if field == "assignee":
            person = next((one for one in self.staff if one.pk == pk), None) or User.objects.filter(pk=pk).first()
            return self.name_of_person(person) if person else ""
        if field == "org":
            listed = self.organizations if self.organizations is not None else Organization.objects.filter(pk=pk)
            return next((one.name for one in listed if one.pk == pk), "")
        return next((entry.name for entry in self.entries(field) if entry.pk == pk), "")

    def name_of_person(self, person: User) -> str:
        namesakes = [one for one in self.staff if one.name.casefold() == person.name.casefold()]
        return person.name if person.name and len(namesakes) == 1 else person.email

    def named(self, query: Query) -> Query:
        """With `#12`, which is how a thing is kept, written as the name that it has today."""
        return Query(tuple(self._named(term) if isinstance(term, Condition) and term.field in _KEPT else term for term in query.terms))

    def _named(self, condition: Condition) -> Condition:
        return replace(condition, values=tuple(self._written(condition.field, value) for value in condition.values))

    def _written(self, field: str, value: Written) -> Written:
        number = _number(value)
        name = self.name_of(field, number) if number else ""
        return value_of(name) if name else value

    def kept(self, query: Query) -> Query:
        """The other way round, so that a view outlives new names. What is no whole name stays as it is written."""
        return Query(tuple(self._numbered(term) if isinstance(term, Condition) and term.field in _KEPT else term for term in query.terms))

    def _things(self, field: str) -> Iterable[Any]:
        if field == "assignee":
            return self.staff
        return self.organizations or [] if field == "org" else self.entries(field)

    def _numbered(self, condition: Condition) -> Condition:
        names = {self.name_of(condition.field, thing.pk).casefold(): thing.pk for thing in self._things(condition.field)}
        values = (
            Written(f"#{names[value.text.casefold()]}") if value.text.casefold() in names and not _is_word(value) else value
            for value in condition.values
        )
        return replace(condition, values=tuple(values))


_KEPT = (*_MODELS, "assignee", "org")


def _is_word(value: Written) -> bool:
    return not value.is_quoted and value.text.casefold() in (NONE, ME, ANY, "unresolved")


def _number(value: Written) -> int | None:
    return number_of(value.text) if value.text.startswith("#") and not value.is_quoted else None


def _by_number(value: Written, things: Iterable[Any]) -> list[Any]:
    number = _number(value)
    return [thing for thing in things if thing.pk == number] if number else []


def _few(found: QuerySet[Any], condition: Condition, value: Written, too_many: str) -> list[int]:
    pks = list(found.order_by().values_list("pk", flat=True)[: _MOST_FOUND + 1])
    if len(pks) > _MOST_FOUND:
        raise QueryError(too_many, start=condition.start, end=condition.end, value=value.text, most=str(_MOST_FOUND))
    return pks


def _by_name(name: str, things: Iterable[Any]) -> list[Any]:
    name = name.casefold()
    known = [(thing.name.casefold(), thing) for thing in things]
    for matches in (str.__eq__, str.startswith, str.__contains__):
        if found := [thing for known_as, thing in known if matches(known_as, name)]:
            return found
    return []


def _people_of(name: str, people: list[User]) -> list[User]:
    name = name.casefold()
    by_address = [person for person in people if person.email.casefold() == name]
    return by_address or _by_name(name, people) or [person for person in people if person.email.casefold().startswith(name)]
