"""What people may change about themselves. Staff too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tickets.portal.door import PersonRequest, person_required
from tickets.portal.forms import ProfileForm

if TYPE_CHECKING:
    from django.http import HttpResponse


@require_http_methods(["GET", "HEAD", "POST"])
@person_required
def profile(request: PersonRequest) -> HttpResponse:
    person = request.user
    posted = request.POST if request.method == "POST" else None
    form = ProfileForm(posted, initial={"name": person.name, "time_zone": person.time_zone, "language": person.language})
    if form.is_valid():
        for field, value in form.cleaned_data.items():
            setattr(person, field, value)
        person.save(update_fields=list(form.cleaned_data))
        if "name" in form.changed_data:
            person.is_called_anew()
        with translation.override(person.language or translation.get_language_from_request(request)):
            messages.success(request, _("Your profile is saved."))
        return redirect("profile")
    context = {"form": form, "organizations": list(person.active_organizations())}
    return render(request, "portal/profile.html", context, status=422 if form.is_bound else 200)
