"""Two people's changes to one document: both are kept, or both are shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.document.merge import ABSENT, Clash, merge, same
from tests.rules.builders import condition, tier

SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b"])
NAMES = st.sampled_from(["name", "kind", "value", "all", "metric"])


def _keyed(entries: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.sampled_from(["k", "l", "m", "n"])
    parts = st.tuples(keys, entries).map(lambda each: {**each[1], "key": each[0]})
    return st.lists(parts, unique_by=lambda each: each["key"])


OBJECTS = st.recursive(
    st.dictionaries(NAMES, SCALARS, max_size=3),
    lambda parts: st.dictionaries(NAMES, SCALARS | parts | _keyed(parts), max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda parts: (
        st.dictionaries(NAMES, parts, max_size=3)
        | st.lists(parts, max_size=3)
        | _keyed(st.dictionaries(NAMES, parts, max_size=2))
    ),
    max_leaves=10,
)


@given(DOCUMENTS, DOCUMENTS)
def test_with_nobody_elses_change_it_is_mine(base: Any, mine: Any) -> None:
    for merged in (merge(base, mine, base), merge(base, base, mine), merge(base, mine, mine)):
        assert merged.clashes == ()
        assert same(merged.document, mine)


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_whose_change_is_whose_matters_only_where_they_clash(
    base: Any, mine: Any, theirs: Any
) -> None:
    one, other = merge(base, mine, theirs), merge(base, theirs, mine)

    assert {each.path for each in one.clashes} == {each.path for each in other.clashes}
    if not one.clashes:
        assert same(one.document, other.document)


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Return what a document says, place by place, its lists' entries named by their keys."""
    if isinstance(value, dict):
        return {
            place: leaf
            for name, part in value.items()
            for place, leaf in _leaves(part, f"{path}.{name}".removeprefix(".")).items()
        } | {f"{path}!": "object"}
    if isinstance(value, list):
        return {
            place: leaf
            for part in value
            for place, leaf in _leaves(part, f"{path}[{part['key']}]").items()
        } | {f"{path}!": "list"}
    return {path: value}


@given(OBJECTS, OBJECTS, OBJECTS)
def test_no_edit_is_lost_silently(base: Any, mine: Any, theirs: Any) -> None:
    merged = merge(base, mine, theirs)
    before, by_me, by_them, now = map(_leaves, (base, mine, theirs, merged.document))

    for path in before.keys() | by_me.keys() | by_them.keys() | now.keys():
        said = [each.get(path, ABSENT) for each in (before, by_me, by_them, now)]
        if any(path.startswith(clash.path) for clash in merged.clashes):
            continue
        changed = [each for each in said[1:3] if not same(each, said[0])]
        assert all(same(said[3], each) for each in changed or said[:1]), path


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_where_mine_is_chosen_it_stands_and_else_theirs(base: Any, mine: Any, theirs: Any) -> None:
    clashes = merge(base, mine, theirs).clashes

    merged = merge(base, mine, theirs, {each.path: True for each in clashes})

    assert merged.clashes == ()
    assert same(merged.document, merge(base, theirs, mine).document)
    yielded = merge(base, mine, theirs, {each.path: False for each in clashes})
    assert yielded.clashes == ()
    assert same(yielded.document, merge(base, mine, theirs).document)


# -- by example --------------------------------------------------------------------------------


def _ladder(*keys: str, **parts: Any) -> dict[str, Any]:
    return {"tiers": [tier(key) for key in keys], **parts}


def test_limits_of_two_conditions_changed_by_two_people_are_both_kept() -> None:
    def entry(*limits: int) -> dict[str, Any]:
        return {
            "all": [condition(f"m{place}", "at_least", limit) for place, limit in enumerate(limits)]
        }

    assert merge(entry(1, 2), entry(5, 2), entry(1, 7)).document == entry(5, 7)


