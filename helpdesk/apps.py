from __future__ import annotations

from functools import lru_cache
from typing import Any

import lucide
from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import pre_migrate


class HelpdeskConfig(AppConfig):
    """The wiring: settings, addresses, checks, and the commands that start things. No models."""

    name = "helpdesk"

    def ready(self) -> None:
        # An icon is a tree that is copied and written out anew each time; a list shows the same three a hundred times.
        lucide._render_icon = lru_cache(maxsize=512)(lucide._render_icon)
        pre_migrate.connect(_take_your_time, dispatch_uid="helpdesk.take_your_time")
        from helpdesk import checks  # noqa: F401, PLC0415 registers the system checks, once the apps are there


def _take_your_time(*, using: str, **_kwargs: Any) -> None:
    """An index over a million rows takes longer than a request may. Waiting for a lock still ends: whoever waits for it keeps everybody else waiting."""
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
