"""Facts as JSON writes them are read exactly, written back the same, or refused with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.document.strict_json import dumps, loads
from rules.facts import (
    FactsInvalid,
    exact_text,
    read,
    read_value,
    too_large,
    write_value,
    written_number,
)
from rules.messages import Message
from rules.policy import Facts, Metric, Policy
from rules.vocabulary import EARLIEST_DAY, LARGEST, LATEST_DAY, MetricType, Value, settle
from tests.rules.builders import metric, policy

POLICY = policy(
    *(metric(f"a_{kind}", kind) for kind in MetricType),
    metric("whole", "decimal", places=0),
    metric("fine", "decimal", places=6),
)


def one(kind: str) -> Metric:
    return POLICY.metrics[f"a_{kind}"]


def problems(stated: Mapping[str, object], rules: Policy = POLICY) -> dict[str, str]:
    """Return what is wrong with facts: the sentence by metric."""
    with pytest.raises(FactsInvalid) as refused:
        read(rules, stated)
    assert all(isinstance(each.message, Message) for each in refused.value.problems)
    assert str(refused.value) == "\n".join(
        f"{each.path}: {each.message}" for each in refused.value.problems
    )
    return {each.path: each.message for each in refused.value.problems}


# -- what is read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "stated", "value"),
    [
        ("money", 25_000_000, 25_000_000),
        ("money", -LARGEST, -LARGEST),
        ("count", LARGEST, LARGEST),
        ("days", 0, 0),
        ("decimal", Decimal("4.8"), 480),
        ("decimal", Decimal("-4.80"), -480),
        ("decimal", 5, 500),
        ("decimal", LARGEST // 100, LARGEST),
        ("decimal", Decimal("4.805"), Fraction(961, 2)),
        ("decimal", Decimal("0.000000000001"), Fraction(1, 10**10)),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("date", "1800-01-01", EARLIEST_DAY),
        ("date", "2299-12-31", LATEST_DAY),
        ("boolean", True, True),
        ("boolean", False, False),
        ("choice", "hotel", "hotel"),
    ],
)
def test_a_fact_is_read_as_its_metric_counts_it(kind: str, stated: object, value: Value) -> None:
    read_ = read(POLICY, {f"a_{kind}": stated})[f"a_{kind}"]

    assert read_ == value
    assert type(read_) is type(value)


def test_null_says_that_a_fact_is_missing() -> None:
    assert read(POLICY, {"a_money": None, "a_choice": None}) == {"a_money": None, "a_choice": None}


def test_nothing_stated_is_nothing_read() -> None:
    assert read(POLICY, {}) == {}


# -- what is refused ---------------------------------------------------------------------------

MINOR = f"must be a whole number of minor units (cents, pence …) between -{LARGEST} and {LARGEST}"
WHOLE = f"must be a whole number between -{LARGEST} and {LARGEST}"
DECIMAL = (
    f"must be a number between -{LARGEST // 100} and {LARGEST // 100} with at most 12 decimal "
    "places"
)
DAY = "must be a day that exists, written YYYY-MM-DD, from 1800-01-01 to 2299-12-31"
FLAG = "must be true or false"
OPTION = "must be retail or hotel"


@pytest.mark.parametrize(
    ("kind", "stated", "sentence"),
    [
        ("money", LARGEST + 1, MINOR),
        ("money", -LARGEST - 1, MINOR),
        ("money", 10**40, MINOR),
        ("money", Decimal("0.5"), MINOR),
        ("money", 1.0, MINOR),
        ("money", "100", MINOR),
        ("money", True, MINOR),
        ("count", [1], WHOLE),
        ("days", {}, WHOLE),
        ("decimal", "4.8", DECIMAL),
        ("decimal", 4.8, DECIMAL),
        ("decimal", True, DECIMAL),
        ("decimal", [Decimal("4.8")], DECIMAL),
        ("decimal", LARGEST // 100 + 1, DECIMAL),
        ("decimal", LARGEST // 100 + Decimal("0.001"), DECIMAL),
        ("decimal", Decimal("1e39"), DECIMAL),
        ("decimal", Decimal("0.0000000000001"), DECIMAL),
        ("date", "2025-02-29", DAY),
        ("date", "1799-12-31", DAY),
        ("date", "2300-01-01", DAY),
        ("date", "0000-00-00", DAY),
        ("date", "9999-12-31", DAY),
        ("date", "20240229", DAY),
        ("date", "2024-2-9", DAY),
        ("date", "2024-02-29T00:00:00Z", DAY),
        ("date", "2024-02-29\n", DAY),
        ("date", "٢٠٢٤-02-29", DAY),
        ("date", "yesterday", DAY),
        ("date", 20240229, DAY),
        ("date", date(2024, 2, 29), DAY),
        ("boolean", 1, FLAG),
        ("boolean", "true", FLAG),
        ("boolean", [], FLAG),
        ("choice", "farm", OPTION),
        ("choice", "Hotel", OPTION),
        ("choice", "", OPTION),
        ("choice", 1, OPTION),
        ("choice", ["hotel"], OPTION),
        ("choice", {"hotel": 1}, OPTION),
    ],
    ids=repr,
)
def test_a_fact_of_the_wrong_kind_is_refused(kind: str, stated: object, sentence: str) -> None:
    assert problems({f"a_{kind}": stated}) == {f"a_{kind}": sentence}


def test_an_unknown_metric_is_answered_with_the_known_ones() -> None:
    assert problems({"rating": 5}, policy(metric("b", "count"), metric("a", "count"))) == {
        "rating": "is not a metric of this policy; these are a or b"
    }
    assert problems({"rating": None}, policy()) == {
        "rating": "is not a metric of this policy; these are -"
    }


def test_everything_wrong_is_said_at_once() -> None:
    stated = {"a_money": "1", "a_count": 1, "a_date": "soon", "rating": 5, "a_choice": 0}

    assert list(problems(stated)) == ["a_money", "a_date", "rating", "a_choice"]


def test_what_comes_to_more_than_is_decided_about_is_named() -> None:
    derived: Facts = {
        "a_money": LARGEST,
        "a_count": -LARGEST - 1,
        "a_decimal": Fraction(2 * LARGEST + 1, 2),
        "a_days": LARGEST + 1,
        "fine": -LARGEST,
        "a_date": LATEST_DAY,
        "a_boolean": True,
        "a_choice": "hotel",
    }

    assert {each.path: each.message for each in too_large(POLICY, derived)} == {
        "a_count": f"comes to a number not between -{LARGEST} and {LARGEST}",
        "a_decimal": f"comes to a number not between -{LARGEST // 100} and {LARGEST // 100}",
        "a_days": f"comes to a number not between -{LARGEST} and {LARGEST}",
    }


# -- what is written ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "written", "exact"),
    [
        ("a_money", 500, "500", None),
        ("a_decimal", 480, "4.8", None),
        ("a_decimal", 500, "5", None),
        ("a_decimal", -1, "-0.01", None),
        ("a_decimal", 0, "0", None),
        ("fine", 1, "0.000001", None),
        ("fine", LARGEST, "1000000000", None),
        ("whole", 100, "100", None),
        ("whole", Fraction(1, 2), "0.5", None),
        ("whole", Fraction(1, 3), "0.333333", "1/3"),
        ("whole", Fraction(-200, 3), "-66.666667", "-200/3"),
        ("whole", Fraction(99_999_999, 100_000_000), "1", "99999999/100000000"),
        ("whole", Fraction(-1, 10**9), "0", "-1/1000000000"),
        ("a_decimal", Fraction(1, 3), "0.00333333", "1/300"),
        ("a_decimal", Fraction(961, 2), "4.805", None),
        ("a_money", Fraction(307, 4), "76.75", None),
        ("fine", Fraction(LARGEST * 3 - 1, 3), "999999999.999999666667",
         "2999999999999999/3000000"),
        ("a_date", date(2024, 2, 29), '"2024-02-29"', None),
        ("a_boolean", False, "false", None),
        ("a_choice", "hotel", '"hotel"', None),
        ("a_choice", None, "null", None),
    ],
)  # fmt: skip
def test_a_value_is_written_as_json_writes_it(
    key: str, value: Value | None, written: str, exact: str | None
) -> None:
    assert dumps(write_value(POLICY.metrics[key], value)) == written
    assert exact_text(POLICY.metrics[key], value) == exact


steps = st.integers(-LARGEST, LARGEST)
values: dict[str, st.SearchStrategy[Any]] = {
    "a_money": steps,
    "a_count": steps,
    "a_days": steps,
    "a_decimal": steps,
    "fine": steps,
    "a_date": st.dates(EARLIEST_DAY, LATEST_DAY),
    "a_boolean": st.booleans(),
    "a_choice": st.sampled_from(["retail", "hotel"]),
}


@given(st.fixed_dictionaries({}, optional={key: st.none() | each for key, each in values.items()}))
def test_facts_that_are_written_are_read_back(facts: dict[str, Value | None]) -> None:
    written = {key: write_value(POLICY.metrics[key], value) for key, value in facts.items()}
    read_: Any = loads(dumps(written))

    assert read(POLICY, read_) == facts


@given(st.decimals(-(10**9), 10**9, places=12), st.sampled_from(["whole", "a_decimal", "fine"]))
def test_a_decimal_is_read_to_all_its_places_whatever_the_metric_has(
    stated: Decimal, key: str
) -> None:
    value = read_value(POLICY.metrics[key], stated)
    places = POLICY.metrics[key].places

    assert value == Fraction(stated) * 10**places
    assert value == settle(Fraction(stated) * 10**places)
    if places == 6:
        assert write_value(POLICY.metrics[key], value) == stated


@given(st.fractions(-(10**9), 10**9), st.integers(0, 6))
def test_what_is_written_is_the_nearest_with_six_places_more(value: Fraction, places: int) -> None:
    steps_ = settle(value)
    written = Fraction(written_number(places, steps_))

    assert abs(written * 10**places - value) <= Fraction(1, 2 * 10**6)
    assert (written * 10 ** (places + 6)).denominator == 1


@given(st.fractions(-(10**9), 10**9))
def test_a_value_has_an_exact_text_just_if_what_is_written_is_not_it(value: Fraction) -> None:
    rating = one("decimal")
    written: Any = write_value(rating, settle(value))
    exact = exact_text(rating, settle(value))

    if exact is None:
        assert Fraction(written) == value / 100
    else:
        assert Fraction(exact) == value / 100
        assert Fraction(written) != value / 100


@given(st.sampled_from(sorted(POLICY.metrics)), st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
))  # fmt: skip
def test_anything_stated_is_read_or_refused(key: str, stated: object) -> None:
    try:
        about = list(read(POLICY, {key: stated}))
    except FactsInvalid as refused:
        about = [each.path for each in refused.problems]
    assert about == [key]
