"""Failures are counted in the database: for all processes, for five minutes, by place."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from app.services.errors import TooMany
from app.services.limits import MOST, WINDOW, count_failure, forget_failures, require_few
from tests.app.company import NOW, Company

SECOND = timedelta(seconds=1)


def fail(company: Company, times: int, place: str = "door", at: datetime = NOW) -> None:
    for _ in range(times):
        with company.merit.database.writing() as session:
            count_failure(session, place, at)


def is_open(company: Company, place: str = "door", at: datetime = NOW) -> bool:
    with company.merit.database.reading() as session:
        try:
            require_few(session, place, at)
        except TooMany:
            return False
    return True


def test_ten_failures_close_a_place_and_nine_do_not(new_company: Company) -> None:
    fail(new_company, MOST - 1)
    assert is_open(new_company)

    fail(new_company, 1)
    assert not is_open(new_company)


def test_another_place_stays_open(new_company: Company) -> None:
    fail(new_company, MOST)

    assert is_open(new_company, "window")


def test_the_refusal_says_how_many_seconds_are_left(new_company: Company) -> None:
    fail(new_company, MOST)

    with new_company.merit.database.reading() as session:
        with pytest.raises(TooMany) as refused:
            require_few(session, "door", NOW + timedelta(minutes=4))
        assert refused.value.seconds == 60
        assert refused.value.message == "Too many attempts; try again in 60 seconds."
        with pytest.raises(TooMany) as refused:
            require_few(session, "door", NOW + WINDOW - SECOND / 2)
        assert refused.value.seconds == 1, "never nought"


def test_a_place_opens_when_its_window_is_over(new_company: Company) -> None:
    fail(new_company, MOST)

    assert not is_open(new_company, at=NOW + WINDOW - SECOND)
    assert is_open(new_company, at=NOW + WINDOW)
    fail(new_company, 1, at=NOW + WINDOW)
    assert is_open(new_company, at=NOW + WINDOW), "the count began anew"


def test_failures_in_a_closed_place_do_not_keep_it_closed(new_company: Company) -> None:
    fail(new_company, MOST)
    fail(new_company, MOST, at=NOW + WINDOW - SECOND)

    assert is_open(new_company, at=NOW + WINDOW)


def test_a_clock_put_back_closes_nothing_for_longer(new_company: Company) -> None:
    fail(new_company, MOST, at=NOW + timedelta(days=365))
    assert is_open(new_company)

    fail(new_company, MOST)
    assert not is_open(new_company)
    assert is_open(new_company, at=NOW + WINDOW)


def test_a_place_is_forgotten(new_company: Company) -> None:
    fail(new_company, MOST)
    with new_company.merit.database.writing() as session:
        forget_failures(session, "door")

    assert is_open(new_company)


def test_failures_at_the_same_moment_are_all_counted(new_company: Company) -> None:
    with ThreadPoolExecutor(MOST) as pool:
        list(pool.map(lambda _: fail(new_company, 1), range(MOST)))

    assert not is_open(new_company)
