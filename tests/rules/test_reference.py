"""Three-valued logic, operators, missing values: what criteria mean, by hand and by substitution.

Every case goes through the judge, so that both evaluators are held to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction
from functools import cache, partial
from itertools import islice, product
from random import Random
from typing import Any

import pytest

from rules.criteria import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Criteria,
    NoneOf,
    QualifiesFor,
    walk,
)
from rules.document import load
from rules.judge import Judge
from rules.policy import Facts, Policy
from rules.reference import COMPARE, Reference
from rules.verdict import Outcome, Verdict
from rules.vocabulary import KNOWNESS, Missing, Operator, Value
from tests.generate import Shape, clients, random_document
from tests.rules.builders import Document, condition, metric, option, policy_document, tier

OUTCOMES: tuple[Outcome, ...] = (True, False, None)


def judge_of(metrics: list[Document], *entries: Document, **more: object) -> Judge:
    """Return the judge of a policy whose tiers above the lowest have these entry criteria."""
    tiers = [tier(f"t{place}", entry=entry) for place, entry in enumerate(entries, 1)]
    return Judge(load(policy_document(metrics, tiers, **more)))


# -- groups ------------------------------------------------------------------------------------

THREE = [condition(key, "is", True) for key in "abc"]
GROUPS: dict[str, Document] = {
    "all": {"all": THREE},
    "any": {"any": THREE},
    "none": {"none": THREE},
    **{f"at least {k}": {"at_least": k, "of": THREE} for k in (1, 2, 3)},
}
AS_COUNTED: dict[str, Callable[[int], bool]] = {
    "all": lambda met: met == 3,
    "any": lambda met: met > 0,
    "none": lambda met: met == 0,
    "at least 1": lambda met: met >= 1,
    "at least 2": lambda met: met >= 2,
    "at least 3": lambda met: met >= 3,
}


@cache
def judge_of_three(group: str) -> Judge:
    return judge_of([metric(key, "boolean") for key in "abc"], GROUPS[group])


def facts_for(*parts: Outcome) -> Facts:
    """Return facts for which the conditions on ``a``, ``b`` and ``c`` have these outcomes."""
    return {key: part for key, part in zip("abc", parts, strict=False) if part is not None}


def substituted(parts: tuple[Outcome, ...], holds: Callable[[int], bool]) -> Outcome:
    """Return the outcome whatever the unknown parts are; None if it depends on them."""
    either = [(True, False) if part is None else (part,) for part in parts]
    outcomes = {holds(sum(each)) for each in product(*either)}
    return outcomes.pop() if len(outcomes) == 1 else None


@pytest.mark.parametrize("parts", [*product(OUTCOMES, repeat=3)], ids=str)
@pytest.mark.parametrize("group", GROUPS)
def test_a_group_is_known_exactly_where_the_unknown_parts_do_not_matter(
    group: str, parts: tuple[Outcome, ...]
) -> None:
    verdict = judge_of_three(group).judge(facts_for(*parts))

    expected = substituted(parts, AS_COUNTED[group])
    assert verdict == Verdict((expected, *parts), int(expected is True))


@pytest.mark.parametrize(
    ("group", "table"),
    [
        # first part down: true, false, unknown; second part across: true, false, unknown
        ("all", ["TFU", "FFF", "UFU"]),
        ("any", ["TTT", "TFU", "TUU"]),
        ("none", ["FFF", "FTU", "FUU"]),
    ],
)
def test_two_parts_join_as_in_kleenes_tables(group: str, table: list[str]) -> None:
    judge = judge_of([metric(key, "boolean") for key in "ab"], {group: THREE[:2]})

    found = [
        "".join(LETTERS[judge.judge(facts_for(first, second)).outcomes[0]] for second in OUTCOMES)
        for first in OUTCOMES
    ]
    assert found == table


LETTERS: dict[Outcome, str] = {True: "T", False: "F", None: "U"}


@pytest.mark.parametrize(
    ("group", "letters"), [("all", "TFU"), ("any", "TFU"), ("none", "FTU"), ("at_least", "TFU")]
)
def test_a_group_of_one_is_its_part_or_its_opposite(group: str, letters: str) -> None:
    one: Document = {"at_least": 1, "of": THREE[:1]} if group == "at_least" else {group: THREE[:1]}
    judge = judge_of([metric("a", "boolean")], one)

    found = [judge.judge(facts_for(part)).outcomes[0] for part in OUTCOMES]
    assert "".join(LETTERS[each] for each in found) == letters


def test_a_condition_or_its_opposite_is_unknown_where_the_value_is() -> None:
    """Where logic by substitution would say true: each condition is read by itself."""
    judge = judge_of([metric("a", "boolean")], {"any": [THREE[0], {"none": [THREE[0]]}]})

    assert judge.judge({}).outcomes[0] is None
    assert judge.judge({"a": True}).tier == judge.judge({"a": False}).tier == 1


# -- operators ---------------------------------------------------------------------------------

BESIDE_FIVE: list[Value] = [4, Fraction(9, 2), 5, Fraction(16, 3), 6]
NUMBERS: list[tuple[str, tuple[object, ...], str]] = [
    ("at_least", (5,), "00111"),
    ("more_than", (5,), "00011"),
    ("at_most", (5,), "11100"),
    ("less_than", (5,), "11000"),
    ("equal", (5,), "00100"),
    ("not_equal", (5,), "11011"),
    ("between", ([5, 5],), "00100"),
    ("between", ([4, 5],), "11100"),
    ("between", ([5, 6],), "00111"),
    ("is_known", (), "11111"),
    ("is_not_known", (), "00000"),
]
DAYS: list[Value] = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2)]
DATES: list[tuple[str, tuple[object, ...], str]] = [
    ("on_or_after", ("2026-03-01",), "011"),
    ("before", ("2026-03-01",), "100"),
    ("equal", ("2026-03-01",), "010"),
    ("not_equal", ("2026-03-01",), "101"),
    ("between", (["2026-03-01", "2026-03-01"],), "010"),
    ("between", (["2026-02-28", "2026-03-01"],), "110"),
    ("is_known", (), "111"),
    ("is_not_known", (), "000"),
]
BOOLEANS: list[tuple[str, tuple[object, ...], str]] = [
    ("is", (True,), "01"),
    ("is", (False,), "10"),
    ("is_not", (True,), "10"),
    ("is_not", (False,), "01"),
    ("is_known", (), "11"),
    ("is_not_known", (), "00"),
]
OPTIONS: list[Value] = ["retail", "hotel", "food"]
CHOICES: list[tuple[str, tuple[object, ...], str]] = [
    ("is", ("hotel",), "010"),
    ("is_not", ("hotel",), "101"),
    ("one_of", (["hotel"],), "010"),
    ("one_of", (["food", "hotel"],), "011"),
    ("one_of", (["food", "hotel", "retail"],), "111"),
    ("none_of", (["hotel"],), "101"),
    ("none_of", (["food", "hotel"],), "100"),
    ("none_of", (["food", "hotel", "retail"],), "000"),
    ("is_known", (), "111"),
    ("is_not_known", (), "000"),
]
OPERATORS = [
    *(
        (kind, BESIDE_FIVE, case)
        for kind in ("money", "count", "days", "decimal")
        for case in NUMBERS
    ),
    *(("date", DAYS, case) for case in DATES),
    *(("boolean", [False, True], case) for case in BOOLEANS),
    *(("choice", OPTIONS, case) for case in CHOICES),
]


def metric_of(kind: str, **parts: Any) -> Document:
    if kind == "choice":
        parts["options"] = [option(str(each)) for each in OPTIONS]
    if kind == "decimal":
        parts["places"] = 0
    return metric("m", kind, **parts)


@pytest.mark.parametrize(
    ("kind", "values", "case"),
    OPERATORS,
    ids=[f"{kind} {case[0]} {case[1]}" for kind, _, case in OPERATORS],
)
def test_an_operator_compares_with_its_limit_as_its_name_says(
    kind: str, values: list[Value], case: tuple[str, tuple[object, ...], str]
) -> None:
    operator, limit, expected = case
    judge = judge_of([metric_of(kind)], condition("m", operator, *limit))

    found = [judge.judge({"m": value}).outcomes[0] for value in values]
    assert found == [each == "1" for each in expected]


def test_a_limit_with_decimal_places_is_compared_in_the_metrics_smallest_steps() -> None:
    judge = judge_of([metric("m", "decimal", places=3)], condition("m", "at_least", 5))

    assert [judge.judge({"m": steps}).tier for steps in (4999, 5000)] == [0, 1]


def test_a_share_is_compared_exactly_and_never_rounded() -> None:
    three_of_301 = Fraction(3 * 100 * 10, 301)  # in tenths of a percent, just below 1 %
    judge = judge_of(
        [metric("m", "decimal", places=1, unit="percent")], condition("m", "less_than", 1)
    )

    assert judge.judge({"m": three_of_301}).tier == 1
    assert judge.judge({"m": 10}).tier == 0


# -- missing values ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "operator", "limit"),
    [(kind, case[0], case[1]) for kind, _, case in OPERATORS if "known" not in case[0]],
)
@pytest.mark.parametrize("missing", ["unknown", "cannot_decide"])
def test_a_condition_on_a_missing_value_is_met_in_neither_direction(
    kind: str, operator: str, limit: tuple[object, ...], missing: str
) -> None:
    judge = judge_of([metric_of(kind, missing=missing)], condition("m", operator, *limit))

    assert judge.judge({}).outcomes == (None,)
    assert judge.judge({}).tier == 0


@pytest.mark.parametrize("kind", ["money", "count", "days", "decimal"])
def test_a_missing_number_that_counts_as_zero_is_compared_as_nought(kind: str) -> None:
    cases = [("at_least", 0), ("more_than", 0), ("less_than", 1), ("equal", 0), ("not_equal", 0)]
    judge = judge_of(
        [metric_of(kind, missing="zero")], {"all": [condition("m", *case) for case in cases]}
    )

    expected = (False, True, False, True, True, False)
    assert judge.judge({}).outcomes == expected
    assert judge.judge({"m": 0}).outcomes == expected


def test_a_missing_yes_or_no_that_counts_as_zero_is_no() -> None:
    cases = [("is", True), ("is", False), ("is_not", True), ("is_not", False)]
    judge = judge_of(
        [metric("m", "boolean", missing="zero")], {"any": [condition("m", *case) for case in cases]}
    )

    assert judge.judge({}).outcomes == (True, False, True, True, False)


@pytest.mark.parametrize("missing", ["unknown", "zero", "cannot_decide"])
def test_whether_a_value_is_known_is_never_unknown_and_nothing_counts_for_it(
    missing: str,
) -> None:
    judge = judge_of(
        [metric("m", "count", missing=missing)],
        {"any": [condition("m", "is_known"), condition("m", "is_not_known")]},
    )

    assert judge.judge({}) == Verdict((True, False, True), 1)
    assert judge.judge({"m": 0}) == Verdict((True, True, False), 1)


# -- prerequisites -----------------------------------------------------------------------------


@pytest.mark.parametrize("part", OUTCOMES, ids=str)
def test_a_prerequisite_has_the_outcome_of_the_lower_tiers_entry(part: Outcome) -> None:
    judge = judge_of(
        [metric("a", "boolean")],
        THREE[0],
        {"qualifies_for": "t1"},
        {"none": [{"qualifies_for": "t2"}]},
    )

    opposite = None if part is None else not part
    assert judge.judge(facts_for(part)).outcomes == (part, part, opposite, part)


def test_a_prerequisite_asks_for_the_entry_and_not_for_the_tier_to_be_held() -> None:
    judge = judge_of(
        [metric("m", "count")],
        condition("m", "at_least", 1),
        condition("m", "at_least", 2),
        {"all": [{"qualifies_for": "t1"}, condition("m", "less_than", 2)]},
    )

    assert [judge.judge({"m": value}).tier for value in (0, 1, 2)] == [0, 3, 2]


def test_segments_and_exceptions_may_ask_for_any_tier() -> None:
    judge = judge_of(
        [metric("a", "boolean")],
        THREE[0],
        segments=[{**option("s"), "criteria": {"none": [{"qualifies_for": "t1"}]}}],
    )

    assert judge.judge({"a": False}).outcomes == (False, True, False)


# -- undetermined ------------------------------------------------------------------------------

PRIVATE = condition("private", "is", True)
SPENDS = condition("spends", "at_least", 5)
OPEN = [metric("private", "boolean", missing="cannot_decide"), metric("spends", "count")]


def open_tiers(facts: Facts, *entries: Document) -> tuple[int, tuple[int, ...]]:
    verdict = judge_of(OPEN, *entries).judge(facts)
    return verdict.tier, verdict.open_tiers


def test_a_tier_is_open_if_what_cannot_be_decided_without_could_give_it() -> None:
    assert open_tiers({"spends": 5}, SPENDS, {"all": [SPENDS, PRIVATE]}) == (1, (2,))


def test_a_tier_is_not_open_if_nothing_could_give_it() -> None:
    assert open_tiers({"spends": 4}, SPENDS, {"all": [SPENDS, PRIVATE]}) == (0, ())


def test_a_tier_is_not_open_for_something_else_that_is_unknown() -> None:
    assert open_tiers({}, {"all": [SPENDS, PRIVATE]}) == (0, ())
    assert open_tiers({}, {"any": [SPENDS, PRIVATE]}) == (0, (1,))


def test_a_tier_below_the_one_that_holds_is_not_open() -> None:
    assert open_tiers({"spends": 5}, PRIVATE, SPENDS) == (2, ())
    assert open_tiers({"spends": 5}, PRIVATE, SPENDS, PRIVATE) == (2, (3,))


def test_under_none_of_what_is_unknown_is_hoped_not_to_be() -> None:
    assert open_tiers({}, {"none": [PRIVATE]}) == (0, (1,))
    assert open_tiers({"spends": 5}, {"none": [PRIVATE, SPENDS]}) == (0, ())
    assert open_tiers({}, {"none": [{"none": [PRIVATE]}]}) == (0, (1,))


def test_the_same_condition_may_be_hoped_for_and_hoped_against() -> None:
    assert open_tiers({}, {"all": [PRIVATE, {"none": [PRIVATE]}]}) == (0, (1,))


def test_a_prerequisite_is_hoped_for_with_the_criteria_it_stands_for() -> None:
    entries: list[Document] = [PRIVATE, {"all": [SPENDS, {"qualifies_for": "t1"}]}]

    assert open_tiers({"spends": 5}, *entries) == (0, (1, 2))
    assert open_tiers({"spends": 4}, *entries) == (0, (1,))


def test_a_prerequisite_under_none_of_is_hoped_to_fail() -> None:
    against: Document = {"none": [{"qualifies_for": "t1"}]}

    assert open_tiers({"spends": 5}, {"all": [SPENDS, PRIVATE]}, against) == (0, (1, 2))
    assert open_tiers({"spends": 4}, {"all": [SPENDS, PRIVATE]}, against) == (2, ())
    assert open_tiers({"spends": 5}, {"any": [SPENDS, PRIVATE]}, against) == (1, ())


def test_a_prerequisite_under_none_of_twice_is_hoped_for() -> None:
    entries: list[Document] = [
        {"all": [SPENDS, {"none": [PRIVATE]}]},
        {"none": [{"qualifies_for": "t1"}]},
        {"none": [{"qualifies_for": "t2"}]},
    ]

    assert open_tiers({"spends": 5}, *entries) == (0, (1, 2, 3))
    assert open_tiers({"spends": 4}, *entries) == (2, ())
    assert open_tiers({"private": False, "spends": 5}, *entries) == (3, ())


def test_what_is_only_asked_to_be_known_opens_nothing() -> None:
    assert open_tiers({}, condition("private", "is_known")) == (0, ())


# -- against a definition that tries everything ------------------------------------------------


def naive(policy: Policy, node: Criteria, leaf: Callable[[Condition], Outcome]) -> Outcome:
    """Return a node's outcome: leaves as given, in the order written, lower tiers read again."""
    if isinstance(node, Condition):
        return leaf(node)
    if isinstance(node, QualifiesFor):
        entry = policy.tier(node.tier).entry
        assert entry is not None
        return naive(policy, entry, leaf)
    parts = [naive(policy, part, leaf) for part in node.parts]
    least, most = parts.count(True), len(parts) - parts.count(False)

    def holds(met: int) -> bool:
        match node:
            case AllOf():
                return met == len(parts)
            case AnyOf():
                return met > 0
            case AtLeast(k=k):
                return met >= k
            case NoneOf():
                return met == 0

    outcomes = {holds(met) for met in range(least, most + 1)}
    return outcomes.pop() if len(outcomes) == 1 else None


