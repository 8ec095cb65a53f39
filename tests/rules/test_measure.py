"""What the metrics of a client come to, by example and against a naive recomputation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.document import DEEPEST_DERIVATION, load
from rules.measure import (
    Activity,
    CannotMeasure,
    Client,
    Members,
    Raw,
    Statement,
    complete,
    measure,
)
from rules.messages import Message
from rules.reference import Reference
from rules.standing import Ground, Standing
from rules.vocabulary import Value
from tests.rules.builders import (
    LIFETIME,
    Document,
    activities,
    attribute,
    condition,
    metric,
    policy,
    policy_document,
    tier,
)
from tests.rules.naive import Naive
from tests.rules.strategies import LAST_DAY, clients, days, metrics

TODAY = date(2026, 6, 30)
MONTH: Document = {"kind": "this", "unit": "month"}
WEEK: Document = {"kind": "rolling", "n": 7, "unit": "days"}


def on(text: str) -> date:
    return date.fromisoformat(text)


def sale(day: str, amount: int | None = None, **fields: Any) -> Activity:
    return Activity(fields.pop("kind", "sale"), on(day), amount, **fields)


def stated(**histories: Mapping[str, Raw | None]) -> Client:
    """Return a client of whom values were stated on days: ``stated(stars={"2026-01-01": 5})``."""
    return Client(
        {
            name: [Statement(on(day), value) for day, value in history.items()]
            for name, history in histories.items()
        }
    )


NOBODY = Client()


def measured(
    kind: str, source: Document, client: Client = NOBODY, day: date = TODAY, **parts: Any
) -> Value | None:
    """Return what a metric of this type and source comes to, None if it is missing."""
    return measure(policy(metric("x", kind, source, **parts)), client, day).get("x")


# -- activities --------------------------------------------------------------------------------

SALES = Client(
    activities=[
        sale("2026-01-05", 100, product="tea", channel="shop", quantity=1),
        sale("2026-03-31", 250, product="tea", channel="hotel", quantity=Decimal("2.5")),
        sale("2026-04-01", -50, product="cup", quantity=1),
        sale("2026-06-30", 7, attributes={"stars": Decimal("4.5")}),
        sale("2026-06-30", quantity=0, attributes={"stars": 3, "gift": True}),
        sale("2026-07-01", 1000, product="pot"),
        sale("2026-06-01", 5000, kind="order", product="pan"),
    ]
)


@pytest.mark.parametrize(
    ("kind", "source", "value"),
    [
        ("money", activities("sum", "amount"), 307),
        ("money", activities("average", "amount"), Fraction(307, 4)),
        ("money", activities("minimum", "amount"), -50),
        ("money", activities("maximum", "amount"), 250),
        ("money", activities("sum", "amount", kinds=["sale", "order"]), 5307),
        ("decimal", activities("sum", "quantity"), 450),
        ("decimal", activities("average", "quantity"), Fraction(225, 2)),
        ("decimal", activities("average", "attribute:stars"), 375),
        ("decimal", activities("maximum", "attribute:stars"), 450),
        ("count", activities("count"), 5),
        ("count", activities("distinct_products"), 2),
        ("date", activities("first_date"), on("2026-01-05")),
        ("date", activities("last_date"), TODAY),
        ("days", activities("days_since_last"), 0),
        ("days", activities("days_since_last", kinds=["order"]), 29),
        ("days", activities("days_with"), 4),
        ("count", activities("weeks_with"), 3),
        ("count", activities("months_with"), 4),
        ("count", activities("quarters_with"), 2),
    ],
    ids=str,
)
def test_activities_are_brought_together(kind: str, source: Document, value: Value) -> None:
    found = measured(kind, source, SALES)

    assert found == value
    assert type(found) is type(value)


def test_an_empty_sum_or_count_is_nought_and_anything_else_is_missing() -> None:
    nought: dict[str, Document] = {
        "money": activities("sum", "amount"),
        "decimal": activities("sum", "attribute:stars"),
        "count": activities("count"),
        "days": activities("days_with"),
    }
    for kind, source in nought.items():
        assert measured(kind, source) == 0
    for aggregate in ("distinct_products", "weeks_with", "months_with", "quarters_with"):
        assert measured("count", activities(aggregate)) == 0
    for aggregate in ("average", "minimum", "maximum"):
        assert measured("money", activities(aggregate, "amount")) is None
    for aggregate in ("first_date", "last_date"):
        assert measured("date", activities(aggregate)) is None
    assert measured("days", activities("days_since_last")) is None


def test_activities_without_the_field_that_is_measured_are_left_out() -> None:
    client = Client(activities=[sale("2026-06-01"), sale("2026-06-02", 10), sale("2026-06-03")])

    assert measured("money", activities("average", "amount"), client) == 10
    assert measured("decimal", activities("average", "quantity"), client) is None


def test_weeks_are_those_of_iso_and_new_year_divides_them_not() -> None:
    client = Client(activities=[sale("2025-12-29"), sale("2026-01-04"), sale("2026-01-05")])

    assert measured("count", activities("weeks_with"), client) == 2


def test_the_same_month_of_two_years_is_two_months() -> None:
    client = Client(activities=[sale("2025-06-15"), sale("2026-06-15")])

    assert measured("count", activities("months_with"), client) == 2
    assert measured("count", activities("quarters_with"), client) == 2


@pytest.mark.parametrize("month", range(1, 12))
def test_a_quarter_ends_with_its_third_month(month: int) -> None:
    client = Client(
        activities=[
            Activity("sale", date(2025, month, 15)),
            Activity("sale", date(2025, month + 1, 15)),
        ]
    )

    quarters = measured("count", activities("quarters_with"), client)
    assert quarters == (2 if month in (3, 6, 9) else 1)


def test_only_what_is_in_the_window_counts() -> None:
    client = Client(
        activities=[
            sale(day, 1) for day in ("2026-05-31", "2026-06-01", "2026-06-30", "2026-07-01")
        ]
    )

    assert measured("money", activities("sum", "amount", window=MONTH), client) == 2


def test_days_since_the_last_are_counted_to_the_business_date_whatever_the_window() -> None:
    last_year = {"kind": "previous", "n": 1, "unit": "year"}
    client = Client(activities=[sale("2025-12-31"), sale("2026-06-29")])

    assert measured("days", activities("days_since_last", window=last_year), client) == 181


@pytest.mark.parametrize("value", ["abc", True, Decimal("1.5")])
def test_a_recorded_value_that_does_not_fit_the_metric_says_so(value: Raw) -> None:
    client = Client(activities=[sale("2026-06-01", attributes={"points": value})])

    with pytest.raises(CannotMeasure) as refused:
        measured("count", activities("sum", "attribute:points"), client)
    assert isinstance(refused.value.message, Message)
    assert str(refused.value).startswith(
        f"The metric x cannot be measured: {value!r} must be a whole number between "
    )


# -- filters -----------------------------------------------------------------------------------


def kept(where: Document, **fields: Any) -> bool:
    """Tell whether an activity with these fields passes a filter."""
    client = Client(activities=[sale("2026-06-01", **fields)])
    return measured("count", activities("count", where=[where]), client) == 1


def where(field: str, operator: str, value: object) -> Document:
    return {"field": field, "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("operator", "value", "passes"),
    [
        ("is", "tea", True),
        ("is", "cup", False),
        ("is_not", "tea", False),
        ("is_not", "cup", True),
        ("one_of", ["cup", "tea"], True),
        ("one_of", ["cup"], False),
        ("none_of", ["cup", "tea"], False),
        ("none_of", ["cup"], True),
    ],
)
def test_a_text_is_or_is_not_what_a_filter_names(
    operator: str, value: object, passes: bool
) -> None:
    assert kept(where("product", operator, value), product="tea") is passes
    assert kept(where("channel", operator, value), channel="tea") is passes
    assert kept(where("attribute:x", operator, value), attributes={"x": "tea"}) is passes


@pytest.mark.parametrize(
    ("operator", "amounts"),
    [
        ("at_least", {100, 101}),
        ("more_than", {101}),
        ("at_most", {99, 100}),
        ("less_than", {99}),
        ("is", {100}),
        ("is_not", {99, 101}),
    ],
)
def test_a_number_is_compared_with_what_a_filter_names(operator: str, amounts: set[int]) -> None:
    passing = where("amount", operator, 100)

    assert {amount for amount in (99, 100, 101) if kept(passing, amount=amount)} == amounts


@pytest.mark.parametrize(
    ("operator", "passes"),
    [("at_least", True), ("more_than", False), ("at_most", True), ("is", True), ("is_not", False)],
)
def test_a_decimal_is_compared_exactly(operator: str, passes: bool) -> None:
    filter_ = where("quantity", operator, Decimal("0.1"))

    assert kept(filter_, quantity=Decimal("0.1")) is passes
    assert kept(filter_, quantity=Decimal("0.10")) is passes


@pytest.mark.parametrize("field", ["product", "channel", "attribute:x"])
def test_what_has_no_such_field_is_not_any_given_value(field: str) -> None:
    assert not kept(where(field, "is", "tea"))
    assert not kept(where(field, "one_of", ["tea", "cup"]))
    assert kept(where(field, "is_not", "tea"))
    assert kept(where(field, "none_of", ["tea", "cup"]))


@pytest.mark.parametrize("operator", ["at_least", "more_than", "at_most", "less_than"])
def test_what_has_no_such_field_is_of_no_size(operator: str) -> None:
    assert not kept(where("amount", operator, 0))
    assert not kept(where("attribute:x", operator, 0))


@pytest.mark.parametrize("value", ["5", True, False])
def test_a_text_or_yes_or_no_is_no_number(value: Raw) -> None:
    for operator, wanted in [("at_least", -1), ("at_most", 9), ("is", 5), ("is", 1), ("is", 0)]:
        assert not kept(where("attribute:x", operator, wanted), attributes={"x": value})
    assert kept(where("attribute:x", "is_not", 1), attributes={"x": value})


@pytest.mark.parametrize(("value", "passes"), [(True, True), (False, False), (1, False)])
def test_yes_is_only_yes(value: Raw, passes: bool) -> None:
    assert kept(where("attribute:x", "is", True), attributes={"x": value}) is passes
    assert kept(where("attribute:x", "is_not", True), attributes={"x": value}) is not passes


def test_an_activity_counts_only_if_it_passes_every_filter() -> None:
    both = [where("product", "is", "tea"), where("amount", "more_than", 100)]

    assert measured("count", activities("count", where=both), SALES) == 1


# -- attributes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("money", 500, 500),
        ("count", 3, 3),
        ("decimal", Decimal("4.8"), 480),
        ("decimal", Decimal("4.8125"), Fraction(1925, 4)),
        ("days", 30, 30),
        ("date", "2000-02-29", on("2000-02-29")),
        ("boolean", False, False),
        ("choice", "hotel", "hotel"),
    ],
)
def test_an_attribute_of_any_type_is_what_was_stated(kind: str, value: Raw, read: Value) -> None:
    found = measured(kind, attribute("x"), stated(x={"2026-01-01": value}))

    assert found == read
    assert type(found) is type(read)


def test_an_attribute_never_stated_is_missing() -> None:
    assert measured("count", attribute("x")) is None
    assert measured("count", attribute("x"), stated(y={"2026-01-01": 5})) is None
    assert measured("count", attribute("x"), stated(x={"2026-07-01": 5})) is None


def test_the_last_statement_up_to_the_business_date_holds() -> None:
    client = stated(x={"2026-01-01": 1, "2026-06-30": 2, "2026-07-01": 3})

    assert measured("count", attribute("x"), client, on("2026-06-29")) == 1
    assert measured("count", attribute("x"), client, on("2026-06-30")) == 2
    assert measured("count", attribute("x"), client, on("2027-01-01")) == 3


def test_of_two_statements_on_one_day_the_later_holds() -> None:
    client = Client({"x": [Statement(TODAY, 1), Statement(TODAY, 2)]})

    assert measured("count", attribute("x"), client) == 2


@pytest.mark.parametrize(("good_for", "day", "value"), [
    (0, "2026-06-01", 5),
    (0, "2026-06-02", None),
    (30, "2026-07-01", 5),
    (30, "2026-07-02", None),
    (36525, "2100-01-01", 5),
])  # fmt: skip
def test_an_attribute_is_good_for_so_many_days_after_it_was_stated(
    good_for: int, day: str, value: int | None
) -> None:
    client = stated(x={"2026-06-01": 5})

    assert measured("count", attribute("x", good_for_days=good_for), client, on(day)) == value


def test_a_stale_statement_does_not_fall_back_on_an_older_one() -> None:
    client = stated(x={"2026-05-01": 5, "2026-06-01": 6})

    assert measured("count", attribute("x", good_for_days=10), client) is None


ENDED = {"2026-06-11": 5, "2026-06-21": None, "2026-06-29": 8}
"""Stated for ten days, then for eight not, then again."""


@pytest.mark.parametrize("good_for", [{}, {"good_for_days": 400}])
@pytest.mark.parametrize(("day", "value"), [
    ("2026-06-20", 5),
    ("2026-06-21", None),
    ("2026-06-28", None),
    ("2026-06-29", 8),
])  # fmt: skip
def test_an_attribute_is_missing_from_the_day_its_statement_ended(
    day: str, value: int | None, good_for: dict[str, Any]
) -> None:
    assert measured("count", attribute("x", **good_for), stated(x=ENDED), on(day)) == value


def test_a_statement_made_and_ended_on_one_day_was_never_in_force() -> None:
    client = Client({"x": [Statement(TODAY, 1), Statement(TODAY, None)]})

    assert measured("count", attribute("x"), client) is None
    assert measured("money", history(), client) is None


def test_a_stated_value_that_does_not_fit_the_metric_says_so() -> None:
    with pytest.raises(
        CannotMeasure, match="The metric x cannot be measured: 'farm' must be retail"
    ):
        measured("choice", attribute("x"), stated(x={"2026-01-01": "farm"}))


def history(aggregate: str = "daily_average", window: Document = MONTH) -> Document:
    return {
        "kind": "attribute_history",
        "attribute": "x",
        "aggregate": aggregate,
        "window": window,
    }


def test_a_balance_is_averaged_over_the_days_on_which_it_stood() -> None:
    client = stated(x={"2026-05-01": 100, "2026-06-11": 400})

    assert measured("money", history(), client) == 300
    assert measured("money", history(), client, on("2026-06-11")) == Fraction(1400, 11)
    assert measured("money", history("minimum"), client) == 100


def test_days_before_the_first_statement_are_left_out_of_an_average() -> None:
    assert measured("money", history(), stated(x={"2026-06-21": 100})) == 100


def test_a_balance_counts_as_it_stood_at_the_end_of_a_day() -> None:
    client = Client({"x": [Statement(on("2026-06-29"), 7), Statement(on("2026-06-29"), 100)]})

    assert measured("money", history("minimum"), client) == 100
    assert measured("money", history(), client) == 100


def test_a_balance_not_yet_stated_or_never_is_missing() -> None:
    for aggregate in ("daily_average", "minimum"):
        assert measured("money", history(aggregate)) is None
        assert measured("money", history(aggregate), stated(x={"2026-07-01": 5})) is None


def test_days_on_which_a_balance_was_no_longer_stated_are_left_out() -> None:
    client = stated(x=ENDED)

    assert measured("money", history(), client) == Fraction(10 * 5 + 2 * 8, 12)
    assert measured("money", history("minimum"), client) == 5
    assert measured("money", history(), client, on("2026-06-28")) == 5
    assert measured("money", history("minimum", {**WEEK, "n": 2}), client) == 8


def test_a_balance_that_was_not_stated_on_any_day_of_the_window_is_missing() -> None:
    for aggregate in ("daily_average", "minimum"):
        source = history(aggregate, {**WEEK, "n": 8})

        assert measured("money", source, stated(x=ENDED), on("2026-06-27")) == 5
        assert measured("money", source, stated(x=ENDED), on("2026-06-28")) is None


def test_a_balance_over_a_lifetime_begins_with_its_first_statement() -> None:
    client = stated(x={"2026-06-27": 0, "2026-06-30": 100})

    assert measured("money", history(window=LIFETIME), client) == 25


def test_only_what_stood_in_the_window_must_fit_the_metric() -> None:
    client = stated(x={"2026-01-01": "none", "2026-02-01": 5})

    assert measured("money", history(), client) == 5
    with pytest.raises(CannotMeasure):
        measured("money", history(window=LIFETIME), client)


# -- derivations -------------------------------------------------------------------------------


def derived(
    kind: str, source: Document, given_: dict[str, tuple[str, Value | None]], **parts: Any
) -> Value | None:
    """Return what a derivation comes to from stated metrics: key to type and value."""
    zero = parts.pop("zero", ())
    bases = [
        metric(key, of_type, missing="zero" if key in zero else "unknown")
        for key, (of_type, _) in given_.items()
    ]
    known = {key: value for key, (_, value) in given_.items()}
    return complete(policy(*bases, metric("x", kind, source, **parts)), known, TODAY).get("x")


def ratio(over: str = "a", under: str = "b") -> Document:
    return {"kind": "ratio", "numerator": over, "denominator": under}


def weighted(**weights: int | Decimal) -> Document:
    terms = [{"metric": key, "weight": weight} for key, weight in weights.items()]
    return {"kind": "weighted_sum", "terms": terms}


def change(measured_: str = "difference", of: str = "base") -> Document:
    return {"kind": "change", "metric": of, "measured": measured_}


def carry_over(cap: int | Decimal, **parts: Any) -> Document:
    return {"kind": "carry_over", "metric": "base", "cap": cap, **parts}


@pytest.mark.parametrize(
    ("kind", "parts", "over", "under", "value"),
    [
        ("decimal", {"places": 0}, ("count", 6), ("count", 3), 2),
        ("decimal", {"places": 2}, ("count", 1), ("count", 3), Fraction(100, 3)),
        ("decimal", {"unit": "percent"}, ("count", 3), ("count", 301), Fraction(30000, 301)),
        ("decimal", {"places": 2}, ("decimal", 480), ("count", 2), 240),
        ("decimal", {"places": 2}, ("count", 2), ("decimal", 50), 400),
        ("decimal", {"places": 2, "unit": "percent"}, ("money", 1), ("money", 4), 2500),
        ("money", {}, ("money", 1000), ("count", 3), Fraction(1000, 3)),
        ("money", {}, ("money", 1000), ("decimal", 250), 400),
        ("decimal", {"places": 2}, ("count", -1), ("days", 2), -50),
        ("decimal", {"places": 2}, ("count", 0), ("count", 2), 0),
    ],
)  # fmt: skip
def test_a_ratio_is_exact(
    kind: str,
    parts: dict[str, Any],
    over: tuple[str, Value],
    under: tuple[str, Value],
    value: Value,
) -> None:
    found = derived(kind, ratio(), {"a": over, "b": under}, **parts)

    assert found == value
    assert type(found) is type(value)


def test_three_of_three_hundred_and_one_is_less_than_one_percent() -> None:
    document = policy_document(
        [
            metric("cancelled", "count"),
            metric("orders", "count"),
            metric("share", "decimal", ratio("cancelled", "orders"), places=0, unit="percent"),
        ],
        [tier("gold", entry=condition("share", "less_than", 1))],
    )

    def tier_of(cancelled: int, orders: int) -> int:
        known = complete(load(document), {"cancelled": cancelled, "orders": orders}, TODAY)
        return Reference(load(document)).judge(known).tier

    assert tier_of(3, 301) == 1
    assert tier_of(3, 300) == 0


@pytest.mark.parametrize("missing", [{"a": None}, {"b": None}, {"b": 0}])
def test_a_ratio_with_a_part_missing_or_over_nought_is_missing(
    missing: dict[str, Value | None],
) -> None:
    parts: dict[str, tuple[str, Value | None]] = {
        key: ("count", value) for key, value in ({"a": 1, "b": 2} | missing).items()
    }

    assert derived("decimal", ratio(), parts) is None


def test_a_missing_part_that_counts_as_zero_is_nought_in_what_is_derived() -> None:
    parts: dict[str, tuple[str, Value | None]] = {"a": ("count", None), "b": ("count", 4)}

    assert derived("decimal", ratio(), parts, zero="a") == 0
    assert derived("decimal", ratio("b", "a"), parts, zero="a") is None
    assert derived("decimal", weighted(a=5, b=2), parts, zero="a") == 800
    assert derived("decimal", weighted(a=5, b=2), parts) is None


def test_a_weighted_sum_adds_real_and_potential_volume() -> None:
    parts: dict[str, tuple[str, Value | None]] = {"a": ("money", 1000), "b": ("money", 333)}

    assert derived("money", weighted(a=1, b=Decimal("0.3")), parts) == Fraction(10999, 10)
    assert derived("money", weighted(a=1, b=-1), parts) == 667


def test_a_weighted_sum_adds_numbers_of_different_places() -> None:
    parts: dict[str, tuple[str, Value | None]] = {"a": ("decimal", 480), "b": ("days", 3)}

    assert derived("decimal", weighted(a=10, b=Decimal("0.5")), parts, places=1) == 495


@pytest.mark.parametrize(
    ("since", "days"),
    [("2026-06-30", 0), ("2026-06-01", 29), ("2024-02-29", 852), ("2026-07-01", -1)],
)
def test_days_are_counted_since_a_date(since: str, days: int) -> None:
    source = {"kind": "days_since", "metric": "a"}

    assert derived("days", source, {"a": ("date", on(since))}) == days
    assert derived("days", source, {"a": ("date", None)}) is None


def over_months(
    kind: str, source: Document, client: Client, day: date = TODAY, **parts: Any
) -> Value | None:
    """Return what a derivation of this month's amounts comes to."""
    base = parts.pop("base", metric("base", "money", activities("sum", "amount", window=MONTH)))
    return measure(policy(base, metric("x", kind, source, **parts)), client, day).get("x")


