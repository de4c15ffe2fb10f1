"""The people of a ticket: who is shown, shared with, found and removed, in the portal."""

from __future__ import annotations

import pytest

from accounts.models import Invitation, Membership, Organization, Role, User
from tests.factories import make_ticket, make_user, message
from tests.portal.pages import errors, has, words
from tests.tickets.test_actions import everything
from tickets import access, actions, sharing
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

NOBODY = "None of your colleagues has that name."


@pytest.fixture
def ticket(ana, dan) -> Ticket:
    """Ana's, in Acme."""
    return make_ticket(ana)


@pytest.fixture
def lia(acme) -> User:
    """Looks after Acme."""
    acme.delivery_lead = make_user("lia@support.example", "Lia Lead", role=Role.CSM)
    acme.save()
    return acme.delivery_lead


def post(client, person, ticket, path, /, **data):
    client.force_login(person)
    return client.post(f"/tickets/{ticket.number}/{path}/", data, follow=True)


def get(client, person, path):
    client.force_login(person)
    return client.get(path)


def on(ticket) -> list[str]:
    return list(ticket.follower_rows.order_by("pk").values_list("user__name", flat=True))


def shared_with(ticket) -> list[str]:
    return list(ticket.organizations.order_by("name").values_list("name", flat=True))


def row(ticket, person) -> int:
    """By which a follower is removed; 0 for who is none."""
    return ticket.follower_rows.filter(user=person).values_list("pk", flat=True).first() or 0


def deeds(ben, acme, ticket) -> list[str]:
    return [
        "share",
        f"people/{ben.pk}/add",
        f"followers/{row(ticket, ben)}/remove",
        f"organizations/{acme.pk}/add",
        f"organizations/{acme.pk}/remove",
    ]


# --- The ladder ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["cleo", "solo"])
def test_deed_when_person_is_a_stranger_then_is_404_and_does_nothing(client, request, cleo, solo, acme, ben, ticket, who):
    stranger = request.getfixturevalue(who)
    before = everything(ticket)
    answers = [post(client, stranger, ticket, deed, person=ben.pk, confirm="yes").status_code for deed in deeds(ben, acme, ticket)]
    assert (answers, everything(ticket)) == ([404] * 5, before)


def test_deed_when_asked_for_by_get_then_does_nothing(client, acme, ana, ben, ticket):
    sharing.add_follower(ticket, actor=ana, person=ben)
    before = everything(ticket)
    answers = [get(client, ana, f"/tickets/{ticket.number}/{deed}/?confirm=yes").status_code for deed in deeds(ben, acme, ticket)]
    assert (answers, everything(ticket)) == ([405, 405, 200, 405, 200], before)


def test_deed_when_of_staff_then_leads_to_the_desk_and_does_nothing(client, acme, ben, dan, ticket):
    before = everything(ticket)
    for deed in deeds(ben, acme, ticket):
        assert post(client, dan, ticket, deed, person=ben.pk, confirm="yes").redirect_chain == [(f"/desk/tickets/{ticket.number}/", 302)]
    assert everything(ticket) == before


# --- Sharing with a person -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["Ben Ode", " ben  ODE ", "ben@acme.example"])
def test_share_when_a_teammate_is_written_then_sees_it_and_the_page_says_so(client, ana, ben, ticket, written):
    ticket.share_rows.all().delete()
    response = post(client, ana, ticket, "share", who=written)
    assert has(response, "Shared with Ben Ode.", "Ana Ford shared the ticket with Ben Ode") == [True, True]
    assert (access.can_see(ben, ticket), on(ticket)) == (True, ["Ana Ford", "Ben Ode"])


def test_share_when_chosen_twice_then_is_there_once(client, ana, ben, ticket):
    for _ in range(2):
        post(client, ana, ticket, "share", person=ben.pk, who="Ben Ode")
    assert (on(ticket), ticket.events.count()) == (["Ana Ford", "Ben Ode"], 2)


