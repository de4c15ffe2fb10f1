"""A reply that waits is either taken back or sent, whoever comes at the same moment. First: what would happen without the lock."""

from __future__ import annotations

from threading import Barrier
from uuid import uuid4

import pytest
from django.db import transaction

from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_ticket, message
from tickets import actions
from tickets.models import Comment, Draft, Status, Ticket
from tickets.writing import drafts
from tickets.writing.drafts import Outdated

pytestmark = marks


@pytest.fixture
def ticket(workflow, ana):
    return make_ticket(ana)


@pytest.fixture
def leaving(settings, ticket, dan):
    """A reply of Dan's whose time has come."""
    settings.UNDO_SECONDS = 10
    reply = drafts.send(ticket, actor=dan, message=message("Try again."), status=Status.objects.get(name="Waiting on Customer"))
    Draft.objects.update(send_at="2020-01-01T00:00Z")
    return reply


def outcome() -> tuple[int, int]:
    """How often it was said, and how often it is a draft again."""
    return Comment.objects.filter(text="Try again.").count(), Draft.objects.filter(send_at=None).count()


def test_reply_when_the_lock_is_left_out_then_is_both_sent_and_taken_back(leaving, dan, monkeypatch):
    both_have_looked = Barrier(2)

    def look(drafts):
        found = drafts.select_related("writer", "ticket", "status", "type").first()
        both_have_looked.wait(timeout=20)
        return found

    monkeypatch.setattr(drafts, "_hold", look)
    answers = at_once([lambda: drafts.send_if_due(leaving.pk), lambda: drafts.take_back(leaving.pk, actor=dan)])
    assert (errors(answers), outcome()[0]) == ([], 1)  # both say that they did it


@pytest.mark.parametrize("_again", range(2))
def test_reply_when_taken_back_as_it_leaves_then_one_of_both_happens(leaving, dan, _again):
    answers = at_once([drafts.send_due, lambda: drafts.take_back(leaving.pk, actor=dan), drafts.send_due])
    refused = [type(error).__name__ for error in errors(answers)]
    assert (outcome(), refused) in [((1, 0), ["IllegalMove"]), ((0, 1), [])]


def test_replies_when_many_workers_come_then_go_out_once(leaving):
    answers = at_once([drafts.send_due] * 4)
    assert (errors(answers), sum(answers), outcome()) == ([], 1, (1, 0))


def test_customer_when_they_write_as_it_leaves_then_wait_for_an_answer(leaving, ticket, ana):
    answers = at_once([drafts.send_due, lambda: actions.comment(ticket, actor=ana, message=message("One more thing!"))])
    now = Ticket.objects.get(pk=ticket.pk)
    asked = Comment.objects.get(text="One more thing!")
    assert (errors(answers), outcome(), now.category == "waiting") == ([], (1, 0), False)
    assert now.waiting_since is not None
    assert now.waiting_since <= asked.events.get().at


def test_draft_when_saved_as_it_is_sent_then_none_is_left(settings, ticket, dan):
    words = message("Try again.", submission_key=uuid4())

    @transaction.atomic
    def save():
        return drafts.save(ticket, actor=dan, message=words)

    answers = at_once([save, lambda: drafts.send(ticket, actor=dan, message=words)])
    assert ({type(error) for error in errors(answers)} <= {Outdated}, outcome()) == (True, (1, 0))
