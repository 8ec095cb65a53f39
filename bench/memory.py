"""Whether a million evaluations of one policy take memory: run by ``bench.engine``.

The clients are of all cases in turn, more than the engine remembers, so that nearly all of them
are put to durable_rules.
"""

from __future__ import annotations

import resource
import sys
from itertools import cycle, islice
from pathlib import Path

from bench.policy import policy, strangers
from rules.judge import Judge

EVALUATIONS, STEP, SETTLED = 1_000_000, 100_000, 200_000
MOST_GROWTH = 2.0
"""MiB, from ``SETTLED`` evaluations to the end."""


def resident() -> float:
    """Return this process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> int:
    """Measure, print, and return 0 if memory stays flat."""
    judge = Judge(policy())
    facts = cycle(strangers())
    print("| Evaluations | Resident memory, MiB |\n| ---: | ---: |")
    found = {}
    for done in range(STEP, EVALUATIONS + 1, STEP):
        for client in islice(facts, STEP):
            judge.judge(client)
        found[done] = resident()
        print(f"| {done:,} | {found[done]:.2f} |", flush=True)
    later = [memory - found[SETTLED] for done, memory in found.items() if done > SETTLED]
    print(
        f"\nGrowth from {SETTLED:,} to {EVALUATIONS:,} evaluations: {later[-1]:.2f} MiB, between "
        f"them at most {max(later):.2f} MiB (aim: less than {MOST_GROWTH:g})."
    )
    return int(max(later) >= MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
