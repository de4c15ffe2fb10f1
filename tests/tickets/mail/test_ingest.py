"""Stored first, handled once, never lost; and what staff do with mail that waits."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from tests.factories import make_ticket
from tests.tickets.mail.letters import letter, signed_address, take_in, with_file
from tickets import actions, merging, sharing
from tickets.events import event_recorded
from tickets.mail import ingest
from tickets.mail.fingerprint import fingerprint
from tickets.models import Attachment, Comment, InboundMessage, InboundState, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(workflow, ana):
    """A stranger's answer to a mail that was sent to Ana."""
    ticket = make_ticket(ana)
    return take_in(letter("Sten Stranger <sten@else.example>", to=signed_address(ticket, ana), text="I know more.\n"))


def test_quoted_mail_of_ours_gives_nobody_its_keys(workflow, ana):
    links = ["https://x.example/accounts/password/reset/key/1-d9x-3c2b/", "https://x.example/mail/unsubscribe/WzFd:abc_D/"]
    quoted = "".join(f"> open {link}\n" for link in links)
    said = take_in(letter(text=f"It fails: {links[0]}\n\nOn 1 May 2026 10:00, Helpdesk <support@support.example> wrote:\n{quoted}")).comment
    assert said.quoted.count("…/") == 2
    assert [key for key in ("1-d9x-3c2b", "WzFd:abc_D") if key in f"{said.text}{said.html}{said.quoted}"] == []


def test_agents_answer_quotes_no_mail_to_staff(workflow, ana, dan):
    ticket = make_ticket(ana)
    text = "Fixed.\n\nOn 1 May 2026 10:00, Helpdesk <support@support.example> wrote:\n> Status: Waiting for the lawyers\n"
    said = take_in(letter(f"Dan <{dan.email}>", to=signed_address(ticket, dan), text=text)).comment
    assert (said.text, said.quoted, said.is_internal) == ("Fixed.", "", False)


def test_agents_answer_to_a_merged_ticket_when_a_stranger_reads_the_other_then_waits_for_somebody_to_look(workflow, ana, cleo, dan, eve):
    ticket, target = make_ticket(cleo, "Invoice"), make_ticket(ana, "Invoices")
    merging.merge(ticket, into=target, actor=eve)
    held = take_in(letter(f"Dan <{dan.email}>", to=signed_address(ticket, dan), text="Cleo, you owe us nothing.\n"))
    assert (held.state, held.ticket, Comment.objects.filter(text__startswith="Cleo").exists()) == (InboundState.HELD, ticket, False)
    assert f"#{ticket.pk} was merged into #{target.pk} meanwhile" in held.reason
    note = take_in(letter(f"Dan <{dan.email}>", to=signed_address(ticket, dan, is_internal=True), text="Not for her.\n"))
    assert (note.comment.ticket, note.comment.is_internal) == (target, True)
    assert ingest.publish(held, actor=eve).ticket == target


def test_agents_answer_to_a_merged_ticket_when_the_same_people_read_both_then_is_said_where_it_goes_on(workflow, ana, dan, eve):
    ticket, target = make_ticket(ana, "Blank"), make_ticket(ana, "Still blank")
    merging.merge(ticket, into=target, actor=eve)
    done = take_in(letter(f"Dan <{dan.email}>", to=signed_address(ticket, dan), text="Try again.\n"))
    assert (done.state, done.comment.ticket) == (InboundState.DONE, target)
    assert done.reason == f"It answered #{ticket.pk}, which was merged into this ticket."


# --- Storing -------------------------------------------------------------------------------------------------------------------


def test_stored_bytes_are_those_that_came(workflow):
    raw = letter()
    stored = take_in(raw)
    assert (bytes(stored.raw), stored.sha256, stored.size) == (raw, sha256(raw).hexdigest(), len(raw))


def test_same_mail_on_two_ways_is_one_ticket(workflow):
    raw = letter()
    other_way = b"Received: from mx.example by us; Sat, 21 Nov 2026\r\nDelivered-To: csm@support.example\r\n" + raw.replace(b"\n", b"\r\n")
    assert take_in(raw).pk == take_in(other_way).pk
    assert Ticket.objects.count() == 1


