"""Random policies and random clients, from a seed: what tests and the fuzz judge.

Policies are documents as people write them and go through :func:`rules.document.load`.  Clients'
facts lie where evaluators part ways: at the limits, one step beside them, between two steps, at
the ends of what is possible, and missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

from rules.criteria import Condition, walk
from rules.document.criteria import DEEPEST, WIDEST
from rules.policy import Facts, Metric, Policy
from rules.vocabulary import (
    EARLIEST_DAY,
    KNOWNESS,
    LARGEST,
    LATEST_DAY,
    OPERATORS,
    MetricType,
    Missing,
    Operator,
    Value,
    settle,
)
from tests.rules.builders import Document


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a random policy is at most."""

    metrics: int
    tiers: int
    width: int
    depth: int
    nodes: int


SHAPES = (
    Shape(metrics=3, tiers=3, width=4, depth=2, nodes=40),
    Shape(metrics=8, tiers=5, width=5, depth=4, nodes=120),
    Shape(metrics=6, tiers=4, width=3, depth=DEEPEST, nodes=150),
    Shape(metrics=40, tiers=3, width=WIDEST, depth=2, nodes=250),
    Shape(metrics=2, tiers=3, width=WIDEST, depth=3, nodes=250),
    Shape(metrics=10, tiers=30, width=3, depth=3, nodes=200),
)


def random_document(random: Random, shape: Shape | None = None) -> Document:
    """Return a valid policy document."""
    return _Writer(random, shape or random.choice(SHAPES)).document()


def clients(random: Random, policy: Policy) -> Iterator[Facts]:
    """Yield the facts of one client after the other, without end."""
    limits = {key: sorted(_limits(policy, key)) for key in policy.metrics}
    while True:
        missing = random.choice((0.0, 0.1, 0.3, 1.0)) if random.random() < 0.5 else 0.0
        yield {
            metric.key: _value(random, metric, limits[metric.key])
            for metric in policy.metrics.values()
            if random.random() >= missing
        }


# -- policies --------------------------------------------------------------------------------

_NUMBERS = (0, 1, 2, 3, 5, 10, 100, 999, 25_000, -1, -7, LARGEST, LARGEST - 1, -LARGEST)
_DAYS = (
    EARLIEST_DAY,
    EARLIEST_DAY + timedelta(days=1),
    date(1970, 1, 1),
    date(2024, 2, 29),
    date(2026, 6, 30),
    LATEST_DAY,
)
_WINDOWS: tuple[Document, ...] = (
    {"kind": "lifetime"},
    {"kind": "rolling", "n": 12, "unit": "months"},
    {"kind": "this", "unit": "quarter"},
    {"kind": "this", "unit": "year", "starts": "04-06"},
    {"kind": "between", "from": "2026-01-01", "to": "2026-12-31"},
)
_AGGREGATES: dict[MetricType, Document] = {
    MetricType.MONEY: {"aggregate": "sum", "of": "amount"},
    MetricType.COUNT: {"aggregate": "count"},
    MetricType.DECIMAL: {"aggregate": "average", "of": "quantity"},
    MetricType.DAYS: {"aggregate": "days_since_last"},
    MetricType.DATE: {"aggregate": "last_date"},
}


