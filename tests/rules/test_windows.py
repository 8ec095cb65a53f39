"""Which days a window takes in, checked against walking the calendar day by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rules.policy import Between, Lifetime, Period, Previous, Rolling, Since, This
from rules.windows import (
    DAY,
    Span,
    add_months,
    last_day,
    local_day,
    preceding,
    span,
    whole_period_before,
)

LENGTHS: dict[Period, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
KYIV, NEW_YORK = ZoneInfo("Europe/Kyiv"), ZoneInfo("America/New_York")


def on(text: str) -> date:
    return date.fromisoformat(text)


def days(text: str) -> Span:
    """Read ``2026-01-01 … 2026-02-01``: from the one day up to, not including, the other."""
    first, end = text.split(" … ")
    return Span(on(first) if first else None, on(end))


# -- windows by example ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "day", "expected"),
    [
        (Lifetime(), "2026-06-30", " … 2026-07-01"),
        # rolling windows end with the business date
        (Rolling(1, "days"), "2026-06-30", "2026-06-30 … 2026-07-01"),
        (Rolling(30, "days"), "2026-03-01", "2026-01-31 … 2026-03-02"),
        (Rolling(2, "weeks"), "2026-01-05", "2025-12-23 … 2026-01-06"),
        (Rolling(12, "months"), "2026-06-30", "2025-07-01 … 2026-07-01"),
        (Rolling(12, "months"), "2026-02-28", "2025-03-01 … 2026-03-01"),
        (Rolling(1, "months"), "2026-03-30", "2026-02-28 … 2026-03-31"),
        (Rolling(1, "months"), "2024-03-30", "2024-02-29 … 2024-03-31"),
        (Rolling(1, "months"), "2026-03-29", "2026-02-28 … 2026-03-30"),
        (Rolling(1, "months"), "2026-03-31", "2026-03-01 … 2026-04-01"),
        (Rolling(3, "months"), "2026-05-30", "2026-02-28 … 2026-05-31"),
        (Rolling(1, "years"), "2024-02-28", "2023-02-28 … 2024-02-29"),
        (Rolling(1, "years"), "2024-02-29", "2023-03-01 … 2024-03-01"),
        (Rolling(4, "years"), "2024-02-28", "2020-02-29 … 2024-02-29"),
        (Rolling(100, "years"), "2000-02-28", "1900-02-28 … 2000-02-29"),
        # the period the business date lies in, so far
        (This("month"), "2026-06-01", "2026-06-01 … 2026-06-02"),
        (This("month"), "2024-02-29", "2024-02-01 … 2024-03-01"),
        (This("quarter"), "2026-06-30", "2026-04-01 … 2026-07-01"),
        (This("half_year"), "2026-06-30", "2026-01-01 … 2026-07-01"),
        (This("half_year"), "2026-07-01", "2026-07-01 … 2026-07-02"),
        (This("year"), "2026-12-31", "2026-01-01 … 2027-01-01"),
        (This("year", (4, 6)), "2026-04-05", "2025-04-06 … 2026-04-06"),
        (This("year", (4, 6)), "2026-04-06", "2026-04-06 … 2026-04-07"),
        (This("quarter", (4, 6)), "2026-04-05", "2026-01-06 … 2026-04-06"),
        (This("half_year", (4, 6)), "2026-10-06", "2026-10-06 … 2026-10-07"),
        (This("month", (4, 6)), "2026-01-05", "2025-12-06 … 2026-01-06"),
        (This("month", (1, 31)), "2026-03-30", "2026-02-28 … 2026-03-31"),
        (This("month", (1, 31)), "2026-03-31", "2026-03-31 … 2026-04-01"),
        (This("month", (1, 31)), "2024-02-29", "2024-02-29 … 2024-03-01"),
        (This("quarter", (1, 31)), "2026-04-30", "2026-04-30 … 2026-05-01"),
        (This("year", (1, 31)), "2026-01-30", "2025-01-31 … 2026-01-31"),
        (This("year", (12, 31)), "2026-12-30", "2025-12-31 … 2026-12-31"),
        # whole periods before
        (Previous(1, "month"), "2026-03-31", "2026-02-01 … 2026-03-01"),
        (Previous(3, "month"), "2026-01-15", "2025-10-01 … 2026-01-01"),
        (Previous(1, "quarter"), "2026-01-01", "2025-10-01 … 2026-01-01"),
        (Previous(5, "quarter"), "2026-06-30", "2025-01-01 … 2026-04-01"),
        (Previous(1, "half_year"), "2026-06-30", "2025-07-01 … 2026-01-01"),
        (Previous(2, "year"), "2026-06-30", "2024-01-01 … 2026-01-01"),
        (Previous(1, "year", (4, 6)), "2026-04-05", "2024-04-06 … 2025-04-06"),
        (Previous(1, "month", (1, 31)), "2026-03-31", "2026-02-28 … 2026-03-31"),
        (Previous(2, "quarter", (1, 31)), "2026-04-30", "2025-10-31 … 2026-04-30"),
        # between two dates, both included
        (Between(on("2026-01-01"), on("2026-03-31")), "2026-06-30", "2026-01-01 … 2026-04-01"),
        (Between(on("2026-01-01"), on("2026-03-31")), "2026-03-31", "2026-01-01 … 2026-04-01"),
        (Between(on("2026-01-01"), on("2026-03-31")), "2026-02-01", "2026-01-01 … 2026-02-02"),
        (Between(on("2026-01-01"), on("2026-01-01")), "2026-01-01", "2026-01-01 … 2026-01-02"),
        (Between(on("2026-01-01"), on("2026-03-31")), "2025-12-31", "2026-01-01 … 2026-01-01"),
        (Between(on("2026-01-01"), on("2026-03-31")), "2025-06-30", "2026-01-01 … 2026-01-01"),
    ],
)
def test_a_window_takes_in_these_days(
    window: Lifetime | Rolling | This | Previous | Between, day: str, expected: str
) -> None:
    assert span(window, on(day)) == days(expected)


def test_a_window_since_the_standing_began_cannot_be_measured_without_one() -> None:
    with pytest.raises(ValueError, match="needs a standing"):
        span(Since("tier"), on("2026-06-30"))


def test_a_span_has_its_first_day_and_not_its_end() -> None:
    january = days("2026-01-01 … 2026-02-01")

    assert on("2026-01-01") in january
    assert on("2026-01-31") in january
    assert on("2025-12-31") not in january
    assert on("2026-02-01") not in january
    assert on("1900-01-01") in days(" … 2026-02-01")
    assert on("2026-02-01") not in days(" … 2026-02-01")


@pytest.mark.parametrize(
    ("window", "day", "expected"),
    [
        (Rolling(30, "days"), "2026-06-30", "2026-05-02 … 2026-06-01"),
        (Rolling(1, "months"), "2026-03-30", "2026-01-31 … 2026-02-28"),
        (Rolling(1, "years"), "2026-06-30", "2024-07-01 … 2025-07-01"),
        (Previous(1, "quarter"), "2026-06-30", "2025-10-01 … 2026-01-01"),
        (Previous(2, "month"), "2026-03-31", "2025-11-01 … 2026-01-01"),
        # a period that still runs is compared with the same part of the one before
        (This("year"), "2026-06-30", "2025-01-01 … 2025-07-01"),
        (This("quarter"), "2026-04-01", "2026-01-01 … 2026-01-02"),
        (This("month"), "2026-03-15", "2026-02-01 … 2026-02-16"),
        (This("month"), "2026-03-30", "2026-02-01 … 2026-02-28"),
        (This("half_year", (4, 6)), "2026-04-06", "2025-10-06 … 2025-10-07"),
        # and once it is over with the whole one before
        (This("month"), "2026-03-31", "2026-02-01 … 2026-03-01"),
        (This("month"), "2026-02-28", "2026-01-01 … 2026-02-01"),
        (This("year"), "2024-12-31", "2023-01-01 … 2024-01-01"),
        (This("month", (1, 31)), "2026-04-29", "2026-02-28 … 2026-03-31"),
        (This("quarter", (11, 30)), "2026-02-27", "2025-08-30 … 2025-11-30"),
    ],
)
def test_a_window_is_compared_with_the_one_before_it(
    window: Rolling | This | Previous, day: str, expected: str
) -> None:
    assert preceding(window, on(day)) == days(expected)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (This("month"), "2026-05-01 … 2026-06-01"),
        (This("year", (4, 6)), "2025-04-06 … 2026-04-06"),
        (This("month", (1, 31)), "2026-04-30 … 2026-05-31"),
    ],
)
def test_the_whole_period_before_is_all_of_it(window: This, expected: str) -> None:
    assert whole_period_before(window, on("2026-06-15")) == days(expected)


@pytest.mark.parametrize(
    ("window", "day", "expected"),
    [
        (This("month"), "2026-02-01", "2026-02-28"),
        (This("quarter"), "2026-06-30", "2026-06-30"),
        (This("year", (4, 6)), "2026-04-06", "2027-04-05"),
        (This("month", (1, 31)), "2024-01-31", "2024-02-28"),
        (Between(on("2026-01-01"), on("2026-03-31")), "2026-02-01", "2026-03-31"),
        (Between(on("2026-01-01"), on("2026-03-31")), "2027-02-01", "2026-03-31"),
    ],
)
def test_a_run_of_a_window_has_a_last_day(window: This | Between, day: str, expected: str) -> None:
    assert last_day(window, on(day)) == on(expected)


@pytest.mark.parametrize("window", [Lifetime(), Rolling(1, "days"), Previous(1, "year")])
def test_a_window_that_moves_every_day_has_no_last_day(
    window: Lifetime | Rolling | Previous,
) -> None:
    assert last_day(window, on("2026-06-30")) is None


# -- windows by walking ------------------------------------------------------------------------

some_dates = st.dates(on("1899-01-01"), on("2104-12-31"))
business_dates = some_dates | st.builds(
    lambda day, by: day.replace(day=1) + by * DAY, some_dates, st.integers(-4, 1)
)
"""Any dates, every other near the end of a month, where months differ."""

days_of_every_year = st.sampled_from([(1, 1), (4, 6), (1, 31), (11, 30), (2, 28)]) | st.dates(
    on("2001-01-01"), on("2001-12-31")
).map(lambda day: (day.month, day.day))
units: st.SearchStrategy[Period] = st.sampled_from(get_args(Period))
this_windows = st.builds(This, units, days_of_every_year)


def months_before(day: date, months: int) -> date:
    """Step back month by month; only at the end look for a day that exists."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    for shorter in range(4):
        try:
            return date(year, month, day.day - shorter)
        except ValueError:
            continue
    raise AssertionError("no month is shorter by four days")


