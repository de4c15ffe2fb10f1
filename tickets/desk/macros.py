"""Macros at the desk: the list, making one, and using one on a ticket, where what it will do is shown before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import AgentGroup, User
from tickets import access, actions
from tickets.desk.back import back
from tickets.desk.canned import PLACEHOLDERS_EXPLAINED, covers
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.forms import offered
from tickets.desk.helpers import LISTED, HelperForm, check_placeholders, delete, for_whom, list_page, one, retire
from tickets.desk.seen import Overtaken, unless_overtaken
from tickets.desk.ticket import find, page
from tickets.models import CannedReply, Macro, Priority, Status, Ticket, TicketType
from tickets.search.full_text import words_of
from tickets.tagging import tags_of
from tickets.templatetags.rich import rich_article, rich_text
from tickets.uploads import LineField, SeenField, TextField
from tickets.writing import canned, drafts, macros

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.utils.safestring import SafeString

_FOUND = 8  # while one types
_PARTS = ("status", "type", "priority", "to_group", "assigns", "assignee", "tags", "reply", "note")


class MacroForm(HelperForm):
    status = forms.ModelChoiceField(Status.objects.none(), required=False, label=gettext_lazy("Status"))
    type = forms.ModelChoiceField(TicketType.objects.none(), required=False, label=gettext_lazy("Type"))
    priority = forms.ModelChoiceField(Priority.objects.none(), required=False, label=gettext_lazy("Priority"))
    to_group = forms.ModelChoiceField(AgentGroup.objects.none(), required=False, label=gettext_lazy("Group"))
    assigns = forms.ChoiceField(choices=Macro.Assigns.choices, required=False, label=gettext_lazy("Assignee"))
    assignee = forms.ModelChoiceField(User.objects.none(), required=False, label=gettext_lazy("Person"))
    tags = TextField(limit=400, required=False, label=gettext_lazy("Tags to add"), widget=forms.TextInput)
    reply = forms.ModelChoiceField(
        CannedReply.objects.none(), required=False, label=gettext_lazy("Canned reply"), help_text=gettext_lazy("Is sent to the customer.")
    )
    note = TextField(
        limit=20_000, required=False, label=gettext_lazy("Internal note"), widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Placeholders are filled in, as in a canned reply."),
    )  # fmt: skip

    def __init__(self, data: Any, *, user: User, instance: Macro) -> None:
        super().__init__(data, user=user, instance=instance, initial={name: getattr(instance, name) for name in _PARTS})
        self.instance: Macro = instance
        replies = access.helpers_for(user, CannedReply).filter(Q(is_retired=False) | Q(pk=instance.reply_id))
        choices: dict[str, QuerySet[Any]] = {
            "status": offered(Status, current=instance.status_id),
            "type": offered(TicketType, current=instance.type_id),
            "priority": offered(Priority, current=instance.priority_id),
            "to_group": offered(AgentGroup, current=instance.to_group_id),
            "assignee": User.objects.active_staff().order_by("name", "email"),
            "reply": replies.order_by("name", "pk"),
        }
        for name, queryset in choices.items():
            self.fields[name].queryset = queryset  # type: ignore[attr-defined] # a ModelChoiceField
        for name in ("status", "type", "priority", "to_group"):
            self.fields[name].empty_label = _("Leave it")  # type: ignore[attr-defined]
        self.fields["reply"].empty_label = _("None")  # type: ignore[attr-defined]

    def clean_note(self) -> str:
        return check_placeholders(self.cleaned_data["note"])

    def clean_tags(self) -> str:
        return ", ".join(tags_of(self.cleaned_data["tags"]))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("assigns") == Macro.Assigns.PERSON and not cleaned.get("assignee") and "assignee" not in self.errors:
            self.add_error("assignee", _("Choose who gets the ticket."))
        if not self.errors:
            self.apply()
            self._check_parts()
        return cleaned

    def _check_parts(self) -> None:
        if not macros.effects(self.instance, known={}):
            self.add_error(None, _("Choose what it does, or it would do nothing."))
        elif self.instance.reply and not covers(self.instance.reply, self.instance):
            self.add_error(
                "reply",
                _("Not all who would use the macro can use this canned reply. Share that with them first, or keep the macro to yourself."),
            )

    def apply(self) -> None:
        super().apply()
        for name in _PARTS:
            setattr(self.instance, name, self.cleaned_data[name])
        if self.instance.assigns != Macro.Assigns.PERSON:
            self.instance.assignee = None


# --- Keeping them --------------------------------------------------------------------------------------------------------------


def _with_parts(found: QuerySet[Macro]) -> QuerySet[Macro]:
    return found.select_related("group", "status", "type", "priority", "to_group", "assignee", "reply")


def _matching(user: User, query: str) -> QuerySet[Macro]:
    """Every word in the name; what is used most stands first."""
    found = access.helpers_for(user, Macro)
    for word in words_of(query):
        found = found.filter(name__icontains=word)
    return _with_parts(found).order_by("-used", "name", "pk")


@require_safe
@staff_required
def macro_list(request: StaffRequest) -> HttpResponse:
    def row(macro: Macro) -> dict[str, Any]:
        return {"does": macros.effects(macro, known={})}

    return list_page(request, "desk/macro_list.html", _("Macros"), matching=_matching, row=row)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def macro_new(request: StaffRequest) -> HttpResponse:
    return _edit(request, Macro())


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def macro(request: StaffRequest, pk: int) -> HttpResponse:
    return _edit(request, _one(request.user, pk))


def _one(user: User, pk: int) -> Macro:
    one(user, Macro, pk)
    return _with_parts(Macro.objects.all()).get(pk=pk)


def _edit(request: StaffRequest, macro: Macro) -> HttpResponse:
    name = macro.name  # a form that is refused has changed it all the same
    form = MacroForm(request.POST if request.method == "POST" else None, user=request.user, instance=macro)
    if form.is_valid():
        canned.keep(macro, actor=request.user)
        messages.success(request, _("“%(name)s” is kept.") % {"name": macro})
        return redirect("desk_macros")
    context = {"form": form, "macro": macro, "title": name or _("New macro"), "placeholders": PLACEHOLDERS_EXPLAINED}
    return render(request, "desk/macro.html", context, status=422 if form.is_bound else 200)


@require_POST
@staff_required
def macro_retire(request: StaffRequest, pk: int) -> HttpResponse:
    return retire(request, Macro, pk, to="desk_macros")


@require_POST
@staff_required
def macro_delete(request: StaffRequest, pk: int) -> HttpResponse:
    return delete(request, Macro, pk, to="desk_macros", stays=_("What it did stays as it is."))


# --- Using one -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """One of them, with what it will do to a ticket."""

    macro: Macro
    for_whom: str
    changes: list[str]
    reply: SafeString | str
    note: SafeString | str


def _offers(user: User, ticket: Ticket, query: str, *, most: int) -> list[Offer]:
    known = canned.values(ticket, agent=user)
    return [_offer(found, known) for found in _matching(user, query).filter(is_retired=False)[:most]]


def _offer(macro: Macro, known: dict[str, str]) -> Offer:
    does = macros.effects(macro, known=known)
    reply = rich_article(does.reply.html, {}) if does.reply else ""
    return Offer(macro, for_whom(macro), does.changes, reply, rich_text(does.note) if does.note else "")


@require_safe
@staff_required
def ticket_macros(request: StaffRequest, number: int) -> HttpResponse:
    """A page to choose one; or, for static/js/macros.js, its list alone."""
    ticket = access.get_ticket(request.user, number, among=Ticket.objects.select_related("requester"))
    query = request.GET.get("q", "")[:200]
    is_piece = "piece" in request.GET
    seen = SeenField(required=False).clean(request.GET.get("seen"))
    if seen is None and not is_piece:  # by the bare address: what stands there now
        seen = access.events_for(request.user, ticket).values_list("pk", flat=True).last()
    context = {
        "ticket": ticket,
        "offers": _offers(request.user, ticket, query, most=_FOUND if is_piece else LISTED),
        "q": query,
        "seen": seen or "",
    }
    return render(request, "desk/macro_options.html" if is_piece else "desk/ticket_macros.html", context)


class RunForm(forms.Form):
    """What is asked before a macro is run, where its status requires it: a type, engineering's reference."""

    type = forms.ModelChoiceField(TicketType.objects.filter(is_retired=False), required=False)
    reference = LineField(limit=60, required=False)
    seen = SeenField(required=False)


