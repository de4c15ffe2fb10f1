from __future__ import annotations

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Membership, Organization
from notifications import relay, render
from notifications.audience import audience
from notifications.models import Delivery, Kind
from tests.factories import make_ticket, make_user
from tests.portal.pages import errors, has, typed, words
from tickets import access, actions
from tickets.events import describe
from tickets.models import Attachment, Channel, ProductArea, Ticket
from tickets.portal import forms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("workflow")]


def submit(client, **fields):
    return client.post(
        "/tickets/new/", {"subject": "Player is blank", "text": "Since today.", "share": "me", "key": str(uuid4()), **fields}
    )


def one(name="log.txt", content=b"one line"):
    return SimpleUploadedFile(name, content)


def test_submit_when_complete_then_opens_a_ticket_and_leads_to_it(client, ana, acme):
    client.force_login(ana)
    response = submit(client, share=acme.pk, files=[one(), one("b.txt")])
    ticket = Ticket.objects.get()
    assert (response.status_code, response.url) == (302, f"/tickets/{ticket.number}/")
    assert (ticket.subject, ticket.requester, ticket.filer, ticket.channel) == ("Player is blank", ana, None, Channel.PORTAL)
    assert (list(ticket.organizations.all()), ticket.comments.get().text) == ([acme], "Since today.")
    assert sorted(Attachment.objects.values_list("name", flat=True)) == ["b.txt", "log.txt"]
    assert has(client.get(response.url), f"We have your ticket, number {ticket.number}.", ana.email) == [True, True]


def test_submit_when_only_for_me_then_teammates_do_not_see_it(client, ana, ben):
    client.force_login(ana)
    address = submit(client).url
    client.force_login(ben)
    assert client.get(address).status_code == 404


def test_form_when_person_has_one_organization_then_shares_with_it_by_default(client, ana, acme):
    client.force_login(ana)
    assert client.get("/tickets/new/").context["form"]["share"].value() == str(acme.pk)


def test_form_when_person_has_none_then_does_not_ask(client, solo):
    client.force_login(solo)
    assert has(client.get("/tickets/new/"), "Who can see it?") == [False]
    submit(client, share="1")
    assert Ticket.objects.get().organizations.count() == 0


def test_form_when_person_has_several_then_they_choose(client, ana, globex):
    Membership.objects.create(user=ana, organization=globex)
    client.force_login(ana)
    assert errors(submit(client, share="")) == ["Choose who may see this ticket."]
    submit(client, share=globex.pk)
    assert list(Ticket.objects.get().organizations.all()) == [globex]


@pytest.mark.parametrize("share", ["{globex}", "0", "x", "\0", "9" * 40])
def test_submit_when_organization_is_not_ones_own_then_is_refused(client, ana, globex, share):
    client.force_login(ana)
    response = submit(client, share=share.format(globex=globex.pk))
    assert (response.status_code, errors(response), Ticket.objects.count()) == (422, ["Choose who may see this ticket."], 0)


def test_submit_when_membership_is_not_active_then_is_refused(client, ana, acme):
    Organization.objects.filter(pk=acme.pk).update(is_active=False)
    client.force_login(ana)
    submit(client, share=acme.pk)
    assert Ticket.objects.get().organizations.count() == 0


def test_submit_when_sent_twice_then_is_one_ticket(client, ana):
    client.force_login(ana)
    key = str(uuid4())
    first, second = submit(client, key=key), submit(client, key=key)
    assert (first.url, Ticket.objects.count()) == (second.url, 1)


def test_submit_when_key_is_anothers_then_opens_nothing_of_theirs(client, ana, cleo):
    key = str(uuid4())
    client.force_login(ana)
    submit(client, key=key)
    client.force_login(cleo)
    response = submit(client, key=key, text="Kept")
    assert (response.status_code, typed(response), Ticket.objects.count()) == (409, "Kept", 1)
    assert submit(client, key=response.context["form"]["key"].value()).status_code == 302


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"subject": ""}, "Write in a few words what this is about."),
        ({"subject": " \0\r\n "}, "Write in a few words what this is about."),
        ({"subject": "s" * 100_000}, "Shorten this to 250 characters; it has 100,000 now."),
        ({"text": ""}, "Describe what happened, so that we can help."),
        ({"text": "\0\x07 "}, "Describe what happened, so that we can help."),
        ({"text": "t" * 100_001}, "This is 100,001 characters long, and 100,000 fit. Shorten it, or attach it as a file."),
        ({"files": [one("e.log", b"")]}, "“e.log” is empty. Look whether it is the right file, and choose it again."),
        ({"files": [one(f"{at}.txt") for at in range(30)]}, "Attach at most 20 files at a time; these were 30."),
    ],
)
def test_submit_when_something_is_wrong_then_says_what_and_keeps_the_rest(client, ana, fields, complaint):
    client.force_login(ana)
    response = submit(client, **fields)
    assert (response.status_code, errors(response), Ticket.objects.count()) == (422, [complaint], 0)
    assert typed(response) == ("Since today." if "text" not in fields else fields["text"].strip())


