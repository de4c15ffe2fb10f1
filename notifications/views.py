"""A person's own mail: how much of it, the page behind "stop these mails", and the button behind "send me mail again"."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from notifications import bounces, preferences, subscriptions
from notifications.forms import LevelForm
from notifications.models import Level, ReportSubscription
from notifications.unsubscribe import read, read_report
from tickets import access
from tickets.reports.tables import names

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import User

_SHOWN = 50  # tickets with a level of their own


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def mail_preferences(request: HttpRequest) -> HttpResponse:
    person = cast("User", request.user)
    memberships = list(person.memberships.filter(is_active=True, organization__is_active=True).select_related("organization"))
    posted = request.POST if request.method == "POST" else None
    form = LevelForm(posted, memberships=memberships, initial={"level": preferences.general_level(person)})
    if form.is_valid():
        preferences.choose(person, Level(form.cleaned_data["level"]))
        preferences.follow_all(person, form.cleaned_data.get("follow_all", ()))
        messages.success(request, _("Your mail settings are saved."))
        return redirect("mail_preferences")
    own = preferences.of_single_tickets(person).filter(ticket__in=access.tickets_for(person))
    context = {
        "form": form,
        "zone": (person.known_zone or settings.TIME_ZONE).replace("_", " "),
        "tickets": [(preference.ticket, preferences.in_short(preference.level)) for preference in own[:_SHOWN]],
    }
    return render(request, "notifications/preferences.html", context, status=422 if form.is_bound else 200)


@csrf_exempt  # RFC 8058: the mail program posts here by itself; the signed token is the authority
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Opening it does nothing, as mail scanners open links; the button, or a mail program's own, does."""
    found = read(token)
    if found is None:
        raise Http404
    ticket, person = found
    if request.method == "POST" and ticket:
        preferences.stop(ticket, person)
    elif request.method == "POST":
        preferences.stop_digests(person)
    return render(request, "notifications/unsubscribe.html", {"ticket": ticket, "person": person, "done": request.method == "POST"})


@csrf_exempt  # as above
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_report(request: HttpRequest, token: str) -> HttpResponse:
    pk = read_report(token)
    if pk is None:
        raise Http404
    subscription = ReportSubscription.objects.select_related("recipient").filter(pk=pk).first()
    if request.method == "POST" and subscription:
        subscriptions.end(subscription, actor=subscription.recipient)
    is_done = subscription is None or request.method == "POST"  # who stops it twice is told the same
    name = names().get(subscription.report, "") if subscription else ""
    return render(request, "notifications/unsubscribe_report.html", {"name": name, "done": is_done})


@require_POST
@login_required
def mail_again(request: HttpRequest) -> HttpResponse:
    """By the person whose mail came back. Staff are led to the desk by the same address."""
    person = cast("User", request.user)
    suspension = bounces.running(person)
    if suspension and bounces.lift(suspension, actor=person):
        messages.success(
            request, _("We send mail to %(address)s again. What was not sent meanwhile waits for you here.") % {"address": person.email}
        )
    return redirect("home")