def begins(day: date, unit: Period, starts: tuple[int, int]) -> bool:
    """Tell whether a period begins on a day, the month's last standing in for one it has not."""
    month, wanted = starts
    in_step = (day.month - month) % LENGTHS[unit] == 0
    is_last = (day + DAY).month != day.month
    return in_step and (day.day == wanted or (is_last and day.day < wanted))


def beginnings(day: date, unit: Period, starts: tuple[int, int]) -> Iterator[date]:
    """Walk back from a day and yield each on which a period begins."""
    while True:
        if begins(day, unit, starts):
            yield day
        day -= DAY


@given(business_dates, st.integers(1, 800))
def test_rolling_days_and_weeks_are_counted_back_from_the_business_date(day: date, n: int) -> None:
    counted = [day - timedelta(days=back) for back in range(n)]
    window = span(Rolling(n, "days"), day)

    assert (window.first, window.end) == (counted[-1], day + DAY)
    assert span(Rolling(n, "weeks"), day) == span(Rolling(7 * n, "days"), day)


@given(business_dates, st.integers(1, 60))
@example(on("2024-02-28"), 12)
@example(on("2024-02-29"), 12)
@example(on("2026-03-30"), 1)
def test_rolling_months_begin_so_many_months_before_tomorrow(day: date, n: int) -> None:
    first = months_before(day + DAY, n)

    assert span(Rolling(n, "months"), day) == Span(first, day + DAY)
    assert span(Rolling(n, "years"), day) == span(Rolling(12 * n, "months"), day)


