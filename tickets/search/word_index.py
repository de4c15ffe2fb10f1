"""Keeps the words that search looks through (`TicketWords`), and makes the indexes that they are found by.

What is said is added where it is said, in the same transaction. A verb that changes words otherwise (moves comments, takes text out) calls `write`,
or, where some seconds do not matter, takes back `Ticket.is_indexed`: `tickets.search.indexing` then writes them again.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.db import connection

from accounts.models import Role
from tickets.models import Attachment, Comment, Ticket, TicketWords
from tickets.search.words import document

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from accounts.models import User

_MOST = 700_000  # bytes of one ticket; PostgreSQL takes a megabyte, places included
_TABLE = TicketWords._meta.db_table
FOUND = "tickets_words_found"  # the index: on PostgreSQL a GIN index, on SQLite a table of FTS5
_COLUMNS = ("ticket", "public", "internal", "size")

_FITS = f"{_TABLE}.size + excluded.size <= {_MOST}"
_ADD = (
    f"INSERT INTO {_TABLE} (ticket_id, public, internal, size) VALUES (%s, %s, %s, %s) ON CONFLICT (ticket_id) DO UPDATE SET "  # noqa: S608
    f"public = CASE WHEN {_FITS} THEN {_TABLE}.public || excluded.public ELSE {_TABLE}.public END, "
    f"internal = CASE WHEN {_FITS} THEN {_TABLE}.internal || excluded.internal ELSE {_TABLE}.internal END, "
    f"size = CASE WHEN {_FITS} THEN {_TABLE}.size + excluded.size ELSE {_TABLE}.size END"
)


def add(said: Comment, *, files: Iterable[str] = (), is_first: bool = False) -> None:
    """What was just said on a ticket whose row is locked, and the names of its files; with the first, the ticket itself. One query."""
    ticket, texts = said.ticket, [said.text, *files]
    people = _customers(said.author, without=ticket.requester)
    if is_first:
        texts, people = [*_of(ticket), *texts], [*_people_of(ticket), *people]
    words = of(ticket.pk, public=[] if said.is_internal else texts, internal=[*(texts if said.is_internal else []), *people])
    with connection.cursor() as cursor:
        cursor.execute(_ADD, prepared(words))


def write(numbers: Collection[int]) -> None:
    """All words of these tickets anew, whose rows are locked. Five queries."""
    TicketWords.objects.filter(ticket__in=numbers).delete()
    TicketWords.objects.bulk_create(_made_of(numbers))


def _made_of(numbers: Collection[int]) -> Iterator[TicketWords]:
    public: dict[int, list[str]] = defaultdict(list)
    internal: dict[int, list[str]] = defaultdict(list)
    tickets = Ticket.objects.filter(pk__in=numbers).select_related("requester", "filer").in_bulk()
    for ticket in tickets.values():
        public[ticket.pk] += _of(ticket)
        internal[ticket.pk] += _people_of(ticket)
    for comment in Comment.objects.filter(ticket__in=numbers).select_related("author").defer("html", "quoted").order_by("pk"):
        (internal if comment.is_internal else public)[comment.ticket_id].append(comment.text)
        internal[comment.ticket_id] += _customers(comment.author, without=tickets[comment.ticket_id].requester)
    for ticket_id, is_internal, name in Attachment.objects.filter(comment__ticket__in=numbers).values_list(
        "comment__ticket", "comment__is_internal", "name"
    ):
        (internal if is_internal else public)[ticket_id].append(name)
    for pk in tickets:
        yield of(pk, public=public[pk], internal=dict.fromkeys(internal[pk]))


def of(ticket: int, *, public: Iterable[str], internal: Iterable[str]) -> TicketWords:
    return made_of_documents(ticket, document(public), document(internal))


def made_of_documents(ticket: int, public: str, internal: str) -> TicketWords:
    """Of what is too much, what was said last is left out."""
    kept, size = [], 0
    for text in (public, internal):
        fits = text.encode()[: (_MOST - size) // 2].decode(errors="ignore")
        kept.append(fits if fits == text else fits.rpartition(" ")[0])
        size += 2 * len(kept[-1].encode())  # with the places
    return TicketWords(ticket_id=ticket, public=kept[0], internal=kept[1], size=size)


def prepared(words: TicketWords) -> list[Any]:
    """As its columns have it."""
    fields = map(TicketWords._meta.get_field, _COLUMNS)
    return [field.get_db_prep_save(getattr(words, field.attname), connection) for field in fields]  # type: ignore[union-attr]


def _of(ticket: Ticket) -> list[str]:
    return [str(ticket.number), ticket.subject]


def _people_of(ticket: Ticket) -> list[str]:
    return [text for person in (ticket.requester, ticket.filer) if person for text in (person.name, person.email)]


def _customers(author: User, *, without: User) -> list[str]:
    """The desk's own people are on every ticket: their names would find all of them."""
    return [] if author == without or author.role != Role.CUSTOMER else [author.name, author.email]


# --- The indexes -------------------------------------------------------------------------------------------------------------------


_GIN = f"CREATE INDEX IF NOT EXISTS {FOUND} ON {_TABLE} USING gin ((public || internal)) WITH (gin_pending_list_limit = 512)"
_TO_FIND = f"INSERT INTO {FOUND}(rowid, public, internal) VALUES (new.ticket_id, new.public, new.internal);"  # noqa: S608
_TO_FORGET = f"INSERT INTO {FOUND}({FOUND}, rowid, public, internal) VALUES ('delete', old.ticket_id, old.public, old.internal);"  # noqa: S608
_FTS5 = (
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {FOUND} USING fts5(public, internal, content='{_TABLE}', content_rowid='ticket_id', tokenize='ascii')",
    f"CREATE TRIGGER IF NOT EXISTS {FOUND}_new AFTER INSERT ON {_TABLE} BEGIN {_TO_FIND} END",
    f"CREATE TRIGGER IF NOT EXISTS {FOUND}_old AFTER DELETE ON {_TABLE} BEGIN {_TO_FORGET} END",
    f"CREATE TRIGGER IF NOT EXISTS {FOUND}_changed AFTER UPDATE ON {_TABLE} BEGIN {_TO_FORGET} {_TO_FIND} END",
)


def prepare(**_signal: Any) -> None:
    """After each migration, as no model can say it: see `tickets.apps`."""
    if _TABLE in connection.introspection.table_names():
        with connection.cursor() as cursor:
            for statement in (_GIN,) if connection.vendor == "postgresql" else _FTS5:
                cursor.execute(statement)
