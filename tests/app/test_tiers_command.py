"""``flask tiers``: how many clients' facts give what tier on a date."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from click.testing import Result
from sqlalchemy import func, select

from app.models import Client, Decision, HistoryEntry
from app.services.authority import SYSTEM
from app.services.clients import Stated, put_client
from rules.measure import Raw
from tests.app.asking import served
from tests.app.company import Company
from tests.rules.builders import attribute, condition, metric, policy_document, tier

TODAY = date(2026, 7, 1)


@pytest.fixture
def company(new_company: Company) -> Company:
    """A company whose tiers are given by points; who owes, nobody knows unless it is stated."""
    debt = metric("debt", "money", missing="cannot_decide")
    document = policy_document(
        [metric("points", "count"), debt, metric("stars", "decimal", attribute("stars"))],
        [
            tier("silver", entry=condition("points", "at_least", 10)),
            tier(
                "gold",
                entry={
                    "all": [condition("points", "at_least", 20), condition("debt", "at_most", 0)]
                },
            ),
        ],
        currency="GBP",
        time_zone="Europe/London",
    )
    new_company.publish(document)
    return new_company


def add(company: Company, reference: str, day: date = TODAY, **attributes: Raw) -> None:
    with company.merit.acting(SYSTEM) as act:
        put_client(act, reference, Stated(attributes=attributes), day)


def run(company: Company, *args: str) -> Result:
    return served(company).test_cli_runner().invoke(args=["tiers", *args])


def shown(result: Result) -> list[list[str]]:
    """Return the words of each line that was printed."""
    return [line.split() for line in result.stdout.splitlines()]


def test_all_clients_are_counted_by_tier_the_highest_first(company: Company) -> None:
    for number, points in enumerate((0, 5, 9, 10, 19, 20, 300, 0)):
        add(company, f"C-{number}", points=points, debt=0)

    result = run(company)

    assert result.exit_code == 0, result.output
    assert shown(result) == [
        ["Clients", "judged:", "8"],
        ["gold", "2", "25.0", "%"],
        ["silver", "2", "25.0", "%"],
        ["base", "4", "50.0", "%"],
    ]


def test_shares_are_rounded_to_a_tenth_of_a_percent(company: Company) -> None:
    for number, points in enumerate((0, 0, 10)):
        add(company, f"C-{number}", points=points, debt=0)

    assert shown(run(company))[1:] == [
        ["gold", "0", "0.0", "%"],
        ["silver", "1", "33.3", "%"],
        ["base", "2", "66.7", "%"],
    ]


def test_without_clients_every_tier_has_none(company: Company) -> None:
    result = run(company)

    assert result.exit_code == 0, result.output
    assert shown(result)[0] == ["Clients", "judged:", "0"]
    assert [words[1:] for words in shown(result)[1:]] == [["0", "0.0", "%"]] * 3


def test_the_undetermined_are_counted_apart_and_are_no_failure(company: Company) -> None:
    add(company, "C-1", points=20, debt=0)
    add(company, "C-2", points=20)  # gold, or silver: nobody knows what they owe

    result = run(company)

    assert result.exit_code == 0, result.output
    assert shown(result) == [
        ["Clients", "judged:", "2"],
        ["gold", "1", "50.0", "%"],
        ["silver", "0", "0.0", "%"],
        ["base", "0", "0.0", "%"],
        ["undetermined", "1", "50.0", "%"],
    ]


def test_it_counts_as_of_the_date_it_is_asked_for(company: Company) -> None:
    add(company, "C-1", TODAY - timedelta(days=1), points=10)
    add(company, "C-1", TODAY, points=20, debt=0)

    def held(*args: str) -> str:
        return next(words[0] for words in shown(run(company, *args))[1:] if words[1] == "1")

    assert held() == held("--date", "2026-07-01") == "gold"
    assert held("--date", "2026-06-30") == "silver"
    assert held("--date", "2026-06-29") == "base"


def test_of_whom_no_tier_can_be_named_is_listed_with_the_reason(company: Company) -> None:
    add(company, "C-1", points=20, debt=0)
    add(company, "C-2", points="many")
    add(company, "C-3", points=1, stars=True)

    result = run(company)

    assert result.exit_code == 1
    assert shown(result)[:2] == [["Clients", "judged:", "1"], ["gold", "1", "100.0", "%"]]
    said = [line.partition(" must be ")[0] for line in result.stderr.splitlines()]
    assert said[-2:] == [
        "client C-2: The metric points cannot be measured: 'many'",
        "client C-3: The metric stars cannot be measured: True",
    ]


def test_nothing_is_recorded(company: Company) -> None:
    add(company, "C-1", points=20)

    def numbers() -> list[int]:
        with company.merit.database.reading() as session:
            return [
                session.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (Client, Decision, HistoryEntry)
            ]

    before = numbers()
    run(company)

    assert numbers() == before


def test_a_date_that_is_none_is_refused(company: Company) -> None:
    for day in ("2026-02-29", "yesterday", ""):
        result = run(company, "--date", day)

        assert result.exit_code == 2
        assert "Invalid value for '--date'" in result.stderr


def test_without_a_policy_in_force_there_is_nothing_to_count_by(new_company: Company) -> None:
    result = run(new_company)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Error: " in result.stderr
    assert "Traceback" not in result.output
