"""On which days a policy looks."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.assessment import looks_on, next_look
from rules.policy import Anniversary, Assessment, Monthly, YearDays
from rules.windows import DAY
from tests.rules.standings import assessments

HALF_YEARLY = YearDays(((7, 1), (1, 1)))


def after(assessment: Assessment, day: str, since: str | None = None) -> str | None:
    found = next_look(
        assessment, date.fromisoformat(day), None if since is None else date.fromisoformat(since)
    )
    return None if found is None else found.isoformat()


@pytest.mark.parametrize(
    ("day", "following"),
    [
        ("2025-12-31", "2026-01-01"),
        ("2026-01-01", "2026-07-01"),
        ("2026-06-30", "2026-07-01"),
        ("2026-07-01", "2027-01-01"),
    ],
)
def test_days_of_the_year_come_in_order_whatever_order_they_are_given_in(
    day: str, following: str
) -> None:
    assert after(HALF_YEARLY, day) == following


@pytest.mark.parametrize(
    ("wanted", "day", "following"),
    [
        (1, "2026-01-01", "2026-02-01"),
        (15, "2026-12-15", "2027-01-15"),
        (31, "2026-01-31", "2026-02-28"),
        (31, "2026-02-28", "2026-03-31"),
        (30, "2028-02-01", "2028-02-29"),
        (31, "2026-04-29", "2026-04-30"),
    ],
)
def test_a_day_that_a_month_does_not_have_is_its_last(
    wanted: int, day: str, following: str
) -> None:
    assert after(Monthly(wanted), day) == following


@pytest.mark.parametrize(
    ("every", "since", "day", "following"),
    [
        ("year", "2024-06-15", "2024-06-15", "2025-06-15"),
        ("year", "2024-06-15", "2025-06-14", "2025-06-15"),
        ("year", "2024-06-15", "2025-06-15", "2026-06-15"),
        ("year", "2024-02-29", "2025-02-27", "2025-02-28"),
        ("year", "2024-02-29", "2027-03-01", "2028-02-29"),
        ("month", "2025-01-31", "2025-01-31", "2025-02-28"),
        ("month", "2025-01-31", "2025-02-28", "2025-03-31"),
        ("month", "2025-01-31", "2025-12-31", "2026-01-31"),
        ("year", "2027-03-01", "2026-01-01", "2028-03-01"),
    ],
)
def test_anniversaries_begin_a_year_or_month_after_what_they_are_counted_from(
    every: str, since: str, day: str, following: str
) -> None:
    assert after(Anniversary(every), day, since) == following  # type: ignore[arg-type]  # a word


def test_without_a_date_there_are_no_anniversaries() -> None:
    assert after(Anniversary("year"), "2026-01-01") is None
    assert not looks_on(Anniversary("year", "joined"), date(2026, 1, 1), None)


days = st.dates(date(2020, 1, 1), date(2032, 12, 31))


@given(assessments, days, days)
def test_the_next_day_on_which_a_policy_looks_is_the_first_one(
    assessment: Assessment, day: date, since: date
) -> None:
    following = next_look(assessment, day, since)

    assert following is not None
    assert looks_on(assessment, following, since)
    between = [day + back * DAY for back in range(1, (following - day).days)]
    assert not any(looks_on(assessment, each, since) for each in between)
