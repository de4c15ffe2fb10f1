"""No container engine runs where the tests do: so the compose file and the Dockerfile are read, and their very commands are run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
import yaml
from django.core.management import get_commands

from tests.test_settings import ROOT, documented, read_by_settings

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
APP = sorted(name for name, service in COMPOSE["services"].items() if "build" in service)
_VARIABLE = re.compile(r"\$\{([A-Z_]+):-((?:[^${}]|\$\{[^{}]*\})*)\}")


def filled_in(text: str) -> str:
    """As compose does where no variable is set: `${NAME:-default}`, also one within another; `$$` is a dollar."""
    while _VARIABLE.search(text):
        text = _VARIABLE.sub(lambda found: found[2], text)
    return text.replace("$$", "$")


def environment(service: str) -> dict[str, str]:
    return {name: filled_in(str(value)) for name, value in COMPOSE["services"][service]["environment"].items()}


def command(service: str) -> list[str]:
    return COMPOSE["services"][service]["command"]


# --- As written --------------------------------------------------------------------------------------------------------------


def test_services_when_read_then_are_all_processes_of_the_product():
    assert sorted(COMPOSE["services"]) == ["beat", "mail", "migrate", "postgres", "redis", "web", "worker"]
    assert APP == ["beat", "mail", "migrate", "web", "worker"]


@pytest.mark.parametrize("service", APP)
def test_variables_when_read_then_are_exactly_those_of_the_settings(service):
    assert set(environment(service)) == read_by_settings()


def test_variables_that_compose_fills_in_when_read_then_are_documented():
    assert set(_VARIABLE.findall((ROOT / "docker-compose.yml").read_text())) != set()
    names = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert names - documented() == set()


@pytest.mark.parametrize("service", APP)
def test_defaults_when_nothing_is_set_then_make_a_demo_that_only_this_machine_reaches(service):
    env = environment(service)
    assert (env["DEMO"], env["ALLOWED_HOSTS"], env["SITE_URL"]) == ("1", "127.0.0.1,localhost", "http://127.0.0.1:8000")
    assert [filled_in(port).rpartition(":")[0] for port in COMPOSE["services"][service].get("ports", [])] in (
        [],
        ["127.0.0.1:8000"],
        ["127.0.0.1:8025"],
    )


@pytest.mark.parametrize("service", APP)
def test_command_when_read_then_is_a_program_or_a_management_command_that_exists(service):
    argv = command(service)
    words = shlex.split(argv[2].replace("&&", " ")) if argv[:2] == ["sh", "-c"] else argv
    asked = [words[at + 1] for at, word in enumerate(words) if word == "manage.py"]
    assert [name for name in asked if name not in get_commands()] == []
    assert asked or shutil.which(words[0], path=str(Path(sys.executable).parent))


def test_volumes_when_read_then_each_is_declared_and_used():
    used = {volume.partition(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_what_must_be_kept_when_read_then_lies_on_the_volume():
    assert {volume for service in APP for volume in COMPOSE["services"][service]["volumes"]} == {"data:/data"}
    assert environment("web")["MEDIA_ROOT"].startswith("/data/")
    assert "ln -s /data/outbox /app/var/outbox" in DOCKERFILE


def test_services_when_read_then_wait_for_what_they_need_and_all_but_the_one_off_tell_their_health():
    waiting = {name: sorted(COMPOSE["services"][name]["depends_on"]) for name in APP}
    assert waiting == {name: ["postgres"] if name == "migrate" else ["migrate", "postgres", "redis"] for name in APP}
    assert [name for name, service in COMPOSE["services"].items() if "healthcheck" not in service] == ["migrate"]


def test_image_when_read_then_runs_as_nobody_special_with_pinned_packages():
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["helpdesk"]
    assert "USER helpdesk" in DOCKERFILE.partition("ENTRYPOINT")[0]
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["python:3.11-slim"]
    assert "pip install -r requirements.txt" in DOCKERFILE


def test_image_when_read_then_copies_only_what_exists():
    entrypoint = re.search(r'ENTRYPOINT \["/app/([^"]+)"\]', DOCKERFILE)
    assert entrypoint is not None
    assert os.access(ROOT / entrypoint[1], os.X_OK)
    assert {".env", ".git", "var"} <= set((ROOT / ".dockerignore").read_text().split())


def test_entrypoint_when_there_is_no_key_then_makes_one_that_lasts_and_that_only_its_owner_reads(tmp_path):
    kept = tmp_path / "secret_key"
    env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "SECRET_FILE": str(kept)}
    show = [str(ROOT / "docker-entrypoint.sh"), "sh", "-c", "echo $SECRET_KEY"]
    first, second = (subprocess.run(show, env=env, capture_output=True, text=True, check=True).stdout.strip() for _ in range(2))
    assert len(first) > 50
    assert (second, kept.read_text().strip(), kept.stat().st_mode & 0o777) == (first, first, 0o600)
    assert subprocess.run(show, env=env | {"SECRET_KEY": "mine"}, capture_output=True, text=True, check=True).stdout == "mine\n"


def test_requirements_when_read_then_all_are_pinned():
    lines = [*(ROOT / "requirements.txt").read_text().splitlines(), *(ROOT / "requirements-dev.txt").read_text().splitlines()]
    named = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert [line for line in named if not re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[0-9][0-9a-z.]*", line)] == []


# --- As run ------------------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition, told: str, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, told
        time.sleep(0.2)


@contextmanager
def own_database(url: str):
    """An empty database beside the one that the tests use."""
    parts, name = urlsplit(url), f"deployment_{os.getpid()}"
    with closing(psycopg2.connect(urlunsplit(parts._replace(path="/postgres")))) as server:
        server.autocommit = True
        server.cursor().execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            server.cursor().execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def production(tmp_path):
    """The environment that compose gives, with the servers, folders and ports of this machine."""
    database, redis = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    if not (database.startswith("postgres") and redis):
        pytest.skip("needs PostgreSQL and Redis: make test-services")
    with own_database(database) as url:
        port = free_port()
        ours = {"DATABASE_URL": url, "REDIS_URL": redis, "SECRET_KEY": "only-for-this-test", "DEMO": "0"}
        mail = {"SMTP_HOST": "127.0.0.1", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(free_port())}
        folders = {"VAR_DIR": str(tmp_path / "var"), "MEDIA_ROOT": str(tmp_path / "media")}
        ports = {"SMTP_PORT": str(free_port()), "PORT": str(port), "SITE_URL": f"http://127.0.0.1:{port}"}
        (tmp_path / "var").mkdir()
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        yield os.environ | environment("web") | ours | mail | folders | ports | {"PATH": path, "HOSTNAME": socket.gethostname()}


def here(argv: list[str], env: dict[str, str]) -> list[str]:
    """The command as written, but for the ports inside a container."""
    words = [filled_in(word) for word in argv]
    return [
        word.replace("0.0.0.0:8000", f"127.0.0.1:{env['PORT']}").replace("127.0.0.1:8000", f"127.0.0.1:{env['PORT']}") for word in words
    ]


def is_healthy(service: str, env: dict[str, str]) -> bool:
    kind, *argv = COMPOSE["services"][service]["healthcheck"]["test"]
    argv = ["sh", "-c", *argv] if kind == "CMD-SHELL" else argv
    return subprocess.run(here(argv, env), check=False, cwd=ROOT, env=env, capture_output=True, timeout=60).returncode == 0


@contextmanager
def running(service: str, env: dict[str, str], log: Path):
    with log.open("wb") as file:
        process = subprocess.Popen(here(command(service), env), cwd=ROOT, env=env, stdout=file, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.mark.journey
def test_commands_of_the_containers_when_run_here_then_all_get_healthy_and_end_when_asked(production, tmp_path):
    subprocess.run(here(command("migrate"), production), cwd=ROOT, env=production, check=True, timeout=120)
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(running(name, production, tmp_path / f"{name}.log")) for name in ("web", "worker", "beat", "mail")
        }
        for name, process in processes.items():
            wait_for(lambda: is_healthy(name, production), f"{name} is not healthy: {(tmp_path / f'{name}.log').read_text()}")  # noqa: B023
            assert process.poll() is None
        with urllib.request.urlopen(f"{production['SITE_URL']}/readyz") as answer:
            assert answer.status == 200
    assert {name: process.returncode for name, process in processes.items()} == {"web": 0, "worker": 0, "beat": 0, "mail": 0}
