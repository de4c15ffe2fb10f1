"""Who gets into the desk: staff, and admins alone where rules are made. A logged-in customer is told what a stranger is told, that there is nothing here."""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http.response import HttpResponseBase

    from accounts.models import User

P = ParamSpec("P")


class StaffRequest(HttpRequest):
    """A request behind the door: the person is known, and works here."""

    user: User


def staff_required(
    view: Callable[Concatenate[StaffRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Anonymous people go to the login, customers get 404."""

    def behind_door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not getattr(request.user, "is_staff", False):
            raise Http404
        return view(cast("StaffRequest", request), *args, **kwargs)

    update_wrapper(behind_door, view)
    return login_required(behind_door)


def admin_of(request: StaffRequest) -> User:
    """Agents are told that there is nothing here."""
    if not request.user.is_admin:
        raise Http404
    return request.user
