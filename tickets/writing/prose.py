"""What is written in the editor of our pages: the HTML that is kept of it, and the plain text that mails, search and names are read from.

The text is always made here, from the HTML: what a browser says the text is may be anything. Pure: no models, no addresses of ours.
"""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from tickets.writing.tidy import tidy

if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCKS = frozenset("address blockquote center div dl dd dt hr li ol p pre table tr ul caption".split())
_LISTS = frozenset({"ul", "ol"})
_AS_IN_TEXT = frozenset({"p", "div", "br"})  # lines and paragraphs
_QUOTE = "> "
_MAX_MARKS = 8  # before a line; without an end, sixty quotes around many short lines make thirty times as much text as there was HTML


def kept(html: str, *, picture: Callable[[dict[str, str]], str]) -> str:
    """The HTML that is worth keeping, '' where plain text says as much. `picture` puts something in the place of an image."""
    tame = tidy(html, picture=picture)
    return tame if _read(tame).tags - _AS_IN_TEXT else ""


def plain(html: str, *, picture_word: str = "Picture") -> str:
    """The words, one paragraph after the other, with lists, quotes and the addresses of links as one writes them in a plain mail."""

    def picture(image: dict[str, str]) -> str:
        return f"<p>[{escape(image.get('alt', '').strip() or picture_word)}]</p>"

    return _read(tidy(html, picture=picture)).text()


def _read(tame: str) -> _Reader:
    reader = _Reader()
    reader.feed(tame)
    reader.close()
    return reader


class _Reader(HTMLParser):
    """Reads what `tidy` has made well nested and shallow."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self._blocks: list[tuple[str, bool]] = []  # text, and whether it stands in a list
        self._words: list[str] = []  # of the block at hand
        self._marks: list[str] = []  # what a line begins with, a part for each quote and list item around it
        self._numbers: list[int] = []  # of the next item of each list around; 0: bullets
        self._links: list[tuple[str, int]] = []  # address, and where in `_words` the link begins
        self._preformatted = 0

    def text(self) -> str:
        self._end_block()
        pieces: list[str] = []
        before, was_in_list = "", False
        for block, is_in_list in self._blocks:
            if pieces:
                quoted = before.startswith(_QUOTE) and block.startswith(_QUOTE)
                pieces.append("\n" if is_in_list and was_in_list else "\n>\n" if quoted else "\n\n")
            pieces.append(block)
            before, was_in_list = block, is_in_list
        return "".join(pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag in _BLOCKS:
            self._end_block()
            self._begin(tag, dict(attrs))
        elif tag == "br":
            self._words.append("\n")
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._words)))
        elif tag in ("td", "th"):
            self._words.append(" ")

    def _begin(self, tag: str, attributes: dict[str, str | None]) -> None:
        self._preformatted += tag == "pre"
        if tag in _LISTS:
            start = attributes.get("start") or "1"
            self._numbers.append(int(start) if tag == "ol" and start.isdecimal() and len(start) < 4 else int(tag == "ol"))
        elif tag == "li":
            self._mark(self._item())
        elif tag == "blockquote":
            self._mark(_QUOTE)

    def _mark(self, mark: str) -> None:
        self._marks.append(mark if len(self._marks) < _MAX_MARKS else "")

    def _item(self) -> str:
        number = self._numbers[-1] if self._numbers else 0
        if not number:
            return "- "
        self._numbers[-1] += 1
        return f"{number}. "

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._end_block()
            self._preformatted -= tag == "pre"
            if tag in ("li", "blockquote"):
                self._marks.pop()
            elif tag in _LISTS:
                self._numbers.pop()
        elif tag == "a":
            self._end_link()

    def _end_link(self) -> None:
        """With its address behind it, unless that is what it says."""
        address, start = self._links.pop()
        said = "".join(self._words[start:]).strip()
        if address and said and said not in (address, address.removeprefix("mailto:"), address.removesuffix("/")):
            self._words.append(f" ({address})")

    def handle_data(self, data: str) -> None:
        self._words.append(data if self._preformatted else data.replace("\n", " "))

    def _end_block(self) -> None:
        lines = "".join(self._words).replace("\xa0", " ").strip("\n").split("\n")
        self._words.clear()
        shown = [line.rstrip() if self._preformatted else line.strip() for line in lines]
        if not any(shown):
            return
        first = "".join(self._marks)
        self._marks = [mark if mark == _QUOTE else " " * len(mark) for mark in self._marks]
        rest = "".join(self._marks)
        marked = [first + shown[0], *(rest + line for line in shown[1:])]
        self._blocks.append(("\n".join(line.rstrip() for line in marked), bool(self._numbers)))
