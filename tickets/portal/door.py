"""Who gets into the portal: people who are logged in. Staff work at the desk, and are taken there."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.shortcuts import redirect

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from accounts.models import User

P = ParamSpec("P")


class PersonRequest(HttpRequest):
    """A request behind the door: the person is known."""

    user: User


def person_required(
    view: Callable[Concatenate[PersonRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Anonymous people go to the login."""

    @wraps(view)
    def behind_door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(cast("PersonRequest", request), *args, **kwargs)

    return login_required(behind_door)


def customer_required(
    view: Callable[Concatenate[PersonRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """As above; staff go to the desk's page of the same ticket or to its queue, and nothing is done here."""

    @wraps(view)
    def behind_door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        person = cast("PersonRequest", request)
        if person.user.is_staff:
            return redirect("desk_ticket", number=kwargs["number"]) if "number" in kwargs else redirect("desk_tickets")
        return view(person, *args, **kwargs)

    return login_required(behind_door)
