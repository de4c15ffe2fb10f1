from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from tests.factories import make_ticket, message, new_file
from tickets import actions
from tickets.models import Attachment

PAGE = b"<!doctype html><script>alert(1)</script>"


def png() -> bytes:
    out = BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG")
    return out.getvalue()


def served(client, address) -> tuple[str, str]:
    """As what, and how."""
    response = client.get(address)
    response.getvalue()  # closes the file
    return response.headers["Content-Type"], response.headers["Content-Disposition"]


def attach(person, ticket, name="log.txt", content=b"one line") -> str:
    """The address of a new attachment."""
    said = actions.comment(ticket, actor=person, message=message("See", files=(new_file(name, content),)))
    return f"/attachments/{said.attachments.get().pk}/{name}"


@pytest.fixture
def ticket(workflow, ana):
    return make_ticket(ana)


@pytest.fixture
def address(ana, ticket) -> str:
    return attach(ana, ticket)


@pytest.mark.parametrize("who", ["ana", "ben", "dan"])
def test_attachment_when_ticket_is_visible_then_is_downloaded(client, request, dan, ben, address, who):
    client.force_login(request.getfixturevalue(who))
    response = client.get(address)
    assert (response.status_code, response.getvalue()) == (200, b"one line")
    assert {
        name: response.headers[name]
        for name in ("Content-Type", "Content-Disposition", "X-Content-Type-Options", "Content-Security-Policy", "Cache-Control")
    } == {
        "Content-Type": "text/plain",
        "Content-Disposition": 'attachment; filename="log.txt"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }


@pytest.mark.parametrize("who", ["cleo", "solo"])
def test_attachment_when_person_is_a_stranger_then_is_404(client, request, cleo, solo, address, who):
    client.force_login(request.getfixturevalue(who))
    assert (client.get(address).status_code, client.head(address).status_code) == (404, 404)


def test_attachment_when_anonymous_then_asks_to_log_in(client, address):
    response = client.get(address)
    assert (response.status_code, response.url) == (302, f"/accounts/login/?next={address}")


def test_attachment_when_of_a_note_then_is_404_for_the_requester(client, ana, dan, ticket):
    note = actions.add_note(ticket, actor=dan, message=message("x", files=(new_file(),)))
    address = f"/attachments/{note.attachments.get().pk}/log.txt"
    client.force_login(ana)
    assert client.get(address).status_code == 404
    client.force_login(dan)
    assert served(client, address)[0] == "text/plain"


@pytest.mark.parametrize("number", ["0", "999999", "9" * 19, "9" * 30, "9" * 5000, "-1", "x", "..%2f1"])
def test_attachment_when_number_is_nonsense_then_is_404(client, ana, number):
    client.force_login(ana)
    assert client.get(f"/attachments/{number}/log.txt").status_code == 404


def test_attachment_when_posted_to_then_is_refused(client, ana, address):
    client.force_login(ana)
    assert client.post(address).status_code == 405


def test_attachment_when_head_then_has_headers_alone(client, ana, address):
    client.force_login(ana)
    response = client.head(address)
    assert (response.status_code, response.headers["Content-Length"], b"".join(response)) == (200, "8", b"")


def test_picture_when_checked_then_may_be_shown_in_place(client, ana, ticket):
    address = attach(ana, ticket, "a.png", png())
    client.force_login(ana)
    assert served(client, f"{address}?inline=1") == ("image/png", 'inline; filename="a.png"')
    assert served(client, address) == ("image/png", 'attachment; filename="a.png"')


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("a.png", PAGE, "text/plain"),
        ("a.html", PAGE, "text/plain"),
        ("a.svg", b"<svg onload='alert(1)'/>", "text/plain"),
        ("a.pdf", b"%PDF-1.7\n\xff\xfe\x00", "application/octet-stream"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + PAGE, "application/octet-stream"),
    ],
)
def test_file_when_no_checked_picture_then_is_only_downloaded(client, ana, ticket, name, content, content_type):
    client.force_login(ana)
    address = f"{attach(ana, ticket, name, content)}?inline=1"
    assert served(client, address) == (content_type, f'attachment; filename="{name}"')


def test_name_when_not_ascii_then_is_encoded(client, ana, ticket):
    address = attach(ana, ticket, 'bericht "übersicht".txt')
    client.force_login(ana)
    assert served(client, address)[1] == "attachment; filename*=utf-8''bericht%20%C3%BCbersicht.txt"


def test_file_when_lost_from_disk_then_is_a_kind_404(client, ana, address):
    Attachment.objects.get().file.storage.delete(Attachment.objects.get().file.name)
    client.force_login(ana)
    assert client.get(address).status_code == 404
