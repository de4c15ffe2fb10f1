"""What the address of a report, or a subscription, asks for. What makes no sense is left out; nothing but what is listed here reaches the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import AgentGroup, Organization, User
from tickets import access
from tickets.lifecycle import Category
from tickets.models import Channel, OrganizationShare, Priority, Ticket, TicketType
from tickets.reports.periods import Period, Span, Step, between, named
from tickets.reports.tables import measure_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Expression, QuerySet
    from django.utils.functional import _StrPromise

NONE, ME = "none", "me"
DEFAULT_SPAN = Span.DAYS_30
SPANS: dict[Span, _StrPromise] = {
    Span.DAYS_7: _("Last 7 days"),
    Span.DAYS_30: _("Last 30 days"),
    Span.DAYS_90: _("Last 90 days"),
    Span.DAYS_365: _("Last 365 days"),
    Span.LAST_WEEK: _("Last week"),
    Span.THIS_MONTH: _("This month"),
    Span.LAST_MONTH: _("Last month"),
    Span.THIS_YEAR: _("This year"),
    Span.LAST_YEAR: _("Last year"),
}
STEPS: dict[Step, _StrPromise] = {Step.DAY: _("Day"), Step.WEEK: _("Week"), Step.MONTH: _("Month")}
BY, MEASURED = ("volume", "times", "sla"), ("times", "sla")  # reports that have rows by a property, and those that are of one time
_MOST_ROWS = 370  # of a report by days; beyond it, by weeks


@dataclass(frozen=True, slots=True)
class Dimension:
    """A property by which tickets are told apart, as they are now."""

    key: str
    label: _StrPromise
    nothing: _StrPromise  # what a ticket without one is listed under
    field: str

    def value(self) -> Expression | F:
        return F(self.field)

    def condition(self, value: str, user: User) -> Q | None:
        """None for a value that can't be."""
        if self.key == "channel":
            return Q(channel=value) if value in Channel.values else None
        if self.key == "agent" and value == ME:
            return Q(assignee=user)
        number = int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None
        if self.key == "organization":
            shares = OrganizationShare.objects.filter(ticket=OuterRef("pk"))
            return ~Q(Exists(shares)) if value == NONE else None if number is None else Q(Exists(shares.filter(organization=number)))
        if value == NONE:
            return Q(**{f"{self.field}__isnull": True})
        return None if number is None else Q(**{self.field: number})

    def names(self, of: set[Any] | None = None) -> dict[Any, str]:
        """By value, in the order in which they are listed; only those `of` which tickets were found, where there may be very many."""
        if self.key == "channel":
            return {channel.value: str(channel.label) for channel in Channel}
        rows: QuerySet[Any] = {
            "type": TicketType.objects.all(),
            "priority": Priority.objects.all(),
            "group": AgentGroup.objects.all(),
            "organization": Organization.objects.all(),
            "agent": User.objects.order_by("name", "email"),
        }[self.key]
        if of is not None:
            rows = rows.filter(pk__in=[pk for pk in of if pk is not None])
        return {row.pk: row.display_name if isinstance(row, User) else str(row) for row in rows}


DIMENSIONS = {
    dimension.key: dimension
    for dimension in (
        Dimension("type", _("Type"), _("No type"), "type"),
        Dimension("priority", _("Priority"), _("No priority"), "priority"),
        Dimension("group", _("Group"), _("No group"), "group"),
        Dimension("organization", _("Organization"), _("No organization"), "share_rows__organization"),
        Dimension("channel", _("Channel"), _("No channel"), "channel"),
        Dimension("agent", _("Agent"), _("Nobody"), "assignee"),
    )
}


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom, of which period, by what, and which tickets."""

    user: User
    period: Period
    span: Span | None  # None: a period by its dates
    by: Step | Dimension
    chosen: dict[str, str]  # parameter -> value, as the address has them
    condition: Q
    measure: str = "first"  # which time, of a report of times
    is_bad_period: bool = False  # dates were given that make none

    def among(self, tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
        """Those of `tickets` that are asked for. Spam is no ticket."""
        return tickets.filter(self.condition).exclude(category=Category.SPAM).order_by()

    def left_out(self) -> QuerySet[Ticket] | None:
        """What `among` leaves out of all tickets there are, where nothing is chosen: spam, and what the person does not see. Else None: it may be most."""
        return None if self.condition else Ticket.objects.filter(Q(category=Category.SPAM) | ~access.visible_to(self.user))

    @property
    def step(self) -> Step:
        """Of charts, however the table's rows are cut."""
        return self.by if isinstance(self.by, Step) else self.period.usual_step()


