"""Which rule counts for a mail, and who may change which."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from tests.tickets.mail.letters import letter
from tickets import actions
from tickets.mail import ingest, rules
from tickets.mail.parse import parse
from tickets.models import Mailbox, MailRule

pytestmark = pytest.mark.django_db

SIGN_UP = "Sign-up <robot@freemium.example>"


def make_rule(name: str = "Sign-ups", *, position: int = 1, **fields) -> MailRule:
    return MailRule.objects.create(name=name, position=position, **{"is_spam": True, **fields})


def matched(sender: str = SIGN_UP, *, mailbox: Mailbox | None = None, **headers) -> str:
    """The name of the rule that counts; '' for none."""
    raw = letter(sender, **headers)
    rule = rules.matching_rule(parse(raw), mailbox=mailbox or ingest.default_mailbox(), raw=raw)
    return rule.name if rule else ""


# --- Conditions ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("senders", "is_it"),
    [
        ("robot@freemium.example", True),
        ("other@x.example\nRobot@Freemium.example\n", True),
        ("robot@freemium.example.org", False),
        ("bot@freemium.example", False),
        ("%@freemium.example", False),
    ],
)
def test_senders_are_compared_as_whole_addresses(senders, is_it):
    make_rule(senders=senders)
    assert matched("Sign-up <ROBOT@freemium.example>") == ("Sign-ups" if is_it else "")


@pytest.mark.parametrize(
    ("sender", "is_it"),
    [
        ("x@freemium.example", True),
        ("x@FREEMIUM.example", True),
        ("x@mail.freemium.example", False),
        ("x@notfreemium.example", False),
        ("x@freemium.example.org", False),
        ("freemium.example@else.example", False),
    ],
)
def test_domains_are_compared_exactly(sender, is_it):
    make_rule(domains="else.invalid\nfreemium.example")
    assert matched(sender) == ("Sign-ups" if is_it else "")


@pytest.mark.parametrize(
    ("subject", "is_it"),
    [
        ("New FREEMIUM account", True),
        ("Neues Konto für Jürgen: GRÜSSE", True),
        ("New account", False),
        ("free mium", False),
    ],
)
def test_subjects_contain_whatever_the_case(subject, is_it):
    make_rule(subjects="freemium\ngrüße")
    assert matched(subject=subject) == ("Sign-ups" if is_it else "")


@pytest.mark.parametrize(
    ("header", "values", "is_it"),
    [
        ("X-Mailer", "", True),
        ("x-mailer", "signup", True),
        ("X-Mailer", "other\nSIGNUP", True),
        ("X-Mailer", "other", False),
        ("X-Campaign", "", False),
    ],
)
def test_header_is_there_or_contains(header, values, is_it):
    make_rule(header=header, header_values=values)
    assert matched(X_Mailer="SignUp 2.1") == ("Sign-ups" if is_it else "")


def test_header_is_read_folded_and_decoded():
    make_rule(header="X-Campaign", header_values="frühjahr 2026")
    raw = b"From: robot@freemium.example\nX-Campaign: =?utf-8?q?Fr=C3=BChjahr?=\n 2026\nSubject: x\n\nX-Campaign: no\n"
    assert rules.matching_rule(parse(raw), mailbox=ingest.default_mailbox(), raw=raw) is not None


def test_header_in_the_body_is_none():
    make_rule(header="X-Mailer")
    assert matched(text="X-Mailer: SignUp\n") == ""


def test_mailbox_is_the_one_it_came_to():
    sales = Mailbox.objects.create(name="Sales", address="sales@support.example")
    make_rule(mailbox=sales)
    assert (matched(mailbox=sales), matched()) == ("Sign-ups", "")


@pytest.mark.parametrize(
    ("sender", "subject", "is_it"),
    [
        (SIGN_UP, "Freemium account", True),
        (SIGN_UP, "I need help", False),
        ("ana@acme.example", "Freemium account", False),
    ],
)
def test_each_condition_that_is_filled_in_must_hold(sender, subject, is_it):
    make_rule(domains="freemium.example", subjects="freemium")
    assert matched(sender, subject=subject) == ("Sign-ups" if is_it else "")


def test_rule_of_nothing_but_blanks_matches_nothing():
    make_rule(senders=" \n ", subjects="\n")
    assert matched() == ""


def test_rule_without_a_condition_is_refused():
    with pytest.raises(IntegrityError), transaction.atomic():
        make_rule()


# --- Order ---------------------------------------------------------------------------------------------------------------------


def test_first_active_rule_counts():
    make_rule("late", position=3, domains="freemium.example")
    make_rule("off", position=1, domains="freemium.example", is_active=False)
    make_rule("early", position=2, domains="freemium.example")
    assert matched() == "early"


@pytest.mark.parametrize("others", [1, 50])
@pytest.mark.parametrize(("sender", "queries"), [(SIGN_UP, 2), ("ana@acme.example", 1)])
def test_rules_when_many_then_cost_a_mail_no_more(workflow, dan, django_assert_num_queries, others, sender, queries):
    for number in range(others):
        make_rule(f"other {number}", senders=f"robot{number}@else.example")
        make_rule(f"header {number}", header=f"X-{number}")
    make_rule(domains="freemium.example", position=9, created_by=dan)
    raw = letter(sender)
    mail, mailbox = parse(raw), ingest.default_mailbox()
    with django_assert_num_queries(queries):
        rule = rules.matching_rule(mail, mailbox=mailbox, raw=raw)
        assert [rule.created_by, rule.group, rule.requester] == [dan, None, None] if rule else queries == 1


def names() -> list[str]:
    return list(MailRule.objects.filter(position__gt=rules.REMEMBERED).values_list("name", flat=True))


def test_new_rule_is_asked_last(max_admin):
    for name in ("first", "second"):
        rules.keep(MailRule(name=name, domains="x.example"), actor=max_admin)
    assert names() == ["first", "second"]


@pytest.mark.parametrize(
    ("name", "up", "then"),
    [
        ("b", True, ["b", "a", "c"]),
        ("b", False, ["a", "c", "b"]),
        ("a", True, ["a", "b", "c"]),
        ("c", False, ["a", "b", "c"]),
    ],
)
def test_rule_when_moved_then_changes_places(max_admin, name, up, then):
    for other in "abc":
        make_rule(other, position=4, domains="x.example")  # alike positions too
    rules.remember_spammer("x@else.example", actor=max_admin)
    rules.move(MailRule.objects.get(name=name), actor=max_admin, up=up)
    assert names() == then


def test_remembered_sender_when_moved_then_stays_first(max_admin):
    make_rule("a", domains="else.example")
    rules.remember_spammer("x@else.example", actor=max_admin)
    rules.move(rules.remembered("x@else.example").get(), actor=max_admin, up=False)
    assert (matched("x@else.example"), names()) == ("Spam from x@else.example", ["a"])


@pytest.mark.parametrize("verb", [rules.keep, rules.delete, rules.move])
def test_rules_are_admins_to_change(dan, verb):
    rule = make_rule(domains="x.example")
    with pytest.raises(actions.NotAllowed):
        verb(rule, actor=dan, **({"up": True} if verb is rules.move else {}))
    assert MailRule.objects.count() == 1


# --- Remembered senders --------------------------------------------------------------------------------------------------------


def test_sender_when_remembered_then_its_mail_matches_and_no_others(dan):
    rules.remember_spammer("Robot@Freemium.example", actor=dan)
    rule = MailRule.objects.get()
    assert (rule.name, rule.senders, rule.is_spam, rule.created_by) == (
        "Spam from robot@freemium.example",
        "robot@freemium.example",
        True,
        dan,
    )
    assert (matched(), matched("other@freemium.example")) == (rule.name, "")


def test_sender_when_remembered_again_then_is_one_rule(dan):
    rules.remember_spammer("robot@freemium.example", actor=dan)
    forgotten = rules.forget_spammer("robot@freemium.example", actor=dan)
    off = matched()
    rules.remember_spammer("robot@freemium.example", actor=dan)
    assert (forgotten, off, matched(), MailRule.objects.count()) == (True, "", "Spam from robot@freemium.example", 1)


def test_sender_when_forgotten_then_admins_own_rules_stay(dan):
    make_rule("An admin's", senders="robot@freemium.example")
    assert (rules.forget_spammer("robot@freemium.example", actor=dan), matched()) == (False, "An admin's")


def test_our_own_addresses_are_never_spammers(dan, eve):
    own = ingest.default_mailbox().address
    for address in (own, own.replace("@", "+reply@"), eve.email, ""):
        with pytest.raises(actions.IllegalMove):
            rules.remember_spammer(address, actor=dan)
    assert MailRule.objects.count() == 0


def test_customers_remember_nobody(ana):
    for verb in (rules.remember_spammer, rules.forget_spammer):
        with pytest.raises(actions.NotAllowed):
            verb("robot@freemium.example", actor=ana)
