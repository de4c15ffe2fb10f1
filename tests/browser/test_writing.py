"""Writing at the desk: kept as one writes, taken back in time, helped by canned replies and macros, with colleagues at the same ticket."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.fields import editor
from tests.browser.test_deeds import AGENT, OUTSIDER, submit

if TYPE_CHECKING:
    from playwright.sync_api import Route

CLEO, SOLO = "customer@globex.example", "solo@example.net"  # one may submit ten tickets in ten minutes

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
    expect(second.get_by_text("Priya Nair is looking at this").first).to_be_visible()
    editor(second, "Your reply or note").fill("Let me see.")
    expect(first.get_by_text("Tom Becker is writing").first).to_be_visible(timeout=15_000)
    first.locator("label").filter(has_text="Internal note").click()
    editor(first, "Your reply or note").fill("Known: see the other ticket.")
    first.get_by_role("button", name="Add note").click()
    news = second.get_by_text("Something happened since you opened this, by Priya Nair.")
    expect(news).to_be_visible(timeout=15_000)
    second.get_by_role("link", name="Show it").click()
    expect(second.locator(".entry-note")).to_contain_text("New since you opened the page")
    expect(second.locator("textarea[name=text]")).to_have_value("Let me see.")


def test_macro_when_enter_is_quicker_than_the_answer_then_is_the_one_that_was_typed(visit):
    page = visit(AGENT, f"/desk{submit(visit, 'Quick macro', email=SOLO)}")
    page.keyboard.press("x")
    expect(page.locator("#macro-finder [role=option]").first).to_contain_text("Take it and say")
    page.keyboard.type("wait for")
    page.keyboard.press("Enter")
    expect(page.locator("#property-status option:checked")).to_have_text("Waiting on Customer")
    expect(page.locator("#leaving")).to_have_count(0)


def test_macro_is_shown_done_by_keys_and_its_reply_taken_back(visit):
    path = f"/desk{submit(visit, 'By macro', email=CLEO)}"
    page = visit(AGENT, path)
    page.keyboard.press("x")
    option = page.get_by_role("option", name="Take it and say that we are on it")
    expect(option).to_contain_text("set the status to In Progress · assign it to me")
    expect(option).to_contain_text("I am looking into “By macro”")
    page.keyboard.press("Enter")
    expect(page.locator("#leaving")).to_contain_text("set the status to In Progress · assign it to me")
    page.keyboard.press("z")
    expect(editor(page, "Your reply or note")).to_contain_text("I am looking into “By macro”")
    expect(page.locator("#leaving")).to_have_count(0)
    expect(page.get_by_label("Assignee").locator("option:checked")).to_have_text("Nobody")


@pytest.mark.parametrize("late", ["js/drafts", "js/editor", "django_prose_editor/editor"])
def test_draft_when_one_writes_before_the_scripts_are_there_then_goes_on_behind_it_and_keeps_its_looks(visit, late):
    path = f"/desk{submit(visit, 'Quick fingers', email=SOLO)}"
    page = visit(AGENT, path)
    box = editor(page, "Your reply or note")
    box.press_sequentially("First, ")
    for keys in ("Control+b", "b", "o", "l", "d", "Control+b"):
        box.press(keys)
    expect(page.get_by_text("Draft kept. Only you see it.")).to_be_visible()
    held: list[Route] = []
    is_late = threading.Event()
    is_late.set()
    page.route(f"**/{late}*.js", lambda route: held.append(route) if is_late.is_set() else route.continue_())
    page.reload(wait_until="commit")
    expect(page.locator("html[data-keys] textarea[name=text]")).to_have_value("First, bold")
    page.keyboard.press("r")
    page.keyboard.type(" then")
    is_late.clear()  # what is asked for only now is not held
    for route in held:
        route.continue_()
    expect(page.locator(".tiptap")).to_be_focused()
    page.keyboard.type("!")
    expect(page.locator(".tiptap strong")).to_have_text("bold")
    expect(page.locator(".tiptap")).to_have_text("First, bold then!")


def test_draft_with_formatting_when_changed_without_scripts_then_the_changed_words_go_out(visit):
    path = f"/desk{submit(visit, 'No scripts', email=CLEO)}"
    page = visit(AGENT, path)
    box = editor(page, "Your reply or note")
    for keys in ("Control+b", "O", "n", "e", "Control+b"):
        box.press(keys)
    expect(page.get_by_text("Draft kept. Only you see it.")).to_be_visible()
    plain = visit(AGENT, path, java_script_enabled=False)
    field = plain.get_by_label("Your reply or note")
    expect(field).to_have_value("One")
    field.fill("One, two")
    plain.get_by_role("button", name="Send reply").click()
    expect(plain.locator("#leaving .prose")).to_have_text("One, two")


def test_reply_and_note_when_turned_to_and_fro_then_each_keeps_its_own_words_looks_and_files(visit):
    path = f"/desk{submit(visit, 'Two drafts', email=CLEO)}"
    page = visit(AGENT, path)
    box = editor(page, "Your reply or note")
    for keys in ("Control+b", "O", "n", "e", "Control+b"):
        box.press(keys)
    page.locator("input[type=file]").first.set_input_files({"name": "for-her.txt", "mimeType": "text/plain", "buffer": b"x"})
    expect(page.locator("[data-chosen] li[data-line]")).to_contain_text("for-her.txt")  # has arrived: until then nothing is turned
    page.locator("h1").click()
    page.keyboard.press("n")
    expect(box).to_have_text("")
    expect(page.locator("[data-chosen] li")).to_have_count(0)
    page.keyboard.type("Between us")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(box).not_to_contain_text("One")  # no undo brings a reply's words into a note
    box.press_sequentially("Between us")
    page.locator("label").filter(has_text="Reply").first.click()
    expect(box.locator("strong")).to_have_text("One")
    expect(page.locator("[data-chosen] li")).to_contain_text("for-her.txt")
    expect(page.get_by_text("Draft kept. Only you see it.")).to_be_visible()
    page.reload()
    other = visit(AGENT, path)
    for shown in (page, other):
        box = editor(shown, "Your reply or note")
        shown.locator("label").filter(has_text="Internal note").first.click()
        expect(box).to_have_text("Between us")
        shown.locator("label").filter(has_text="Reply").first.click()
        expect(box.locator("strong")).to_have_text("One")
    other.locator("label").filter(has_text="Internal note").first.click()
    other.get_by_role("button", name="Add note").click()
    expect(other.locator(".entry-note")).to_contain_text("Between us")
    expect(editor(other, "Your reply or note").locator("strong")).to_have_text("One")


def test_reply_when_it_has_gone_then_the_page_shows_what_stands_and_goes_on_with_what_is_typed(visit):
    page = visit("agent@support.example", "/desk/tickets/36/")
    page.keyboard.press("r")
    page.keyboard.type("Here is the answer.")
    page.locator("#id_status_after").select_option(label="Send and set to Waiting on Customer")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("#leaving")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("And one more")
    expect(page.locator("#leaving")).to_have_text("It has gone out.", timeout=20000)
    expect(page.locator(".facts").get_by_text("Waiting on Customer")).to_be_visible()
    expect(page.locator("#property-status option:checked")).to_have_text("Waiting on Customer")
    expect(page.locator(".timeline").get_by_text("Here is the answer.")).to_be_visible()
    page.keyboard.type(" thing.")
    expect(page.locator("#id_text")).to_have_value("And one more thing.")


def test_draft_when_discarded_then_is_gone_until_that_is_taken_back_and_esc_leaves_the_editor(visit):
    page = visit("agent@support.example", "/desk/tickets/35/")
    page.keyboard.press("r")
    page.keyboard.type("Zebra")
    expect(page.get_by_text("Draft kept.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("body")).to_be_focused()
    page.reload()
    page.get_by_role("button", name="Discard draft").click()
    expect(page.locator(".message-success")).to_contain_text("The draft is thrown away.")
    expect(page.locator("#id_text")).to_have_value("")
    page.locator(".message-success").get_by_role("button", name="Undo").click()
    expect(page.locator(".message-success")).to_contain_text("Your draft is back.")
    expect(page.locator("#id_text")).to_have_value("Zebra")