def test_other_text_under_the_same_message_id_is_another_mail(workflow):
    first = letter(Message_ID="<same@x.example>", text="one")
    second = letter(Message_ID="<same@x.example>", text="two")
    assert take_in(first).pk != take_in(second).pk


@pytest.mark.parametrize("raw", [b"", b"\n", b"\0", b"no headers at all", b"From: a@b.example"])
def test_fingerprint_takes_any_bytes(raw):
    assert len(fingerprint(raw, now=timezone.now())) == 64


def test_folded_recipients_count_into_the_fingerprint():
    one, two = (b"To: a@x.example,\n %s@x.example\n\nbody" % name for name in (b"b", b"c"))
    now = timezone.now()
    assert fingerprint(one, now=now) != fingerprint(two, now=now)


def test_device_that_says_the_same_each_day_without_id_or_date_is_heard_each_day():
    raw, now = b"From: disk@acme.example\nSubject: full\n\nThe disk is full.\n", timezone.now()
    assert fingerprint(raw, now=now) == fingerprint(raw, now=now)
    assert fingerprint(raw, now=now) != fingerprint(raw, now=now + timedelta(days=1))


# --- Handling ------------------------------------------------------------------------------------------------------------------


def test_every_attachment_is_kept_with_its_bytes(workflow):
    ticket = take_in(with_file(content=b"\x00\x01binary", name="../../etc/crash.log")).ticket
    attachment = Attachment.objects.get(comment__ticket=ticket)
    with attachment.file.open() as stored:
        assert (attachment.name, stored.read()) == ("crash.log", b"\x00\x01binary")


def test_quoted_text_is_kept_apart_from_what_was_written(workflow, ana):
    ticket = make_ticket(ana)
    text = "It works now.\n\nOn Fri, 20 Nov 2026 at 10:00, Dan Support wrote:\n> Please try again.\n"
    comment = take_in(letter(to=signed_address(ticket, ana), text=text)).comment
    assert (comment.text, "Please try again." in comment.quoted) == ("It works now.", True)


def test_mail_without_subject_or_text_gets_placeholders(workflow):
    ticket = take_in(b"From: ana@acme.example\nMessage-ID: <empty@acme.example>\n\n").ticket
    assert (ticket.subject, ticket.comments.get().text) == ("(no subject)", "(This mail had no text.)")


def test_endless_mail_is_cut_and_says_so(workflow):
    comment = take_in(letter(text="word " * 60_000)).comment
    assert comment.text.endswith("(The rest of this long mail is in the original.)")


def test_mail_that_cannot_be_read_waits_with_its_reason(workflow):
    bomb = b"From: a@b.example\nSubject: Deep\nContent-Type: multipart/mixed; boundary=b0\n\n" + b"".join(
        b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (n, n + 1) for n in range(900)
    )
    taken = take_in(bomb)
    assert (taken.state, taken.reason) == (InboundState.FAILED, "This mail is beyond what we can read safely: parts nested too deeply.")
    assert (taken.from_address, taken.subject, Ticket.objects.count()) == ("a@b.example", "Deep", 0)


def test_failing_mail_leaves_no_trace_and_is_tried_again_later(workflow, monkeypatch):
    monkeypatch.setattr(ingest.actions, "open_ticket", _fail)
    taken = take_in(letter("new@initech.example"))
    assert (taken.state, taken.attempts, taken.next_attempt_at > timezone.now()) == (InboundState.WAITING, 1, True)
    assert User.objects.count() == 0


def test_failing_mail_waits_for_staff_after_five_tries(workflow, monkeypatch):
    monkeypatch.setattr(ingest.actions, "open_ticket", _fail)
    taken = take_in(letter())
    for _try in range(4):
        InboundMessage.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
        ingest.ingest_waiting()
    taken.refresh_from_db()
    assert (taken.state, taken.attempts, taken.reason) == (InboundState.FAILED, 5, "RuntimeError: the disk is full")


