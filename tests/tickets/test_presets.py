"""Presets: each source's workflow, safe to run again, and nothing that an admin changed is touched."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import AgentGroup
from tests.factories import make_ticket, make_user, message
from tickets import actions
from tickets.management.commands.preset import install
from tickets.models import BusinessCalendar, Priority, SlaPolicy, SlaTarget, Status, Ticket, TicketType
from tickets.presets import APPRENTICE, APTY, PRESETS

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("preset", *arguments, stdout=out)
    return out.getvalue()


def everything() -> list[object]:
    return [sorted(map(repr, model.objects.values_list()), key=str) for model in (Status, TicketType, Priority, AgentGroup, SlaPolicy)]


@pytest.mark.parametrize("name", PRESETS)
def test_preset_when_run_again_then_changes_nothing(name):
    assert install(PRESETS[name]) > 0
    before = everything()
    assert (install(PRESETS[name]), everything()) == (0, before)


def test_apprentice_when_installed_then_has_the_sources_statuses_and_their_switches():
    install(APPRENTICE)
    rows = Status.objects.values_list("name", "category", "is_default", "pauses_sla", "asks_reference", "requires_type")
    assert list(rows) == [
        ("New", "new", True, False, False, False),
        ("In Progress", "open", True, False, False, False),
        ("Blocked", "waiting", True, True, False, False),
        ("Closed", "closed", True, True, False, False),
        ("Closed - Escalated to TEM", "closed", False, True, True, False),
        ("Spam", "spam", True, True, False, False),
    ]


def test_apprentice_when_nothing_is_ever_resolved_then_what_is_solved_is_closed(ana):
    install(APPRENTICE)
    agent = make_user("agent@support.example", role="agent")
    mine, theirs = make_ticket(ana), make_ticket(ana)
    actions.resolve(mine, actor=agent)
    actions.comment(theirs, actor=agent, message=message("Try now."))
    actions.confirm_fix(theirs, actor=ana)
    assert set(Ticket.objects.values_list("status__name", flat=True)) == {"Closed"}
    assert list(theirs.events.values_list("kind", flat=True))[-1] == "closed"


def test_dry_run_when_an_admin_changed_things_then_says_what_is_new_differs_and_stays():
    install(APTY)
    Status.objects.filter(name="In Progress").update(public_name="Being worked on")
    TicketType.objects.filter(name="DevOps").delete()
    Priority.objects.filter(name="Low").update(name="Someday")
    TicketType.objects.create(name="Billing")
    BusinessCalendar.objects.update(name="Our hours")
    SlaTarget.objects.filter(priority__name="High").update(resolution=timedelta(hours=3))
    SlaTarget.objects.filter(priority__name="Medium").delete()
    before = everything()
    said = run("apty", "--dry-run")
    assert everything() == before
    new, _title, rest = said.partition("Differs from the preset")
    assert ("type “DevOps”" in new, "“Low”" in new) == (True, False)
    assert "status “In Progress”: name for customers is “Being worked on”, the preset has empty" in rest
    assert "priority “Low”: level 4 is “Someday”" in rest
    assert "business calendar “Office hours”" in new
    assert "SLA policy “Standard”, High: resolution is 3h, the preset has 16h" in rest
    assert "SLA policy “Standard”, Medium: first response is empty, the preset has 4h" in rest
    assert "type “Billing”" in rest.partition("Not of the preset")[2]
    assert "Nothing was changed." in said


def test_preset_when_installed_beside_another_then_takes_nothing_from_it():
    install(APTY)
    before = {row.name: (row.category, row.is_default, row.public_name) for row in Status.objects.all()}
    said = run("apprentice", "--dry-run")
    assert "status “New”: the default is “Open”" in said
    install(APPRENTICE)
    after = {row.name: (row.category, row.is_default, row.public_name) for row in Status.objects.all()}
    assert {name: after[name] for name in before} == before
    assert (after["New"], AgentGroup.objects.get(is_default=True).name) == (("new", False, ""), "Customer Support")


def test_preset_when_an_admin_renamed_a_priority_then_runs_and_leaves_it():
    install(APTY)
    Priority.objects.filter(name="Critical").update(name="P1")
    SlaPolicy.objects.all().delete()
    assert install(APTY) == 1
    assert (Priority.objects.get(level=1).name, Priority.objects.count()) == ("P1", 4)