def test_submit_when_file_is_too_large_then_names_it_and_the_limit(client, ana):
    client.force_login(ana)
    response = submit(client, files=[one("video.mp4", b"x" * (26 * 1024 * 1024))])
    assert errors(response) == ["“video.mp4” has 26.0\xa0MB, and a file may have 25.0\xa0MB. Make it smaller, or send a link to it."]


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "a\0b"},
        {"subject": "s" * 250, "text": "t" * 100_000},
        {"text": "\ud7ff\u202e\x1b[31m"},
        {"key": "nonsense"},
        {"key": "\0"},
        {"subject": "<script>alert(1)</script>"},
        {"text": ["first", "last"]},
        {"seen": "9" * 5000},
        {"files": [one("n" * 300 + ".txt"), one("../../etc/passwd"), one("a\u202egnp.exe")]},
        {"files": "no file"},
    ],
)
def test_submit_when_input_is_odd_but_harmless_then_opens_the_ticket(client, ana, fields):
    client.force_login(ana)
    response = submit(client, **fields)
    assert (response.status_code, client.get(response.url).status_code) == (302, 200)


def test_submit_when_it_holds_markup_then_is_shown_as_typed(client, ana):
    client.force_login(ana)
    address = submit(client, subject="<b>x</b>", text="<script>alert(1)</script>").url
    page = client.get(address)
    assert (b"<b>x" in page.content, b"<script>alert" in page.content) == (False, False)
    assert "<script>alert(1)</script>" in words(page)


def test_submit_when_too_often_then_is_put_off_with_everything_kept(client, ana):
    client.force_login(ana)
    assert [submit(client).status_code for _at in range(10)] == [302] * 10
    response = submit(client, text="The eleventh")
    assert (response.status_code, typed(response), Ticket.objects.count()) == (429, "The eleventh", 10)
    assert has(response, "That was a lot in a short time.") == [True]


def test_page_when_anonymous_then_asks_to_log_in(client):
    assert client.get("/tickets/new/").url == "/accounts/login/?next=/tickets/new/"
    assert submit(client).url == "/accounts/login/?next=/tickets/new/"


def test_page_when_staff_then_leads_to_the_desk(client, dan):
    client.force_login(dan)
    assert (client.get("/tickets/new/").url, submit(client).url, Ticket.objects.count()) == ("/desk/tickets/", "/desk/tickets/", 0)


def test_page_when_deleted_then_is_refused(client, ana):
    client.force_login(ana)
    assert client.delete("/tickets/new/").status_code == 405


@pytest.mark.parametrize("teammates", [1, 50])
def test_page_when_opened_then_costs_five_queries(client, ana, acme, teammates, django_assert_num_queries):
    for at in range(teammates):
        make_user(f"mate{at}@acme.example", organization=acme)
    client.force_login(ana)
    with django_assert_num_queries(5):  # session, person, product areas, organizations, people
        client.get("/tickets/new/")


def test_submit_when_shared_with_people_then_they_follow_and_each_is_told_once(client, ana, ben, acme, dan):
    acme.delivery_lead = dan
    acme.save()
    client.force_login(ana)
    page = client.get("/tickets/new/")
    assert has(page, "Only me, support, and the people I name below", "Ben Ode", "Dan Support (support)") == [True, True, True]
    submit(client, people=[ben.pk, dan.pk])
    ticket = Ticket.objects.get()
    assert set(ticket.followers.all()) == {ana, ben, dan}
    assert access.can_see(ben, ticket)
    event = ticket.events.get()
    assert describe(event, for_staff=True) == "opened the ticket and shared the ticket with Ben Ode, Dan Support"
    told = {(one.user, one.kind) for one in audience(event)}
    assert told == {(ana, Kind.CONFIRMATION), (ben, Kind.SHARED), (dan, Kind.SHARED)}


