"""A policy whose examples do not come out is not used, by whatever way it comes."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
from flask import Flask

from app.services.policies import ExamplesFail, prepare
from app.services.trial import TrialFailed
from rules.document.strict_json import dumps
from rules.messages import Message
from tests.rules.builders import Document, condition, metric, names, policy_document, tier

RULES = policy_document(
    [metric("orders", "count")],
    [tier("gold", entry=condition("orders", "at_least", 3))],
    examples=[
        {"name": names(name), "date": "2026-07-01", "facts": {"orders": orders}, "tier": "gold"}
        for name, orders in {"Three": 3, "Four": 4, "Five": 5}.items()
    ],
)
SAID = [
    "Not every example of the policy gives what its author expects.",
    "examples[0]: “Three” should give gold; it gives base.",
    "examples[1]: “Four” should give gold; it gives base.",
]


@pytest.fixture
def failing() -> Document:
    """Return a policy that asks for more than two of its three examples have."""
    document = deepcopy(RULES)
    document["tiers"][1]["entry"]["value"] = 5
    return document


def test_a_policy_whose_examples_come_out_is_made_ready() -> None:
    assert len(prepare(RULES).policy.examples) == 3


def test_a_policy_whose_examples_do_not_is_refused_with_all_of_them(failing: Document) -> None:
    with pytest.raises(ExamplesFail) as refused:
        prepare(failing)

    assert [refused.value.message, *map(str, refused.value.problems)] == SAID
    assert str(refused.value) == "\n".join(SAID)
    for each in (refused.value.message, *(one.message for one in refused.value.problems)):
        assert isinstance(each, Message)


def test_examples_are_judged_only_after_the_trial(
    failing: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise TrialFailed(Message("The child died."))

    monkeypatch.setattr("app.services.policies.try_out", refuse)

    with pytest.raises(TrialFailed):
        prepare({**failing, "key": "never_tried_before"})


def test_a_policy_that_came_through_is_not_tried_again_by_the_same_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document, tried = policy_document(key="tried_once"), list[object]()
    monkeypatch.setattr("app.services.policies.try_out", tried.append)

    for _ in range(2):
        prepare(document)
        prepare({**document, "key": "tried_once_too"})

    assert len(tried) == 2


@pytest.mark.parametrize("command", ["validate", "evaluate"])
def test_commands_name_the_examples_and_do_nothing(
    command: str, failing: Document, app: Flask, tmp_path: Path
) -> None:
    policy, facts = tmp_path / "policy.json", tmp_path / "facts.ndjson"
    policy.write_text(dumps(failing), "utf-8")
    facts.write_text('{"facts": {}}\n', "utf-8")
    arguments = [policy] if command == "validate" else [policy, facts]

    result = app.test_cli_runner().invoke(args=["policy", command, *map(str, arguments)])

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: " + "\n".join(SAID) + "\n"


def test_a_policy_can_be_read_back_whatever_its_examples_give(
    failing: Document, app: Flask, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(dumps(failing), "utf-8")

    result = app.test_cli_runner().invoke(args=["policy", "show", str(policy)])

    assert result.exit_code == 0
    assert result.stdout.endswith(
        "The examples:\n  “Three” gives gold.\n  “Four” gives gold.\n  “Five” gives gold.\n"
    )
