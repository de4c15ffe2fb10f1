"""Releases: which tickets wait for engineering, and the word to their customers that it has shipped. Shown before it is said, said once on each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tickets import access, actions, releases
from tickets.desk.back import back
from tickets.desk.door import StaffRequest, staff_required
from tickets.models import Release, Status
from tickets.tasks import wake_releases
from tickets.uploads import TextField, clean_text
from tickets.writing.placeholders import unknown

if TYPE_CHECKING:
    from django.http import HttpResponse

_AT_ONCE = 20  # said while the page waits; the worker says the rest
_SHOWN = 200  # rows of a list
_PAST = 20


class ReleaseForm(forms.Form):
    version = forms.CharField(
        label=gettext_lazy("Version"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "4.2", "autofocus": True}),
        error_messages={"required": gettext_lazy("Write the version that has shipped.")},
    )
    text = TextField(
        label=gettext_lazy("What is said on each ticket"),
        limit=5_000,
        help_text=gettext_lazy("Customers read it. {version}, {name} (of the requester), {number} and {subject} are filled in."),
        error_messages={"required": gettext_lazy("Write what the customers are to read.")},
    )
    reference = forms.MultipleChoiceField(
        label=gettext_lazy("What it has shipped"), error_messages={"required": gettext_lazy("Tick what has shipped.")}
    )

    def __init__(self, *args: Any, references: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reference"].choices = [(reference, reference) for reference in references]  # type: ignore[attr-defined]

    def clean_version(self) -> str:
        return " ".join(str(self.cleaned_data["version"]).split())

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if wrong := unknown(text, Status.PLACEHOLDERS):
            known = ", ".join(f"{{{name}}}" for name in Status.PLACEHOLDERS)
            raise forms.ValidationError(
                _("%(wrong)s can't be filled in. These can: %(known)s.") % {"wrong": ", ".join(wrong), "known": known}
            )
        return text


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def release_list(request: StaffRequest) -> HttpResponse:
    """Asks; then shows the tickets and the words; only the answer to that is done."""
    waiting = list(releases.waiting(request.user)[:_SHOWN])
    asking = list(Status.objects.filter(asks_reference=True))
    form = ReleaseForm(
        request.POST if request.method == "POST" else None,
        references=[row["reference"] for row in waiting],
        initial={"text": asking[0].release_comment if asking else ""},
    )
    if request.method == "POST" and form.is_valid() and "change" not in request.POST:
        return _preview(request, form) if "post" not in request.POST else _release(request, form)
    totals = Count("posts"), Count("posts", filter=Q(posts__posted_at__isnull=False))
    past = Release.objects.select_related("created_by").annotate(planned=totals[0], told=totals[1]).order_by("-pk")[:_PAST]
    ticked = request.POST.getlist("reference")
    context = {"form": form, "waiting": waiting, "ticked": ticked, "past": past, "asking": asking}
    wrong = request.method == "POST" and "change" not in request.POST
    return render(request, "desk/releases.html", context, status=422 if wrong else 200)


def _preview(request: StaffRequest, form: ReleaseForm) -> HttpResponse:
    data = form.cleaned_data
    told = releases.told_by(request.user, version=data["version"], references=data["reference"])
    tickets = list(told.select_related("status", "requester")[:_SHOWN])
    sample = releases.words_for(data["text"], tickets[0], version=data["version"]) if tickets else ""
    context = {"form": form, "data": data, "tickets": tickets, "more": told.count() - len(tickets), "sample": sample}
    return render(request, "desk/release_preview.html", context)


def _release(request: StaffRequest, form: ReleaseForm) -> HttpResponse:
    data = form.cleaned_data
    shipped = releases.release(actor=request.user, version=data["version"], references=data["reference"], text=data["text"])
    return _go_on(request, shipped)


def _go_on(request: StaffRequest, shipped: Release) -> HttpResponse:
    """Some at once, so that a few need no worker; it and its schedule say the rest."""
    said = releases.post_waiting(shipped, most=_AT_ONCE)
    wake_releases()
    words = ngettext("%(count)d ticket was told just now.", "%(count)d tickets were told just now.", said) % {"count": said}
    messages.success(request, words)
    return redirect("desk_release", shipped.pk)


@require_safe
@staff_required
def release(request: StaffRequest, pk: int) -> HttpResponse:
    """How far it is. Tickets that the person does not see are only counted."""
    shipped = get_object_or_404(Release.objects.select_related("created_by"), pk=pk)
    posts = shipped.posts.order_by("posted_at", "pk")
    seen = posts.filter(ticket__in=access.tickets_for(request.user)).select_related("ticket__status", "planned_by")
    counts = posts.order_by().aggregate(
        planned=Count("pk"), told=Count("posted_at"), failed=Count("pk", filter=Q(posted_at=None) & ~Q(problem=""))
    )
    context = {"release": shipped, "posts": seen[:_SHOWN], "left": counts["planned"] - counts["told"] - counts["failed"], **counts}
    return render(request, "desk/release.html", context)


@require_POST
@staff_required
def go_on(request: StaffRequest, pk: int) -> HttpResponse:
    """With what is left, and what could not be said before."""
    shipped = get_object_or_404(Release, pk=pk)
    releases.try_again(shipped)
    return _go_on(request, shipped)


@require_POST
@staff_required
def reference(request: StaffRequest, number: int) -> HttpResponse:
    """On the ticket's page."""
    ticket = access.get_ticket(request.user, number)
    ticket = actions.set_reference(ticket, actor=request.user, reference=clean_text(request.POST.get("reference", ""))[:400])
    words = _("The engineering reference is %(value)s now.") if ticket.reference else _("The ticket has no engineering reference now.")
    return back(request, ticket, words % {"value": ticket.reference})
