"""durable_rules: what is relied on in its entry points, and every fault of it that is known.

The first half holds the C extension itself to what ``rules.engine.library`` takes for granted.
The second half drives Merit from the outside — documents, facts, ``Engine.judge`` — to the edge
of each fault (docs/engine.md lists them): the input is refused, or the answer is right.
"""

from __future__ import annotations

import ast
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from importlib.metadata import version
from itertools import count, islice, repeat
from pathlib import Path
from random import Random
from types import FrameType
from typing import cast

import durable_rules_engine as durable
import pytest

from rules import facts as stated_facts
from rules.document import load
from rules.document.strict_json import JsonRefused, loads
from rules.engine import Engine, EngineFailure, FactRefused, library
from rules.engine.library import RULES_PER_SET, Comparison, RuleSets, refuse_equal_hashes
from rules.facts import FactsInvalid
from rules.judge import Judge
from rules.measure import complete
from rules.policy import Facts
from rules.vocabulary import LARGEST
from tests.generate import clients, random_document
from tests.rules.builders import (
    Document,
    condition,
    metric,
    option,
    policy_document,
    problems,
    tier,
)

ROOT = Path(__file__).parents[2]
ID_LIKE_THE_STATES = 8_765_828_924
"""A number whose FNV-1a hash is that of ``sid-0``, the id of the library's own message."""


# -- what is relied on -------------------------------------------------------------------------


def rule_set(*rules: Document, name: str = "contract") -> int:
    """Make a rule set whose rules are named 00, 01 and so on."""
    definition = {f"{place:02}": {"all": [{"m": rule}]} for place, rule in enumerate(rules)}
    return cast("int", durable.create_ruleset(name, json.dumps(definition)))


def fact(id_: int, **properties: int) -> str:
    return json.dumps({"sid": "0", "id": id_, **properties}, separators=(",", ":"))


def fired(handle: int, text: str) -> list[str]:
    """Return the names of the rules that a fact fires, in the order they are told."""
    result, state = durable.assert_fact(handle, text)
    assert result == 0
    _, messages = durable.start_action_for_state(handle, state)
    names = []
    while messages is not None:
        [name] = json.loads(messages)
        names.append(name)
        messages = durable.complete_and_start_action(handle, state)
    durable.retract_fact(handle, text)
    return names


AT_LEAST_5: Document = {"$gte": {"p0": 5}}


def test_the_version_is_the_one_that_was_measured() -> None:
    assert version("durable_rules") == "2.0.28"


def test_each_rule_set_has_a_handle_of_its_own_even_under_the_same_name() -> None:
    first, second = rule_set(AT_LEAST_5), rule_set({"$lt": {"p0": 5}})

    assert first != second
    assert fired(first, fact(1, p0=9)) == ["00"]
    assert durable.assert_fact(second, fact(1, p0=9))[0] == 1


def test_a_fact_that_fires_a_rule_gives_nought_and_the_place_of_the_state() -> None:
    assert durable.assert_fact(rule_set(AT_LEAST_5), fact(1, p0=5)) == (0, 1)


def test_a_fact_that_fires_nothing_gives_one_and_is_not_kept() -> None:
    handle = rule_set(AT_LEAST_5)

    assert durable.assert_fact(handle, fact(1, p0=4)) == (1, 1)
    assert json.loads(durable.get_facts(handle, "0")) == []
    assert durable.start_action_for_state(handle, 1) is None


def test_the_same_id_again_while_the_first_is_kept_gives_two() -> None:
    handle = rule_set(AT_LEAST_5)
    durable.assert_fact(handle, fact(1, p0=5))

    assert durable.assert_fact(handle, fact(1, p0=6)) == (2, 1)


def test_an_id_whose_hash_is_that_of_the_librarys_own_message_gives_two() -> None:
    handle = rule_set(AT_LEAST_5)
    fired(handle, fact(1, p0=5))

    assert durable.assert_fact(handle, fact(ID_LIKE_THE_STATES, p0=5)) == (2, 1)


def test_starting_gives_the_state_and_the_first_rule_with_its_message() -> None:
    handle = rule_set(AT_LEAST_5)
    _, state = durable.assert_fact(handle, fact(1, p0=5))

    assert durable.start_action_for_state(handle, state) == (
        '{ "sid":"0", "id":"sid-0", "$s":1}',
        '{"00":{"m":{"sid":"0","id":1,"p0":5}}}',
    )


