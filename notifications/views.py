"""The page behind "stop these mails". Opening it does nothing, as mail scanners open links; the button, or a mail program's own, does."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from notifications import bounces
from notifications.unsubscribe import read
from tickets import actions

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import User


@csrf_exempt  # RFC 8058: the mail program posts here by itself; the signed token is the authority
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    found = read(token)
    if found is None:
        raise Http404
    ticket, user = found
    if request.method == "POST":
        actions.unfollow(ticket, actor=user)
    return render(request, "notifications/unsubscribe.html", {"ticket": ticket, "done": request.method == "POST"})


@require_POST
@login_required
def mail_again(request: HttpRequest) -> HttpResponse:
    """By the person whose mail came back. Staff are led to the desk by the same address."""
    person = cast("User", request.user)
    suspension = bounces.running(person)
    if suspension and bounces.lift(suspension, actor=person):
        messages.success(request, _("We send mail to %(address)s again. What was not sent meanwhile waits for you here.") % {"address": person.email})
    return redirect("home")
