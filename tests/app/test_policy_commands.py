"""``policy validate``, ``show``, ``schema`` and ``evaluate``: documents and clients from files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from app.config import Config
from app.services.policies import LARGEST_DOCUMENT
from rules.document.strict_json import digest, dumps, loads
from tests.app.asking import EXAMPLE, QUESTION, TYPES, answered, post
from tests.app.company import NOW
from tests.rules.builders import (
    activities,
    condition,
    metric,
    policy_document,
    tier,
)
from tests.shared import SHARED

Run = Callable[..., Result]
TRANSACTIONS = SHARED / "data" / "online_retail_transactions.csv"


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command; the clock stands at the first of July 2026."""
    runner = create_app(Config(), lambda: NOW).test_cli_runner()
    return lambda *args: runner.invoke(args=["policy", *map(str, args)])


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, object], Path]:
    """Write a file: bytes and text as they are, a list as lines of JSON, all else as JSON."""

    def writing(name: str, content: object) -> Path:
        path = tmp_path / name
        if isinstance(content, list):
            content = "".join(f"{dumps(each)}\n" for each in content)
        if not isinstance(content, bytes):
            content = (content if isinstance(content, str) else dumps(content)).encode()
        path.write_bytes(content)
        return path

    return writing


Write = Callable[[str, object], Path]


def decisions(result: Result) -> list[Any]:
    return [json.loads(line, parse_float=Decimal) for line in result.stdout.splitlines()]


def summary(result: Result) -> dict[str, int]:
    """Return what standard error says of how many hold what."""
    after = result.stderr.split("Clients judged:")[1].splitlines()
    rows = [line.split() for line in after[1:] if line.startswith("  ") and line.endswith(" %")]
    found = {row[0]: int(row[1]) for row in rows}
    assert sum(found.values()) == int(after[0])
    return found


# -- validate --------------------------------------------------------------------------------


def test_a_policy_is_found_valid_and_named_by_its_digest(run: Run) -> None:
    result = run("validate", EXAMPLE)

    assert (result.exit_code, result.stderr) == (0, "")
    for part in (str(EXAMPLE), "5 metrics", "standard, silver, gold, and platinum"):
        assert part in result.stdout
    assert digest(loads(EXAMPLE.read_bytes())) in result.stdout


def test_every_error_of_a_document_is_named_by_its_path(run: Run, write: Write) -> None:
    document: Any = loads(EXAMPLE.read_bytes())
    document["currency"] = "pounds"
    document["metrics"][1]["source"]["aggregate"] = "median"
    document["tiers"][2]["entry"]["all"][3]["operator"] = "below"
    document["tiers"][3]["demotion"] = "never"
    document["colour"] = "blue"

    result = run("validate", write("policy.json", document))

    assert (result.exit_code, result.stdout) == (1, "")
    paths = [line.split(": ")[0] for line in result.stderr.splitlines()[1:]]
    assert sorted(paths) == [
        "colour",
        "currency",
        "metrics[1].source.aggregate",
        "tiers[2].entry.all[3].operator",
        "tiers[3].demotion",
    ]


UNREADABLE: dict[str, tuple[object, str]] = {
    "not JSON": ("{]", "This is not JSON"),
    "empty": ("", "This is not JSON"),
    "names that stand twice": ('{"key": 1, "key": 2}', "The name key stands twice"),
    "no UTF-8": (b'{"key": "\xff"}', "not UTF-8"),
    "NaN": ('{"key": NaN}', "NaN is not a number"),
    "nested beyond all": ("[" * 200_000, "nested too deeply"),
    "too large": (b" " * (LARGEST_DOCUMENT + 1), "larger than"),
}


