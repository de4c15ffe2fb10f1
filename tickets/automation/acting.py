"""Does what the rules of `AutomationRule` say: to events, inside the transaction of the verb that recorded them, and to times, in a sweep.

All is done by the ordinary verbs, with nobody as the actor, so a rule can do nothing that a verb refuses. A rule that fails is taken back alone, told on
the ticket and in its log, and holds up nobody. Each rule acts once at most for one cause, so rules that set each other off come to rest. What an admin
does to the rules is here too.
"""

from __future__ import annotations

import logging
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError, IllegalMove, NotAllowed
from accounts.models import AgentGroup, User
from tickets import actions, events, snoozing, tagging
from tickets.automation import deciding
from tickets.lifecycle import UNRESOLVED, Category
from tickets.models import ON_TIME, AutomationRule, AutomationRun, Channel, Event, EventKind, Outcome, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tickets.automation.deciding import Deed
    from tickets.models import Comment

logger = logging.getLogger(__name__)

_DEPTH = 10  # rules that set each other off in a row
# Of one rule on one ticket within a day: machines do not talk to each other, and rules on time do not undo each other for ever.
_REPLIES, _ROUNDS, _SPAN = 3, 20, timedelta(days=1)
_BATCH = 500
_SWEEP_SECONDS = 50


# --- Events --------------------------------------------------------------------------------------------------------------------


@dataclass
class _Course:
    """All that one cause leads to. The rules are read once, however far it goes."""

    rules: list[AutomationRule]  # those that listen to events, in their order
    waiting: deque[tuple[Event, int]] = field(default_factory=deque)  # with how many rules led to it
    depth: int = 0  # of what is being done
    acted: set[int] = field(default_factory=set)
    stopped: set[int] = field(default_factory=set)
    tickets: dict[int, Ticket] = field(default_factory=dict)  # as they are since a rule last acted
    lexicon: deciding.Lexicon = field(default_factory=deciding.Lexicon)


_course: ContextVar[_Course | None] = ContextVar("_course", default=None)


def hear(event: Event) -> None:
    """Every event passes here, the last that its verb does (see `events.listeners`). Without rules: one query, or none where no rule could care."""
    if course := _course.get():
        course.waiting.append((event, course.depth + 1))
        return
    whens = deciding.heard(event)
    if not whens or event.ticket.is_spam:
        return
    course = _Course(_listening())
    if any(rule.when in whens for rule in course.rules):
        course.waiting.append((event, 0))
        _run(course)
        if course.acted:
            event.ticket.refresh_from_db()


def _listening() -> list[AutomationRule]:
    return list(AutomationRule.objects.filter(is_active=True).exclude(when__in=ON_TIME))


def _run(course: _Course) -> None:
    """Event by event, in each the rules in their order: later ones see what earlier ones did."""
    token = _course.set(course)
    try:
        while course.waiting:
            event, course.depth = course.waiting.popleft()
            whens = deciding.heard(event)
            for rule in course.rules:
                if rule.when in whens:
                    _apply(rule, event.ticket_id, course, said=event.comment)
    finally:
        _course.reset(token)


def _apply(rule: AutomationRule, number: int, course: _Course, *, said: Comment | None = None, since: datetime | None = None) -> bool:
    """True when the rule held, whatever became of it. `since`: of a rule on time."""
    ticket = course.tickets.get(number) or Ticket.objects.select_related("status", "requester").get(pk=number)
    course.tickets[number] = ticket
    before = len(course.waiting)
    try:
        facts = deciding.Facts(ticket, at=timezone.now(), said=said)
        if ticket.is_spam or ticket.merged_into_id or not deciding.matches(rule, facts):
            return False
        _act(rule, deciding.plan(rule, course.lexicon, facts), ticket, course, since=since)
    except DomainError as error:
        why, outcome = str(error), Outcome.STOPPED if isinstance(error, _Stopped) else Outcome.FAILED
    except Exception:
        logger.exception("the rule %s failed on ticket %s", rule.pk, number)
        why, outcome = _("something went wrong inside; the log of the server has more."), Outcome.FAILED
    else:
        return True
    while len(course.waiting) > before:  # what was taken back has not happened
        course.waiting.pop()
    course.acted.add(rule.pk)
    AutomationRun.objects.create(rule=rule, ticket=ticket, outcome=outcome, why=why, since=since)
    events.record(ticket, EventKind.RULE_FAILED, actor=None, is_internal=True, rule=rule.name, why=why)
    return True


