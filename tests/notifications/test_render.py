"""What leaves: headers that nobody else can write, words that each reader may read."""

from __future__ import annotations

import email
import email.policy
import re
from itertools import product

import pytest
from django.test import Client

from accounts import invitations
from accounts.models import AgentGroup, Inviters, User
from notifications.audience import Told
from notifications.channels import deliver_due
from notifications.models import Change, Delivery, Kind, Level, MailPreference, Reason, State, TicketPreference
from notifications.preferences import general_level
from notifications.relay import (
    queue_account_change,
    queue_address_proof,
    queue_password_link,
    queue_sign_up_answer,
    relay_invitations,
    relay_waiting,
)
from notifications.render import one_line, render
from notifications.subscriptions import subscribe
from tests.factories import make_ticket, make_user, message, new_file
from tickets import actions, sharing
from tickets.mail.tokens import read_bounce_address, read_message_id, read_reply_address, thread_id
from tickets.models import Channel, InboundMessage, InboundState, Mailbox, Status, Ticket, TicketType
from tickets.reports.asked import read

pytestmark = pytest.mark.django_db
ALWAYS = {
    "Content-Type",
    "MIME-Version",
    "Subject",
    "From",
    "To",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-Helpdesk-Loop",
}
OF_A_TICKET = ALWAYS | {"Reply-To", "References", "In-Reply-To"}
CAN_BE_STOPPED = OF_A_TICKET | {"List-Unsubscribe", "List-Unsubscribe-Post"}
HOSTILE = "Eve\r\nBcc: evil@x.example\r\n\r\nBody\x01\N{LINE SEPARATOR}Cc: evil@x.example\x85To: evil@x.example"


@pytest.fixture
def ticket(workflow, ana, dan):
    return make_ticket(ana)


def to(person: User, kind: Kind | None = None):
    """The newest mail to a person, as the server would get it."""
    relay_waiting()
    mails = Delivery.objects.filter(recipient=person, **({"kind": kind} if kind else {}))
    return as_sent(mails.latest("id"))


def as_sent(delivery: Delivery):
    return email.message_from_bytes(render(Delivery.objects.get(pk=delivery.pk)).message().as_bytes(), policy=email.policy.default)


def text(mail) -> str:
    return mail.get_body(("plain",)).get_content()


def html(mail) -> str:
    return mail.get_body(("html",)).get_content()


# --- Headers -------------------------------------------------------------------------------------------------------------------


def test_headers_when_about_a_ticket_then_are_exactly_these(ticket, ana):
    assert set(to(ana).keys()) == CAN_BE_STOPPED


def test_headers_when_about_the_account_then_are_exactly_these(ana):
    queue_password_link(ana)
    assert set(to(ana).keys()) == ALWAYS


def test_headers_when_to_one_of_the_group_then_can_be_stopped_as_others_hear(ticket, dan):
    assert set(to(dan).keys()) == CAN_BE_STOPPED


def test_headers_when_to_the_assignee_then_offer_no_stop_that_would_do_nothing(ticket, dan, eve):
    actions.assign(ticket, actor=eve, assignee=dan)
    assert (set(to(dan).keys()), "unsubscribe" in text(to(dan)) + html(to(dan))) == (OF_A_TICKET, False)


def test_headers_when_a_digest_then_are_exactly_these_and_one_click_ends_it(ticket, ana, client, settings):
    MailPreference.objects.create(user=ana, level=Level.DIGEST)
    mail = as_sent(digest(ana))
    assert set(mail.keys()) == ALWAYS | {"List-Unsubscribe", "List-Unsubscribe-Post"}
    address = mail["List-Unsubscribe"].strip(" <>").removeprefix(settings.SITE_URL)
    assert ("Stop the daily mail?" in client.get(address).content.decode(), general_level(ana)) == (True, Level.DIGEST)
    assert "No more daily mail" in client.post(address).content.decode()
    assert general_level(ana) == Level.NONE


