"""Random clients, and random metrics to be measured for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from rules.measure import Activity, Client, Statement
from tests.rules.builders import LIFETIME, Document, activities, metric

LAST_DAY = date(2026, 6, 30)

# -- clients -----------------------------------------------------------------------------------

days = st.integers(-3, 500).map(lambda back: LAST_DAY - timedelta(days=back))
decimals = st.integers(-2000, 2000).map(lambda steps: Decimal(steps) / 1000)
activity_attributes = st.fixed_dictionaries(
    {}, optional={"stars": decimals | st.integers(-5, 5), "gift": st.booleans()}
)
some_activities = st.builds(
    Activity,
    kind=st.sampled_from(["sale", "sale", "order"]),
    day=days,
    amount=st.none() | st.integers(-1000, 1000),
    quantity=st.none() | st.integers(-5, 5) | decimals,
    product=st.none() | st.sampled_from(["tea", "cup"]),
    channel=st.none() | st.sampled_from(["shop", "hotel"]),
    attributes=activity_attributes,
)
stated = decimals | st.integers(-5, 5) | st.none()
histories = st.lists(st.builds(Statement, days, stated), max_size=6).map(
    lambda found: sorted(found, key=lambda statement: statement.day)
)
clients = st.builds(
    Client,
    statements=st.fixed_dictionaries({}, optional={"balance": histories}),
    activities=st.lists(some_activities, max_size=25),
)

# -- windows and filters -----------------------------------------------------------------------

units = st.sampled_from(["month", "quarter", "half_year", "year"])
windows = st.one_of(
    st.builds(lambda n: {"kind": "rolling", "n": n, "unit": "days"}, st.integers(1, 200)),
    st.builds(lambda unit: {"kind": "this", "unit": unit}, units),
    st.builds(lambda n, unit: {"kind": "previous", "n": n, "unit": unit}, st.integers(1, 3), units),
    st.builds(
        lambda one, other: {
            "kind": "between",
            "from": min(one, other).isoformat(),
            "to": max(one, other).isoformat(),
        },
        days,
        days,
    ),
    st.just(LIFETIME),
)
COMPARABLE = ("rolling", "this", "previous")
"""The windows that have one before them."""


def where(
    field: str, operator: str, values: st.SearchStrategy[object]
) -> st.SearchStrategy[Document]:
    return values.map(lambda value: {"field": field, "operator": operator, "value": value})


filters = st.one_of(
    where("channel", "is", st.sampled_from(["shop", "hotel"])),
    where("product", "none_of", st.just(["tea"])),
    where("amount", "at_least", st.integers(-9, 9)),
    where("amount", "less_than", st.integers(-9, 9)),
    where("quantity", "less_than", decimals),
    where("attribute:gift", "is", st.booleans()),
)

# -- metrics -----------------------------------------------------------------------------------

MEASURING = st.sampled_from(["sum", "average", "minimum", "maximum"])
BALANCE = {"kind": "attribute_history", "attribute": "balance"}
sources: st.SearchStrategy[tuple[str, Document]] = st.one_of(
    MEASURING.map(lambda one: ("money", activities(one, "amount"))),
    MEASURING.map(lambda one: ("decimal", activities(one, "quantity"))),
    MEASURING.map(lambda one: ("decimal", activities(one, "attribute:stars"))),
    st.sampled_from(
        ["count", "distinct_products", "weeks_with", "months_with", "quarters_with"]
    ).map(lambda one: ("count", activities(one))),
    st.sampled_from(["days_with", "days_since_last"]).map(lambda one: ("days", activities(one))),
    st.sampled_from(["first_date", "last_date"]).map(lambda one: ("date", activities(one))),
    st.sampled_from(["daily_average", "minimum"]).map(
        lambda one: ("decimal", {**BALANCE, "aggregate": one})
    ),
)


@st.composite
def base_metrics(draw: st.DrawFn, key: str) -> Document:
    """Draw a metric of activities or of a balance."""
    kind, source = draw(sources)
    source = {**source, "window": draw(windows)}
    if source["kind"] == "activities":
        source["kinds"] = draw(st.sampled_from([["sale"], ["sale", "order"]]))
        source["where"] = draw(st.lists(filters, max_size=2))
    zero = [] if kind == "date" else ["zero"]
    return _metric(draw, key, kind, source, missing=draw(st.sampled_from(["unknown", *zero])))


@st.composite
def derived_metrics(draw: st.DrawFn, key: str, bases: Sequence[Document]) -> Document:
    """Draw a metric derived from some of the others that have what it takes."""
    numbers = [each for each in bases if each["type"] != "date"]
    money = [each for each in numbers if each["type"] == "money"]
    plain = [each for each in numbers if each["type"] != "money"]
    within = {each["key"]: each["source"].get("window", LIFETIME)["kind"] for each in bases}
    possible = {
        "days_since": [each for each in bases if each["type"] == "date"],
        "ratio": numbers,
        "weighted_sum": money or plain,
        "change": [each for each in numbers if within[each["key"]] in COMPARABLE],
        "carry_over": [each for each in numbers if within[each["key"]] == "this"],
    }
    kind = draw(st.sampled_from([kind for kind, found in possible.items() if found]))
    one, other = (draw(st.sampled_from(possible[kind])) for _ in range(2))
    source: Document = {"kind": kind, "metric": one["key"]}
    match kind:
        case "days_since":
            return _metric(draw, key, "days", source)
        case "ratio":
            ratio = {"kind": kind, "numerator": one["key"], "denominator": other["key"]}
            if one in money and other not in money:
                return _metric(draw, key, "money", ratio)
            return _metric(draw, key, "decimal", ratio, **draw(IN_PERCENT))
        case "weighted_sum":
            keys = {one["key"], other["key"]}
            terms = [{"metric": each, "weight": draw(decimals)} for each in sorted(keys)]
            type_ = "money" if money else "decimal"
            return _metric(draw, key, type_, {"kind": kind, "terms": terms})
        case "change":
            percent = draw(IN_PERCENT)
            measured = "percent" if percent else "difference"
            type_ = "decimal" if percent else one["type"]
            return _metric(draw, key, type_, {**source, "measured": measured}, **percent)
        case _:
            amounts = {"cap": draw(st.integers(0, 9)), "above": draw(st.integers(0, 3))}
            return _metric(draw, key, one["type"], {**source, **amounts})


IN_PERCENT: st.SearchStrategy[dict[str, str]] = st.sampled_from([{}, {"unit": "percent"}])


def _metric(draw: st.DrawFn, key: str, kind: str, source: Document, **parts: str) -> Document:
    places = {"places": draw(st.integers(0, 4))} if kind == "decimal" else {}
    return metric(key, kind, source, **{"missing": "unknown", **places, **parts})


@st.composite
def metrics(draw: st.DrawFn) -> list[Document]:
    """Draw metrics, some derived from others."""
    found = [draw(base_metrics(f"base{number}")) for number in range(draw(st.integers(1, 4)))]
    for number in range(draw(st.integers(0, 4))):
        found.append(draw(derived_metrics(f"derived{number}", found)))
    return found
