"""How good and how quick related tickets are, on real ones: `python bench/related.py FOLDER` loads a corpus into the empty database that DATABASE_URL names.

`serve` answers a JSON object a line (qid, subject, description, before, exclude, org) with {"ids": […]}, as an agent who sees all, or as a
customer of `org`. `--copies 26` makes a million of 39,018 (PostgreSQL), and `time FOLDER` tells what a question costs then.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
os.environ.setdefault("DEMO", "1")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Count  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Membership, Organization, Role, User  # noqa: E402
from tickets.lifecycle import Category  # noqa: E402
from tickets.models import Channel, Comment, IndexedTicket, OrganizationShare, Posting, Status, Ticket  # noqa: E402
from tickets.search import indexing  # noqa: E402
from tickets.search.similar import Question, similar  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

_A_DAY = 150  # questions: the corpus has no dates, and its numbers rose by about as many
_BEGUN = datetime(2023, 1, 2, tzinfo=UTC), 1_401_059  # the number of that day
_SHOWN = 30
PUBLIC = "Everybody"  # the organization that all are in, with which what is public is shared


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", help="serve, time, or a folder to load")
    parser.add_argument("folder", nargs="?", type=Path, help="of queries.jsonl, for time")
    parser.add_argument("--copies", type=int, default=1)
    options = parser.parse_args()
    if options.what == "serve":
        serve()
    elif options.what == "time":
        measure(options.folder)
    else:
        load(Path(options.what), options.copies)


# --- Loading -------------------------------------------------------------------------------------------------------------------


def load(folder: Path, copies: int) -> None:
    call_command("migrate", verbosity=0)
    call_command("preset", "apty", verbosity=0)
    if Ticket.objects.exists():
        sys.exit("This database has tickets already: name an empty one in DATABASE_URL.")
    rows = [json.loads(line) for line in _lines(folder)]
    organizations = _organizations({row["org"] for row in rows})
    asker = User.objects.create_user("asker@elsewhere.example")  # of none: everything is seen through organizations
    User.objects.create_user("agent@support.example", role=Role.AGENT)
    status = Status.objects.get(category=Category.NEW, is_default=True)
    for start in range(0, len(rows), 2000):
        _insert(rows[start : start + 2000], organizations, asker, status)
    begun, count = time.process_time(), indexing.index_waiting(most=1000)
    print(f"{1000 * (time.process_time() - begun) / count:.1f} ms of this process to index a ticket, as the worker does it")
    _index_rest()
    if copies > 1:
        _multiply(copies)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("VACUUM ANALYZE")


def _lines(folder: Path) -> Iterator[str]:
    path = next(path for path in sorted(folder.rglob("corpus.jsonl*")))
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from file


def _organizations(numbers: set[int]) -> dict[int, Organization]:
    """Each with one member, who asks for it."""
    public = Organization.objects.create(name=PUBLIC)
    made = {number: Organization(name=f"Organization {number}") for number in sorted(numbers)}
    Organization.objects.bulk_create(made.values())
    people = {number: User(email=_member(number), password="!") for number in made}
    User.objects.bulk_create(people.values())
    belongs = [Membership(user=people[number], organization=one) for number, made_one in made.items() for one in (made_one, public)]
    Membership.objects.bulk_create(belongs)
    return {**made, -1: public}


def _member(number: int) -> str:
    return f"member{number}@elsewhere.example"


def _insert(rows: list[dict[str, Any]], organizations: dict[int, Organization], asker: User, status: Status) -> None:
    tickets = [
        Ticket(
            pk=row["id"],
            subject=row["subject"].replace("\0", "")[:250],
            requester=asker,
            status=status,
            category=status.category,
            channel=Channel.PORTAL,
            created_at=_moment(row["id"]),
        )
        for row in rows
    ]
    Ticket.objects.bulk_create(tickets)
    Comment.objects.bulk_create(
        Comment(ticket_id=row["id"], author=asker, text=row["description"].replace("\0", ""), channel=Channel.PORTAL) for row in rows
    )
    shares = [(row["id"], row["org"]) for row in rows] + [(row["id"], -1) for row in rows if row["public"]]
    OrganizationShare.objects.bulk_create(OrganizationShare(ticket_id=pk, organization=organizations[org]) for pk, org in shares)


def _moment(number: int) -> datetime:
    begun, first = _BEGUN
    return begun + timedelta(days=(number - first) / _A_DAY)


def _index_rest() -> None:
    """What the worker would write, all at once."""
    while numbers := list(Ticket.objects.filter(is_indexed=False).values_list("pk", flat=True)[:2000]):
        indexed = list(indexing.made_of(Ticket.objects.in_bulk(numbers)))
        IndexedTicket.objects.bulk_create(indexed)
        rows = [row for one in indexed for row in indexing.postings(one)]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                lines = io.StringIO("".join("\t".join(map(str, row)) + "\n" for row in rows))
                cursor.copy_expert("COPY tickets_posting (scope, term, ticket, impact, day) FROM STDIN", lines)
            else:
                cursor.executemany("INSERT INTO tickets_posting (scope, term, ticket, impact, day) VALUES (%s, %s, %s, %s, %s)", rows)
        Ticket.objects.filter(pk__in=numbers).update(is_indexed=True)


def _multiply(copies: int) -> None:
    """Each ticket becomes as many, with numbers beside each other, of the same day, and with every eighth word another one."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET maintenance_work_mem = '1GB'; SET session_replication_role = replica")
        cursor.execute("ALTER TABLE tickets_posting DROP CONSTRAINT tickets_posting_pkey")
        for model, key in (
            (Ticket, "id"),
            (Comment, "ticket_id"),
            (OrganizationShare, "ticket_id"),
            (Posting, "ticket"),
            (IndexedTicket, "ticket"),
        ):
            table, values = (
                model._meta.db_table,
                {field.column: f"t.{field.column}" for field in model._meta.concrete_fields if field.column},
            )
            if key != "id":
                values.pop("id", None)
            values[key] = f"t.{key} + copy"
            if model is Posting:
                values["term"] = "CASE WHEN t.term <> 0 AND (t.term + t.ticket + copy * 7919) % 8 = 0 THEN t.term # copy ELSE t.term END"
            cursor.execute(f"UPDATE {table} SET {key} = {key} * {copies}")
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {table} t, generate_series(1, {copies - 1}) copy"
            )
        cursor.execute("ALTER TABLE tickets_posting ADD PRIMARY KEY (scope, term, ticket, impact, day)")
        cursor.execute("SET session_replication_role = DEFAULT")
    print(f"{Ticket.objects.count():,} tickets, {Posting.objects.count():,} postings")