def test_digest_when_stopped_then_tickets_with_a_digest_of_their_own_are_not_mailed_at_once_instead(ticket, ana, dan, client, settings):
    TicketPreference.objects.create(user=ana, ticket=ticket, level=Level.DIGEST)
    client.post(as_sent(digest(ana))["List-Unsubscribe"].strip(" <>").removeprefix(settings.SITE_URL))
    actions.comment(ticket, actor=dan, message=message("Answer."))
    relay_waiting()
    assert (general_level(ana), ana.deliveries.filter(event__kind="commented").count()) == (Level.ALL, 0)


def test_message_id_when_rendered_again_then_is_the_same(ticket, ana):
    relay_waiting()
    delivery = Delivery.objects.get(recipient=ana)
    ids = {as_sent(delivery)["Message-ID"] for _ in range(3)}
    assert [read_message_id(str(found)) for found in ids] == [ticket.events.get().pk]


def test_message_id_when_two_are_told_of_one_event_then_differ(ticket, ana, dan):
    assert to(ana)["Message-ID"] != to(dan)["Message-ID"]


def test_message_id_when_newcomer_gets_confirmation_and_link_then_differ(workflow):
    person = User.objects.create_user("new@else.example")
    make_ticket(person)
    assert to(person, Kind.CONFIRMATION)["Message-ID"] != to(person, Kind.SET_PASSWORD)["Message-ID"]


def test_thread_when_person_never_mailed_then_is_the_tickets_root(ticket, ana):
    mail = to(ana)
    assert (mail["References"], mail["In-Reply-To"]) == (f"<{thread_id(ticket.pk)}>",) * 2


def wrote(person: User, ticket: Ticket, message_id: str) -> None:
    comment = actions.comment(ticket, actor=person, message=message(channel=Channel.EMAIL))
    mailbox = Mailbox.objects.get_or_create(address="support@support.example")[0]
    fields = {"mailbox": mailbox, "raw": b"", "size": 0, "fingerprint": message_id, "state": InboundState.DONE, "ticket": ticket}
    InboundMessage.objects.create(comment=comment, message_id=message_id, **fields)


def test_thread_when_person_wrote_then_answers_their_own_last_mail(ticket, ana, ben, dan):
    for person, message_id in ((ana, "one@acme.example"), (ana, "two@acme.example"), (ben, "three@acme.example")):
        wrote(person, ticket, message_id)
    actions.comment(ticket, actor=dan, message=message("Answer."))
    mail = to(ana)
    assert (mail["References"], mail["In-Reply-To"]) == (f"<{thread_id(ticket.pk)}> <two@acme.example>", "<two@acme.example>")


@pytest.mark.parametrize("message_id", ["a b@x.example", "a\nBcc: evil@x.example", "a@x.example> <b@x.example"])
def test_thread_when_their_message_id_is_hostile_then_adds_nothing(ticket, ana, dan, message_id):
    wrote(ana, ticket, message_id)
    actions.comment(ticket, actor=dan, message=message("Answer."))
    assert (set(to(ana).keys()), to(ana)["In-Reply-To"]) == (CAN_BE_STOPPED, f"<{thread_id(ticket.pk)}>")


def test_reply_to_when_read_back_then_names_ticket_and_person(ticket, ana):
    found = read_reply_address(to(ana)["Reply-To"].addresses[0].addr_spec)
    assert (found.ticket_id, found.user_id, found.is_internal) == (ticket.pk, ana.pk, False)


def test_reply_to_when_mail_tells_of_a_note_then_is_the_internal_one(ticket, dan, eve):
    sharing.follow(ticket, actor=dan)
    actions.add_note(ticket, actor=eve, message=message("Between us."))
    mail = to(dan)
    assert read_reply_address(mail["Reply-To"].addresses[0].addr_spec).is_internal is True
    assert ("INTERNAL NOTE" in text(mail), "Internal note" in html(mail)) == (True, True)


