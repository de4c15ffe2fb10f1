"""The Mail page: what waits for a person can be published, opened, discarded, handled again; what failed, sent again."""

from __future__ import annotations

import re
from email.message import EmailMessage
from hashlib import sha256
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AgentGroup, User
from notifications import channels, relay
from notifications.models import Delivery, Kind, Reason, State
from tests.desk.conftest import logged_in
from tests.desk.pages import words
from tests.factories import make_ticket
from tests.notifications.test_bounces import report
from tests.tickets.mail.letters import letter, signed_address, take_in
from tickets.desk import mail_list, mail_many
from tickets.models import InboundMessage, InboundState, Mailbox, MailRule, Ticket


@pytest.fixture
def held(ticket, ana):
    """A stranger's answer to a mail that was sent to Ana."""
    return take_in(letter("Sten Stranger <sten@else.example>", to=signed_address(ticket, ana), text="I know more.\n"))


@pytest.fixture
def unreadable(workflow):
    """A mail with more parts than we read."""
    message = take_in(letter("sten@else.example", subject="Bomb"))
    raw = b"From: sten@else.example\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\nhello\n" * 5000
    InboundMessage.objects.filter(pk=message.pk).update(raw=raw, state=InboundState.FAILED, ticket=None, comment=None)
    return message


@pytest.fixture
def kept(settings):
    """Mail that would leave is kept instead, as in the demo."""
    settings.EMAIL_BACKEND = "notifications.kept_mail.EmailBackend"


def post(client, name, pk, **extra):
    return client.post(reverse(f"desk_mail_{name}", args=[pk]), **extra)


def state(message) -> str:
    return InboundMessage.objects.get(pk=message.pk).state


def listed(client, tab: str) -> list[int]:
    return [row.pk for row in client.get("/desk/mail/", {"tab": tab}).context["page"].rows]


# --- Lists ---------------------------------------------------------------------------------------------------------------------


def test_tabs_when_mail_came_in_then_what_waits_comes_first(desk, held):
    done = take_in(letter("other@else.example"))
    assert (listed(desk, "held"), listed(desk, "in")) == ([held.pk], [done.pk, held.pk])


def test_tabs_when_mail_went_out_then_failed_ones_have_their_own(desk, ticket, dan):
    relay.relay_waiting()
    failed, *others = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=failed.pk).update(state=State.FAILED)
    assert (listed(desk, "failed"), listed(desk, "out")) == ([failed.pk], [*[other.pk for other in others][::-1], failed.pk])


@pytest.mark.parametrize("tab", ["", "x", "\0", "held'--"])
def test_tab_when_nonsense_then_shows_what_waits(desk, held, tab):
    assert listed(desk, tab) == [held.pk]


def test_lists_when_mail_is_of_a_private_group_then_its_members_alone_see_it(desk, eve, secret, ana):
    take_in(letter("sten@else.example", to=signed_address(secret, ana)))
    relay.relay_waiting()
    shown = {tab: (len(listed(desk, tab)), bool(listed(logged_in(eve), tab))) for tab in ("held", "in", "out")}
    assert shown == {"held": (0, True), "in": (0, True), "out": (0, True)}


def test_mail_when_it_came_to_a_private_groups_mailbox_then_its_members_alone_see_it(desk, eve, secret, held):
    mailbox = Mailbox.objects.create(name="People", address="people@support.example", group=secret.group)
    InboundMessage.objects.filter(pk=held.pk).update(mailbox=mailbox, ticket=None)
    assert (listed(desk, "in"), listed(logged_in(eve), "in")) == ([], [held.pk])
    assert post(desk, "open", held.pk).status_code == 404


def test_open_when_an_unknown_machine_wrote_it_then_the_ticket_is_whose_click_it_was(desk, dan, workflow):
    robot = take_in(letter("Shop <no-reply@shop.example>", Auto_Submitted="auto-generated"))
    post(desk, "open", robot.pk)
    assert (Ticket.objects.get().requester, User.objects.filter(email="no-reply@shop.example").exists()) == (dan, False)


def test_publish_when_a_mail_server_wrote_it_then_is_refused_and_makes_no_account(desk, ticket, ana):
    relay.relay_waiting()
    channels.deliver_due()
    came_back = report(Delivery.objects.filter(recipient=ana).get())
    people = User.objects.count()
    post(desk, "publish", came_back.pk)
    assert (state(came_back), ticket.comments.count(), User.objects.count()) == (InboundState.IGNORED, 1, people)


