"""A customer's whole way, in a browser, on a desk and on a phone: invited, joined, filed, shared, named, followed, removed, reopened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.fields import editor
from tests.journeys.peers import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.journeys.stack import Stack

pytestmark = pytest.mark.browser

ANA, BEN, CLEO, PRIYA = "customer@acme.example", "teammate@acme.example", "customer@globex.example", "agent@support.example"
SCREENS = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


def link_in(running: Stack, address: str, pattern: str) -> str:
    """The first link of this kind that was mailed to an address, waited for."""

    def found() -> list[str]:
        bodies = [mail.get_body(("plain",)) for mail in running.sink.to(address)]
        return [link for body in bodies if body for link in re.findall(pattern, str(body.get_content()))]

    wait_until(found, seconds=60, told=f"no link {pattern} came to {address}")
    return found()[0].removeprefix(running.url)


def unfold(page: Page) -> None:
    """On a phone the side column is folded under a line."""
    summary = page.locator(".fold:not([open]) > summary")
    if summary.is_visible():
        summary.click()


@pytest.mark.parametrize("screen", SCREENS)
def test_from_an_invitation_to_the_reopened_ticket(running, visit, screen):  # noqa: PLR0915 one story
    size: dict[str, Any] = {"viewport": SCREENS[screen]}
    newcomer, subject = f"nina.{screen}@acme.example", f"Export stops half-way ({screen})"

    # Ana invites a colleague, who joins by the link in the mail.
    page = visit(ANA, "/people/", **size)
    page.get_by_label("Email").fill(newcomer)
    page.get_by_label("Name").fill(f"Nina {screen.title()}")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text(f"An invitation is on its way to {newcomer}")).to_be_visible()
    nina = visit("", link_in(running, newcomer, r"http\S+/invitations/\S+"), **size)
    for field in nina.locator('input[type="password"]').all():
        field.fill("a long enough phrase")
    nina.get_by_role("button", name="Set password and join").click()
    expect(nina.get_by_text("You belong to Acme now")).to_be_visible()

    # She files a ticket that her colleagues do not see, and shares it with Ben alone.
    nina.goto(f"{running.url}/tickets/new/")
    nina.get_by_label("Subject").fill(subject)
    editor(nina, "Description").fill("The export of May stops at half of the rows.")
    nina.get_by_role("radio", name=re.compile("Only me")).check()
    nina.get_by_role("button", name="Submit ticket").click()
    nina.wait_for_url(re.compile(r"/tickets/\d+/$"))
    path = nina.url.removeprefix(running.url)
    ben = visit(BEN, path, **size)
    expect(ben.get_by_role("heading", name=subject)).to_have_count(0)
    unfold(nina)
    nina.locator(".sharing > summary").click()
    nina.locator(".sharing").get_by_role("combobox").fill("Ben Whit")
    nina.get_by_role("option", name=re.compile("Ben Whitaker")).click()
    nina.locator(".sharing").get_by_role("button", name="Share", exact=True).click()
    expect(nina.get_by_text("Shared with Ben Whitaker")).to_be_visible()
    ben.reload()
    expect(ben.get_by_role("heading", name=subject)).to_be_visible()

    # Ben names Ana by keys alone, who sees it from then on; a stranger never does.
    words = editor(ben, "Your reply")
    words.click()
    words.press_sequentially("Have you seen this, @Ana Rib")
    expect(ben.get_by_role("option", name=re.compile("Ana Ribeiro"))).to_be_visible()
    ben.keyboard.press("Enter")
    expect(ben.get_by_text(re.compile("can't see this ticket yet"))).to_be_visible()
    ben.get_by_role("button", name="Post reply").click()
    ana = visit(ANA, path, **size)
    expect(ana.get_by_text("Have you seen this, @Ana Ribeiro")).to_be_visible()
    expect(visit(CLEO, path, **size).get_by_role("heading", name=subject)).to_have_count(0)

    # Nina removes Ben, who loses it, and can bring him back.
    nina.reload()
    unfold(nina)
    nina.get_by_role("button", name="Remove Ben Whitaker").click()
    expect(nina.get_by_text("Ben Whitaker is no longer on this ticket")).to_be_visible()
    ben.reload()
    expect(ben.get_by_role("heading", name=subject)).to_have_count(0)

    # Support resolves it, and she says by the link of that mail that it is not.
    desk = visit(PRIYA, f"/desk{path}", viewport=SCREENS["desk"])
    desk.get_by_role("button", name="Resolve").click()
    desk.get_by_label("What kind of matter was it?").select_option(label="Bug")
    desk.get_by_role("button", name="Resolve", exact=True).click()
    answer = visit("", link_in(running, newcomer, r"No, still broken:\s+(http\S+)"), **size)
    answer.get_by_role("button", name=re.compile("still broken")).click()
    expect(answer.get_by_role("heading", name="The ticket is open again")).to_be_visible()
    nina.reload()
    expect(nina.get_by_text("reopened the ticket")).to_be_visible()

    # And she leaves: nothing of the organization is hers to see any more, her own ticket is.
    nina.goto(f"{running.url}/people/")
    nina.get_by_role("link", name="Leave this organization").click()
    nina.get_by_role("button", name=re.compile("^Leave")).click()
    expect(nina.get_by_text("You no longer belong to Acme")).to_be_visible()
    nina.goto(f"{running.url}/tickets/?show=all&whose=any")
    expect(nina.locator(".ticket-list li")).to_have_count(1)
