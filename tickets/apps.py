from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("Tickets and workflow")

    def ready(self) -> None:
        from tickets import events  # noqa: PLC0415 as in `accounts.apps`
        from tickets.automation import acting  # noqa: PLC0415
        from tickets.reports.functions import teach_sqlite  # noqa: PLC0415 as in `accounts.apps`
        from tickets.search import word_index  # noqa: PLC0415

        connection_created.connect(teach_sqlite, dispatch_uid="tickets.teach_sqlite")
        events.listeners.append(acting.hear)
        post_migrate.connect(word_index.prepare, sender=self, dispatch_uid="tickets.search.word_index")
