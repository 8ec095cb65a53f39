"""Standings decided over thousands of random lives: ``python -m tests.fuzz_standing``.

Prints its seed first; the same seed lives the same lives again.  What breaks a law is shown as
small as Hypothesis finds it, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from random import SystemRandom
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.rules import standings
from tests.rules.standings import Lived

HISTORIES = 10_000


def all_laws(lived: Lived) -> None:
    for law in standings.LAWS:
        law(lived)


PROPERTIES: tuple[tuple[str, SearchStrategy[Any], Callable[[Any], None]], ...] = (
    ("every life keeps the laws", standings.lives(), all_laws),
    (
        "who is better never comes out lower",
        standings.better_lives(),
        standings.the_better_never_comes_out_lower,
    ),
    (
        "a new version keeps what it says it keeps",
        standings.changed_lives(),
        standings.a_changed_life_keeps_the_laws,
    ),
    (
        "a date looked at once more gives nothing where nothing came late",
        standings.settling_lives(),
        standings.a_settled_life_keeps_the_laws,
    ),
    (
        "daily runs and a catch-up give the same",
        standings.unhurried(),
        standings.caught_up_it_is_the_same,
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=HISTORIES)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9))
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}, {chosen.histories} histories for each property", flush=True)
    for name, strategy, law in PROPERTIES:
        began = time.perf_counter()
        live = given(strategy)(law)
        several = settings(
            max_examples=chosen.histories,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        seed(chosen.seed)(several(live))()
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
