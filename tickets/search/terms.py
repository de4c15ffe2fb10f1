"""What a text is about, as the words that count in it: the same for what is written and for what is asked, on every database.

A term is the stem of a word as a number, so that no table of words has to be kept; that two words in millions share one costs a little order and
nothing else. Pure: no models, no clock.
"""

from __future__ import annotations

import re
from collections import Counter
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize
from zlib import crc32

from Stemmer import Stemmer

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY = 0  # the term that every text has: who counts it, counts texts
MAX_LENGTH = 20_000  # characters of a text that are read
_MAX_WORD = 40  # characters; what is longer is a key or a line of code
_USUAL_LENGTH = 50  # words of a usual ticket. Half or twice as many moved R@10 by less than half a point
_ENOUGH = 3  # words; less asks for anything
_SUBJECT = 3  # a word of the subject counts as often as that

_WORD = re.compile(r"[^\W_]+")
_STOP = {
    "english": frozenset(
        """a about after again all also always am an and any anybody anyone are as at be because been before being but by can cannot could did do
        does doing done don for from get gets getting got had has have having he hello her here hi him his how i if in into is isn it its just
        know like ll m me might more most my no not now of off on once one only or other our out over own please re regards s same she should so
        some still such t than thank thanks that the their them then there these they this those to too under until up us very was wasn we were
        what when where which while who why will with would you your""".split()
    ),
    "german": frozenset(
        """ab aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis bitte da damit danke dann das dass dein dem den denn
        der des dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines er es etwas euch euer für
        gegen gibt grüße gruß habe haben hallo hat hatte hätte ich ihm ihn ihnen ihr ihre ihrem ihren im immer in ins ist ja jede jeden jeder jetzt
        kann kein keine keinen können könnte leider man mehr mein meine meinem meinen mich mir mit muss nach nicht noch nun nur ob oder ohne schon
        sehr sein seine seit sich sie sind so sobald sollte über um und uns unser unsere unter viele vom von vor war waren warum was wenn wer
        werden wie wieder wir wird wo wurde würde zu zum zur""".split()
    ),
}
_UMLAUT = re.compile("[äöüß]")


class Asked(NamedTuple):
    """A term of a question."""

    choice: float  # times how rare it is: whether it is among those that are looked for
    weight: float  # times how rare it is: what it counts


def impacts(subject: str, text: str) -> dict[int, int]:
    """What each term says of the text, from 1 to 220 (BM25's part of a document)."""
    in_subject, in_text = _count(subject, text)
    length = in_subject.total() + in_text.total()
    damping = 1.2 * (0.25 + 0.75 * length / _USUAL_LENGTH)
    often = {term: in_text[term] + _SUBJECT * in_subject[term] for term in in_subject | in_text}
    return {term: round(100 * 2.2 * n / (n + damping)) or 1 for term, n in often.items()}


def says_enough(subject: str, text: str) -> bool:
    """Three words, not counting the small ones of either language."""
    return len({*_words(subject), *_words(text)} - _STOP["english"] - _STOP["german"]) >= _ENOUGH


def asked(subject: str, text: str) -> dict[int, Asked]:
    """Its terms; what is said often or in the subject matters, or else typing errors and names would win for being rare."""
    in_subject, in_text = _count(subject, text)
    often = in_subject + in_text
    return {term: Asked(sqrt(n) + (term in in_subject), sqrt(min(n, 4)) + (term in in_subject)) for term, n in often.items()}


def _count(subject: str, text: str) -> tuple[Counter[int], Counter[int]]:
    subject_words, text_words = _words(subject), _words(text)
    languages = _languages(subject_words + text_words)
    return Counter(_terms(subject_words, languages)), Counter(_terms(text_words, languages))


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(normalize("NFC", text[:MAX_LENGTH]).lower()) if len(word) <= _MAX_WORD]


def _languages(words: list[str]) -> tuple[str, ...]:
    """Whose stems and small words count: those of the language that has more of its small words in the text; of both while nothing tells."""
    english = sum(word in _STOP["english"] for word in words)
    german = sum(word in _STOP["german"] or _UMLAUT.search(word) is not None for word in words)
    if english == german:
        return tuple(_STOP)
    return ("german",) if german > english else ("english",)


def _terms(words: list[str], languages: tuple[str, ...]) -> Iterator[int]:
    for stems in zip(*(_stems(words, language) for language in languages), strict=True):
        yield from {crc32(stem.encode()) - 2**31 or 1 for stem in stems if stem}


def _stems(words: list[str], language: str) -> list[str]:
    """The stem of each word, nothing for small ones. A stemmer of its own each time, since threads can't share one."""
    return list(Stemmer(language).stemWords(["" if word in _STOP[language] else word for word in words]))