def test_completing_gives_the_next_rule_and_then_none() -> None:
    handle = rule_set(AT_LEAST_5, {"$gte": {"p0": 4}})
    _, state = durable.assert_fact(handle, fact(1, p0=5))
    durable.start_action_for_state(handle, state)

    assert durable.complete_and_start_action(handle, state) == (
        '{"01":{"m":{"sid":"0","id":1,"p0":5}}}'
    )
    assert durable.complete_and_start_action(handle, state) is None


def test_a_rule_that_was_started_and_not_completed_keeps_the_next_fact_from_being_told() -> None:
    """Why an evaluation that was broken off ends the engine (Engine.judge)."""
    handle = rule_set(AT_LEAST_5)
    _, state = durable.assert_fact(handle, fact(1, p0=5))
    durable.start_action_for_state(handle, state)

    assert durable.assert_fact(handle, fact(2, p0=5))[0] == 0
    assert durable.start_action_for_state(handle, state) is None


def test_after_retracting_nothing_is_kept_and_the_same_fact_fires_again() -> None:
    handle = rule_set(AT_LEAST_5)

    assert fired(handle, fact(1, p0=5)) == ["00"]
    assert json.loads(durable.get_facts(handle, "0")) == []
    assert fired(handle, fact(1, p0=5)) == ["00"]


def test_a_full_set_of_rules_fires_at_once_each_told_once() -> None:
    handle = rule_set(*({"$gte": {"p0": limit}} for limit in range(RULES_PER_SET)))

    assert sorted(fired(handle, fact(1, p0=10**6))) == [f"{n:02}" for n in range(RULES_PER_SET)]


def test_past_sixty_four_conditions_met_at_once_it_answers_nothing() -> None:
    """Why there are several rule sets for one policy."""
    handle = rule_set(*({"$gte": {"p0": limit}} for limit in range(65)))

    with pytest.raises(durable.error, match="303"):
        durable.assert_fact(handle, fact(1, p0=10**6))


def test_a_rule_of_several_comparisons_fires_once_when_all_of_them_hold() -> None:
    handle = rule_set({"$and": [{"$gte": {"p0": 1}}, {"$lte": {"p0": 3}}, {"$eq": {"p1": 0}}]})

    assert fired(handle, fact(1, p0=2, p1=0)) == ["00"]
    assert durable.assert_fact(handle, fact(2, p0=2, p1=1))[0] == 1
    assert durable.assert_fact(handle, fact(3, p0=2))[0] == 1


@pytest.mark.parametrize(
    ("sign", "holds"),
    [
        ("$gte", [False, True, True]),
        ("$gt", [False, False, True]),
        ("$lte", [True, True, False]),
        ("$lt", [True, False, False]),
        ("$eq", [False, True, False]),
    ],
)
@pytest.mark.parametrize("limit", [0, -7, 2 * LARGEST, -2 * LARGEST, 2**53 - 1])
def test_a_comparison_is_exact_at_its_limit_and_one_beside_it(
    sign: str, holds: list[bool], limit: int
) -> None:
    handle = rule_set({sign: {"p0": limit}})

    beside = [durable.assert_fact(handle, fact(n, p0=limit + n)) == (0, 1) for n in (-1, 0, 1)]
    assert beside == holds


def test_a_property_that_is_not_there_holds_in_no_comparison() -> None:
    signs = ("$gte", "$gt", "$lte", "$lt", "$eq")
    handle = rule_set(*({sign: {"p0": limit}} for sign in signs for limit in (-1, 0, 1)))

    assert durable.assert_fact(handle, fact(1, p1=0)) == (1, 1)


def test_what_it_refuses_it_says_with_its_own_error() -> None:
    with pytest.raises(durable.error, match="111"):
        durable.assert_fact(10**6, fact(1))
    with pytest.raises(durable.error, match="202"):
        durable.create_ruleset("contract", '{"00":{"all":[{"m":{"$like":{"p0":5}}}]}}')


def test_the_hash_of_a_name_is_the_librarys_own() -> None:
    """Two metrics' names that are one to the library: it takes either for the other."""
    names = ("last_product_days_age", "avg_cur_quarterly_balance")
    handle = rule_set({"$gte": {names[0]: 5}})

    assert durable.assert_fact(handle, fact(1, **{names[1]: 5})) == (0, 1)
    with pytest.raises(EngineFailure, match="are one to it"):
        refuse_equal_hashes(names)


# -- what Merit says to it ---------------------------------------------------------------------


