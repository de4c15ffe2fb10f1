"""The one way in which words from outside reach a page: text escaped, HTML cleaned by an allow-list each time it is shown.

Nothing of the sender's styles, scripts or identifiers survives; pictures are our own attachments, and those of other servers where staff ask for them.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

import nh3
from django import template
from django.urls import reverse
from django.utils.html import escape, format_html, linebreaks, strip_tags, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from tickets.writing.tidy import TAGS, tidy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tickets.models import Attachment, Comment

register = template.Library()

MAX_HTML = 500_000  # characters; longer mails are shown as text
_MAX_ENTITIES = 50_000  # each costs nh3 much more than a letter does
MAX_TEXT = 300_000  # characters that are shown
_MAX_LINKED = 100_000  # characters in which we look for links

_REMOTE = re.compile(r"<img\b[^<>]{0,2000}?\ssrc\s{0,9}=\s{0,9}[\"']?https://", re.IGNORECASE)

_SCHEMES = {"http", "https", "mailto"}
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
}


@register.simple_tag
def rich(comment: Comment, *, is_remote_shown: bool = False, named: Iterable[str] = ()) -> SafeString:
    """What a comment says, with what it quotes folded away. Its attachments must be prefetched.

    `is_remote_shown`: with the pictures of other servers, which then learn that somebody looks. The page's policy must allow them.
    `named`: the words that named somebody, as its event keeps them.
    """
    said = _with_marks(_html(comment, is_remote_shown=is_remote_shown) or rich_text(comment.text), named)
    if not comment.quoted.strip():
        return said
    return format_html(
        '{}<details class="quoted"><summary class="small muted">{}</summary><blockquote>{}</blockquote></details>',
        said,
        _("Show quoted text"),
        rich_text(comment.quoted),
    )


def _with_marks(cleaned: SafeString, named: Iterable[str]) -> SafeString:
    """Each of the words marked where it stands in text; tags, whose attributes nh3 has put into double quotes, are stepped over."""
    words = sorted((_as_cleaned(word) for word in named), key=len, reverse=True)
    if not words:
        return cleaned
    either = rf"""(<[^<>"]*(?:"[^"]*"[^<>"]*)*>)|(?<![\w@.+=&#%~/\\-])({"|".join(map(re.escape, words))})(?!\w)"""
    return mark_safe(re.sub(either, lambda match: match[1] or f'<span class="mention">{match[2]}</span>', cleaned))


def _as_cleaned(text: str) -> str:
    """As nh3 writes text between tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\xa0", "&nbsp;")


def rich_text(text: str) -> SafeString:
    """Paragraphs and line breaks as typed; web and mail addresses are links."""
    shown = escape(text[:MAX_TEXT].strip())
    linked = urlize(shown) if len(shown) <= _MAX_LINKED else shown
    rest = escape(_("The rest is too long to be shown."))
    cut = "" if len(text) <= MAX_TEXT else f"<p><small>[{rest}]</small></p>"
    return _clean(linebreaks(linked) + cut, frozenset())


def rich_article(html: str, pictures: Mapping[str, str]) -> SafeString:
    """An article's words. `pictures`: the address of each picture that is its own, by the name under which the text knows it."""
    tame = tidy(html[:MAX_HTML], picture=partial(_own_picture, pictures=pictures), has_headings=True)
    return _clean(tame, frozenset(pictures.values()), headings=("h2", "h3"))


def _own_picture(image: Mapping[str, str], *, pictures: Mapping[str, str]) -> str:
    url = pictures.get(image.get("src", ""))
    return f'<img src="{escape(url)}" alt="{escape(image.get("alt", "")[:200])}">' if url else ""


def pictures_of(comment: Comment) -> dict[str, str]:
    """Addresses of the pictures that the comment's HTML may show in place, by Content-ID."""
    return {file.content_id: picture_url(file) for file in comment.attachments.all() if file.content_id and file.is_image}


def picture_url(attachment: Attachment) -> str:
    return f"{reverse('attachment', args=[attachment.pk, attachment.name])}?inline=1"


def has_remote_pictures(comment: Comment) -> bool:
    """Whether `rich` could show more of it."""
    return _is_shown_as_html(comment) and bool(_REMOTE.search(comment.html))


def _is_shown_as_html(comment: Comment) -> bool:
    return bool(comment.html) and len(comment.html) <= MAX_HTML and comment.html.count("&") <= _MAX_ENTITIES


def _html(comment: Comment, *, is_remote_shown: bool) -> SafeString:
    """'' when there is no HTML, too much of it, or nothing in it to see."""
    if not _is_shown_as_html(comment):
        return SafeString()
    pictures = pictures_of(comment)
    tame = tidy(comment.html, picture=partial(_picture, pictures=pictures, is_remote_shown=is_remote_shown))
    cleaned = _clean(tame, frozenset(pictures.values()), is_remote_shown=is_remote_shown)
    return cleaned if "<img" in cleaned or strip_tags(cleaned).replace("&nbsp;", "").strip() else SafeString()


def _picture(image: Mapping[str, str], *, pictures: Mapping[str, str], is_remote_shown: bool) -> str:
    """Our own copy, or words in the place of what would have to be fetched from elsewhere."""
    source, alt = image.get("src", ""), " ".join(image.get("alt", "")[:200].split())
    if url := pictures.get(unquote(source[4:])) if source[:4].lower() == "cid:" else None:
        return f'<img src="{escape(url)}" alt="{escape(alt)}">'
    if {image.get("width"), image.get("height")} & {"0", "1", "0px", "1px"}:
        return ""  # a tracking pixel
    if is_remote_shown and _is_remote(source):
        return f'<img src="{escape(source)}" alt="{escape(alt)}">'
    words = _("Picture not shown: %(alt)s") % {"alt": alt} if alt else _("Picture not shown")
    return f"<small>[{escape(words)}]</small>"


def _is_remote(source: str) -> bool:
    """Plain HTTP stays out: everybody on the way would see who reads which mail."""
    return source[:8].lower() == "https://"


def _clean(html: str, own: frozenset[str], *, is_remote_shown: bool = False, headings: tuple[str, ...] = ()) -> SafeString:
    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "src":
            return value if value in own or (is_remote_shown and _is_remote(value)) else None
        if name == "href":  # nh3 has read the scheme as browsers do; what is left without one is relative, to our own site
            return value if value.partition(":")[0].lower() in _SCHEMES else None
        if tag in ("td", "th", "ol") and not (value.isascii() and value.isdigit() and len(value) < 4):
            return None
        return value

    return mark_safe(
        nh3.clean(
            html,
            tags={*TAGS, *headings},
            attributes=_ATTRIBUTES,
            attribute_filter=keep,
            url_schemes=_SCHEMES,
            url_relative="pass_through",
            link_rel="noopener noreferrer nofollow",
            set_tag_attribute_values={"a": {"target": "_blank"}, "img": {"loading": "lazy"}},
        )
    )
