"""JSON is read exactly and in one way only, or refused with a sentence."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.document.strict_json import JsonRefused, canonical_bytes, digest, dumps, loads
from rules.messages import Message


def refusal(text: str | bytes) -> Message:
    """Return what is said of a text that is refused."""
    with pytest.raises(JsonRefused) as refused:
        loads(text)
    assert str(refused.value) == refused.value.message
    return refused.value.message


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_a_number_is_refused(name: str) -> None:
    assert refusal(f'{{"a": [{name}]}}') == f"{name} is not a number that can be decided about."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "This is not JSON: Expecting value in line 1, column 1."),
        ("[1,\n2 3]", "This is not JSON: Expecting ',' delimiter in line 2, column 3."),
        ("{'a': 1}", "This is not JSON: Expecting property name enclosed in double quotes in line "
         "1, column 2."),
        ("[1] [2]", "This is not JSON: Extra data in line 1, column 5."),
        ("01", "This is not JSON: Extra data in line 1, column 2."),
        ("1.", "This is not JSON: Extra data in line 1, column 2."),
        ("+1", "This is not JSON: Expecting value in line 1, column 1."),
        ('"a\nb"', "This is not JSON: Invalid control character at in line 1, column 3."),
        ("\ufeff1", "This is not JSON: Unexpected UTF-8 BOM (decode using utf-8-sig) in line 1, "
         "column 1."),
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused_by_line_and_column(text: str, sentence: str) -> None:
    assert refusal(text) == sentence
    assert refusal(text.encode()) == sentence


@pytest.mark.parametrize(
    ("text", "position"),
    [
        (b'"\xff"', 1),
        (b"\xed\xa0\x80", 0),
        ('"é"'.encode("latin-1"), 1),
        ("[1]".encode("utf-16"), 0),
    ],
)
def test_what_is_not_utf_8_is_refused(text: bytes, position: int) -> None:
    assert refusal(text) == f"The text is not UTF-8 (byte {position})."


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"a": 1, "a": 1}', "a"),
        ('{"b": 0, "a": 1, "c": 2, "\\u0061": 2}', "a"),
        ('[{"x": {"y": 1, "y": 2}}]', "y"),
        ('{"": 1, "": 2}', ""),
    ],
)
def test_a_name_that_stands_twice_is_refused(text: str, name: str) -> None:
    assert refusal(text) == f"The name {name} stands twice in one object."


def test_a_name_that_is_half_a_character_and_stands_twice_can_still_be_said() -> None:
    refusal('{"\\ud800": 1, "\\ud800": 2}').encode()


@pytest.mark.timeout(10)
def test_a_name_that_stands_twice_among_very_many_is_found_soon() -> None:
    names = ",".join(f'"{number}":0' for number in range(200_000))

    assert refusal(f'{{{names},"199999":0}}') == "The name 199999 stands twice in one object."


@pytest.mark.parametrize(
    "text",
    [
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '{"\\uDFFF": 1}',
        '["é", {"a": "x\\ud83dx"}]',
        '"\ud800"',
        '{"\udfff": "\\u0041"}',
    ],
)
def test_half_of_a_character_is_refused(text: str) -> None:
    assert refusal(text) == "A text holds half of a character (a lone surrogate)."


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "[" * 200_000 + "]" * 200_000,
        '{"a":' * 200_000,
        "[" * 101 + "]" * 101,
        '{"a":[' * 51 + "]}" * 51,
        '["\\u0041", ' + "[" * 900 + "]" * 900 + "]",
    ],
    ids=["open", "closed", "objects", "just too deep", "mixed", "with escapes"],
)
def test_what_is_nested_too_deeply_is_refused(text: str) -> None:
    assert refusal(text) == "The JSON is nested too deeply."


def test_what_is_nested_a_hundred_deep_is_read() -> None:
    text = "[" * 50 + '{"a":' * 50 + "1" + "}" * 50 + "]" * 50

    assert dumps(loads(text)).replace(" ", "") == text


@pytest.mark.parametrize(
    "text", ["1" * 41, "-" + "1" * 40, "0." + "1" * 39, "1e" + "0" * 39, "9" * 5_000, "1e40"]
)
def test_a_number_of_more_than_forty_characters_is_refused(text: str) -> None:
    assert refusal(text) == "A number has more than 40 characters."


def test_a_number_that_would_be_written_in_more_than_forty_characters_is_refused() -> None:
    assert refusal("1" * 36 + "e-40") == "A number has more than 40 characters."


@pytest.mark.parametrize(
    "text",
    [
        "1e99999",
        "-1E+41",
        "1e-41",
        "0e41",
        "1e999999999999999999999999",
        "1e-999999999999999999999999",
        "0e999999999999999999999999",
    ],
)
def test_a_number_out_of_all_proportion_is_refused(text: str) -> None:
    assert refusal(text) == f"The number {text} is out of all proportion."


# -- what is read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1" * 40, int("1" * 40)),
        ("-0", 0),
        ("-0.0", 0),
        ("0e5", 0),
        ("1.0", 1),
        ("1e3", 1000),
        ("1E39", 10**39),
        ("9007199254740993", 9007199254740993),
        ("9007199254740993.0", 9007199254740993),
        ("4.8", Decimal("4.8")),
        ("4.80", Decimal("4.8")),
        ("0.1", Decimal("0.1")),
        ("1e-40", Decimal("1e-40")),
        (
            "0.30000000000000000000000000000000000001",
            Decimal("0.30000000000000000000000000000000000001"),
        ),
    ],
)
def test_a_number_is_read_exactly_and_whole_if_it_can_be(text: str, number: int | Decimal) -> None:
    read = loads(text)

    assert read == number
    assert type(read) is type(number)
    assert str(read) == str(number)


def test_texts_are_read_as_they_are() -> None:
    assert loads('"\\ud83d\\ude00 \\u0000 ☃ \\\\ud800"') == "😀 \0 ☃ \\ud800"
    assert loads('"☃"'.encode()) == "☃"


def test_true_false_and_null_stay_themselves() -> None:
    assert loads("[true, false, null]") == [True, False, None]


# -- what is written ---------------------------------------------------------------------------

numbers = st.integers(-(10**39) + 1, 10**40 - 1) | (
    st.decimals(min_value=-(10**15), max_value=10**15, places=12)
    .filter(lambda number: number != number.to_integral_value())
    .map(lambda number: number.normalize())
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def _typed(value: Any) -> Any:
    """Return a value beside its type, so that 1 is not True and 1 is not 1.0."""
    if isinstance(value, dict):
        return {name: _typed(part) for name, part in value.items()}
    return [_typed(part) for part in value] if isinstance(value, list) else (type(value), value)


@given(json_values, st.none() | st.integers(0, 4))
def test_what_is_written_is_read_back(value: Any, indent: int | None) -> None:
    for text in (dumps(value, indent=indent), canonical_bytes(value)):
        assert _typed(loads(text)) == _typed(value)


@given(json_values, json_values)
def test_canonical_bytes_are_equal_for_equal_values_only(one: Any, other: Any) -> None:
    assert (canonical_bytes(one) == canonical_bytes(other)) is (_typed(one) == _typed(other))
    assert (digest(one) == digest(other)) is (_typed(one) == _typed(other))


@given(json_values)
def test_others_read_canonical_bytes_too(value: Any) -> None:
    read = json.loads(canonical_bytes(value), parse_float=Decimal)

    assert _typed(read) == _typed(value)


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.floats(allow_nan=False).map(str))
def test_any_number_json_can_write_is_read_exactly_or_refused(number: Decimal | str) -> None:
    text = str(number)
    try:
        read = loads(text)
    except JsonRefused:
        assert len(text) > 40 or text in ("inf", "-inf") or abs(Decimal(text).adjusted()) > 30
    else:
        assert isinstance(read, int | Decimal)
        assert read == Decimal(text)
        assert loads(dumps(read)) == read


@given(st.text() | st.binary())
def test_any_text_at_all_is_read_or_refused(text: str | bytes) -> None:
    try:
        value = loads(text)
    except JsonRefused as refused:
        text_ = str(refused)
    else:
        text_ = dumps(value)
    assert text_


@given(st.text(alphabet='{}[]",:0123456789eE.-+\\u tfn"'))
def test_anything_made_of_the_signs_of_json_is_read_as_json_reads_it_or_refused(text: str) -> None:
    try:
        value = loads(text)
    except JsonRefused:
        return
    assert value == json.loads(text, parse_float=Decimal)


def test_canonical_bytes_put_names_in_the_order_of_their_code_points() -> None:
    value = {"b": 1, "a": {"é": 1, "z": 2, "Z": 3}, "😀": 4, "\uffff": 5}

    assert canonical_bytes(value).decode() == ('{"a":{"Z":3,"z":2,"é":1},"b":1,"\uffff":5,"😀":4}')
