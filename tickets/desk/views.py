"""Saved views beside the queue: their counts, and the forms that keep, change, order and delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import IntegerField, Subquery
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.models import AgentGroup, User
from tickets import access, saved_views
from tickets.desk.columns import known
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.filters import SORTS, Filters, of_text, queue_url
from tickets.desk.vocabulary import OWN, Vocabulary
from tickets.models import SavedView
from tickets.search.query import MAX_LENGTH, QueryError, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpResponse, QueryDict

COUNTED = 99  # more of them are "99+"
MINE, EVERYBODY = "mine", "everybody"


class _Counted(Subquery):
    """How many rows a queryset has, as a column: so that all views are counted by one query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) _counted)"
    output_field = IntegerField()


def shown_text(view: SavedView, vocabulary: Vocabulary) -> str:
    """The query with today's names."""
    try:
        return str(vocabulary.named(parse(view.text)))
    except QueryError:
        return view.text


def counts(views: Iterable[tuple[SavedView, Filters]], user: User) -> dict[int, str]:
    """By view, of the tickets that this person sees. Words are not counted, as each ticket would have to be read for them."""
    countable = {view.pk: filters for view, filters in views if not (filters.problem or filters.query.words)}
    if not countable:
        return {}
    found = {
        f"view_{pk}": _Counted(filters.among(access.tickets_for(user)).order_by().values("pk")[: COUNTED + 1])
        for pk, filters in countable.items()
    }
    row = User.objects.filter(pk=user.pk).values_list(*found.values())[0]
    return {pk: f"{COUNTED}+" if (count or 0) > COUNTED else str(count or 0) for pk, count in zip(countable, row, strict=True)}


def listed(user: User, vocabulary: Vocabulary, views: list[SavedView]) -> list[dict[str, Any]]:
    """As the list beside the queue shows them: one's own, then each group's, then everybody's."""
    texts = {view.pk: shown_text(view, vocabulary) for view in views}
    counted = counts([(view, of_text(texts[view.pk], user, vocabulary)) for view in views], user)
    groups = {entry.pk: entry.name for entry in vocabulary.entries("group")}
    rows = [
        {
            "view": view,
            "label": view.name,
            "count": counted.get(view.pk, ""),
            "text": texts[view.pk],
            "href": queue_url(texts[view.pk], view.sort, view=str(view.pk)),
            "of": groups.get(view.group_id or 0, ""),
            "may_change": saved_views.may_change(view, user),
        }
        for view in views
    ]
    return sorted(rows, key=lambda row: (row["view"].owner_id is None, row["view"].is_for_everybody, row["of"]))


# --- Keeping -------------------------------------------------------------------------------------------------------------------


class ViewForm(forms.Form):
    name = forms.CharField(max_length=60, error_messages={"required": gettext_lazy("Give the view a name.")})
    q = forms.CharField(max_length=MAX_LENGTH, required=False)
    sort = forms.CharField(max_length=20, required=False)
    audience = forms.CharField(max_length=30, required=False)

    def clean_audience(self) -> AgentGroup | str:
        audience: str = self.cleaned_data["audience"]
        if audience in ("", MINE, EVERYBODY):
            return audience or MINE
        group = AgentGroup.objects.filter(pk=audience).first() if audience.isascii() and audience.isdigit() and len(audience) < 18 else None
        if group is None:
            raise forms.ValidationError(_("That group is not there any more."))
        return group

    def put_into(self, view: SavedView, *, actor: User) -> SavedView:
        data = self.cleaned_data
        audience = data["audience"]
        view.name, view.sort = data["name"], data["sort"] if data["sort"] in SORTS else ""
        view.owner = actor if audience == MINE else None
        view.group = audience if isinstance(audience, AgentGroup) else None
        view.text = _kept(data["q"], actor)
        return view


def _kept(text: str, user: User) -> str:
    """Raises QueryError for what can't be read: it would be no view."""
    vocabulary = Vocabulary(user)
    filters = of_text(text.strip(), user, vocabulary)
    if filters.problem:
        raise filters.problem
    return str(vocabulary.kept(filters.query))


def audiences(user: User, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """For whom this person may keep a view."""
    named = [(str(entry.pk), entry.name) for entry in vocabulary.entries("group") if user.is_admin or entry.note == OWN]
    return [(MINE, _("for me")), *named, *([(EVERYBODY, _("for everybody"))] if user.is_admin else [])]


@require_POST
@staff_required
def view_new(request: StaffRequest) -> HttpResponse:
    """Also where an Undo of a deletion posts to, which has nothing but its address."""
    return _keep(request, SavedView(), request.POST if "name" in request.POST else request.GET)


@require_POST
@staff_required
def view(request: StaffRequest, pk: int) -> HttpResponse:
    """Changes it, moves it, or deletes it, by the button that was pressed."""
    found = get_object_or_404(saved_views.seen_by(request.user).filter(is_default=False), pk=pk)
    match request.POST.get("do", ""):
        case "up" | "down" as way:
            saved_views.move(found, actor=request.user, by=-1 if way == "up" else 1)
            return _to(found, request)
        case "delete":
            return _delete(request, found)
    return _keep(request, found, request.POST)


def _keep(request: StaffRequest, view: SavedView, data: QueryDict) -> HttpResponse:
    form = ViewForm(data)
    typed = queue_url(data.get("q", ""), data.get("sort", ""), view=str(view.pk or ""))
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect(typed)
    try:
        view = form.put_into(view, actor=request.user)
    except QueryError as problem:
        messages.error(request, str(problem))
        return redirect(typed)
    if not view.pk:
        view.columns = known(data.getlist("column"))
    saved_views.keep(view, actor=request.user)
    messages.success(request, _("The view “%(name)s” is kept.") % {"name": view.name})
    return _to(view, request)


def _to(view: SavedView, request: StaffRequest) -> HttpResponse:
    return redirect(queue_url(shown_text(view, Vocabulary(request.user)), view.sort, view=str(view.pk)))


def _delete(request: StaffRequest, view: SavedView) -> HttpResponse:
    audience = MINE if view.owner_id else str(view.group_id or EVERYBODY)
    text = shown_text(view, Vocabulary(request.user))
    again = {"name": view.name, "q": text, "sort": view.sort, "audience": audience, "column": view.columns}
    saved_views.delete(view, actor=request.user)
    undo = f"{reverse('desk_view_new')}?{urlencode(again, doseq=True)}"
    messages.success(request, _("The view “%(name)s” is deleted.") % {"name": view.name}, extra_tags=undo)
    return redirect(queue_url(text, view.sort))


@require_POST
@staff_required
def columns(request: StaffRequest) -> HttpResponse:
    """Of a view that one may change, or else one's own for all that says nothing."""
    chosen = known(request.POST.getlist("column"))
    pk = request.POST.get("view", "")
    found = (
        saved_views.seen_by(request.user).filter(pk=pk, is_default=False).first()
        if pk.isascii() and pk.isdigit() and len(pk) < 18
        else None
    )
    if found and saved_views.may_change(found, request.user) and "of_view" in request.POST:
        found.columns = chosen
        saved_views.keep(found, actor=request.user)
    else:
        saved_views.keep_columns(chosen, actor=request.user)
    return redirect(queue_url(request.POST.get("q", "")[:MAX_LENGTH], request.POST.get("sort", ""), view=str(found.pk) if found else ""))