MAY_AND_JUNE = Client(
    activities=[
        sale("2026-04-30", 9999),
        sale("2026-05-01", 100),
        sale("2026-05-15", 100),
        sale("2026-05-31", 200),
        sale("2026-06-01", 50),
        sale("2026-06-15", 100),
        sale("2026-06-30", 300),
    ]
)


@pytest.mark.parametrize(
    ("day", "difference", "percent"),
    [
        ("2026-06-30", 50, 1250),
        ("2026-06-29", -50, -2500),
        ("2026-06-14", -50, -5000),
        ("2026-05-31", -9599, Fraction(-9599, 9999) * 10_000),
    ],
)
def test_a_change_is_measured_against_the_same_part_of_the_period_before(
    day: str, difference: int, percent: Value
) -> None:
    assert over_months("money", change(), MAY_AND_JUNE, on(day)) == difference
    assert (
        over_months("decimal", change("percent"), MAY_AND_JUNE, on(day), unit="percent") == percent
    )


def test_a_change_against_nought_is_no_percentage() -> None:
    client = Client(activities=[sale("2026-06-30", 300)])

    assert over_months("money", change(), client) == 300
    assert over_months("decimal", change("percent"), client, unit="percent") is None


def test_a_change_against_less_than_nought_has_the_sign_of_its_direction() -> None:
    client = Client(activities=[sale("2026-05-15", -200), sale("2026-06-15", -100)])

    assert over_months("decimal", change("percent"), client, unit="percent") == 5000


