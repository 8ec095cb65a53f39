"""What is typed in a field, and what it means: back and forth, as each language writes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.editor.blanks import new_key
from admin.editor.values import KINDS, Manner, read, write
from rules.document.fields import KEY
from rules.document.merge import ABSENT, same

ENGLISH, UKRAINIAN = Manner("en", "GBP"), Manner("uk", "UAH")
YEN = Manner("en", "JPY")

_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).map(str.strip)
_NUMBERS = st.decimals(-(10**9), 10**9, places=3, allow_nan=False).map(
    lambda each: int(each) if each == int(each) else each.normalize()
)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": _TEXTS.filter(bool),
    "lines": st.lists(_TEXTS.filter(bool), min_size=1).map("\n\n".join),
    "word": st.sampled_from(["gold", "at_least"]),
    "whole": st.integers(-(10**15), 10**15),
    "decimal": _NUMBERS,
    "money": st.integers(-(10**15), 10**15),
    "flag": st.booleans(),
    "date": st.dates().map(str),
    "list": st.lists(st.sampled_from(["sale", "refund", "01-01"]), min_size=1),
    "column": st.sampled_from(["amount", "product", "attribute:stars"]),
    "loose": st.booleans() | _NUMBERS | st.sampled_from(["yes", "12", "red", '"' * 3]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("manner", [ENGLISH, UKRAINIAN, YEN])
def test_what_is_written_into_a_field_means_the_same_when_it_comes_back(
    kind: str, manner: Manner
) -> None:
    @given(_VALUES[kind])
    def comes_back(value: Any) -> None:
        assert same(read(kind, write(kind, value, manner), manner), value)
        pair = [value, value]
        if kind != "list":
            assert same(read(f"pair-{kind}", write(f"pair-{kind}", pair, manner), manner), pair)

    comes_back()


@pytest.mark.parametrize(
    ("manner", "kind", "typed", "meant"),
    [
        (ENGLISH, "money", "1250", 125000),
        (ENGLISH, "money", "£1,250.50", 125050),
        (ENGLISH, "money", "1250.5 GBP", 125050),
        (ENGLISH, "money", "12.345", "12.345"),
        (ENGLISH, "money", "1,5", "1,5"),
        (ENGLISH, "money", "a lot", "a lot"),
        (UKRAINIAN, "money", "1 250,50", 125050),
        (UKRAINIAN, "money", "1\u00a0250,50 ₴", 125050),
        (UKRAINIAN, "decimal", "4,5", Decimal("4.5")),
        (UKRAINIAN, "decimal", "4.5", Decimal("4.5")),
        (ENGLISH, "decimal", "12.5 %", Decimal("12.5")),
        (YEN, "money", "1000", 1000),
        (YEN, "money", "10.5", "10.5"),
        (ENGLISH, "whole", " 12 ", 12),
        (ENGLISH, "whole", "12.0", 12),
        (ENGLISH, "whole", "12.5", "12.5"),
        (ENGLISH, "whole", "1e5", "1e5"),
        (ENGLISH, "whole", "٣", "٣"),
        (ENGLISH, "flag", "yes", True),
        (ENGLISH, "flag", "perhaps", "perhaps"),
        (ENGLISH, "list", "sale, refund ; bonus", ["sale", "refund", "bonus"]),
        (ENGLISH, "column", "stars", "attribute:stars"),
        (ENGLISH, "column", "amount", "amount"),
        (ENGLISH, "loose", '"12"', "12"),
        (ENGLISH, "lines", "a\r\nb", "a\nb"),
    ],
)
def test_what_people_type_is_read_as_their_language_writes_it(
    manner: Manner, kind: str, typed: str, meant: object
) -> None:
    assert same(read(kind, [typed], manner), meant)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_field_leaves_its_part_out(kind: str) -> None:
    assert read(kind, ["  "], ENGLISH) is ABSENT
    assert read(kind, [], ENGLISH) is ABSENT
    assert write(kind, ABSENT, ENGLISH) == [""]


def test_only_where_it_may_a_question_mark_says_that_it_is_not_known() -> None:
    assert read("money?", ["?"], ENGLISH) is None
    assert read("money", ["?"], ENGLISH) == "?"
    assert write("money?", None, ENGLISH) == ["?"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Very Important", "very_important"),
        ("Щедрі клієнти", "shchedri_kliienty"),
        ("5 stars", "n_5_stars"),
        ("顧客", "new"),
        ("", "new"),
        ("Café", "cafe"),
    ],
)
def test_a_key_is_made_from_a_name(name: str, key: str) -> None:
    assert new_key(name, ()) == key
    assert KEY.fullmatch(new_key(name, [key]))
    assert new_key(name, [key]) == f"{key}_2"
