"""Who is believed, and how far. Each test sends a whole mail in and looks at what became of it."""

from __future__ import annotations

import pytest

from accounts.models import Membership, User
from tests.factories import make_ticket
from tests.tickets.mail.letters import letter, our_message_id, signed_address, take_in
from tickets import actions, sharing
from tickets.mail import ingest
from tickets.mail.tokens import bounce_address
from tickets.models import Authentication, Comment, Follower, InboundState, Mailbox, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(workflow, ana) -> Ticket:
    return make_ticket(ana)


def fate(message):
    return message.state, message.ticket_id


def test_mail_from_a_known_sender_opens_a_ticket_on_their_account(workflow, ana, acme):
    taken = take_in(letter())
    assert (taken.state, taken.ticket.requester, taken.ticket.subject, taken.ticket.channel) == (
        InboundState.DONE,
        ana,
        "Player is blank",
        "email",
    )
    assert list(taken.ticket.organizations.all()) == [acme]


def test_mail_from_an_alias_opens_a_ticket_on_the_same_account(workflow, ana):
    ana.emailaddress_set.create(email="ana.ford@home.example", verified=True)
    assert take_in(letter("ana.ford@home.example")).ticket.requester == ana


def test_unproven_alias_is_another_person(workflow, ana):
    ana.emailaddress_set.create(email="ana.ford@home.example", verified=False)
    assert take_in(letter("ana.ford@home.example")).ticket.requester != ana


def test_mail_from_an_unknown_sender_makes_an_account_without_password(workflow):
    requester = take_in(letter("Nora New <nora@initech.example>")).ticket.requester
    assert (requester.email, requester.name, requester.has_usable_password(), requester.proven_at) == (
        "nora@initech.example",
        "Nora New",
        False,
        None,
    )


def test_unknown_sender_of_a_known_domain_is_no_member_before_the_address_is_proven(workflow, acme):
    acme.domains.create(domain="acme.example")
    ticket = take_in(letter("new@acme.example")).ticket
    assert Membership.objects.values_list("is_active", "awaits_proof").get(user=ticket.requester) == (False, True)
    assert list(ticket.organizations.all()) == []


@pytest.mark.parametrize("address", ["x@acme.example.evil.test", "x@sub.acme.example", "x@acme-example.test"])
def test_look_alike_domain_gives_no_membership(workflow, acme, address):
    acme.domains.create(domain="acme.example")
    assert not Membership.objects.filter(user=take_in(letter(address)).ticket.requester).exists()


def test_answer_to_the_own_signed_address_becomes_a_comment_and_proves_the_address(ticket, ana):
    taken = take_in(letter(to=signed_address(ticket, ana), subject="Re: anything", text="Still blank.\n"))
    ana.refresh_from_db()
    assert (taken.ticket, taken.comment.text, taken.comment.author, ana.proven_at is not None) == (ticket, "Still blank.", ana, True)


@pytest.mark.parametrize("mangle", [str.lower, str.upper, lambda address: f"<{address}>"])
def test_signed_address_survives_what_mail_programs_do_to_it(ticket, ana, mangle):
    taken = take_in(letter(), to=mangle(signed_address(ticket, ana)))
    assert fate(taken) == (InboundState.DONE, ticket.pk)


def test_signed_address_with_a_wrong_mac_opens_a_ticket_of_its_own(ticket, ana):
    address = signed_address(ticket, ana)
    local, _, domain = address.partition("@")
    forged = f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}"
    assert take_in(letter(to=forged)).ticket != ticket


def test_signed_address_of_another_ticket_is_not_transferable(ticket, ana, solo):
    other = make_ticket(solo)
    forged = signed_address(ticket, ana).replace(f"r1-{ticket.pk}-", f"r1-{other.pk}-")
    assert take_in(letter(to=forged)).ticket not in (ticket, other)


def test_revoked_address_no_longer_counts(ticket, ana):
    address = signed_address(ticket, ana)
    User.objects.filter(pk=ana.pk).update(token_generation=2)
    assert take_in(letter(to=address)).ticket != ticket


