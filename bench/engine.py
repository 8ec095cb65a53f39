"""What one evaluation costs, in Merit and in others, and whether a million of them take memory.

Run as ``python -m bench.engine``; fails where the contestants differ or an aim is missed.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from statistics import median
from time import perf_counter
from typing import Any

from bench.contestants import (
    AT_ONCE,
    BY_HAND,
    MERIT,
    NEW,
    ZEN_LOADED,
    ZEN_SINGLE,
    Contestant,
    contestants,
)
from bench.policy import Answer, cases, clients, machine, strangers

ROUNDS = 50
FASTER = 4.0
"""How many times faster than zen-engine's ``ZenDecision.evaluate`` Merit is to be."""


def main() -> int:
    """Measure, print, and return 0 if all agree and every aim is met."""
    print(machine("durable_rules", "zen-engine", "rule-engine"), "\n")
    facts, new = clients(), strangers()
    field = contestants()
    given = {each.name: each.inputs(new if each.meets_strangers else facts) for each in field}
    found = {
        each.name: answers(each, given[each.name]) for each in field if not each.meets_strangers
    }
    different = [name for name, each in found.items() if each != found[MERIT]]
    if different:
        print(f"Not the answers of {MERIT}: {'; '.join(different)}.")
        return 1
    tiers = Counter(answer.tier for answer in found[MERIT])
    print(
        f"All contestants find the same tier and 20 outcomes for each of {len(facts):,} clients "
        f"(by tier {', '.join(f'{tiers[tier]:,}' for tier in sorted(tiers))}).\n"
        f"They are {cases(facts):,} cases, each of which Merit puts to durable_rules once; the row "
        f"of cases not met before has {len(new):,} clients, no two the same.\n"
    )
    times = measure(field, given)
    [merit], [by_hand] = ([each for each in field if each.name == name] for name in (NEW, BY_HAND))
    if answers(merit, given[NEW]) != answers(by_hand, by_hand.inputs(new)):
        print(f"Not the answers of {BY_HAND} in each of {len(new):,} cases.")
        return 1
    table(times)
    ratio = times[ZEN_SINGLE] / times[MERIT]
    print(
        f"\nMerit against ZenDecision.evaluate: {ratio:.1f} times as fast (aim: at least "
        f"{FASTER:g}); on cases not met before: {times[ZEN_SINGLE] / times[NEW]:.1f}. Against "
        "ZenEngine.evaluate over a static loader, zen-engine's faster way: "
        f"{times[ZEN_LOADED] / times[MERIT]:.2f} times as fast.\n"
    )
    grows = subprocess.run([sys.executable, "-m", "bench.memory"], check=False).returncode
    return int(ratio < FASTER or grows != 0)


def answers(contestant: Contestant, given: Iterable[Any]) -> list[Answer]:
    """Return what a contestant finds."""
    return list(contestant.read([contestant.call(each) for each in given]))


def measure(field: list[Contestant], given: dict[str, list[Any]]) -> dict[str, float]:
    """Return the median microseconds per evaluation, all contestants taking turns.

    Each round is on the next thousand clients, the same ones for all.
    """
    times: dict[str, list[float]] = {each.name: [] for each in field}
    for turn in range(ROUNDS):
        for each in field:
            inputs = given[each.name]
            calls = AT_ONCE // each.at_once
            first = turn * calls % len(inputs)
            times[each.name].append(timed(each, inputs[first : first + calls]) / AT_ONCE)
    return {name: 1e6 * median(found) for name, found in times.items()}


def timed(contestant: Contestant, inputs: list[Any]) -> float:
    """Return how many seconds the calls take, their results not kept."""
    call = contestant.call
    start = perf_counter()
    for each in inputs:
        call(each)
    return perf_counter() - start


def table(times: dict[str, float]) -> None:
    """Print the times."""
    print("| | µs per evaluation | Time against Merit's |\n| --- | ---: | ---: |")
    for name, microseconds in times.items():
        print(f"| {name} | {microseconds:.2f} | {microseconds / times[MERIT]:.2f} |")


if __name__ == "__main__":
    sys.exit(main())
