"""Any number of sweeps mail a report once a week. First: what would happen without the lock."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier

import pytest
from django.db import transaction
from django.utils import timezone

from notifications import subscriptions
from notifications.models import Delivery, Kind, Reason, ReportSubscription
from tests.concurrency.threads import at_once, errors, marks

pytestmark = marks


@pytest.fixture
def due(dan):
    return ReportSubscription.objects.create(report="volume", recipient=dan, created_by=dan, next_at=timezone.now() - timedelta(minutes=1))


def test_mail_when_the_lock_is_left_out_then_is_made_twice(due, dan):
    both_have_looked = Barrier(2)

    @transaction.atomic
    def make_without_lock() -> None:
        subscription = ReportSubscription.objects.get(next_at__lte=timezone.now())
        both_have_looked.wait(timeout=20)
        subscription.next_at = subscriptions.next_monday(timezone.now())
        subscription.save(update_fields=["next_at"])
        Delivery.objects.create(subscription=subscription, recipient=dan, address=dan.email, kind=Kind.REPORT, reason=Reason.REPORT)

    assert errors(at_once([make_without_lock] * 2)) == []
    assert Delivery.objects.count() == 2


def test_mail_when_four_sweep_at_once_then_is_made_once(due):
    assert sum(at_once([subscriptions.make_due] * 4)) == 1
    assert Delivery.objects.count() == 1
