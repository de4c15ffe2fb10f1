"""Event by event, person by person: exactly who gets which mail, and nobody else (MISSION C5, C6, C9). Through the outbox, as it happens."""

from __future__ import annotations

import pytest

from accounts.models import AgentGroup, Organization, Role, User
from notifications import preferences
from notifications.models import Delivery, State
from notifications.relay import relay_waiting
from tests.factories import make_ticket, make_user, message
from tests.shaping import tag_and_snooze
from tickets import actions, merging, sharing
from tickets.models import Channel, Priority, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db

# Ana is the requester; Carla, a CSM, filed it. Fay follows, Mia did and stopped, Ben is a teammate, Stan follows everything of Acme; Cleo is of Globex.
# Eve has the ticket, Dan is its group, Max works here too, Lena looks after Acme. C: confirmation, U: update, S: shared with you, dot: nothing.
PEOPLE = "ana carla fay mia ben stan cleo eve dan max lena".split()
MATRIX = """
                          ana carla fay mia ben stan cleo eve dan max lena
filed                     C   .     .   .   .   U    .    .   U   .   .
filed quietly             .   .     .   .   .   U    .    .   U   .   .
submitted                 C   .     .   .   .   U    .    .   U   .   .
submitted privately       C   .     .   .   .   .    .    .   U   .   .
requester replies         .   U     U   .   .   U    .    U   .   .   .
follower replies          U   U     .   .   .   U    .    U   .   .   .
teammate replies          U   U     U   .   .   U    .    U   .   .   .
standing follower replies U   U     U   .   .   .    .    U   .   .   .
filer replies             U   .     U   .   .   U    .    U   .   .   .
assignee replies          U   U     U   .   .   U    .    .   .   .   .
group replies             U   U     U   .   .   U    .    U   .   .   .
nobody's, requester       .   U     U   .   .   U    .    .   U   .   .
nobody's, group replies   U   U     U   .   .   U    .    .   .   .   .
note                      .   U     .   .   .   .    .    U   .   .   .
status                    U   U     U   .   .   U    .    .   .   .   .
status, same to customers .   .     .   .   .   .    .    .   .   .   .
reply that resolves       U   U     U   .   .   U    .    .   .   .   .
resolved                  U   U     U   .   .   U    .    .   .   .   .
fix confirmed             .   U     U   .   .   U    .    U   .   .   .
closed by requester       .   U     U   .   .   U    .    U   .   .   .
closed by itself          U   U     U   .   .   U    .    U   .   .   .
reopened by follower      U   U     .   .   .   U    .    U   .   .   .
assigned                  .   .     .   .   .   .    .    .   U   .   .
taken                     .   .     .   .   .   .    .    .   .   .   .
group changed             .   .     .   .   .   .    .    .   .   .   .
type                      .   .     .   .   .   .    .    .   .   .   .
priority                  .   .     .   .   .   .    .    .   .   .   .
priority is told          U   U     U   .   .   U    .    U   .   .   .
teammate is named         .   U     U   .   U   U    .    U   .   .   .
muted one is named        .   U     U   U   .   U    .    U   .   .   .
outsider is named         .   U     U   .   .   U    .    U   .   .   .
colleague is named inside .   U     .   .   .   .    .    U   .   U   .
teammate follows          .   .     .   .   S   .    .    .   .   .   .
muted one follows again   .   .     .   S   .   .    .    .   .   .   .
teammate is added         .   .     .   .   S   .    .    .   .   .   .
outsider is added         .   .     .   .   .   .    S    .   .   .   .
colleague follows         .   .     .   .   .   .    .    .   .   .   .
follower stops            .   .     .   .   .   .    .    .   .   .   .
follower is removed       .   .     .   .   .   .    .    .   .   .   .
private one is shared     .   .     .   .   .   S    .    .   .   .   .
sharing is taken back     .   .     .   .   .   .    .    .   .   .   .
requester is changed      .   .     .   .   C   .    .    .   .   .   .
spam                      .   .     .   .   .   .    .    .   .   .   .
spam, requester replies   .   .     .   .   .   .    .    .   .   .   .
no spam                   .   .     .   .   .   .    .    .   .   .   .
merged                    U   U     U   .   .   U    .    U   .   .   .
merge is undone           U   U     U   .   .   U    .    U   .   .   .
another merged into it    .   .     .   .   .   .    .    .   .   .   .
tagged, snoozed           .   .     .   .   .   .    .    .   .   .   .
"""
EXPECTED = {line[:26].strip(): line[26:].split() for line in MATRIX.strip("\n").splitlines()[1:]}


