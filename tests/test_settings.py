"""The environment, read by real processes: what is missing or makes no sense is told by its name, and nothing starts with it."""

from __future__ import annotations

import os
import re
import runpy
import socket
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from helpdesk.env import problems

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "SECRET_KEY": "not-a-secret-but-long-enough-for-the-check-0123456789abcdef",
    "ALLOWED_HOSTS": "support.example.com",
    "SITE_URL": "https://support.example.com",
    "EMAIL_HOST": "mail.example.com",
}


@pytest.fixture
def taken():
    """A socket that listens; its port is taken as long as the test runs."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


def documented() -> set[str]:
    return set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def read_by_settings() -> set[str]:
    return set(re.findall(r'env_(?:str|int|bool|list|url)\(\s*"([A-Z_]+)"', (ROOT / "helpdesk" / "settings.py").read_text()))


def run(*argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """With these variables of ours and no others."""
    ours = documented() | read_by_settings() | {"DJANGO_ALLOW_ASYNC_UNSAFE"}  # the last is the tests' own
    env = {name: value for name, value in os.environ.items() if name not in ours} | variables
    return subprocess.run([sys.executable, *argv], check=False, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30)


def told_by_check(**variables: str) -> list[str]:
    """The names that the system check complains of."""
    done = run("manage.py", "check", **variables)
    return re.findall(r"\(helpdesk\.E001\) ([A-Z_]+) ", done.stderr)


def told_by_settings(**variables: str) -> list[str]:
    """What the check would, without a process for each question: the settings are read once more, with these variables alone."""
    with patch.dict(os.environ, variables, clear=True), patch.dict(problems, clear=True):
        runpy.run_path(str(ROOT / "helpdesk" / "settings.py"))
        return sorted(problems)


def test_check_when_deployed_by_https_then_is_clean():
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")


def test_check_when_nothing_is_set_then_names_all_that_is_missing():
    assert told_by_check() == ["ALLOWED_HOSTS", "EMAIL_HOST", "SECRET_KEY"]


def test_check_when_variables_make_no_sense_then_names_each():
    nonsense = {
        "ACCENT": "blue",
        "AUTHSERV_HOPS": "many",
        "BEHIND_PROXY": "maybe",
        "CHECK_AUTHENTICATION": "maybe",
        "DATABASE_URL": "oracle://db",
        "DEBUG": "2",
        "DEMO": "perhaps",
        "EMAIL_PORT": "smtp",
        "EMAIL_USE_TLS": "starttls",
        "OIDC_MFA": "maybe",
        "OIDC_SERVER_URL": "login.example.com",
        "REDIS_URL": "127.0.0.1:6379",
        "SIGNUP": "everybody",
        "SITE_URL": "support.example.com",
        "SMTP_PORT": "70000",
        "STAFF_MFA": "yes please",
        "SUPPORT_ADDRESS": "support+desk@example.com",
    }
    assert told_by_check(**PRODUCTION | nonsense) == told_by_settings(**PRODUCTION | nonsense) == sorted(nonsense)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"OIDC_SERVER_URL": "https://login.example.com"}, ["OIDC_CLIENT_ID"]),
        ({"OIDC_SERVER_URL": "http://login.example.com", "OIDC_CLIENT_ID": "helpdesk", "OIDC_CLIENT_SECRET": "s"}, ["OIDC_SERVER_URL"]),
        ({"OIDC_SERVER_URL": "https://login.example.com", "OIDC_CLIENT_ID": "helpdesk", "OIDC_CLIENT_SECRET": "s"}, []),
    ],
)
def test_identity_provider_when_half_configured_then_is_told(variables, told):
    assert told_by_settings(**PRODUCTION | variables) == told


@pytest.mark.parametrize("hosts", ["support.example.com", "127.0.0.1,support.example.com", "*"])
def test_demo_when_a_public_host_is_allowed_then_is_refused(hosts):
    assert told_by_settings(DEMO="1", ALLOWED_HOSTS=hosts) == ["DEMO"]


def test_demo_when_on_this_machine_alone_then_needs_nothing_else():
    assert told_by_settings(DEMO="1") == []


@pytest.mark.parametrize(
    "argv",
    [
        ("-c", "import helpdesk.wsgi"),
        ("-m", "celery", "-A", "helpdesk", "worker", "--pool", "solo"),
        ("-m", "celery", "-A", "helpdesk", "beat"),
        ("manage.py", "mail_receiver"),
    ],
    ids=["web", "worker", "beat", "mail"],
)
def test_process_when_a_variable_is_missing_then_does_not_start_and_names_it(argv, tmp_path):
    done = run(*argv, VAR_DIR=str(tmp_path), **{name: value for name, value in PRODUCTION.items() if name != "SECRET_KEY"})
    assert done.returncode != 0
    assert "SECRET_KEY is missing" in done.stderr + done.stdout


def test_demo_command_when_a_port_makes_no_sense_then_names_the_variable():
    done = run("manage.py", "demo", PORT="http", SMTP_PORT="99999")
    assert done.returncode == 1
    assert [line.split()[:2] for line in done.stderr.splitlines()] == [["CommandError:", "PORT"], ["SMTP_PORT", "is"]]


def test_demo_command_when_a_port_is_taken_then_says_which_variable_to_change(taken):
    done = run("manage.py", "demo", PORT=str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert f"Port {taken.getsockname()[1]} is in use by another program. Choose another one: PORT=" in done.stderr


def test_env_example_when_compared_then_names_what_the_settings_read_and_what_is_of_the_demo_and_compose_alone():
    assert documented() == read_by_settings() | {"PORT", "BIND", "POSTGRES_PASSWORD"}