def _act(rule: AutomationRule, deeds: list[Deed], ticket: Ticket, course: _Course, *, since: datetime | None) -> None:
    """All of them, or none."""
    if _goes_round(rule, deeds, course):
        return
    if since and deeds and _done_lately(rule, ticket) >= _ROUNDS:  # each time for another moment of the ticket's, which another rule set
        raise _Stopped(_("it acted here %(count)s times within a day. Look for a rule that undoes what it does.") % {"count": _ROUNDS})
    with transaction.atomic(), events.by_rule(rule.name):
        for deed in deeds:
            _do(deed, rule, ticket)
        if deeds or since:
            did = [deed.words for deed in deeds]
            AutomationRun.objects.create(rule=rule, ticket=ticket, outcome=Outcome.DONE, did=did, since=since)
    if deeds:
        course.acted.add(rule.pk)
        course.tickets.clear()


class _Stopped(IllegalMove):
    """The rule would go on and on."""


def _goes_round(rule: AutomationRule, deeds: list[Deed], course: _Course) -> bool:
    """True for what has said its words already for this cause. Raises _Stopped where rules would go on changing the ticket, which people must see."""
    if rule.pk in course.acted:
        if rule.pk in course.stopped or not deciding.changes_the_ticket(deeds):
            return True
        course.stopped.add(rule.pk)
        raise _Stopped(
            _(
                "it acted already, and what followed set it off again. It acts once for each cause: look for a rule that undoes what it does."
            )
        )
    if course.depth >= _DEPTH and deeds:
        raise _Stopped(_("%(count)s rules set each other off one after the other, so this one was stopped.") % {"count": _DEPTH})
    return False


# --- Deeds ---------------------------------------------------------------------------------------------------------------------


def _do(deed: Deed, rule: AutomationRule, ticket: Ticket) -> None:
    if deed.problem:
        raise IllegalMove(deed.problem)
    _DEEDS[deed.step](ticket, deed.value, rule)


def _set_priority(ticket: Ticket, priority: Any, rule: AutomationRule) -> None:
    words = priority.words_for(ticket.requester.display_name) if priority and rule.steps.get("tell_customer") else ""
    message = actions.Message(text=words, channel=Channel.DESK) if words else None
    actions.set_priority(ticket, actor=None, priority=priority, message=message)


def _assign(ticket: Ticket, assignee: Any, _rule: AutomationRule) -> None:
    person = _least_busy(ticket) if assignee == deciding.FEWEST else assignee
    if person and not person.is_active:
        raise IllegalMove(_("%(who)s's account is switched off.") % {"who": person})
    actions.assign(ticket, actor=None, assignee=person)


def _least_busy(ticket: Ticket) -> User:
    """Of the ticket's group as it is now; of several, whoever joined us first."""
    group = AgentGroup.objects.filter(tickets=ticket)
    open_ones = Count("assigned_tickets", filter=Q(assigned_tickets__category__in=UNRESOLVED))
    person = User.objects.active_staff().filter(agent_groups__in=group).annotate(open_ones=open_ones).order_by("open_ones", "pk").first()
    if person is None:
        raise IllegalMove(_("the ticket has no group that anybody of us is in."))
    return person


def _note(ticket: Ticket, text: Any, _rule: AutomationRule) -> None:
    words = deciding.spoken(text, _as_it_is(ticket), is_public=False)
    actions.add_note(ticket, actor=None, message=actions.Message(text=words, channel=Channel.DESK))


def _reply(ticket: Ticket, text: Any, rule: AutomationRule) -> None:
    if _done_lately(rule, ticket) >= _REPLIES:
        raise _Stopped(_("it replied here %(count)s times within a day. Perhaps a machine answers.") % {"count": _REPLIES})
    words = deciding.spoken(text, _as_it_is(ticket), is_public=True)
    actions.comment(ticket, actor=None, message=actions.Message(text=words, channel=Channel.DESK))


def _done_lately(rule: AutomationRule, ticket: Ticket) -> int:
    return AutomationRun.objects.filter(rule=rule, ticket=ticket, outcome=Outcome.DONE, at__gt=timezone.now() - _SPAN).count()


def _as_it_is(ticket: Ticket) -> Ticket:
    """With what the rule's earlier deeds set."""
    return Ticket.objects.select_related("status", "requester", "priority", "type", "group", "assignee").get(pk=ticket.pk)


def _set_status(ticket: Ticket, status: Any, _rule: AutomationRule) -> None:
    actions.change_status(ticket, actor=None, status=status)


def _mark_spam(ticket: Ticket, _value: Any, _rule: AutomationRule) -> None:
    actions.change_status(ticket, actor=None, status=actions.default_status(Category.SPAM))


def _mail(ticket: Ticket, who: list[User | AgentGroup], rule: AutomationRule) -> None:
    """`notifications` mails those of them who work here and see the ticket."""
    groups = [one.pk for one in who if isinstance(one, AgentGroup)]
    people = {one.pk for one in who if isinstance(one, User)}
    people |= set(User.objects.active_staff().filter(agent_groups__in=groups).values_list("pk", flat=True))
    ticket = _as_it_is(ticket)  # the SLA's clocks follow what is recorded of it
    words = deciding.spoken(rule.steps["mail"].get("words", ""), ticket, is_public=False)
    names = [str(one) for one in who]
    events.record(ticket, EventKind.STAFF_TOLD, actor=None, is_internal=True, told=sorted(people), names=names, words=words)


