"""What can come next in the queue's line: fields, then what each knows. Says nothing of tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Organization, User
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.vocabulary import Vocabulary
from tickets.search.query import DAYS, FIELDS, MAX_LENGTH, Kind, Unfinished, unfinished, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpResponse

_MOST = 20


@require_safe
@staff_required
def complete(request: StaffRequest) -> HttpResponse:
    text, at = request.GET.get("q", "")[:MAX_LENGTH], request.GET.get("at", "")
    part = unfinished(text, int(at) if at.isascii() and at.isdigit() and len(at) < 6 else len(text))
    found = _values(part, Vocabulary(request.user)) if part.field else _fields(part)
    options = [{"text": said, "note": note} for said, note in found][:_MOST]
    return JsonResponse({"start": part.start, "end": part.end, "options": options})


def _fields(part: Unfinished) -> list[tuple[str, str]]:
    """Those that begin with what is typed. Of nothing typed, all."""
    return [(f"{name}:", note) for name, note in _notes().items() if name.startswith(part.text.casefold())]


def _notes() -> dict[str, str]:
    return {
        "status": _("open, waiting, resolved … or a status by its name"),
        "assignee": _("me, none, or a name"),
        "priority": _("high, or >=high"),
        "is": _("waiting, overdue, soon (due), mentioned, confirmed, failed, snoozed"),
        "due": _("today, <4h (left, or overdue), none"),
        "type": _("a type, or none"),
        "group": _("a group, or none"),
        "org": _("an organization"),
        "tag": _("a tag, or none"),
        "requester": _("a name or an address"),
        "created": _("today, <2d (younger), >2026-01-31 (after)"),
        "updated": _("today, <2h (since then), >7d (not for so long)"),
        "resolved": _("yesterday, 2026-01, none"),
        "csm": _("me, or who looks after the organization"),
        "filer": _("who filed it for somebody else"),
        "area": _("a product area"),
        "channel": _("portal, email, desk"),
        "number": _("1042, or >1000"),
    }


def _values(part: Unfinished, vocabulary: Vocabulary) -> Iterable[tuple[str, str]]:
    known = FIELDS[part.field]
    typed = part.text.casefold()
    words = (*DAYS, "1h", "1d", "1w") if known.kind is Kind.TIME else ()
    names = [(str(value_of(name)), note) for name, note in _names(part, vocabulary)]
    taken = {name.casefold() for name, _note in names}
    said = [(word, "") for word in (*known.words, *words) if word.startswith(typed) and word not in taken]
    return [*names, *said] if typed or part.field == "status" else [*said, *names]


def _names(part: Unfinished, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    typed = part.text.casefold()
    if part.field in ("status", "priority", "type", "area", "group"):
        return [(entry.name, "") for entry in vocabulary.entries(part.field) if not entry.is_retired and typed in entry.name.casefold()]
    if part.field in ("assignee", "filer", "csm"):
        staff = [one for one in vocabulary.staff if typed in f"{one.name} {one.email}".casefold()]
        return [(vocabulary.name_of_person(one), one.email) for one in staff]
    if part.field == "tag":
        return [(name, "") for name in vocabulary.tags if typed in name]
    if part.field == "org":
        return [(name, "") for name in Organization.objects.filter(name__icontains=part.text).values_list("name", flat=True)[:_MOST]]
    if part.field == "requester" and part.text:
        people = User.objects.filter(name__icontains=part.text) | User.objects.filter(email__istartswith=part.text)
        found = [(person.email, person.display_name) for person in people.order_by("email")[:_MOST]]
        return sorted(found, key=lambda one: not one[0].startswith(typed))
    return []
