"""Organizations and people at the desk: found, added, changed; a CSM writes to their own alone."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import invitations
from accounts.models import EmailDomain, Invitation, Membership, Organization, Role, User
from accounts.proof import prove_address
from notifications.models import Delivery, Kind
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def csm(client, acme):
    csm = make_user("csm@support.example", "Clara Csm", role=Role.CSM)
    Organization.objects.filter(pk=acme.pk).update(delivery_lead=csm)
    client.force_login(csm)
    return csm


@pytest.fixture
def desk(client, dan):
    client.force_login(dan)
    return client


def names(page) -> list[str]:
    return [row.name for row in page.context["page"].rows]


def test_list_when_a_csm_looks_then_shows_their_own_first(client, csm, acme, globex):
    url = reverse("desk_organizations")
    assert [names(client.get(url)), names(client.get(url + "?whose=all"))] == [["Acme"], ["Acme", "Globex"]]


@pytest.mark.parametrize(
    ("query", "found"), [("glo", ["Globex"]), ("acme.ex", ["Acme"]), ("nothing", []), ("\0", ["Acme", "Globex"]), ("%", [])]
)
def test_list_when_searched_then_finds_by_name_and_domain(desk, acme, globex, query, found):
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    assert names(desk.get(reverse("desk_organizations"), {"q": query})) == found


def test_organization_when_added_then_has_its_page(desk, dan):
    answer = desk.post(
        reverse("desk_organization_new"),
        {"name": "Initech", "delivery_lead": dan.pk, "invitations_by_members": "nobody", "inviters_at_most": "domains"},
    )
    made = Organization.objects.get()
    assert (answer.url, made.name, made.delivery_lead, made.invitations_by_members) == (
        reverse("desk_organization", args=[made.pk]),
        "Initech",
        dan,
        "nobody",
    )


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "Acme"}, {"delivery_lead": "999"}, {"invitations_by_members": "x"}, {"name": "x" * 200}]
)
def test_organization_when_form_is_wrong_then_says_so_and_keeps_the_rest(desk, acme, fields):
    page = desk.post(
        reverse("desk_organization_new"), {"name": "Initech", "invitations_by_members": "nobody", "inviters_at_most": "domains"} | fields
    )
    assert (
        page.status_code,
        Organization.objects.count(),
        "errorlist" in page.content.decode() or "message-error" in page.content.decode(),
    ) == (
        422,
        1,
        True,
    )


def test_organization_when_a_csm_adds_one_then_leads_it(client, csm):
    client.post(
        reverse("desk_organization_new"),
        {"name": "Mine", "delivery_lead": csm.pk, "invitations_by_members": "domains", "inviters_at_most": "domains"},
    )
    page = client.post(
        reverse("desk_organization_new"), {"name": "Nobody's", "invitations_by_members": "domains", "inviters_at_most": "domains"}
    )
    assert (page.status_code, set(Organization.objects.values_list("name", flat=True))) == (422, {"Acme", "Mine"})


@pytest.mark.parametrize("domain", ["gmail.com", "support.example", "globex.example", "nonsense", "", "a@b.example", "\0.example"])
def test_domain_when_it_is_not_their_own_then_is_refused(desk, acme, globex, domain, settings):
    settings.SUPPORT_DOMAIN = "support.example"
    EmailDomain.objects.create(organization=globex, domain="globex.example")
    page = desk.post(reverse("desk_organization_add_domain", args=[acme.pk]), {"domain": domain})
    assert (page.status_code, acme.domains.count()) == (422, 0)


def test_domain_when_added_and_removed_then_guesses_made_by_it_never_begin(desk, acme):
    desk.post(reverse("desk_organization_add_domain", args=[acme.pk]), {"domain": "Acme.Example"})
    guessed = User.objects.admit("new@acme.example")
    desk.post(reverse("desk_organization_remove_domain", args=[acme.pk, acme.domains.get().pk]))
    prove_address(guessed)
    assert (list(guessed.active_organizations()), acme.domains.count()) == ([], 0)


_CHANGES = {
    "desk_organization_change": {"name": "Other", "invitations_by_members": "anybody", "inviters_at_most": "anybody"},
    "desk_organization_switch": {},
    "desk_organization_add_domain": {"domain": "new.example"},
    "desk_organization_invite": {"address": "new@acme.example"},
    "desk_organization_manager": {"manager": "yes"},
    "desk_organization_remove": {},
    "desk_organization_resend": {},
    "desk_organization_revoke": {},
    "desk_organization_remove_domain": {},
}


def state() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (Organization, EmailDomain, Membership, Invitation)]


@pytest.mark.parametrize("name", _CHANGES)
def test_csm_when_writing_to_anothers_organization_then_nothing_changes(client, csm, globex, cleo, dan, name):
    domain = EmailDomain.objects.create(organization=globex, domain="globex.example")
    invited = invitations.invite(actor=dan, organization=globex, address="new@globex.example")
    last = {"manager": cleo.pk, "remove": cleo.pk, "resend": invited.pk, "revoke": invited.pk}.get(name.rpartition("_")[2])
    args = [globex.pk, domain.pk] if name.endswith("remove_domain") else [globex.pk, *([last] if last else [])]
    before = state()
    assert client.post(reverse(name, args=args), _CHANGES[name]).status_code in (403, 422)
    assert state() == before
    assert "Send the invitation" not in client.get(reverse("desk_organization", args=[globex.pk])).content.decode()


def test_page_when_worked_on_then_each_deed_is_done(desk, acme, ana, ben):
    def post(deed: str, *args: int, **fields: object) -> None:
        assert desk.post(reverse(f"desk_organization_{deed}", args=[acme.pk, *args]), fields).status_code == 302

    post("change", name="Acme Ltd", invitations_by_members="anybody", inviters_at_most="anybody")
    post("invite", address="new@else.example", name="Nia")
    post("manager", ana.pk, manager="yes")
    post("remove", ben.pk)
    post("revoke", Invitation.objects.get().pk)
    acme.refresh_from_db()
    assert (acme.name, acme.invitations_by_members) == ("Acme Ltd", "anybody")
    assert list(Membership.objects.filter(is_active=True).values_list("user", "is_manager")) == [(ana.pk, True)]
    assert not Invitation.objects.pending().exists()
    post("switch")
    assert not ana.active_organizations().exists()
    post("switch", active="yes")
    assert ana.active_organizations().exists()


@pytest.mark.parametrize("many", [1, 50])
def test_pages_when_there_is_much_then_ask_no_more(desk, acme, dan, django_assert_num_queries, many):
    for number in range(many):
        make_user(f"p{number}@acme.example", organization=acme)
        Organization.objects.create(name=f"Customer {number}", delivery_lead=dan)
        EmailDomain.objects.create(organization=acme, domain=f"d{number}.example")
        Invitation.objects.create(
            organization=acme,
            person=make_user(f"q{number}@x.example"),
            address=f"q{number}@x.example",
            invited_by=dan,
            expires_at=timezone.now(),
        )
    for name, queries in {"desk_organizations": 4, "desk_people": 4}.items():
        with django_assert_num_queries(queries):
            desk.get(reverse(name))
    with django_assert_num_queries(8):
        desk.get(reverse("desk_organization", args=[acme.pk]))


# --- People --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("query", "found"), [("ana", ["Ana Ford"]), ("ACME.example", ["Ana Ford", "Ben Ode"]), ("dan", [])])
def test_people_when_searched_then_are_found_by_name_and_address(desk, ana, ben, query, found):
    assert names(desk.get(reverse("desk_people"), {"q": query})) == found


def test_people_when_staff_are_asked_for_then_shows_them_alone(desk, ana, dan):
    assert names(desk.get(reverse("desk_people") + "?who=staff")) == ["Dan Support"]


def test_person_when_added_to_none_then_gets_a_mail_to_set_a_password(desk, workflow):
    answer = desk.post(reverse("desk_person_new"), {"address": "New@Else.example", "name": "Nia"})
    person = User.objects.get(email="new@else.example")
    assert (answer.url, person.name, Delivery.objects.get(recipient=person).kind) == (
        reverse("desk_person", args=[person.pk]),
        "Nia",
        Kind.SET_PASSWORD,
    )


def test_person_when_added_to_an_organization_then_is_invited(desk, acme):
    desk.post(reverse("desk_person_new"), {"address": "new@else.example", "organization": acme.pk})
    assert Invitation.objects.get().organization == acme


def test_person_when_here_already_then_staff_are_told(desk, ana):
    page = desk.post(reverse("desk_person_new"), {"address": ana.email})
    assert (page.status_code, "is here already" in page.content.decode()) == (422, True)


def test_csm_when_adding_people_then_into_their_own_organizations_alone(client, csm, acme, globex):
    url = reverse("desk_person_new")
    answers = [client.post(url, {"address": "new@else.example", "organization": pk}).status_code for pk in ("", globex.pk, acme.pk)]
    assert answers == [422, 422, 302]


@pytest.mark.parametrize("is_proven", [True, False])
def test_person_when_put_into_an_organization_then_at_once_or_by_invitation(desk, solo, acme, is_proven):
    if is_proven:
        prove_address(solo)
    desk.post(reverse("desk_person_add_to", args=[solo.pk]), {"organization": acme.pk})
    assert (acme in solo.active_organizations(), Invitation.objects.exists()) == (is_proven, not is_proven)


@pytest.mark.parametrize("number", ["", "x", "9" * 30, "\u0663", "-1"])
def test_person_when_put_into_nonsense_then_nothing_happens(desk, solo, acme, number):
    assert desk.post(reverse("desk_person_add_to", args=[solo.pk]), {"organization": number}).status_code == 302
    assert not Membership.objects.exists()