@pytest.mark.parametrize(("missing", "value"), [("unknown", None), ("zero", 300)])
def test_a_change_from_a_missing_value_counts_it_as_its_metric_says(
    missing: str, value: int | None
) -> None:
    client = Client(activities=[sale("2026-06-30", 300)])
    base = metric("base", "money", activities("maximum", "amount", window=MONTH), missing=missing)

    assert over_months("money", change(), client, base=base) == value
    assert over_months("money", change(), client, on("2026-07-31"), base=base) == (
        None if value is None else -value
    )


def test_a_change_of_days_since_the_last_looks_from_the_end_of_the_window_before() -> None:
    base = metric("base", "days", activities("days_since_last", window=WEEK))
    client = Client(activities=[sale("2026-06-20"), sale("2026-06-29")])

    assert over_months("days", change(), client, base=base) == 1 - 3


def test_a_change_of_a_balance_compares_averages() -> None:
    base = metric("base", "money", history())
    client = stated(x={"2026-05-01": 100, "2026-06-16": 200})

    assert over_months("money", change(), client, base=base) == 50


@pytest.mark.parametrize(
    ("cap", "above", "value"),
    [(1000, 0, 400), (300, 0, 300), (1000, 150, 250), (1000, 500, 0), (0, 0, 0)],
)
def test_what_the_period_before_brought_is_carried_over_up_to_a_cap(
    cap: int, above: int, value: int
) -> None:
    assert over_months("money", carry_over(cap, above=above), MAY_AND_JUNE) == value
    assert (
        over_months("money", carry_over(cap, above=above), MAY_AND_JUNE, on("2026-06-01")) == value
    )


