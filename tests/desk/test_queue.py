"""The list of tickets: what its address may ask for, and what it costs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs

import pytest
import time_machine
from django.db import connection
from django.db.models import F
from django.db.models.expressions import OrderBy
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from accounts.models import AgentGroup, Organization
from notifications.models import Delivery, Kind, Reason, State
from tests.desk.conftest import logged_in
from tests.desk.pages import rows, words
from tests.factories import make_ticket, make_user, message
from tickets import actions, tagging
from tickets.desk import queue as queue_module
from tickets.desk import vocabulary
from tickets.desk.filters import SORTS
from tickets.models import Priority, Status, Ticket, TicketType
from tickets.search import word_index

QUEUE = "/desk/tickets/"
PLAN = connection.vendor == "postgresql"  # which a search asks how common its words are


def queue(client, **params):
    """Addresses of before the language, and the selects', are led on to the query that says the same."""
    return rows(client.get(QUEUE, params, follow=True))


@pytest.fixture
def pair(workflow, ana, cleo, dan):
    """Ana's has all that can be asked for, Cleo's has none of it."""
    full, bare = make_ticket(ana, "Player is blank"), make_ticket(cleo, "Invoice", group=None)
    Ticket.objects.filter(pk=bare.pk).update(group=None)
    actions.take(full, actor=dan)
    actions.set_priority(full, actor=dan, priority=Priority.objects.get(name="High"))
    actions.set_type(full, actor=dan, type=TicketType.objects.get(name="Bug"))
    tagging.add_tags(full, actor=dan, names=["data-export"])
    Ticket.objects.filter(pk=full.pk).update(due_at=timezone.now() + timedelta(hours=2))
    return full, bare


def test_queue_when_nothing_is_asked_then_shows_the_unresolved(desk, pair, ana, dan):
    resolved, spam = make_ticket(ana), make_ticket(ana)
    actions.resolve(resolved, actor=dan, type=TicketType.objects.first())
    actions.change_status(spam, actor=dan, status=Status.objects.get(name="Spam"))
    assert set(queue(desk)) == {ticket.pk for ticket in pair}


def test_queue_when_status_is_asked_then_shows_it(desk, pair, dan):
    full, bare = pair
    actions.change_status(bare, actor=dan, status=Status.objects.get(name="Spam"))
    in_progress = Status.objects.get(name="In Progress")
    asked = {value: queue(desk, status=value) for value in ("any", "spam", "unresolved", str(in_progress.pk))}
    assert asked == {"any": [full.pk], "spam": [bare.pk], "unresolved": [full.pk], str(in_progress.pk): [full.pk]}


@pytest.mark.parametrize("name", ["priority", "type", "group", "assignee"])
def test_queue_when_a_property_is_asked_then_shows_its_tickets(desk, pair, name):
    full, bare = pair
    value = getattr(full, f"{name}_id") or getattr(Ticket.objects.get(pk=full.pk), f"{name}_id")
    assert (queue(desk, **{name: value}), queue(desk, **{name: "none"})) == ([full.pk], [bare.pk])


def test_queue_when_mine_are_asked_then_shows_mine(desk, pair):
    assert queue(desk, assignee="me") == [pair[0].pk]


def test_queue_when_an_organization_is_asked_then_shows_what_is_shared_with_it(desk, pair, acme):
    assert queue(desk, organization=acme.pk) == [pair[0].pk]


def test_queue_when_flag_is_asked_then_shows_who_waits_and_whose_fix_is_confirmed(desk, pair, ana, dan, cleo):
    full, bare = pair
    actions.comment(full, actor=dan, message=message("Try again."))
    actions.confirm_fix(bare, actor=cleo)
    assert (queue(desk, flag="waiting"), queue(desk, flag="confirmed")) == ([bare.pk], [bare.pk])


@pytest.mark.parametrize("state", [State.FAILED, State.BOUNCED])
def test_queue_when_a_mail_failed_or_came_back_then_flags_it(desk, pair, ana, state):
    full, _bare = pair
    about = {"recipient": ana, "address": ana.email, "kind": Kind.UPDATE, "reason": Reason.REQUESTER, "state": state}
    Delivery.objects.create(event=full.events.first(), ticket=full, **about)
    page = desk.get(QUEUE)
    assert (words(page).count("A mail could not be delivered"), queue(desk, flag="failed")) == (1, [full.pk])


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("updated", "full bare"),
        ("created", "bare full"),
        ("number", "bare full"),
        ("priority", "full bare"),
        ("waiting", "full bare"),
        ("x", "full bare"),
    ],
)
def test_queue_when_sorted_then_is_in_that_order(desk, pair, sort, order):
    numbers = {"full": pair[0].pk, "bare": pair[1].pk}
    assert queue(desk, sort=sort) == [numbers[name] for name in order.split()]