def test_absence_note_when_it_answers_a_private_groups_ticket_then_its_members_alone_see_it(desk, eve, secret, ana):
    note = take_in(letter(to=signed_address(secret, ana), text="I am away.\n> Your salary", Auto_Submitted="auto-replied"))
    assert (state(note), listed(desk, "in"), listed(logged_in(eve), "in")) == (InboundState.IGNORED, [], [note.pk])


@pytest.mark.parametrize("is_matched", [False, True])
def test_mail_when_it_brings_back_a_mail_about_no_ticket_then_admins_alone_see_it(desk, max_admin, is_matched):
    """It holds the link with which anybody could become Max, or a digest with tickets of private groups."""
    relay.queue_password_link(max_admin)
    channels.deliver_due()
    came_back = report(Delivery.objects.get(), is_matched=is_matched)
    seen = [client.get(f"/desk/mail/in/{came_back.pk}/raw/").status_code for client in (desk, logged_in(max_admin))]
    assert (came_back.ticket, seen, listed(desk, "in")) == (None, [404, 200], [])


@pytest.mark.parametrize("mails", [1, 25])
@pytest.mark.parametrize(("tab", "queries"), [("in", 5), ("out", 5)])
def test_list_when_mails_are_many_then_asks_no_more(desk, workflow, django_assert_num_queries, mails, tab, queries):
    for number in range(mails):
        take_in(letter(f"sten{number}@else.example"))
    relay.relay_waiting()
    with django_assert_num_queries(queries):
        desk.get("/desk/mail/", {"tab": tab})


# --- What came in --------------------------------------------------------------------------------------------------------------


def test_held_mail_when_looked_at_then_tells_why_and_what_publishing_means(desk, held, ticket):
    told = words(desk.get(reverse("desk_mail_in", args=[held.pk])))
    for line in (
        "The sender is nobody who sees the ticket that this mail answers.",
        f"Publish as the sender's reply to #{ticket.number}",
        "does not see",
        "I know more.",
        held.sha256,
    ):
        assert line in told


def test_source_when_downloaded_then_is_what_came(desk, held):
    response = desk.get(reverse("desk_mail_raw", args=[held.pk]))
    assert (sha256(response.content).hexdigest(), response["Content-Type"]) == (held.sha256, "message/rfc822")
    assert response["Content-Disposition"] == f'attachment; filename="mail-{held.pk}.eml"'


def test_mail_when_hostile_then_is_shown_as_words(desk, workflow):
    message = take_in(letter("sten@else.example", subject="<script>x</script>", text="<img src=x onerror=alert(1)>\n"))
    html = desk.get(reverse("desk_mail_in", args=[message.pk])).content.decode()
    assert ("<script>x" in html, "<img src=x" in html) == (False, False)


def test_held_mail_when_published_then_is_the_senders_comment(desk, held, ticket):
    response = post(desk, "publish", held.pk)
    said = ticket.comments.last()
    assert (said.text, said.author.email, state(held)) == ("I know more.", "sten@else.example", InboundState.DONE)
    assert response["Location"] == f"/desk/tickets/{ticket.number}/#c{said.pk}"


def test_held_mail_when_made_a_ticket_then_shows_nothing_of_the_other(desk, held, ticket):
    response = post(desk, "open", held.pk)
    opened = Ticket.objects.exclude(pk=ticket.pk).get()
    assert (response["Location"], opened.requester.email, ticket.comments.count()) == (
        f"/desk/tickets/{opened.number}/",
        "sten@else.example",
        1,
    )


def test_held_mail_when_discarded_then_is_kept_and_can_be_taken_up_again(desk, held):
    post(desk, "discard", held.pk)
    discarded = state(held)
    post(desk, "replay", held.pk)
    assert (discarded, state(held), listed(desk, "held")) == (InboundState.DISCARDED, InboundState.HELD, [held.pk])


@pytest.mark.parametrize("verb", ["publish", "open", "discard", "replay"])
def test_mail_when_somebody_was_quicker_then_says_so(desk, held, verb):
    post(desk, "open", held.pk)
    response = post(desk, verb, held.pk, headers={"referer": "http://testserver/desk/mail/"}, follow=True)
    assert "Somebody has already dealt with this mail." in words(response)
    assert Ticket.objects.count() == 2


def test_mail_when_done_then_offers_nothing_to_do(desk, workflow):
    done = take_in(letter("sten@else.example"))
    assert desk.get(reverse("desk_mail_in", args=[done.pk])).context["offers"] == []


