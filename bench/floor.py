"""What no page of Django's can be cheaper than (BENCH.md): a bare view behind session and login that shows 50 rows through the ORM.

Asked for in turns with our pages, so that what those cost can be told as multiples of it, on any machine and however busy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import RequestFactory

from tickets.models import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

_ROWS = 50
_ROW = '<tr><td>{{ ticket.pk }}<td><a href="/{{ ticket.pk }}/">{{ ticket.subject }}</a><td>{{ ticket.requester.name }}<td>{{ ticket.updated_at }}'
_PAGE = f"<!doctype html><title>Tickets</title><table>{{% for ticket in tickets %}}{_ROW}{{% endfor %}}</table>"


def floor(client: Client) -> Callable[[], None]:
    """Asks for it, as whoever is logged in with this client."""
    page = Template(_PAGE)

    @login_required
    def view(_request: HttpRequest) -> HttpResponse:
        tickets = Ticket.objects.select_related("requester").order_by("-updated_at", "-id")[:_ROWS]
        return HttpResponse(page.render(Context({"tickets": tickets})))

    answer = SessionMiddleware(AuthenticationMiddleware(view))

    def ask() -> None:
        request = RequestFactory().get("/floor/")
        request.COOKIES[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
        assert isinstance(response := answer(request), HttpResponse)
        assert response.status_code == 200

    return ask