@dataclass(slots=True)
class Wire:
    """What passed between Merit and the C extension."""

    rule_sets: list[Document] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Listen in on rule sets and facts; the extension still does the work."""
    seen = Wire()
    create, assert_ = durable.create_ruleset, durable.assert_fact

    def listened_create(name: str, definition: str) -> object:
        seen.rule_sets.append(json.loads(definition))
        return create(name, definition)

    def listened_assert(handle: int, text: str) -> object:
        seen.facts.append(text)
        return assert_(handle, text)

    monkeypatch.setattr(durable, "create_ruleset", listened_create)
    monkeypatch.setattr(durable, "assert_fact", listened_assert)
    return seen


def comparisons(rule: Document) -> Iterator[tuple[str, str, int]]:
    """Yield the comparisons of a rule; fails on anything that is not all of them at once."""
    assert list(rule) == ["all"]
    [[(name, expression)]] = [list(each.items()) for each in rule["all"]]
    assert name == "m"
    for part in expression.get("$and", [expression]):
        [(sign, [(property_, limit)])] = [(key, list(each.items())) for key, each in part.items()]
        yield sign, property_, limit


def judge_random_clients(policies: int, several: int) -> None:
    for number in range(policies):
        random = Random(f"envelope {number}")
        policy = load(random_document(random))
        judge = Judge(policy)
        for facts in islice(clients(random, policy), several):
            judge.judge(facts)


def test_every_rule_set_of_random_policies_lies_within_the_envelope(wire: Wire) -> None:
    judge_random_clients(policies=40, several=0)

    assert len(wire.rule_sets) > 200
    for definition in wire.rule_sets:
        assert 1 <= len(definition) <= 48
        used = [each for rule in definition.values() for each in comparisons(rule)]
        assert {sign for sign, _, _ in used} <= {"$gte", "$gt", "$lte", "$lt", "$eq"}
        assert all(re.fullmatch(r"p\d+", name) for _, name, _ in used)
        assert all(type(limit) is int and abs(limit) <= 2**53 for _, _, limit in used)
        assert all(re.fullmatch(r"\d\d", name) for name in definition)


def test_every_fact_about_random_clients_lies_within_the_envelope(wire: Wire) -> None:
    judge_random_clients(policies=20, several=50)

    for text in wire.facts:
        assert re.fullmatch(r'\{"sid":"0","id":\d+(,"p\d+":-?\d+)*\}', text)
    told = [json.loads(text) for text in wire.facts]
    ids = [each["id"] for each in told if each["id"] > 0]  # 0 is each rule set's first fact
    assert len(ids) == len(set(ids)) > 1000
    for each in told:
        integers = [abs(value) for name, value in each.items() if name not in {"sid", "id"}]
        assert max(integers, default=0) <= 2**53
        assert len(integers) <= 2 * RULES_PER_SET


def test_only_five_entry_points_are_used_and_all_in_one_module() -> None:
    tree = ast.parse(Path(library.__file__).read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "durable"
    }

    assert used - {"error"} == {
        "create_ruleset",
        "assert_fact",
        "start_action_for_state",
        "complete_and_start_action",
        "retract_fact",
    }


def in_a_child(program: str) -> str:
    """Run a program in a process of its own; return what it printed."""
    child = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    return child.stdout


def test_its_python_layer_is_not_loaded_and_no_thread_is_started() -> None:
    said = in_a_child(
        "import sys, threading\n"
        "import rules.engine\n"
        "print('durable' in sys.modules, threading.active_count())"
    )

    assert said.split() == ["False", "1"]


MEMORY = """
import resource
from pathlib import Path
from random import Random
from rules.engine.library import Comparison, RuleSets

sets = RuleSets([(Comparison("$gte", slot, 5),) for slot in range(20)])
random = Random("memory")

def evaluate(times):
    for _ in range(times):
        sets.fired(random.choices((1, 2, 3, 4, 5, None), k=20))
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()

