"""Many tickets changed at once: chosen in the queue, looked at once more, done, and taken back. What happens to each is `tickets.bulk`."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import IllegalMove
from tickets import access, bulk, tagging
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.filters import queue_url, read
from tickets.desk.vocabulary import Vocabulary
from tickets.models import BulkItem, BulkRun, BulkState, ItemState
from tickets.search.query import MAX_LENGTH, clean, number_of
from tickets.tasks import wake_bulk

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.models import User
    from tickets.bulk import Changes

_SHOWN = 50  # tickets that a page names
_MISSING = ("missing_type", "missing_reference")  # for those tickets that lack what the status asks for
_LABELS = {
    "status": gettext_lazy("Status"),
    "type": gettext_lazy("Type"),
    "priority": gettext_lazy("Priority"),
    "assignee": gettext_lazy("Assignee"),
    "group": gettext_lazy("Group"),
}
_NOTHING = {
    "priority": gettext_lazy("No priority"),
    "type": gettext_lazy("No type"),
    "assignee": gettext_lazy("Nobody"),
    "group": gettext_lazy("No group"),
}


def choices(vocabulary: Vocabulary) -> dict[str, list[tuple[str, str]]]:
    """By property, what it can be set to: also nothing, save for the status."""
    offered = {name: vocabulary.offered(name) for name in bulk.PROPERTIES if name != "assignee"} | {"assignee": vocabulary.staff}
    return {
        name: [("", _("as it is")), *((str(one.pk), str(one)) for one in offered[name])]
        + ([(bulk.NONE, str(_NOTHING[name]))] if name in _NOTHING else [])
        for name in bulk.PROPERTIES
    }


def bulk_choices(vocabulary: Vocabulary) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """For the bar under the queue: name, label and choices of each select, which says what it is for where nothing is chosen."""
    labels = {name: str(label) for name, label in _LABELS.items()}
    return [(name, labels[name], [("", labels[name]), *offered[1:]]) for name, offered in choices(vocabulary).items()]


class BulkForm(forms.Form):
    """What is to be done. Empty leaves things as they are."""

    missing_type = forms.ChoiceField(required=False)
    missing_reference = forms.CharField(required=False, max_length=60)
    tags = forms.CharField(required=False, max_length=400, label=gettext_lazy("Add tags"))
    text = forms.CharField(required=False, max_length=20_000, label=gettext_lazy("Reply to each"), widget=forms.Textarea(attrs={"rows": 4}))

    into = forms.CharField(required=False, max_length=20, label=gettext_lazy("Merge the others into no."))

    def __init__(self, *args: Any, vocabulary: Vocabulary, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = vocabulary.user
        for name, offered in choices(vocabulary).items():
            self.fields[name] = forms.ChoiceField(choices=offered, required=False, label=_LABELS[name])
        types = [(str(one.pk), str(one)) for one in vocabulary.offered("type")]
        self.fields["missing_type"].choices = [("", _("Choose a type")), *types]  # type: ignore[attr-defined] # a ChoiceField
        for one in self.fields.values():
            one.error_messages["invalid_choice"] = _("That is not in the list any more. Choose again.")

    def clean_into(self) -> int | None:
        """A ticket that the person sees; any other is as good as none."""
        written = self.cleaned_data["into"].strip()
        if not written:
            return None
        number = number_of(written)
        if not number or not access.tickets_for(self.user).filter(pk=number).exists():
            raise forms.ValidationError(_("There is no ticket of that number."))
        return number

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        others = [name for name in (*bulk.PROPERTIES, "tags", "text") if cleaned.get(name)]
        if cleaned.get("into") and others:
            self.add_error("into", _("Merge first, and change the one that is left afterwards: leave everything else as it is."))
        return cleaned

    def changes(self) -> dict[str, Any]:
        """As a run keeps them, of a form that was checked; without what is wrong in it."""
        data = self.cleaned_data
        kept: dict[str, Any] = {name: data[name] for name in (*bulk.PROPERTIES, *_MISSING, "into") if data.get(name)}
        if tags := tagging.tags_of(data.get("tags", "")):
            kept["tags"] = tags
        if text := data.get("text", "").strip():
            kept["text"] = text
        return kept

    @classmethod
    def showing(cls, run: BulkRun, vocabulary: Vocabulary) -> BulkForm:
        return cls(initial=run.changes | {"tags": ", ".join(run.changes.get("tags", ()))}, vocabulary=vocabulary)

    @property
    def properties(self) -> list[Any]:
        return [self[name] for name in bulk.PROPERTIES]


# --- Choosing ------------------------------------------------------------------------------------------------------------------


@require_POST
@staff_required
def bulk_new(request: StaffRequest) -> HttpResponse:
    """From the queue: the rows that are ticked, or all that the query finds; and what the bar under the list says is to be done."""
    vocabulary = Vocabulary(request.user)
    filters = read(request.POST.dict(), request.user, vocabulary)
    back = redirect(queue_url(filters.text, filters.sort))
    if "all" in request.POST:
        found = filters.among(access.tickets_for(request.user)).order_by(*filters.order)
        numbers = list(found.values_list("pk", flat=True)[: bulk.MOST + 1])
        if len(numbers) > bulk.MOST:
            messages.info(request, _("These are the first %(most)s of them: change the others afterwards.") % {"most": f"{bulk.MOST:,}"})
    else:
        numbers = [number for value in request.POST.getlist("ticket") if (number := number_of(value))]
    form = BulkForm(request.POST, vocabulary=vocabulary)
    for error in dict.fromkeys(str(error) for errors in form.errors.values() for error in errors):
        messages.error(request, error)
    run = bulk.prepare(
        actor=request.user, numbers=numbers[: bulk.MOST], changes=form.changes(), text=_kept(filters.text), sort=filters.sort
    )
    if not run.items.exists():
        run.delete()
        messages.error(request, _("Tick some tickets first."))
        return back
    return redirect("desk_bulk", run.pk)


def _kept(text: str) -> str:
    """The query to go back to, as a run can keep it; '' for one that could not be read anyway."""
    return clean(text) if len(text) <= MAX_LENGTH else ""


# --- Looking once more, and doing it -------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def bulk_run(request: StaffRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(BulkRun, pk=pk, owner=request.user)
    if run.state != BulkState.DRAFT:
        return redirect("desk_bulk", pk) if request.method == "POST" else _outcome(request, run)
    vocabulary = Vocabulary(request.user)
    if request.method != "POST":
        return _outlook(request, run, BulkForm.showing(run, vocabulary))
    form = BulkForm(request.POST, vocabulary=vocabulary)
    if not form.is_valid():
        return _outlook(request, run, form, status=422)
    changes = form.changes()
    is_as_shown = _without_missing(changes) == _without_missing(run.changes)
    if not BulkRun.objects.filter(pk=pk, state=BulkState.DRAFT).update(changes=changes):  # begun in another window meanwhile
        return redirect("desk_bulk", pk)
    run.changes = changes
    if not _without_missing(changes):
        messages.error(request, _("Choose what is to be changed."))
    elif "go" in request.POST and is_as_shown:
        _begin(run)
    elif "go" in request.POST:
        messages.info(request, _("You changed something here: this is what will happen now."))
    return redirect("desk_bulk", pk)


def _without_missing(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if name not in _MISSING}


def _begin(run: BulkRun) -> None:
    bulk.begin(run)
    _work(run)


def _work(run: BulkRun) -> None:
    """Few are done while the page waits."""
    if run.items.count() <= bulk.AT_ONCE:
        bulk.work(run)
    else:
        wake_bulk()


@require_POST
@staff_required
def bulk_undo(request: StaffRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(BulkRun, pk=pk, owner=request.user)
    if bulk.take_back(run):
        messages.success(request, _("Taken back: nothing has happened, and nobody was mailed."))
    else:
        bulk.begin_undo(run)
        run.refresh_from_db(fields=["state"])
        if run.state == BulkState.WORKING:
            messages.info(request, _("It is too late to stop it: the changes are being made."))
        _work(run)
    return redirect("desk_bulk", pk)


# --- Pages ---------------------------------------------------------------------------------------------------------------------


def _outlook(request: StaffRequest, run: BulkRun, form: BulkForm, *, status: int = 200) -> HttpResponse:
    try:
        changes = bulk.Changes.of(run.changes)
    except IllegalMove as error:
        messages.error(request, str(error))
        changes = bulk.Changes(asked={})
    ahead = bulk.outlook(run, changes)
    visible = access.tickets_for(request.user).filter(pk__in=run.items.values("ticket")).select_related("status").order_by("pk")
    context = {
        "run": run,
        "form": form,
        "total": ahead.total,
        "changing": ahead.total - ahead.already,
        "happens": _words(changes, request.user),
        "cant": _cant(ahead, changes),
        "without_type": ahead.without_type[:_SHOWN],
        "without_reference": ahead.without_reference[:_SHOWN],
        "status": changes.things.get("status"),
        "tickets": visible[:_SHOWN],
        "more": max(0, ahead.total - _SHOWN),
        "back_url": queue_url(run.text, run.sort),
    }
    return render(request, "desk/bulk.html", context, status=status)


def _words(changes: Changes, user: User) -> list[tuple[str, str]]:
    """What happens to each, as pairs of a property and its new value."""
    if changes.into:
        subject = changes.into.subject if access.can_see(user, changes.into) else ""
        return [(_("Merge"), _("all others into #%(number)d %(subject)s") % {"number": changes.into.pk, "subject": subject})]
    happens = [
        (str(_LABELS[name]), str(changes.things[name] if changes.things[name] is not None else _NOTHING[name]))
        for name in bulk.PROPERTIES
        if name in changes.things
    ]
    if changes.tags:
        happens.append((_("Tags"), "+ " + ", ".join(changes.tags)))
    if changes.text:
        happens.append((_("Reply"), changes.text))
    return happens


def _cant(ahead: bulk.Outlook, changes: Changes) -> list[str]:
    """What to know before: what is so already, who is mailed, what can't be taken back."""
    said = []
    if ahead.gone:
        said.append(ngettext("%(n)d is not here any more.", "%(n)d are not here any more.", ahead.gone) % {"n": ahead.gone})
    if ahead.already and not changes.into:
        said.append(ngettext("%(n)d is like this already.", "%(n)d are like this already.", ahead.already) % {"n": ahead.already})
    if changes.into:
        said.append(
            _(
                "Each is closed and points there. Its people read the other ticket where they belong to its requester's organization; nobody else does."
            )
        )
    if changes.text:
        said.append(_("The reply is mailed to whoever follows each ticket."))
    group = changes.things.get("group")
    if group is not None and group.is_private:
        said.append(_("“%(group)s” is private: only its members see these tickets afterwards.") % {"group": group})
    return said


