"""Finds who is named in a text by "@". Pure.

"@Ana Maria Ford", as many of her first names as nobody else among the people has ("@Ana", "@Ana Maria"), or her handle ("@ana.ford"). What could mean two
people names nobody, and so does what stands in quotes, in code or in an address. A mention is plain text, so it works in a mail and without scripts.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MAX_SIGNS = 500  # that are looked at: more is no conversation
_LONGEST = 200  # characters after the sign

# What is passed over, and else a sign that stands where a word begins. Each alternative ends at the latest where the next one could begin: linear.
_SIGN = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|^[ \t]{0,3}>[^\n]*|(?<![\w@.+=&#%~/\\-])@(?=[^\s@])", re.DOTALL | re.MULTILINE)
_JOINS = frozenset("-.+@~")  # go on with a word where another letter follows


@dataclass(frozen=True, slots=True)
class Nameable:
    """Somebody who may be named. `handle`: the part of the mail address before the @."""

    id: int
    name: str
    handle: str


@dataclass(frozen=True, slots=True)
class Mention:
    id: int
    words: str  # as written, with the sign


def mentions(text: str, people: Iterable[Nameable]) -> list[Mention]:
    """In the order of the text; a person as often as they are named."""
    if "@" not in text:
        return []
    names = _unique(people)
    signs = (match.end() for match in _SIGN.finditer(text) if match[0] == "@")
    return [named for start in islice(signs, _MAX_SIGNS) if (named := _named_at(text, start, names))]


def ways_to_name(people: Iterable[Nameable]) -> dict[int, list[str]]:
    """What may be written after the sign for each of them, the best first: names, or the handle where others have the same."""
    people = list(people)
    names = _unique(people)
    ways = {one.id: [way for way in _full_names(one) if _names(way, one, names)] for one in people}
    handles = {one.id: [way for way in _handles(one) if _names(way, one, names)][:1] for one in people}
    return {person: found for person in ways if (found := ways[person] or handles[person])}


def _names(way: str, one: Nameable, names: Mapping[str, int]) -> bool:
    return way[:1] not in ("", "@") and "`" not in way and _named_at(f"@{way} ", 1, names) == Mention(one.id, f"@{way}")


def _named_at(text: str, start: int, names: Mapping[str, int]) -> Mention | None:
    """The longest name that begins at `start` and ends where a word does."""
    folded, ends = "", []
    for at, char in enumerate(text[start : start + _LONGEST + 1], start):
        if _ends_word(text, at):
            ends.append((folded, at))
        if not (char.isspace() and folded.endswith(" ")):
            folded += _fold_char(char)
    if start + _LONGEST >= len(text):
        ends.append((folded, len(text)))
    for form, end in reversed(ends):
        if form in names:
            return Mention(names[form], text[start - 1 : end])
    return None


def _ends_word(text: str, at: int) -> bool:
    """Whether no word goes on at this place: "@ana.ford" does not name who is "ana"."""
    if text[at] in _JOINS:
        at += 1
    return not (at < len(text) and _is_of_word(text[at]))


def _is_of_word(char: str) -> bool:
    return char == "_" or unicodedata.category(char)[0] in "LNM"


def _unique(people: Iterable[Nameable]) -> dict[str, int]:
    """Each way to name that means one person alone, folded."""
    meant: dict[str, set[int]] = defaultdict(set)
    for one in people:
        for form in (*_full_names(one), *_handles(one)):
            meant[_fold(form)].add(one.id)
    return {form: next(iter(ids)) for form, ids in meant.items() if form and len(ids) == 1}


def _full_names(one: Nameable) -> Iterator[str]:
    """All of it, then the first word, the first two and so on."""
    words = one.name.split()[:10]
    yield " ".join(words)
    yield from (" ".join(words[:count]) for count in range(1, len(words)))


def _handles(one: Nameable) -> Iterator[str]:
    """The second is nobody else's, ever."""
    yield one.handle
    yield f"{one.handle}~{one.id}"


def _fold(text: str) -> str:
    return "".join(map(_fold_char, " ".join(text.split())[:_LONGEST]))


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    """One at a time, so that a place in the folded text is one in the text. Marks apart, so that composed and decomposed letters are alike."""
    if char.isspace():
        return " "
    return "'" if char == "’" else unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
