"""The wiring of the three apps. `celery_app` is loaded here so that `.delay()` finds the configured broker in every process."""

from __future__ import annotations

from helpdesk.celery import app as celery_app

__all__ = ["celery_app"]
