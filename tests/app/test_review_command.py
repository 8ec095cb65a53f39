"""``flask review``: a date is reviewed once, however often and by whomever it is started."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pytest
from click.testing import Result
from sqlalchemy import func, select, update

from app.models import Decision, Job, Standing
from app.services import jobs
from app.services.activities import NewActivity, record_activities
from app.services.authority import SYSTEM
from tests.app.asking import ROOT, served
from tests.app.company import Company

TODAY = date(2026, 7, 1)
NUMBER = 60


@pytest.fixture
def company(company: Company) -> Company:
    """A company with clients of whom half are silver."""
    sold = [
        NewActivity("till", f"{n}-{sale}", f"C-{n}", "sale", TODAY, amount=60000 * (n % 2))
        for n in range(NUMBER)
        for sale in range(3)
    ]
    with company.merit.acting(SYSTEM) as act:
        record_activities(act, sold, add_missing=True)
    return company


def review(company: Company, *args: str) -> Result:
    return served(company).test_cli_runner().invoke(args=["review", *args])


def decided(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(func.count()).select_from(Decision)).scalar_one()


def reviews(company: Company) -> dict[str, str]:
    with company.merit.database.reading() as session:
        return {each.key: each.state for each in jobs.jobs(session) if each.kind == "review"}


def test_it_says_what_happened_and_who_stands_where(company: Company) -> None:
    result = review(company)

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "2026-07-01: 60 clients, 60 decisions, 0 stood well already.",
        "  promoted                       30",
        "Clients judged: 60",
        "  silver                         30   50.0 %",
        "  standard                       30   50.0 %",
    ]


def test_started_again_it_decides_nothing_and_says_the_same(company: Company) -> None:
    first = review(company)

    again = review(company)

    assert again.exit_code == 0, again.output
    assert again.stdout == first.stdout
    assert decided(company) == NUMBER


def test_dates_missed_are_caught_up_with_in_order(company: Company) -> None:
    review(company)
    company.clock.advance(days=3)

    result = review(company)

    days = [line[:10] for line in result.stdout.splitlines() if "decisions" in line]
    assert days == ["2026-07-02", "2026-07-03", "2026-07-04"]
    assert decided(company) == 4 * NUMBER


def test_missed_dates_can_be_left_out(company: Company) -> None:
    review(company)
    company.clock.advance(days=30)

    result = review(company, "--only")

    assert [line[:10] for line in result.stdout.splitlines() if "decisions" in line] == [
        "2026-07-31"
    ]
    assert decided(company) == 2 * NUMBER


def test_a_date_before_the_last_review_is_refused(company: Company) -> None:
    review(company)

    result = review(company, "--date", "2026-06-30")

    assert result.exit_code == 1
    assert "Everybody has been reviewed until 2026-07-01" in result.output
    assert decided(company) == NUMBER


def test_a_date_to_come_is_refused(company: Company) -> None:
    result = review(company, "--date", "2026-07-02")

    assert result.exit_code == 1
    assert "--date: must not be after today" in result.output


def test_one_client_can_be_reviewed(company: Company) -> None:
    result = review(company, "--client", "C-1")

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "C-1: silver since 2026-07-01, secure, as of 2026-07-01; 1 decisions.",
        "  promoted                        1",
    ]
    assert decided(company) == 1
    assert reviews(company) == {}
    assert "0 decisions" in review(company, "--client", "C-1").stdout


def test_a_client_nobody_knows_is_refused(company: Company) -> None:
    result = review(company, "--client", "C-0815")

    assert result.exit_code == 1
    assert "There is no client C-0815." in result.output


def test_a_review_that_failed_is_tried_again_at_once(company: Company) -> None:
    with company.merit.acting(SYSTEM) as act:
        jobs.add(act, "review", f"review:{TODAY}", act.at)
        later = act.at + timedelta(hours=1)
        act.session.execute(update(Job).values(failures=5, state="failed", due_at=later))

    result = review(company)

    assert result.exit_code == 0, result.output
    assert reviews(company) == {"review:2026-07-01": "finished"}


def test_two_side_by_side_decide_about_each_client_once(company: Company) -> None:
    config = company.merit.config
    there = {"MERIT_DATABASE": config.database, "MERIT_SECRET_FILE": str(config.secret_file)}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "review", "--date", "2026-06-30"]
    both = [
        subprocess.Popen(
            command, cwd=ROOT, env=there, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [each.communicate(timeout=120) for each in both]

    assert [each.returncode for each in both] == [0, 0], said
    assert said[0][0] == said[1][0]
    assert decided(company) == NUMBER
    with company.merit.database.reading() as session:
        assert session.execute(select(func.count()).select_from(Standing)).scalar_one() == NUMBER