def test_head_of_a_column_when_the_list_can_be_sorted_by_it_then_leads_there_and_keeps_what_was_asked(desk, pair):
    page = desk.get(QUEUE, {"q": "status:any", "sort": "due"}).content.decode()
    heads = dict(re.findall(r'<th class="col-(\w+)"( aria-sort="ascending")?>', page))
    leads = [parse_qs(unescape(address)) for address in re.findall(r'<th class="col-\w+"><a href="[^"?]*\?([^"]+)"', page)]
    assert [name for name, is_sorted in heads.items() if is_sorted] == ["due"]
    assert leads == [{"q": ["status:any"], "sort": ["priority"]}, {"q": ["status:any"], "sort": ["number"]}, {"q": ["status:any"]}]


GARBAGE = ["-1", "x", "9" * 30, "1e3", "\0", "requester__password", "1;drop", "٣", "none none", "[]"]


NAMES = ["status", "priority", "type", "group", "assignee", "organization", "flag", "sort", "cursor"]


@pytest.mark.parametrize("value", GARBAGE)
def test_queue_when_asked_for_garbage_then_ignores_it(desk, pair, value):
    assert set(queue(desk, **dict.fromkeys(NAMES, value))) == {ticket.pk for ticket in pair}


def test_queue_when_asked_for_what_is_no_filter_then_ignores_it(desk, pair):
    params = dict.fromkeys(["requester__password", "category", "group__name", "id[]", "status__name"], "1")
    assert set(queue(desk, **params)) == {ticket.pk for ticket in pair}


@pytest.mark.parametrize("name", ["status", "priority", "type", "group", "assignee", "organization"])
def test_queue_when_asked_for_what_does_not_exist_then_is_kindly_empty(desk, pair, name):
    response = desk.get(QUEUE, {name: "999999"}, follow=True)
    assert (rows(response), "“#999999”" in words(response)) == ([], True)


@pytest.mark.parametrize("text", ["player", "it is broken", "Ana", "\0player\0"])
def test_queue_when_searched_then_finds_resolved_ones_too(desk, pair, dan, cleo, text):
    full, bare = pair
    Ticket.objects.filter(pk=bare.pk).update(subject="Other")
    bare.comments.update(text="Nothing")
    word_index.write([bare.pk])
    actions.resolve(full, actor=dan)
    assert queue(desk, q=text) == [full.pk]


def test_queue_when_a_number_is_searched_then_leads_to_the_ticket(desk, pair):
    response = desk.get(QUEUE, {"q": f"#{pair[0].number}"})
    assert (response.status_code, response["Location"]) == (302, f"/desk/tickets/{pair[0].number}/")


def test_queue_when_the_number_is_in_quotes_then_is_looked_for_as_a_word(desk, dan, pair):
    actions.comment(pair[1], actor=dan, message=message(f"It says {pair[0].number} again."))
    word_index.write([one.pk for one in pair])
    assert queue(desk, q=f'"{pair[0].number}"') == [pair[1].pk, pair[0].pk]


def test_queue_when_the_number_is_hidden_then_tells_nothing(desk, secret):
    response = desk.get(QUEUE, {"q": str(secret.number)})
    assert (response.status_code, rows(response)) == (200, [])


def test_group_when_private_then_only_who_sees_its_tickets_is_offered_its_name_and_anybody_may_send_a_ticket_there(
    desk, ticket, secret, eve, dan, max_admin
):
    """Handing over to a team that keeps its matters to itself is common; asking for its tickets would find none."""

    def named(client) -> list[bool]:
        places = ("/desk/tickets/", "/desk/", "/desk/tickets/complete/?q=group:p", "/desk/tickets/?q=group:peple")
        return ["People team" in re.sub(r'(?s)<form class="bulk-bar".*?</form>', "", client.get(path).content.decode()) for path in places]

    assert (named(desk), named(logged_in(eve)), named(logged_in(max_admin))) == ([False] * 4, [True] * 4, [True] * 4)
    page = desk.get("/desk/tickets/?q=group:People")
    assert "There is no group “People”." in words(page)
    assert "People team" in desk.get(f"/desk/tickets/{ticket.pk}/").content.decode()
    actions.assign(secret, actor=eve, assignee=dan)  # sees that one
    assert rows(desk.get('/desk/tickets/?q=group:"People team"')) == [secret.pk]


