"""Examples in a policy are read like any facts, and judged like any client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.describe import Line, describe
from rules.document import load
from rules.document.strict_json import loads
from rules.engine import EngineFailure
from rules.examples import ExampleFailure, failures
from rules.facts import FactsInvalid, read
from rules.judge import Disagreement, Judge
from rules.messages import Message
from rules.policy import Facts, Policy
from rules.reference import Reference
from rules.verdict import Verdict
from rules.vocabulary import LARGEST, MetricType
from tests.rules.builders import (
    Document,
    Place,
    changed,
    condition,
    found,
    metric,
    names,
    path,
    policy_document,
    problems,
    tier,
)

DAY = "2026-07-01"


def example(
    facts: Mapping[str, object], expected: str | None, name: str = "A", day: str = DAY
) -> Document:
    return {"name": names(name), "date": day, "facts": dict(facts), "tier": expected}


METRICS = [
    metric("spend", "money", name=names("Spend")),
    metric(
        "double",
        "money",
        {"kind": "weighted_sum", "terms": [{"metric": "spend", "weight": 2}]},
        name=names("Twice the spend"),
    ),
    metric("since", "date"),
    metric("age", "days", {"kind": "days_since", "metric": "since"}),
    metric("trusted", "boolean", name=names("Trusted"), missing="cannot_decide"),
    metric("checked", "boolean", name=names("Checked"), missing="cannot_decide"),
]
TIERS = [
    tier("silver", name=names("Silver"), entry=condition("double", "at_least", 200)),
    tier("old", name=names("Old"), entry=condition("age", "at_least", 30)),
    tier(
        "gold",
        name=names("Gold"),
        entry={
            "all": [
                condition("spend", "at_least", 500),
                condition("trusted", "is", True),
                condition("checked", "is", True),
            ]
        },
    ),
]


def policy_with(*examples: Document) -> Policy:
    return load(policy_document(METRICS, TIERS, examples=list(examples)))


def failed(*examples: Document) -> tuple[ExampleFailure, ...]:
    """Judge examples by both evaluators."""
    policy = policy_with(*examples)
    return failures(policy, Judge(policy).judge)


def sentences(failures_: Sequence[ExampleFailure]) -> list[str]:
    return [each.sentence for each in failures_]


# -- judged ------------------------------------------------------------------------------------


def test_a_policy_without_examples_has_none_that_fail() -> None:
    assert failed() == ()


def test_examples_that_give_what_is_expected_do_not_fail() -> None:
    assert failed(
        example({"spend": 99}, "base"),
        example({"spend": 100}, "silver"),
        example({"spend": 500, "trusted": False}, "silver"),
        example({"spend": 500, "trusted": None, "checked": True}, None),
        example({"spend": 500, "trusted": True, "checked": True}, "gold"),
    ) == ()  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "expected", "sentence"),
    [
        ({"spend": 99}, "silver", "“A” should give Silver; it gives base."),
        ({"spend": 100}, "base", "“A” should give base; it gives Silver."),
        ({"spend": 100}, "gold", "“A” should give Gold; it gives Silver."),
        ({"spend": 100}, None, "“A” should give an undetermined answer; it gives Silver."),
        (
            {"spend": 500, "checked": True},
            "silver",
            "“A” should give Silver; it gives an undetermined answer, for want of Trusted.",
        ),
        (
            {"spend": 500},
            "gold",
            "“A” should give Gold; it gives an undetermined answer, for want of Trusted and "
            "Checked.",
        ),
    ],
)
def test_an_example_that_gives_something_else_is_told_what(
    facts: dict[str, object], expected: str | None, sentence: str
) -> None:
    assert sentences(failed(example(facts, expected))) == [sentence]


def test_each_failure_names_its_example_and_its_place() -> None:
    good, bad = example({"spend": 100}, "silver"), example({"spend": 9}, "silver", "Little")
    failed_ = failed(good, bad, good, {**bad, "name": names("Less")})

    assert [each.place for each in failed_] == [1, 3]
    assert [each.example.name for each in failed_] == [names("Little"), names("Less")]
    assert sentences(failed_) == [
        "“Little” should give Silver; it gives base.",
        "“Less” should give Silver; it gives base.",
    ]


@pytest.mark.parametrize(("day", "expected"), [("2026-07-01", "old"), ("2026-06-30", "base")])
def test_what_follows_from_the_facts_is_worked_out_for_the_day_of_the_example(
    day: str, expected: str
) -> None:
    assert failed(example({"since": "2026-06-01"}, expected, day=day)) == ()


def test_a_fact_that_is_stated_as_missing_is_not_worked_out() -> None:
    assert failed(example({"spend": 100, "double": None}, "base")) == ()


def test_an_example_whose_figures_come_to_more_than_is_decided_about_fails() -> None:
    half = LARGEST // 2
    much, more = ({"spend": spend, "trusted": False} for spend in (half, half + 1))

    assert failed(example(much, "silver"), example({"spend": -half}, "base")) == ()
    assert (
        sentences(failed(example(more, "silver"), example({"spend": -half - 1}, "base")))
        == [
            f"“A” cannot be judged: Twice the spend comes to a number not between -{LARGEST} and "
            f"{LARGEST}."
        ]
        * 2
    )


FACTS: Facts = {"spend": 100, "double": 200}


@pytest.mark.parametrize(
    "error",
    [
        EngineFailure("it is tired"),
        Disagreement(policy_with(), FACTS, Verdict((), 0), Verdict((), 1)),
    ],
    ids=["failure", "disagreement"],
)
def test_an_example_that_no_tier_can_be_named_for_fails_with_the_reason(
    error: EngineFailure | Disagreement,
) -> None:
    def judge(facts: Facts) -> Verdict:
        if facts == FACTS:
            raise error
        return Verdict((None,), 0)

    policy = policy_with(example({"spend": 100}, "silver"), example({"spend": 1}, "base"))

    assert sentences(failures(policy, judge)) == [f"“A” cannot be judged: {error.message}"]


amounts = st.none() | st.integers(90, 110) | st.integers(490, 510)
clients = st.fixed_dictionaries(
    {},
    optional={
        "spend": amounts,
        "double": amounts,
        "since": st.sampled_from([None, "2026-06-01", "2026-06-02"]),
        "trusted": st.none() | st.booleans(),
        "checked": st.none() | st.booleans(),
    },
)


@given(clients)
def test_of_all_expectations_just_one_is_met(facts: dict[str, object]) -> None:
    expectations = [None, "base", "silver", "old", "gold"]
    policy = policy_with(*(example(facts, expected) for expected in expectations))

    assert len(failures(policy, Reference(policy).judge)) == len(expectations) - 1


# -- read --------------------------------------------------------------------------------------

OF_EVERY_TYPE = [metric(f"a_{kind}", kind) for kind in MetricType]
stated = st.dictionaries(
    st.sampled_from([*(f"a_{kind}" for kind in MetricType), "unknown"]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-5, 5)
    | st.decimals(-5, 5, places=2)
    | st.sampled_from(["hotel", "farm", "2026-02-28", "2026-02-29"]),
)


@given(stated)
def test_the_facts_of_an_example_are_read_and_refused_as_those_of_a_client_are(
    facts: dict[str, object],
) -> None:
    document = policy_document(OF_EVERY_TYPE, examples=[example(facts, "base")])
    refused: dict[str, str] = {}
    read_: Mapping[str, object] = {}
    try:
        read_ = read(load(policy_document(OF_EVERY_TYPE)), facts)
    except FactsInvalid as error:
        refused = {f"examples[0].facts.{each.path}": each.message for each in error.problems}

    assert problems(document) == refused
    if not refused:
        assert [each.facts for each in load(document).examples] == [read_]


def test_a_fact_of_a_choice_whose_options_are_missing_has_none_to_name() -> None:
    unfinished = {"key": "x", "name": names("x"), "type": "choice"}
    document = policy_document([unfinished], examples=[example({"x": "hotel"}, "base")])

    assert problems(document)["examples[0].facts.x"] == "must be -"


def test_two_examples_may_bear_one_name() -> None:
    assert problems(policy_document(examples=[example({}, "base"), example({}, "base")])) == {}


# -- shown -------------------------------------------------------------------------------------


def test_examples_are_listed_at_the_end_of_what_a_policy_says() -> None:
    policy = policy_with(example({}, "silver", "Enough"), example({}, None, "Unknown"))

    assert describe(policy)[-3:] == [
        Line(0, Message("The examples:")),
        Line(1, Message("“Enough” gives Silver.")),
        Line(1, Message("“Unknown” gives an undetermined answer.")),
    ]


def test_a_policy_without_examples_does_not_speak_of_them() -> None:
    assert not any("example" in line.sentence for line in describe(policy_with()))


# -- the wholesale example ---------------------------------------------------------------------

WHOLESALE: Any = loads((Path(__file__).parents[2] / "examples" / "wholesale.json").read_bytes())
STRICTER = {"at_least": 1, "at_most": -1, "less_than": Decimal("-0.1")}
"""By how much a limit changes if it asks for one step more."""


def entry_limits() -> Iterator[Place]:
    for index, each in enumerate(WHOLESALE["tiers"][1:], 1):
        for number in range(len(each["entry"]["all"])):
            yield ("tiers", index, "entry", "all", number)


def test_the_example_policy_has_examples_of_all_its_tiers_that_come_out() -> None:
    policy = load(WHOLESALE)

    assert {each.tier for each in policy.examples} == {each.key for each in policy.tiers}
    assert failures(policy, Judge(policy).judge) == ()


@pytest.mark.parametrize("where", list(entry_limits()), ids=path)
def test_no_tier_of_the_example_policy_can_ask_for_a_step_more_unnoticed(where: Place) -> None:
    asked = found(WHOLESALE, where)
    stricter = {**asked, "value": asked["value"] + STRICTER[asked["operator"]]}
    policy = load(changed(WHOLESALE, where, stricter))

    assert failures(policy, Reference(policy).judge)
