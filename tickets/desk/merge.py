"""Merging and splitting at the desk: a page that says who will read what before anything is done, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from tickets import access, merging, splitting
from tickets.actions import SUBJECT_LIMIT
from tickets.desk.back import back
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.links import TicketField, number_in, offered
from tickets.models import Ticket
from tickets.search.query import MAX_LENGTH
from tickets.uploads import clean_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.http import HttpResponse

    from accounts.models import User
    from tickets.merging import Plan


class _IntoForm(forms.Form):
    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"] = TicketField(user=user)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def merge(request: StaffRequest, number: int) -> HttpResponse:
    """First which ticket it goes on in, then what that means; only what was shown there is done."""
    source = access.get_ticket(request.user, number, among=Ticket.objects.select_related("status", "requester", "group"))
    asked = request.POST.get("into") or request.GET.get("into", "")
    form = _IntoForm({"into": asked} if asked or request.method == "POST" else None, user=request.user)
    if not form.is_valid():
        is_words = bool(asked) and number_in(asked) is None
        found = offered(request.user, source, asked.strip()[:MAX_LENGTH]) if is_words else []
        context = {"ticket": source, "form": form, "asked": asked, "found": found, "suggested": offered(request.user, source)}
        return render(request, "desk/merge_into.html", context, status=422 if request.method == "POST" else 200)
    planned = merging.plan(source, form.cleaned_data["into"])
    if request.method == "POST" and not planned.refusal:
        return _merge(request, planned)
    return render(request, "desk/merge.html", {"ticket": source, "plan": planned}, status=409 if request.method == "POST" else 200)


def _merge(request: StaffRequest, planned: Plan) -> HttpResponse:
    target = merging.merge(
        planned.source,
        into=planned.target,
        actor=request.user,
        people=_ticked([one.who for one in planned.people], request.POST.getlist("person")),
        organizations=_ticked([one.who for one in planned.organizations], request.POST.getlist("organization")),
    )
    words = _("#%(source)d goes on in this ticket.") % {"source": planned.source.pk}
    return back(request, target, words, undo=reverse("desk_ticket_unmerge", args=[planned.source.pk]))


def _ticked(those: Collection[Any], ticked: Collection[str]) -> list[Any]:
    return [one for one in those if str(one.pk) in ticked]


@require_POST
@staff_required
def unmerge(request: StaffRequest, number: int) -> HttpResponse:
    ticket = merging.unmerge(access.get_ticket(request.user, number), actor=request.user)
    return back(request, ticket, _("Undone: #%(number)d goes on by itself.") % {"number": ticket.pk})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def split(request: StaffRequest, number: int, comment: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number, among=Ticket.objects.select_related("group", "area"))
    said = get_object_or_404(access.comments_for(request.user, ticket).select_related("author"), pk=comment)
    if refusal := splitting.why_not(ticket, said):
        messages.error(request, refusal)
        return redirect("desk_ticket", number)
    subject = " ".join(clean_text(request.POST.get("subject", ticket.subject)).split())[:SUBJECT_LIMIT]
    if request.method == "POST" and subject:
        new = splitting.split(ticket, actor=request.user, comment=said, subject=subject)
        return back(request, new, _("Split off from #%(number)d. %(who)s is told its number.") % {"number": number, "who": said.author})
    context = {
        "ticket": ticket,
        "said": said,
        "files": list(said.attachments.all()),
        "subject": subject,
        "limit": SUBJECT_LIMIT,
        "shared_with": said.author.active_organizations().filter(share_rows__ticket=ticket).first(),
    }
    return render(request, "desk/split.html", context, status=422 if request.method == "POST" else 200)
