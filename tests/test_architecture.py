"""The house holds together: imports go down the list in pyproject.toml, and every module has its place in it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("helpdesk", "accounts", "tickets", "notifications")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PLACED = {name.strip() for layer in CONTRACTS[0]["layers"] for name in re.split(r"[|:]", layer)}


def modules() -> list[str]:
    """Every module of ours, packages by their content."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py"]
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths if "migrations" not in path.parts)


@pytest.mark.parametrize("module", modules())
def test_module_when_it_exists_then_has_a_place_in_the_list(module):
    parts = module.split(".")
    assert PLACED & {".".join(parts[:length]) for length in range(1, len(parts) + 1)}


def test_imports_when_checked_then_go_down_the_list_only():
    linter = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout[-2000:]


def files_with(pattern: str, packages: tuple[str, ...] = PACKAGES) -> list[str]:
    found = re.compile(pattern)
    return sorted(path.name for package in packages for path in (ROOT / package).rglob("*.py") if found.search(path.read_text()))


def test_signals_when_counted_then_there_is_one_of_ours():
    assert files_with(r"= Signal\(") == ["events.py"]


def test_events_when_made_then_by_record_alone():
    assert files_with(r"\bEvent\.objects\.(create|bulk_create|get_or_create)|(?<!\.)\bEvent\(") == ["event.py", "events.py"]


def test_mail_when_it_leaves_then_through_channels_alone():
    """The demo alone keeps its mails without sending them."""
    leaves = r"smtplib|send_messages\(|\.send_mail\(|mail_admins"
    assert files_with(leaves, ("accounts", "tickets", "notifications")) == ["channels.py", "kept_mail.py"]
