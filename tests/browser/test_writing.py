"""Writing at the desk: kept as one writes, taken back in time, helped by canned replies and macros, with colleagues at the same ticket."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.fields import editor
from tests.browser.test_deeds import AGENT, OUTSIDER, submit

CLEO = "customer@globex.example"  # one may submit ten tickets in ten minutes

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_what_is_written_is_there_in_another_browser_and_a_canned_reply_goes_into_it(visit):
    path = f"/desk{submit(visit, 'Half a reply', email=CLEO)}"
    page = visit(AGENT, path)
    editor(page, "Your reply or note").fill("First of all:")
    page.locator("h1").click()
    page.keyboard.press("c")
    page.get_by_role("combobox", name="Search the canned replies").fill("browser version")
    expect(page.get_by_role("option", name="Which browser and version?")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Your reply or note").locator("ol li")).to_have_count(3)
    expect(page.get_by_text("Draft kept. Only you see it.")).to_be_visible()
    other = visit(AGENT, path)
    expect(editor(other, "Your reply or note")).to_contain_text("First of all:")
    expect(other.get_by_role("textbox", name="Your reply or note").locator("strong")).to_have_text("private window")
    expect(visit(OUTSIDER, path).locator("textarea[name=text]")).to_have_value("")


def test_colleagues_see_each_other_and_what_arrives_costs_no_words(visit):
    path = f"/desk{submit(visit, 'Three at once', email=CLEO)}"
    first, second = visit(AGENT, path), visit(OUTSIDER, path)
    expect(second.get_by_text("Priya Nair is looking at this")).to_be_visible()
    editor(second, "Your reply or note").fill("Let me see.")
    expect(first.get_by_text("Tom Becker is writing")).to_be_visible(timeout=15_000)
    editor(first, "Your reply or note").fill("Known: see the other ticket.")
    first.locator("label").filter(has_text="Internal note").click()
    first.get_by_role("button", name="Add note").click()
    news = second.get_by_text("Something happened since you opened this, by Priya Nair.")
    expect(news).to_be_visible(timeout=15_000)
    second.get_by_role("link", name="Show it").click()
    expect(second.locator(".entry-note")).to_contain_text("New since you opened the page")
    expect(second.locator("textarea[name=text]")).to_have_value("Let me see.")


def test_macro_is_shown_done_by_keys_and_its_reply_taken_back(visit):
    path = f"/desk{submit(visit, 'By macro', email=CLEO)}"
    page = visit(AGENT, path)
    page.keyboard.press("x")
    option = page.get_by_role("option", name="Take it and say that we are on it")
    expect(option).to_contain_text("set the status to In Progress · assign it to me")
    expect(option).to_contain_text("I am looking into “By macro”")
    page.keyboard.press("Enter")
    expect(page.locator(".timeline").get_by_text(re.compile("assigned the ticket to Priya Nair"))).to_be_visible()
    page.keyboard.press("z")
    expect(editor(page, "Your reply or note")).to_contain_text("I am looking into “By macro”")
    expect(page.locator("#leaving")).to_have_count(0)
    expect(page.get_by_label("Assignee")).to_contain_text("Priya Nair")
