"""Two policies compared in words: nothing is said of equals, and no edit goes unsaid."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.words import Words
from rules.compare import Difference, compare
from rules.document import DocumentInvalid, load, paths
from rules.document.strict_json import loads
from rules.policy import Policy
from tests.app.asking import EXAMPLE
from tests.generate import random_document
from tests.rules.builders import condition, metric, names, policy_document, tier

WORDS = Words()


def told(differences: tuple[Difference, ...]) -> list[str]:
    return [
        " | ".join(
            [
                f"{each.kind}: {WORDS.say(each.subject)}",
                *(
                    " ".join(WORDS.say(line.sentence) for line in lines)
                    for lines in (each.before, each.after)
                ),
            ]
        )
        for each in differences
    ]


def said(former: Any, now: Any) -> list[str]:
    return told(compare(load(former), load(now)))


def ladder(entry: Any, **parts: Any) -> Any:
    metrics = [metric("spend", "money"), metric("orders", "count"), metric("paid", "boolean")]
    return policy_document(metrics, [tier("gold", entry=entry, **parts)])


SPEND, ORDERS = condition("spend", "at_least", 500000), condition("orders", "at_least", 6)
PAID = condition("paid", "is", True)
ASKS = "The tier “gold”: what it asks for"


@pytest.mark.parametrize(
    ("former", "now", "sentences"),
    [
        (
            SPEND,
            condition("spend", "at_least", 600000),
            [f"changed: {ASKS} | spend is at least €5,000.00 | spend is at least €6,000.00"],
        ),
        (
            {"all": [SPEND, ORDERS]},
            {"all": [condition("spend", "at_least", 600000), ORDERS, PAID]},
            [
                f"changed: {ASKS} | all of: spend is at least €5,000.00 | "
                "all of: spend is at least €6,000.00",
                f"added: {ASKS} |  | all of: paid is yes",
            ],
        ),
        (
            {"all": [SPEND, {"any": [ORDERS, PAID]}]},
            {"all": [SPEND, {"any": [ORDERS]}]},
            [f"removed: {ASKS} | all of: any of: paid is yes | "],
        ),
        (
            {"at_least": 1, "of": [SPEND, ORDERS]},
            {"at_least": 2, "of": [SPEND, ORDERS]},
            [f"changed: {ASKS} | at least 1 of: | at least 2 of:"],
        ),
        (
            {"all": [SPEND, ORDERS]},
            {"any": [SPEND, ORDERS]},
            [
                f"changed: {ASKS} | all of: spend is at least €5,000.00 orders is at least 6 | "
                "any of: spend is at least €5,000.00 orders is at least 6"
            ],
        ),
        (
            {"all": [SPEND, ORDERS]},
            {"all": [ORDERS, SPEND]},
            [
                f"changed: {ASKS} | all of: spend is at least €5,000.00 orders is at least 6 | "
                "all of: orders is at least 6 spend is at least €5,000.00"
            ],
        ),
    ],
)
def test_criteria_are_compared_condition_by_condition(
    former: Any, now: Any, sentences: list[str]
) -> None:
    assert said(ladder(former), ladder(now)) == sentences


def test_tiers_added_removed_renamed_and_reordered_are_said() -> None:
    def of(*tiers: Any) -> Any:
        return policy_document([metric("orders", "count")], tiers)

    silver, gold = tier("silver", entry=ORDERS), tier("gold", entry=ORDERS)

    assert said(of(silver), of(silver, gold)) == [
        "added: The tier “gold” |  | gold is reached by who meets: orders is at least 6"
    ]
    assert said(of(silver, gold), of(gold)) == [
        "removed: The tier “silver” | silver is reached by who meets: orders is at least 6 | "
    ]
    assert said(of(silver), of({**silver, "name": names("Argent")})) == [
        "changed: The tier “Argent”: its name | silver (en) | Argent (en)"
    ]
    assert said(of(silver, gold), of(gold, silver)) == [
        "changed: The order of the tiers, from the lowest | "
        "The tier “base” The tier “silver” The tier “gold” | "
        "The tier “base” The tier “gold” The tier “silver”"
    ]


def test_keep_criteria_that_come_or_go_are_said() -> None:
    keeps = "The tier “gold”: what keeping it asks for"

    assert said(ladder(SPEND), ladder(SPEND, keep=ORDERS)) == [
        f"added: {keeps} |  | orders is at least 6"
    ]
    assert said(ladder(SPEND, keep=ORDERS), ladder(SPEND)) == [
        f"removed: {keeps} | orders is at least 6 | "
    ]


def test_an_example_is_known_by_its_name() -> None:
    example = {"name": names("Ann"), "date": "2026-07-01", "facts": {"orders": 6}, "tier": "gold"}
    other = {**example, "facts": {"orders": 7, "paid": None}}

    assert said(ladder(ORDERS), {**ladder(ORDERS), "examples": [example]}) == [
        "added: The example “Ann” |  | “Ann” gives gold. Ann (en) on July 1, 2026 orders: 6"
    ]
    assert said(
        {**ladder(ORDERS), "examples": [example]}, {**ladder(ORDERS), "examples": [other]}
    ) == [
        "changed: The example “Ann” | “Ann” gives gold. Ann (en) on July 1, 2026 orders: 6 | "
        "“Ann” gives gold. Ann (en) on July 1, 2026 orders: 7 paid: not known"
    ]


# -- any edit --------------------------------------------------------------------------------


def _places(node: Any, path: str = "") -> list[str]:
    if isinstance(node, dict):
        parts = [(f"{path}.{name}".removeprefix("."), part) for name, part in node.items()]
    elif isinstance(node, list):
        parts = [(f"{path}[{index}]", part) for index, part in enumerate(node)]
    else:
        parts = []
    return [place for each, part in parts for place in (each, *_places(part, each))]


def _edit(random: Random, document: Any) -> Any:
    """Return a document with one place removed, moved, or saying what another one says."""
    places = _places(document)
    path, other = random.choice(places), random.choice(places)
    kind = random.randrange(4)
    if kind == 0:
        return paths.remove(document, path)
    if kind == 1 and path.endswith("]"):
        return paths.move(document, path, random.choice((-1, 1)))
    value = paths.get(document, path)
    if isinstance(value, bool):
        return paths.put(document, path, not value)
    if isinstance(value, int):
        return paths.put(document, path, value + random.choice((1, -1, 1000)))
    alike = [each for each in places if each.rpartition(".")[2] == path.rpartition(".")[2]]
    return paths.put(document, path, paths.get(document, random.choice(alike or [other])))


WHOLESALE = loads(EXAMPLE.read_bytes())


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(seed=st.integers(0, 2**32), random_one=st.booleans())
def test_no_edit_goes_unsaid_and_nothing_is_said_of_equals(seed: int, *, random_one: bool) -> None:
    random = Random(seed)
    document = random_document(random) if random_one else WHOLESALE
    before = load(document)
    assert compare(before, load(document)) == ()
    for _ in range(10):
        try:
            after = load(_edit(random, document))
        except DocumentInvalid:
            continue
        assert bool(compare(before, after)) is _differ(before, after)
        assert bool(compare(after, before)) is _differ(before, after)
        for each in compare(before, after):
            assert each.before != each.after
            assert bool(each.before) is (each.kind != "added")
            assert bool(each.after) is (each.kind != "removed")
            told((each,))


def _differ(one: Policy, other: Policy) -> bool:
    alike = replace(one, digest="") == replace(other, digest="")
    orders = [
        [(key, *metric.options) for key, metric in each.metrics.items()] for each in (one, other)
    ]
    return not alike or orders[0] != orders[1]
