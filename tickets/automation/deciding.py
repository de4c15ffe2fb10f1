"""What the rules of `AutomationRule` say: which of them a happening concerns, whether one holds for a ticket, and what it would do to it.

Decides and reads, and writes nothing: `tickets.automation.acting` acts, `tickets.automation.rehearsal` asks what would have been. A condition is
asked in one way for all three, of `Facts`: a ticket as it is, or as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, Min, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.addresses import domain_of
from accounts.models import AgentGroup, Membership, Organization, Role, User
from tickets.lifecycle import FINISHED, UNRESOLVED, Category
from tickets.models import (
    AutomationRule,
    AutomationRun,
    BusinessCalendar,
    Channel,
    Comment,
    EventKind,
    OrganizationShare,
    Priority,
    ProductArea,
    Status,
    Tagging,
    Ticket,
    TicketType,
    When,
)
from tickets.spans import span_in_words
from tickets.writing.placeholders import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import Model, QuerySet
    from django.utils.functional import _StrPromise

    from tickets.models import Event
    from tickets.sla.worktime import Calendar

# What a customer may read in a rule's words, and what staff may. Nothing else of a ticket can get into them.
PUBLIC_PLACEHOLDERS = ("name", "number", "subject", "status")
STAFF_PLACEHOLDERS = (*PUBLIC_PLACEHOLDERS, "priority", "type", "group", "assignee")


# --- When ----------------------------------------------------------------------------------------------------------------------


def heard(event: Event) -> set[str]:
    """What the event is to rules. Words that a rule says are nobody's, and what it mails to staff sets off nothing; nor does an admin's configuring,
    or what is undone: it leads back to where rules have been.
    """
    data = event.data
    if event.kind == EventKind.RECATEGORISED or "undoes" in data:
        return set()
    whens: set[str] = set(_OF_KIND.get(EventKind(event.kind), ()))
    if event.kind == EventKind.COMMENTED and event.actor:
        whens.add(When.AGENT_REPLIED if event.actor.is_or_was_staff else When.CUSTOMER_REPLIED)
    if event.kind == EventKind.NOTED and event.actor:
        whens.add(When.NOTED)
    if data.get("category") or data.get("status"):
        whens.add(When.STATUS_CHANGED)
    if data.get("category") == Category.RESOLVED:
        whens.add(When.RESOLVED)
    if data.get("old_category") in FINISHED and data.get("category") in UNRESOLVED:
        whens.add(When.REOPENED)
    if data.get("type"):  # set in the same step
        whens.add(When.TYPE_CHANGED)
    return whens


_OF_KIND: dict[EventKind, tuple[When, ...]] = {
    EventKind.OPENED: (When.OPENED,),
    EventKind.FIX_CONFIRMED: (When.FIX_CONFIRMED,),
    EventKind.PRIORITY_CHANGED: (When.PRIORITY_CHANGED,),
    EventKind.TYPE_CHANGED: (When.TYPE_CHANGED,),
    EventKind.GROUP_CHANGED: (When.GROUP_CHANGED,),
    EventKind.ASSIGNED: (When.ASSIGNEE_CHANGED,),
    EventKind.SLA_WARNED: (When.SLA_WARNED,),
    EventKind.SLA_BREACHED: (When.SLA_BREACHED,),
}
# The moment of a ticket from which a time counts; only of a ticket still to be worked on, save that of its status.
_MOMENTS: dict[str, str] = {
    When.AGE: "created_at",
    When.UNANSWERED: "waiting_since",
    When.IN_STATUS: "status_since",
    When.BEFORE_DUE: "due_at",
    When.AFTER_DUE: "due_at",
}
_LOOK_BACK = timedelta(days=30)  # a condition that begins to hold later than this after the time was reached counts no more


def moment_of(rule: AutomationRule, ticket: Ticket) -> datetime | None:
    moment: datetime | None = getattr(ticket, _MOMENTS[rule.when])
    return moment


def offset(rule: AutomationRule) -> timedelta:
    """From the moment to when the rule acts."""
    span = rule.span or timedelta()
    return -span if rule.when == When.BEFORE_DUE else span


def due(rule: AutomationRule, *, now: datetime) -> QuerySet[Ticket]:
    """Tickets whose time has come by a rule on time that has done nothing for that time yet. More than match: `matches` has the last word."""
    field, span = _MOMENTS[rule.when], offset(rule)
    done = AutomationRun.objects.filter(rule=rule, ticket=OuterRef("pk"), since=OuterRef(field))
    tickets = Ticket.objects.filter(_narrow(rule), ~Exists(done), merged_into=None, **{f"{field}__lte": now - span})
    tickets = tickets.exclude(category=Category.SPAM)
    if rule.when != When.IN_STATUS:
        tickets = tickets.unresolved()
    if rule.when == When.BEFORE_DUE:
        tickets = tickets.filter(due_at__gt=now)  # what comes to match when it is overdue is not warned of any more
    if not rule.reaches_back:
        tickets = tickets.filter(**{f"{field}__gt": max(rule.since, now - _LOOK_BACK) - span})
    return tickets


# --- If ------------------------------------------------------------------------------------------------------------------------

COLUMNS: dict[str, _StrPromise] = {
    "status": gettext_lazy("Status"),
    "category": gettext_lazy("Kind of status"),
    "priority": gettext_lazy("Priority"),
    "type": gettext_lazy("Type"),
    "group": gettext_lazy("Group"),
    "assignee": gettext_lazy("Assignee"),
    "area": gettext_lazy("Product area"),
    "channel": gettext_lazy("Channel"),
}
CONDITIONS: dict[str, _StrPromise] = {
    **COLUMNS,
    "tag": gettext_lazy("Tag"),
    "organization": gettext_lazy("Organization"),
    "domain": gettext_lazy("Requester's mail domain"),
    "subject": gettext_lazy("Subject"),
    "text": gettext_lazy("Text"),
    "hours": gettext_lazy("Business hours"),
}
_WORDS = ("subject", "text")


@dataclass(frozen=True, slots=True)
class Known:
    """What was read for many tickets at once; None where nothing was."""

    said: Comment | None = None  # what the ticket began with
    organizations: set[int] | None = None
    tags: set[str] | None = None
    calendars: dict[int, Calendar] | None = None


class Facts:
    """A ticket as conditions see it. `said`: the words that set the rule off. `then`: columns as they were at another moment, `at`."""

    def __init__(
        self,
        ticket: Ticket,
        *,
        at: datetime,
        said: Comment | None = None,
        then: dict[str, Any] | None = None,
        known: Known = Known(),
    ) -> None:
        self.ticket = ticket
        self._at = at
        self._said = said
        self._then = then or {}
        self._known = known

    def back_at(self, at: datetime, then: dict[str, Any], *, said: Comment | None) -> Facts:
        """Of the same ticket at another moment."""
        return Facts(self.ticket, at=at, said=said, then=then, known=self._known)

    def column(self, name: str) -> Any:
        """The key of what it has there; of category and channel, the value."""
        if name in self._then:
            return self._then[name]
        return getattr(self.ticket, name if name in ("category", "channel") else f"{name}_id")

    @property
    def domain(self) -> str:
        return domain_of(self.ticket.requester.email)

    @cached_property
    def text(self) -> str:
        """Where nobody said anything just now: what the ticket began with."""
        return (self._said or self._known.said or self.ticket.description).text

    @cached_property
    def tags(self) -> set[str]:
        return set(self.ticket.tagging_rows.values_list("tag__name", flat=True)) if self._known.tags is None else self._known.tags

    @cached_property
    def organizations(self) -> set[int]:
        return organizations_of([self.ticket])[self.ticket.pk] if self._known.organizations is None else self._known.organizations

    def is_within(self, calendars: list[int]) -> bool:
        """The business hours of one of them."""
        known = calendars_of(calendars) if self._known.calendars is None else self._known.calendars
        return any(known[key].between(self._at, self._at + timedelta(seconds=1)) for key in calendars if key in known)


def calendars_of(keys: list[int]) -> dict[int, Calendar]:
    return {one.pk: one.as_value() for one in BusinessCalendar.objects.filter(pk__in=keys).prefetch_related("spans", "holidays")}


def facts_of(tickets: list[Ticket], rule: AutomationRule, *, now: datetime) -> list[Facts]:
    """Of many tickets (requester joined in), with what this rule asks of them read at once."""
    asked = rule.conditions
    organizations = organizations_of(tickets) if "organization" in asked else {}
    calendars = calendars_of(asked["hours"]["values"]) if "hours" in asked else None
    first: dict[int, Comment] = {}
    if "text" in asked:
        ids = Comment.objects.filter(ticket__in=[ticket.pk for ticket in tickets]).values("ticket").annotate(first=Min("pk"))
        first = {said.ticket_id: said for said in Comment.objects.filter(pk__in=ids.values("first"))}
    tags: dict[int, set[str]] = {ticket.pk: set() for ticket in tickets} if "tag" in asked else {}
    for number, name in Tagging.objects.filter(ticket__in=tags).values_list("ticket", "tag__name") if tags else ():
        tags[number].add(name)
    known = {one.pk: Known(first.get(one.pk), organizations.get(one.pk), tags.get(one.pk), calendars) for one in tickets}
    return [Facts(ticket, at=now, known=known[ticket.pk]) for ticket in tickets]


def organizations_of(tickets: Iterable[Ticket]) -> dict[int, set[int]]:
    """Those of the requester, and those that a ticket is shared with, by ticket. Two queries."""
    requesters = {ticket.pk: ticket.requester_id for ticket in tickets}
    found: dict[int, set[int]] = {pk: set() for pk in requesters}
    for pk, organization in OrganizationShare.objects.filter(ticket__in=requesters).values_list("ticket", "organization"):
        found[pk].add(organization)
    memberships = Membership.objects.filter(user__in=set(requesters.values()), is_active=True, organization__is_active=True)
    of_person: dict[int, set[int]] = {}
    for person, organization in memberships.values_list("user", "organization"):
        of_person.setdefault(person, set()).add(organization)
    return {pk: found[pk] | of_person.get(requester, set()) for pk, requester in requesters.items()}


def matches(rule: AutomationRule, facts: Facts) -> bool:
    """A rule without conditions holds for every ticket."""
    answers = (_holds(name, said["values"], facts) != said.get("not", False) for name, said in rule.conditions.items())
    return not rule.conditions or (any(answers) if rule.is_any else all(answers))


def _holds(name: str, values: list[Any], facts: Facts) -> bool:
    if name in COLUMNS:
        return facts.column(name) in values
    if name in ("organization", "tag"):
        has: set[Any] = facts.organizations if name == "organization" else facts.tags
        return not has.isdisjoint(values) if has else None in values
    if name == "domain":
        return facts.domain in values
    if name == "hours":
        return facts.is_within(values)
    text = (facts.ticket.subject if name == "subject" else facts.text).casefold()
    return any(value.casefold() in text for value in values)


def _narrow(rule: AutomationRule) -> Q:
    """What the database can leave out by itself: never a ticket that matches."""
    parts = [_narrow_one(name, said) for name, said in rule.conditions.items()]
    if not parts or (rule.is_any and not all(parts)):
        return Q()
    whole = parts[0]
    for part in parts[1:]:
        whole = whole | part if rule.is_any else whole & part
    return whole


def _narrow_one(name: str, said: dict[str, Any]) -> Q:
    if name in COLUMNS:
        found = Q(**{f"{name}__in": [value for value in said["values"] if value is not None]})
        if None in said["values"]:
            found |= Q(**{f"{name}__isnull": True})
        return ~found if said.get("not") else found
    return Q()


# --- Then ----------------------------------------------------------------------------------------------------------------------

FEWEST, NOBODY = "fewest", "nobody"  # as assignee
NO_GROUP = "no_group"


class Lexicon:
    """What the keys in rules stand for. Each table is read once, when first asked."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[Any, Model]] = {}

    @cached_property
    def members(self) -> set[tuple[int, int]]:
        """(group, person) of all who work here now."""
        rows = AgentGroup.members.through.objects.filter(user__in=User.objects.active_staff())
        return set(rows.values_list("agentgroup_id", "user_id"))

    def rows(self, name: str) -> dict[Any, Model]:
        if name not in self._rows:
            self._rows[name] = {row.pk: row for row in _TABLES[name]()}
        return self._rows[name]

    def find(self, name: str, key: object) -> Model | None:
        return self.rows(name).get(key)

    def name_of(self, name: str, key: object) -> str:
        """For people; what is gone says so."""
        if key is None or key in (NOBODY, NO_GROUP):
            return _("none") if name != "assignee" else _("nobody")
        if name in ("category", "channel"):
            return str(dict([*Category.choices, *Channel.choices]).get(str(key), key))
        found = self.find(name, key)
        return str(found) if found else _("(gone)")

    def key_of(self, name: str, words: str) -> object:
        """The other way round, for what history keeps by name: None for none, and what matches nothing for what has another name now."""
        return next((key for key, row in self.rows(name).items() if str(row) == words), -1) if words else None


