"""Ten seconds in which a reply can be taken back: nobody is mailed, no customer sees a trace, and afterwards it is final."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from notifications import relay
from notifications.models import Delivery
from tests.desk.conftest import logged_in
from tests.desk.pages import newest_event, send, words
from tests.factories import make_ticket, make_user, message
from tickets import actions, merging
from tickets.models import Comment, Draft, Event, Status, Ticket, TicketType
from tickets.writing import drafts


@pytest.fixture(autouse=True)
def _ten_seconds(settings):
    settings.UNDO_SECONDS = 10


@pytest.fixture
def waiting(ticket):
    return Status.objects.get(name="Waiting on Customer")


def time_passes() -> int:
    Draft.objects.filter(send_at__isnull=False).update(send_at=timezone.now() - timedelta(seconds=1))
    return drafts.send_due()


def facts(ticket):
    """All that is known of the ticket, but for what is being written."""
    return Ticket.objects.values().get(pk=ticket.pk), Event.objects.count(), Comment.objects.count(), Delivery.objects.count()


def take_back(client, ticket, pk=None):
    pk = pk or Draft.objects.get(send_at__isnull=False).pk
    return client.post(reverse("desk_ticket_take_back", args=[ticket.number, pk]), follow=True)


def test_reply_when_just_sent_then_changes_nothing_anywhere(desk, ticket, ana, waiting):
    relay.relay_waiting()
    customer, before = logged_in(ana), facts(ticket)
    pages = [reverse("ticket", args=[ticket.pk]), "/tickets/", "/tickets/?q=zebra", reverse("ticket_export")]
    seen = [words(customer.get(path)) for path in pages]
    response = send(desk, ticket, "reply", text="A zebra did it.", status=waiting.pk)
    relay.relay_waiting()
    assert (response.status_code, response.url[-8:], drafts.send_due(), facts(ticket)) == (302, "#leaving", 0, before)
    assert [words(customer.get(path)) for path in pages] == seen
    shown = words(desk.get(response.url))
    assert ("Your reply goes out in 10 seconds." in shown, "A zebra did it." in shown, "Undo" in shown) == (True, True, True)


def test_reply_when_taken_back_then_words_files_and_status_are_in_the_composer(desk, ticket, waiting):
    before = facts(ticket)
    file = SimpleUploadedFile("a.txt", b"one line")
    send(desk, ticket, "reply", text="A zebra", html="<p>A <strong>zebra</strong></p>", status=waiting.pk, files=file)
    shown = take_back(desk, ticket)
    form = shown.context["form"]
    assert (form["text"].value(), form["html"].value()) == ("A zebra", "<p>A <strong>zebra</strong></p>")
    assert (form.kept_uploads.endswith("a.txt"), shown.context["statuses"][0][0], shown.context["leaving"]) == (True, str(waiting.pk), None)
    assert (time_passes(), facts(ticket)) == (0, before)
    send(desk, ticket, "reply", text="A zebra", uploads=form.kept_uploads)
    time_passes()
    assert ticket.comments.last().attachments.get().name == "a.txt"


def test_reply_when_taken_back_then_what_its_status_asked_for_is_not_asked_again(desk, ticket):
    dev, bug = Status.objects.get(name="Waiting on Dev Team"), TicketType.objects.first()
    Status.objects.filter(pk=dev.pk).update(requires_type=True, asks_reference=True)
    send(desk, ticket, "reply", text="A zebra", status=dev.pk, type=bug.pk, reference="TEM-7")
    html = take_back(desk, ticket).content.decode()
    types = html.partition('id="reply-type"')[2].partition("</select>")[0]
    assert (f'value="{bug.pk}" selected' in types, 'name="reference" value="TEM-7"' in html, "autofocus" in html) == (True, True, False)
    send(desk, ticket, "reply", text="A zebra", status=dev.pk, type=bug.pk, reference="TEM-7")
    time_passes()
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.status, now.type, now.reference) == (dev, bug, "TEM-7")


def test_reply_when_its_time_has_come_then_is_said_once_with_all_of_it(desk, ticket, dan, waiting):
    send(desk, ticket, "reply", text="Try again.", status=waiting.pk)
    pk = Draft.objects.get().pk
    assert (time_passes(), time_passes(), Draft.objects.exists()) == (1, 0, False)
    now = Ticket.objects.get(pk=ticket.pk)
    assert (ticket.comments.last().text, ticket.comments.last().author, now.status, now.waiting_since) == ("Try again.", dan, waiting, None)
    assert "It is too late: your reply has gone out." in words(take_back(desk, ticket, pk))


def test_form_when_sent_twice_then_waits_as_one_reply_and_goes_out_as_one(desk, ticket):
    key = "0b5e6f9a-2f6c-4f1e-9d53-0d6c1f1f7d11"
    for _again in range(2):
        send(desk, ticket, "reply", text="Once.", key=key)
    assert (Draft.objects.count(), time_passes(), ticket.comments.filter(text="Once.").count()) == (1, 1, 1)
    send(desk, ticket, "reply", text="Once.", key=key)
    assert (Draft.objects.count(), ticket.comments.filter(text="Once.").count()) == (0, 1)


def test_second_reply_when_the_first_waits_then_sends_that_at_once(desk, ticket):
    for said in ("One.", "Two."):
        send(desk, ticket, "reply", text=said)
    assert (ticket.comments.last().text, Draft.objects.get().text) == ("One.", "Two.")


def test_move_when_a_reply_waits_then_comes_after_it(desk, ticket):
    send(desk, ticket, "reply", text="Done.")
    send(desk, ticket, "resolve", type=TicketType.objects.first().pk)
    assert [event.kind for event in ticket.events.order_by("-pk")[:2]] == ["resolved", "commented"]


def test_colleague_when_a_reply_waits_then_learns_of_it_and_not_of_its_words(desk, ticket, eve):
    send(desk, ticket, "reply", text="A zebra did it.")
    hers = logged_in(eve)
    answers = [send(hers, ticket, verb, text="Me too.") for verb in ("reply", "note", "close")]
    assert [answer.status_code for answer in answers] == [409] * 3
    told = words(answers[0])
    assert ("Dan Support is sending a reply at this moment." in told, "zebra" in told, "Me too." in told) == (True, False, True)
    take_back(hers, ticket)
    assert Draft.objects.get().send_at is not None


def test_customer_when_they_write_meanwhile_then_wait_on_for_an_answer(desk, ticket, ana, waiting):
    send(desk, ticket, "reply", text="Try again.", status=waiting.pk)
    asked = actions.comment(ticket, actor=ana, message=message("One more thing!"))
    time_passes()
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.status.name, now.waiting_since) == ("Open", asked.events.get().at)
    assert [said.text for said in ticket.comments.order_by("-pk")[:2]] == ["Try again.", "One more thing!"]


def test_customer_when_they_close_meanwhile_then_it_stays_closed(desk, ticket, ana, waiting):
    send(desk, ticket, "reply", text="Try again.", status=waiting.pk)
    actions.close(ticket, actor=ana)
    time_passes()
    assert (Ticket.objects.get(pk=ticket.pk).is_closed, ticket.comments.last().text) == (True, "Try again.")


def test_customer_when_they_wrote_meanwhile_then_the_page_that_takes_it_back_shows_it(desk, ticket, ana):
    send(desk, ticket, "reply", text="Try again.")
    actions.comment(ticket, actor=ana, message=message("One more thing!"))
    shown = words(take_back(desk, ticket))
    assert ("One more thing!" in shown, "Try again." in shown) == (True, True)


def test_reply_when_it_can_not_be_said_any_more_then_comes_back_with_the_reason(desk, ticket, waiting):
    send(desk, ticket, "reply", text="Try again.", status=waiting.pk)
    Status.objects.filter(pk=waiting.pk).update(is_retired=True, is_default=False)
    assert (time_passes(), Draft.objects.get().send_at, ticket.comments.count()) == (0, None, 1)
    shown = words(desk.get(reverse("desk_ticket", args=[ticket.pk])))
    assert "Your reply was not sent, and is here again: The status “Waiting on Customer” is retired." in shown


def test_second_reply_when_the_first_can_not_be_said_any_more_then_that_comes_back_and_is_not_lost(desk, ticket, waiting):
    send(desk, ticket, "reply", text="One.", status=waiting.pk)
    draft = desk.post(reverse("desk_ticket_draft", args=[ticket.number]), {"text": "Two.", "quietly": "1"}).json()["version"]
    Status.objects.filter(pk=waiting.pk).update(is_retired=True, is_default=False)
    send(desk, ticket, "reply", text="Two.", draft=draft)
    assert [(one.text, one.send_at is None, bool(one.problem)) for one in Draft.objects.order_by("pk")] == [
        ("One.", True, True),
        ("Two.", False, False),
    ]
    assert (time_passes(), Draft.objects.get().text, ticket.comments.last().text) == (1, "One.", "Two.")


def test_note_when_written_on_the_page_that_sent_a_reply_then_both_are_said(desk, ticket):
    """Back from the next page is the same form, with its key."""
    key = "5f0c6e0e-51a2-4cb4-a4a5-0d0b6c8f7c11"
    send(desk, ticket, "reply", text="Try again.", key=key)
    send(desk, ticket, "note", text="Hm.", key=key)
    send(desk, ticket, "note", text="Hm.", key=key)
    assert time_passes() == 1
    send(desk, ticket, "reply", text="Try again.", key=key)
    assert list(ticket.comments.order_by("pk").values_list("text", "is_internal"))[1:] == [("Hm.", True), ("Try again.", False)]
    assert not Draft.objects.exists()


def test_reply_when_written_on_the_page_that_kept_a_note_then_goes_out(desk, ticket):
    key = "5f0c6e0e-51a2-4cb4-a4a5-0d0b6c8f7c11"
    send(desk, ticket, "note", text="Hm.", key=key)
    send(desk, ticket, "reply", text="Try again.", key=key)
    assert (time_passes(), ticket.comments.last().text) == (1, "Try again.")


def test_reply_when_its_writer_is_let_go_then_does_not_go_out(desk, ticket, dan):
    send(desk, ticket, "reply", text="Try again.")
    dan.is_active = False
    dan.save()
    assert (time_passes(), ticket.comments.count(), Draft.objects.get().text) == (0, 1, "Try again.")


def test_reply_when_others_were_begun_meanwhile_then_the_reply_stands_below_it_and_the_note_stays_one(desk, ticket):
    send(desk, ticket, "reply", text="One.")
    address = reverse("desk_ticket_draft", args=[ticket.number])
    desk.post(address, {"text": "Between us.", "kind": "note"})
    desk.post(address, {"text": "Two.", "html": "<p><em>Two.</em></p>", "kind": "reply"})
    shown = take_back(desk, ticket)
    kept = Draft.objects.get(is_note=False)
    assert (kept.text, kept.html, shown.context["is_note"]) == ("One.\n\nTwo.", "<p>One.</p><p><em>Two.</em></p>", False)
    assert Draft.objects.get(is_note=True).text == "Between us."


def test_reply_when_one_fails_unforeseen_then_others_go_out_and_it_is_tried_again(desk, ticket, monkeypatch, eve):
    send(desk, ticket, "reply", text="Boom.")
    other = actions.open_ticket(actor=eve, requester=make_user("x@acme.example"), subject="Other", message=message())
    send(logged_in(eve), other, "reply", text="Fine.")
    say = actions.comment

    def comment(ticket, **fields):
        if fields["message"].text == "Boom.":
            raise RuntimeError
        return say(ticket, **fields)

    monkeypatch.setattr(actions, "comment", comment)
    assert (time_passes(), Draft.objects.get().text) == (1, "Boom.")
    monkeypatch.undo()
    assert (drafts.send_due(), time_passes()) == (0, 1)


def test_page_when_a_reply_waits_then_a_stranger_to_it_sees_the_ticket_as_it_was(desk, ticket, waiting):
    """No status of the reply, and the queue still counts the customer as waiting."""
    send(desk, ticket, "reply", text="Try again.", status=waiting.pk)
    shown = desk.get(reverse("desk_ticket", args=[ticket.pk]))
    assert ("Waits for us" in words(shown), shown.context["seen"]) == (True, newest_event(ticket))


def test_reply_when_its_ticket_is_merged_meanwhile_then_comes_back_and_no_stranger_reads_it(desk, ticket, cleo, eve, dan):
    source = make_ticket(cleo, "Same here")
    send(desk, source, "reply", text="For Cleo alone.")
    merging.merge(source, into=ticket, actor=eve)
    assert (time_passes(), Comment.objects.filter(text="For Cleo alone.").count()) == (0, 0)
    shown = words(desk.get(reverse("desk_ticket", args=[source.number])))  # does not lead away from what is to be mended
    assert (f"was merged into #{ticket.number} meanwhile" in shown, "For Cleo alone." in shown) == (True, True)
