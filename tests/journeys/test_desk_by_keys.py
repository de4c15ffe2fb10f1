"""From a mail that comes in to the close, at the desk by keys alone, in the workflow of each preset: real processes, a browser, SMTP in and out."""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.journeys.peers import smtp_sink
from tests.journeys.stack import Stack, stack
from tests.journeys.test_story import log_in, mail_from_nora, nth_mail, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.journey

NORA, AGENT = "nora@initech.example", "agent@support.example"
SUPPORT = "support@support.example"

# A house that has begun with a preset alone: an agent, a canned reply, a macro, and no ticket.
BEGUN = """
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.utils import timezone
from accounts.models import Role, User
from tickets.models import CannedReply, Macro, Status
call_command("flush", interactive=False, verbosity=0)
call_command("preset", {preset!r})
for email, name, role in (({agent!r}, "Priya Nair", Role.AGENT), ({nora!r}, "Nora Naumann", Role.CUSTOMER)):
    User.objects.create(email=email, name=name, role=role, password=make_password("demo"), proven_at=timezone.now())
CannedReply.objects.create(name="Which browser?", text="Hello {{first_name}}, which browser is it?")
Macro.objects.create(name="On it", status=Status.objects.get(name="In Progress"), assigns=Macro.Assigns.ME, note="Asked the team.")
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with smtp_sink() as sink, stack(tmp_path_factory.mktemp("keys"), sink) as running:
        yield running


class Keys:
    """Somebody at the desk whose hands stay on the keyboard."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.wait_for_load_state()  # nobody presses a key on half a page
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)

    def choose(self, key: str, words: str, *, told: str) -> None:
        """A property by its key and the first letters of a value; waits for the page that says so."""
        self.press(key)
        expect(self.page.locator("#palette")).to_be_visible()
        self.write(words)
        self.press("Enter")
        expect(self.page.locator("#palette")).not_to_be_visible()
        self.sees(told)

    def command(self, words: str) -> None:
        self.press("Control+k")
        expect(self.page.locator("#palette")).to_be_visible()
        self.write(words)
        self.press("Enter")
        expect(self.page.locator("#palette")).not_to_be_visible()

    def find(self, key: str, finder: str, words: str) -> None:
        """In a dialog that asks the server."""
        self.press(key)
        expect(self.page.locator(finder)).to_be_visible()
        self.write(words)
        expect(self.page.locator(f"{finder} [role=option]").filter(has_text=words)).to_have_attribute("aria-selected", "true")
        self.press("Enter")
        expect(self.page.locator(finder)).not_to_be_visible()

    def tab_to(self, name: str) -> None:
        """On by Tab, as far as one would go before looking for another way."""
        for _step in range(12):
            self.press("Tab")
            if self.page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()").startswith(name):
                return
        raise AssertionError(f"no {name!r} within a dozen tabs")

    def step_to(self, option: str) -> None:
        """Down in the select that has the focus."""
        for _step in range(12):
            self.press("ArrowDown")
            if self.page.evaluate("document.activeElement.selectedOptions[0].textContent").endswith(option):
                return
        raise AssertionError(f"no {option!r} within a dozen steps")

    def sees(self, text: str) -> None:
        expect(self.page.locator("main").get_by_text(text).first).to_be_visible()


@pytest.fixture
def begin(running: Stack, browser: Browser) -> Callable[[str], tuple[Keys, str]]:
    """Empties the house, installs a preset, lets a mail come in, and logs an agent in: gives their keys, and the ticket's number."""

    def begun(preset: str) -> tuple[Keys, str]:
        running.wait_until_idle()
        running.sink.mails.clear()
        running.shell(BEGUN.format(preset=preset, agent=AGENT, nora=NORA))
        running.send(mail_from_nora(f"The player is blank. {preset}\n", to=SUPPORT, subject="Blank player"), sender=NORA, to=SUPPORT)
        received = re.search(r"\[#(\d+)\]", nth_mail(running, NORA, 1)["Subject"])
        assert received
        page = log_in(browser, running, AGENT)
        page.wait_for_url("**/desk/")
        return Keys(page), received[1]

    return begun


def open_first(keys: Keys, number: str) -> None:
    keys.press("j", "o")
    keys.page.wait_for_url(f"**/desk/tickets/{number}/")


def back_and_open(keys: Keys, number: str) -> None:
    """To the list, where the ticket says that the customer wrote, and in again."""
    keys.press("u")
    expect(keys.page.locator("[data-row] .waits")).to_be_visible()
    open_first(keys, number)


def answer_by_mail(running: Stack, n: int, text: str) -> None:
    received = nth_mail(running, NORA, n)
    to = parseaddr(received["Reply-To"])[1]
    raw = mail_from_nora(text, to=to, subject=f"Re: {received['Subject']}", In_Reply_To=received["Message-ID"])
    running.send(raw, sender=NORA, to=to)


