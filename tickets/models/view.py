"""Lists of tickets that somebody keeps: a query, how it is sorted, and what its rows show. Written by `tickets.saved_views` alone."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import AgentGroup


class SavedView(models.Model):
    """Of everybody at the desk, of a group, or of its owner alone."""

    name = models.CharField(_("name"), max_length=60)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    group = models.ForeignKey(AgentGroup, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    # What the queue shows its owner where no view says anything: columns alone.
    is_default = models.BooleanField(default=False, editable=False)
    text = models.TextField(_("query"), blank=True)  # things by their number ("group:#3"), so that it outlives their names
    sort = models.CharField(_("sort"), max_length=20, blank=True)
    columns = models.JSONField(_("columns"), default=list, blank=True)  # empty: as the person has them
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("view")
        verbose_name_plural = _("views")
        ordering: ClassVar = ["position", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(owner=None) | Q(group=None), name="view_has_one_audience"),
            models.UniqueConstraint(fields=["owner"], condition=Q(is_default=True), name="one_default_view"),
            models.CheckConstraint(condition=Q(is_default=False) | Q(owner__isnull=False), name="default_view_has_an_owner"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_for_everybody(self) -> bool:
        return self.owner_id is None and self.group_id is None
