"""Where the demo's data does not go: its accounts have a public password."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User


def test_seeding_when_the_database_is_not_empty_then_refuses_and_adds_nothing(workflow, settings, ana):
    settings.DEMO = True
    with pytest.raises(CommandError, match="not empty"):
        call_command("seed_demo")
    assert User.objects.count() == 1


def test_seeding_when_not_a_demo_then_refuses(workflow):
    with pytest.raises(CommandError, match="DEMO is off"):
        call_command("seed_demo")
    assert User.objects.count() == 0


def test_seeding_if_fresh_when_it_does_not_belong_there_then_does_nothing(workflow):
    call_command("seed_demo", if_fresh=True)
    assert User.objects.count() == 0
