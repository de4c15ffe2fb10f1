from __future__ import annotations

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Membership, Organization
from tests.portal.pages import errors, has, typed, words
from tickets.models import Attachment, Channel, Ticket

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


def test_page_when_opened_then_costs_three_queries(client, ana, django_assert_num_queries):
    client.force_login(ana)
    with django_assert_num_queries(3):  # session, person, organizations
        client.get("/tickets/new/")


def test_submit_when_the_disk_is_full_then_says_so_and_opens_nothing(client, ana, tmp_path, settings):
    (tmp_path / "full").touch()
    settings.MEDIA_ROOT = str(tmp_path / "full" / "media")
    client.force_login(ana)
    sent = {"subject": "Blank", "text": "See the log.", "share": "me", "files": SimpleUploadedFile("log.txt", b"line")}
    answer = client.post("/tickets/new/", sent, follow=True, headers={"Referer": "http://testserver/tickets/new/"})
    assert (answer.status_code, "“log.txt” could not be stored" in answer.content.decode(), Ticket.objects.count()) == (200, True, 0)
