"""File for a customer: who may, for whom, what becomes of it, and who hears of it."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from accounts.models import EmailDomain, Membership, Role, User
from notifications.models import Delivery
from notifications.relay import relay_waiting
from tests.desk.conftest import logged_in
from tests.desk.pages import words
from tests.factories import make_ticket, make_user, message, new_file
from tests.portal.pages import errors
from tests.portal.pages import words as portal_words
from tickets import access, actions, filing
from tickets.models import Priority, Ticket, TicketType

pytestmark = pytest.mark.django_db


@pytest.fixture
def carla(workflow, acme):
    """Looks after Acme, whose domain is acme.example."""
    carla = make_user("carla@support.example", "Carla Lead", role=Role.CSM)
    acme.delivery_lead = carla
    acme.save()
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    return carla


@pytest.fixture
def csm(carla):
    """Carla's browser."""
    return logged_in(carla)


def file(client, email, **fields):
    fields = {"subject": "Player is blank", "text": "Since this morning.", "tell": "on", "share": "", "key": str(uuid4()), **fields}
    return client.post("/desk/tickets/new/", {"email": email, **fields})


def mails() -> list[tuple[str, str]]:
    """To whom which mail goes, in the order of people."""
    relay_waiting()
    return sorted(Delivery.objects.values_list("recipient__email", "kind"))


def test_filing_when_for_a_member_then_the_customer_owns_it_and_the_csm_follows(csm, carla, ana, ben, acme):
    answer = file(csm, "Ana@Acme.example", files=[new_file().content])
    ticket = Ticket.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/desk/tickets/{ticket.number}/")
    assert (ticket.requester, ticket.filer, ticket.description.author, set(ticket.followers.all())) == (ana, carla, carla, {ana, carla})
    assert list(ticket.organizations.all()) == [acme]
    assert access.can_see(ben, ticket)


def test_filing_when_told_then_mail_goes_to_the_customer_and_names_the_filer(csm, ana, dan):
    file(csm, ana.email)
    assert mails() == [("ana@acme.example", "confirmation"), ("dan@support.example", "update")]


def test_filing_when_not_told_then_the_customer_hears_from_the_first_answer_on(csm, ana, dan):
    file(csm, ana.email, tell="")
    assert mails() == [("dan@support.example", "update")]
    actions.comment(Ticket.objects.get(), actor=dan, message=message("Try again."))
    assert mails() == [("ana@acme.example", "update"), ("carla@support.example", "update"), ("dan@support.example", "update")]


def test_filing_when_the_customer_answers_then_the_filer_hears_as_a_follower(csm, ana, dan):
    file(csm, ana.email, tell="")
    mails()
    Delivery.objects.all().delete()
    actions.comment(Ticket.objects.get(), actor=ana, message=message("Still so."))
    assert mails() == [("carla@support.example", "update"), ("dan@support.example", "update")]


@pytest.mark.parametrize("tell", ["on", ""])
def test_filing_when_the_person_is_new_then_they_get_an_account_and_a_link_once_it_is_meant(csm, acme, tell):
    refused = file(csm, "nora@acme.example", tell=tell)
    assert (refused.status_code, errors(refused), User.objects.filter(email="nora@acme.example").exists()) == (
        422,
        ["Nobody here has this address. If it is right, tick the box to make an account."],
        False,
    )
    file(csm, "nora@acme.example", is_new="on", name="Nora New", tell=tell)
    nora = User.objects.get(email="nora@acme.example")
    membership = nora.memberships.get()
    assert (nora.name, membership.is_active, membership.awaits_proof, nora.has_usable_password()) == ("Nora New", False, True, False)
    assert list(Ticket.objects.get().organizations.all()) == [acme]
    hers = [kind for address, kind in mails() if address == nora.email]
    assert hers == (["confirmation", "set_password"] if tell else [])


FOREIGN = ["cleo@globex.example", "nobody@globex.example", "ghost@nowhere.example", "dan@support.example", "gone@globex.example"]


@pytest.mark.parametrize("address", FOREIGN)
def test_filing_when_the_csm_looks_after_no_such_person_then_the_answer_is_that_of_nobody(csm, cleo, dan, globex, address):
    User.objects.create_user("gone@globex.example", is_active=False)
    EmailDomain.objects.create(organization=globex, domain="globex.example")
    people = User.objects.count()
    answer = file(csm, address, is_new="on")
    assert (answer.status_code, errors(answer)) == (422, [filing.refusal()])
    assert "Globex" not in words(answer)
    assert (Ticket.objects.count(), User.objects.count()) == (0, people)


def test_filing_when_the_form_is_gone_round_then_the_verb_refuses(carla, cleo, ana, globex):
    with pytest.raises(actions.NotAllowed):
        filing.file_ticket(actor=carla, address=cleo.email, subject="x", message=message())
    with pytest.raises(actions.NotAllowed):
        filing.file_ticket(actor=ana, address=ana.email, subject="x", message=message())
    with pytest.raises(actions.NotAllowed):
        filing.file_ticket(actor=carla, address=ana.email, subject="x", message=message(), share_with=globex)
    assert Ticket.objects.count() == 0


