"""A preset's calendar and SLA policy. What stands already, an admin's changes with it, is left as it is."""

from __future__ import annotations

from datetime import time, timedelta

from django.conf import settings

from tickets.models import BusinessCalendar, Priority, Side, SlaPolicy, SlaStep, SlaTarget, WorkingSpan
from tickets.sla.promises import Metric

_WARNED = {
    Metric.FIRST: timedelta(minutes=30),
    Metric.NEXT: timedelta(minutes=30),
    Metric.RESOLUTION: timedelta(hours=2),
}  # before it is due


def install_sla(targets: dict[str, tuple[int, int, int]]) -> int:
    """`targets` as in `Preset.sla`. How many of calendar and policy were missing; a policy comes with its targets and steps, or is not touched."""
    if not targets:
        return 0
    calendar, made_calendar = BusinessCalendar.objects.get_or_create(name="Office hours", defaults={"zone": settings.TIME_ZONE})
    if made_calendar:
        WorkingSpan.objects.bulk_create(WorkingSpan(calendar=calendar, weekday=day, opens=time(9), closes=time(17)) for day in range(5))
    policy, made_policy = SlaPolicy.objects.get_or_create(name="Standard", defaults={"calendar": calendar, "position": 100})
    if made_policy:
        priorities = {"": None, **{priority.name: priority for priority in Priority.objects.all()}}
        SlaTarget.objects.bulk_create(
            SlaTarget(
                policy=policy, priority=priorities[name], **dict(zip(_FIELDS, (timedelta(hours=span) for span in spans), strict=True))
            )
            for name, spans in targets.items()
            if name in priorities  # an admin may have put another in its place
        )
        SlaStep.objects.bulk_create(SlaStep(policy=policy, metric=metric, side=Side.BEFORE, span=span) for metric, span in _WARNED.items())
        SlaStep.objects.bulk_create(SlaStep(policy=policy, metric=metric, side=Side.AFTER, span=timedelta()) for metric in Metric)
    return made_calendar + made_policy


_FIELDS = ("first_response", "next_response", "resolution")
