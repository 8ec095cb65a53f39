"""Criteria as rules over integers: one rule per node, one pass per depth, never a combination.

The library multiplies combinations out, so a tree is not one nested rule.  The first pass has
the conditions; each further one has the groups of one depth, over how many of their parts are
met and how many still may be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import groupby
from math import floor

from rules.criteria import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Criteria,
    Group,
    NoneOf,
    QualifiesFor,
)
from rules.engine.library import Comparison, Rule
from rules.messages import Message
from rules.policy import Facts, Metric, Policy
from rules.verdict import Outcome
from rules.vocabulary import KNOWNESS, LARGEST, MetricType, Missing, Operator, Value


class FactRefused(ValueError):
    """A fact is not of its metric's type, or too large to be decided about exactly."""

    def __init__(self, metric: str, value: object) -> None:
        self.message = Message(
            "The metric %(metric)s cannot be decided about: its value is %(value)s.",
            metric=metric,
            value=repr(value),
        )
        super().__init__(self.message)


@dataclass(slots=True)
class Leaf:
    """A condition, and whether its being met helps the client (a *none of* turns that round)."""

    condition: Condition
    wanted: bool
    slot: int
    place: int


@dataclass(slots=True)
class Node:
    """A group; ``depth`` is how many levels of groups it is high, ``place`` its outcome's."""

    group: Group
    parts: list[Leaf | Node]
    depth: int
    place: int = -1


Settling = tuple[Rule, int, Outcome]
"""A rule, the place of the outcome it settles when it fires, and to what."""


class Plan:
    """A policy's criteria with a place for every outcome: conditions first, then groups."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._hopes = any(each.missing is Missing.CANNOT_DECIDE for each in policy.metrics.values())
        self._entries: dict[tuple[str, bool], Leaf | Node] = {}
        self._leaves: dict[tuple[Condition, bool], Leaf] = {}
        self._slots: dict[tuple[str, bool], int] = {}
        nodes: list[Node] = []
        order: list[Leaf | Node] = []
        for root in policy.roots:
            found = self._place(root.criteria, True, order, nodes)
            if root.part == "entry":
                self._entries[root.owner, True] = found
        nodes.sort(key=lambda node: node.depth)
        for place, node in enumerate(nodes, len(self._leaves)):
            node.place = place
        self.leaves = list(self._leaves.values())
        self.levels = [
            [node for node in nodes if node.depth == depth]
            for depth in sorted({node.depth for node in nodes})
        ]
        self.order = [each.place for each in order]
        """Where, in the order of the policy's criteria, each node's outcome is found."""
        self.entries = [
            (place, self._entries[tier.key, True].place)
            for place, tier in reversed(list(enumerate(policy.tiers)))
            if tier.entry is not None
        ]
        """The tiers from the highest, each with the place of its entry's outcome."""

    def encoders(self) -> list[Callable[[Facts], int | None]]:
        """Return the functions that read the conditions' integers off the facts, by slot."""
        return [_encoder(self._policy.metrics[key], known) for key, known in self._slots]

    def undecidable(self) -> list[Leaf]:
        """Return the conditions on metrics that cannot be decided without."""
        return [
            leaf
            for leaf in self.leaves
            if self._policy.metrics[leaf.condition.metric].missing is Missing.CANNOT_DECIDE
        ]

    def leaf_rules(self) -> list[Settling]:
        """Return the rules for the conditions; where a condition has several, one can fire."""
        return [
            (tuple(Comparison(sign, leaf.slot, limit) for sign, limit in rule), leaf.place, True)
            for leaf in self.leaves
            for rule in _comparisons(self._policy.metrics[leaf.condition.metric], leaf.condition)
        ]

    def _place(
        self, node: Criteria, wanted: bool, order: list[Leaf | Node], nodes: list[Node]
    ) -> Leaf | Node:
        if isinstance(node, Condition | QualifiesFor):
            found = (
                self._leaf(node, wanted)
                if isinstance(node, Condition)
                else self._prerequisite(node.tier, wanted, nodes)
            )
            order.append(found)
            return found
        group = Node(node, [], 1)
        order.append(group)
        helps = not wanted if isinstance(node, NoneOf) else wanted
        group.parts = [self._place(part, helps, order, nodes) for part in node.parts]
        below = [part.depth for part in group.parts if isinstance(part, Node)]
        group.depth = 1 + max(below, default=0)
        nodes.append(group)
        return group

    def _leaf(self, condition: Condition, wanted: bool) -> Leaf:
        metric = self._policy.metrics[condition.metric]
        wanted = wanted or metric.missing is not Missing.CANNOT_DECIDE
        if (condition, wanted) not in self._leaves:
            slot = self._slots.setdefault(
                (metric.key, condition.operator in KNOWNESS), len(self._slots)
            )
            self._leaves[condition, wanted] = Leaf(condition, wanted, slot, len(self._leaves))
        return self._leaves[condition, wanted]

    def _prerequisite(self, tier: str, wanted: bool, nodes: list[Node]) -> Leaf | Node:
        """Return the root of a lower tier's entry; a copy where hopes run the other way."""
        wanted = wanted or not self._hopes
        if (tier, wanted) not in self._entries:
            entry = self._policy.tier(tier).entry
            if entry is None:
                raise ValueError(f"{tier} has no entry criteria to qualify by")
            self._entries[tier, wanted] = self._place(entry, wanted, [], nodes)
        return self._entries[tier, wanted]


