"""Web hooks with faulty receivers: none loses a message, none gets one under two ids.

Run as ``python -m bench.hooks [--messages 200]``.  On each kind of database messages about 50
clients are sent to ten receivers, three of which fail every other request: with 500, by hanging up,
in the midst of the answer, by taking the message and hanging up, or by never answering.  The clock
is set forward from attempt to attempt, so that nobody waits three days.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Event
from time import perf_counter

from app.services import sending
from bench.policy import machine
from rules.document.strict_json import loads
from tests.app.company import Company, close, company_in
from tests.app.telling import AFTER_ALL, added, announced, change, courier, deliveries, in_force
from tests.databases import KINDS
from tests.receiving import Manner, Receiver, is_signed, receiving

POLICY = Path(__file__).parents[1] / "examples" / "wholesale.json"
RECEIVERS, FAULTY, CLIENTS = 10, 3, 50
FAULTS: tuple[Manner | int, ...] = (500, "hangs_up", "cuts", "takes_and_hangs_up", "hangs")

MOST_FAILURES = 5
"""How often a message fails at most: one that is given up would not be lost by Merit."""

PATIENCE = 0.2
"""Seconds after which an attempt has failed, in place of ten."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to."""

    kind: str
    deliveries: int
    requests: int
    again: int
    lost: int
    doubled: int
    overtaken: int
    unsigned: int
    rate: float

    @property
    def is_wrong(self) -> bool:
        return bool(self.lost or self.doubled or self.overtaken or self.unsigned)


def main() -> int:
    """Send, compare, and print what was found."""
    options = ArgumentParser()
    options.add_argument("--messages", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    sending.WHOLE_SECONDS = PATIENCE
    print(machine("SQLAlchemy"), "\n")
    print("| | deliveries | requests | same id again | lost | doubled | overtaken | per second |")
    print("| --- |" + " ---: |" * 7)
    found = [sent(kind, given.messages, Random(given.seed)) for kind in KINDS]
    for each in found:
        numbers = (each.deliveries, each.requests, each.again, each.lost, each.doubled)
        said = " | ".join(f"{number:,}" for number in (*numbers, each.overtaken))
        print(f"| {each.kind} | {said} | {each.rate:,.0f} |")
    return 1 if any(each.is_wrong for each in found) else 0


def sent(kind: str, messages: int, chance: Random) -> Result:
    """Send each receiver so many messages over a database of a kind until none waits."""
    tries = Counter[str]()

    def treat(receiver: Receiver, message: str) -> Manner | int:
        tries[f"{receiver.port} {message}"] += 1
        fails = chance.random() < 0.5 and tries[f"{receiver.port} {message}"] <= MOST_FAILURES
        return chance.choice(FAULTS) if fails else "takes"

    with TemporaryDirectory() as name, ExitStack() as stack:
        company = stack.enter_context(company_in(kind, Path(name)))
        company.publish(loads(POLICY.read_bytes()))  # type: ignore[arg-type]  # an object
        sound = [stack.enter_context(receiving()) for _ in range(RECEIVERS - FAULTY)]
        faulty = [stack.enter_context(receiving(treat)) for _ in range(FAULTY)]
        secrets = [added(company, each.url).text for each in (*sound, *faulty)]
        policy = in_force(company)
        announced(
            company,
            (change(policy, f"C-{each % CLIENTS}", str(each)) for each in range(messages)),
        )
        began = perf_counter()
        send_all(company)
        seconds = perf_counter() - began
        state = Counter(each.state for each in deliveries(company))
        close(company)
    receivers = [*sound, *faulty]
    signed = zip(receivers, secrets, strict=True)
    return Result(
        kind,
        state["delivered"],
        sum(len(each.requests) for each in receivers),
        sum(each.again for each in receivers),
        lost=sum(messages - len(decisions(each)) for each in receivers) + state["waiting"],
        doubled=sum(len(each.taken) - len(decisions(each)) for each in receivers),
        overtaken=sum(map(overtaken, receivers)),
        unsigned=sum(not is_signed(one, key) for each, key in signed for one in each.requests),
        rate=state["delivered"] / seconds,
    )


def send_all(company: Company) -> None:
    """Send until nothing waits any more."""
    courier(company).work_off(Event())
    while any(each.state == "waiting" for each in deliveries(company)):
        company.clock.now += AFTER_ALL
        courier(company).work_off(Event())


def decisions(receiver: Receiver) -> set[str]:
    """Return the decisions that a receiver has been told of."""
    return {each.data["decision"] for each in receiver.taken.values()}


def overtaken(receiver: Receiver) -> int:
    """Count the messages that a later one about the same client came before."""
    last: dict[str, int] = {}
    number = 0
    for each in receiver.taken.values():
        decision = int(each.data["decision"])
        number += decision < last.get(each.data["client"], -1)
        last[each.data["client"]] = decision
    return number


if __name__ == "__main__":
    sys.exit(main())