def test_less_than_nought_is_not_carried_over() -> None:
    client = Client(activities=[sale("2026-05-15", -200)])

    assert over_months("money", carry_over(1000), client) == 0


def test_nothing_known_is_not_carried_over() -> None:
    for missing, value in (("unknown", None), ("zero", 0)):
        base = metric(
            "base", "money", activities("maximum", "amount", window=MONTH), missing=missing
        )
        assert over_months("money", carry_over(5), Client(), base=base) == value


def test_what_is_derived_is_in_its_own_places_not_in_those_of_its_base() -> None:
    base = metric("base", "decimal", activities("sum", "quantity", window=MONTH), places=1)
    client = Client(
        activities=[sale("2026-05-15", quantity=Decimal("2.5")), sale("2026-06-15", quantity=4)]
    )

    assert over_months("decimal", change(), client, base=base, places=3) == 1500
    assert over_months("decimal", carry_over(9, above=Decimal("0.1")), client, base=base) == 240
    assert over_months("decimal", carry_over(Decimal("0.3")), client, base=base, places=0) == (
        Fraction(3, 10)
    )


def test_the_deepest_derivation_that_loads_is_measured() -> None:
    chain = [
        metric(f"m{number}", "decimal", weighted(**{f"m{number - 1}": 1}))
        for number in range(DEEPEST_DERIVATION, 0, -1)
    ]
    found = measure(policy(*chain, metric("m0", "decimal")), stated(m0={"2026-01-01": 5}), TODAY)

    assert set(found.values()) == {500}
    assert len(found) == DEEPEST_DERIVATION + 1


