"""The pages and forms of drafts: kept while one writes, listed, thrown away; and a reply that is taken back before it goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import DomainError
from tickets import access, actions
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.forms import DraftForm
from tickets.desk.ticket import find, page
from tickets.models import Channel, Status
from tickets.writing import drafts

if TYPE_CHECKING:
    from django.http import HttpResponse

    from tickets.models import Draft

_DISCARDED = "discarded_draft"  # in the session
_LISTED = 200  # who writes on more tickets than this at once finds the older ones at their tickets


@require_safe
@staff_required
def draft_list(request: StaffRequest) -> HttpResponse:
    """One's own. Of a ticket that is out of sight now, the words alone."""
    rows = list(drafts.of(request.user).select_related("ticket")[:_LISTED])
    seen = set(access.tickets_for(request.user).filter(pk__in=[row.ticket_id for row in rows]).values_list("pk", flat=True))
    return render(request, "desk/drafts.html", {"rows": [(row, row.ticket_id in seen) for row in rows]})


@require_POST
@staff_required
def save(request: StaffRequest, number: int) -> HttpResponse:
    """By the script as one writes ("quietly", answered in JSON), or by a button."""
    ticket = access.get_ticket(request.user, number)
    form = DraftForm(request.POST, request.FILES, writer=request.user)
    if not form.is_valid():
        return _not_saved(request, form, number, "")
    try:
        draft = drafts.save(ticket, actor=request.user, **form.verb_arguments())
    except DomainError as error:
        return _not_saved(request, form, number, str(error))
    if "quietly" in request.POST:
        return JsonResponse({"version": str(draft.version) if draft else ""})
    if request.POST.get("then") == "canned":
        return redirect("desk_ticket_canned", number)
    messages.success(request, _("Your draft is kept. Only you see it.") if draft else _("There is nothing to keep."))
    return redirect(reverse("desk_ticket", args=[number]) + "#reply")


def _not_saved(request: StaffRequest, form: DraftForm, number: int, why: str) -> HttpResponse:
    if "quietly" in request.POST:
        words = why or " ".join(str(problem) for problems in form.errors.values() for problem in problems)
        return JsonResponse({"error": words}, status=409 if why else 422)
    if why:
        messages.error(request, why)
    return page(request, find(request.user, number), form=form)


@require_POST
@staff_required
def discard(request: StaffRequest, pk: int) -> HttpResponse:
    draft = _own(request, pk)
    number = draft.ticket_id
    request.session[_DISCARDED] = {
        "ticket": number,
        "text": draft.text,
        "html": draft.html,
        "uploads": [str(upload.pk) for upload in draft.uploads.all()],
        "is_note": draft.is_note,
        "status": draft.status_id,
    }
    drafts.discard(draft)
    messages.success(request, _("The draft is thrown away."), extra_tags=reverse("desk_draft_restore"))
    if request.POST.get("from") == "list":
        return redirect("desk_drafts")
    return redirect("desk_ticket", number)


@require_POST
@staff_required
def restore(request: StaffRequest) -> HttpResponse:
    """The one that was thrown away last, which this session alone knows."""
    kept = request.session.get(_DISCARDED)
    if kept is None:
        messages.error(request, _("There is no draft to bring back any more."))
        return redirect("desk_drafts")
    ticket = access.get_ticket(request.user, kept["ticket"])
    uploads = tuple(UUID(pk) for pk in kept["uploads"])
    message = actions.Message(text=kept["text"], channel=Channel.DESK, html=kept["html"], uploads=uploads)
    drafts.save(
        ticket, actor=request.user, message=message, is_note=kept["is_note"], status=Status.objects.filter(pk=kept["status"]).first()
    )
    del request.session[_DISCARDED]
    messages.success(request, _("Your draft is back. Only you see it."))
    return redirect(reverse("desk_ticket", args=[ticket.pk]) + "#reply")


def _own(request: StaffRequest, pk: int) -> Draft:
    draft = drafts.of(request.user).filter(pk=pk, send_at=None).first()
    if draft is None:
        raise Http404
    return draft


@require_POST
@staff_required
def take_back(request: StaffRequest, number: int, pk: int) -> HttpResponse:
    """Asks for no sight of the ticket: the words are one's own."""
    try:
        drafts.take_back(pk, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Your reply is back. Nobody has seen it, and nothing was changed."))
    return redirect(reverse("desk_ticket", args=[number]) + "#reply")
