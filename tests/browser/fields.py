"""Writing into fields that scripts make something else of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def editor(page: Page, name: str) -> Locator:
    """Once the editor stands, which takes the textarea's place when somebody turns to the form: Playwright goes on asking for the field it saw first."""
    page.locator(".editor").first.hover()
    expect(page.locator(".editor.is-rich").first).to_be_visible()
    return page.get_by_role("textbox", name=name)
