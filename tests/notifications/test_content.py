"""What a mail says, to whom, in which order and language, and how much of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from lxml import html as lxml_html

from accounts.models import User
from notifications.content import context_of, events_of
from notifications.models import Delivery, Kind, Reason, State
from notifications.relay import relay_waiting
from notifications.render import render
from tests.factories import make_ticket, message, new_file
from tests.notifications.test_render import as_sent, digest, html, text, to
from tickets import actions, sharing
from tickets.models import Status, TicketType

pytestmark = pytest.mark.django_db
LINE = "##- Please write your answer above this line -##"


@pytest.fixture
def ticket(workflow, ana):
    return make_ticket(ana, text="It is blank.")


def visible(mail) -> list[str]:
    """What a person reads in the HTML, cell by cell."""
    tree = lxml_html.fromstring(html(mail).replace("<br>", "<br> "))
    cells = [" ".join(cell.text_content().split()) for cell in tree.iter("td") if not cell.findall(".//td")]
    return [cell for cell in cells if cell]


def merged(person: User, *, kind: Kind = Kind.UPDATE) -> Delivery:
    """What waits for a person, as one mail, as the relay makes it of what happens within a minute."""
    relay_waiting()
    first, *others = Delivery.objects.filter(recipient=person, kind=kind, state=State.QUEUED).order_by("id")
    Delivery.objects.filter(pk__in=[other.pk for other in others]).update(state=State.MERGED, told_by=first)
    return first


# --- Order ---------------------------------------------------------------------------------------------------------------------


def test_update_when_read_then_words_come_first_then_who_then_the_way_then_what_was_said_before(ticket, ana, dan):
    with time_machine.travel(datetime(2026, 11, 21, 9, 30, tzinfo=UTC), tick=False):
        actions.comment(ticket, actor=dan, message=message("Try again.", files=(new_file("how.pdf"),)))
    first_said = f"Ana Ford · {ticket.created_at:%-d %B %Y, %H:%M} UTC"
    ticket.comments.order_by("id").filter(author=ana).update(created_at=datetime(2026, 11, 20, tzinfo=UTC))
    assert visible(to(ana)) == [
        LINE,
        "Try again.",
        "Attached: how.pdf (8 bytes)",
        "Dan Support replied and set the status to In Progress. 21 November 2026, 09:30 UTC",
        f"Open ticket #{ticket.number}",
        "Player is blank Status: In Progress",
        "Said before",
        first_said.split(" · ", maxsplit=1)[0] + " · 20 November 2026, 00:00 UTC",
        "It is blank.",
        f"You get this mail because ticket #{ticket.number} is yours. Stop mails about this ticket · Mail settings Helpdesk",
    ]


def test_text_part_when_read_then_begins_with_the_line_and_the_words(ticket, ana, dan):
    actions.comment(ticket, actor=dan, message=message("Try again.\n\n  Twice."))
    assert text(to(ana)).startswith(f"{LINE}\n\nTry again.\n\n  Twice.\n\nDan Support replied")


@pytest.mark.parametrize("kind", [Kind.RESET_PASSWORD, Kind.SET_PASSWORD, Kind.DIGEST])
def test_line_when_nobody_can_answer_then_is_not_there(workflow, ana, kind):
    delivery = Delivery.objects.create(recipient=ana, address=ana.email, kind=kind, reason=Reason.ACCOUNT)
    mail = as_sent(delivery)
    assert ("##-" in text(mail) + html(mail), mail["Reply-To"]) == (False, None)


def test_preview_when_a_program_shows_one_then_is_the_words_alone(ticket, ana, dan):
    actions.comment(ticket, actor=dan, message=message("Try\n\nagain."))
    (preview,) = lxml_html.fromstring(html(to(ana))).find_class("preview")
    assert preview.text_content().split("\u200c")[0] == "Try again."
    assert (len(preview.text_content()) >= 120, "display: none" in preview.get("style")) == (True, True)


def test_note_when_mailed_then_is_marked_before_its_words(ticket, dan, eve):
    sharing.follow(ticket, actor=dan)
    actions.add_note(ticket, actor=eve, message=message("Between us."))
    assert visible(to(dan))[1:3] == ["Internal note: customers do not see it, nor an answer to this mail.", "Between us."]


def test_assignment_when_its_answer_is_a_note_then_says_so(ticket, dan, eve):
    actions.assign(ticket, actor=eve, assignee=dan)
    assert visible(to(dan))[1] == "Internal: customers do not see this, nor an answer to this mail."


def test_resolution_when_it_closes_by_itself_then_says_when(ticket, ana, dan):
    resolved = actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    assert f"closes by itself on {resolved.close_due_at:%-d %B %Y, %H:%M} UTC." in " ".join(visible(to(ana)))


# --- Said before ---------------------------------------------------------------------------------------------------------------


def before(mail) -> list[str]:
    cells = visible(mail)
    return cells[cells.index("Said before") + 1 : -1] if "Said before" in cells else []


def test_said_before_when_much_was_said_then_shows_the_last_three_newest_first(ticket, ana, dan):
    for number in range(1, 6):
        actions.comment(ticket, actor=dan, message=message(f"Answer {number}."))
    assert before(to(ana))[1::2] == ["Answer 4.", "Answer 3.", "Answer 2."]


def test_said_before_when_long_then_is_cut(ticket, ana, dan):
    for words in ("x" * 600, "y" * 601, "End."):
        actions.comment(ticket, actor=dan, message=message(words))
    assert before(to(ana))[1::2] == ["y" * 600 + " …", "x" * 600, "It is blank."]


def test_said_before_when_a_later_comment_came_meanwhile_then_leaves_it_to_its_own_mail(ticket, ana, ben, dan):
    actions.comment(ticket, actor=dan, message=message("First."))
    relay_waiting()
    first = Delivery.objects.filter(recipient=ana).latest("id")
    actions.comment(ticket, actor=dan, message=message("Second."))
    assert "Second." not in text(as_sent(first))


def test_said_before_when_answers_go_to_customers_then_holds_no_note_even_for_staff(ticket, ana, dan, eve):
    """An agent's program may quote all of our mail, and somebody may read what it quotes."""
    sharing.follow(ticket, actor=dan)
    actions.add_note(ticket, actor=eve, message=message("Between us."))
    actions.comment(ticket, actor=ana, message=message("Well?"))
    assert ("Between us." in text(to(ana)) + text(to(dan)), "Well?" in text(to(dan))) == (False, True)


