"""Related tickets on a ticket's page at the desk."""

from __future__ import annotations

import re

import pytest

from accounts.models import AgentGroup
from tests.factories import make_ticket
from tickets.search import indexing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("workflow")]

BLANK = "The video player stays blank after login"


def shown(response) -> list[int]:
    return [int(number) for number in re.findall(r'data-number="(\d+)"', response.content.decode())]


def test_related_when_asked_then_shows_others_that_this_agent_sees(client, ana, cleo, dan, max_admin):
    group = AgentGroup.objects.create(name="Security", is_private=True)
    group.members.add(max_admin)
    ticket, other = make_ticket(ana, text=BLANK), make_ticket(cleo, text=BLANK)
    hidden = make_ticket(cleo, text=BLANK, group=group)
    indexing.index_waiting(most=100)
    told = []
    for who in (dan, max_admin):
        client.force_login(who)
        told.append(set(shown(client.get(f"/desk/tickets/{ticket.pk}/related/"))))
    assert told == [{other.pk}, {other.pk, hidden.pk}]
    client.force_login(dan)
    assert client.get(f"/desk/tickets/{hidden.pk}/related/").status_code == 404


@pytest.mark.parametrize("count", [1, 50])
def test_related_when_there_are_many_then_costs_the_same(count, client, ana, dan, django_assert_num_queries):
    tickets = [make_ticket(ana, text=BLANK) for _ in range(count + 1)]
    indexing.index_waiting(most=100)
    client.force_login(dan)
    with django_assert_num_queries(9):  # session, person; ticket, its text; groups, window, words, postings, tickets
        assert len(shown(client.get(f"/desk/tickets/{tickets[0].pk}/related/"))) == min(count, 5)


def test_page_when_opened_then_says_where_to_ask(client, ana, dan):
    ticket = make_ticket(ana)
    client.force_login(dan)
    assert f'data-related="/desk/tickets/{ticket.pk}/related/"' in client.get(f"/desk/tickets/{ticket.pk}/").content.decode()