def test_queue_when_group_is_private_then_shows_and_counts_nothing_of_it(desk, secret):
    page = desk.get(QUEUE, {"status": "any"})
    assert (rows(page), "Salary letter" in words(page)) == ([], False)


def test_queue_when_long_then_is_paged_without_gap_or_double(desk, ana, workflow):
    numbers = [make_ticket(ana).pk for _number in range(queue_module.ROWS + 3)]
    first = desk.get(QUEUE)
    second = desk.get(f"{QUEUE}{first.context['next_url']}")
    assert rows(first) + rows(second) == numbers[::-1]


@pytest.mark.parametrize("sort", SORTS)
def test_queue_when_sorted_then_is_in_that_order_over_all_pages(desk, ana, dan, workflow, monkeypatch, sort):
    monkeypatch.setattr(queue_module, "ROWS", 3)
    levels = [*Priority.objects.order_by("level"), None]
    for at in range(10):
        moment = timezone.now() - timedelta(hours=at * 7 % 10)
        few = {} if at % 3 else {"waiting_since": moment, "due_at": moment}
        Ticket.objects.filter(pk=make_ticket(ana, "Needle").pk).update(updated_at=moment, priority=levels[at % len(levels)], **few)
    for query in ("", "needle"):
        shown, address = [], f"?q={query}&sort={sort}"
        while address:
            page = desk.get(f"{QUEUE}{address}")
            shown, address = shown + rows(page), page.context["next_url"]
        assert shown == list(Ticket.objects.order_by(*ordering(SORTS[sort][1])).values_list("pk", flat=True))


def ordering(columns) -> list[OrderBy]:
    return [F(name[1:]).desc() if name.startswith("-") else F(name).asc(nulls_last=True) for name in columns]


def test_count_when_many_then_stops_counting_what_is_no_view(desk, ana, workflow):
    status = Status.objects.get(name="Open")
    Ticket.objects.bulk_create(
        Ticket(subject="x", requester=ana, status=status, category="new", channel="portal") for _number in range(1001)
    )
    shown = [desk.get(QUEUE, {"q": text}).context["count"] for text in ("channel:portal", "")]
    assert shown == ["1,000+", "1,001"]  # the second is counted among the views in any case


def test_queue_when_organizations_are_too_many_for_a_list_then_offers_the_chosen_one(desk, pair, acme):
    Organization.objects.bulk_create(Organization(name=f"Customer {number}") for number in range(201))
    offered = {select.name: select.choices for select in desk.get(QUEUE, {"organization": acme.pk}, follow=True).context["filters"]}
    assert offered["organization"] == [(str(acme.pk), "Acme")]


def test_view_when_chosen_then_is_marked_in_any_order(desk, pair):
    page = desk.get(QUEUE, {"assignee": "me", "sort": "priority"}, follow=True)
    assert (page.context["title"], [view["label"] for view in page.context["views"] if view["current"]]) == ("Mine", ["Mine"])


def test_row_when_customer_waits_then_says_since_when(desk, ticket):
    Ticket.objects.update(waiting_since=timezone.now() - timedelta(hours=3))
    assert "The customer waits for us: what was written 3 h ago is not answered" in words(desk.get(QUEUE))


@pytest.mark.parametrize("tickets", [1, 50])
def test_queue_when_tickets_are_many_then_asks_no_more(desk, ana, dan, workflow, django_assert_num_queries, tickets):
    AgentGroup.objects.create(name="Another")
    for _number in range(tickets):
        actions.take(make_ticket(ana), actor=dan)
    with django_assert_num_queries(9):
        desk.get(reverse("desk_tickets"))


