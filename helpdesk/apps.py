from __future__ import annotations

from functools import lru_cache

import lucide
from django.apps import AppConfig


class HelpdeskConfig(AppConfig):
    """The wiring: settings, addresses, checks, and the commands that start things. No models."""

    name = "helpdesk"

    def ready(self) -> None:
        # An icon is a tree that is copied and written out anew each time; a list shows the same three a hundred times.
        lucide._render_icon = lru_cache(maxsize=512)(lucide._render_icon)
        from helpdesk import checks  # noqa: F401, PLC0415 registers the system checks, once the apps are there
