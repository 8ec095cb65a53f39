"""Examples proposed for a policy: at each of its limits a client just below, at, and just above.

Whatever else the criteria ask for is given the client, where a way to it can be found, so that
it is the one limit on which the tier turns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from rules.criteria import Condition, walk
from rules.facts import too_large
from rules.measure import complete
from rules.messages import N_, Message
from rules.policy import Metric, Policy, Root
from rules.reference import COMPARE, Reference
from rules.sentences import Named, shown
from rules.vocabulary import EARLIEST_DAY, LARGEST, LATEST_DAY, MetricType, Value
from rules.ways import nearest_way, reached


@dataclass(frozen=True, slots=True)
class Proposal:
    """An example that could be kept: a client at one limit, and the tier the rules give.

    ``tier`` is None where they leave it undetermined.
    """

    name: Message
    facts: dict[str, Value]
    tier: str | None


def proposals(policy: Policy, day: date) -> Iterator[Proposal]:
    """Yield examples at every limit of the tiers' criteria; what the policy has is left out."""
    reference = Reference(policy)
    seen: list[Mapping[str, Value | None]] = [each.facts for each in policy.examples]
    for root in policy.roots:
        if root.part not in ("entry", "keep"):
            continue
        for condition in _with_limits(root):
            for value in _around(policy.metrics[condition.metric], condition):
                facts = _client(policy, reference, root, condition, value)
                measured = complete(policy, facts, day)
                if facts in seen or any(too_large(policy, measured)):
                    continue
                seen.append(facts)
                verdict = reference.judge(measured)
                tier = None if verdict.open_tiers else policy.tiers[verdict.tier].key
                yield Proposal(_name(policy, root, condition, value), facts, tier)


def _with_limits(root: Root) -> Iterator[Condition]:
    found = (each for each in walk(root.criteria) if isinstance(each, Condition))
    yield from dict.fromkeys(each for each in found if _limits(each))


def _limits(condition: Condition) -> tuple[int | date, ...]:
    """Return the limits of a condition that have something just below and above them."""
    limit = condition.limit
    limits = limit if isinstance(limit, tuple) else (limit,)
    return tuple(
        each for each in limits if isinstance(each, int | date) and not isinstance(each, bool)
    )


def _around(metric: Metric, condition: Condition) -> Iterator[Value]:
    """Yield the values just below, at and just above a condition's limits, the lowest first."""
    is_date = metric.type is MetricType.DATE
    limits = [each.toordinal() if isinstance(each, date) else each for each in _limits(condition)]
    least = -LARGEST if metric.type is MetricType.MONEY else 0
    first, last = (
        (EARLIEST_DAY.toordinal(), LATEST_DAY.toordinal()) if is_date else (least, LARGEST)
    )
    for value in sorted({limit + by for limit in limits for by in (-1, 0, 1)}):
        if first <= value <= last:
            yield date.fromordinal(value) if is_date else value


def _client(
    policy: Policy, reference: Reference, root: Root, condition: Condition, value: Value
) -> dict[str, Value]:
    """Return a client with a value, who else has what the criteria ask for as far as it is found.

    The way is looked for from a value that meets the condition, so that the others are those that
    it needs beside it.
    """
    metric = policy.metrics[condition.metric]
    met = next((each for each in _around(metric, condition) if _meets(condition, each)), value)
    for start in ({condition.metric: met}, {}):
        way = nearest_way(policy, reference, start, root)
        if way is not None:
            found = {**start, **{step.metric: reached(policy, step) for step in way}}
            return {**found, condition.metric: value}
    return {condition.metric: value}


def _meets(condition: Condition, value: Value) -> bool:
    return COMPARE[condition.operator](value, condition.limit)


_NAMES = {
    ("entry", True): N_("Just what %(tier)s asks for: %(metric)s %(value)s"),
    ("entry", False): N_("Just short of what %(tier)s asks for: %(metric)s %(value)s"),
    ("keep", True): N_("Just what keeping %(tier)s asks for: %(metric)s %(value)s"),
    ("keep", False): N_("Just short of what keeping %(tier)s asks for: %(metric)s %(value)s"),
}
_FURTHER = {
    ("entry", True): N_("A little more than %(tier)s asks for: %(metric)s %(value)s"),
    ("entry", False): N_("A little further from what %(tier)s asks for: %(metric)s %(value)s"),
    ("keep", True): N_("A little more than keeping %(tier)s asks for: %(metric)s %(value)s"),
    ("keep", False): N_(
        "A little further from what keeping %(tier)s asks for: %(metric)s %(value)s"
    ),
}


def _name(policy: Policy, root: Root, condition: Condition, value: Any) -> Message:
    """Name an example by the side of the limit it is on, and whether that side is one step on."""
    metric, met = policy.metrics[condition.metric], _meets(condition, value)
    step: Any = timedelta(days=1) if isinstance(value, date) else 1
    beside = (value - step, value + step)
    names = _FURTHER if all(_meets(condition, each) is met for each in beside) else _NAMES
    return Message(
        names[root.part, met],
        tier=Named(policy.tier(root.owner).name),
        metric=Named(metric.name),
        value=shown(policy, metric, value),
    )
