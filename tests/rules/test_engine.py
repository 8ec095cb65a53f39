"""The compiled policy: every condition and group as the criteria say, for random clients too."""

from __future__ import annotations

import sys
from datetime import date
from fractions import Fraction
from itertools import islice
from pathlib import Path
from random import Random
from typing import cast

import durable_rules_engine as durable
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import engine as engine_module
from rules.criteria import Condition, Criteria, Group, walk
from rules.document import load
from rules.document.strict_json import dumps, loads
from rules.engine import Engine, EngineFailure
from rules.engine.plan import Plan, code
from rules.judge import Judge
from rules.policy import Facts, Policy
from rules.reference import Reference
from rules.verdict import Outcome, Verdict
from rules.vocabulary import LARGEST, OPERATORS, Missing, Value
from tests import fuzz
from tests.generate import SHAPES, clients, random_document
from tests.rules.builders import Document, condition, metric, option, policy_document, tier


def policy_of(metrics: list[Document], *entries: Document, **more: object) -> Policy:
    """Return a policy whose tiers above the lowest have these entry criteria."""
    tiers = [tier(f"t{place}", entry=entry) for place, entry in enumerate(entries, 1)]
    return load(policy_document(metrics, tiers, **more))


# -- the engine and the reference, by chance ---------------------------------------------------


def test_twenty_thousand_evaluations_of_random_policies_bring_no_disagreement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["--evaluations", "20000", "--seed", "suite", "--folder", str(tmp_path)]

    assert fuzz.main(run) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "seed suite"
    assert said[-1].startswith("20,000 evaluations of 100 policies: 0 disagreements or failures in")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_policies_of_every_shape_bring_no_disagreement(shape: object) -> None:
    random = Random(str(shape))
    policy = load(random_document(random, next(each for each in SHAPES if each == shape)))
    judge = Judge(policy)

    verdicts = [judge.judge(facts) for facts in islice(clients(random, policy), 300)]
    nodes = sum(1 for root in policy.roots for _ in walk(root.criteria))
    assert {len(verdict.outcomes) for verdict in verdicts} == {nodes}


def test_a_disagreement_is_written_down_and_can_be_judged_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = fuzz.Run(evaluations=50, seed="apart", clients_per_policy=50, folder=tmp_path)
    document, several = run.case(0)
    judge = Judge(load(document))
    known = {"any": [condition(key, "is_known") for key in judge.policy.metrics]}
    judge.reference = Reference(load({**document, "tiers": [tier("a"), tier("b", entry=known)]}))

    found = fuzz.examine(judge, several)
    assert found is not None
    facts, what = found
    assert facts == several[0]
    assert what.startswith("Disagreement: The two evaluators disagree about policy ")

    path = run.note(0, [facts], what)
    noted = cast("Document", loads(path.read_bytes()))
    assert noted["what"] == what
    assert load(noted["document"]).digest == judge.policy.digest
    assert fuzz.main(["--replay", str(path)]) == 0
    assert capsys.readouterr().out == "nothing goes wrong\n"


def test_facts_are_written_down_as_they_were(tmp_path: Path) -> None:
    run = fuzz.Run(evaluations=1, seed="facts", clients_per_policy=1, folder=tmp_path)
    facts: Facts = {"a": Fraction(-1, 3), "b": date(2026, 2, 28), "c": True, "d": 5, "e": "o1"}

    noted = cast("Document", loads(run.note(0, [facts], "").read_bytes()))
    assert fuzz.read_facts(noted["clients"][0]) == facts


def test_a_child_that_gives_no_answer_is_stopped_and_its_policy_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = fuzz.Run(evaluations=40, seed="slow", clients_per_policy=2, folder=tmp_path)
    monkeypatch.setattr(fuzz, "SECONDS_PER_CHILD", 0.001)

    [path] = fuzz.watch_batch(run, range(7, 9))
    noted = cast("Document", loads(path.read_bytes()))
    assert path.name == "fuzz-slow-7.json"
    assert noted["what"] == "no answer in 0.001 seconds"
    assert [fuzz.read_facts(each) for each in noted["clients"]] == run.case(7)[1]


def test_a_child_that_dies_has_its_policy_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = fuzz.Run(evaluations=40, seed="dead", clients_per_policy=2, folder=tmp_path)
    monkeypatch.setattr(sys, "executable", "/bin/false")

    [path] = fuzz.watch_batch(run, range(7, 9))
    assert path.name == "fuzz-dead-7.json"
    assert "died with status 1" in path.read_text(encoding="utf-8")


def test_the_same_seed_gives_the_same_policies_and_clients(tmp_path: Path) -> None:
    run = fuzz.Run(evaluations=100, seed="again", clients_per_policy=10, folder=tmp_path)

    assert run.case(3) == run.case(3)
    assert run.case(3) != run.case(4)


