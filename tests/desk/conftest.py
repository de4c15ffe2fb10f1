"""Who sits at the desk in these tests, and a ticket to work on."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import AgentGroup
from tests.factories import make_ticket


def logged_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(dan) -> Client:
    """Dan's browser."""
    return logged_in(dan)


@pytest.fixture
def ticket(workflow, ana):
    return make_ticket(ana)


@pytest.fixture
def secret(workflow, ana, eve):
    """A ticket in a private group that Eve is in and Dan is not."""
    group = AgentGroup.objects.create(name="People team", is_private=True)
    group.members.add(eve)
    return make_ticket(ana, "Salary letter", group=group)