def test_mail_that_kills_its_worker_is_put_off_and_in_the_end_waits_for_staff(workflow, monkeypatch):
    monkeypatch.setattr(ingest, "_handle", _die)
    deadly, _is_new = ingest.store(letter(), mailbox=ingest.default_mailbox())
    with pytest.raises(KeyboardInterrupt):
        ingest.ingest_waiting()
    assert ingest.ingest_waiting() == 0  # others have their turn first
    for _try in range(5):
        InboundMessage.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
        with suppress(KeyboardInterrupt):
            ingest.ingest_waiting()
    deadly.refresh_from_db()
    assert (deadly.state, deadly.reason) == (InboundState.FAILED, "The program that handled it died each time.")


def test_failing_mail_holds_up_no_other(workflow, monkeypatch):
    good, bad = letter("good@x.example"), letter("bad@x.example", subject="bad")
    real = ingest.actions.open_ticket
    monkeypatch.setattr(ingest.actions, "open_ticket", lambda **fields: _fail() if fields["subject"] == "bad" else real(**fields))
    for raw in (bad, good):
        ingest.store(raw, mailbox=ingest.default_mailbox())
    assert (ingest.ingest_waiting(), Ticket.objects.get().requester.email) == (2, "good@x.example")


def _die(_message, _mail):
    raise KeyboardInterrupt


def _fail(**_fields):
    raise RuntimeError("the disk is full")


# --- Staff's verbs -------------------------------------------------------------------------------------------------------------


def test_held_answer_is_published_as_its_senders(held, dan):
    comment = ingest.publish(held, actor=dan)
    held.refresh_from_db()
    assert (comment.ticket, comment.author.email, comment.text) == (held.ticket, "sten@else.example", "I know more.")
    assert (held.state, held.comment, held.reason) == (InboundState.DONE, comment, "Published by Dan Support.")


def test_publishing_admits_the_sender_as_follower(held, dan):
    author = ingest.publish(held, actor=dan).author
    assert author in held.ticket.followers.all()


@pytest.mark.parametrize("sender", ["Ana <ana@acme.example>, x@evil.example", "Us <Support@support.example>", "support+x@support.example"])
def test_held_answer_of_nobody_is_not_published_and_makes_no_account(workflow, ana, dan, sender):
    ticket = make_ticket(ana)
    held, people = take_in(letter(sender, to=signed_address(ticket, ana))), User.objects.count()
    assert held.state == InboundState.HELD
    with pytest.raises(actions.IllegalMove):
        ingest.publish(held, actor=dan)
    assert ingest.open_held(held, actor=dan).requester == dan
    assert User.objects.count() == people


def test_held_answer_is_published_once(held, dan):
    ingest.publish(held, actor=dan)
    with pytest.raises(actions.IllegalMove):
        ingest.publish(held, actor=dan)
    assert Comment.objects.count() == 2


def test_held_answer_becomes_a_ticket_of_its_own(held, dan):
    claimed = held.ticket
    opened = ingest.open_held(held, actor=dan)
    assert (opened == claimed, opened.requester.email, opened.follow_up_to) == (False, "sten@else.example", None)


def test_mail_without_sender_becomes_a_ticket_of_the_agent(workflow, dan):
    taken = take_in(b"Subject: who am I\n\nhello\n")
    assert ingest.open_held(taken, actor=dan).requester == dan


def test_discarded_mail_is_kept(held, dan):
    ingest.discard(held, actor=dan)
    held.refresh_from_db()
    assert (held.state, held.size > 0) == (InboundState.DISCARDED, True)


def test_replayed_mail_is_handled_as_if_it_came_now(held, dan, ana):
    sten = User.objects.create_user("sten@else.example")
    sharing.add_follower(held.ticket, actor=dan, person=sten)
    ingest.replay(held, actor=dan)
    held.refresh_from_db()
    assert (held.state, held.comment.author) == (InboundState.DONE, sten)


def test_customer_may_not_decide_on_held_mail(held, ana):
    with pytest.raises(actions.NotAllowed):
        ingest.publish(held, actor=ana)


def test_switched_off_sender_is_not_published(held, dan):
    User.objects.create_user("sten@else.example", is_active=False)
    with pytest.raises(actions.IllegalMove):
        ingest.publish(held, actor=dan)


# --- receive_mail --------------------------------------------------------------------------------------------------------------


def _receive(raw, monkeypatch, capsys, *args):
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": type("Buffer", (), {"read": staticmethod(lambda: raw)})}))
    call_command("receive_mail", *args)
    return json.loads(capsys.readouterr().out)


