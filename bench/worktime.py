"""What business hours cost: `python bench/worktime.py`. An `add` over a year of calendar must stay below 100 µs."""

from __future__ import annotations

import sys
import timeit
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tickets.sla.worktime import Calendar

_LUNCH = ((9 * 60, 12 * 60 + 30), (13 * 60 + 30, 18 * 60))
_START = datetime(2026, 3, 2, 9, 17, 31, tzinfo=UTC)
_LIMIT = 100  # µs


def main() -> int:
    holidays = frozenset(date(year, month, 1) for year in range(2020, 2040) for month in (1, 5, 11, 12))
    calendar = Calendar("Europe/Berlin", ((_LUNCH,) * 5) + ((), ()), holidays)
    began = timeit.default_timer()
    year_of_work = calendar.between(_START, _START + timedelta(days=365))
    print(f"first use, two years made: {(timeit.default_timer() - began) * 1e3:.1f} ms")
    end = calendar.add(_START, year_of_work)
    assert end is not None
    worst = 0.0
    for name, work in {
        "add, 8 hours": lambda: calendar.add(_START, timedelta(hours=8)),
        "add, a year of calendar": lambda: calendar.add(_START, year_of_work),
        "between, a year apart": lambda: calendar.between(_START, end),
    }.items():
        cost = min(timeit.repeat(work, number=2000, repeat=5)) / 2000 * 1e6
        worst = max(worst, cost)
        print(f"{name}: {cost:.1f} µs")
    return int(worst >= _LIMIT)


if __name__ == "__main__":
    sys.exit(main())
