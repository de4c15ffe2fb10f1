"""What an admin configures about time: calendars of business hours, and policies with their targets and steps.

Tickets never look at these rows again once they were matched: what was promised is copied into an `SlaSnapshot`, so that no edit rewrites history.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import AgentGroup, Organization
from tickets.models.workflow import Listed, Priority, TicketType
from tickets.sla import free_days
from tickets.sla.promises import Agreement, Metric, read
from tickets.sla.worktime import MINUTES, Calendar, Hours
from tickets.spans import span_words

if TYPE_CHECKING:
    from datetime import time


logger = logging.getLogger(__name__)

_YEARS = 5  # before and after this one whose public holidays count


def check_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(_("There is no time zone of that name. Write it as Europe/Berlin or Asia/Kolkata."))


class BusinessCalendar(models.Model):
    name = models.CharField(_("name"), max_length=60, unique=True)
    zone = models.CharField(_("time zone"), max_length=60, validators=[check_zone], help_text=_("Such as Europe/Berlin or Asia/Kolkata."))
    country = models.CharField(
        _("public holidays of"),
        max_length=20,
        blank=True,
        help_text=_(
            "A country, such as DE or US, or a part of it, such as DE-BE or US-NY: those of each year, for as long as the calendar is used."
        ),
    )
    worked = models.TextField(
        _("of these, worked on"),
        blank=True,
        help_text=_("The names, each on a line of its own, such as Columbus Day. On these one works nevertheless."),
    )

    class Meta:
        verbose_name = _("business calendar")
        verbose_name_plural = _("business calendars")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def as_value(self) -> Calendar:
        """As it is now, with the public holidays of these and some more years. Two queries, unless they were prefetched."""
        week: list[list[Hours]] = [[] for _day in range(7)]
        for span in self.spans.all():
            week[span.weekday].append(span.hours)
        this_year = timezone.now().year
        public = self.public_holidays(range(this_year - _YEARS, this_year + _YEARS + 1))
        return Calendar(
            self.zone, tuple(tuple(sorted(day)) for day in week), frozenset([*public, *(day.date for day in self.holidays.all())])
        )

    def public_holidays(self, years: range) -> free_days.Days:
        """The country's, without those on which one works. Found for the years that are asked, so that they never end."""
        worked = tuple(filter(None, map(str.strip, self.worked.casefold().splitlines())))
        try:
            found = free_days.of_country(self.country, years) if self.country else {}
        except ValueError:  # known when it was chosen, and no longer: a ticket has to be opened all the same
            logger.exception("the public holidays of calendar “%s” are not known any more; choose them anew", self.name)
            return {}
        return {day: name for day, name in found.items() if not name.casefold().startswith(worked)}


class WorkingSpan(models.Model):
    """Hours of one weekday, as the clock on the wall shows them. Closing no later than opening is on the next day: 22:00–06:00, or 00:00–00:00, all day."""

    calendar = models.ForeignKey(BusinessCalendar, on_delete=models.CASCADE, related_name="spans", db_index=False)
    weekday = models.PositiveSmallIntegerField()  # 0 is Monday
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["calendar", "weekday", "opens"], name="one_span_at_a_time"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="week_has_seven_days"),
        ]

    def __str__(self) -> str:
        return f"{self.weekday}: {self.opens:%H:%M}–{self.closes:%H:%M}"

    @property
    def hours(self) -> Hours:
        return _minutes(self.opens), _minutes(self.closes) or MINUTES


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


class Holiday(models.Model):
    calendar = models.ForeignKey(BusinessCalendar, on_delete=models.CASCADE, related_name="holidays", db_index=False)
    date = models.DateField()
    name = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering: ClassVar = ["date"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["calendar", "date"], name="one_holiday_a_date")]

    def __str__(self) -> str:
        return f"{self.date} {self.name}".strip()


class SlaPolicy(Listed):
    """The first one that matches a ticket decides. An empty condition matches all."""

    calendar = models.ForeignKey(BusinessCalendar, on_delete=models.PROTECT, related_name="policies", verbose_name=_("business calendar"))
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sla_policies",
        verbose_name=_("organization"),
        help_text=_("One that the ticket is shared with; while it is shared with none, one of its requester's. Empty: any."),
    )
    group = models.ForeignKey(
        AgentGroup,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sla_policies",
        verbose_name=_("group"),
        help_text=_("Empty: any."),
    )
    type = models.ForeignKey(
        TicketType,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sla_policies",
        verbose_name=_("type"),
        help_text=_("Empty: any."),
    )

    class Meta(Listed.Meta):
        verbose_name = _("SLA policy")
        verbose_name_plural = _("SLA policies")
        ordering: ClassVar = ["position", "name", "pk"]


