"""Drafts on the server: what one writes at the desk is there again, in any browser, and nobody else's business."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from tests.desk.conftest import logged_in
from tests.desk.pages import newest_event, send, words
from tests.factories import message, new_file
from tickets import actions, files, sweeps
from tickets.models import Draft, Status, Upload
from tickets.writing import drafts


def keep(client, ticket, **data):
    return client.post(reverse("desk_ticket_draft", args=[ticket.number]), data)


def page(client, ticket):
    return client.get(reverse("desk_ticket", args=[ticket.number]))


def test_draft_when_saved_then_another_browser_goes_on_with_all_of_it(desk, ticket, dan):
    picture = files.keep(new_file("shot.png"), uploader=dan)
    Upload.objects.filter(pk=picture.pk).update(is_image=True)
    log = files.keep(new_file("log.txt"), uploader=dan)
    html = f'<p><strong>Look</strong> here:</p><img src="/uploads/{picture.pk}/" alt="shot">'
    status = Status.objects.get(name="Waiting on Customer")
    keep(desk, ticket, text="Look here:", html=html, uploads=f"{log.pk} 8 log.txt", kind="note", status=status.pk)
    shown = page(logged_in(dan), ticket)
    form = shown.context["form"]
    assert (form["text"].value()[:10], shown.context["is_note"], shown.context["statuses"][0][0]) == ("Look here:", True, str(status.pk))
    assert f'<img src="/uploads/{picture.pk}/"' in form["html"].value()
    assert form.kept_uploads == f"{log.pk} 8 log.txt"


def test_draft_when_saved_without_scripts_then_keeps_its_native_files(desk, ticket):
    response = desk.post(
        reverse("desk_ticket_draft", args=[ticket.number]), {"text": "See", "files": SimpleUploadedFile("a.txt", b"one line")}, follow=True
    )
    assert ("Your draft is kept." in words(response), response.context["form"].kept_uploads.endswith("a.txt")) == (True, True)


def test_draft_is_seen_by_nobody_else(desk, ticket, dan, eve, ana, max_admin):
    keep(desk, ticket, text="Zebra plan")
    own = Draft.objects.get()
    for person in (eve, max_admin):
        client = logged_in(person)
        assert [b"Zebra" in client.get(path).content for path in (f"/desk/tickets/{ticket.pk}/", "/desk/drafts/")] == [False, False]
        assert client.post(reverse("desk_draft_discard", args=[own.pk])).status_code == 404
    customer = logged_in(ana)
    assert b"Zebra" not in customer.get(reverse("ticket", args=[ticket.pk])).content
    assert b"Zebra plan" not in customer.get("/tickets/?q=zebra").content
    assert b"Zebra plan" in desk.get("/desk/drafts/").content


@pytest.mark.parametrize("known", ["", "0b5e6f9a-2f6c-4f1e-9d53-0d6c1f1f7d11", "nonsense"])
def test_draft_when_written_on_elsewhere_then_overwrites_nothing(desk, ticket, known):
    keep(desk, ticket, text="From my phone")
    response = keep(desk, ticket, text="From my desk", draft=known, quietly="1")
    assert (response.status_code, "another window" in response.json()["error"]) == (409, True)
    shown = keep(desk, ticket, text="From my desk", draft=known)
    assert ("From my desk" in words(shown), Draft.objects.get().text) == (True, "From my phone")


def test_draft_when_saved_again_then_takes_the_version_it_was_told(desk, ticket):
    version = keep(desk, ticket, text="Hel", quietly="1").json()["version"]
    assert keep(desk, ticket, text="Hello", draft=version, quietly="1").status_code == 200
    assert Draft.objects.get().text == "Hello"


def test_draft_when_emptied_then_is_gone(desk, ticket):
    version = keep(desk, ticket, text="Hel", quietly="1").json()["version"]
    assert keep(desk, ticket, text=" ", draft=version, quietly="1").json() == {"version": ""}
    assert not Draft.objects.exists()


@pytest.mark.parametrize("verb", ["reply", "note"])
def test_draft_when_sent_then_is_gone_and_a_late_save_brings_nothing_back(desk, ticket, verb):
    key = "0b5e6f9a-2f6c-4f1e-9d53-0d6c1f1f7d11"
    version = keep(desk, ticket, text="Hello", key=key, kind=verb, quietly="1").json()["version"]
    send(desk, ticket, verb, text="Hello", key=key)
    late = [keep(desk, ticket, text="Hello", key=key, kind=verb, draft=known, quietly="1").status_code for known in (version, "")]
    assert (late, Draft.objects.exists()) == ([409, 409], False)


def test_draft_when_the_reply_is_overtaken_then_is_kept(desk, ticket, ana):
    keep(desk, ticket, text="Hello")
    seen = newest_event(ticket)
    actions.comment(ticket, actor=ana, message=message("Wait!"))
    desk.post(reverse("desk_ticket_reply", args=[ticket.number]), {"seen": seen, "text": "Hello"})
    assert Draft.objects.get().text == "Hello"


def test_draft_when_its_files_wait_for_days_then_they_are_kept_and_others_are_not(desk, ticket, dan):
    log, _other = (files.keep(new_file(), uploader=dan) for _each in range(2))
    Upload.objects.update(created_at=timezone.now() - timedelta(days=3))
    keep(desk, ticket, text="See", uploads=f"{log.pk} 8 log.txt")
    sweeps.drop_uploads()
    assert list(Upload.objects.values_list("pk", flat=True)) == [log.pk]
    send(desk, ticket, "reply", text="See", uploads=f"{log.pk} 8 log.txt")
    assert ticket.comments.last().attachments.count() == 1


def test_draft_when_too_long_or_of_a_lost_file_then_says_so(desk, ticket):
    gone = "0b5e6f9a-2f6c-4f1e-9d53-0d6c1f1f7d11"
    answers = [keep(desk, ticket, quietly="1", **data) for data in ({"text": "x" * 100_001}, {"text": "x", "uploads": f"{gone} 1 a"})]
    assert [(answer.status_code, bool(answer.json()["error"])) for answer in answers] == [(422, True)] * 2


def test_draft_when_discarded_then_can_be_brought_back_with_all_of_it_and_once(desk, ticket, dan):
    log = files.keep(new_file("log.txt"), uploader=dan)
    keep(desk, ticket, text="Zebra", html="<p><strong>Zebra</strong></p>", uploads=f"{log.pk} 8 log.txt", kind="note")
    shown = desk.post(reverse("desk_draft_discard", args=[Draft.objects.get().pk]), follow=True)
    assert (Draft.objects.count(), 'action="/desk/drafts/restore/"' in shown.content.decode()) == (0, True)
    desk.post("/desk/drafts/restore/")
    draft = Draft.objects.get()
    assert (draft.text, draft.html, draft.is_note, draft.uploads.get()) == ("Zebra", "<p><strong>Zebra</strong></p>", True, log)
    desk.post(reverse("desk_draft_discard", args=[draft.pk]))
    keep(desk, ticket, text="Another", kind="note")
    assert "written on in another window" in words(desk.post("/desk/drafts/restore/", follow=True))
    assert "no draft to bring back" in words(logged_in(dan).post("/desk/drafts/restore/", follow=True))
    assert Draft.objects.get().text == "Another"


def test_drafts_when_discarded_or_forgotten_then_are_gone(desk, ticket, dan):
    keep(desk, ticket, text="Hello")
    desk.post(reverse("desk_draft_discard", args=[Draft.objects.get().pk]))
    assert not Draft.objects.exists()
    keep(desk, ticket, text="Hello")
    assert drafts.drop_old() == 0
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=91))
    assert (drafts.drop_old(), Draft.objects.exists()) == (1, False)


def test_list_when_a_ticket_is_out_of_sight_then_keeps_the_words_alone(desk, secret, dan):
    Draft.objects.create(writer=dan, ticket=secret, text="My words")
    told = words(desk.get("/desk/drafts/"))
    assert ("My words" in told, "Salary letter" in told) == (True, False)


def test_queue_marks_what_i_have_begun_for_me_alone(desk, ticket, eve):
    keep(desk, ticket, text="Hello")
    assert ["You have a draft here" in words(client.get("/desk/tickets/")) for client in (desk, logged_in(eve))] == [True, False]


# --- A reply and a note are two drafts -------------------------------------------------------------------------------------------


def drafted() -> set[tuple[str, bool]]:
    return set(Draft.objects.values_list("text", "is_note"))


def test_note_when_begun_beside_a_reply_then_takes_none_of_its_words_and_leaves_it_as_it_is(desk, ticket):
    keep(desk, ticket, text="Dear Ana,", kind="reply")
    asked = desk.get(reverse("desk_ticket", args=[ticket.number]), {"write": "note"})
    assert (asked.context["is_note"], asked.context["form"]["text"].value(), asked.context["draft"]) == (True, None, None)
    assert "You have also begun a reply: go on with that" in words(asked)
    keep(desk, ticket, text="She is cross.", kind="note", draft="")
    assert drafted() == {("Dear Ana,", False), ("She is cross.", True)}
    shown = page(desk, ticket)  # the newest
    assert (shown.context["is_note"], shown.context["form"]["text"].value()) == (True, "She is cross.")
    send(desk, ticket, "note", text="She is cross.", draft=shown.context["draft"].version)
    shown = page(desk, ticket)
    assert (drafted(), shown.context["is_note"]) == ({("Dear Ana,", False)}, False)
    send(desk, ticket, "reply", text="Dear Ana, it works.", draft=shown.context["draft"].version)
    assert drafted() == set()
    assert list(ticket.comments.order_by("pk").values_list("text", "is_internal"))[1:] == [
        ("She is cross.", True),
        ("Dear Ana, it works.", False),
    ]


def test_draft_when_posted_as_the_other_kind_knowingly_then_is_that_and_no_copy_is_left(desk, ticket):
    keep(desk, ticket, text="Dear Ana,", kind="reply")
    keep(desk, ticket, text="Dear Ana,", kind="note", draft=Draft.objects.get().version)
    assert drafted() == {("Dear Ana,", True)}
    send(desk, ticket, "reply", text="Dear Ana, it works.", draft=Draft.objects.get().version)
    assert drafted() == set()


def test_draft_when_posted_as_the_other_kind_where_there_is_one_then_overwrites_nothing(desk, ticket):
    keep(desk, ticket, text="Between us.", kind="note")
    keep(desk, ticket, text="Dear Ana,", kind="reply")
    reply = Draft.objects.get(is_note=False)
    refused = keep(desk, ticket, text="Dear Ana, dear Ben,", kind="note", draft=reply.version, quietly="1")
    assert (refused.status_code, drafted()) == (409, {("Between us.", True), ("Dear Ana,", False)})