def test_mail_when_shared_from_the_start_then_holds_the_words(client, ana, ben):
    client.force_login(ana)
    submit(client, people=[ben.pk], text="It stays blank since noon.")
    relay.relay_waiting()
    sent = render.render(Delivery.objects.get(recipient=ben))
    assert ["Ana Ford shared ticket" in sent.body, "It stays blank since noon." in sent.body] == [True, True]


@pytest.mark.parametrize("people", ["{cleo}", "{dan}", "{ana}", "0", "x", "\0", "9" * 40, "-1", "{ben},{cleo}"])
def test_submit_when_person_can_not_be_found_by_them_then_is_refused_alike(client, ana, ben, cleo, dan, people):
    client.force_login(ana)
    chosen = people.format(ana=ana.pk, ben=ben.pk, cleo=cleo.pk, dan=dan.pk).split(",")
    response = submit(client, people=chosen)
    refusal = "You can't share with one of those people any more. Look at the list, and choose again."
    assert (response.status_code, errors(response), Ticket.objects.count()) == (422, [refusal], 0)


def test_submit_when_there_are_too_many_people_to_list_then_takes_addresses(client, ana, ben, cleo, monkeypatch):
    monkeypatch.setattr(forms, "_LISTED", 0)
    client.force_login(ana)
    refusal = "You can share with people of your own organization. Nobody there has this address: {}."
    assert errors(submit(client, people="Ben@acme.example, cleo@globex.example")) == [refusal.format("cleo@globex.example")]
    assert errors(submit(client, people="nobody@else.example")) == [refusal.format("nobody@else.example")]
    submit(client, people=" Ben@acme.example;\0")
    assert set(Ticket.objects.get().followers.all()) == {ana, ben}


def test_form_when_person_has_no_organization_then_shares_with_nobody(client, solo, ben):
    client.force_login(solo)
    submit(client, people=[ben.pk])
    assert set(Ticket.objects.get().followers.all()) == {solo}


def test_verb_when_person_can_not_be_found_then_opens_nothing(ana, cleo):
    with pytest.raises(actions.NotAllowed):
        make_ticket(ana, people=[cleo])
    assert Ticket.objects.count() == 0


def test_submit_when_the_disk_is_full_then_says_so_and_opens_nothing(client, ana, tmp_path, settings):
    (tmp_path / "full").touch()
    settings.MEDIA_ROOT = str(tmp_path / "full" / "media")
    client.force_login(ana)
    sent = {"subject": "Blank", "text": "See the log.", "share": "me", "files": SimpleUploadedFile("log.txt", b"line")}
    answer = client.post("/tickets/new/", sent, follow=True, headers={"Referer": "http://testserver/tickets/new/"})
    assert (answer.status_code, "“log.txt” could not be stored" in answer.content.decode(), Ticket.objects.count()) == (200, True, 0)


def test_form_when_there_are_product_areas_then_asks_and_support_reads_it(client, ana, dan):
    client.force_login(ana)
    assert has(client.get("/tickets/new/"), "Product area") == [False]
    player, _old = ProductArea.objects.create(name="Player"), ProductArea.objects.create(name="Flash player", is_retired=True)
    assert has(client.get("/tickets/new/"), "Product area", "Not sure, or something else", "Flash player") == [True, True, False]
    submit(client, area=player.pk)
    ticket = Ticket.objects.get()
    assert ticket.area == player
    client.force_login(dan)
    assert ["Product area" in words(page) for page in (client.get(f"/desk/tickets/{ticket.number}/"),)] == [True]
    client.post(f"/desk/tickets/{ticket.number}/area/", {"area": "", "seen": ticket.events.latest("pk").pk})
    event = ticket.events.latest("pk")
    assert (describe(event, for_staff=True), event.is_internal, Ticket.objects.get().area) == ("removed the product area", True, None)


def test_submit_when_area_is_left_out_then_is_none(client, ana):
    ProductArea.objects.create(name="Player")
    client.force_login(ana)
    submit(client, area="")
    assert Ticket.objects.get().area is None


@pytest.mark.parametrize("area", ["0", "x", "\0", "9" * 40])
def test_submit_when_area_is_not_in_the_list_then_says_so(client, ana, area):
    ProductArea.objects.create(name="Player")
    client.force_login(ana)
    assert errors(submit(client, area=area)) == ["Choose an area of the list."]
