"""The cast of every test: ana and ben of Acme, cleo of Globex, solo of nowhere; dan and eve at the desk, max the admin."""

from __future__ import annotations

import copy
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings

from accounts.models import AgentGroup, Organization, Role, User
from helpdesk.celery import app as celery_app
from tests import postgres, schedule
from tests.factories import make_user
from tests.journeys.stack import drop_template
from tests.october import fill as fill_october
from tests.schedule import pytest_addoption, pytest_collection_modifyitems, pytest_xdist_make_scheduler  # noqa: F401 pytest finds them here
from tickets.management.commands.preset import install
from tickets.models import Mailbox, Priority, Status, TicketType
from tickets.presets import APTY

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # pytest-playwright keeps an event loop in the main thread
celery_app.conf.update(broker_url="memory://localhost")
if connection.vendor == "postgresql":
    postgres.hurry()
if settings.REDIS_URL:  # clearing a cache empties a whole Redis database, so each of pytest's workers has its own
    _worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    settings.CACHES["default"]["LOCATION"] = f"{settings.REDIS_URL.rpartition('/')[0]}/{12 + _worker % 4}"

# The shell has no windows around its pages, which nobody sees here: a page costs it a quarter. Where it is not installed, the other will do.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """By the process that started the workers, after them."""
    if not hasattr(session.config, "workerinput"):
        drop_template()


def apart(folder: Path) -> dict[str, Any]:
    """Settings of a test whose files lie in this folder."""
    return {
        "CHECK_AUTHENTICATION": False,  # asks nobody's DNS; tests/tickets/mail/test_authentication.py has one of its own
        "MEDIA_ROOT": str(folder / "media"),
        "OUTBOX_DIR": folder / "outbox",
        "MERGE_SECONDS": 0,  # mails and replies go at once; who tests the waiting says so
        "UNDO_SECONDS": 0,
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "STORAGES": settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
        "CACHES": {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}},  # rate limits begin anew
    }


@pytest.fixture(autouse=True)
def _kept_apart(request, settings, tmp_path):
    """Nothing a test writes lands in var/ or in another test; passwords are quick to check, and pages need no collected files."""
    folder = request.getfixturevalue("lasting").folder if "lasting" in request.fixturenames else tmp_path
    for name, value in apart(folder).items():
        setattr(settings, name, value)
    if not schedule.asks_services(request.node):
        settings.CACHES = {"default": {"BACKEND": "tests.schedule.OneThatFails"}}


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Debian's Chromium; Playwright's own can't be fetched everywhere."""
    if not CHROMIUM and not os.environ.get("CI"):
        pytest.skip("Chromium is not installed (apt-get install chromium-headless-shell)")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": quiet}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """At the end PostgreSQL drops no database that a thread still has a connection to, and an ended thread's lives until it is collected."""
    with django_db_blocker.unblock():
        assert connection.features.supports_json_field  # SQLite is asked once a process: not within a count of a page's questions
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            cursor.execute(others)


@pytest.fixture(scope="session")
def preset_rows(django_db_setup, django_db_blocker):
    """What the preset installs, installed once: asking for each row whether it stands takes a tenth of a second, and hundreds of tests want them."""
    with django_db_blocker.unblock(), transaction.atomic():
        install(APTY)
        rows = {model: list(model.objects.order_by("pk")) for model in (Status, TicketType, Priority, AgentGroup, Mailbox)}
        transaction.set_rollback(True)
    return rows


@dataclass(frozen=True, slots=True)
class Lasting:
    """The cast once more, see below."""

    folder: Path
    acme: Organization
    ana: User
    ben: User
    cleo: User
    dan: User
    eve: User
    max_admin: User


@pytest.fixture(scope="module")
def lasting(django_db_setup, django_db_blocker, preset_rows, tmp_path_factory):
    """The cast and the workflow, for a file whose many tests ask one large world, and undo what they did. Not beside `ana` and the others."""
    folder = tmp_path_factory.mktemp("lasting")
    with django_db_blocker.unblock(), override_settings(**apart(folder)), transaction.atomic():
        fill_in(preset_rows)
        acme, globex = (Organization.objects.create(name=name) for name in ("Acme", "Globex"))
        customers = (make_ana(acme), make_ben(acme), make_cleo(globex))
        yield Lasting(folder, acme, *customers, make_dan(), make_eve(), make_max())
        transaction.set_rollback(True)


@pytest.fixture
def workflow(db, preset_rows):
    fill_in(preset_rows)


def fill_in(preset_rows) -> None:
    for model, rows in preset_rows.items():
        fresh = copy.deepcopy(rows)
        for row in fresh:
            row.pk = None  # as the database numbers them
        model.objects.bulk_create(fresh)


def make_ana(acme: Organization) -> User:
    return make_user("ana@acme.example", "Ana Ford", acme)


def make_ben(acme: Organization) -> User:
    return make_user("ben@acme.example", "Ben Ode", acme)


def make_cleo(globex: Organization) -> User:
    return make_user("cleo@globex.example", "Cleo Roy", globex)


def make_dan() -> User:
    return _agent("dan@support.example", "Dan Support", "Customer Support")


def make_eve() -> User:
    return _agent("eve@support.example", "Eve Devops", "DevOps")


def make_max() -> User:
    return make_user("max@support.example", "Max Manager", role=Role.ADMIN)


def _agent(address: str, name: str, group: str) -> User:
    agent = make_user(address, name, role=Role.AGENT)
    AgentGroup.objects.get(name=group).members.add(agent)
    return agent


@pytest.fixture
def acme(db):
    return Organization.objects.create(name="Acme")


@pytest.fixture
def globex(db):
    return Organization.objects.create(name="Globex")


@pytest.fixture
def ana(acme) -> User:
    return make_ana(acme)


@pytest.fixture
def ben(acme) -> User:
    return make_ben(acme)


@pytest.fixture
def cleo(globex) -> User:
    return make_cleo(globex)


@pytest.fixture
def solo(db) -> User:
    return make_user("solo@example.net", "Sol Lone")


@pytest.fixture
def dan(workflow) -> User:
    return make_dan()


@pytest.fixture
def eve(workflow) -> User:
    return make_eve()


@pytest.fixture
def max_admin(db) -> User:
    return make_max()


@pytest.fixture
def october(settings, workflow, dan, eve, ana, cleo, acme, globex):
    """Tickets whose every figure was counted by hand, in a company in Berlin."""
    settings.TIME_ZONE = "Europe/Berlin"
    return fill_october(dan=dan, eve=eve, ana=ana, acme=acme, globex=globex)
