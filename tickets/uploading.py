"""Takes a file as soon as it is chosen or pasted, so that its upload shows how far it is, and an error elsewhere in the form costs no second one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.http import JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tickets import access, files
from tickets.ratelimit import is_too_often, refusal
from tickets.uploads import FilesField

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import User
    from tickets.models import Upload

_LIMIT = 100  # files of one person in ten minutes


@require_POST
@login_required
def uploads(request: HttpRequest) -> JsonResponse:
    """One file, "file". What is wrong with it is said in words: {"error": …}."""
    person = cast("User", request.user)
    if is_too_often("upload", person, limit=_LIMIT):
        return JsonResponse({"error": refusal()}, status=429)
    try:
        (new,) = FilesField(required=True).clean([request.FILES.get("file")])
    except ValidationError as error:
        return JsonResponse({"error": " ".join(error.messages)}, status=422)
    held = access.uploads_of(person).filter(drafts=None).aggregate(held=Sum("size", default=0))["held"]
    if held + new.content.size > settings.MAX_FILES * settings.MAX_FILE_BYTES:
        words = _("You have uploaded a lot that is not posted yet. Post it first, then add more.")
        return JsonResponse({"error": words}, status=422)
    try:
        kept = files.keep(new, uploader=person)
    except OSError:
        return JsonResponse({"error": files.not_stored(new.name)}, status=503)
    return JsonResponse(_facts(kept), status=201)


def _facts(kept: Upload) -> dict[str, object]:
    return {"id": str(kept.pk), "url": reverse("upload", args=[kept.pk]), "name": kept.name, "size": kept.size, "is_image": kept.is_image}
