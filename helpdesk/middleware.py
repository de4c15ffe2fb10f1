"""What every request goes through: the limit of its size, the person's language and time zone, privacy of pages, and domain errors put into words once.

And a way back for who opens the address of a deed.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import is_valid_path
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from accounts import devices
from accounts.models import User
from accounts.second_step import has_second_step
from accounts.single_sign_on import came_by_it
from helpdesk.http import page_before
from tickets.actions import DomainError, NotAllowed
from tickets.models import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    Handler = Callable[[HttpRequest], HttpResponseBase]


class SizeMiddleware:
    """Refuses what no form of ours can send before any of it is read: Django limits fields, but writes files of any size to the disk."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > _most_bytes(request):
            return render(request, "413.html", status=413)
        return self.get_response(request)


def _most_bytes(request: HttpRequest) -> int:
    """Only who is logged in can attach files, and only who knows a password posts whole mails."""
    if request.path_info.startswith("/webhooks/"):
        return settings.MAX_WEBHOOK_BYTES
    files = settings.MAX_FILES * settings.MAX_FILE_BYTES if settings.SESSION_COOKIE_NAME in request.COOKIES else 0
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE + files


class PersonMiddleware:
    """Speaks the person's language, shows times in their zone, and keeps what is theirs out of every cache."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Without a session cookie there is no person, and no query to find that out.
        person = request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        language = _language(request, person)
        with translation.override(language), timezone.override(getattr(person, "known_zone", None)):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Accept-Language"])
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "private, no-store"
        return response


# Not translated: one language there beats a mixture of two.
_IN_ENGLISH = ("/desk/", "/admin/")


def _language(request: HttpRequest, person: User | AnonymousUser | None) -> str:
    """What the person chose, else what the browser asks for, if it is one of ours."""
    if request.path_info.startswith(_IN_ENGLISH):
        return "en"
    if isinstance(person, User) and person.language:
        return person.known_language
    return translation.get_language_from_request(request)


class SecondStepMiddleware:
    """Notes that a browser is still in use, and takes staff who must have a second step and have none to the page that sets it up: all else waits."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and isinstance(request.user, User):
            if devices.is_due(request):
                devices.note(request, request.user)
            if settings.STAFF_MFA and _waits_for_second_step(request, request.user):
                return redirect("mfa_index")
        return self.get_response(request)


def _waits_for_second_step(request: HttpRequest, person: User) -> bool:
    if not person.is_staff or request.path_info.startswith(_BEFORE_SECOND_STEP):
        return False
    return not (has_second_step(person) or (settings.OIDC_MFA and came_by_it(request)))


_BEFORE_SECOND_STEP = ("/accounts/second-step/", "/accounts/reauthenticate/", "/accounts/logout/", "/site.css", "/favicon.ico")


class DomainErrorMiddleware:
    """A verb that refuses is answered with its own words: 403 for what the person may not do, else back to the page with a message."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Ticket.DoesNotExist):  # seen when the page began, gone from sight under the lock
            return render(request, "404.html", status=404)
        if isinstance(exception, NotAllowed):
            return render(request, "403.html", {"reason": str(exception)}, status=403)
        if isinstance(exception, DomainError):
            messages.error(request, str(exception))
            return redirect(page_before(request))
        return None


class WayBackMiddleware:
    """Who opens the address of a deed, by Back, a reload's address or a copied link, is led to the nearest page above it: for a ticket's, to the ticket.

    Programs are told 405.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if (
            response.status_code != HTTPStatus.METHOD_NOT_ALLOWED
            or request.method != "GET"
            or "text/html" not in request.headers.get("Accept", "")
        ):
            return response
        return redirect(_nearest_above(request.path_info))


def _nearest_above(path: str) -> str:
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        if is_valid_path(path):
            break
    return path
