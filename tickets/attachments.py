"""Hands out files, each time after `access` was asked. Never lets a browser run or guess what somebody sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from tickets import access
from tickets.templatetags.rich import picture_url

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.http import HttpRequest

    from accounts.models import User
    from tickets.models import Attachment, StoredFile

# The file can neither run a script nor load anything, whatever it turns out to be.
_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """An attachment as `components/attachment.html` shows it."""

    url: str
    name: str
    size: int
    is_image: bool
    thumbnail_url: str


def tiles(attachments: Iterable[Attachment]) -> list[Tile]:
    return [
        Tile(
            url=reverse("attachment", args=[file.pk, file.name]),
            name=file.name,
            size=file.size,
            is_image=file.is_image,
            thumbnail_url=picture_url(file) if file.is_image else "",
        )
        for file in attachments
    ]


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def attachment(request: HttpRequest, pk: int, name: str) -> FileResponse:
    return handed_out(request, access.get_attachment(cast("User", request.user), pk))


def handed_out(request: HttpRequest, file: StoredFile) -> FileResponse:
    """Shown in place only where asked for, and only a picture that we checked."""
    return _response(file, is_shown=file.is_image and request.GET.get("inline") == "1")


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def upload(request: HttpRequest, pk: UUID) -> FileResponse:
    """One's own, as the editor shows it until it is posted."""
    file = get_object_or_404(access.uploads_of(cast("User", request.user)), pk=pk)
    return _response(file, is_shown=file.is_image)


def _response(file: StoredFile, *, is_shown: bool) -> FileResponse:
    try:
        content = file.file.open("rb")
    except (OSError, ValueError) as error:  # lost from the disk
        raise Http404 from error
    response = FileResponse(
        content,
        as_attachment=not is_shown,
        filename=file.name,
        content_type=_served_type(file),
    )
    for header, value in _HEADERS.items():
        response.headers[header] = value
    return response


def _served_type(file: StoredFile) -> str:
    if file.is_image or file.content_type == "text/plain":
        return file.content_type
    return "application/octet-stream"