_TABLES: dict[str, Callable[[], QuerySet[Any]]] = {
    "status": Status.objects.all,
    "type": TicketType.objects.all,
    "priority": Priority.objects.all,
    "area": ProductArea.objects.all,
    "group": AgentGroup.objects.all,
    "assignee": lambda: User.objects.exclude(role=Role.CUSTOMER),
    "organization": Organization.objects.all,
    "hours": BusinessCalendar.objects.all,
}


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a rule does. `value`: a row, words, or a choice of its own; None sets nothing there."""

    step: str
    value: Any
    words: str
    problem: str = ""  # why it can't be done


def plan(rule: AutomationRule, lexicon: Lexicon, facts: Facts | None = None) -> list[Deed]:
    """Its deeds in the order they are done. With `facts`: without those that would change nothing, so that a rule comes to rest."""
    deeds = [_deed(rule, step, lexicon) for step in STEPS if rule.steps.get(step) not in (None, "", [], False)]
    if facts is None:
        return deeds
    return [_checked(deed, rule, facts, lexicon) for deed in deeds if not _stands(deed, rule, facts, lexicon)]


# In this order: what a status may require first, then the words, then where the ticket goes.
STEPS = ("type", "priority", "area", "group", "assignee", "tags", "note", "reply", "status", "snooze", "spam", "mail")


def _deed(rule: AutomationRule, step: str, lexicon: Lexicon) -> Deed:
    value = rule.steps[step]
    if step in _SETS and value != FEWEST:
        return _set(rule, step, value, lexicon)
    if step == "mail":
        return _mail(value, lexicon)
    if step == "snooze":
        span = timedelta(minutes=value)
        return Deed(step, span, _("snooze it for %(what)s") % {"what": span_in_words(span)})
    return Deed(step, value, _SAID[step] % {"what": ", ".join(value) if isinstance(value, list) else value})


def _set(rule: AutomationRule, step: str, value: Any, lexicon: Lexicon) -> Deed:
    words = _SETS[step] % {"what": lexicon.name_of(step, value)}
    if value in (NOBODY, NO_GROUP):
        return Deed(step, None, words)
    if step == "priority" and rule.steps.get("tell_customer"):
        words = _("%(words)s, and tell the customer") % {"words": words}
    thing = lexicon.find(step, value)
    if thing is None:
        return Deed(step, None, words, _("what it sets is no longer there. Change the rule."))
    return Deed(step, thing, words, _("what it sets is retired. Change the rule.") if getattr(thing, "is_retired", False) else "")


_SETS: dict[str, _StrPromise] = {
    "type": gettext_lazy("set the type to %(what)s"),
    "priority": gettext_lazy("set the priority to %(what)s"),
    "area": gettext_lazy("set the product area to %(what)s"),
    "group": gettext_lazy("set the group to %(what)s"),
    "assignee": gettext_lazy("assign it to %(what)s"),
    "status": gettext_lazy("set the status to %(what)s"),
}
_SAID: dict[str, _StrPromise] = {
    "note": gettext_lazy("add the note “%(what)s”"),
    "reply": gettext_lazy("reply “%(what)s”"),
    "tags": gettext_lazy("add the tag %(what)s"),
    "spam": gettext_lazy("mark it as spam"),
    "assignee": gettext_lazy("assign it to who of its group has the fewest open tickets"),  # `FEWEST`
}


def _mail(value: dict[str, Any], lexicon: Lexicon) -> Deed:
    """Who is gone is left out, as long as somebody is left."""
    keys = [("assignee", key) for key in value.get("people", ())] + [("group", key) for key in value.get("groups", ())]
    found = [thing for thing in (lexicon.find(*key) for key in keys) if thing]
    names = ", ".join(str(thing) for thing in found)
    return Deed("mail", found, _("mail %(who)s") % {"who": names}, "" if found else _("whom it mails is no longer there. Change the rule."))


def _stands(deed: Deed, rule: AutomationRule, facts: Facts, lexicon: Lexicon) -> bool:
    if deed.step == "spam":
        return bool(facts.column("category") == Category.SPAM)
    if deed.step == "tags":
        return facts.tags.issuperset(deed.value)
    if deed.step not in _SETS or (deed.problem and deed.value is None):
        return False
    now = facts.column(deed.step)
    if deed.value == FEWEST:
        return (_group_then(rule, facts), now) in lexicon.members
    return bool(now == (deed.value.pk if deed.value else None))


def _group_then(rule: AutomationRule, facts: Facts) -> Any:
    """The key of the ticket's group once the rule has set it."""
    return rule.steps["group"] if "group" in rule.steps else facts.column("group")


