"""Until the day it is next due, an answer stays as it is, with nothing new recorded."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.document import load
from rules.due import next_due
from rules.explain import Explainer
from rules.judge import Judge
from rules.measure import Activity, Client, Members, Statement, measure
from rules.policy import Policy
from rules.windows import DAY
from tests.rules.builders import (
    LIFETIME,
    YEAR,
    Document,
    activities,
    attribute,
    condition,
    metric,
    policy,
    policy_document,
    tier,
)
from tests.rules.strategies import LAST_DAY, clients, derived_metrics, metrics, sources

TODAY = date(2026, 6, 30)
TOMORROW = TODAY + DAY
SALE = Activity("sale", TODAY, 100)
LATER = Activity("sale", TODAY + 9 * DAY, 100)
BETWEEN: Document = {"kind": "between", "from": "2026-01-01", "to": "2026-06-30"}
MONTH: Document = {"kind": "this", "unit": "month"}
QUARTER: Document = {"kind": "this", "unit": "quarter", "starts": "02-15"}
REVENUE = metric("revenue", "money", activities("sum", "amount"))


def stated(*days: date) -> Client:
    return Client({"balance": [Statement(day, number) for number, day in enumerate(days)]})


# -- whatever is measured ----------------------------------------------------------------------

still_windows = st.sampled_from([LIFETIME, BETWEEN])


@st.composite
def still_metrics(draw: st.DrawFn) -> list[Document]:
    """Draw metrics that mostly stay as they are from day to day, some derived from others."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        kind, source = draw(sources)
        found.append(metric(f"base{number}", kind, {**source, "window": draw(still_windows)}))
    lasting: Document = draw(st.sampled_from([{}, {"good_for_days": 9}]))
    found.append(metric("stated", "decimal", attribute("balance", **lasting), places=3))
    for number in range(draw(st.integers(0, 2))):
        found.append(draw(derived_metrics(f"derived{number}", found)))
    return found


@given(
    still_metrics() | metrics(),
    clients,
    st.integers(-5, 520).map(lambda back: LAST_DAY - back * DAY),
    st.data(),
)
def test_what_is_measured_stays_as_it_is_until_it_is_next_due(
    wanted: list[Document], client: Client, day: date, data: st.DataObject
) -> None:
    rules = policy(*wanted)
    due = next_due(rules, client, day)
    assert due is None or due > day
    last = (due or day + 600 * DAY) - DAY
    between = data.draw(st.dates(day, last))

    facts = measure(rules, client, day)

    for other in {between, last, min(day + DAY, last)}:
        assert measure(rules, client, other) == facts, other


# -- by example --------------------------------------------------------------------------------

MOVING: dict[str, Document] = {
    "a rolling window": metric("x", "count", activities("count", window=YEAR)),
    "this month": metric("x", "count", activities("count", window=MONTH)),
    "whole months before": metric(
        "x", "count", activities("count", window={"kind": "previous", "n": 2, "unit": "month"})
    ),
    "days since the last": metric("x", "days", activities("days_since_last")),
    "an average over the days": metric(
        "x",
        "decimal",
        {
            "kind": "attribute_history",
            "attribute": "balance",
            "aggregate": "daily_average",
            "window": LIFETIME,
        },
    ),
    "what is good for some days": metric("x", "count", attribute("balance", good_for_days=30)),
}
STILL: dict[str, Document] = {
    "all time": REVENUE,
    "between two dates": metric("x", "count", activities("count", window=BETWEEN)),
    "what is stated": metric("x", "count", attribute("balance")),
}


@pytest.mark.parametrize("moving", MOVING.values(), ids=MOVING)
def test_what_moves_by_itself_is_due_tomorrow(moving: Document) -> None:
    client = Client(stated(TODAY).statements, [SALE])

    assert next_due(policy(REVENUE, moving), client, TODAY) == TOMORROW


def test_days_since_a_stated_date_move_too() -> None:
    born = metric("born", "date")
    age = metric("age", "days", {"kind": "days_since", "metric": "born"})
    client = Client({"born": [Statement(TODAY, "1980-02-29")]})

    assert next_due(policy(born), client, TODAY) is None
    assert next_due(policy(born, age), client, TODAY) == TOMORROW