def test_stranger_who_got_the_mail_forwarded_is_held(ticket, ana):
    taken = take_in(letter("stranger@evil.example", to=signed_address(ticket, ana), text="Let me in.\n"))
    assert fate(taken) == (InboundState.HELD, ticket.pk)
    assert (ticket.comments.count(), User.objects.filter(email="stranger@evil.example").exists()) == (1, False)


def test_teammate_who_sees_the_ticket_answers_as_themselves(ticket, ana, ben):
    taken = take_in(letter("ben@acme.example", to=signed_address(ticket, ana)))
    ben.refresh_from_db()
    assert (taken.comment.author, taken.ticket, ben.proven_at) == (ben, ticket, None)


def test_answer_after_losing_the_ticket_is_held(ticket, ben, dan):
    sharing.add_follower(ticket, actor=dan, person=ben)
    address = signed_address(ticket, ben)
    ticket.share_rows.all().delete()
    sharing.remove_follower(ticket, actor=dan, person=ben)
    assert fate(take_in(letter("ben@acme.example", to=address))) == (InboundState.HELD, ticket.pk)


def test_reference_to_our_mail_threads_for_who_sees_the_ticket(ticket, ben, ana):
    taken = take_in(letter("ben@acme.example", In_Reply_To=our_message_id(ticket, ana)))
    assert (taken.ticket, taken.comment.author) == (ticket, ben)


def test_reference_to_our_mail_from_a_stranger_is_held(ticket, ana):
    taken = take_in(letter("copied@else.example", References=our_message_id(ticket, ana)))
    assert fate(taken) == (InboundState.HELD, ticket.pk)


def test_forged_message_id_does_not_thread(ticket, ana):
    forged = our_message_id(ticket, ana).replace("@", "x@")
    assert take_in(letter(In_Reply_To=forged)).ticket != ticket


def test_message_id_without_mac_does_not_thread(ticket):
    event = ticket.events.get()
    assert take_in(letter(In_Reply_To=f"<1.{event.pk}.1@support.example>")).ticket != ticket


def test_second_mail_of_the_sender_threads_by_the_first(workflow, ana):
    first = take_in(letter(Message_ID="<first@acme.example>"))
    assert take_in(letter(In_Reply_To="<first@acme.example>")).ticket == first.ticket


def test_number_in_the_subject_counts_from_the_requester(ticket):
    assert take_in(letter(subject=f"AW: [#{ticket.pk}] Player")).ticket == ticket


def test_number_in_the_subject_from_a_teammate_who_is_not_on_it_opens_an_own_ticket(ticket):
    taken = take_in(letter("ben@acme.example", subject=f"[#{ticket.pk}] me too"))
    assert (taken.state, taken.ticket == ticket) == (InboundState.DONE, False)


def test_number_in_the_subject_from_a_stranger_opens_an_own_ticket(ticket):
    taken = take_in(letter("stranger@evil.example", subject=f"[#{ticket.pk}] hello"))
    assert (taken.state, taken.ticket == ticket, taken.ticket.follow_up_to) == (InboundState.DONE, False, None)


def test_agent_without_the_own_token_is_held(ticket, dan, ana):
    taken = take_in(letter("dan@support.example", subject=f"[#{ticket.pk}] x", In_Reply_To=our_message_id(ticket, ana)))
    assert fate(taken) == (InboundState.HELD, ticket.pk)


def test_agent_with_the_own_token_answers_publicly(ticket, dan):
    taken = take_in(letter("dan@support.example", to=signed_address(ticket, dan), text="Try again, please.\n"))
    assert (taken.comment.author, taken.comment.is_internal) == (dan, False)


def test_agents_answer_to_a_mail_about_a_note_is_internal(ticket, dan):
    taken = take_in(letter("dan@support.example", to=signed_address(ticket, dan, is_internal=True)))
    assert (taken.comment.author, taken.comment.is_internal) == (dan, True)


def test_customer_with_an_internal_token_is_held(ticket, ana):
    taken = take_in(letter(to=signed_address(ticket, ana, is_internal=True)))
    assert fate(taken) == (InboundState.HELD, ticket.pk)


