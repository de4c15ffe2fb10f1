"""The whole table: each category under each trigger."""

from __future__ import annotations

import pytest

from tickets.lifecycle import FINISHED, UNRESOLVED, Category, Trigger, target

NEW, OPEN, WAITING, RESOLVED, CLOSED, SPAM = Category
STAYS = None

TABLE = {
    #                          NEW       OPEN      WAITING   RESOLVED  CLOSED  SPAM
    Trigger.PICKED_UP: (OPEN, STAYS, STAYS, STAYS, STAYS, STAYS),
    Trigger.AGENT_REPLIED: (OPEN, STAYS, STAYS, STAYS, STAYS, STAYS),
    Trigger.CUSTOMER_REPLIED: (STAYS, STAYS, OPEN, OPEN, OPEN, STAYS),
    Trigger.CLOSED: (CLOSED, CLOSED, CLOSED, CLOSED, STAYS, STAYS),
    Trigger.REOPENED: (STAYS, STAYS, STAYS, OPEN, OPEN, STAYS),
    Trigger.CLOSE_DUE: (STAYS, STAYS, STAYS, CLOSED, STAYS, STAYS),
}


@pytest.mark.parametrize("trigger", Trigger)
def test_trigger_when_pulled_then_leads_where_the_table_says(trigger):
    assert tuple(target(category, trigger) for category in Category) == TABLE[trigger]


def test_triggers_when_listed_then_all_are_in_the_table():
    assert set(TABLE) == set(Trigger)


def test_categories_when_split_then_each_is_in_one_part():
    assert sorted((*UNRESOLVED, *FINISHED, SPAM)) == sorted(Category)
