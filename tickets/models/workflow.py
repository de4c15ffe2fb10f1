"""What an admin configures about the course of a ticket: statuses, types, priorities. `manage.py preset` installs a set."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tickets.lifecycle import Category
from tickets.writing.placeholders import fill


class Listed(models.Model):
    """A named entry of a list whose order an admin chooses. What tickets use is retired, not deleted."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_retired = models.BooleanField(_("retired"), default=False, help_text=_("Kept for old tickets, never offered again."))

    class Meta:
        abstract = True
        ordering: ClassVar = ["position", "name"]

    def __str__(self) -> str:
        return self.name


RELEASED = """Hello {name},

what you told us in this ticket is part of release {version}. Please tell us if it does not work for you as you expect.

Thank you"""


class Status(Listed):
    PLACEHOLDERS: ClassVar = ("version", "name", "number", "subject")  # of `release_comment`: nothing that customers do not know

    category = models.CharField(_("category"), max_length=10, choices=Category.choices)
    public_name = models.CharField(_("name for customers"), max_length=60, blank=True, help_text=_("Empty: the same name."))
    is_default = models.BooleanField(_("default of its category"), default=False, help_text=_("Where automatic moves lead."))
    pauses_sla = models.BooleanField(_("pauses the SLA clock"), default=False)
    requires_type = models.BooleanField(_("requires a type"), default=False, help_text=_("A ticket without a type can't enter."))
    asks_reference = models.BooleanField(
        _("asks for an engineering reference"),
        default=False,
        help_text=_(
            "A ticket enters with the number that engineering gave it, and hears of the release that ships it: see Releases at the desk."
        ),
    )
    release_comment = models.TextField(
        _("comment when it is released"),
        blank=True,
        default=RELEASED,
        help_text=_(
            "Offered at Releases, where it can be changed each time. {version}, {name} (of the requester), {number} and {subject} are filled in."
        ),
    )
    closes_after = models.DurationField(_("closes by itself after"), null=True, blank=True)
    reopens_on_reply = models.BooleanField(
        _("reopens on reply"),
        default=False,
        help_text=_("For closed statuses. Off: a customer's reply opens a follow-up ticket."),
    )

    class Meta(Listed.Meta):
        verbose_name = _("status")
        verbose_name_plural = _("statuses")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["category"], condition=Q(is_default=True), name="one_default_status_a_category"),
            models.CheckConstraint(condition=Q(closes_after=None) | Q(category=Category.RESOLVED), name="only_resolved_closes_by_itself"),
            models.CheckConstraint(condition=Q(is_default=False) | Q(is_retired=False), name="default_status_is_not_retired"),
        ]

    @property
    def label_for_customers(self) -> str:
        return self.public_name or self.name


class TicketType(Listed):
    description = models.CharField(_("description"), max_length=250, blank=True)

    class Meta(Listed.Meta):
        verbose_name = _("type")
        verbose_name_plural = _("types")


TOLD_PRIORITY = "We have set the priority of this ticket to {priority}.\n\n{priority} means: {definition}"


class ProductArea(Listed):
    """Which part of the product a ticket is about. Customers are asked where there are any."""

    class Meta(Listed.Meta):
        verbose_name = _("product area")
        verbose_name_plural = _("product areas")


class Priority(Listed):
    PLACEHOLDERS: ClassVar = ("priority", "definition", "name")  # of `public_comment`

    level = models.PositiveSmallIntegerField(_("level"), unique=True, help_text=_("1 is the most urgent."))
    definition = models.TextField(_("definition"), blank=True, help_text=_("Shown where the priority is chosen, and to customers."))
    public_comment = models.TextField(
        _("comment for the customer"),
        blank=True,
        default=TOLD_PRIORITY,
        help_text=_(
            "What the customer is told with it, if they are; agents can change it each time. {priority}, {definition} and {name} (of the requester) are "
            "filled in. Empty: this priority is never told."
        ),
    )

    class Meta(Listed.Meta):
        verbose_name = _("priority")
        verbose_name_plural = _("priorities")
        ordering: ClassVar = ["level"]

    def words_for(self, name: str) -> str:
        """What to tell a customer of that name."""
        return fill(self.public_comment, {"priority": self.name, "definition": self.definition, "name": name}).strip()
