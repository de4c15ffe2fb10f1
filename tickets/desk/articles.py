"""Help articles at the desk: the list with how each is received, one article with its editor, its versions, and what readers say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.html import escape, linebreaks
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Organization
from tickets import access
from tickets.actions import NotStored
from tickets.desk.door import StaffRequest, staff_required
from tickets.help import article_search, articles
from tickets.help.page import page_of_words, tiles
from tickets.models import Article, ArticleEventKind, ArticleFeedback, ArticleSection, ArticleState, ArticleVersion, Audience
from tickets.paging import page_of
from tickets.uploads import HTML_LIMIT, FilesField, LineField, SeenField, TextField, UploadsField

if TYPE_CHECKING:
    from django.http import HttpResponse

    from tickets.models import ArticleEvent

_ROWS = 50
_SHOWN = 20  # tickets that link to an article, and words of its readers
_HISTORY = 200
_DIGITS = 18  # of a number in the database
_FOUND = 8  # articles offered beside a reply


# --- The list ------------------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def article_list(request: StaffRequest) -> HttpResponse:
    """By section, as readers find them; the archived ones apart."""
    query, is_archive = request.GET.get("q", "").strip(), request.GET.get("show") == "archived"
    found = access.articles_for(request.user)
    found = found.filter(state=ArticleState.ARCHIVED) if is_archive else found.exclude(state=ArticleState.ARCHIVED)
    if query:
        found = found.filter(Q(newest__title__icontains=_plain(query)) | Q(newest__text__icontains=_plain(query)))
    rated = found.select_related("section", "published", "newest").annotate(
        yes=Count("feedback", filter=Q(feedback__is_helpful=True)), no=Count("feedback", filter=Q(feedback__is_helpful=False))
    )
    page = page_of(rated, request_get=request.GET, order=("section__position", "section__name", "newest__title", "id"), size=_ROWS)
    return render(request, "desk/articles.html", {"page": page, "q": query, "is_archive": is_archive})


def _plain(query: str) -> str:
    return query[:200].replace("\0", " ")


# --- Writing -------------------------------------------------------------------------------------------------------------------


class ArticleForm(forms.Form):
    """The words of an article: as the editor made them, else as HTML that was typed. Who types without markup gets paragraphs."""

    title = LineField(
        label=gettext_lazy("Title"),
        help_text=gettext_lazy("As a reader would ask or look for it."),
        error_messages={"required": gettext_lazy("Give the article a title.")},
    )
    text = TextField(label=gettext_lazy("Text"), limit=HTML_LIMIT, required=False)
    html = TextField(limit=HTML_LIMIT, required=False)
    files = FilesField(required=False, label=gettext_lazy("Files"))  # type: ignore[assignment] # Django takes it off the class
    uploads = UploadsField(required=False)
    since = SeenField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for problem in self.errors.pop("html", []):  # its field is hidden
            self.add_error("text", problem)
        typed = cleaned.get("text", "")
        cleaned["html"] = cleaned.get("html") or (typed if "<" in typed else linebreaks(escape(typed)))
        if not self.errors and not articles.text_of(cleaned["html"]) and "<img" not in cleaned["html"]:
            self.add_error("text", _("Write what readers should know."))
        return cleaned

    def written(self) -> dict[str, Any]:
        """Of a valid form, for the verb."""
        data = self.cleaned_data
        return {"title": data["title"], "html": data["html"], "new_files": data["files"], "uploads": data["uploads"]}


class NewArticleForm(ArticleForm):
    section = LineField(
        label=gettext_lazy("Section"),
        limit=60,
        help_text=gettext_lazy("One that is there, or the name of a new one."),
        error_messages={"required": gettext_lazy("Name the section that readers find it in.")},
        widget=forms.TextInput(attrs={"list": "sections", "autocomplete": "off"}),
    )


class PlaceForm(forms.Form):
    """Where the article stands, and who can read it."""

    section = LineField(
        label=gettext_lazy("Section"),
        limit=60,
        error_messages={"required": gettext_lazy("Name the section that readers find it in.")},
        widget=forms.TextInput(attrs={"list": "sections", "autocomplete": "off"}),
    )
    audience = forms.ChoiceField(label=gettext_lazy("Who can read it"), choices=Audience.choices, widget=forms.RadioSelect)
    organizations = forms.ModelMultipleChoiceField(
        Organization.objects.all(), required=False, label=gettext_lazy("Organizations"), widget=forms.CheckboxSelectMultiple
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and cleaned["audience"] == Audience.ORGANIZATIONS and not cleaned["organizations"]:
            self.add_error("organizations", _("Choose at least one organization, or nobody could read it."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def article_new(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return _new_page(request, NewArticleForm(initial={"section": request.GET.get("section", "")}))
    form = NewArticleForm(request.POST, request.FILES)
    if not form.is_valid():
        return _new_page(request, form, status=422)
    data = form.cleaned_data
    try:
        made = articles.create(actor=request.user, section=data["section"], **form.written())
    except NotStored as error:
        form.add_error("files", str(error))
        return _new_page(request, form, status=409)
    return _after_saving(request, made)


def _new_page(request: StaffRequest, form: NewArticleForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "sections": list(ArticleSection.objects.all()), **_limits()}
    return render(request, "desk/article_new.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def article(request: StaffRequest, pk: int) -> HttpResponse:
    found = access.get_article(request.user, pk)
    if request.method != "POST":
        return _page(request, found)
    form = ArticleForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, found, form=form, status=422)
    kept = [int(number) for number in request.POST.getlist("kept") if _is_number(number)]
    try:
        saved = articles.save(found, actor=request.user, kept=kept, since=form.cleaned_data["since"], **form.written())
    except (articles.Overtaken, NotStored) as refused:
        form.add_error(None, str(refused))
        return _page(request, found, form=form, status=409)
    return _after_saving(request, saved)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS


def _after_saving(request: StaffRequest, saved: Article) -> HttpResponse:
    """Each button saves; what it does besides is its value."""
    if request.POST.get("then") == "publish":
        return _published(request, saved)
    if request.POST.get("then") == "preview":
        return redirect("desk_article_version", saved.pk, saved.newest_id)
    words = (
        _("The draft is saved. Readers see the version before until you publish it.") if saved.is_published else _("The draft is saved.")
    )
    messages.success(request, words)
    return redirect("desk_article", saved.pk)


def _published(request: StaffRequest, saved: Article) -> HttpResponse:
    saved = articles.publish(saved, actor=request.user)
    messages.success(request, _("Published. It can be read by %(readers)s.") % {"readers": articles.readers(saved)})
    return redirect("desk_article", saved.pk)


def _page(
    request: StaffRequest, found: Article, *, form: ArticleForm | None = None, place: PlaceForm | None = None, status: int = 200
) -> HttpResponse:
    newest = _newest(found)
    own = list(newest.files.order_by("pk"))
    linked = access.tickets_for(request.user).filter(article_links__article=found).select_related("status")
    said = ArticleFeedback.objects.filter(article=found)
    audience = {"section": found.section.name, "audience": found.audience, "organizations": found.organizations.all()}
    context = {
        "article": found,
        "form": form or ArticleForm(initial={"title": newest.title, "text": newest.html}),
        "place": place or PlaceForm(initial=audience),
        "readers": articles.readers(found),
        "files": list(zip((file.pk for file in own), tiles(own), strict=True)),
        "sections": list(ArticleSection.objects.all()),
        "history": _history(found),
        "tickets": list(linked.order_by("-updated_at", "-id")[:_SHOWN]),
        "counts": said.aggregate(yes=Count("pk", filter=Q(is_helpful=True)), no=Count("pk", filter=Q(is_helpful=False))),
        "feedback": list(said.exclude(comment="").select_related("reader").order_by("is_helpful", "-at")[:_SHOWN]),
        **_limits(),
    }
    return render(request, "desk/article.html", context, status=status)


def _newest(found: Article) -> ArticleVersion:
    assert found.newest is not None  # noqa: S101 null only while the verb makes it
    return found.newest


def _limits() -> dict[str, int]:
    return {"max_files": settings.MAX_FILES, "max_bytes": settings.MAX_FILE_BYTES}


def _history(found: Article) -> list[ArticleEvent]:
    events = list(found.events.select_related("actor", "version").order_by("-id")[:_HISTORY])
    for event in events:
        event.words = _in_words(event)  # type: ignore[attr-defined] # for the page alone
    return events


def _in_words(event: ArticleEvent) -> str:
    title = event.version.title if event.version else ""
    return {
        ArticleEventKind.SAVED: _("saved “%(title)s”") % {"title": title},
        ArticleEventKind.RESTORED: _("brought “%(title)s” back") % {"title": title},
        ArticleEventKind.PUBLISHED: _("published “%(title)s”") % {"title": title},
        ArticleEventKind.UNPUBLISHED: _("made it a draft again"),
        ArticleEventKind.ARCHIVED: _("archived it"),
        ArticleEventKind.PLACED: _("put it in %(section)s, for %(readers)s") % {"section": "", "readers": "", **event.data},
    }[ArticleEventKind(event.kind)]


@require_POST
@staff_required
def article_place(request: StaffRequest, pk: int) -> HttpResponse:
    found = access.get_article(request.user, pk)
    form = PlaceForm(request.POST)
    if not form.is_valid():
        return _page(request, found, place=form, status=422)
    data = form.cleaned_data
    placed = articles.place(
        found, actor=request.user, section=data["section"], audience=Audience(data["audience"]), organizations=data["organizations"]
    )
    words = _("From now on %(readers)s can read it.") if placed.is_published else _("Once it is published, %(readers)s can read it.")
    messages.success(request, words % {"readers": articles.readers(placed)})
    return redirect("desk_article", pk)


@require_POST
@staff_required
def article_publish(request: StaffRequest, pk: int) -> HttpResponse:
    return _published(request, access.get_article(request.user, pk))


@require_POST
@staff_required
def article_unpublish(request: StaffRequest, pk: int) -> HttpResponse:
    articles.unpublish(access.get_article(request.user, pk), actor=request.user)
    messages.success(request, _("It is a draft now, which readers don't see."))
    return redirect("desk_article", pk)


@require_POST
@staff_required
def article_archive(request: StaffRequest, pk: int) -> HttpResponse:
    articles.archive(access.get_article(request.user, pk), actor=request.user)
    messages.success(request, _("Archived. Readers don't see it; you find it under “Archived”."))
    return redirect("desk_article", pk)


# --- Versions ------------------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def article_version(request: StaffRequest, pk: int, version: int) -> HttpResponse:
    """As readers would see it; of the newest one this is the preview."""
    found = access.get_article(request.user, pk)
    shown = _version(found, version)
    return render(request, "desk/article_version.html", {"article": found, "version": shown, "words": page_of_words(shown)})


@require_POST
@staff_required
def article_restore(request: StaffRequest, pk: int, version: int) -> HttpResponse:
    found = access.get_article(request.user, pk)
    articles.restore(found, actor=request.user, version=_version(found, version))
    messages.success(request, _("The old words are the newest draft now. Readers see them once you publish it."))
    return redirect("desk_article", pk)


def _version(found: Article, pk: int) -> ArticleVersion:
    try:
        return found.versions.select_related("author").get(pk=pk)
    except (ArticleVersion.DoesNotExist, OverflowError) as error:
        raise Http404 from error


# --- What readers say ----------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def article_words(request: StaffRequest) -> HttpResponse:
    """What readers wrote about any article, the newest first."""
    said = articles.feedback_for(request.user).exclude(comment="").select_related("article__published", "article__newest", "reader")
    show = request.GET.get("show", "")
    said = said.filter(is_helpful=False) if show != "all" else said
    page = page_of(said, request_get=request.GET, order=("-id",), size=_ROWS)
    return render(request, "desk/article_words.html", {"page": page, "show": show})


@require_POST
@staff_required
def article_ticket(request: StaffRequest, pk: int) -> HttpResponse:
    """One click from a "No" to a ticket."""
    try:
        answer = articles.feedback_for(request.user).get(pk=pk)
    except (ArticleFeedback.DoesNotExist, OverflowError) as error:
        raise Http404 from error
    return redirect("desk_ticket", articles.open_ticket_about(answer, actor=request.user).number)


# --- Beside a reply ------------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def article_find(request: StaffRequest) -> HttpResponse:
    """Articles to send along: what was looked for, else what goes with the ticket. Says which of them its requester can't read."""
    published = access.articles_for(request.user).filter(state=ArticleState.PUBLISHED)
    number, query = request.GET.get("ticket", ""), request.GET.get("q", "").strip()
    ticket = access.get_ticket(request.user, int(number)) if _is_number(number) else None
    if query:
        found = [hit.article for hit in article_search.search(published, query, limit=_FOUND)]
    else:
        question = (ticket.subject, ticket.description.text) if ticket else ("", "")
        found = article_search.suggest(published, *question, limit=_FOUND)
    known = access.articles_for(ticket.requester).filter(pk__in=[one.pk for one in found]) if ticket else Article.objects.none()
    readable = set(known.values_list("pk", flat=True))
    rows = [{"article": one, "is_hidden": ticket is not None and one.pk not in readable} for one in found]
    return render(request, "desk/article_find.html", {"rows": rows, "q": query, "site_url": settings.SITE_URL.rstrip("/")})