before = evaluate(20_000)
print(evaluate(200_000) - before)
"""


def test_memory_stays_flat_over_two_hundred_thousand_evaluations() -> None:
    grown = int(in_a_child(MEMORY))

    assert grown < 2 * 1024 * 1024  # a leak of 16 bytes per evaluation would be 3.2 MB


# -- the faults, from outside ------------------------------------------------------------------


def judge_of(metrics: Sequence[Document], *entries: Document) -> Judge:
    """Return the judge of a policy whose tiers above the lowest have these entry criteria."""
    return Judge(load(policy_document(metrics, tiers(*entries))))


def tiers(*entries: Document) -> list[Document]:
    return [tier(f"t{place}", entry=entry) for place, entry in enumerate(entries, 1)]


def found(judge: Judge, *several: Facts) -> list[int]:
    """Return the places of the tiers that these clients have; the evaluators must agree."""
    return [judge.judge(facts).tier for facts in several]


def numbers(several: int) -> list[Document]:
    return [metric(f"m{number}", "count") for number in range(several)]


def at_least(limit: int, places: Iterable[int]) -> list[Document]:
    return [condition(f"m{place}", "at_least", limit) for place in places]


def bits(mask: int, several: int) -> Facts:
    """Return facts that are 1 where the mask is, and else 0."""
    return {f"m{place}": mask >> place & 1 for place in range(several)}


def masks(several: int) -> list[int]:
    random = Random("masks")
    return [0, 2**several - 1, *(random.getrandbits(several) for _ in range(500))]


AT_LEAST_FIVE = condition("m0", "at_least", 5)


@pytest.fixture
def next_id(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that sets the id the next fact gets."""
    return lambda first: monkeypatch.setattr(library, "_ids", count(first))


def test_criteria_of_nothing_but_absence_are_answered_right() -> None:
    judge = judge_of(numbers(1), condition("m0", "is_not_known"))

    assert found(judge, {}, {"m0": 5}) == [1, 0]


def test_criteria_of_nothing_but_not_equal_are_answered_right() -> None:
    judge = judge_of(numbers(1), condition("m0", "not_equal", 5))

    assert found(judge, {"m0": 4}, {"m0": 5}, {"m0": 6}, {}) == [1, 0, 1, 0]


def test_a_property_named_dollar_s_is_refused_or_not_passed_on() -> None:
    judge = judge_of(numbers(1), AT_LEAST_FIVE)

    assert "metrics[0].key" in problems(policy_document([metric("$s", "count")]))
    with pytest.raises(FactsInvalid):
        stated_facts.read(judge.policy, {"$s": 1})
    assert found(judge, {"m0": 5, "$s": 1}) == [1]


def test_more_clients_than_the_library_has_room_for_are_answered_right() -> None:
    judge = judge_of(numbers(1), condition("m0", "at_least", 1000))

    assert found(judge, *({"m0": n} for n in range(2000))) == [0] * 1000 + [1] * 1000


def test_the_facts_of_one_client_do_not_reach_the_next() -> None:
    judge = judge_of(numbers(2), {"all": at_least(5, range(2))})

    assert found(judge, {"m0": 9}, {"m1": 9}, {"m0": 9, "m1": 9}, {}) == [0, 0, 1, 0]


def test_two_metrics_whose_names_have_one_hash_are_kept_apart() -> None:
    one, other = "last_product_days_age", "avg_cur_quarterly_balance"
    judge = judge_of(
        [metric(one, "count"), metric(other, "count")],
        condition(one, "at_least", 5),
        condition(other, "at_least", 5),
    )

    assert found(judge, {one: 9, other: 1}, {one: 1, other: 9}, {other: 9}, {}) == [1, 2, 2, 0]


def test_metrics_named_id_and_sid_are_answered_right() -> None:
    both: Document = {"all": [condition("id", "at_least", 5), condition("sid", "at_most", 0)]}
    judge = judge_of([metric("id", "count"), metric("sid", "count")], both)

    assert found(judge, {"id": 4, "sid": 0}, {"id": 5, "sid": 0}, {"id": 5, "sid": 1}) == [0, 1, 0]


def test_option_keys_beyond_ascii_are_refused() -> None:
    document = policy_document([metric("m", "choice", options=[option("überfluß")])])

    assert "metrics[0].options[0].key" in problems(document)


def test_options_may_be_named_in_any_script_and_with_any_signs() -> None:
    names = {"less": '< 5 & > 3 "ґ" \\u0041', "more": "數字"}
    options = [{"key": key, "name": {"en": name}} for key, name in names.items()]
    judge = judge_of([metric("m", "choice", options=options)], condition("m", "is", "more"))

    assert found(judge, {"m": "less"}, {"m": "more"}) == [0, 1]


def test_a_division_by_zero_is_a_missing_value_and_never_reaches_a_rule() -> None:
    share: Document = {"kind": "ratio", "numerator": "m0", "denominator": "m1"}
    judge = judge_of(
        [*numbers(2), metric("share", "decimal", share)], condition("share", "at_least", 0)
    )

    measured = complete(judge.policy, {"m0": 1, "m1": 0}, date(2026, 7, 1))
    assert "share" not in measured
    assert judge.judge(measured).outcomes == (None,)