def test_unreadable_mail_when_looked_at_then_offers_what_can_be_done(desk, unreadable):
    response = desk.get(reverse("desk_mail_in", args=[unreadable.pk]))
    assert [offer["label"] for offer in response.context["offers"]] == ["Handle it again", "Discard"]


def test_unreadable_mail_when_to_be_a_ticket_then_says_why_not(desk, unreadable):
    Ticket.objects.all().delete()
    response = post(desk, "open", unreadable.pk, follow=True)
    assert ("Nothing in this mail can be read." in words(response), Ticket.objects.count()) == (True, 0)


# --- What went out -------------------------------------------------------------------------------------------------------------


def test_sent_mail_when_kept_then_can_be_read(desk, ticket, ana, kept):
    relay.relay_waiting()
    channels.deliver_due()
    sent = Delivery.objects.get(recipient=ana, kind=Kind.CONFIRMATION)
    told = words(desk.get(reverse("desk_mail_out", args=[sent.pk])))
    assert [phrase in told for phrase in ("Sent", "ana@acme.example", "Confirmation", f"ticket #{ticket.number}")] == [True] * 4


def test_failed_mail_when_tried_again_then_is_queued(desk, ticket, ana):
    relay.relay_waiting()
    failed = Delivery.objects.get(recipient=ana)
    Delivery.objects.filter(pk=failed.pk).update(state=State.FAILED, error="550 no such user")
    assert "550 no such user" in words(desk.get(reverse("desk_mail_out", args=[failed.pk])))
    post(desk, "out_retry", failed.pk)
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == (State.QUEUED, 0)


def test_account_mail_when_it_holds_a_link_then_admins_alone_read_it(desk, max_admin, kept):
    relay.queue_password_link(max_admin)
    channels.deliver_due()
    sent = Delivery.objects.get(kind=Kind.RESET_PASSWORD)
    address = reverse("desk_mail_out", args=[sent.pk])
    shown = ["/accounts/password/reset/key/" in client.get(address).content.decode() for client in (desk, logged_in(max_admin))]
    assert shown == [False, True]


def test_mail_page_when_waiting_in_a_private_group_then_its_number_is_not_counted(desk, secret, ana):
    take_in(letter("sten@else.example", to=signed_address(secret, ana)))
    assert "came in that only a person" not in words(desk.get("/desk/"))
    about = {"recipient": ana, "address": ana.email, "kind": Kind.UPDATE, "reason": Reason.REQUESTER, "state": State.FAILED}
    Delivery.objects.create(event=secret.events.first(), ticket=secret, **about)
    assert (listed(desk, "failed"), AgentGroup.objects.filter(is_private=True).count()) == ([], 1)
    assert make_ticket(ana).number != secret.number


# --- Finding -------------------------------------------------------------------------------------------------------------------


def found(client, tab: str = "in", **params) -> list[int]:
    return [row.pk for row in client.get("/desk/mail/", {"tab": tab, **params}).context["page"].rows]


@pytest.fixture
def two(workflow):
    """Mails of two senders to two mailboxes."""
    Mailbox.objects.create(name="Sales", address="sales@support.example")
    return take_in(letter("ana@acme.example", subject="Blank player")), take_in(
        letter("bob@globex.example", to="sales@support.example", subject="An offer"), to="sales@support.example"
    )


@pytest.mark.parametrize(
    ("words_typed", "which"),
    [
        ("ANA@acme.example", [0]),
        ("na@acme.example", []),  # a whole address is that address
        ("acme", [0]),
        ("@globex", [1]),
        ("PLAYER", [0]),
        ("a", [1, 0]),
        ("100%", []),
        ("\0", [1, 0]),
    ],
)
def test_mail_when_looked_for_then_is_found_by_address_or_subject(desk, two, words_typed, which):
    assert found(desk, q=words_typed) == [two[at].pk for at in which]


def test_mail_when_it_is_old_then_a_whole_address_alone_finds_it(desk, two, monkeypatch):
    monkeypatch.setattr(mail_list, "SEARCHED", 1)
    response = desk.get("/desk/mail/", {"tab": "in", "q": "blank"})
    assert (found(desk, q="blank"), found(desk, q="offer"), found(desk, q="ana@acme.example")) == ([], [two[1].pk], [two[0].pk])
    assert "Looked through the newest 1." in words(response)