def in_short(asked: Asked, report: str) -> list[str]:
    """What is asked of it in words, such as "Resolution", "Last week", "by type", "Group: DevOps"."""
    words = [measure_names()[asked.measure]] if report in MEASURED else []
    if asked.span:
        words.append(str(SPANS[asked.span]))
    if "by" in asked.chosen and report in BY:
        label = asked.by.label if isinstance(asked.by, Dimension) else STEPS[asked.by]
        words.append(gettext("by %(step)s") % {"step": str(label).lower()})
    for key, value in asked.chosen.items():
        if dimension := DIMENSIONS.get(key):
            words.append(f"{dimension.label}: {_value_in_words(dimension, value, asked.user)}")
    return words


def _value_in_words(dimension: Dimension, value: str, user: User) -> str:
    if value == NONE:
        return str(dimension.nothing)
    if value == ME:
        return user.display_name
    if dimension.key == "channel":
        return dimension.names()[value]
    if dimension.key == "group" and not access.groups_for(user).filter(pk=value).exists():
        return "–"
    return dimension.names({int(value)}).get(int(value), "–")


def company_zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


def read(params: Mapping[str, str], user: User, *, now: datetime | None = None) -> Asked:
    zone = company_zone()
    today = (now or timezone.now()).astimezone(zone).date()
    span = Span(params["period"]) if params.get("period") in list(Span) else None
    custom = None if span else _custom(params, today, zone)
    period = custom or named(span or DEFAULT_SPAN, today, zone)
    span = None if custom else span or DEFAULT_SPAN
    found = {key: (value, dimension.condition(value, user)) for key, dimension in DIMENSIONS.items() if (value := params.get(key, ""))}
    chosen = {key: value for key, (value, condition) in found.items() if condition is not None}
    by = _by(params.get("by", ""), period)
    if span and span != DEFAULT_SPAN:
        chosen["period"] = span.value
    elif custom:
        chosen |= {"from": period.first.isoformat(), "to": period.last.isoformat()}
    measure = params.get("measure", "")
    if measure in ("next", "resolution"):
        chosen["measure"] = measure
    if by != period.usual_step():
        chosen["by"] = by.value if isinstance(by, Step) else by.key
    return Asked(
        user=user,
        period=period,
        span=span,
        by=by,
        chosen=chosen,
        condition=Q(*(condition for _value, condition in found.values() if condition is not None)),
        measure=chosen.get("measure", "first"),
        is_bad_period=custom is None and bool(params.get("from") or params.get("to")),
    )


def _custom(params: Mapping[str, str], today: date, zone: ZoneInfo) -> Period | None:
    """By its dates, the last of which is today where it is not given, and never later: nothing has happened yet."""
    try:
        first = date.fromisoformat(params["from"])
        last = date.fromisoformat(params["to"]) if params.get("to") else today
    except (KeyError, ValueError):
        return None
    return between(min(first, today), min(last, today), zone)


def _by(value: str, period: Period) -> Step | Dimension:
    if value in DIMENSIONS:
        return DIMENSIONS[value]
    step = Step(value) if value in list(Step) else period.usual_step()
    return Step.WEEK if step is Step.DAY and period.days > _MOST_ROWS else step