def test_disabled_sender_is_held(ticket, ana):
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert fate(take_in(letter(to=signed_address(ticket, ana)))) == (InboundState.HELD, ticket.pk)


@pytest.mark.parametrize("sender", ['"a@acme.example" <x@evil.test>', "x@evil.test"])
def test_address_in_the_display_name_is_nobodys(workflow, acme, sender):
    acme.domains.create(domain="acme.example")
    assert take_in(letter(sender)).ticket.requester.email == "x@evil.test"


def test_non_ascii_address_is_held(workflow, ana):
    raw = letter().replace(b"ana@acme.example", "ana@acme.example".replace("k", "\u212a").encode() + "\u212a".encode())
    assert take_in(raw).state == InboundState.HELD


def test_mail_without_a_sender_is_held(workflow):
    raw = b"\n".join(line for line in letter().split(b"\n") if not line.startswith(b"From:"))
    assert take_in(raw).state == InboundState.HELD


# --- Machines ------------------------------------------------------------------------------------------------------------------


def test_absence_note_leaves_a_resolved_ticket_alone(ticket, ana, dan):
    actions.resolve(ticket, actor=dan, type=_type())
    due = Ticket.objects.get(pk=ticket.pk).close_due_at
    taken = take_in(letter(to=signed_address(ticket, ana), subject="Out of office", Auto_Submitted="auto-replied"))
    ticket.refresh_from_db()
    assert (taken.state, ticket.category, ticket.close_due_at, ticket.comments.count()) == (InboundState.IGNORED, "resolved", due, 1)


def test_automatic_mail_of_a_stranger_makes_no_account(workflow):
    take_in(letter("robot@shop.example", Auto_Submitted="auto-generated"))
    assert (User.objects.count(), Ticket.objects.count()) == (0, 0)


def test_automatic_mail_of_a_known_sender_opens_a_quiet_ticket(workflow, ana):
    opened = take_in(letter(Auto_Submitted="auto-generated")).ticket
    assert opened.events.get().data == {"quiet": True}


def test_list_mail_of_a_stranger_is_held(workflow):
    taken = take_in(letter("news@shop.example", Precedence="list", List_Id="<news.shop.example>"))
    assert (taken.state, User.objects.count()) == (InboundState.HELD, 0)


def test_customer_who_writes_through_a_list_gets_a_quiet_ticket(workflow, ana):
    assert take_in(letter(List_Id="<support.groups.example>")).ticket.events.get().data == {"quiet": True}


def test_customer_who_answers_through_a_list_is_heard(ticket, ana):
    taken = take_in(letter(to=signed_address(ticket, ana), List_Id="<support.groups.example>"))
    assert (taken.ticket, taken.comment.author) == (ticket, ana)


def test_absence_note_through_a_list_is_an_absence_note(ticket, ana):
    taken = take_in(letter(to=signed_address(ticket, ana), List_Id="<l.example>", Auto_Submitted="auto-replied"))
    assert taken.state == InboundState.IGNORED


def test_our_own_address_as_sender_is_held(workflow):
    assert take_in(letter("Support <support@support.example>")).state == InboundState.HELD


def test_automatic_mail_of_our_own_address_is_ignored(workflow):
    assert take_in(letter("Support <support@support.example>", Auto_Submitted="auto-replied")).state == InboundState.IGNORED


def test_our_own_message_is_ignored(ticket, ana):
    assert take_in(letter(Message_ID=our_message_id(ticket, ana))).state == InboundState.IGNORED


def test_bounce_opens_nothing(workflow):
    taken = take_in(letter("MAILER-DAEMON@mx.example", subject="Undelivered Mail Returned to Sender", Return_Path="<>"))
    assert (taken.state, Ticket.objects.count()) == (InboundState.REPORT, 0)


def test_bounce_that_says_nothing_opens_nothing(workflow):
    taken = take_in(letter("MAILER-DAEMON@mx.example", subject="Hello", text="\n"))
    assert (taken.state, Ticket.objects.count()) == (InboundState.IGNORED, 0)


# --- What else a mail may try --------------------------------------------------------------------------------------------------


