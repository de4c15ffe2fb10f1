"""The ticket's page: the whole story, in words, with who was mailed."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from notifications import channels, relay
from notifications.models import Delivery, State
from tests.desk.pages import newest_event, rows, send, words
from tests.factories import make_ticket, message, new_file
from tests.tickets.mail.letters import letter, take_in
from tickets import actions, sharing
from tickets.models import Channel, Priority, Status, Ticket, TicketType


def page(client, ticket):
    return client.get(reverse("desk_ticket", args=[ticket.number]))


def mail_all() -> None:
    relay.relay_waiting()
    while channels.deliver_due():  # one mail of a ticket to each person at a time
        pass


def test_page_when_things_happened_then_tells_them_in_words(desk, ticket, dan, ana):
    actions.take(ticket, actor=dan)
    actions.set_priority(ticket, actor=dan, priority=Priority.objects.get(name="High"))
    actions.comment(ticket, actor=dan, message=message("Try again."), status=Status.objects.get(name="Waiting on Customer"))
    told = words(page(desk, ticket))
    for line in (
        "Ana Ford opened the ticket",
        "Dan Support assigned the ticket to Dan Support and set the status to In Progress",
        "Dan Support set the priority to High",
        "replied and set the status to Waiting on Customer",
    ):
        assert line in told


def test_page_when_there_is_a_note_then_marks_it_and_no_reply(desk, ticket, dan):
    note = actions.add_note(ticket, actor=dan, message=message("Between us."))
    reply = actions.comment(ticket, actor=dan, message=message("Hello."))
    html = page(desk, ticket).content.decode()
    marks = {pk: css for css, pk in re.findall(r'<article class="entry ([^"]*)" id="c(\d+)"', html)}
    assert (marks[str(note.pk)], marks[str(reply.pk)], words(page(desk, ticket)).count("Internal note")) == ("entry-note", "entry-staff", 2)


def test_page_when_html_is_hostile_then_shows_none_of_it(desk, workflow, ana):
    ticket = make_ticket(ana, "<script>alert(1)</script>", message=message("x", html="<p onclick=x>Hi<script>alert(2)</script></p>"))
    html = page(desk, ticket).content.decode()
    assert ("<script>alert" in html, "onclick" in html) == (False, False)


def test_page_when_people_were_mailed_then_names_them_and_why(desk, ticket, ben, dan):
    sharing.add_follower(ticket, actor=dan, person=ben)
    actions.comment(ticket, actor=dan, message=message("Try again."))
    mail_all()
    assert "Mailed to Ana Ford (requester), Ben Ode (follower) · sent just now" in words(page(desk, ticket))


def test_page_when_the_ticket_was_confirmed_then_calls_the_mail_a_confirmation(desk, ticket):
    mail_all()
    assert "Mailed to Ana Ford (confirmation)" in words(page(desk, ticket))


def test_page_when_mail_waits_then_says_so(desk, ticket, dan):
    actions.comment(ticket, actor=dan, message=message("Try again."))
    relay.relay_waiting()
    assert "Being mailed to Ana Ford (requester)" in words(page(desk, ticket))


def test_page_when_a_mail_failed_then_offers_to_try_again(desk, ticket, dan):
    actions.comment(ticket, actor=dan, message=message("Try again."))
    mail_all()
    failed = Delivery.objects.get(event=newest_event(ticket))
    Delivery.objects.filter(pk=failed.pk).update(state=State.FAILED, error="550 no such user")
    assert "Not delivered to Ana Ford (requester): 550 no such user Try again Ana Ford" in words(page(desk, ticket))
    answer = desk.post(reverse("desk_ticket_retry", args=[ticket.number, failed.pk]), follow=True)
    failed.refresh_from_db()
    assert (failed.state, "The mail to Ana Ford will be tried again now." in words(answer)) == (State.QUEUED, True)


def test_page_when_a_mail_failed_then_leads_to_where_it_says_why_in_words(desk, ticket, dan):
    actions.close(ticket, actor=dan)
    mail_all()
    closing = newest_event(ticket)
    Delivery.objects.filter(event=closing).update(state=State.FAILED, error="550 the mailbox is full")
    failed = Delivery.objects.filter(event=closing).first()
    shown = page(desk, ticket)
    html = shown.content.decode()
    assert (html.count(f'href="#e{closing}"'), f'id="e{closing}"' in html, "1 mail failed: show it" in words(shown)) == (2, True, True)
    for address in (None, "/desk/mail/?tab=failed", f"/desk/mail/out/{failed.pk}/"):
        assert "550 the mailbox is full" in words(desk.get(address) if address else shown)


def test_page_when_opened_then_says_by_whom_and_offers_to_jump_to_the_reply(desk, ticket):
    shown = page(desk, ticket)
    assert ("opened by Ana Ford just now" in words(shown), 'href="#reply"' in shown.content.decode()) == (True, True)


def test_retry_when_mail_has_not_failed_then_changes_nothing(desk, ticket, dan):
    actions.comment(ticket, actor=dan, message=message("Try again."))
    mail_all()
    sent = Delivery.objects.get(event=newest_event(ticket))
    answer = desk.post(reverse("desk_ticket_retry", args=[ticket.number, sent.pk]), follow=True)
    sent.refresh_from_db()
    assert (sent.state, "has not failed" in words(answer)) == (State.SENT, True)


def test_page_when_comment_came_by_mail_then_leads_to_the_original(desk, workflow):
    taken = take_in(letter("sten@else.example", Cc="boss@else.example"))
    html = page(desk, taken.ticket).content.decode()
    assert (f'href="/desk/mail/in/{taken.pk}/"' in html, 'name="who" value="boss@else.example"' in html) == (True, True)


def test_page_when_requester_has_more_then_counts_what_this_agent_sees(desk, eve, ticket, secret, ana, dan):
    other, resolved = make_ticket(ana), make_ticket(ana)
    actions.resolve(resolved, actor=dan, type=TicketType.objects.first())
    shown = page(desk, ticket)
    link = re.search(r'href="([^"]+)">1 other open ticket<', shown.content.decode())
    assert link
    assert set(rows(desk.get(link[1].replace("&amp;", "&"), follow=True))) == {ticket.pk, other.pk}
    earlier = re.search(r'href="([^"]+)">1 earlier<', shown.content.decode())
    assert earlier
    assert rows(desk.get(earlier[1].replace("&amp;", "&"))) == [resolved.pk]


def test_page_when_requester_is_looked_after_then_names_who_does(desk, ticket, acme, max_admin):
    acme.delivery_lead = max_admin
    acme.save()
    assert "Acme looked after by Max Manager" in words(page(desk, ticket))


def test_page_when_ticket_follows_up_a_hidden_one_then_shows_no_link(desk, secret, ana):
    follow_up = make_ticket(ana, follow_up_to=secret)
    assert ("Follows up" in words(page(desk, follow_up)), "Salary" in words(page(desk, follow_up))) == (False, False)


def test_page_when_ticket_follows_up_another_then_leads_there_and_back(desk, ticket, ana):
    follow_up = make_ticket(ana, "Blank again", follow_up_to=ticket)
    assert f"Follows up #{ticket.number} Player is blank" in words(page(desk, follow_up))
    assert f"Is followed up by #{follow_up.number} Blank again" in words(page(desk, ticket))


def test_page_when_status_is_retired_then_still_names_it(desk, ticket, dan):
    pending = Status.objects.get(name="Pending")
    Ticket.objects.filter(pk=ticket.pk).update(status=pending, category=pending.category)
    offered = {row["name"]: row for row in page(desk, ticket).context["properties"]}["status"]
    assert (offered["chosen"], str(pending.pk) in dict(offered["choices"])) == (pending.pk, True)


def test_page_when_priority_is_chosen_then_its_meaning_is_beside_it(desk, ticket):
    assert "the system works with some limits on minor functions" in words(page(desk, ticket))


@pytest.mark.parametrize("comments", [1, 25])
def test_page_when_conversation_is_long_then_asks_no_more(desk, dan, ana, workflow, django_assert_num_queries, comments):
    ticket = make_ticket(ana, message=message(files=(new_file(),)))
    for _number in range(comments):
        actions.comment(ticket, actor=ana, message=message("And?", files=(new_file(),)))
        actions.add_note(ticket, actor=dan, message=message("Hm.", channel=Channel.DESK))
        actions.comment(ticket, actor=dan, message=message("Soon."))
    relay.relay_waiting()
    with django_assert_num_queries(14):
        page(desk, ticket)


def test_page_when_scripts_do_not_run_then_every_form_has_its_own_address(desk, ticket):
    html = page(desk, ticket).content.decode()
    posts = set(re.findall(rf'<form[^>]*method="post"[^>]*action="/desk/tickets/{ticket.number}/([^"]+)"', html))
    assert {post.partition("#")[0] for post in posts} == {
        *(
            "take/ resolve/ close/ follow/ mail/ spam/ reply/ snooze/ tags/add/ links/add/ status/ priority/ type/ group/ assignee/ followers/add/".split()
        ),
        f"organizations/{ticket.organizations.get().pk}/remove/",
    }


def test_reply_hint_when_people_follow_then_names_who_will_be_mailed(desk, ticket, ben, dan):
    sharing.add_follower(ticket, actor=dan, person=ben)
    assert "Mails Ana Ford, Ben Ode" in words(page(desk, ticket))
    send(desk, ticket, "follow")
    assert page(desk, ticket).context["hint"] == "Mails Ana Ford, Ben Ode"