def test_share_when_the_delivery_lead_is_meant_then_is_on_it_for_all_to_see(client, ana, lia, ticket):
    assert has(post(client, ana, ticket, "share", who="Lia Lead"), "Shared with Lia Lead.", "Lia Lead Support") == [True, True]


FOREIGN = {
    "foreign name": lambda cleo: {"who": "Cleo Roy"},
    "foreign address": lambda cleo: {"who": "cleo@globex.example"},
    "foreign id": lambda cleo: {"person": cleo.pk},
    "staff": lambda cleo: {"who": "Dan Support"},
    "unknown name": lambda cleo: {"who": "Nobody Known"},
    "unknown address": lambda cleo: {"who": "nobody@globex.example"},
    "unknown id": lambda cleo: {"person": 10**6},
    "huge id": lambda cleo: {"person": 10**30},
    "no id": lambda cleo: {"person": "1 OR 1"},
    "NUL": lambda cleo: {"person": "\0", "who": "\0x"},
    "foreign organization": lambda cleo: {"organization": cleo.organizations.get().pk},
    "unknown organization": lambda cleo: {"organization": 10**6},
}


@pytest.mark.parametrize("case", FOREIGN)
def test_share_when_person_is_foreign_or_unknown_then_the_answer_is_one(client, acme, ana, cleo, ticket, case):
    acme.invitations_by_members = "nobody"
    acme.save()
    before = everything(ticket)
    response = post(client, ana, ticket, "share", **FOREIGN[case](cleo))
    assert (response.status_code, errors(response), everything(ticket)) == (422, [f"{NOBODY} Check how it is written."], before)


def test_share_when_one_of_a_list_is_foreign_then_nobody_is_added(client, ana, ben, cleo, ticket):
    before = everything(ticket)
    response = post(client, ana, ticket, "share", person=[ben.pk, cleo.pk])
    assert (response.status_code, everything(ticket)) == (422, before)


@pytest.mark.parametrize(("written", "second"), [("ben", "Ben Too"), ("Ben Ode", "Ben Ode")])
def test_share_when_it_may_mean_several_then_asks_whom(client, acme, ana, ben, ticket, written, second):
    make_user("ben2@acme.example", second, acme)
    response = post(client, ana, ticket, "share", who=written)
    assert (response.status_code, has(response, "Choose one.", "Ben Ode", second), on(ticket)) == (422, [True] * 3, ["Ana Ford"])
    assert response.content.decode().count('type="radio" name="person"') == 2


@pytest.mark.parametrize("written", ["", " ", "a@", "@", "x" * 300])
def test_share_when_nonsense_is_written_then_says_what_to_do(client, ana, ticket, written):
    response = post(client, ana, ticket, "share", who=written)
    assert (response.status_code, len(errors(response)), on(ticket)) == (422, 1, ["Ana Ford"])


def test_share_when_done_very_often_then_has_to_wait(client, monkeypatch, ana, ben, ticket):
    monkeypatch.setattr("tickets.portal.views.ticket.SHARE_LIMIT", 1)
    client.force_login(ana)
    codes = [client.post(f"/tickets/{ticket.number}/share/", {"person": ben.pk}).status_code for _ in range(2)]
    assert codes == [302, 429]


# --- New addresses -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["cleo@globex.example", "new@globex.example"])
def test_share_when_with_an_address_then_known_and_new_look_alike(client, acme, ana, cleo, ticket, address):
    acme.invitations_by_members = "anybody"
    acme.save()
    response = post(client, ana, ticket, "share", who=address)
    local = address.partition("@")[0]
    assert has(response, f"An invitation is on its way to {address}.", f"{local} invited", f"shared the ticket with {local}") == [True] * 3
    assert (has(response, "Cleo Roy"), Invitation.objects.get().address) == ([False], address)
    assert not access.can_see(User.objects.get(email=address), ticket)


