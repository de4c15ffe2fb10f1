"""Configuration is for admins alone, and can't be broken by a slip."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AgentGroup, EmailDomain, Membership, Organization, Role, User
from notifications.channels import deliver_due
from notifications.models import Delivery
from notifications.relay import relay_waiting
from tests.factories import make_ticket, make_user, message
from tickets import actions, sharing
from tickets.mail.tokens import read_reply_address, reply_address
from tickets.models import Mailbox, Priority, Status, Ticket, TicketType

pytestmark = pytest.mark.django_db

MODELS = [
    "accounts_user",
    "accounts_organization",
    "accounts_agentgroup",
    "tickets_articlesection",
    "tickets_status",
    "tickets_tickettype",
    "tickets_priority",
    "tickets_productarea",
    "tickets_mailbox",
    "tickets_businesscalendar",
    "tickets_slapolicy",
]
PAGES = ["index", *(f"{model}_{page}" for model in MODELS for page in ("changelist", "add"))]


def logged_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def office(workflow, max_admin) -> Client:
    """Max's browser."""
    return logged_in(max_admin)


def fields(page) -> dict[str, str]:
    """What the form of a page holds, as a browser would send it back."""
    formsets = [inline.formset for inline in page.context["inline_admin_formsets"]]
    forms = [page.context["adminform"].form, *(form for formset in formsets for form in (formset.management_form, *formset.initial_forms))]
    values = {field.html_name: field.value() for form in forms for field in form}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def change(client, thing, **data):
    address = reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_change", args=[thing.pk])
    sent = {**fields(client.get(address)), **data}
    return client.post(address, {"_touched": "1"} | {name: value for name, value in sent.items() if value is not None})


def add(client, model, **data):
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    return client.post(address, {**fields(client.get(address)), **data})


def errors(response) -> list[str]:
    return [str(error) for found in response.context["errors"] for error in (found if isinstance(found, list) else [found])]


# --- Who gets in ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_page_when_admin_asks_then_is_shown(office, page):
    assert office.get(reverse(f"admin:{page}")).status_code == 200


@pytest.mark.parametrize("page", ["index", "login", "logout", "password_change", "jsi18n", "autocomplete", "app_list", *PAGES[1:]])
@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.AGENT, Role.CSM])
def test_page_when_others_ask_then_nothing_is_there(workflow, page, role):
    client = logged_in(make_user("other@support.example", role=role))
    address = reverse(f"admin:{page}", args=["accounts"] if page == "app_list" else [])
    assert (client.get(address).status_code, client.post(address).status_code) == (404, 404)


def test_page_when_switched_off_admin_asks_then_leads_to_login(office, max_admin):
    User.objects.filter(pk=max_admin.pk).update(is_active=False)
    assert office.get("/admin/").status_code == 302


def test_page_when_anonymous_then_leads_to_our_own_login(client):
    response = client.get("/admin/tickets/status/", follow=True)
    assert response.redirect_chain[-1] == ("/accounts/login/?next=%2Fadmin%2Ftickets%2Fstatus%2F", 302)


def test_login_when_posted_to_the_admin_then_is_not_tried_there(client, max_admin):
    response = client.post("/admin/login/", {"username": max_admin.email, "password": "correct horse battery"})
    assert (response.status_code, response["Location"], "_auth_user_id" in client.session) == (
        302,
        "/accounts/login/?next=%2Fadmin%2F",
        False,
    )


def test_password_when_to_be_changed_then_is_changed_on_our_page(office):
    assert office.get("/admin/password_change/")["Location"] == "/accounts/password/change/"


def test_admin_when_listed_then_holds_configuration_alone():
    """Nothing of other packages: Django's own groups, which grant nothing here, would stand beside the agents'."""
    assert {model.__name__ for model in admin.site._registry} == {
        "User",
        "Organization",
        "AgentGroup",
        "ArticleSection",
        "Status",
        "TicketType",
        "Priority",
        "ProductArea",
        "Mailbox",
        "BusinessCalendar",
        "SlaPolicy",
    }


