"""The nearest way to a tier: which values would have to change, to what, so that it holds.

A way is found by trying: its steps are put into the facts and the reference evaluator is asked.
It is stated only if the criteria then hold, and hold no longer when any step falls one unit
short.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import chain, combinations, islice, product
from math import ceil, floor

from rules.criteria import AllOf, AnyOf, AtLeast, Condition, Criteria, QualifiesFor
from rules.policy import Facts, Metric, Policy, Root
from rules.reference import COMPARE, Reference
from rules.vocabulary import (
    EARLIEST_DAY,
    KNOWNESS,
    LARGEST,
    LATEST_DAY,
    Limit,
    MetricType,
    Missing,
    Number,
    Operator,
    Value,
    settle,
)

_WAYS_KEPT = 24
"""How many ways through a group are followed further; the cheapest ones."""

_OPPOSITE = {
    Operator.AT_LEAST: Operator.LESS_THAN,
    Operator.LESS_THAN: Operator.AT_LEAST,
    Operator.MORE_THAN: Operator.AT_MOST,
    Operator.AT_MOST: Operator.MORE_THAN,
    Operator.EQUAL: Operator.NOT_EQUAL,
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.ONE_OF: Operator.NONE_OF,
    Operator.NONE_OF: Operator.ONE_OF,
    Operator.IS: Operator.IS_NOT,
    Operator.IS_NOT: Operator.IS,
    Operator.ON_OR_AFTER: Operator.BEFORE,
    Operator.BEFORE: Operator.ON_OR_AFTER,
    Operator.IS_KNOWN: Operator.IS_NOT_KNOWN,
    Operator.IS_NOT_KNOWN: Operator.IS_KNOWN,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One value that has to change: from ``value`` (None: not known) to ``target`` at least.

    ``target`` is None where it only has to be known.  ``shortfall`` is how many of the metric's
    smallest steps (days, for a date) lie between, positive for more, negative for less; None
    where there is nothing to count.
    """

    metric: str
    value: Value | None
    target: Value | None
    shortfall: int | None


def counted(metric: Metric, fact: Value | None) -> Value | None:
    """Return what a metric counts as: where it is missing, nought if the policy says so."""
    if fact is None and metric.missing is Missing.ZERO:
        return False if metric.type is MetricType.BOOLEAN else 0
    return fact


def shortfall(metric: Metric, condition: Condition, wanted: bool, fact: Value | None) -> int | None:
    """Return by how much a value misses a condition: more (positive) or less (negative).

    Made good exactly it changes whether the condition is met; one step less does not.  None
    where nothing is missed, no whole number of steps does it, or there is nothing to count.

    :param wanted: whether the condition should be met, or should not be.
    """
    found = [_steps(metric, (each,), fact) for each in _alternatives(condition, wanted)]
    if () in found:
        return None
    moves = [step.shortfall for steps in found for step in steps or ()]
    return min((each for each in moves if each is not None), key=_shortest, default=None)


def nearest_way(
    policy: Policy, reference: Reference, facts: Facts, root: Root
) -> tuple[Step, ...] | None:
    """Return the steps of the cheapest way to make a root of criteria hold; None if none is found.

    Few steps come before small ones, and steps from a known value before stating an unknown.
    """

    def holds(changed: Facts) -> bool:
        return reference.outcome(root, changed) is True

    if holds(facts):
        return ()
    for way in _Finder(policy, facts).ways(root.criteria):
        changed = {**facts, **{step.metric: reached(policy, step) for step in way}}
        if holds(changed) and not any(
            holds({**changed, step.metric: less}) for step in way for less in _one_less(step)
        ):
            return way
    return None


def reached(policy: Policy, step: Step) -> Value:
    """Return the value after a step: any at all where it only has to be known."""
    return step.target if step.target is not None else _anything(policy.metrics[step.metric])


def _anything(metric: Metric) -> Value:
    match metric.type:
        case MetricType.DATE:
            return EARLIEST_DAY
        case MetricType.CHOICE:
            return next(iter(metric.options))
        case MetricType.BOOLEAN:
            return False
        case _:
            return 0


