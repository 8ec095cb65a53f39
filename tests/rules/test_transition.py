"""What a new version of a policy does to clients who stand by an older one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Literal

import pytest
from hypothesis import given, settings

from rules.policy import Fixed, Policy, Tier, Transition
from rules.prospects import Older, deadline
from rules.standing import Ground, Mark, Measure, Return, Ruling, Run, Standing
from rules.transition import carried_measures, carry_over, tiers_left_out, versions_needed
from tests.rules import standings
from tests.rules.standings import (
    NOTICE,
    Changed,
    Life,
    demote,
    demoting,
    findings,
    ladder,
    tier,
    withdraw,
)

SLOWLY = demoting(NOTICE, demote(60))
QUICKLY = demoting(NOTICE, demote(10))
Moves = Literal["everybody", "upgrades_only", "new_grounds_only"]


def day(text: str) -> date:
    return date.fromisoformat(text)


def gold(steps: Any = SLOWLY, **parts: Any) -> Policy:
    return ladder(tier("gold", demotion="slowly", **parts), demotion=[steps])


OLD, NEW = gold(), gold(QUICKLY)


def with_change(policy: Policy, moves: Moves, until: str = "2026-06-30", **tiers: str) -> Policy:
    last = None if moves == "everybody" else day(until)
    return replace(policy, transition=Transition(moves, last, tiers))


def held(moves: Moves, *, new: Policy = NEW, last: str | None = None) -> Life:
    """Return a client who came in with Gold by version 1, and now version 2 is in force."""
    start = day("2025-12-31")
    ground = Ground("gold", start, None if last is None else day(last), "earned", version=1)
    return Life(with_change(new, moves), Standing("gold", start, start, (ground,)), version=2)


def by_old(entitled: str, policy: Policy = OLD, **said: Any) -> Older:
    return {1: Ruling(policy, findings(policy, entitled, **said))}


KEPT, FAILED = by_old("gold"), by_old("base")


# -- whom it moves -------------------------------------------------------------------------------


def test_everybody_is_judged_by_the_new_version() -> None:
    life = held("everybody")

    assert life.on("2026-01-01", "base") == ["notice_given"]
    assert deadline(life.policy, life.now) == day("2026-01-10")


def test_everybody_moves_and_an_open_ground_gets_the_end_that_the_new_version_gives() -> None:
    life = held("everybody", new=gold(QUICKLY, validity=Fixed(12, "months")))

    life.on("2026-01-01", "gold")
    assert life.now.grounds == (
        Ground("gold", day("2025-12-31"), day("2026-12-31"), "earned", version=2),
    )


@pytest.mark.parametrize("moves", ["upgrades_only", "new_grounds_only"])
def test_who_keeps_an_open_ground_by_the_old_version_fails_only_after_the_stated_date(
    moves: Moves,
) -> None:
    life = held(moves)

    assert life.on("2026-01-01", "base", older=KEPT) == []
    assert life.on("2026-06-30", "base", older=KEPT) == []
    assert life.ground == "earned open"
    assert life.on("2026-07-01", "base", older=KEPT) == ["notice_given"]
    assert versions_needed(life.policy, 2, life.now) == frozenset()


def test_upgrades_only_who_fails_both_falls_by_the_steps_of_the_new_version() -> None:
    life = held("upgrades_only")

    assert life.on("2026-01-01", "base", older=FAILED) == ["notice_given"]
    assert life.on("2026-01-11", "base", older=FAILED) == ["demoted"]


def test_upgrades_only_a_run_ends_when_the_old_version_is_kept_again() -> None:
    life = held("upgrades_only")
    life.on("2026-01-01", "base", older=FAILED)

    assert life.on("2026-01-02", "base", older=KEPT) == ["reinstated"]
    assert (life.ground, life.now.run) == ("grace open", None)


def test_upgrades_only_a_ground_with_an_end_and_its_grace_keep_the_old_criteria_past_any_date() -> (
    None
):
    life = held("upgrades_only", last="2026-01-31")

    assert life.on("2026-02-01", "base", older=KEPT) == []
    assert life.on("2026-12-31", "base", older=KEPT) == []
    assert life.ground == "grace open"
    assert life.on("2027-01-01", "gold", older=FAILED) == ["renewed"]
    assert versions_needed(life.policy, 2, life.now) == frozenset()


def test_upgrades_only_a_grace_that_an_open_ground_left_is_judged_anew_after_the_date() -> None:
    life = held("upgrades_only", new=gold(demoting(NOTICE)))
    life.on("2026-01-01", "base", older=FAILED)
    life.on("2026-01-02", "base", older=KEPT)

    assert life.on("2026-06-30", "base", older=KEPT) == []
    assert life.on("2026-07-01", "base", older=KEPT) == ["notice_given"]


def test_new_grounds_only_a_ground_is_lost_by_the_steps_of_its_own_version() -> None:
    life = held("new_grounds_only")

    assert life.on("2026-01-01", "base", older=FAILED) == ["notice_given"]
    assert deadline(life.policy, life.now, FAILED) == day("2026-03-01")
    assert life.on("2026-01-11", "base", older=FAILED) == []
    assert life.on("2026-03-02", "base", older=FAILED) == ["demoted"]


def test_new_grounds_only_the_unless_and_the_minimum_stay_are_the_old_versions_too() -> None:
    old = gold(replace(SLOWLY, minimum_stay_days=30))
    life = held("new_grounds_only")

    assert life.on("2026-01-05", "base", older=by_old("base", old)) == []
    assert life.on("2026-02-01", "base", older=by_old("base", old, unless=True)) == []
    assert life.on("2026-02-02", "base", older=by_old("base", old)) == ["notice_given"]


def test_new_grounds_only_who_fails_the_old_version_and_keeps_the_new_has_a_new_ground() -> None:
    life = held("new_grounds_only")

    assert life.on("2026-01-05", "gold", older=FAILED) == []
    assert life.grounds("gold") == ["2025-12-31 2026-01-04 earned", "2026-01-05 open earned"]
    assert life.on("2026-01-06", "base", older=KEPT) == ["notice_given"]


def test_a_renewal_is_a_ground_of_the_new_version() -> None:
    year = {"validity": Fixed(12, "months")}
    life = held("new_grounds_only", new=gold(QUICKLY, **year), last="2026-06-30")
    assert versions_needed(life.policy, 2, life.now) == {1}

    life.on("2026-01-01", "gold", older=KEPT)
    assert life.now.grounds == (
        Ground("gold", day("2025-12-31"), day("2026-12-31"), "earned", version=2),
    )


@pytest.mark.parametrize("moves", ["everybody", "upgrades_only", "new_grounds_only"])
def test_a_run_already_announced_keeps_its_promised_dates(moves: Moves) -> None:
    life = Life(OLD, held("everybody").standing, version=1)
    assert life.on("2026-01-01", "base") == ["notice_given"]
    life.policy, life.version = with_change(NEW, moves, "2026-01-31"), 2

    assert life.on("2026-01-20", "base", older=FAILED) == []
    assert deadline(life.policy, life.now, FAILED) == day("2026-03-01")
    assert life.on("2026-03-01", "base", older=FAILED) == []
    assert life.on("2026-03-02", "base", older=FAILED) == ["demoted"]


def test_a_run_of_which_nobody_was_told_goes_on_by_the_steps_of_the_new_version() -> None:
    life = Life(gold(demoting(demote(60))), held("everybody").standing, version=1)
    assert life.on("2026-01-01", "base") == []
    life.policy, life.version = with_change(gold(demoting(demote(10))), "everybody"), 2

    assert life.on("2026-01-11", "base") == ["demoted"]


def test_benefits_return_as_the_version_said_that_announced_the_run() -> None:
    old = gold(demoting(withdraw(0, "lounge"), withdraw(0, "gift"), benefits_return_days=7))
    life = Life(old, held("everybody").standing, version=1)
    life.on("2026-01-01", "base")
    life.policy, life.version = with_change(NEW, "everybody"), 2

    assert life.on("2026-01-02", "gold", older=by_old("base", old)) == ["renewed", "reinstated"]
    assert life.now.returning == (Return(day("2026-01-09"), ("lounge",)),)


def test_an_older_version_that_is_needed_and_wanting_is_refused() -> None:
    life = held("upgrades_only")

    assert versions_needed(life.policy, 2, life.now) == {1}
    with pytest.raises(ValueError, match="version 1 of the policy is needed"):
        life.on("2026-01-01", "base")


def test_in_doubt_by_the_old_version_nothing_is_lost() -> None:
    life = held("upgrades_only")

    assert life.on("2026-01-01", "base", older=by_old("base", keep={"gold": None})) == []
    assert life.ground == "earned open"


# -- tiers that disappear --------------------------------------------------------------------------

FORMER = ladder(tier("silver"), tier("gold", demotion="slowly"), demotion=[SLOWLY])


def with_premium(moves: Moves = "everybody", **tiers: str) -> Policy:
    premium: Tier = tier("premium", demotion="slowly")
    mapped = tiers or {"silver": "premium", "gold": "premium"}
    return with_change(ladder(premium, demotion=[QUICKLY]), moves, **mapped)


def test_the_tiers_left_out_are_those_neither_there_nor_mapped() -> None:
    assert tiers_left_out(FORMER, FORMER) == ()
    assert tiers_left_out(FORMER, with_premium()) == ()
    assert tiers_left_out(FORMER, with_premium(gold="premium")) == ("silver",)


def test_a_tier_that_disappears_takes_its_grounds_its_run_and_its_day_along() -> None:
    life = Life(FORMER, held("everybody").standing, version=1)
    life.on("2026-01-01", "base")
    life.policy, life.version = with_premium(), 2

    assert life.on("2026-01-11", "base", older=by_old("base", FORMER)) == []
    assert (life.tier, life.ground, life.now.since) == ("premium", "grace open", day("2025-12-31"))
    assert life.on("2026-03-02", "base", older=by_old("base", FORMER)) == ["demoted"]


def test_a_ground_of_a_tier_that_disappeared_keeps_the_criteria_it_had() -> None:
    life = held("upgrades_only", new=with_premium())
    life.policy = with_premium("upgrades_only")

    assert life.on("2026-01-01", "base", older=by_old("gold", FORMER)) == []
    assert life.on("2026-01-02", "base", older=by_old("silver", FORMER)) == ["notice_given"]


def test_grounds_of_tiers_that_become_one_become_one() -> None:
    first, last = day("2026-01-01"), day("2026-12-31")
    grounds = (
        Ground("silver", first, last, "earned", version=1),
        Ground("gold", day("2026-03-01"), None, "earned", version=1),
        Ground("silver", day("2025-01-01"), day("2025-06-30"), "earned", version=1),
    )

    carried = carry_over(Standing("gold", first, first, grounds), with_premium())
    assert carried.grounds == (
        Ground("premium", first, None, "earned", version=1, was="gold"),
        Ground("premium", day("2025-01-01"), day("2025-06-30"), "earned", version=1, was="silver"),
    )
    assert carry_over(carried, with_premium()) == carried


def test_what_becomes_the_lowest_tier_has_no_grounds_no_run_and_nothing_withdrawn() -> None:
    now = day("2026-01-01")
    ground = Ground("gold", now, None, "grace")
    run = Run(Mark(now), (Mark(now),))
    standing = Standing("gold", now, now, (ground,), run, ("lounge",))

    carried = carry_over(standing, with_premium(silver="base", gold="base"))
    assert carried == Standing("base", now, now)


def test_what_people_decided_is_of_the_tier_that_took_the_place() -> None:
    now = day("2026-01-01")
    measures = [Measure("hold", now, now), Measure("floor", now, now, "gold")]

    carried = carried_measures(measures, with_premium())
    assert carried == (measures[0], Measure("floor", now, now, "premium"))
    life = Life(with_premium(), held("everybody").standing, measures, version=2)
    assert life.on("2026-01-01", "premium") == ["hold_set", "override_set"]
    assert life.now.under == carried


def test_a_standing_of_a_tier_that_the_policy_does_not_know_is_refused() -> None:
    life = held("everybody")
    life.policy = with_premium(silver="premium")

    with pytest.raises(ValueError, match="no tier gold"):
        life.on("2026-01-01", "base")


# -- random lives ----------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(changed=standings.changed_lives())
def test_a_new_version_keeps_what_it_says_it_keeps(changed: Changed) -> None:
    standings.a_changed_life_keeps_the_laws(changed)


def test_a_run_ends_where_its_tier_becomes_one_that_is_held_for_life() -> None:
    start, soon = day("2025-12-31"), day("2026-01-01")
    grounds = (
        Ground("silver", start, None, "lifetime", version=1),
        Ground("gold", start, None, "grace", version=1, follows_open=True),
    )
    run = Run(Mark(soon), (Mark(soon),), version=1)
    before = Standing("gold", start, soon, grounds, run)
    policy = with_change(ladder(tier("silver")), "everybody", gold="silver")
    life = Life(policy, before, version=2)

    older = {1: Ruling(ladder(tier("silver"), tier("gold")), findings(OLD, "base"))}
    assert life.on("2026-01-02", "base", older=older) == ["reinstated"]
    assert (life.tier, life.ground, life.now.run) == ("silver", "lifetime open", None)
    assert life.on("2026-01-03", "base") == []