def test_commands_and_internal_headers_change_nothing(ticket, ana):
    take_in(
        letter(
            to=signed_address(ticket, ana),
            text="#close\n#assign dan\n{{priority:high}}\n",
            X_Priority="1",
            X_Ticket_Type="Bug",
            X_Helpdesk_Status="Closed",
        )
    )
    ticket.refresh_from_db()
    assert (ticket.category, ticket.priority, ticket.type, ticket.assignee) == ("new", None, None, None)


def test_copied_people_get_only_what_the_sharing_rule_gives(workflow, ana, ben, cleo):
    taken = take_in(letter(Cc="ben@acme.example, cleo@globex.example, stranger@else.example"))
    assert set(Follower.objects.filter(ticket=taken.ticket).values_list("user", flat=True)) == {ana.pk, ben.pk}
    assert taken.copied_to == ["cleo@globex.example", "stranger@else.example"]
    assert not User.objects.filter(email="stranger@else.example").exists()


def test_recipient_bomb_makes_nobody(workflow, ana):
    taken = take_in(letter(Cc=", ".join(f"p{n}@bomb.example" for n in range(2000))))
    assert (Follower.objects.filter(ticket=taken.ticket).count(), User.objects.count(), len(taken.copied_to)) == (1, 1, 49)


def test_reply_to_a_closed_ticket_opens_a_follow_up_that_shows_the_replier_only_their_own(ticket, ana, dan):
    actions.close(ticket, actor=dan)
    taken = take_in(letter(to=signed_address(ticket, ana), text="It is back.\n"))
    assert (taken.ticket.follow_up_to, taken.ticket.requester, taken.ticket.comments.get().text) == (ticket, ana, "It is back.")


def test_reply_to_a_closed_ticket_reopens_it_where_the_status_says_so(ticket, ana, dan):
    Status.objects.filter(name="Closed").update(reopens_on_reply=True)
    actions.close(ticket, actor=dan)
    taken = take_in(letter(to=signed_address(ticket, ana)))
    ticket.refresh_from_db()
    assert (taken.ticket, ticket.category) == (ticket, "open")


def test_reply_to_a_resolved_ticket_reopens_it_and_stops_its_clock(ticket, ana, dan):
    actions.resolve(ticket, actor=dan, type=_type())
    take_in(letter(to=signed_address(ticket, ana)))
    ticket.refresh_from_db()
    assert (ticket.category, ticket.close_due_at, ticket.resolved_at) == ("open", None, None)


def test_two_replies_out_of_order_are_both_kept(ticket, ana):
    for text in ("second", "first"):
        take_in(letter(to=signed_address(ticket, ana), text=text))
    assert list(Comment.objects.order_by("id").values_list("text", flat=True)) == ["It is broken.", "second", "first"]


def test_reply_to_spam_stays_on_the_spam_ticket(ticket, ana, dan):
    actions.change_status(ticket, actor=dan, status=Status.objects.get(name="Spam"))
    taken = take_in(letter(to=signed_address(ticket, ana)))
    ticket.refresh_from_db()
    assert (taken.ticket, ticket.category) == (ticket, "spam")


def _type():
    return TicketType.objects.get(name="Bug")


def test_bare_thanks_leaves_a_resolved_ticket_resolved_and_is_kept(ticket, ana, dan):
    actions.resolve(ticket, actor=dan, type=_type())
    taken = take_in(letter(to=signed_address(ticket, ana), text="Thank you so much!\n\nAna\n"))
    ticket.refresh_from_db()
    assert (taken.comment.ticket, ticket.category, ticket.close_due_at is not None) == (ticket, "resolved", True)


def test_answer_to_a_message_id_that_a_stranger_used_again_goes_to_the_first_ticket(workflow, ana, cleo):
    first = take_in(letter(Message_ID="<shared@acme.example>"))
    take_in(letter("Cleo <cleo@globex.example>", Message_ID="<shared@acme.example>", text="Mine now.\n"))
    answer = take_in(letter(In_Reply_To="<shared@acme.example>", text="More about it.\n"))
    assert (answer.state, answer.ticket) == ("done", first.ticket)


