"""Snoozing on the ticket's page: until tomorrow, next Monday, or a date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from tickets import access, snoozing
from tickets.desk.back import back
from tickets.desk.door import StaffRequest, staff_required

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse

_INPUT = "%Y-%m-%dT%H:%M"
_WRONG = gettext_lazy("Choose a day and a time for it to come back.")
_CHOICES = {"tomorrow": snoozing.tomorrow, "monday": snoozing.next_monday}


class SnoozeForm(forms.Form):
    """One of the offered times, or one's own; both by the person's clock."""

    when = forms.ChoiceField(required=False, choices=[(name, name) for name in _CHOICES], error_messages={"invalid_choice": _WRONG})
    at = forms.DateTimeField(required=False, input_formats=[_INPUT], error_messages={"invalid": _WRONG})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        choose = _CHOICES.get(cleaned.get("when", ""))
        until = choose(timezone.localtime()) if choose else cleaned.get("at")
        if until is None and not self.errors:
            self.add_error("at", str(_WRONG))
        return {**cleaned, "until": until}


def shown() -> dict[str, Any]:
    """For the ticket's page: what the menu offers."""
    now = timezone.localtime()
    tomorrow, monday = snoozing.tomorrow(now), snoozing.next_monday(now)
    return {"snooze": {"tomorrow": tomorrow, "monday": monday, "at": tomorrow.strftime(_INPUT), "earliest": now.strftime(_INPUT)}}


@require_POST
@staff_required
def snooze(request: StaffRequest, number: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("desk_ticket", number)
    until: datetime = form.cleaned_data["until"]
    snoozing.snooze(ticket, actor=request.user, until=until)
    words = _("Snoozed until %(until)s, or until the customer writes.") % {
        "until": date_format(timezone.localtime(until), "DATETIME_FORMAT")
    }
    return back(request, ticket, words, undo=reverse("desk_ticket_wake", args=[number]))


@require_POST
@staff_required
def wake(request: StaffRequest, number: int) -> HttpResponse:
    ticket = snoozing.wake(access.get_ticket(request.user, number), actor=request.user)
    return back(request, ticket, _("The ticket is back in the queue."))
