"""Views that somebody keeps beside the queue: whose they are, who may change them, what they count, and what their rows show."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import AgentGroup
from tests.desk.conftest import logged_in
from tests.desk.pages import rows, words
from tests.factories import make_ticket
from tickets import actions, saved_views, tagging
from tickets.models import Priority, SavedView, Ticket, TicketType

QUEUE = "/desk/tickets/"


def keep(client, name: str, q: str = "", audience: str = "mine", **more):
    return client.post(reverse("desk_view_new"), {"name": name, "q": q, "audience": audience, **more}, follow=True)


def beside(page) -> dict[str, dict[str, str]]:
    """Names of the kept views with their counts, by heading."""
    return {heading: {row["label"]: row["count"] for row in listed} for heading, listed in page.context["saved"]}


@pytest.fixture
def devops(workflow):
    return AgentGroup.objects.get(name="DevOps")


def test_view_when_kept_then_shows_counts_and_outlives_new_names(desk, ana, cleo, devops):
    mine, _other = make_ticket(ana, group=devops), make_ticket(cleo)
    page = keep(desk, "Ops", "group:DevOps is:waiting", sort="created")
    assert (rows(page), page.context["title"], page.context["sort"], beside(page)) == (
        [mine.pk],
        "Ops",
        "created",
        {"My views": {"Ops": "1"}},
    )
    AgentGroup.objects.filter(pk=devops.pk).update(name="Plant room")
    view = SavedView.objects.get()
    page = desk.get(page.context["saved"][0][1][0]["href"].replace("DevOps", "x"))  # an old link: the view's own is made anew
    href = page.context["saved"][0][1][0]["href"]
    assert desk.get(href).context["text"] == 'group:"Plant room" is:waiting'
    assert (view.text, rows(desk.get(href))) == (f"group:#{devops.pk} is:waiting", [mine.pk])


def test_view_when_its_query_is_edited_then_says_so_and_is_saved_renamed_moved_and_deleted(desk, ticket):
    keep(desk, "First", "type:none")
    page = keep(desk, "Second", "type:none")
    second = SavedView.objects.get(name="Second")
    edited = desk.get(QUEUE, {"q": "priority:none", "view": second.pk, "type": "none", "was": "priority:none"}, follow=True)
    assert (edited.context["text"], "View (changed)" in words(edited)) == ("priority:none type:none", True)
    address = reverse("desk_view", args=[second.pk])
    page = desk.post(address, {"name": "Renamed", "q": "priority:none", "audience": "mine"}, follow=True)
    assert (page.context["title"], "View (changed)" in words(page)) == ("Renamed", False)
    page = desk.post(address, {"do": "up"}, follow=True)
    assert list(beside(page)["My views"]) == ["Renamed", "First"]
    desk.post(address, {"do": "up"})
    page = desk.post(address, {"do": "delete"}, follow=True)
    assert ("The view “Renamed” is deleted." in words(page), list(beside(page)["My views"])) == (True, ["First"])
    undo = str(next(iter(page.context["messages"])).extra_tags)
    page = desk.post(undo, follow=True)
    assert (list(beside(page)["My views"]), page.context["text"]) == (["First", "Renamed"], "priority:none")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"name": ""}, "Give the view a name."),
        ({"name": "x", "q": "statsu:open"}, "There is no field “statsu”"),
        ({"name": "x", "audience": "999"}, "That group is not there any more."),
    ],
)
def test_view_when_it_can_not_be_kept_then_says_why(desk, devops, data, told):
    response = desk.post(reverse("desk_view_new"), data, follow=True)
    assert (told in words(response), SavedView.objects.count()) == (True, 0)


def test_views_when_there_are_too_many_then_no_more_are_kept(desk, dan):
    SavedView.objects.bulk_create(SavedView(name=str(number), owner=dan) for number in range(saved_views.MOST))
    assert "There are 30 views already." in words(keep(desk, "One more"))


def test_views_of_others_when_looked_for_then_are_seen_by_whom_they_are_for_and_changed_by_whom_they_may(
    desk, ticket, eve, devops, max_admin
):
    of_eve, of_admin = logged_in(eve), logged_in(max_admin)
    keep(of_eve, "Eve's own")
    keep(of_eve, "Of DevOps", audience=str(devops.pk))
    keep(of_admin, "Of all", audience="everybody")
    assert beside(desk.get(QUEUE)) == {"Everybody's views": {"Of all": "1"}}
    assert beside(of_eve.get(QUEUE)) == {
        "My views": {"Eve's own": "1"},
        "Views of DevOps": {"Of DevOps": "1"},
        "Everybody's views": {"Of all": "1"},
    }
    assert beside(of_admin.get(QUEUE)) == {"Views of DevOps": {"Of DevOps": "1"}, "Everybody's views": {"Of all": "1"}}
    change = {"name": "Changed", "audience": "mine"}
    answers = {
        name: [client.post(reverse("desk_view", args=[SavedView.objects.get(name=name).pk]), change).status_code for client in (desk,)]
        for name in ("Eve's own", "Of DevOps", "Of all")
    }
    assert answers == {"Eve's own": [404], "Of DevOps": [404], "Of all": [403]}
    refused = desk.post(reverse("desk_view_new"), {"name": "x", "audience": str(devops.pk)})
    assert desk.post(reverse("desk_view_new"), {"name": "x", "audience": "everybody"}).status_code == 403
    assert (refused.status_code, set(SavedView.objects.values_list("name", flat=True))) == (403, {"Eve's own", "Of DevOps", "Of all"})
    of_all = reverse("desk_view", args=[SavedView.objects.get(name="Of all").pk])
    assert desk.post(of_all, {"do": "delete"}).status_code == 403
    assert of_admin.post(of_all, {"do": "delete"}).status_code == 302


def test_counts_when_tickets_are_hidden_or_many_then_tell_what_one_may_see_up_to_99(desk, secret, eve, ana, max_admin):
    group = AgentGroup.objects.get(name="People team")
    keep(logged_in(max_admin), "All of them", "status:any", audience="everybody")
    keep(logged_in(eve), "Secrets", 'group:"People team"', audience=str(group.pk))
    assert beside(desk.get(QUEUE)) == {"Everybody's views": {"All of them": "0"}}
    assert beside(logged_in(eve).get(QUEUE)) == {"Views of People team": {"Secrets": "1"}, "Everybody's views": {"All of them": "1"}}
    status = secret.status
    Ticket.objects.bulk_create(
        Ticket(subject="x", requester=ana, status=status, category="new", channel="portal") for _number in range(100)
    )
    assert beside(desk.get(QUEUE)) == {"Everybody's views": {"All of them": "99+"}}


def test_view_when_its_query_means_nothing_any_more_then_counts_nothing_and_says_why(desk, ticket):
    low = Priority.objects.get(name="Low")
    keep(desk, "Low", "priority:low")
    keep(desk, "Words", "blank")
    Priority.objects.filter(pk=low.pk).delete()
    page = desk.get(QUEUE)
    assert beside(page) == {"My views": {"Low": "", "Words": ""}}
    broken = desk.get(page.context["saved"][0][1][0]["href"])
    assert f"There is no priority “#{low.pk}”." in words(broken)


def test_columns_when_chosen_then_are_the_persons_or_the_views(desk, ticket, dan, eve):
    actions.set_type(ticket, actor=dan, type=TicketType.objects.get(name="Bug"))
    tagging.add_tags(ticket, actor=dan, names=["spring"])
    page = desk.get(QUEUE)
    assert ("hide-group" in page.content.decode(), page.context["more"]) == (False, [])
    page = desk.post(reverse("desk_columns"), {"column": ["type", "tags", "number", "requester__password"]}, follow=True)
    assert (page.context["more"], "hide-group" in page.context["hidden"], "hide-number" in page.context["hidden"]) == (
        ["type", "tags"],
        True,
        False,
    )
    assert "Bug spring" in words(page)
    keep(desk, "Plain", column=["group"])
    view = SavedView.objects.get(name="Plain")
    assert desk.get(QUEUE, {"view": view.pk}).context["more"] == []
    desk.post(reverse("desk_columns"), {"column": ["channel"], "view": view.pk, "of_view": "1"})
    assert desk.get(QUEUE, {"view": view.pk}).context["more"] == ["channel"]
    assert (desk.get(QUEUE).context["more"], logged_in(eve).get(QUEUE).context["more"]) == (["type", "tags"], [])


@pytest.mark.parametrize(("tickets", "views"), [(1, 1), (50, 12)])
def test_queue_when_views_are_many_then_asks_no_more(desk, ana, dan, workflow, django_assert_num_queries, tickets, views):
    for number in range(views):
        keep(desk, f"View {number}", f"type:none assignee:me number:>{number}")
    desk.post(reverse("desk_columns"), {"column": ["type", "tags", "area", "channel", "created", "number"]})
    for _number in range(tickets):
        tagging.add_tags(actions.take(make_ticket(ana), actor=dan), actor=dan, names=["spring"])
    with django_assert_num_queries(11):
        desk.get(QUEUE)
