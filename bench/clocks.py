"""What a sweep over SLA clocks costs: `DATABASE_URL=… python bench/clocks.py`, with an empty, migrated database. 1,000 of 100,000 due: below 5 s."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
os.environ.setdefault("DEMO", "1")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from tickets import sweeps  # noqa: E402
from tickets.lifecycle import Category  # noqa: E402
from tickets.models import Channel, Clock, Event, EventKind, SlaPolicy, Status, Ticket  # noqa: E402
from tickets.sla.policies import snapshot_for  # noqa: E402
from tickets.sla.promises import ClockState, Metric  # noqa: E402

_LIMIT = 5.0  # s


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, default=100_000, help="clocks that run")
    parser.add_argument("--due", type=int, default=1_000, help="of them")
    options = parser.parse_args()
    fill(options.open, options.due)
    before, cpu = time.perf_counter(), time.process_time()
    said = sweeps.tell_due_clocks()
    took, cpu = time.perf_counter() - before, time.process_time() - cpu
    told = Event.objects.filter(kind__in=(EventKind.SLA_WARNED, EventKind.SLA_BREACHED)).count()
    before = time.perf_counter()
    sweeps.tell_due_clocks()
    idle = time.perf_counter() - before
    print(
        f"{options.open:,} open clocks, {options.due:,} due: {took:.2f} s ({cpu:.2f} s of this processor), {said:,} told in {told:,} events"
    )
    print(f"a sweep with nothing due: {idle * 1e3:.1f} ms")
    return int(took >= _LIMIT or said != options.due)


def fill(clocks: int, due: int) -> None:
    call_command("preset", "apty", verbosity=0)
    requester, _made = User.objects.get_or_create(email="clock@elsewhere.example")
    status = Status.objects.get(category=Category.OPEN, is_default=True)
    now = timezone.now()
    fields = {"requester": requester, "status": status, "category": status.category, "channel": Channel.PORTAL}
    tickets = Ticket.objects.bulk_create((Ticket(subject=f"Clock {number}", **fields) for number in range(clocks)), batch_size=2000)
    snapshot = snapshot_for(tickets[0])
    assert SlaPolicy.objects.exists()
    assert snapshot is not None
    promise = snapshot.agreement.promises[Metric.RESOLUTION]
    rows = []
    for number, ticket in enumerate(tickets):
        due_at = now - timedelta(seconds=30) if number < due else now + timedelta(hours=1 + number % 100)
        since = due_at - promise.target * 6  # well before, whatever nights and weekends lie between
        rows.append(
            Clock(
                ticket=ticket,
                metric=Metric.RESOLUTION,
                snapshot=snapshot,
                state=ClockState.RUNNING,
                target=promise.target,
                started_at=since,
                since=since,
                due_at=due_at,
                next_at=due_at,
                told=promise.breach,
            )
        )
    Clock.objects.bulk_create(rows, batch_size=2000)
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).update(sla=snapshot)
    with connection.cursor() as cursor:  # as a database that has stood for a while
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


if __name__ == "__main__":
    sys.exit(main())
