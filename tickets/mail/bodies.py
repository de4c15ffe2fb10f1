"""Which parts are the text of a message and which are its files.

Every part ends up in one of the two; nothing is thrown away but the delimiters. Must not sanitise HTML or judge
who sent the mail.
"""

from __future__ import annotations

import html as html_entities
import re
from dataclasses import dataclass, field, replace
from itertools import islice
from urllib.parse import unquote

from tickets.mail.charsets import clean_line, clean_text, decode
from tickets.mail.filenames import attachment_name, type_of
from tickets.mail.headers import decode_words
from tickets.mail.structure import Part, uudecode, ydecode
from tickets.mail.tnef import tnef_files

MAX_TEXT = 1_000_000
MAX_HTML = 5_000_000
MAX_UU_FILES = 100

_META_CHARSET = re.compile(rb"<meta[^>]{1,300}?charset\s{0,3}=\s{0,3}[\"']?([\w.:-]{2,40})", re.IGNORECASE)
_CID = re.compile(r"cid:([^\"'\s<>)]{1,300})", re.IGNORECASE)
_FILE_BEGIN = re.compile(
    rb"(?m)^begin [0-7]{3,4} (?P<uu>\S[^\r\n]{0,250})\r?\n"
    rb"|^=ybegin [^\r\n]{0,200}?\bname=(?P<y>\S[^\r\n]{0,250})\r?\n(?:=ypart [^\r\n]{0,200}\r?\n)?"
)
_UU_END = re.compile(rb"\nend[ \t]{0,3}(?=\r?\n|$)")
_Y_END = re.compile(rb"\n=yend [^\r\n]{0,200}")
_TNEF_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    name: str
    content_type: str
    content: bytes
    content_id: str = ""
    is_inline: bool = False


@dataclass(slots=True)
class Segment:
    """One stretch of body, as text, as HTML or as both."""

    text: str = ""
    html: str = ""


@dataclass(slots=True)
class Content:
    segments: list[Segment] = field(default_factory=list)
    attachments: list[ParsedAttachment] = field(default_factory=list)

    def html(self) -> str:
        """The HTML of the whole body, '' if no stretch of it came as HTML."""
        if not any(segment.html for segment in self.segments):
            return ""
        pieces = (segment.html or _as_html(segment.text) for segment in self.segments)
        return "\n".join(pieces)[:MAX_HTML]


def read_content(root: Part) -> Content:
    """Body and attachments of the message `root`."""
    collector = _Collector()
    collector.visit(root, is_root=True)
    content = collector.content
    cids = {unquote(cid) for cid in _CID.findall(content.html())}
    content.attachments = [replace(file, is_inline=file.content_id in cids) for file in content.attachments]
    return content


class _Collector:
    def __init__(self) -> None:
        self.content = Content()
        self._room = MAX_HTML  # body parts beyond it become files, so that reading them stays cheap

    def visit(self, part: Part, *, is_root: bool = False) -> None:
        if part.content_type == "multipart/alternative":
            self._visit_alternative(part)
        elif part.children:
            for child in part.children:
                self.visit(child)
        elif self._room > 0 and _is_body(part, is_root=is_root):
            self._add_body(part)
        else:
            self._attach(part)

    def _visit_alternative(self, part: Part) -> None:
        """The alternatives say the same: they become one stretch of body."""
        mark = len(self.content.segments)
        for child in part.children:
            self.visit(child)
        found = self.content.segments[mark:]
        if found:
            text = "\n\n".join(segment.text for segment in found if segment.text)
            markup = "\n".join(segment.html for segment in found if segment.html)
            self.content.segments[mark:] = [Segment(text, markup)]

    def _add_body(self, part: Part) -> None:
        data, charset = part.content, part.parameters.get("charset", "")
        if part.content_type == "text/html":
            segment = Segment(html=_decoded(data, charset or _meta_charset(data), limit=MAX_HTML))
        else:
            segment = Segment(text=_decoded(self._take_files(data), charset, limit=MAX_TEXT))
        self._room -= len(segment.text) + len(segment.html)
        if segment.text.strip() or segment.html.strip():
            self.content.segments.append(segment)

    def _attach(self, part: Part) -> None:
        data, content_type = part.content, part.content_type
        name = attachment_name(_declared_name(part), content_type=content_type, number=self._number())
        is_tnef = content_type in _TNEF_TYPES or name.lower() == "winmail.dat"
        if is_tnef and (files := tnef_files(data)):
            for file in files:
                self._add_file(file.name, file.content, content_id=file.content_id)
            return
        content_id = clean_line(decode_words(part.headers.first("content-id"))).strip("<> ")
        self.content.attachments.append(ParsedAttachment(name, content_type, data, content_id))

    def _add_file(self, declared: str, data: bytes, *, content_id: str = "") -> None:
        content_type = type_of(declared)
        name = attachment_name(declared, content_type=content_type, number=self._number())
        self.content.attachments.append(ParsedAttachment(name, content_type, data, content_id))

    def _number(self) -> int:
        return len(self.content.attachments) + 1

    def _take_files(self, data: bytes) -> bytes:
        """`data` without the uuencoded and yEnc files in it, which become attachments."""
        kept: list[bytes] = []
        position = 0
        for begin in islice(_FILE_BEGIN.finditer(data), MAX_UU_FILES):
            start = begin.start()
            if start < position:
                continue
            end = (_UU_END if begin["uu"] else _Y_END).search(data, begin.end() - 1)
            if end is None:
                break
            kept.append(data[position:start])
            name, first, last = decode((begin["uu"] or begin["y"]).strip()), begin.end(), end.start()
            self._add_file(name, uudecode(data, start=first, end=last) if begin["uu"] else ydecode(data[first:last]))
            position = end.end()
        return b"".join(kept) + data[position:]


def _decoded(data: bytes, charset: str, *, limit: int) -> str:
    if len(data) > 2 * limit:
        # Half a character at the end would make the whole look like another charset.
        data = data[: max(data.rfind(b"\n", 2 * limit - 10_000, 2 * limit) + 1, 2 * limit - 10_000)]
    return clean_text(decode(data, charset)[:limit])


def _is_body(part: Part, *, is_root: bool) -> bool:
    if part.content_type not in {"text/plain", "text/html"}:
        return False
    disposition = part.disposition.word
    return disposition != "attachment" and (is_root or not _declared_name(part))


def _declared_name(part: Part) -> str:
    return part.disposition.parameters.get("filename") or part.parameters.get("name", "")


def _meta_charset(data: bytes) -> str:
    found = _META_CHARSET.search(data[:4000])
    return found[1].decode("ascii", "replace") if found else ""


def _as_html(text: str) -> str:
    return f'<div style="white-space: pre-wrap">{html_entities.escape(text)}</div>'
