"""Examples proposed at the limits of a policy, each with the tier that the rules give."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.words import Words
from rules.document import load
from rules.document.strict_json import loads
from rules.measure import complete
from rules.policy import Policy
from rules.proposals import Proposal, proposals
from rules.reference import Reference
from tests.app.asking import EXAMPLE
from tests.generate import random_document
from tests.rules.builders import condition, metric, policy_document, tier

DAY = date(2026, 7, 1)
WORDS = Words()


def proposed(*tiers: Any, **parts: Any) -> dict[str, tuple[dict[str, Any], str | None]]:
    metrics = [
        metric("spend", "money"),
        metric("orders", "count"),
        metric("since", "date"),
        metric("paid", "boolean"),
        metric("rating", "decimal"),
    ]
    policy = load(policy_document(metrics, tiers, **parts))
    return {WORDS.say(each.name): (each.facts, each.tier) for each in proposals(policy, DAY)}


def test_a_client_just_below_at_and_just_above_a_limit_is_proposed() -> None:
    assert proposed(tier("gold", entry=condition("spend", "at_least", 500000))) == {
        "Just short of what gold asks for: spend €4,999.99": ({"spend": 499999}, "base"),
        "Just what gold asks for: spend €5,000.00": ({"spend": 500000}, "gold"),
        "A little more than gold asks for: spend €5,000.01": ({"spend": 500001}, "gold"),
    }


def test_whatever_else_is_asked_for_is_given_so_that_the_limit_alone_decides() -> None:
    entry = {
        "all": [
            condition("orders", "at_least", 6),
            {"any": [condition("paid", "is", True), condition("spend", "more_than", 100)]},
        ]
    }
    found = proposed(tier("gold", entry=entry))

    assert found["Just what gold asks for: orders 6"] == ({"orders": 6, "paid": True}, "gold")
    assert found["Just short of what gold asks for: orders 5"][1] == "base"
    assert found["Just what gold asks for: spend €1.01"] == ({"orders": 6, "spend": 101}, "gold")
    assert found["Just short of what gold asks for: spend €1.00"][1] == "base"
    assert found["A little further from what gold asks for: spend €0.99"][1] == "base"


def test_keep_criteria_dates_bounds_and_decimals_have_limits_too() -> None:
    gold = tier(
        "gold",
        entry=condition("since", "on_or_after", "2026-01-01"),
        keep=condition("rating", "at_most", 4),
    )
    found = proposed(gold)

    assert found["Just what gold asks for: since January 1, 2026"][1] == "gold"
    assert found["Just short of what gold asks for: since December 31, 2025"][1] == "base"
    assert found["Just what keeping gold asks for: rating 4"] == ({"rating": 400}, "base")
    assert found["Just short of what keeping gold asks for: rating 4.01"][1] == "base"


def test_what_cannot_be_less_is_not_proposed_and_neither_is_what_has_no_limit() -> None:
    assert list(proposed(tier("gold", entry=condition("orders", "at_least", 0)))) == [
        "Just what gold asks for: orders 0",
        "A little more than gold asks for: orders 1",
    ]
    assert proposed(tier("gold", entry=condition("paid", "is", True))) == {}


def test_what_the_policy_has_as_an_example_is_not_proposed_again() -> None:
    gold = tier("gold", entry=condition("orders", "at_least", 6))
    kept = {"name": {"en": "Ann"}, "date": "2026-07-01", "facts": {"orders": 6}, "tier": "gold"}

    assert [facts["orders"] for facts, _ in proposed(gold, examples=[kept]).values()] == [5, 7]


def test_every_limit_of_the_wholesale_policy_turns_the_tier_it_belongs_to() -> None:
    policy = replace(load(loads(EXAMPLE.read_bytes())), examples=())
    entries = [each for each in proposals(policy, DAY) if "keeping" not in each.name]

    met = [each for each in entries if each.name.startswith("Just what")]
    missed = [each for each in entries if each.name.startswith("Just short")]
    assert len(met) == 3
    assert len(missed) == 11
    for each in met:
        assert each.tier == str(each.name.params["tier"]).lower(), each
    for each in missed:
        assert each.tier != str(each.name.params["tier"]).lower(), each


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_every_proposal_is_an_example_that_passes(seed: int) -> None:
    policy = load(random_document(Random(seed)))
    reference = Reference(policy)
    for _, each in zip(range(20), proposals(policy, DAY), strict=False):
        assert _given(policy, reference, each) == each.tier


def _given(policy: Policy, reference: Reference, proposal: Proposal) -> str | None:
    verdict = reference.judge(complete(policy, proposal.facts, DAY))
    return None if verdict.open_tiers else policy.tiers[verdict.tier].key