class SlaTarget(models.Model):
    """What a policy promises for a priority. The row without one is for tickets without a priority, and for priorities without a row."""

    policy = models.ForeignKey(SlaPolicy, on_delete=models.CASCADE, related_name="targets", db_index=False)
    priority = models.ForeignKey(
        Priority, on_delete=models.PROTECT, null=True, blank=True, related_name="sla_targets", verbose_name=_("priority")
    )
    first_response = models.DurationField(_("first response"), null=True, blank=True)
    next_response = models.DurationField(_("next response"), null=True, blank=True)
    resolution = models.DurationField(_("resolution"), null=True, blank=True)
    in_business_hours = models.BooleanField(_("in business hours"), default=True)

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        ordering: ClassVar = ["priority__level"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["policy", "priority"], name="one_target_a_priority"),
            models.UniqueConstraint(fields=["policy"], condition=Q(priority=None), name="one_target_for_the_rest"),
            *(
                models.CheckConstraint(condition=Q(**{name: None}) | Q(**{f"{name}__gt": timedelta()}), name=f"{name}_takes_time")
                for name in ("first_response", "next_response", "resolution")
            ),
        ]

    def __str__(self) -> str:
        return str(self.priority or _("any other priority"))

    @property
    def spans(self) -> dict[Metric, timedelta]:
        """Those that are promised."""
        named = {Metric.FIRST: self.first_response, Metric.NEXT: self.next_response, Metric.RESOLUTION: self.resolution}
        return {metric: span for metric, span in named.items() if span}


class Side(models.TextChoices):
    BEFORE = "before", _("before it is due")
    AFTER = "after", _("at the breach, or after it")


class SlaStep(models.Model):
    """A warning before the time is over, or an escalation at or after it. It goes to whoever is named here."""

    policy = models.ForeignKey(SlaPolicy, on_delete=models.CASCADE, related_name="steps", db_index=False)
    metric = models.CharField(_("of"), max_length=10, choices=Metric.choices)
    side = models.CharField(_("when"), max_length=6, choices=Side.choices, default=Side.AFTER)
    span = models.DurationField(_("how long"), default=timedelta)  # a warning that is longer than the promise is left out
    to_assignee = models.BooleanField(_("to the assignee"), default=True, help_text=_("While there is none, to the group."))
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name=_("to people"))
    groups = models.ManyToManyField(AgentGroup, blank=True, related_name="+", verbose_name=_("to groups"))

    class Meta:
        verbose_name = _("warning or escalation")
        verbose_name_plural = _("warnings and escalations")
        ordering: ClassVar = ["metric", "-side", "span"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["policy", "metric", "side", "span"],
                name="one_step_at_a_time",
                violation_error_message=_("There is a step for this moment already. Add the people to that one."),
            ),
            models.CheckConstraint(
                condition=Q(side=Side.AFTER, span__gte=timedelta()) | Q(side=Side.BEFORE, span__gt=timedelta()),
                name="warning_is_before",
                violation_error_message=_("A warning comes some time before, such as 30m."),
            ),
        ]

    def __str__(self) -> str:
        words = {Side.BEFORE: _("%(metric)s: %(span)s before it is due"), Side.AFTER: _("%(metric)s: %(span)s after the breach")}
        moment = words[Side(self.side)] if self.span else _("%(metric)s: at the breach")
        return str(moment % {"metric": self.get_metric_display(), "span": span_words(self.span)})

    @property
    def offset(self) -> timedelta:
        return -self.span if self.side == Side.BEFORE else self.span


class SlaSnapshot(models.Model):
    """A policy's numbers for one priority, and its calendar, as they were when tickets were matched. Never changed; one row for equal ones."""

    policy = models.ForeignKey(SlaPolicy, on_delete=models.SET_NULL, null=True, related_name="snapshots")
    digest = models.CharField(max_length=64, unique=True)  # of `text`
    text = models.TextField()  # see `tickets.sla.promises.write`
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.agreement.policy}, {self.agreement.priority or '–'}"

    @cached_property
    def agreement(self) -> Agreement:
        return read(self.text)
