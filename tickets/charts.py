"""Where the marks of a chart stand. Pure: numbers in, numbers out; `components/chart.html` draws them.

A chart is drawn 1000 wide and 200 high and stretched to its place, so nothing in it is text: names and numbers stand beside it as words of the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

WIDTH, HEIGHT = 1000, 200
_ROOM = 0.72  # of its slot that a bar takes


class Shape(StrEnum):
    """They differ in form, not by colour alone."""

    BARS = "bars"
    LINE = "line"
    DASHES = "dashes"


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: Sequence[int | None]
    shape: Shape


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """A series: its bars, or the path of its line and its points. A gap in the values is one in the line."""

    name: str
    shape: Shape
    bars: list[Bar]
    path: str
    points: str


@dataclass(frozen=True, slots=True)
class Slot:
    """The width of one label, which tells its numbers to the pointer."""

    x: float
    width: float
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    summary: str  # in words, for who does not see it
    drawn: list[Drawn]
    slots: list[Slot]
    scale: list[str]  # from the top down
    labels: list[str]  # below it: first, middle, last


def chart(
    title: str, labels: Sequence[str], series: Sequence[Series], *, in_words: Callable[[int | None], str], is_time: bool = False
) -> Chart:
    """`in_words` writes a value, such as "2 h 5 min"; `is_time`: values are minutes."""
    values = [value for one in series for value in one.values if value is not None]
    top = _nice_minutes(max(values, default=0)) if is_time else _nice(max(values, default=0))
    width = WIDTH / max(1, len(labels))
    return Chart(
        title=title,
        summary=" ".join(_summary(one, labels, in_words) for one in series),
        drawn=[_drawn(one, width, top) for one in series],
        slots=[
            Slot(
                _r(at * width),
                _r(width),
                "\n".join([label, *(f"{one.name}: {in_words(one.values[at])}" for one in series if at < len(one.values))]),
            )
            for at, label in enumerate(labels)
        ],
        scale=[in_words(top), in_words(top // 2), in_words(0)],
        labels=_few(labels),
    )


def _drawn(series: Series, width: float, top: int) -> Drawn:
    middles = [(_r((at + 0.5) * width), _r(HEIGHT - HEIGHT * value / top)) for at, value in _known(series.values)]
    if series.shape is Shape.BARS:
        half = width * _ROOM / 2
        bars = [Bar(_r(x - half), y, _r(2 * half), _r(HEIGHT - y)) for x, y in middles]
        return Drawn(series.name, series.shape, bars, "", "")
    runs = "".join(
        f"{'L' if _follows(series.values, at) else 'M'}{x} {y}" for (at, _v), (x, y) in zip(_known(series.values), middles, strict=True)
    )
    return Drawn(series.name, series.shape, [], runs, "".join(f"M{x} {y}h0" for x, y in middles))


def _known(values: Sequence[int | None]) -> list[tuple[int, int]]:
    return [(at, value) for at, value in enumerate(values) if value is not None]


def _follows(values: Sequence[int | None], at: int) -> bool:
    return at > 0 and values[at - 1] is not None


def _summary(series: Series, labels: Sequence[str], in_words: Callable[[int | None], str]) -> str:
    known = _known(series.values)
    if not known:
        return f"{series.name}: –."
    low, high = min(known, key=lambda pair: pair[1]), max(known, key=lambda pair: pair[1])
    return f"{series.name}: {in_words(low[1])} ({labels[low[0]]}) – {in_words(high[1])} ({labels[high[0]]})."


def _few(labels: Sequence[str]) -> list[str]:
    if len(labels) < 3:
        return [*labels]
    return [labels[0], labels[len(labels) // 2], labels[-1]]


def _nice(value: int) -> int:
    """The round even number at or above it, at least 2."""
    if value <= 2:
        return 2
    power: int = 10 ** int(log10(value))
    return next(ceil(step * power) for step in (1, 2, 4, 6, 8, 10, 20) if step * power >= value and step * power % 2 == 0)


def _nice_minutes(value: int) -> int:
    """The same in minutes up to an hour, in whole hours above it."""
    return _nice(value) if value <= 60 else 60 * _nice(ceil(value / 60))


def _r(number: float) -> float | int:
    """Short in the page."""
    rounded = round(number, 1)
    return int(rounded) if rounded == int(rounded) else rounded


def shares(values: Iterable[int | None]) -> list[int]:
    """Each as a part of the greatest, in percent: the length of a bar in a row."""
    known = [value or 0 for value in values]
    return [round(100 * value / (max(known) or 1)) for value in known]


def heat(values: Iterable[int]) -> list[int]:
    """Steps from 0, for nothing, to 5, for the greatest."""
    known = [*values]
    return [ceil(5 * value / (max(known, default=0) or 1)) for value in known]