# -- standing, group and rank --------------------------------------------------------------------

SINCE_TIER: Document = {"kind": "since", "event": "tier"}
SINCE_GROUND: Document = {"kind": "since", "event": "ground"}
GRACE = Standing(
    "base", on("2026-03-31"), on("2026-06-29"), (Ground("base", on("2026-04-01"), None, "grace"),)
)


@pytest.mark.parametrize(
    ("window", "standing", "amount"),
    [
        (SINCE_TIER, GRACE, 250 - 50 + 7),
        (SINCE_GROUND, GRACE, -50 + 7),
        (SINCE_TIER, None, 7),
        (SINCE_GROUND, None, 7),
    ],
)
def test_a_window_since_the_tier_or_ground_begins_with_its_first_day(
    window: Document, standing: Standing | None, amount: int
) -> None:
    rules = policy(metric("x", "money", activities("sum", "amount", window=window)))

    assert measure(rules, SALES, TODAY, standing=standing) == {"x": amount}


def test_a_balance_since_the_tier_began_is_measured_from_then() -> None:
    source = {**history("minimum"), "window": SINCE_TIER}
    client = stated(x={"2026-01-01": 1, "2026-03-31": 5})

    assert measure(policy(metric("x", "money", source)), client, TODAY, standing=GRACE) == {"x": 5}


