"""What the desk's pages cost, and whether that grows with the table: `python -m bench.desk URL…`, the smallest database first.

Each URL is a database that `manage.py seed --tickets N` filled (10,000, 100,000 and 1,000,000 for BENCH.md). Pages are asked for in this process, with
the settings of production and templates, sessions and access as they are, without a web server. Time is told twice: by the clock (p50, p95), which says
little while others use the machine, and as the processors' time of this process and of PostgreSQL's together, which is what a page costs: in milliseconds,
and as a multiple of what the floor (`bench.floor`) cost in turns with the page, which means the same on every machine, busy or not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import django

_PRODUCTION = {
    "SECRET_KEY": "only-for-the-measurement-0123456789-abcdefghijklmnop",
    "ALLOWED_HOSTS": "testserver",
    "SITE_URL": "http://testserver",
    "EMAIL_HOST": "mail.example.com",
    "DEBUG": "0",
    "DEMO": "0",
    "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
}
os.environ |= _PRODUCTION
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Count  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402

from accounts.models import Organization, User  # noqa: E402
from bench.floor import floor  # noqa: E402
from tickets.models import Ticket  # noqa: E402

_ROUNDS = 5
_TO_REACH = {  # BENCH.md, at 100,000, where the floor took 8 ms
    "queue": "   (to reach: 30 ms, 12 queries, 1.1x, 1.2x)",
    "ticket, 5 messages": "   (to reach: 25 ms, 15 queries)",
    "search, two words": "   (to reach: 50 ms)",
    "search, a rare word": "   (to reach: 20 ms)",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "urls", nargs="*", metavar="URL", help="databases, the smallest first; without any, the one that DATABASE_URL names"
    )
    parser.add_argument("--json", action="store_true", help="one object, for a comparison")
    options = parser.parse_args()
    if options.json:
        print(json.dumps(measure()))
        return
    told = [_of(url) for url in options.urls or [os.environ["DATABASE_URL"]]]
    print(f"{'':32}" + "".join(f"{one['tickets']:>12,} tickets {'':24}" for one in told))
    print(f"{'':32}" + f"{'p50':>8}{'p95':>8}{'CPU':>8}{'floors':>8}{'queries':>9}   " * len(told) + "CPU from size to size")
    for name in told[0]["pages"]:
        rows = [one["pages"].get(name, {"p50": 0, "p95": 0, "cpu": 0, "floors": 0, "queries": 0}) for one in told]
        ratios = [f"{later['cpu'] / earlier['cpu']:.2f}x" for earlier, later in pairwise(rows) if earlier["cpu"]]
        cells = "".join(f"{row['p50']:8.1f}{row['p95']:8.1f}{row['cpu']:8.1f}{row['floors']:8.1f}{row['queries']:9}   " for row in rows)
        print(f"{name:32}{cells}{'  '.join(ratios)}{_TO_REACH.get(name, '')}")


def _of(url: str) -> dict[str, Any]:
    environment = {**os.environ, "DATABASE_URL": url}
    done = subprocess.run([sys.executable, "-m", "bench.desk", "--json"], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure() -> dict[str, Any]:
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    clients = {name: _logged_in(Client(raise_request_exception=True), user) for name, user in _people().items()}
    ask_floor = floor(clients["agent"])
    with CaptureQueriesContext(connection) as queries:
        ask_floor()
    pages = {"floor": {"queries": len(queries), **_timed(lambda _address: ask_floor(), [""] * _ROUNDS * 10, ask_floor)}}
    for name, who, addresses in _pages():
        client = clients[who]
        answers = [client.get(address).status_code for address in addresses]  # what is met for the first time: templates, pages of tables
        if set(answers) <= {200, 302}:
            with CaptureQueriesContext(connection) as queries:
                client.get(addresses[0])
            pages[name] = {"queries": len(queries), **_timed(client.get, addresses * _ROUNDS, ask_floor)}
    return {"tickets": Ticket.objects.count(), "pages": pages}


def _logged_in(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def _people() -> dict[str, User]:
    """An agent, and a customer who sees about 200 tickets."""
    sizes = list(Organization.objects.annotate(tickets=Count("share_rows")).filter(members__isnull=False).distinct())
    organization = min(sizes, key=lambda one: abs(one.tickets - 200))
    return {"agent": User.objects.get(email="agent1@support.example"), "customer": organization.members.order_by("pk")[0]}


def _pages() -> Iterator[tuple[str, str, list[str]]]:
    """(name, who, addresses)"""
    queue = reverse("desk_tickets")
    yield "dashboard", "agent", [reverse("desk")]
    yield "queue", "agent", [queue]
    yield "queue, mine", "agent", [f"{queue}?q=assignee:me"]
    yield "queue, everything", "agent", [f"{queue}?q=status:any"]
    yield "queue, by priority", "agent", [f"{queue}?sort=priority"]
    yield "queue, everything, newest", "agent", [f"{queue}?q=status:any&sort=created"]
    newest = Ticket.objects.order_by("-pk")[:5000]
    long = Ticket.objects.filter(pk__in=newest.values("pk")).annotate(said=Count("comments")).filter(said=5)[:20]
    yield "ticket, 5 messages", "agent", [reverse("desk_ticket", args=[ticket.pk]) for ticket in long]
    words = {
        "search, two words": ["scheduler captions", "quotas gateway", "procurement reminders", "tundra lisbon"],
        "search, a rare word": [f"{number * 7919 % 9_999_991:07d}" for number in range(1207, 1257, 5)],
        "search, a code": ["ERR_2468", "v2.15.1", "K-1234", "ana.ford0@acorn-logistics.example", "trace-4032.log"],
        "search, a phrase": ['"before the end of the month"', '"restarted gateway"', '"it may have to do with the cache"'],
        "search, a beginning": ["thumb", "dashb", "accou", "colle"],
        "search, a common word": ["cache", "thank", "the", "settings"],
        "search, common, by any sort": ["cache&sort=priority", "cache&sort=due", "the&sort=waiting", "cache assignee:me&sort=priority"],
        "search, words with filters": [
            "cache assignee:me",
            "scheduler status:unresolved",
            "settings -cache priority:none",
            "captions created:<30d",
        ],
    }
    for name, asked in words.items():
        yield name, "agent", [f"{queue}?q={text.replace(' ', '+')}" for text in asked]
    mine = reverse("tickets")
    yield "customer's tickets", "customer", [f"{mine}?whose=any&show=all"]
    yield (
        "customer's search",
        "customer",
        [f"{mine}?q={text.replace(' ', '+')}" for text in ("cache", "scheduler captions", "zebra", "ERR_2468")],
    )
    reports = reverse("desk_reports")
    yield "report, 30 days", "agent", [reports]
    yield "report, a year", "agent", [f"{reports}?period=365d"]
    yield "report, year by organization", "agent", [reverse("desk_report", args=["volume"]) + "?period=365d&by=organization"]
    yield "report, year of next responses", "agent", [reverse("desk_report", args=["times"]) + "?period=365d&measure=next"]


def _timed(ask: Callable[[str], object], addresses: list[str], ask_floor: Callable[[], None]) -> dict[str, float]:
    """Milliseconds."""
    took, cpu, cpu_of_floor = [], 0.0, 0.0
    for address in addresses:
        begun = _cpu()
        ask_floor()
        between, before = _cpu(), time.perf_counter()
        ask(address)
        took.append(1000 * (time.perf_counter() - before))
        cpu += _cpu() - between
        cpu_of_floor += between - begun
    took.sort()
    return {"p50": median(took), "p95": took[int(0.95 * (len(took) - 1))], "cpu": 1000 * cpu / len(took), "floors": cpu / cpu_of_floor}


def _cpu() -> float:
    """Seconds that this process and PostgreSQL's, if it is on this machine, have used."""
    used = time.process_time()
    if connection.vendor == "postgresql" and connection.connection:
        schedule = Path(f"/proc/{connection.connection.get_backend_pid()}/schedstat")
        used += int(schedule.read_text().split()[0]) / 1e9 if schedule.exists() else 0
    return used


if __name__ == "__main__":
    main()
