"""Every page, as each role, in both themes: nothing that axe objects to, nothing that runs over the edge, nothing heavy."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

CUSTOMER, TEAMMATE, AGENT, ADMIN = "customer@acme.example", "teammate@acme.example", "agent@support.example", "admin@support.example"
CSM = "csm@support.example"
NOBODY = ""

# {open}, {resolved} and so on stand for the number of a seeded ticket of Acme in such a status; other words for what `numbers` makes.
PAGES = [
    (NOBODY, "/"),
    (NOBODY, "/accounts/login/"),
    (NOBODY, "/accounts/password/reset/"),
    (NOBODY, "/accounts/password/reset/done/"),
    (NOBODY, "/accounts/password/reset/key/1-nonsense/"),
    (NOBODY, "/nowhere/"),
    (CUSTOMER, "/"),
    (CUSTOMER, "/tickets/"),
    (CUSTOMER, "/tickets/?state=all&q=nothing-has-these-words"),
    (CUSTOMER, "/tickets/new/"),
    (CUSTOMER, "/tickets/{new}/"),
    (CUSTOMER, "/tickets/{waiting}/"),
    (CUSTOMER, "/tickets/{resolved}/"),
    (CUSTOMER, "/tickets/{closed}/"),
    (CUSTOMER, "/profile/"),
    (CUSTOMER, "/accounts/password/change/"),
    (CUSTOMER, "/accounts/logout/"),
    ("solo@example.net", "/"),
    ("solo@example.net", "/tickets/"),
    (AGENT, "/desk/"),
    (AGENT, "/desk/tickets/"),
    (AGENT, "/desk/tickets/?status=any&q=nothing-has-these-words"),
    (AGENT, "/desk/tickets/?q=statsu:open+assignee:me"),
    (AGENT, "/desk/tickets/{new}/"),
    (AGENT, "/desk/tickets/{waiting}/"),
    (AGENT, "/desk/tickets/{resolved}/"),
    (AGENT, "/desk/tickets/{spam}/"),
    (AGENT, "/desk/tickets/{new}/merge/"),
    (AGENT, "/desk/tickets/{new}/merge/?into={waiting}"),
    (AGENT, "/desk/tickets/{waits}/comments/{comment}/split/"),
    (AGENT, "/desk/tickets/new/"),
    (AGENT, "/desk/tickets/?view={view}&q=priority:high"),
    (AGENT, "/desk/tickets/bulk/{draft}/"),
    (AGENT, "/desk/tickets/bulk/{run}/"),
    (AGENT, "/desk/releases/"),
    (AGENT, "/desk/releases/{release}/"),
    (AGENT, "/desk/mail/"),
    (AGENT, "/desk/mail/?tab=in"),
    (AGENT, "/desk/mail/?tab=out"),
    (AGENT, "/desk/drafts/"),
    (AGENT, "/desk/canned/"),
    (AGENT, "/desk/canned/new/"),
    (AGENT, "/desk/canned/1/"),
    (AGENT, "/desk/macros/"),
    (AGENT, "/desk/macros/1/"),
    (AGENT, "/desk/tickets/{new}/canned/"),
    (AGENT, "/desk/tickets/{new}/macros/"),
    (AGENT, "/desk/reports/"),
    (AGENT, "/desk/reports/volume/?by=type"),
    (AGENT, "/desk/reports/times/?by=week&period=dates"),
    (AGENT, "/desk/reports/hours/"),
    (AGENT, "/desk/reports/oldest/"),
    (AGENT, "/desk/people/1/"),
    (AGENT, "/desk/people/1/?mail=in"),
    (AGENT, "/profile/"),
    (CSM, "/desk/"),
    (ADMIN, "/desk/"),
    (ADMIN, "/desk/mail/rules/"),
    (ADMIN, "/desk/mail/rules/new/"),
    (ADMIN, "/desk/automation/"),
    (ADMIN, "/desk/automation/new/"),
    (ADMIN, "/desk/automation/1/"),
    (ADMIN, "/desk/automation/1/log/"),
    (ADMIN, "/admin/"),
    (ADMIN, "/admin/tickets/status/"),
    (ADMIN, "/admin/tickets/status/1/change/"),
    (ADMIN, "/admin/tickets/status/1/retire/"),
    (ADMIN, "/admin/tickets/businesscalendar/add/"),
    (ADMIN, "/admin/tickets/slapolicy/"),
    (ADMIN, "/admin/tickets/slapolicy/1/change/"),
    (ADMIN, "/admin/tickets/slapolicy/which/?organization=1"),
    (ADMIN, "/admin/tickets/mailbox/1/change/"),
    (ADMIN, "/admin/accounts/user/1/change/"),
    (ADMIN, "/admin/accounts/organization/1/change/"),
    (ADMIN, "/admin/accounts/agentgroup/1/change/"),
]


@pytest.fixture(scope="module")
def numbers(running) -> dict[str, str]:
    code = """