@pytest.mark.parametrize("headers", [{"Auto_Submitted": "auto-replied"}, {"X_Autoreply": "yes"}, {}])
def test_absence_note_that_answers_nothing_known_is_ignored(workflow, ana, headers):
    taken = take_in(letter(subject="Out of office: back on Monday", **headers))
    assert (taken.state, Ticket.objects.count()) == (InboundState.IGNORED, 0)


# --- Delivery reports ----------------------------------------------------------------------------------------------------------

QMAIL = "Hi. This is the qmail-send program at mx.example.\n\n<ana@acme.example>:\n550 5.1.1 no such user\n"


@pytest.mark.parametrize(
    ("to", "proven"),
    [(bounce_address(delivery_id=7), True), ("support@support.example", False), ("support+b1-7-forged@support.example", False)],
    ids=["signed", "plain", "forged"],
)
def test_bounce_waits_to_be_matched_and_says_whether_it_is_proven(workflow, to, proven):
    taken = take_in(letter("MAILER-DAEMON@mx.example", to=to, subject="failure notice", text=QMAIL), to=to)
    assert (taken.state, taken.report["proven"], taken.report["delivery"]) == (InboundState.REPORT, proven, 7 if proven else None)
    assert Ticket.objects.count() == 0


def test_person_who_answers_a_mails_envelope_sender_opens_a_ticket(workflow, ana):
    to = bounce_address(delivery_id=7)
    assert take_in(letter(to=to), to=to).ticket.requester == ana


def test_mail_that_its_domain_disowns_waits_for_staff(workflow, ana, monkeypatch):
    ticket = make_ticket(ana)
    verdict = (Authentication.FAILED, "dmarc=fail")
    monkeypatch.setattr("tickets.mail.ingest.authenticate", lambda _message: verdict)
    taken = take_in(letter(to=signed_address(ticket, ana)))
    assert (taken.state, taken.ticket, taken.authentication, taken.authentication_details) == (InboundState.HELD, ticket, *verdict)


# --- Several addresses ---------------------------------------------------------------------------------------------------------


def test_mail_to_two_mailboxes_of_ours_is_one_ticket_and_neither_is_a_bystander(workflow, ana):
    Mailbox.objects.create(name="CSM", address="csm@support.example")
    raw = letter(to="support@support.example, csm@support.example", Cc="support+x@support.example")
    taken = [take_in(raw, to=to) for to in ("support@support.example", "csm@support.example")]
    assert ([one.pk for one in taken], Ticket.objects.count(), taken[0].copied_to) == ([taken[0].pk] * 2, 1, [])


def test_address_with_a_plus_sign_is_another_account(workflow, ana):
    assert take_in(letter("Ana <ana+x@acme.example>")).ticket.requester.email == "ana+x@acme.example"


def test_address_in_other_letters_is_the_same_account(workflow, ana):
    assert take_in(letter("Ana <ANA@Acme.Example>")).ticket.requester == ana


def test_answer_from_a_proven_alias_is_the_persons_own(ticket, ana):
    ana.emailaddress_set.create(email="ana.ford@home.example", verified=True)
    taken = take_in(letter("ana.ford@home.example", to=signed_address(ticket, ana)))
    assert (fate(taken), taken.comment.author) == ((InboundState.DONE, ticket.pk), ana)


def test_alias_of_a_teammate_in_copy_follows_as_that_person(workflow, ana, ben):
    ben.emailaddress_set.create(email="ben@home.example", verified=True)
    taken = take_in(letter(Cc="ben@home.example"))
    assert set(taken.ticket.follower_rows.values_list("user", flat=True)) == {ana.pk, ben.pk}


def test_verdict_stays_when_the_mail_is_handled_again(workflow, ana, dan, monkeypatch):
    monkeypatch.setattr("tickets.mail.ingest.authenticate", lambda _message: (Authentication.FAILED, "dmarc=fail"))
    held = take_in(letter())
    monkeypatch.setattr("tickets.mail.ingest.authenticate", lambda _message: (Authentication.NONE, "expired"))
    ingest.replay(held, actor=dan)
    held.refresh_from_db()
    assert (held.state, held.authentication_details) == (InboundState.HELD, "dmarc=fail")