def test_said_before_when_the_answer_is_a_note_too_then_holds_notes_marked(ticket, dan, eve):
    sharing.follow(ticket, actor=dan)
    actions.add_note(ticket, actor=eve, message=message("Between us."))
    actions.add_note(ticket, actor=eve, message=message("Once more."))
    cells = before(to(dan))
    assert (cells[0].startswith("Eve Devops · Internal note · "), cells[1], cells[3]) == (True, "Between us.", "It is blank.")


# --- Several in one ------------------------------------------------------------------------------------------------------------


def test_merged_when_sent_then_tells_all_in_order_under_one_subject(ticket, ana, dan):
    for words in ("First.", "Second."):
        actions.comment(ticket, actor=dan, message=message(words, files=(new_file(f"{words}txt"),)))
    actions.resolve(ticket, actor=dan, type=TicketType.objects.first())
    mail = as_sent(merged(ana))
    told = [cell for cell in visible(mail) if re.match(r"First|Second|Attached|Dan|Ana", cell)]
    assert mail["Subject"] == f"[#{ticket.number}] Player is blank"
    assert [cell.partition(". ")[0] for cell in told[:7]] == [
        "First.",
        "Attached: First.txt (8 bytes)",
        "Dan Support replied and set the status to In Progress",
        "Second.",
        "Attached: Second.txt (8 bytes)",
        "Dan Support replied",
        "Dan Support resolved the ticket",
    ]
    assert before(mail)[1] == "It is blank."


