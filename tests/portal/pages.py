"""What the tests of the portal read off a page."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from uuid import uuid4

from tickets.models import Comment, Ticket

MAIN = re.compile(r"<main.*</main>", re.DOTALL)


def words(response: Any) -> str:
    """What a person reads below the bar, on one line."""
    main = MAIN.search(response.content.decode())
    body = re.sub(r"<(script|style|svg).*?</\1>", " ", main[0] if main else "", flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def has(response: Any, *wanted: str) -> list[bool]:
    read = words(response)
    return [one in read for one in wanted]


def rows(response: Any) -> list[int]:
    """Numbers of the tickets in a list, in its order."""
    listed = re.findall(r'<li class="ticket-row[^"]*">.*?</li>', response.content.decode(), flags=re.DOTALL)
    return [int(re.search(r'href="/tickets/(\d+)/"', row)[1]) for row in listed]  # type: ignore[index]


def errors(response: Any) -> list[str]:
    """What the forms of the page complain of."""
    listed = re.findall(r'<ul class="errorlist".*?</ul>', response.content.decode(), flags=re.DOTALL)
    return [unescape(one) for block in listed for one in re.findall(r"<li>(.*?)</li>", block)]


def typed(response: Any, name: str = "text") -> str:
    """What stands in a textarea."""
    area = re.search(rf'<textarea[^>]*name="{name}"[^>]*>(.*?)</textarea>', response.content.decode(), flags=re.DOTALL)
    return unescape(area[1]).strip() if area else ""


def reply(client: Any, ticket: Ticket, text: str = "An answer", **fields: Any) -> Any:
    """As the ticket's page would send it, opened just now."""
    seen = ticket.events.filter(is_internal=False).order_by("-pk").values_list("pk", flat=True)[0]
    return client.post(f"/tickets/{ticket.pk}/reply/", {"text": text, "key": str(uuid4()), "seen": seen, **fields})


def said(ticket: Ticket) -> list[str]:
    return list(Comment.objects.filter(ticket=ticket).order_by("id").values_list("text", flat=True))
