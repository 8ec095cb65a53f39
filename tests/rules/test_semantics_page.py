"""The examples in docs/semantics.md come out as they are printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rules.document import load
from rules.measure import Activity, Client, Members, measure
from rules.policy import Fixed, Promotion, Step
from rules.prospects import Older, deadline, state
from rules.reference import Reference
from rules.standing import Ruling
from tests.rules import test_transition
from tests.rules.builders import activities, condition, metric, policy_document
from tests.rules.builders import tier as a_tier
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
from tests.rules.test_transition import OLD, Moves

PAGE = (Path(__file__).parents[2] / "docs" / "semantics.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: (.+) -->\n\|.*\n\|.*\n((?:\|.*\n)+)", PAGE))


def gold(
    *steps: Step, last: str | None = None, hold_: tuple[str, str] | None = None, **parts: Any
) -> Life:
    demotion = [demoting(*steps, **parts)] if steps else []
    named = tier("gold", demotion="slowly" if steps else None)
    life = held(ladder(named, demotion=demotion), last=last)
    life.measures = [hold(*hold_)] if hold_ else []
    return life


def by_rungs() -> Life:
    by_quarter = Promotion(QUARTERLY, "one_rung")
    return Life(ladder(tier("silver"), tier("gold"), promotion=by_quarter))


def landing() -> Life:
    one_rung = demoting(demote(to="one_rung", landing=Fixed(3, "months")))
    return held(ladder(tier("silver"), tier("gold", demotion="slowly"), demotion=[one_rung]))


def settling() -> Life:
    policy = ladder(tier("gold", validity=YEAR))
    return held(replace(policy, settlement_days=3), last="2026-01-31")


def moving(moves: Moves) -> Life:
    return test_transition.held(moves)


BEGINNINGS: dict[str, Callable[[], Life]] = {
    "renewal at expiry": lambda: Life(ladder(tier("gold", validity=YEAR, renewal="at_expiry"))),
    "one rung on each assessment date": by_rungs,
    "for life after two years": lambda: Life(ladder(tier("gold", lifetime_after_years=2))),
    "mended, and failed again": lambda: gold(*SLOWLY.steps),
    "returning stepwise": lambda: gold(
        withdraw(0, "lounge"), withdraw(10, "gift"), benefits_return_days=7
    ),
    "notice, withdrawal, demotion": lambda: gold(
        NOTICE, withdraw(30, "lounge"), demote(60, counted="start")
    ),
    "warned": lambda: gold(Step("warning", 30), demote(10, counted="start"), last="2026-03-31"),
    "issued late": lambda: gold(NOTICE, demote(20)),
    "a soft landing": landing,
    "a hold": lambda: gold(NOTICE, demote(10), hold_=("2026-01-05", "2026-01-20")),
    "undetermined": lambda: gold(last="2026-01-31"),
    "dates not evaluated": lambda: gold(*SLOWLY.steps, last="2026-01-31"),
    "settled": settling,
    "settled, and failed": settling,
    "upgrades only": lambda: moving("upgrades_only"),
    "new grounds only": lambda: moving("new_grounds_only"),
}


def test_every_example_of_the_page_is_known() -> None:
    assert list(EXAMPLES) == list(BEGINNINGS)


@pytest.mark.parametrize("name", BEGINNINGS)
def test_an_example_comes_out_as_it_is_printed(name: str) -> None:
    life = BEGINNINGS[name]()

    for line in EXAMPLES[name].splitlines():
        dated, given, *expected = [cell.strip() for cell in line.strip("|").split("|")]
        day, _, issued = dated.rstrip(")").partition(" (on ")
        given, _, by_old = given.partition(", by the old version ")
        given, _, then = given.partition(", and on 1 February ")
        settled = findings(life.policy, then) if then else None
        entitled = None if given == "undetermined" else given
        older = {1: Ruling(OLD, findings(OLD, by_old))} if by_old else {}
        events = life.on(day, entitled, issued=issued or None, older=older, settled=settled)
        assert [*told(life, older), ", ".join(events)] == expected, line


def test_a_group_is_given_what_its_members_come_to_together() -> None:
    together = metric("together", "money", {"kind": "group", "metric": "spend"})
    metrics = [metric("spend", "money", activities("sum", "amount")), together]
    gold_ = {**a_tier("gold"), "entry": condition("together", "at_least", 5000)}
    bought = {"Ann": ("2026-01-10", 3000), "Ben": ("2026-02-10", 2500)}
    [rows] = re.findall(r"<!-- group -->\n\|.*\n\|.*\n((?:\|.*\n)+)", PAGE)

    for line in rows.splitlines():
        day, goes_to, *given = [cell.strip(" `") for cell in line.strip("|").split("|")]
        rules = load(policy_document(metrics, [gold_], groups={"tier_goes_to": goes_to}))
        ann, ben = (
            Client(activities=[Activity("sale", date.fromisoformat(first), amount)])
            for first, amount in bought.values()
        )
        if day < "2026-06-01":
            ann, ben = (
                replace(ann, group=Members([ben], is_head=True)),
                replace(ben, group=Members([ann], is_head=False)),
            )
        found = [measure(rules, each, date.fromisoformat(day)) for each in (ann, ben)]
        assert [rules.tiers[Reference(rules).judge(each).tier].key for each in found] == given, line


def told(life: Life, older: Older) -> list[str]:
    """Write how a client stands as the page does."""
    ground = re.sub(r" (?=[0-9])", " until ", life.ground)
    until = deadline(life.policy, life.now, older)
    return [
        life.tier,
        ground,
        state(life.now, life.measures, life.now.as_of),
        "" if until is None else until.isoformat(),
    ]
