"""The page behind "stop these mails". Opening it does nothing, as mail scanners open links; the button, or a mail program's own, does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications.unsubscribe import read
from tickets import actions

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


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
