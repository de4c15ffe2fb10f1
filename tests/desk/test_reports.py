"""The pages of reports: they show what was asked for, their files hold exactly what they show, and their numbers lead to the tickets they count."""

from __future__ import annotations

import csv
import re
from html import unescape
from io import StringIO
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import Organization
from tests.desk.conftest import logged_in
from tests.desk.pages import rows, words
from tests.factories import make_ticket, make_user
from tickets.models import Ticket

PERIOD = {"from": "2026-10-24", "to": "2026-10-26"}


def page(client, name="volume", **params):
    return client.get(reverse("desk_report", args=[name]), {**PERIOD, **params})


def file(client, name="volume", **params):
    answer = client.get(reverse("desk_report_csv", args=[name]), {**PERIOD, **params})
    return list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))


def text(markup):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def table(response):
    """Each row of the page's table: its label, and of each cell the number and the one before."""
    body = response.content.decode()
    found = []
    for row in re.findall(r"<tr>(.*?)</tr>", body[body.index("<tbody>") :], flags=re.DOTALL):
        cells = re.findall(r"<td.*?</td>", row, flags=re.DOTALL)
        numbers = [
            (text(re.sub(r"<small>.*?</small>", "", cell)), text("".join(re.findall(r"<small>(.*?)</small>", cell)))) for cell in cells
        ]
        found.append([text(re.findall(r"<th.*?</th>", row, flags=re.DOTALL)[0]), *(part for pair in numbers for part in pair)])
    return found


def as_shown(cell, column):
    """What the file holds in the words of the page: minutes, and nothing where there is nothing to measure."""
    if "(minutes)" in column and cell:
        hours, minutes = divmod(int(cell), 60)
        return f"{hours} h {minutes} min" if hours and minutes else f"{hours} h" if hours else f"{minutes} min"
    if column.startswith("Kept, of all") and cell:
        return f"{cell} %"
    return cell or ("" if "before" in column else "–")


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("volume", {}),
        ("volume", {"by": "organization"}),
        ("times", {}),
        ("times", {"measure": "resolution", "by": "agent"}),
        ("sla", {"by": "type"}),
    ],
)
def test_file_when_taken_then_holds_what_the_page_shows(desk, october, name, params):
    for_page, (head, *lines) = table(page(desk, name, **params)), file(desk, name, **params)
    assert [[line[0], *map(as_shown, line[1:], head[1:])] for line in lines] == for_page
    assert head[0].endswith("2026-10-24 – 2026-10-26, Europe/Berlin")


def test_file_of_hours_when_taken_then_is_the_page_too(desk, october):
    assert [[line[0], *line[1:]] for line in file(desk, "hours")[1:]] == [[row[0], *row[1::2]] for row in table(page(desk, "hours"))]


def test_overview_when_opened_then_shows_the_numbers_and_draws_them(desk, october):
    shown = desk.get(reverse("desk_reports"), PERIOD)
    said = words(shown)
    assert "Created 4 before: 2 (+100 %) Resolved 3 before: 1 (+200 %) Reopened 1 before: 0 Open at the end 4 before: 2 (+100 %)" in said
    assert "First response, median 1 h 20 min before: 30 min" in said
    assert "24 Oct 2026 – 26 Oct 2026" in said
    assert "21 Oct 2026 – 23 Oct 2026" in said
    assert b'<desc id="chart-1-summary">Created: 0 (2026-10-24) \xe2\x80\x93 3 (2026-10-25).' in shown.content


def test_file_of_the_overview_when_taken_then_holds_its_numbers_and_the_table_under_them(desk, october):
    lines = file(desk, "overview")
    gap = lines.index([])
    assert [line for line in lines[:gap] if line[0] in ("Created", "Resolution, median (minutes)")] == [
        ["Created", "4", "2"],
        ["Resolution, median (minutes)", "1490", "4319"],
    ]
    for_page, (head, *days) = table(desk.get(reverse("desk_reports"), PERIOD)), lines[gap + 1 :]
    assert (head[:3], len(days)) == (["Day: 2026-10-24 – 2026-10-26, Europe/Berlin", "Created", "Created, before"], 4)
    assert [[line[0], *map(as_shown, line[1:], head[1:])] for line in days] == for_page


