"""A reply on its way out, as its writer's page shows it. Reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

from tickets.templatetags.rich import rich_article, rich_text
from tickets.writing import canned, macros

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from tickets.models import Draft


@dataclass(frozen=True, slots=True)
class Leaving:
    draft: Draft
    words: SafeString
    files: list[str]  # names
    changes: list[str]  # that go with it, in words
    note: SafeString | str


def leaving_reply(draft: Draft) -> Leaving:
    """As it will stand in the conversation."""
    uploads = list(draft.uploads.all())
    pictures = {f"cid:{upload.pk}": reverse("upload", args=[upload.pk]) for upload in uploads if upload.is_image}
    words = rich_article(draft.html, pictures) if draft.html else rich_text(draft.text)
    does = macros.effects(draft.macro, known=canned.values(draft.ticket, agent=draft.writer), type=draft.type) if draft.macro else None
    changes, note = (does.changes, does.note) if does else ([], "")
    return Leaving(draft, words, [upload.name for upload in uploads], changes, rich_text(note) if note else "")
