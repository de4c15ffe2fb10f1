"""What the tests of the desk read off a page."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

from django.urls import reverse

if TYPE_CHECKING:
    from django.test import Client

    from tickets.models import Ticket


def words(response: Any) -> str:
    """What a person reads, on one line."""
    body = re.sub(r"<(script|style|svg).*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def rows(response: Any) -> list[int]:
    """Numbers of the tickets in a list, in its order."""
    return [int(number) for number in re.findall(r'href="/desk/tickets/(\d+)/" data-open', response.content.decode())]


def newest_event(ticket: Ticket) -> int:
    return ticket.events.order_by("-pk").values_list("pk", flat=True)[0]


def send(client: Client, ticket: Ticket, verb: str, **data: Any) -> Any:
    """As the ticket's page would, opened just now."""
    return client.post(reverse(f"desk_ticket_{verb}", args=[ticket.number]), {"seen": newest_event(ticket), **data})
