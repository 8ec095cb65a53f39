"""The plain evaluator: criteria read straight off the tree, by three-valued (Kleene) logic.

Written without a look at :mod:`rules.engine`, and kept so: it exists to catch the engine out.
"""

from __future__ import annotations

import operator as python
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rules.criteria import AllOf, AnyOf, AtLeast, Condition, Criteria, Group, NoneOf, QualifiesFor
from rules.policy import Facts, Policy
from rules.verdict import Outcome, Verdict
from rules.vocabulary import Missing, Operator

COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.AT_LEAST: python.ge,
    Operator.MORE_THAN: python.gt,
    Operator.AT_MOST: python.le,
    Operator.LESS_THAN: python.lt,
    Operator.EQUAL: python.eq,
    Operator.NOT_EQUAL: python.ne,
    Operator.BETWEEN: lambda value, limits: limits[0] <= value <= limits[1],
    Operator.ONE_OF: lambda value, options: value in options,
    Operator.NONE_OF: lambda value, options: value not in options,
    Operator.IS: python.eq,
    Operator.IS_NOT: python.ne,
    Operator.ON_OR_AFTER: python.ge,
    Operator.BEFORE: python.lt,
    Operator.IS_KNOWN: lambda value, limit: True,
    Operator.IS_NOT_KNOWN: lambda value, limit: False,
}
"""How a value that is there compares with a limit."""


@dataclass(slots=True)
class _Reading:
    """One pass over all criteria.

    A *hopeful* reading takes whatever cannot be decided without as the client would wish it:
    met where that helps, not met under a *none of*.
    """

    facts: Facts
    hopeful: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    tiers: dict[str, Outcome] = field(default_factory=dict)


_Read = Callable[[_Reading], Outcome]


class Reference:
    """A policy, ready to be read for any client."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._places = {tier.key: place for place, tier in enumerate(policy.tiers)}
        self._roots = [
            (root.owner if root.part == "entry" else None, self._reader(root.criteria, True))
            for root in policy.roots
        ]
        self._needed = [
            key for key, metric in policy.metrics.items() if metric.missing is Missing.CANNOT_DECIDE
        ]

    def judge(self, facts: Facts) -> Verdict:
        """Return the verdict on a client with these facts."""
        plain = self._read(_Reading(facts))
        tier = max((self._places[key] for key, met in plain.tiers.items() if met), default=0)
        higher: tuple[int, ...] = ()
        if any(facts.get(key) is None for key in self._needed):
            hoped = self._read(_Reading(facts, hopeful=True)).tiers.items()
            higher = tuple(self._places[key] for key, met in hoped if met)
        return Verdict(tuple(plain.outcomes), tier, tuple(each for each in higher if each > tier))

    def _read(self, reading: _Reading) -> _Reading:
        for tier, read in self._roots:
            outcome = read(reading)
            if tier is not None:
                reading.tiers[tier] = outcome
        return reading

    def _reader(self, node: Criteria, wanted: bool) -> _Read:
        """Return the function that reads one node; ``wanted`` tells whether its truth helps."""
        if isinstance(node, Condition):
            return self._condition(node, wanted)
        if isinstance(node, QualifiesFor):
            return self._prerequisite(node.tier, wanted)
        return self._group(node, wanted)

    def _condition(self, node: Condition, wanted: bool) -> _Read:
        metric, limit, compare = node.metric, node.limit, COMPARE[node.operator]
        missing = self._policy.metrics[metric].missing

        def absent(hopeful: bool) -> Outcome:
            if node.operator in (Operator.IS_KNOWN, Operator.IS_NOT_KNOWN):
                return node.operator is Operator.IS_NOT_KNOWN
            if missing is Missing.ZERO:
                return compare(0, limit)
            return wanted if hopeful and missing is Missing.CANNOT_DECIDE else None

        def read(reading: _Reading) -> Outcome:
            value = reading.facts.get(metric)
            outcome = absent(reading.hopeful) if value is None else compare(value, limit)
            reading.outcomes.append(outcome)
            return outcome

        return read

    def _prerequisite(self, tier: str, wanted: bool) -> _Read:
        entry = self._policy.tier(tier).entry
        again = None if wanted or entry is None else self._reader(entry, wanted)

        def read(reading: _Reading) -> Outcome:
            outcome = reading.tiers[tier]
            if reading.hopeful and again is not None:
                outcome = again(_Reading(reading.facts, True, [], reading.tiers))
            reading.outcomes.append(outcome)
            return outcome

        return read

    def _group(self, node: Group, wanted: bool) -> _Read:
        helps = wanted if isinstance(node, AllOf | AnyOf | AtLeast) else not wanted
        readers = [self._reader(part, helps) for part in node.parts]
        combine = _COMBINE[type(node)]

        def read(reading: _Reading) -> Outcome:
            place = len(reading.outcomes)
            reading.outcomes.append(None)
            outcome = combine([read(reading) for read in readers], node)
            reading.outcomes[place] = outcome
            return outcome

        return read


def _all(parts: list[Outcome], node: Any) -> Outcome:
    return False if False in parts else None if None in parts else True


def _any(parts: list[Outcome], node: Any) -> Outcome:
    return True if True in parts else None if None in parts else False


def _none(parts: list[Outcome], node: Any) -> Outcome:
    return False if True in parts else None if None in parts else True


def _at_least(parts: list[Outcome], node: Any) -> Outcome:
    met, unknown = parts.count(True), parts.count(None)
    return True if met >= node.k else None if met + unknown >= node.k else False


_COMBINE: dict[type, Callable[[list[Outcome], Any], Outcome]] = {
    AllOf: _all,
    AnyOf: _any,
    AtLeast: _at_least,
    NoneOf: _none,
}
