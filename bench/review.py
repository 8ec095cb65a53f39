"""What a night's review costs, where its time goes, and what it costs those who ask meanwhile.

Run as ``python -m bench.review [--clients 10000 --clients 100000]``; fails below the aim.  On each
kind of database everybody is reviewed for two dates in a process of their own, beside a bare loop
over the same activities; then a server is asked for standings while a third date is reviewed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial, wraps
from inspect import isgeneratorfunction
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path
from pkgutil import resolve_name
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from threading import Event
from time import perf_counter, sleep
from typing import Any
from unittest.mock import patch

from sqlalchemy import select

from app.clock import business_date
from app.config import Config
from app.merit import Merit
from app.models import Job
from app.services import jobs
from app.services.authority import SYSTEM, Scope
from app.services.keys import Terms, create_key
from app.services.review import BATCH, review
from app.services.standings import REVIEW
from bench.ahead import clock, seconds_to
from bench.http import CONNECTIONS, Load, drive, serving
from bench.kill import POLICY
from bench.lookup import BATCH as FILLED
from bench.lookup import record_sales, requests
from bench.policy import machine
from rules.windows import DAY
from tests.app.company import NOW, Company, company_in
from tests.databases import KINDS

CLIENTS = (10_000, 100_000)
LEAST = {"sqlite": 0.004, "postgresql": 0.02}
"""Clients reviewed for one of the bare loop's."""

ROUNDS = 2
A_DAY = DAY.total_seconds()
TODAY = NOW.date()

PLACES = {
    "metrics": ("app.services.cases.measured", "app.services.standings.next_due"),
    "both evaluators": ("rules.judge.Judge.judge",),
    "the rules of a standing": ("app.services.standings._Batch._decided_on",),
    "answers, explained and worded": (
        "rules.explain.Explainer.explain",
        "app.services.standings.standing_answer",
        "app.services.standings.dumps",
        "app.services.standings._Batch._row",
    ),
    "letters and messages": ("app.services.standings.issue", "app.services.standings.announce"),
    "history, digested and encrypted": (
        "app.services.standings._Batch._note",
        "app.services.standings.record",
        "app.services.notices.record",
        "app.services.jobs.record",
    ),
    "database": (
        "sqlalchemy.orm.Session.execute",
        "app.services.standings.read",
        "app.services.standings._Batch.stored",
        "app.services.standings.insert_rows",
        "app.services.history.insert_rows",
        "app.services.notices.insert_rows",
    ),
    "pauses for other writers": ("threading.Event.wait",),
}
"""Where the parts of a review begin; what runs inside one of another part counts for that."""


def main() -> int:
    """Measure, print, and return 0 if every aim is met."""
    options = ArgumentParser(prog="python -m bench.review")
    options.add_argument("--clients", type=int, action="append")
    numbers = options.parse_args().clients or CLIENTS
    print(machine("granian", "SQLAlchemy", "psycopg"), "\n", flush=True)
    runs, short = {}, []
    for number in numbers:
        for kind in KINDS:
            with TemporaryDirectory() as folder, company_in(kind, Path(folder)) as company:
                run = runs[f"{kind}, {number:,}"] = measured(company, number)
            if run.ratio < LEAST[kind]:
                short.append(f"{kind}, {number:,}: {run.ratio:.4f} of a bare loop")
    for table in (costs, shares, lookups):
        table(runs)
    aims = ", ".join(f"{least:g} on {kind}" for kind, least in LEAST.items())
    print(f"\nAim: of a bare loop's clients per second at least {aims}.", *short, sep="\n")
    return int(bool(short))


