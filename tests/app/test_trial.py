"""A new rule set meets the engine in a child process first, which may hang or die of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from app.services.trial import TRIALS, TrialFailed, trial_facts, try_out
from rules.criteria import Condition, walk
from rules.document import load
from rules.document.strict_json import loads
from rules.policy import Policy
from rules.vocabulary import EARLIEST_DAY, LARGEST, LATEST_DAY, MetricType
from tests.app.asking import EXAMPLE, ROOT, TYPES
from tests.rules.builders import EVERYTHING, condition, metric, policy_document, tier

WHOLESALE: Any = loads(EXAMPLE.read_bytes())

# -- the child -------------------------------------------------------------------------------


@pytest.fixture
def interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Have the child be a script of the shell, which writes its number to the file returned."""

    def standing_in(script: str) -> Path:
        path, number = tmp_path / "python", tmp_path / "number"
        path.write_text(f"#!/bin/sh\necho $$ > {number}\n{script}\n")
        path.chmod(0o700)
        monkeypatch.setattr("sys.executable", os.fspath(path))
        return number

    return standing_in


def failure(document: dict[str, Any], seconds: float = 20.0) -> str:
    with pytest.raises(TrialFailed) as raised:
        try_out(document, seconds)
    assert str(raised.value) == raised.value.message
    return raised.value.message


@pytest.mark.parametrize("document", [WHOLESALE, EVERYTHING, TYPES, policy_document()])
def test_a_good_policy_comes_through(document: dict[str, Any]) -> None:
    try_out(document)


def test_a_policy_with_limits_at_the_ends_of_what_is_possible_comes_through() -> None:
    ends = [condition("spend", "between", [-LARGEST, LARGEST]), condition("spend", "at_least", 0)]
    days = [EARLIEST_DAY.isoformat(), LATEST_DAY.isoformat()]

    try_out(
        policy_document(
            [metric("spend", "money"), metric("birthday", "date")],
            [tier("top", entry={"any": [*ends, condition("birthday", "between", days)]})],
        )
    )


def test_a_child_that_does_not_finish_is_killed(interpreter: Callable[[str], Path]) -> None:
    number = interpreter("exec sleep 600")

    said = failure(TYPES, 0.5)

    assert said == "The rules engine did not finish a trial of this policy in 0.5 seconds."
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_a_real_child_is_given_no_more_than_its_time() -> None:
    assert "did not finish" in failure(WHOLESALE, 0.001)


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        ("kill -SEGV $$", -11, "it said nothing"),
        ("kill -KILL $$", -9, "it said nothing"),
        ("exit 3", 3, "it said nothing"),
        ("echo first >&2; echo 'malloc: corrupted' >&2; kill -ABRT $$", -6, "malloc: corrupted"),
        ("printf '\\377\\n' >&2; exit 1", 1, "\ufffd"),
    ],
)
def test_a_child_that_dies_is_reported_with_its_last_words(
    interpreter: Callable[[str], Path], script: str, status: int, reason: str
) -> None:
    interpreter(script)

    assert failure(TYPES) == (
        f"The rules engine did not survive a trial of this policy (status {status}): {reason}"
    )


def test_a_child_that_finds_the_evaluators_apart_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child's reference evaluator takes *at least* for *more than*."""
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys; sys.path.insert(0, {os.fspath(ROOT)!r})\n"
        "import operator, rules.reference, rules.vocabulary\n"
        "rules.reference.COMPARE[rules.vocabulary.Operator.AT_LEAST] = operator.gt\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.fspath(tmp_path))

    said = failure(WHOLESALE)

    assert "(status 1): The two evaluators disagree about policy" in said


# -- its clients -----------------------------------------------------------------------------

NEAR = (0, 1, -1, Fraction(1, 3), Fraction(-1, 3))


def limits(policy: Policy) -> list[tuple[str, Any]]:
    """Return every limit of every condition, with its metric."""
    return [
        (node.metric, limit)
        for root in policy.roots
        for node in walk(root.criteria)
        if isinstance(node, Condition) and node.limit is not None
        for limit in (node.limit if isinstance(node.limit, tuple) else (node.limit,))
    ]


@pytest.mark.parametrize("document", [WHOLESALE, EVERYTHING, TYPES])
def test_clients_lie_exactly_at_every_limit_and_just_beside_it(document: dict[str, Any]) -> None:
    policy = load(document)
    tried = list(trial_facts(policy))

    found = limits(policy)
    assert found
    for key, limit in found:
        values = {facts.get(key) for facts in tried}
        kind = policy.metrics[key].type
        if kind is MetricType.CHOICE:
            assert values == {*policy.metrics[key].options, None}
        elif kind is MetricType.BOOLEAN:
            assert values == {True, False, None}
        elif isinstance(limit, date):
            assert {limit + timedelta(days=each) for each in (-1, 0, 1)} | {None} <= values
        else:
            assert {limit + each for each in NEAR} | {None} <= values


def test_clients_have_nothing_that_cannot_be_decided_about() -> None:
    entry = {"any": [condition("spend", "at_least", each) for each in (LARGEST, -LARGEST)]}
    policy = load(policy_document([metric("spend", "money")], [tier("top", entry=entry)]))

    values = [facts["spend"] for facts in trial_facts(policy) if "spend" in facts]

    assert {LARGEST, -LARGEST, LARGEST - 1, 1 - LARGEST} <= set(values)
    assert all(isinstance(each, int | Fraction) and -LARGEST <= each <= LARGEST for each in values)


def test_there_are_as_many_clients_as_there_should_be() -> None:
    assert len(list(trial_facts(load(TYPES)))) == TRIALS


PRINTED = """
from app.services.trial import trial_facts
from rules.document import load
from tests.rules.builders import EVERYTHING
for facts in trial_facts(load(EVERYTHING)):
    print(sorted((key, str(value)) for key, value in facts.items()))
"""


def test_a_trial_can_be_repeated_in_any_process() -> None:
    printed = [
        subprocess.run(
            [sys.executable, "-c", PRINTED],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    ]

    assert printed[0].count(b"\n") == TRIALS
    assert printed[0] == printed[1]