@require_POST
@staff_required
def run(request: StaffRequest, number: int, pk: int) -> HttpResponse:
    ticket, chosen = find(request.user, number), _one(request.user, pk)
    if chosen.is_retired:
        raise Http404
    form = RunForm(request.POST)
    if not form.is_valid():
        return _ask(request, number, chosen, " ".join(str(error) for errors in form.errors.values() for error in errors), form)
    try:
        with unless_overtaken(ticket, actor=request.user, seen=form.cleaned_data["seen"]):
            given = {name: form.cleaned_data[name] for name in ("type", "reference")}
            leaving = drafts.use(chosen, ticket, actor=request.user, **given)
    except Overtaken as overtaken:
        return page(request, find(request.user, number), overtaken=overtaken)
    except (actions.TypeRequired, actions.ReferenceRequired) as error:
        return _ask(request, number, chosen, str(error), form)
    if leaving is None:
        return back(request, ticket, _("“%(name)s” is done.") % {"name": chosen})
    seconds = settings.UNDO_SECONDS
    words = ngettext("“%(name)s” is done in %(count)d second.", "“%(name)s” is done in %(count)d seconds.", seconds)
    return back(request, ticket, words % {"name": chosen, "count": seconds}, anchor="#leaving")


def _ask(request: StaffRequest, number: int, macro: Macro, why: str, form: RunForm) -> HttpResponse:
    """Both at once where both are missing; what was said already is kept."""
    ticket = find(request.user, number)
    status = macro.status
    asks_type = "type" in form.errors or (status is not None and status.requires_type and not (macro.type_id or ticket.type_id))
    asks_reference = "reference" in form.errors or (status is not None and status.asks_reference and not ticket.reference)
    asking = {"macro": macro, "why": why, "form": form, "asks_type": asks_type, "asks_reference": asks_reference}
    return page(request, ticket, macro=asking)