def person(name: str) -> User:
    return User.objects.get(name__istartswith=name)


def say(ticket: Ticket, who: str, words: str = "Words.", **fields) -> None:
    actions.comment(ticket, actor=person(who), message=message(words, channel=Channel.DESK), **fields)


def move(ticket: Ticket, to: str, *, by: str = "eve") -> None:
    actions.change_status(ticket, actor=person(by), status=Status.objects.get(name=to), type=TicketType.objects.first())


def nobodys(ticket: Ticket) -> Ticket:
    actions.assign(ticket, actor=person("eve"), assignee=None)
    return settled(ticket)


def settled(ticket: Ticket) -> Ticket:
    """What went before is told, and no part of the row."""
    relay_waiting()
    Delivery.objects.update(state=State.SENT)
    return ticket


def closes_itself(ticket: Ticket) -> None:
    move(ticket, "Resolved")
    Ticket.objects.update(close_due_at="2020-01-01T00:00Z")
    settled(ticket)
    actions.close_if_due(ticket.pk)


def after(first, then):
    return lambda ticket: (first(ticket), settled(ticket), then(ticket))


def same_to_customers(ticket: Ticket) -> None:
    Status.objects.filter(name="Waiting on Dev Team").update(public_name="In Progress")
    move(ticket, "In Progress")
    settled(ticket)
    move(ticket, "Waiting on Dev Team")


def told_of_the_other_alone(ticket: Ticket) -> None:
    """What the people of the one that was merged are told is no part of the row."""
    other = make_ticket(person("cleo"), share=False)
    merging.merge(other, into=ticket, actor=person("dan"))
    relay_waiting()
    Delivery.objects.filter(event__ticket=other).delete()


