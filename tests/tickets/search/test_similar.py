"""Which related tickets a person is shown: SECURITY SU03 to SU05, VI14, and the order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import AgentGroup, Membership, Organization
from tests.factories import make_ticket, message
from tickets import actions, sharing
from tickets.lifecycle import Category
from tickets.models import Channel, Comment, Follower, IndexedTicket, OrganizationShare, Posting, Status, Ticket
from tickets.search import indexing
from tickets.search.similar import Question, similar

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("workflow")]

BLANK = "The video player stays blank after login"


def index() -> int:
    return indexing.index_waiting(most=10_000)


def found(user, text: str = BLANK, subject: str = "", **question) -> list[int]:
    asked = Question(subject, text, at=timezone.now(), **question)
    return [ticket.pk for ticket in similar(user, asked, among=Ticket.objects.all())]


def spam(ticket, actor):
    actions.change_status(ticket, actor=actor, status=Status.objects.get(category=Category.SPAM, is_default=True))


# --- Who is shown what ---------------------------------------------------------------------------------------------------------


def test_similar_when_shared_with_ones_organization_then_is_found_by_its_members_and_staff_alone(ana, ben, cleo, solo, dan):
    ticket = make_ticket(ana, text=BLANK)
    index()
    assert {who.email: found(who) for who in (ana, ben, cleo, solo, dan)} == {
        ana.email: [ticket.pk],
        ben.email: [ticket.pk],
        cleo.email: [],
        solo.email: [],
        dan.email: [ticket.pk],
    }


def test_similar_when_private_then_is_found_by_requester_filer_and_followers(ana, ben, cleo, solo, dan):
    ticket = make_ticket(ana, text=BLANK, share=False)
    Ticket.objects.filter(pk=ticket.pk).update(filer=cleo)
    Follower.objects.create(ticket=ticket, user=solo)
    index()
    assert [found(who) for who in (ana, ben, cleo, solo)] == [[ticket.pk], [], [ticket.pk], [ticket.pk]]


def test_similar_when_a_thousand_match_better_elsewhere_then_ones_own_comes_first(ana, cleo, acme):
    """SU03. The thousand are written as the index has them."""
    ticket = make_ticket(cleo, "Video", text="My player was blank on Monday, and so was the login page of a colleague.")
    index()
    Ticket.objects.bulk_create(
        Ticket(subject=BLANK, requester=ana, status=ticket.status, category=ticket.category, channel=Channel.PORTAL) for _ in range(1000)
    )
    others = list(Ticket.objects.exclude(pk=ticket.pk))
    Comment.objects.bulk_create(Comment(ticket=one, author=ana, text=BLANK, channel=Channel.PORTAL) for one in others)
    OrganizationShare.objects.bulk_create(OrganizationShare(ticket=one, organization=acme) for one in others)
    assert index() == 1000
    assert found(cleo) == [ticket.pk]
    assert len(found(ana)) == 5


def unshare(ticket, dan, acme):
    sharing.remove_organization(ticket, actor=dan, organization=acme)


def mark_spam(ticket, dan, acme):
    spam(ticket, dan)


def leave(ticket, dan, acme):
    Membership.objects.filter(organization=acme).update(is_active=False)


def switch_off(ticket, dan, acme):
    Organization.objects.filter(pk=acme.pk).update(is_active=False)


def delete(ticket, dan, acme):
    ticket.events.all().delete()
    ticket.comments.all().delete()
    ticket.delete()


@pytest.mark.parametrize("change", [unshare, mark_spam, leave, switch_off, delete])
def test_similar_when_it_may_no_longer_be_seen_then_is_gone_at_once_and_after_indexing(change, ana, ben, dan, acme):
    """SU04."""
    ticket = make_ticket(ana, text=BLANK)
    index()
    assert found(ben) == [ticket.pk]
    change(ticket, dan, acme)
    assert found(ben) == []
    index()
    assert found(ben) == []


def test_similar_when_moved_to_a_private_group_then_is_found_by_its_members_and_the_assignee_alone(ana, dan, eve, max_admin):
    """SU04, VI14."""
    group = AgentGroup.objects.create(name="Security", is_private=True)
    group.members.add(max_admin)
    ticket = make_ticket(ana, text=BLANK)
    index()
    actions.set_group(ticket, actor=dan, group=group)
    at_once = [found(who) for who in (dan, max_admin)]
    index()
    assert (at_once, [found(who) for who in (dan, max_admin, ana)]) == ([[], [ticket.pk]], [[], [ticket.pk], [ticket.pk]])
    Ticket.objects.update(assignee=eve)
    assert found(eve) == [ticket.pk]


def test_similar_when_a_private_group_has_a_thousand_better_ones_then_others_still_find_theirs(ana, dan):
    group = AgentGroup.objects.create(name="Security", is_private=True)
    for _ in range(40):
        make_ticket(ana, BLANK, text=BLANK, group=group)
    ticket = make_ticket(ana, "Video", text="My player was blank on Monday, and so was the login page of a colleague.")
    index()
    assert found(dan) == [ticket.pk]


@pytest.mark.parametrize("text", ["player blank", "", "\0\0", "the of and", "?.*[(" * 1000])
def test_similar_when_less_than_three_words_say_something_then_finds_nothing(text, ana):
    make_ticket(ana, text=BLANK)
    index()
    assert found(ana, text) == []


def test_similar_when_word_stands_in_notes_or_later_answers_then_finds_nothing(ana, dan):
    ticket = make_ticket(ana, "Question", text="Please call me.")
    actions.add_note(ticket, actor=dan, message=message(BLANK, channel=Channel.DESK))
    actions.comment(ticket, actor=dan, message=message(BLANK, channel=Channel.DESK))
    index()
    assert (found(ana), found(dan)) == ([], [])


def test_similar_when_a_word_is_common_elsewhere_then_the_order_is_the_same(ana, cleo):
    """SU05: how rare a word is, is counted among what this person sees."""
    first = make_ticket(ana, "Invoice", text="invoice zebra yacht window")
    second = make_ticket(ana, "Invoice", text="invoice quartz yacht window")
    index()
    asked = "zebra quartz yacht unheard"
    before = found(ana, asked)
    for _ in range(30):
        make_ticket(cleo, "Zebra", text="zebra quartz unheard zebra")
        make_ticket(cleo, "Unheard", text="unheard")
    index()
    assert before == found(ana, asked) == [second.pk, first.pk]


# --- The order -----------------------------------------------------------------------------------------------------------------


def test_similar_when_several_match_then_the_best_come_first(ana):
    fair = make_ticket(ana, "Login", text="I forgot the password of my account.")
    best = make_ticket(ana, "Blank video player", text="Since the update my video player stays blank after the login.")
    good = make_ticket(ana, "Video", text="The player shows nothing, it is blank in all browsers we have tried.")
    make_ticket(ana, "Invoice", text="Please send last month's invoice again.")
    index()
    assert found(ana) == [best.pk, good.pk, fair.pk]


@pytest.mark.parametrize(("days", "newest_first"), [(35, True), (0, False)])
def test_similar_when_older_one_matches_slightly_better_then_recency_decides_if_it_counts(days, newest_first, ana, settings):
    settings.RELATED_RECENCY_DAYS = days
    old = make_ticket(ana, "Player", text="The video player stays blank after login")
    new = make_ticket(ana, "Player", text="The video player stays blank")
    Ticket.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=400))
    index()
    assert (found(ana) == [new.pk, old.pk]) is newest_first


def test_similar_when_seen_through_two_organizations_then_counts_once(ana, globex, acme):
    Membership.objects.create(user=ana, organization=globex)
    twice = make_ticket(ana, "Player", text="player blank login")
    OrganizationShare.objects.get_or_create(ticket=twice, organization=globex)
    once = make_ticket(ana, "Player", text="video player stays blank after login")
    index()
    assert found(ana) == [once.pk, twice.pk]


def test_similar_when_told_what_to_leave_out_then_leaves_it_out(ana):
    tickets = [make_ticket(ana, text=BLANK).pk for _ in range(3)]
    index()
    assert found(ana, without=frozenset(tickets[:1]), before=tickets[2]) == [tickets[1]]


# --- The index -----------------------------------------------------------------------------------------------------------------


def scopes() -> set[int]:
    return set(Posting.objects.values_list("scope", flat=True))


def test_index_when_shares_and_group_change_then_follows_them(ana, dan, acme, globex):
    ticket = make_ticket(ana, text=BLANK)
    assert (index(), index(), scopes()) == (1, 0, {0, acme.pk})
    sharing.add_organization(ticket, actor=dan, organization=globex)
    assert (index(), scopes()) == (1, {0, acme.pk, globex.pk})
    sharing.remove_organization(ticket, actor=dan, organization=acme)
    assert (index(), scopes()) == (1, {0, globex.pk})
    group = AgentGroup.objects.create(name="Security", is_private=True)
    dan.agent_groups.add(group)
    actions.set_group(ticket, actor=dan, group=group)
    assert (index(), scopes()) == (1, {-group.pk, globex.pk})


def test_index_when_spam_then_has_nothing_of_it_until_it_is_none(ana, dan):
    ticket = make_ticket(ana, text=BLANK)
    index()
    count = Posting.objects.count()
    spam(ticket, dan)
    assert (index(), Posting.objects.count(), IndexedTicket.objects.count()) == (1, 0, 0)
    actions.change_status(ticket, actor=dan, status=Status.objects.get(category=Category.NEW, is_default=True))
    assert (index(), Posting.objects.count()) == (1, count)


def test_index_when_ticket_is_answered_then_is_as_it_was(ana, dan):
    ticket = make_ticket(ana, text=BLANK)
    index()
    actions.comment(ticket, actor=dan, message=message("Try again.", channel=Channel.DESK))
    assert index() == 0


def test_index_when_one_ticket_fails_then_the_others_are_indexed_and_it_is_told(ana, monkeypatch, caplog):
    tickets = [make_ticket(ana, f"{name} is broken") for name in ("One", "Two", "Three")]
    impacts = indexing.terms.impacts

    def failing(subject, text):
        if subject.startswith("Two"):
            raise ValueError(subject)
        return impacts(subject, text)

    monkeypatch.setattr(indexing.terms, "impacts", failing)
    index()
    assert set(IndexedTicket.objects.values_list("ticket", flat=True)) == {tickets[0].pk, tickets[2].pk}
    assert [str(tickets[1].pk) in record.message for record in caplog.records] == [True]
    assert index() == 0


def test_similar_when_asked_then_makes_the_same_queries_whatever_is_found(ana, cleo, django_assert_num_queries):
    for _ in range(8):
        make_ticket(ana, text=BLANK)
    index()
    with django_assert_num_queries(6):
        assert len(found(ana)) == 5
    with django_assert_num_queries(3):  # there is nothing to look through
        assert found(cleo) == []


def test_command_when_told_again_then_indexes_everything_anew(ana, capsys):
    make_ticket(ana, text=BLANK)
    index()
    count = Posting.objects.count()
    call_command("index_tickets")
    call_command("index_tickets", again=True)
    assert (capsys.readouterr().out, Posting.objects.count()) == ("1 tickets indexed\n", count)
