"""The place of each client among all, by example and against counting who is ahead."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from rules.policy import Facts
from rules.rank import placed, ranks
from tests.rules.builders import Document, activities, metric, policy

SPENT = metric("spent", "money", activities("sum", "amount"))


def by(key: str, name: str = "place") -> Document:
    return metric(name, "decimal", {"kind": "rank", "metric": key}, unit="percent")


def numbers(*found: int) -> dict[int, Fraction]:
    return {who: Fraction(number) for who, number in enumerate(found)}


def test_of_four_the_first_has_25() -> None:
    assert list(placed(numbers(5, 9, 7, 1)).values()) == [75, 25, 50, 100]


def test_the_same_number_has_the_same_place_the_best_of_those_it_takes_up() -> None:
    assert list(placed(numbers(9, 9, 9, 1)).values()) == [25, 25, 25, 100]


def test_a_place_is_exact() -> None:
    assert placed(numbers(3, 2, 1)) == {0: Fraction(100, 3), 1: Fraction(200, 3), 2: 100}


def test_who_is_alone_is_the_last_as_well_as_the_first() -> None:
    assert placed(numbers(0)) == {0: 100}
    assert placed({}) == {}


def test_each_rank_of_a_policy_is_by_its_own_metric() -> None:
    rules = policy(SPENT, metric("stars", "decimal"), by("spent"), by("stars", "liked"))
    population: list[tuple[str, Facts]] = [
        ("A", {"spent": 100, "stars": 350}),
        ("B", {"spent": 200, "stars": Fraction(1, 2)}),
    ]

    assert ranks(rules, population) == {
        "place": {"A": 100, "B": 50},
        "liked": {"A": 50, "B": 100},
    }


def test_who_has_no_number_has_no_place_and_is_not_counted_unless_it_counts_as_zero() -> None:
    population: list[tuple[str, Facts]] = [("A", {"stars": 350}), ("B", {})]
    unknown = policy(metric("stars", "decimal"), by("stars"))
    zero = policy(metric("stars", "decimal", missing="zero"), by("stars"))

    assert ranks(unknown, population) == {"place": {"A": 100}}
    assert ranks(zero, population) == {"place": {"A": 50, "B": 100}}


def test_a_policy_without_ranks_has_no_places() -> None:
    assert ranks(policy(SPENT), [("A", {"spent": 5})]) == {}


fractions = st.builds(Fraction, st.integers(-9, 9), st.integers(1, 4))


@given(st.dictionaries(st.integers(), fractions, max_size=30))
def test_a_place_counts_who_is_ahead(found: dict[int, Fraction]) -> None:
    for who, place in placed(found).items():
        ahead = sum(other > found[who] for other in found.values())
        assert place == Fraction(100 * (ahead + 1), len(found))


@given(st.dictionaries(st.integers(), fractions, min_size=1, max_size=30), st.integers(1, 100))
def test_the_top_n_percent_are_no_more_than_that_but_for_equals(
    found: dict[int, Fraction], percent: int
) -> None:
    top = [who for who, place in placed(found).items() if place <= percent]
    different = {found[who] for who in top}

    assert len(different) <= len(found) * percent / 100
