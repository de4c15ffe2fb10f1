"""Canned replies at the desk: the list, writing one, and putting one into what is being written on a ticket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tickets import access
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.helpers import LISTED, HelperForm, check_placeholders, delete, for_whom, list_page, one, retire
from tickets.models import CannedReply, Macro, Ticket
from tickets.search.full_text import words_of
from tickets.templatetags.rich import rich_article
from tickets.uploads import EditorWidget, HtmlField, TextField
from tickets.writing import canned, drafts, prose

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.utils.safestring import SafeString

    from accounts.models import User

_FOUND = 8  # while one types


class CannedReplyForm(HelperForm):
    text = TextField(limit=20_000, label=gettext_lazy("Words"), widget=EditorWidget)
    html = HtmlField(required=False)

    def __init__(self, data: Any, *, user: User, instance: CannedReply) -> None:
        super().__init__(data, user=user, instance=instance, initial={"text": instance.text, "html": instance.html})
        self.instance: CannedReply = instance

    def clean_text(self) -> str:
        return check_placeholders(self.cleaned_data["text"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for problem in self.errors.pop("html", []):  # its field is hidden
            self.add_error("text", problem)
        if self.instance.pk and "share" in cleaned:
            self._check_macros()
        return cleaned

    def _check_macros(self) -> None:
        """Nobody's macro loses its reply by this."""
        was = self.instance.owner, self.instance.group
        self.share_it()
        lost = [macro for macro in self.instance.macros.all() if not covers(self.instance, macro)]
        self.instance.owner, self.instance.group = was
        if lost:
            names = ", ".join(f"“{macro}”" for macro in lost)
            self.add_error("share", _("A macro that others use needs it: %(names)s. Change that first.") % {"names": names})

    def apply(self) -> None:
        super().apply()
        self.instance.text = self.cleaned_data.get("text", "")
        self.instance.html = prose.kept(self.cleaned_data.get("html", ""), picture=lambda _image: "")


def covers(reply: CannedReply, macro: Macro) -> bool:
    """Whoever can use the macro can use the reply, or chose it as their own."""
    return reply.is_for_everybody or (macro.group_id is not None and reply.group_id == macro.group_id) or macro.owner_id is not None


# --- Keeping them --------------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def canned_list(request: StaffRequest) -> HttpResponse:
    return list_page(request, "desk/canned_list.html", _("Canned replies"), matching=_matching, row=lambda _reply: {})


def _matching(user: User, query: str) -> QuerySet[CannedReply]:
    """Every word in the name or the text; what is used most stands first."""
    found = access.helpers_for(user, CannedReply)
    for word in words_of(query):
        found = found.filter(Q(name__icontains=word) | Q(text__icontains=word))
    return found.order_by("-used", "name", "pk")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def canned_new(request: StaffRequest) -> HttpResponse:
    return _edit(request, CannedReply())


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def canned_reply(request: StaffRequest, pk: int) -> HttpResponse:
    return _edit(request, one(request.user, CannedReply, pk))


def _edit(request: StaffRequest, reply: CannedReply) -> HttpResponse:
    form = CannedReplyForm(request.POST if request.method == "POST" else None, user=request.user, instance=reply)
    if form.is_valid():
        form.apply()
        canned.keep(reply, actor=request.user)
        messages.success(request, _("“%(name)s” is kept.") % {"name": reply})
        return redirect("desk_canned")
    context = {"form": form, "reply": reply, "placeholders": PLACEHOLDERS_EXPLAINED, "macros": list(reply.macros.all()) if reply.pk else []}
    return render(request, "desk/canned_reply.html", context, status=422 if form.is_bound else 200)


PLACEHOLDERS_EXPLAINED = {
    "{name}": gettext_lazy("the requester's name"),
    "{first_name}": gettext_lazy("its first word"),
    "{organization}": gettext_lazy("the requester's organization"),
    "{number}": gettext_lazy("the ticket's number"),
    "{subject}": gettext_lazy("the ticket's subject"),
    "{link}": gettext_lazy("the ticket's address for customers"),
    "{agent}": gettext_lazy("your name"),
}


@require_POST
@staff_required
def canned_retire(request: StaffRequest, pk: int) -> HttpResponse:
    return retire(request, CannedReply, pk, to="desk_canned", stays=_("Macros that use it go on doing so."))


@require_POST
@staff_required
def canned_delete(request: StaffRequest, pk: int) -> HttpResponse:
    return delete(request, CannedReply, pk, to="desk_canned", stays=_("What was written with it stays as it is."))


# --- Using one -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """One of them, filled in for a ticket: `words` to be put in, `shown` to be read before."""

    reply: CannedReply
    for_whom: str
    words: canned.Words
    shown: SafeString


def _offers(user: User, ticket: Ticket, query: str, *, most: int) -> list[Offer]:
    known = canned.values(ticket, agent=user)
    found = _matching(user, query).filter(is_retired=False).select_related("group")[:most]
    words = [(reply, canned.filled(reply, known)) for reply in found]
    return [Offer(reply, for_whom(reply), filled, rich_article(filled.html, {})) for reply, filled in words]


def _ticket(user: User, number: int) -> Ticket:
    return access.get_ticket(user, number, among=Ticket.objects.select_related("requester"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def ticket_canned(request: StaffRequest, number: int) -> HttpResponse:
    """A page to choose one, which is put below what is being written; for whoever has no scripts."""
    ticket = _ticket(request.user, number)
    if request.method != "POST":
        query = request.GET.get("q", "")[:200]
        context = {"ticket": ticket, "offers": _offers(request.user, ticket, query, most=LISTED), "q": query}
        return render(request, "desk/ticket_canned.html", context)
    words = _use(request.user, ticket, request.POST.get("reply", ""))
    drafts.add(ticket, actor=request.user, text=words.text, html=words.html)
    messages.success(request, _("It stands below. Read it over, then send."))
    return redirect(reverse("desk_ticket", args=[number]) + "#reply")


def _use(user: User, ticket: Ticket, pk: str) -> canned.Words:
    reply = one(user, CannedReply, int(pk) if pk.isascii() and pk.isdecimal() and len(pk) < 19 else 0)
    canned.note_use(reply)
    return canned.filled(reply, canned.values(ticket, agent=user))


@require_safe
@staff_required
def ticket_canned_find(request: StaffRequest, number: int) -> HttpResponse:
    """A piece of the page for static/js/canned.js."""
    ticket, query = _ticket(request.user, number), request.GET.get("q", "")[:200]
    return render(
        request, "desk/canned_options.html", {"offers": _offers(request.user, ticket, query, most=_FOUND), "number": number, "q": query}
    )


@require_POST
@staff_required
def canned_used(request: StaffRequest, pk: int) -> HttpResponse:
    """Told by the script that put it in."""
    canned.note_use(one(request.user, CannedReply, pk))
    return HttpResponse(status=204)
