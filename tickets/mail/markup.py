"""HTML bodies as lines of text, and HTML bodies without some of those lines.

One pass over the tree, no layout: a renderer that lines up table cells can be made to eat gigabytes. The HTML is
not made safe here; that happens where it is shown.
"""

from __future__ import annotations

import re
from typing import Any

import lxml.etree
import lxml.html

from tickets.mail.charsets import clean_text
from tickets.mail.lines import Hint, Line, Quote

MAX_HTML = 1_000_000

Node = Any  # lxml has no types of its own

_SKIPPED = frozenset({"head", "script", "style", "template", "title", "object", "svg", "math"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "table"})
_BLOCKS = _PARAGRAPHS | frozenset(
    "address article aside body center dd div dl dt fieldset figure footer form header hr html li main nav section tr".split()
)
_FLAT = frozenset({"MsoNormal", "MsoPlainText"})  # Outlook's paragraphs are single lines
_SPACE = re.compile(r"[ \t\r\n\f]+")
_DATA_URL = re.compile(r"data:[\w/+.-]{1,60};base64,[\w/+=]+")
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}>")
_RENAMED = re.compile(r"^(x_|ecx|ydp[0-9a-f]{1,12})+")  # what webmails put before foreign class names
_QUOTE_CLASSES = frozenset({"gmail_quote", "protonmail_quote", "tutanota_quote", "yahoo_quoted", "zmail_extra"})
_ATTRIBUTION_CLASSES = frozenset({"gmail_attr", "moz-cite-prefix"})
_REST_IDS = frozenset({"divRplyFwdMsg", "OLK_SRC_BODY_SECTION", "mail-editor-reference-message-container"})
_REST_CLASSES = frozenset({"OutlookMessageHeader"})
_OUTLOOK_RULE = re.compile(r"border:none;border-top:solid #(E1E1E1|B5C4DF) 1\.0pt", re.IGNORECASE)


def parse_html(html: str) -> Node | None:
    """The tree of an HTML body, None if there is nothing in it."""
    text = _DECLARATION.sub("", _DATA_URL.sub("data:,", html), count=1)[:MAX_HTML]
    try:
        return lxml.html.document_fromstring(text)
    except (lxml.etree.LxmlError, ValueError, AssertionError):
        return None


def html_lines(root: Node) -> list[Line]:
    return _Walker().walk(root)


def without_lines(root: Node, lines: list[Line], kept: list[bool]) -> str:
    """The HTML of `root` without the lines that are not kept; changes `root`."""
    spared = {(id(node), where) for line, keep in zip(lines, kept, strict=True) if keep for node, where in line.slots}
    touched: dict[int, Node] = {}
    for line, keep in zip(lines, kept, strict=True):
        for node, where in () if keep else line.slots:
            if (id(node), where) not in spared:
                _clear(node, where, touched)
    _prune(touched)
    body = root.find("body")
    return clean_text(lxml.html.tostring(root if body is None else body, encoding="unicode").strip())


def _clear(node: Node, where: str, touched: dict[int, Node]) -> None:
    if where == "tail":
        node.tail = None
        owner = node.getparent()
    elif where == "text":
        node.text = None
        owner = node
    else:
        owner = node.getparent()
        if owner is not None:
            node.drop_tree()
    if owner is not None:
        touched[id(owner)] = owner


def _prune(touched: dict[int, Node]) -> None:
    """Removes what stands empty after its content went, up to the first element that still holds something."""
    queue = list(touched.values())
    for node in queue:
        parent = node.getparent()
        if parent is None or node.tag in {"body", "html"} or len(node) or (node.text or "").strip():
            continue
        node.drop_tree()
        queue.append(parent)


