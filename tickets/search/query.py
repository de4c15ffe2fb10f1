"""The language of the queue's one line, read and written: `status:open -type:none priority:>=high due:<4h "exact words" -word`.

Pure: no models and no clock. It knows which fields there are and what a date is; names of statuses, groups and people are looked up by who asks
(`tickets.desk.vocabulary`). What it can't read it says as a QueryError: what is wrong, where, and what to type instead. It raises nothing else.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass, replace
from dataclasses import field as part
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from tickets.spans import read_span

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LENGTH = 500  # characters
MAX_TERMS = 40
MAX_VALUES = 50  # of one field
NONE, ME, ANY = "none", "me", "any"


class Kind(Enum):
    """What a field's values are."""

    NAME = "name"  # of something an admin made
    RANK = "rank"  # the same, in an order
    PERSON = "person"
    WORD = "word"  # one of a few
    TIME = "time"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    example: str
    words: tuple[str, ...] = ()  # that it knows besides names
    looks_ahead: bool = False  # of a time: a span is what is left, not how long ago


_FIELDS = (
    Field("status", Kind.NAME, "status:open", ("new", "open", "waiting", "resolved", "closed", "spam", "unresolved", ANY)),
    Field("priority", Kind.RANK, "priority:>=high", (NONE,)),
    Field("type", Kind.NAME, "type:none", (NONE,)),
    Field("group", Kind.NAME, 'group:"Customer Support"', (NONE,)),
    Field("assignee", Kind.PERSON, "assignee:me", (ME, NONE)),
    Field("org", Kind.NAME, "org:acme", (NONE,)),
    Field("requester", Kind.PERSON, "requester:ana@acme.example", (ME,)),
    Field("filer", Kind.PERSON, "filer:me", (ME, NONE)),
    Field("csm", Kind.PERSON, "csm:me", (ME, NONE)),
    Field("area", Kind.NAME, "area:none", (NONE,)),
    Field("tag", Kind.NAME, "tag:data-export", (NONE,)),
    Field("channel", Kind.WORD, "channel:email", ("portal", "email", "desk")),
    Field("due", Kind.TIME, "due:<4h", (NONE,), looks_ahead=True),
    Field("created", Kind.TIME, "created:>2026-01-01"),
    Field("updated", Kind.TIME, "updated:<2d"),
    Field("resolved", Kind.TIME, "resolved:today", (NONE,)),
    Field("is", Kind.WORD, "is:waiting", ("waiting", "unread", "overdue", "soon", "mentioned", "confirmed", "failed", "snoozed")),
    Field("number", Kind.NUMBER, "number:1042"),
)
FIELDS = {known.name: known for known in _FIELDS}
_ALIASES = {"organization": "org", "organisation": "org", "from": "requester", "assigned": "assignee", "prio": "priority", "flag": "is"}


@dataclass(frozen=True, slots=True)
class Value:
    text: str
    is_quoted: bool = False  # then it is a name, even where a word such as "none" or "me" would mean something

    def __str__(self) -> str:
        return quoted(self.text) if self.is_quoted else self.text

    def says(self, word: str) -> bool:
        return not self.is_quoted and self.text.casefold() == word


@dataclass(frozen=True, slots=True)
class Condition:
    """A field and the values of which one must be true. `start` and `end` tell where it stands in the text."""

    field: str
    values: tuple[Value, ...]
    operator: str = ""
    is_not: bool = False
    start: int = part(default=0, compare=False)
    end: int = part(default=0, compare=False)

    def __str__(self) -> str:
        return f"{'-' if self.is_not else ''}{self.field}:{self.operator}{','.join(map(str, self.values))}"

    @property
    def is_simple(self) -> bool:
        """One value, and nothing else: what a select can show."""
        return len(self.values) == 1 and not self.operator and not self.is_not


@dataclass(frozen=True, slots=True)
class Word:
    """What is looked for in the tickets' words."""

    text: str
    is_phrase: bool = False
    is_not: bool = False
    start: int = part(default=0, compare=False)
    end: int = part(default=0, compare=False)

    def __str__(self) -> str:
        return f"{'-' if self.is_not else ''}{quoted(self.text) if self.is_phrase else self.text}"


