"""The marks by which an answer finds its way back: signed addresses for replies and for bounces, and Message-IDs that can't be made up.

All carry 128 bits of HMAC-SHA256 over everything they say, compared in constant time. Reading them proves what *we* once wrote; who sent the
mail that carries them is another question, which `tickets.mail.route` answers.
"""

from __future__ import annotations

import re
from base64 import b32encode
from dataclasses import dataclass

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User

_MAC = r"[a-z2-7]{26}"
_ADDRESS = re.compile(rf"(?P<purpose>[rn])1-(?P<ticket>\d{{1,15}})-(?P<user>\d{{1,15}})-(?P<mac>{_MAC})", re.ASCII | re.IGNORECASE)
_BOUNCE = re.compile(rf"b1-(?P<delivery>\d{{1,15}})-(?P<mac>{_MAC})", re.ASCII | re.IGNORECASE)
_THREAD_ID = re.compile(rf"ticket\.(?P<ticket>\d{{1,15}})\.(?P<mac>{_MAC})@", re.ASCII | re.IGNORECASE)
_MESSAGE_ID = re.compile(rf"1\.(?P<event>\d{{1,15}})\.(?P<user>\d{{1,15}})\.(?P<mac>{_MAC})@", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """What a signed address says: an answer to a mail about `ticket` that we sent to `user`; about an internal note if `is_internal`."""

    ticket_id: int
    user_id: int
    is_internal: bool


def reply_address(*, ticket_id: int, user: User, is_internal: bool = False) -> str:
    """`support+r1-1042-7-<mac>@…`: lower case and digits, so that it survives programs that change the case of addresses."""
    purpose = "n" if is_internal else "r"
    mac = _mac("reply", purpose, ticket_id, user.pk, user.token_generation)
    return _tagged(f"{purpose}1-{ticket_id}-{user.pk}-{mac}")


def read_reply_address(address: str) -> ReplyAddress | None:
    """None unless it is an address that we made, for a person whose older addresses were not revoked since."""
    found = _ADDRESS.fullmatch(_tag(address))
    if not found:
        return None
    user = User.objects.filter(pk=int(found["user"])).only("token_generation").first()
    if user is None:
        return None
    expected = _mac("reply", found["purpose"], found["ticket"], found["user"], user.token_generation)
    if not constant_time_compare(found["mac"], expected):
        return None
    return ReplyAddress(ticket_id=int(found["ticket"]), user_id=int(found["user"]), is_internal=found["purpose"] == "n")


def bounce_address(*, delivery_id: int) -> str:
    """The envelope sender of that one mail, which nobody but the servers on its way ever sees: what comes to it is about that mail."""
    return _tagged(f"b1-{delivery_id}-{_mac('bounce', delivery_id)}")


def read_bounce_address(address: str) -> int | None:
    """The delivery whose envelope sender this is; None unless we made it."""
    found = _BOUNCE.fullmatch(_tag(address))
    if not found or not constant_time_compare(found["mac"], _mac("bounce", found["delivery"])):
        return None
    return int(found["delivery"])


def message_id(*, event_id: int, user_id: int) -> str:
    """Without angle brackets. The same for the same event and person, however often the mail is sent."""
    return f"1.{event_id}.{user_id}.{_mac('message-id', event_id, user_id)}@{settings.SUPPORT_DOMAIN}"


def thread_id(ticket_id: int) -> str:
    """Without angle brackets. No mail has it; all mails of a ticket refer to it, which keeps them together in mail programs."""
    return f"ticket.{ticket_id}.{_mac('thread', ticket_id)}@{settings.SUPPORT_DOMAIN}"


def read_message_id(value: str) -> int | None:
    """The event that the mail with this Message-ID told of; None unless we made it."""
    found = _MESSAGE_ID.match(value.strip().strip("<>").lower())
    if not found or not constant_time_compare(found["mac"], _mac("message-id", found["event"], found["user"])):
        return None
    return int(found["event"])


def read_thread_id(value: str) -> int | None:
    """The ticket of a `thread_id` that we made; None for any other."""
    found = _THREAD_ID.match(value.strip().strip("<>").lower())
    if not found or not constant_time_compare(found["mac"], _mac("thread", found["ticket"])):
        return None
    return int(found["ticket"])


def _tagged(tag: str) -> str:
    local, _, domain = settings.SUPPORT_ADDRESS.partition("@")
    return f"{local}+{tag}@{domain}"


def _tag(address: str) -> str:
    """What stands after the plus sign of an address of ours, in lower case; '' for any other."""
    local, _, domain = address.strip().strip("<>").lower().rpartition("@")
    support, _, tag = local.partition("+")
    return tag if f"{support}@{domain}" == settings.SUPPORT_ADDRESS else ""


def _mac(purpose: str, *parts: object) -> str:
    digest = salted_hmac(f"helpdesk.mail.{purpose}", ":".join(str(part) for part in parts), algorithm="sha256").digest()
    return b32encode(digest[:16]).decode().rstrip("=").lower()