@given(business_dates, this_windows)
@example(on("2024-02-29"), This("month", (1, 31)))
def test_this_period_began_on_the_last_day_on_which_one_begins(day: date, window: This) -> None:
    first = next(beginnings(day, window.unit, window.starts))

    assert span(window, day) == Span(first, day + DAY)


@given(business_dates, this_windows, st.integers(1, 3))
@example(on("2026-03-31"), This("month", (12, 31)), 2)
def test_the_previous_periods_are_as_many_whole_ones(day: date, window: This, n: int) -> None:
    walk = beginnings(day, window.unit, window.starts)
    end, *firsts = [next(walk) for _ in range(n + 1)]

    previous = span(Previous(n, window.unit, window.starts), day)
    assert previous == Span(firsts[-1], end)
    if n == 1:
        assert whole_period_before(window, day) == previous


@given(business_dates, this_windows)
def test_periods_follow_each_other_without_gap_or_overlap(day: date, window: This) -> None:
    running, before = span(window, day), whole_period_before(window, day)

    assert before.end == running.first
    assert span(window, before.end - DAY) == before
    assert last_day(window, day) == last_day(window, last_day(window, day) or day)
    assert (
        span(window, (last_day(window, day) or day) + DAY).first
        == (last_day(window, day) or day) + DAY
    )


