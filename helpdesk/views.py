"""Pages of no audience: health, the accent colour, the icon, and a form that came too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from helpdesk.health import readiness
from helpdesk.http import page_before

if TYPE_CHECKING:
    from django.http import HttpRequest

_NOT_TYPED = ("csrfmiddlewaretoken", "key", "seen", "next")


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Alive: the process answers. Asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Ready: the database answers, the broker takes jobs, and no queue lags. 503 while one of them does not."""
    report = readiness()
    return JsonResponse(report, status=200 if report["ready"] else 503)


@require_safe
@cache_control(max_age=3600, public=True)
def site_css(_request: HttpRequest) -> HttpResponse:
    """The installation's accent colour; all else is in tokens.css."""
    css = f":root{{--accent:{settings.ACCENT}}}\n" if settings.ACCENT else ""
    return HttpResponse(css, content_type="text/css")


@require_safe
@cache_control(max_age=86400, public=True)  # a day, since the icon's name changes with the icon
def favicon(_request: HttpRequest) -> HttpResponse:
    """Asked for by what reads no `rel=icon`: mail programs, feeds, browsers that show a file."""
    return redirect(static("img/favicon.svg"), permanent=True)


def expired_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is too old (or forged): nothing is done, and what was typed is shown, so that it can be sent again."""
    shown = {name: value for name, value in request.POST.items() if not name.startswith(_NOT_TYPED) and "password" not in name}
    typed = [(name.capitalize(), value) for name, value in shown.items() if str(value).strip()]
    return render(request, "403_csrf.html", {"typed": typed, "back": page_before(request)}, status=403)
