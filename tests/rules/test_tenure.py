"""Since when a client stands as they do, by example and against looking at every day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy import OfStanding
from rules.standing import Cause, Ground, Standing
from rules.tenure import began, tenure
from rules.vocabulary import Value
from tests.rules.standings import ladder, tier

POLICY = ladder(tier("silver"), tier("gold"))
TODAY = date(2026, 3, 1)
DAY = timedelta(days=1)
DAYS = OfStanding("days_at_or_above", "silver")
YEARS = OfStanding("years_at_or_above", "silver")
UNBROKEN = OfStanding("days_at_or_above", "silver", unbroken=True)


def ground(tier_: str, first: str, last: str | None = None, cause: Cause = "earned") -> Ground:
    end = None if last is None else date.fromisoformat(last)
    return Ground(tier_, date.fromisoformat(first), end, cause)


def stands(*grounds: Ground, tier_: str = "silver", since: str = "2026-01-01") -> Standing:
    return Standing(tier_, date.fromisoformat(since), TODAY - DAY, grounds)


def found(
    source: OfStanding, *grounds: Ground, on: date = TODAY, tier_: str = "silver"
) -> Value | None:
    return tenure(POLICY, source, stands(*grounds, tier_=tier_), on)


# -- who is new --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [DAYS, UNBROKEN, YEARS, OfStanding("days_since_tier"), OfStanding("days_since_ground")],
    ids=lambda source: f"{source.measure} {source.unbroken}",
)
def test_who_is_new_holds_the_lowest_tier_since_the_date(source: OfStanding) -> None:
    assert tenure(POLICY, OfStanding("tier_held"), None, TODAY) == "base"
    assert tenure(POLICY, source, None, TODAY) == 0


@pytest.mark.parametrize("event", ["tier", "ground"])
def test_for_who_is_new_everything_begins_on_the_date(event: Literal["tier", "ground"]) -> None:
    assert began(event, None, TODAY) == TODAY


# -- tier and ground ---------------------------------------------------------------------------


def test_the_tier_held_is_that_of_the_standing() -> None:
    assert found(OfStanding("tier_held"), tier_="gold") == "gold"


def test_a_tier_that_is_no_more_is_none() -> None:
    assert found(OfStanding("tier_held"), tier_="iron") is None


def test_the_tier_began_when_it_was_last_reached() -> None:
    assert found(OfStanding("days_since_tier")) == 31 + 28


def test_the_ground_is_the_one_that_ends_last_and_grace_only_for_want() -> None:
    earned = ground("silver", "2026-01-01", "2026-06-30")
    longer = ground("silver", "2026-02-01", "2026-07-31", "landing")
    grace = ground("silver", "2026-02-11", cause="grace")

    assert began("ground", stands(earned), TODAY) == date(2026, 1, 1)
    assert began("ground", stands(earned, longer, grace), TODAY) == date(2026, 2, 1)
    assert began("ground", stands(grace), TODAY) == date(2026, 2, 11)


def test_the_ground_is_that_of_the_day_before_also_where_it_has_ended_since() -> None:
    earned = ground("silver", "2026-01-15", "2026-02-28")

    assert began("ground", stands(earned), TODAY) == date(2026, 1, 15)


def test_the_lowest_tier_has_no_ground_and_its_own_beginning_counts() -> None:
    lowest = stands(tier_="base", since="2026-02-27")

    assert tenure(POLICY, OfStanding("days_since_ground"), lowest, TODAY) == 2


# -- days and years ----------------------------------------------------------------------------


def test_days_are_counted_up_to_the_day_before() -> None:
    assert found(DAYS, ground("silver", "2026-02-01")) == 28
    assert found(DAYS, ground("silver", "2026-02-01", "2026-02-02")) == 2
    assert found(DAYS, ground("silver", "2026-03-01")) == 0


def test_a_higher_tier_counts_and_a_lower_one_does_not() -> None:
    gold = ground("gold", "2026-02-01")

    assert found(DAYS, gold) == 28
    assert found(OfStanding("days_at_or_above", "gold"), ground("silver", "2026-02-01")) == 0


def test_a_tier_that_is_no_more_counts_for_nothing() -> None:
    assert found(DAYS, ground("iron", "2026-02-01")) == 0


def test_a_day_on_two_grounds_is_counted_once() -> None:
    assert found(DAYS, ground("silver", "2026-02-01"), ground("gold", "2026-02-15")) == 28


@pytest.mark.parametrize(("cause", "days"), [("lifetime", 28), ("grace", 0), ("landing", 0)])
def test_only_what_is_earned_or_for_life_counts(cause: Cause, days: int) -> None:
    assert found(DAYS, ground("silver", "2026-02-01", cause=cause)) == days


def test_a_break_is_left_out_of_the_whole_and_ends_what_is_unbroken() -> None:
    grounds = ground("silver", "2026-01-01", "2026-01-31"), ground("silver", "2026-02-02")

    assert found(DAYS, *grounds) == 31 + 27
    assert found(UNBROKEN, *grounds) == 27
    assert found(UNBROKEN, grounds[0]) == 0


def test_grounds_that_touch_are_no_break() -> None:
    grounds = ground("silver", "2026-01-01", "2026-01-31"), ground("gold", "2026-02-01")

    assert found(UNBROKEN, *grounds) == 31 + 28


@pytest.mark.parametrize(
    ("first", "on", "years"),
    [
        ("2024-02-29", "2025-02-27", 0),
        ("2024-02-29", "2025-02-28", 1),
        ("2023-03-01", "2025-02-28", 1),
        ("2023-03-01", "2025-03-01", 2),
        ("2026-03-01", "2026-03-01", 0),
    ],
)
def test_a_year_is_over_on_its_anniversary(first: str, on: str, years: int) -> None:
    assert found(YEARS, ground("silver", first), on=date.fromisoformat(on)) == years


# -- against looking at every day --------------------------------------------------------------

days = st.integers(0, 1500).map(lambda back: TODAY - back * DAY)
lengths = st.none() | st.integers(0, 900)
grounds = st.builds(
    lambda tier_, first, length, cause: Ground(
        tier_, first, None if length is None else first + length * DAY, cause
    ),
    st.sampled_from(["silver", "gold"]),
    days,
    lengths,
    st.sampled_from(["earned", "earned", "grace", "landing", "lifetime"]),
)


@given(
    st.lists(grounds, max_size=6), st.sampled_from(["silver", "gold"]), st.booleans(), st.booleans()
)
def test_days_and_years_are_what_counting_every_day_gives(
    held: list[Ground],
    at_least: str,
    unbroken: bool,
    years: bool,
) -> None:
    causes = ("earned", "lifetime")
    enough = ("silver", "gold") if at_least == "silver" else ("gold",)
    counted = []
    for back in range(1, 1600):
        day = TODAY - back * DAY
        if any(each.holds(day) for each in held if each.tier in enough and each.cause in causes):
            counted.append(day)
        elif unbroken:
            break
    measure: Literal["years_at_or_above", "days_at_or_above"] = (
        "years_at_or_above" if years else "days_at_or_above"
    )
    value = tenure(POLICY, OfStanding(measure, at_least, unbroken), stands(*held), TODAY)

    if not years:
        assert value == len(counted)
    else:
        assert isinstance(value, int)
        end = min(counted, default=TODAY) + len(counted) * DAY
        assert _years_later(min(counted, default=TODAY), value) <= end
        assert _years_later(min(counted, default=TODAY), value + 1) > end


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
