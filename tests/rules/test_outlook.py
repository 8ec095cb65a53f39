"""How a client stands and what is coming, in sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.words import Words
from rules.outlook import outlook
from rules.policy import Benefit
from rules.prospects import deadline
from rules.standing import Cause, Ground, Measure, Standing
from tests.rules.standings import NOTICE, Life, demote, demoting, ladder, tier, withdraw

FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)
SLOWLY = demoting(NOTICE, withdraw(10, "lounge"), demote(20))
LOUNGE = Benefit("lounge", {"en": "The lounge"})
LADDER = ladder(tier("gold", demotion="slowly", benefits=(LOUNGE,)), demotion=[SLOWLY])
NAMED = tuple(replace(each, name={"en": each.key.title()}) for each in LADDER.tiers)
POLICY = replace(LADDER, tiers=NAMED)


def said(standing: Standing, until: date | None = None) -> list[str]:
    return [Words().sentence(each) for each in outlook(POLICY, standing, until)]


@pytest.mark.parametrize(
    ("cause", "last", "sentence"),
    [
        ("earned", None, "for as long as its criteria are kept."),
        ("earned", LAST, "and is certain until June 30, 2026."),
        ("grace", None, "now by grace alone."),
        ("grace", LAST, "by grace until June 30, 2026."),
        ("landing", None, "as a landing from a higher tier."),
        ("landing", LAST, "as a landing from a higher tier until June 30, 2026."),
        ("lifetime", None, "and for life."),
    ],
)
def test_every_ground_says_why_and_until_when(
    cause: Cause, last: date | None, sentence: str
) -> None:
    standing = Standing("gold", FIRST, FIRST, (Ground("gold", FIRST, last, cause),))

    [found] = said(standing)

    assert found == f"Gold is held since January 1, 2026, {sentence}"


def test_the_lowest_tier_needs_no_ground() -> None:
    assert said(Standing("base", FIRST, FIRST)) == ["Base needs no ground: it is for everybody."]


def test_a_run_says_what_it_will_cost_and_what_it_has_taken() -> None:
    life = Life(POLICY, Standing("gold", FIRST, FIRST, (Ground("gold", FIRST, None, "earned"),)))
    life.daily("2026-01-02", "2026-01-12", "base")

    assert said(life.now, deadline(POLICY, life.now)) == [
        "Gold is held since January 1, 2026, now by grace alone.",
        "Gold is lost after January 31, 2026 unless what is missing is made good by then.",
        "Withdrawn for now: The lounge.",
    ]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("hold", "A hold keeps Gold until June 30, 2026."),
        ("floor", "Service is at least that of Base until June 30, 2026"),
        ("ceiling", "Service is at most that of Base until June 30, 2026"),
        ("exact", "Service is that of Base until June 30, 2026"),
    ],
)
def test_what_people_decided_is_said_with_its_end(kind: str, sentence: str) -> None:
    named = None if kind == "hold" else "base"
    under = (Measure(kind, FIRST, LAST, named),)  # type: ignore[arg-type]  # of the four

    found = said(Standing("gold", FIRST, FIRST, (), under=under))

    assert found[-1].startswith(sentence)
