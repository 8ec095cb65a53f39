"""How long a ground holds that is earned on a day."""

from __future__ import annotations

from datetime import date

import pytest

from rules.policy import Calendar, Fixed, Open, UntilAssessment, Validity
from rules.validity import last_day


@pytest.mark.parametrize(
    ("validity", "day", "last"),
    [
        (Fixed(1, "days"), "2026-03-10", "2026-03-10"),
        (Fixed(90, "days"), "2026-03-10", "2026-06-07"),
        (Fixed(12, "months"), "2026-05-10", "2027-05-09"),
        (Fixed(12, "months"), "2024-02-29", "2025-02-27"),
        (Fixed(1, "months"), "2026-01-31", "2026-02-27"),
        (Fixed(1, "months"), "2028-01-31", "2028-02-28"),
        (Fixed(12, "months", True), "2026-05-10", "2027-05-31"),
        (Fixed(1, "months", True), "2026-01-31", "2026-02-28"),
        (Fixed(3, "months", True), "2026-01-01", "2026-04-30"),
        (Fixed(30, "days", True), "2026-01-30", "2026-03-31"),
    ],
)
def test_rule_1_days_and_months_count_from_the_day_it_is_earned(
    validity: Validity, day: str, last: str
) -> None:
    assert _last(validity, day) == last


@pytest.mark.parametrize(
    ("validity", "day", "last"),
    [
        (Calendar("year"), "2026-01-01", "2026-12-31"),
        (Calendar("year"), "2026-12-31", "2026-12-31"),
        (Calendar("year", 1), "2026-12-31", "2027-12-31"),
        (Calendar("year", 1, 1), "2025-05-05", "2027-01-31"),
        (Calendar("year", 1, 2), "2024-11-30", "2026-02-28"),
        (Calendar("year", 1, 2), "2026-11-30", "2028-02-29"),
        (Calendar("quarter"), "2026-02-10", "2026-03-31"),
        (Calendar("quarter", 1), "2026-02-10", "2026-06-30"),
        (Calendar("month", 0, 1), "2026-01-31", "2026-02-28"),
        (Calendar("half_year"), "2026-07-01", "2026-12-31"),
        (Calendar("year", 0, 0, (4, 1)), "2026-03-31", "2026-03-31"),
        (Calendar("year", 0, 0, (4, 1)), "2026-04-01", "2027-03-31"),
        (Calendar("quarter", 0, 0, (2, 1)), "2026-01-31", "2026-01-31"),
    ],
)
def test_rule_1_a_period_ends_with_its_last_day_and_months_come_on_top(
    validity: Validity, day: str, last: str
) -> None:
    assert _last(validity, day) == last


def test_rule_1_until_the_day_before_the_next_assessment_date() -> None:
    assert _last(UntilAssessment(), "2026-01-01", "2026-04-01") == "2026-03-31"


def test_rule_1_what_is_open_or_never_assessed_has_no_end() -> None:
    assert _last(Open(), "2026-01-01", "2026-04-01") is None
    assert _last(UntilAssessment(), "2026-01-01") is None


def _last(validity: Validity, day: str, next_look: str | None = None) -> str | None:
    following = None if next_look is None else date.fromisoformat(next_look)
    found = last_day(validity, date.fromisoformat(day), following)
    return None if found is None else found.isoformat()
