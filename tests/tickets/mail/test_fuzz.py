"""Whatever arrives is read or refused, and can be stored. The long run is bench/fuzz.py."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tickets.mail.mutations import grown, mutated, seeds, unstorable
from tickets.mail.parse import UnreadableMail, parse

POOL = seeds()


def problems(raw: bytes) -> list[str]:
    try:
        return unstorable(parse(raw))
    except UnreadableMail:
        return []


@pytest.mark.parametrize("seed", range(8))
def test_parse_when_seeds_are_damaged_then_result_is_storable(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - not for secrets
    assert [found for _turn in range(100) if (found := problems(mutated(random, POOL)))] == []


@pytest.mark.parametrize("seed", range(8))
def test_parse_when_mail_is_grown_from_pieces_then_result_is_storable(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - not for secrets
    assert [found for _turn in range(100) if (found := problems(grown(random)))] == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_parse_when_hypothesis_chooses_then_result_is_storable(random: Random) -> None:
    assert problems(random.choice([grown(random), mutated(random, POOL)])) == []
