"""Texts that an admin writes and the product completes: "{priority}" and the like. Pure.

Only the names that are given are known. Everything else stays as it was written: this is no language, and reaches nothing but the values at hand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_PLACEHOLDER = re.compile(r"\{([a-z_]{1,30})\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """In one pass, so that what stands in a value is never completed in turn."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def unknown(text: str, known: Collection[str]) -> list[str]:
    """What looks like a placeholder and is none; for who writes the text."""
    return [f"{{{name}}}" for name in dict.fromkeys(_PLACEHOLDER.findall(text)) if name not in known]