def _checked(deed: Deed, rule: AutomationRule, facts: Facts, lexicon: Lexicon) -> Deed:
    """What could not be done, as far as it can be known before."""
    if deed.value == FEWEST and all(group != _group_then(rule, facts) for group, _person in lexicon.members):
        return Deed(deed.step, deed.value, deed.words, _("the ticket has no group that anybody of us is in."))
    status = deed.value if deed.step == "status" else None
    if isinstance(status, Status) and status.requires_type and not (facts.column("type") or rule.steps.get("type")):
        return Deed(deed.step, deed.value, deed.words, _("“%(status)s” requires a type, and the ticket has none.") % {"status": status})
    return deed


def changes_the_ticket(deeds: Iterable[Deed]) -> bool:
    """Something that can set off a rule again, not words alone."""
    return any(deed.step in (*_SETS, "spam", "tags") for deed in deeds)


def spoken(text: str, ticket: Ticket, *, is_public: bool) -> str:
    """A rule's words for this ticket. Values are plain text, and what stands in one is never completed in turn."""
    values = {
        "name": ticket.requester.display_name,
        "number": str(ticket.number),
        "subject": ticket.subject,
        "status": ticket.status.label_for_customers if is_public else ticket.status.name,
    }
    if not is_public:
        others = {"priority": ticket.priority, "type": ticket.type, "group": ticket.group, "assignee": ticket.assignee}
        values |= {name: str(thing or _("none")) for name, thing in others.items()}
    return fill(text, values)


