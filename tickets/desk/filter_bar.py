"""The selects over the queue. They write the query, and show what it says; addresses of before the language are read the same way.

One source of truth: the query in the address. What the selects send is put into it, and the browser is led to what it says then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from tickets.desk.filters import FLAGS, UNRESOLVED_ONLY, Filters, query_string
from tickets.lifecycle import Category
from tickets.search.query import ANY, ME, NONE, Condition, Query, QueryError, Value, number_of, parse, value_of
from tickets.tagging import tidy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tickets.desk.vocabulary import Vocabulary

KEEP = "="  # of a select that shows more than it can say: as the query has it
# The selects, by the name they have in the address; and the field of the language that each writes.
SELECTS = {
    "status": "status",
    "priority": "priority",
    "type": "type",
    "group": "group",
    "assignee": "assignee",
    "organization": "org",
    "flag": "is",
}


# --- From the selects to the query ---------------------------------------------------------------------------------------------


def translated(params: Mapping[str, str], vocabulary: Vocabulary) -> str | None:
    """The query string that says in the language what the selects say; None where they say nothing.

    `was` is the query that the selects were made for: what was not touched since says nothing, as the line may have been edited meanwhile.
    What makes no sense is left out; what can't be read is left as it is, for the page to tell.
    """
    if not (SELECTS.keys() | {"tag"}) & params.keys():
        return None
    text = params.get("q", "").strip()
    try:
        query = parse(text)
        was = _as_shown(params["was"], vocabulary) if "was" in params else {}
    except QueryError:
        return query_string(text, params.get("sort", ""), view=params.get("view", ""))
    if tag := tidy(params.get("tag", "")):
        query = query.having("tag", Condition("tag", (value_of(tag),)))
    for name, field in SELECTS.items():
        value = params.get(name, KEEP)
        if value == was.get(name, KEEP):
            continue
        if value == "":
            query = query.having(field)
        elif written := _written(field, value, vocabulary):
            query = query.having(field, Condition(field, (written,)))
    return query_string(str(query), params.get("sort", ""), view=params.get("view", ""))


def _as_shown(text: str, vocabulary: Vocabulary) -> dict[str, str]:
    """What each select showed for a query."""
    query = parse(text)
    return {name: (_chosen(query, vocabulary, name) or KEEP) if query.of(field) else "" for name, field in SELECTS.items()}


def _written(field: str, value: str, vocabulary: Vocabulary) -> Value | None:
    """As the language writes what a select says: a thing by its name."""
    words = {
        "status": (ANY, UNRESOLVED_ONLY, str(Category.SPAM)),
        "assignee": (ME, NONE),
        "is": tuple(FLAGS),
        "org": (),
    }.get(field, (NONE,))
    if value in words:
        return Value(value)
    number = None if value.startswith("#") or field == "is" else number_of(value)
    if not number:
        return None
    name = vocabulary.name_of(field, number)
    return value_of(name) if name else Value(f"#{number}")


# --- From the query to the selects ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filter:
    """One select of the filter bar."""

    name: str
    label: str
    nothing: str  # what not choosing means
    choices: list[tuple[str, str]]
    chosen: str


def choices(filters: Filters, vocabulary: Vocabulary) -> list[Filter]:
    people = [(ME, _("Me")), (NONE, _("Nobody")), *_options(vocabulary.staff)]
    priorities, types, groups = (_options(vocabulary.entries(kind)) for kind in ("priority", "type", "group"))
    shown = [
        ("status", _("Status"), _default_status(filters), _statuses(filters, vocabulary)),
        ("flag", _("Due and flags"), _("Overdue, due …"), [(key, str(label)) for key, label in FLAGS.items()]),
        ("priority", _("Priority"), _("Any priority"), [*priorities, (NONE, _("No priority"))]),
        ("type", _("Type"), _("Any type"), [*types, (NONE, _("No type"))]),
        ("group", _("Group"), _("Any group"), [*groups, (NONE, _("No group"))]),
        ("assignee", _("Assignee"), _("Anybody"), people),
        ("organization", _("Organization"), _("Any organization"), _organizations(filters, vocabulary)),
    ]
    made = (_filter(filters.query, vocabulary, *one) for one in shown)
    return [one for one in made if one.choices]


def _filter(query: Query, vocabulary: Vocabulary, name: str, label: str, nothing: str, choices: list[tuple[str, str]]) -> Filter:
    """With what the query says of it chosen; where it says more than the select can, that is one more choice."""
    said = query.of(SELECTS[name])
    chosen = _chosen(query, vocabulary, name) if said else ""
    if said and chosen not in dict(choices):
        chosen = KEEP
        choices = [(KEEP, " ".join(map(str, said))), *choices]
    return Filter(name, label, nothing, choices, chosen)


def _chosen(query: Query, vocabulary: Vocabulary, name: str) -> str:
    """The choice that says the same as the query; empty for none."""
    condition, *more = query.of(SELECTS[name])
    if more or not condition.is_simple:
        return ""
    (value,) = condition.values
    word = value.text.casefold()
    if not value.is_quoted and word in (ME, NONE, ANY, UNRESOLVED_ONLY, *FLAGS):
        return word
    if name == "status" and vocabulary.is_category(value):
        return ""
    try:
        things = _things(condition, value, vocabulary)
    except QueryError:  # of a query that was not found either
        return ""
    return str(things[0]) if len(things) == 1 else ""


def _things(condition: Condition, value: Value, vocabulary: Vocabulary) -> list[int]:
    match condition.field:
        case "assignee":
            return vocabulary.people(condition, value, is_staff=True)
        case "org":
            return vocabulary.organizations_of(condition, value)
        case "is":
            return []
    return [entry.pk for entry in vocabulary.find(condition.field, condition, value)]


def _options(things: Iterable[Any]) -> list[tuple[str, str]]:
    return [(str(thing.pk), str(thing)) for thing in things]


def _default_status(filters: Filters) -> str:
    return _("Any status") if filters.default_status == ANY else _("Unresolved")


def _statuses(filters: Filters, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    by_default = filters.default_status
    words = [(UNRESOLVED_ONLY, _("Unresolved")), (ANY, _("Any status"))]
    said = {value.text for condition in filters.query.of("status") for value in condition.values}
    of_spam = [entry for entry in vocabulary.entries("status") if entry.note == Category.SPAM]
    others = [entry for entry in vocabulary.entries("status") if entry.note != Category.SPAM]
    return [*(one for one in words if one[0] != by_default or one[0] in said), *_options(others), *_options(of_spam)]


def _organizations(filters: Filters, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    if vocabulary.organizations is not None:
        return _options(vocabulary.organizations)
    condition = next(iter(filters.query.of("org")), None)
    if condition is None or not condition.is_simple:
        return []
    (value,) = condition.values
    found = [] if value.says(NONE) else vocabulary.organizations_of(condition, value)
    return [(str(found[0]), value.text)] if len(found) == 1 else []
