"""Says when two deliveries are the same mail: same sender, addressees, date, subject, id and body, whatever relays wrote above them. Pure."""

from __future__ import annotations

from hashlib import sha256

# What the sender's program wrote once. Received, Delivered-To and the like differ on each way the same mail takes.
_IDENTITY = (b"message-id:", b"date:", b"from:", b"to:", b"cc:", b"subject:")


def fingerprint(raw: bytes) -> str:
    """Hex SHA-256. Line ends do not count, as pipes and SMTP disagree on them."""
    unified = raw.replace(b"\r\n", b"\n").lstrip(b"\n")
    head, _, body = unified.partition(b"\n\n")
    digest = sha256()
    keep = False
    for line in head.split(b"\n"):
        if line[:1] not in (b" ", b"\t"):  # else it continues the header above
            keep = line.lower().startswith(_IDENTITY)
        if keep:
            digest.update(line.strip() + b"\n")
    digest.update(b"\n" + body.rstrip(b"\n"))
    return digest.hexdigest()
