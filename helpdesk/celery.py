"""The worker and beat processes: `celery -A helpdesk worker`, `celery -A helpdesk beat`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init
from django.core.exceptions import ImproperlyConfigured

from helpdesk.env import refuse_if_broken

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

app = Celery("helpdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

for _folder in {str(value) for key, value in (app.conf.broker_transport_options or {}).items() if "folder" in key}:
    Path(_folder).mkdir(parents=True, exist_ok=True)  # of the embedded broker, which does not make them itself


@worker_init.connect
@beat_init.connect
def _refuse_if_broken(**_kwargs: Any) -> None:
    """Celery logs what its receivers raise, and starts all the same; only this stops it."""
    try:
        refuse_if_broken()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error
