"""Finds help articles by their words, among those it is given: `tickets.access` has limited them, and nothing here widens them.

What is published is indexed by word, in the transaction that publishes it; drafts are in no index.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from django.db.models import Case, Count, F, Max, Sum, Value, When
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from tickets.models import Article, ArticleTerm

if TYPE_CHECKING:
    from django.db.models import QuerySet

_MAX_TEXT = 5_000  # characters of a question that count
_MAX_TERMS = 2_000  # of an article
_ASKED = 20  # terms of a question: the rarest
_IN_TITLE, _IN_HEADING = 4.0, 1.5
_SNIPPET = 200  # characters
_HITS = 200  # that are weighed for it
_WORD = re.compile(r"\w+")
_HEADING = re.compile(r"<h[1-6]\b[^>]*>(.*?)</h[1-6]>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hit:
    article: Article
    title: SafeString
    snippet: SafeString


def terms(text: str) -> list[str]:
    """The words of a text as they are compared, in their order."""
    return [term for word in _WORD.findall(text) if (term := _term(word))]


def _term(word: str) -> str:
    """'' for what says nothing."""
    folded = word.casefold()
    return "" if len(folded) < 2 or folded in _SAY_NOTHING else folded[:40]


_SAY_NOTHING = frozenset(
    "a an and are as at be by can do for from has have how i if in is it my not of on or our so that the then there this to us was we what when "
    "where which who why will with you your der die das ein eine und ist im ich wie was wir zu mit auf für nicht es den dem von".split()
)


# --- The index -----------------------------------------------------------------------------------------------------------------


def index(article: Article) -> None:
    """Of the published words, instead of what was there before. Inside the caller's transaction."""
    article.terms.all().delete()
    version = article.published
    if version is None:
        return
    in_title, in_headings = set(terms(version.title)), set(terms(" ".join(_HEADING.findall(version.html))))
    counted = Counter(terms(f"{version.title}\n{version.text}"))
    weights = {
        term: 2.2 * count / (count + 1.2) + _IN_TITLE * (term in in_title) + _IN_HEADING * (term in in_headings)
        for term, count in counted.most_common(_MAX_TERMS)
    }
    ArticleTerm.objects.bulk_create(ArticleTerm(article=article, term=term, weight=weight) for term, weight in weights.items())


# --- Finding -------------------------------------------------------------------------------------------------------------------


def search(articles: QuerySet[Article], text: str, *, limit: int) -> list[Hit]:
    """The best first. Half of the words must occur; where no word is known, a part of the title is enough."""
    asked = list(dict.fromkeys(terms(text[:_MAX_TEXT])))
    found = _ranked(articles, asked, limit=limit, needed=(len(asked) + 1) // 2)
    if not found and (part := " ".join(text[:_MAX_TEXT].replace("\0", " ").split())):
        titled = articles.filter(published__title__icontains=part).select_related("published", "section")
        found = list(titled.order_by("published__title", "pk")[:limit])
    return [_hit(article, frozenset(asked)) for article in found]


def suggest(articles: QuerySet[Article], text: str, *, limit: int) -> list[Article]:
    """What may answer a question that is long or still being written: two words in common, one of them in the title."""
    asked = list(dict.fromkeys(terms(text[:_MAX_TEXT])))
    return _ranked(articles, asked, limit=limit, needed=min(2, len(asked)), best=_IN_TITLE)


def _ranked(articles: QuerySet[Article], asked: list[str], *, limit: int, needed: int, best: float = 0) -> list[Article]:
    """Three queries. A word that few of these articles have says more."""
    shared = ArticleTerm.objects.filter(term__in=asked, article__in=articles)
    spread = dict(shared.order_by().values_list("term").annotate(Count("pk"))) if asked else {}
    if not spread:
        return []
    rarest = sorted(spread, key=lambda term: (spread[term], term))[:_ASKED]
    most = max(spread.values())
    rarity = Case(*(When(term=term, then=Value(log(1 + most / spread[term]))) for term in rarest))
    scored = (
        shared.filter(term__in=rarest)
        .order_by()
        .values("article")
        .annotate(score=Sum(F("weight") * rarity), matched=Count("pk"), best=Max("weight"))
        .filter(matched__gte=needed, best__gte=best)
        .order_by("-score", "article")
    )
    order = [row["article"] for row in scored[:limit]]
    found = articles.select_related("published", "section").in_bulk(order)
    return [found[pk] for pk in order if pk in found]


# --- Showing -------------------------------------------------------------------------------------------------------------------


def _hit(article: Article, asked: frozenset[str]) -> Hit:
    text = article.published.text if article.published else ""
    return Hit(article, marked(article.title, asked), marked(_snippet(text, asked), asked))


def marked(text: str, asked: frozenset[str]) -> SafeString:
    """Escaped, with the words that were looked for marked."""
    pieces, at = [], 0
    for word in _WORD.finditer(text):
        if _term(word[0]) in asked:
            pieces += [escape(text[at : word.start()]), format_html("<mark>{}</mark>", word[0])]
            at = word.end()
    return mark_safe("".join([*pieces, escape(text[at:])]))


def _snippet(text: str, asked: frozenset[str]) -> str:
    """Around the place where most of the words stand close together; else the beginning."""
    plain = " ".join(text.split())
    hits = [(word.start(), _term(word[0])) for word in _WORD.finditer(plain) if _term(word[0]) in asked][:_HITS]
    start = max(
        (at for at, _word in hits), key=lambda at: (len({word for place, word in hits if at <= place < at + _SNIPPET}), -at), default=0
    )
    begin = 0 if start < _SNIPPET // 3 else plain.rfind(" ", 0, start - _SNIPPET // 4) + 1
    end = len(plain) if len(plain) <= begin + _SNIPPET else plain.rfind(" ", begin, begin + _SNIPPET)
    return ("… " if begin else "") + plain[begin : max(end, begin)] + (" …" if end < len(plain) else "")