@pytest.mark.parametrize("address", ["cleo@globex.example", "new@globex.example"])
def test_share_when_the_address_is_of_no_domain_of_ours_then_known_and_new_are_refused_alike(client, ana, cleo, ticket, address):
    before = everything(ticket)
    response = post(client, ana, ticket, "share", who=address)
    assert (response.status_code, everything(ticket)) == (422, before)
    assert errors(response) == ["Only people with an address at – can be invited here. Ask support for anybody else."]


def test_share_when_member_of_two_then_asks_into_which_the_address_is_invited(client, acme, globex, ana, ticket):
    Membership.objects.create(user=ana, organization=globex)
    Organization.objects.update(invitations_by_members="anybody")
    assert errors(post(client, ana, ticket, "share", who="new@else.example")) == ["Choose the organization that this person belongs to."]
    post(client, ana, ticket, "share", who="new@else.example", into=globex.pk)
    assert Invitation.objects.get().organization == globex


# --- Organizations -------------------------------------------------------------------------------------------------------------


def test_organization_when_own_then_is_offered_and_shared_with(client, globex, ana, cleo, ticket):
    Membership.objects.create(user=ana, organization=globex)
    assert has(get(client, ana, f"/tickets/{ticket.number}/"), "Share with everybody at Globex") == [True]
    assert has(post(client, ana, ticket, f"organizations/{globex.pk}/add"), "Shared with everybody at Globex.") == [True]
    assert (shared_with(ticket), access.can_see(cleo, ticket)) == (["Acme", "Globex"], True)


@pytest.mark.parametrize("pk", ["foreign", 10**6, 10**30])
def test_organization_when_foreign_or_unknown_then_is_404(client, globex, ana, ticket, pk):
    before = everything(ticket)
    pk = globex.pk if pk == "foreign" else pk
    answers = [post(client, ana, ticket, f"organizations/{pk}/{deed}", confirm="yes").status_code for deed in ("add", "remove")]
    assert (answers, everything(ticket)) == ([404, 404], before)


def test_organization_when_removed_without_a_yes_then_says_what_will_be_lost_and_does_nothing(client, acme, ana, ben, ticket):
    make_user("fay@acme.example", "Fay Fan", acme)
    before = everything(ticket)
    asked = post(client, ben, ticket, f"organizations/{acme.pk}/remove")
    assert has(asked, "You will lose this ticket.", "Fay Fan", "Whoever follows the ticket keeps seeing it.") == [True] * 3
    assert has(post(client, ana, ticket, f"organizations/{acme.pk}/remove"), "You will lose this ticket.", "it stays yours") == [
        False,
        True,
    ]
    assert everything(ticket) == before


def test_organization_when_own_is_removed_then_who_lost_the_ticket_is_told_in_the_list(client, acme, ben, ticket):
    response = post(client, ben, ticket, f"organizations/{acme.pk}/remove", confirm="yes")
    assert response.redirect_chain == [("/tickets/", 302)]
    assert has(response, f"Acme no longer sees this ticket. You no longer see ticket #{ticket.number}.") == [True]
    assert client.get(f"/tickets/{ticket.number}/").status_code == 404


def test_organization_when_foreign_is_to_be_removed_then_nobody_of_it_is_named(client, globex, ana, cleo, dan, ticket):
    sharing.add_organization(ticket, actor=dan, organization=globex)
    asked = get(client, ana, f"/tickets/{ticket.number}/organizations/{globex.pk}/remove/")
    assert has(asked, "The people at Globex will no longer see it", "Cleo") == [True, False]
    post(client, ana, ticket, f"organizations/{globex.pk}/remove", confirm="yes")
    assert shared_with(ticket) == ["Acme"]


def test_requester_when_own_organization_is_removed_then_shares_again(client, acme, ana, ben, ticket):
    post(client, ana, ticket, f"organizations/{acme.pk}/remove", confirm="yes")
    assert shared_with(ticket) == []
    post(client, ana, ticket, f"organizations/{acme.pk}/add")
    post(client, ana, ticket, "share", who="Ben Ode")
    assert (shared_with(ticket), on(ticket)) == (["Acme"], ["Ana Ford", "Ben Ode"])