@given(business_dates, this_windows, st.integers(2, 12))
def test_several_previous_periods_are_one_after_the_other(day: date, window: This, n: int) -> None:
    several = span(Previous(n, window.unit, window.starts), day)
    one_by_one = []
    for _ in range(n):
        one_by_one.append(whole_period_before(window, day))
        day = one_by_one[-1].first or day

    assert all(earlier.end == later.first for later, earlier in pairwise(one_by_one))
    assert several == Span(one_by_one[-1].first, one_by_one[0].end)


any_windows = st.one_of(
    st.just(Lifetime()),
    st.builds(Rolling, st.integers(1, 100), st.sampled_from(["days", "weeks", "months", "years"])),
    this_windows,
    st.builds(Previous, st.integers(1, 100), units, days_of_every_year),
    st.tuples(business_dates, business_dates).map(lambda pair: Between(min(pair), max(pair))),
)


@given(business_dates, any_windows)
def test_no_window_reaches_past_the_business_date(
    day: date, window: Lifetime | Rolling | This | Previous | Between
) -> None:
    found = span(window, day)

    assert day + DAY not in found
    assert found.first is None or found.first <= found.end
    if not isinstance(window, Between):
        assert found.end <= day + DAY
        assert found.first is None or found.first < found.end


@given(
    business_dates,
    st.builds(Rolling, st.integers(1, 50), st.sampled_from(["days", "weeks", "months", "years"]))
    | st.builds(Previous, st.integers(1, 50), units, days_of_every_year),
)
def test_the_window_before_ends_where_the_window_begins(
    day: date, window: Rolling | Previous
) -> None:
    own, before = span(window, day), preceding(window, day)
    twice = span(
        Rolling(2 * window.n, window.unit)
        if isinstance(window, Rolling)
        else Previous(2 * window.n, window.unit, window.starts),
        day,
    )

    assert before.end == own.first
    assert before.first == twice.first


@given(business_dates, this_windows)
def test_a_running_period_is_compared_with_a_part_of_the_one_before(
    day: date, window: This
) -> None:
    before, whole = preceding(window, day), whole_period_before(window, day)

    assert before.first == whole.first
    assert (before.first or before.end) <= before.end <= whole.end
    if day == last_day(window, day):
        assert before == whole
    elif window.starts[1] < 28:  # in later starts a short month cuts the first days off
        assert before.end == months_before(day + DAY, LENGTHS[window.unit])
        assert before.first != before.end


@given(business_dates, st.integers(-1300, 1300))
def test_adding_months_goes_to_the_same_day_or_the_months_last(day: date, months: int) -> None:
    moved = add_months(day, months)

    assert 12 * moved.year + moved.month == 12 * day.year + day.month + months
    assert moved.day == day.day or (moved.day < day.day and (moved + DAY).day == 1)


