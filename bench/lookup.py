"""What a lookup of a standing costs, beside a bare Flask route that reads one indexed row.

Run as ``python -m bench.lookup [--clients N]``.  Both are served the same way, in the same run,
and answer the same bytes; exits 1 below the aim.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import structlog
from flask import Flask
from werkzeug.test import EnvironBuilder

from app import create_app
from app.api.standing import STATEMENT
from app.clock import business_date
from app.logs import configure_logs
from app.merit import Merit
from app.pace import Pace
from app.services.activities import NewActivity, record_activities
from app.services.authority import SYSTEM
from app.services.keys import parse
from app.services.standings import decide
from app.telemetry import count_request
from app.words import Words
from bench.bare import lookup
from bench.company import Founded, found
from bench.http import Load, drive, serving
from bench.policy import machine

AIM = 0.45
CONNECTIONS = (1, 8)
ROUNDS = 5
BATCH = 500
CALLS = 2000


def main() -> int:
    """Measure and print."""
    parser = ArgumentParser()
    parser.add_argument("--clients", type=int, default=100_000)
    number = parser.parse_args().clients
    print(machine("granian", "Flask", "SQLAlchemy"), "\n")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        company = found(folder)
        start = perf_counter()
        fill(company.merit, number)
        seconds = perf_counter() - start
        print(f"{number:,} clients recorded and decided in {seconds:,.0f} s.\n", flush=True)
        bare_file = beside(company, folder)
        company.merit.database.close()
        settings = {
            "MERIT_DATABASE": company.merit.config.database,
            "MERIT_SECRET_FILE": str(company.merit.config.secret_file),
        }
        merit = stack.enter_context(serving("wsgi:serve", **settings))
        bare = stack.enter_context(serving("bench.bare:lookup", BARE_DATABASE=str(bare_file)))
        ratio = compared(merit, bare, company.key, number)
        print("\nThe same while activities are imported, without pause, by another process:\n")
        with importing(folder, settings):
            compared(merit, bare, company.key, number)
        print(f"\nResident memory of the worker: {resident(merit):,.0f} MiB; the bare ", end="")
        print(f"route's: {resident(bare):,.0f} MiB.\n")
        stages(company, bare_file, number)
    print(f"\nLookups to bare reads: {ratio:.2f} (aim: at least {AIM}).")
    return 0 if ratio >= AIM else 1


# -- what is looked up -------------------------------------------------------------------------


def fill(merit: Merit, number: int) -> None:
    """Record some sales of so many clients, and decide about all of them."""
    today = datetime.now(UTC).date()  # noqa: TID251 - the server's clock, too
    record_sales(merit, number, today)
    for start in range(1, number + 1, BATCH):
        with merit.acting(SYSTEM) as act:
            ids = range(start, min(start + BATCH, number + 1))
            decide(act, merit.rulebook, ids, today, Words.negotiated(["en"]))


def record_sales(merit: Merit, number: int, today: date) -> None:
    """Record some sales of so many clients in the year before a day."""
    chance = Random(7)
    for start in range(0, number, BATCH):
        with merit.acting(SYSTEM) as act:
            happened = [
                each
                for client in range(start, min(start + BATCH, number))
                for each in sales(client, chance, today)
            ]
            record_activities(act, happened, add_missing=True)


def sales(client: int, chance: Random, today: date) -> Iterator[NewActivity]:
    """Yield some sales of a client in the last year."""
    for sale in range(chance.randint(1, 12)):
        yield NewActivity(
            "till",
            f"{client}-{sale}",
            f"C-{client}",
            "sale",
            today - timedelta(chance.randrange(365)),
            amount=chance.randrange(1000, 200_000),
        )


def beside(company: Founded, folder: Path) -> Path:
    """Put the same answers into a database of one table for the bare route."""
    path = folder / "bare.db"
    source = sqlite3.connect(str(company.merit.database.engine.url.database))
    target = sqlite3.connect(path)
    target.execute("PRAGMA journal_mode=WAL")
    target.execute("CREATE TABLE answers (reference TEXT PRIMARY KEY, answer TEXT)")
    target.executemany(
        "INSERT INTO answers VALUES (?, ?)",
        source.execute(
            "SELECT reference, answer FROM clients JOIN standings ON client_id = clients.id"
        ),
    )
    target.commit()
    target.close()
    source.close()
    return path


# -- load --------------------------------------------------------------------------------------


def compared(merit: int, bare: int, key: str, number: int) -> float:
    """Put the same load on both, print it, and return the ratio over one connection."""
    feeds = [cycle(requests(key, number)) for _ in range(2)]
    ratios = []
    print("| Connections | | Lookups/s | To bare | p50, ms | p99, ms | Requests |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for connections in CONNECTIONS:
        loads = Load(), Load()
        for _ in range(ROUNDS):
            for port, feed, load in zip((merit, bare), feeds, loads, strict=True):
                drive(port, feed, connections, load)
        rates = [median(load.requests_per_second) for load in loads]
        for name, load, rate in zip(("Merit", "bare"), loads, rates, strict=True):
            hundredths = quantiles(load.seconds, n=100, method="inclusive")
            print(
                f"| {connections} | {name} | {rate:,.0f} | {rate / rates[1]:.3f} "
                f"| {1000 * hundredths[49]:,.2f} | {1000 * hundredths[98]:,.2f} "
                f"| {len(load.seconds):,} |",
                flush=True,
            )
        ratios.append(rates[0] / rates[1])
    return ratios[0]


def requests(key: str, number: int) -> list[bytes]:
    """Return lookups of clients here and there, in an order that repeats only after all."""
    chance = Random(3)
    return [
        (
            f"GET /api/v1/clients/C-{chance.randrange(number)}/standing HTTP/1.1\r\n"
            f"Host: bench\r\nAuthorization: Bearer {key}\r\n\r\n"
        ).encode()
        for _ in range(20_000)
    ]


@contextmanager
def importing(folder: Path, settings: dict[str, str]) -> Iterator[None]:
    """Keep importing activities, of clients of their own, until the block is left."""
    code = (
        "from bench.lookup import import_on; from app import create_app; "
        "import_on(create_app().extensions['merit'])"
    )
    log = (folder / "import.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, **settings}, stderr=log
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()
        log.close()


def import_on(merit: Merit) -> None:
    """Record batches of activities until the process is ended."""
    chance, batch = Random(), 0
    while True:
        batch += 1
        with merit.acting(SYSTEM) as act:
            happened = [
                NewActivity(
                    "import",
                    f"{chance.getrandbits(100):x}",
                    f"I-{chance.randrange(50_000)}",
                    "sale",
                    date(2026, 6, 1),
                    amount=chance.randrange(100_000),
                )
                for _ in range(2000)
            ]
            record_activities(act, happened, add_missing=True)


def resident(port: int) -> float:
    """Return the resident memory, in MiB, of the processes that serve a port."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            if str(port).encode() in command and int(parent(process)) != os.getpid():
                pages = int((process / "statm").read_text().split()[1])
                total += pages * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total / 2**20


