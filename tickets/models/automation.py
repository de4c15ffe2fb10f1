"""Rules that act on tickets: "when … if … then …", as data. `tickets.automation.deciding` reads them, `tickets.automation.acting` does what they say.

Not to be taken for `MailRule`, which decides about a mail before there is a ticket.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class When(models.TextChoices):
    """What sets a rule off: something that happens, or a time that has passed."""

    OPENED = "opened", _("a ticket is opened")
    CUSTOMER_REPLIED = "customer_replied", _("a customer replies")
    AGENT_REPLIED = "agent_replied", _("one of us replies")
    NOTED = "noted", _("somebody adds an internal note")
    STATUS_CHANGED = "status_changed", _("the status changes")
    RESOLVED = "resolved", _("a ticket is resolved")
    REOPENED = "reopened", _("a ticket is reopened")
    FIX_CONFIRMED = "fix_confirmed", _("a customer confirms the fix")
    PRIORITY_CHANGED = "priority_changed", _("the priority changes")
    TYPE_CHANGED = "type_changed", _("the type changes")
    GROUP_CHANGED = "group_changed", _("the group changes")
    ASSIGNEE_CHANGED = "assignee_changed", _("the assignee changes")
    SLA_WARNED = "sla_warned", _("the SLA warns that a time is nearly over")
    SLA_BREACHED = "sla_breached", _("an SLA time is over")
    AGE = "age", _("since the ticket was opened")
    UNANSWERED = "unanswered", _("since a customer wrote, without an answer")
    IN_STATUS = "in_status", _("since the ticket entered its status")
    BEFORE_DUE = "before_due", _("before the ticket is due")
    AFTER_DUE = "after_due", _("since the ticket was due")


ON_TIME = (When.AGE, When.UNANSWERED, When.IN_STATUS, When.BEFORE_DUE, When.AFTER_DUE)


class AutomationRule(models.Model):
    """`conditions`: name → {"not": bool, "values": [...]}, where None among the values means "none". `steps`: name → what to set or say.

    `tickets.automation.deciding` knows the names. Rows of other tables are named by their keys; one that is gone makes the rule fail, visibly.
    """

    name = models.CharField(_("name"), max_length=120)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("in use"), default=True)
    when = models.CharField(_("when"), max_length=20, choices=When.choices)
    span = models.DurationField(_("after"), null=True, blank=True)
    reaches_back = models.BooleanField(_("also what is past that time already"), default=False)
    since = models.DateTimeField(
        default=timezone.now, editable=False
    )  # it counts times that are reached after this moment, unless it reaches back
    is_any = models.BooleanField(_("one condition is enough"), default=False)
    conditions: models.JSONField[dict[str, dict[str, Any]]] = models.JSONField(_("conditions"), default=dict, blank=True)
    steps: models.JSONField[dict[str, Any]] = models.JSONField(_("steps"), default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")

    class Meta:
        verbose_name = _("automation rule")
        verbose_name_plural = _("automation rules")
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(when__in=ON_TIME, span__gt=timedelta()) | (~Q(when__in=ON_TIME) & Q(span=None)), name="rule_on_time_has_a_span"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_on_time(self) -> bool:
        return self.when in ON_TIME


class Outcome(models.TextChoices):
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")  # nothing of it stands
    STOPPED = "stopped", _("Stopped")  # would have gone round in a circle


class AutomationRun(models.Model):
    """What a rule did to a ticket, or why not: the rule's log, and the memory of what was done once for a time that passed."""

    rule = models.ForeignKey(AutomationRule, on_delete=models.CASCADE, related_name="runs")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="automation_runs")
    at = models.DateTimeField(default=timezone.now, editable=False)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    did: models.JSONField[list[str]] = models.JSONField(default=list)  # in words
    why = models.TextField(blank=True)  # it failed or was stopped
    since = models.DateTimeField(null=True)  # of rules on time: the moment of the ticket from which the time counted

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule", "ticket", "since"], condition=Q(since__isnull=False), name="once_for_a_time_that_passed"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["rule", "-at", "-id"], name="automation_run_by_rule")]

    def __str__(self) -> str:
        return f"{self.rule_id} on #{self.ticket_id}: {self.outcome}"
