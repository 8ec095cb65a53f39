"""Nine real tier programmes, written as Merit policies, answer every published case as they should.

The programmes — metrics, tiers, cases, dated sequences — are read from the shared folder beside the
checkout; the policy documents beside this module say the same in Merit's own format.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import create_app
from rules import document
from rules.document import strict_json
from rules.policy import Policy
from tests.shared import SHARED

HERE = Path(__file__).parent
DATE = "2025-06-30"
"""The facts of the cases are stated, so that any day would do."""

Programme = Mapping[str, Any]
Answers = Mapping[str, Mapping[str, Any]]
"""The decisions about one programme's cases, by the case's id."""


@dataclass(frozen=True, slots=True)
class Case:
    """Facts about one client, and the tier the programme's rules give for them."""

    programme: str
    id: str
    facts: Mapping[str, object]
    tier: str
    tier_two_valued: str | None
    """The tier where a missing fact is taken for plain false; None where that is the same."""

    def __str__(self) -> str:
        """Name the case in the id of a test."""
        return f"{self.programme}-{self.id}"


@dataclass(frozen=True, slots=True)
class Step:
    """One date of a published sequence, and how the programme's rules make a client stand then."""

    programme: str
    sequence: str
    place: int
    expected: Mapping[str, Any]

    def __str__(self) -> str:
        """Name the step in the id of a test."""
        return f"{self.programme}-{self.sequence}-{self.expected['date']}"


def _programmes() -> tuple[Programme, ...]:
    text = (SHARED / "programmes" / "programmes.yaml").read_text(encoding="utf-8")
    return tuple(yaml.safe_load(text)["programmes"])


PROGRAMMES = _programmes()
CASES = tuple(
    Case(
        programme["id"],
        case["id"],
        case["facts"],
        case["expected_tier"],
        case["expected_tier_two_valued"] if case.get("sensitive_to") == "not_missing" else None,
    )
    for programme in PROGRAMMES
    for case in programme["cases"]
)
SENSITIVE = tuple(case for case in CASES if case.tier_two_valued is not None)
SEQUENCES = {
    (programme["id"], sequence["id"]): sequence
    for programme in PROGRAMMES
    for sequence in programme.get("sequences", ())
}
STEPS = tuple(
    Step(*key, place, step)
    for key, sequence in SEQUENCES.items()
    for place, step in enumerate(sequence["steps"])
)

each_programme = pytest.mark.parametrize("programme", PROGRAMMES, ids=lambda each: each["id"])


def _path(programme: str) -> Path:
    return HERE / f"{programme}.json"


def _policy(programme: Programme) -> Policy:
    return document.load(strict_json.loads(_path(programme["id"]).read_text(encoding="utf-8")))


def _evaluate(programme: str, facts: Path) -> Answers:
    """Ask the command about all cases of a programme at once."""
    cases = [case for case in CASES if case.programme == programme]
    lines = [
        # json writes a float by its repr: the very digits that stand in the file
        json.dumps({"client": case.id, "date": DATE, "facts": case.facts})
        for case in cases
    ]
    facts.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    runner = create_app().test_cli_runner()
    result = runner.invoke(args=["policy", "evaluate", str(_path(programme)), str(facts)])
    assert result.exit_code == 0, result.output
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["client"] for each in answers] == [case.id for case in cases]
    return {each["client"]: each for each in answers}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Answers]:
    """Return a function from a programme to its answers; the command runs once for each."""
    folder = tmp_path_factory.mktemp("programmes")
    return cache(lambda programme: _evaluate(programme, folder / f"{programme}.ndjson"))


def _rehearse(programme: str, sequence: str, path: Path) -> Sequence[Mapping[str, Any]]:
    """Ask the command how a client stands on each date, whose facts are that date's own alone."""
    published = SEQUENCES[programme, sequence]
    steps = [{"date": each["date"], "facts": each["facts"]} for each in published["steps"]]
    rehearsed: dict[str, Any] = {"steps": steps}
    if start := published.get("start"):
        rehearsed["start"] = {"tier": start["tier"], "until": start["valid_until"]}
    path.write_text(json.dumps(rehearsed, default=str), encoding="utf-8")
    runner = create_app().test_cli_runner()
    result = runner.invoke(args=["policy", "rehearse", str(_path(programme)), str(path)])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def rehearsed(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, str], Sequence[Mapping[str, Any]]]:
    """Return a function from a sequence to its standings; the command runs once for each."""
    folder = tmp_path_factory.mktemp("sequences")
    return cache(lambda programme, each: _rehearse(programme, each, folder / f"{each}.json"))


def test_there_are_nine_programmes_with_ninety_two_cases_and_a_document_for_each() -> None:
    assert len(PROGRAMMES) == 9
    assert len({(case.programme, case.id) for case in CASES}) == len(CASES) == 92
    assert {each["id"] for each in PROGRAMMES} == {path.stem for path in HERE.glob("*.json")}


@each_programme
def test_the_document_loads_and_has_the_tiers_of_the_programme_in_their_order(
    programme: Programme,
) -> None:
    policy = _policy(programme)

    assert policy.key == programme["id"]
    assert [tier.key for tier in policy.tiers] == [each["key"] for each in programme["tiers"]]


@each_programme
def test_the_document_has_every_metric_of_the_programme(programme: Programme) -> None:
    assert {each["key"] for each in programme["metrics"]} <= set(_policy(programme).metrics)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_command_answers_the_tier_that_the_programme_gives(
    case: Case, answers: Callable[[str], Answers]
) -> None:
    assert answers(case.programme)[case.id]["tier"]["key"] == case.tier


def test_two_cases_turn_on_a_missing_fact_under_a_negation() -> None:
    assert [str(case) for case in SENSITIVE] == [
        "discourse_trust_levels-suspension_unknown",
        "mifid2_client_category-bank_protection_unknown",
    ]


@pytest.mark.parametrize("case", SENSITIVE, ids=str)
def test_a_missing_fact_is_not_taken_for_false_under_a_negation(
    case: Case, answers: Callable[[str], Answers]
) -> None:
    answer = answers(case.programme)[case.id]

    assert case.tier != case.tier_two_valued
    assert answer["tier"]["key"] == case.tier
    assert any(condition["met"] is None for condition in answer["conditions"])


def test_there_are_eleven_sequences_with_forty_three_dated_steps() -> None:
    assert len(SEQUENCES) == 11
    assert len({str(step) for step in STEPS}) == len(STEPS) == 43
    assert sum("start" in each for each in SEQUENCES.values()) == 1


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_the_command_rehearses_what_the_programme_does_to_its_clients(
    step: Step, rehearsed: Callable[[str, str], Sequence[Mapping[str, Any]]]
) -> None:
    found = rehearsed(step.programme, step.sequence)[step.place]
    ground = found["ground"]
    grace = ground is not None and ground["cause"] == "grace"
    told = {
        "date": found["date"],
        "qualified": found["entitled"],
        "held": found["held"],
        "valid_until": None if ground is None or grace else ground["until"],
        "state": "grace" if grace else "active",
    }

    published = {name: step.expected[name] for name in told if name in step.expected}
    assert {"qualified", "held"} <= published.keys()
    assert {name: told[name] for name in published} == json.loads(
        json.dumps(published, default=str)
    )
