"""The command around the demo: one at a time in a folder, and what it throws away. No demo is started here."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
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
