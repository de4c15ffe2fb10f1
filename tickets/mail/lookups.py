"""Asks the DNS, within a time that is set beforehand: a mail that can't be checked must not keep the others waiting.

While our own resolver is silent nobody is asked for some minutes. A sender's slow name server is no reason for that, or anybody could switch the checks off.
"""

from __future__ import annotations

import logging
import time
from functools import cache
from typing import Any

import dns.exception
import dns.resolver
from django.core.cache import cache as remembered

logger = logging.getLogger(__name__)

_PER_QUESTION = 2.0  # seconds
_SILENT, _SILENT_FOR = "dns-silent", 180  # seconds
_NOT_THERE = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.YXDOMAIN)
_AWAY = (dns.exception.Timeout, dns.resolver.NoNameservers, dns.resolver.NoResolverConfiguration, OSError)


class Silence(Exception):
    """No answer in time, which says nothing about the name."""


@cache
def resolver() -> dns.resolver.Resolver:
    found = dns.resolver.Resolver()
    found.cache = dns.resolver.LRUCache(5_000)
    return found


class Lookups:
    """The questions about one mail, which together may take `seconds`."""

    def __init__(self, *, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def ask(self, name: str, kind: str) -> list[Any]:
        """The records; none where there is no such name, or it is none. Raises Silence."""
        left = self._end - time.monotonic()
        if left <= 0 or remembered.get(_SILENT):
            raise Silence
        try:
            return list(resolver().resolve(name, kind, lifetime=min(left, _PER_QUESTION), search=False))
        except _NOT_THERE:
            return []
        except _AWAY as error:
            _remember_if_all_is_silent()
            raise Silence from error
        except (dns.exception.DNSException, UnicodeError, ValueError):
            return []

    def texts(self, name: str) -> list[bytes]:
        """TXT records, each in one piece."""
        return [b"".join(record.strings) for record in self.ask(name, "TXT")]


def _remember_if_all_is_silent() -> None:
    """The root's name servers are known to every resolver that works at all."""
    try:
        resolver().resolve(".", "NS", lifetime=1.0, search=False)
    except _AWAY:
        logger.warning("the DNS does not answer; for %s seconds no mail is checked", _SILENT_FOR)
        remembered.set(_SILENT, value=True, timeout=_SILENT_FOR)
    except dns.exception.DNSException:
        return