@pytest.mark.parametrize("page", PAGES)
def test_page_when_shown_then_has_no_inline_script(office, page):
    html = office.get(reverse(f"admin:{page}")).content.decode()
    inline = [tag for tag in re.findall(r"<script[^>]*>", html) if "src=" not in tag and "application/json" not in tag]
    assert (inline, re.findall(r"\son\w+=", html)) == ([], [])


@pytest.mark.parametrize("model", MODELS)
def test_list_when_searched_then_answers(office, model):
    assert office.get(reverse(f"admin:{model}_changelist"), {"q": "support"}).status_code == 200


@pytest.mark.parametrize("rows", [1, 25])
@pytest.mark.parametrize(("model", "queries"), [("accounts_user", 5), ("accounts_organization", 6)])
def test_list_when_long_then_asks_no_more(office, django_assert_num_queries, model, queries, rows):
    for number in range(rows):
        organization = Organization.objects.create(name=f"Customer {number}")
        EmailDomain.objects.create(organization=organization, domain=f"c{number}.example")
        make_user(f"p{number}@c{number}.example", organization=organization)
    with django_assert_num_queries(queries):
        office.get(reverse(f"admin:{model}_changelist"))


# --- People --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("password", "usable"), [("", False), ("a long enough phrase", True)])
def test_person_when_added_then_has_the_role_and_maybe_a_password(office, password, usable):
    add(office, User, email="New@Acme.Example", name="New", role="agent", password=password)
    person = User.objects.get(email="new@acme.example")
    assert (person.role, person.is_active, person.has_usable_password(), person.check_password(password)) == ("agent", True, usable, usable)


def test_person_when_password_is_weak_then_is_not_added(office):
    response = add(office, User, email="new@acme.example", role="agent", password="12345")
    assert (response.status_code, User.objects.filter(email="new@acme.example").exists()) == (200, False)


def test_person_when_address_differs_by_case_then_is_not_added_again(office, ana):
    response = add(office, User, email="ANA@acme.example", role="customer", password="")
    assert (response.status_code, User.objects.filter(email__iexact="ana@acme.example").count()) == (200, 1)


def test_person_when_switched_off_then_is_out_at_once(office, dan):
    desk = logged_in(dan)
    assert change(office, dan, is_active=None).status_code == 302
    assert desk.get("/desk/").status_code == 302


def test_person_when_shown_then_no_hash_is(office, ana):
    assert "argon2" not in office.get(reverse("admin:accounts_user_change", args=[ana.pk])).content.decode()
    assert ana.password not in office.get(reverse("admin:accounts_user_change", args=[ana.pk])).content.decode()


def test_person_when_address_changes_then_has_to_be_proven_again(office, ana):
    User.objects.filter(pk=ana.pk).update(proven_at=ana.created_at)
    change(office, ana, email="ana@globex.example")
    changed = User.objects.get(pk=ana.pk)
    assert (changed.email, changed.proven_at, changed.token_generation) == ("ana@globex.example", None, ana.token_generation + 1)


def test_person_when_role_changes_then_is_logged_out_and_older_reply_addresses_are_worthless(office, dan):
    desk, older = logged_in(dan), reply_address(ticket_id=1, user=dan)
    assert change(office, dan, role="customer").status_code == 302
    assert desk.get("/profile/").status_code == 302
    assert read_reply_address(older) is None