def test_stop_link_when_followed_then_is_one_click_on_our_site(ticket, ana, client, settings):
    mail = to(ana)
    address = mail["List-Unsubscribe"].strip(" <>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert client.post(address.removeprefix(settings.SITE_URL)).status_code == 200
    assert ticket.follower_rows.get().is_muted is True


def test_envelope_when_a_mail_leaves_then_names_it_alone_and_no_header_does(ticket, sink):
    relay_waiting()
    deliver_due()
    mails = [Delivery.objects.get(message_id=str(mail["Message-ID"]).strip("<>")) for _to, mail in sink.mails]
    assert [read_bounce_address(sender) for sender in sink.senders] == [delivery.pk for delivery in mails]
    assert [(mail["Return-Path"], mail["From"].addresses[0].addr_spec) for _to, mail in sink.mails] == [
        (None, "support@support.example")
    ] * 2


def test_sender_when_a_person_acts_then_is_our_address_under_their_name(ticket, ana, dan):
    actions.comment(ticket, actor=dan, message=message())
    (sender,) = to(ana)["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Dan Support (Helpdesk)", "support@support.example")


def test_actor_of_ours_when_they_never_wrote_to_the_customer_then_is_support_in_the_mail_as_on_the_page(ticket, ana, dan, eve):
    actions.resolve(ticket, actor=eve, type=TicketType.objects.first())
    client = Client()
    for who, name in ((eve, "Support"), (dan, "Dan Support")):
        actions.reopen(ticket, actor=ana)
        if who == dan:
            actions.comment(ticket, actor=dan, message=message("Try again."))
        actions.close(ticket, actor=who)
        mail = to(ana)
        client.force_login(ana)
        page = client.get(f"/tickets/{ticket.pk}/").content.decode()
        site = "Helpdesk" if who == eve else "Dan Support (Helpdesk)"
        assert (mail["From"].addresses[0].display_name, f"{name} closed the ticket." in " ".join(text(mail).split())) == (site, True)
        assert [where for where in (text(mail), page) if "Eve Devops" in where] == []


def test_sender_when_the_reader_did_it_then_is_the_site(ticket, ana):
    assert to(ana, Kind.CONFIRMATION)["From"].addresses[0].display_name == "Helpdesk"


@pytest.mark.parametrize("field", ["name", "subject", "actor", "file", "text", "status"])
def test_headers_when_somebody_wrote_line_breaks_then_none_is_added(workflow, ana, dan, field):
    User.objects.filter(pk={"name": ana, "actor": dan}.get(field, ana).pk).update(name=HOSTILE if field in ("name", "actor") else "Ana")
    Status.objects.filter(name="In Progress").update(public_name=HOSTILE[:60] if field == "status" else "")
    files = (new_file(HOSTILE if field == "file" else "log.txt"),)
    ticket = make_ticket(ana, HOSTILE if field == "subject" else "Fine")
    actor = User.objects.get(pk=dan.pk)
    actions.comment(ticket, actor=actor, message=message(HOSTILE if field == "text" else "Fine", files=files))
    mail = to(ana)
    assert (set(mail.keys()), len(mail.get_all("To")), [a.addr_spec for a in mail["To"].addresses]) == (CAN_BE_STOPPED, 1, [ana.email])


NAMES = [
    "\N{GRINNING FACE}" * 150,
    'Ana "the" <evil@x.example>',
    "Ford, Ana",
    "=?utf-8?q?evil=40x?=",
    "Ä" * 150,
    ";:,@<>()[]\\",
    "Ana\ud7ff",
    " ",
]


@pytest.mark.parametrize(("name", "who"), [*product(NAMES, ["recipient", "actor"])])
def test_name_when_odd_then_mail_still_goes_to_one_address(workflow, ana, dan, name, who):
    User.objects.filter(pk={"recipient": ana, "actor": dan}[who].pk).update(name=name)
    ticket = make_ticket(User.objects.get(pk=ana.pk))
    actions.comment(ticket, actor=User.objects.get(pk=dan.pk), message=message())
    mail = to(ana)
    assert [address.addr_spec for address in mail["To"].addresses] == ["ana@acme.example"]
    assert [address.addr_spec for address in mail["From"].addresses] == ["support@support.example"]


def test_zone_when_person_has_a_nonsensical_one_then_mail_still_goes(ticket, ana, dan):
    User.objects.filter(pk=ana.pk).update(time_zone="Mars/Olympus_Mons")
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    assert "closes by itself on" in text(to(ana))


@pytest.mark.parametrize(
    ("words", "line"), [("a\r\nb", "a b"), ("\0a\tb ", "a b"), ("a\u2028b\x85c", "a b c"), ("x" * 300, "x" * 200), ("", "")]
)
def test_line_when_made_then_has_no_break(words, line):
    assert one_line(words) == line


# --- Words ---------------------------------------------------------------------------------------------------------------------


def test_confirmation_when_opened_then_has_number_link_and_what_was_received(workflow, ana, settings):
    ticket = make_ticket(ana, "Player is blank", message=message("Line one\n\nLine two", files=(new_file("log.txt", b"x" * 2048),)))
    mail = to(ana)
    assert mail["Subject"] == f"[#{ticket.number}] We received your request: Player is blank"
    for part in (f"#{ticket.number}", f"{settings.SITE_URL}/tickets/{ticket.number}/", "Line one", "Line two", "log.txt", "2.0\xa0KB"):
        assert part in text(mail), part
        assert part in html(mail).replace("&nbsp;", "\xa0"), part


def test_resolution_when_mailed_then_says_when_it_closes_and_how_to_object(ticket, ana, dan):
    resolved = actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    words = " ".join(text(to(ana)).split())
    assert "Support resolved the ticket." in words.replace("Dan ", "Dan_")  # who never wrote to her is not named
    assert f"closes by itself on {resolved.close_due_at:%-d %B %Y, %H:%M} UTC." in words


INTERNAL = [
    "dan@support.example",
    "ben@acme.example",
    "DevOps",
    "Secret Type",
    "Critical",
    "Between us",
    "notes.txt",
    "Waiting on Dev Team",
]


def test_mails_when_to_customers_then_hold_nothing_internal(ticket, ana, ben, dan):
    sharing.follow(ticket, actor=ben)
    TicketType.objects.filter(name="Bug").update(name="Secret Type")
    actions.set_group(ticket, actor=dan, group=AgentGroup.objects.get(name="DevOps"))
    actions.set_type(ticket, actor=dan, type=TicketType.objects.get(name="Secret Type"))
    actions.add_note(ticket, actor=dan, message=message("Between us", files=(new_file("notes.txt"),)))
    actions.comment(ticket, actor=dan, message=message("Public"), status=Status.objects.get(name="Waiting on Dev Team"))
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="In Progress"))
    relay_waiting()
    mails = [as_sent(delivery).as_string() for delivery in Delivery.objects.filter(recipient=ana)]
    assert len(mails) == 3
    assert [word for word, mail in product(INTERNAL, mails) if word in mail] == []