def test_rules_that_compare_the_same_in_another_order_are_answered_right() -> None:
    parts = at_least(5, range(3))
    judge = judge_of(numbers(3), {"all": parts}, {"all": parts[::-1]})

    assert found(judge, *(dict.fromkeys(("m0", "m1", "m2"), n) for n in (4, 5))) == [0, 2]


def test_a_regular_expression_is_refused() -> None:
    document = policy_document(numbers(1), tiers(condition("m0", "matches", "(a+)+$")))

    assert "tiers[1].entry.operator" in problems(document)


def test_a_name_of_nine_megabytes_is_refused() -> None:
    assert "metrics[0].key" in problems(policy_document([metric("m" * 9_000_000, "count")]))


def test_a_million_open_brackets_are_refused() -> None:
    with pytest.raises(JsonRefused):
        loads("[" * 10**6)


def test_criteria_nested_deeper_than_anybody_follows_are_refused() -> None:
    nested = AT_LEAST_FIVE
    for _ in range(10_000):
        nested = {"all": [nested]}

    assert len(problems(policy_document(numbers(1), tiers(nested)))) == 1


def test_criteria_nested_as_deep_as_they_may_be_are_answered_right() -> None:
    nested = AT_LEAST_FIVE
    for word in ("all", "any", "none", "all", "any", "none", "all", "any"):
        nested = {word: [nested]}
    judge = judge_of(numbers(1), nested)

    assert found(judge, {"m0": 4}, {"m0": 5}, {}) == [0, 1, 0]


def test_an_id_taken_for_one_already_seen_is_answered_right(
    next_id: Callable[[int], None],
) -> None:
    judge = judge_of(numbers(2), {"any": at_least(5, range(2))})
    answers = found(judge, {"m0": 9})
    for facts in ({"m1": 9}, {"m0": 1}, {"m0": 9, "m1": 1}):
        next_id(ID_LIKE_THE_STATES)
        answers += found(judge, facts)

    assert answers == [1, 1, 0, 1]


def test_the_librarys_own_message_outlives_an_id_with_its_hash(
    engine: Engine, next_id: Callable[[int], None]
) -> None:
    next_id(ID_LIKE_THE_STATES)

    assert engine.judge({"m0": 1}).tier == 0
    assert durable.get_state(handle_of(engine), "0") == '{ "sid":"0", "id":"sid-0", "$s":1}'


def test_the_first_id_of_all_taken_for_one_already_seen_is_answered_right(
    next_id: Callable[[int], None],
) -> None:
    judge = judge_of(numbers(1), AT_LEAST_FIVE)
    next_id(ID_LIKE_THE_STATES)

    assert found(judge, {"m0": 9}, {"m0": 1}, {"m0": 9}) == [1, 0, 1]


@pytest.mark.parametrize("first", [2**31 - 1, 2**32 - 1, 2**53 - 1, 2**63 - 2, 2**64, 10**30])
def test_ids_of_any_size_are_answered_right(first: int, next_id: Callable[[int], None]) -> None:
    judge = judge_of(numbers(1), AT_LEAST_FIVE)
    next_id(first)

    assert found(judge, {"m0": 4}, {"m0": 5}, {"m0": 6}) == [0, 1, 1]


def test_more_than_two_hundred_and_fifty_metrics_are_refused() -> None:
    assert "metrics" in problems(policy_document(numbers(251)))


def test_as_many_metrics_as_there_may_be_are_answered_right() -> None:
    keys = [f"m{place}" for place in range(200)]
    known = [condition(key, "is_known") for key in keys]
    judge = judge_of(numbers(200), fifties(known), fifties(at_least(5, range(200))))

    every = dict.fromkeys(keys, 5)
    assert found(judge, every, every | {"m199": 4}, {"m0": 5}) == [2, 1, 0]


def fifties(conditions: list[Document]) -> Document:
    """All of the conditions, in groups no wider than a group may be."""
    several = range(0, len(conditions), 50)
    return {"all": [{"all": conditions[first : first + 50]} for first in several]}


def test_a_hundred_conditions_on_one_metric_all_met_are_answered_right() -> None:
    limits = [condition("m0", "at_least", limit) for limit in range(100)]
    judge = judge_of(numbers(1), fifties(limits))

    verdict = judge.judge({"m0": 10**6})
    assert verdict.tier == 1
    assert set(verdict.outcomes) == {True}
    assert found(judge, {"m0": 99}, {"m0": 98}) == [1, 0]