def test_agent_when_made_a_customer_then_keeps_nothing_that_they_followed_as_one(office, acme, ana, dan):
    acme.delivery_lead = dan
    acme.save()
    followed, own = make_ticket(ana), make_ticket(dan)
    sharing.follow(followed, actor=dan)
    actions.comment(followed, actor=ana, message=message("Still blank."))
    relay_waiting()
    change(office, dan, role="customer")
    demoted = User.objects.get(pk=dan.pk)
    pages = [logged_in(demoted).get(f"/tickets/{ticket.number}/").status_code for ticket in (followed, own)]
    assert (pages, demoted.agent_groups.count(), demoted.led_organizations.count()) == ([404, 200], 0, 0)
    deliver_due()
    waiting = Delivery.objects.filter(recipient=demoted, ticket=followed)
    assert (waiting.exists(), set(waiting.values_list("state", flat=True))) == (True, {"cancelled"})


def test_person_when_switched_off_and_on_again_then_old_sessions_stay_ended(office, ana):
    portal = logged_in(ana)
    change(office, ana, is_active=None)
    change(office, ana, is_active="on")
    assert portal.get("/profile/").status_code == 302


def test_person_when_only_the_name_changes_then_stays_logged_in(office, ana):
    portal = logged_in(ana)
    change(office, ana, name="Ana Maria")
    assert portal.get("/profile/").status_code == 200


def test_person_when_to_be_deleted_then_is_not(office, ana):
    address = reverse("admin:accounts_user_delete", args=[ana.pk])
    assert (office.get(address).status_code, office.post(address, {"post": "yes"}).status_code) == (403, 403)


def test_admin_when_it_is_oneself_then_keeps_role_and_access(office, max_admin):
    change(office, max_admin, role="customer", is_active=None, name="Max")
    kept = User.objects.get(pk=max_admin.pk)
    assert (kept.role, kept.is_active, kept.name) == ("admin", True, "Max")


# --- Organizations and groups --------------------------------------------------------------------------------------------------


def inline(prefix: str, total: int, **data) -> dict[str, object]:
    return {f"{prefix}-TOTAL_FORMS": total, **{f"{prefix}-0-{name}": value for name, value in data.items()}}


def test_organization_when_given_a_domain_then_has_it(office, acme):
    change(office, acme, **inline("domains", 1, domain="Acme.Example"))
    assert list(acme.domains.values_list("domain", flat=True)) == ["acme.example"]


def test_membership_when_posted_to_the_admin_then_is_neither_begun_nor_ended_there(office, acme, ana, solo):
    before = list(Membership.objects.values())
    change(office, acme, is_active=None, **inline("memberships", 2, user=solo.pk, organization=acme.pk, is_active="on", DELETE="on"))
    change(office, ana, **inline("memberships", 1, user=ana.pk, organization=acme.pk, is_active="", DELETE="on"))
    acme.refresh_from_db()
    assert (list(Membership.objects.values()), acme.is_active) == (before, True)


@pytest.mark.parametrize("domain", ["gmail.com", "support.example", "nonsense", "globex.example"])
def test_organization_when_domain_is_not_its_own_then_says_so(office, acme, globex, domain):
    EmailDomain.objects.create(organization=globex, domain="globex.example")
    assert change(office, acme, **inline("domains", 1, domain=domain)).status_code == 200
    assert acme.domains.count() == 0


def test_organization_when_tickets_are_shared_with_it_then_is_not_deleted(office, acme, ana):
    make_ticket(ana)
    response = office.post(reverse("admin:accounts_organization_delete", args=[acme.pk]), {"post": "yes"}, follow=True)
    assert ("Switch it off at the desk instead" in response.content.decode(), Organization.objects.filter(pk=acme.pk).exists()) == (
        True,
        True,
    )


def test_default_group_when_another_is_made_default_then_moves(office):
    devops = AgentGroup.objects.get(name="DevOps")
    assert change(office, devops, is_default="on").status_code == 302
    assert list(AgentGroup.objects.filter(is_default=True)) == [devops]


