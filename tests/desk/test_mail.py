"""The Mail page: what waits for a person can be published, opened, discarded, handled again; what failed, sent again."""

from __future__ import annotations

from hashlib import sha256

import pytest
from django.urls import reverse

from accounts.models import AgentGroup
from notifications import channels, relay
from notifications.models import Delivery, Kind, Reason, State
from tests.desk.conftest import logged_in
from tests.desk.pages import words
from tests.factories import make_ticket
from tests.tickets.mail.letters import letter, signed_address, take_in
from tickets.models import InboundMessage, InboundState, Mailbox, Ticket


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