Term = Condition | Word


@dataclass(frozen=True, slots=True)
class Query:
    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        """As it is typed: what `parse` reads back as the same."""
        return " ".join(map(str, self.terms))

    @property
    def conditions(self) -> list[Condition]:
        return [term for term in self.terms if isinstance(term, Condition)]

    @property
    def words(self) -> list[Word]:
        return [term for term in self.terms if isinstance(term, Word)]

    def of(self, name: str) -> list[Condition]:
        return [condition for condition in self.conditions if condition.field == name]

    def having(self, name: str, *conditions: Condition) -> Query:
        """With these conditions in the place of all that it says of a field."""
        kept = [term for term in self.terms if not (isinstance(term, Condition) and term.field == name)]
        at = next(
            (at for at, (old, new) in enumerate(zip(self.terms, [*kept, None], strict=False)) if old != new or isinstance(old, Word)),
            len(kept),
        )
        return Query((*kept[:at], *conditions, *kept[at:]))


class QueryError(Exception):
    """A query that can't be read. `instead` is what the part from `start` to `end` could be; empty where there is no guess."""

    def __init__(self, words: str, /, *, start: int, end: int, instead: str = "", **fill: str) -> None:
        super().__init__(words % fill)
        self.start, self.end, self.instead = start, end, instead


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def value_of(name: str) -> Value:
    """How a thing's name is written: quoted where a bare one would end early, or mean something else."""
    reserved = (NONE, ME, ANY, "unresolved")
    is_bare = re.fullmatch(r'[^\s",<>=#-][^\s",<>]*', name) and name.casefold() not in reserved
    return Value(name, is_quoted=not is_bare)


def nearest(word: str, known: Iterable[str]) -> str:
    """What was probably meant; empty for no idea."""
    names = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold()[:80], names, n=1, cutoff=0.6)
    return names[found[0]] if found else ""


# --- Reading -------------------------------------------------------------------------------------------------------------------

_NAME = re.compile(r"([A-Za-z][A-Za-z_-]*):")
_OPERATOR = re.compile(r"<=|>=|<|>")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_BARE_VALUE = re.compile(r"[^\s,<>=][^\s,<>]*")
_BARE_WORD = re.compile(r"\S+")


