"""Files that come before the words they go with: who may use them, and what becomes of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import Membership
from tests.factories import make_ticket, message
from tests.portal.pages import errors
from tests.tickets.test_attachments import PAGE, png
from tickets import actions
from tickets.models import Attachment, Comment, Ticket, Upload
from tickets.sweeps import drop_uploads

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("workflow")]


def upload(client, name="shot.png", content=None):
    return client.post("/uploads/", {"file": SimpleUploadedFile(name, png() if content is None else content)})


def reply(client, ticket, **fields):
    return client.post(f"/tickets/{ticket.number}/reply/", {"key": str(uuid4()), **fields})


def stored(settings) -> int:
    return sum(path.is_file() for path in Path(settings.MEDIA_ROOT).rglob("*"))


@pytest.fixture
def ticket(ana):
    return make_ticket(ana)


@pytest.fixture
def anas(client, ana):
    client.force_login(ana)
    return client


def test_upload_answers_what_the_page_needs_and_is_its_uploaders_alone(anas, ben, dan):
    answer = upload(anas, "../a\u202eb.png")
    kept = Upload.objects.get()
    assert (answer.status_code, answer.json()) == (
        201,
        {"id": str(kept.pk), "url": f"/uploads/{kept.pk}/", "name": "ab.png", "size": len(png()), "is_image": True},
    )
    shown = anas.get(f"/uploads/{kept.pk}/")
    assert (shown.getvalue(), shown.headers["Content-Type"], shown.headers["Content-Security-Policy"]) == (
        png(),
        "image/png",
        "sandbox; default-src 'none'",
    )
    for other in (ben, dan):
        anas.force_login(other)
        assert anas.get(f"/uploads/{kept.pk}/").status_code == 404


def test_upload_when_it_is_no_picture_then_is_never_shown(anas):
    answer = upload(anas, "shot.png", PAGE).json()
    assert answer["is_image"] is False
    served = anas.get(answer["url"])
    assert (served.getvalue(), served.headers["Content-Disposition"]) == (PAGE, 'attachment; filename="shot.png"')


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({}, "Choose a file."),
        ({"file": "words"}, "Choose a file."),
        ({"file": SimpleUploadedFile("e.log", b"")}, "“e.log” is empty. Look whether it is the right file, and choose it again."),
    ],
)
def test_upload_when_there_is_nothing_to_keep_then_says_so(anas, fields, complaint):
    answer = anas.post("/uploads/", fields)
    assert (answer.status_code, answer.json(), Upload.objects.count()) == (422, {"error": complaint}, 0)


def test_upload_when_too_large_or_too_much_then_is_refused(anas, settings):
    settings.MAX_FILE_BYTES, settings.MAX_FILES = 100, 2
    assert [upload(anas, "a.txt", b"x" * size).status_code for size in (101, 100, 60, 60)] == [422, 201, 201, 422]


def test_upload_when_too_often_then_is_put_off(anas):
    assert [upload(anas, "a.txt", b"x").status_code for _at in range(101)] == [201] * 100 + [429]


def test_upload_when_the_disk_is_full_then_says_so(anas, tmp_path, settings):
    (tmp_path / "full").touch()
    settings.MEDIA_ROOT = str(tmp_path / "full" / "media")
    answer = upload(anas)
    assert (answer.status_code, "could not be stored" in answer.json()["error"], Upload.objects.count()) == (503, True, 0)


def test_reply_takes_uploads_beside_the_text_and_in_it(anas, ticket, settings):
    log, shot = upload(anas, "a b.log", b"line").json(), upload(anas).json()
    html = f'<p>See <strong>this</strong></p><img src="{shot["url"]}" alt="A &quot;shot&quot;">'
    address = reply(anas, ticket, text="x", html=html, uploads=f"{log['id']} 4 a b.log").url
    said = Comment.objects.latest("pk")
    assert said.html == f'<p>See <strong>this</strong></p><img src="cid:{shot["id"]}" alt="A &quot;shot&quot;">'
    assert said.text == 'See this\n\n[A "shot"]'
    assert list(said.attachments.values_list("name", "content_id", "is_image")) == [
        ("a b.log", log["id"], False),
        ("shot.png", shot["id"], True),
    ]
    assert (Upload.objects.count(), stored(settings)) == (0, 2)
    picture = said.attachments.get(is_image=True)
    assert f'<img src="/attachments/{picture.pk}/shot.png?inline=1"'.encode() in anas.get(address).content


def test_reply_when_picture_alone_is_in_it_then_is_enough(anas, ticket):
    shot = upload(anas).json()
    reply(anas, ticket, text="", html=f'<img src="{shot["url"]}" alt="">')
    said = Comment.objects.latest("pk")
    assert (said.text, said.attachments.count()) == ("[Picture]", 1)


@pytest.mark.parametrize("where", ["html", "uploads"])
def test_reply_when_upload_is_anothers_then_takes_nothing(client, ana, ben, ticket, where):
    client.force_login(ana)
    shot = upload(client).json()
    client.force_login(ben)
    sent = {"html": f'<p>a</p><img src="{shot["url"]}">'} if where == "html" else {"uploads": shot["id"]}
    answer = reply(client, ticket, text="Mine", **sent)
    assert (answer.status_code, errors(answer)) == (422, [actions.gone()])
    assert (Attachment.objects.count(), Upload.objects.get().uploader) == (0, ana)


def test_verb_when_upload_is_anothers_or_gone_then_says_nothing_was_sent(ana, ben, ticket, client):
    client.force_login(ben)
    theirs = upload(client).json()["id"]
    for pk in (theirs, uuid4()):
        with pytest.raises(actions.NotStored):
            actions.comment(ticket, actor=ana, message=message("Mine", uploads=(pk,)))
    assert (Comment.objects.count(), Upload.objects.count()) == (1, 1)


def test_reply_when_something_else_is_wrong_then_uploads_are_still_listed(anas, ticket):
    log = upload(anas, "a b.log", b"line").json()
    answer = reply(anas, ticket, text="x" * 100_001, uploads=f"{log['id']}\n{log['id']} again\nnonsense\n\0")
    assert answer.status_code == 422
    assert f'name="uploads" value="{log["id"]} 4 a b.log"'.encode() in answer.content


def test_reply_when_files_and_uploads_are_too_many_then_tells_how_many_fit(anas, ticket, settings):
    settings.MAX_FILES = 2
    ids = [upload(anas, f"{at}.log", b"x").json()["id"] for at in range(2)]
    answer = reply(anas, ticket, text="See", uploads="\n".join(ids), files=SimpleUploadedFile("c.log", b"x"))
    assert errors(answer) == ["Attach at most 2 files at a time; these were 3."]


@pytest.mark.parametrize("uploads", ["x", "\0", "[]", "9" * 5000, f"{'0' * 8}-x"])
def test_reply_when_uploads_are_nonsense_then_are_none(anas, ticket, uploads):
    assert reply(anas, ticket, text="Hello", uploads=uploads).status_code == 302


def test_reply_when_access_is_lost_while_files_travel_then_nothing_is_said(client, ana, ben, ticket, monkeypatch):
    client.force_login(ben)
    shot = upload(client).json()
    verb = actions.comment

    def slow(*args, **kwargs):
        Membership.objects.filter(user=ben).delete()
        return verb(*args, **kwargs)

    monkeypatch.setattr(actions, "comment", slow)
    assert (reply(client, ticket, text="Hello", uploads=shot["id"]).status_code, Comment.objects.count()) == (404, 1)


def test_submit_takes_uploads(anas):
    log = upload(anas, "a.log", b"line").json()
    anas.post("/tickets/new/", {"subject": "Blank", "text": "See", "share": "me", "uploads": log["id"], "key": str(uuid4())})
    assert Ticket.objects.latest("pk").description.attachments.get().name == "a.log"


def test_note_and_filing_take_uploads(client, dan, ticket):
    client.force_login(dan)
    first, second = upload(client, "a.log", b"line").json()["id"], upload(client, "b.log", b"line").json()["id"]
    client.post(f"/desk/tickets/{ticket.number}/note/", {"text": "See", "uploads": first, "seen": ticket.events.latest("pk").pk})
    filed = {"email": "ana@acme.example", "subject": "Blank", "text": "See", "share": "them", "uploads": second, "key": str(uuid4())}
    client.post("/desk/tickets/new/", filed)
    assert sorted(Attachment.objects.values_list("name", flat=True)) == ["a.log", "b.log"]


def test_sweep_drops_what_nobody_posted_within_a_day(anas, settings):
    old, fresh = upload(anas).json()["id"], upload(anas).json()["id"]
    Upload.objects.filter(pk=old).update(created_at=timezone.now() - timedelta(hours=25))
    assert (drop_uploads(), drop_uploads()) == (1, 0)
    assert (str(Upload.objects.get().pk), stored(settings)) == (fresh, 1)
