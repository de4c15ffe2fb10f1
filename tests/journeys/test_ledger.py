"""The ledger of `bench/ledger.py` in small: programs are killed while mail comes in, and each mail is accounted for."""

from __future__ import annotations

import os

import pytest

from bench.ledger import Plan, run

pytestmark = [
    pytest.mark.journey,
    pytest.mark.postgres,
    pytest.mark.skipif(not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="it is about PostgreSQL and Redis"),
]


def test_mails_when_programs_are_killed_then_each_is_there_once_and_whole(tmp_path):
    figures, faults = run(Plan(mails=60, kills=6, seed=7, hurry=True), tmp_path)
    assert faults == [], figures
    assert (figures["mails"], sum(figures["kills"].values())) == (60, 6)
