"""The place of each client among all, by a metric: fixed at a review, measured until the next."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from typing import TypeVar

from rules.measure import number_of
from rules.policy import Facts, Policy, Rank

Who = TypeVar("Who", bound=Hashable)


def ranks(
    policy: Policy, population: Iterable[tuple[Who, Facts]]
) -> dict[str, dict[Who, Fraction]]:
    """Return, for each metric that is a rank, the place of everybody who has one.

    Who has no value by which they would be ranked has no place, and is not counted.
    """
    ranking = {
        metric.key: metric.source.metric
        for metric in policy.metrics.values()
        if isinstance(metric.source, Rank)
    }
    numbers: dict[str, dict[Who, Fraction]] = {key: {} for key in ranking}
    for who, facts in population:
        for key, by in ranking.items():
            number = number_of(policy, by, facts)
            if number is not None:
                numbers[key][who] = number
    return {key: placed(found) for key, found in numbers.items()}


def placed(numbers: Mapping[Who, Fraction]) -> dict[Who, Fraction]:
    """Return everybody's place from the top in percent of all: of four the first has 25.

    The same number gives the same place, the best of those that it takes up.
    """
    places: dict[Fraction, int] = {}
    for place, number in enumerate(sorted(numbers.values(), reverse=True), 1):
        places.setdefault(number, place)
    return {who: Fraction(100 * places[number], len(numbers)) for who, number in numbers.items()}
