"""How fast one key may ask: so often in a minute of the clock, each key by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from app.pace import Pace
from app.services.errors import TooMany

MINUTE = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)


def test_as_many_as_are_allowed_pass_and_not_one_more() -> None:
    pace = Pace()

    for _ in range(3):
        pace.require("key", 3, MINUTE)
    with pytest.raises(TooMany):
        pace.require("key", 3, MINUTE)


@pytest.mark.parametrize(("second", "left"), [(0, 60), (1, 59), (59.999, 1)])
def test_who_is_refused_is_told_how_long_the_minute_lasts(second: float, left: int) -> None:
    with pytest.raises(TooMany) as refused:
        Pace().require("key", 0, MINUTE + timedelta(seconds=second))

    assert refused.value.seconds == left


def test_with_the_next_minute_all_begins_anew() -> None:
    pace, last = Pace(), MINUTE + timedelta(seconds=59.999)
    pace.require("key", 1, last)
    with pytest.raises(TooMany):
        pace.require("key", 1, last)

    pace.require("key", 1, MINUTE + timedelta(seconds=60))


def test_one_key_does_not_slow_another_down() -> None:
    pace = Pace()
    pace.require("one", 1, MINUTE)

    pace.require("other", 1, MINUTE)
    with pytest.raises(TooMany):
        pace.require("one", 1, MINUTE)


def test_of_those_that_come_at_the_same_time_only_so_many_pass() -> None:
    pace = Pace()

    def passes(_: int) -> bool:
        try:
            pace.require("key", 100, MINUTE)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(passes, range(400))) == 100