# -- local days --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "instant", "day"),
    [
        # Kyiv, winter and summer, around midnight
        ("Europe/Kyiv", "2026-01-31T21:59:59+00:00", "2026-01-31"),
        ("Europe/Kyiv", "2026-01-31T22:00:00+00:00", "2026-02-01"),
        ("Europe/Kyiv", "2026-06-30T20:59:59+00:00", "2026-06-30"),
        ("Europe/Kyiv", "2026-06-30T21:00:00+00:00", "2026-07-01"),
        # Kyiv, 29 March 2026 has 23 hours
        ("Europe/Kyiv", "2026-03-28T21:59:59+00:00", "2026-03-28"),
        ("Europe/Kyiv", "2026-03-28T22:00:00+00:00", "2026-03-29"),
        ("Europe/Kyiv", "2026-03-29T20:59:59+00:00", "2026-03-29"),
        ("Europe/Kyiv", "2026-03-29T21:00:00+00:00", "2026-03-30"),
        # Kyiv, 25 October 2026 has 25 hours
        ("Europe/Kyiv", "2026-10-24T20:59:59+00:00", "2026-10-24"),
        ("Europe/Kyiv", "2026-10-24T21:00:00+00:00", "2026-10-25"),
        ("Europe/Kyiv", "2026-10-25T21:59:59+00:00", "2026-10-25"),
        ("Europe/Kyiv", "2026-10-25T22:00:00+00:00", "2026-10-26"),
        # New York, 8 March and 1 November 2026
        ("America/New_York", "2026-03-08T04:59:59+00:00", "2026-03-07"),
        ("America/New_York", "2026-03-08T05:00:00+00:00", "2026-03-08"),
        ("America/New_York", "2026-03-09T03:59:59+00:00", "2026-03-08"),
        ("America/New_York", "2026-03-09T04:00:00+00:00", "2026-03-09"),
        ("America/New_York", "2026-11-01T03:59:59+00:00", "2026-10-31"),
        ("America/New_York", "2026-11-01T04:00:00+00:00", "2026-11-01"),
        ("America/New_York", "2026-11-02T04:59:59+00:00", "2026-11-01"),
        ("America/New_York", "2026-11-02T05:00:00+00:00", "2026-11-02"),
        # Havana repeats the hour after midnight
        ("America/Havana", "2026-11-01T03:59:59+00:00", "2026-10-31"),
        ("America/Havana", "2026-11-01T04:30:00+00:00", "2026-11-01"),
        ("America/Havana", "2026-11-01T05:30:00+00:00", "2026-11-01"),
        # Samoa had no 30 December 2011
        ("Pacific/Apia", "2011-12-30T09:59:59+00:00", "2011-12-29"),
        ("Pacific/Apia", "2011-12-30T10:00:00+00:00", "2011-12-31"),
        # the offset an instant is written with does not matter
        ("Europe/Kyiv", "2026-02-01T06:59:59+09:00", "2026-01-31"),
        ("Europe/Kyiv", "2026-01-31T17:00:00-05:00", "2026-02-01"),
        ("Asia/Kathmandu", "2026-01-31T18:15:00+00:00", "2026-02-01"),
    ],
)
def test_an_instant_falls_on_a_day_of_the_companys_zone(zone: str, instant: str, day: str) -> None:
    assert local_day(datetime.fromisoformat(instant), ZoneInfo(zone)) == on(day)


@pytest.mark.parametrize(
    ("zone", "repeated", "apart"),
    [
        (KYIV, datetime(2026, 10, 25, 3, 30, tzinfo=KYIV), ("00:30", "01:30")),
        (NEW_YORK, datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK), ("05:30", "06:30")),
    ],
)
def test_both_passes_of_a_repeated_hour_are_of_the_same_day(
    zone: ZoneInfo, repeated: datetime, apart: tuple[str, str]
) -> None:
    passes = [repeated.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]

    assert tuple(f"{instant:%H:%M}" for instant in passes) == apart
    assert {local_day(instant, zone) for instant in passes} == {repeated.date()}


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="needs its offset"):
        local_day(datetime(2026, 6, 30, 12), KYIV)  # noqa: DTZ001  # that is the point


@pytest.mark.parametrize(
    ("instant", "zone"),
    [
        (datetime.min.replace(tzinfo=UTC), NEW_YORK),
        (datetime.max.replace(tzinfo=UTC), KYIV),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), NEW_YORK),
    ],
)
def test_an_instant_whose_local_day_the_calendar_does_not_have_is_refused(
    instant: datetime, zone: ZoneInfo
) -> None:
    with pytest.raises(ValueError, match="beyond the calendar"):
        local_day(instant, zone)


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)),  # noqa: DTZ001  # made aware below
    st.sampled_from([KYIV, NEW_YORK, ZoneInfo("Asia/Kathmandu"), ZoneInfo("UTC")]),
)
def test_a_local_day_is_the_day_of_utc_moved_by_the_offset_then(
    naive: datetime, zone: ZoneInfo
) -> None:
    instant = naive.replace(tzinfo=UTC)
    offset = instant.astimezone(zone).utcoffset()
    assume(offset is not None)

    assert local_day(instant, zone) == (naive + (offset or timedelta())).date()
    assert local_day(instant, zone) <= local_day(instant + timedelta(hours=1), zone)
