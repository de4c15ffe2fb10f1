from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("Tickets and workflow")

    def ready(self) -> None:
        from tickets import automating, events, word_index  # noqa: PLC0415 as in `accounts.apps`
        from tickets.reports.percentile import teach_sqlite  # noqa: PLC0415 as in `accounts.apps`

        connection_created.connect(teach_sqlite, dispatch_uid="tickets.teach_sqlite")
        events.listeners.append(automating.hear)
        post_migrate.connect(word_index.prepare, sender=self, dispatch_uid="tickets.word_index")
