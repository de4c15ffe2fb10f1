"""Reads the environment, typed. A value that makes no sense is remembered in `problems`, by name, and the default is used, so that the
system check (`helpdesk/checks.py`) can tell all of them at once; no server process starts while there is one (`refuse_if_broken`).
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

problems: dict[str, str] = {}  # variable name -> what is wrong with it and what to write instead


def env_str(name: str, default: str = "") -> str:
    """The variable without surrounding white space; empty counts as not set, as docker compose passes unset ones."""
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, *, default: bool = False) -> bool:
    value = env_str(name).lower()
    if value in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return value in ("1", "true", "yes", "on") if value else default
    problems[name] = f"is {value!r}; write 1 or 0."
    return default


def env_int(name: str, default: int, *, low: int = 0, high: int = 2**31) -> int:
    value = env_str(name)
    if not value:
        return default
    if value.isascii() and value.isdigit() and low <= int(value) <= high:
        return int(value)
    problems[name] = f"is {value!r}; write a whole number from {low} to {high}."
    return default


def env_list(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Comma-separated values."""
    return [part.strip() for part in env_str(name).split(",") if part.strip()] or list(default)


def env_url(name: str, default: str, *, schemes: tuple[str, ...]) -> str:
    """A URL without a trailing slash, of one of `schemes`."""
    value = env_str(name, default)
    if value and urlsplit(value).scheme not in schemes:
        problems[name] = f"is not a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}."
        return default
    return value.rstrip("/") if value.startswith("http") else value


def env_prefixed(prefix: str) -> dict[str, str]:
    """All variables that begin with `prefix`, without it; empty ones count as not set."""
    return {name.removeprefix(prefix): env_str(name) for name in os.environ if name.startswith(prefix) and env_str(name)}


def refuse_if_broken() -> None:
    """Called by every server process (web, worker, beat, mail receiver).

    Raises ImproperlyConfigured, naming each variable, rather than to serve with a setting that nobody chose.
    """
    if problems:
        raise ImproperlyConfigured("\n".join(f"{name} {problem}" for name, problem in sorted(problems.items())))