def test_file_when_people_wrote_formulas_then_holds_texts(desk, october, globex):
    Ticket.objects.filter(pk=october["A"].pk).update(subject='=HYPERLINK("http://evil.example")')
    Organization.objects.filter(pk=globex.pk).update(name="@evil")
    assert file(desk, "oldest")[1][1] == """'=HYPERLINK("http://evil.example")"""
    assert file(desk, by="organization")[1][0] == "'@evil"


@pytest.mark.parametrize(
    ("who", "params", "column", "expected"),
    [
        ("dan", {}, 0, {"2026-10-25": "DEF", "2026-10-26": "G", "In all": "DEFG"}),
        ("eve", {}, 0, {"2026-10-25": "DEFP", "2026-10-26": "G", "In all": "DEFGP"}),
        ("dan", {}, 1, {"2026-10-26": "CD"}),  # the 24th's was reopened, so nobody can list it now
        ("dan", {"by": "type"}, 0, {"Bug": "E", "Question": "F", "No type": "DG", "In all": "DEFG"}),
        ("dan", {"by": "agent", "channel": "portal"}, 0, {"Eve Devops": "F", "Nobody": "DEG", "In all": "DEFG"}),
        ("dan", {"by": "organization", "type": "none", "agent": "none", "group": "none"}, 0, {"Globex": "DG", "In all": "DG"}),
        ("dan", {"by": "priority", "to": ""}, 3, {"No priority": "AEFGH", "In all": "AEFGH"}),  # until today: as it is now
    ],
)
def test_number_when_it_is_a_link_then_leads_to_the_tickets_it_counts(request, october, who, params, column, expected):
    client = logged_in(request.getfixturevalue(who))
    names = {ticket.pk: name for name, ticket in october.items()}
    body = page(client, **params).content.decode()
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", body[body.index("<tbody>") :], flags=re.DOTALL):
        cell = re.findall(r"<td.*?</td>", row, flags=re.DOTALL)[column]
        if link := re.search(r'href="([^"]+)"', cell):
            tickets = rows(client.get(unescape(link[1])))
            assert text(re.sub(r"<small>.*?</small>", "", cell)) == str(len(tickets))
            found[text(re.findall(r"<th.*?</th>", row, flags=re.DOTALL)[0])] = "".join(sorted(names[pk] for pk in tickets))
    assert found == expected


@pytest.mark.parametrize("by", ["", "type", "agent"])
def test_overview_when_it_was_come_to_from_a_report_by_a_property_then_its_numbers_lead_to_the_tickets_they_count(desk, october, by):
    body = desk.get(reverse("desk_reports"), PERIOD | {"by": by}).content.decode()
    links = re.findall(r'<a href="(/desk/tickets/[^"]+)">(\d+)</a>', body)
    assert [int(count) for _link, count in links] == [4, 3, 1, 2, 4]  # created in all, on two days, resolved on one, created in all
    assert [len(rows(desk.get(unescape(link)))) for link, _count in links] == [int(count) for _link, count in links]
    assert b'class="share"' not in body.encode()


def test_days_when_one_lives_in_another_zone_then_are_no_links(october, dan):
    dan.time_zone = "America/New_York"
    dan.save()
    assert b"/desk/tickets/?q=" not in page(logged_in(dan)).content


