"""`make screenshots`: takes the README's pictures from a demo of its own, which is gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).parent / "screenshots"
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STARTS_WITHIN = 180  # seconds
CUSTOMER, AGENT = "customer@acme.example", "agent@support.example"
# A name, who looks, where from, and the words of the link to follow there.
SHOTS = (
    ("portal-home", CUSTOMER, "/", ""),
    ("portal-ticket", CUSTOMER, "/", "Tooltip text is cut off in Portuguese"),
    ("desk-queue", AGENT, "/desk/tickets/", ""),
    ("desk-ticket", AGENT, "/desk/tickets/", "Player widget is empty for people with an ad blocker"),
)


@contextmanager
def demo() -> Iterator[str]:
    """Its address, while it runs."""
    port = free_port()
    with tempfile.TemporaryDirectory() as var_dir:
        env = os.environ | {"VAR_DIR": var_dir, "PORT": str(port), "SMTP_PORT": str(free_port()), "DATABASE_URL": "", "REDIS_URL": ""}
        process = subprocess.Popen([sys.executable, "manage.py", "demo"], env=env, cwd=FOLDER.parent.parent, stdout=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 our own
        except OSError:
            time.sleep(0.3)
        else:
            return
    sys.exit("The demo did not start.")


def logged_in(browser: Browser, base: str, email: str) -> Page:
    page = browser.new_context(
        base_url=base, viewport={"width": 1440, "height": 900}, color_scheme="light", reduced_motion="reduce"
    ).new_page()
    page.goto("/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", "demo")
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/accounts/login" not in url)
    return page


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with demo() as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        pages = {email: logged_in(browser, base, email) for email in (CUSTOMER, AGENT)}
        for name, email, path, link in SHOTS:
            page = pages[email]
            page.goto(path)
            if link:
                page.get_by_role("link", name=link).first.click()
                page.wait_for_load_state("networkidle")
            page.screenshot(path=FOLDER / f"{name}.png")
            print(f"{FOLDER / name}.png")  # noqa: T201 whoever asked for it wants to know
        browser.close()


if __name__ == "__main__":
    main()