def named_by(name: str, key: object) -> list[str]:
    """The rules that name this row, be it that they set it or ask for it; for who is about to retire or delete it."""
    rules = AutomationRule.objects.all()
    return [rule.name for rule in rules if rule.steps.get(name) == key or key in rule.conditions.get(name, {}).get("values", ())]


# --- In words ------------------------------------------------------------------------------------------------------------------


def when_in_words(rule: AutomationRule) -> str:
    if rule.span is None:
        return _("When %(what)s") % {"what": rule.get_when_display()}
    return _("When it is %(span)s %(since)s") % {"span": span_in_words(rule.span), "since": rule.get_when_display()}


def conditions_in_words(rule: AutomationRule, lexicon: Lexicon) -> str:
    """In the order of the form, as databases keep none. Of a rule without any, ''."""
    joint = _(" or ") if rule.is_any else _(" and ")
    return joint.join(_condition_in_words(name, said, lexicon) for name in CONDITIONS if (said := rule.conditions.get(name)))


_NAMED = 3  # values of a condition that are named


def _condition_in_words(name: str, said: dict[str, Any], lexicon: Lexicon) -> str:
    is_not, values = said.get("not", False), said["values"]
    if name in _WORDS:
        shown = [f"“{value}”" for value in values[:_NAMED]]
        form = _("%(what)s does not contain %(values)s") if is_not else _("%(what)s contains %(values)s")
    elif name == "hours":
        shown = [lexicon.name_of(name, value) for value in values]
        form = _("it is outside the hours of %(values)s") if is_not else _("it is within the hours of %(values)s")
    else:
        shown = [value if name in ("domain", "tag") and value else lexicon.name_of(name, value) for value in values[:_NAMED]]
        form = _("%(what)s is not %(values)s") if is_not else _("%(what)s is %(values)s")
    if len(values) > _NAMED:
        shown.append(_("%(count)s more") % {"count": len(values) - _NAMED})
    return form % {"what": str(CONDITIONS.get(name, name)).lower(), "values": _(" or ").join(shown)}