# --- Taking people off ---------------------------------------------------------------------------------------------------------


def test_teammate_when_removed_then_is_gone_at_once_and_can_be_brought_back(client, ana, ben, ticket):
    sharing.add_follower(ticket, actor=ana, person=ben)
    response = post(client, ana, ticket, f"followers/{row(ticket, ben)}/remove")
    assert has(response, "Ben Ode is no longer on this ticket.", "Undo", "removed Ben Ode from the ticket") == [True] * 3
    assert f'action="/tickets/{ticket.number}/people/{ben.pk}/add/"' in response.content.decode()
    post(client, ana, ticket, f"people/{ben.pk}/add")
    assert on(ticket) == ["Ana Ford", "Ben Ode"]


def test_stranger_when_removed_then_asks_first_as_there_is_no_way_back(client, ana, cleo, dan, ticket):
    sharing.add_follower(ticket, actor=dan, person=cleo)
    assert has(post(client, ana, ticket, f"followers/{row(ticket, cleo)}/remove"), "You can't add them again by yourself") == [True]
    assert on(ticket) == ["Ana Ford", "Cleo Roy"]
    post(client, ana, ticket, f"followers/{row(ticket, cleo)}/remove", confirm="yes")
    assert (on(ticket), access.can_see(cleo, ticket)) == (["Ana Ford"], False)


def test_follower_when_leaving_then_asks_first_and_then_shows_the_list(client, cleo, dan, ticket):
    sharing.add_follower(ticket, actor=dan, person=cleo)
    assert has(post(client, cleo, ticket, f"followers/{row(ticket, cleo)}/remove"), "Leave this ticket?", "You will lose this ticket.") == [
        True,
        True,
    ]
    response = post(client, cleo, ticket, f"followers/{row(ticket, cleo)}/remove", confirm="yes")
    assert (response.redirect_chain, has(response, "You left the ticket. You no longer see ticket")) == ([("/tickets/", 302)], [True])


@pytest.mark.parametrize("who", ["cleo", "solo"])
def test_newcomer_when_shown_then_nothing_tells_whether_we_knew_the_address(client, request, acme, ana, ticket, who):
    known = request.getfixturevalue(who)
    Organization.objects.update(invitations_by_members="anybody")
    page = post(client, ana, ticket, "share", who=known.email).content.decode()
    assert (f"/people/{known.pk}/" in page, f"/followers/{row(ticket, known)}/remove/" in page) == (False, True)


@pytest.mark.parametrize("who", ["requester", "hidden staff", "foreign", "unknown", "huge"])
def test_person_when_not_to_be_removed_then_is_404(client, ana, ben, cleo, dan, ticket, who):
    sharing.follow(ticket, actor=dan)
    other = make_ticket(cleo)
    before = everything(ticket)
    rows = {"requester": row(ticket, ana), "hidden staff": row(ticket, dan), "foreign": row(other, cleo), "unknown": 10**6, "huge": 10**30}
    for actor in (ana, ben):
        assert post(client, actor, ticket, f"followers/{rows[who]}/remove", confirm="yes").status_code == 404
    assert everything(ticket) == before


# --- The panel -----------------------------------------------------------------------------------------------------------------


def test_people_when_shown_then_each_has_their_part(client, acme, ana, ben, cleo, dan, eve, lia):
    ticket = make_ticket(ana, actor=lia, share_with=acme)
    actions.comment(ticket, actor=dan, message=message("Hello."))
    actions.add_note(ticket, actor=eve, message=message("Hm."))
    sharing.add_follower(ticket, actor=dan, person=cleo)
    sharing.follow(ticket, actor=eve)
    people = get(client, ben, f"/tickets/{ticket.number}/").context["people"]
    assert (people.requester, people.filer, people.support, people.organizations) == (ana, lia, [dan], [acme])
    assert [(one.display_name, one.can_remove, one.asks) for one in people.followers] == [("Cleo Roy", True, True)]


