"""Links that are themselves the key to something: whoever reads one can use it. Pure."""

from __future__ import annotations

import re

_KEY = re.compile(r"(/password/reset/key/|/email/prove/|/mail/unsubscribe/|/mail/answer/|/invitations/)[^/\s?\"'<>]+")


_TO_AN_ACCOUNT = (b"/password/reset/key/", b"/invitations/")


def opens_an_account(raw: bytes) -> bool:
    """Whether a mail quotes a link that sets somebody's password; in quoted-printable too, whose lines may end anywhere."""
    whole = raw.replace(b"=\r\n", b"").replace(b"=\n", b"")
    return any(link in whole for link in _TO_AN_ACCOUNT)


def without_keys(text: str) -> str:
    """With the key in each such link left out."""
    return _KEY.sub(r"\1…", text)
