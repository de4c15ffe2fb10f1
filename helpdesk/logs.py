"""Keeps out of the log what opens something: links that are themselves the key to it."""

from __future__ import annotations

import logging

from accounts.keys import without_keys


class WithoutKeys(logging.Filter):
    """Lets every record pass, less the keys in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if (kept := without_keys(said)) != said:
            record.msg, record.args = kept, ()
        return True