@pytest.mark.parametrize("command", ["validate", "show"])
@pytest.mark.parametrize(("content", "why"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_document_at_all_is_refused_with_the_reason(
    run: Run, write: Write, command: str, content: object, why: str
) -> None:
    path = write("policy.json", content)

    result = run(command, path)

    assert (result.exit_code, result.stdout) == (1, "")
    assert str(path) in result.stderr
    assert why in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("content", ["[]", "null", "5", '"policy"'])
def test_json_that_is_no_object_is_no_policy(run: Run, write: Write, content: str) -> None:
    result = run("validate", write("policy.json", content))

    assert result.exit_code == 1
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["validate", "show", "evaluate"])
@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_document_that_cannot_be_read_is_named(
    run: Run, tmp_path: Path, command: str, name: str
) -> None:
    result = run(command, tmp_path / name, *([tmp_path] if command == "evaluate" else []))

    assert result.exit_code == 1
    assert f"{tmp_path / name} cannot be read" in result.stderr


# -- show and schema -------------------------------------------------------------------------


def test_a_policy_is_shown_in_sentences(run: Run) -> None:
    result = run("show", EXAMPLE)

    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Gift wholesale: regular buyers.")
    assert "  Gold is reached by who meets:" in lines
    assert "      Cancellations per order is less than 50%" in lines


def test_it_is_shown_in_another_language(run: Run) -> None:
    shown = run("show", EXAMPLE, "--language", "uk").stdout

    assert "  Критерії отримання рівня «Золото»:" in shown.splitlines()
    assert "Оборот за останні 12 місяців: щонайменше 5\xa0000,00\xa0GBP" in shown


def test_what_two_policies_differ_in_is_said_in_sentences(run: Run, write: Write) -> None:
    document: Any = loads(EXAMPLE.read_bytes())
    document["tiers"][1]["entry"]["all"][1]["value"] = 5

    assert run("diff", EXAMPLE, EXAMPLE).stdout == ""
    assert run("diff", EXAMPLE, write("new.json", document)).stdout == (
        "The tier “Silver”: what it asks for\n"
        "  - all of:\n"
        "  -   Number of orders is at least 3\n"
        "  + all of:\n"
        "  +   Number of orders is at least 5\n"
    )


def test_the_schema_is_printed_as_json(run: Run) -> None:
    result = run("schema")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["title"] == "A Merit policy document"


@pytest.mark.parametrize("command", ["validate", "show", "schema", "evaluate"])
def test_every_command_explains_itself(run: Run, command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert f"policy {command}" in result.stdout


# -- evaluate: facts -------------------------------------------------------------------------


def test_facts_are_answered_line_by_line_as_the_service_answers_them(
    run: Run, write: Write, app: Flask
) -> None:
    questions = [
        {**QUESTION, "client": "C-1"},
        {**QUESTION, "client": "C-2", "held": "gold", "date": "2025-12-31"},
        {"facts": {"orders": 3, "days_since_order": 200, "cancelled_share": Decimal("0.125")}},
        {"facts": {}, "currency": "GBP"},
    ]

    result = run("evaluate", EXAMPLE, write("facts.ndjson", questions), "--date", "2026-07-01")

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [loads(line) for line in lines] == answered(post(app, questions))
    assert summary(result) == {"platinum": 0, "gold": 0, "silver": 2, "standard": 2}


def test_without_a_date_facts_are_of_today_where_the_company_does_its_business(
    write: Write,
) -> None:
    app = create_app(Config(), lambda: datetime(2026, 6, 30, 23, tzinfo=UTC))
    facts = write("facts.ndjson", [{"facts": {}}])

    result = app.test_cli_runner().invoke(args=["policy", "evaluate", str(EXAMPLE), str(facts)])

    assert [each["date"] for each in decisions(result)] == ["2026-07-01"]


def test_bad_lines_are_named_and_the_good_ones_answered(run: Run, write: Write) -> None:
    lines = [
        b'{"client": "A", "facts": {}}',
        b'{"client": "B", "facts": {"orders": 1.5, "glamour": 1}}',
        b"",
        b"not JSON",
        b'{"client": "C", "facts": {"revenue_12m": 1e99999}}',
        b'{"client": "D", "facts": {"orders": 1, "cancellations": 1000000000000}}',
        b'{"client": "E", "facts": {}, "date": "2011-02-30"}',
        b'{"client": "\xff", "facts": {}}',
        b"[]",
        b'{"client": "F", "facts": {"orders": 1, "cancellations": 1000000000000000}}',
        b'{"client": "G", "facts": {}, "currency": "USD"}\r',
        b'{"client": "H", "facts": {}}',
    ]

    result = run("evaluate", EXAMPLE, write("facts.ndjson", b"\n".join(lines)))

    assert result.exit_code == 1
    assert [each["client"] for each in decisions(result)] == ["A", "D", "H"]
    assert summary(result)["standard"] == 3
    told = [line.split(": ")[1] for line in result.stderr.splitlines() if ": line " in line]
    assert told == [
        *("line 2, facts.orders", "line 2, facts.glamour", "line 4", "line 5", "line 7, date"),
        *("line 8", "line 9", "line 10, facts.cancelled_share", "line 11, currency"),
    ]
    assert "Traceback" not in result.stderr


def test_an_empty_file_of_facts_has_nobody_in_it(run: Run, write: Write) -> None:
    result = run("evaluate", EXAMPLE, write("facts.ndjson", b"\n\n"))

    assert (result.exit_code, result.stdout) == (0, "")
    assert summary(result) == {"platinum": 0, "gold": 0, "silver": 0, "standard": 0}


def test_facts_may_be_answered_as_csv(run: Run, write: Write) -> None:
    policy = write("policy.json", TYPES)
    facts = {
        "spend": 1999,
        "visits": 3,
        "rating": Decimal("4.75"),
        "idle": 12,
        "debt": -5,
        "birthday": "1980-02-29",
        "member": True,
        "trade": "hotel",
    }
    questions = [{"client": "A", "date": "2026-07-01", "facts": facts}, {"facts": {"spend": 2000}}]

    result = run("evaluate", policy, write("facts.ndjson", questions), "--format", "csv")

    assert result.exit_code == 0
    assert list(csv.reader(result.stdout.splitlines())) == [
        [
            *("client", "date", "tier", "spend", "visits", "rating", "idle", "birthday", "member"),
            *("trade", "debt", "age", "visit_spend", "potential"),
        ],
        [
            *("A", "2026-07-01", "silver", "1999", "3", "4.75", "12", "1980-02-29", "true"),
            *("hotel", "-5", "16924", "666.333333", "1999000"),
        ],
        ["", "2026-07-01", "undetermined", "2000", *[""] * 9, "2000000"],
    ]
    assert summary(result) == {"gold": 0, "silver": 1, "base": 0, "undetermined": 1}


def test_an_undetermined_client_is_answered_and_counted_as_such(run: Run, write: Write) -> None:
    facts = write("facts.ndjson", [{"facts": {"spend": 2000}}, {"facts": {"spend": 1}}])

    result = run("evaluate", write("policy.json", TYPES), facts)

    assert result.exit_code == 0
    assert [each["tier"] and each["tier"]["key"] for each in decisions(result)] == [None, "base"]
    assert summary(result) == {"gold": 0, "silver": 0, "base": 1, "undetermined": 1}


def test_decisions_may_go_to_a_file(run: Run, write: Write, tmp_path: Path) -> None:
    output = tmp_path / "decisions.ndjson"
    facts = write("facts.ndjson", [QUESTION])

    result = run("evaluate", EXAMPLE, facts, "--output", output)

    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(output.read_text(encoding="utf-8"))["tier"]["key"] == "silver"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["facts.ndjson", "--activities", "activities.csv"],
        ["facts.ndjson", "--clients", "clients.csv"],
        ["facts.ndjson", "--date", "2026-02-30"],
        ["facts.ndjson", "--date", "01.07.2026"],
        ["--activities", "activities.csv", "--column", "client"],
        ["facts.ndjson", "--format", "xml"],
    ],
)
def test_a_command_that_is_given_wrongly_says_how_it_is_meant(
    run: Run, arguments: list[str]
) -> None:
    result = run("evaluate", EXAMPLE, *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: " in result.stderr


@pytest.mark.parametrize("option", [[], ["--activities"]])
def test_a_file_of_clients_that_is_not_there_is_named(
    run: Run, tmp_path: Path, option: list[str]
) -> None:
    result = run("evaluate", EXAMPLE, *option, tmp_path / "missing")

    assert result.exit_code == 1
    assert str(tmp_path / "missing") in result.stderr
    assert "Traceback" not in result.stderr


# -- evaluate: activities --------------------------------------------------------------------

MEASURED = policy_document(
    metrics=[
        metric("spend", "money", activities("sum", "amount", kinds=["sale", "refund"])),
        metric("last", "date", activities("last_date")),
        metric("stars", "decimal", activities("average", "attribute:stars")),
        metric("potential", "money"),
        metric("member", "boolean"),
        metric("trade", "choice", missing="cannot_decide"),
    ],
    tiers=[
        tier("silver", entry=condition("spend", "at_least", 10000)),
        tier(
            "gold",
            entry={
                "all": [
                    condition("spend", "at_least", 20000),
                    condition("member", "is", True),
                    condition("trade", "is", "hotel"),
                ]
            },
        ),
    ],
)


def test_clients_are_measured_by_what_they_did_and_are(run: Run, write: Write) -> None:
    did = write(
        "activities.csv",
        "Kunde,wann,was,Summe,Note\n"
        "A,2026-05-01,sale,150.00,4.5\n"
        "B,2026-06-30T23:30:00Z,sale,200,5\n"
        "A,2026-05-02,refund,-0.01,\n"
        "A,2026-06-30T20:59:59Z,sale,50.01,4\n"
        "C,2026-07-02,sale,999,1\n",
    )
    are = write(
        "clients.csv", "client,member,trade,potential\nA,yes,hotel,1000\nB,yes,,\nZ,no,,5\n"
    )
    columns = ["client=Kunde", "date=wann", "kind=was", "amount=Summe", "attribute:stars=Note"]
    options = [option for column in columns for option in ("--column", column)]

    result = run(
        *("evaluate", write("policy.json", MEASURED), "--activities", did, "--clients", are),
        *(*options, "--date", "2026-07-01", "--format", "csv"),
    )

    assert result.exit_code == 0
    assert list(csv.reader(result.stdout.splitlines()))[1:] == [
        ["A", "2026-07-01", "gold", "20000", "2026-06-30", "4.25", "100000", "true", "hotel"],
        ["B", "2026-07-01", "undetermined", "20000", "2026-07-01", "5", "", "true", ""],
        ["Z", "2026-07-01", "base", "0", "", "", "500", "false", ""],
        ["C", "2026-07-01", "base", "0", "", "", "", "", ""],
    ]
    assert summary(result) == {"gold": 1, "silver": 0, "base": 2, "undetermined": 1}


def test_a_table_with_wrong_rows_is_refused_by_their_lines(run: Run, write: Write) -> None:
    table = write("activities.csv", "client,date,kind\nA,2026-05-01,sale\nB,never,sale\n")

    result = run("evaluate", EXAMPLE, "--activities", table)

    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{table}: line 3: " in result.stderr


def test_a_table_of_clients_with_wrong_rows_is_refused_by_their_lines(
    run: Run, write: Write
) -> None:
    table = write("clients.csv", "client,member\nA,perhaps\n")
    did = write("activities.csv", "client,date,kind\n")

    result = run(
        "evaluate", write("policy.json", MEASURED), "--activities", did, "--clients", table
    )

    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{table}: line 2: " in result.stderr


def test_a_client_whose_sums_are_beyond_all_is_named_and_the_others_judged(
    run: Run, write: Write
) -> None:
    most = "10000000000000"
    table = write(
        "activities.csv",
        f"client,date,kind,amount\nA,2026-05-01,sale,{most}\nA,2026-05-01,sale,0.01\n"
        f"B,2026-05-01,sale,{most}\n",
    )

    result = run("evaluate", write("policy.json", MEASURED), "--activities", table)

    assert result.exit_code == 1
    assert [each["client"] for each in decisions(result)] == ["B"]
    assert f"{table}: client A, spend: " in result.stderr


def test_a_client_that_cannot_be_measured_is_named_and_the_others_judged(
    run: Run, write: Write
) -> None:
    """Two metrics read one attribute, and what suits the one does not suit the other."""
    both = [
        metric("code", "choice", {"kind": "attribute", "attribute": "trade"}),
        metric("trade", "choice", options=[{"key": "bar", "name": {"en": "Bar"}}]),
    ]
    table = write("activities.csv", "client,date,kind\nB,2026-05-01,sale\n")
    clients = write("clients.csv", "client,trade\nA,bar\n")

    result = run(
        *("evaluate", write("policy.json", policy_document(both))),
        *("--activities", table, "--clients", clients),
    )

    assert result.exit_code == 1
    assert [each["client"] for each in decisions(result)] == ["B"]
    assert f"{table}: client A: The metric code cannot be measured: " in result.stderr


# -- real transactions -----------------------------------------------------------------------

FIRST, LAST = date(2010, 12, 10), date(2011, 12, 9)
"""Twelve months up to the ninth of December 2011."""


def judge_real(run: Run, transactions: Path, form: str) -> Result:
    return run(
        *("evaluate", EXAMPLE, "--activities", transactions, "--column", "client=customer_id"),
        *("--date", LAST, "--format", form),
    )


def figures() -> Iterator[tuple[str, tuple[Decimal, int, int, int | None]]]:
    """Yield each client's revenue, orders, cancellations and days since, from the rows alone."""
    rows: dict[str, list[dict[str, str]]] = {}
    with TRANSACTIONS.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            rows.setdefault(row["customer_id"], []).append(row)
    for client, all_of_them in rows.items():
        of_the_year = [
            row for row in all_of_them if FIRST <= date.fromisoformat(row["date"][:10]) <= LAST
        ]
        kinds = [row["kind"] for row in of_the_year]
        sold = [row["date"][:10] for row in all_of_them if row["kind"] == "sale"]
        yield (
            client,
            (
                sum((Decimal(row["amount"]) for row in of_the_year), Decimal(0)),
                kinds.count("sale"),
                kinds.count("cancellation"),
                (LAST - date.fromisoformat(max(sold))).days if sold else None,
            ),
        )


def tier_of(revenue: Decimal, orders: int, cancellations: int, idle: int | None) -> str:
    """Tell the tier by the rules of the example, written out once more."""
    share = Fraction(100 * cancellations, orders) if orders else None
    for key, least, fewest, longest, most in (
        ("platinum", 20000, 10, 90, 40),
        ("gold", 5000, 6, 120, 50),
        ("silver", 1000, 3, 180, None),
    ):
        if revenue < least or orders < fewest or idle is None or idle > longest:
            continue
        if most is None or (share is not None and share < most):
            return key
    return "standard"


def test_real_clients_have_the_figures_and_tiers_that_their_transactions_give(run: Run) -> None:
    expected = dict(figures())
    tiers = {client: tier_of(*figure) for client, figure in expected.items()}

    result = judge_real(run, TRANSACTIONS, "csv")

    found = {row["client"]: row for row in csv.DictReader(result.stdout.splitlines())}
    assert len(expected) == 4372
    assert {client: row["tier"] for client, row in found.items()} == tiers
    for client, (revenue, orders, cancellations, idle) in expected.items():
        row = found[client]
        assert int(row["revenue_12m"]) == 100 * revenue
        assert (row["orders"], row["cancellations"]) == (str(orders), str(cancellations))
        assert row["days_since_order"] == ("" if idle is None else str(idle))
        share = round(Fraction(100 * cancellations, orders), 7) if orders else None
        assert (Fraction(row["cancelled_share"]) if row["cancelled_share"] else None) == share
    assert summary(result) == {
        key: list(tiers.values()).count(key) for key in ("platinum", "gold", "silver", "standard")
    }


def test_the_answer_about_one_real_client_word_for_word(run: Run, write: Write) -> None:
    """Who bought for £77,183.60 and gave all of it back on the same day."""
    header, *rows = TRANSACTIONS.read_text(encoding="utf-8").splitlines(keepends=True)
    own = [row for row in rows if row.startswith("12346,")]

    [answer] = decisions(judge_real(run, write("12346.csv", "".join([header, *own])), "ndjson"))

    assert answer["sentences"] == [
        "The tier is Standard.",
        "For Silver: Days since the last order has to fall by 145 days to 180 days, Number of "
        "orders has to rise by 2 to 3, and Revenue in the last 12 months has to rise by £1,000.00 "
        "to £1,000.00.",
    ]
    entry = [each["sentence"] for each in answer["conditions"] if each["criteria"] == "entry"]
    assert entry == [
        "Revenue in the last 12 months is £0.00; Silver asks for at least £1,000.00: £1,000.00 "
        "short.",
        "Number of orders is 1; Silver asks for at least 3: 2 short.",
        "Days since the last order is 325 days; Silver asks for at most 180 days: 145 days too "
        "much.",
        "Revenue in the last 12 months is £0.00; Gold asks for at least £5,000.00: £5,000.00 "
        "short.",
        "Number of orders is 1; Gold asks for at least 6: 5 short.",
        "Days since the last order is 325 days; Gold asks for at most 120 days: 205 days too much.",
        "Cancellations per order is 100%; Gold asks for less than 50%: 50.1 percentage points too "
        "much.",
        "Revenue in the last 12 months is £0.00; Platinum asks for at least £20,000.00: "
        "£20,000.00 short.",
        "Number of orders is 1; Platinum asks for at least 10: 9 short.",
        "Days since the last order is 325 days; Platinum asks for at most 90 days: 235 days too "
        "much.",
        "Cancellations per order is 100%; Platinum asks for less than 40%: 60.1 percentage points "
        "too much.",
    ]