def test_merged_when_a_part_is_no_longer_theirs_to_see_then_is_left_out(ticket, ana, dan):
    actions.comment(ticket, actor=dan, message=message("Public."))
    first = merged(ana)
    actions.add_note(ticket, actor=dan, message=message("Between us."))
    note = ticket.events.latest("id")
    Delivery.objects.create(
        recipient=ana, address=ana.email, ticket=ticket, event=note, kind="update", reason="follower", state="merged", told_by=first
    )
    mail = as_sent(first)
    assert ("Public." in text(mail), "Between us." in mail.as_string()) == (True, False)


def test_shared_when_it_took_along_what_waited_then_tells_both(ticket, cleo, dan):
    relay_waiting()
    sharing.add_follower(ticket, actor=dan, person=cleo)
    actions.comment(ticket, actor=dan, message=message("Hello Cleo."))
    relay_waiting()
    shared = Delivery.objects.get(recipient=cleo, kind=Kind.SHARED)
    Delivery.objects.filter(recipient=cleo, kind=Kind.UPDATE).update(state=State.MERGED, told_by=shared)
    words = text(as_sent(shared))
    assert words.index("shared ticket") < words.index("Hello Cleo.") < words.index("It is blank.")
    assert "added Cleo Roy" not in words


def test_digest_when_sent_then_has_a_section_for_each_ticket(workflow, ana, ben, dan, settings):
    tickets = [make_ticket(ben, f"Ticket {letter}") for letter in "AB"]
    for ticket in tickets:
        sharing.follow(ticket, actor=ana)
    relay_waiting()
    Delivery.objects.all().delete()
    for ticket in (*tickets, tickets[0]):
        actions.comment(ticket, actor=dan, message=message(f"On {ticket.subject}.\nMore."))
    mail = as_sent(digest(ana))
    assert mail["Subject"] == "Helpdesk: news on 2 tickets"
    assert [re.sub(r" \d+ November.*", "", cell) for cell in visible(mail)] == [
        "Hello Ana Ford, this is what happened on 2 tickets since the last mail of this kind.",
        f"#{tickets[0].number} Ticket A Status: In Progress",
        "Dan Support replied and set the status to In Progress.",
        "On Ticket A. More.",
        "Dan Support replied.",
        "On Ticket A. More.",
        f"#{tickets[1].number} Ticket B Status: In Progress",
        "Dan Support replied and set the status to In Progress.",
        "On Ticket B. More.",
        "Open your tickets",
        "You get this mail because you chose one mail a day. Stop the daily mail · Mail settings Helpdesk",
    ]
    assert f"{settings.SITE_URL}/tickets/{tickets[0].number}/" in text(mail)


def test_digest_when_a_ticket_is_no_longer_theirs_to_see_then_leaves_it_out(ticket, ana, ben, cleo, dan):
    own = make_ticket(cleo, "Of Cleo")
    sharing.add_follower(ticket, actor=dan, person=cleo)
    made = digest(cleo)
    ticket.follower_rows.filter(user=cleo).delete()
    assert [section.subject for section in content(made)["sections"]] == [own.subject]


def content(delivery: Delivery) -> dict[str, Any]:
    return context_of(delivery, events_of(Delivery.objects.get(pk=delivery.pk)))


def test_digest_when_very_much_happened_then_tells_the_newest_and_how_much_more(ticket, ana, dan):
    for number in range(42):
        actions.comment(ticket, actor=dan, message=message(f"Answer {number}."))
    mail = text(as_sent(digest(ana)))
    assert "3 more things happened earlier" in mail  # the confirmation and two answers
    assert ("Answer 1." in mail, "Answer 2." in mail, "Answer 41." in mail) == (False, True, True)