EVENTS = {
    "filed": lambda t: make_ticket(person("ana"), actor=person("carla")),
    "filed quietly": lambda t: make_ticket(person("ana"), actor=person("carla"), quiet=True),
    "submitted": lambda t: make_ticket(person("ana")),
    "submitted privately": lambda t: make_ticket(person("ana"), share=False),
    "requester replies": lambda t: say(t, "ana"),
    "follower replies": lambda t: say(t, "fay"),
    "teammate replies": lambda t: say(t, "ben"),
    "standing follower replies": lambda t: say(t, "stan"),
    "filer replies": lambda t: say(t, "carla"),
    "assignee replies": lambda t: say(t, "eve"),
    "group replies": lambda t: say(t, "dan"),
    "nobody's, requester": lambda t: say(nobodys(t), "ana"),
    "nobody's, group replies": lambda t: say(nobodys(t), "dan"),
    "note": lambda t: actions.add_note(t, actor=person("dan"), message=message("Between us.")),
    "status": lambda t: move(t, "Waiting on Customer"),
    "status, same to customers": same_to_customers,
    "reply that resolves": lambda t: say(t, "eve", status=Status.objects.get(name="Resolved"), type=TicketType.objects.first()),
    "resolved": lambda t: move(t, "Resolved"),
    "fix confirmed": lambda t: actions.confirm_fix(t, actor=person("ana")),
    "closed by requester": lambda t: actions.close(t, actor=person("ana")),
    "closed by itself": closes_itself,
    "reopened by follower": after(lambda t: move(t, "Resolved"), lambda t: actions.reopen(t, actor=person("fay"))),
    "assigned": lambda t: actions.assign(t, actor=person("eve"), assignee=person("dan")),
    "taken": lambda t: actions.take(t, actor=person("max")),
    "group changed": lambda t: actions.set_group(t, actor=person("dan"), group=AgentGroup.objects.get(name="DevOps")),
    "type": lambda t: actions.set_type(t, actor=person("dan"), type=TicketType.objects.first()),
    "priority": lambda t: actions.set_priority(t, actor=person("dan"), priority=Priority.objects.first()),
    "priority is told": lambda t: actions.set_priority(
        t, actor=person("dan"), priority=Priority.objects.first(), message=message("It is high.")
    ),
    "teammate is named": lambda t: say(t, "ana", "@Ben Ode, look."),
    "muted one is named": lambda t: say(t, "ana", "@Mia, look."),
    "outsider is named": lambda t: say(t, "ana", "@Cleo Roy, look."),
    "colleague is named inside": lambda t: actions.add_note(t, actor=person("dan"), message=message("@Max Manager, look.")),
    "teammate follows": lambda t: sharing.follow(t, actor=person("ben")),
    "muted one follows again": lambda t: sharing.follow(t, actor=person("mia")),
    "teammate is added": lambda t: sharing.add_follower(t, actor=person("ana"), person=person("ben")),
    "outsider is added": lambda t: sharing.add_follower(t, actor=person("dan"), person=person("cleo")),
    "colleague follows": lambda t: sharing.follow(t, actor=person("max")),
    "follower stops": lambda t: preferences.stop(t, person("fay")),
    "follower is removed": lambda t: sharing.remove_follower(t, actor=person("dan"), person=person("fay")),
    "private one is shared": lambda t: sharing.add_organization(
        settled(make_ticket(person("ana"), share=False)), actor=person("ana"), organization=Organization.objects.get(name="Acme")
    ),
    "sharing is taken back": lambda t: sharing.remove_organization(
        t, actor=person("ana"), organization=Organization.objects.get(name="Acme")
    ),
    "requester is changed": lambda t: sharing.change_requester(t, actor=person("dan"), requester=person("ben")),
    "spam": lambda t: move(t, "Spam"),
    "spam, requester replies": after(lambda t: move(t, "Spam"), lambda t: say(t, "ana")),
    "merged": lambda t: merging.merge(t, into=settled(make_ticket(person("ana"))), actor=person("dan")),
    "merge is undone": after(
        lambda t: merging.merge(t, into=make_ticket(person("ana")), actor=person("dan")),
        lambda t: merging.unmerge(Ticket.objects.get(pk=t.pk), actor=person("dan")),
    ),
    "another merged into it": told_of_the_other_alone,
    "tagged, snoozed": lambda t: tag_and_snooze(t, actor=person("dan")),
    "no spam": after(lambda t: move(t, "Spam"), lambda t: move(t, "Open")),
}


@pytest.fixture
def ticket(workflow, acme, ana, ben, cleo, dan, eve, max_admin) -> Ticket:
    fay, mia, stan = (make_user(f"{name.lower()}@acme.example", name, acme) for name in ("Fay", "Mia", "Stan"))
    carla, lena = (make_user(f"{name.lower()}@support.example", name, role=Role.CSM) for name in ("Carla", "Lena"))
    Organization.objects.filter(pk=acme.pk).update(delivery_lead=lena)
    preferences.follow_all(stan, [acme])
    ticket = make_ticket(ana, actor=carla)
    for follower in (fay, mia):
        sharing.follow(ticket, actor=follower)
    ticket.follower_rows.filter(user=mia).update(is_muted=True)
    actions.assign(ticket, actor=dan, assignee=eve)
    return settled(ticket)


@pytest.mark.parametrize("event", EVENTS)
def test_event_when_it_happens_then_exactly_these_are_mailed(ticket, event):
    EVENTS[event](ticket)
    relay_waiting()
    signs = {"confirmation": "C", "update": "U", "shared": "S"}
    mails = list(Delivery.objects.exclude(state=State.SENT).select_related("recipient"))
    told = {mail.recipient.name.split()[0].lower(): signs.get(mail.kind, mail.kind) for mail in mails}
    assert len(told) == len(mails)  # one mail a person
    assert [told.get(name, ".") for name in PEOPLE] == EXPECTED[event]


def test_matrix_when_read_then_has_a_row_for_each_event_and_no_other():
    assert set(EXPECTED) == set(EVENTS)