def test_random_policies_have_everything_that_criteria_can_have() -> None:
    documents = [random_document(Random(f"cover {n}")) for n in range(60)]
    policies = [load(document) for document in documents]
    roots = [root for policy in policies for root in policy.roots]
    nodes = [node for root in roots for node in walk(root.criteria)]

    assert all(loads(dumps(document)) == document for document in documents)
    assert {type(node).__name__ for node in nodes} == {
        *("AllOf", "AnyOf", "AtLeast", "NoneOf", "Condition", "QualifiesFor")
    }
    assert {root.part for root in roots} == {"entry", "keep", "segment", "unless"}
    assert {
        (policy.metrics[node.metric].type, node.operator)
        for policy in policies
        for root in policy.roots
        for node in walk(root.criteria)
        if isinstance(node, Condition)
    } == {(kind, operator) for kind, operators in OPERATORS.items() for operator in operators}
    assert {each.missing for policy in policies for each in policy.metrics.values()} == {*Missing}
    assert max(deep(root.criteria) for root in roots) == 8
    assert max(len(node.parts) for node in nodes if isinstance(node, Group)) == 60


def deep(node: Criteria) -> int:
    return 1 + max(map(deep, node.parts)) if isinstance(node, Group) else 0


def test_random_clients_lie_at_limits_beside_them_between_steps_and_at_the_ends() -> None:
    policy = policy_of([metric("m", "count")], condition("m", "at_least", 7))
    values = {facts.get("m") for facts in islice(clients(Random("lie"), policy), 2000)}

    assert {None, 6, 7, 8, LARGEST, -LARGEST, 7 + Fraction(1, 3), 7 - Fraction(1, 2)} <= values


# -- integers for values -----------------------------------------------------------------------

numbers = st.one_of(
    st.integers(-LARGEST, LARGEST),
    st.fractions(-LARGEST, LARGEST),
    st.integers(-9, 9).map(lambda n: Fraction(n, 7)),
)


@given(value=numbers, limit=st.integers(-LARGEST, LARGEST))
def test_the_integer_for_a_number_lies_to_that_of_a_limit_as_the_number_to_the_limit(
    value: int | Fraction, limit: int
) -> None:
    assert (code(value) < code(limit), code(value) == code(limit)) == (
        value < limit,
        value == limit,
    )


@given(whole=st.integers(-LARGEST, LARGEST - 1), parts=st.fractions(0, 1))
def test_the_integer_for_a_number_beside_a_limit_is_never_the_limits(
    whole: int, parts: Fraction
) -> None:
    between = code(whole + parts)

    assert code(whole) <= between <= code(whole + 1)
    assert (between in {code(whole), code(whole + 1)}) is (parts in {0, 1})


@given(st.dates(), st.dates())
def test_the_integers_for_days_are_in_the_order_of_the_days(one: date, other: date) -> None:
    assert (code(one) < code(other), code(one) == code(other)) == (one < other, one == other)


@pytest.mark.parametrize("value", [True, "5", 5.0, None])
def test_nothing_else_has_an_integer(value: object) -> None:
    with pytest.raises(TypeError):
        code(value)


# -- the plan ----------------------------------------------------------------------------------


def test_a_condition_that_stands_in_several_places_is_one_rule() -> None:
    again = condition("m", "at_least", 5)
    policy = policy_of(
        [metric("m", "count")], {"all": [again, again]}, {"none": [again, {"any": [again]}]}
    )

    assert len(Plan(policy).leaves) == 1
    assert Engine(policy).judge({"m": 5}).outcomes == (True, True, True, False, True, True, True)


def test_a_condition_that_cannot_be_decided_is_two_where_it_helps_and_harms() -> None:
    again = condition("m", "at_least", 5)
    policy = policy_of([metric("m", "count", missing="cannot_decide")], again, {"none": [again]})

    assert sorted(leaf.wanted for leaf in Plan(policy).leaves) == [False, True]
    assert Engine(policy).judge({}) == Verdict((None, None, None), 0, (1, 2))


def test_a_prerequisite_is_the_lower_tiers_own_criteria_and_not_a_copy() -> None:
    policy = policy_of(
        [metric("m", "count")],
        {"all": [condition("m", "at_least", 5), condition("m", "at_most", 9)]},
        {"any": [{"qualifies_for": "t1"}, {"qualifies_for": "t1"}]},
        {"none": [{"qualifies_for": "t1"}]},
    )

    plan = Plan(policy)
    assert (len(plan.leaves), [len(level) for level in plan.levels]) == (2, [1, 2])


