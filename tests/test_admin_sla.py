"""Calendars and SLA policies in the admin: words instead of formats, and no slip that leaves nothing due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import AgentGroup
from tests.factories import make_policy, make_ticket
from tests.test_admin import add, change, errors
from tickets.management.commands.preset import install
from tickets.models import BusinessCalendar, Clock, Priority, SlaPolicy, SlaStep, SlaTarget
from tickets.presets import APTY
from tickets.sla import free_days

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(workflow, max_admin) -> Client:
    client = Client()
    client.force_login(max_admin)
    return client


def hours(calendar: BusinessCalendar) -> list[str]:
    return [str(span) for span in calendar.spans.order_by("weekday", "opens")]


# --- Calendars -----------------------------------------------------------------------------------------------------------------


def test_calendar_when_added_then_reads_hours_and_holidays_as_people_write_them(office):
    week = {"day0": "09:00–12:30, 13:30-18:00", "day4": "22:00 – 06:00", "day6": "00:00–24:00"}
    add(office, BusinessCalendar, name="Berlin", zone="Europe/Berlin", days="2026-12-25 Christmas Day\n\n2026-12-26", **week)
    calendar = BusinessCalendar.objects.get()
    assert hours(calendar) == ["0: 09:00–12:30", "0: 13:30–18:00", "4: 22:00–06:00", "6: 00:00–00:00"]
    assert dict(calendar.holidays.values_list("date", "name")) == {date(2026, 12, 25): "Christmas Day", date(2026, 12, 26): ""}
    assert change(office, calendar, name="Berlin office").status_code == 302
    assert (len(hours(calendar)), calendar.holidays.count(), calendar.as_value().week[6]) == (4, 2, ((0, 1440),))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"day0": "nine to five"}, "“nine to five” is no time."),
        ({"day0": "09:00–25:00"}, "“09:00–25:00” is no time."),
        ({"day0": "09:00–12:00, 11:00–13:00"}, "These hours overlap."),
        ({"day0": ""}, "Write the hours of one day at least"),
        ({"day0": "09:00–17:00", "days": "25.12.2026 Christmas"}, "“25.12.2026 Christmas” is no holiday."),
        ({"day0": "09:00–17:00", "country": "Atlantis"}, "No holidays are known for “Atlantis”."),
        ({"day0": "09:00–17:00", "country": "DE-ZZ"}, "The parts of DE are: DE-BB, DE-BE"),
        ({"day0": "09:00–17:00", "zone": "Mars/Olympus"}, "Select a valid choice."),
    ],
)
def test_calendar_when_it_can_not_be_read_then_says_what_is_wrong_and_keeps_what_was_typed(office, said, why):
    response = add(office, BusinessCalendar, **{"name": "Berlin", "zone": "Europe/Berlin", **said})
    assert (response.status_code, BusinessCalendar.objects.count()) == (200, 0)
    assert any(why in error for error in errors(response))
    assert all(value in response.content.decode() for value in said.values() if value and "zone" not in said)


def test_holidays_when_taken_from_a_country_and_a_file_then_are_added_to_what_stands(office):
    ics = SimpleUploadedFile(
        "free.ics", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261224\r\nSUMMARY:Closed\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    add(office, BusinessCalendar, name="B", zone="Europe/Berlin", day0="09:00–17:00", days="2026-10-31 Ours", country="de-be", file=ics)
    calendar = BusinessCalendar.objects.get()
    found = dict(calendar.holidays.values_list("date", "name"))
    assert (found, calendar.country) == ({date(2026, 12, 24): "Closed", date(2026, 10, 31): "Ours"}, "DE-BE")
    assert {date(2026, 12, 24), date(2026, 10, 31), date(2026, 12, 25)} <= calendar.as_value().holidays


def test_holidays_when_a_file_is_added_to_a_calendar_that_stands_then_are_read_though_what_it_touches_was_asked_first(office):
    add(office, BusinessCalendar, name="Office hours", zone="UTC", day0="09:00–17:00")
    calendar = BusinessCalendar.objects.get()
    ics = SimpleUploadedFile(
        "free.ics", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261224\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    sent = {"name": calendar.name, "zone": "UTC", "day0": "09:00–17:00", "file": ics}
    response = office.post(reverse("admin:tickets_businesscalendar_change", args=[calendar.pk]), sent)
    assert (response.status_code, [day.date for day in calendar.holidays.all()]) == (302, [date(2026, 12, 24)])


US = {"name": "Office", "zone": "America/New_York", "day0": "09:00–17:00", "country": "us"}


@pytest.mark.parametrize("year", [2026, 2027, 2032, 2033, 2045])
def test_public_holidays_when_years_go_by_then_do_not_end_save_those_on_which_one_works(office, max_admin, year):
    """Columbus Day is the second Monday of October; 2032-10-11 and all others are worked."""
    add(office, BusinessCalendar, worked="columbus day\nVeterans Day", **US)
    with time_machine.travel(datetime(year, 6, 1, tzinfo=UTC), tick=False):
        office.force_login(max_admin)
        free = BusinessCalendar.objects.get().as_value().holidays
        page = office.get(reverse("admin:tickets_businesscalendar_change", args=[BusinessCalendar.objects.get().pk])).content.decode()
    assert (date(year, 7, 4) in free, date(year + 5, 12, 25) in free, f"25 Dec {year} Christmas Day" in page) == (True, True, True)
    assert [day for day in free if day.month == 10] == []


def test_public_holidays_when_the_machine_speaks_another_language_then_are_called_the_same(monkeypatch):
    monkeypatch.setenv("LANGUAGE", "de")
    free_days.of_country.cache_clear()
    assert free_days.of_country("DE", range(2026, 2027))[date(2026, 4, 3)] == "Good Friday"


def test_public_holidays_when_a_name_is_not_among_them_then_says_which_are(office):
    response = add(office, BusinessCalendar, worked="Columbus Day\nOktoberfest", **US)
    assert [error.partition("These are")[0] for error in errors(response)] == ["“Oktoberfest” is no holiday of US. "]
    assert "Thanksgiving Day" in errors(response)[0]


def test_public_holidays_when_a_country_is_not_known_any_more_then_tickets_are_opened_all_the_same(workflow, ana, caplog):
    policy = make_policy()
    BusinessCalendar.objects.update(country="DE-XX")
    ticket = make_ticket(ana)
    assert (ticket.sla.policy, "are not known any more" in caplog.text) == (policy, True)


def test_public_holidays_when_the_calendar_changes_then_tickets_keep_the_promise_they_had(workflow, ana):
    """16 hours from Thursday, 10:00 in Berlin: 7 until 17:00; with Friday off 8 on Monday and 1 on Tuesday; without, 8 on Friday and 1 on Monday."""
    make_policy()
    BusinessCalendar.objects.update(country="DE")
    with time_machine.travel(datetime(2026, 12, 24, 9, tzinfo=UTC), tick=False):
        before = make_ticket(ana)
        BusinessCalendar.objects.update(country="")
        after = make_ticket(ana)
    due = [Clock.objects.get(ticket=ticket, metric="resolution").due_at for ticket in (before, after)]
    assert due == [datetime(2026, 12, 29, 9, tzinfo=UTC), datetime(2026, 12, 28, 9, tzinfo=UTC)]


def test_calendar_when_a_policy_uses_it_then_is_not_deleted(office):
    calendar = make_policy().calendar
    response = office.post(reverse("admin:tickets_businesscalendar_delete", args=[calendar.pk]), {"post": "yes"}, follow=True)
    assert (BusinessCalendar.objects.count(), "Choose another calendar" in response.content.decode()) == (1, True)


EVENT = "BEGIN:VEVENT\n{}\nEND:VEVENT\n"
FILES = {
    "several days, the last of which is not one": (
        "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nSUMMARY:Christmas\\, all of it",
        3,
    ),
    "each year": ("DTSTART;VALUE=DATE:20260501\nRRULE:FREQ=YEARLY;UNTIL=20290101T000000Z\nSUMMARY:May", 4),
    "a leap day each year": ("DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY", 3),
    "a leap day each year, one of which is none": ("DTSTART;VALUE=DATE:20920229\nRRULE:FREQ=YEARLY", 2),
    "a folded line": ("DTSTART;VALUE=DATE:2026\n 0501\nSUMMARY:May", 1),
    "each second, which is no holiday's": ("DTSTART;VALUE=DATE:20260501\nRRULE:FREQ=SECONDLY", 1),
    "longer than any": ("DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:99991231", 60),
}


@pytest.mark.parametrize("name", FILES)
def test_file_when_read_then_gives_its_whole_days(name):
    entry, count = FILES[name]
    meeting = EVENT.format("DTSTART:20260101T090000Z\nSUMMARY:Meeting")
    assert len(free_days.read_ics(f"BEGIN:VCALENDAR\n{meeting}{EVENT.format(entry)}END:VCALENDAR".encode())) == count


def test_file_when_it_is_odd_then_is_read_at_once_and_ends_where_the_calendar_does():
    odd = EVENT.format("DTSTART:99981230\nDTEND:99990210\nSUMMARY:En\0d\nRRULE:FREQ=YEARLY;UNTIL=99991231")
    days = free_days.read_ics(("BEGIN:VCALENDAR\n" + odd + "BEGIN:VEVENT\n" * 50_000).encode())
    assert (len(days), max(days.items())) == (44, (date(9999, 12, 31), "End"))


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"BEGIN:VCALENDAR", b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:99999999\nEND:VEVENT"]
)
def test_file_when_it_holds_none_then_is_refused(content):
    with pytest.raises(ValueError, match="file"):
        free_days.read_ics(content)


# --- Policies ------------------------------------------------------------------------------------------------------------------


def rows(prefix: str, *forms: dict[str, str]) -> dict[str, str]:
    data = {f"{prefix}-TOTAL_FORMS": str(len(forms)), f"{prefix}-INITIAL_FORMS": "0"}
    return data | {f"{prefix}-{number}-{name}": value for number, form in enumerate(forms) for name, value in form.items()}


@pytest.fixture
def new(office):
    """Adds a policy with these targets and steps."""
    calendar = BusinessCalendar.objects.create(name="Berlin", zone="Europe/Berlin")

    def new(*, targets=({"first_response": "1h 30m", "in_business_hours": "on"},), steps=()):
        return add(office, SlaPolicy, name="Gold", calendar=calendar.pk, position="1", **rows("targets", *targets), **rows("steps", *steps))

    return new


def test_policy_when_added_then_has_its_targets_and_steps(new, dan):
    high = Priority.objects.get(name="High")
    response = new(
        targets=(
            {"priority": "", "first_response": "4h"},
            {"priority": str(high.pk), "first_response": "1h 30m", "resolution": "90m", "in_business_hours": "on"},
        ),
        steps=(
            {"metric": "first", "side": "before", "span": "30m", "to_assignee": "on"},
            {"metric": "first", "side": "after", "span": "", "people": str(dan.pk)},
        ),
    )
    assert response.status_code == 302
    assert list(SlaTarget.objects.order_by("pk").values_list("priority__name", "first_response", "resolution", "in_business_hours")) == [
        (None, timedelta(hours=4), None, False),
        ("High", timedelta(minutes=90), timedelta(minutes=90), True),
    ]
    assert [(step.offset, step.to_assignee, list(step.people.all())) for step in SlaStep.objects.order_by("pk")] == [
        (-timedelta(minutes=30), True, []),
        (timedelta(), False, [dan]),
    ]
    assert [str(step) for step in SlaStep.objects.order_by("pk")] == [
        "First response: 30m before it is due",
        "First response: at the breach",
    ]


FIVE = tuple({"metric": "first", "side": "after", "span": f"{hour}h", "to_assignee": "on"} for hour in range(5))
WRONG = {
    "nothing promised": ({"targets": ()}, "This policy promises nothing."),
    "days": ({"targets": ({"first_response": "2 days"},)}, "A day of work has other hours than a day: write hours, such as 16h."),
    "no words of time": ({"targets": ({"first_response": "soon"},)}, "“soon” is no time. Write it such as 8h, 30m or 1h 30m."),
    "no time": ({"targets": ({"first_response": "0m", "resolution": "1h"},)}, "Leave it empty where nothing is promised."),
    "too long": ({"targets": ({"first_response": "999999h"},)}, "“999999h” is no time."),
    "one priority twice": (
        {"targets": ({"first_response": "1h"}, {"first_response": "2h"})},
        "Each priority can have one row only, and “any other” too.",
    ),
    "a warning at the breach": (
        {"steps": ({"metric": "first", "side": "before", "span": "", "to_assignee": "on"},)},
        "Say how long before, such as 30m.",
    ),
    "told to nobody": ({"steps": ({"metric": "first", "side": "after", "span": "1h"},)}, "Say who is told."),
    "five escalations": ({"steps": FIVE}, "Up to four warnings and four escalations for each time that is promised."),
    "two at once": ({"steps": (FIVE[1], FIVE[1])}, "There is a step for this moment already."),
}


@pytest.mark.parametrize("name", WRONG)
def test_policy_when_something_is_wrong_then_says_what(new, name):
    said, why = WRONG[name]
    response = new(**said)
    assert (response.status_code, SlaPolicy.objects.count()) == (200, 0)
    assert any(why in error for error in errors(response)) or why in response.content.decode()


def test_policy_when_deleted_then_tickets_keep_what_they_were_promised(office, ana):
    policy = make_policy()
    ticket = make_ticket(ana)
    office.post(reverse("admin:tickets_slapolicy_delete", args=[policy.pk]), {"post": "yes"})
    assert (SlaPolicy.objects.count(), Clock.objects.filter(ticket=ticket, state="running").count()) == (0, 2)


def test_which_when_asked_then_says_the_policy_its_times_and_why_not_the_others(office, acme):
    make_policy("Everybody", position=9)
    gold = make_policy("Gold", organization=acme, position=1, first_response=timedelta(hours=1))
    make_policy("DevOps alone", group=AgentGroup.objects.get(name="DevOps"), position=2)
    page = office.get(reverse("admin:tickets_slapolicy_which"), {"organization": acme.pk})
    assert [(promise["label"], promise["span"]) for promise in page.context["promises"]] == [
        ("First response", "1h"),
        ("Next response", "2h"),
        ("Resolution", "16h"),
    ]
    assert [(other.name, why) for other, why in page.context["others"]] == [
        ("Gold", ""),
        ("DevOps alone", "only for DevOps"),
        ("Everybody", "comes later"),
    ]
    assert (page.context["policy"], all(promise["due_at"] for promise in page.context["promises"])) == (gold, True)
    nobody = office.get(reverse("admin:tickets_slapolicy_which"))
    assert nobody.context["policy"].name == "Everybody"
    assert office.get(reverse("admin:tickets_slapolicy_which"), {"group": "x"}).status_code == 200


def test_which_when_an_agent_asks_then_nothing_is_there(office, dan):
    client = Client()
    client.force_login(dan)
    assert client.get(reverse("admin:tickets_slapolicy_which")).status_code == 404


def test_preset_when_an_admin_has_another_priority_in_the_place_of_one_then_promises_nothing_for_that(workflow):
    Priority.objects.filter(name="Low").update(name="Some day")
    install(APTY)
    assert list(SlaTarget.objects.order_by("pk").values_list("priority__name", flat=True)) == ["Critical", "High", "Medium", None]


def test_preset_when_installed_again_then_leaves_what_an_admin_changed(workflow):
    install(APTY)
    SlaTarget.objects.filter(priority__name="High").update(resolution=timedelta(hours=3))
    SlaStep.objects.all().delete()
    assert (install(APTY), SlaStep.objects.count(), SlaTarget.objects.count()) == (0, 0, 5)
    assert SlaTarget.objects.get(priority__name="High").resolution == timedelta(hours=3)
