"""The real transactions in both databases: the counts of tiers, twice, and killed on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from app.models import Activity
from app.services.verification import verify
from tests.app.asking import ROOT, served
from tests.app.company import Company, branch
from tests.shared import SHARED

TRANSACTIONS = SHARED / "data" / "online_retail_transactions.csv"
ARGUMENTS = (
    *("import", "activities", str(TRANSACTIONS), "--source", "shop", "--add-clients"),
    *("--column", "client=customer_id", "--column", "id=transaction_id"),
)
TABLES = {
    "clients": "reference, version, facts_version",
    "activities": "source, external_id, kind, day, at, amount, quantity, product, attributes",
    "attribute_values": "name, day, value",
    "history": "sequence, actor, verb",
    "history_inputs": "sequence",
    "standings": "client_id",
}


def run(company: Company, *arguments: str) -> str:
    result = served(company).test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def content(company: Company, columns: dict[str, str] = TABLES) -> dict[str, list[Any]]:
    """Return what the tables hold, without ids and times."""
    with company.merit.database.reading() as session:
        return {
            table: sorted(
                tuple(map(str, row))
                for row in session.execute(text(f"SELECT {names} FROM {table}"))  # noqa: S608
            )
            for table, names in columns.items()
        }


def test_the_real_transactions_give_the_tiers_they_always_gave(
    company: Company, tmp_path: Path
) -> None:
    said = run(company, *ARGUMENTS, "--rejected", str(tmp_path / "rejected.csv"))
    for part in ("Accepted: 22190", "Duplicate, known already: 0", "Rejected: 0", "4372"):
        assert part in said

    counted = run(company, "tiers", "--date", "2011-12-09")
    rows = [line.split() for line in counted.splitlines()[1:]]
    assert {row[0]: int(row[1]) for row in rows} == {
        "platinum": 27,
        "gold": 180,
        "silver": 1160,
        "standard": 3005,
    }

    before = content(company, dict.fromkeys(TABLES, "*"))
    again = run(company, *ARGUMENTS, "--rejected", str(tmp_path / "rejected.csv"))
    assert "Duplicate, known already: 22190" in again
    assert content(company, dict.fromkeys(TABLES, "*")) == before
    with company.merit.database.reading() as session:
        verify(session)


def test_an_import_killed_on_the_way_and_run_again_ends_as_one_run(
    company: Company,
    another: Company,
    tmp_path: Path,
) -> None:
    arguments = [*ARGUMENTS, "--rejected", str(tmp_path / "rejected.csv")]
    run(another, *arguments)
    environment = {
        **os.environ,
        "MERIT_DATABASE": company.place.service,
        "MERIT_SECRET_FILE": str(company.merit.config.secret_file),
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while number(company) == 0:
            assert process.poll() is None, "it ended before it was killed"
        process.send_signal(signal.SIGKILL)
    assert 0 < number(company) < 22190

    run(company, *arguments)

    assert content(company) == content(another)


def number(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(func.count()).select_from(Activity)).scalar_one()


@pytest.fixture
def another(running: Company, tmp_path: Path) -> Iterator[Company]:
    folder = tmp_path / "another"
    folder.mkdir()
    with branch(running, folder) as found:
        yield found
