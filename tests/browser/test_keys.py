"""The desk without a mouse: keys, the palette of commands, and the list of them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

AGENT = "agent@support.example"


def test_ticket_is_opened_set_and_answered_by_keys_alone(visit):
    page = visit(AGENT, "/desk/tickets/?q=Chrome+extension+is+blocked")
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name="Chrome extension is blocked")).to_be_visible()
    page.keyboard.press("p")
    page.keyboard.type("low")
    with page.expect_navigation():  # the select has its value before the next page is there
        page.keyboard.press("Enter")
    expect(page.locator("#property-priority")).to_have_value(
        page.locator("#property-priority").locator("option", has_text="Low").get_attribute("value")
    )
    page.keyboard.press("Control+k")
    page.keyboard.type("status dev")
    page.keyboard.press("Enter")
    expect(page.locator(".facts").get_by_text("Waiting on Dev Team")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("s p and k are letters here.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#leaving").get_by_text("s p and k are letters here.")).to_be_visible()


def test_palette_goes_to_views_and_searches_for_what_is_no_command(visit):
    page = visit(AGENT, "/desk/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="What do you want to do?")).to_be_focused()
    expect(page.get_by_role("option", selected=True)).to_have_text("File for a customer")  # the page's own come before the account's menu
    page.keyboard.type("tickets")
    expect(page.get_by_role("option", selected=True)).to_have_text("Go to: Tickets")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_text("Search tickets for “tickets”")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Unresolved")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("zzyzx")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="“zzyzx”")).to_be_visible()


def test_line_when_one_types_on_then_nothing_is_completed_that_was_offered_before(visit):
    page = visit(AGENT, "/desk/tickets/")
    page.keyboard.press("/")
    page.keyboard.type("sta")
    expect(page.get_by_role("option", name="status:")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("mp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="“stamp”")).to_be_visible()


def test_line_when_it_has_an_emoji_then_what_is_chosen_takes_the_place_of_what_was_typed(visit):
    page = visit(AGENT, "/desk/tickets/")
    page.keyboard.press("/")
    page.keyboard.type("🎉 sta")
    expect(page.get_by_role("option", name="status:")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Search tickets")).to_have_value("🎉 status:")
    page.keyboard.type("wai")
    expect(page.get_by_role("option", name="waiting", exact=True)).to_be_visible()


def test_palette_when_asked_for_a_tag_a_link_or_the_way_out_then_has_them(visit):
    page = visit(AGENT, "/desk/tickets/21/")
    for typed, offered in (("link another", "Link another ticket"), ("log out", "Log out"), ("profile", "Profile")):
        page.keyboard.press("Control+k")
        expect(page.get_by_role("combobox", name="What do you want to do?")).to_be_focused()
        page.keyboard.type(typed)
        expect(page.locator("#palette [aria-selected=true] .clip")).to_have_text(offered)
        page.keyboard.press("Escape")
        expect(page.locator("#palette")).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.type("add a tag")
    page.keyboard.press("Enter")
    expect(page.locator('input[name="tags"]')).to_be_focused()


@pytest.mark.parametrize(
    ("path", "offered"),
    [
        (
            "/desk/tickets/21/",
            {
                "dark": "Theme: Dark",
                "time zone": "Profile",
                "keyboard": "Keys",
                "holiday": "Go to: Admin",
                "history": "Show everything",
                "requester": "The customer: Marek Dvořák",
                "split": "Split off: Thank you. It is with our …",
                "share": "Share the ticket",
                "send set open": "The reply: Send and set to Open",
                "send what": "Send what is written",
                "snooze date": "Snooze until a date",
            },
        ),
        (
            "/desk/tickets/",
            {
                "sort longest": "Sort by: Waiting longest",
                "save view": "Save view",
                "columns": "Columns",
                "new ticket": "File for a customer",
                "group devops": "Filter by Group: DevOps",
            },
        ),
        (
            "/desk/reports/",
            {"export": "CSV file", "last month": "Period: Last month", "busiest": "Reports: Busiest hours", "monday": "By mail"},
        ),
    ],
)
def test_palette_when_asked_for_what_the_page_offers_then_has_it(visit, path, offered):
    page = visit("admin@support.example", path)
    found = {}
    for typed in offered:
        page.keyboard.press("Control+k")
        expect(page.locator("#palette[data-ready]")).to_be_visible()
        page.keyboard.insert_text(typed)
        found[typed] = page.locator("#palette [aria-selected=true] .clip").inner_text()
        page.keyboard.press("Escape")
    assert found == offered


def test_palette_when_the_theme_is_chosen_then_it_is_there_and_the_keys_are_listed_too(visit):
    page = visit(AGENT, "/desk/")
    for typed, then in (("dark", page.locator("html[data-bs-theme=dark]")), ("keys", page.get_by_role("dialog", name="Keys"))):
        page.keyboard.press("Control+k")
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        expect(then).to_be_visible()
    page.goto(page.url + "tickets/21/")
    page.keyboard.press("Control+k")
    page.keyboard.type("snooze until a date")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Until a date")).to_be_focused()


def test_select_when_set_by_keys_then_has_the_focus_on_the_next_page_too(visit):
    page = visit(AGENT, "/desk/reports/")
    page.get_by_label("Rows", exact=True).focus()
    for chosen in ("By week", "By month"):
        page.keyboard.press("ArrowDown")
        expect(page.get_by_label("Rows", exact=True).locator("option:checked")).to_have_text(chosen)
        expect(page.get_by_label("Rows", exact=True)).to_be_focused()
    page.goto(page.url)
    expect(page.get_by_label("Rows", exact=True)).not_to_be_focused()


def test_keys_when_switched_off_then_do_nothing_but_list_themselves(visit):
    page = visit(AGENT, "/desk/tickets/21/")
    page.keyboard.press("?")
    listed = page.get_by_role("dialog", name="Keys")
    expect(listed.get_by_text("Assignee", exact=True)).to_be_visible()
    listed.get_by_label("Use these keys in this browser").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.locator("#palette")).not_to_be_visible()
    page.keyboard.press("?")
    expect(listed).to_be_visible()


def test_next_ticket_of_the_list_is_one_key_away_also_after_a_change(visit):
    page = visit(AGENT, "/desk/tickets/?q=status:any&sort=number")
    numbers = page.locator("[data-row] .col-number").all_inner_texts()[:3]
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url(f"**/desk/tickets/{numbers[0]}/")
    page.keyboard.press("j")
    page.wait_for_url(f"**/desk/tickets/{numbers[1]}/")
    page.keyboard.press("g")
    page.keyboard.type("devops")
    page.keyboard.press("Enter")
    expect(page.locator("#property-group")).to_have_value(
        page.locator("#property-group").locator("option", has_text="DevOps").get_attribute("value")
    )
    page.keyboard.press("j")
    page.wait_for_url(f"**/desk/tickets/{numbers[2]}/")
    page.keyboard.press("u")
    page.wait_for_url("**/desk/tickets/?q=status:any&sort=number")


def test_list_when_one_scrolls_while_it_is_renewed_then_stays_where_one_is(visit):
    page = visit(AGENT, "/desk/tickets/?q=status:any", viewport={"width": 1280, "height": 400})
    page.locator(".queue-table input[name=ticket]").first.check()
    expect(page.get_by_role("link", name="Merge")).to_be_visible()  # the script has come
    arrived_at = page.evaluate("""() => new Promise((done) => {
        const scroll = (top) => scrollTo({ top, behavior: "instant" }), real = fetch, note = document.querySelector("[data-live]");
        window.fetch = async (...asked) => { const answer = await real(...asked); scroll(500); return answer; };
        document.addEventListener("rows", () => done(scrollY));
        scroll(200);
        note.hidden = false;
        note.firstElementChild.click();
    })""")
    assert arrived_at == 500


def test_next_ticket_of_a_list_that_was_renewed_is_the_one_that_it_shows_now(running, visit):
    page = visit(AGENT, "/desk/tickets/?q=status:any&sort=number")
    rows = page.locator("[data-row] .col-number")
    newest, second = rows.all_inner_texts()[:2]
    page.keyboard.press("j")
    page.keyboard.press("j")  # one stands at the second
    filed = visit("customer@acme.example", "/tickets/new/", java_script_enabled=False)
    filed.get_by_label("Subject").fill("Filed while the list is open")
    filed.get_by_label("Description").fill("It stays blank.")
    filed.get_by_role("button", name="Submit ticket").click()
    filed.wait_for_url(re.compile(r"/tickets/\d+/$"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_role("link", name="new or changed. Show").click()
    expect(rows.nth(1)).to_have_text(newest)
    page.keyboard.press("o")
    page.wait_for_url(f"**/desk/tickets/{second}/")
    page.keyboard.press("k")
    page.wait_for_url(f"**/desk/tickets/{newest}/")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", name="Filed while the list is open")).to_be_visible()


def test_ticket_when_turned_to_by_keys_then_a_macro_opens_on_a_page_that_ends_with_its_content(visit):
    page = visit(AGENT, "/desk/tickets/21/")
    page.keyboard.press("x")  # in lists it selects
    expect(page.get_by_role("heading", name="Use a macro")).to_be_visible()
    page.keyboard.press("Escape")
    blank = "document.documentElement.scrollHeight - scrollY - document.querySelector('.work').getBoundingClientRect().bottom"
    assert page.evaluate(blank) < 100  # pixels