def parent(process: Path) -> str:
    """Return the id of a process's parent."""
    return (process / "stat").read_text().rpartition(")")[2].split()[1]


# -- stages ------------------------------------------------------------------------------------


def stages(company: Founded, bare_file: Path, number: int) -> None:
    """Print what the steps of a lookup cost in this process, without a server."""
    os.environ["BARE_DATABASE"] = str(bare_file)
    merit, key = company.merit, parse(company.key) or ("", "")
    bare = sqlite3.connect(bare_file, isolation_level=None)
    chance, log = Random(5), structlog.get_logger()
    references = [f"C-{chance.randrange(number)}" for _ in range(CALLS)]
    now = merit.database.instant(merit.clock())
    pace, zone = Pace(), merit.fixed.time_zone
    steps: dict[str, Callable[[str], object]] = {
        "A whole request to the bare route": through(lookup(), company.key),
        "— its statement": lambda reference: bare.execute(
            "SELECT answer FROM answers WHERE reference = ?", (reference,)
        ).fetchone(),
        "A whole request to Merit": through(create_app(merit.config), company.key),
        "— one statement: key, client, standing, policy in force": lambda reference: (
            merit.database.row(STATEMENT, reference, key[0], now)
        ),
        "— the key: read, hashed, counted": lambda _: checked(merit, pace, company.key),
        "— the business date": lambda _: business_date(merit.clock, zone),
        "— counting the request": lambda _: count_request("GET", "/x", 200, 0.001),
        "— its line in the log": lambda _: log.info(
            "request", method="GET", route="/x", status=200, milliseconds=0.1
        ),
    }
    print("| In this process, without a server | µs |\n| --- | ---: |")
    for name, step in steps.items():
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
            structlog.reset_defaults()
            configure_logs()
            times = [timed(step, references) for _ in range(ROUNDS)]
        print(f"| {name} | {1e6 * median(times):.1f} |")
    bare.close()
    merit.database.close()


def checked(merit: Merit, pace: Pace, text: str) -> bytes:
    """Do what admitting a key takes, apart from the statement."""
    key_id, secret = parse(text) or ("", "")
    pace.require(key_id, 10**9, merit.clock())
    return merit.secret.digest(secret)


def timed(step: Callable[[str], object], references: list[str]) -> float:
    """Return the seconds one step takes."""
    start = perf_counter()
    for reference in references:
        step(reference)
    return (perf_counter() - start) / len(references)


def through(app: Flask, key: str) -> Callable[[str], object]:
    """Return what asks an application through WSGI, without a test client's cost."""
    headers = [("Authorization", f"Bearer {key}")]
    asked: dict[str, Any] = dict(EnvironBuilder(headers=headers).get_environ())

    def ask(reference: str) -> object:
        path: dict[str, Any] = {"PATH_INFO": f"/api/v1/clients/{reference}/standing"}
        return b"".join(app.wsgi_app(asked | path, _ignored))

    return ask


def _ignored(*_: object) -> Callable[[bytes], object]:
    """Take the head of an answer, as a server does."""
    return len


if __name__ == "__main__":
    sys.exit(main())