def _one_less(step: Step) -> Iterator[Value]:
    """Yield what the value is where a step falls one unit short, if it is one of units."""
    if step.shortfall is not None:
        back = -1 if step.shortfall > 0 else 1
        if isinstance(step.target, date):
            yield step.target + timedelta(days=back)
        elif isinstance(step.target, int | Fraction):
            yield step.target + back


# -- through the tree ------------------------------------------------------------------------

_Need = tuple[Condition, ...]
"""Conditions that, all met, are enough for a node."""

_Cost = tuple[int, int, int, float]
"""How many conditions are impossible, steps from the unknown, steps, and how large they are."""

_FREE: _Cost = (0, 0, 0, 0.0)


class _Finder:
    """Ways through criteria for one client."""

    def __init__(self, policy: Policy, facts: Facts) -> None:
        self._policy, self._facts = policy, facts
        self._steps: dict[_Need, tuple[Step, ...] | None] = {}
        self._costs: dict[Condition, _Cost] = {}
        self._entries: dict[tuple[str, bool], list[_Need]] = {}

    def ways(self, root: Criteria) -> list[tuple[Step, ...]]:
        """Return ways to make criteria hold that do not, the cheapest first."""
        ways = [self._way(need) for need in self._needs(root, True)]
        return sorted((way for way in ways if way), key=_way_cost)

    def _way(self, need: _Need) -> tuple[Step, ...] | None:
        by_metric: dict[str, _Need] = {}
        for condition in need:
            by_metric[condition.metric] = (*by_metric.get(condition.metric, ()), condition)
        way: tuple[Step, ...] = ()
        for key, conditions in by_metric.items():
            if conditions not in self._steps:
                metric = self._policy.metrics[key]
                self._steps[conditions] = _steps(metric, conditions, self._facts.get(key))
            steps = self._steps[conditions]
            if steps is None:
                return None
            way += steps
        return way

    def _needs(self, node: Criteria, wanted: bool) -> list[_Need]:
        """Return what is enough for a node to hold (unwanted: to fail), the cheapest first."""
        if isinstance(node, Condition):
            needs: Iterable[_Need] = ((each,) for each in _alternatives(node, wanted))
            return sorted(needs, key=self._cost)
        if isinstance(node, QualifiesFor):
            return self._prerequisite(node.tier, wanted)
        size = len(node.parts)
        match node:
            case AllOf():
                needed = size if wanted else 1
            case AnyOf():
                needed = 1 if wanted else size
            case AtLeast(k=k):
                needed = k if wanted else size - k + 1
            case _:
                needed, wanted = (size, False) if wanted else (1, True)
        parts = [self._needs(part, wanted) for part in node.parts]
        parts.sort(key=lambda needs: self._cost(needs[0]))
        joined = dict.fromkeys(
            tuple(dict.fromkeys(chain.from_iterable(needs)))
            for chosen in islice(combinations(parts, needed), _WAYS_KEPT)
            for needs in islice(product(*chosen), _WAYS_KEPT)
        )
        return sorted(joined, key=self._cost)[:_WAYS_KEPT]

    def _prerequisite(self, tier: str, wanted: bool) -> list[_Need]:
        if (tier, wanted) not in self._entries:
            entry = self._policy.tier(tier).entry
            self._entries[tier, wanted] = [()] if entry is None else self._needs(entry, wanted)
        return self._entries[tier, wanted]

    def _cost(self, need: _Need) -> _Cost:
        costs = [_FREE, *(self._condition_cost(condition) for condition in need)]
        impossible, unknown, steps, size = map(sum, zip(*costs, strict=True))
        return impossible, unknown, steps, size

    def _condition_cost(self, condition: Condition) -> _Cost:
        if condition not in self._costs:
            way = self._way((condition,))
            self._costs[condition] = (1, 0, 0, 0.0) if way is None else (0, *_way_cost(way))
        return self._costs[condition]


def _way_cost(way: Iterable[Step]) -> tuple[int, int, float]:
    unknown = sum(step.shortfall is None for step in way)
    return unknown, sum(1 for _ in way), sum(map(_size, way))