@pytest.mark.parametrize("still", STILL.values(), ids=STILL)
def test_what_stays_is_due_when_something_recorded_ahead_comes_true(still: Document) -> None:
    rules, past = policy(still), stated(TODAY).statements

    assert next_due(rules, Client(past, [SALE]), TODAY) is None
    assert next_due(rules, Client(past, [SALE, LATER]), TODAY) == LATER.day
    assert next_due(rules, Client(past, [SALE, LATER]), LATER.day - DAY) == LATER.day
    assert next_due(rules, Client(past, [SALE, LATER]), LATER.day) is None


@pytest.mark.parametrize("each", [*MOVING.values(), *STILL.values()], ids=[*MOVING, *STILL])
def test_what_is_all_ahead_is_due_when_the_first_of_it_comes_true(each: Document) -> None:
    rules = policy(each)
    soon, late = TODAY + 3 * DAY, TODAY + 20 * DAY
    first = min(soon, date(2026, 7, 1)) if each["source"].get("window") == MONTH else soon

    assert next_due(rules, stated(soon, late), TODAY) == first
    assert next_due(rules, Client(stated(late).statements, [SALE]), TODAY - 3 * DAY) == TODAY


def test_a_statement_ahead_is_due_on_its_day() -> None:
    rules = policy(metric("x", "count", attribute("balance")))

    assert next_due(rules, stated(TODAY, TODAY + 5 * DAY), TODAY) == TODAY + 5 * DAY


@pytest.mark.parametrize("client", [Client(), Client({"balance": []})])
def test_of_whom_nothing_is_recorded_nothing_is_due_by_itself(client: Client) -> None:
    moving = [each for each in MOVING.values() if each["source"].get("window") != MONTH]

    for each in [*moving, *STILL.values()]:
        assert next_due(policy(each), client, TODAY) is None


# -- standing, group and rank ------------------------------------------------------------------

AGEING: dict[str, Document] = {
    "a standing": metric("x", "days", {"kind": "standing", "measure": "days_since_tier"}),
    "a rank": metric("x", "decimal", {"kind": "rank", "metric": "revenue"}, unit="percent"),
}


@pytest.mark.parametrize("each", AGEING.values(), ids=AGEING)
def test_a_standing_and_a_rank_are_due_tomorrow_whatever_is_recorded(each: Document) -> None:
    assert next_due(policy(REVENUE, each), Client(), TODAY) == TOMORROW


def test_a_window_since_the_tier_is_due_tomorrow_where_there_is_anything_to_measure() -> None:
    since = {"kind": "since", "event": "tier"}
    rules = policy(metric("x", "count", activities("count", window=since)))

    assert next_due(rules, Client(activities=[SALE]), TODAY) == TOMORROW
    assert next_due(rules, Client(), TODAY) is None


def test_what_is_recorded_of_other_members_is_due_as_the_clients_own_is() -> None:
    together = metric("together", "money", {"kind": "group", "metric": "revenue"})
    still = policy(REVENUE, together)
    moving = policy(MOVING_SUM, {**together, "source": {"kind": "group", "metric": "moving"}})
    member = Client(group=Members([Client(activities=[SALE, LATER])], is_head=True))

    assert next_due(still, member, TODAY) == LATER.day
    assert next_due(still, member, LATER.day) is None
    assert next_due(moving, member, TODAY) == TOMORROW
    assert next_due(moving, Client(), TODAY) is None


MOVING_SUM = metric("moving", "money", activities("sum", "amount", window=YEAR))


# -- what is told of days ----------------------------------------------------------------------


def explained(rules: Policy, day: date) -> object:
    judge, facts = Judge(rules), measure(rules, Client(), day)
    return Explainer(judge).explain(facts, judge.judge(facts), day)


def test_an_answer_that_names_the_last_day_of_a_period_is_good_no_longer() -> None:
    rules = load(
        policy_document(
            [
                metric("bought", "count", activities("count", window=QUARTER)),
                metric("spent", "money", activities("sum", "amount", window=QUARTER)),
            ],
            [tier("gold", entry=condition("bought", "at_least", 5))],
        )
    )
    due = next_due(rules, Client(), TODAY)

    assert due == date(2026, 8, 15)
    assert explained(rules, due - DAY) == explained(rules, TODAY)
    assert explained(rules, due) != explained(rules, TODAY)
