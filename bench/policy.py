"""The policy and the clients of all benchmarks: four tiers of five conditions each."""

from __future__ import annotations

import os
import platform
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from rules.criteria import Condition, walk
from rules.document import load
from rules.facts import write_value
from rules.policy import Facts, Policy
from rules.verdict import Verdict
from rules.vocabulary import Value

CLIENTS = 20_000


class Asked(NamedTuple):
    """What the four tiers ask of a metric, between the worst and the best a client may have.

    In the metric's smallest steps; a date as the number of its day.
    """

    metric: str
    operator: str
    worst: int
    limits: tuple[int, int, int, int]
    best: int


def _days(*isos: str) -> tuple[int, ...]:
    return tuple(date.fromisoformat(iso).toordinal() for iso in isos)


_S, _A, _B, _C, _D, _E = _days(
    "2026-06-30", "2025-07-01", "2024-01-01", "2021-01-01", "2016-01-01", "2005-01-01"
)
ASKED = (
    Asked("revenue", "at_least", 0, (100_000, 500_000, 2_000_000, 8_000_000), 20_000_000),
    Asked("orders", "more_than", 0, (2, 5, 11, 23), 60),
    Asked("returned", "at_most", 1000, (300, 200, 125, 50), 0),
    Asked("quiet_days", "less_than", 700, (240, 180, 90, 45), 0),
    Asked("client_since", "before", _S, (_A, _B, _C, _D), _E),
)
TIERS = ("silver", "gold", "platinum", "diamond")

_YEAR = {"kind": "rolling", "n": 12, "unit": "months"}
_SALES = {"kind": "activities", "kinds": ["sale"]}
_METRICS: list[dict[str, Any]] = [
    {
        "key": "revenue",
        "name": {"en": "Revenue in the last 12 months"},
        "type": "money",
        "source": {**_SALES, "aggregate": "sum", "of": "amount", "window": _YEAR},
    },
    {
        "key": "orders",
        "name": {"en": "Number of orders"},
        "type": "count",
        "source": {**_SALES, "aggregate": "count", "window": _YEAR},
    },
    {
        "key": "returned",
        "name": {"en": "Share of goods returned"},
        "type": "decimal",
        "places": 1,
        "unit": "percent",
        "source": {"kind": "attribute", "attribute": "returned"},
    },
    {
        "key": "quiet_days",
        "name": {"en": "Days since the last order"},
        "type": "days",
        "source": {**_SALES, "aggregate": "days_since_last", "window": {"kind": "lifetime"}},
    },
    {
        "key": "client_since",
        "name": {"en": "Client since"},
        "type": "date",
        "source": {"kind": "attribute", "attribute": "client_since"},
    },
]


def document() -> dict[str, Any]:
    """Return the policy's document."""
    return {
        "format": 1,
        "key": "bench",
        "name": {"en": "Four tiers of five conditions"},
        "languages": ["en"],
        "currency": "EUR",
        "time_zone": "Europe/Kyiv",
        "metrics": _METRICS,
        "tiers": [
            {"key": "standard", "name": {"en": "Standard"}},
            *(
                {
                    "key": tier,
                    "name": {"en": tier.capitalize()},
                    "entry": {
                        "all": [
                            {
                                "metric": asked.metric,
                                "operator": asked.operator,
                                "value": _written(asked.metric, asked.limits[place]),
                            }
                            for asked in ASKED
                        ]
                    },
                }
                for place, tier in enumerate(TIERS)
            ),
        ],
    }


def policy() -> Policy:
    """Return the policy."""
    return load(document())


def clients(number: int = CLIENTS) -> list[dict[str, Value]]:
    """Return the facts of so many clients, the same ones each time, some in every tier."""
    random = Random(1)
    return [_client(random, random.randrange(5)) for _ in range(number)]


def _client(random: Random, tier: int) -> dict[str, Value]:
    """Return a client whose figures are mostly a tier's, some beside it, some at its limits."""
    found: dict[str, Value] = {}
    for asked in ASKED:
        place = min(max(tier + random.choice((0, 0, 0, 0, 0, 0, 1, 1, -1)), 0), 4)
        steps = (asked.worst, *asked.limits, asked.best)
        low, high = sorted(steps[place : place + 2])
        number = random.randint(low, high) if random.random() < 0.95 else random.choice((low, high))
        found[asked.metric] = _typed(asked.metric, number)
    return found


def strangers() -> list[dict[str, Value]]:
    """Return a client for every case there is, at random: every figure at or between limits.

    Merit's engine decides each case once; so that every one of these is new to it.
    """
    random = Random(2)
    cases = list(product(range(9), repeat=len(ASKED)))
    random.shuffle(cases)
    return [
        {asked.metric: _at(random, asked, place) for asked, place in zip(ASKED, case, strict=True)}
        for case in cases
    ]


def cases(clients: Iterable[Facts]) -> int:
    """Return how many cases clients are: one for all whose figures lie between the same limits."""
    limits = [sorted(asked.limits) for asked in ASKED]
    return len(
        {
            tuple(
                bisect_left(each, number) + bisect_right(each, number)
                for each, number in zip(limits, numbers(client).values(), strict=True)
            )
            for client in clients
        }
    )


def _at(random: Random, asked: Asked, place: int) -> Value:
    """Return a figure at the second, fourth … step, or between the two beside it."""
    steps = (asked.worst, *asked.limits, asked.best)
    low, high = sorted((steps[(place + 1) // 2], steps[place // 2 + 1]))
    if low != high:
        low, high = low + 1, high - 1
    return _typed(asked.metric, random.randint(low, high))


def stated(policy: Policy, facts: Facts) -> dict[str, object]:
    """Return a client's facts as a request states them."""
    return {key: write_value(policy.metrics[key], value) for key, value in facts.items()}


def numbers(facts: Facts) -> dict[str, int]:
    """Return a client's facts as whole numbers, for engines that are fastest with these."""
    return {
        key: value.toordinal() if isinstance(value, date) else int(value)
        for key, value in facts.items()
    }


class Answer(NamedTuple):
    """What every contestant has to find: 20 outcomes, and the tier from 0 for the lowest."""

    outcomes: tuple[bool, ...]
    tier: int


def answers(policy: Policy, verdicts: Iterable[Verdict]) -> Iterator[Answer]:
    """Yield Merit's verdicts in the common form."""
    nodes = [node for root in policy.roots for node in walk(root.criteria)]
    places = [place for place, node in enumerate(nodes) if isinstance(node, Condition)]
    for verdict in verdicts:
        yield Answer(tuple(bool(verdict.outcomes[place]) for place in places), verdict.tier)


def machine(*packages: str) -> str:
    """Return a line on what the figures were measured with."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return (
        f"{os.cpu_count()} cores of {model}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {versions}"
    )


def _typed(metric: str, number: int) -> Value:
    return date.fromordinal(number) if metric == "client_since" else number


def _written(metric: str, number: int) -> object:
    if metric == "client_since":
        return date.fromordinal(number).isoformat()
    return number if metric != "returned" else Decimal(number) / 10