def plainly(policy: Policy, facts: Facts, node: Condition) -> Outcome:
    """Return the outcome of a condition on a client's facts."""
    value = facts.get(node.metric)
    if node.operator in KNOWNESS:
        return (value is not None) is (node.operator is Operator.IS_KNOWN)
    if value is None and policy.metrics[node.metric].missing is Missing.ZERO:
        value = 0
    return None if value is None else COMPARE[node.operator](value, node.limit)


def guessed(policy: Policy, facts: Facts, root: Criteria, guesses: Iterator[bool]) -> Outcome:
    """Return a root's outcome with a guess wherever what cannot be decided without is asked."""

    def leaf(node: Condition) -> Outcome:
        outcome = plainly(policy, facts, node)
        needed = policy.metrics[node.metric].missing is Missing.CANNOT_DECIDE
        return next(guesses) if outcome is None and needed else outcome

    return naive(policy, root, leaf)


def could_hold(policy: Policy, facts: Facts, root: Criteria) -> bool | None:
    """Whether some guesses make a root hold; None where there are too many to try."""
    enough = iter([True] * 10_000)
    guessed(policy, facts, root, enough)
    asked = 10_000 - len(list(enough))
    if asked > 9:
        return None
    tries = product((True, False), repeat=asked)
    return any(guessed(policy, facts, root, iter(each)) is True for each in tries)


