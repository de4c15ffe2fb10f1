"""Celery's shells. Each is safe to run twice at once, and finds all its work in the database."""

from __future__ import annotations

import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from tickets import bulk, releases, sweeps
from tickets.automation import acting
from tickets.mail import fetch, ingest
from tickets.search import indexing
from tickets.writing import drafts

logger = logging.getLogger(__name__)


@shared_task
def ingest_waiting() -> None:
    """Nudged by the mail receiver after each commit, and on schedule."""
    ingest.ingest_waiting()


@shared_task
def fetch_mail() -> None:
    if fetch.fetch_all():
        ingest.ingest_waiting()


@shared_task
def close_due() -> None:
    sweeps.close_due()


@shared_task
def wake_due() -> None:
    sweeps.wake_due()


@shared_task
def send_replies() -> None:
    drafts.send_due()
    if bulk.begin_due():
        wake_bulk()


@shared_task
def drop_drafts() -> None:
    drafts.drop_old()


@shared_task
def apply_rules_on_time() -> None:
    acting.sweep()


@shared_task
def tell_due_clocks() -> None:
    sweeps.tell_due_clocks()


@shared_task
def post_releases() -> None:
    """Nudged when one is planned, and on schedule."""
    releases.post_waiting()


@shared_task
def index_waiting() -> None:
    indexing.index_waiting(most=10_000)


@shared_task
def drop_uploads() -> None:
    sweeps.drop_uploads()


def wake_releases() -> None:
    """As below: without a broker the schedule finds them."""
    try:
        post_releases.apply_async(retry=False)
    except (OperationalError, OSError):
        logger.warning("the broker does not answer; the schedule will find the release")


@shared_task
def work_bulk() -> None:
    """Nudged where somebody begins a run that is long, and on schedule."""
    bulk.work_waiting()


@shared_task
def drop_bulk() -> None:
    bulk.drop_old()


def wake_bulk() -> None:
    try:
        work_bulk.apply_async(retry=False)
    except (OperationalError, OSError):
        logger.warning("the broker does not answer; the schedule will find the bulk run")


def wake_ingest() -> None:
    """Nudges the worker. Without a broker nothing is lost: the schedule finds the mail within seconds of its return."""
    try:
        ingest_waiting.apply_async(retry=False)
    except (OperationalError, OSError):
        logger.warning("the broker does not answer; the schedule will find the mail")
