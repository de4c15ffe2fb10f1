"""Whose mail a forwarded one is, as its text says. Pure. That proves nothing: a person decides what to make of it."""

from __future__ import annotations

import re
from itertools import islice

from tickets.mail import phrases
from tickets.mail.addresses import addr_spec
from tickets.mail.quotes import is_forward

_LINES = 400  # the forwarded mail's header stands near the top
_ADDRESS = re.compile(r"[^\s<>()\[\]:：\"*]{1,64}@[^\s<>()\[\]:\"*]{1,255}")


def original_sender(*, subject: str, text: str) -> str:
    """The address in the first "From:" line below the mark of a forwarded mail, or of all lines where the subject says it is one; '' if there is none."""
    is_passed_on = is_forward(subject)
    for line in islice(text.splitlines(), _LINES):
        bare = line.strip(" \t>*|")[: phrases.LONGEST]
        if is_passed_on and phrases.label(bare) == "from":
            found = _ADDRESS.search(bare)
            return addr_spec(found[0]) if found else ""
        is_passed_on = is_passed_on or phrases.is_forwarded(bare) or phrases.announces_forward(bare)
    return ""