from accounts.models import User
from tickets import bulk, releases
from tickets.models import SavedView, Status, Ticket
agent = User.objects.get(email="agent@support.example")
for t in Ticket.objects.filter(requester__email__endswith="@acme.example").order_by("pk"):
    print(t.category, t.pk)
    if t.category == "waiting":
        comment = t.comments.filter(author=t.requester).first()
print("waits", comment.ticket_id)
print("comment", comment.pk)
print("spam", Ticket.objects.filter(category="spam").first().pk)
print("view", SavedView.objects.create(name="Acme", owner=agent, text="org:acme").pk)
closed = [t.pk for t in Ticket.objects.filter(category="closed").order_by("pk")[:3]]
for name in ("draft", "run"):
    run = bulk.prepare(actor=agent, numbers=closed, changes={"tags": "autumn"})
    print(name, run.pk)
bulk.begin(run)
bulk.work(run)
escalated = Status.objects.create(name="Escalated", category="closed", asks_reference=True, position=90)
for number, pk in enumerate(closed): Ticket.objects.filter(pk=pk).update(status=escalated, reference=f"TEM-{number}")
release = releases.release(actor=agent, version="4.2", references=["TEM-0", "TEM-1"], text="It is in {version}.")
releases.post_waiting(release, most=1)
print("release", release.pk)
"""
    return dict(line.split() for line in running.shell(code).splitlines())


# The themes differ in colours alone, of which these of axe's rules tell; it is on the page already.
DARK = "axe.run({resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block']})"


def told(answer) -> list[tuple[str, list[str]]]:
    return [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in answer["violations"]]


@pytest.mark.parametrize(("email", "path"), PAGES)
def test_page_is_sound_in_both_themes_and_every_width(visit, numbers, email, path):
    page = visit(email, path.format(**numbers), viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page.emulate_media(color_scheme="light")
    # A stylesheet of Django's imports another, which axe would copy into the page as a style element; the content policy forbids that.
    options = {"resultTypes": ["violations"], "preload": not path.startswith("/admin/")}
    faults = {"light": told(Axe().run(page, options=options).response)}
    page.emulate_media(color_scheme="dark")
    faults["dark"] = told(page.evaluate(DARK))
    for width in (1440, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        faults[width] = max(0, page.evaluate("document.documentElement.scrollWidth") - width)
    assert faults == {"light": [], "dark": [], 1440: 0, 390: 0, 320: 0}


def test_queue_on_a_common_screen_is_wholly_in_sight_and_what_is_left_of_the_sla_too(visit):
    page = visit(AGENT, "/desk/tickets/?q=status:any")
    hidden = []
    for width in (1440, 1366, 1280, 1024):
        page.set_viewport_size({"width": width, "height": 800})
        hidden += page.evaluate(
            """[".queue-scroll", "td.col-due"].map((name) => [...document.querySelectorAll(name)].filter((one) => one.scrollWidth > one.clientWidth).length)"""
        )
    assert hidden == [0] * 8


@pytest.mark.parametrize(("email", "path"), [(CUSTOMER, "/tickets/"), (AGENT, "/desk/tickets/")])
def test_first_view_of_a_list_is_light(running, browser, states, email, path):
    """At most 120 KB over the wire and 8 files beside the page, with nothing in the cache."""
    context = browser.new_context(storage_state=states(email))
    page = context.new_page()
    page.context.new_cdp_session(page).send("Network.enable")
    sizes = []
    page.on("requestfinished", lambda request: sizes.append((request.sizes()["responseBodySize"], request.url)))
    page.goto(f"{running.url}{path}", wait_until="networkidle")
    context.close()
    assert sum(size for size, _url in sizes) <= 120 * 1024
    assert len(sizes) - 1 <= 8, sizes


def test_theme_button_keeps_the_choice(visit):
    page = visit(CUSTOMER, "/", color_scheme="light")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("details.menu summary").click()
    page.get_by_role("button", name=re.compile("dark", re.IGNORECASE)).click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != ground
