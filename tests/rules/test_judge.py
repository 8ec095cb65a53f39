"""No answer unless both evaluators come to it."""

from __future__ import annotations

from fractions import Fraction

import durable_rules_engine as durable
import pytest

from rules.document import load
from rules.engine import EngineFailure, FactRefused
from rules.judge import Disagreement, DraftJudge, Judge
from rules.policy import Facts, Policy
from rules.reference import Reference
from rules.verdict import Verdict
from tests.rules.builders import Document, condition, metric, policy_document, tier

SPENT = [metric("spent", "money")]


def policy_of(entry: Document, **of_the_metric: object) -> Policy:
    metrics = [{**each, **of_the_metric} for each in SPENT]
    return load(policy_document(metrics, [tier("gold", entry=entry)]))


@pytest.fixture
def judge() -> Judge:
    return Judge(policy_of(condition("spent", "at_least", 5)))


def test_where_the_evaluators_agree_their_verdict_is_the_answer(judge: Judge) -> None:
    assert judge.judge({"spent": 5}) == Verdict((True,), 1)
    assert judge.judge({"spent": Fraction(9, 2)}) == Verdict((False,), 0)
    assert judge.judge({}) == Verdict((None,), 0)


def test_a_draft_is_judged_without_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("rules.judge.Engine", refuse)
    draft = DraftJudge(policy_of(condition("spent", "at_least", 5)))

    assert draft.judge({"spent": 5}) == Verdict((True,), 1)
    assert draft.failure is None


def test_where_they_differ_there_is_no_answer_but_the_case(judge: Judge) -> None:
    judge.reference = Reference(policy_of(condition("spent", "more_than", 5)))

    assert judge.judge({"spent": 6}).tier == 1
    with pytest.raises(Disagreement) as raised:
        judge.judge({"spent": 5})
    case = raised.value
    assert (case.decided, case.checked) == (Verdict((True,), 1), Verdict((False,), 0))
    assert (case.digest, case.facts) == (judge.policy.digest, {"spent": 5})
    assert str(case) == (
        f"The two evaluators disagree about policy {judge.policy.digest} "
        "and the facts {'spent': 5}."
    )
    assert case.message.params == {"digest": judge.policy.digest, "facts": "{'spent': 5}"}


@pytest.mark.parametrize(
    ("other", "facts"),
    [
        pytest.param({"any": [condition("spent", "at_least", 5)]}, {"spent": 5}, id="a node"),
        pytest.param(condition("spent", "is_known"), {}, id="an outcome"),
    ],
)
def test_they_differ_in_whatever_part_of_the_verdict(
    other: Document, facts: Facts, judge: Judge
) -> None:
    judge.reference = Reference(policy_of(other))

    with pytest.raises(Disagreement):
        judge.judge(facts)


def test_they_differ_if_only_one_leaves_it_open(judge: Judge) -> None:
    entry = condition("spent", "at_least", 5)
    judge.reference = Reference(policy_of(entry, missing="cannot_decide"))

    assert judge.judge({"spent": 4}).tier == 0
    with pytest.raises(Disagreement) as raised:
        judge.judge({})
    assert (raised.value.decided.open_tiers, raised.value.checked.open_tiers) == ((), (1,))


def test_a_disagreement_does_not_keep_the_next_client_from_being_judged(judge: Judge) -> None:
    judge.reference = Reference(policy_of(condition("spent", "more_than", 5)))
    with pytest.raises(Disagreement):
        judge.judge({"spent": 5})

    assert judge.judge({"spent": 6}).tier == 1


def test_the_facts_of_the_case_stay_as_they_were_judged(judge: Judge) -> None:
    judge.reference = Reference(policy_of(condition("spent", "more_than", 5)))
    facts: dict[str, int] = {"spent": 5}
    with pytest.raises(Disagreement) as raised:
        judge.judge(facts)
    facts["spent"] = 7

    assert raised.value.facts == {"spent": 5}


def test_a_fact_of_the_wrong_type_is_refused_before_anybody_judges_it(judge: Judge) -> None:
    with pytest.raises(FactRefused) as raised:
        judge.judge({"spent": "5"})

    assert raised.value.message.params == {"metric": "spent", "value": "'5'"}


def test_what_the_engine_fails_at_the_reference_does_not_answer_alone(judge: Judge) -> None:
    [rule_set] = judge._engine._conditions._rules._sets
    durable.delete_ruleset(rule_set._handle)

    with pytest.raises(EngineFailure):
        judge.judge({"spent": 5})
