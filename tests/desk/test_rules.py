"""Admins' pages for the rules of mail: the list, one rule, and what it would have done to mail that came in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AgentGroup
from tests.desk.conftest import logged_in
from tests.desk.pages import words
from tests.tickets.mail.letters import letter, signed_address, take_in
from tickets.mail import ingest, rules
from tickets.models import InboundMessage, InboundState, Mailbox, MailRule, TicketType

LIST, NEW = "/desk/mail/rules/", "/desk/mail/rules/new/"
FREEMIUM = {"name": "Sign-ups", "is_active": "on", "senders": "robot@signup.example", "subjects": "freemium account", "is_spam": "on"}


@pytest.fixture
def admin(max_admin, workflow):
    return logged_in(max_admin)


def make_rule(name: str = "Sign-ups", *, position: int = 1, **fields) -> MailRule:
    return MailRule.objects.create(name=name, position=position, **{"domains": "signup.example", "is_spam": True, **fields})


def errors(response) -> dict[str, list[str]]:
    return {name: list(found) for name, found in response.context["form"].errors.items()}


# --- The list ------------------------------------------------------------------------------------------------------------------


def test_list_when_empty_then_teaches_by_example(admin):
    told = words(admin.get(LIST))
    assert ("freemium" in told, "Write the first rule" in told) == (True, True)


def test_list_when_there_are_rules_then_says_what_they_do_in_words(admin, max_admin, workflow):
    group = AgentGroup.objects.get(name="DevOps")
    make_rule(subjects="one\ntwo\nthree\nfour", header="X-Mailer", header_values="robot", is_spam=False, is_quiet=True, group=group)
    make_rule("Spam", position=2, mailbox=ingest.default_mailbox(), is_active=False)
    assert (
        "from anybody at signup.example and subject contains “one” or “two” or “three” or 1 more and header X-Mailer contains “robot” "
        "group DevOps · no confirmation 0 mails in 30 days"
    ) in words(admin.get(LIST))
    assert "Spam Switched off from anybody at signup.example and sent to support@support.example spam, and nobody is mailed" in words(
        admin.get(LIST)
    )


def test_rule_when_what_it_sets_is_retired_then_is_left_out_of_new_tickets_and_the_list_says_so(admin, workflow):
    group, kind = AgentGroup.objects.get(name="DevOps"), TicketType.objects.get(name="DevOps")
    rule = make_rule(is_spam=False, group=group, type=kind)
    Mailbox.objects.update(group=group)
    for model, thing in ((AgentGroup, group), (TicketType, kind)):
        model.objects.filter(pk=thing.pk).update(is_retired=True)
    ticket = take_in(letter("robot@signup.example")).ticket
    assert (ticket.group.is_retired, ticket.type) == (False, None)
    told = "group DevOps (retired, so it is left out) · type DevOps (retired, so it is left out)"
    assert told in words(admin.get(LIST))
    form = admin.get(reverse("desk_mail_rule", args=[rule.pk])).context["form"]  # keeps what it names, and offers it to no other
    assert (form["group"].value(), group in form.fields["group"].queryset) == (group.pk, True)
    assert group not in admin.get(NEW).context["form"].fields["group"].queryset


def test_list_when_rules_matched_then_counts_lately(admin, workflow):
    rule = make_rule()
    mails = [take_in(letter(f"{name}@else.example")) for name in "abc"]
    InboundMessage.objects.filter(pk__in=[mail.pk for mail in mails]).update(rule=rule)
    InboundMessage.objects.filter(pk=mails[0].pk).update(received_at=timezone.now() - timedelta(days=31))
    assert "2 mails in 30 days" in words(admin.get(LIST))


def test_list_when_agents_remembered_senders_then_shows_them_apart(admin, dan):
    rules.remember_spammer("robot@signup.example", actor=dan)
    told = words(admin.get(LIST))
    assert ("No rule yet" in told, "robot@signup.example marked by Dan Support · just now 0 mails in 30 days" in told) == (True, True)


@pytest.mark.parametrize("many", [1, 25])
def test_list_when_rules_are_many_then_asks_no_more(admin, dan, django_assert_num_queries, many):
    for number in range(many):
        make_rule(f"Rule {number}", position=number + 1, group=AgentGroup.objects.first())
        rules.remember_spammer(f"robot{number}@signup.example", actor=dan)
    with django_assert_num_queries(4):
        admin.get(LIST)


def test_rule_when_moved_up_then_is_asked_earlier(admin):
    make_rule("first")
    second = make_rule("second", position=2)
    admin.post(reverse("desk_mail_rule_move", args=[second.pk]), {"to": "up"})
    assert [row["rule"].name for row in admin.get(LIST).context["rules"]] == ["second", "first"]


def test_rule_when_deleted_then_its_tickets_stay(admin):
    rule = make_rule()
    mail = take_in(letter("ana@acme.example"))
    InboundMessage.objects.filter(pk=mail.pk).update(rule=rule)
    told = words(admin.post(reverse("desk_mail_rule_delete", args=[rule.pk]), follow=True))
    mail.refresh_from_db()
    assert ("The rule “Sign-ups” is gone." in told, MailRule.objects.count(), mail.rule, mail.ticket is None) == (True, 0, None, False)


# --- One rule ------------------------------------------------------------------------------------------------------------------


def test_rule_when_kept_then_is_as_typed_and_asked_last(admin, max_admin):
    make_rule("first", position=7)
    response = admin.post(
        NEW, {**FREEMIUM, "senders": " Robot@Signup.example \r\nrobot@signup.example\r\n\r\n", "domains": "Signup.Example"}
    )
    kept = MailRule.objects.get(name="Sign-ups")
    assert (response["Location"], kept.senders, kept.domains, kept.position, kept.created_by, kept.is_active) == (
        LIST,
        "robot@signup.example",
        "signup.example",
        8,
        max_admin,
        True,
    )


def test_rule_when_changed_then_keeps_its_place(admin):
    rule = make_rule(position=3)
    admin.post(reverse("desk_mail_rule", args=[rule.pk]), {**FREEMIUM, "name": "Renamed", "is_active": ""})
    rule.refresh_from_db()
    assert (rule.name, rule.position, rule.is_active, rule.domains, rule.subjects) == ("Renamed", 3, False, "", "freemium account")


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"senders": "robot"}, "senders", "“robot” is no whole address. Write one such as robot@example.com."),
        ({"domains": "@x"}, "domains", "“@x” is no mail domain. Write one such as example.com."),
        ({"senders": " ", "subjects": " "}, "__all__", "Fill in at least one condition, or the rule would match every mail."),
        ({"header_values": "x"}, "__all__", "Name the header that should contain this."),
        ({"is_spam": ""}, "__all__", "Choose what happens to the mail, or the rule would do nothing."),
        ({"requester": "nobody@else.example"}, "requester", "Nobody with an account here has this address."),
        ({"name": ""}, "name", "This field is required."),
    ],
)
def test_rule_when_it_makes_no_sense_then_says_why_and_keeps_what_was_typed(admin, change, field, told):
    response = admin.post(NEW, {**FREEMIUM, "header": "", **change})
    assert (response.status_code, errors(response)) == (422, {field: [told]})
    typed = {**FREEMIUM, **change}
    assert [name for name, value in typed.items() if (response.context["form"][name].value() or "") not in (value, value == "on")] == []
    assert MailRule.objects.count() == 0


def test_requester_when_kept_then_is_shown_by_address(admin, ana):
    admin.post(NEW, {**FREEMIUM, "requester": "ANA@acme.example"})
    rule = MailRule.objects.get()
    page = admin.get(reverse("desk_mail_rule", args=[rule.pk])).content.decode()
    assert (rule.requester, 'value="ana@acme.example"' in page) == (ana, True)


# --- Trying --------------------------------------------------------------------------------------------------------------------


def tried(client, **change) -> list[tuple[int, str]]:
    response = client.post(NEW, {**FREEMIUM, "try": "1", **change})
    assert response.status_code == 200, errors(response)
    return [(trial.message.pk, trial.but or " · ".join(trial.would)) for trial in response.context["trials"]]


@pytest.fixture
def sign_up(workflow):
    return take_in(letter("Sign-up <robot@signup.example>", subject="New Freemium account"))


def test_rule_when_tried_then_shows_what_would_happen_and_keeps_nothing(admin, sign_up):
    take_in(letter("robot@signup.example", subject="I need help"))
    response = admin.post(NEW, {**FREEMIUM, "try": "1", "name": ""})
    told = words(response)
    assert ("1 of the last 200 mails matches" in told, "New Freemium account spam, and nobody is mailed" in told) == (True, True)
    assert (response.context["form"]["subjects"].value(), MailRule.objects.count()) == ("freemium account", 0)


def test_rule_when_tried_on_an_answer_then_says_that_it_stays(admin, ticket, ana):
    answer = take_in(letter(to=signed_address(ticket, ana)))
    assert tried(admin, senders=ana.email, subjects="") == [(answer.pk, f"An answer on #{ticket.number}, which no rule touches.")]


def test_rule_when_tried_on_ignored_mail_then_says_that_it_stays(admin, sign_up):
    InboundMessage.objects.update(state=InboundState.IGNORED, ticket=None, comment=None)
    assert tried(admin) == [(sign_up.pk, "It opens no ticket, so no rule is asked.")]


def test_rule_when_another_is_asked_first_then_says_so(admin, sign_up):
    earlier = make_rule("Earlier")
    off = make_rule("Off", is_active=False, position=0)
    assert tried(admin) == [(sign_up.pk, "“Earlier” is asked first, and matches too.")]
    response = admin.post(reverse("desk_mail_rule", args=[earlier.pk]), {**FREEMIUM, "try": "1"})
    assert ([trial.but for trial in response.context["trials"]], off.is_active) == ([""], False)


@pytest.mark.parametrize(("values", "found"), [("", 1), ("signup 2", 1), ("other", 0)])
def test_header_when_tried_then_is_read_from_the_mail(admin, workflow, values, found):
    take_in(letter("robot@signup.example", X_Mailer="SignUp 2.1"))
    take_in(letter("robot@signup.example", text="X-Mailer: SignUp 2.1\n"))
    assert len(tried(admin, senders="", subjects="", header="X-Mailer", header_values=values)) == found


def test_rule_when_tried_then_private_mail_of_others_stays_hidden(admin, secret, ana):
    take_in(letter(to=signed_address(secret, ana)))
    assert tried(admin, senders=ana.email, subjects="") == []


def test_rule_when_it_matches_everything_then_is_refused_when_tried_too(admin, sign_up):
    response = admin.post(NEW, {"try": "1"})
    assert (response.status_code, response.context["trials"], list(errors(response))) == (422, None, ["__all__"])


@pytest.mark.parametrize("many", [1, 25])
@pytest.mark.parametrize("header", ["", "Subject"])
def test_rule_when_tried_on_many_mails_then_asks_no_more(admin, workflow, django_assert_num_queries, many, header):
    for number in range(many):
        take_in(letter(f"robot{number}@signup.example"))
        make_rule(f"Rule {number}", domains="else.example")
    with django_assert_num_queries(14):
        assert len(tried(admin, senders="", subjects="", domains="signup.example", header=header)) == many


def test_page_when_asked_for_then_offers_to_try(admin):
    page = admin.get(NEW).content.decode()
    assert re.findall(r'<button type="submit"[^>]*name="try"[^>]*formaction="/desk/mail/rules/new/#trial"', page)
