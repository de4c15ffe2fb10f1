"""An unreachable Redis is an empty cache, never an error."""

from __future__ import annotations

import pytest
from django.core.cache import caches
from django.urls import reverse

from tests.journeys.peers import free_port

pytestmark = pytest.mark.services


@pytest.fixture
def dead(settings):
    location = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {"BACKEND": "helpdesk.cache.RedisCache", "LOCATION": location, "OPTIONS": {"socket_connect_timeout": 1}}}
    return caches["default"]


def test_dead_cache_answers_like_an_empty_one(dead):
    dead.set("key", 1)
    answers = (
        dead.get("key"),
        dead.get("key", 7),
        dead.get_many(["key"]),
        dead.add("key", 1),
        dead.incr("key"),
        dead.delete("key"),
        "key" in dead,
    )
    assert answers == (None, 7, {}, True, 1, False, False)


def test_people_log_in_while_the_cache_is_dead(client, ana, dead):
    answer = client.post(reverse("account_login"), {"login": ana.email, "password": "correct horse battery"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
