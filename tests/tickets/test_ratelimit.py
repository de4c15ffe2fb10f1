from __future__ import annotations

import pytest

from accounts.models import User
from tickets.ratelimit import SPAN, is_too_often

pytestmark = pytest.mark.services

ANA, BEN = User(pk=1), User(pk=2)


def test_limit_when_reached_then_holds_up_that_person_and_deed_alone():
    assert [is_too_often("submit", ANA, limit=2) for _at in range(3)] == [False, False, True]
    assert (is_too_often("submit", BEN, limit=2), is_too_often("comment", ANA, limit=2)) == (False, False)


def test_limit_when_the_window_is_over_then_starts_anew(time_machine):
    time_machine.move_to("2026-03-01 12:00:00+00:00", tick=False)
    assert [is_too_often("submit", ANA, limit=1) for _at in range(2)] == [False, True]
    time_machine.shift(SPAN)
    assert is_too_often("submit", ANA, limit=1) is False


def test_limit_when_the_cache_is_down_then_nobody_is_held_up(settings):
    settings.CACHES = {"default": {"BACKEND": "helpdesk.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1"}}
    assert [is_too_often("submit", ANA, limit=1) for _at in range(2)] == [False, False]
