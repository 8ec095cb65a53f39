"""The nearest way to a tier: which values would have to change, to what, so that it holds.

A way is found by trying: its steps are put into the facts and the reference evaluator is asked.
It is stated only if the criteria then hold, and hold no longer when any step falls one unit
short.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import combinations, islice, product
from math import ceil, floor

from rules.criteria import AllOf, AnyOf, AtLeast, Condition, Criteria, QualifiesFor
from rules.policy import Facts, Metric, Policy, Root
from rules.reference import COMPARE, Reference
from rules.vocabulary import (
    EARLIEST_DAY,
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

    ``shortfall`` is how many of the metric's smallest steps (days, for a date) lie between,
    positive for more, negative for less; None where there is nothing to count.
    """

    metric: str
    value: Value | None
    target: Value
    shortfall: int | None


def shortfall(metric: Metric, condition: Condition, wanted: bool, value: Value) -> int | None:
    """Return by how much a value misses a condition: more (positive) or less (negative).

    Made good exactly it changes whether the condition is met; one step less does not.  None
    where no whole number of steps does, or the metric is not a number or a date.

    :param wanted: whether the condition should be met, or should not be.
    """
    step = _step(metric, list(_conditions(condition, wanted)), value)
    return None if step is None else step.shortfall


def nearest_way(
    policy: Policy, reference: Reference, facts: Facts, root: Root
) -> tuple[Step, ...] | None:
    """Return the steps of the cheapest way to make a root of criteria hold; None if none is found.

    Few steps come before small ones, and steps from a known value before stating an unknown.
    """
    outcomes = reference.judge(facts).outcomes
    if outcomes[root.place]:
        return ()

    def holds(changed: Facts) -> bool:
        return reference.judge(changed).outcomes[root.place] is True

    for way in _Finder(policy, facts).ways(root.criteria, wanted=True):
        changed = {**facts, **{step.metric: step.target for step in way}}
        if holds(changed) and not any(
            holds({**changed, step.metric: _one_less(step)})
            for step in way
            if step.shortfall is not None
        ):
            return way
    return None


def _one_less(step: Step) -> Value:
    back = -1 if (step.shortfall or 0) > 0 else 1
    if isinstance(step.target, date):
        return step.target + timedelta(days=back)
    if isinstance(step.target, str):
        raise TypeError("an option has no shortfall")
    return step.target + back


class _Finder:
    """Ways through criteria for one client; outcomes of parts are read off plain comparisons."""

    def __init__(self, policy: Policy, facts: Facts) -> None:
        self._policy, self._facts = policy, facts

    def ways(self, node: Criteria, *, wanted: bool) -> list[tuple[Step, ...]]:
        """Return the ways to make a node hold (or, unwanted, fail), the cheapest first."""
        ways = []
        for conditions in self._needs(node, wanted):
            by_metric: dict[str, list[Condition]] = {}
            for condition in conditions:
                by_metric.setdefault(condition.metric, []).append(condition)
            steps = [self._step(key, needed) for key, needed in by_metric.items()]
            if None not in steps:
                ways.append(tuple(step for step in steps if step and step.shortfall != 0))
        return sorted((way for way in ways if way), key=self._cost)

    def _needs(self, node: Criteria, wanted: bool) -> list[tuple[Condition, ...]]:
        """Return sets of conditions, each of which is enough for the node."""
        if isinstance(node, Condition):
            return [(each,) for each in _conditions(node, wanted)]
        if isinstance(node, QualifiesFor):
            entry = self._policy.tier(node.tier).entry
            return [()] if entry is None else self._needs(entry, wanted)
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
        chosen = combinations(sorted(parts, key=self._cheapest), needed)
        joined = (
            tuple(dict.fromkeys(condition for need in needs for condition in need))
            for parts_ in islice(chosen, _WAYS_KEPT)
            for needs in islice(product(*parts_), _WAYS_KEPT)
        )
        return sorted(set(joined), key=self._need_cost)[:_WAYS_KEPT]

    def _cheapest(self, needs: list[tuple[Condition, ...]]) -> tuple[int, int, Fraction]:
        return min((self._need_cost(need) for need in needs), default=(99, 99, Fraction(0)))

    def _need_cost(self, need: Iterable[Condition]) -> tuple[int, int, Fraction]:
        steps = [self._step(each.metric, [each]) for each in need]
        impossible = sum(1 for step in steps if step is None)
        cost = self._cost(tuple(step for step in steps if step and step.shortfall != 0))
        return (cost[0] + 100 * impossible, *cost[1:])

    def _cost(self, way: Sequence[Step]) -> tuple[int, int, Fraction]:
        unknown = sum(1 for step in way if step.shortfall is None)
        size = sum(
            (
                Fraction(abs(step.shortfall), abs(step.target) or 1)
                for step in way
                if step.shortfall is not None and isinstance(step.target, int | Fraction)
            ),
            start=Fraction(0),
        )
        return unknown, len(way), size

    def _step(self, key: str, conditions: list[Condition]) -> Step | None:
        return _step(self._policy.metrics[key], conditions, self._facts.get(key))


