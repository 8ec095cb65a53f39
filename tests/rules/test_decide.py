"""A standing over time, rule by rule as docs/semantics.md numbers them; and random lives."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings

from rules.decide import decide
from rules.policy import (
    Anniversary,
    Calendar,
    Fixed,
    Monthly,
    Policy,
    Promotion,
    Step,
    UntilAssessment,
    YearDays,
)
from rules.prospects import deadline, due_on, ground_of, in_force, state
from rules.standing import Event, Ground, Mark, Measure, Return, Run, Standing
from tests.rules import standings
from tests.rules.standings import (
    NOTICE,
    Better,
    Life,
    Lived,
    demote,
    demoting,
    findings,
    ladder,
    tier,
    withdraw,
)

QUARTERLY = YearDays(((1, 1), (4, 1), (7, 1), (10, 1)))
YEAR = Fixed(12, "months")
SLOWLY = demoting(NOTICE, demote(60))


def day(text: str) -> date:
    return date.fromisoformat(text)


def hold(first: str, last: str) -> Measure:
    return Measure("hold", day(first), day(last))


def held(policy: Policy, key: str = "gold", last: str | None = None) -> Life:
    """Return a client who came in with a tier at the end of 2025."""
    start, end = day("2025-12-31"), None if last is None else day(last)
    at_expiry = end is not None and policy.tier(key).renewal == "at_expiry"
    grounds = (Ground(key, start, end, "earned", at_expiry),)
    return Life(policy, Standing(key, start, start, grounds))


# -- rule 1: earn ------------------------------------------------------------------------------


def test_rule_1_a_new_client_has_the_lowest_tier_without_a_ground() -> None:
    life = Life(ladder(tier("gold")))

    assert life.on("2026-01-05", "base") == []
    assert (life.tier, life.ground, life.now.since) == ("base", "none", day("2026-01-05"))


def test_rule_1_the_entitled_tier_is_reached_at_once_and_straight() -> None:
    life = Life(ladder(tier("silver"), tier("gold", validity=YEAR)))

    assert life.on("2026-01-05", "gold") == ["promoted"]
    assert life.events == [Event("promoted", day("2026-01-05"), "gold", "base")]
    assert (life.tier, life.ground, life.now.since) == (
        "gold",
        "earned 2027-01-04",
        day("2026-01-05"),
    )


def test_rule_1_the_held_tier_earns_while_it_is_kept_though_not_entered() -> None:
    life = Life(ladder(tier("gold", validity=Fixed(10, "days"))))
    life.on("2026-01-01", "gold")

    assert life.on("2026-01-05", "base", keeps=["gold"]) == []
    assert life.ground == "earned 2026-01-14"
    assert life.on("2026-01-06", "base") == []
    assert life.ground == "earned 2026-01-14"


def test_rule_1_a_tier_below_the_held_one_is_earned_too() -> None:
    life = Life(ladder(tier("silver", validity=YEAR), tier("gold", validity=Fixed(1, "months"))))
    life.on("2026-01-01", "gold")
    life.on("2026-01-20", "silver")

    assert (life.tier, life.ground) == ("gold", "earned 2026-01-31")
    assert life.grounds("silver") == ["2026-01-20 2027-01-19 earned"]
    assert life.on("2026-02-01", "base") == ["demoted"]
    assert (life.tier, life.ground) == ("silver", "earned 2027-01-19")


def test_rule_1_renewed_at_once_the_later_end_counts() -> None:
    life = Life(ladder(tier("gold", validity=Calendar("year", 1))))
    life.on("2026-12-31", "gold")
    assert life.ground == "earned 2027-12-31"

    assert life.on("2027-01-01", "gold") == []
    assert life.ground == "earned 2028-12-31"
    assert life.grounds("gold") == ["2026-12-31 2028-12-31 earned"]


def test_rule_1_an_end_that_would_be_earlier_does_not_count() -> None:
    life = held(ladder(tier("gold", validity=Fixed(10, "days"))), last="2026-12-31")

    life.on("2026-01-01", "gold")

    assert life.ground == "earned 2026-12-31"


def test_rule_1_what_renews_at_its_end_is_not_renewed_before() -> None:
    life = Life(ladder(tier("gold", validity=YEAR, renewal="at_expiry")))
    life.on("2026-05-10", "gold")
    life.on("2027-05-09", "gold")
    assert life.ground == "earned 2027-05-09"

    assert life.on("2027-05-10", "gold") == ["renewed"]
    assert life.ground == "earned 2028-05-09"
    assert life.grounds("gold") == ["2026-05-10 2027-05-09 earned", "2027-05-10 2028-05-09 earned"]


def test_rule_1_while_a_ground_runs_that_renews_at_its_end_nothing_is_earned_below() -> None:
    life = held(
        ladder(
            tier("silver"), tier("gold", renewal="at_expiry", demotion="slowly"), demotion=[SLOWLY]
        ),
        last="2026-02-28",
    )
    life.on("2026-01-01", "silver")
    assert life.grounds("silver") == []
    life.on("2026-03-01", "silver")
    assert (life.tier, life.ground, life.grounds("silver")) == ("gold", "grace open", [])

    assert life.on("2026-04-29", "silver") == []
    assert life.on("2026-04-30", "silver") == ["demoted"]
    assert life.grounds("silver") == ["2026-04-30 open earned"]


def test_rule_1_a_higher_tier_is_earned_over_a_ground_that_renews_at_its_end() -> None:
    life = held(ladder(tier("silver", renewal="at_expiry"), tier("gold")), "silver", "2026-12-31")

    assert life.on("2026-02-01", "gold") == ["promoted"]
    life.on("2026-02-02", "silver")
    assert life.grounds("silver") == ["2025-12-31 2026-12-31 earned"]


def test_rule_1_an_old_ground_that_renewed_at_its_end_locks_nothing_after_a_demotion() -> None:
    silver = tier("silver", validity=Fixed(10, "days"), renewal="at_expiry")
    one_rung = demoting(demote(to="one_rung", landing=Fixed(30, "days")))
    life = Life(
        ladder(tier("bronze"), silver, tier("gold", demotion="slowly"), demotion=[one_rung])
    )
    life.on("2026-01-01", "silver")
    life.on("2026-01-20", "base")
    life.on("2026-02-01", "gold")
    assert life.on("2026-02-02", "base") == ["demoted"]
    assert life.ground == "landing 2026-03-03"

    life.on("2026-02-03", "bronze")
    assert life.grounds("bronze") == ["2026-02-03 open earned"]


def test_rule_1_an_open_ground_below_the_held_tier_ends_when_it_is_not_kept() -> None:
    life = held(ladder(tier("silver"), tier("gold")), last="2026-06-30")
    life.on("2026-01-01", "silver")
    life.on("2026-01-02", "base", keeps=["silver"])
    assert life.grounds("silver") == ["2026-01-01 open earned"]

    life.on("2026-01-03", "base")
    assert life.grounds("silver") == ["2026-01-01 2026-01-02 earned"]
    assert (life.tier, life.ground) == ("gold", "earned 2026-06-30")


def test_rule_1_a_tier_may_be_promoted_to_only_on_assessment_dates() -> None:
    life = Life(ladder(tier("gold"), promotion=Promotion(QUARTERLY)))

    assert life.on("2026-03-31", "gold") == []
    assert life.grounds("gold") == []
    assert life.on("2026-04-01", "gold") == ["promoted"]


def test_rule_1_one_rung_is_climbed_on_each_assessment_date() -> None:
    life = Life(
        ladder(
            tier("silver"), tier("gold"), tier("top"), promotion=Promotion(QUARTERLY, "one_rung")
        )
    )

    assert life.daily("2026-01-01", "2026-10-01", "top") == [
        "2026-01-01 promoted",
        "2026-04-01 promoted",
        "2026-07-01 promoted",
    ]
    assert [each.tier for each in life.events] == ["silver", "gold", "top"]


def test_rule_1_one_rung_without_assessment_dates_is_climbed_each_day() -> None:
    life = Life(ladder(tier("silver"), tier("gold"), promotion=Promotion(path="one_rung")))

    assert life.daily("2026-01-01", "2026-01-03", "gold") == [
        "2026-01-01 promoted",
        "2026-01-02 promoted",
    ]


def test_rule_1_anniversaries_count_from_the_tier_or_from_a_date_of_the_clients() -> None:
    yearly = Promotion(Anniversary("year"))
    life = Life(ladder(tier("gold"), promotion=yearly))
    life.on("2024-02-29", "base")
    assert life.on("2025-02-27", "gold") == []
    assert life.on("2025-02-28", "gold") == ["promoted"]

    joined = Life(ladder(tier("gold"), promotion=Promotion(Anniversary("month", "joined"))))
    dates = {"joined": day("2025-01-31")}
    assert joined.on("2026-02-01", "gold") == []
    assert joined.on("2026-02-27", "gold", dates=dates) == []
    assert joined.on("2026-02-28", "gold", dates=dates) == ["promoted"]


def test_rule_1_a_tier_reached_today_is_valid_until_its_own_first_anniversary() -> None:
    gold = tier("gold", validity=UntilAssessment(), demotion="slowly")
    yearly = demoting(demote(), assessment=Anniversary("year"))
    life = Life(ladder(gold, demotion=[yearly]))
    life.on("2026-01-10", "base")

    life.on("2026-03-05", "gold")
    assert life.ground == "earned 2027-03-04"


def test_rule_1_promotion_closes_a_run_and_withdrawn_benefits_return() -> None:
    run = demoting(NOTICE, withdraw(10, "lounge"), demote(60))
    life = Life(ladder(tier("silver", demotion="slowly"), tier("gold"), demotion=[run]))
    life.on("2026-01-01", "silver")
    life.daily("2026-01-02", "2026-01-12", "base")
    assert list(life.now.withdrawn) == ["lounge"]

    assert life.on("2026-01-13", "gold") == ["promoted"]
    assert life.now == replace(life.now, withdrawn=(), run=None)
    assert life.events[-1].benefits == ("lounge",)


def test_rule_1_the_grace_a_promotion_leaves_behind_ends_while_that_tier_is_not_kept() -> None:
    life = Life(ladder(tier("silver", demotion="slowly"), tier("gold"), demotion=[SLOWLY]))
    life.on("2026-01-01", "silver")
    life.on("2026-01-02", "base")
    life.on("2026-01-03", "gold", keep={"silver": False})

    assert life.on("2026-01-04", "base") == ["demoted"]
    assert life.tier == "base"


def test_rule_1_lifetime_at_once_is_never_lost() -> None:
    life = Life(ladder(tier("gold", lifetime_after_years=0)))
    life.on("2026-01-01", "gold")
    assert life.ground == "lifetime open"

    assert life.daily("2026-01-02", "2026-01-05", "base") == []
    assert life.tier == "gold"
    assert life.grounds("gold") == ["2026-01-01 2026-01-01 earned", "2026-01-01 open lifetime"]


def test_rule_1_a_lifetime_tier_below_is_earned_by_its_entry_under_any_lock() -> None:
    policy = ladder(
        tier("silver", lifetime_after_years=0), tier("gold", validity=YEAR, renewal="at_expiry")
    )
    life = Life(policy)
    life.on("2026-01-01", "gold", keep={"silver": False})
    assert life.grounds("silver") == ["2026-01-01 open lifetime"]

    assert life.on("2027-01-01", "base") == ["demoted"]
    assert (life.tier, life.ground) == ("silver", "lifetime open")


def test_rule_1_a_lifetime_tier_waits_for_the_promotion_date_and_the_rung_too() -> None:
    forever = tier("gold", lifetime_after_years=0)
    life = Life(ladder(tier("silver"), forever, promotion=Promotion(QUARTERLY, "one_rung")))

    life.on("2026-01-02", "gold")
    assert (life.tier, life.now.grounds) == ("base", ())
    life.on("2026-04-01", "gold")
    assert life.tier == "silver"
    life.on("2026-07-01", "gold")
    assert (life.tier, life.ground) == ("gold", "lifetime open")


def test_rule_1_lifetime_after_years_counts_from_the_first_day_to_the_last() -> None:
    life = Life(ladder(tier("gold", lifetime_after_years=2)))
    life.on("2023-03-01", "gold")

    life.on("2025-02-27", "gold")
    assert life.ground == "earned open"
    life.on("2025-02-28", "gold")
    assert life.ground == "lifetime open"


def test_rule_1_years_at_a_higher_tier_count_and_a_break_does_not() -> None:
    life = Life(ladder(tier("silver", lifetime_after_years=1), tier("gold")))
    life.on("2026-01-01", "gold")
    life.on("2026-07-01", "base")
    assert life.tier == "base"
    life.on("2027-07-01", "silver")

    life.on("2027-12-30", "silver")
    assert life.ground == "earned open"
    life.on("2027-12-31", "silver")
    assert life.ground == "lifetime open"


def test_rule_1_a_day_on_which_two_tiers_were_earned_counts_once() -> None:
    life = Life(ladder(tier("silver", lifetime_after_years=1), tier("gold", validity=YEAR)))
    life.on("2026-01-01", "gold")
    life.on("2026-01-02", "silver")

    life.on("2026-12-30", "silver")
    assert life.grounds("silver") == ["2026-01-02 open earned"]
    life.on("2026-12-31", "silver")
    assert life.grounds("silver")[-1] == "2026-12-31 open lifetime"


def test_rule_1_a_tier_held_by_grace_is_renewed_and_for_life_on_one_date() -> None:
    gold = tier("gold", lifetime_after_years=0, demotion="slowly")
    life = held(ladder(gold, demotion=[SLOWLY]))
    life.on("2026-01-01", "base")

    assert life.on("2026-01-02", "gold") == ["renewed", "reinstated"]
    assert life.ground == "lifetime open"


def test_rule_1_years_in_grace_do_not_count_towards_a_lifetime() -> None:
    policy = ladder(
        tier("gold", lifetime_after_years=1, demotion="slowly"), demotion=[demoting(NOTICE)]
    )
    life = Life(policy)
    life.on("2026-01-01", "gold")
    life.on("2026-01-02", "base")
    life.on("2028-01-01", "base")

    assert (life.tier, life.ground) == ("gold", "grace open")


# -- rule 2: fail --------------------------------------------------------------------------------


def test_rule_2_who_fails_a_tier_without_a_demotion_policy_loses_it_that_day() -> None:
    life = Life(ladder(tier("gold")))
    life.on("2026-01-01", "gold")

    assert life.on("2026-01-02", "base") == ["demoted"]
    assert life.events[-1] == Event("demoted", day("2026-01-02"), "base", "gold")
    assert (life.tier, life.now.since) == ("base", day("2026-01-02"))
    assert life.grounds("gold") == ["2026-01-01 2026-01-01 earned"]


def test_rule_2_nobody_fails_while_the_keep_criteria_hold() -> None:
    life = Life(ladder(tier("gold")))
    life.on("2026-01-01", "gold")

    assert life.on("2026-01-02", "base", keeps=["gold"]) == []


def test_rule_2_nobody_fails_who_is_entitled_to_as_much_or_more() -> None:
    wait = Promotion(QUARTERLY)
    life = held(ladder(tier("silver"), tier("gold"), promotion=wait), "silver")

    assert life.on("2026-01-02", "gold", keep={"silver": False}) == []
    assert (life.tier, life.ground) == ("silver", "grace open")
    assert life.on("2026-01-03", "silver", keep={"silver": False}) == ["renewed"]


def test_rule_2_a_ground_with_an_end_protects_through_its_last_day() -> None:
    life = held(ladder(tier("gold")), last="2028-02-29")

    assert life.on("2028-02-29", "base") == []
    assert life.on("2028-03-01", "base") == ["demoted"]


def test_rule_2_a_minimum_stay_is_over_so_many_days_after_the_tier_was_reached() -> None:
    gold = tier("gold", demotion="slowly")
    life = Life(ladder(gold, demotion=[demoting(demote(), minimum_stay_days=14)]))
    life.on("2025-03-01", "gold")

    assert life.on("2025-03-14", "base") == []
    assert life.on("2025-03-15", "base") == ["demoted"]


@pytest.mark.parametrize("unless", [True, None])
def test_rule_2_nobody_fails_while_the_unless_criteria_hold_or_cannot_be_decided(
    unless: bool | None,
) -> None:
    gold = tier("gold", demotion="slowly")
    life = held(ladder(gold, demotion=[demoting(demote())]))

    assert life.on("2026-01-01", "base", unless=unless) == []
    assert life.on("2026-01-02", "base") == ["demoted"]


def test_rule_2_a_run_may_start_only_on_assessment_dates_and_its_steps_come_between() -> None:
    gold = tier("gold", demotion="slowly")
    monthly = demoting(NOTICE, demote(10), assessment=Monthly(31))
    life = held(ladder(gold, demotion=[monthly]))

    assert life.daily("2026-02-01", "2026-03-31", "base") == [
        "2026-02-28 notice_given",
        "2026-03-10 demoted",
    ]


def test_rule_2_until_the_day_before_an_assessment_date_and_judged_on_it() -> None:
    gold = tier("gold", validity=UntilAssessment(), demotion="slowly")
    policy = ladder(
        gold, demotion=[demoting(demote(), assessment=QUARTERLY)], promotion=Promotion(QUARTERLY)
    )
    life = Life(policy)
    life.on("2026-01-01", "gold")
    assert life.ground == "earned 2026-03-31"
    assert life.on("2026-03-31", "base") == []
    assert life.on("2026-04-01", "gold") == ["renewed"]
    assert life.ground == "earned 2026-06-30"

    assert life.on("2026-07-01", "base") == ["demoted"]


def test_rule_2_an_assessment_date_that_was_missed_loses_nobody_anything() -> None:
    gold = tier("gold", validity=UntilAssessment(), demotion="slowly")
    life = held(
        ladder(gold, demotion=[demoting(demote(), assessment=QUARTERLY)]), last="2026-03-31"
    )

    assert life.daily("2026-04-02", "2026-07-01", "base") == ["2026-07-01 demoted"]


def test_rule_2_a_run_ends_when_the_tier_is_kept_and_the_next_starts_at_step_one() -> None:
    run = demoting(NOTICE, withdraw(10, "lounge"), withdraw(10, "gift", "lounge"), demote(10))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))
    assert life.daily("2026-01-01", "2026-01-21", "base") == [
        "2026-01-01 notice_given",
        "2026-01-11 benefit_withdrawn",
        "2026-01-21 benefit_withdrawn",
    ]
    assert list(life.now.withdrawn) == ["lounge", "gift"]

    assert life.on("2026-01-22", "base", keeps=["gold"]) == ["renewed", "reinstated"]
    assert life.events[-1].benefits == ("lounge", "gift")
    assert life.ground == "earned open"
    assert not life.now.withdrawn
    assert life.daily("2026-01-23", "2026-02-22", "base") == [
        "2026-01-23 notice_given",
        "2026-02-02 benefit_withdrawn",
        "2026-02-12 benefit_withdrawn",
        "2026-02-22 demoted",
    ]


def test_rule_2_a_run_ends_on_renewal_though_the_tier_is_not_kept() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[SLOWLY]))
    life.on("2026-01-01", "base")

    assert life.on("2026-01-02", "gold", keep={"gold": False}) == ["renewed", "reinstated"]
    assert life.now.run is None


def test_rule_2_a_run_of_which_nobody_was_told_ends_quietly() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[demoting(demote(60))]))
    life.on("2026-01-01", "base")
    assert life.now.run == Run(Mark(day("2026-01-01")))

    assert life.on("2026-01-02", "gold") == ["renewed"]
    assert life.now.run is None


STEPWISE = demoting(
    withdraw(0, "lounge"), withdraw(10, "gift"), withdraw(10, "desk"), benefits_return_days=7
)


def test_rule_2_withdrawn_benefits_return_stepwise_in_reverse() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[STEPWISE]))
    life.daily("2026-01-01", "2026-01-21", "base")
    assert life.now.withdrawn == ("lounge", "gift", "desk")

    assert life.daily("2026-01-22", "2026-02-28", "gold") == [
        "2026-01-22 renewed",
        "2026-01-22 reinstated",
        "2026-01-29 reinstated",
        "2026-02-05 reinstated",
    ]
    assert [each.benefits for each in life.events[-3:]] == [("desk",), ("gift",), ("lounge",)]
    assert life.now == replace(life.now, withdrawn=(), returning=())


def test_rule_2_a_step_of_a_new_run_stops_the_return_and_the_rest_returns_after_it() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[STEPWISE]))
    life.daily("2026-01-01", "2026-01-21", "base")
    life.on("2026-01-22", "gold")
    life.on("2026-01-23", "base")
    assert (life.now.withdrawn, life.now.returning) == (("lounge", "gift"), ())

    assert life.on("2026-01-30", "base") == []
    life.on("2026-01-31", "gold")
    assert life.events[-1].benefits == ("gift",)
    assert life.now.returning == (Return(day("2026-02-07"), ("lounge",)),)


def test_rule_1_a_promotion_gives_back_stepwise_too_and_a_demotion_leaves_nothing_withdrawn() -> (
    None
):
    policy = ladder(tier("silver", demotion="slowly"), tier("gold"), demotion=[STEPWISE])
    life = held(policy, "silver")
    life.daily("2026-01-01", "2026-01-11", "base")

    assert life.on("2026-01-12", "gold") == ["promoted"]
    assert (life.events[-1].benefits, life.now.withdrawn) == (("gift",), ("lounge",))
    assert life.on("2026-01-13", "silver") == ["demoted"]
    assert (life.now.withdrawn, life.now.returning) == ((), ())


# -- rule 3: steps -------------------------------------------------------------------------------


def test_rule_3_steps_count_from_the_start_or_from_the_step_before() -> None:
    run = demoting(
        NOTICE,
        withdraw(10, "gift", counted="start"),
        withdraw(20, "lounge"),
        demote(months=2, days=1, counted="start"),
    )
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))

    assert life.daily("2026-01-01", "2026-03-31", "base") == [
        "2026-01-01 notice_given",
        "2026-01-11 benefit_withdrawn",
        "2026-01-31 benefit_withdrawn",
        "2026-03-02 demoted",
    ]


def test_rule_3_a_month_counts_to_the_same_day_or_the_months_last() -> None:
    run = demoting(NOTICE, demote(months=1))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))

    assert life.daily("2028-01-31", "2028-03-01", "base") == [
        "2028-01-31 notice_given",
        "2028-02-29 demoted",
    ]


def test_rule_3_no_step_is_taken_twice_or_skipped_over_a_gap() -> None:
    run = demoting(NOTICE, withdraw(10, "gift"), demote(20, counted="start"))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))
    life.on("2026-01-01", "base")

    assert life.on("2026-03-01", "base") == ["benefit_withdrawn", "demoted"]


def test_rule_3_what_counts_from_the_step_before_counts_from_when_it_was_carried_out() -> None:
    run = demoting(NOTICE, withdraw(10, "gift"), demote(20))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))
    life.on("2026-01-01", "base")
    assert life.on("2026-01-16", "base") == ["benefit_withdrawn"]

    assert life.daily("2026-01-17", "2026-02-05", "base") == ["2026-02-05 demoted"]


@pytest.mark.parametrize("counted", ["start", "previous_step"])
def test_rule_3_a_notice_issued_late_moves_what_hangs_on_it(counted: str) -> None:
    run = demoting(NOTICE, withdraw(10, "gift"), demote(20, counted=counted))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))
    assert life.on("2026-01-01", "base", issued="2026-01-06") == ["notice_given"]

    last = {"start": "2026-01-26", "previous_step": "2026-02-05"}[counted]
    assert life.daily("2026-01-02", "2026-02-10", "base") == [
        "2026-01-16 benefit_withdrawn",
        f"{last} demoted",
    ]


def test_rule_3_each_of_two_late_notices_keeps_the_time_it_announces() -> None:
    run = demoting(NOTICE, Step("notice", 30, counted="start"), demote(60, counted="start"))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))
    life.on("2026-01-01", "base", issued="2026-01-11")
    assert life.daily("2026-01-12", "2026-02-09", "base") == []
    assert life.on("2026-02-10", "base", issued="2026-02-12") == ["notice_given"]

    assert life.daily("2026-02-13", "2026-03-20", "base") == ["2026-03-14 demoted"]


def test_rule_3_a_late_step_before_a_notice_does_not_shorten_what_it_announces() -> None:
    run = demoting(withdraw(0, "gift"), Step("notice", 10), demote(40, counted="start"))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))
    life.on("2026-01-01", "base", issued="2026-01-21")

    assert life.daily("2026-01-02", "2026-03-31", "base") == [
        "2026-01-31 notice_given",
        "2026-03-02 demoted",
    ]


def test_rule_3_a_warning_comes_days_before_the_ground_ends_and_counts_as_the_notice() -> None:
    run = demoting(Step("warning", 30), demote(10, counted="start"))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]), last="2026-03-31")

    assert life.daily("2026-01-01", "2026-03-31", "base") == ["2026-03-01 notice_given"]
    assert (life.tier, life.ground) == ("gold", "earned 2026-03-31")
    assert state(life.now, (), life.now.as_of) == "on_notice"
    assert deadline(life.policy, life.now) == day("2026-04-10")
    assert life.daily("2026-04-01", "2026-04-30", "base") == ["2026-04-11 demoted"]


def test_rule_3_a_warning_comes_later_where_the_tier_is_first_failed_later() -> None:
    run = demoting(Step("warning", 30), demote(10))
    gold = tier("gold", renewal="at_expiry", demotion="slowly")
    life = held(ladder(gold, demotion=[run]), last="2026-03-31")
    life.daily("2026-01-01", "2026-03-27", "gold")

    assert life.daily("2026-03-28", "2026-04-30", "base") == [
        "2026-03-28 notice_given",
        "2026-04-07 demoted",
    ]


def test_rule_3_after_a_warning_no_step_comes_before_the_ground_has_ended() -> None:
    run = demoting(Step("warning", 30), withdraw(5, "gift"), demote(5))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]), last="2026-03-31")

    assert life.daily("2026-01-01", "2026-04-30", "base") == [
        "2026-03-01 notice_given",
        "2026-04-01 benefit_withdrawn",
        "2026-04-06 demoted",
    ]


def test_rule_3_a_warning_is_lifted_by_keep_and_may_come_again() -> None:
    policy = ladder(
        tier("gold", validity=YEAR, renewal="at_expiry", demotion="slowly"),
        demotion=[demoting(Step("warning", 30), demote())],
    )
    life = held(policy, last="2026-03-31")
    life.on("2026-03-05", "base")
    assert life.on("2026-03-06", "base", keeps=["gold"]) == ["reinstated"]
    assert life.ground == "earned 2026-03-31"

    assert life.on("2026-03-07", "base") == ["notice_given"]


def test_rule_3_a_warning_is_lifted_by_renewal_though_the_tier_is_not_kept() -> None:
    gold = tier("gold", validity=YEAR, demotion="slowly")
    life = held(ladder(gold, demotion=[demoting(Step("warning", 30), demote())]), last="2026-03-31")
    life.on("2026-03-05", "base")

    assert life.on("2026-03-06", "gold", keep={"gold": False}) == ["reinstated"]
    assert (life.ground, life.now.run) == ("earned 2027-03-05", None)


def test_rule_3_who_is_warned_starts_to_fail_on_an_assessment_date_where_there_are_some() -> None:
    run = demoting(Step("warning", 10), demote(counted="start"), assessment=QUARTERLY)
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]), last="2026-03-15")

    assert life.daily("2026-03-01", "2026-04-10", "base") == [
        "2026-03-05 notice_given",
        "2026-04-01 demoted",
    ]


def test_rule_3_a_warning_issued_late_moves_what_counts_from_the_start() -> None:
    run = demoting(Step("warning", 10), demote(20, counted="start"))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]), last="2026-03-31")
    life.on("2026-03-21", "base", issued="2026-03-26")

    assert life.daily("2026-03-27", "2026-05-01", "base") == ["2026-04-26 demoted"]


def test_rule_3_a_notice_on_time_does_not_make_good_for_a_late_warning() -> None:
    run = demoting(
        Step("warning", 10), Step("notice", 5, counted="start"), demote(20, counted="start")
    )
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]), last="2026-03-31")
    life.on("2026-03-21", "base", issued="2026-03-26")

    assert life.daily("2026-03-27", "2026-05-01", "base") == [
        "2026-04-11 notice_given",
        "2026-04-26 demoted",
    ]


def test_rule_3_a_notice_soon_after_its_warning_takes_no_time_from_what_follows() -> None:
    run = demoting(Step("warning", 10), Step("notice", 5), demote(20, counted="start"))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]), last="2026-03-31")
    life.on("2026-03-21", "base", issued="2026-03-26")

    assert life.daily("2026-03-27", "2026-05-01", "base") == [
        "2026-04-01 notice_given",
        "2026-04-26 demoted",
    ]


def test_rule_3_where_no_ground_ends_the_warning_comes_as_the_run_starts() -> None:
    run = demoting(Step("warning", 30), demote(10))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))

    assert life.daily("2026-01-01", "2026-01-31", "base") == [
        "2026-01-01 notice_given",
        "2026-01-11 demoted",
    ]


def test_rule_3_a_step_waits_while_the_facts_do_not_fail_and_the_clock_goes_on() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[SLOWLY]))
    life.on("2026-01-01", "base")

    assert life.on("2026-03-02", "base", unless=True) == []
    assert life.on("2026-03-03", None) == []
    assert life.on("2026-03-04", "base") == ["demoted"]


def test_rule_3_the_deadline_is_the_last_day_on_which_it_can_be_mended() -> None:
    run = demoting(NOTICE, withdraw(10, "gift"), demote(20))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))
    assert deadline(life.policy, life.now) is None
    life.on("2026-01-01", "base")
    assert deadline(life.policy, life.now) == day("2026-01-30")
    life.on("2026-01-15", "base")
    assert deadline(life.policy, life.now) == day("2026-02-03")

    kept = held(ladder(tier("gold", demotion="slowly"), demotion=[demoting(NOTICE)]))
    kept.on("2026-01-01", "base")
    assert deadline(kept.policy, kept.now) is None


def test_rule_3_a_deadline_never_lies_behind_while_a_step_waits() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[SLOWLY]))
    life.on("2026-01-01", "base")
    life.on("2026-03-10", "base", unless=True)
    assert deadline(life.policy, life.now) == day("2026-03-10")

    run = demoting(Step("warning", 10), demote(counted="start"), assessment=QUARTERLY)
    warned = held(ladder(tier("gold", demotion="slowly"), demotion=[run]), last="2026-03-15")
    warned.on("2026-03-15", "base")
    warned.on("2026-03-20", "base")
    assert warned.ground == "grace open"
    assert deadline(warned.policy, warned.now) == day("2026-03-20")


def test_rule_3_steps_of_a_run_that_has_not_started_are_not_due() -> None:
    with pytest.raises(ValueError, match="not started"):
        due_on([NOTICE], Run(None), 0)


# -- rule 4: demote --------------------------------------------------------------------------------


def test_rule_4_the_entitled_tier_earns_its_own_ground_on_demotion() -> None:
    life = held(ladder(tier("bronze"), tier("silver", validity=YEAR), tier("gold")))

    assert life.on("2026-01-01", "silver") == ["demoted"]
    assert (life.tier, life.ground) == ("silver", "earned 2026-12-31")


def test_rule_4_the_highest_remaining_ground_decides() -> None:
    life = Life(ladder(tier("bronze"), tier("silver", validity=YEAR), tier("gold")))
    life.on("2026-01-01", "silver")
    life.on("2026-02-01", "gold", keep={"silver": False})

    assert life.on("2026-03-01", "bronze") == ["demoted"]
    assert (life.tier, life.ground) == ("silver", "earned 2026-12-31")
    assert life.grounds("bronze") == ["2026-03-01 open earned"]


def test_rule_4_on_demotion_a_ground_that_renews_at_its_end_is_left_as_it_is() -> None:
    silver = tier("silver", validity=YEAR, renewal="at_expiry")
    life = Life(ladder(tier("bronze"), silver, tier("gold")))
    life.on("2026-01-01", "silver")
    life.on("2026-02-01", "gold")

    life.on("2026-03-01", "silver")
    assert (life.tier, life.ground) == ("silver", "earned 2026-12-31")


def test_rule_4_one_rung_lands_for_its_own_time_then_the_next_run_decides() -> None:
    one_rung = demoting(demote(to="one_rung", landing=Fixed(3, "months")))
    life = held(ladder(tier("silver"), tier("gold", demotion="slowly"), demotion=[one_rung]))

    assert life.on("2026-01-31", "base") == ["demoted"]
    assert (life.tier, life.ground) == ("silver", "landing 2026-04-29")
    assert life.daily("2026-02-01", "2026-05-01", "base") == ["2026-04-30 demoted"]


def test_rule_4_an_open_landing_ends_when_the_tier_is_not_kept() -> None:
    one_rung = demoting(demote(to="one_rung"))
    life = held(ladder(tier("silver"), tier("gold", demotion="slowly"), demotion=[one_rung]))

    assert life.daily("2026-01-01", "2026-01-03", "base") == [
        "2026-01-01 demoted",
        "2026-01-02 demoted",
    ]
    assert [each.tier for each in life.events] == ["silver", "base"]


def test_rule_4_a_landing_blocks_no_earning_and_is_added_beside_what_remains() -> None:
    one_rung = demoting(demote(to="one_rung", landing=Fixed(30, "days")))
    silver = tier("silver", validity=Fixed(10, "days"), renewal="at_expiry")
    life = held(ladder(silver, tier("gold", demotion="slowly"), demotion=[one_rung]))
    life.on("2026-01-01", "silver")
    assert life.grounds("silver") == [
        "2026-01-01 2026-01-10 earned",
        "2026-01-01 2026-01-30 landing",
    ]

    life.on("2026-01-11", "silver")
    assert life.grounds("silver")[-1] == "2026-01-11 2026-01-20 earned"


def test_rule_4_the_entitled_tier_earns_its_own_beside_a_landing() -> None:
    one_rung = demoting(demote(to="one_rung", landing=Fixed(30, "days")))
    gold = tier("gold", renewal="at_expiry", demotion="slowly")
    policy = ladder(tier("bronze"), tier("silver"), gold, demotion=[one_rung])
    life = held(policy, last="2026-01-31")

    assert life.on("2026-02-01", "bronze") == ["demoted"]
    assert (life.tier, life.ground) == ("silver", "landing 2026-03-02")
    assert life.grounds("bronze") == ["2026-02-01 open earned"]


def test_rule_4_from_the_second_tier_one_rung_is_the_lowest() -> None:
    one_rung = demoting(demote(to="one_rung", landing=Fixed(30, "days")))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[one_rung]))

    assert life.on("2026-01-01", "base") == ["demoted"]
    assert (life.tier, life.ground) == ("base", "none")


def test_rule_4_without_a_demote_step_the_tier_stays_by_grace() -> None:
    run = demoting(NOTICE, withdraw(10, "gift"))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))

    assert life.daily("2026-01-01", "2026-12-31", "base") == [
        "2026-01-01 notice_given",
        "2026-01-11 benefit_withdrawn",
    ]
    assert (life.tier, life.ground) == ("gold", "grace open")
    assert state(life.now, (), life.now.as_of) == "reduced"


# -- rule 5: holds and overrides -------------------------------------------------------------------


def test_rule_5_a_hold_stops_the_clock_and_the_day_after_it_goes_on() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[demoting(NOTICE, demote(10))]))
    life.measures = [hold("2026-01-05", "2026-01-20")]

    assert life.daily("2026-01-01", "2026-01-31", "base") == [
        "2026-01-01 notice_given",
        "2026-01-05 hold_set",
        "2026-01-21 hold_ended",
        "2026-01-27 demoted",
    ]


def test_rule_5_no_run_starts_under_a_hold_and_the_day_after_is_judged_without() -> None:
    life = held(ladder(tier("gold")))
    life.measures = [hold("2026-01-01", "2026-01-03")]

    assert life.daily("2026-01-01", "2026-01-04", "base") == [
        "2026-01-01 hold_set",
        "2026-01-04 hold_ended",
        "2026-01-04 demoted",
    ]


def test_rule_5_under_a_hold_promotion_passes_and_benefits_stay_withdrawn() -> None:
    run = demoting(NOTICE, withdraw(10, "gift"), demote(10))
    life = held(ladder(tier("silver", demotion="slowly"), tier("gold"), demotion=[run]), "silver")
    life.measures = [hold("2026-01-12", "2026-01-31")]
    life.daily("2026-01-01", "2026-01-20", "base")
    assert (life.tier, life.now.withdrawn) == ("silver", ("gift",))
    assert state(life.now, life.measures, life.now.as_of) == "on_hold"

    assert life.on("2026-01-21", "gold") == ["promoted"]


def test_rule_5_a_hold_over_a_gap_between_dates_stops_the_clock_for_its_days() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[demoting(NOTICE, demote(10))]))
    life.measures = [hold("2026-01-03", "2026-01-07")]
    life.on("2026-01-01", "base")

    assert life.on("2026-01-15", "base") == []
    assert life.on("2026-01-16", "base") == ["demoted"]


def test_rule_5_a_hold_after_a_warning_does_not_move_what_counts_from_the_start() -> None:
    run = demoting(Step("warning", 30), demote(10, counted="start"))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]), last="2026-03-31")
    life.measures = [hold("2026-03-10", "2026-03-20")]

    assert life.daily("2026-03-01", "2026-04-30", "base")[-1] == "2026-04-11 demoted"


def test_rule_5_an_override_goes_over_the_tier_held_and_stops_the_clock() -> None:
    life = held(ladder(tier("silver"), tier("gold"), demotion=[]), "silver")
    life.measures = [Measure("floor", day("2026-01-01"), day("2026-01-31"), "gold")]

    assert life.on("2026-01-01", "base") == ["override_set"]
    assert (life.tier, in_force(life.policy, life.now, life.measures, day("2026-01-31"))) == (
        "silver",
        "gold",
    )
    assert state(life.now, life.measures, life.now.as_of) == "overridden"
    assert life.on("2026-02-01", "base") == ["override_ended", "demoted"]
    assert in_force(life.policy, life.now, life.measures, day("2026-02-01")) == "base"


def test_rule_5_an_override_blocks_no_earning() -> None:
    life = Life(ladder(tier("silver"), tier("gold")))
    life.measures = [Measure("exact", day("2026-01-01"), day("2026-01-31"), "base")]

    assert life.on("2026-01-15", "gold") == ["override_set", "promoted"]
    assert in_force(life.policy, life.now, life.measures, day("2026-01-15")) == "base"
    assert life.on("2026-02-01", "gold") == ["override_ended"]
    assert life.tier == "gold"


def test_rule_5_who_keeps_the_tier_again_under_a_hold_is_reinstated() -> None:
    run = demoting(NOTICE, withdraw(10, "gift"), demote(10))
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[run]))
    life.measures = [hold("2026-01-12", "2026-01-31")]
    life.daily("2026-01-01", "2026-01-12", "base")

    assert life.on("2026-01-13", "gold") == ["renewed", "reinstated"]


@pytest.mark.parametrize(
    ("measures", "served"),
    [
        ([], "silver"),
        ([("floor", "gold")], "gold"),
        ([("floor", "base")], "silver"),
        ([("ceiling", "base")], "base"),
        ([("ceiling", "gold")], "silver"),
        ([("exact", "base")], "base"),
        ([("floor", "gold"), ("ceiling", "silver")], "silver"),
        ([("floor", "gold"), ("floor", "silver")], "gold"),
        ([("ceiling", "base"), ("exact", "gold")], "gold"),
        ([("exact", "gold"), ("exact", "silver")], "silver"),
        ([("hold", None)], "silver"),
    ],
)
def test_rule_5_exactly_goes_over_a_ceiling_and_a_ceiling_over_a_floor(
    measures: list[tuple[str, str | None]], served: str
) -> None:
    policy = ladder(tier("silver"), tier("gold"))
    now = day("2026-01-01")
    several = [Measure(kind, now, now, key) for kind, key in measures]  # type: ignore[arg-type]

    for order in (several, several[::-1]):
        assert in_force(policy, Standing("silver", now, now), order, now) == served


def test_rule_5_a_measure_in_a_gap_between_dates_is_never_told_of() -> None:
    life = held(ladder(tier("gold")))
    life.measures = [hold("2026-01-02", "2026-01-03")]

    assert life.on("2026-01-01", "gold") == []
    assert life.on("2026-01-05", "gold") == []


# -- rule 6: doubt ---------------------------------------------------------------------------------


@pytest.mark.parametrize("doubt", [{"entitled": None}, {"keep": {"gold": None}}])
def test_rule_6_where_entry_or_keep_is_undetermined_nothing_is_lost(
    doubt: dict[str, object],
) -> None:
    life = held(ladder(tier("silver"), tier("gold")), last="2026-01-31")
    stated = {"entitled": "base", **doubt}

    for each in ("2026-01-31", "2026-02-01", "2026-03-01"):
        assert life.on(each, **stated) == []  # type: ignore[arg-type]
    assert (life.tier, life.ground) == ("gold", "grace open")
    assert life.on("2026-03-02", "base") == ["demoted"]


def test_rule_6_an_open_ground_does_not_end_on_an_undetermined_date() -> None:
    life = held(ladder(tier("silver"), tier("gold")))
    life.on("2026-01-01", "gold")
    life.on("2026-01-02", "silver", keeps=["gold"])

    life.on("2026-01-03", None)
    assert (life.ground, life.grounds("silver")) == ("earned open", ["2026-01-02 open earned"])


def test_rule_6_on_an_undetermined_date_the_highest_determined_tier_is_earned() -> None:
    life = Life(ladder(tier("silver"), tier("gold")))

    assert life.on("2026-01-01", None, at_least="silver") == ["promoted"]
    assert life.tier == "silver"


def test_rule_6_a_ground_that_ends_on_a_date_not_evaluated_is_bridged_from_the_next_day() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[SLOWLY]), last="2026-01-31")

    life.on("2026-02-20", "base")
    assert life.grounds("gold") == ["2025-12-31 2026-01-31 earned", "2026-02-01 open grace"]
    assert life.now.run is not None
    assert life.now.run.started == Mark(day("2026-02-20"))


# -- rule 7: dates in order ------------------------------------------------------------------------


def test_rule_7_dates_are_decided_in_order() -> None:
    life = Life(ladder(tier("gold")))
    life.on("2026-01-02", "gold")

    with pytest.raises(ValueError, match="in order"):
        life.on("2026-01-01", "gold")


def test_rule_7_what_comes_during_a_date_promotes_on_it() -> None:
    life = Life(ladder(tier("silver"), tier("gold")))
    life.on("2026-01-02", "silver")

    assert life.on("2026-01-02", "gold") == ["promoted"]
    assert life.on("2026-01-02", "gold") == []


def test_rule_7_what_comes_during_a_date_mends_on_it_what_the_night_began() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[SLOWLY]))

    assert life.on("2026-01-02", "base") == ["notice_given"]
    assert life.on("2026-01-02", "gold") == ["renewed", "reinstated"]
    assert (life.ground, life.now.run) == ("earned open", None)


def test_rule_7_nothing_is_lost_between_two_nights() -> None:
    life = held(ladder(tier("gold")))
    life.on("2026-01-02", "gold")

    assert life.on("2026-01-02", "base") == []
    assert (life.tier, life.ground) == ("gold", "earned open")
    assert life.on("2026-01-03", "base") == ["demoted"]


def test_rule_7_one_rung_a_date_is_one_however_often_it_is_decided() -> None:
    life = Life(ladder(tier("silver"), tier("gold"), promotion=Promotion(path="one_rung")))

    assert [life.on("2026-01-02", "gold") for _ in range(3)] == [["promoted"], [], []]
    assert life.on("2026-01-03", "gold") == ["promoted"]


def settling(*steps: Step, days: int = 3, **parts: object) -> Life:
    demotion = [demoting(*steps)] if steps else []
    gold = tier("gold", demotion="slowly" if steps else None, **parts)
    return held(replace(ladder(gold, demotion=demotion), settlement_days=days))


def test_rule_7_a_failure_is_judged_settlement_days_later_on_both_dates() -> None:
    life = settling()
    base = findings(life.policy, "base")
    life.on("2026-01-01", "base")
    assert life.ground == "grace open"

    assert life.on("2026-01-03", "base", settled=findings(life.policy, "gold")) == []
    assert life.on("2026-01-04", "base", settled=base) == ["demoted"]


def test_rule_7_what_was_booked_late_counts_for_its_own_date() -> None:
    life = settling(NOTICE, demote(10), validity=YEAR)
    life.on("2026-01-01", "base")
    settled = findings(life.policy, "gold")

    assert life.on("2026-01-04", "base", settled=settled) == ["renewed"]
    assert life.grounds("gold")[-1] == "2026-01-01 2026-12-31 earned"


def test_rule_7_a_tier_reached_late_is_reached_as_of_its_date_and_told_today() -> None:
    life = Life(replace(ladder(tier("gold", validity=YEAR)), settlement_days=3))
    life.on("2026-01-01", "base")

    assert life.on("2026-01-04", "base", settled=findings(life.policy, "gold")) == ["promoted"]
    assert (life.ground, life.now.since) == ("earned 2026-12-31", day("2026-01-04"))


def test_rule_7_who_lost_a_tier_meanwhile_that_was_kept_in_truth_has_it_back() -> None:
    life = settling(NOTICE, demote(1), validity=YEAR)
    base = findings(life.policy, "base")
    life.daily("2026-01-01", "2026-01-03", "base")
    assert life.on("2026-01-04", "base", settled=base) == ["notice_given"]
    assert life.on("2026-01-05", "base", settled=base) == ["demoted"]

    kept = findings(life.policy, "base", keeps=["gold"])
    assert life.on("2026-01-07", "base", settled=kept) == ["promoted"]
    assert life.grounds("gold")[-1] == "2026-01-04 2027-01-03 earned"


def test_rule_7_an_assessment_date_is_judged_settlement_days_later() -> None:
    quarterly = demoting(demote(), assessment=QUARTERLY)
    policy = ladder(tier("gold", demotion="slowly"), demotion=[quarterly])
    life = held(replace(policy, settlement_days=3))
    base = findings(life.policy, "base")
    life.on("2026-02-01", "base")

    for each in ("2026-04-01", "2026-04-03", "2026-04-05"):
        assert life.on(each, "base", settled=base) == []
    life = held(replace(policy, settlement_days=3))
    life.on("2026-02-01", "base")
    assert life.on("2026-04-04", "base", settled=base) == ["demoted"]


def test_rule_7_a_date_of_which_nothing_is_known_starts_no_run() -> None:
    life = settling()

    assert life.daily("2026-01-01", "2026-02-28", "base") == []
    assert life.ground == "grace open"


def test_rule_5_a_hold_set_during_a_date_is_told_on_it_and_once() -> None:
    life = held(ladder(tier("gold", demotion="slowly"), demotion=[SLOWLY]))
    life.on("2026-01-02", "base")
    life.measures = [hold("2026-01-02", "2026-01-09")]

    assert [life.on("2026-01-02", "base") for _ in range(2)] == [["hold_set"], []]
    life.measures = [hold("2026-01-02", "2026-01-04")]  # its last day set anew
    assert life.on("2026-01-03", "base") == []
    assert life.on("2026-01-05", "base") == ["hold_ended"]


def test_rule_7_no_date_is_decided_before_its_day() -> None:
    policy = ladder(tier("gold"))

    with pytest.raises(ValueError, match="that day or later"):
        decide(policy, findings(policy, "base"), None, day("2026-01-02"), issued=day("2026-01-01"))


# -- what is read from a standing ------------------------------------------------------------------


def test_the_ground_told_is_the_one_that_ends_last() -> None:
    first, last = day("2026-01-01"), day("2026-01-31")
    grounds = tuple(
        Ground(key, first, end, cause)  # type: ignore[arg-type]
        for key, end, cause in [
            ("gold", None, "grace"),
            ("gold", last, "earned"),
            ("gold", day("2026-01-10"), "landing"),
            ("silver", None, "earned"),
        ]
    )
    standing = Standing("gold", first, first, grounds)

    assert ground_of(standing, last) == grounds[1]
    assert ground_of(replace(standing, tier="base"), last) is None
    assert ground_of(standing, day("2026-02-01")) == grounds[0]


# -- random lives ----------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(lived=standings.lives())
def test_every_life_keeps_the_laws(lived: Lived) -> None:
    for law in standings.LAWS:
        law(lived)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(lived=standings.settling_lives())
def test_settling_where_nothing_came_late_gives_nothing(lived: Lived) -> None:
    standings.a_settled_life_keeps_the_laws(lived)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(better=standings.better_lives())
def test_who_is_better_in_every_respect_never_comes_out_lower(better: Better) -> None:
    standings.the_better_never_comes_out_lower(better)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(both=standings.unhurried())
def test_daily_runs_and_a_catch_up_give_the_same(both: tuple[Lived, Lived]) -> None:
    standings.caught_up_it_is_the_same(both)