def test_what_the_standing_was_is_measured() -> None:
    held = metric("held", "choice", {"kind": "standing", "measure": "tier_held"})
    del held["options"]
    here = metric("here", "days", {"kind": "standing", "measure": "days_since_tier"})
    rules = policy(held, here)

    assert measure(rules, NOBODY, TODAY, standing=GRACE) == {"held": "base", "here": 91}
    assert measure(rules, NOBODY, TODAY) == {"held": "base", "here": 0}


def test_what_the_standing_was_can_be_stated_and_else_is_missing() -> None:
    here = metric("here", "days", {"kind": "standing", "measure": "days_since_tier"})
    lately = metric("lately", "count", activities("count", window=SINCE_TIER))
    rules = policy(here, lately)

    assert complete(rules, {}, TODAY) == {}
    assert complete(rules, {"here": 5, "lately": 2}, TODAY) == {"here": 5, "lately": 2}
    assert measure(rules, NOBODY, TODAY, {"here": 5}, GRACE) == {"here": 5, "lately": 0}


def pooled(
    client: Client, *others: Client, is_head: bool = True, goes_to: str = "members", **parts: Any
) -> Value | None:
    """Return what the sum of a group's sales comes to."""
    metrics = [
        metric("own", "money", activities("sum", "amount"), **parts),
        metric("x", "money", {"kind": "group", "metric": "own"}),
    ]
    rules = load(policy_document(metrics, groups={"tier_goes_to": goes_to}))
    group = Members(others, is_head=is_head) if others else None
    return measure(rules, replace(client, group=group), TODAY).get("x")


