"""An article's version as it is shown, to readers and, before they see it, to staff: cleaned words, places to jump to, files below."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING

from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe

from tickets.attachments import Tile
from tickets.help.articles import file_url
from tickets.templatetags.rich import rich_article

if TYPE_CHECKING:
    from tickets.models import ArticleFile, ArticleVersion

_HEADING = re.compile(r"<h([23])>(.*?)</h\1>", re.DOTALL)  # as cleaning leaves them
_WORTH_CONTENTS = 4  # headings


@dataclass(frozen=True, slots=True)
class Words:
    html: SafeString
    headings: dict[str, str]  # id → words, in their order
    files: list[Tile]  # that the text does not show

    @property
    def has_contents(self) -> bool:
        return len(self.headings) >= _WORTH_CONTENTS


def page_of_words(version: ArticleVersion) -> Words:
    """One query."""
    own = list(version.files.order_by("pk"))
    pictures = {address: picture_url(file) for file in own if file.is_image for address in (file_url(file), picture_url(file))}
    cleaned = rich_article(version.html, pictures)
    headings: dict[str, str] = {}

    def place(heading: re.Match[str]) -> str:
        key = f"s{len(headings) + 1}"
        headings[key] = unescape(strip_tags(heading[2])).strip()
        return f'<h{heading[1]} id="{key}">{heading[2]}</h{heading[1]}>'

    html = mark_safe(_HEADING.sub(place, cleaned))
    shown = unescape(cleaned)
    return Words(html, headings, tiles([file for file in own if picture_url(file) not in shown]))


def picture_url(file: ArticleFile) -> str:
    return f"{file_url(file)}?inline=1"


def tiles(own: list[ArticleFile]) -> list[Tile]:
    return [Tile(file_url(file), file.name, file.size, file.is_image, picture_url(file) if file.is_image else "") for file in own]
