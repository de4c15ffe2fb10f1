"""Finds help articles by their words, among those it is given: `tickets.access` has limited them, and nothing here widens them.

What is published is indexed by term (`tickets.search.terms`), in the transaction that publishes it; drafts are in no index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from django.db.models import Case, Count, F, FloatField, Max, Sum, Value, When

from tickets.models import Article, ArticleTerm
from tickets.search import terms
from tickets.search.full_text import marked, snippet, words_of
from tickets.search.words import Asked

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.utils.safestring import SafeString

_ASKED = 30  # terms of a question: the rarest
_IN_TITLE = 300  # on top of the 1 to 220 that a term says of the text
_MAX_TERMS = 3000  # of an article
_START = 3  # letters that words of one stem have in common
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Hit:
    article: Article
    title: SafeString
    snippet: SafeString


def index(article: Article) -> None:
    """Of the published words, instead of what was there before. Inside the caller's transaction."""
    article.terms.all().delete()
    version = article.published
    if version is None:
        return
    weights = terms.impacts(version.title, version.text)
    for term in terms.asked(version.title, ""):
        weights[term] = weights.get(term, 0) + _IN_TITLE  # a title alone may be in either language
    most = sorted(weights, key=lambda term: (-weights[term], term))[:_MAX_TERMS]
    ArticleTerm.objects.bulk_create(ArticleTerm(article=article, term=term, weight=weights[term]) for term in most)


def search(articles: QuerySet[Article], text: str, *, limit: int) -> list[Hit]:
    """The best first. Half of the words must occur; where no word is known, a part of the title is enough."""
    words = words_of(text)
    asked = set(terms.asked("", " ".join(words)))
    found = _ranked(articles, asked, limit=limit, needed=(len(asked) + 1) // 2)
    if words and not found:
        titled = articles.filter(published__title__icontains=" ".join(words)).select_related("published", "section")
        found = list(titled.order_by("published__title", "pk")[:limit])
    return [_hit(article, words, asked) for article in found]


def suggest(articles: QuerySet[Article], subject: str, text: str = "", *, limit: int) -> list[Article]:
    """What may answer a question that is long or still being written: two words in common, one of them in the title."""
    asked = set(terms.asked(subject, text))
    return _ranked(articles, asked, limit=limit, needed=min(2, len(asked)), best=_IN_TITLE)


def _ranked(articles: QuerySet[Article], asked: set[int], *, limit: int, needed: int, best: int = 0) -> list[Article]:
    """Three queries. A word that few of these articles have says more."""
    shared = ArticleTerm.objects.filter(term__in=asked, article__in=articles).order_by()
    spread = dict(shared.values_list("term").annotate(Count("pk")))
    if not spread:
        return []
    rarest = sorted(spread, key=lambda term: (spread[term], term))[:_ASKED]
    most = max(spread.values())
    rarity = Case(*(When(term=term, then=Value(log(1 + most / spread[term]))) for term in rarest), output_field=FloatField())
    scored = (
        shared.filter(term__in=rarest)
        .values("article")
        .annotate(score=Sum(F("weight") * rarity, output_field=FloatField()), matched=Count("pk"), best=Max("weight"))
        .filter(matched__gte=needed, best__gte=best)
        .order_by("-score", "article")
    )
    order = [row["article"] for row in scored[:limit]]
    found = articles.select_related("published", "section").in_bulk(order)
    return [found[pk] for pk in order if pk in found]


def _hit(article: Article, words: list[str], asked: set[int]) -> Hit:
    """With the words that were looked for marked, in whatever form they stand there."""
    text = article.published.text if article.published else ""
    starts = {word[:_START].lower() for word in words}
    near = {word for word in _WORD.findall(f"{article.title} {text}") if word[:_START].lower() in starts}
    shown = Asked(tuple(sorted(word for word in near if asked & set(terms.asked("", word)))) or tuple(words))
    return Hit(article, marked(article.title, shown), snippet(text, shown))
