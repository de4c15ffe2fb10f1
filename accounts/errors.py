"""What a verb answers when it can't be done. Told to the person who asked, in its own words (see `helpdesk.middleware`)."""

from __future__ import annotations


class DomainError(Exception):
    """The verb can't be done; the message says why, to the person who asked for it."""


class NotAllowed(DomainError):
    """This person may not do that."""


class IllegalMove(DomainError):
    """What it is about is in no state for that."""