def test_mail_when_filtered_then_by_state_and_mailbox(desk, two):
    InboundMessage.objects.filter(pk=two[1].pk).update(state=InboundState.IGNORED)
    sales = Mailbox.objects.get(name="Sales")
    by_mailbox, by_state = found(desk, mailbox=sales.pk), found(desk, state="ignored")
    assert (by_mailbox, by_state, found(desk, state="done")) == ([two[1].pk], [two[1].pk], [two[0].pk])


@pytest.mark.parametrize(
    "nonsense", [{"state": "x"}, {"state": "sent"}, {"mailbox": "99999"}, {"mailbox": "x"}, {"sender": "ana@acme.example"}]
)
def test_filter_when_nonsense_then_is_ignored(desk, two, nonsense):
    assert found(desk, **nonsense) == [two[1].pk, two[0].pk]


def test_filter_when_mailbox_is_of_a_private_group_then_is_neither_offered_nor_taken(desk, eve, secret, two):
    sales = Mailbox.objects.get(name="Sales")
    Mailbox.objects.filter(pk=sales.pk).update(group=secret.group)
    InboundMessage.objects.filter(mailbox=sales).update(ticket=None, state=InboundState.IGNORED)
    shown = [("sales@support.example" in words(client.get("/desk/mail/?tab=in"))) for client in (desk, logged_in(eve))]
    assert (shown, found(desk, mailbox=sales.pk), found(logged_in(eve), mailbox=sales.pk)) == ([False, True], [two[0].pk], [two[1].pk])


def test_deliveries_when_looked_for_then_are_found_by_address_subject_and_state(desk, ticket, dan):
    relay.relay_waiting()
    first = Delivery.objects.order_by("pk").first()
    assert first
    Delivery.objects.filter(pk=first.pk).update(state=State.BOUNCED, subject="Remarkable")
    sought = [
        found(desk, "out", state="bounced"),
        found(desk, "out", q="remark"),
        found(desk, "failed"),
        found(desk, "out", q=first.address, state="bounced"),
    ]
    assert sought == [[first.pk]] * 4


@pytest.mark.parametrize("state", State.values)
def test_delivery_when_in_any_state_then_is_told_in_words(desk, ticket, state):
    relay.relay_waiting()
    Delivery.objects.update(state=state)
    html = desk.get("/desk/mail/?tab=out").content.decode()
    told = re.findall(r'<td class="col-status"><span class="pill [^"]*"><span class="glyph" aria-hidden="true"></span><span>([^<]*)<', html)
    assert set(told) == {str(State(state).label)}


# --- What a row tells ----------------------------------------------------------------------------------------------------------


def test_row_when_mail_came_again_then_says_how_often(desk, workflow):
    raw = letter("sten@else.example")
    for _time in range(3):
        take_in(raw)
    assert "Player is blank came 3 times" in words(desk.get("/desk/mail/?tab=in"))


def test_row_when_a_rule_sorted_it_then_names_the_rule(desk, workflow):
    MailRule.objects.create(name="Sign-ups", domains="else.example", is_spam=True, position=1)
    take_in(letter("sten@else.example"))
    assert "Sorted by “Sign-ups”" in words(desk.get("/desk/mail/?tab=in"))


@pytest.mark.parametrize(
    ("verdict", "on_page"),
    [
        (
            "failed",
            "The sender's domain says that this mail is not from there: anybody may have written it. DMARC says so.",
        ),
        ("passed", "The sender's domain stands for this mail. DMARC says so."),
        ("none", "The sender's domain neither stands for this mail nor denies it. DMARC says so."),
        ("", "Not checked. DMARC says so."),
    ],
)
def test_verdict_when_there_is_one_then_is_told_in_words(desk, workflow, verdict, on_page):
    mail = take_in(letter("sten@else.example"))
    InboundMessage.objects.update(authentication=verdict, authentication_details="DMARC says so.")
    row, page = words(desk.get("/desk/mail/?tab=in")), words(desk.get(reverse("desk_mail_in", args=[mail.pk])))
    assert [phrase in row for phrase in ("Not proven", "stands for this mail")] == [verdict == "failed", verdict == "passed"]
    assert on_page in page
    at_ticket = words(desk.get(reverse("desk_ticket", args=[mail.ticket_id])))
    assert ("Sender not proven" in at_ticket) is (verdict == "failed")