@pytest.mark.parametrize("count", [1, 3])
def test_queries_when_more_is_told_then_are_as_many(ticket, ana, dan, count, django_assert_num_queries):
    for number in range(3):
        actions.comment(ticket, actor=dan, message=message(f"Answer {number}."))
    relay_waiting()
    Delivery.objects.update(state=State.SENT)
    for number in range(count):
        actions.comment(ticket, actor=dan, message=message(f"More {number}.", files=(new_file(),)))
    delivery = Delivery.objects.select_related("event__ticket__status", "event__actor", "event__comment", "recipient").get(
        pk=merged(ana).pk
    )
    with django_assert_num_queries(4 + (count > 1)):  # parts (and, if any, whether they are in sight), files, said before, their last mail
        render(delivery)


@pytest.mark.parametrize("count", [1, 3])
def test_queries_when_a_digest_has_more_tickets_then_are_as_many(workflow, ana, dan, count, django_assert_num_queries):
    for number in range(count):
        ticket = make_ticket(ana, f"Ticket {number}")
        actions.comment(ticket, actor=dan, message=message("Answer.", files=(new_file(),)))
    delivery = Delivery.objects.select_related("recipient").get(pk=digest(ana).pk)
    with django_assert_num_queries(2):  # parts, tickets in sight
        render(delivery)


# --- Safe, whole and small in every program ------------------------------------------------------------------------------------


def test_words_when_they_hold_links_and_markup_then_are_no_links_or_markup_of_ours(ticket, ana, dan):
    words = 'See https://evil.example/ or <a href="https://evil.example/">our portal</a> <img src="https://evil.example/x.png"> <form>'
    actions.comment(ticket, actor=dan, message=message(words))
    tree = lxml_html.fromstring(html(to(ana)))
    assert {link.get("href").split("/")[2] for link in tree.iter("a")} == {"127.0.0.1:8000"}
    assert [tag for tag in ("img", "form", "input", "link", "script", "iframe") if list(tree.iter(tag))] == []
    assert words in visible(to(ana))


def test_file_when_listed_then_leads_to_the_portal(ticket, ana, dan, client, settings):
    actions.comment(ticket, actor=dan, message=message("See.", files=(new_file("my log & more.txt", b"the log"),)))
    (link,) = [a for a in lxml_html.fromstring(html(to(ana))).iter("a") if a.text == "my log & more.txt"]
    client.force_login(ana)
    assert b"".join(client.get(link.get("href").removeprefix(settings.SITE_URL)).streaming_content) == b"the log"


HOSTILE_WORDS = ["& \n" * 30_000, "<" * 90_000, "'\"" * 40_000, "\N{GRINNING FACE}" * 90_000, "\n" * 90_000 + "x", "x" * 100_000]


@pytest.mark.parametrize("words", HOSTILE_WORDS, ids=range(len(HOSTILE_WORDS)))
def test_html_when_somebody_wrote_very_much_then_stays_below_what_gmail_shows(ticket, ana, dan, words, settings):
    for _ in range(3):
        actions.comment(ticket, actor=dan, message=message(words))
    mail = as_sent(merged(ana))
    assert len(html(mail).encode()) < 100_000
    assert f"Read all of it in the portal: {settings.SITE_URL}/tickets/{ticket.number}/" in text(mail) or not words.strip("\n")[1:]


@pytest.mark.parametrize("words", ["& \n" * 200, "\N{GRINNING FACE}" * 300])
def test_digest_when_somebody_wrote_very_much_then_stays_below_what_gmail_shows(workflow, ana, dan, words):
    for number in range(41):
        actions.comment(make_ticket(ana, f"{number}" + "&" * 150), actor=dan, message=message(words))
    assert len(html(as_sent(digest(ana))).encode()) < 100_000


def test_html_when_a_program_has_a_dark_theme_then_knows_our_dark_colours(ticket, ana):
    body = html(to(ana))
    for part in ('content="light dark"', "@media (prefers-color-scheme: dark)", "[data-ogsc] td", "[data-ogsb] .card"):
        assert part in body, part