@dataclass(frozen=True, slots=True)
class Nights:
    """What two reviews in a row took: seconds, those of the second by its parts; MiB at most."""

    first: float
    second: float
    parts: dict[str, float]
    memory: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What lookups came to meanwhile: how many connections, the load, and clients reviewed."""

    connections: int
    load: Load
    reviewed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """All that was measured of one database with so many clients."""

    clients: int
    nights: Nights
    bare: float
    asked: dict[str, list[Asked]]

    @property
    def ratio(self) -> float:
        return self.bare / self.nights.second


def measured(company: Company, number: int) -> Run:
    """Fill a company with clients and measure everything."""
    company.publish(json.loads(POLICY.read_bytes()))
    record_sales(company.merit, number, TODAY)
    ahead = seconds_to(TODAY + DAY)
    with get_context("spawn").Pool(1) as process:
        nights = process.apply(two_nights, (company.merit.config, ahead))
    bare = bare_loop(company)
    return Run(number, nights, bare, asked_meanwhile(company, number, ahead + 2 * A_DAY))


# -- what a review costs -----------------------------------------------------------------------


def two_nights(config: Config, ahead: float) -> Nights:
    """Review everybody for the first time, and again on the day after, by its parts."""
    first = one_night(Merit(config, clock(ahead)))
    merit, parts = Merit(config, clock(ahead + A_DAY)), Parts()
    with parts.watched(merit):
        second = one_night(merit)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rest = {"all else": second - sum(parts.seconds.values())}
    return Nights(first, second, parts.seconds | rest, memory)


def one_night(merit: Merit) -> float:
    """Review the date that it is, and return the seconds that took."""
    key = f"{REVIEW}:{business_date(merit.clock, merit.fixed.time_zone)}"
    with merit.acting(SYSTEM) as act:
        jobs.add(act, REVIEW, key, act.at)
    lease = jobs.claim(merit.database, "bench", merit.clock(), [REVIEW], key=key)
    assert lease is not None
    batch = partial(review, merit.rulebook, merit.fixed)
    began = perf_counter()
    left = jobs.carry_out(merit.database, merit.clock, lease, batch, Event())
    seconds = perf_counter() - began
    assert left.state == "finished", left
    merit.database.close()
    return seconds


class Parts:
    """Seconds spent in the parts of a review, each without those of the parts inside it."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PLACES, 0.0)
        self._inside: list[float] = []

    @contextmanager
    def watched(self, merit: Merit) -> Iterator[None]:
        """Measure whatever this process does until the block is left."""
        dialect = merit.database.engine.dialect
        with ExitStack() as stack:
            for part, places in PLACES.items():
                for place in places:
                    stack.enter_context(patch(place, self._timed(part, resolve_name(place))))
            commit = self._timed("database", dialect.do_commit)
            stack.enter_context(patch.object(dialect, "do_commit", commit))
            yield

    def _timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def timed(*args: Any, **named: Any) -> Any:
            began = perf_counter()
            self._inside.append(0.0)
            try:
                found = work(*args, **named)
                return iter(list(found)) if is_lazy else found
            finally:
                took = perf_counter() - began
                self.seconds[part] += took - self._inside.pop()
                if self._inside:
                    self._inside[-1] += took

        is_lazy = isgeneratorfunction(work)
        return timed


def bare_loop(company: Company) -> float:
    """Return the seconds in which a loop adds up everybody's activities and writes a row of each.

    It reads the same activities in the same batches through the same driver, and writes as many
    bytes as an answer has.
    """
    with closing(company.merit.owner.engine.raw_connection()) as pooled:
        driver: Any = pooled.driver_connection
        if not company.merit.database.is_sqlite:
            driver.autocommit = True
        driver.execute("CREATE TABLE bare (id BIGINT PRIMARY KEY, total BIGINT, answer TEXT)")
        [(length,)] = driver.execute("SELECT CAST(AVG(LENGTH(answer)) AS INTEGER) FROM standings")
        ids = [each for (each,) in driver.execute("SELECT id FROM clients ORDER BY id")]
        batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
        times = []
        for _ in range(ROUNDS):
            began = perf_counter()
            for batch in batches:
                bare_batch(driver, batch, "x" * length, company.merit.database.is_sqlite)
            times.append(perf_counter() - began)
        return median(times)


def bare_batch(driver: Any, batch: list[int], answer: str, is_sqlite: bool) -> None:
    """Do one batch, a transaction."""
    mark = "?" if is_sqlite else "%s"
    driver.execute("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")
    totals = dict.fromkeys(batch, 0)
    for client, amount in driver.execute(
        f"SELECT client_id, amount FROM activities WHERE client_id BETWEEN {mark} AND {mark}",  # noqa: S608 - our own
        (batch[0], batch[-1]),
    ):
        totals[client] += amount
    driver.cursor().executemany(
        f"INSERT INTO bare VALUES ({mark}, {mark}, {mark}) ON CONFLICT (id) "  # noqa: S608 - our own
        "DO UPDATE SET total = excluded.total, answer = excluded.answer",
        [(client, total, answer) for client, total in totals.items()],
    )
    driver.execute("COMMIT")


# -- what it costs those who ask ---------------------------------------------------------------