def spent(amount: int) -> Client:
    return Client(activities=[sale("2026-06-30", amount)])


def test_a_group_is_all_its_members_together() -> None:
    assert pooled(spent(1), spent(20), spent(300)) == 321
    assert pooled(NOBODY, spent(20)) == 20


def test_who_is_in_no_group_is_measured_alone() -> None:
    assert pooled(spent(1)) == pooled(spent(1), goes_to="head") == 1


def test_where_the_head_has_it_a_groups_metric_is_missing_for_everybody_else() -> None:
    assert pooled(spent(1), spent(20), goes_to="head", is_head=True) == 21
    assert pooled(spent(1), spent(20), goes_to="head", is_head=False) is None
    assert pooled(spent(1), spent(20), goes_to="members", is_head=False) == 21


@pytest.mark.parametrize(("missing", "value"), [("unknown", None), ("zero", 500)])
def test_a_groups_metric_is_missing_if_one_members_is_unless_that_counts_as_zero(
    missing: str, value: int | None
) -> None:
    own = metric("own", "decimal", attribute("potential"), missing=missing)
    rules = policy(own, metric("x", "decimal", {"kind": "group", "metric": "own"}))
    known = stated(potential={"2026-01-01": 5})

    for client, other in ((known, NOBODY), (NOBODY, known)):
        member = replace(client, group=Members([other], is_head=True))
        assert measure(rules, member, TODAY).get("x") == value


def test_a_groups_metric_is_in_its_own_places() -> None:
    own = metric("own", "decimal", attribute("potential"), places=1)
    rules = policy(own, metric("x", "decimal", {"kind": "group", "metric": "own"}, places=3))
    one, other = stated(potential={"2026-01-01": 5}), stated(potential={"2026-01-01": 2})

    assert measure(rules, replace(one, group=Members([other], is_head=True)), TODAY)["x"] == 7000


def test_a_fact_stated_of_a_client_counts_in_their_groups_metric() -> None:
    own = metric("own", "money", activities("sum", "amount"))
    rules = policy(own, metric("x", "money", {"kind": "group", "metric": "own"}))
    client = replace(spent(1), group=Members([spent(20)], is_head=True))

    assert measure(rules, client, TODAY, {"own": 500}) == {"own": 500, "x": 520}
    assert measure(rules, client, TODAY, {"x": 3}) == {"own": 1, "x": 3}
    assert complete(rules, {"own": 500}, TODAY) == {"own": 500}


def test_what_is_recorded_wrongly_of_another_member_is_not_told() -> None:
    own = metric("own", "decimal", attribute("potential"))
    rules = policy(own, metric("x", "decimal", {"kind": "group", "metric": "own"}))
    known, odd = stated(potential={"2026-01-01": 5}), stated(potential={"2026-01-01": "secret"})

    with pytest.raises(CannotMeasure) as refused:
        measure(rules, replace(known, group=Members([odd], is_head=True)), TODAY)

    assert str(refused.value) == (
        "The metric x cannot be measured: what is recorded of another member of the group does "
        "not fit it."
    )


def test_a_place_is_the_one_last_fixed_and_missing_until_then() -> None:
    place = metric("x", "decimal", {"kind": "rank", "metric": "own"}, unit="percent")
    rules = policy(metric("own", "money", activities("sum", "amount")), place)

    assert measure(rules, Client(ranks={"x": Fraction(5, 2)}), TODAY)["x"] == 250
    assert measure(rules, Client(ranks={"x": Fraction(100, 3)}), TODAY)["x"] == Fraction(10_000, 3)
    assert "x" not in measure(rules, Client(ranks={"y": Fraction(5)}), TODAY)


# -- stated facts ------------------------------------------------------------------------------

