"""The migrations are the models, and have the time that they take."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection


@pytest.mark.django_db
def test_models_when_compared_with_migrations_then_nothing_is_missing(capsys, settings):
    settings.MIGRATION_MODULES = {}  # --nomigrations hides them
    call_command("makemigrations", check=True, dry_run=True)
    assert "No changes detected" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's statements have no time limit")
def test_migrate_when_a_statement_takes_longer_than_a_request_may_then_goes_on():
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 30000")
        call_command("migrate", verbosity=0)
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("0", "10s")