_SIGNS = {
    Operator.AT_LEAST: "$gte",
    Operator.ON_OR_AFTER: "$gte",
    Operator.MORE_THAN: "$gt",
    Operator.AT_MOST: "$lte",
    Operator.LESS_THAN: "$lt",
    Operator.BEFORE: "$lt",
    Operator.EQUAL: "$eq",
}


def _comparisons(metric: Metric, condition: Condition) -> list[list[tuple[str, int]]]:
    operator, limit = condition.operator, condition.limit
    limits = limit if isinstance(limit, tuple) else (limit,)
    if operator in KNOWNESS:
        return [[("$eq", int(operator is Operator.IS_KNOWN))]]
    if metric.type is MetricType.CHOICE:
        wants = operator in (Operator.IS, Operator.ONE_OF)
        places = [n for n, option in enumerate(metric.options) if (option in limits) is wants]
        return [
            [("$eq", first)] if first == last else [("$gte", first), ("$lte", last)]
            for first, last in _runs(places)
        ]
    if metric.type is MetricType.BOOLEAN:
        return [[("$eq", int(bool(limit) is (operator is Operator.IS)))]]
    codes_ = [code(each) for each in limits]
    if operator is Operator.NOT_EQUAL:
        return [[("$lt", codes_[0])], [("$gt", codes_[0])]]
    if operator is Operator.BETWEEN:
        return [[("$gte", codes_[0]), ("$lte", codes_[1])]]
    return [[(_SIGNS[operator], codes_[0])]]


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each run of neighbours in an ascending sequence."""
    for _, neighbours in groupby(enumerate(places), key=lambda each: each[1] - each[0]):
        run = [place for _, place in neighbours]
        yield run[0], run[-1]


def group_rules(level: Sequence[Node]) -> Iterator[Settling]:
    """Yield two rules for each group of a level: that it is met, and that it is unknown.

    Slot ``2i`` counts the parts of group ``i`` that are met, ``2i + 1`` those not ruled out.
    """
    for index, node in enumerate(level):
        met, possible = 2 * index, 2 * index + 1
        match node.group:
            case AllOf():
                need = len(node.parts)
            case AnyOf():
                need = 1
            case AtLeast(k=k):
                need = k
            case _:
                nothing_met = Comparison("$lte", met, 0)
                yield (Comparison("$lte", possible, 0),), node.place, True
                yield (nothing_met, Comparison("$gte", possible, 1)), node.place, None
                continue
        too_few = Comparison("$lt", met, need)
        yield (Comparison("$gte", met, need),), node.place, True
        yield (too_few, Comparison("$gte", possible, need)), node.place, None


def code(value: object) -> int:
    """Return the integer that stands for a number or date, so that order and equality stay.

    A number between two whole steps lies between the even codes of its neighbours.
    """
    if type(value) is int:
        return 2 * value
    if type(value) is Fraction:
        return 2 * floor(value) + (value.denominator > 1)
    if type(value) is date:
        return value.toordinal()
    raise TypeError(f"{value!r} has no place in an order")


def _encoder(metric: Metric, known: bool) -> Callable[[Facts], int | None]:
    """Return the function that reads one metric off the facts as an integer, or None."""
    key, kind = metric.key, _KINDS.get(metric.type)
    absent = 0 if metric.missing is Missing.ZERO else None
    options: tuple[Value, ...] = (False, True) if kind is bool else tuple(metric.options)
    codes = {option: number for number, option in enumerate(options)}

    def number(facts: Facts) -> int | None:
        value = facts.get(key)
        if type(value) is int and -LARGEST <= value <= LARGEST:
            return 2 * value  # as code() does; written out, for nearly every fact passes here
        if value is None:
            return absent
        if type(value) is Fraction and -LARGEST <= value <= LARGEST:
            return code(value)
        raise FactRefused(key, value)

    def other(facts: Facts) -> int | None:
        value = facts.get(key)
        if value is None:
            return absent
        if type(value) is kind:
            if isinstance(value, date):
                return code(value)
            if value in codes:
                return codes[value]
        raise FactRefused(key, value)

    value_of = number if kind is None else other

    def presence(facts: Facts) -> int:
        return int(facts.get(key) is not None and value_of(facts) is not None)

    return presence if known else value_of


_KINDS: dict[MetricType, type] = {
    MetricType.BOOLEAN: bool,
    MetricType.DATE: date,
    MetricType.CHOICE: str,
}
"""What the values of metrics that are not numbers are."""
