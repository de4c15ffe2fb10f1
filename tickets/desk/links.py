"""What a ticket has to do with others, on its page: links of both sides, what it follows up, and what was merged into it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from tickets import access, links
from tickets.desk.back import back
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.filters import of_text
from tickets.desk.vocabulary import Vocabulary
from tickets.lifecycle import UNRESOLVED
from tickets.links import Relation, relation_of
from tickets.merging import undoable
from tickets.models import Ticket, TicketLink
from tickets.search.query import MAX_LENGTH

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.models import User

_NUMBER = re.compile(r"\s*(?:(?:#|.*/tickets/)?(\d{1,15})/?(?:[#?].*)?|#(\d{1,15})\s.*)\s*", re.ASCII)
_OFFERED = 8
_DUPLICATES = (Relation.DUPLICATE_OF, Relation.HAS_DUPLICATE)


def number_in(text: str) -> int | None:
    """Of what somebody writes or pastes: 1042, #1042, the same with a subject behind it, or a ticket's address."""
    found = _NUMBER.fullmatch(text[:400])
    return int(found[1] or found[2]) if found else None


class TicketField(forms.CharField):
    """The number of a ticket that the person sees. One they don't is as one that is missing."""

    wrong = gettext_lazy("There is no such ticket. Write its number, like 1042, or words of it, or paste its address.")

    def __init__(self, *, user: User, **kwargs: Any) -> None:
        super().__init__(max_length=400, **kwargs)
        self.user = user

    def clean(self, value: Any) -> Any:
        number = number_in(super().clean(value))
        try:
            return access.get_ticket(self.user, number or 0, among=Ticket.objects.select_related("status", "group", "requester"))
        except Http404:
            raise forms.ValidationError(str(self.wrong)) from None


class LinkForm(forms.Form):
    relation = forms.ChoiceField(choices=Relation.choices)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["other"] = TicketField(user=user)


def shown(user: User, ticket: Ticket) -> dict[str, Any]:
    """For the ticket's page: (relation, the other ticket), and the tickets that were merged into it; all among what this person sees."""
    rows = TicketLink.objects.filter(Q(ticket=ticket) | Q(other=ticket))
    relations = {row.other_id if row.ticket_id == ticket.pk else row.ticket_id: relation_of(row, ticket) for row in rows}
    if ticket.follow_up_to_id:
        relations.setdefault(ticket.follow_up_to_id, Relation.FOLLOWS_UP)
    named = Q(pk__in=[*relations, ticket.merged_into_id or 0])
    others = access.tickets_for(user).filter(named | Q(follow_up_to=ticket) | Q(merged_into=ticket)).select_related("status")
    linked, merged, goes_on = [], [], None
    for other in others.order_by("pk"):
        if other.merged_into_id == ticket.pk:
            merged.append(other)
        if other.pk == ticket.merged_into_id:
            goes_on = other
        if relation := relations.get(other.pk) or (Relation.FOLLOWED_BY if other.follow_up_to_id == ticket.pk else None):
            linked.append((relation, other))
    return {
        "linked": linked,
        "merged": merged,
        "goes_on": goes_on,
        "relations": Relation.choices,
        "undoable": undoable(merged) if merged else set(),
    }


def offered(user: User, ticket: Ticket, text: str = "") -> list[Ticket]:
    """Other tickets in which these words stand. Of no words, what suggests itself: duplicates, other links, then open ones of the same person."""
    seen = access.tickets_for(user).exclude(pk=ticket.pk).select_related("status", "requester")
    if text:
        return list(of_text(text, user, Vocabulary(user)).among(seen).order_by("-updated_at", "-pk")[:_OFFERED])
    linked = sorted(shown(user, ticket)["linked"], key=lambda row: row[0] not in _DUPLICATES)
    numbers = [other.pk for _relation, other in linked if other.merged_into_id is None]
    theirs = seen.filter(requester=ticket.requester_id, category__in=UNRESOLVED).order_by("-pk").values_list("pk", flat=True)
    numbers = list(dict.fromkeys([*numbers, *theirs[:_OFFERED]]))[:_OFFERED]
    found = seen.in_bulk(numbers)
    return [found[number] for number in numbers]


@require_safe
@staff_required
def others(request: StaffRequest, number: int) -> JsonResponse:
    """As one types, for static/js/complete.js."""
    ticket = access.get_ticket(request.user, number)
    found = offered(request.user, ticket, request.GET.get("q", "").strip()[:MAX_LENGTH])
    return JsonResponse(
        {"options": [{"text": f"#{one.pk} {one.subject}", "note": f"{one.status} · {one.requester.display_name}"} for one in found]}
    )


@require_POST
@staff_required
def add(request: StaffRequest, number: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    form = LinkForm(request.POST, user=request.user)
    if not form.is_valid():
        written, relation = request.POST.get("other", "").strip()[:MAX_LENGTH], request.POST.get("relation", "")
        choices = offered(request.user, ticket, written) if written and relation in Relation else []
        if choices and number_in(written) is None:
            context = {"ticket": ticket, "relation": Relation(relation), "written": written, "choices": choices}
            return render(request, "desk/link_choose.html", context, status=422)
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("desk_ticket", number)
    other, relation = form.cleaned_data["other"], Relation(form.cleaned_data["relation"])
    links.link(ticket, actor=request.user, other=other, relation=relation)
    words = _("This ticket %(relation)s #%(number)d.") % {"relation": relation.label, "number": other.pk}
    return back(request, ticket, words, undo=reverse("desk_ticket_unlink", args=[number, other.pk]))


@require_POST
@staff_required
def remove(request: StaffRequest, number: int, other: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    links.unlink(ticket, actor=request.user, other=access.get_ticket(request.user, other))
    return back(request, ticket, _("The link to #%(number)d is gone.") % {"number": other})