def test_queue_when_searched_then_shows_where_the_words_stand_and_leads_there(desk, pair, dan):
    bare = pair[1]
    note = actions.add_note(bare, actor=dan, message=message("The <b>player</b> again"))
    page = desk.get(QUEUE, {"q": "player"}).content.decode()
    assert "<mark>Player</mark> is blank" in page
    assert "The &lt;b&gt;<mark>player</mark>&lt;/b&gt; again" in page
    assert f'href="/desk/tickets/{bare.number}/#c{note.pk}"' in page
    assert f'id="c{note.pk}"' in desk.get(f"/desk/tickets/{bare.number}/").content.decode()
    assert "<mark>" not in desk.get(QUEUE, {"q": "status:any"}).content.decode()


@pytest.mark.parametrize("tickets", [1, 50])
def test_queue_when_searched_then_asks_two_more_for_where_the_words_stand(desk, ana, workflow, django_assert_num_queries, tickets):
    AgentGroup.objects.create(name="Another")
    for _number in range(tickets):
        make_ticket(ana, "Needle")
    with django_assert_num_queries(12 + PLAN):
        assert len(rows(desk.get(QUEUE, {"q": "needle"}))) == tickets


# --- The language --------------------------------------------------------------------------------------------------------------

FULL = {  # what finds the ticket that has all that can be asked for, and not the other
    'status:"In Progress"',
    "status:progress",
    "-status:open",
    "priority:high",
    "priority:>=medium",
    "priority:>low,",
    "-priority:none",
    "priority:critical,high",
    "type:bug",
    'group:"customer support"',
    "assignee:me",
    'assignee:"Dan Support"',
    "assignee:dan@support.example",
    "org:acme",
    "-org:globex",
    "requester:ana@acme.example",
    "requester:ford",
    "player -invoice",
    '"player is blank"',
    "-invoice",
    "csm:eve",
    "tag:data-export",
    'tag:"Data Export"',
    "due:<4h",
    "due:>1h",
    "-due:none",
}
BARE = {"priority:none", "type:none", "group:none", "assignee:none", "status:open", "-assignee:dan", "priority:none,low"}
BARE |= {"csm:none", "tag:none", "-tag:data-export", "due:none"}
BOTH = {
    "status:new,progress",
    "status:unresolved",
    "status:any",
    "channel:portal",
    "created:today",
    "created:<1h",
    "-created:<2020",
    "updated:>yesterday",
    "resolved:none",
    "filer:none",
    "area:none",
    "is:waiting",
}
NEITHER = {
    "status:closed",
    "-status:any",
    "channel:email",
    "created:>1h",
    "created:<2020",
    "resolved:today",
    "filer:me",
    "is:failed",
    "number:77",
}


def test_query_when_asked_then_finds_what_it_says(desk, pair, acme, eve):
    Organization.objects.filter(pk=acme.pk).update(delivery_lead=eve)
    full, bare = pair
    found = [(FULL, {full.pk}), (BARE, {bare.pk}), (BOTH, {full.pk, bare.pk}), (NEITHER, set())]
    wanted = {text: numbers for texts, numbers in found for text in texts}
    wanted |= {f"number:<={full.pk}": {full.pk}, f"number:>{full.pk}": {bare.pk}, f"-number:{full.pk},7777": {bare.pk}}
    assert {text: set(queue(desk, q=text)) for text in wanted} == wanted


PROBLEMS = {
    "statsu:open x": ("Did you mean “status”?", "status:open x"),
    "group:devxps": ("There is no group “devxps”.", "group:DevOps"),
    "type:bugg,none": ("There is no type “bugg”.", "type:Bug,none"),
    "assignee:nobdy": ("Nobody here is called “nobdy”.", ""),
    'assignee:"Dan Suport"': ("Nobody here is called “Dan Suport”.", 'assignee:"Dan Support"'),
    "tag:data-exprt": ("No ticket has the tag “data-exprt”.", "tag:data-export"),
    "org:acne": ("There is no organization “acne”.", "org:Acme"),
    "priority:>hihg": ("There is no priority “hihg”.", "priority:>High"),
    "requester__password:ana": ("There is no field “requester__password”.", "requester:ana"),
    'say "this': ("A quotation mark is missing", 'say "this"'),
    "x" * 600: ("at most 500 characters", ""),
}


def test_query_when_it_can_not_be_read_then_is_told_kindly_and_nothing_is_lost(desk, pair):
    for text, (told, repaired) in PROBLEMS.items():
        page = desk.get(QUEUE, {"q": text})
        assert (page.status_code, escape(text) in page.content.decode(), rows(page)) == (200, True, [])
        assert (told in words(page), page.context["problem"]["repaired"]) == (True, repaired)
        assert not repaired or desk.get(page.context["problem"]["href"]).context["problem"] is None


