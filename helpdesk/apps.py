from __future__ import annotations

from django.apps import AppConfig


class HelpdeskConfig(AppConfig):
    """The wiring: settings, addresses, checks, and the commands that start things. No models."""

    name = "helpdesk"

    def ready(self) -> None:
        from helpdesk import checks  # noqa: F401, PLC0415 registers the system checks, once the apps are there
