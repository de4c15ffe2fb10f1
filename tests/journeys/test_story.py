"""The story that the product is for, through its real parts: SMTP in, four processes, a browser, SMTP out."""

from __future__ import annotations

import re
from collections import Counter
from email.message import EmailMessage
from email.utils import parseaddr
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.journeys.peers import smtp_sink, wait_until
from tests.journeys.stack import Stack, stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.journey

NORA = "nora@initech.example"
AGENT = "agent@support.example"
PIXEL = b"\x89PNG\r\n\x1a\n" + b"not a whole picture, but one that was sent"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with smtp_sink() as sink, stack(tmp_path_factory.mktemp("story"), sink) as running:
        yield running


def mail_from_nora(text: str, *, to: str, subject: str, files: dict[str, bytes] | None = None, **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Nora Naumann <{NORA}>", to, subject
    mail["Message-ID"] = f"<{abs(hash(text))}@initech.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    for name, content in (files or {}).items():
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def log_in(browser: Browser, running: Stack, email: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(f"{running.url}/accounts/login/")
    page.locator('input[name="login"]').first.fill(email)
    page.locator('input[name="password"]').first.fill("demo")
    page.get_by_role("button", name="Log in", exact=True).click()
    return page


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    return str(body.get_content())


def nth_mail(running: Stack, address: str, n: int) -> EmailMessage:
    """The n-th mail to an address, waited for."""
    wait_until(lambda: len(running.sink.to(address)) >= n, seconds=60, told=f"mail {n} to {address} did not come")
    return running.sink.to(address)[n - 1]


def test_from_a_first_mail_to_the_close_after_48_hours(running, browser):
    # A stranger's mail becomes a ticket; she is told, and so is support.
    files = {"screenshot.png": PIXEL, "trace.pdf": b"%PDF-1.4 trace"}
    running.send(
        mail_from_nora("The player is blank.\n", to="support@support.example", subject="Blank player", files=files),
        sender=NORA,
        to="support@support.example",
    )
    confirmation, invitation = sorted(
        (nth_mail(running, NORA, 1), nth_mail(running, NORA, 2)), key=lambda mail: "password" in mail["Subject"]
    )
    number = re.search(r"\[#(\d+)\]", confirmation["Subject"])[1]
    assert ("The player is blank." in text_of(confirmation), f"/tickets/{number}/" in text_of(confirmation)) == (True, True)
    assert f"[#{number}]" in nth_mail(running, AGENT, 1)["Subject"]

    # An agent picks it up and answers at the desk.
    desk = log_in(browser, running, AGENT)
    desk.goto(f"{running.url}/desk/tickets/{number}/")
    expect(desk.get_by_text("trace.pdf").first).to_be_visible()
    desk.get_by_role("button", name="Take it").click()
    expect(desk.get_by_text("In Progress").first).to_be_visible()
    desk.get_by_role("textbox", name="Your reply or note").fill("Please reload the page.")
    desk.get_by_role("button", name="Send reply").click()
    expect(desk.get_by_text("Please reload the page.").first).to_be_visible()

    # She gets the answer by mail, and answers by mail.
    answer = nth_mail(running, NORA, 3)
    assert ("Please reload the page." in text_of(answer), answer["Auto-Submitted"]) == (True, "auto-generated")
    reply_to = parseaddr(answer["Reply-To"])[1]
    words = f"It is still blank.\n\nOn Saturday {AGENT} wrote:\n> Please reload the page.\n"
    running.send(
        mail_from_nora(words, to=reply_to, subject=f"Re: {answer['Subject']}", In_Reply_To=answer["Message-ID"]), sender=NORA, to=reply_to
    )
    heard = nth_mail(running, AGENT, 2)
    assert ("It is still blank." in text_of(heard), "> Please reload" in text_of(heard)) == (True, False)

    # The agent resolves it, and is asked for the type that it lacks.
    desk.reload()
    desk.get_by_role("button", name="Resolve").click()
    desk.get_by_label("What kind of matter was it?").select_option(label="Bug")
    desk.get_by_role("button", name="Resolve", exact=True).click()
    expect(desk.get_by_text("Resolved").first).to_be_visible()
    resolved = nth_mail(running, NORA, 4)
    assert "closes by itself" in text_of(resolved)

    # She sets a password by the link, sees her ticket, and says that it is not fixed: it opens again.
    portal = browser.new_context().new_page()
    portal.goto(re.search(r"http\S+/password/reset/key/\S+", text_of(invitation))[0])
    for field in ("password1", "password2"):
        portal.locator(f'input[name="{field}"]').fill("a long enough phrase")
    portal.locator('main button[type="submit"]').first.click()
    portal.goto(f"{running.url}/tickets/{number}/")
    portal.get_by_role("textbox", name="Your reply").fill("It came back this morning.")
    portal.get_by_role("button", name="Post reply").click()
    expect(portal.get_by_text("It came back this morning.").first).to_be_visible()
    assert "It came back this morning." in text_of(nth_mail(running, AGENT, 3))

    # Resolved once more, nobody objects for 48 hours, and it closes by itself, once.
    desk.reload()
    desk.get_by_role("button", name="Resolve").click()
    expect(desk.get_by_text("Resolved").first).to_be_visible()
    nth_mail(running, NORA, 5)
    running.shell(
        "from datetime import timedelta; from django.db.models import F; from tickets.models import Ticket; "
        f"Ticket.objects.filter(pk={number}).update(close_due_at=F('close_due_at') - timedelta(hours=48), resolved_at=F('resolved_at') - timedelta(hours=48))"
    )
    for _twice in range(2):
        running.wake("tickets.tasks.close_due")
    assert "closed" in text_of(nth_mail(running, NORA, 6))
    desk.reload()
    expect(desk.get_by_text("Closed").first).to_be_visible()

    # Everybody heard of each thing once, nobody of anything that is not theirs.
    sent = Counter((mail["Message-ID"], mail["X-Envelope-To"]) for mail in running.sink.mails)
    assert set(sent.values()) == {1}
    # The agent: the new ticket, two answers, the closing. What agents did themselves is no news to them.
    assert Counter(mail["X-Envelope-To"] for mail in running.sink.mails) == {NORA: 6, AGENT: 4}
