# ruff: noqa: N999 - the module is named after the command it measures
"""What an import costs beside putting the same rows into the table, and what memory it takes.

Run as ``python -m bench.import``; fails where an aim is missed.  The rows are the real
transactions, repeated under other ids.  ``python -m bench.import ROWS`` imports so many in this
process and prints the memory it took at its most.
"""

from __future__ import annotations

import csv
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import psycopg
from sqlalchemy import make_url

from app.cli.installation import migrate
from app.clock import system_clock
from app.config import Config
from app.merit import Merit
from app.services.cells import Cells
from app.services.imports import BATCH, File, Service, Source, import_activities
from bench.policy import machine
from tests.databases import Place, empty
from tests.shared import SHARED

TRANSACTIONS = SHARED / "data" / "online_retail_transactions.csv"
ROWS, MANY, ROUNDS = 200_000, 1_000_000, 5
LEAST = 0.35
"""Rows of an import on SQLite for one of a bare ``executemany``."""

MOST_MEMORY = 200.0
"""MiB, for a million rows."""

COLUMNS = {"client": "customer_id", "id": "transaction_id"}
Rows = list[tuple[Any, ...]]
Table = tuple[list[str], Rows]
"""The columns of a table, and its rows."""

Bare = Callable[[Place, Table, Table, int], float]
"""Puts clients, then activities into a database, so many at once; times the latter."""


def main() -> int:
    """Measure, print, and return 0 if every aim is met."""
    print(machine("SQLAlchemy", "psycopg") + f", SQLite {sqlite3.sqlite_version}", "\n", sep="")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        write_rows(path, ROWS)
        print(f"{ROWS:,} rows, {ROUNDS} rounds, medians.\n")
        print("| | Rows per second | Import against it |\n| --- | ---: | ---: |")
        ratio = compared("sqlite", path, Path(folder), bare_sqlite)
        compared("postgresql", path, Path(folder), bare_postgresql)
    print(f"\nOn SQLite an import makes {ratio:.2f} of a bare executemany (aim: {LEAST:g}).")
    measured = subprocess.run(
        [sys.executable, "-m", "bench.import", str(MANY)],
        check=True,
        capture_output=True,
        text=True,
    )
    memory = float(measured.stdout)
    print(f"{MANY:,} rows take at most {memory:.0f} MiB (aim: less than {MOST_MEMORY:g}).")
    return int(ratio < LEAST or memory >= MOST_MEMORY)


def compared(kind: str, path: Path, folder: Path, bare: Bare) -> float:
    """Time imports and bare inserts in turn, print the rows, and return their ratio."""
    times: dict[str, list[float]] = {"import": [], "same": [], "one": []}
    for _ in range(ROUNDS):
        with empty(kind, folder) as place, empty(kind, folder) as other:
            prepare(place, folder)
            prepare(other, folder)
            start = perf_counter()
            run(place, path)
            times["import"].append(perf_counter() - start)
            clients, rows = recorded(place, "clients"), recorded(place, "activities")
            times["same"].append(bare(other, clients, rows, BATCH))
        with empty(kind, folder) as other:
            prepare(other, folder)
            times["one"].append(bare(other, clients, rows, ROWS))
    way = "executemany" if kind == "sqlite" else "COPY"
    rates = {name: ROWS / median(found) for name, found in times.items()}
    for name, label in (
        ("import", f"{kind}: import, from the CSV to the history"),
        ("same", f"{kind}: bare {way} into the same table, in the same batches"),
        ("one", f"{kind}: bare {way} into the same table, in one transaction"),
    ):
        print(f"| {label} | {rates[name]:,.0f} | {rates['import'] / rates[name]:.2f} |", flush=True)
    return rates["import"] / rates["same"]


def write_rows(path: Path, number: int) -> None:
    """Write so many transactions, the real ones again and again under other ids."""
    with TRANSACTIONS.open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    place = header.index("transaction_id")
    repeated = (
        [*row[:place], f"{row[place]}-{again}", *row[place + 1 :]]
        for again in count()
        for row in rows
    )
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerow(header)
        csv.writer(out).writerows(islice(repeated, number))


def run(place: Place, path: Path) -> None:
    """Import a file into a database with empty tables, adding the clients."""
    config = Config(place.service, place.owner, path.with_name("secret"))
    merit = Merit(config, system_clock)
    file = File(path, path.with_suffix(".rejected.csv"), COLUMNS)
    cells, source = Cells("Europe/London", "GBP"), Source("shop", adds_clients=True)
    service = Service(merit.database, merit.clock)
    found = import_activities(service, file, source, cells, lambda _: None)
    merit.database.close()
    assert not found.rejected


def prepare(place: Place, folder: Path) -> None:
    """Make the tables."""
    merit = Merit(Config(place.service, place.owner, folder / "secret"), system_clock)
    migrate(merit)
    merit.database.close()
    merit.owner.close()


def recorded(place: Place, table: str) -> Table:
    """Return what a table holds, as the driver has it."""
    statement = f"SELECT * FROM {table} ORDER BY id"  # noqa: S608 - names of our own
    if place.kind == "sqlite":
        with closing(sqlite3.connect(make_url(place.service).database or "")) as connection:
            cursor = connection.execute(statement)
            return [each[0] for each in cursor.description], cursor.fetchall()
    with psycopg.connect(_address(place)) as connected:
        found = connected.execute(statement.encode())
        return [each.name for each in found.description or ()], found.fetchall()


def bare_sqlite(place: Place, clients: Table, rows: Table, size: int) -> float:
    """Return the seconds of ``executemany`` in batches, each a transaction."""
    path = make_url(place.service).database or ""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "recursive_triggers=ON"):
            connection.execute(f"PRAGMA {pragma}").close()
        connection.executemany(_insert("clients", clients), clients[1])
        statement = _insert("activities", rows)
        start = perf_counter()
        for batch in _batches(rows, size):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, batch)
            connection.execute("COMMIT")
        return perf_counter() - start


def bare_postgresql(place: Place, clients: Table, rows: Table, size: int) -> float:
    """Return the seconds of COPY in batches, each a transaction."""
    with psycopg.connect(_address(place), autocommit=True) as connection:
        _copy(connection, "clients", clients[0], clients[1])
        start = perf_counter()
        for batch in _batches(rows, size):
            _copy(connection, "activities", rows[0], batch)
        return perf_counter() - start


def _insert(table: str, rows: Table) -> str:
    places = ", ".join("?" for _ in rows[0])
    return f"INSERT INTO {table} ({_quoted(rows[0])}) VALUES ({places})"  # noqa: S608 - our own


def _copy(
    connection: psycopg.Connection[Any], table: str, names: Sequence[str], rows: Rows
) -> None:
    statement = f"COPY {table} ({_quoted(names)}) FROM STDIN"
    with (
        connection.transaction(),
        connection.cursor() as cursor,
        cursor.copy(statement.encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _batches(rows: Table, size: int) -> Iterator[Rows]:
    for start in range(0, len(rows[1]), size):
        yield rows[1][start : start + size]


def _address(place: Place) -> str:
    url = make_url(place.owner or place.service).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def most_memory(number: int) -> float:
    """Import so many rows in this process, and return the memory it took at its most, in MiB."""
    with TemporaryDirectory() as folder, empty("sqlite", Path(folder)) as place:
        path = Path(folder) / "rows.csv"
        write_rows(path, number)
        prepare(place, Path(folder))
        run(place, path)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(most_memory(int(sys.argv[1])))
    else:
        sys.exit(main())
