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

MAX_TAGS = 60_000
_MAX_ATTRIBUTES = 1_000
_LONG = 8_000  # characters; a shorter piece has no room for an attack

Node = Any  # lxml has no types of its own

_SKIPPED = frozenset({"head", "script", "style", "template", "title", "object", "svg", "math"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "table"})
_BLOCKS = _PARAGRAPHS | frozenset(
    "address article aside body center dd div dl dt fieldset figure footer form header hr html li main nav section tr".split()
)
_FLAT = frozenset({"MsoNormal", "MsoPlainText"})  # Outlook's paragraphs are single lines
_SPACE = re.compile(r"[ \t\r\n\f]+")
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}>")
_RENAMED = re.compile(r"^(x_|ecx|ydp[0-9a-f]{1,12})+")  # what webmails put before foreign class names
# How mail programs mark what they quoted, by class, id, name or data-marker.
_QUOTES = frozenset(
    "protonmail_quote tutanota_quote yahoo_quoted zmail_extra freshdesk_quote quote quoted-content messageReplySection isReplyContent"
    " __HEADERS__ __QUOTED_TEXT__".split()
)
_SIGNATURES = frozenset(
    "gmail_signature gmail_signature_prefix Signature ms-outlook-mobile-signature moz-signature protonmail_signature_block"
    " messageSignatureSection".split()
)
_LONGEST_SIGNATURE = 1_500  # characters; in a longer one somebody wrote
_ATTRIBUTIONS = frozenset("gmail_attr gmail_quote moz-cite-prefix reply-intro airmail_on gmail_quote_attribution".split())
_RESTS = frozenset(
    "appendonsend divRplyFwdMsg OLK_SRC_BODY_SECTION mail-editor-reference-message-container OutlookMessageHeader stopSpelling"
    " zwchr helpdesk-mail".split()  # the last begins each mail of ours: templates/emails/base.html
)
_FORWARDS = frozenset({"moz-forward-container", "isForwardContent"})
_MARKED = ("id", "name", "data-marker")
_OUTLOOK_RULE = re.compile(
    r"border-top:(?=[^;]{0,60}(?:#e1e1e1|#b5c4df|rgb\(225,225,225\)|rgb\(181,196,223\)))(?=[^;]{0,60}1(?:\.0)?pt)", re.IGNORECASE
)


def parse_html(html: str) -> tuple[Node | None, bool]:
    """The tree of an HTML body, None if there is nothing in it, and whether it is all of it."""
    pieces = _DECLARATION.sub("", html, count=1).split("<", MAX_TAGS)
    is_whole = len(pieces) <= MAX_TAGS
    if not any(pieces):
        return None, True
    try:
        return lxml.html.document_fromstring("<".join(map(_thin, pieces if is_whole else pieces[:-1]))), is_whole
    except (lxml.etree.LxmlError, ValueError, AssertionError):
        return None, True


def _thin(piece: str) -> str:
    """A tag, and the text up to the next, without attributes if it has absurdly many: libxml2 compares each with each."""
    if len(piece) < _LONG:
        return piece
    head, end, text = piece.partition(">")
    is_closed = head.count('"') % 2 == 0 and head.count("'") % 2 == 0
    if is_closed and len(head.split()) + head.count("=") <= _MAX_ATTRIBUTES:
        return piece
    return "".join([*head.split(None, 1)[:1], end, text])


def html_lines(root: Node) -> list[Line]:
    return _Walker().walk(root)


def without_lines(root: Node, lines: list[Line], kept: list[bool]) -> str:
    """The HTML of `root` without the lines that are not kept; changes `root`."""
    spared = {(id(node), where) for line, keep in zip(lines, kept, strict=True) if keep for node, where in line.slots}
    dropped = [slot for line, keep in zip(lines, kept, strict=True) if not keep for slot in line.slots]
    touched: dict[int, Node] = {}
    # Texts go before the nodes they hang on: a node that goes leaves the text behind it to its neighbour.
    for node, where in sorted(dropped, key=lambda slot: slot[1] == "node"):
        if (id(node), where) not in spared:
            owner = _clear(node, where)
            touched[id(owner)] = owner
    _prune(list(touched.values()))
    body = root.find("body")
    return clean_text(lxml.html.tostring(root if body is None else body, encoding="unicode").strip())


def _clear(node: Node, where: str) -> Node:
    """Empties one slot and says which element it was in."""
    if where == "text":
        node.text = None
        return node
    owner = node.getparent()
    if where == "tail":
        node.tail = None
    else:
        node.drop_tree()
    return owner


def _prune(queue: list[Node]) -> None:
    """Removes what stands empty after its content went, up to the first element that still holds something."""
    for node in queue:
        parent = node.getparent()
        if parent is None or node.tag in {"body", "html"} or len(node) or (node.text or "").strip():
            continue
        if node.tag in _BLOCKS and (node.tail or "").strip():
            node.addprevious(lxml.html.Element("br"))  # what stood below it stays below what stood above
        node.drop_tree()
        queue.append(parent)


