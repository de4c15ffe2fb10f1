"""`manage.py seed --tickets 100000`: fills an empty database with plausible tickets, to measure and to try things on. Mails nobody.

PostgreSQL takes them by COPY with the indexes made afterwards, SQLite by bulk inserts; all of it is one transaction.
"""

from __future__ import annotations

import io
import time
from contextlib import contextmanager
from datetime import datetime
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
from tickets.models import Attachment, Comment, Event, Follower, OrganizationShare, Priority, Status, Ticket, TicketType, TicketWords

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.core.management.base import CommandParser
    from django.db.models import Model

_BATCH = 5_000
_CUSTOMERS, _PEOPLE_OF_A_COMPANY, _AGENTS = 5_000, 12, 40
_MODELS: dict[str, type[Model]] = {
    "tickets": Ticket,
    "comments": Comment,
    "events": Event,
    "followers": Follower,
    "shares": OrganizationShare,
    "attachments": Attachment,
    "words": TicketWords,
}


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
        with _without_limits(), transaction.atomic(), _bulk():
            stories = Stories(_cast(min(_CUSTOMERS, count)), count=count, now=timezone.now())
            for done, rows in enumerate(stories.batches(_BATCH), start=1):
                for kind, model in _MODELS.items():
                    _write(model, COLUMNS[kind].split(), getattr(rows, kind))
                self._show(min(done * _BATCH, count), count, begun)
            self._say("\nindexes …")
        _tidy_up()
        self._say(
            f" done: {count:,} tickets, {stories.comments:,} comments, {stories.events:,} events in {time.monotonic() - begun:.0f} s\n"
        )

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
    return Cast(
        customers=people,
        organization_of=_organizations(people),
        agents=agents,
        group_of={agent.pk: groups[at % len(groups)].pk for at, agent in enumerate(agents)},
        groups=groups,
        statuses={Category(status.category): status for status in statuses if status.is_default},
        waiting=[status for status in statuses if status.category == Category.WAITING],
        types=types,
        priorities=priorities,
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


# --- Writing -----------------------------------------------------------------------------------------------------------------------


def _write(model: type[Model], names: list[str], rows: list[tuple[Any, ...]]) -> None:
    """What is not among `names` gets its default."""
    if not rows:
        return
    fields = {field.name: field for field in model._meta.concrete_fields}
    others = {name: field for name, field in fields.items() if name not in names and not field.primary_key}
    defaults = tuple(field.get_db_prep_save(field.get_default(), connection) for field in others.values())
    columns = ", ".join(connection.ops.quote_name(str(fields[name].column)) for name in [*names, *others])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            lines = io.StringIO("".join(_line((*row, *defaults)) for row in rows))
            cursor.copy_expert(f"COPY {model._meta.db_table} ({columns}) FROM STDIN", lines)
        else:
            places = ", ".join(["%s"] * (len(names) + len(others)))
            statement = f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({places})"  # noqa: S608 our own words
            cursor.executemany(statement, [tuple(map(_plain, (*row, *defaults))) for row in rows])


def _line(row: tuple[Any, ...]) -> str:
    return "\t".join(map(_text, row)) + "\n"


def _text(value: Any) -> str:
    """As COPY reads it."""
    if value is None:
        return r"\N"
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return str(value)


def _plain(value: Any) -> Any:
    """As SQLite keeps it."""
    return str(value.replace(tzinfo=None)) if isinstance(value, datetime) else value


@contextmanager
def _without_limits() -> Iterator[None]:
    """A page's statement ends after half a minute; building an index of millions may take longer."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET statement_timeout = 0; SET maintenance_work_mem = '512MB'")
    yield


@contextmanager
def _bulk() -> Iterator[None]:
    """Indexes that guard nothing are dropped and made again at the end, which takes a fraction of the time; PostgreSQL only."""
    if connection.vendor != "postgresql":
        yield
    else:
        tables = [model._meta.db_table for model in _MODELS.values()]
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
            if cursor.fetchone() == (True,):  # who is, need not have each key looked up
                cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(
                "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
                "WHERE indrelid::regclass::text = ANY(%s) AND NOT indisunique",
                [tables],
            )
            indexes = cursor.fetchall()
            for name, _made_by in indexes:
                cursor.execute(f"DROP INDEX {name}")
        yield
        with connection.cursor() as cursor:
            for _name, made_by in indexes:
                cursor.execute(made_by)
    _reset_sequences()


def _reset_sequences() -> None:
    """Numbers were given by hand: the next ones come after them."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [model for model in _MODELS.values() if model is not TicketWords]):
            cursor.execute(statement)


def _tidy_up() -> None:
    """Statistics, so that the first query is planned as the thousandth is."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" and not connection.in_atomic_block else "ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("RESET statement_timeout; RESET maintenance_work_mem")
