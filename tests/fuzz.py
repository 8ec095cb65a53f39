"""The engine against the reference: random policies, random clients, as many as asked for.

``python -m tests.fuzz`` prints its seed first; the same seed judges the same clients by the same
policies again.  What goes wrong is written to a file, and ``--replay FILE`` judges it again.

A compiled policy takes memory for good, and a fault of durable_rules could hang or kill a
process: so child processes judge a few policies each, and are watched.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import islice
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, cast

from rules.document import load
from rules.document.strict_json import dumps, loads
from rules.engine import EngineFailure
from rules.judge import Disagreement, Judge
from rules.policy import Facts
from rules.vocabulary import Value
from tests.generate import clients, random_document
from tests.rules.builders import Document

POLICIES_PER_CHILD = 25
SECONDS_PER_CHILD = 300.0
FOUND = 3
"""The exit status of a child that found something and wrote it down."""

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Run:
    """What is judged: all of it follows from these."""

    evaluations: int
    seed: str
    clients_per_policy: int
    folder: Path

    def case(self, number: int) -> tuple[Document, list[Facts]]:
        """Return the policy of this number and its clients."""
        random = Random(f"{self.seed}/{number}")
        document = random_document(random)
        several = min(self.clients_per_policy, self.evaluations - number * self.clients_per_policy)
        return document, list(islice(clients(random, load(document)), several))

    def batches(self) -> Iterator[range]:
        """Yield the numbers of the policies for one child after the other."""
        policies = -(-self.evaluations // self.clients_per_policy)
        for first in range(0, policies, POLICIES_PER_CHILD):
            yield range(first, min(first + POLICIES_PER_CHILD, policies))

    def note(self, number: int, several: Sequence[Facts], what: str) -> Path:
        """Write down what went wrong with a policy and these clients of it."""
        document, _ = self.case(number)
        path = self.folder / f"fuzz-{self.seed}-{number}.json"
        noted = [
            {key: _written(value) for key, value in sorted(facts.items())} for facts in several
        ]
        text = dumps({"what": what, "document": document, "clients": noted}, indent=1)
        path.write_text(text, encoding="utf-8")
        return path


def examine(judge: Judge, several: Sequence[Facts]) -> tuple[Facts, str] | None:
    """Judge clients; return the first on whom it goes wrong, and how.

    All are put to the library first, and then judged again from what the engine remembers.
    """
    for anew in (True, False):
        for facts in several:
            if anew:
                judge._engine._decided.clear()
            try:
                judge.judge(facts)
            except (Disagreement, EngineFailure) as error:
                return facts, f"{type(error).__name__}: {error}"
    return None


def judge_batch(run: Run, numbers: range) -> int:
    """Judge some policies' clients in this process, saying where it is and what it found."""
    status = 0
    for number in numbers:
        _say(f"at {number}")
        document, several = run.case(number)
        found = examine(Judge(load(document)), several)
        if found is not None:
            facts, what = found
            _say(f"found {run.note(number, [facts], what)}")
            status = FOUND
    return status


def watch_batch(run: Run, numbers: range) -> list[Path]:
    """Judge some policies' clients in a child process; return the files of what went wrong."""
    command = [sys.executable, "-m", "tests.fuzz", "--batch", f"{numbers.start}-{numbers.stop}"]
    command += ["--evaluations", str(run.evaluations), "--seed", run.seed]
    command += ["--clients-per-policy", str(run.clients_per_policy), "--folder", str(run.folder)]
    lost = ""
    try:
        child = subprocess.run(
            command, cwd=_ROOT, capture_output=True, timeout=SECONDS_PER_CHILD, check=False
        )
        said = child.stdout
        if child.returncode not in (0, FOUND):
            lost = f"died with status {child.returncode}: {child.stderr.decode(errors='replace')}"
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""
        lost = f"no answer in {SECONDS_PER_CHILD:g} seconds"
    lines = [line.split(maxsplit=1) for line in said.decode().splitlines()]
    failures = [Path(rest) for word, rest in lines if word == "found"]
    if lost:
        number = max((int(rest) for word, rest in lines if word == "at"), default=numbers.start)
        failures.append(run.note(number, run.case(number)[1], lost))
    return failures


def fuzz(run: Run) -> int:
    """Judge everything in as many processes as there are processors; return the exit status."""
    _say(f"seed {run.seed}")
    started = time.perf_counter()
    judged = policies = 0
    failures: list[Path] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        batches = list(run.batches())
        for numbers, failed in zip(
            batches, pool.map(lambda each: watch_batch(run, each), batches), strict=True
        ):
            failures += failed
            policies += len(numbers)
            judged = min(run.evaluations, policies * run.clients_per_policy)
            if policies % (20 * POLICIES_PER_CHILD) == 0:
                _say(f"{judged:,} evaluations, {len(failures)} failures")
    for path in failures:
        _say(f"failed: python -m tests.fuzz --replay {path}")
    seconds = time.perf_counter() - started
    _say(
        f"{judged:,} evaluations of {policies:,} policies: "
        f"{len(failures)} disagreements or failures in {seconds:.0f} seconds"
    )
    return 1 if failures else 0


def replay(path: Path) -> int:
    """Judge again what was written down."""
    noted = cast("dict[str, Any]", loads(path.read_text(encoding="utf-8")))
    several = [{key: _read(value) for key, value in facts.items()} for facts in noted["clients"]]
    found = examine(Judge(load(noted["document"])), several)
    _say("nothing goes wrong" if found is None else found[1])
    return 0 if found is None else 1


def read_facts(written: Mapping[str, object]) -> Facts:
    """Read facts as they were written down."""
    return {key: _read(value) for key, value in written.items()}


def _written(value: Value) -> object:
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, Fraction):
        return {"fraction": str(value)}
    return value


def _read(value: Any) -> Value:
    match value:
        case {"date": day}:
            return date.fromisoformat(day)
        case {"fraction": number}:
            return Fraction(number)
        case bool() | int() | str():
            return value
        case _:
            raise ValueError(f"{value!r} is not a value")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--evaluations", type=int, default=1_000_000)
    parser.add_argument("--seed", default=str(SystemRandom().randrange(10**9)))
    parser.add_argument("--clients-per-policy", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where failures go")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="judge a failure again")
    parser.add_argument("--batch", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.replay is not None:
        return replay(asked.replay)
    run = Run(asked.evaluations, asked.seed, asked.clients_per_policy, asked.folder)
    if asked.batch is not None:
        first, end = asked.batch.split("-")
        return judge_batch(run, range(int(first), int(end)))
    return fuzz(run)


if __name__ == "__main__":
    sys.exit(main())
