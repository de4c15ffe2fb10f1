"""Words as search knows them: the same for what is written and for what is asked, on every database. Pure: no models, no clock.

Kept as they are written, with no small words left out: "ERR_4032", "v2.3.1", "x-17", "E1042" and "ana@acme.example" are rows of words and numbers, found by
any of them, and whole where they stand in that order. Case and accents do not count. A word of letters alone that is asked for, and not in quotes, is looked
for by what its forms have in common: "exporting" finds "exports". (`tickets.search.terms` reads words for what they mean; this for how they are written.)
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from Stemmer import Stemmer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = "¶"  # between texts of one ticket, so that no phrase reaches from one into the next; no word has it
MAX_TEXT = 50_000  # characters of a text that are read
_MOST_PARTS = 3
_MAX_WORD = 40  # characters; of a longer one its beginning counts
_LEAST_BEGINNING = 3  # characters from which the last word asked for also finds longer ones
_LEAST_STEM = (
    4  # characters of what the forms of a word have in common, and at least that share of it: "organ" says too little of "organization"
)
_LEAST_SHARE = 0.5
_STEP = 10  # places that a gap takes
_LAST_PLACE = 16_383  # as PostgreSQL counts them

_WORD = re.compile(r"[^\W_]+")
_ASCII_WORD = re.compile("[a-z0-9]+")
_PART = re.compile(r"\d+|\D+")
# Scripts that put no space between words: each character is one.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_ASKED = re.compile(r'(-?)"([^"]*)"?|(\S+)')


def tokens(text: str) -> list[str]:
    """The words of a text in their order, as they are kept and looked for."""
    text = text[:MAX_TEXT]
    if text.isascii():
        found = _ASCII_WORD.findall(text.lower())
    else:
        plain = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text))).casefold()
        found = _WORD.findall(_UNSPACED.sub(r" \g<0> ", plain))
    return [part for word in found for part in _parts(word[:_MAX_WORD])]


def _parts(word: str) -> Sequence[str]:
    """Letters and digits apart, as in "v2"; what changes more often is a key."""
    if word.isalpha() or word.isdecimal():
        return (word,)
    parts = _PART.findall(word)
    return parts if len(parts) <= _MOST_PARTS else (word,)


def document(texts: Iterable[str]) -> str:
    """All of them as one row of words, each text begun by a gap."""
    return " ".join(word for text in texts if text for word in (GAP, *tokens(text)))


def tsvector(text: str) -> str:
    """A document as PostgreSQL reads it. Words beside each other of which one is a number or a code are a word more.

    Its index knows no places, so that it would have to look into each text that has a "2" and a "3" for the one with "2.3".
    """
    places: dict[str, list[int]] = {}
    place, before = 0, ""
    for word in text.split():
        if word == GAP:
            place, before = place + _STEP, ""
            continue
        place += 1
        at = min(_LAST_PLACE, place)
        if word in places:
            places[word].append(at)
        else:
            places[word] = [at]
        if before and not (word.isalpha() and before.isalpha()):
            places.setdefault(f"{before}·{word}", [at])
        before = word
    return " ".join([f"'{word}':{str(at[:255])[1:-1].replace(' ', '')}" for word, at in places.items()])


def _as_tsquery(row: tuple[str, ...], *, is_begun: bool = False) -> str:
    """As `tsvector` has it."""
    end = ":*" if is_begun else ""
    pairs = [f"'{one}·{other}'" for one, other in pairwise(row) if not (one.isalpha() and other.isalpha())]
    if is_begun and pairs and not (row[-1].isalpha() and row[-2].isalpha()):
        pairs[-1] += end
    whole = " <-> ".join(f"'{word}'" for word in row) + end
    return " & ".join(pairs if len(row) == len(pairs) + 1 == 2 else [*pairs, f"({whole})"])


@dataclass(frozen=True, slots=True)
class Asked:
    """All of `words` and `phrases`, none of `excluded`. Words are found in their other forms too; the last of them may be the beginning of one."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    # As rows of words: `found` must each stand there, where `begun` by the beginning of its last word; `hidden` must not.
    found: tuple[tuple[str, ...], ...] = field(init=False)
    begun: tuple[bool, ...] = field(init=False)
    hidden: tuple[tuple[str, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        exact = [row for row in map(_row, self.phrases) if row]
        found = [(row, False) for row in exact] + [_loosely(row) for row in map(_row, self.words) if row]
        last = _row(self.words[-1]) if self.words else ()
        if last and len(last[-1]) >= _LEAST_BEGINNING and not last[-1].isdecimal():
            found[-1] = found[-1][0], True
        object.__setattr__(self, "found", tuple(row for row, _is_begun in found))
        object.__setattr__(self, "begun", tuple(is_begun for _row, is_begun in found))
        object.__setattr__(self, "hidden", tuple(row for row in map(_row, self.excluded) if row))

    def __bool__(self) -> bool:
        """Whether anything was asked, be it nothing that a text could have."""
        return bool(self.words or self.phrases or self.excluded)

    def as_tsqueries(self) -> tuple[list[str], list[str]]:
        """Of each row of words that must stand there, and of each that must not."""
        found = [_as_tsquery(row, is_begun=is_begun) for row, is_begun in zip(self.found, self.begun, strict=True)]
        return found, [_as_tsquery(row) for row in self.hidden]

    def as_tsquery(self) -> str:
        found, hidden = self.as_tsqueries()
        return " & ".join([*found, *(f"!({query})" for query in hidden)])

    def as_fts5(self) -> str:
        """`hidden` alone can't be said: see `tickets.search.full_text`."""
        found = [f'"{" ".join(row)}"{" *" if is_begun else ""}' for row, is_begun in zip(self.found, self.begun, strict=True)]
        hidden = "".join(f' NOT "{" ".join(row)}"' for row in self.hidden)
        return f"({' AND '.join(found)}){hidden}"


def _row(text: str) -> tuple[str, ...]:
    return tuple(tokens(text))


def _loosely(row: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """What is looked for in place of a word, and whether by its beginning. English forms, and the "s" of any language; nothing of codes and numbers."""
    word = row[0]
    if len(row) > 1 or not (word.isascii() and word.isalpha()):
        return row, False
    stem = Stemmer("english").stemWord(word).removesuffix("i")  # "categori" of "category" and "categories"
    for begin in (stem, word.removesuffix("s")):
        if word.startswith(begin) and len(begin) >= max(_LEAST_STEM, _LEAST_SHARE * len(word)):
            return (begin,), True
    return row, False


def asked(text: str, *, most: int) -> Asked:
    """What somebody typed: words, "exact words" and -without. `most`: words that count."""
    words: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    for minus, phrase, word in _ASKED.findall(text)[:most]:
        if word.startswith("-") and tokens(word):
            excluded.append(word[1:])
        elif word:
            words.append(word)
        elif phrase.strip():
            (excluded if minus else phrases).append(phrase)
    return Asked(tuple(words), tuple(phrases), tuple(excluded))


# --- Where they stand in a text ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Of one of the rows of words that were asked for."""

    start: int
    end: int
    row: int


def places(text: str, asked: Asked) -> list[Place]:
    """Where what is found stands in a text as it was written, one behind the other."""
    plain, at = _plain(text)
    if not any(row[0] in plain for row in asked.found):  # most texts, and the pattern is slow to say so
        return []
    found = _pattern(asked.found, asked.begun).finditer(plain)
    return [Place(at[one.start()], max(at[one.end() - 1] + 1, at[one.end()]), one.lastindex or 0) for one in found]


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """Without case and accents, as `tokens` has it; and where each of its characters, and its end, stands in the text."""
    plain = text.lower() if text.isascii() else text.translate(_PLAIN)
    if len(plain) == len(text) and not _ACCENTS.search(text):
        return plain, range(len(text) + 1)
    return plain, [*(at for at, char in enumerate(text) for _part in _PLAIN[ord(char)]), len(text)]


class _Plain(dict[int, str]):
    """Of each character that was met."""

    def __missing__(self, code: int) -> str:
        self[code] = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", chr(code)))).casefold()
        return self[code]


_PLAIN = _Plain()


@lru_cache(maxsize=100)
def _pattern(rows: tuple[tuple[str, ...], ...], begun: tuple[bool, ...]) -> re.Pattern[str]:
    """One group a row; the longest first, so that "up" leaves "update" whole."""
    patterns = {_row_pattern(row, is_begun=is_begun): None for row, is_begun in zip(rows, begun, strict=True)}
    return re.compile("|".join(f"({pattern})" for pattern in sorted(patterns, key=len, reverse=True)))


def _row_pattern(row: tuple[str, ...], *, is_begun: bool) -> str:
    first, last = row[0], row[-1]
    words = re.escape(first) + "".join(_gap(one, other) + re.escape(other) for one, other in pairwise(row))
    end = r"[^\W\d_]*" if is_begun else _edge("?!", last)  # a word is marked whole
    return f"{_edge('?<!', first)}{words}{end}"


def _gap(one: str, other: str) -> str:
    """What may stand between two words: as `tokens` parts them, nothing where letters meet digits."""
    meet = one.isalpha() != other.isalpha() or _UNSPACED.match(one[-1]) or _UNSPACED.match(other[0])
    return r"[\W_]*" if meet else r"[\W_]+"


def _edge(look: str, word: str) -> str:
    """That the word ends there."""
    if _UNSPACED.match(word):
        return ""
    more = r"[^\W\d_]" if word.isalpha() else r"\d" if word.isdecimal() else r"[^\W_]"
    return f"({look}{more})"