def asked_meanwhile(company: Company, number: int, ahead: float) -> dict[str, list[Asked]]:
    """Look standings up while everybody is reviewed, and afterwards.

    First those that have been reviewed already, then anybody's: of who is not, it is decided when
    they are asked for, or the last answer is given.

    :param ahead: to a date that nobody has been reviewed for.
    """
    merit, settled = company.merit, -(-number // 10 // FILLED) * FILLED
    with merit.acting(company.actor("anna")) as act:
        terms = Terms("bench", list(Scope), timedelta(days=30), per_minute=10**9)
        key = create_key(act, merit.secret, terms).text
    settings = {
        "AHEAD": str(ahead),
        "MERIT_DATABASE": merit.config.database,
        "MERIT_DATABASE_OWNER": "",
        "MERIT_SECRET_FILE": str(merit.config.secret_file),
    }
    good, any_of_them = cycle(requests(key, settled)), cycle(requests(key, number))
    with serving("bench.ahead:serve", **settings) as port:
        with reviewing(merit, settled, settings):
            found = {"reviewed already, others being": asked(merit, port, good)}
            found["due, or reviewed already"] = asked(merit, port, any_of_them)
        found["reviewed, nothing else to do"] = asked(merit, port, any_of_them)
    return found


def asked(merit: Merit, port: int, feed: Iterator[bytes]) -> list[Asked]:
    """Put the load on a server over one connection, then over several."""
    found = []
    for connections in CONNECTIONS:
        load, before, began = Load(), reviewed(merit), perf_counter()
        for _ in range(ROUNDS):
            drive(port, feed, connections, load)
        seconds = perf_counter() - began
        found.append(Asked(connections, load, reviewed(merit) - before, seconds))
    return found


@contextmanager
def reviewing(merit: Merit, settled: int, settings: dict[str, str]) -> Iterator[None]:
    """Review a date in another process; it has come to so many clients when this is entered.

    It is waited for when the block is left.
    """
    command = [sys.executable, "-m", "flask", "--app", f"bench.ahead:app({settings['AHEAD']})"]
    wanted = reviewed(merit) + settled
    with subprocess.Popen(
        [*command, "review"],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            while process.poll() is None and reviewed(merit) < wanted:
                sleep(0.02)
            yield
            assert process.wait() == 0
        finally:
            process.terminate()


def reviewed(merit: Merit) -> int:
    """Return how many clients all reviews have come to."""
    with merit.database.reading() as session:
        return sum(session.execute(select(Job.done).where(Job.kind == REVIEW)).scalars())


# -- tables ------------------------------------------------------------------------------------


def costs(runs: dict[str, Run]) -> None:
    """Print how many clients are reviewed in a second."""
    print("| | First review, clients/s | The next night's | Bare loop | Review to bare | MiB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, run in runs.items():
        nights = run.nights
        rates = (run.clients / each for each in (nights.first, nights.second, run.bare))
        first, second, bare = (f"{each:,.0f}" for each in rates)
        print(f"| {name} | {first} | {second} | {bare} | {run.ratio:.4f} | {nights.memory:.0f} |")


def shares(runs: dict[str, Run]) -> None:
    """Print where the time of the second night goes."""
    print("\n| µs for a client, share | " + " | ".join(runs) + " |")
    print("| --- |" + " ---: |" * len(runs))
    for part in (*PLACES, "all else"):
        cells = []
        for run in runs.values():
            seconds = run.nights.parts[part]
            cells.append(f"{1e6 * seconds / run.clients:,.0f}, {seconds / run.nights.second:.0%}")
        print(f"| {part} | " + " | ".join(cells) + " |")


def lookups(runs: dict[str, Run]) -> None:
    """Print how fast standings are looked up meanwhile."""
    print("\n| | Standings | Connections | Lookups/s | p50, ms | p99, ms | Reviewed/s |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, run in runs.items():
        for standings, found in run.asked.items():
            for each in found:
                hundredths = quantiles(each.load.seconds, n=100, method="inclusive")
                print(
                    f"| {name} | {standings} | {each.connections} "
                    f"| {median(each.load.requests_per_second):,.0f} "
                    f"| {1000 * hundredths[49]:,.2f} | {1000 * hundredths[98]:,.2f} "
                    f"| {each.reviewed / each.seconds:,.0f} |"
                )


if __name__ == "__main__":
    sys.exit(main())
