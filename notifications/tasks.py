"""Celery's shells. Each is safe to run twice at once, and finds all its work in the database."""

from __future__ import annotations

from celery import shared_task

from notifications import bounces, channels, digest, subscriptions
from notifications import relay as outbox


@shared_task
def relay() -> None:
    """Nudged after each commit that recorded an event or invited somebody, and on schedule."""
    outbox.relay_invitations()
    outbox.relay_waiting()
    channels.deliver_due()


@shared_task
def deliver_due() -> None:
    channels.deliver_due()


@shared_task
def match_reports() -> None:
    bounces.match_reports()


@shared_task
def make_digests() -> None:
    digest.make_due()


@shared_task
def make_report_mails() -> None:
    subscriptions.make_due()
