"""What a person wrote, told apart from what their mail program quoted and signed.

Works on lines, from text and HTML alike, in one pass. When in doubt a line is kept: the reader can skip a quote,
but cannot miss words that were dropped. Must not change a line.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tickets.mail import phrases
from tickets.mail.lines import MAX_LINES, Hint, Line, Quote

MAX_SIGNATURE_LINES = 15
ATTRIBUTION_LINES = 5
HEADER_BLOCK_LINES = 16


@dataclass(frozen=True, slots=True)
class _Attribution:
    """Lines [start, end) that say "... wrote:"; an unsure one counts only if a quote follows."""

    start: int
    end: int
    sure: bool


def is_forward(subject: str) -> bool:
    return bool(phrases.FORWARD_SUBJECT.match(subject))


def kept_lines(lines: Sequence[Line], *, forward: bool = False) -> list[bool]:
    """For each line whether the sender wrote it. A forwarded mail is kept whole."""
    everything = [True] * len(lines)
    if forward:
        return everything
    kept = _Splitter(lines).split()
    if not any(keep and line.text.strip() for line, keep in zip(lines, kept, strict=True)):
        return everything
    return kept


class _Splitter:
    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._texts = [_bare(line.text.strip()[: phrases.LONGEST]) for line in lines[:MAX_LINES]]
        self._kept = [True] * len(lines)
        self._typed = False

    def split(self) -> list[bool]:
        index = 0
        while index < len(self._texts):
            following = self._step(index)
            if following < 0:  # a forwarded message begins here and belongs to the mail
                break
            index = following
        self._drop_signatures()
        self._settle_blank_lines()
        return self._kept

    def _step(self, index: int) -> int:
        """Judges the line at `index` and says which line is next."""
        text = self._texts[index]
        if not text:
            return index + 1
        if self._lines[index].quote == Quote.YES and not phrases.GROUPWISE.match(text):
            return self._drop(index, index + 1)
        if self._begins_forward(index):
            return -1
        if self._begins_rest(index):
            return self._drop_rest(index)
        if found := self._attribution(index):
            return self._drop_attribution(found)
        self._typed = True
        return index + 1

    def _drop(self, start: int, end: int) -> int:
        self._kept[start:end] = [False] * (end - start)
        return end

    def _begins_forward(self, index: int) -> bool:
        text = self._texts[index]
        if self._lines[index].hint == Hint.FORWARD or phrases.is_forwarded(text):
            return True
        return phrases.announces_forward(text) and any(map(phrases.label, self._texts[index + 1 : index + 4]))

    def _drop_rest(self, index: int) -> int:
        """Drops all that follows; with nothing typed above, there is only what follows, so it stays."""
        below = self._below_introduction(index)
        if below < len(self._texts) and self._lines[below].quote == Quote.YES:  # it is marked: answers may stand below and between
            return self._drop(self._with_intro_above(index), below)
        if self._typed:
            return self._drop(self._with_intro_above(index), len(self._lines))
        return index + max(1, len(self._header_block(index)))

    def _below_introduction(self, index: int) -> int:
        """The first line of what is quoted below "Original Message", a header block, an attribution."""
        if phrases.ORIGINAL.match(self._texts[index]):
            index = self._next_typed(index + 1)
        if index < len(self._texts) and (block := self._header_block(index)):
            return self._next_typed(index + len(block))
        found = self._attribution(index) if index < len(self._texts) else None
        return self._next_typed(found.end) if found else index

    def _attribution(self, index: int) -> _Attribution | None:
        """The attribution that begins at `index`; programs break it into several lines."""
        hinted = self._lines[index].hint == Hint.ATTRIBUTION
        text, unsure = "", None
        for end in self._attribution_ends(index):
            text = f"{text} {self._texts[end]}".strip()
            sure = _is_attribution(text, hinted=hinted)
            if sure:
                return _Attribution(index, end + 1, sure)
            if sure is False and unsure is None:
                unsure = _Attribution(index, end + 1, sure)
            if text.endswith((":", "：")):  # nothing runs on behind a colon
                break
        return unsure

    def _attribution_ends(self, index: int) -> Iterator[int]:
        """The lines that may belong to an attribution beginning at `index`."""
        yield index
        if not self._may_begin_attribution(index):
            return
        begins_with_date = phrases.STARTS_WITH_DATE.match(self._texts[index])
        for end in range(index + 1, min(index + ATTRIBUTION_LINES, len(self._texts))):
            text = self._texts[end]
            if (begins_with_date and phrases.STARTS_WITH_DATE.match(text)) or not (text or self._next_begins(end, "<")):
                return
            yield end

    def _may_begin_attribution(self, index: int) -> bool:
        text = self._texts[index]
        if phrases.STARTS_WITH_DATE.match(text) or phrases.STARTS_WITH_NAME.match(text):
            return True
        return self._next_begins(index, "<") and bool(phrases.SHORT_NAME.match(text))

    def _next_begins(self, index: int, prefix: str) -> bool:
        return index + 1 < len(self._texts) and self._texts[index + 1].startswith(prefix)

    def _drop_attribution(self, found: _Attribution) -> int:
        quote = self._next_typed(found.end)
        if quote < len(self._texts) and self._lines[quote].quote != Quote.NO:
            self._drop(found.start, found.end)
            return self._drop_maybe_quoted(quote)
        if found.sure and self._typed:
            return self._drop(found.start, len(self._lines))
        self._typed = True
        return found.end

    def _drop_maybe_quoted(self, index: int) -> int:
        """Drops a plain <blockquote> that the attribution above made a quote."""
        while index < len(self._texts) and (self._lines[index].quote == Quote.MAYBE or not self._texts[index]):
            self._drop(index, index + 1)
            index += 1
        return index

    def _next_typed(self, index: int) -> int:
        while index < len(self._texts) and not self._texts[index]:
            index += 1
        return index

    def _begins_rest(self, index: int) -> bool:
        text = self._texts[index]
        if self._lines[index].hint == Hint.REST_IS_QUOTED:
            return True
        if self._is_reply_line(index) or phrases.ORIGINAL.match(text) or phrases.GROUPWISE.match(text):
            return True
        return phrases.label(text) in {"from", "sent", "date", "subject"} and _is_mail_header(self._header_block(index))

    def _is_reply_line(self, index: int) -> bool:
        text = self._texts[index]
        if text.startswith("##-") and "-##" not in text:  # ours, broken in two
            text = " ".join(self._texts[index : index + 2])
        return phrases.is_reply_line(text)

    def _header_block(self, index: int) -> list[str]:
        """The lines from `index` on that are headers of a mail, with those that a long header runs on to."""
        block: list[str] = []
        length = 0
        for text in self._texts[index : index + HEADER_BLOCK_LINES]:
            block.append(text)
            if phrases.label(text):
                length = len(block)
            elif len(block) - length > 2 or "" in block[length:-1]:  # one blank line may stand between two headers
                break
        return block[:length]

    def _with_intro_above(self, index: int) -> int:
        """Where a quote really begins: a separator line belongs to it, above a reply line all that introduces it."""
        if self._is_reply_line(index):
            index = self._introduction(index)
        above = self._last_typed(index)
        return above if above > 0 and phrases.RULE.match(self._texts[above]) else index

    def _introduction(self, index: int) -> int:
        """Where the lines right above `index` begin that are an attribution or header block in a language we do not know."""
        end = self._last_typed(index)
        start = end
        while start > 0 and phrases.LABELLED.match(self._texts[start - 1]) and end - start < HEADER_BLOCK_LINES:
            start -= 1
        text = self._texts[end]
        if end - start >= 2 and phrases.LABELLED.match(text):
            return start
        return end if end > 0 and text.endswith((":", "：")) and phrases.DIGIT.search(text) else index

    def _last_typed(self, index: int) -> int:
        """The last line with text above `index`, -1 if there is none."""
        above = index - 1
        while above >= 0 and not self._texts[above]:
            above -= 1
        return above

    def _drop_signatures(self) -> None:
        self._drop_pgp()
        for start, end in self._typed_blocks():
            typed = end - start - self._texts[start:end].count("")
            for index in range(start, end):
                if self._is_signature(index, typed):
                    self._drop(index, end)
                    break
                typed -= self._texts[index] != ""

    def _drop_pgp(self) -> None:
        """An inline PGP signature and the lines that announce it; the text between stays."""
        ends = [index for index, text in enumerate(self._texts) if text == phrases.PGP_SIGNATURE_END]
        for index, text in enumerate(self._texts):
            if text == phrases.PGP_SIGNED:
                self._drop(index, self._blank_below(index, index + 5))
            elif text == phrases.PGP_SIGNATURE and ends and (end := ends[bisect_left(ends, index) - len(ends)]) > index:
                self._drop(index, end + 1)

    def _typed_blocks(self) -> Iterator[tuple[int, int]]:
        """The runs of kept lines between quotes: a signature ends where its run ends."""
        start = 0
        for index in range(len(self._texts) + 1):
            if index == len(self._texts) or not self._kept[index]:
                if index > start:
                    yield start, index
                start = index + 1

    def _blank_below(self, index: int, end: int) -> int:
        while index < min(end, len(self._texts)) and self._texts[index]:
            index += 1
        return index

    def _is_signature(self, index: int, typed: int) -> bool:
        """Whether a signature begins at `index`, with `typed` lines left in its run."""
        text = self._texts[index]
        if phrases.DASHES.match(text):
            return typed <= MAX_SIGNATURE_LINES
        if phrases.LIST_RULE.match(text):
            return any(phrases.LIST_FOOTER.match(below) for below in self._texts[index + 1 : index + 4])
        return typed == 1 and phrases.is_mobile_signature(text)

    def _settle_blank_lines(self) -> None:
        """A blank line goes where the line above it went."""
        above = True
        for index, text in enumerate(self._texts):
            if text:
                above = self._kept[index]
            else:
                self._kept[index] = above


def _bare(text: str) -> str:
    """`text` without the invisible marks that programs sprinkle over their own lines."""
    return text if text.isascii() else phrases.MARKS.sub("", text).strip()


def _is_attribution(text: str, *, hinted: bool) -> bool | None:
    """True for surely, False for if-a-quote-follows, None for no."""
    otherwise = False if hinted else None
    if len(text) > phrases.LONGEST or not text.endswith((":", "：", "-", ">")):
        return otherwise
    dated = bool(phrases.STARTS_WITH_DATE.match(text))
    timed = bool(phrases.TIME_OR_YEAR.search(text))
    if phrases.DASHED_WROTE.match(text):
        return timed or bool(phrases.EMAIL.search(text))
    if phrases.WROTE.search(text[-phrases.LONGEST_TAIL :]):
        return timed and (dated or bool(phrases.STARTS_WITH_NAME.match(text)))
    if dated and timed and phrases.ANGLE_EMAIL.search(text):
        return text.endswith((":", "：")) or otherwise
    return False if timed and phrases.EMAIL.search(text) else otherwise


def _is_mail_header(block: list[str]) -> bool:
    """Whether labels belong to a mail and not to a timetable ("From: Berlin, To: Hamburg, Date: 5 May")."""
    kinds = {phrases.label(text) for text in block} - {"", "other"}
    if "from" not in kinds or not kinds & {"sent", "date", "subject"}:
        return False
    return "sent" in kinds or {"subject", "to"} <= kinds or any(phrases.EMAIL.search(text) for text in block)