# --- Workflow ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "field"), [(Status, "status"), (TicketType, "type"), (Priority, "priority")])
def test_entry_when_in_use_then_is_retired_not_deleted(office, ana, model, field):
    used = model.objects.last()
    ticket = make_ticket(ana)
    Ticket.objects.filter(pk=ticket.pk).update(**{field: used})
    Status.objects.filter(pk=used.pk).update(is_default=False) if model is Status else None
    response = office.post(reverse(f"admin:tickets_{model._meta.model_name}_delete", args=[used.pk]), {"post": "yes"}, follow=True)
    assert (
        "is in use, so it can&#x27;t be deleted. Retire it instead" in response.content.decode(),
        model.objects.filter(pk=used.pk).exists(),
    ) == (True, True)


def test_entry_when_unused_then_can_be_deleted(office):
    unused = TicketType.objects.create(name="Slip")
    office.post(reverse("admin:tickets_tickettype_delete", args=[unused.pk]), {"post": "yes"})
    assert not TicketType.objects.filter(pk=unused.pk).exists()


def test_default_status_when_to_be_deleted_then_stays(office):
    waiting = Status.objects.get(category="waiting", is_default=True)
    response = office.post(reverse("admin:tickets_status_delete", args=[waiting.pk]), {"post": "yes"}, follow=True)
    assert ("Automatic moves lead to" in response.content.decode(), Status.objects.filter(pk=waiting.pk).exists()) == (True, True)


def test_default_status_when_another_is_made_default_then_moves(office):
    dev = Status.objects.get(name="Waiting on Dev Team")
    assert change(office, dev, is_default="on").status_code == 302
    assert list(Status.objects.filter(category="waiting", is_default=True)) == [dev]


@pytest.mark.parametrize("data", [{"is_default": None}, {"is_retired": "on"}, {"category": "open"}])
def test_default_status_when_it_would_leave_none_then_says_so(office, data):
    status = Status.objects.get(name="Open")
    response = change(office, status, **data)
    assert (response.status_code, "first." in " ".join(errors(response))) == (200, True)
    assert Status.objects.filter(category="new", is_default=True).get() == status


def test_status_when_it_is_not_resolved_then_does_not_close_by_itself(office):
    response = change(office, Status.objects.get(name="Waiting on Dev Team"), closes_after="2d")
    assert errors(response) == ["Only a resolved ticket closes by itself."]


@pytest.mark.parametrize(
    ("written", "hours", "shown"),
    [
        ("2d", 48, ("2d", "2 days")),
        ("48h", 48, ("2d", "2 days")),
        ("1d 12h", 36, ("1d 12h", "36 hours")),
        ("90 minutes", 1.5, ("1h 30m", "90 minutes")),
    ],
)
def test_status_when_it_closes_by_itself_then_the_time_is_read_and_said_as_people_do(office, written, hours, shown):
    resolved = Status.objects.get(name="Resolved")
    assert change(office, resolved, closes_after=written).status_code == 302
    resolved.refresh_from_db()
    page = office.get(reverse("admin:tickets_status_change", args=[resolved.pk]))
    said = (page.context["adminform"].form["closes_after"].value(), shown[1])
    assert (resolved.closes_after, said) == (timedelta(hours=hours), shown)
    assert f">{shown[1]}<" in office.get(reverse("admin:tickets_status_changelist")).content.decode()


def test_status_when_its_time_can_not_be_read_then_says_how_to_write_it(office):
    response = change(office, Status.objects.get(name="Resolved"), closes_after="2 00:00:00")
    assert errors(response) == ["“2 00:00:00” is no time. Write it such as 2d, 48h or 1d 12h."]


def test_priority_when_shown_then_is_placed_by_its_level_alone(office):
    page = office.get(reverse("admin:tickets_priority_change", args=[Priority.objects.first().pk]))
    assert list(page.context["adminform"].form.fields) == ["name", "level", "definition", "public_comment", "is_retired"]