@pytest.mark.parametrize("are_listed", [True, False])
def test_query_when_a_name_means_too_many_then_is_told_and_not_half_of_them_are_found(desk, pair, monkeypatch, are_listed):
    for number in range(3):
        make_user(f"ana{number}@big.example", f"Ana Number {number}", organization=Organization.objects.create(name=f"Acme {number}"))
    monkeypatch.setattr(vocabulary, "_MOST_FOUND", 3)
    monkeypatch.setattr(vocabulary, "FEW", 200 if are_listed else 1)
    wanted = {"requester:ana": "“ana” means more than 3 people."}
    if not are_listed:
        wanted["org:me"] = "“me” means more than 3 organizations."
    for text, told in wanted.items():
        page = desk.get(QUEUE, {"q": text})
        assert (told in words(page), rows(page)) == (True, [])
    assert [rows(desk.get(QUEUE, {"q": text})) for text in ("requester:ana@acme.example", "org:acme")] == [[pair[0].pk]] * 2


def selected(page) -> dict[str, str]:
    return {one.name: one.chosen for one in page.context["filters"] if one.chosen}


def test_filter_bar_when_the_query_says_something_then_shows_it_and_writes_it_back(desk, pair):
    high = str(Priority.objects.get(name="High").pk)
    page = desk.get(QUEUE, {"q": "priority:high assignee:me -type:none is:waiting blank"})
    assert selected(page) == {"priority": high, "assignee": "me", "type": "=", "flag": "waiting"}
    sent = {one.name: one.chosen for one in page.context["filters"]} | {"q": page.context["text"], "was": page.context["text"]}
    untouched = desk.get(QUEUE, sent)["Location"]
    changed = desk.get(QUEUE, sent | {"assignee": "none", "type": "", "flag": ""})["Location"]
    edited = desk.get(QUEUE, sent | {"q": "status:closed", "priority": ""})["Location"]
    assert [parse_qs(one.partition("?")[2])["q"] for one in (untouched, changed, edited)] == [
        ["priority:high assignee:me -type:none is:waiting blank"],
        ["priority:high assignee:none blank"],
        ["status:closed"],
    ]


def test_filter_bar_when_a_category_is_asked_then_shows_no_status_whose_name_holds_that_word(desk, pair):
    Status.objects.create(name="Reopened", category="open", position=9)
    Status.objects.filter(name="Open").update(name="New")  # then "open" is the category's word alone
    page = desk.get(QUEUE, {"q": "status:open"})
    assert (rows(page), selected(page)) == ([pair[0].pk], {"status": "="})
    assert selected(desk.get(QUEUE, {"q": "status:reopen"})) == {"status": str(Status.objects.get(name="Reopened").pk)}


def test_query_when_a_name_is_asked_then_never_leaks_what_is_hidden(desk, secret):
    for text in (f"number:{secret.number}", "salary", "status:any"):
        page = desk.get(QUEUE, {"q": text})
        assert (rows(page), page.context["count"]) == ([], "0")


@pytest.mark.parametrize("tickets", [1, 25])
def test_query_when_it_says_much_then_asks_a_bounded_number(desk, ana, dan, acme, workflow, django_assert_max_num_queries, tickets):
    for _number in range(tickets):
        actions.take(make_ticket(ana), actor=dan)
    with django_assert_max_num_queries(14 + PLAN):
        page = desk.get(
            QUEUE, {"q": "priority:none assignee:dan org:acme requester:ana group:customer status:progress -csm:dan blank -invoice"}
        )
    assert len(rows(page)) == tickets


COMPLETIONS = {
    "": "status:",
    "ass": "assignee:",
    "status:": "Open",
    "status:in p": "priority:",
    "status:unr": "unresolved",
    'status:"in p': '"In Progress"',
    "priority:>=hi": "High",
    "group:cust": '"Customer Support"',
    "assignee:da": '"Dan Support"',
    "org:ac": "Acme",
    "requester:an": "ana@acme.example",
    "created:to": "today",
    "is:wa": "waiting",
    "nothing such": None,
}


