"""Canned replies: written once, filled in for a ticket, and of nobody's business but those they are for."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import AgentGroup
from tests.desk.conftest import logged_in
from tests.desk.pages import words
from tests.factories import make_ticket
from tickets.models import CannedReply, Draft, Macro, Status


def write(client, pk=None, **data):
    path = reverse("desk_canned_reply", args=[pk]) if pk else reverse("desk_canned_new")
    return client.post(path, {"name": "Thanks", "share": "everybody", "text": "Hello {first_name}, thank you.", **data})


def find(client, ticket, query=""):
    return client.get(reverse("desk_ticket_canned_find", args=[ticket.number]), {"q": query})


def test_reply_when_kept_then_is_found_by_its_words_and_filled_in_for_the_ticket(desk, ticket):
    write(desk, text="Hi {first_name} of {organization}, about #{number} “{subject}”: {link} – {agent}, for {name}")
    shown = words(find(desk, ticket, "about thanks"))
    link = f"http://127.0.0.1:8000/tickets/{ticket.number}/"
    assert f"Hi Ana of Acme, about #{ticket.number} “Player is blank”: {link} – Dan Support, for Ana Ford" in shown
    assert "No canned reply matches." in words(find(desk, ticket, "zebra"))


def test_reply_when_rich_then_keeps_its_looks_and_the_customers_words_stay_text(desk, workflow, ana):
    ana.name = "<b>{agent}</b> {{ 7*7 }} {% now 'Y' %}"
    ana.save()
    ticket = make_ticket(ana, "<script>alert(1)</script> {name}")
    write(desk, html="<p><strong>Hi</strong> {name}</p><ul><li>{subject}</li></ul><script>x</script>", text="x")
    html = find(desk, ticket).content.decode()
    offered = html.split('data-html="', 1)[1].split('"', 1)[0]
    assert "&lt;strong&gt;Hi&lt;/strong&gt; &amp;lt;b&amp;gt;{agent}&amp;lt;/b&amp;gt; {{ 7*7 }} {% now" in offered
    assert (
        "<strong>Hi</strong>" in html,
        "<script>" in html,
        "49" in html,
        "<li>&lt;script&gt;alert(1)&lt;/script&gt; {name}</li>" in html,
    ) == (
        True,
        False,
        False,
        True,
    )


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"text": "Hi {nmae}"}, "{nmae} can't be filled in. These can: {name}"),
        ({"text": ""}, "This field is required."),
        ({"name": ""}, "This field is required."),
        ({"share": "group-99"}, "Select a valid choice."),
        ({"text": "x" * 20_001}, "20,001 characters long"),
    ],
)
def test_reply_when_something_is_wrong_then_says_so_and_keeps_what_was_written(desk, data, complaint):
    response = write(desk, **{"name": "Kept name", **data})
    assert (response.status_code, complaint in words(response), CannedReply.objects.exists()) == (422, True, False)
    assert "Kept name" in response.content.decode() or data.get("name") == ""


def test_reply_is_for_whom_it_says_and_nobody_else(desk, ticket, dan, eve, max_admin):
    support, devops = (AgentGroup.objects.get(name=name) for name in ("Customer Support", "DevOps"))
    hers = logged_in(eve)
    write(desk, name="Of all")
    write(desk, name="Of support", share=f"group-{support.pk}")
    write(desk, name="Of Dan", share="me")
    write(hers, name="Of devops", share=f"group-{devops.pk}")
    listed = {
        who: [row["helper"].name for row in client.get("/desk/canned/").context["rows"]] for who, client in (("dan", desk), ("eve", hers))
    }
    assert listed == {"dan": ["Of Dan", "Of all", "Of support"], "eve": ["Of all", "Of devops"]}
    his = CannedReply.objects.get(name="Of Dan")
    for client in (hers, logged_in(max_admin)):
        codes = [
            client.get(reverse("desk_canned_reply", args=[his.pk])).status_code,
            write(client, his.pk).status_code,
            *(client.post(reverse(f"desk_canned_{verb}", args=[his.pk])).status_code for verb in ("retire", "delete", "used")),
            client.post(reverse("desk_ticket_canned", args=[ticket.number]), {"reply": his.pk}).status_code,
        ]
        assert (codes, "Of Dan" in words(find(client, ticket))) == ([404] * 6, False)


def test_reply_when_put_in_without_scripts_then_stands_below_what_was_being_written_and_is_counted(desk, ticket):
    write(desk)
    reply = CannedReply.objects.get()
    to_page = desk.post(reverse("desk_ticket_draft", args=[ticket.number]), {"text": "First.", "then": "canned"}, follow=True)
    assert "Hello Ana, thank you." in words(to_page)
    shown = desk.post(reverse("desk_ticket_canned", args=[ticket.number]), {"reply": reply.pk}, follow=True)
    assert shown.context["form"]["text"].value() == "First.\n\nHello Ana, thank you."
    desk.post(reverse("desk_canned_used", args=[reply.pk]))
    reply.refresh_from_db()
    assert (reply.used, "used 2 times" in words(desk.get("/desk/canned/"))) == (2, True)
    assert desk.post(reverse("desk_ticket_canned", args=[ticket.number]), {"reply": "x"}).status_code == 404
    assert Draft.objects.count() == 1


def test_reply_when_a_macro_needs_it_then_is_retired_not_deleted_nor_taken_from_others(desk, ticket):
    write(desk)
    reply = CannedReply.objects.get()
    Macro.objects.create(name="Say thanks", reply=reply)
    answer = desk.post(reverse("desk_canned_delete", args=[reply.pk]), follow=True)
    assert "a macro uses it: “Say thanks”" in words(answer)
    assert "A macro that others use needs it: “Say thanks”." in words(write(desk, reply.pk, share="me"))
    desk.post(reverse("desk_canned_retire", args=[reply.pk]))
    reply.refresh_from_db()
    assert (reply.is_retired, reply.owner, "Thanks" in words(find(desk, ticket))) == (True, None, False)
    desk.post(reverse("desk_canned_retire", args=[reply.pk]), {"again": "1"})
    assert "Thanks" in words(find(desk, ticket))


@pytest.mark.parametrize("count", [1, 8])
def test_finders_when_there_are_many_then_cost_the_same(desk, ticket, dan, django_assert_num_queries, count):
    group = AgentGroup.objects.get(name="Customer Support")
    for number in range(count):
        reply = CannedReply.objects.create(name=f"R{number}", text="Hello {name}", group=group)
        Macro.objects.create(name=f"M{number}", reply=reply, group=group, status=Status.objects.first(), assigns="person", assignee=dan)
    with django_assert_num_queries(5):  # session, person; ticket, its requester's organization, what is found
        find(desk, ticket)
    with django_assert_num_queries(5):
        desk.get(reverse("desk_ticket_macros", args=[ticket.number]), {"piece": "1"})