def _outcome(request: StaffRequest, run: BulkRun) -> HttpResponse:
    """How far it is, or what became of each. While it is at work, the page asks again by itself."""
    counted = bulk.counts(run)
    total = sum(counted.values())
    waiting = counted[ItemState.WAITING] + counted[ItemState.TO_UNDO]
    seconds = max(1, ceil((run.begins_at - timezone.now()).total_seconds())) if run.begins_at and run.state == BulkState.WAITING else 0
    refused = run.items.filter(state__in=(ItemState.REFUSED, ItemState.KEPT)).order_by("pk")
    context = {
        "run": run,
        "title": _title(run, total, refused=counted[ItemState.REFUSED]),
        "total": total,
        "dealt": total - waiting,
        "done": counted[ItemState.DONE],
        "unchanged": counted[ItemState.UNCHANGED],
        "undone": counted[ItemState.UNDONE],
        "refused_count": counted[ItemState.REFUSED] + counted[ItemState.KEPT],
        "refused": _named(request, list(refused[:_SHOWN])),
        "seconds": seconds,
        "happens": _happened(run),
        "can_undo": seconds or (run.state == BulkState.DONE and counted[ItemState.DONE] and _without_text(run)),
        "again": [(name, value) for name, value in run.changes.items() if isinstance(value, str)] if run.state == BulkState.DONE else [],
        "back_url": queue_url(run.text, run.sort),
    }
    response = render(request, "desk/bulk_outcome.html", context)
    if seconds:  # not before that: who is at the button stays there
        response["Refresh"] = str(seconds + 2)
    elif run.is_at_work:
        response["Refresh"] = "2"
    return response