def test_random_criteria_come_out_as_the_naive_definition_says() -> None:
    tried = open_ = 0
    for number in range(150):
        random = Random(f"naive {number}")
        policy = load(random_document(random, Shape(4, 4, 4, 3, 25)))
        reference = Reference(policy)
        entries = [
            (place, each.entry) for place, each in enumerate(policy.tiers) if each.entry is not None
        ]
        for facts in islice(clients(random, policy), 10):
            verdict = reference.judge(facts)
            leaf = partial(plainly, policy, facts)
            assert verdict.outcomes == tuple(
                naive(policy, node, leaf) for root in policy.roots for node in walk(root.criteria)
            )
            holding = [place for place, entry in entries if naive(policy, entry, leaf) is True]
            assert verdict.tier == max(holding, default=0)
            for place, entry in entries:
                possible = could_hold(policy, facts, entry)
                if place > verdict.tier and possible is not None:
                    assert (place in verdict.open_tiers) is possible
                    tried += 1
                    open_ += possible
    assert tried > 1000
    assert open_ > 100


def test_one_root_by_itself_has_the_outcome_it_has_among_all() -> None:
    for number in range(40):
        random = Random(f"alone {number}")
        policy = load(random_document(random))
        reference = Reference(policy)
        for facts in islice(clients(random, policy), 5):
            outcomes = reference.judge(facts).outcomes
            alone = [reference.outcome(root, facts) for root in policy.roots]
            assert alone == [outcomes[root.place] for root in policy.roots]
