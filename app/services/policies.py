"""Policies from files: read, tried out in a child process, and made ready to judge."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.services.trial import try_out
from rules.document import Problem, load
from rules.document.strict_json import JsonRefused, digest, loads
from rules.examples import failures
from rules.explain import Explainer
from rules.judge import DraftJudge, Judge
from rules.messages import Message
from rules.policy import Facts, Policy
from rules.verdict import Verdict

LARGEST_DOCUMENT = 4 * 1024 * 1024
"""Bytes; far more than a policy has that people can read."""


class PolicyUnreadable(Exception):
    """The file cannot be read as JSON at all; the message says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


class ExamplesFail(Exception):
    """Examples of a policy do not give what their author expects; the problems say which."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.message = Message("Not every example of the policy gives what its author expects.")
        self.problems = tuple(problems)
        super().__init__("\n".join([self.message, *map(str, self.problems)]))


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """A policy that decides: its document as written, who judges by it, and who says why.

    ``number`` is its version's in the database; 0 for one from a file.
    """

    document: dict[str, object]
    judge: Judge
    explainer: Explainer
    number: int = 0

    @property
    def policy(self) -> Policy:
        return self.judge.policy


def read_document(path: Path) -> dict[str, object]:
    """Read a policy document's JSON from a file.

    :raises PolicyUnreadable: if there is no such file, or no JSON object in it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyUnreadable(
            Message(
                "The file %(path)s cannot be read: %(reason)s.",
                path=str(path),
                reason=error.strerror or "unreadable",
            )
        ) from error
    if len(content) > LARGEST_DOCUMENT:
        raise PolicyUnreadable(
            Message(
                "The file %(path)s is larger than %(most)d bytes.",
                path=str(path),
                most=LARGEST_DOCUMENT,
            )
        )
    try:
        document = loads(content)
    except JsonRefused as error:
        raise PolicyUnreadable(
            Message("%(path)s: %(reason)s", path=str(path), reason=error.message)
        ) from error
    return document if isinstance(document, dict) else {"": document}


def as_draft(document: dict[str, object], number: int = 0) -> PolicyInForce:
    """Make a draft ready to judge, without durable_rules.

    :raises DocumentInvalid: naming everything that is wrong with the document.
    """
    judge = DraftJudge(load(document))
    return PolicyInForce(document, judge, Explainer(judge), number)


_survived: set[tuple[str, str]] = set()
"""The trials that went well in this process: by interpreter and digest."""


def _try_once(document: dict[str, object]) -> None:
    """Try a policy out, unless this process has seen it come through.

    A trial depends on the policy and on what is installed alone, so another would tell nothing.
    """
    named = sys.executable, digest(document)
    if named not in _survived:
        try_out(document)
        _survived.add(named)


def prepare(document: dict[str, object]) -> PolicyInForce:
    """Make a policy ready to judge, after a child process has survived it.

    :raises DocumentInvalid: naming everything that is wrong with the document.
    :raises TrialFailed: if the engine hangs, dies or errs on its rules.
    :raises ExamplesFail: naming every example that does not give what its author expects.
    """
    policy = load(document)
    _try_once(document)
    judge = Judge(policy)
    if failed := list(example_problems(policy, judge.judge)):
        raise ExamplesFail(failed)
    return PolicyInForce(document, judge, Explainer(judge))


def example_problems(policy: Policy, judge: Callable[[Facts], Verdict]) -> Iterator[Problem]:
    """Say which examples of a policy do not give what their author expects."""
    for each in failures(policy, judge):
        yield Problem(f"examples[{each.place}]", each.sentence)