def test_apty_from_mail_to_the_close_by_itself(running, begin):
    keys, number = begin("apty")
    keys.command("tickets")
    keys.page.wait_for_url("**/desk/tickets/")
    open_first(keys, number)
    keys.press("m")
    keys.sees("The ticket is yours.")
    keys.choose("g", "devops", told="The group is DevOps now.")

    # The words for the customer are shown first; they are sent from where one stands then.
    keys.command("tell")
    keys.choose("p", "high", told="What the customer is told with the priority High")
    expect(keys.page.locator("#tell-text")).to_be_focused()
    keys.tab_to("Set to High and tell the customer")
    keys.press("Enter")
    keys.sees("and the customer is told")
    assert "High" in text_of(nth_mail(running, NORA, 2))
    keys.choose("t", "bug", told="The type is Bug now.")

    # Asks back with a canned reply: the ticket waits for the customer.
    keys.find("c", "#canned-finder", "Which browser?")
    expect(keys.page.locator(".ProseMirror")).to_contain_text("Hello Nora, which browser is it?")
    expect(keys.page.locator(".ProseMirror")).to_be_focused()
    keys.tab_to("Then set the status")
    keys.step_to("Waiting on Customer")
    keys.press("Control+Enter")
    keys.sees("Your reply is on its way.")
    expect(keys.page.locator(".facts").get_by_text("Waiting on Customer")).to_be_visible()
    expect(keys.page.locator("#sla")).to_contain_text("Met, 2h to spare")  # the first response
    expect(keys.page.locator("#sla")).to_contain_text("Paused")  # the resolution

    # The answer comes by mail, and takes the ticket out of waiting.
    assert "which browser is it?" in text_of(nth_mail(running, NORA, 3))
    answer_by_mail(running, 3, "Firefox 140.\n")
    nth_mail(running, AGENT, 2)
    back_and_open(keys, number)
    keys.sees("Firefox 140.")
    expect(keys.page.locator(".facts").get_by_text("In Progress")).to_be_visible()

    # Answered and resolved; what the status asks for is there already, and every promise was kept.
    keys.press("r")
    expect(keys.page.get_by_role("textbox", name="Your reply or note")).to_be_focused()
    keys.write("Please reload the page.")
    keys.press("Control+Enter")
    keys.sees("Your reply is on its way.")
    keys.press("e")
    keys.sees("The status is Resolved now.")
    expect(keys.page.locator("#sla .is-met")).to_have_count(3)
    assert "closes by itself" in text_of(nth_mail(running, NORA, 5))

    # Nobody objects for 48 hours.
    running.shell(
        "from datetime import timedelta; from django.db.models import F; from tickets.models import Ticket; "
        f"Ticket.objects.filter(pk={number}).update(close_due_at=F('close_due_at') - timedelta(hours=48), resolved_at=F('resolved_at') - timedelta(hours=48))"
    )
    running.wake("tickets.tasks.close_due")
    assert "closed" in text_of(nth_mail(running, NORA, 6))
    keys.press("u")
    keys.sees("Nothing is unresolved")
    keys.press("/")
    keys.write(f"{number}")
    keys.press("Enter")
    expect(keys.page.locator(".facts").get_by_text("Closed")).to_be_visible()


def test_apprentice_from_mail_to_the_release_that_ships_it(running, browser, begin):
    keys, number = begin("apprentice")
    keys.command("tickets")
    keys.page.wait_for_url("**/desk/tickets/")
    open_first(keys, number)

    # A macro takes it, and notes what staff alone are to know.
    keys.find("x", "#macro-finder", "On it")
    keys.sees("Asked the team.")
    expect(keys.page.locator(".facts").get_by_text("In Progress")).to_be_visible()
    keys.choose("g", "lead", told="The group is Delivery Leads now.")
    keys.choose("p", "crit", told="The priority is Critical now.")

    # Asked back: blocked until the customer says more, in the portal.
    keys.press("r")
    expect(keys.page.get_by_role("textbox", name="Your reply or note")).to_be_focused()
    keys.write("Which version is it?")
    keys.tab_to("Then set the status")
    keys.step_to("Blocked")
    keys.press("Control+Enter")
    expect(keys.page.locator(".facts").get_by_text("Blocked")).to_be_visible()
    portal = log_in(browser, running, NORA)
    portal.goto(f"{running.url}/tickets/{number}/")
    portal.get_by_role("textbox", name="Your reply").fill("Version 4.1.")
    portal.get_by_role("button", name="Post reply").click()
    expect(portal.get_by_text("Version 4.1.").first).to_be_visible()
    back_and_open(keys, number)
    expect(keys.page.locator(".facts").get_by_text("In Progress")).to_be_visible()

    # A defect: handed to engineering, whose reference is asked for in place.
    keys.choose("t", "bug", told="The type is Bug now.")
    keys.choose("s", "escalated", told="Engineering's reference for it")
    expect(keys.page.locator("#move-reference")).to_be_focused()
    keys.write("TEM-1042")
    keys.press("Enter")
    keys.sees("The status is Closed - Escalated to TEM now.")
    expect(keys.page.locator("#sla .is-met")).to_have_count(2)  # the first response and the resolution
    running.wait_until_idle()
    told = len(running.sink.to(NORA))

    # It ships, and its follower hears of it once.
    keys.command("releases")
    keys.sees("What it has shipped")
    expect(keys.page.get_by_label("Version")).to_be_focused()
    keys.write("4.2")
    keys.tab_to("TEM-1042")
    keys.press("Space")
    keys.press("Enter")
    keys.sees("Tell of 4.2?")
    keys.command("comment on all")
    keys.sees("1 of 1 ticket told.")
    for _twice in range(2):
        running.wake("tickets.tasks.post_releases")
    running.wait_until_idle()
    assert "4.2" in text_of(nth_mail(running, NORA, told + 1))
    assert len(running.sink.to(NORA)) == told + 1
    keys.command("releases")
    keys.sees("Nothing waits for a release")
    portal.reload()
    expect(portal.get_by_text("4.2").first).to_be_visible()
