"""Rules for mail that machines send: which one counts for a mail, and the verbs that change them. What it says is done by `tickets.mail.ingest`.

Two kinds stand in one list. Admins write rules in an order of their own; agents have the sender of a spam ticket remembered, which makes a rule at
`REMEMBERED`, before all of theirs, as somebody looked at that very sender.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.addresses import domain_of, normalise_address
from accounts.models import User
from tickets import actions
from tickets.mail.headers import Headers, decode_words, make_headers, read_fields
from tickets.mail.route import is_ours
from tickets.mail.structure import from_header_on
from tickets.models import MailRule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tickets.mail.parse import ParsedMail
    from tickets.models import Mailbox

HEAD = 65_536  # bytes in which a header is looked for
REMEMBERED = 0  # position of remembered senders


# --- Matching ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What conditions are about."""

    sender: str
    subject: str
    mailbox_id: int
    head: bytes  # the beginning of the mail as it came; read only where a rule names a header

    @cached_property
    def headers(self) -> Headers:
        head = from_header_on(self.head[:HEAD])
        return make_headers(read_fields(head, start=0, end=len(head))[0])


def matching_rule(mail: ParsedMail, *, mailbox: Mailbox, raw: bytes) -> MailRule | None:
    """The first active rule that matches, with what it sets joined in. One query where none does, as for most mails, and one more where one does."""
    facts = Facts(normalise_address(mail.from_address), mail.subject, mailbox.pk, raw)
    found = first_match(_candidates(facts), facts)
    if found is None:
        return None
    return MailRule.objects.select_related("group", "type", "priority", "requester", "created_by").filter(pk=found.pk).first()


def first_match(rules: Iterable[MailRule], facts: Facts) -> MailRule | None:
    return next((rule for rule in rules if matches(rule, facts)), None)


def matches(rule: MailRule, facts: Facts) -> bool:
    return (
        rule.mailbox_id in (None, facts.mailbox_id)
        and (not rule.senders or facts.sender in lines_of(normalise_address(rule.senders)))
        and (not rule.domains or domain_of(facts.sender) in lines_of(normalise_address(rule.domains)))
        and (not rule.subjects or _contains_any(facts.subject, rule.subjects))
        and (not rule.header or _is_in_header(rule, facts.headers))
    )


def lines_of(text: str) -> list[str]:
    """The texts of a condition, any of which will do."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _candidates(facts: Facts) -> QuerySet[MailRule]:
    """The database leaves out what can't match by its sender, so that thousands of remembered senders cost a mail nothing; `matches` decides."""
    return MailRule.objects.filter(
        Q(mailbox=None) | Q(mailbox=facts.mailbox_id),
        Q(senders="") | Q(senders__icontains=facts.sender),
        Q(domains="") | Q(domains__icontains=domain_of(facts.sender)),
        is_active=True,
    )


def _contains_any(text: str, wanted: str) -> bool:
    text = text.casefold()
    return any(line.casefold() in text for line in lines_of(wanted))


def _is_in_header(rule: MailRule, headers: Headers) -> bool:
    values = headers.all(rule.header.lower())
    if not rule.header_values:
        return bool(values)
    return any(_contains_any(decode_words(value), rule.header_values) for value in values)


# --- Admins' verbs -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def keep(rule: MailRule, *, actor: User) -> MailRule:
    """Saves it; a new one is asked last."""
    _require_admin(actor)
    if rule._state.adding:
        rule.created_by = actor
        rule.position = (MailRule.objects.aggregate(last=Max("position"))["last"] or REMEMBERED) + 1
    rule.save()
    return rule


@transaction.atomic
def move(rule: MailRule, *, actor: User, up: bool) -> None:
    """Changes places with the one before or after it. Remembered senders stay where they are."""
    _require_admin(actor)
    rules = list(MailRule.objects.select_for_update().filter(position__gt=REMEMBERED))
    at = next((at for at, other in enumerate(rules) if other.pk == rule.pk), None)
    goal = None if at is None else at - 1 if up else at + 1
    if at is None or goal is None or not 0 <= goal < len(rules):
        return
    rules[at], rules[goal] = rules[goal], rules[at]
    for position, other in enumerate(rules, start=REMEMBERED + 1):
        other.position = position
    MailRule.objects.bulk_update(rules, ["position"])


def delete(rule: MailRule, *, actor: User) -> None:
    """What it did to tickets stays as it is."""
    _require_admin(actor)
    rule.delete()


def _require_admin(actor: User) -> None:
    if not actor.is_admin:
        raise actions.NotAllowed(_("Only admins can change the rules for mail."))


# --- Remembered senders: staff's verbs -----------------------------------------------------------------------------------------


@transaction.atomic
def remember_spammer(address: str, *, actor: User) -> None:
    """New mail of this address is spam from now on, until somebody says that it is not."""
    _require_staff(actor)
    address = normalise_address(address)
    person = User.objects.by_address(address)
    if not address or is_ours(address) or (person and person.is_staff):
        raise actions.IllegalMove(_("This is an address of our own, so its mail can't always be spam."))
    if not remembered(address).update(is_active=True):
        name = _("Spam from %(address)s") % {"address": address}
        MailRule.objects.create(name=name[:120], senders=address, is_spam=True, position=REMEMBERED, created_by=actor)


def forget_spammer(address: str, *, actor: User) -> bool:
    """Switches it off again. False when it was not on."""
    _require_staff(actor)
    return bool(remembered(address).filter(is_active=True).update(is_active=False))


def remembered(address: str) -> QuerySet[MailRule]:
    """The rule that marking this sender made, unless an admin made another of it."""
    others = {"domains": "", "subjects": "", "header": "", "mailbox": None}
    return MailRule.objects.filter(position=REMEMBERED, senders=normalise_address(address), is_spam=True, **others)


def _require_staff(actor: User) -> None:
    if not actor.is_staff:
        raise actions.NotAllowed(_("Only our staff can do that."))
