"""What a verdict says about a standing: the tier, what is kept, and what is in doubt."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import islice
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.document import load
from rules.policy import Facts, Policy
from rules.reference import Reference
from rules.standing import Findings, Ground, Mark, Measure, Run
from rules.verdict import Outcome
from tests.generate import clients, random_document
from tests.rules.builders import Document, condition, metric, policy_document, tier

SPENT = metric("spent", "money")
RATED = metric("rated", "count", missing="cannot_decide")
ENOUGH = condition("spent", "at_least", 5)
WELL = condition("rated", "at_least", 4)


def findings(policy: Policy, facts: Facts) -> Findings:
    return Findings.of(policy, Reference(policy).judge(facts), facts)


def policy_of(keep: Document, unless: Document | None = None) -> Policy:
    slowly: Document = {
        "key": "slowly",
        "name": {"en": "slowly"},
        "steps": [{"kind": "demote", "to": "entitled"}],
        **({} if unless is None else {"unless": unless}),
    }
    gold = tier("gold", entry=condition("spent", "at_least", 100), keep=keep, demotion="slowly")
    silver = tier("silver", entry=WELL)
    return load(policy_document([SPENT, RATED], [silver, gold], demotion_policies=[slowly]))


def kept(keep: Document, **facts: Any) -> Outcome:
    return findings(policy_of(keep), facts).keep[2]


# -- days ----------------------------------------------------------------------------------------


def test_a_ground_holds_from_its_first_day_to_its_last() -> None:
    first, last = date(2028, 2, 1), date(2028, 2, 29)
    ground = Ground("gold", first, last, "earned")

    assert [ground.holds(day) for day in (date(2028, 1, 31), first, last, date(2028, 3, 1))] == [
        False,
        True,
        True,
        False,
    ]
    assert replace(ground, last=None).holds(date.max)


def test_a_measure_is_in_force_from_its_first_day_to_its_last() -> None:
    measure = Measure("hold", date(2026, 1, 2), date(2026, 1, 3))

    assert [measure.holds(date(2026, 1, day)) for day in (1, 2, 3, 4)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_day_of_a_run_moves_by_as_long_as_the_clock_has_stood_since() -> None:
    run = Run(Mark(date(2026, 1, 1)), (Mark(date(2026, 1, 10), 3),), stood=8)

    assert run.clocked(Mark(date(2026, 1, 1))) == date(2026, 1, 9)
    assert run.clocked(run.done[0]) == date(2026, 1, 15)


# -- findings --------------------------------------------------------------------------------------


def test_findings_have_the_tier_entry_and_keep_of_each_and_the_dates() -> None:
    joined = metric("joined", "date")
    gold = tier("gold", entry=condition("spent", "at_least", 100), keep=ENOUGH)
    policy = load(policy_document([SPENT, joined], [tier("silver", entry=ENOUGH), gold]))
    day = date(2026, 1, 1)

    assert findings(policy, {"spent": 7, "joined": day}) == Findings(
        1, 1, (True, True, False), (True, True, True), {}, {"joined": day}
    )


def test_an_undetermined_answer_has_the_highest_determined_tier_at_least() -> None:
    found = findings(policy_of(ENOUGH), {"spent": 5})

    assert (found.entitled, found.at_least) == (None, 0)
    assert found.keep == (True, None, True)


@pytest.mark.parametrize(
    ("keep", "facts", "outcome"),
    [
        pytest.param(ENOUGH, {"spent": 5}, True, id="kept"),
        pytest.param(ENOUGH, {"spent": 4}, False, id="not kept"),
        pytest.param(ENOUGH, {}, False, id="merely unknown is not kept"),
        pytest.param(WELL, {}, None, id="what cannot be decided without is in doubt"),
        pytest.param({"all": [WELL, ENOUGH]}, {"spent": 4}, False, id="not kept whatever it is"),
        pytest.param({"all": [WELL, ENOUGH]}, {}, False, id="it would not help"),
        pytest.param({"all": [WELL, ENOUGH]}, {"spent": 5}, None, id="it would help"),
        pytest.param({"any": [WELL, ENOUGH]}, {}, None, id="it would do"),
        pytest.param({"any": [WELL, ENOUGH]}, {"spent": 5}, True, id="kept whatever it is"),
        pytest.param({"none": [WELL]}, {}, None, id="it could be low"),
        pytest.param({"none": [WELL, ENOUGH]}, {}, False, id="low would not help"),
        pytest.param({"none": [{"none": [WELL]}]}, {}, None, id="it could be high"),
        pytest.param(
            {"at_least": 2, "of": [WELL, ENOUGH, ENOUGH]}, {}, False, id="one of two is too few"
        ),
        pytest.param({"at_least": 1, "of": [WELL, ENOUGH]}, {}, None, id="one of one would do"),
        pytest.param({"qualifies_for": "silver"}, {}, None, id="the lower tier is in doubt"),
        pytest.param({"none": [{"qualifies_for": "silver"}]}, {}, None, id="it could be missed"),
        pytest.param({"qualifies_for": "silver"}, {"rated": 4}, True, id="the lower tier holds"),
    ],
)
def test_rule_6_keep_is_undetermined_where_what_is_missing_could_save_it(
    keep: Document, facts: Facts, outcome: Outcome
) -> None:
    assert kept(keep, **facts) is outcome


@pytest.mark.parametrize(
    ("unless", "facts", "outcome"),
    [
        (None, {}, False),
        (ENOUGH, {"spent": 5}, True),
        (ENOUGH, {}, False),
        (WELL, {}, None),
        (WELL, {"rated": 3}, False),
    ],
)
def test_rule_2_unless_is_undetermined_as_keep_is(
    unless: Document | None, facts: Facts, outcome: Outcome
) -> None:
    assert findings(policy_of(ENOUGH, unless), facts).unless == {"slowly": outcome}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_rule_6_a_tier_kept_as_it_is_entered_is_in_doubt_where_its_entry_is(seed: int) -> None:
    random = Random(seed)
    policy = load(random_document(random))
    without_keep = replace(policy, tiers=tuple(replace(tier, keep=None) for tier in policy.tiers))
    reference = Reference(without_keep)
    for facts in islice(clients(random, without_keep), 20):
        verdict = reference.judge(facts)
        found = Findings.of(without_keep, verdict, facts)
        for place in range(verdict.tier + 1, len(policy.tiers)):
            assert found.keep[place] is (None if place in verdict.open_tiers else False)
