"""``import``: files as companies write them, what is rejected and why, and nothing twice."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import text

from tests.app.asking import served
from tests.app.company import Company


def run(company: Company, path: Path, content: str | bytes, *arguments: str) -> Result:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    what, *rest = arguments
    return served(company).test_cli_runner().invoke(args=["import", what, str(path), *rest])


def rows(company: Company, statement: str) -> list[Any]:
    with company.merit.database.reading() as session:
        return [tuple(map(str, row)) for row in session.execute(text(statement))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


def test_a_file_is_read_as_the_company_writes_it(company: Company, path: Path) -> None:
    table = (
        'Kunde;Nr;Am;Art;Betrag\nC-1;1;30.06.2026 02:30;S;"1.234,50"\nC-1;2;01.07.2026 00:00;C;5\n'
    )
    result = run(
        company,
        path,
        table.encode("cp1251"),
        *("activities", "--source", "erp", "--add-clients", "--delimiter", ";"),
        *("--column", "client=Kunde", "--column", "id=Nr", "--column", "date=Am"),
        *("--column", "kind=Art", "--column", "amount=Betrag", "--encoding", "cp1251"),
        *("--kind", "sale=S", "--kind", "cancellation=C", "--negate", "cancellation"),
        *("--date-format", "%d.%m.%Y %H:%M", "--decimal", ",", "--thousands", "."),
    )
    assert result.exit_code == 0, result.output
    assert rows(company, "SELECT kind, day, amount, at FROM activities ORDER BY id") == [
        ("sale", "2026-06-30", "123450", "None"),
        ("cancellation", "2026-07-01", "-500", "None"),
    ]


def test_rejected_rows_are_kept_with_line_and_reason_until_none_is(
    company: Company, path: Path
) -> None:
    table = "client,id,date,amount,note\nC-1,1,2026-06-30,5,=a\nC-1,2,yesterday,5,=b\nC-1,3\n"
    options = ("activities", "--source", "till", "--all-of-kind", "sale", "--add-clients")
    result = run(company, path, table, *options)
    assert result.exit_code == 1
    assert "Accepted: 1" in result.stdout
    rejected = path.with_suffix(".rejected.csv")
    with rejected.open(encoding="utf-8", newline="") as lines:
        header, *found = csv.reader(lines)
    assert header == ["client", "id", "date", "amount", "note", "line", "reason"]
    assert [row[4:6] for row in found] == [["=b", "3"], ["", "4"]]
    assert "yesterday" in found[0][6]

    result = run(company, path, "client,id,date,amount\nC-1,1,2026-06-30,5.00\n", *options)
    assert (result.exit_code, rejected.exists()) == (0, False)
    assert "Duplicate, known already: 1" in result.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("client,id\n", "no column is named for date"),
        ("", "no column is named for client"),
        (b"client,id,\xff\n", "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_error(
    company: Company, path: Path, content: str | bytes, said: str
) -> None:
    result = run(company, path, content, "activities", "--source", "till", "--all-of-kind", "sale")
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert rows(company, "SELECT * FROM activities") == []


def test_clients_are_stated_once_and_twice_changes_nothing(company: Company, path: Path) -> None:
    table = (
        "client,name,language,date,trade\n"
        "C-1,Ann,en,2026-01-01,gifts\nC-2,,,,\nC-1,,,2026-01-01,x\n"
    )
    result = run(company, path, table, "clients")
    assert result.exit_code == 1
    assert "Accepted: 2" in result.stdout
    assert rows(company, "SELECT reference, name, version FROM clients ORDER BY reference") == [
        ("C-1", "Ann", "1"),
        ("C-2", "None", "1"),
    ]
    before = rows(company, "SELECT * FROM attribute_values"), rows(company, "SELECT * FROM history")
    assert "Duplicate, known already: 2" in run(company, path, table, "clients").stdout
    after = rows(company, "SELECT * FROM attribute_values"), rows(company, "SELECT * FROM history")
    assert after == before
