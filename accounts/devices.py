"""Where somebody is logged in: one row for each session that lives, with what is needed to recognise it. Ending one logs that browser out at once."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import get_adapter
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import Device, User

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

_SEEN, _EVERY = "seen_at", 600  # seconds: a page must not cost a write


def note(request: HttpRequest, person: User) -> None:
    """At log-in, and then every ten minutes in which something is asked for."""
    if not (key := request.session.session_key):
        return
    request.session[_SEEN] = int(time.time())
    fields = {
        "user": person,
        "auth_hash": person.get_session_auth_hash(),
        "browser": request.headers.get("User-Agent", "").replace("\0", "")[:300],
        "address": _address(request),
        "seen_at": timezone.now(),
    }
    with suppress(IntegrityError):  # ended by another browser at this very moment
        Device.objects.update_or_create(session_id=key, defaults=fields)


def is_due(request: HttpRequest) -> bool:
    seen: int = request.session.get(_SEEN, 0)
    return time.time() - seen > _EVERY


def _address(request: HttpRequest) -> str | None:
    try:
        address: str = get_adapter().get_client_ip(request)
    except PermissionDenied:  # asked for by no browser
        return None
    return address


def of(person: User) -> QuerySet[Device]:
    """Those that still open the account: not outdated, nor of before the password or the role changed."""
    living = Device.objects.filter(user=person, session__expire_date__gt=timezone.now(), auth_hash=person.get_session_auth_hash())
    return living.order_by("-seen_at")


def end(devices: QuerySet[Device]) -> int:
    """The rows go with their sessions. Returns how many."""
    keys = list(devices.values_list("session_id", flat=True))
    Session.objects.filter(pk__in=keys).delete()
    return len(keys)


def end_others(request: HttpRequest, person: User) -> int:
    return end(of(person).exclude(session_id=request.session.session_key or ""))


def on_log_in(*, request: HttpRequest | None, user: User, **_kwargs: Any) -> None:
    """Django's signal."""
    if request is not None and hasattr(request, "session"):
        note(request, user)


def on_second_step_added(*, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """allauth's signal: a browser that came in without it has to come in again."""
    end_others(request, user)
