"""What people do, done in a real browser: with scripts and without, by mouse and by keys."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.fields import editor

pytestmark = pytest.mark.browser

CUSTOMER, TEAMMATE, STRANGER = "customer@acme.example", "teammate@acme.example", "customer@globex.example"
AGENT, OUTSIDER = "agent@support.example", "agent2@support.example"
FILE = {"name": "trace.log", "mimeType": "text/plain", "buffer": b"one line of a log\n"}


def submit(visit, subject: str, *, email: str = CUSTOMER, **options) -> str:
    """Submits a ticket with a file; returns its path."""
    page = visit(email, "/tickets/new/", **options)
    page.get_by_label("Subject").fill(subject)
    has_scripts = options.get("java_script_enabled", True)
    (editor(page, "Description") if has_scripts else page.get_by_label("Description")).fill("It stays blank.")
    page.locator('input[type="file"]').set_input_files(FILE)
    page.get_by_role("button", name="Submit ticket").click()
    page.wait_for_url(re.compile(r"/tickets/\d+/$"))
    return page.url.rpartition("/tickets")[1] + page.url.rpartition("/tickets")[2]


@pytest.mark.parametrize("scripts", [True, False])
def test_customer_submits_a_ticket_with_a_file(visit, scripts):
    path = submit(visit, f"Scripts {scripts}", java_script_enabled=scripts)
    page = visit(CUSTOMER, path)
    expect(page.get_by_role("heading", name=f"Scripts {scripts}")).to_be_visible()
    expect(page.get_by_text("trace.log").first).to_be_visible()


def test_double_click_submits_one_ticket(visit):
    page = visit(CUSTOMER, "/tickets/new/")
    page.get_by_label("Subject").fill("Clicked twice")
    editor(page, "Description").fill("Once is enough.")
    page.get_by_role("button", name="Submit ticket").dblclick()
    page.wait_for_url(re.compile(r"/tickets/\d+/$"))
    page = visit(CUSTOMER, "/tickets/?q=Clicked+twice&state=all")
    expect(page.get_by_role("link", name="Clicked twice")).to_have_count(1)


def test_teammate_follows_what_is_shared_and_a_stranger_finds_nothing(visit):
    path = submit(visit, "Shared with Acme")
    page = visit(TEAMMATE, path)
    page.get_by_role("button", name="Follow this ticket").first.click()
    expect(page.get_by_role("button", name="Stop following").first).to_be_visible()
    expect(visit(STRANGER, path).get_by_text("Shared with Acme")).to_have_count(0)


def test_note_is_seen_by_staff_alone(visit):
    path = submit(visit, "With a note")
    page = visit(AGENT, f"/desk{path}")
    page.locator("label").filter(has_text="Internal note").click()
    editor(page, "Your reply or note").fill("Looks like their proxy.")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("Looks like their proxy.")).to_be_visible()
    customers = visit(CUSTOMER, path)
    expect(customers.get_by_role("heading", name="With a note")).to_be_visible()
    expect(customers.get_by_text("Looks like their proxy.")).to_have_count(0)


def test_second_agents_change_stops_a_reply_until_it_was_seen(visit):
    path = submit(visit, "Two agents")
    first, second = visit(AGENT, f"/desk{path}"), visit(OUTSIDER, f"/desk{path}")
    second.get_by_role("textbox", name="Your reply or note").fill("I am on it.")
    second.get_by_role("button", name="Send reply").click()
    expect(second.get_by_text("I am on it.")).to_be_visible()
    expect(second.get_by_text("It has gone out.")).to_be_visible(timeout=30_000)
    first.get_by_role("textbox", name="Your reply or note").fill("Me too.")
    first.get_by_role("button", name="Send reply").click()
    expect(first.locator('textarea[name="text"]')).to_have_value("Me too.")
    expect(first.get_by_text("I am on it.")).to_be_visible()
    first.get_by_role("button", name="Send reply").click()
    expect(first.locator("#leaving").get_by_text("Me too.")).to_be_visible()


def test_customer_reopens_what_was_not_fixed(visit):
    path = submit(visit, "Not fixed")
    page = visit(CUSTOMER, path)
    page.get_by_role("button", name="Close this ticket").click()
    page.get_by_role("button", name="Reopen this ticket").click()
    expect(page.get_by_text("In Progress").first).to_be_visible()


def test_unsent_words_survive_a_reload(visit):
    page = visit(CUSTOMER, "/tickets/new/")
    page.get_by_label("Description").fill("Half a sentence")
    page.wait_for_timeout(1200)
    page.reload()
    expect(page.get_by_label("Description")).to_have_text("Half a sentence")


def test_desk_is_walked_by_keys(visit):
    page = visit(AGENT, "/desk/tickets/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("o")
    page.wait_for_url(re.compile(r"/desk/tickets/\d+/$"))
    page.keyboard.press("n")
    expect(page.get_by_role("radio", name="Internal note")).to_be_checked()
    expect(page.get_by_role("textbox", name="Your reply or note")).to_be_focused()


def test_demo_account_is_entered_by_one_button(visit):
    page = visit("", "/accounts/login/")
    page.get_by_role("button", name=re.compile("Ben Whitaker")).click()
    expect(page.get_by_role("heading", name="How can we help?")).to_be_visible()


def test_teammate_is_named_by_keys_and_told_beforehand_that_it_shares(visit):
    page = visit(CUSTOMER, "/tickets/new/")
    page.get_by_label("Subject").fill("Mine alone")
    page.locator(".tiptap").fill("It stays blank.")  # the editor stands once somebody turns to the form
    page.get_by_role("radio", name=re.compile("^Only me")).check()
    page.get_by_role("button", name="Submit ticket").click()
    page.wait_for_url(re.compile(r"/tickets/\d+/$"))
    page.get_by_label("Your reply").focus()
    expect(page.locator(".tiptap")).to_be_focused()
    page.keyboard.type("Look ❤️@be")  # the heart ends with a mark that says how it looks, and goes on no word
    expect(page.get_by_role("option", name="Ben Whitaker")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.keyboard.type("please.")
    expect(page.get_by_text("Ben Whitaker can't see this ticket yet. Posting shares it with them.")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".mention")).to_have_text("@Ben Whitaker")
    path = page.url.rpartition("/tickets")[1] + page.url.rpartition("/tickets")[2]
    expect(visit(TEAMMATE, path.partition("#")[0]).get_by_role("heading", name="Mine alone")).to_be_visible()


def test_agent_tells_the_customer_a_priority(visit):
    path = submit(visit, "How urgent")
    page = visit(AGENT, f"/desk{path}")
    page.get_by_label("Tell the customer").check()
    page.get_by_role("combobox", name="Priority", exact=True).select_option("High")
    page.get_by_role("button", name="Set to High and tell the customer").click()
    expect(page.get_by_text("The priority is High now, and the customer is told.")).to_be_visible()
    expect(visit(CUSTOMER, path).get_by_text("We have set the priority of this ticket to High.")).to_be_visible()


def test_queue_is_asked_and_many_are_changed_by_keys(visit):
    for number in (1, 2, 3):
        submit(visit, f"Many {number}", email=TEAMMATE)
    page = visit(AGENT, "/desk/tickets/")
    page.keyboard.press("/")
    line = page.get_by_role("combobox", name="Search tickets")
    page.keyboard.type("many requester:teamm")
    offered = page.get_by_role("listbox", name="What can come next").get_by_role("option")
    expect(offered).to_have_text([re.compile(TEAMMATE)])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(line).to_have_value(f"many requester:{TEAMMATE} ")
    page.keyboard.press("Escape")
    expect(offered).to_have_count(0)
    line.press("Enter")
    page.wait_for_url(re.compile(r"q=many"))
    for key in "jxjxjx":
        page.keyboard.press(key)
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.get_by_role("form", name="Change the selected tickets").get_by_label("Priority").select_option("Low")
    page.get_by_role("button", name="Go on", exact=True).click()
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Change 3 tickets").click()
    expect(page.get_by_text("3 tickets are changed.")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("3 tickets are as they were before.")).to_be_visible()


def test_queue_tells_what_is_new_and_keeps_what_is_ticked(visit):
    subject = submit(visit, "Here before", email=STRANGER) and "Here before"
    page = visit(AGENT, "/desk/tickets/")
    page.clock.install()
    page.reload()
    box = page.get_by_role("checkbox", name=re.compile(subject))
    box.check()
    submit(visit, "Came meanwhile", email=STRANGER)
    page.clock.run_for(21_000)
    page.get_by_role("link", name="1 is new or changed. Show").click()
    expect(page.get_by_role("link", name="Came meanwhile")).to_be_visible()
    expect(box).to_be_checked()


def test_admin_writes_a_rule_line_by_line_and_tries_it(visit):
    page = visit("admin@support.example", "/desk/automation/new/")
    expect(page.get_by_label("How long")).to_be_hidden()
    page.get_by_label("What sets it off").select_option("age")
    page.get_by_label("How long").fill("5")
    page.get_by_label("Unit").select_option("minutes")
    page.get_by_label("Add a condition").select_option(label="Subject")
    expect(page.get_by_role("group", name="Status", exact=True)).to_be_hidden()
    page.get_by_role("group", name="Subject", exact=True).get_by_role("textbox").fill("single sign-on")
    page.get_by_label("Add a step").select_option(label="Add an internal note")
    page.get_by_role("group", name="Add an internal note").get_by_role("textbox").fill("Look.")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text(re.compile("It would have held 1 time"))).to_be_visible()
    page.get_by_label("Name").fill("Five minutes")
    page.get_by_role("button", name="Remove Subject").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("When it is 5 minutes since the ticket was opened", exact=True)).to_be_visible()