_DEEDS: dict[str, Callable[[Ticket, Any, AutomationRule], object]] = {
    "type": lambda ticket, kind, _rule: actions.set_type(ticket, actor=None, type=kind),
    "priority": _set_priority,
    "area": lambda ticket, area, _rule: actions.set_area(ticket, actor=None, area=area),
    "group": lambda ticket, group, _rule: actions.set_group(ticket, actor=None, group=group),
    "assignee": _assign,
    "tags": lambda ticket, names, _rule: tagging.add_tags(ticket, actor=None, names=names),
    "note": _note,
    "reply": _reply,
    "status": _set_status,
    "snooze": lambda ticket, span, _rule: snoozing.snooze(ticket, actor=None, until=timezone.now() + span),
    "spam": _mark_spam,
    "mail": _mail,
}


# --- Times ---------------------------------------------------------------------------------------------------------------------


def sweep() -> int:
    """Applies the rules on time to the tickets whose time has come. Finds them without a lock. Returns how many this call handled."""
    done, end = 0, monotonic() + _SWEEP_SECONDS
    rules = list(AutomationRule.objects.filter(is_active=True, when__in=ON_TIME))
    for at, rule in enumerate(rules):
        now = monotonic()
        until = now + (end - now) / (len(rules) - at)  # no rule takes the time of those behind it
        for number in _candidates(rule, until=until):
            try:
                done += apply_if_due(rule, number)
            except Exception:
                logger.exception("the rule %s could not be applied to ticket %s; it is tried again", rule.pk, number)
    return done


def _candidates(rule: AutomationRule, *, until: float = inf) -> Iterator[int]:
    """Those that match, batch by batch. What is left then is found again; the newest go first, as those that do not match are met each time."""
    now = timezone.now()
    due = deciding.due(rule, now=now).select_related("requester").order_by("-pk")
    batch = due
    while monotonic() < until and (tickets := list(batch[:_BATCH])):
        batch = due.filter(pk__lt=tickets[-1].pk)
        for facts in deciding.facts_of(tickets, rule, now=now):
            if monotonic() > until:
                return
            if deciding.matches(rule, facts):
                yield facts.ticket.pk


@transaction.atomic
def apply_if_due(rule: AutomationRule, number: int) -> bool:
    """Looks again once the row is ours, with a query of its own: what another sweep did meanwhile shows in no older one. True when this call did it."""
    if not Ticket.objects.select_for_update(skip_locked=True).filter(pk=number).only("pk"):
        return False
    ticket = deciding.due(rule, now=timezone.now()).filter(pk=number).first()
    if ticket is None:
        return False
    course = _Course(_listening())
    token = _course.set(course)
    try:
        held = _apply(rule, number, course, since=deciding.moment_of(rule, ticket))
    finally:
        _course.reset(token)
    _run(course)
    return held


# --- Admins' verbs -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def keep(rule: AutomationRule, *, actor: User) -> AutomationRule:
    """Saves it; a new one is asked last. A rule on time counts from now on, where its time is another or it was not in use."""
    _require_admin(actor)
    before = AutomationRule.objects.filter(pk=rule.pk).values("is_active", "when", "span").first()
    if before is None:
        rule.created_by = actor
        rule.position = (AutomationRule.objects.aggregate(last=Max("position"))["last"] or 0) + 1
    if before is None or before != {"is_active": True, "when": rule.when, "span": rule.span}:
        rule.since = timezone.now()
    rule.save()
    return rule


def switch(rule: AutomationRule, *, actor: User, on: bool) -> AutomationRule:
    rule.is_active = on
    return keep(rule, actor=actor)


@transaction.atomic
def move(rule: AutomationRule, *, actor: User, up: bool) -> None:
    """Changes places with the one before or after it."""
    _require_admin(actor)
    rules = list(AutomationRule.objects.select_for_update())
    at = next((at for at, other in enumerate(rules) if other.pk == rule.pk), None)
    goal = None if at is None else at - 1 if up else at + 1
    if at is None or goal is None or not 0 <= goal < len(rules):
        return
    rules[at], rules[goal] = rules[goal], rules[at]
    for position, other in enumerate(rules, start=1):
        other.position = position
    AutomationRule.objects.bulk_update(rules, ["position"])


def delete(rule: AutomationRule, *, actor: User) -> None:
    """Its log goes with it; what it did to tickets, and that it did it, stays."""
    _require_admin(actor)
    rule.delete()


def _require_admin(actor: User) -> None:
    if not actor.is_admin:
        raise NotAllowed(_("Only admins can change the rules."))