def test_receive_mail_says_what_became_of_it(workflow, ana, monkeypatch, capsys):
    raw = letter()
    first = _receive(raw, monkeypatch, capsys)
    again = _receive(raw, monkeypatch, capsys)
    number = Ticket.objects.get().number
    assert first == {"status": "opened", "ticket": number, "reason": ""}
    assert again == {"status": "duplicate", "ticket": number, "reason": ""}


def test_receive_mail_to_a_signed_address_comments(workflow, ana, monkeypatch, capsys):
    ticket = make_ticket(ana)
    printed = _receive(letter(), monkeypatch, capsys, "--to", signed_address(ticket, ana))
    assert printed == {"status": "commented", "ticket": ticket.number, "reason": ""}


def test_receive_mail_exits_75_when_it_cannot_store(tmp_path):
    env = {"PATH": "", "SECRET_KEY": "x", "DEMO": "1", "VAR_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/nowhere/db.sqlite3"}
    done = subprocess.run([sys.executable, "manage.py", "receive_mail"], input=letter(), env=env, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (75, b"")


# --- Many at once --------------------------------------------------------------------------------------------------------------


def test_sender_of_many_mails_holds_up_nobody_else(workflow):
    for number in range(3):
        ingest.store(letter("many@x.example", text=f"{number}\n"), mailbox=ingest.default_mailbox())
    ingest.store(letter("one@y.example"), mailbox=ingest.default_mailbox())
    ingest.ingest_waiting()
    opened = Ticket.objects.order_by("pk").values_list("requester__email", flat=True)
    assert list(opened) == ["many@x.example", "one@y.example", "many@x.example", "many@x.example"]


def test_flood_of_one_sender_waits_for_staff(workflow, monkeypatch):
    monkeypatch.setattr(ingest, "_FLOOD", 2)
    states = [take_in(letter("many@x.example", text=f"{number}\n")).state for number in range(4)]
    other = take_in(letter("one@y.example"))
    assert [*states, other.state] == [InboundState.DONE, InboundState.DONE, InboundState.HELD, InboundState.HELD, InboundState.DONE]


def test_flood_of_one_sender_ends_with_the_hour(workflow, monkeypatch):
    monkeypatch.setattr(ingest, "_FLOOD", 1)
    take_in(letter("many@x.example", text="1\n"))
    InboundMessage.objects.update(received_at=timezone.now() - timedelta(hours=1))
    assert take_in(letter("many@x.example", text="2\n")).state == InboundState.DONE


def test_same_mail_when_it_comes_again_is_counted(workflow):
    raw = letter()
    for _time in range(3):
        take_in(raw)
    assert InboundMessage.objects.values_list("repeats", "state").get() == (2, InboundState.DONE)


def test_mail_that_killed_its_worker_is_tried_alone_and_puts_off_no_other(workflow, monkeypatch):
    """The others of its handful are put off once, and done the next time."""
    deadly, *others = (ingest.store(letter(f"{n}@x.example", text=f"{n}\n"), mailbox=ingest.default_mailbox())[0] for n in range(3))
    real = ingest._handle
    monkeypatch.setattr(ingest, "_handle", lambda message, mail: _die(message, mail) if message.pk == deadly.pk else real(message, mail))
    for _minute in range(2):
        with suppress(KeyboardInterrupt):
            ingest.ingest_waiting()
        InboundMessage.objects.update(next_attempt_at=timezone.now())
    assert [ingest.ingest(other.pk) for other in others] == [True, True]
    assert dict(InboundMessage.objects.values_list("pk", "attempts")) == {deadly.pk: 2, others[0].pk: 2, others[1].pk: 2}


@pytest.mark.django_db(transaction=True)
def test_mails_that_come_together_wake_who_tells_of_them_once(workflow):
    for number in range(3):
        ingest.store(letter(f"{number}@x.example"), mailbox=ingest.default_mailbox())
    nudges = []

    def note(**_fields):
        nudges.append(Ticket.objects.count())

    event_recorded.connect(note)
    ingest.ingest_waiting()
    event_recorded.disconnect(note)
    assert nudges == [3]