def test_history_when_staff_shared_it_then_names_only_those_who_wrote(client, globex, ana, dan, eve, ticket):
    sharing.add_organization(ticket, actor=eve, organization=globex)
    sharing.add_follower(ticket, actor=eve, person=dan)
    read = words(get(client, ana, f"/tickets/{ticket.number}/"))
    assert [one in read for one in ("Support shared the ticket with Globex", "Eve Devops", "Dan Support", "@")] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("count", [1, 50])
def test_page_when_many_are_on_it_then_asks_no_more(client, acme, ana, ticket, django_assert_num_queries, count):
    for at in range(count):
        sharing.add_follower(ticket, actor=ana, person=make_user(f"p{at}@acme.example", f"Person {at}", acme))
    client.force_login(ana)
    with django_assert_num_queries(13):  # see tests/portal/test_ticket.py
        assert client.get(f"/tickets/{ticket.number}/").status_code == 200


# --- Finding -------------------------------------------------------------------------------------------------------------------


def found(client, person, **query) -> list[str]:
    client.force_login(person)
    return [one["name"] for one in client.get("/people/find/", query).json()["people"]]


def test_find_when_customer_types_then_gets_teammates_and_the_lead_alone(client, ana, ben, cleo, dan, lia):
    assert (found(client, ana), found(client, ana, q="o"), found(client, ana, q="lia")) == (
        ["Ben Ode", "Lia Lead"],
        ["Ben Ode"],
        ["Lia Lead"],
    )
    assert [found(client, ana, q=word) for word in ("cleo", "dan", "ben@acme.example", "\0", "x" * 5000)] == [
        [],
        [],
        [],
        found(client, ana),
        [],
    ]


def test_find_when_a_teammate_has_no_name_then_tells_no_more_of_the_address_than_is_shown(client, ana, acme):
    make_user("kim.doe@private.example", "", acme)
    words = ("kim", "KIM.d", "kim.doe@", "kim.doe@p", "private")
    assert [found(client, ana, q=word) for word in words] == [["kim.doe"], ["kim.doe"], [], [], []]


def test_find_when_customer_reads_then_gets_no_address(client, ana, ben, lia):
    client.force_login(ana)
    assert "@" not in client.get("/people/find/").content.decode()


def test_find_when_about_a_ticket_then_leaves_out_who_is_on_it(client, ana, ben, lia, ticket):
    sharing.follow(ticket, actor=lia)  # which customers do not know
    assert found(client, ana, ticket=ticket.number) == ["Ben Ode", "Lia Lead"]
    sharing.follow(ticket, actor=ben)
    assert found(client, ana, ticket=ticket.number) == ["Lia Lead"]


@pytest.mark.parametrize("number", ["foreign", "0", "x", "-1", "٣", "1" * 40])
def test_find_when_ticket_is_foreign_or_nonsense_then_is_404(client, cleo, ticket, number):
    client.force_login(cleo)
    assert client.get("/people/find/", {"ticket": ticket.number if number == "foreign" else number}).status_code == 404


def test_find_when_staff_type_then_gets_anybody_by_name_or_address_and_organizations(client, globex, ana, cleo, dan):
    client.force_login(dan)
    answer = client.get("/people/find/", {"q": "globex"}).json()
    assert [one["name"] for one in (*answer["people"], *answer["organizations"])] == ["Cleo Roy", "Globex"]


def test_find_when_many_match_then_answers_eight_with_few_questions(client, acme, ana, django_assert_num_queries):
    for at in range(20):
        make_user(f"p{at}@acme.example", f"Person {at:02}", acme)
    client.force_login(ana)
    with django_assert_num_queries(3):  # session, person, people
        assert len(client.get("/people/find/", {"q": "person"}).json()["people"]) == 8


def test_find_when_asked_very_often_then_has_to_wait(client, monkeypatch, ana):
    monkeypatch.setattr("tickets.people._LIMIT", 1)
    client.force_login(ana)
    assert [client.get("/people/find/").status_code for _ in range(2)] == [200, 429]
