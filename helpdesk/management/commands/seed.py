"""`manage.py seed --tickets 100000`: fills an empty database with plausible tickets, to measure and to try things on. Mails nobody.

Several processes think up the tickets, this one writes them: PostgreSQL takes them by COPY with the indexes made afterwards, SQLite by bulk inserts. All
of it is one transaction, so that what is broken off leaves nothing behind.
"""

from __future__ import annotations

import gc
import io
import json
import os
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import product
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AgentGroup, EmailDomain, Membership, Organization, Role, User
from tickets.demo.seeding import COLUMNS, Cast, Stories, companies, names
from tickets.lifecycle import Category
from tickets.models import Comment, Event, Posting, Priority, Status, Ticket, TicketType, TicketWords
from tickets.sla.policies import promised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.core.management.base import CommandParser
    from django.db.models import Model

    from tickets.demo.seeding import Rows

_BATCH = 1_000
_CUSTOMERS, _PEOPLE_OF_A_COMPANY, _AGENTS = 5_000, 12, 40


class Command(BaseCommand):
    help = "Fills a database that has no tickets with plausible ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tickets", type=int, required=True, help="how many")

    def handle(self, *_args: Any, **options: Any) -> None:
        count = options["tickets"]
        if count < 1:
            raise CommandError("--tickets must be at least 1.")
        if Ticket.objects.exists():
            raise CommandError("This database has tickets already. Name an empty one in DATABASE_URL.")
        if not Status.objects.exists():
            call_command("preset", "apty", verbosity=0)
        begun = time.monotonic()
        with _without_limits(), transaction.atomic(), _bulk(self._say):
            stories = Stories(_cast(min(_CUSTOMERS, count)), count=count, now=timezone.now())
            written: dict[type[Model], int] = dict.fromkeys(COLUMNS, 0)
            for made in _made(stories):
                for model, (rows, text) in made.items():
                    _write(model, text)
                    written[model] += rows
                self._show(written[Ticket], count, begun)
        _tidy_up()
        said = ", ".join(f"{written[model]:,} {model._meta.verbose_name_plural}" for model in (Ticket, Comment, Event, Posting))
        self._say(f"\ndone: {said} in {time.monotonic() - begun:.0f} s\n")

    def _show(self, done: int, count: int, begun: float) -> None:
        passed = time.monotonic() - begun
        bar = ("█" * (30 * done // count)).ljust(30, "░")
        self._say(f"\r{bar} {done:,} of {count:,}, {done / passed:,.0f} a second, {passed * (count - done) / done:.0f} s left   ")

    def _say(self, text: str) -> None:
        self.stdout.write(text, ending="")
        self.stdout.flush()


# --- People ------------------------------------------------------------------------------------------------------------------------


def _cast(customers: int) -> Cast:
    people = [User(name=name, email=f"{local}@{domain}", password="!") for name, local, domain in _addresses(customers)]  # noqa: S106
    User.objects.bulk_create(people, batch_size=1000)
    groups = list(AgentGroup.objects.filter(is_private=False)) or [AgentGroup.objects.create(name="Support", is_default=True)]
    agents = _agents(groups)
    priorities, types = list(Priority.objects.filter(is_retired=False)), list(TicketType.objects.filter(is_retired=False))
    if not (priorities and types):
        raise CommandError("There are no priorities or no types. `manage.py preset apty` makes some.")
    statuses = list(Status.objects.filter(is_retired=False))
    begins = {Category(status.category): status for status in statuses if status.is_default}
    nobody_s = Organization.objects.none()  # no policy names one that is made here
    wanted = product(groups, [None, *types], [None, *priorities])
    return Cast(
        customers=people,
        organization_of=_organizations(people),
        agents=agents,
        group_of={agent.pk: groups[at % len(groups)] for at, agent in enumerate(agents)},
        statuses={Category.RESOLVED: begins[Category.CLOSED], **begins},
        waiting=[status for status in statuses if status.category == Category.WAITING],
        types=types,
        priorities=priorities,
        promised={
            (group.pk, kind.pk if kind else None, priority.pk if priority else None): promised(
                organizations=nobody_s, group=group, type=kind, priority=priority
            )
            for group, kind, priority in wanted
        },
    )


def _addresses(count: int) -> Iterator[tuple[str, str, str]]:
    firms = companies(-(-count // _PEOPLE_OF_A_COMPANY))
    for at, (name, local) in enumerate(names(count)):
        yield name, local, firms[at % len(firms)][1]


def _organizations(people: list[User]) -> dict[int, Organization]:
    """By the person's id. One in twenty belongs to none."""
    firms = companies(-(-len(people) // _PEOPLE_OF_A_COMPANY))
    made = [Organization(name=name) for name, _domain in firms]
    Organization.objects.bulk_create(made)
    EmailDomain.objects.bulk_create(EmailDomain(organization=one, domain=domain) for one, (_name, domain) in zip(made, firms, strict=True))
    found = {person.pk: made[at % len(made)] for at, person in enumerate(people) if at % 20 != 19}
    Membership.objects.bulk_create((Membership(user_id=pk, organization=one) for pk, one in found.items()), batch_size=1000)
    return found


def _agents(groups: Sequence[AgentGroup]) -> list[User]:
    """`agent1@support.example` and so on; in demo mode with the demo's public password, elsewhere with none."""
    password = make_password("demo" if settings.DEMO else None)
    made = [
        User(name=name, email=f"agent{at}@support.example", role=Role.AGENT, password=password)
        for at, (name, _local) in enumerate(names(_AGENTS), start=1)
    ]
    User.objects.bulk_create(made)
    for at, agent in enumerate(made):
        groups[at % len(groups)].members.add(agent)
    return made


# --- Making ------------------------------------------------------------------------------------------------------------------------

_Made = dict[type["Model"], tuple[int, Any]]  # how many rows, as `_write` takes them
_stories: Stories  # of a process that makes some


def _made(stories: Stories) -> Iterator[_Made]:
    """In their order, a few batches ahead of who writes them."""
    _begin(stories)
    firsts = range(1, stories.count + 1, _BATCH)
    if len(firsts) == 1:
        yield _make(1)
        return
    workers = os.cpu_count() or 1
    # Forked, so that each has the sentences; none of them asks the database, whose connection is this process' alone.
    with ProcessPoolExecutor(workers, mp_context=get_context("fork"), initializer=_begin_apart, initargs=(stories,)) as pool:
        waiting: deque[Any] = deque()
        for first in firsts:
            waiting.append(pool.submit(_make, first))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _begin(stories: Stories) -> None:
    global _stories  # noqa: PLW0603 what a process is begun with can't be handed over otherwise
    _stories = stories


def _begin_apart(stories: Stories) -> None:
    """Rows hold no circles, and looking for some among so many would take a third of the time."""
    gc.disable()
    _begin(stories)


def _make(first: int) -> _Made:
    rows: Rows = _stories.batch(first, _BATCH)
    return {model: (len(rows[model]), _prepared(model, rows[model])) for model in rows}


def _others(model: type[Model]) -> dict[str, Any]:
    """What the columns that seeding does not name get: their defaults."""
    others = (field for field in model._meta.concrete_fields if field.name not in COLUMNS[model] and not field.primary_key)
    return {str(field.column): field.get_db_prep_save(field.get_default(), connection) for field in others}


def _prepared(model: type[Model], rows: list[tuple[Any, ...]]) -> Any:
    defaults = tuple(_others(model).values())
    if model is TicketWords:
        fields = [model._meta.get_field(name) for name in COLUMNS[model]]
        rows = [tuple(field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)) for row in rows]  # type: ignore[union-attr]
    if connection.vendor != "postgresql":
        return [tuple([_PLAIN.get(type(value), _same)(value) for value in (*row, *defaults)]) for row in rows]
    if model is Posting:  # by far the most rows
        return "".join([f"{scope}\t{term}\t{ticket}\t{impact}\t{day}\n" for scope, term, ticket, impact, day in rows])
    rest = "".join(["\t" + _COPIED.get(type(value), str)(value) for value in defaults]) + "\n"
    return "".join(["\t".join([_COPIED.get(type(value), str)(value) for value in row]) + rest for row in rows])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _same(value: Any) -> Any:
    return value


# As COPY reads it; and as SQLite keeps it.
_COPIED: dict[type, Callable[[Any], str]] = {
    type(None): lambda _none: r"\N",
    str: _escaped,
    timedelta: lambda span: f"{span.days} days {span.seconds}.{span.microseconds:06} seconds",
    dict: lambda value: _escaped(json.dumps(value)),
    list: lambda value: _escaped(json.dumps(value)),
}
_PLAIN: dict[type, Callable[[Any], Any]] = {
    datetime: lambda at: str(at.replace(tzinfo=None)),
    timedelta: lambda span: span // timedelta(microseconds=1),
    dict: json.dumps,
    list: json.dumps,
}


# --- Writing -----------------------------------------------------------------------------------------------------------------------


def _write(model: type[Model], made: Any) -> None:
    if not made:
        return
    fields = {field.name: str(field.column) for field in model._meta.concrete_fields}
    names = [*(fields[name] for name in COLUMNS[model]), *_others(model)]
    columns = ", ".join(map(connection.ops.quote_name, names))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.copy_expert(f"COPY {model._meta.db_table} ({columns}) FROM STDIN", io.StringIO(made), size=1 << 20)
        else:
            places = ", ".join(["%s"] * len(names))
            statement = f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({places})"  # noqa: S608 our own words
            cursor.executemany(statement, made)


@contextmanager
def _without_limits() -> Iterator[None]:
    """A page's statement ends after half a minute; building an index of millions may take longer."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET maintenance_work_mem = '512MB'")
    yield


@contextmanager
def _bulk(say: Callable[[str], None]) -> Iterator[None]:
    """Indexes that guard nothing, and the key of the postings, are dropped and made again at the end, which takes a fraction of the time; PostgreSQL only."""
    if connection.vendor != "postgresql":
        yield
    else:
        tables = [model._meta.db_table for model in COLUMNS]
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
            if cursor.fetchone() == (True,):  # who is, need not have each key looked up
                cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(
                "SELECT 'DROP INDEX ' || indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index "
                "WHERE indrelid::regclass::text = ANY(%s) AND NOT indisunique UNION ALL "
                "SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname), "
                "format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid)) "
                "FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'",
                [tables, Posting._meta.db_table],
            )
            indexes = cursor.fetchall()
            for drop, _make_again in indexes:
                cursor.execute(drop)
        yield
        with connection.cursor() as cursor:
            for done, (_drop, make_again) in enumerate(indexes, start=1):
                say(f"\r{'indexes':30} {done} of {len(indexes)}{'':50}")
                cursor.execute(make_again)
    _reset_sequences()


def _reset_sequences() -> None:
    """Numbers were given by hand: the next ones come after them."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Ticket, Comment, Event]):
            cursor.execute(statement)


def _tidy_up() -> None:
    """Statistics, so that the first query is planned as the thousandth is."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" and not connection.in_atomic_block else "ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("RESET statement_timeout; RESET idle_in_transaction_session_timeout; RESET maintenance_work_mem")
