"""What the API does in a second, beside a bare Flask route, and where its time goes.

Run as ``python -m bench.http``.  Both are served as ``make run`` serves Merit.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any

from app.services.evaluations import answer_for, read_question
from app.services.policies import PolicyInForce
from app.words import Words
from bench.company import found
from bench.policy import clients, document, machine, policy, stated
from rules.document.strict_json import dumps, loads
from rules.explain import Explainer
from rules.judge import Judge
from rules.policy import Facts

DAY = date(2026, 7, 1)
SIZES, CONNECTIONS = (1, 100, 1000), (1, 8)
ROUNDS, SECONDS = 3, 2.0
"""How often each load is put on each server, and for how long; requests begun are finished."""

STAGE_ROUNDS, STAGE_CLIENTS = 20, 500


def main() -> int:
    """Measure and print."""
    print(machine("granian", "Flask", "simplejson"), "\n")
    judge, facts = Judge(policy()), clients()
    questions: list[dict[str, object]] = [
        {"date": DAY.isoformat(), "facts": stated(judge.policy, each)} for each in facts
    ]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        company = found(folder, document())
        config = company.merit.config
        settings = {"MERIT_DATABASE": config.database, "MERIT_SECRET_FILE": str(config.secret_file)}
        company.merit.database.close()
        merit = stack.enter_context(serving("wsgi:serve", **settings))
        bare = stack.enter_context(serving("bench.bare:serve"))
        if not right(merit, judge, facts[:1000], request_of(questions[:1000], company.key)):
            print("The service and the judge differ.")
            return 1
        print(
            "| Questions in a request | Connections | | Evaluations/s | To bare | p50, ms |", end=""
        )
        print(" p99, ms | Requests |\n| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
        for size in SIZES:
            for connections in CONNECTIONS:
                asked = requests(questions, size, company.key)
                table(size, connections, *loaded((merit, bare), connections, asked))
    print()
    stages(judge, facts, questions)
    return 0


# -- servers ---------------------------------------------------------------------------------


@contextmanager
def serving(application: str, **settings: str) -> Iterator[int]:
    """Serve an application until the block is left; gives its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", application]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", "4"]
    server = subprocess.Popen(
        command,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait(server, port)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait(server: subprocess.Popen[bytes], port: int) -> None:
    """Wait until a server is ready."""
    request = b"GET /readyz HTTP/1.1\r\nHost: bench\r\n\r\n"
    give_up = perf_counter() + 60
    while perf_counter() < give_up and server.poll() is None:
        try:
            with Connection(port) as connection:
                if connection.ask(request)[0] == 200:
                    return
        except OSError:
            pass
        sleep(0.1)
    raise RuntimeError("The server does not become ready.")


def right(port: int, judge: Judge, facts: Sequence[Facts], request: bytes) -> bool:
    """Return whether the service names the tiers that the judge finds."""
    with Connection(port) as connection:
        status, body = connection.ask(request)
    if status != 200:
        return False
    answers: Any = loads(body)
    tiers = [judge.policy.tiers[judge.judge(each).tier].key for each in facts]
    return [each["tier"]["key"] for each in answers] == tiers


# -- load ------------------------------------------------------------------------------------


class Connection:
    """A connection that is kept; a tenth of http.client's cost, so that it is not measured."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; return the answer's status and body."""
        self._socket.sendall(request)
        head = self._lines.readline()
        if not head:
            raise ConnectionError("The server hung up.")
        length = 0
        while (line := self._lines.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        return int(head.split()[1]), self._lines.read(length)


def request_of(body: object, key: str) -> bytes:
    """Return the bytes of a request with this body and key."""
    content = dumps(body).encode()
    head = (
        "POST /api/v1/evaluations HTTP/1.1\r\nHost: bench\r\n"
        f"Authorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


@dataclass(slots=True)
class Load:
    """What a server did under a load: by round per second, and how long each request took."""

    requests_per_second: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def requests(questions: list[dict[str, object]], size: int, key: str) -> list[bytes]:
    """Return requests with so many questions each: one alone, or an array."""
    if size == 1:
        return [request_of(each, key) for each in questions]
    starts = range(0, len(questions), size)
    return [request_of(questions[start : start + size], key) for start in starts]


def loaded(ports: Sequence[int], connections: int, asked: Sequence[bytes]) -> list[Load]:
    """Put the same load on each server in turn, several times."""
    feeds = [cycle(asked) for _ in ports]
    loads = [Load() for _ in ports]
    for _ in range(ROUNDS):
        for port, feed, load in zip(ports, feeds, loads, strict=True):
            drive(port, feed, connections, load)
    return loads


def drive(port: int, feed: Iterator[bytes], connections: int, load: Load) -> None:
    """Keep so many connections busy for a while; add what was measured."""
    with ExitStack() as stack:
        kept = [stack.enter_context(Connection(port)) for _ in range(connections)]
        pool = stack.enter_context(ThreadPoolExecutor(connections))
        start = perf_counter()

        def keep_busy(connection: Connection) -> list[float]:
            found: list[float] = []
            while (begun := perf_counter()) < start + SECONDS:
                status, _ = connection.ask(next(feed))
                if status != 200:
                    raise RuntimeError(f"The server answers {status}.")
                found.append(perf_counter() - begun)
            return found

        seconds = [each for found in pool.map(keep_busy, kept) for each in found]
        load.requests_per_second.append(len(seconds) / (perf_counter() - start))
        load.seconds += seconds


def table(size: int, connections: int, merit: Load, bare: Load) -> None:
    """Print the rows of one load."""
    rates = [size * median(each.requests_per_second) for each in (merit, bare)]
    for name, load, rate in zip(("Merit", "bare"), (merit, bare), rates, strict=True):
        hundredths = quantiles(load.seconds, n=100, method="inclusive")
        print(
            f"| {size:,} | {connections} | {name} | {rate:,.0f} | {rate / rates[1]:.3f} "
            f"| {1000 * hundredths[49]:,.2f} | {1000 * hundredths[98]:,.2f} "
            f"| {len(load.seconds):,} |",
            flush=True,
        )


# -- stages ----------------------------------------------------------------------------------


def stages(judge: Judge, facts: Sequence[Facts], questions: list[dict[str, object]]) -> None:
    """Print what each step of an answer costs in this process, without HTTP."""
    words, explainer = Words.negotiated(["en"]), Explainer(judge)
    in_force = PolicyInForce({}, judge, explainer)
    bodies = [dumps(each).encode() for each in questions]
    asked = [read_question(judge.policy, each, DAY)[0] for each in questions]
    verdicts = [judge.judge(each) for each in facts]

    def answer(place: int) -> dict[str, Any]:
        return answer_for(in_force, asked[place], facts[place], words)

    answers = [answer(place) for place in range(STAGE_CLIENTS)]
    steps: dict[str, Callable[[int], object]] = {
        "Reading JSON": lambda place: loads(bodies[place]),
        "Reading the question": lambda place: read_question(judge.policy, questions[place], DAY),
        "Judging": lambda place: judge.judge(facts[place]),
        "Explaining": lambda place: explainer.explain(facts[place], verdicts[place], DAY),
        "Putting into words": answer,
        "Writing JSON": lambda place: dumps(answers[place % STAGE_CLIENTS]),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(STAGE_ROUNDS):
        places = range(turn * STAGE_CLIENTS, (turn + 1) * STAGE_CLIENTS)
        for name, step in steps.items():
            start = perf_counter()
            for place in places:
                step(place)
            times[name].append((perf_counter() - start) / STAGE_CLIENTS)
    cost = {name: 1e6 * median(found) for name, found in times.items()}
    # Words come out of answer_for, which judges and explains first.
    cost["Putting into words"] -= cost["Judging"] + cost["Explaining"]
    whole = sum(cost.values())
    print("| Step, without HTTP | µs per evaluation | Share |\n| --- | ---: | ---: |")
    for name, microseconds in {**cost, "All": whole}.items():
        print(f"| {name} | {microseconds:.1f} | {microseconds / whole:.0%} |")


if __name__ == "__main__":
    sys.exit(main())
