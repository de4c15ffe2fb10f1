"""The index that related tickets are found in: which words a ticket's subject and first message have. Written by `tickets.search.indexing` alone.

It says what a ticket was when it was indexed, so nothing is shown for being in it: `tickets.search.similar` asks `access` once more.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.db import models

STAFF = 0  # the scope of all staff; a private group's is its id below zero, an organization's its id


def day_of(moment: datetime) -> int:
    """As the index counts days."""
    return (moment.astimezone(UTC).date() - date(1970, 1, 1)).days


class Posting(models.Model):
    """A word of a ticket, once for each circle of people that sees it: staff, and every organization that it is shared with.

    The key holds all columns, so that its index answers alone: the newest tickets of a word within a scope are one range of it, read backwards.
    """

    pk = models.CompositePrimaryKey("scope", "term", "ticket", "impact", "day")
    scope = models.IntegerField()
    term = models.IntegerField()  # see `tickets.search.terms`
    ticket = models.BigIntegerField()  # a number and no foreign key: rows come by the hundred, and access is asked of the ticket itself
    impact = models.SmallIntegerField()  # what the word says of the ticket
    day = models.SmallIntegerField()  # when the ticket was opened, see `day_of`

    def __str__(self) -> str:
        return f"{self.term} in #{self.ticket} for {self.scope}"


class IndexedTicket(models.Model):
    """What the postings of a ticket were made of, so that they can be taken out again."""

    ticket = models.BigIntegerField(primary_key=True)
    scopes: models.JSONField[list[int]] = models.JSONField()
    terms: models.JSONField[dict[str, int]] = models.JSONField()  # impacts by term
    day = models.SmallIntegerField()

    def __str__(self) -> str:
        return f"#{self.ticket}"
