"""The plain evaluator: criteria read straight off the tree, by three-valued (Kleene) logic.

Written without a look at :mod:`rules.engine`, and kept so: it exists to catch the engine out.
"""

from __future__ import annotations

import operator as python
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rules.criteria import AllOf, AnyOf, AtLeast, Condition, Criteria, Group, NoneOf, QualifiesFor
from rules.policy import Facts, Policy, Root
from rules.verdict import Outcome, Verdict
from rules.vocabulary import KNOWNESS, Missing, Operator

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
    Operator.IS_KNOWN: lambda *_: True,
    Operator.IS_NOT_KNOWN: lambda *_: False,
}
"""How a value that is there compares with a limit."""


@dataclass(slots=True)
class _Reading:
    """One pass over criteria.

    A *hopeful* reading takes whatever cannot be decided without as the client would wish it:
    met where that helps, not met under a *none of*.  ``tiers`` has the outcomes of the tiers'
    entry criteria as far as they are read, by tier and by whether its holding helps.
    """

    facts: Facts
    hopeful: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    tiers: dict[tuple[str, bool], Outcome] = field(default_factory=dict)


_Read = Callable[[_Reading], Outcome]


class Reference:
    """A policy, ready to be read for any client."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._roots = [(root, self._reader(root.criteria, True)) for root in policy.roots]
        self._readers = {root.place: read for root, read in self._roots}
        self._entries = {
            (root.owner, wanted): self._reader(root.criteria, wanted)
            for root in policy.roots
            if root.part == "entry"
            for wanted in (True, False)
        }
        self._needed = [
            key for key, metric in policy.metrics.items() if metric.missing is Missing.CANNOT_DECIDE
        ]

    def judge(self, facts: Facts) -> Verdict:
        """Return the verdict on a client with these facts."""
        reading = _Reading(facts)
        for root, read in self._roots:
            outcome = read(reading)
            if root.part == "entry":
                reading.tiers[root.owner, True] = outcome
        tier = max(self._holding(reading), default=0)
        higher: tuple[int, ...] = ()
        if any(facts.get(key) is None for key in self._needed):
            hoped = self._holding(_Reading(facts, hopeful=True))
            higher = tuple(place for place in hoped if place > tier)
        return Verdict(tuple(reading.outcomes), tier, higher)

    def outcome(self, root: Root, facts: Facts) -> Outcome:
        """Return the outcome of one root of the policy's criteria."""
        return self._readers[root.place](_Reading(facts))

    def _holding(self, reading: _Reading) -> list[int]:
        """Return the places of the tiers whose entry criteria hold."""
        return [
            place
            for place, tier in enumerate(self._policy.tiers)
            if tier.entry is not None and self._entry(reading, tier.key, True)
        ]

    def _entry(self, reading: _Reading, tier: str, wanted: bool) -> Outcome:
        asked = tier, wanted or not reading.hopeful
        if asked not in reading.tiers:
            aside = _Reading(reading.facts, reading.hopeful, tiers=reading.tiers)
            reading.tiers[asked] = self._entries[asked](aside)
        return reading.tiers[asked]

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
            if node.operator in KNOWNESS:
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
        def read(reading: _Reading) -> Outcome:
            outcome = self._entry(reading, tier, wanted)
            reading.outcomes.append(outcome)
            return outcome

        return read

    def _group(self, node: Group, wanted: bool) -> _Read:
        helps = wanted is not isinstance(node, NoneOf)
        readers = [self._reader(part, helps) for part in node.parts]
        combine = _combining(node)

        def read(reading: _Reading) -> Outcome:
            place = len(reading.outcomes)
            reading.outcomes.append(None)
            outcome = combine([read(reading) for read in readers])
            reading.outcomes[place] = outcome
            return outcome

        return read


def _combining(node: Group) -> Callable[[list[Outcome]], Outcome]:
    match node:
        case AllOf():
            return _all
        case AnyOf():
            return _any
        case NoneOf():
            return _none
        case AtLeast(k=k):
            return partial(_at_least, k)


def _all(parts: list[Outcome]) -> Outcome:
    return False if False in parts else None if None in parts else True


def _any(parts: list[Outcome]) -> Outcome:
    return True if True in parts else None if None in parts else False


def _none(parts: list[Outcome]) -> Outcome:
    return False if True in parts else None if None in parts else True


def _at_least(k: int, parts: list[Outcome]) -> Outcome:
    met, unknown = parts.count(True), parts.count(None)
    return True if met >= k else None if met + unknown >= k else False
