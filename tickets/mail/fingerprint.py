"""Says when two deliveries are the same mail: same sender, addressees, date, subject, id and body, whatever relays wrote above them. Pure."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

# What the sender's program wrote once. Received, Delivered-To and the like differ on each way the same mail takes.
_IDENTITY = (b"message-id:", b"date:", b"from:", b"to:", b"cc:", b"subject:")


def fingerprint(raw: bytes, *, now: datetime) -> str:
    """Hex SHA-256. Line ends do not count, as pipes and SMTP disagree on them.

    A mail with neither id nor date (a device says the same each day) is the same only within an hour of `now`.
    """
    unified = raw.replace(b"\r\n", b"\n").lstrip(b"\n")
    head, _, body = unified.partition(b"\n\n")
    digest = sha256()
    keep = is_dated = False
    for line in head.split(b"\n"):
        if line[:1] not in (b" ", b"\t"):  # else it continues the header above
            keep = line.lower().startswith(_IDENTITY)
            is_dated = is_dated or line.lower().startswith(_IDENTITY[:2])
        if keep:
            digest.update(line.strip() + b"\n")
    digest.update(b"\n" + body.rstrip(b"\n"))
    if not is_dated:
        digest.update(f"{now:%Y-%m-%dT%H}".encode())
    return digest.hexdigest()