@pytest.mark.parametrize("several", [600, 1900])
def test_hundreds_of_different_conditions_are_answered_right(several: int) -> None:
    limits = [condition(f"m{limit % 5}", "at_least", limit) for limit in range(several)]
    judge = judge_of(
        numbers(5), *(fifties(limits[first : first + 100]) for first in range(0, several, 100))
    )

    highest = several // 100
    for value, tier_, failing in ((several, highest, 0), (several - 2, highest - 1, 3)):
        verdict = judge.judge(dict.fromkeys((f"m{place}" for place in range(5)), value))
        assert verdict.tier == tier_
        assert verdict.outcomes.count(False) == failing


def test_more_than_two_thousand_conditions_are_refused() -> None:
    entries = [fifties([AT_LEAST_FIVE] * 100)] * 20

    assert list(problems(policy_document(numbers(1), tiers(*entries)))) == [""]


def test_two_of_six_are_answered_right() -> None:
    judge = judge_of(numbers(6), {"at_least": 2, "of": at_least(1, range(6))})

    assert found(judge, *(bits(mask, 6) for mask in range(64))) == [
        mask.bit_count() >= 2 for mask in range(64)
    ]


def test_any_of_sixteen_pairs_is_answered_right() -> None:
    pairs: list[Document] = [{"all": at_least(1, (place, place + 1))} for place in range(16)]
    judge = judge_of(numbers(17), {"any": pairs})

    assert found(judge, *(bits(mask & mask >> 3, 17) for mask in masks(17))) == [
        bool((mask & mask >> 3) & (mask & mask >> 3) >> 1) for mask in masks(17)
    ]


def test_all_of_six_any_of_three_are_answered_right() -> None:
    groups: list[Document] = [
        {"any": at_least(1, range(first, first + 3))} for first in range(0, 18, 3)
    ]
    judge = judge_of(numbers(18), {"all": groups})

    assert found(judge, *(bits(mask, 18) for mask in masks(18))) == [
        all(mask >> first & 7 for first in range(0, 18, 3)) for mask in masks(18)
    ]


def test_tiers_that_build_on_each_other_sixty_fold_are_answered_right() -> None:
    entries: list[Document] = [
        AT_LEAST_FIVE,
        *({"any": [{"qualifies_for": f"t{place}"}] * 60} for place in range(1, 29)),
    ]
    against: Document = {"none": [{"qualifies_for": "t29"}]}
    document = policy_document(
        [metric("m0", "count", missing="cannot_decide")],
        tiers(*entries),
        segments=[{**option("unranked"), "criteria": against}],
    )

    verdicts = [Judge(load(document)).judge(facts) for facts in ({"m0": 5}, {"m0": 4}, {})]
    assert [each.tier for each in verdicts] == [29, 0, 0]
    assert [each.open_tiers for each in verdicts] == [(), (), tuple(range(1, 30))]
    assert [each.outcomes[-1] for each in verdicts] == [True, False, None]


def test_half_a_character_and_nul_are_refused() -> None:
    judge = judge_of([metric("m", "choice")], condition("m", "is", "hotel"))

    with pytest.raises(JsonRefused):
        loads('"\\ud800"')
    for text in ("\ud800", "hotel\0", "\0"):
        with pytest.raises(FactRefused):
            judge.judge({"m": text})
        with pytest.raises(FactsInvalid):
            stated_facts.read(judge.policy, {"m": text})


def test_none_for_a_value_is_a_missing_value() -> None:
    judge = judge_of(numbers(1), condition("m0", "equal", 5), condition("m0", "not_equal", 5))

    assert judge.judge({}).outcomes == (None, None)
    assert judge.judge(cast("Facts", {"m0": None})) == judge.judge({})


def test_policies_do_not_interfere() -> None:
    judges = [
        judge_of(numbers(2), condition("m0", "at_least", n), condition("m1", "at_least", n))
        for n in range(20)
    ]

    for value in range(20):
        for n, judge in enumerate(judges):
            expected = 2 if 19 - value >= n else 1 if value >= n else 0
            assert found(judge, {"m0": value, "m1": 19 - value}) == [expected]


HUNDRED = [option(f"o{place}") for place in range(100)]


def test_a_choice_of_a_hundred_options_is_answered_right() -> None:
    every_other = [each["key"] for each in HUNDRED[::2]]
    judge = judge_of(
        [metric("m", "choice", options=HUNDRED)],
        condition("m", "is_not", "o5"),
        condition("m", "one_of", every_other),
        condition("m", "none_of", [each["key"] for each in HUNDRED[:99]]),
    )

    assert found(judge, *({"m": each["key"]} for each in HUNDRED)) == [
        0 if place == 5 else 3 if place == 99 else 1 + (place % 2 == 0) for place in range(100)
    ]