def test_the_same_limit_changed_by_two_people_is_shown_with_both() -> None:
    base = {"tiers": [tier("gold", entry=condition("spend", "at_least", 1))]}
    mine = {"tiers": [tier("gold", entry=condition("spend", "at_least", 2))]}
    theirs = {"tiers": [tier("gold", entry=condition("spend", "at_least", 3))]}

    merged = merge(base, mine, theirs)

    assert merged.clashes == (Clash("tiers[gold].entry.value", 1, 2, 3),)
    assert merged.document == theirs
    assert merge(base, mine, theirs, {"tiers[gold].entry.value": True}).document == mine


def test_a_tier_added_by_one_and_another_renamed_by_the_other_are_both_there() -> None:
    base, mine = _ladder("base", "gold"), _ladder("base", "silver", "gold")
    theirs = {"tiers": [tier("base"), tier("gold", name={"en": "Best"})]}

    assert merge(base, mine, theirs).document["tiers"] == [
        tier("base"),
        tier("silver"),
        tier("gold", name={"en": "Best"}),
    ]


def test_an_order_changed_by_one_takes_in_what_the_other_adds() -> None:
    base, mine = _ladder("a", "b", "c"), _ladder("c", "a", "b")
    theirs = _ladder("a", "x", "b", "c")

    assert merge(base, mine, theirs).document == _ladder("c", "a", "x", "b")
    assert merge(base, theirs, mine).document == _ladder("c", "a", "x", "b")


def test_two_orders_clash_and_either_can_prevail() -> None:
    base, mine, theirs = _ladder("a", "b", "c"), _ladder("b", "a", "c"), _ladder("a", "c", "b")

    merged = merge(base, mine, theirs)

    assert merged.clashes == (Clash("tiers", list("abc"), list("bac"), list("acb")),)
    assert merged.document == theirs
    assert merge(base, mine, theirs, {"tiers": True}).document == mine


@pytest.mark.parametrize("gone", ["mine", "theirs"])
def test_what_one_changes_and_the_other_removes_clashes(gone: str) -> None:
    base, without = _ladder("base", "gold"), _ladder("base")
    renamed = {"tiers": [tier("base"), tier("gold", name={"en": "Best"})]}
    mine, theirs = (without, renamed) if gone == "mine" else (renamed, without)

    merged = merge(base, mine, theirs)

    assert [each.path for each in merged.clashes] == ["tiers[gold]"]
    assert merged.document == theirs
    assert merge(base, mine, theirs, {"tiers[gold]": True}).document == mine


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ({"kind": "calendar", "unit": "year"}, {"kind": "fixed", "n": 6, "unit": "months"}),
        ({"any": [{"all": [1, 2]}]}, {"all": [1, 3]}),
        (condition("other", "at_least", 5), condition("spend", "at_most", 1)),
    ],
)
def test_a_thing_made_into_another_is_never_mixed_with_the_one_it_was(
    mine: Any, theirs: Any
) -> None:
    base = {"kind": "fixed", "n": 12, "unit": "months"}
    base = {"all": [1, 2]} if "any" in mine else base
    base = condition("spend", "at_least", 1) if "metric" in mine else base

    merged = merge({"part": base}, {"part": mine}, {"part": theirs})

    assert merged.clashes == (Clash("part", base, mine, theirs),)


@pytest.mark.parametrize(
    ("mine", "theirs"), [([1, 2, 4], [1]), ([2, 1, 3], [1, 2, 5]), ([1, 2, 3, 4], [1, 2, 3, 5])]
)
def test_plain_lists_that_both_changed_clash_unless_they_keep_their_places(
    mine: list[int], theirs: list[int]
) -> None:
    merged = merge({"of": [1, 2, 3]}, {"of": mine}, {"of": theirs})

    assert merged.clashes == (Clash("of", [1, 2, 3], mine, theirs),)


def test_true_is_not_one() -> None:
    assert not same(True, 1)
    assert merge({"a": 0}, {"a": True}, {"a": 1}).clashes == (Clash("a", 0, True, 1),)