def test_filing_when_the_csm_no_longer_leads_then_is_refused(csm, carla, ana, acme):
    acme.delivery_lead = None
    acme.save()
    assert errors(file(csm, ana.email)) == [filing.refusal()]


def test_filing_when_by_an_agent_then_for_anybody(desk, cleo, globex):
    assert file(desk, cleo.email).status_code == 302
    ticket = Ticket.objects.get()
    assert (ticket.requester, list(ticket.organizations.all())) == (cleo, [globex])


@pytest.mark.parametrize("address", ["no-reply@acme.example", "postmaster@acme.example", "MAILER-DAEMON@acme.example"])
def test_filing_when_for_a_machine_then_it_gets_no_account(desk, csm, address):
    for client in (desk, csm):
        assert errors(file(client, address, is_new="on")) == ["Nobody reads what is mailed to this address. Write that of a person."]
    assert not User.objects.filter(email=address.lower()).exists()


def test_filing_when_the_customer_has_several_organizations_then_one_is_chosen(csm, ana, acme, globex):
    Membership.objects.create(user=ana, organization=globex)
    asked = file(csm, ana.email)
    assert (asked.status_code, errors(asked)) == (422, ["Choose who may see this ticket."])
    assert ["Everybody at Acme" in words(asked), "Everybody at Globex" in words(asked)] == [True, True]
    file(csm, ana.email, share=str(globex.pk))
    assert list(Ticket.objects.get().organizations.all()) == [globex]


def test_filing_when_for_the_customer_alone_then_teammates_see_nothing(csm, ana, ben):
    file(csm, ana.email, share="them")
    assert [access.can_see(person, Ticket.objects.get()) for person in (ana, ben)] == [True, False]


def test_filing_when_properties_are_given_then_the_ticket_has_them(csm, ana):
    priority, bug = Priority.objects.get(name="High"), TicketType.objects.get(name="Bug")
    file(csm, ana.email, priority=priority.pk, type=bug.pk)
    ticket = Ticket.objects.get()
    assert (ticket.priority, ticket.type) == (priority, bug)


def test_filing_when_sent_twice_then_is_one_ticket(csm, ana):
    key = str(uuid4())
    assert [file(csm, ana.email, key=key).status_code for _time in range(2)] == [302, 302]
    assert Ticket.objects.count() == 1


def test_filing_when_the_forms_key_is_anothers_then_says_so(csm, ana, ben):
    key = uuid4()
    make_ticket(ben, message=message(submission_key=key))
    answer = file(csm, ana.email, key=str(key))
    assert (answer.status_code, "Send it again" in words(answer), Ticket.objects.count()) == (409, True, 1)


def test_history_when_filed_then_says_who_for_whom(client, csm, ana, ben):
    file(csm, ana.email)
    ticket = Ticket.objects.get()
    assert "filed the ticket for Ana Ford" in words(csm.get(f"/desk/tickets/{ticket.number}/"))
    client.force_login(ana)
    assert "filed by Carla Lead for you" in portal_words(client.get(f"/tickets/{ticket.number}/"))
    client.force_login(ben)
    assert "filed by Carla Lead for Ana Ford" in portal_words(client.get(f"/tickets/{ticket.number}/"))


def test_page_when_a_csms_then_completes_their_people_alone(csm, desk, ana, ben, cleo):
    def completed(client):
        return set(re.findall(r'<option value="([^"]+@[^"]+)"', client.get("/desk/tickets/new/").content.decode()))

    assert (completed(csm), completed(desk)) == ({"ana@acme.example", "ben@acme.example"}, set())


def test_page_when_it_names_a_person_then_it_is_theirs_and_nobody_elses(csm, desk, ana, cleo):
    assert ['value="ana@acme.example"' in csm.get(f"/desk/tickets/new/?for={ana.pk}").content.decode()] == [True]
    for client, wanted in ((csm, False), (desk, True)):
        assert (
            'type="email" name="email" value="cleo@globex.example"' in client.get(f"/desk/tickets/new/?for={cleo.pk}").content.decode()
        ) is wanted


@pytest.mark.parametrize("query", ["for=x", "for=" + "9" * 18, "for=" + "9" * 400, "for=%00", "for=-1", "for=²"])
def test_page_when_its_query_is_nonsense_then_is_empty(csm, query):
    assert csm.get(f"/desk/tickets/new/?{query}").status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "x"},
        {"email": "a\0b@acme.example"},
        {"email": "a" * 5000 + "@acme.example"},
        {"priority": "x"},
        {"share": "x"},
        {"type": "\0"},
        {"group": "9" * 400},
    ],
)
def test_form_when_nonsense_then_keeps_what_was_typed(csm, ana, fields):
    answer = file(csm, fields.pop("email", ana.email), **fields)
    assert (answer.status_code, "Since this morning." in answer.content.decode(), Ticket.objects.count()) == (422, True, 0)


@pytest.mark.parametrize("count", [1, 50])
def test_page_when_the_csm_has_many_people_then_costs_the_same(csm, acme, ana, django_assert_num_queries, count):
    for at in range(count - 1):
        make_user(f"p{at}@acme.example", f"Person {at}", acme)
    with django_assert_num_queries(7):  # session, person; priorities, types, groups; people, their organizations
        csm.get("/desk/tickets/new/")
