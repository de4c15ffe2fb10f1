"""A running demo, and people in browsers at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.peers import smtp_sink
from tests.journeys.stack import Stack, stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def running(tmp_path_factory) -> Iterator[Stack]:
    with smtp_sink() as sink, stack(tmp_path_factory.mktemp("browser"), sink, UNDO_SECONDS="6") as running:
        yield running


@pytest.fixture(scope="session")
def states(running: Stack, browser: Browser) -> Callable[[str], Any]:
    """The cookies of somebody who is logged in, by address; made once, as log-ins are rationed."""
    known: dict[str, Any] = {}

    def state(email: str) -> Any:
        if email and email not in known:
            context = browser.new_context()
            page = context.new_page()
            page.goto(f"{running.url}/accounts/login/")
            page.locator('input[name="login"]').first.fill(email)
            page.locator('input[name="password"]').first.fill("demo")
            page.get_by_role("button", name="Log in", exact=True).click()
            page.wait_for_url(lambda url: "/login/" not in url)
            known[email] = context.storage_state()
            context.close()
        return known.get(email)

    return state


@pytest.fixture
def visit(running: Stack, browser: Browser, states) -> Iterator[Callable[..., Page]]:
    """Opens a path as somebody; options go to the browser's context. What the page complains of in the console fails the test."""
    contexts, complaints = [], []

    def open_page(email: str, path: str, **options: Any) -> Page:
        context = browser.new_context(storage_state=states(email), **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{path}: {message.text}") if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(f"{path}: {error}"))
        page.goto(f"{running.url}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [words for words in complaints if "Failed to load resource" not in words or "status of 4" not in words] == []  # pages may refuse
