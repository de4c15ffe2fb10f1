"""Tames HTML from outside, so that cleaning and showing it stay cheap: well nested, shallow, with few attributes.

Makes nothing safe: its answer still goes through nh3, in `tickets.templatetags.rich`. But the HTML5 rules that nh3 must
follow cost quadratic time on markup that is made for it (50,000 nested tags, 60,000 attributes), and this is one pass.
Pure: no models, no addresses of ours.
"""

from __future__ import annotations

import re
from collections import Counter
from html import escape, unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 60
_MAX_ATTRIBUTES = 10_000  # characters of one tag that are looked at

_VOID = frozenset({"br", "hr", "img"})
_TABLE = frozenset("table thead tbody tfoot tr td th caption".split())
_BLOCKS = frozenset("address blockquote center div dl dd dt li ol p pre table ul hr".split())
TAGS = _VOID | _TABLE | _BLOCKS | frozenset("a b code del em i kbd s samp small strong sub sup u".split())
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})  # a message's are bold words: the page has its own
_KEPT_HEADINGS = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h3", "h5": "h3", "h6": "h3"}  # an article's stand below its title
_KEPT = {"a": ("href",), "td": ("colspan", "rowspan"), "th": ("colspan", "rowspan"), "ol": ("start",)}
_CLOSED_BY = {  # what ends where the next one begins
    "li": ("p", "li"),
    "dt": ("p", "dt", "dd"),
    "dd": ("p", "dt", "dd"),
    "td": ("p", "td", "th"),
    "th": ("p", "td", "th"),
    "tr": ("p", "td", "th", "tr"),
    "tbody": ("p", "td", "th", "tr", "thead", "tbody"),
}
_UNSEEN = frozenset("script style title textarea iframe noscript noembed noframes object svg math template select audio video".split())

# No part of a tag crosses a "<", so that a failed match never costs more than the way to the next one.
_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:]*+)(?P<attributes>(?>[^<>"']|"[^"<]*+"|'[^'<]*+')*+|[^<>]*+)>""",
)
_ATTRIBUTE = re.compile(r"""(?<![\w-])([a-zA-Z]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""")


def tidy(html: str, *, picture: Callable[[dict[str, str]], str], has_headings: bool = False) -> str:
    """`picture` puts something in the place of an image, given the attributes it has. `has_headings`: they stay headings, of two levels."""
    return _Tidier(html, picture, has_headings=has_headings).run()


class _Tidier:
    def __init__(self, html: str, picture: Callable[[dict[str, str]], str], *, has_headings: bool) -> None:
        self._html, self._picture = html, picture
        self._headings = _KEPT_HEADINGS if has_headings else {}
        self._pieces: list[str] = []
        self._open: list[str] = []
        self._endless: set[str] = set()  # what is known to end nowhere from here on
        self._left_out: Counter[str] = Counter()  # tags too deep inside, whose ends must end nothing else

    def run(self) -> str:
        at = 0
        while (start := self._html.find("<", at)) >= 0:
            self._say(self._html[at:start])
            at = self._markup(start)
        self._say(self._html[at:])
        return "".join([*self._pieces, *(f"</{tag}>" for tag in reversed(self._open))])

    def _say(self, text: str) -> None:
        self._pieces.append(text.replace(">", "&gt;"))

    def _markup(self, start: int) -> int:
        """Reads what begins with the "<" at `start`; answers where it ends."""
        if self._html.startswith("<!--", start):
            return self._after("-->", start + 4)
        if self._html.startswith(("<!", "<?"), start):
            return self._after(">", start)
        match = _TAG.match(self._html, start)
        if match is None:
            self._pieces.append("&lt;")
            return start + 1
        name = match["name"].lower()
        name = self._headings.get(name, name)
        if match["end"]:
            self._end(name)
        elif name in _UNSEEN:
            return self._skip(name, match.end())
        else:
            self._start(name, match["attributes"])
        return match.end()

    def _after(self, sign: str, start: int) -> int:
        found = self._html.find(sign, start)
        return len(self._html) if found < 0 else found + len(sign)

    def _skip(self, name: str, start: int) -> int:
        """What browsers show of these is not for readers. Unended ones swallow the rest only where they do so in browsers."""
        end = None if name in self._endless else re.compile(f"</{name}", re.IGNORECASE).search(self._html, start)
        if end:
            return self._after(">", end.end())
        self._endless.add(name)
        return len(self._html) if name in ("script", "style") else start

    def _start(self, name: str, attributes: str) -> None:
        if name in _HEADINGS and not self._headings:
            self._start("p", "")
            self._start("strong", "")
        elif name == "img":
            self._pieces.append(self._picture(_attributes(attributes)))
        elif name in TAGS or name in self._headings:
            self._make_room(name)
            self._push(name, attributes)

    def _make_room(self, name: str) -> None:
        closed = _CLOSED_BY.get(name, ("p",) if name in _BLOCKS or name in self._headings else ())
        while self._open and self._open[-1] in closed:
            self._pop()

    def _push(self, name: str, attributes: str) -> None:
        if name not in _VOID and len(self._open) >= MAX_DEPTH:
            self._left_out[name] += 1
            return
        if name not in _VOID:
            self._open.append(name)
        kept = _KEPT.get(name, ())
        values = _attributes(attributes) if kept else {}
        self._pieces += [f"<{name}", *(f' {key}="{escape(values[key])}"' for key in kept if key in values), ">"]

    def _end(self, name: str) -> None:
        if name in _HEADINGS and not self._headings:
            self._end("strong")
            self._end("p")
        elif self._left_out[name]:
            self._left_out[name] -= 1
        elif name in self._open and self._is_in_reach(name):
            while self._pop() != name:
                pass

    def _is_in_reach(self, name: str) -> bool:
        """The end of a tag in a cell ends nothing around the table."""
        if name in _TABLE:
            return True
        inner = next((tag for tag in reversed(self._open) if tag == name or tag in _TABLE), name)
        return inner == name

    def _pop(self) -> str:
        name = self._open.pop()
        self._pieces.append(f"</{name}>")
        return name


def _attributes(text: str) -> dict[str, str]:
    """By lower-case name, as a browser reads them; the first of several counts."""
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(text[:_MAX_ATTRIBUTES]):
        found.setdefault(name.lower(), unescape("".join(values)))
    return found
