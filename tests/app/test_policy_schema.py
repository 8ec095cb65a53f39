"""The JSON Schema of policy documents: published as the code has it, and never stricter than it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy_schema import policy_json_schema
from rules.document import DocumentInvalid, load
from rules.document.strict_json import dumps, loads
from tests.app.asking import EXAMPLE, ROOT, TYPES
from tests.rules.builders import (
    EVERYTHING,
    Document,
    Place,
    changed,
    found,
    place,
    places,
    without,
)

PUBLISHED = ROOT / "docs" / "policy.schema.json"
DOCUMENTS = {
    each.stem: loads(each.read_bytes())
    for each in (EXAMPLE, *sorted((ROOT / "tests" / "programmes").glob("*.json")))
}
SCHEMA = jsonschema_rs.Draft202012Validator(
    policy_json_schema(), validate_formats=True, offline=True
)


def test_what_is_published_is_what_the_command_prints(app: Flask) -> None:
    printed = app.test_cli_runner().invoke(args=["policy", "schema"])

    assert printed.exit_code == 0
    assert PUBLISHED.read_text(encoding="utf-8") == printed.stdout, "run: make schema"


def test_it_is_a_valid_json_schema() -> None:
    schema = loads(PUBLISHED.read_bytes())
    assert isinstance(schema, dict)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)


def test_there_are_the_example_and_nine_programmes() -> None:
    assert len(DOCUMENTS) == 10


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_every_document_meets_it(document: Any) -> None:
    SCHEMA.validate(document)


@pytest.mark.parametrize("document", [EVERYTHING, TYPES], ids=["everything", "types"])
def test_a_document_with_every_kind_of_part_meets_it(document: Document) -> None:
    SCHEMA.validate(document)


REFUSED: dict[str, tuple[str, object]] = {
    "an older format": ("format", 0),
    "a tier's name as a text": ("tiers[1].name", "Silver"),
    "no tiers": ("tiers", []),
    "a key with capitals": ("tiers[1].key", "Silver"),
    "an unknown type": ("metrics[0].type", "revenue"),
    "an unknown aggregate": ("metrics[0].source.aggregate", "median"),
    "seven places": ("metrics[2].places", 7),
    "a day that does not exist": ("metrics[3].source.window.to", "2026-02-30"),
    "an unknown operator": ("tiers[1].entry.all[0].operator", ">="),
    "an empty group": ("tiers[1].entry.all", []),
    "no number to hold": ("tiers[2].entry.at_least", 0),
    "a benefit without a key": ("tiers[1].benefits[0]", {"name": {"en": "No queue"}}),
    "an unknown promise": ("standards[0].promise.kind", "smile"),
    "an unknown step": ("demotion_policies[0].steps[1].kind", "shame"),
    "negative days": ("demotion_policies[0].steps[1].days", -1),
    "a name that is not known": ("colour", "blue"),
}


@pytest.mark.parametrize(("where", "value"), REFUSED.values(), ids=REFUSED)
def test_it_refuses_what_is_plainly_wrong_and_so_does_the_reader(where: str, value: object) -> None:
    document = changed(EVERYTHING, place(where), value)

    assert not SCHEMA.is_valid(document)
    with pytest.raises(DocumentInvalid):
        load(document)


PLACES = tuple(places(EVERYTHING))[1:]


def agree(document: Any) -> None:
    """Check that what the schema refuses, the reader does too."""
    document = loads(dumps(document))
    if not SCHEMA.is_valid(document):
        with pytest.raises(DocumentInvalid):
            load(document)


def test_whatever_is_left_out_it_refuses_no_document_that_the_reader_takes() -> None:
    for each in PLACES:
        agree(without(EVERYTHING, each))


VALUES = (
    st.sampled_from([None, True, False, 0, 1, -1, 2, 60, 366, 1201, 10**15, 10**16, 1.5, 0.000001])
    | st.sampled_from(
        ["", " ", "x", "en", "uk", "EUR", "2026-06-30", "2026-06-31", "02-29", "x" * 201]
    )
    | st.sampled_from(["at_least", "is", "one_of", "sum", "count", "percent", "zero", "amount"])
    | st.sampled_from(
        [[], {}, [[]], [1, 2], ["retail"], [True], {"en": "Text"}, {"kind": "lifetime"}]
    )
    | st.text(max_size=5)
    | st.sampled_from([deepcopy(found(EVERYTHING, each)) for each in PLACES])
)


@settings(max_examples=200)
@given(where=st.sampled_from(PLACES), value=VALUES)
def test_whatever_is_changed_it_refuses_no_document_that_the_reader_takes(
    where: Place, value: Any
) -> None:
    agree(changed(EVERYTHING, where, value))


@settings(max_examples=100)
@given(
    where=st.sampled_from([each for each in PLACES if isinstance(found(EVERYTHING, each), dict)]),
    name=st.sampled_from(["value", "key", "name", "of", "unit", "any", "standards"])
    | st.text(max_size=3),
    value=VALUES,
)
def test_whatever_is_added_it_refuses_no_document_that_the_reader_takes(
    where: Place, name: str, value: Any
) -> None:
    agree(changed(EVERYTHING, (*where, name), value))
