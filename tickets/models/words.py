"""What search looks through: the words of each ticket, those that everybody who sees it may read apart from those that are for staff.

Written by `tickets.search.word_index` alone, in the transaction that says them; read by `tickets.search.full_text`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from tickets.models.ticket import Ticket
from tickets.search.words import tsvector

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class Words(models.Field):  # type: ignore[type-arg] # generic in the stubs alone
    """A document of `tickets.search.words`: a tsvector on PostgreSQL, elsewhere text. Written, never read back."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002 Django's
        return tsvector(value) if connection.vendor == "postgresql" else value


class TicketWords(models.Model):
    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, primary_key=True, related_name="+")
    public = Words()  # number, subject, what was said in public and the names of its files
    internal = Words()  # notes and the names of their files; names and addresses of customers
    size = models.PositiveIntegerField()  # bytes of both, about

    def __str__(self) -> str:
        return f"#{self.ticket_id}"