def test_mails_when_to_staff_then_use_the_desks_names_and_page(ticket, ana, dan, settings):
    actions.take(ticket, actor=dan)
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Waiting on Dev Team"))
    actions.comment(ticket, actor=ana, message=message("More."))
    words = text(to(dan))
    assert ("Status: In Progress" in words, f"{settings.SITE_URL}/desk/tickets/{ticket.number}/" in words) == (True, True)


MARKUP = "<script>alert('1')</script> & \"it's\" {{ 7 }} {% now %}"


@pytest.mark.parametrize("field", ["text", "subject", "name"])
def test_markup_when_somebody_wrote_it_then_html_escapes_it(workflow, ana, dan, field):
    User.objects.filter(pk=dan.pk).update(name=MARKUP if field == "name" else "Dan")
    ticket = make_ticket(ana, MARKUP if field == "subject" else "Fine")
    files = (new_file("Tom & 'Co'.txt"),)
    actions.comment(ticket, actor=User.objects.get(pk=dan.pk), message=message(MARKUP if field == "text" else "Fine", files=files))
    body = html(to(ana))
    assert ("<script" in body, "alert(" in body, "Tom &amp; " in body) == (False, True, True)


def test_markup_when_in_the_text_part_then_stands_as_it_was_written(workflow, ana):
    mail = to(make_ticket(ana, MARKUP, message=message(MARKUP, files=(new_file("it's & that.txt"),))).requester)
    assert text(mail).count(MARKUP) == 2
    assert "it's & that.txt" in text(mail)


