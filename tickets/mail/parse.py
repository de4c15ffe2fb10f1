"""One raw message in, one ParsedMail out: the only door of the mail parser.

Pure: no database, no clock, no network, no settings. Never raises anything but UnreadableMail, whatever the bytes
are, and costs linear time. Says what stands in a message, not whether to believe it: authentication, identity and
threading are decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from tickets.mail.addresses import Address, addresses, sender
from tickets.mail.automatic import Verdict, judge
from tickets.mail.bodies import MAX_TEXT, Content, ParsedAttachment, read_content
from tickets.mail.charsets import clean_line
from tickets.mail.headers import Headers, make_headers, message_ids, read_fields
from tickets.mail.lines import Line, joined, text_lines
from tickets.mail.markup import html_lines, parse_html, without_lines
from tickets.mail.quotes import is_forward, kept_lines
from tickets.mail.structure import Part, UnreadableMail, from_header_on, read_tree

__all__ = ["Address", "ParsedAttachment", "ParsedMail", "UnreadableMail", "parse", "read_envelope"]

MAX_REFERENCES = 50
MAX_DELIVERED_TO = 50
_ENVELOPE_BYTES, _ENVELOPE_FIELDS = 65_536, 200

_DELIVERED_TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-rcpt-to")


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """What a message says. Ids come without angle brackets, '' stands for missing."""

    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    from_address: str  # '' also where two readers could see two senders
    from_name: str
    reply_to: str
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    delivered_to: tuple[str, ...]
    subject: str
    date: str  # the raw header; senders lie, so nothing is computed from it
    text: str
    html: str  # as it came: sanitise it where it is shown
    reply_text: str
    quoted_text: str
    reply_html: str  # '' where nothing was cut from the HTML
    attachments: tuple[ParsedAttachment, ...]
    auto: bool
    auto_reason: str
    bounce: bool


@dataclass(frozen=True, slots=True)
class _Reading:
    """The body, split."""

    html: str
    text: str
    reply_text: str
    quoted_text: str
    reply_html: str


def parse(raw: bytes) -> ParsedMail:
    """Reads the message `raw`; raises UnreadableMail where it exceeds the limits of `structure`."""
    root = read_tree(raw)
    headers = root.headers
    from_ = sender(headers.all("from"))
    subject = headers.text("subject")
    content = read_content(root)
    reading = _read_body(content, forward=is_forward(subject))
    verdict = _verdict(root, from_.address)
    return ParsedMail(
        message_id=next(iter(message_ids(headers.first("message-id"))), ""),
        in_reply_to=_ids(headers, "in-reply-to"),
        references=_ids(headers, "references"),
        from_address=from_.address,
        from_name=from_.name,
        reply_to=sender(headers.all("reply-to")).address,
        to=addresses(headers.all("to")),
        cc=addresses(headers.all("cc")),
        delivered_to=_delivered_to(headers),
        subject=subject,
        date=clean_line(headers.first("date"), limit=200),
        text=reading.text,
        html=reading.html,
        reply_text=reading.reply_text,
        quoted_text=reading.quoted_text,
        reply_html=reading.reply_html,
        attachments=tuple(content.attachments),
        auto=verdict.auto,
        auto_reason=verdict.reason,
        bounce=verdict.bounce,
    )


def read_envelope(raw: bytes) -> tuple[str, str]:
    """Sender's address and subject, of a message that `parse` refuses; '' for what its first lines do not tell."""
    head = from_header_on(raw[:_ENVELOPE_BYTES])
    fields, _end = read_fields(head, start=0, end=len(head))
    headers = make_headers(fields[:_ENVELOPE_FIELDS])
    return sender(headers.all("from")).address, headers.text("subject")


def _verdict(root: Part, from_address: str) -> Verdict:
    report = root.parameters.get("report-type", "").lower()
    return judge(root.headers, content_type=root.content_type, report_type=report, from_address=from_address)


def _ids(headers: Headers, name: str) -> tuple[str, ...]:
    found = chain.from_iterable(message_ids(value) for value in headers.all(name))
    return tuple(dict.fromkeys(found))[-MAX_REFERENCES:]


def _delivered_to(headers: Headers) -> tuple[str, ...]:
    found = addresses(tuple(value for name, value in headers.items if name in _DELIVERED_TO))
    return tuple(dict.fromkeys(box.address for box in found))[:MAX_DELIVERED_TO]


def _read_body(content: Content, *, forward: bool) -> _Reading:
    """Text and answer come from the text parts where there are any, else from the HTML."""
    html = content.html()
    root, is_whole = parse_html(html)
    marked = html_lines(root) if root is not None else []
    lines = _typed_lines(content, marked)
    kept = kept_lines(lines, forward=forward)
    reply_html = ""
    if root is not None and is_whole:
        kept_markup = kept if lines is marked else kept_lines(marked, forward=forward)
        reply_html = "" if all(kept_markup) else without_lines(root, marked, kept_markup)
    return _Reading(
        html=html,
        text=joined(lines)[:MAX_TEXT],
        reply_text=joined([line for line, keep in zip(lines, kept, strict=True) if keep])[:MAX_TEXT],
        quoted_text=joined([line for line, keep in zip(lines, kept, strict=True) if not keep])[:MAX_TEXT],
        reply_html=reply_html,
    )


def _typed_lines(content: Content, marked: list[Line]) -> list[Line]:
    if content.segments and all(segment.text.strip() for segment in content.segments):
        return text_lines("\n\n".join(segment.text for segment in content.segments)[:MAX_TEXT])
    return marked