def _conditions(condition: Condition, wanted: bool) -> Iterator[Condition]:
    """Yield what would do: the condition itself, or whatever makes it fail."""
    if wanted:
        yield condition
    elif condition.operator is Operator.BETWEEN and isinstance(condition.limit, tuple):
        low, high = condition.limit
        date_ = isinstance(low, date)
        yield Condition(condition.metric, Operator.BEFORE if date_ else Operator.LESS_THAN, low)
        yield Condition(
            condition.metric, Operator.ON_OR_AFTER if date_ else Operator.MORE_THAN, high
        )
    else:
        yield Condition(condition.metric, _OPPOSITE[condition.operator], condition.limit)


def _step(metric: Metric, conditions: list[Condition], value: Value | None) -> Step | None:
    """Return the shortest step after which all conditions on one metric hold; None if none."""

    def fits(candidate: Value) -> bool:
        return all(COMPARE[each.operator](candidate, each.limit) for each in conditions)

    if value is None and metric.missing is Missing.ZERO:
        value = 0
    if value is not None and fits(value):
        return Step(metric.key, value, value, 0)
    if any(each.operator is Operator.IS_NOT_KNOWN for each in conditions):
        return None
    if metric.type in (MetricType.BOOLEAN, MetricType.CHOICE):
        options: Sequence[Value] = tuple(metric.options) or (False, True)
        found = next((each for each in options if fits(each)), None)
        return None if found is None else Step(metric.key, value, found, None)
    limits = [number for each in conditions for number in _numbers(each.limit)]
    dated = metric.type is MetricType.DATE
    if value is None:
        start = EARLIEST_DAY.toordinal() if dated else 0
        guesses = [limit + by for limit in limits for by in (0, 1, -1)] or [start]
        target = next((each for each in guesses if fits(_value(each, dated))), None)
        return None if target is None else Step(metric.key, None, _value(target, dated), None)
    [place] = _numbers(value)
    moves = [move for limit in limits for move in _moves(Fraction(limit) - place)]
    moves = [move for move in moves if fits(_value(settle(place + move), dated))]
    if not moves:
        return None
    move = min(moves, key=lambda each: (abs(each), -each))
    return Step(metric.key, value, _value(settle(place + move), dated), move)


def _moves(distance: Fraction) -> tuple[int, int, int, int]:
    """Return the whole moves that just reach a limit or just pass it, from either side."""
    return ceil(distance), floor(distance) + 1, floor(distance), ceil(distance) - 1


def _numbers(limit: Value | Limit | None) -> list[Number]:
    """Return the numbers in a limit; days for dates, none for options and yes or no."""
    found = limit if isinstance(limit, tuple) else (limit,)
    return [
        each.toordinal() if isinstance(each, date) else each
        for each in found
        if isinstance(each, int | Fraction | date)
    ]


def _value(number: Number, dated: bool) -> Value:
    if not dated:
        return number
    first, last = EARLIEST_DAY.toordinal(), LATEST_DAY.toordinal()
    return date.fromordinal(min(max(int(number), first), last))
