"""A policy as its clients may know it: what is asked for, brought and taken, and nothing else."""

from __future__ import annotations

import pytest

from rules.describe import Line
from rules.document import load
from rules.programme import Chapter, chapters, common
from tests.rules.builders import EVERYTHING, condition, metric, policy_document, tier

POLICY = load(EVERYTHING)
FOUND = {each.tier.key: each for each in chapters(POLICY)}


def said(lines: tuple[Line, ...]) -> list[tuple[int, str]]:
    return [(each.depth, str(each.sentence)) for each in lines]


def test_tiers_are_told_from_the_highest() -> None:
    assert list(FOUND) == ["gold", "silver", "base"]


def test_each_tells_what_it_asks_for_and_what_keeps_it() -> None:
    assert said(FOUND["silver"].entry) == [
        (0, "revenue is at least 100"),
        (0, "age is known"),
    ]
    assert said(FOUND["silver"].keep) == [(0, "revenue is between 50 and 60")]
    assert [each.depth for each in FOUND["gold"].entry] == [0, 1, 1, 2, 1, 2]
    assert FOUND["gold"].keep == ()


def test_each_tells_how_long_it_is_held_and_what_it_brings() -> None:
    silver = FOUND["silver"]
    assert "silver is renewed only when it ends." in map(str, silver.held)
    assert [*map(str, silver.benefits)] == ["No queue"]
    assert [*map(str, silver.promises)] == ["answer"]


def test_each_tells_how_one_is_stepped_down() -> None:
    told = said(FOUND["silver"].steps)
    assert told[0] == (0, "not in the first 90 day;")
    assert (0, "30 day later: without “No queue”;") in told
    assert told[-2:] == [(0, "None of this befalls who meets:"), (1, "the criteria of gold")]
    assert said(FOUND["gold"].steps)[0] == (0, "beginning only on 01-01 and 07-01;")


def test_where_everybody_is_nothing_is_asked_for() -> None:
    base = FOUND["base"]
    assert base == Chapter(base.tier, (), (), (), (), (), ())


def test_what_holds_for_all_tiers_is_told_once() -> None:
    assert [*map(str, common(POLICY))] == [
        "Clients rise only on the last day of each month.",
        "Clients rise one tier at a time.",
        "What a group comes to together counts for its head alone.",
        "What is recorded up to 3 day late still counts for its day.",
    ]
    plain = policy_document(
        [metric("spend", "money")], [tier("gold", entry=condition("spend", "at_least", 1))]
    )
    assert common(load(plain)) == ()


@pytest.mark.parametrize(
    "word", ["letter", "notice”", "mended", "manager", "Slow", "sale", "Young"]
)
def test_nothing_is_told_that_is_for_those_who_work_here(word: str) -> None:
    told = [str(each) for each in common(POLICY)]
    for each in FOUND.values():
        told += [text for lines in (each.entry, each.keep, each.steps) for _, text in said(lines)]
        told += map(str, (*each.held, *each.benefits, *each.promises))
    assert not [each for each in told if word in each]