class _Walker:
    """Turns one tree into lines."""

    def __init__(self) -> None:
        self._lines = [Line()]
        self._quotes: list[tuple[Node, Quote]] = []
        self._hint = Hint.NONE
        self._preformatted = 0

    def walk(self, root: Node) -> list[Line]:
        walker = lxml.etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, node in walker:
            if event == "start":
                if node.tag in _SKIPPED:
                    walker.skip_subtree()
                else:
                    self._start(node)
            elif event == "end" and node.tag not in _SKIPPED:
                self._end(node)
            else:
                self._add(node.tail, node, "tail")
        for line in self._lines:
            line.text = line.text.strip(" ")
        return self._lines

    def _start(self, node: Node) -> None:
        tag = node.tag
        if tag in _BLOCKS:
            self._break(paragraph=_is_paragraph(node))
        if quote := _quote_kind(node):
            self._quotes.append((node, quote))
        self._hint = max(self._hint, _hint(node))
        self._preformatted += tag == "pre"
        if tag in {"td", "th"}:
            self._current().text += " "
        elif tag in {"br", "img", "hr"}:
            self._current().slots.append((node, "node"))
        self._add(node.text, node, "text", prefix="- " if tag == "li" else "")

    def _end(self, node: Node) -> None:
        if node.tag == "br":
            self._new_line()
        elif node.tag in _BLOCKS:
            self._break(paragraph=_is_paragraph(node))
        if self._quotes and self._quotes[-1][0] is node:
            self._quotes.pop()
        self._preformatted -= node.tag == "pre"
        self._add(node.tail, node, "tail")

    def _add(self, text: str | None, node: Node, where: str, *, prefix: str = "") -> None:
        pieces = (text or "").split("\n") if self._preformatted else [_SPACE.sub(" ", text or "")]
        pieces[0] = prefix + pieces[0]
        for index, piece in enumerate(pieces):
            if index:
                self._new_line()
            if piece.strip() or (piece and self._lines[-1].text):
                self._put(piece, node, where)

    def _put(self, piece: str, node: Node, where: str) -> None:
        line = self._current()
        if line.text.endswith(" ") and not self._preformatted:
            piece = piece.lstrip(" ")
        line.text += piece.replace("\xa0", " ")
        line.slots.append((node, where))
        if piece.strip():
            line.hint, self._hint = max(line.hint, self._hint), Hint.NONE

    def _current(self) -> Line:
        line = self._lines[-1]
        if not line.text.strip():
            line.quote = max((quote for _, quote in self._quotes[:50]), default=Quote.NO)
        return line

    def _new_line(self) -> None:
        self._current()
        self._lines.append(Line())

    def _break(self, *, paragraph: bool) -> None:
        """Ends the line; a paragraph leaves one blank line behind it."""
        if self._lines[-1].text.strip():
            self._new_line()
        if paragraph and len(self._lines) > 1 and self._lines[-2].text.strip():
            self._new_line()


def _classes(node: Node) -> set[str]:
    return {_RENAMED.sub("", name) for name in (node.get("class") or "")[:500].split()}


def _is_paragraph(node: Node) -> bool:
    return node.tag in _PARAGRAPHS and not _classes(node) & _FLAT


def _quote_kind(node: Node) -> Quote:
    if node.tag == "blockquote":
        cited = (node.get("type") or "").lower() == "cite" or node.get("cite") or _classes(node) & _QUOTE_CLASSES
        return Quote.YES if cited else Quote.MAYBE
    # Gmail wraps attribution, quote and the answers in between in a div of that class as well.
    if node.tag == "div" and _classes(node) & (_QUOTE_CLASSES - {"gmail_quote"}):
        return Quote.YES
    return Quote.NO


def _hint(node: Node) -> Hint:
    if not node.attrib:
        return Hint.NONE
    classes = _classes(node)
    if _RENAMED.sub("", node.get("id") or "") in _REST_IDS or classes & _REST_CLASSES:
        return Hint.REST_IS_QUOTED
    if _OUTLOOK_RULE.match(node.get("style") or ""):
        return Hint.REST_IS_QUOTED
    return Hint.ATTRIBUTION if classes & _ATTRIBUTION_CLASSES else Hint.NONE