def clean(text: str) -> str:
    """Characters that no database takes are gaps; every other keeps its place."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text)


def parse(text: str) -> Query:
    text = clean(text)
    if len(text) > MAX_LENGTH:
        raise QueryError(
            _("This is too long: a search has at most %(most)s characters."), start=MAX_LENGTH, end=len(text), most=str(MAX_LENGTH)
        )
    terms: list[Term] = []
    at = 0
    while (at := _next(text, at)) < len(text):
        term, at = _term(text, at)
        if term:
            terms.append(term)
        if len(terms) > MAX_TERMS:
            raise QueryError(
                _("These are too many conditions: %(most)s are the most."), start=term.start if term else 0, end=at, most=str(MAX_TERMS)
            )
    return Query(tuple(terms))


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _term(text: str, start: int) -> tuple[Term | None, int]:
    """The term that begins here, and where it ends; None for quotes around nothing."""
    is_not = text[start] == "-" and start + 1 < len(text) and not text[start + 1].isspace()
    at = start + is_not
    if text[at] == '"':
        phrase, end = _quoted(text, at)
        return (Word(phrase, is_phrase=True, is_not=is_not, start=start, end=end) if phrase.strip() else None), end
    if (named := _NAME.match(text, at)) and (name := _field(named, text)):
        return _condition(text, name, is_not=is_not, start=start, at=named.end())
    found = _BARE_WORD.match(text, at)
    assert found  # noqa: S101 a gap was passed over
    if (bracketed := _NAME.match(bare := found[0].lstrip("("))) and bare != found[0] and bracketed[1].casefold() in FIELDS:
        words = _("Brackets group nothing here: all terms must hold, and a comma means “or”, as in status:open,waiting.")
        raise QueryError(words, start=at, end=found.end(), instead=bare.rstrip(")"))
    return Word(found[0], is_not=is_not, start=start, end=found.end()), found.end()


def _field(named: re.Match[str], text: str) -> str:
    """The field that is meant; empty where it is a word with a colon, such as "Re:" or an address of the web."""
    name = named[1].casefold()
    if known := FIELDS.get(_ALIASES.get(name, name)):
        return known.name
    rest = _BARE_WORD.match(text, named.end())
    if rest is None or rest[0].startswith(("//", ":")):
        return ""
    whole = named[0] + rest[0]
    if guess := nearest(name, [*FIELDS, *_ALIASES]):
        guess = _ALIASES.get(guess, guess)
        words = _("There is no field “%(name)s”. Did you mean “%(guess)s”? To look for the words, put them in quotes: %(words)s")
        raise QueryError(
            words, start=named.start(), end=rest.end(), instead=f"{guess}:{rest[0]}", name=named[1], guess=guess, words=quoted(whole)
        )
    words = _("There is no field “%(name)s”. To look for the words, put them in quotes: %(words)s")
    raise QueryError(words, start=named.start(), end=rest.end(), instead=quoted(whole), name=named[1], words=quoted(whole))


def _quoted(text: str, at: int) -> tuple[str, int]:
    if found := _QUOTED.match(text, at):
        return found[1].replace('""', '"'), found.end()
    rest = text[at:].rstrip()
    instead = f'{rest}"' if rest.count('"') % 2 else f'{rest}""'
    raise QueryError(_("A quotation mark is missing at the end of these words."), start=at, end=len(text), instead=instead)


def _condition(text: str, name: str, *, is_not: bool, start: int, at: int) -> tuple[Condition, int]:
    operator = _OPERATOR.match(text, at)
    at = operator.end() if operator else at
    values, end = _values(text, at)
    condition = Condition(name, values, operator[0] if operator else "", is_not, start, end)
    _check(condition, text)
    return condition, end


def _values(text: str, at: int) -> tuple[tuple[Value, ...], int]:
    values: list[Value] = []
    while at < len(text):
        if text[at] == '"':
            name, at = _quoted(text, at)
            values += [Value(name, is_quoted=True)] * bool(name.strip())
        elif found := _BARE_VALUE.match(text, at):
            values.append(Value(found[0]))
            at = found.end()
        if at >= len(text) or text[at] != ",":
            break
        at += 1
    return tuple(values), at


# --- What a field takes --------------------------------------------------------------------------------------------------------


def _check(condition: Condition, text: str) -> None:
    known = FIELDS[condition.field]
    where = {"start": condition.start, "end": condition.end}
    if not condition.values:
        following = _BARE_WORD.match(text, _next(text, condition.end))
        instead = f"{condition}{following[0]}" if following and following.start() > condition.end else known.example
        end = following.end() if following and instead != known.example else condition.end
        words = _("“%(name)s:” needs a value right behind it, such as %(example)s")
        raise QueryError(words, start=condition.start, end=end, instead=instead, name=condition.field, example=known.example)
    if len(condition.values) > MAX_VALUES:
        raise QueryError(_("These are too many values: %(most)s are the most."), most=str(MAX_VALUES), **where)  # type: ignore[arg-type]
    if condition.operator:
        _check_operator(condition, known)
    for value in condition.values:
        _check_value(condition, value, known)


def _check_operator(condition: Condition, known: Field) -> None:
    if known.kind not in (Kind.RANK, Kind.TIME, Kind.NUMBER):
        words = _("“%(name)s” can't be compared: leave the “%(operator)s” out.")
    elif len(condition.values) > 1 or condition.values[0].says(NONE):
        words = _("With “%(operator)s” there is one value, such as %(example)s")
    else:
        return
    instead = str(replace(condition, operator=""))
    fill = {"name": condition.field, "operator": condition.operator, "example": known.example}
    raise QueryError(words, start=condition.start, end=condition.end, instead=instead, **fill)


def _check_value(condition: Condition, value: Value, known: Field) -> None:
    if value.says(NONE) and NONE in known.words:
        return
    if known.kind is Kind.WORD and value.text.casefold() not in known.words:
        words = _("“%(value)s” is nothing that “%(name)s:” knows. It knows %(known)s.")
        raise unknown(condition, value, known.words, words, known=", ".join(known.words))
    if known.kind is Kind.TIME and span_of(value.text) is None and read_span(value.text) is None:
        raise unknown(condition, value, DAYS, _("“%(value)s” is no date. Write 2026-01-31, 2026-01, today, or a span such as 4h, 2d, 3w."))
    if known.kind is Kind.NUMBER and number_of(value.text) is None:
        raise unknown(condition, value, (), _("“%(value)s” is no ticket's number."))


def unknown(condition: Condition, value: Value, names: Iterable[str], words: str, /, **fill: str) -> QueryError:
    """That a value is not known, with the nearest that is."""
    guess, instead = nearest(value.text, names), ""
    if guess:
        meant = Value(guess) if guess in (*FIELDS[condition.field].words, *DAYS) else value_of(guess)
        instead = str(replace(condition, values=tuple(meant if one == value else one for one in condition.values)))
    return QueryError(words, start=condition.start, end=condition.end, instead=instead, value=value.text, name=condition.field, **fill)


def number_of(text: str) -> int | None:
    digits = text.removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None


# --- Time ----------------------------------------------------------------------------------------------------------------------

DAYS = ("today", "yesterday", "tomorrow")
_DATE = re.compile(r"((?:19|20|21)\d\d)(?:-(\d\d?))?(?:-(\d\d?))?", re.ASCII)


def span_of(text: str, today: date = date(2000, 1, 1)) -> tuple[date, date] | None:
    """The first day that a date, a month, a year or a word names, and the day after the last."""
    word = text.casefold()
    if word in DAYS:
        day = today + timedelta(days={"today": 0, "yesterday": -1, "tomorrow": 1}[word])
        return day, day + timedelta(days=1)
    found = _DATE.fullmatch(text)
    if not found:
        return None
    year, month, day_of_month = (int(part) if part else 0 for part in found.groups())
    try:
        if day_of_month:
            first = date(year, month, day_of_month)
            return first, first + timedelta(days=1)
        if month or found[2]:
            return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
        return date(year, 1, 1), date(year + 1, 1, 1)
    except ValueError:
        return None


def bounds(condition: Condition, value: Value, now: datetime) -> tuple[datetime | None, datetime | None]:
    """From when, and until before when, a moment makes the condition true; None is open. `now` is in the zone whose days are meant.

    A span is the time left where the field looks ahead, and else the age: `created:<2d` is younger than two days. It is one of real hours, also over a
    night in which the clocks are changed.
    """
    if (length := read_span(value.text)) is not None:
        is_less = condition.operator in ("", "<", "<=")
        moment = now.astimezone(UTC) + (length if FIELDS[condition.field].looks_ahead else -length)
        return (None, moment) if is_less == FIELDS[condition.field].looks_ahead else (moment, None)
    span = span_of(value.text, now.date())
    assert span  # noqa: S101 `parse` let nothing else through
    first, after = (datetime(day.year, day.month, day.day, tzinfo=now.tzinfo) for day in span)
    return {"": (first, after), ">": (after, None), ">=": (first, None), "<": (None, first), "<=": (None, after)}[condition.operator]


# --- Completing ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What stands before the cursor and could be completed: from `start` to `end` of the text."""

    start: int
    end: int
    text: str  # without quotes
    field: str = ""  # whose value it is; empty: a field or a word begins here


def unfinished(text: str, at: int) -> Unfinished:
    text = clean(text)
    at = max(0, min(at, len(text)))
    start, is_inside = 0, False
    for position, char in enumerate(text[:at]):
        is_inside ^= char == '"'
        if char.isspace() and not is_inside:
            start = position + 1
    end = at if is_inside else at + len(re.match(r"[^\s,]*", text[at:])[0])  # type: ignore[index] # always matches
    start += text[start:at].startswith("-")
    named = _NAME.match(text[:at], start)
    name = _ALIASES.get(named[1].casefold(), named[1].casefold()) if named else ""
    if not named or name not in FIELDS:
        return Unfinished(start, end, text[start:at])
    start = named.end()
    if operator := _OPERATOR.match(text[:at], start):
        start = operator.end()
    is_inside = False
    for position in range(start, at):
        is_inside ^= text[position] == '"'
        if text[position] == "," and not is_inside:
            start = position + 1
    return Unfinished(start, end, text[start:at].strip('"'), name)