def test_filters_when_chosen_then_go_along_to_other_reports_and_the_file(desk, october, globex):
    shown = page(desk, by="type", channel="portal", organization=str(globex.pk)).content.decode()
    query = urlencode({"organization": globex.pk, "channel": "portal", **PERIOD, "by": "type"})
    assert f"{reverse('desk_report', args=['times'])}?{query.replace('&', '&amp;')}" in shown
    assert f"{reverse('desk_report_csv', args=['volume'])}?{query.replace('&', '&amp;')}" in shown


@pytest.mark.parametrize(
    ("written", "counted", "is_unknown"),
    [
        ("globex", "4", False),
        ("firm 007", "0", False),
        ("007", "0", False),
        ("none", "0", False),
        ("Firm", "4", True),
        ("²", "4", True),
        ("0" * 5000, "4", True),
        ("\x00<b>", "4", True),
    ],
)
def test_organization_when_they_are_too_many_for_a_list_then_is_named(desk, october, written, counted, is_unknown):
    Organization.objects.bulk_create(Organization(name=f"Firm {at:03}") for at in range(200))
    assert file(desk, organization=written)[-1][1] == counted
    shown = words(page(desk, organization=written))
    assert ("There is no one organization called" in shown) == is_unknown


def test_organizations_when_one_types_then_those_with_these_words_are_offered(desk, october):
    assert desk.get(reverse("desk_report_organizations"), {"q": "LOB"}).json() == {"options": [{"text": "Globex"}]}
    Organization.objects.create(name="Straßenbau Nord")
    assert desk.get(reverse("desk_report_organizations"), {"q": "Straß"}).json() == {"options": [{"text": "Straßenbau Nord"}]}
    assert desk.get(reverse("desk_report_organizations"), {"q": "no"}).json()["options"][0] == {"text": "none", "note": "No organization"}


def test_dates_when_they_make_no_period_then_a_kind_word_stands_beside_another(desk, october):
    shown = page(desk, **{"from": "0001-01-01", "to": "2026-10-26"})
    assert (shown.status_code, "These two dates make no period" in words(shown)) == (200, True)
    assert "These two dates" not in words(page(desk, **{"from": "2026-10-26", "to": "2026-10-24"}))  # turned round


def test_pages_when_there_is_nothing_then_say_what_they_are_for(desk):
    assert "Reports begin with the first ticket" in words(desk.get(reverse("desk_reports")))


def test_pages_when_nothing_matches_then_say_what_to_do(desk, october):
    assert "Nothing happened here" in words(page(desk, **{"from": "2026-01-01", "to": "2026-01-02"}))


def test_numbers_when_nothing_was_before_then_stand_alone_and_that_is_said_once(desk, october):
    earliest = {"from": "2026-10-15", "to": "2026-10-26"}
    shown = words(page(desk, **earliest))
    assert shown.count("In the period before there was nothing to compare with.") == 1
    assert "In small type" not in shown
    assert {before for row in table(page(desk, **earliest)) for before in row[2::2]} == {""}
    assert file(desk, **earliest)[0][1:] == ["Created", "Resolved", "Reopened", "Open at the end"]
    overview = words(desk.get(reverse("desk_reports"), earliest))
    assert ("before:" in overview, "nothing to compare with" in overview) == (False, True)
    assert "In small type" in words(page(desk))  # where there was something


def test_report_when_there_is_none_of_that_name_then_is_not_found(desk):
    assert (page(desk, "beauty").status_code, desk.get("/desk/reports/beauty.csv").status_code) == (404, 404)


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize(("name", "params", "queries"), [("overview", {}, 15), ("volume", {"by": "organization"}, 16), ("oldest", {}, 12)])
def test_pages_when_there_is_more_then_cost_the_same(workflow, desk, django_assert_num_queries, count, name, params, queries):
    for at in range(count):
        organization = Organization.objects.create(name=f"Org {at}")
        make_ticket(make_user(f"p{at}@org{at}.example", organization=organization))
    with django_assert_num_queries(queries + (connection.vendor == "postgresql")):  # which is told how much memory it may take
        desk.get(reverse("desk_report", args=[name]), params)