def test_html_when_outlook_reads_it_then_is_600_wide_and_the_button_has_its_space(ticket, ana):
    body = html(to(ana))
    assert re.search(r'<!--\[if mso\]><table [^>]*width="600"', body)
    assert body.count("<!--[if mso]>") == body.count("<![endif]-->")
    assert re.search(r'<td class="key" bgcolor="#0b6380" style="[^"]*mso-padding-alt: 11px 20px', body)


def test_html_when_style_sheets_are_dropped_then_every_cell_keeps_its_style(ticket, ana):
    tree = lxml_html.fromstring(html(to(ana)))
    assert [cell.get("class") for cell in tree.iter("td") if "font-size" not in (cell.get("style") or "")] == []


@pytest.mark.parametrize(("accent", "ink"), [("", "#ffffff"), ("#ffd500", "#211e1a"), ("#000000", "#ffffff"), ("#ffffff", "#211e1a")])
def test_button_when_the_accent_is_light_then_its_words_are_dark(ticket, ana, settings, accent, ink):
    settings.ACCENT = accent
    (button,) = lxml_html.fromstring(html(to(ana))).find_class("button")
    assert re.search(r"(?<!-)color: (#\w+)", button.get("style"))[1] == ink


# --- Language and time ---------------------------------------------------------------------------------------------------------


def test_mail_when_person_chose_a_language_then_is_in_it_and_in_their_time(ticket, ana, dan):
    User.objects.filter(pk=ana.pk).update(language="de", time_zone="Europe/Berlin")
    with time_machine.travel(datetime(2026, 3, 21, 23, 30, tzinfo=UTC), tick=False):
        actions.comment(ticket, actor=dan, message=message("Bitte noch einmal."), status=Status.objects.get(name="In Progress"))
    mail = to(ana)
    assert '<html lang="de" dir="ltr"' in html(mail)
    assert "22. März 2026, 00:30 CET" in text(mail)
    assert text(mail).startswith("##- Bitte schreiben Sie Ihre Antwort über diese Zeile -##")


def test_mail_when_two_read_different_languages_then_each_gets_their_own(ticket, ana, ben, dan):
    User.objects.filter(pk=ben.pk).update(language="de")
    sharing.follow(ticket, actor=ben)
    actions.comment(ticket, actor=dan, message=message("Again."))
    assert ["##- Please" in text(to(ana)), "##- Bitte" in text(to(ben))] == [True, True]


@pytest.mark.parametrize("language", ["", "tlh"])
def test_mail_when_person_chose_none_or_one_that_is_gone_then_is_in_the_installations(ticket, ana, language, settings):
    User.objects.filter(pk=ana.pk).update(language=language)
    settings.LANGUAGE_CODE = "de"
    assert '<html lang="de"' in html(to(ana))


def test_words_when_written_from_right_to_left_then_stand_so(ticket, ana, dan):
    actions.comment(ticket, actor=dan, message=message("שלום"))
    cells = [cell for cell in lxml_html.fromstring(html(to(ana))).iter("td") if cell.text == "שלום"]
    assert [cell.get("dir") for cell in cells] == ["auto"]


# --- Named ---------------------------------------------------------------------------------------------------------------------


def test_mail_to_who_is_named_says_so_and_others_read_whom_it_was_shared_with(workflow, ana, ben, dan):
    ticket = make_ticket(ana, share=False)
    sharing.follow(ticket, actor=dan)
    actions.comment(ticket, actor=ana, message=message("@Ben Ode, look."))
    did = "Ana Ford replied and shared the ticket with Ben Ode"
    assert [[line for line in text(to(person)).splitlines() if "Ana Ford" in line and " · " not in line] for person in (ben, dan)] == [
        [f"{did} and named you.", f"You get this mail because Ana Ford named you on ticket #{ticket.number}."],
        [f"{did}."],
    ]