def _title(run: BulkRun, total: int, *, refused: int) -> str:
    if run.state == BulkState.DONE and refused == total:
        return _("Nothing was changed")
    words = {
        BulkState.WAITING: ngettext("Changing %(n)d ticket", "Changing %(n)d tickets", total),
        BulkState.WORKING: ngettext("Changing %(n)d ticket", "Changing %(n)d tickets", total),
        BulkState.UNDOING: ngettext("Taking %(n)d change back", "Taking %(n)d changes back", total),
        BulkState.UNDONE: _("Taken back"),
    }
    return words.get(BulkState(run.state), _("Done")) % {"n": total}


def _without_text(run: BulkRun) -> bool:
    """Whether there is anything but words, which stay said."""
    return bool(_without_missing(run.changes).keys() - {"text"})


def _happened(run: BulkRun) -> list[tuple[str, str]]:
    try:
        return _words(bulk.Changes.of(run.changes), run.owner)
    except IllegalMove:
        return []


def _named(request: StaffRequest, items: list[BulkItem]) -> list[dict[str, Any]]:
    """With the subject, where the ticket is still to be seen."""
    seen = access.tickets_for(request.user).filter(pk__in=[item.ticket_id for item in items])
    subjects = dict(seen.values_list("pk", "subject"))
    return [{"number": item.ticket_id, "subject": subjects.get(item.ticket_id), "why": item.why} for item in items]
