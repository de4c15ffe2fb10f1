"""Writing in the rich text editor, as people do it: keys, a pasted screenshot, files that travel, a session that ends meanwhile."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_deeds import AGENT, FILE, submit

pytestmark = pytest.mark.browser

CUSTOMER = "solo@example.net"  # not who submits in the other files: nobody may submit more than ten tickets in ten minutes

# What a browser does when somebody pastes a screenshot.
PASTE = """async (editor) => {
  const canvas = document.createElement("canvas");
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const data = new DataTransfer();
  data.items.add(new File([blob], "image.png", { type: "image/png" }));
  editor.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def begin(visit, subject: str, **options):
    """The form with a subject, and its editor, which has come by then."""
    page = visit(CUSTOMER, "/tickets/new/", **options)
    page.get_by_label("Subject").fill(subject)
    editor = page.get_by_role("textbox", name="Description")
    expect(page.locator(".editor.is-rich")).to_be_visible()
    return page, editor


def test_words_lists_and_a_pasted_screenshot_are_on_the_ticket_as_written(visit):
    page, editor = begin(visit, "Rich")
    expect(editor).to_have_accessible_description("What did you do, what did you expect, and what happened instead?")
    editor.click()
    page.keyboard.press("Control+b")
    page.keyboard.type("Since noon")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Bulleted list").click()
    expect(page.get_by_role("button", name="Bulleted list")).to_have_attribute("aria-pressed", "true")
    page.keyboard.type("one")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    editor.evaluate(PASTE)
    expect(editor.locator('img[src^="/uploads/"]')).to_be_visible()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/tickets/\d+/$"))
    said = page.locator(".entry .prose").first
    expect(said.locator("strong")).to_have_text("Since noon")
    expect(said.locator("li")).to_have_text("one")
    picture = said.locator("img")
    expect(picture).to_have_attribute("src", re.compile(r"^/attachments/\d+/image\.png\?inline=1$"))
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 300


def test_files_travel_at_once_and_are_kept_through_a_reload(visit):
    page, editor = begin(visit, "With a trace")
    editor.click()
    page.keyboard.type("1. See the file")
    page.locator('input[type="file"]').set_input_files([FILE, {**FILE, "name": "other.log"}])
    page.get_by_role("button", name="Remove other.log").click()
    expect(page.locator("#id_uploads")).to_have_value(re.compile(r"^[0-9a-f-]{36} 18 trace\.log$"))
    page.reload()
    expect(page.get_by_role("textbox", name="Description").locator("ol li")).to_have_text("See the file")
    page.get_by_role("button", name="Submit ticket").click()
    page.wait_for_url(re.compile(r"/tickets/\d+/$"))
    expect(page.locator(".entry .attachment")).to_contain_text("trace.log")
    page.goto(page.url.partition("/tickets")[0] + "/tickets/new/")
    expect(page.get_by_label("Subject")).to_have_value("")  # the draft went with it
    expect(page.locator(".chosen li")).to_have_count(0)


def test_words_are_back_after_the_session_ended_and_one_logged_in_again(visit):
    page, editor = begin(visit, "Session ended")
    editor.click()
    page.keyboard.type("- kept")
    page.context.clear_cookies(name="session")
    page.get_by_role("button", name="Submit ticket").click()
    page.locator('input[name="login"]').first.fill(CUSTOMER)
    page.locator('input[name="password"]').first.fill("demo")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_label("Subject")).to_have_value("Session ended")
    expect(page.get_by_role("textbox", name="Description").locator("li")).to_have_text("kept")


def test_editor_is_left_by_tab_and_its_links_are_set_by_keys(visit):
    page = visit(AGENT, "/desk/tickets/")
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url(re.compile(r"/desk/tickets/\d+/$"))
    page.keyboard.press("r")
    editor = page.get_by_role("textbox", name="Your reply or note")
    expect(page.locator(".editor.is-rich")).to_be_visible()
    expect(editor).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("docs.example/start")
    page.keyboard.press("Enter")
    expect(editor.locator("a")).to_have_attribute("href", "https://docs.example/start")
    page.keyboard.press("Enter")
    page.keyboard.type("- one")
    page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()
    page.get_by_role("button", name="Bold").press("ArrowRight")
    expect(page.get_by_role("button", name="Italic")).to_be_focused()


def test_no_letter_is_lost_where_the_editor_comes_while_one_types(visit):
    words = "The player stays blank since noon, and nobody here knows why that is. " * 3
    page = visit(CUSTOMER, "/accounts/email/")
    held = []

    def hold(route) -> None:
        held.append(route)

    page.route("**/django_prose_editor/editor*.js", hold)
    page.goto(page.url.partition("/accounts")[0] + "/tickets/new/")
    page.get_by_label("Subject").fill("Slow line")
    page.keyboard.press("Tab")  # to the buttons: the letters go into the text all the same
    page.keyboard.type(words[:20], delay=5)
    held[0].continue_()
    page.keyboard.type(words[20:], delay=10)
    expect(page.locator(".editor.is-rich .tiptap")).to_have_text(words.strip())


def test_what_was_written_as_a_note_comes_back_as_a_note(visit):
    submit(visit, "With a note", email=CUSTOMER)  # the newest, and none that another test has begun to answer
    page = visit(AGENT, "/desk/tickets/")
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url(re.compile(r"/desk/tickets/\d+/$"))
    page.keyboard.press("n")
    expect(page.locator(".tiptap")).to_be_focused()
    page.keyboard.type("Their proxy again.")
    page.reload()
    expect(page.locator(".tiptap")).to_have_text("Their proxy again.")
    expect(page.get_by_role("radio", name="Internal note")).to_be_checked()
    expect(page.get_by_role("button", name="Add note")).to_be_visible()
