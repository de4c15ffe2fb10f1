"""Merging: one page says who will read what, both conversations stay readable to who could read them, and the old number leads to the new ticket."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.errors import IllegalMove
from notifications import channels
from notifications.models import Delivery
from notifications.relay import relay_waiting
from tests.desk.conftest import logged_in
from tests.desk.pages import send, words
from tests.factories import make_ticket, make_user, message
from tests.tickets.mail.letters import letter, signed_address, take_in
from tickets import access, actions, links, merging, sharing
from tickets.events import describe
from tickets.models import Event, Status, Ticket, TicketType


@pytest.fixture
def target(ticket, dan):
    """Ana's and Acme's."""
    actions.comment(ticket, actor=dan, message=message("Target answer."))
    return ticket


@pytest.fixture
def source(workflow, cleo):
    """Cleo's and Globex'."""
    return make_ticket(cleo, "Same here", text="Source question.")


@pytest.fixture
def second(workflow, ana):
    """Ana's own second ticket, hers alone."""
    return make_ticket(ana, "Player again", text="Second question.", share=False)


def fresh(ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def confirm(client, source, target, **data):
    return client.post(reverse("desk_ticket_merge", args=[source.number]), {"into": target.number, **data})


def mailed() -> list[str]:
    relay_waiting()
    return sorted(Delivery.objects.filter(event__kind__in=("merged", "took_in", "closed")).values_list("recipient__name", flat=True))


# --- Before ---------------------------------------------------------------------------------------------------------------------


def test_page_when_no_number_is_given_then_offers_the_requesters_other_tickets(desk, target, second):
    page = desk.get(reverse("desk_ticket_merge", args=[second.number]))
    assert [one.pk for one in page.context["suggested"]] == [target.pk]
    assert desk.post(reverse("desk_ticket_merge", args=[second.number]), {"into": "nonsense"}).status_code == 422


def test_page_when_words_are_written_then_offers_the_tickets_with_them(desk, target, source):
    page = desk.get(reverse("desk_ticket_merge", args=[source.number]), {"into": target.subject.lower()})
    assert [one.pk for one in page.context["found"]] == [target.pk]
    assert f'href="/desk/tickets/{source.pk}/merge/?into={target.pk}"' in page.content.decode()


def test_page_when_a_ticket_is_noted_as_its_duplicate_then_offers_that_first(desk, target, source, dan):
    make_ticket(source.requester, "Another")
    links.link(source, actor=dan, other=target, relation=links.Relation.DUPLICATE_OF)
    page = desk.get(reverse("desk_ticket_merge", args=[source.number]))
    assert page.context["suggested"][0].pk == target.pk


def test_page_when_requesters_are_strangers_then_warns_and_takes_nobody_along_by_itself(desk, source, target):
    page = desk.get(reverse("desk_ticket_merge", args=[source.number]), {"into": target.number})
    told = words(page)
    assert "These are tickets of people who share no organization: Cleo Roy and Ana Ford." in told
    assert ("Cleo Roy cleo@globex.example · Globex no teammate of Ana Ford" in told, "Everybody at Globex not an organization" in told) == (
        True,
        True,
    )
    assert "checked" not in page.content.decode().partition("<fieldset")[2].partition("</fieldset>")[0]
    assert fresh(source).merged_into is None


def test_page_when_it_is_a_teammates_then_takes_them_along_unless_told_otherwise(desk, target, ben):
    sharing.remove_organization(target, actor=ben, organization=target.organizations.get())
    page = desk.get(reverse("desk_ticket_merge", args=[make_ticket(ben, "Me too").number]), {"into": target.number})
    assert [(one.who.name, one.is_near) for one in (*page.context["plan"].people, *page.context["plan"].organizations)] == [
        ("Ben Ode", True),
        ("Acme", True),
    ]
    assert "share no organization" not in words(page)


@pytest.mark.parametrize("state", ["itself", "spam", "done", "merged"])
def test_merge_when_it_makes_no_sense_then_says_why_and_does_nothing(desk, target, second, source, dan, state):
    other = second if state == "itself" else target
    if state == "spam":
        actions.change_status(target, actor=dan, status=Status.objects.get(name="Spam"))
    if state == "done":
        actions.resolve(target, actor=dan, type=TicketType.objects.first())
    if state == "merged":
        merging.merge(target, into=source, actor=dan)
    said = {"itself": "can't be merged into itself", "spam": "is spam", "done": "is done, and", "merged": "was merged into"}[state]
    response = confirm(desk, second, other)
    assert (response.status_code, said in words(response), fresh(second).merged_into) == (409, True, None)


def test_merge_when_the_other_is_in_a_private_group_then_is_as_missing(desk, ticket, secret):
    response = confirm(desk, ticket, secret)
    assert (response.status_code, "Salary" in words(response), fresh(ticket).merged_into) == (422, False, None)


# --- After ----------------------------------------------------------------------------------------------------------------------


def test_merge_when_done_then_one_is_closed_and_the_other_shows_both(desk, second, target, ana):
    relay_waiting()
    response = confirm(desk, second, target)
    merged = fresh(second)
    assert (response["Location"], merged.merged_into, merged.status.name) == (f"/desk/tickets/{target.number}/", target, "Closed")
    page = words(desk.get(response["Location"]))
    assert [text in page for text in ("Target answer.", "Second question.", f"merged #{second.number} into this ticket")] == [True] * 3
    assert desk.get(f"/desk/tickets/{second.number}/")["Location"] == f"/desk/tickets/{target.number}/#merged-{second.number}"
    alone = words(desk.get(f"/desk/tickets/{second.number}/?stay=1"))
    assert ("Merged: it goes on in" in alone, "Undo the merge" in alone, "Target answer." in alone) == (True, True, False)
    mine = logged_in(ana)
    assert mine.get(f"/tickets/{second.number}/")["Location"] == f"/tickets/{target.number}/"
    both = words(mine.get(f"/tickets/{target.number}/"))
    assert ("Target answer." in both, "Second question." in both) == (True, True)
    assert mailed() == ["Ana Ford"]


def test_merge_when_teammates_see_the_other_then_they_do_not_read_what_was_private(desk, second, target, ben):
    confirm(desk, second, target)
    client = logged_in(ben)
    page = words(client.get(f"/tickets/{target.number}/"))
    assert ("Target answer." in page, "Second question." in page) == (True, False)
    assert client.get(f"/tickets/{second.number}/").status_code == 404


@pytest.mark.parametrize("ticked", [True, False])
def test_merge_when_mailed_then_names_the_other_to_who_sees_it_alone(desk, source, target, cleo, settings, mailoutbox, ticked):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    relay_waiting()
    Delivery.objects.all().delete()
    confirm(desk, source, target, **({"person": cleo.pk} if ticked else {}))
    relay_waiting()
    channels.deliver_due()
    (mail,) = mailoutbox
    text = " ".join(mail.body.split())
    assert ("line -## Support merged the ticket into" in text, f"into #{target.pk}" in text, target.subject in text) == (
        True,
        ticked,
        False,
    )


@pytest.mark.parametrize("ticked", [True, False])
def test_merge_when_the_organization_stays_behind_then_its_members_do_not_learn_the_number(desk, source, target, cleo, globex, ticked):
    member = make_user("gil@globex.example", "Gil Roy", globex)
    confirm(desk, source, target, person=cleo.pk, **({"organization": globex.pk} if ticked else {}))
    told = words(logged_in(member).get(f"/tickets/{source.number}/", follow=True))
    assert (f"#{target.number}" in told, access.can_see(member, target)) == (ticked, ticked)


@pytest.mark.parametrize("ticked", [True, False])
def test_merge_when_a_stranger_is_ticked_then_reads_the_other_and_else_does_not(desk, source, target, cleo, ana, ticked):
    relay_waiting()
    confirm(desk, source, target, **({"person": cleo.pk} if ticked else {}))
    client = logged_in(cleo)
    assert client.get(f"/tickets/{target.number}/").status_code == (200 if ticked else 404)
    own = client.get(f"/tickets/{source.number}/")
    assert own.status_code == (302 if ticked else 200)
    story = [event.kind for event in access.events_for(cleo, source)]
    assert story == ["opened", "merged"]
    if not ticked:
        assert "merged the ticket into another one" in words(own)
        assert (f"#{target.number}" in words(own), "Reopen this ticket" in words(own)) == (False, False)
    assert "Source question." not in words(logged_in(ana).get(f"/tickets/{target.number}/"))
    assert mailed() == ["Cleo Roy"]


def test_merge_when_somebody_outside_the_plan_is_sent_then_they_get_nothing(desk, second, target, cleo, globex):
    confirm(desk, second, target, person=cleo.pk, organization=globex.pk)
    assert (access.can_see(cleo, target), target.organizations.count()) == (False, 1)


@pytest.mark.parametrize("way", ["portal", "signed mail", "number"])
def test_reply_when_to_the_merged_ticket_then_lands_on_the_other(desk, second, target, ana, way):
    confirm(desk, second, target)
    if way == "portal":
        response = logged_in(ana).post(f"/tickets/{second.number}/reply/", {"text": "One more thing."})
        assert response["Location"].startswith(f"/tickets/{target.number}/#c")
    else:
        to = signed_address(second, ana) if way == "signed mail" else "support@localhost"
        take_in(letter(ana.email, to=to, subject=f"Re: [#{second.number}] again", text="One more thing.\n"))
    assert "One more thing." in target.comments.latest("pk").text
    assert (second.comments.count(), fresh(second).category, fresh(target).waiting_since is None) == (1, "closed", False)


def test_reply_when_its_author_does_not_see_the_other_then_opens_a_follow_up(desk, source, target, cleo):
    confirm(desk, source, target)
    said = actions.comment(fresh(source), actor=cleo, message=message("And mine?"))
    assert (said.ticket in (source, target), said.ticket.follow_up_to, said.ticket.requester) == (False, source, cleo)


def test_reply_when_the_agents_page_is_of_the_merged_ticket_then_goes_out_on_the_other(desk, second, target, dan, eve):
    page = desk.get(f"/desk/tickets/{second.number}/")
    merging.merge(second, into=target, actor=eve)
    first = desk.post(f"/desk/tickets/{second.number}/reply/", {"text": "On it.", "seen": page.context["seen"]})
    assert (first.status_code, first.context["ticket"].pk, "On it." in words(first)) == (409, target.pk, True)
    desk.post(f"/desk/tickets/{second.number}/reply/", {"text": "On it.", "seen": first.context["seen"]})
    assert target.comments.latest("pk").text == "On it."


def test_merged_when_somebody_would_reopen_it_then_is_refused(desk, source, target, dan, cleo):
    confirm(desk, source, target)
    for deed in (lambda: send(desk, source, "reopen"), lambda: logged_in(cleo).post(f"/tickets/{source.number}/reopen/")):
        assert deed().status_code == 302
    assert (fresh(source).category, fresh(source).merged_into) == ("closed", target)


def test_merged_when_its_target_is_merged_too_then_goes_along(desk, second, target, source, dan):
    merging.merge(second, into=target, actor=dan)
    merging.merge(target, into=source, actor=dan)
    assert set(source.merged.values_list("pk", flat=True)) == {second.pk, target.pk}
    assert "It came here with another ticket" in merging.why_not_undone(fresh(second))
    merging.unmerge(fresh(target), actor=dan)
    assert (fresh(second).merged_into, fresh(target).merged_into) == (target, None)


# --- Back -----------------------------------------------------------------------------------------------------------------------


def test_merge_when_undone_then_all_is_as_it_was(desk, source, target, cleo, globex, dan):
    actions.change_status(source, actor=dan, status=Status.objects.get(name="Waiting on Dev Team"))
    before = {name: getattr(fresh(one), name) for one in (source, target) for name in ("status", "waiting_since")}
    confirm(desk, source, target, person=cleo.pk, organization=globex.pk)
    assert access.can_see(cleo, target)
    response = desk.post(f"/desk/tickets/{source.number}/unmerge/")
    after = {name: getattr(fresh(one), name) for one in (source, target) for name in ("status", "waiting_since")}
    assert (response["Location"], after, access.can_see(cleo, target)) == (f"/desk/tickets/{source.number}/", before, False)
    assert [one.kind for one in Event.objects.order_by("-pk")[:2]] == ["gave_back", "unmerged"]
    assert (fresh(source).resolved_at, source.stretches.count()) == (None, 0)  # nobody had resolved it


def test_merge_when_undone_after_somebody_answered_there_then_they_go_on_reading_their_words(desk, source, target, cleo):
    confirm(desk, source, target, person=cleo.pk)
    actions.comment(fresh(source), actor=cleo, message=message("Any news?"))
    desk.post(f"/desk/tickets/{source.number}/unmerge/")
    assert (access.can_see(cleo, target), fresh(target).waiting_since is None) == (True, False)


def test_merge_when_it_can_be_undone_then_the_other_ticket_offers_that_too(desk, second, target, source, dan):
    merging.merge(source, into=second, actor=dan)
    merging.merge(second, into=target, actor=dan)  # takes the first along

    def offered():
        page = desk.get(f"/desk/tickets/{target.number}/").content.decode()
        return [one.number for one in (source, second) if f"/desk/tickets/{one.number}/unmerge/" in page]

    assert offered() == [second.number]
    Event.objects.filter(kind="merged").update(at=timezone.now() - timedelta(days=8))
    assert offered() == []


def test_merge_when_old_then_stays(desk, second, target):
    confirm(desk, second, target)
    Event.objects.filter(kind="merged").update(at=timezone.now() - timedelta(days=8))
    desk.post(f"/desk/tickets/{second.number}/unmerge/")
    assert fresh(second).merged_into == target
    page = words(desk.get(f"/desk/tickets/{second.number}/?stay=1"))
    assert ("can't be undone any more" in page, "Undo the merge" in page) == (True, False)


def test_undo_when_the_type_was_taken_away_meanwhile_then_the_ticket_is_open_and_not_resolved_without_one(source, target, dan):
    actions.resolve(source, actor=dan, type=TicketType.objects.first())
    merging.merge(source, into=target, actor=dan)
    actions.set_type(source, actor=dan, type=None)
    merging.unmerge(fresh(source), actor=dan)
    assert (fresh(source).status.requires_type, fresh(source).category, fresh(source).resolved_at) == (False, "open", None)


def test_undo_when_the_ticket_went_elsewhere_meanwhile_then_is_refused(source, target, second, dan):
    merging.merge(source, into=target, actor=dan)
    as_it_was = fresh(source)
    assert as_it_was.merged_into == target
    merging.unmerge(fresh(source), actor=dan)
    merging.merge(source, into=second, actor=dan)
    with pytest.raises(IllegalMove, match="quicker"):
        merging.unmerge(as_it_was, actor=dan)


@pytest.mark.parametrize("count", [1, 5])
def test_page_when_many_would_read_more_then_asks_no_more(desk, source, target, dan, globex, django_assert_num_queries, count):
    for number in range(count):
        sharing.add_follower(source, actor=dan, person=make_user(f"p{number}@globex.example", organization=globex))
    with django_assert_num_queries(12):
        page = desk.get(reverse("desk_ticket_merge", args=[source.number]), {"into": target.number})
    assert [one.homes for one in page.context["plan"].people] == [("Globex",)] * (count + 1)


def test_merge_when_it_goes_into_a_private_group_then_staff_outside_do_not_learn_the_number(desk, source, secret, eve):
    merging.merge(source, into=secret, actor=eve)
    assert describe(source.events.get(kind="merged"), for_staff=True) == "merged the ticket into another one"
    assert f"#{secret.number}" not in words(desk.get(reverse("desk_ticket", args=[source.number])))
