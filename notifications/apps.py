from __future__ import annotations

import logging
from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Mail to people")

    def ready(self) -> None:
        from tickets.events import event_recorded  # noqa: PLC0415 models are not loaded yet when this module is

        event_recorded.connect(wake_sender, dispatch_uid="notifications.wake_sender")


def wake_sender(**_kwargs: Any) -> None:
    """Nudges the worker. Without a broker nothing is lost: the schedule finds the work within seconds of its return."""
    from notifications.tasks import relay  # noqa: PLC0415 as above

    try:
        relay.apply_async(retry=False)
    except (OperationalError, OSError):
        logger.warning("the broker does not answer; the schedule will find the work")