def test_hundreds_of_options_that_are_not_meant_take_two_rules_each(wire: Wire) -> None:
    keys = [f"m{place}" for place in range(15)]
    conditions = [condition(key, "is_not", each["key"]) for key in keys for each in HUNDRED]
    judge_of(
        [metric(key, "choice", options=HUNDRED) for key in keys],
        *(fifties(conditions[first : first + 100]) for first in range(0, 1500, 100)),
    )

    assert sum(map(len, wire.rule_sets)) < 3200


def test_criteria_that_take_more_rules_than_memory_can_bear_are_refused() -> None:
    keys = [f"m{place}" for place in range(101)]
    halves = [[each["key"] for each in HUNDRED[first::2]] for first in (0, 1)]
    conditions = [condition(key, "one_of", half) for key in keys for half in halves]
    metrics = [metric(key, "choice", options=HUNDRED) for key in keys]

    with pytest.raises(EngineFailure, match=r"takes 10\d+ rules, and 10000 are possible"):
        judge_of(metrics, fifties(conditions))


# -- values of the wrong kind ------------------------------------------------------------------

NOT_NUMBERS: list[object] = [
    *(1e16, 1e-7, 0.1, 5.0, float("nan"), float("inf"), float("-inf"), 1j, Decimal("1.5")),
    *(LARGEST + 1, -LARGEST - 1, 10**16, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**400),
    *(Fraction(LARGEST * 2 + 1, 2), "99", "abc", "", b"5", True, [5], date(2026, 1, 1)),
]
WRONG: dict[str, list[object]] = {
    **dict.fromkeys(("money", "count", "days", "decimal"), NOT_NUMBERS),
    "date": ["2026-01-01", 739_252, datetime(2026, 1, 1), 5.0, True],  # noqa: DTZ001 - refused
    "boolean": [0, 1, "true", 1.0, Fraction(1, 2)],
    "choice": ["", "Hotel", "hotel ", 0, True, 1.0, b"hotel"],
}
EQUAL: dict[str, Document] = {
    **{kind: condition(kind, "equal", 5) for kind in ("money", "count", "days", "decimal")},
    "date": condition("date", "equal", "2026-01-01"),
    "boolean": condition("boolean", "is", True),
    "choice": condition("choice", "is", "hotel"),
}


@pytest.fixture(scope="module")
def comparing() -> Engine:
    metrics = [metric(kind, kind) for kind in EQUAL]
    return Engine(load(policy_document(metrics, tiers({"any": list(EQUAL.values())}))))


@pytest.fixture(scope="module")
def knowing() -> Engine:
    metrics = [metric(kind, kind) for kind in EQUAL]
    known = [condition(kind, "is_known") for kind in EQUAL]
    return Engine(load(policy_document(metrics, tiers({"any": known}))))


@pytest.mark.parametrize(
    ("kind", "value"),
    [(kind, value) for kind, values in WRONG.items() for value in values],
    ids=lambda each: repr(each)[:30],
)
def test_a_fact_that_is_not_of_its_metrics_type_is_refused(
    kind: str, value: object, comparing: Engine, knowing: Engine
) -> None:
    for engine in (comparing, knowing):
        with pytest.raises(FactRefused, match=f"The metric {kind} cannot be decided about"):
            engine.judge(cast("Facts", {kind: value}))


@pytest.mark.parametrize("value", [10**16, 2**63, Decimal("1e-7"), 1.5, "5", True, None, [5]])
def test_a_limit_that_is_no_whole_number_within_bounds_is_refused(value: object) -> None:
    document = policy_document(numbers(1), tiers(condition("m0", "at_least", value)))

    assert list(problems(document)) == ["tiers[1].entry.value"]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 41])
def test_numbers_that_are_none_do_not_come_in_as_json(text: str) -> None:
    with pytest.raises(JsonRefused):
        loads(f'{{"m0": {text}}}')


# -- several at once, and after a failure ------------------------------------------------------


def test_four_threads_on_one_engine_all_get_right_answers() -> None:
    parts = at_least(1, range(14))
    policy = load(policy_document(numbers(14), tiers({"at_least": 7, "of": parts})))
    engine = Engine(policy)

    def wrong(seed: int) -> int:
        several = Random(seed).choices(range(2**14), k=5_000)
        return sum(engine.judge(bits(mask, 14)).tier != (mask.bit_count() >= 7) for mask in several)

    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(wrong, range(4))) == 0
    finally:
        sys.setswitchinterval(switching)


