"""The choices of a select, all at once: a page of the desk has well over a hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from collections.abc import Iterable

register = template.Library()

_SELECTED = mark_safe(" selected")


@register.simple_tag
def options(choices: Iterable[tuple[object, object]], chosen: object = None) -> SafeString:
    """`choices`: pairs of a value and its words."""
    mark = {str(chosen): _SELECTED}
    rows = ((value, mark.get(str(value), ""), words) for value, words in choices)
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)