@dataclass(slots=True)
class _Writer:
    random: Random
    shape: Shape
    metrics: list[Document] = field(default_factory=list)
    nodes: int = 0
    written: list[Document] = field(default_factory=list)
    """The conditions so far; some are written again, so that criteria share them."""

    def document(self) -> Document:
        random = self.random
        self.metrics = [
            self._metric(number) for number in range(random.randint(1, self.shape.metrics))
        ]
        keys = [f"t{number}" for number in range(random.randint(1, self.shape.tiers))]
        tiers = [self._tier(keys, place) for place in range(len(keys))]
        return {
            "format": 1,
            "key": "random",
            "name": {"en": "A random policy"},
            "languages": ["en"],
            "currency": "EUR",
            "time_zone": "Europe/Kyiv",
            "metrics": self.metrics,
            "tiers": tiers,
            "segments": [
                {**_named(f"s{number}"), "criteria": self._criteria(keys[1:])}
                for number in range(random.randint(0, 2))
            ],
            "demotion_policies": [
                {
                    **_named(f"d{number}"),
                    "unless": self._criteria(keys[1:]),
                    "steps": [{"kind": "demote", "days": 30, "to": "entitled"}],
                }
                for number in range(random.randint(0, 1))
            ],
        }

    def _metric(self, number: int) -> Document:
        random = self.random
        kind = random.choice(list(MetricType))
        metric: Document = {
            **_named(f"m{number}"),
            "type": kind.value,
            "source": {"kind": "attribute", "attribute": f"a{number}"},
            "missing": random.choice(
                [
                    each.value
                    for each in Missing
                    if each is not Missing.ZERO or kind not in (MetricType.DATE, MetricType.CHOICE)
                ]
            ),
        }
        if kind is MetricType.DECIMAL:
            metric["places"] = random.randint(0, 6)
        if kind is MetricType.CHOICE:
            metric["options"] = [_named(f"o{each}") for each in range(random.randint(1, 6))]
        if kind in _AGGREGATES and random.random() < 0.5:
            window = random.choice(_WINDOWS)
            metric["source"] = {
                "kind": "activities",
                "kinds": ["sale"],
                "window": window,
                **_AGGREGATES[kind],
            }
        return metric

    def _tier(self, keys: list[str], place: int) -> Document:
        tier: Document = _named(keys[place])
        if place > 0:
            tier["entry"] = self._criteria(keys[1:place])
            if self.random.random() < 0.5:
                tier["keep"] = self._criteria(keys[1:place])
        return tier

    def _criteria(self, reach: list[str], depth: int = 1) -> Document:
        random = self.random
        self.nodes += 1
        if reach and random.random() < 0.08:
            return {"qualifies_for": random.choice(reach)}
        spent = depth > self.shape.depth or self.nodes > self.shape.nodes
        if spent or random.random() < 0.8 * depth / (self.shape.depth + 1):
            return self._condition()
        several = random.randint(1, self.shape.width)
        parts = [self._criteria(reach, depth + 1) for _ in range(several)]
        word = random.choice(("all", "any", "none", "at_least"))
        if word == "at_least":
            return {"at_least": random.randint(1, several), "of": parts}
        return {word: parts}

    def _condition(self) -> Document:
        random = self.random
        if self.written and random.random() < 0.15:
            return random.choice(self.written)
        metric = random.choice(self.metrics)
        operator = random.choice(OPERATORS[MetricType(metric["type"])])
        condition: Document = {"metric": metric["key"], "operator": operator.value}
        if operator not in KNOWNESS:
            condition["value"] = self._limit(metric, operator)
        self.written.append(condition)
        return condition

    def _limit(self, metric: Document, operator: Operator) -> object:
        random, kind = self.random, MetricType(metric["type"])
        if kind is MetricType.BOOLEAN:
            return random.random() < 0.5
        if kind is MetricType.CHOICE:
            options = [each["key"] for each in metric["options"]]
            if operator in (Operator.ONE_OF, Operator.NONE_OF):
                return random.sample(options, random.randint(1, len(options)))
            return random.choice(options)
        if kind is MetricType.DATE:
            days = sorted(self._day() for _ in range(2))
            return days if operator is Operator.BETWEEN else days[0]
        steps = sorted(self._number() for _ in range(2))
        numbers = [_in_units(each, metric.get("places", 0)) for each in steps]
        return numbers if operator is Operator.BETWEEN else numbers[0]

    def _number(self) -> int:
        random = self.random
        return random.choice(_NUMBERS) if random.random() < 0.5 else random.randint(-50, 10**4)

    def _day(self) -> str:
        random = self.random
        if random.random() < 0.5:
            return random.choice(_DAYS).isoformat()
        return (date(2026, 1, 1) + timedelta(days=random.randint(-900, 900))).isoformat()


def _named(key: str) -> Document:
    return {"key": key, "name": {"en": f"Name of {key}"}}


def _in_units(steps: int, places: int) -> int | Decimal:
    """Write a number of smallest steps as the document does: whole, or with its digits."""
    number = Decimal(steps).scaleb(-places)
    return int(number) if number == int(number) else number.normalize()


# -- clients ---------------------------------------------------------------------------------


def _limits(policy: Policy, key: str) -> set[int]:
    """Return the limits a metric is compared with, dates as day numbers."""
    return {
        each.toordinal() if isinstance(each, date) else each
        for root in policy.roots
        for node in walk(root.criteria)
        if isinstance(node, Condition) and node.metric == key
        for each in (node.limit if isinstance(node.limit, tuple) else (node.limit,))
        if isinstance(each, int | date)
    }


def _value(random: Random, metric: Metric, limits: list[int]) -> Value:
    if metric.type is MetricType.BOOLEAN:
        return random.random() < 0.5
    if metric.type is MetricType.CHOICE:
        return random.choice(list(metric.options))
    if metric.type is MetricType.DATE:
        day = random.choice(limits or [_DAYS[4].toordinal()]) + random.choice((0, 0, 1, -1, 400))
        return min(max(date.fromordinal(day), EARLIEST_DAY), LATEST_DAY)
    number = random.choice(limits) if limits else random.randint(-9, 9)
    match random.randrange(8):
        case 0 | 1:
            pass
        case 2:
            number += 1
        case 3:
            number -= 1
        case 4 | 5:
            beside = Fraction(1, random.choice((2, 3, 7, 10**9 + 7)))
            fraction = number + random.choice((beside, -beside))
            return fraction if abs(fraction) < LARGEST else settle(Fraction(number))
        case 6:
            return random.choice((LARGEST, -LARGEST, LARGEST - 1, 0))
        case _:
            return settle(Fraction(random.randint(-(10**6), 10**6), random.randint(1, 400)))
    return min(max(number, -LARGEST), LARGEST)