# --- Asking --------------------------------------------------------------------------------------------------------------------


def serve() -> None:
    agent = User.objects.get(email="agent@support.example")
    for line in sys.stdin:
        asked = json.loads(line)
        user = agent if asked.get("org") is None else User.objects.filter(email=_member(asked["org"])).first()
        ids = [] if user is None else [ticket.pk for ticket in similar(user, _question(asked), among=_TICKETS, limit=_SHOWN)]
        print(json.dumps({"ids": ids}), flush=True)


_TICKETS = Ticket.objects.only("pk")


def _question(asked: dict[str, Any]) -> Question:
    before = asked.get("before")
    return Question(
        asked.get("subject") or "",
        asked.get("description") or "",
        at=_moment(before or Ticket.objects.latest("pk").pk),
        without=frozenset(asked.get("exclude") or ()),
        **({"before": before} if before else {}),
    )


def measure(folder: Path) -> None:
    """Each question as it stands in the file, over all tickets; of customers of organizations that see about 200, and the most."""
    questions = [json.loads(line) for line in next(folder.rglob("queries.jsonl")).open(encoding="utf-8")]
    now = timezone.now()
    sizes = Organization.objects.exclude(name=PUBLIC).annotate(tickets=Count("share_rows"))
    public = Organization.objects.get(name=PUBLIC)
    few = min(sizes, key=lambda one: abs(one.tickets - 200))
    most = max(sizes, key=lambda one: one.tickets)
    customer, of_most = (Membership.objects.get(organization=one).user for one in (few, most))
    Membership.objects.filter(user=customer, organization=public).delete()
    agent = User.objects.get(email="agent@support.example")
    for name, user in (
        (f"customer who sees {few.tickets}", customer),
        (f"customer who sees {most.tickets} and what is public", of_most),
        ("agent", agent),
    ):
        took = []
        for asked in questions[:20] + questions:
            begun = time.perf_counter()
            similar(user, Question(asked["subject"], asked["description"], at=now), among=_TICKETS)
            took.append(1000 * (time.perf_counter() - begun))
        took = sorted(took[20:])
        print(f"{name}: p50 {took[len(took) // 2]:.1f} ms, p95 {took[int(0.95 * len(took))]:.1f} ms, at most {took[-1]:.1f} ms")


if __name__ == "__main__":
    main()
