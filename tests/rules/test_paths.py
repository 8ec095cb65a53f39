"""Places in documents: found, changed and refused by the paths that problems name."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from rules.document.paths import (
    NoSuchPlace,
    counted,
    get,
    has,
    insert,
    move,
    parse,
    put,
    remove,
    written,
)

DOCUMENT: dict[str, Any] = {
    "name": {"en": "A", "pt-BR": "B"},
    "tiers": [{"key": "base"}, {"key": "gold", "entry": {"all": [{"value": 1}, {"value": 2}]}}],
}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("", ()),
        ("name.pt-BR", ("name", "pt-BR")),
        ("tiers[1].entry.all[0].value", ("tiers", 1, "entry", "all", 0, "value")),
        ("tiers[gold].entry", ("tiers", "gold", "entry")),
    ],
)
def test_a_path_is_read_as_problems_write_it(path: str, place: tuple[str | int, ...]) -> None:
    assert parse(path) == place
    if "gold" not in place:
        assert written(place) == path


def test_what_stands_at_a_path_is_found_by_index_and_by_key() -> None:
    assert get(DOCUMENT, "tiers[1].entry.all[1].value") == 2
    assert get(DOCUMENT, "tiers[gold].entry.all[0].value") == 1
    assert get(DOCUMENT, "") is DOCUMENT
    assert counted(DOCUMENT, "tiers[gold].entry") == "tiers[1].entry"


def test_every_change_leaves_the_document_as_it_is() -> None:
    untouched = deepcopy(DOCUMENT)

    assert put(DOCUMENT, "tiers[0].name", {"en": "X"})["tiers"][0]["name"] == {"en": "X"}
    assert put(DOCUMENT, "", 5) == 5
    assert remove(DOCUMENT, "tiers[0]")["tiers"] == DOCUMENT["tiers"][1:]
    assert "name" not in remove(DOCUMENT, "name")
    added = insert(DOCUMENT, "tiers[2]", {"key": "top"})
    assert [each["key"] for each in added["tiers"]] == ["base", "gold", "top"]
    added = insert(DOCUMENT, "tiers[gold]", {"key": "silver"})
    assert [each["key"] for each in added["tiers"]] == ["base", "silver", "gold"]
    assert untouched == DOCUMENT


@pytest.mark.parametrize(
    ("path", "by", "order"),
    [("[0]", 1, "bac"), ("[2]", -1, "acb"), ("[0]", -1, "abc"), ("[2]", 9, "abc")],
)
def test_an_entry_moves_as_far_as_its_list_goes(path: str, by: int, order: str) -> None:
    assert move(list("abc"), path, by) == list(order)


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "tiers[2]",
        "tiers[silver]",
        "tiers.name",
        "name[0]",
        "name.en.more",
        "tiers[1",
        ".",
    ],
)
def test_a_path_that_leads_nowhere_is_named(path: str) -> None:
    assert not has(DOCUMENT, path)
    for look in (get, remove, counted):
        with pytest.raises(NoSuchPlace) as found:
            look(DOCUMENT, path)
        assert found.value.message == f"There is nothing at {path}."


@pytest.mark.parametrize("path", ["name.en[0]", "tiers[3]", "", "name.x"])
def test_nothing_is_put_into_a_list_that_is_not_there(path: str) -> None:
    with pytest.raises(NoSuchPlace):
        insert(DOCUMENT, path, 1)
    with pytest.raises(NoSuchPlace):
        move(DOCUMENT, path, 1)


def test_a_value_needs_something_to_hold_it() -> None:
    for path in ("tiers[2]", "nothing.name", "name.en.more"):
        with pytest.raises(NoSuchPlace):
            put(DOCUMENT, path, 1)
