from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import timedelta
from itertools import chain
from json import dumps

import pytest
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from tests.factories import make_ticket
from tickets.models import Priority, Ticket
from tickets.paging import Page, Part, page_of

pytestmark = pytest.mark.django_db
NEWEST = ("-updated_at", "-id")


def walk(order, *, parts=(), size=3, query="", direction="next_url") -> list[list[int]]:
    """The numbers on each page, following the links."""
    pages, seen = [], set()
    while query not in seen:
        seen.add(query)
        page = page_of(Ticket.objects.all(), request_get=QueryDict(query.removeprefix("?")), order=order, parts=parts, size=size)
        pages.append([ticket.pk for ticket in page.rows])
        query = getattr(page, direction)
        if not query:
            return pages
    raise AssertionError("walks in a circle")


def last_query(order, *, size=3) -> str:
    query = ""
    while link := page_of(Ticket.objects.all(), request_get=QueryDict(query[1:]), order=order, size=size).next_url:
        query = link
    return query


@pytest.fixture
def ten(workflow, ana):
    """Ten tickets; two share each moment, so that the number must decide, and every third has no priority."""
    now, priorities = timezone.now(), list(Priority.objects.all())
    for at in range(10):
        ticket = make_ticket(ana, f"Ticket {at}")
        priority = priorities[at % 4] if at % 3 else None
        Ticket.objects.filter(pk=ticket.pk).update(updated_at=now - timedelta(minutes=at // 2), priority=priority)
    return list(Ticket.objects.order_by("-updated_at", "-id").values_list("pk", flat=True))


def test_pages_when_followed_forward_then_hold_every_row_once(ten):
    assert walk(NEWEST) == [ten[:3], ten[3:6], ten[6:9], ten[9:]]


def test_pages_when_followed_backward_then_are_the_same(ten):
    assert walk(NEWEST, query=last_query(NEWEST), direction="prev_url") == [ten[9:], ten[6:9], ten[3:6], ten[:3]]


@pytest.mark.parametrize("order", [("priority__level", "-id"), ("-priority__level", "id"), ("priority", "id")])
def test_pages_when_column_may_be_empty_then_empty_comes_last_both_ways(ten, order):
    pages = walk(order)
    numbers = list(chain(*pages))
    assert sorted(numbers) == sorted(ten)
    assert set(numbers[-4:]) == set(Ticket.objects.filter(priority=None).values_list("pk", flat=True))
    assert walk(order, query=last_query(order), direction="prev_url") == pages[::-1]


@pytest.mark.parametrize("order", [("priority__level", "-updated_at", "-id"), ("waiting_since", "id")])
@pytest.mark.parametrize("size", [1, 3, 4, 10])
def test_pages_when_made_of_parts_then_are_as_without(ten, order, size):
    moment = timezone.now()
    for at, number in enumerate(ten[::2]):
        Ticket.objects.filter(pk=number).update(waiting_since=moment - timedelta(minutes=at))
    parts = {
        "priority__level": [*(Part(Q(priority=one), one.level) for one in Priority.objects.order_by("level")), Part(Q(priority=None))],
        "waiting_since": [Part(Q(waiting_since__isnull=False), is_sorted=True), Part(Q(waiting_since=None))],
    }[order[0]]
    pages, last = walk(order, size=size), last_query(order, size=size)
    assert walk(order, parts=parts, size=size) == pages
    assert walk(order, parts=parts, size=size, query=last, direction="prev_url") == walk(order, size=size, query=last, direction="prev_url")


def test_page_when_list_is_empty_then_has_no_links(workflow):
    page = page_of(Ticket.objects.all(), request_get=QueryDict(""), order=NEWEST)
    assert page == Page(rows=[])


def test_page_when_rows_just_fit_then_has_no_next(ten):
    assert page_of(Ticket.objects.all(), request_get=QueryDict(""), order=NEWEST, size=10).next_url == ""


def test_links_when_made_then_carry_the_other_parameters(ten):
    page = page_of(Ticket.objects.all(), request_get=QueryDict("q=a%26b&tab=open"), order=NEWEST, size=3)
    link = QueryDict(page.next_url[1:])
    assert (link["q"], link["tab"]) == ("a&b", "open")


def test_page_when_rows_arrive_meanwhile_then_shows_none_twice(ten, ana):
    query = page_of(Ticket.objects.all(), request_get=QueryDict(""), order=NEWEST, size=3).next_url
    make_ticket(ana, "Newest")
    page = page_of(Ticket.objects.all(), request_get=QueryDict(query[1:]), order=NEWEST, size=3)
    assert [ticket.pk for ticket in page.rows] == ten[3:6]


def encoded(value) -> str:
    return urlsafe_b64encode(dumps(value).encode()).decode()


BAD = [
    "x",
    "\0",
    "é",
    "A" * 5000,
    encoded("text"),
    encoded(7),
    encoded(None),
    encoded({}),
    encoded([]),
    encoded(["n"]),
    encoded(["z", "2026-01-01 00:00+00:00", "1"]),
    encoded(["n", "2026-01-01 00:00+00:00", "1", "2"]),
    encoded(["n", "2026-01-01 00:00", "1"]),
    encoded(["n", "0001-01-01 00:00+14:00", "1"]),
    encoded(["n", "yesterday", "1"]),
    encoded(["n", None, "1"]),
    encoded(["n", 5, "1"]),
    encoded(["n", ["2026"], "1"]),
    encoded(["n", "2026-01-01 00:00+00:00", "9" * 30]),
    encoded(["n", "2026-01-01 00:00+00:00", "9" * 3000]),
    encoded(["n", "2026-01-01 00:00+00:00", "1; DROP TABLE"]),
    urlsafe_b64encode(b"[" * 2900).decode(),
]


@pytest.mark.parametrize("cursor", BAD)
def test_page_when_cursor_is_nonsense_then_is_the_first(ten, cursor):
    get = QueryDict(mutable=True)
    get["cursor"] = cursor
    page = page_of(Ticket.objects.all(), request_get=get, order=NEWEST, size=3)
    assert ([ticket.pk for ticket in page.rows], page.prev_url) == (ten[:3], "")


@pytest.mark.parametrize("value", ["\0", "\ud800", 5, None])
def test_page_when_text_in_cursor_is_no_text_then_is_the_first(ten, value):
    get = QueryDict(f"cursor={encoded(['n', value, '1'])}")
    page = page_of(Ticket.objects.all(), request_get=get, order=("subject", "id"), size=1)
    assert [ticket.subject for ticket in page.rows] == ["Ticket 0"]


def test_page_when_all_after_the_cursor_is_gone_then_is_the_first(ten):
    query = page_of(Ticket.objects.all(), request_get=QueryDict(""), order=NEWEST, size=9).next_url
    Ticket.objects.filter(pk=ten[9]).delete()
    page = page_of(Ticket.objects.all(), request_get=QueryDict(query[1:]), order=NEWEST, size=9)
    assert [ticket.pk for ticket in page.rows] == ten[:9]


def test_page_when_far_down_then_costs_one_query(ten, django_assert_num_queries):
    query = last_query(NEWEST)
    with django_assert_num_queries(1):
        page_of(Ticket.objects.all(), request_get=QueryDict(query[1:]), order=NEWEST, size=3)
