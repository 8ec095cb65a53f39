"""A new rule set is first exercised in a child process that may be killed.

Some rule sets make durable_rules hang or crash (docs/engine.md).  Documents and the compiler are
built so that none of these can come about; this is the net below.  Run by itself it is the
child: a policy document on standard input, exit status 0 if every trial went well.  Only the rules
are imported here, so that the child starts in a fifth of a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random

from rules.criteria import Condition, walk
from rules.document import load
from rules.document.strict_json import canonical_bytes, loads
from rules.engine import EngineFailure
from rules.judge import Disagreement, Judge
from rules.messages import Message
from rules.policy import Facts, Metric, Policy
from rules.vocabulary import EARLIEST_DAY, LARGEST, MetricType, Number, Value

TRIALS = 300
SECONDS = 60.0
_ROOT = Path(__file__).parents[2]


class TrialFailed(Exception):
    """The engine did not come through the trial of a policy, which must not go into force."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def try_out(document: dict[str, object], seconds: float = SECONDS) -> None:
    """Exercise a policy in a child process, killed after so many seconds.

    :raises TrialFailed: if the child hangs, dies, or finds the two evaluators apart.
    """
    try:
        child = subprocess.run(  # noqa: S603 - this interpreter and this module, nothing given
            [sys.executable, "-P", __file__],
            input=canonical_bytes(document),
            capture_output=True,
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": _path()},
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TrialFailed(
            Message(
                "The rules engine did not finish a trial of this policy in %(seconds)s seconds.",
                seconds=f"{seconds:g}",
            )
        ) from error
    if child.returncode != 0:
        said = child.stderr.decode(errors="replace").strip().splitlines()
        raise TrialFailed(
            Message(
                "The rules engine did not survive a trial of this policy (status %(status)d): "
                "%(reason)s",
                status=child.returncode,
                reason=said[-1] if said else "it said nothing",
            )
        )


def _path() -> str:
    return os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


def trial_facts(policy: Policy) -> Iterator[Facts]:
    """Yield facts at, just beside and between the limits, with values missing here and there.

    The same for the same policy, so that a trial can be repeated.
    """
    chance = Random(policy.digest)  # noqa: S311 - trials, not secrets
    choices = {key: _choices(policy, metric) for key, metric in policy.metrics.items()}
    for _ in range(TRIALS):
        chosen = {key: chance.choice(values) for key, values in choices.items()}
        yield {key: value for key, value in chosen.items() if value is not None}


def _choices(policy: Policy, metric: Metric) -> list[Value | None]:
    if metric.type is MetricType.BOOLEAN:
        return [True, False, None]
    if metric.type is MetricType.CHOICE:
        return [*metric.options, None]
    limits = [
        each
        for root in policy.roots
        for node in walk(root.criteria)
        if isinstance(node, Condition) and node.metric == metric.key
        for each in (node.limit if isinstance(node.limit, tuple) else (node.limit,))
    ]
    if metric.type is MetricType.DATE:
        days = {EARLIEST_DAY, *(each for each in limits if isinstance(each, date))}
        return [None, *(day + timedelta(days=step) for day in sorted(days) for step in (-1, 0, 1))]
    numbers = {0, *(each for each in limits if isinstance(each, int))}
    near = [each + step for each in sorted(numbers) for step in _BESIDE]
    return [None, *(each for each in near if -LARGEST <= each <= LARGEST)]


_BESIDE: tuple[Number, ...] = (-1, 0, 1, Fraction(1, 3), Fraction(-1, 3))


def _main() -> int:
    document = loads(sys.stdin.buffer.read())
    judge = Judge(load(document))
    try:
        for facts in trial_facts(judge.policy):
            judge.judge(facts)
    except (EngineFailure, Disagreement) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
