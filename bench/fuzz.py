"""Fuzzes the mail parser for long: `python -m bench.fuzz 20000 --seeds FOLDER --seed 1`. Prints crashes, the slowest and the largest.

Each mail is either a damaged seed or one grown from pieces. A failing mail is written to the working directory.
"""

from __future__ import annotations

import argparse
import resource
import sys
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from time import process_time

from tests.tickets.mail.mutations import SEEDS, grown, mutated, seeds, unstorable
from tickets.mail.parse import UnreadableMail, parse


def main() -> int:
    options = _options()
    random, pool = Random(options.seed), seeds(options.seeds)
    counts: Counter[str] = Counter()
    slowest, largest = (0.0, -1), (0, -1)
    for number in range(options.count):
        raw = grown(random) if random.random() < 0.3 else mutated(random, pool)
        before, memory = process_time(), _peak()
        outcome = _outcome(raw)
        slowest = max(slowest, (process_time() - before, number))
        largest = max(largest, (_peak() - memory, number))
        counts[outcome] += 1
        if outcome not in {"read", "refused"}:
            Path(f"fuzz-{options.seed}-{number}.eml").write_bytes(raw)
            print(f"mail {number}: {outcome}")
    print(f"{options.count} mails from {len(pool)} seeds, seed {options.seed}: {dict(counts)}")
    print(
        f"slowest {slowest[0] * 1000:.0f} ms (mail {slowest[1]}), most memory {largest[0] / 1024:.1f} MB (mail {largest[1]}), peak {_peak() / 1024:.0f} MB"
    )
    return int(set(counts) - {"read", "refused"} != set())


def _options() -> argparse.Namespace:
    form = argparse.ArgumentParser(description=__doc__)
    form.add_argument("count", type=int)
    form.add_argument("--seeds", type=Path, default=SEEDS, help="a folder of .eml files")
    form.add_argument("--seed", type=int, default=1)
    return form.parse_args()


def _outcome(raw: bytes) -> str:
    try:
        bad = unstorable(parse(raw))
    except UnreadableMail:
        return "refused"
    except Exception:  # noqa: BLE001 - finding any is what this is for
        return traceback.format_exc().strip()
    return f"not storable or lost: {bad[:3]!r:.300}" if bad else "read"


def _peak() -> int:
    """Kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.exit(main())