def test_html_when_rendered_then_asks_for_nothing_from_outside(ticket, ana):
    sources = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(https?://[^"')\s>]+)""", html(to(ana)))
    assert {source.split("/")[2] for source in sources} == {"127.0.0.1:8000"}
    assert "<img" not in html(to(ana))


@pytest.mark.parametrize("kind", Kind)
def test_text_part_when_rendered_then_is_readable(workflow, ana, dan, kind):
    mail = text(mail_of(kind, ana, dan))
    assert "<" not in mail
    assert "&#" not in mail
    assert "\n\n\n" not in mail
    assert mail.rstrip().splitlines()[-1].strip() != "--"


@pytest.mark.parametrize("kind", Kind)
def test_html_part_when_rendered_then_is_whole(workflow, ana, dan, kind):
    body = html(mail_of(kind, ana, dan))
    assert (body.count("<html"), body.count("</html>"), "{{" in body, "{%" in body) == (1, 1, False, False)


def mail_of(kind: Kind, ana: User, dan: User):
    """One mail of each kind, made as the product makes it."""
    newcomer = User.objects.create_user("new@else.example", name="Nia New")
    ticket = make_ticket(newcomer)
    actions.comment(ticket, actor=dan, message=message("Answer.", files=(new_file(),)))
    sharing.add_follower(ticket, actor=dan, person=ana)
    queue_password_link(ana)
    queue_address_proof(ana, "ana@home.example")
    queue_sign_up_answer(ana, ana.email)
    queue_account_change(ana, Change.PASSWORD)
    acme = ana.active_organizations().get()
    acme.delivery_lead, acme.invitations_by_members = dan, Inviters.ANYBODY
    acme.save()
    invitations.invite(actor=ana, organization=acme, address=newcomer.email)
    relay_invitations()
    if kind == Kind.DIGEST:
        return as_sent(digest(newcomer))
    if kind == Kind.REPORT:
        subscription = subscribe("volume", read({"by": "type"}, dan), actor=dan, recipient=dan)
        return as_sent(
            Delivery.objects.create(subscription=subscription, recipient=dan, address=dan.email, kind=kind, reason=Reason.REPORT)
        )
    told = {Kind.UPDATE: newcomer, Kind.CONFIRMATION: newcomer, Kind.SET_PASSWORD: newcomer, Kind.INVITATION: newcomer, Kind.INVITED: dan}
    return to(told.get(kind, ana), kind)


def digest(person: User) -> Delivery:
    """All that waits for a person, as their daily mail."""
    relay_waiting()
    waiting = Delivery.objects.filter(recipient=person, state=State.QUEUED).exclude(event=None)
    made = Delivery.objects.create(recipient=person, address=person.email, kind=Kind.DIGEST, reason=Reason.DIGEST)
    waiting.update(state=State.MERGED, told_by=made)
    return made


def test_audience_row_when_made_then_fits_a_delivery(ana):
    told = Told(ana, Kind.UPDATE, Reason.FOLLOWER)
    assert (told.kind in Kind, told.reason in Reason) == (True, True)


def test_share_when_mailed_then_says_who_shared_and_own_following_says_so(ticket, ana, ben, dan):
    cleo = make_user("cleo@globex.example", "Cleo Roy")
    sharing.add_follower(ticket, actor=dan, person=cleo)
    sharing.follow(ticket, actor=ben)
    assert "Support shared ticket" in text(to(cleo)).replace("Dan ", "Dan_")
    assert f"You follow ticket #{ticket.number} now" in text(to(ben))