def _size(step: Step) -> float:
    """Return how large a step is: in years for a date, else as a part of the larger value."""
    if step.shortfall is None:
        return 0.0
    ends = (step.value, step.target)
    whole = max(
        (abs(float(each)) for each in ends if isinstance(each, int | Fraction)), default=365
    )
    return abs(step.shortfall) / max(whole, 1.0)


# -- one metric ------------------------------------------------------------------------------


def _alternatives(condition: Condition, wanted: bool) -> Iterator[Condition]:
    """Yield conditions each of which will do: the one there is, or what makes it fail."""
    metric, limit = condition.metric, condition.limit
    if wanted:
        yield condition
    elif condition.operator is not Operator.BETWEEN:
        yield Condition(metric, _OPPOSITE[condition.operator], limit)
    elif isinstance(limit, tuple) and isinstance(limit[1], date):
        yield Condition(metric, Operator.BEFORE, limit[0])
        yield Condition(metric, Operator.ON_OR_AFTER, limit[1] + timedelta(days=1))
    elif isinstance(limit, tuple):
        yield Condition(metric, Operator.LESS_THAN, limit[0])
        yield Condition(metric, Operator.MORE_THAN, limit[1])


def _steps(metric: Metric, conditions: _Need, fact: Value | None) -> tuple[Step, ...] | None:
    """Return the shortest step after which all conditions on one metric hold.

    Empty if they hold already; None if there is no such step.
    """

    def fits(value: Value | None) -> bool:
        return all(_holds(metric, each, value) for each in conditions)

    if fits(fact):
        return ()
    operators = {each.operator for each in conditions}
    if Operator.IS_NOT_KNOWN in operators:
        return None
    if operators == {Operator.IS_KNOWN}:
        return (Step(metric.key, None, None, None),)
    value = fact if Operator.IS_KNOWN in operators else counted(metric, fact)
    limits = [number for each in conditions for number in _numbers(each.limit)]
    for move, target in _tries(metric, value, limits):
        if target is not None and fits(target):
            return (Step(metric.key, value, target, move),)
    return None


def _tries(
    metric: Metric, value: Value | None, limits: list[Number]
) -> Iterator[tuple[int | None, Value | None]]:
    """Yield values worth trying, the nearest first, each with how far it lies if that counts."""
    if metric.type in (MetricType.BOOLEAN, MetricType.CHOICE):
        yield from ((None, option) for option in metric.options or (False, True))
        return
    for start in _numbers(value):
        moves = {move for limit in limits for move in _moves(limit - start)}
        for move in sorted(moves, key=_shortest):
            yield move, _at(metric, start + move)
    for limit in limits:
        yield from ((None, _at(metric, limit + by)) for by in (0, 1, -1))


def _holds(metric: Metric, condition: Condition, fact: Value | None) -> bool:
    if condition.operator in KNOWNESS:
        return (fact is not None) is (condition.operator is Operator.IS_KNOWN)
    value = counted(metric, fact)
    return value is not None and COMPARE[condition.operator](value, condition.limit)


def _moves(distance: Number) -> tuple[int, ...]:
    """Return the whole moves that just reach a limit or just pass it, from either side."""
    return ceil(distance) - 1, floor(distance), ceil(distance), floor(distance) + 1


def _shortest(move: int) -> tuple[int, int]:
    return abs(move), -move


def _numbers(limit: Value | Limit | None) -> list[Number]:
    """Return the numbers in a limit; days for dates, none for options and yes or no."""
    found = limit if isinstance(limit, tuple) else (limit,)
    return [
        each.toordinal() if isinstance(each, date) else each
        for each in found
        if isinstance(each, int | Fraction | date)
    ]


def _at(metric: Metric, place: Number) -> Value | None:
    """Return the value of a metric at a number (of days, for a date); None if none can be."""
    if metric.type is not MetricType.DATE:
        return settle(place) if -LARGEST <= place <= LARGEST else None
    if EARLIEST_DAY.toordinal() <= place <= LATEST_DAY.toordinal():
        return date.fromordinal(int(place))
    return None
