"""Policies from files: read, tried out in a child process, and made ready to judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from app.services.trial import TrialFailed, try_out
from rules.document import DocumentInvalid, Problem, load
from rules.document.strict_json import JsonRefused, loads
from rules.engine import EngineFailure
from rules.explain import Explainer
from rules.judge import Judge
from rules.messages import Message
from rules.policy import Policy

LARGEST_DOCUMENT = 4 * 1024 * 1024
"""Bytes; a policy at all its limits at once stays below."""


class PolicyUnreadable(Exception):
    """The file cannot be read as JSON at all; the message says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


class NoPolicy(Exception):
    """No policy is configured, so nothing can be decided."""

    def __init__(self) -> None:
        self.message = Message(
            "There is no policy to decide by: set MERIT_POLICY to the file of a policy document."
        )
        super().__init__(self.message)


class PolicyUnusable(Exception):
    """A policy is configured and cannot decide; the message and the problems say why."""

    def __init__(self, message: Message, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__("\n".join([message, *map(str, problems)]))
        self.message, self.problems = message, problems


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """A policy that decides: its document as written, who judges by it, and who says why."""

    document: dict[str, object]
    judge: Judge
    explainer: Explainer

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


def prepare(document: dict[str, object]) -> PolicyInForce:
    """Make a policy ready to judge, after a child process has survived it.

    :raises DocumentInvalid: naming everything that is wrong with the document.
    :raises TrialFailed: if the engine hangs, dies or errs on its rules.
    """
    policy = load(document)
    try_out(document)
    judge = Judge(policy)
    return PolicyInForce(document, judge, Explainer(judge))


class Rulebook:
    """The policy the service answers by, made ready once, by whoever asks first.

    One that cannot be used is not tried again, for a trial is no work for every request: the
    service has to be started anew.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = Lock()
        self._found: PolicyInForce | PolicyUnusable | None = None

    def in_force(self) -> PolicyInForce:
        """Return the policy in force.

        :raises NoPolicy: if none is configured.
        :raises PolicyUnusable: if the one that is cannot be read, is not valid or fails its trial.
        """
        if self._found is None:
            with self._lock:
                if self._found is None:
                    self._found = self._prepared()
        if isinstance(self._found, PolicyUnusable):
            raise PolicyUnusable(self._found.message, self._found.problems)
        return self._found

    def _prepared(self) -> PolicyInForce | PolicyUnusable:
        if self._path is None:
            raise NoPolicy
        try:
            return prepare(read_document(self._path))
        except DocumentInvalid as error:
            message = Message("The configured policy is not valid.")
            return PolicyUnusable(message, error.problems)
        except (PolicyUnreadable, TrialFailed, EngineFailure) as error:
            return PolicyUnusable(error.message)