# --- Mailboxes -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mailbox(workflow):
    return Mailbox.objects.create(
        name="CSM",
        address="csm@support.example",
        imap_host="imap.example",
        imap_password="hunter2hunter2",
        oauth_client_secret="hunter2-secret",
        oauth_refresh_token="hunter2-refresh",
        oauth_access_token="hunter2-access",
        oauth_expires_at=timezone.now(),
        imap_uid_validity=7,
        imap_last_uid=70,
    )


def test_mailbox_when_shown_then_its_password_is_not(office, mailbox):
    pages = [
        office.get(reverse("admin:tickets_mailbox_change", args=[mailbox.pk])),
        office.get(reverse("admin:tickets_mailbox_changelist")),
    ]
    assert ["hunter2" in page.content.decode() for page in pages] == [False, False]


SECRETS = ["imap_password", "oauth_client_secret", "oauth_refresh_token"]


@pytest.mark.parametrize("typed", ["", "another one"])
@pytest.mark.parametrize("secret", SECRETS)
def test_mailbox_when_saved_then_keeps_a_secret_unless_another_is_typed(office, mailbox, secret, typed):
    kept = [typed or getattr(mailbox, name) if name == secret else getattr(mailbox, name) for name in SECRETS]
    assert change(office, mailbox, **{secret: typed}).status_code == 302
    assert [getattr(Mailbox.objects.get(pk=mailbox.pk), name) for name in SECRETS] == kept
    assert "hunter2" not in " ".join(LogEntry.objects.values_list("change_message", flat=True))


OAUTH = [{"oauth_token_url": "http://login.example/token"}, {"imap_login": "oauth2"}, {"imap_login": "oauth2", "oauth_client_id": "x"}]


@pytest.mark.parametrize(
    ("data", "place", "token"),
    [
        ({"name": "Other", "oauth_refresh_token": "", "oauth_client_secret": "", "imap_password": ""}, (7, 70), "hunter2-access"),
        ({"imap_folder": "Work"}, (None, 0), "hunter2-access"),
        ({"imap_host": "imap.other.example"}, (None, 0), "hunter2-access"),
        ({"imap_user": "other"}, (None, 0), ""),
        ({"oauth_refresh_token": "new"}, (7, 70), ""),
    ],
)
def test_mailbox_when_it_becomes_another_account_then_what_was_kept_of_the_first_is_gone(office, mailbox, data, place, token):
    change(office, mailbox, **data)
    mailbox.refresh_from_db()
    assert ((mailbox.imap_uid_validity, mailbox.imap_last_uid), mailbox.oauth_access_token) == (place, token)


def told(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def test_mailbox_when_tried_then_says_what_is_wrong_and_is_saved(office, mailbox):
    answer = change(office, mailbox, _try="1", name="Tried", imap_host="127.0.0.1", imap_port="1")
    assert answer.url == reverse("admin:tickets_mailbox_change", args=[mailbox.pk])
    assert told(office.get(answer.url)) == ["Saved, but the mailbox can't be polled. 127.0.0.1 takes no connections at port 1."]
    assert Mailbox.objects.get(pk=mailbox.pk).name == "Tried"


def test_mailbox_when_added_and_tried_without_a_host_then_says_so(office, workflow):
    answer = add(office, Mailbox, _try="1", name="New", address="new@support.example")
    assert answer.url == reverse("admin:tickets_mailbox_change", args=[Mailbox.objects.get(name="New").pk])
    assert told(office.get(answer.url)) == ["Saved. Without a host there is nothing to try."]


def test_mailbox_when_tried_with_mistakes_then_is_not_tried(office, mailbox):
    assert change(office, mailbox, _try="1", imap_port="0").status_code == 200


@pytest.mark.parametrize("data", [{"imap_port": "0"}, {"imap_port": "70000"}, {"address": "a+b@support.example"}, {"address": "x"}, *OAUTH])
def test_mailbox_when_it_makes_no_sense_then_is_refused(office, mailbox, data):
    assert change(office, mailbox, **data).status_code == 200
