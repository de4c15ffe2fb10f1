"""A preset's calendar and SLA policy. What stands already, an admin's changes with it, is left as it is."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from tickets.models import BusinessCalendar, Priority, Side, SlaPolicy, SlaStep, SlaTarget, WorkingSpan
from tickets.sla.promises import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

_WARNED = {
    Metric.FIRST: timedelta(minutes=30),
    Metric.NEXT: timedelta(minutes=30),
    Metric.RESOLUTION: timedelta(hours=2),
}  # before it is due


def install_sla(targets: dict[str, tuple[int, int, int]]) -> list[BusinessCalendar | SlaPolicy]:
    """`targets` as in `Preset.sla`. What was missing; a policy comes with its targets and steps, or is not touched."""
    if not targets:
        return []
    calendar, made_calendar = BusinessCalendar.objects.get_or_create(name="Office hours", defaults={"zone": settings.TIME_ZONE})
    if made_calendar:
        WorkingSpan.objects.bulk_create(WorkingSpan(calendar=calendar, weekday=day, opens=time(9), closes=time(17)) for day in range(5))
    policy, made_policy = SlaPolicy.objects.get_or_create(name=_POLICY, defaults={"calendar": calendar, "position": 100})
    if made_policy:
        priorities = {"": None, **{priority.name: priority for priority in Priority.objects.all()}}
        SlaTarget.objects.bulk_create(
            SlaTarget(policy=policy, priority=priorities[name], **_promised(spans))
            for name, spans in targets.items()
            if name in priorities  # an admin may have put another in its place
        )
        SlaStep.objects.bulk_create(SlaStep(policy=policy, metric=metric, side=Side.BEFORE, span=span) for metric, span in _WARNED.items())
        SlaStep.objects.bulk_create(SlaStep(policy=policy, metric=metric, side=Side.AFTER, span=timedelta()) for metric in Metric)
    return [thing for thing, made in ((calendar, made_calendar), (policy, made_policy)) if made]


def sla_differences(targets: dict[str, tuple[int, int, int]]) -> Iterator[tuple[str, str, timedelta | None, timedelta]]:
    """Where a policy stands that promises something else: the priority, of what, what it promises, and what the preset does."""
    policy = SlaPolicy.objects.filter(name=_POLICY).first()
    stands = (
        {target.priority.name if target.priority else "": target for target in policy.targets.select_related("priority")} if policy else {}
    )
    for name, spans in targets.items() if policy else ():
        for field, span in _promised(spans).items():
            if (promised := getattr(stands.get(name), field, None)) != span:
                yield name, str(SlaTarget._meta.get_field(field).verbose_name), promised, span  # type: ignore[union-attr] # a column


_POLICY = "Standard"


def _promised(spans: tuple[int, int, int]) -> dict[str, timedelta]:
    return {field: timedelta(hours=span) for field, span in zip(("first_response", "next_response", "resolution"), spans, strict=True)}