def test_mail_when_looked_at_then_tells_where_it_came_from(desk, workflow, max_admin):
    rule = MailRule.objects.create(name="Sign-ups", domains="else.example", is_quiet=True, position=1)
    mail = take_in(letter("sten@else.example"))
    InboundMessage.objects.update(client_ip="192.0.2.7", client_name="mx.else.example", forwarded_from="kim@far.example", repeats=1)
    address = reverse("desk_mail_in", args=[mail.pk])
    told = words(desk.get(address))
    for line in (
        "Brought by mx.else.example 192.0.2.7",
        "Passed on kim@far.example wrote it, as the text says",
        "Sorted by Sign-ups",
        "came 2 times",
    ):
        assert line in told
    link = reverse("desk_mail_rule", args=[rule.pk])
    assert [link in client.get(address).content.decode() for client in (desk, logged_in(max_admin))] == [False, True]


def test_mailbox_when_it_cant_be_fetched_then_staff_who_see_its_mail_are_told(desk, eve, secret):
    about = {"error": "[AUTHENTICATIONFAILED]", "failing_since": timezone.now()}
    Mailbox.objects.create(name="Sales", address="sales@support.example", **about)
    Mailbox.objects.create(name="People", address="people@support.example", group=secret.group, **about)
    Mailbox.objects.create(name="Old", address="old@support.example", is_active=False, **about)
    told = words(desk.get("/desk/mail/"))
    assert "The mail of sales@support.example can't be fetched. Its server says: [AUTHENTICATIONFAILED] · first failed just now" in told
    assert ["people@" in told, "people@" in words(logged_in(eve).get("/desk/mail/")), "old@" in told] == [False, True, False]


# --- Floods --------------------------------------------------------------------------------------------------------------------


WHY = "This sender wrote more than 20 mails within an hour."


@pytest.fixture
def flood(workflow):
    """Three mails of one sender that wait for one reason, among others."""
    mails = [take_in(letter("robot@flood.example", subject=f"Alert {number}")) for number in range(3)]
    Ticket.objects.all().delete()
    InboundMessage.objects.update(state=InboundState.HELD, reason=WHY, ticket=None, comment=None)
    return mails


@pytest.fixture
def other(flood):
    """Of the same sender, for another reason."""
    mail = take_in(letter("robot@flood.example", subject="Strange"))
    Ticket.objects.all().delete()
    InboundMessage.objects.filter(pk=mail.pk).update(state=InboundState.FAILED, reason="Broken.", ticket=None, comment=None)
    return mail


def many(client, verb: str, **data):
    about = {"sender": "robot@flood.example", "reason": WHY, **data}
    return client.post(reverse(f"desk_mail_all_{verb}"), about, follow=True)


def states(mails) -> list[str]:
    return [state(mail) for mail in mails]


def test_flood_when_listed_then_is_one_row_that_opens_to_its_mails(desk, flood, other, held):
    page = desk.get("/desk/mail/")
    assert [(row.pk, row.alike) for row in page.context["page"].rows] == [(held.pk, 1), (other.pk, 1), (flood[-1].pk, 3)]
    assert "robot@flood.example 3 mails newest: Alert 2 " + WHY in words(page)
    link = re.search(r'href="(\?tab=held&amp;sender=[^"]+)"', page.content.decode())
    assert link
    inside = desk.get("/desk/mail/" + unescape(link[1]))
    assert ([row.pk for row in inside.context["page"].rows], inside.context["group"]["count"]) == ([mail.pk for mail in flood][::-1], 3)
    assert "robot@flood.example : 3 mails wait. " + WHY in words(inside)


def test_flood_when_paged_through_then_each_row_comes_once(desk, flood, other, held, monkeypatch):
    monkeypatch.setattr(mail_list, "ROWS", 1)
    seen, address = [], "/desk/mail/"
    while address:
        page = desk.get(address).context["page"]
        seen += [row.pk for row in page.rows]
        address = page.next_url and "/desk/mail/" + page.next_url
    assert seen == [held.pk, other.pk, flood[-1].pk]


def test_mails_when_their_sender_cant_be_read_then_are_not_put_together(desk, flood):
    InboundMessage.objects.update(from_address="")
    assert listed(desk, "held") == [mail.pk for mail in flood][::-1]
    many(desk, "discard", sender="")
    assert states(flood) == ["held"] * 3


def test_flood_when_part_is_of_a_private_group_then_it_is_neither_counted_nor_touched(desk, flood, secret):
    InboundMessage.objects.filter(pk__in=[flood[0].pk, flood[2].pk]).update(ticket=secret)
    assert [(row.pk, row.alike) for row in desk.get("/desk/mail/").context["page"].rows] == [(flood[1].pk, 1)]
    many(desk, "discard")
    assert states(flood) == ["held", "discarded", "held"]


