"""A line of a mail body as the quote rules see it, whether it came from text or from HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

MAX_LINES = 20_000  # the rest of a longer text is one more line: nobody typed it, and it stays cheap

_BLANKS = re.compile(r"\n{4,}")
# "reply On Wed, Apr 4, 2012 at 3:59 PM, bob@example.com wrote:" - a client that glued its line to the answer
_GLUED = re.compile(r"(?:\s|-{2,} ?)(?=On (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? |\d{1,4}[ ./-])[^\n]{5,300}wrote:$)")
_MARKED = re.compile(r"\s{0,3}>(?!From )")


class Quote(IntEnum):
    NO = 0
    MAYBE = 1  # a plain <blockquote>: quoted if a line above says so, else the writer's indentation
    YES = 2


class Hint(IntEnum):
    NONE = 0
    ATTRIBUTION = 1  # the mail program marked this line as "... wrote:"
    REST_IS_QUOTED = 2  # the mail program marked everything from here on
    FORWARD = 3  # the mail program marked a forwarded message


@dataclass(slots=True)
class Line:
    text: str = ""
    quote: Quote = Quote.NO
    hint: Hint = Hint.NONE
    # Where in an HTML tree this line's text stands: (element, "text" | "tail" | "node").
    slots: list[tuple[Any, str]] = field(default_factory=list)


def text_lines(text: str) -> list[Line]:
    lines: list[Line] = []
    for raw in text.split("\n", MAX_LINES):
        quote = Quote.YES if _MARKED.match(raw) else Quote.NO
        glued = _GLUED.search(raw) if raw.endswith("wrote:") and not quote and len(raw) < 1000 else None
        if glued and raw[: glued.start()].strip():
            lines += [Line(raw[: glued.start()].rstrip(" -")), Line(raw[glued.end() :])]
        else:
            lines.append(Line(raw, quote))
    return lines


def joined(lines: list[Line]) -> str:
    """The lines as text, without blank runs and edges."""
    text = "\n".join(line.text.rstrip() for line in lines)
    return _BLANKS.sub("\n\n\n", text).strip("\n").rstrip()