SHARE = policy(
    metric("cancelled", "count"),
    metric("orders", "count", activities("count", window=MONTH)),
    metric("share", "decimal", ratio("cancelled", "orders"), unit="percent"),
    metric("twice", "decimal", weighted(share=2)),
    metric("growth", "count", change(of="orders")),
)


def test_derivations_that_follow_from_stated_facts_are_added() -> None:
    assert complete(SHARE, {"cancelled": 1, "orders": 4}, TODAY) == {
        "cancelled": 1,
        "orders": 4,
        "share": 2500,
        "twice": 5000,
    }


def test_a_stated_fact_is_never_overruled_by_a_derivation() -> None:
    found = complete(SHARE, {"cancelled": 1, "orders": 4, "share": 100, "growth": -3}, TODAY)

    assert found == {"cancelled": 1, "orders": 4, "share": 100, "twice": 200, "growth": -3}


def test_a_fact_stated_as_missing_stays_missing() -> None:
    found = complete(SHARE, {"cancelled": 1, "orders": 4, "share": None}, TODAY)

    assert found == {"cancelled": 1, "orders": 4}


def test_facts_that_nothing_follows_from_are_returned_as_they_were_stated() -> None:
    assert complete(SHARE, {}, TODAY) == {}
    assert complete(SHARE, {"orders": 4, "cancelled": None}, TODAY) == {"orders": 4}


def test_measured_facts_say_the_same_again_when_they_are_stated() -> None:
    client = Client({"cancelled": [Statement(TODAY, 3)]}, [sale("2026-06-01"), sale("2026-05-01")])
    found = measure(SHARE, client, TODAY)

    assert found == {"cancelled": 3, "orders": 1, "share": 30_000, "twice": 60_000, "growth": 0}
    assert complete(SHARE, found, TODAY) == found


# -- against a naive recomputation -------------------------------------------------------------


def in_its_unit(value: Value | None, places: int) -> Fraction | date | None:
    return Fraction(value) / 10**places if isinstance(value, int | Fraction) else value  # type: ignore[return-value]  # no metric here is a text


@settings(max_examples=300)
@given(metrics(), clients, st.integers(0, 120))
def test_every_metric_comes_to_what_counting_it_naively_gives(
    documents: list[Document], client: Client, back: int
) -> None:
    today = LAST_DAY - timedelta(days=back)
    found = measure(policy(*documents), client, today)
    naive = Naive(documents, client, today)

    for each in documents:
        value = in_its_unit(found.get(each["key"]), each.get("places", 0))
        assert value == naive.value(each["key"]), each


SUMMABLE = ("sum", "count")


@given(metrics(), clients, st.lists(clients, max_size=3), st.booleans())
def test_a_group_comes_to_what_adding_its_members_up_naively_gives(
    documents: list[Document],
    client: Client,
    others: list[Client],
    is_head: bool,
) -> None:
    adding_up = [each for each in documents if each["source"].get("aggregate") in SUMMABLE]
    groups = [
        {**each, "key": f"all_{each['key']}", "source": {"kind": "group", "metric": each["key"]}}
        for each in adding_up
    ]
    member = replace(client, group=Members(others, is_head=is_head))
    found = measure(policy(*documents, *groups), member, LAST_DAY)
    naive = Naive([*documents, *groups], member, LAST_DAY)

    for each in [*documents, *groups]:
        value = in_its_unit(found.get(each["key"]), each.get("places", 0))
        assert value == naive.value(each["key"]), each


@given(metrics(), clients, days, st.none() | days)
def test_windows_since_the_standing_began_take_in_what_counting_naively_gives(
    documents: list[Document], client: Client, tier_began: date, ground_began: date | None
) -> None:
    windows = (SINCE_TIER, SINCE_GROUND)
    bases = [
        {**each, "source": {**each["source"], "window": windows[number % 2]}}
        for number, each in enumerate(documents)
        if "window" in each["source"]
    ]
    grounds = () if ground_began is None else (Ground("base", ground_began, None, "earned"),)
    standing = Standing("base", tier_began, LAST_DAY + DAYS_AHEAD, grounds)
    found = measure(policy(*bases), client, LAST_DAY, standing=standing)
    since = {"tier": tier_began, "ground": ground_began or tier_began}
    naive = Naive(bases, client, LAST_DAY, since)

    for each in bases:
        value = in_its_unit(found.get(each["key"]), each.get("places", 0))
        assert value == naive.value(each["key"]), each


DAYS_AHEAD = timedelta(days=5)
"""Some of what is drawn lies ahead of the last day, and a ground drawn may begin there."""


@given(metrics(), clients)
def test_what_is_measured_can_be_stated_and_completed_to_the_same(
    documents: list[Document], client: Client
) -> None:
    rules = policy(*documents)
    found = measure(rules, client, LAST_DAY)

    assert complete(rules, {**dict.fromkeys(rules.metrics), **found}, LAST_DAY) == found
