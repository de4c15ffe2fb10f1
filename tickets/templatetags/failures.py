"""Why a mail failed, for people."""

from __future__ import annotations

import re

from django import template

register = template.Library()

_CLASS = re.compile(r"^(?:[A-Z]\w*[A-Z]\w*|gaierror|herror): (?=.)", re.DOTALL)  # "SMTPRecipientsRefused: "


@register.filter
def without_class(error: str) -> str:
    """Without the name of the exception that the stored words begin with, which says nothing to an agent."""
    return _CLASS.sub("", error)
