"""Help articles, for everybody whom they are for, also without an account. Staff read here what their customers read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from allauth.core.internal.httpkit import get_client_ip
from django import forms
from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from tickets import access
from tickets.attachments import handed_out
from tickets.help import article_search
from tickets.help.articles import give_feedback
from tickets.help.page import page_of_words
from tickets.models import Article, ArticleFeedback, ArticleSection, ArticleState, Audience
from tickets.paging import page_of
from tickets.ratelimit import is_too_often, refusal
from tickets.uploads import TextField

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import FileResponse, HttpRequest, HttpResponse
    from django.utils.functional import _StrPromise

_A_SECTION = 6  # articles of a section on the first page
_HITS = 20
_RELATED = 3
_LIMIT = 20  # answers of one person, or of one network's people whom we don't know, in ten minutes
_SEARCHES = 120  # as above
_VISITOR = "visitor"  # in the session
_FOR_WHOM: dict[str, _StrPromise] = {  # names no organization: who else is a customer is nobody's to know
    Audience.PEOPLE: gettext_lazy("Only for people who are logged in"),
    Audience.ORGANIZATIONS: gettext_lazy("Only for your organization"),
}


def published_for(request: HttpRequest) -> QuerySet[Article]:
    """What this person may read; of drafts not even staff are shown any here."""
    return access.articles_for(request.user).filter(state=ArticleState.PUBLISHED)


def helpful_first(request: HttpRequest, *, limit: int) -> list[Article]:
    """Those that most readers found helpful, then the newest."""
    rated = published_for(request).annotate(helped=Count("feedback", filter=Q(feedback__is_helpful=True)))
    return list(rated.select_related("published").order_by("-helped", "-published_at", "-pk")[:limit])


@require_safe
def articles(request: HttpRequest) -> HttpResponse:
    """All of them by section, those of one section, or those that words find."""
    found, query = published_for(request), request.GET.get("q", "").strip()
    if query and is_too_often("search", _reader(request), limit=_SEARCHES):
        return render(request, "429.html", status=429)
    if query:
        hits = article_search.search(found, query, limit=_HITS)
        return render(request, "portal/articles.html", {"q": query, "hits": hits})
    if section := _section(request.GET.get("section", "")):
        page = page_of(
            found.filter(section=section).select_related("published"), request_get=request.GET, order=("published__title", "id"), size=50
        )
        if not page.rows:
            raise Http404
        return render(request, "portal/articles.html", {"section": section, "page": page})
    return render(request, "portal/articles.html", {"sections": _sections(found)})


def _section(number: str) -> ArticleSection | None:
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    return ArticleSection.objects.filter(pk=int(number)).first()


def _sections(found: QuerySet[Article]) -> list[dict[str, Any]]:
    """The first articles of each, and how many there are; one query."""
    numbered = found.annotate(
        place=Window(RowNumber(), partition_by=F("section"), order_by=("published__title", "pk")),
        count=Window(Count("pk"), partition_by=F("section")),
    )
    rows = numbered.filter(place__lte=_A_SECTION).select_related("section", "published")
    sections: dict[int, dict[str, Any]] = {}
    for article in rows.order_by("section__position", "section__name", "section", "place"):
        shown = sections.setdefault(article.section_id, {"section": article.section, "articles": [], "more": article.count - _A_SECTION})
        shown["articles"].append(article)
    return list(sections.values())


@require_safe
def article(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """The number finds it, and the words behind it are today's title. The redirect is no lasting one: a title may change back."""
    found = access.get_article(request.user, pk)
    if found.published is None:
        return redirect("desk_article", pk=pk)  # a draft, which nobody but staff gets to here
    if slug != found.slug:
        return redirect(found)
    return _page(request, found)


def _page(request: HttpRequest, found: Article, form: FeedbackForm | None = None, *, status: int = 200) -> HttpResponse:
    assert found.published is not None  # noqa: S101 the callers have looked
    words = page_of_words(found.published)
    others = published_for(request).exclude(pk=found.pk)
    answer = _answer(request, found)
    context = {
        "article": found,
        "words": words,
        "for_whom": _FOR_WHOM.get(found.audience, ""),
        "related": article_search.suggest(others, found.title, " ".join(words.headings.values()), limit=_RELATED),
        "answer": answer,
        "form": form or FeedbackForm(initial={"comment": answer.comment if answer else ""}),
    }
    return render(request, "portal/article.html", context, status=status)


# --- Did you find it helpful? --------------------------------------------------------------------------------------------------


class FeedbackForm(forms.Form):
    helpful = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    comment = TextField(
        limit=2000,
        required=False,
        label=gettext_lazy("What was missing or wrong?"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def _reader(request: HttpRequest) -> User | str:
    """Whose deeds are counted: the person's, or a network's."""
    return request.user if isinstance(request.user, User) else get_client_ip(request) or ""


def _who(request: HttpRequest) -> dict[str, Any]:
    """The person; or the key of a browser, if it has one yet."""
    if isinstance(request.user, User):
        return {"reader": request.user}
    return {"reader": None, "visitor": str(request.session.get(_VISITOR, ""))}


def _answer(request: HttpRequest, found: Article) -> ArticleFeedback | None:
    """What this reader said of it before."""
    who = _who(request)
    return ArticleFeedback.objects.filter(article=found, **who).first() if any(who.values()) else None


@require_POST
def feedback(request: HttpRequest, pk: int) -> HttpResponse:
    found = access.get_article(request.user, pk)
    back = f"{found.get_absolute_url()}#helpful"
    form = FeedbackForm(request.POST)
    if "helpful" in form.errors or found.published is None:  # no page of ours sends that
        return redirect(back)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    if is_too_often("feedback", _reader(request), limit=_LIMIT):
        form.add_error("comment", refusal())
        return _page(request, found, form, status=429)
    if not isinstance(request.user, User):
        request.session.setdefault(_VISITOR, uuid4().hex)
    is_helpful, comment = form.cleaned_data["helpful"] == "yes", form.cleaned_data["comment"]
    give_feedback(found, **_who(request), is_helpful=is_helpful, comment=comment)
    return redirect(back)


# --- Files ---------------------------------------------------------------------------------------------------------------------


@require_safe
@cache_control(private=True, no_store=True)
def article_file(request: HttpRequest, pk: int, name: str) -> FileResponse:
    return handed_out(request, access.get_article_file(request.user, pk))
