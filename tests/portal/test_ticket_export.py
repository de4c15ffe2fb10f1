"""The list of one's tickets as a file."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from tests.factories import make_ticket, message
from tickets import actions
from tickets.models import Channel

pytestmark = pytest.mark.django_db


def rows(client, person, query: str = "") -> list[list[str]]:
    client.force_login(person)
    answer = client.get(f"/tickets/export.csv{query}")
    assert (answer.status_code, answer["Content-Disposition"]) == (200, 'attachment; filename="tickets.csv"')
    return list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))


def test_file_holds_what_the_list_shows(client, workflow, ana, ben, cleo):
    first, second = make_ticket(ana, "One"), make_ticket(ben, "Two")
    make_ticket(cleo, "Foreign")
    opened = [[f"{one.created_at:%Y-%m-%d %H:%M}", f"{one.public_updated_at:%Y-%m-%d %H:%M}"] for one in (second, first)]
    head = ["Number", "Subject", "Opened by", "Status", "Opened (UTC)", "Last update (UTC)"]
    mine = [str(first.pk), "One", "Ana Ford", "Open", *opened[1]]
    assert rows(client, ana) == [head, mine]
    assert rows(client, ana, "?whose=any&show=all") == [head, [str(second.pk), "Two", "Ben Ode", "Open", *opened[0]], mine]


def test_file_after_a_note_is_as_it_was(client, ana, dan):
    ticket = make_ticket(ana)
    before = rows(client, ana)
    actions.add_note(ticket, actor=dan, message=message("Secret.", channel=Channel.DESK))
    assert rows(client, ana) == before


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_subject_that_a_spreadsheet_would_run_is_text(client, workflow, ana, start):
    make_ticket(ana, f'{start}HYPERLINK("x")')
    assert rows(client, ana)[1][1] == f'\'{start}HYPERLINK("x")'


@pytest.mark.parametrize("count", [1, 50])
def test_file_asks_the_database_as_often_for_one_as_for_many(client, workflow, ana, django_assert_num_queries, count):
    for _ in range(count):
        make_ticket(ana)
    client.force_login(ana)
    with django_assert_num_queries(4):
        client.get("/tickets/export.csv")


def test_too_many_files_are_refused(client, workflow, ana):
    client.force_login(ana)
    assert [client.get("/tickets/export.csv").status_code for _ in range(21)] == [200] * 20 + [429]
