"""Where a policy takes a client in the end: as it comes out, day by day, if the facts stay so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rules.decide import decide
from rules.destination import destination
from rules.policy import Fixed, Monthly, Policy, Promotion
from rules.standing import Findings, Ground, Standing
from rules.windows import DAY
from tests.rules.standings import NOTICE, demote, demoting, findings, ladder, tier

TODAY = date(2026, 7, 1)
ONE_RUNG = demoting(NOTICE, demote(30, to="one_rung"))

POLICIES = {
    "at once": ladder(tier("silver"), tier("gold")),
    "after a notice": ladder(
        tier("silver", demotion="slowly"),
        tier("gold", demotion="slowly"),
        demotion=[demoting(NOTICE, demote(60))],
    ),
    "rung by rung": ladder(
        tier("silver", demotion="slowly"), tier("gold", demotion="slowly"), demotion=[ONE_RUNG]
    ),
    "never": ladder(
        tier("silver", demotion="slowly"),
        tier("gold", demotion="slowly"),
        demotion=[demoting(NOTICE)],
    ),
    "on the first of a month": ladder(
        tier("silver", validity=Fixed(2, "months")),
        tier("gold", validity=Fixed(2, "months")),
        promotion=Promotion(Monthly(1), "one_rung"),
    ),
    "for life": ladder(tier("silver"), tier("gold", lifetime_after_years=0)),
}


def holding(key: str) -> Standing | None:
    """Return how somebody stands who has held a tier for a while; None for who is new."""
    since = date(2026, 1, 1)
    ground = Ground(key, since, None, "earned")
    return Standing(key, since, TODAY - DAY, () if key == "base" else (ground,))


def in_the_end(policy: Policy, found: Findings, standing: Standing | None) -> str:
    """Return the tier held after two years in which the facts stayed as they are."""
    for number in range(730):
        standing, _ = decide(policy, found, standing, TODAY + number * DAY)
    assert standing is not None
    return standing.tier


@pytest.mark.parametrize("entitled", ["base", "silver", "gold", None])
@pytest.mark.parametrize("held", ["nobody", "base", "silver", "gold"])
@pytest.mark.parametrize("name", POLICIES)
def test_it_is_where_the_days_lead(name: str, held: str, entitled: str | None) -> None:
    policy = POLICIES[name]
    standing = None if held == "nobody" else holding(held)
    found = findings(policy, entitled)

    assert destination(policy, found, standing, TODAY) == in_the_end(policy, found, standing)


@pytest.mark.parametrize(
    "said", [{"keeps": ["gold"]}, {"keep": {"gold": None}}, {"unless": True}, {"unless": None}]
)
def test_who_keeps_or_is_excepted_or_cannot_be_judged_stays(said: dict[str, Any]) -> None:
    policy = POLICIES["after a notice"]
    found = findings(policy, "base", **said)

    assert destination(policy, found, holding("gold"), TODAY) == "gold"
    assert in_the_end(policy, found, holding("gold")) == "gold"


def test_who_holds_a_tier_for_life_keeps_it_and_no_more() -> None:
    policy = POLICIES["at once"]
    standing = holding("gold")
    assert standing is not None
    life = Ground("silver", date(2020, 1, 1), None, "lifetime")
    found = findings(policy, "base")

    with_life = replace(standing, grounds=(*standing.grounds, life))

    assert destination(policy, found, with_life, TODAY) == "silver"
    assert in_the_end(policy, found, with_life) == "silver"
    over = replace(life, last=TODAY - DAY)
    assert destination(policy, found, replace(standing, grounds=(over,)), TODAY) == "base"
