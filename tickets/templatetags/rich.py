"""The one way in which words from outside reach a page: text escaped, HTML cleaned by an allow-list each time it is shown.

Nothing of the sender's styles, scripts, identifiers or remote content survives; pictures are our own attachments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import nh3
from django import template
from django.urls import reverse
from django.utils.html import escape, format_html, linebreaks, strip_tags, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from tickets.tidy import TAGS, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tickets.models import Attachment, Comment

register = template.Library()

MAX_HTML = 500_000  # characters; longer mails are shown as text
_MAX_ENTITIES = 50_000  # each costs nh3 much more than a letter does
MAX_TEXT = 300_000  # characters that are shown
_MAX_LINKED = 100_000  # characters in which we look for links

_SCHEMES = {"http", "https", "mailto"}
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
}


@register.simple_tag
def rich(comment: Comment) -> SafeString:
    """What a comment says, with what it quotes folded away. Its attachments must be prefetched."""
    said = _html(comment) or rich_text(comment.text)
    if not comment.quoted.strip():
        return said
    return format_html(
        '{}<details class="quoted"><summary class="small muted">{}</summary><blockquote>{}</blockquote></details>',
        said,
        _("Show quoted text"),
        rich_text(comment.quoted),
    )


def rich_text(text: str) -> SafeString:
    """Paragraphs and line breaks as typed; web and mail addresses are links."""
    shown = escape(text[:MAX_TEXT].strip())
    linked = urlize(shown) if len(shown) <= _MAX_LINKED else shown
    cut = "" if len(text) <= MAX_TEXT else f"<p><small>[{escape(_('The rest is too long to be shown.'))}]</small></p>"
    return _clean(linebreaks(linked) + cut, frozenset())


def pictures_of(comment: Comment) -> dict[str, str]:
    """Addresses of the pictures that the comment's HTML may show in place, by Content-ID."""
    return {file.content_id: picture_url(file) for file in comment.attachments.all() if file.content_id and file.is_image}


def picture_url(attachment: Attachment) -> str:
    return f"{reverse('attachment', args=[attachment.pk, attachment.name])}?inline=1"


def _html(comment: Comment) -> SafeString:
    """'' when there is no HTML, too much of it, or nothing in it to see."""
    if not comment.html or len(comment.html) > MAX_HTML or comment.html.count("&") > _MAX_ENTITIES:
        return SafeString()
    pictures = pictures_of(comment)
    cleaned = _clean(tidy(comment.html, picture=lambda image: _picture(image, pictures)), frozenset(pictures.values()))
    return cleaned if "<img" in cleaned or strip_tags(cleaned).replace("&nbsp;", "").strip() else SafeString()


def _picture(image: Mapping[str, str], pictures: Mapping[str, str]) -> str:
    """Our own copy, or words in the place of what would have to be fetched from elsewhere."""
    source, alt = image.get("src", ""), " ".join(image.get("alt", "")[:200].split())
    if url := pictures.get(unquote(source[4:])) if source[:4].lower() == "cid:" else None:
        return f'<img src="{escape(url)}" alt="{escape(alt)}">'
    if {image.get("width"), image.get("height")} & {"0", "1", "0px", "1px"}:
        return ""  # a tracking pixel
    words = _("Picture not shown: %(alt)s") % {"alt": alt} if alt else _("Picture not shown")
    return f"<small>[{escape(words)}]</small>"


def _clean(html: str, own: frozenset[str]) -> SafeString:
    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "src":
            return value if value in own else None
        if name == "href":  # nh3 has read the scheme as browsers do; what is left without one is relative, to our own site
            return value if value.partition(":")[0].lower() in _SCHEMES else None
        if tag in ("td", "th", "ol") and not (value.isascii() and value.isdigit() and len(value) < 4):
            return None
        return value

    return mark_safe(
        nh3.clean(
            html,
            tags=set(TAGS),
            attributes=_ATTRIBUTES,
            attribute_filter=keep,
            url_schemes=_SCHEMES,
            url_relative="pass_through",
            link_rel="noopener noreferrer nofollow",
            set_tag_attribute_values={"a": {"target": "_blank"}, "img": {"loading": "lazy"}},
        )
    )
