"""Names for attachments: decoded and cleaned, never trusted. Files are stored under names of our own."""

from __future__ import annotations

import re
import unicodedata
from mimetypes import MimeTypes

from tickets.mail.charsets import clean_line

MAX_NAME = 200
MAX_EXTENSION = 20

# Python's own table: what the machine's files say must not change what a mail looks like.
_TYPES = MimeTypes()
_KNOWN = {
    "message/rfc822": "message.eml",
    "message/global": "message.eml",
    "text/calendar": "invite.ics",
    "message/delivery-status": "delivery-status.txt",
    "message/disposition-notification": "disposition-notification.txt",
    "message/feedback-report": "feedback-report.txt",
    "text/rfc822-headers": "headers.txt",
    "application/pgp-signature": "signature.asc",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-mime": "smime.p7m",
}
_EXTENSIONS = {"text/plain": ".txt", "text/html": ".html", "image/jpeg": ".jpg", "application/octet-stream": ".bin"}
_SEPARATORS = re.compile(r"[\\/]")


def attachment_name(declared: str, *, content_type: str, number: int) -> str:
    """The cleaned declared name, or one made from the type and the place in the mail."""
    if name := clean_filename(declared):
        return name
    if content_type in _KNOWN:
        return _KNOWN[content_type]
    extension = _EXTENSIONS.get(content_type) or _TYPES.guess_extension(content_type) or ".bin"
    return f"attachment-{number}{extension}"


def clean_filename(name: str) -> str:
    """`name` without path, control and direction characters, bounded, its extension kept."""
    text = "".join(char for char in clean_line(name, limit=len(name)) if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"})
    text = _SEPARATORS.split(text.rstrip("\\/"))[-1].strip().lstrip(". ").rstrip(". ")
    if len(text) <= MAX_NAME:
        return text
    stem, dot, extension = text.rpartition(".")
    if not dot or len(extension) > MAX_EXTENSION:
        return text[:MAX_NAME]
    return f"{stem[: MAX_NAME - len(extension) - 1]}.{extension}"


def type_of(name: str) -> str:
    """The type that a name promises, for files that come without one."""
    return _TYPES.guess_type(name)[0] or "application/octet-stream"
