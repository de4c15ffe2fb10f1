"""Views that somebody keeps: their own, their group's, everybody's. Who may see one and who may change one; and the verbs.

One's own are one's own. A group's are seen and changed by its members, and by admins. Everybody's are changed by admins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from accounts.errors import IllegalMove, NotAllowed
from accounts.models import AgentGroup
from tickets.models import SavedView

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

MOST = 30  # that one person may keep, and that a list offers


def seen_by(user: User) -> QuerySet[SavedView]:
    """In the order of the list."""
    mine = Q(owner=user)
    groups = Q(group__isnull=False) if user.is_admin else Q(group__in=user.agent_groups.values("pk"))
    return SavedView.objects.filter(mine | Q(owner=None, group=None) | groups).order_by("position", "pk")


def may_change(view: SavedView, user: User) -> bool:
    """Of one that they see."""
    return user.is_admin or not view.is_for_everybody


def groups_of(user: User) -> QuerySet[AgentGroup]:
    """Those one may keep a view for."""
    return AgentGroup.objects.all() if user.is_admin else user.agent_groups.all()


@transaction.atomic
def keep(view: SavedView, *, actor: User) -> SavedView:
    """A new one, at the end of its list; or one that was changed. Permission is asked of it as it was and as it is to be."""
    if view.pk:
        was = seen_by(actor).select_for_update().filter(pk=view.pk).first()
        if was is None or not may_change(was, actor):
            raise NotAllowed(_("That view is not yours to change."))
    _check(view, actor)
    if not view.pk:
        alike = SavedView.objects.filter(owner=view.owner, group=view.group)
        if alike.count() >= MOST:
            raise IllegalMove(_("There are %(most)d views already. Delete one that nobody needs.") % {"most": MOST})
        view.position = (alike.aggregate(last=Max("position"))["last"] or 0) + 1
    view.save()
    return view


def _check(view: SavedView, actor: User) -> None:
    if view.owner_id not in (None, actor.pk):
        raise NotAllowed(_("That view is not yours to change."))
    if view.group_id and not groups_of(actor).filter(pk=view.group_id).exists():
        raise NotAllowed(_("You are not in that group."))
    if view.is_for_everybody and not actor.is_admin:
        raise NotAllowed(_("Views for everybody are kept by admins. Keep it for yourself or your group."))


@transaction.atomic
def delete(view: SavedView, *, actor: User) -> None:
    if not may_change(view, actor):
        raise NotAllowed(_("That view is not yours to change."))
    view.delete()


@transaction.atomic
def move(view: SavedView, *, actor: User, by: int) -> None:
    """One place up (-1) or down among those of the same people."""
    if not may_change(view, actor):
        raise NotAllowed(_("That view is not yours to change."))
    alike = list(
        SavedView.objects.select_for_update().filter(owner=view.owner, group=view.group, is_default=False).order_by("position", "pk")
    )
    at = alike.index(view)
    alike.insert(max(0, at + by), alike.pop(at))
    for position, one in enumerate(alike, start=1):
        one.position = position
    SavedView.objects.bulk_update(alike, ["position"])


@transaction.atomic
def keep_columns(columns: list[str], *, actor: User) -> None:
    """What rows show this person where a view says nothing."""
    SavedView.objects.update_or_create(owner=actor, is_default=True, defaults={"columns": columns})
