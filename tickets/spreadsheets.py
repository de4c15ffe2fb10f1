"""Files that spreadsheets open (CSV). Whatever people wrote is text in them, never a formula that runs."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
CONTENT_TYPE = "text/csv; charset=utf-8"


def inert(text: str) -> str:
    """A cell that a spreadsheet would run as a formula is told to be text (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_RUNS) else text


def written(rows: Iterable[Iterable[str | float | None]]) -> str:
    """The whole file. Texts are made inert, numbers stay numbers, None is an empty cell."""
    file = StringIO()
    csv.writer(file).writerows([inert(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return "\ufeff" + file.getvalue()  # without the first character Excel reads UTF-8 as something else
