"""Admins' pages for automation: the list, one rule as a sentence, what it would have done, and what it did."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AgentGroup
from tests.desk.conftest import logged_in
from tests.desk.pages import rows, words
from tests.factories import make_ticket, message
from tests.tickets.automation.test_acting import DAY, back, make_rule, priority, status
from tickets import actions
from tickets.automation import acting
from tickets.models import AutomationRule, BusinessCalendar, Event, ProductArea, Tag, Tagging, Ticket, TicketType, When, WorkingSpan

LIST, NEW = "/desk/automation/", "/desk/automation/new/"


@pytest.fixture
def admin(max_admin, workflow):
    return logged_in(max_admin)


def form_of(**fields) -> dict[str, object]:
    return {"name": "Rule", "is_active": "on", "when": "opened", "unit": "hours", "joint": "all", **fields}


def errors(response) -> dict[str, list[str]]:
    return {name: list(found) for name, found in response.context["form"].errors.items()}


# --- The list ------------------------------------------------------------------------------------------------------------------


def test_list_when_empty_then_teaches_and_when_filled_says_in_words_what_each_does(admin, ana, acme):
    assert "Write the first rule" in words(admin.get(LIST))
    steps = {"priority": priority("High"), "tell_customer": True, "assignee": "fewest", "note": "Look."}
    rule = make_rule(When.UNANSWERED, "Waits", span=4 * timedelta(hours=1), conditions={"organization": [acme]}, steps=steps)
    AutomationRule.objects.update(conditions=rule.conditions | {"status": {"values": [status("Open").pk], "not": True}})
    make_rule(When.OPENED, "Broken", steps={"group": 999}, is_active=False)
    make_rule(When.OPENED, "Noted", steps={"note": "x"})
    make_ticket(ana)
    told = words(admin.get(LIST))
    assert (
        "When it is 4 hours since a customer wrote, without an answer, if status is not Open and organization is Acme "
        "set the priority to High, and tell the customer · assign it to who of its group has the fewest open tickets · add the note “Look.” "
        "0 times in 30 days" in told
    )
    assert "Broken Switched off When a ticket is opened set the group to (gone) It can't act: what it sets is no longer there." in told
    assert "1 time in 30 days : the log of “Noted”" in told


def test_list_when_rules_are_moved_switched_and_deleted_then_it_counts_at_once(admin, ana):
    first, second = make_rule(When.OPENED, "First", steps={"note": "1"}), make_rule(When.OPENED, "Second", steps={"note": "2"})
    admin.post(f"{LIST}{second.pk}/move/", {"to": "up"})
    assert list(AutomationRule.objects.values_list("name", flat=True)) == ["Second", "First"]
    admin.post(f"{LIST}{first.pk}/switch/", {"to": "off"})
    ticket = make_ticket(ana)
    admin.post(f"{LIST}{second.pk}/delete/")
    assert [event.data["rule"] for event in ticket.events.order_by("pk") if "rule" in event.data] == ["Second"]
    assert list(AutomationRule.objects.values_list("name", "is_active")) == [("First", False)]


def test_list_when_there_are_many_rules_then_costs_the_same(admin, dan):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(LIST).status_code == 200
        return len(captured)

    steps = {"group": 1, "type": 1, "status": 1, "assignee": dan, "mail": {"people": [dan.pk], "groups": [1]}}
    make_rule(When.OPENED, conditions={"priority": [1], "area": [1]}, steps=steps)
    one = queries()
    for _ in range(20):
        make_rule(When.OPENED, conditions={"priority": [1], "area": [1]}, steps=steps)
    assert queries() == one


# --- One rule ------------------------------------------------------------------------------------------------------------------


def test_rule_when_kept_then_comes_back_in_the_form_as_it_was_and_acts(admin, ana, dan, acme):
    devops, bug = AgentGroup.objects.get(name="DevOps"), TicketType.objects.get(name="Bug")
    fields = form_of(
        when="unanswered",
        number="36",
        reaches_back="on",
        joint="any",
        if_status=[status("In Progress").pk, status("Open").pk],
        if_priority=["none", priority("High").pk],
        not_priority="not",
        if_organization=[acme.pk],
        if_domain="Acme.Example",
        if_tag="Data Export",
        if_subject="player\nblank",
        if_channel=["portal"],
        do_type=bug.pk,
        do_group="no_group",
        do_assignee="nobody",
        do_tags="vip, Big One",
        do_note="Look, {assignee}",
        do_reply="Dear {name}",
        do_snooze="2",
        do_snooze_unit="days",
        do_people=[dan.pk],
        do_groups=[devops.pk],
        do_words="{subject}",
    )
    assert admin.post(NEW, fields).url == LIST
    rule = AutomationRule.objects.get()
    assert (rule.span, rule.is_any, rule.reaches_back) == (timedelta(hours=36), True, True)
    assert rule.conditions == {
        "status": {"values": [status("In Progress").pk, status("Open").pk], "not": False},
        "priority": {"values": [None, priority("High").pk], "not": True},
        "channel": {"values": ["portal"], "not": False},
        "tag": {"values": ["data-export"], "not": False},
        "organization": {"values": [acme.pk], "not": False},
        "domain": {"values": ["acme.example"], "not": False},
        "subject": {"values": ["player", "blank"], "not": False},
    }
    kept = {name: getattr(rule, name) for name in ("conditions", "steps", "span", "when", "is_any")}
    form = admin.get(f"{LIST}{rule.pk}/").context["form"]
    again = {bound.name: bound.value() for bound in form if bound.value() not in (None, "", [], False)}
    assert admin.post(f"{LIST}{rule.pk}/", again).status_code == 302
    rule.refresh_from_db()
    assert {name: getattr(rule, name) for name in kept} == kept
    ticket = make_ticket(ana)
    back(ticket, waiting_since=2 * DAY)
    acting.sweep()
    ticket.refresh_from_db()
    assert (ticket.type, ticket.group, ticket.snoozed_until is not None, rule.runs.get().why) == (bug, None, True, "")
    assert sorted(ticket.tagging_rows.values_list("tag__name", flat=True)) == ["big-one", "vip"]


def test_rule_when_what_it_names_is_offered_no_more_then_keeps_it_until_somebody_changes_that(admin, ana, eve):
    """Else a rule for few tickets would be one for all, as what its page does not show is not sent with it."""
    kind, group, area = (model.objects.create(name="Of old", is_retired=True) for model in (TicketType, AgentGroup, ProductArea))
    conditions = {"type": [None, kind], "group": [group], "area": [area], "assignee": [eve], "organization": [999], "hours": [999]}
    steps = {"group": group, "assignee": eve.pk, "mail": {"people": [eve.pk], "groups": [group.pk], "words": "Look."}}
    rule = make_rule(When.OPENED, conditions=conditions, steps=steps)
    AutomationRule.objects.update(conditions={name: said | {"not": False} for name, said in rule.conditions.items()})
    eve.is_active = False
    eve.save()
    rule.refresh_from_db()
    kept = (rule.conditions, rule.steps)
    page = admin.get(f"{LIST}{rule.pk}/")
    assert ("Of old" in words(page), eve.name in words(page), "(gone)" in words(page)) == (True, True, True)
    assert admin.post(f"{LIST}{rule.pk}/", sent_by(page)).status_code == 302
    rule.refresh_from_db()
    assert (rule.conditions, rule.steps) == kept
    offered = words(admin.get(NEW))
    assert ("Of old" in offered, eve.name in offered) == (False, False)


def sent_by(page) -> dict[str, list[str]]:
    """What a browser sends of the form as it came: of boxes and selects, what is chosen in them."""
    html = page.content.decode()
    html = html[html.index("data-rule") : html.index("</form>", html.index("data-rule"))]
    sent: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", html):
        found = {name: unescape(value or "on") for name, value in re.findall(r'\b(name|value|type|checked)(?:="([^"]*)")?', tag)}
        if "name" in found and (found.get("type") not in ("checkbox", "radio") or "checked" in found):
            sent.setdefault(found["name"], []).append(found.get("value", ""))
    for name, options in re.findall(r'<select name="(\w+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        sent[name] = re.findall(r'<option value="([^"]*)" selected', options)[:1] or [""]
    for name, text in re.findall(r'<textarea name="(\w+)"[^>]*>\n?(.*?)</textarea>', html, re.DOTALL):
        sent[name] = [unescape(text)]
    return sent


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({}, "__all__"),
        ({"when": "age", "do_spam": "on"}, "number"),
        ({"when": "age", "number": "0", "do_spam": "on"}, "number"),
        ({"when": "nonsense", "do_spam": "on"}, "when"),
        ({"do_note": "x", "do_status": "99999999999999999999"}, "do_status"),
        ({"do_reply": "Dear {assignee}"}, "do_reply"),
        ({"do_note": "{password}"}, "do_note"),
        ({"do_note": "x", "if_organization": ["999"]}, "if_organization"),
        ({"do_note": "x", "if_domain": "not a domain"}, "if_domain"),
        ({"do_note": "x", "if_status": ["99999999999999999999"]}, "if_status"),
        ({"do_words": "x"}, "do_words"),
        ({"do_note": "a\0b"}, "do_note"),
        ({"name": "", "do_note": "x"}, "name"),
    ],
)
def test_rule_when_something_is_wrong_then_says_where_and_keeps_what_was_typed(admin, fields, where):
    answer = admin.post(NEW, form_of(**{"if_text": "kept <b>", **fields}))
    assert (answer.status_code, where in errors(answer), "kept &lt;b&gt;" in answer.content.decode()) == (422, True, True)
    assert not AutomationRule.objects.exists()


# --- Trying --------------------------------------------------------------------------------------------------------------------


def tried(admin, **fields) -> list[tuple[int, list[str]]]:
    """(ticket, what would have been done); nothing must have been done."""
    before = Event.objects.count()
    answer = admin.post(NEW, form_of(name="", **{"try": "1"}, **fields))
    assert (answer.status_code, Event.objects.count(), AutomationRule.objects.count()) == (200, before, 0), errors(answer)
    rehearsal = answer.context["rehearsal"]
    assert rows(answer) == [trial.ticket.pk for trial in rehearsal.trials]
    return [(trial.ticket.pk, [deed.problem or deed.words for deed in trial.deeds]) for trial in rehearsal.trials]


def test_trial_when_tickets_have_changed_since_then_asks_what_they_were_at_that_moment(admin, ana, dan, secret):
    high = priority("High")
    ticket = make_ticket(ana, "Player is blank")
    actions.set_priority(ticket, actor=dan, priority=high)
    actions.resolve(ticket, actor=dan, type=TicketType.objects.get(name="Bug"))
    urgent = make_ticket(ana, priority=high)
    none = {"if_priority": ["none"], "if_category": ["new"]}
    assert tried(admin, **none, do_priority=high.pk) == [(ticket.pk, ["set the priority to High"])]
    assert tried(admin, if_priority=[high.pk], do_priority=high.pk) == [(urgent.pk, [])]
    needs_type = "“Resolved” requires a type, and the ticket has none."
    assert tried(admin, **none, do_status=status("Resolved").pk) == [(ticket.pk, [needs_type])]
    assert tried(admin, when="resolved", if_status=[status("Resolved").pk], do_note="x") == [(ticket.pk, ["add the note “x”"])]
    assert tried(admin, when="opened", if_subject="salary", do_note="x") == []  # of a private group


def test_trial_when_the_rule_is_on_time_then_finds_each_wait_that_was_long_enough(admin, ana, dan):
    waited, answered = make_ticket(ana), make_ticket(ana)
    actions.comment(answered, actor=dan, message=message("Try this."))
    actions.comment(waited, actor=dan, message=message("Late."))
    Event.objects.filter(kind="opened").update(at=timezone.now() - 3 * DAY)
    Event.objects.filter(kind="commented", ticket=answered).update(at=timezone.now() - 2.9 * DAY)
    age = {"number": "1", "unit": "days", "do_note": "x"}
    assert [number for number, _did in tried(admin, when="unanswered", **age)] == [waited.pk]
    assert [number for number, _did in tried(admin, when="age", **age)] == [answered.pk, waited.pk]
    in_status = tried(admin, when="in_status", if_category=["new"], **age)
    assert [number for number, _did in in_status] == [waited.pk]
    assert tried(admin, when="age", among="7", if_subject="other", **age) == []


def test_trial_when_there_are_many_tickets_then_costs_the_same(admin, ana, acme):
    tag = Tag.objects.create(name="vip")

    def queries(many: int) -> int:
        for _ in range(many):
            Tagging.objects.create(ticket=make_ticket(ana), tag=tag)
        fields = {"if_organization": acme.pk, "if_text": "broken", "if_tag": "vip", "do_priority": priority("High").pk}
        with CaptureQueriesContext(connection) as captured:
            assert len(tried(admin, **fields)) == Ticket.objects.count()
        return len(captured)

    assert queries(2) == queries(8)


def test_rule_when_it_asks_for_business_hours_then_holds_within_them_alone(admin, ana):
    never, always = BusinessCalendar.objects.create(name="Never", zone="UTC"), BusinessCalendar.objects.create(name="Always", zone="UTC")
    WorkingSpan.objects.bulk_create(WorkingSpan(calendar=always, weekday=day, opens="00:00", closes="00:00") for day in range(7))
    inside = make_rule(When.OPENED, "Inside", conditions={"hours": [always]}, steps={"note": "in"})
    make_rule(When.OPENED, "Outside", conditions={"hours": [never]}, steps={"note": "out"})
    ticket = make_ticket(ana)
    assert [run.rule for run in ticket.automation_runs.all()] == [inside]
    assert "if it is within the hours of Always" in words(admin.get(LIST))


# --- The log -------------------------------------------------------------------------------------------------------------------


def test_log_when_read_then_says_what_was_done_and_why_not_and_the_ticket_names_the_rule(admin, ana, dan, desk, secret):
    rule = make_rule(When.OPENED, "Eager <b>", conditions={"subject": ["help"]}, steps={"note": "seen", "status": status("Resolved")})
    failed = make_ticket(ana, "Help me")
    done = make_ticket(ana, "Help again", type=TicketType.objects.first())
    hidden = make_ticket(ana, "Help, salary", group=secret.group)
    answer = admin.get(f"{LIST}{rule.pk}/log/")
    assert rows(answer) == [done.pk, failed.pk]
    told = words(answer)
    assert "add the note “seen” · set the status to Resolved" in told
    assert "Failed: “Resolved” requires a type, and the ticket has none." in told
    assert (f"#{hidden.pk}" in told, "salary" in told) == (False, False)
    page = desk.get(f"/desk/tickets/{failed.pk}/").content.decode()
    assert (
        "Rule “Eager &lt;b&gt;”</span> could not act: “Resolved” requires a type" in page,
        "<b>" in page.partition("Eager")[2][:20],
    ) == (True, False)
    assert "Rule “Eager <b>” resolved the ticket" in words(desk.get(f"/desk/tickets/{done.pk}/"))
