"""The next day on which a standing may become another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rules.policy import Calendar, Fixed, Promotion, Step, Transition, UntilAssessment
from rules.prospects import Older
from rules.standing import Measure, Ruling
from rules.turn import next_turn
from tests.rules.standings import (
    NOTICE,
    Life,
    demote,
    demoting,
    findings,
    ladder,
    tier,
    withdraw,
)
from tests.rules.test_decide import QUARTERLY, SLOWLY, YEAR, held, hold


def turn(life: Life, entitled: str | None, older: Older | None = None, **said: Any) -> str | None:
    found = findings(life.policy, entitled, **said)
    day = next_turn(
        life.policy, found, life.now, life.measures, version=life.version, older=older or {}
    )
    return None if day is None else day.isoformat()


def test_the_lowest_tier_and_an_open_one_that_is_kept_rest() -> None:
    life = Life(ladder(tier("gold")))
    life.on("2026-01-01", "base")
    assert turn(life, "base") is None

    life.on("2026-01-02", "gold")
    assert turn(life, "gold") is None
    assert turn(life, "base") == "2026-01-03"


def test_a_tier_that_is_lengthened_each_day_turns_tomorrow() -> None:
    life = Life(ladder(tier("gold", validity=YEAR)))
    life.on("2026-01-01", "gold")

    assert turn(life, "gold") == "2026-01-02"
    assert turn(life, "base") == "2027-01-01"


@pytest.mark.parametrize(
    ("validity", "until", "day"),
    [
        (Fixed(10, "days"), "2026-12-31", "2026-12-23"),
        (Fixed(1, "months", to_month_end=True), "2026-02-28", "2026-02-01"),
        (Calendar("year"), "2026-12-31", "2027-01-01"),
        (Calendar("year", 1), "2026-12-31", "2026-01-01"),
        (Calendar("year", 1, starts=(4, 6)), "2027-04-05", "2026-04-06"),
        (UntilAssessment(), "2026-03-31", "2026-04-01"),
    ],
)
def test_a_tier_that_is_kept_turns_when_it_is_lengthened(
    validity: Any, until: str, day: str
) -> None:
    gold = tier("gold", validity=validity)
    life = held(ladder(gold, promotion=Promotion(QUARTERLY)), last=until)

    assert turn(life, "gold") == day


def test_what_renews_at_its_end_turns_the_day_after() -> None:
    life = Life(ladder(tier("gold", validity=YEAR, renewal="at_expiry")))
    life.on("2026-01-01", "gold")

    assert turn(life, "gold") == turn(life, "base") == "2027-01-01"


def test_who_waits_to_rise_turns_on_the_next_date_and_who_does_not_rests() -> None:
    life = Life(ladder(tier("gold"), promotion=Promotion(QUARTERLY)))
    life.on("2026-01-02", "base")

    assert turn(life, "gold") == "2026-04-01"
    assert turn(life, "base") is None


def test_who_climbs_by_rungs_turns_tomorrow() -> None:
    life = Life(ladder(tier("silver"), tier("gold"), promotion=Promotion(path="one_rung")))
    life.on("2026-01-01", "gold")

    assert turn(life, "gold") == "2026-01-02"


def test_a_lifetime_turns_when_its_years_are_over() -> None:
    life = Life(ladder(tier("gold", lifetime_after_years=2)))
    life.on("2023-03-01", "gold")

    assert turn(life, "gold") == "2025-02-28"


def test_a_run_turns_with_its_steps_and_rests_when_there_are_no_more() -> None:
    run = demoting(NOTICE, withdraw(10, "gift"))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))
    life.on("2026-01-01", "base")
    assert turn(life, "base") == "2026-01-11"

    life.on("2026-01-11", "base")
    assert turn(life, "base") is None


def test_a_warning_a_minimum_stay_and_an_assessment_turn_on_their_days() -> None:
    warned = demoting(Step("warning", 30), demote(10))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[warned]), last="2026-03-31")
    assert turn(life, "base") == "2026-03-01"

    stay = demoting(demote(), minimum_stay_days=90)
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[stay]))
    life.on("2026-01-01", "base")
    assert turn(life, "base") == "2026-03-31"

    quarterly = demoting(demote(), assessment=QUARTERLY)
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[quarterly]))
    life.on("2026-01-02", "base")
    assert turn(life, "base") == "2026-04-01"


def test_a_hold_turns_when_it_begins_and_when_it_is_over() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[SLOWLY]))
    life.measures = [hold("2026-02-01", "2026-02-10")]
    assert turn(life, "gold") == "2026-02-01"

    life.on("2026-01-01", "base")
    life.on("2026-02-01", "base")
    assert turn(life, "base") == "2026-02-11"


def test_benefits_turn_when_they_return() -> None:
    run = demoting(withdraw(0, "lounge"), withdraw(0, "gift"), benefits_return_days=7)
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))
    life.on("2026-01-01", "base")
    life.on("2026-01-02", "gold")

    assert turn(life, "gold") == "2026-01-09"


def test_an_open_ground_of_an_older_version_turns_after_the_stated_date() -> None:
    policy = ladder(tier("gold"))
    life = held(policy)
    stated = Transition("upgrades_only", date(2026, 6, 30))
    life.policy, life.version = replace(policy, transition=stated), 2
    older = {0: Ruling(policy, findings(policy, "gold"))}

    assert turn(life, "base", older) == "2026-07-01"
    assert turn(life, "gold", older) == "2026-07-01"


def test_a_measure_that_is_past_turns_nothing() -> None:
    life = Life(ladder(tier("gold")))
    life.measures = [Measure("floor", date(2025, 1, 1), date(2025, 1, 2), "gold")]
    life.on("2026-01-01", "base")

    assert turn(life, "base") is None