@pytest.fixture
def engine() -> Engine:
    """Return an engine that says whether ``m0`` is at least 5."""
    return Engine(load(policy_document(numbers(1), tiers(AT_LEAST_FIVE))))


def handle_of(engine: Engine) -> int:
    """Return the handle of an engine's one rule set; its facts have one property, ``p0``."""
    [only] = engine._conditions._rules._sets
    return cast("int", only._handle)


def test_an_engine_that_failed_answers_no_more(engine: Engine) -> None:
    assert engine.judge({"m0": 5}).tier == 1
    durable.delete_ruleset(handle_of(engine))

    with pytest.raises(EngineFailure, match=r"The rules engine failed: .*error code: 111"):
        engine.judge({"m0": 4})
    with pytest.raises(EngineFailure, match="error code: 111"):
        engine.judge({"m0": 5})


def test_an_engine_whose_facts_are_all_taken_for_seen_fails(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable.assert_fact(handle_of(engine), fact(7, p0=99))
    monkeypatch.setattr(library, "_ids", repeat(7))

    with pytest.raises(EngineFailure, match="it takes every fact for one it has seen"):
        engine.judge({"m0": 5})


def test_an_engine_with_a_fact_left_over_from_before_fails(engine: Engine) -> None:
    durable.assert_fact(handle_of(engine), fact(0, p0=99))

    with pytest.raises(EngineFailure, match="more rules fired than there are"):
        engine.judge({"m0": 5})


def test_an_engine_that_does_not_say_which_rule_fired_fails(engine: Engine) -> None:
    _, state = durable.assert_fact(handle_of(engine), fact(0, p0=99))
    durable.start_action_for_state(handle_of(engine), state)

    with pytest.raises(EngineFailure, match="it does not say which"):
        engine.judge({"m0": 5})


def test_a_fact_that_is_refused_leaves_the_engine_as_it_was(engine: Engine) -> None:
    with pytest.raises(FactRefused):
        engine.judge({"m0": "5"})

    assert engine.judge({"m0": 5}).tier == 1


class Interrupted(Exception):
    """What a signal's handler raises, wherever the program is."""


INTERRUPTING = "from tests.rules import test_library; test_library.interrupt_engines()"


def test_an_engine_that_was_interrupted_answers_right_or_no_more() -> None:
    # In a process of its own: a tracer of coverage, interrupted, would keep its lock for ever.
    outcomes = in_a_child(INTERRUPTING).splitlines()

    assert set(outcomes) <= {"1 2", "an evaluation was broken off"}
    assert "an evaluation was broken off" in outcomes


def interrupt_engines() -> None:
    """Print what each of twenty engines answers after it was interrupted."""
    parts = at_least(1, range(20))
    policy = load(policy_document(numbers(20), tiers({"all": parts}, {"none": parts})))
    for n in range(20):
        sys.stdout.write(interrupted(Engine(policy), after=0.002 + n / 10_000) + "\n")


def interrupted(engine: Engine, after: float) -> str:
    """Break an engine's evaluations off after so many seconds; return what it answers then."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGVTALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, after)
        for mask in count():
            engine.judge(bits(mask, 20))
    except Interrupted:
        pass
    finally:
        signal.signal(signal.SIGVTALRM, before)
    try:
        answers = [engine.judge(bits(mask, 20)).tier for mask in (2**20 - 1, 0)]
    except EngineFailure as failure:
        return failure.reason
    return " ".join(map(str, answers))


# -- rule sets by themselves -------------------------------------------------------------------


def test_rules_beyond_one_set_go_into_further_sets_and_keep_their_places() -> None:
    sets = RuleSets([(Comparison("$eq", slot, 1),) for slot in range(200)])

    assert sets.fired([1 if slot % 3 == 0 else 0 for slot in range(200)]) == list(range(0, 200, 3))
    assert sets.fired([None] * 200) == []


def test_a_limit_beyond_exact_integers_makes_no_rule_set() -> None:
    with pytest.raises(EngineFailure, match="too large to be compared exactly"):
        RuleSets([(Comparison("$eq", 0, 2**53 + 1),)])


def test_a_rule_the_library_refuses_makes_no_rule_set() -> None:
    with pytest.raises(EngineFailure, match="Could not create ruleset"):
        RuleSets([(Comparison("$like", 0, 1),)])