def test_completion_when_asked_then_offers_what_comes_next(desk, pair):
    for text, wanted in COMPLETIONS.items():
        found = desk.get("/desk/tickets/complete/", {"q": text, "at": len(text)}).json()
        assert (found["options"][:1] or [{"text": None}])[0]["text"] == wanted
        if wanted:
            written = text[: found["start"]] + wanted + text[found["end"] :]
            assert written.endswith(":") or desk.get(QUEUE, {"q": written}).context["problem"] is None


def test_due_soon_and_overdue_when_looked_for_then_stand_first_in_a_select_that_names_them(desk, workflow, ana):
    late, soon, later = (make_ticket(ana) for _ticket in range(3))
    for ticket, hours in ((late, -1), (soon, 3), (later, 5)):
        Ticket.objects.filter(pk=ticket.pk).update(due_at=timezone.now() + timedelta(hours=hours))
    select = next(one for one in desk.get(QUEUE).context["filters"] if one.name == "flag")
    assert (select.nothing, [str(word) for _value, word in select.choices[:2]]) == ("Overdue, due …", ["Overdue", "Due within 4 hours"])
    assert [queue(desk, flag=flag) for flag in ("overdue", "soon")] == [[late.pk], [soon.pk]]


@time_machine.travel(
    datetime(2026, 10, 24, 22, 30, tzinfo=UTC), tick=False
)  # half past midnight in Berlin, in the night that is longer by an hour
def test_due_soon_when_the_clocks_are_put_back_meanwhile_then_is_within_four_real_hours(workflow, ana, dan):
    dan.time_zone = "Europe/Berlin"
    dan.save()
    desk = logged_in(dan)
    near, far = make_ticket(ana), make_ticket(ana)
    for ticket, minutes in ((near, 239), (far, 241)):
        Ticket.objects.filter(pk=ticket.pk).update(due_at=timezone.now() + timedelta(minutes=minutes))
    assert [queue(desk, q=text) for text in ("is:soon", "due:<4h")] == [[near.pk], [near.pk]]


def test_unread_when_the_page_was_looked_at_then_is_read_until_others_say_something(desk, ticket, dan, ana):
    assert queue(desk, q="is:unread") == [ticket.pk]
    desk.post(reverse("desk_ticket_seen", args=[ticket.pk]), {"seen": ticket.events.latest("pk").pk})
    actions.comment(ticket, actor=dan, message=message("We look."))
    assert (queue(desk, q="is:unread"), queue(desk, q="-is:unread")) == ([], [ticket.pk])
    actions.comment(ticket, actor=ana, message=message("And?"))
    assert queue(desk, flag="unread") == [ticket.pk]


# --- Live ----------------------------------------------------------------------------------------------------------------------


def told(client, page, **params) -> str:
    """What the page is told some time after it was made."""
    ((path, since),) = re.findall(r'data-live="([^"]+)" data-since="([^"]+)"', unescape(page.content.decode()))
    query = parse_qs(path.partition("?")[2]) | {"since": since, "shown": ",".join(map(str, rows(page))), **params}
    return client.get(path, query).json()["words"]


def test_live_when_tickets_come_and_change_then_tells_how_many_of_the_list(desk, pair, ana, eve, dan):
    full, bare = pair
    page, others = desk.get(QUEUE, {"q": "assignee:me"}), desk.get(QUEUE, {"q": "is:failed"})
    assert (told(desk, page), told(desk, others)) == ("", "")
    actions.set_type(bare, actor=eve, type=TicketType.objects.get(name="Bug"))
    assert told(desk, page) == ""
    actions.assign(make_ticket(ana, "New"), actor=eve, assignee=dan)
    assert told(desk, page) == "1 is new or changed. Show"
    actions.assign(full, actor=eve, assignee=None)  # left the list, but its row is on the page
    assert (told(desk, page), told(desk, others)) == ("2 are new or changed. Show", "")


def test_live_when_it_is_hidden_or_nonsense_then_tells_nothing(desk, secret, eve):
    page = desk.get(QUEUE)
    actions.set_type(secret, actor=eve, type=TicketType.objects.first())
    assert told(desk, page, shown=str(secret.pk)) == ""
    far = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
    for since in ("", "x", "2026-01-01", "2026-13-01T00:00Z", "2026-01-01T00:00:00", *far):
        assert told(desk, page, since=since) == ""
    assert told(desk, page, q="statsu:x", shown="x,\0," + "9" * 40) == ""