class _Walker:
    """Turns one tree into lines."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._line = Line()
        self._pieces: list[str] = []  # of the current line
        self._is_blank = True  # so far, the current line
        self._quotes: list[tuple[Node, Quote]] = []
        self._hint = Hint.NONE
        self._preformatted = 0

    def walk(self, root: Node) -> list[Line]:
        walker = lxml.etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, node in walker:
            if event in {"comment", "pi"}:
                self._add(node.tail, node, "tail")
            elif node.tag in _SKIPPED:
                self._skip(walker, event, node)
            elif event == "start":
                self._start(node)
            else:
                self._end(node)
        self._new_line()
        return self._lines

    def _skip(self, walker: Any, event: str, node: Node) -> None:
        if event == "start":
            walker.skip_subtree()
        else:
            self._add(node.tail, node, "tail")

    def _start(self, node: Node) -> None:
        tag, classes = node.tag, _classes(node)
        if tag in _BLOCKS:
            self._break(paragraph=_is_paragraph(tag, classes))
        if tag == "blockquote" or node.attrib:
            self._mark(node, _marks(node, classes))
        self._preformatted += tag == "pre"
        if tag in {"td", "th"}:
            self._pieces.append(" ")
        elif tag in {"br", "img", "hr"}:
            self._line.slots.append((node, "node"))
        self._add(node.text, node, "text", prefix="- " if tag == "li" else "")

    def _mark(self, node: Node, marks: set[str]) -> None:
        # Within a quote nothing can be more than quoted; not looking keeps nested marks cheap.
        if self._quote() != Quote.YES and (quote := _quote_kind(node, marks)):
            self._quotes.append((node, quote))
        self._hint = max(self._hint, _hint(node, marks))

    def _end(self, node: Node) -> None:
        if node.tag == "br":
            self._new_line()
        elif node.tag in _BLOCKS and node.tag != "hr":  # a rule goes with the line below it
            self._break(paragraph=_is_paragraph(node.tag, _classes(node)))
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
            if piece.strip() or (piece and not self._is_blank):
                self._put(piece, node, where)

    def _put(self, piece: str, node: Node, where: str) -> None:
        if self._is_blank and piece.strip():
            self._is_blank = False
            self._line.quote = self._quote()
        if not self._is_blank:
            self._line.hint, self._hint = max(self._line.hint, self._hint), Hint.NONE
        if not self._preformatted and self._pieces and self._pieces[-1].endswith(" "):
            piece = piece.lstrip(" ")
        self._pieces.append(piece)
        self._line.slots.append((node, where))

    def _quote(self) -> Quote:
        return self._quotes[-1][1] if self._quotes else Quote.NO

    def _new_line(self) -> None:
        self._line.text = "".join(self._pieces).replace("\xa0", " ").strip(" ")
        if self._is_blank:
            self._line.quote = self._quote()
        self._lines.append(self._line)
        self._line, self._pieces, self._is_blank = Line(), [], True

    def _break(self, *, paragraph: bool) -> None:
        """Ends the line; a paragraph leaves one blank line behind it."""
        if not self._is_blank or (self._line.slots and self._line.slots[-1][0].tag != "hr"):
            self._new_line()
        if paragraph and self._lines and self._lines[-1].text:
            self._new_line()


def _classes(node: Node) -> set[str]:
    return {_RENAMED.sub("", name) for name in node.get("class", "")[:500].split()}


def _marks(node: Node, classes: set[str]) -> set[str]:
    """All that a program may have marked a node with."""
    return classes | {_RENAMED.sub("", node.get(key, "")[:500]) for key in _MARKED}


def _is_paragraph(tag: str, classes: set[str]) -> bool:
    return tag in _PARAGRAPHS and not classes & _FLAT


def _quote_kind(node: Node, marks: set[str]) -> Quote:
    if marks & _QUOTES:
        return Quote.YES
    if node.tag == "blockquote":
        return Quote.YES if node.get("type", "").lower() == "cite" or node.get("cite") or "gmail_quote" in marks else Quote.MAYBE
    # Gmail wraps attribution, quote and the answers in between in a div of the class "gmail_quote" as well.
    return Quote.YES if marks & _SIGNATURES and len(node.text_content()) <= _LONGEST_SIGNATURE else Quote.NO


def _hint(node: Node, marks: set[str]) -> Hint:
    if marks & _FORWARDS:
        return Hint.FORWARD
    if marks & _RESTS or _OUTLOOK_RULE.search(node.get("style", "")[:500].replace(" ", "")):
        return Hint.REST_IS_QUOTED
    return Hint.ATTRIBUTION if marks & _ATTRIBUTIONS else Hint.NONE