def test_groups_are_decided_from_the_innermost_outwards() -> None:
    nested = condition("m", "at_least", 5)
    for word in ("all", "none", "any"):
        nested = {word: [nested, condition("m", "at_most", 9)]}
    plan = Plan(policy_of([metric("m", "count")], nested))

    assert [[type(node.group).__name__ for node in level] for level in plan.levels] == [
        ["AllOf"],
        ["NoneOf"],
        ["AnyOf"],
    ]


# -- the verdict -------------------------------------------------------------------------------


def test_outcomes_stand_in_the_order_in_which_the_criteria_are_written() -> None:
    policy = policy_of(
        [metric("a", "count"), metric("b", "count")],
        {"any": [condition("a", "at_least", 1), {"all": [condition("b", "at_least", 1)]}]},
        {"at_least": 1, "of": [{"qualifies_for": "t1"}, condition("b", "is_not_known")]},
        segments=[{**option("s"), "criteria": condition("a", "equal", 0)}],
    )
    first: tuple[Outcome, ...] = (None, False, None, None)
    second: tuple[Outcome, ...] = (True, None, True)

    assert Engine(policy).judge({"a": 0}).outcomes == (*first, *second, True)


def test_the_tier_is_the_highest_that_holds_whether_those_below_hold_or_not() -> None:
    policy = policy_of(
        [metric("m", "count")],
        *(condition("m", "equal", n) for n in (1, 2, 3)),
        {"any": [condition("m", "equal", 2)]},
    )
    engine = Engine(policy)

    assert [engine.judge({"m": n}).tier for n in range(5)] == [0, 1, 4, 3, 0]
    assert engine.judge({}) == Verdict((None,) * 5, 0)


def test_keep_criteria_segments_and_exceptions_give_no_tier() -> None:
    document = policy_document(
        [metric("m", "count")],
        [
            tier("t1", entry=condition("m", "at_least", 9), keep=condition("m", "at_least", 1)),
        ],
        segments=[{**option("s"), "criteria": condition("m", "at_least", 1)}],
        demotion_policies=[
            {
                **option("d"),
                "unless": condition("m", "at_least", 1),
                "steps": [{"kind": "demote", "days": 1, "to": "entitled"}],
            }
        ],
    )

    assert Engine(load(document)).judge({"m": 5}) == Verdict((False, True, True, True), 0)


def test_a_policy_without_criteria_gives_everybody_its_lowest_tier() -> None:
    assert Engine(policy_of([metric("m", "count")])).judge({"m": 5}) == Verdict((), 0)


def test_a_ladder_of_thirty_tiers_each_building_on_the_last_is_climbed_rung_by_rung() -> None:
    rungs: list[Document] = [
        {
            "all": [
                condition("m", "at_least", n),
                *([{"qualifies_for": f"t{n - 1}"}] if n > 1 else []),
            ]
        }
        for n in range(1, 30)
    ]
    engine = Engine(policy_of([metric("m", "count")], *rungs))

    assert [engine.judge({"m": n}).tier for n in range(30)] == list(range(30))


# -- what is remembered ------------------------------------------------------------------------


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Listen in on what is put to the library, which still does the work."""
    seen: list[str] = []
    assert_fact = durable.assert_fact

    def listened(handle: int, text: str) -> object:
        seen.append(text)
        return assert_fact(handle, text)

    monkeypatch.setattr(durable, "assert_fact", listened)
    return seen


def test_clients_between_the_same_limits_are_put_to_the_library_once(put: list[str]) -> None:
    limits = [condition("m", "at_least", 5), condition("m", "at_most", 9)]
    engine = Engine(policy_of([metric("m", "count")], {"all": limits}))
    put.clear()

    inside: list[Value] = [6, 7, Fraction(16, 3), 8, Fraction(26, 3)]
    assert [engine.judge({"m": value}).tier for value in inside] == [1] * 5
    assert len(put) == 2  # the conditions, and the group
    for facts in ({"m": 4}, {"m": 5}, {"m": 9}, {"m": 10}, {}):
        put.clear()
        engine.judge(facts)
        assert len(put) == 2


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "REMEMBERED", 1024)
    rungs = [condition("m", "at_least", limit) for limit in range(29)]
    engine = Engine(policy_of([metric("m", "count")], *rungs))

    for value in [*range(-1, 40), *range(-1, 40)]:
        assert engine.judge({"m": value}).tier == min(max(value + 1, 0), 29)
        assert len(engine._decided) <= 2


def test_what_an_engine_remembers_it_keeps_to_itself_once_it_failed() -> None:
    engine = Engine(policy_of([metric("m", "count")], condition("m", "at_least", 5)))
    engine.judge({"m": 5})
    engine._failure = "it failed"

    with pytest.raises(EngineFailure, match="it failed"):
        engine.judge({"m": 5})
