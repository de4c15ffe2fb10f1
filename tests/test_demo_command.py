"""The command around the demo: one at a time in a folder, and what it throws away. No demo is started here."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess

import pytest
import yaml
from django.core.management import CommandError, call_command

from helpdesk.management.commands import demo
from helpdesk.supervisor import held
from tests.test_settings import ROOT


@pytest.fixture
def var_dir(settings, tmp_path, monkeypatch):
    """Where a demo has run, beside something of somebody else."""
    settings.VAR_DIR = tmp_path / "var"
    (settings.VAR_DIR / "media").mkdir(parents=True)
    for name in ("secret_key", "db.sqlite3", "db.sqlite3-wal", "beat", "beat.db", "beaten.txt", "media/a.png"):
        (settings.VAR_DIR / name).write_text(name)
    monkeypatch.setenv("PORT", "")
    return settings.VAR_DIR


def left(var_dir) -> list[str]:
    return sorted(path.name for path in var_dir.iterdir())


def make_reset(folder, **env: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"DATABASE_URL": "", "VAR_DIR": ""} | env
    return subprocess.run(
        ["make", "--no-print-directory", "demo-reset"], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60
    )


# --- One at a time -----------------------------------------------------------------------------------------------------------


def test_second_start_when_one_runs_here_then_is_refused_with_its_number(var_dir, monkeypatch):
    tried = []

    def start_another(*_args):
        with pytest.raises(CommandError, match=rf"^The demo already runs here \(pid {os.getpid()}\)\. Stop it, or use VAR_DIR=…$"):
            call_command("demo")
        tried.append(True)

    monkeypatch.setattr(demo, "_ports", lambda: (1, 2))
    monkeypatch.setattr(demo, "_prepared", start_another)
    call_command("demo")
    assert tried == [True]


def test_start_when_the_one_before_has_ended_then_goes_on(var_dir, monkeypatch):
    started = []
    monkeypatch.setattr(demo, "_ports", lambda: (1, 2))
    monkeypatch.setattr(demo, "_prepared", lambda *_: started.append(True))
    call_command("demo")
    call_command("demo")
    assert started == [True, True]


# --- Ports -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def taken():
    """Two ports that are."""
    with socket.socket() as one, socket.socket() as two:
        for listening in (one, two):
            listening.bind(("127.0.0.1", 0))
            listening.listen()
        yield one.getsockname()[1], two.getsockname()[1]


def command_proposed(settings, monkeypatch, **env: str) -> str:
    for name in ("VAR_DIR", "PORT", "SMTP_PORT"):
        monkeypatch.setenv(name, env.get(name, ""))
    settings.SMTP_PORT = int(env.get("SMTP_PORT", "8025"))
    with pytest.raises(CommandError) as refused:
        demo._ports()
    assert "is in use by another program" in str(refused.value)
    return str(refused.value).partition("Choose another one: ")[2]


def test_port_when_taken_then_another_is_proposed(settings, monkeypatch, taken):
    assert re.fullmatch(r"PORT=\d+ make demo", command_proposed(settings, monkeypatch, PORT=str(taken[0])))


def test_port_when_taken_then_the_proposal_keeps_what_else_was_chosen(settings, monkeypatch, taken):
    proposed = command_proposed(settings, monkeypatch, PORT=str(taken[0]), SMTP_PORT="9026", VAR_DIR="/srv/my demo")
    assert re.fullmatch(r"VAR_DIR='/srv/my demo' PORT=\d+ SMTP_PORT=9026 make demo", proposed)


def test_smtp_port_when_taken_then_the_proposal_keeps_the_other_port(settings, monkeypatch, taken):
    free = demo._next_free(20000, 0)
    proposed = command_proposed(settings, monkeypatch, PORT=str(free), SMTP_PORT=str(taken[0]))
    assert re.fullmatch(rf"PORT={free} SMTP_PORT=\d+ make demo", proposed)


def test_next_port_when_proposed_then_is_free_and_not_the_other_one(taken):
    first = demo._next_free(taken[0], 0)
    assert demo._next_free(taken[0], first) > first
    assert demo._next_free(taken[0] - 1001, 0) != taken[0]


# --- Programs ----------------------------------------------------------------------------------------------------------------


def test_web_when_asked_for_a_long_address_then_takes_as_much_in_the_demo_as_in_the_container():
    """A search of some length is not answered by gunicorn's bare 414."""
    in_demo = " ".join(demo._programs(8000)[0].argv)
    in_container = " ".join(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["web"]["command"])
    assert re.findall(r"--limit-request-line (\d+)", f"{in_demo} {in_container}") == ["8190", "8190"]


# --- Before ------------------------------------------------------------------------------------------------------------------


def test_key_when_there_is_none_then_is_made_once_and_read_by_its_owner_alone(tmp_path):
    kept = tmp_path / "secret_key"
    first, second = (demo._secret(kept) for _ in range(2))
    assert (len(first) > 50, second, kept.stat().st_mode & 0o777) == (True, first, 0o600)


# --- Starting over -----------------------------------------------------------------------------------------------------------


def test_reset_when_a_demo_runs_then_is_refused_and_deletes_nothing(var_dir):
    before = left(var_dir)
    with held(var_dir / "demo.lock"), pytest.raises(CommandError, match="already runs here"):
        call_command("demo", reset=True)
    assert left(var_dir) == sorted([*before, "demo.lock"])


def test_reset_when_none_runs_then_deletes_what_is_ours_alone(var_dir, capsys):
    call_command("demo", reset=True)
    assert left(var_dir) == ["beaten.txt", "demo.lock"]
    assert capsys.readouterr().out == "The demo's data is gone.\n"


def test_reset_when_no_demo_was_here_then_deletes_nothing(var_dir):
    (var_dir / "secret_key").unlink()
    call_command("demo", reset=True)
    assert (var_dir / "db.sqlite3").exists()


def test_make_when_a_demo_runs_then_resets_only_after_it(var_dir):
    with held(var_dir / "demo.lock"):
        refused = make_reset(ROOT, VAR_DIR=str(var_dir))
    assert (refused.returncode != 0, (var_dir / "db.sqlite3").exists()) == (True, True)
    assert "already runs here" in refused.stderr
    assert make_reset(ROOT, VAR_DIR=str(var_dir)).returncode == 0
    assert not (var_dir / "db.sqlite3").exists()


def test_make_when_nothing_is_installed_then_still_resets(var_dir):
    shutil.copy(ROOT / "Makefile", var_dir.parent)
    done = make_reset(var_dir.parent)
    assert (done.stdout, var_dir.exists()) == ("The demo's data is gone.\n", False)
