"""A reply that arrives while its ticket is merged is kept, and stands where staff will find it. First: what would happen without the lock."""

from __future__ import annotations

from threading import Event
from time import sleep

import pytest
from django.db import IntegrityError, transaction

from tests.concurrency.threads import at_once, errors, marks
from tests.factories import make_ticket, message
from tickets import access, actions, merging
from tickets.locking import lock, save
from tickets.models import Comment, Ticket, TicketType

pytestmark = marks


@pytest.fixture
def pair(workflow, ana, dan):
    source, target = make_ticket(ana, "Again"), make_ticket(ana)
    actions.resolve(source, actor=dan, type=TicketType.objects.first())  # so that a reply has something to move
    return source, target


def test_reply_when_the_lock_is_left_out_then_is_lost(pair, ana, dan):
    source, target = pair
    read, merged = Event(), Event()

    @transaction.atomic
    def reply_without_lock() -> None:
        ticket = Ticket.objects.select_related("status").get(pk=source.pk)
        read.set()
        merged.wait(timeout=20)
        said = actions._say(ticket, actor=ana, message=message("Still broken."))
        actions._heard(ticket, said)
        save(ticket, public=True)

    def merge() -> None:
        read.wait(timeout=20)
        merging.merge(source, into=target, actor=dan)
        merged.set()

    replied, _merged = at_once([reply_without_lock, merge])
    lost = not Comment.objects.filter(text="Still broken.").exists()
    undone = Ticket.objects.get(pk=source.pk).merged_into is None
    assert isinstance(replied, IntegrityError) or lost or undone


@pytest.mark.parametrize("upside_down", [False, True])
def test_reply_when_it_comes_during_the_merge_then_is_shown_with_the_ticket_that_goes_on(pair, ana, dan, upside_down):
    source, target = reversed(pair) if upside_down else pair
    if upside_down:
        actions.reopen(target, actor=dan)
    words = [lambda n=n: actions.comment(source, actor=ana, message=message(f"Still broken {n}.")) for n in range(4)]
    answers = at_once([lambda: merging.merge(source, into=target, actor=dan), *words])
    assert errors(answers) == []
    shown = [event.comment.text for event in access.events_for(dan, target).filter(comment__text__startswith="Still")]
    assert sorted(shown) == [f"Still broken {n}." for n in range(4)]
    merged, goes_on = Ticket.objects.get(pk=source.pk), Ticket.objects.get(pk=target.pk)
    assert (merged.merged_into, merged.category, goes_on.category, goes_on.waiting_since is None) == (target, "closed", "new", False) or (
        upside_down and goes_on.category == "open"
    )


def test_merge_when_two_agents_merge_crosswise_then_one_is_told(workflow, ana, dan, eve):
    one, other = make_ticket(ana), make_ticket(ana)
    answers = at_once([lambda: merging.merge(one, into=other, actor=dan), lambda: merging.merge(other, into=one, actor=eve)])
    assert [type(error).__name__ for error in errors(answers)] == ["IllegalMove"]
    assert Ticket.objects.exclude(merged_into=None).count() == 1


def test_merge_when_undone_while_people_reply_then_each_word_stands_once(pair, ana, dan):
    source, target = pair
    merging.merge(source, into=target, actor=dan)
    words = [lambda n=n: actions.comment(source, actor=ana, message=message(f"Word {n}")) for n in range(4)]
    answers = at_once([lambda: merging.unmerge(Ticket.objects.get(pk=source.pk), actor=dan), *words])
    assert errors(answers) == []
    assert sorted(Comment.objects.filter(text__startswith="Word").values_list("text", flat=True)) == [f"Word {n}" for n in range(4)]
    assert set(Comment.objects.filter(text__startswith="Word").values_list("ticket", flat=True)) <= {source.pk, target.pk}


def test_merge_when_one_merged_before_is_taken_out_at_the_same_time_then_nobody_fails(workflow, ana, dan, eve):
    """All that a merge writes is locked by number, also those that come along: here the lowest number is one of them."""
    child, source, target = make_ticket(ana), make_ticket(ana), make_ticket(ana)
    merging.merge(child, into=source, actor=dan)
    has_child = Event()

    @transaction.atomic
    def takes_out() -> None:
        lock(child, eve)
        has_child.set()
        sleep(0.5)
        lock(source, eve)

    def merge() -> None:
        has_child.wait(timeout=20)
        merging.merge(source, into=target, actor=dan)

    assert errors(at_once([takes_out, merge])) == []
