"""Pages of no audience, and what every answer carries."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import make_ticket
from tickets.models import Event, Mailbox

pytestmark = pytest.mark.django_db


def test_healthz_says_ok_without_a_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").content == b"ok\n"


def test_readyz_is_ready_when_nothing_waits(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "ready": True,
            "database": True,
            "broker": True,
            "lag": {"events": 0, "deliveries": 0, "inbound": 0, "replies": 0, "closes": 0},
            "mailboxes_failing": 0,
        },
    )


def test_readyz_is_not_ready_while_the_outbox_is_stuck(client, workflow, ana):
    make_ticket(ana)
    Event.objects.update(at=timezone.now() - timedelta(minutes=10))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"], answer.json()["lag"]["events"] >= 600) == (503, False, True)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"minutes": 11}, 503),
        ({"minutes": 9}, 200),
        ({"minutes": 11, "is_active": False}, 200),
        ({"minutes": 11, "imap_host": ""}, 200),
    ],
)
def test_readyz_is_not_ready_while_a_mailbox_can_not_be_polled(client, workflow, fields, status):
    since = timezone.now() - timedelta(minutes=fields.pop("minutes"))
    Mailbox.objects.update(**{"imap_host": "imap.example", "failing_since": since} | fields)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["mailboxes_failing"]) == (status, int(status == 503))


def test_probes_refuse_posts(client):
    assert [client.post(path).status_code for path in ("/healthz", "/readyz", "/site.css")] == [405, 405, 405]


def test_accent_is_served_as_css(client, settings):
    settings.ACCENT = "#336699"
    answer = client.get("/site.css")
    assert (answer.content, answer.headers["Content-Type"]) == (b":root{--accent:#336699}\n", "text/css")


def test_expired_form_keeps_what_was_typed_and_leads_back(workflow, ana):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana)
    answer = client.post(
        "/tickets/new/", {"subject": "Blank <b>", "description": "", "key": "x"}, headers={"Referer": "http://testserver/tickets/new/"}
    )
    page = answer.content.decode()
    assert answer.status_code == 403
    assert ("Blank &lt;b&gt;" in page, 'href="http://testserver/tickets/new/"' in page) == (True, True)


def test_expired_form_shows_no_password(workflow, ana):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana)
    typed = {"oldpassword": "the old one", "password1": "the new one", "password2": "the new one", "imap_password": "another one"}
    page = client.post("/accounts/password/change/", typed).content.decode()
    assert [word for word in typed.values() if word in page] == []


def test_expired_form_leads_nowhere_else(workflow, ana):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana)
    page = client.post("/tickets/new/", {"subject": "x"}, headers={"Referer": "https://evil.example/"}).content.decode()
    assert ("evil.example" in page, 'btn btn-primary" href="/"' in page) == (False, True)


@pytest.mark.parametrize(("is_known", "megabytes", "status"), [(False, 1, 200), (False, 3, 413), (True, 501, 200), (True, 503, 413)])
def test_body_larger_than_any_form_is_refused_unread(workflow, ana, client, is_known, megabytes, status):
    if is_known:
        client.force_login(ana)
    answer = client.get("/healthz", CONTENT_LENGTH=str(megabytes * 1024 * 1024))
    assert answer.status_code == status
    assert ("That was too large" in answer.content.decode()) == (status == 413)


@pytest.mark.parametrize("path", ["/", "/nowhere/", "/accounts/login/", "/healthz", "/site.css"])
def test_every_answer_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert (policy["script-src"], policy["object-src"], policy["base-uri"], policy["frame-ancestors"]) == (
        "'self'",
        "'none'",
        "'none'",
        "'none'",
    )
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"], headers["X-Frame-Options"]) == ("nosniff", "same-origin", "DENY")


def test_private_pages_are_kept_out_of_every_cache(client, workflow, ana):
    client.force_login(ana)
    assert client.get(f"/tickets/{make_ticket(ana).number}/").headers["Cache-Control"] == "private, no-store"


def test_unknown_host_is_refused(client, settings):
    settings.ALLOWED_HOSTS = ["support.example"]
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_times_are_shown_in_the_persons_zone(client, workflow, ana):
    ana.time_zone = "Asia/Tokyo"
    ana.save()
    client.force_login(ana)
    ticket = make_ticket(ana)
    local = timezone.localtime(ticket.created_at, timezone=ZoneInfo("Asia/Tokyo"))
    assert f"{local:%H:%M}" in client.get(f"/tickets/{ticket.number}/").content.decode()


def test_nonsense_time_zone_breaks_no_page(client, workflow, ana):
    ana.time_zone = "Mars/Olympus"
    ana.save()
    client.force_login(ana)
    assert client.get("/").status_code == 200