def test_flood_when_discarded_then_no_other_mail_is(desk, flood, other):
    response = many(desk, "discard")
    assert "3 mails are discarded. They are kept all the same." in words(response)
    assert (states(flood), state(other), Ticket.objects.count()) == (["discarded"] * 3, "failed", 0)


def test_flood_when_made_tickets_then_each_is_one_in_its_order(desk, flood, other):
    response = many(desk, "open")
    assert "3 mails are tickets now." in words(response)
    assert (states(flood), list(Ticket.objects.order_by("pk").values_list("subject", flat=True))) == (
        ["done"] * 3,
        ["Alert 0", "Alert 1", "Alert 2"],
    )


def test_flood_when_it_is_long_then_is_dealt_with_by_the_hundred_and_says_what_is_left(desk, flood, monkeypatch):
    monkeypatch.setattr(mail_many, "BATCH", 2)
    response = many(desk, "discard")
    told = words(response)
    assert ("2 mails are discarded." in told, "1 more of this sender waits: go on below." in told) == (True, True)
    assert (states(flood), response.context["group"]["count"]) == (["discarded", "discarded", "held"], 1)


def test_flood_when_always_spam_then_the_sender_is_remembered(desk, flood, dan):
    response = many(desk, "spam")
    assert "New mail from robot@flood.example is spam from now on." in words(response)
    next_one = take_in(letter("robot@flood.example", text="Another.\n"))
    assert (states(flood), MailRule.objects.get().created_by, next_one.ticket.is_spam) == (["discarded"] * 3, dan, True)


def test_flood_when_one_of_them_cant_be_done_then_the_others_are_and_says_why(desk, flood):
    raw = b"From: robot@flood.example\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\nhello\n" * 5000
    InboundMessage.objects.filter(pk=flood[0].pk).update(raw=raw)
    told = words(many(desk, "open"))
    assert ("2 mails are tickets now." in told, "1 mail could not: Nothing in it can be read." in told) == (True, True)
    assert states(flood) == ["held", "done", "done"]


@pytest.mark.parametrize("verb", ["discard", "open", "spam"])
@pytest.mark.parametrize("nobody", ["", "\0", "nobody@else.example"])
def test_flood_when_there_is_none_then_nothing_happens_and_says_so(desk, flood, verb, nobody):
    told = words(many(desk, verb, sender=nobody))
    assert "Somebody has already dealt with these mails." in told
    assert (states(flood), MailRule.objects.count()) == (["held"] * 3, 0)


@pytest.mark.parametrize("mails", [1, 25])
def test_waiting_mails_when_many_then_asks_no_more(desk, workflow, django_assert_num_queries, mails):
    for number in range(mails):
        take_in(letter(f"sten{number}@else.example"))
    InboundMessage.objects.update(state=InboundState.HELD, reason=WHY)
    with django_assert_num_queries(6):
        assert len(listed(desk, "held")) == mails


# --- Links that open an account ------------------------------------------------------------------------------------------------

LINK = "https://support.example/accounts/password/reset/key/1-d9x-3c2b/"


def quoting(encoding: str) -> bytes:
    """An absence note that quotes our mail, in one way or another."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ana@acme.example", "support@support.example", "Automatic reply: Set a password"
    mail["Message-ID"], mail["Auto-Submitted"] = f"<{encoding}@acme.example>", "auto-replied"
    mail.set_content(f"Away.\n{'-' * 60} {LINK}\n", cte=encoding if encoding != "attached" else "8bit")
    if encoding == "attached":
        mail.set_content("Away.\n")
        mail.add_attachment(f"Subject: x\n\n{LINK}\n".encode(), maintype="application", subtype="octet-stream", filename="mail.eml")
    return mail.as_bytes()


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64", "attached"])
def test_mail_that_quotes_a_link_to_an_account_is_read_by_admins_alone(client, workflow, dan, max_admin, encoding):
    message = take_in(quoting(encoding))
    seen = {}
    for person in (dan, max_admin):
        client.force_login(person)
        page, raw = (client.get(reverse(f"desk_mail_{name}", args=[message.pk])) for name in ("in", "raw"))
        seen[person] = ("d9x-3c2b" in page.content.decode(), "so only admins can read all of it" in words(page), raw.status_code)
    assert seen == {dan: (False, True, 403), max_admin: (False, False, 200)}
