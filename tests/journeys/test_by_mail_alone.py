"""The same way by mail alone: nobody here ever opens a page, save the one with a button behind the link of a resolved ticket's mail."""

from __future__ import annotations

import re
from email import message_from_string, policy
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from django.core import mail

from accounts.models import Membership, Role
from notifications.channels import deliver_due
from notifications.relay import relay_waiting
from tests.factories import make_user, message
from tests.tickets.mail.letters import letter, take_in
from tickets import access, actions, membership
from tickets.models import Channel, Ticket, TicketType

pytestmark = pytest.mark.django_db


def posted() -> dict[str, EmailMessage]:
    """The newest mail that each address got since the last call."""
    mail.outbox.clear()
    relay_waiting()
    deliver_due()
    return {parseaddr(one.to[0])[1]: message_from_string(one.message().as_string(), policy=policy.default) for one in mail.outbox}


def answer_to(received: EmailMessage, sender: str, text: str, **headers: str) -> None:
    """As a mail program answers."""
    to = parseaddr(received["Reply-To"])[1]
    raw = letter(sender, to=to, subject=f"Re: {received['Subject']}", text=text, In_Reply_To=received["Message-ID"], **headers)
    take_in(raw, to=to)


def words(received: EmailMessage) -> str:
    body = received.get_body(("plain",))
    assert body
    return str(body.get_content())


def test_mail_share_name_leave_and_reopen(client, settings, acme, ana, ben, cleo, dan):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    acme.delivery_lead = lia = make_user("lia@support.example", "Lia Lead", role=Role.CSM)
    acme.save()

    # Ana's mail becomes a ticket, shared with her organization; Ben does not follow, so he hears nothing (C5).
    take_in(letter(text="It is blank since this morning.\n"))
    ticket = Ticket.objects.get()
    first = posted()
    assert set(first) == {ana.email, dan.email}

    # She answers her confirmation and names Ben, who hears of it, and Cleo, whom she can't know, who does not.
    answer_to(first[ana.email], "Ana Ford <ana@acme.example>", "@Ben Ode and @Cleo Roy, do you have it too?\n")
    second = posted()
    assert set(second) == {ben.email, dan.email}
    assert (access.can_see(ben, ticket), access.can_see(cleo, ticket)) == (True, False)

    # Ben answers that mail, and reaches the delivery lead by her name.
    answer_to(second[ben.email], "Ben Ode <ben@acme.example>", "I do. @Lia Lead should know.\n")
    third = posted()
    assert set(third) == {ana.email, dan.email, lia.email}

    # Cleo gets hold of Ben's mail: her answer to it is held for staff, and nobody is mailed.
    answer_to(second[ben.email], "Cleo Roy <cleo@globex.example>", "Me too!\n")
    assert (posted(), ticket.comments.count()) == ({}, 3)

    # Support resolves it; Ben says by the link in the mail that it is still broken, with one button, logged in nowhere.
    actions.resolve(ticket, actor=dan, type=TicketType.objects.get(name="Bug"))
    resolved = posted()
    assert set(resolved) == {ana.email}  # naming Ben and Lia told them of one thing; neither follows
    path = re.search(r"No, still broken:\s+https?://[^/]+(/\S+)", words(resolved[ana.email]))[1]
    assert client.get(path).status_code == 200
    ticket.refresh_from_db()
    assert ticket.is_resolved  # a look changes nothing
    client.post(path)
    ticket.refresh_from_db()
    assert ticket.category == "open"
    posted()

    # Ben leaves the organization: an answer to his old mails is held, and he hears of nothing more.
    membership.leave(acme, actor=ben)
    answer_to(second[ben.email], "Ben Ode <ben@acme.example>", "Any news?\n")
    actions.comment(ticket, actor=dan, message=message("We look into it.", channel=Channel.DESK))
    last = posted()
    assert (ben.email in last, ticket.comments.filter(author=ben).count()) == (False, 1)
    assert Membership.objects.filter(user=ben, is_active=True).count() == 0
