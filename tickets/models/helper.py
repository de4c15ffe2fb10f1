"""What staff write once and use often: canned replies, and macros, which are several changes in one. No customer ever sees one as such."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import AgentGroup
from tickets.models.workflow import Priority, Status, TicketType


class Helper(models.Model):
    """Of everybody at the desk, of a group, or of its owner alone. Who can use one can change it."""

    name = models.CharField(_("name"), max_length=80)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    group = models.ForeignKey(AgentGroup, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    is_retired = models.BooleanField(_("retired"), default=False)
    used = models.PositiveIntegerField(default=0, editable=False)  # times
    used_at = models.DateTimeField(null=True, editable=False)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(owner=None) | Q(group=None), name="%(class)s_has_one_audience")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_for_everybody(self) -> bool:
        return self.owner_id is None and self.group_id is None


class CannedReply(Helper):
    """Words with placeholders (`tickets.writing.canned.PLACEHOLDERS`), filled in when they are put into a reply."""

    text = models.TextField(_("text"))
    html = models.TextField(blank=True)  # '' where the text says as much; cleaned each time it is shown

    class Meta(Helper.Meta):
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")


class Macro(Helper):
    """What is empty stays as it is on the ticket."""

    class Assigns(models.TextChoices):
        NOT = "", _("Leave it")
        ME = "me", _("Whoever uses it")
        NOBODY = "nobody", _("Nobody")
        PERSON = "person", _("This person")

    status = models.ForeignKey(Status, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("status"))
    type = models.ForeignKey(TicketType, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("type"))
    priority = models.ForeignKey(Priority, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("priority"))
    to_group = models.ForeignKey(AgentGroup, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("group"))
    assigns = models.CharField(_("assignee"), max_length=10, choices=Assigns.choices, blank=True, default="")
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    tags = models.TextField(_("tags"), blank=True)  # with commas between
    reply = models.ForeignKey(
        CannedReply, on_delete=models.PROTECT, null=True, blank=True, related_name="macros", verbose_name=_("canned reply")
    )
    note = models.TextField(_("internal note"), blank=True)  # with placeholders

    class Meta(Helper.Meta):
        verbose_name = _("macro")
        verbose_name_plural = _("macros")
        constraints: ClassVar = [
            *Helper.Meta.constraints,
            models.CheckConstraint(condition=Q(assigns="person") | Q(assignee=None), name="macro_names_its_assignee"),
        ]
