"""The worker: what is due by the clock is done, and it ends as it is told."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from app import create_app
from app.clock import system_clock
from app.config import Config
from app.merit import Merit
from app.models import Job, PolicyVersion, Standing
from app.services import jobs
from app.services.activities import NewActivity, record_activities
from app.services.authority import SYSTEM
from app.services.governance import draft, review, schedule, submit
from rules.document.strict_json import loads
from tests.app.asking import EXAMPLE, ROOT, served
from tests.app.company import Company
from tests.databases import Place

TODAY = date(2026, 7, 1)


@pytest.fixture
def company(company: Company) -> Company:
    with company.merit.acting(SYSTEM) as act:
        sale = NewActivity("till", "1", "C-17", "sale", TODAY, amount=100000)
        record_activities(act, [sale], add_missing=True)
    return company


def once(company: Company) -> Result:
    return worked_off(served(company))


def worked_off(app: Flask) -> Result:
    """Run a worker until nothing is due; signals are treated as before afterwards."""
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        return app.test_cli_runner().invoke(args=["worker", "--once"])
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def states(company: Company) -> dict[str, str]:
    with company.merit.database.reading() as session:
        return {each.key: each.state for each in jobs.jobs(session)}


def test_a_worker_does_todays_jobs_and_leaves_tomorrows(company: Company) -> None:
    result = once(company)

    assert result.exit_code == 0, result.output
    assert states(company) == {
        "review:2026-07-01": "finished",
        "housekeeping:2026-07-01": "finished",
        "review:2026-07-02": "waiting",
        "housekeeping:2026-07-02": "waiting",
    }
    with company.merit.database.reading() as session:
        assert session.execute(select(Standing.as_of)).scalar_one() == TODAY


def test_each_day_has_its_own_jobs_and_a_day_left_out_is_caught_up_with(
    company: Company,
) -> None:
    once(company)
    company.clock.now = datetime(2026, 7, 3, 23, 4, tzinfo=UTC)  # four past midnight in London
    once(company)
    assert states(company)["review:2026-07-04"] == "waiting"

    company.clock.advance(minutes=1)
    once(company)

    with company.merit.database.reading() as session:
        found = {each.key: each.report for each in jobs.jobs(session) if each.kind == "review"}
    assert sorted(found) == [f"review:2026-07-0{day}" for day in (1, 2, 3, 4, 5)]
    assert [found[f"review:2026-07-0{day}"]["decisions"] for day in (2, 3, 4)] == [1, 1, 1]


def test_a_version_that_is_due_is_published_before_anybody_is_judged(company: Company) -> None:
    document: Any = loads(EXAMPLE.read_bytes())
    edith, paul = company.actor("edith"), company.actor("paul")
    merit = company.merit
    with merit.acting(edith) as act:
        number = draft(act, {**document, "name": {"en": "Another", "uk": "Інша"}})
    digest = submit(merit.database, edith, number, "Another name.", company.clock())
    with merit.acting(paul) as act:
        review(act, number, digest, "approved", "Read.")
        schedule(act, number, company.clock() + timedelta(hours=1), "In an hour.")
    once(company)
    assert version_in_force(company) != number

    company.clock.advance(hours=1)
    once(company)

    assert version_in_force(company) == number


def version_in_force(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(
            select(PolicyVersion.id).where(PolicyVersion.state == "in_force")
        ).scalar_one()


def test_a_failure_is_told_without_naming_clients(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.review.decide", fails)

    result = once(company)

    assert result.exit_code == 1
    assert "Error: Jobs that failed: 1; flask jobs list says why\n" in result.output
    assert "C-17" not in result.output
    assert states(company)["review:2026-07-01"] == "waiting"
    with company.merit.database.reading() as session:
        [job] = session.execute(select(Job).where(Job.failures == 1)).scalars()
    assert (job.error, job.due_at) == ("ValueError", company.clock() + timedelta(minutes=1))


def fails(*_: object, **__: object) -> None:
    raise ValueError("C-17")


def test_before_there_is_a_policy_a_worker_has_nothing_to_decide(new_company: Company) -> None:
    result = once(new_company)

    assert result.exit_code == 0, result.output
    assert states(new_company)["review:2026-07-01"] == "finished"


def test_a_database_without_tables_is_told_plainly(place: Place, tmp_path: Path) -> None:
    merit = Merit(Config(place.service, place.owner, tmp_path / "secret"), system_clock)
    app = create_app(merit.config)
    merit.install(app)

    result = worked_off(app)
    merit.database.close()

    assert result.exit_code == 1
    assert result.output.startswith("Error: This database is not set up")


# -- a process of its own --------------------------------------------------------------------


def worker(company: Company, *options: str) -> subprocess.Popen[str]:
    config = company.merit.config
    return subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "worker", *options],
        cwd=ROOT,
        env={
            **os.environ,
            "MERIT_DATABASE": config.database,
            "MERIT_SECRET_FILE": str(config.secret_file),
        },
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_worker_told_to_end_gives_back_the_job_it_is_at(company: Company, name: str) -> None:
    company.clock.now = system_clock()
    with company.merit.acting(SYSTEM) as act:
        many = [
            NewActivity("shop", f"{number}", f"D-{number}", "sale", TODAY, amount=100)
            for number in range(500)
        ]
        record_activities(act, many, add_missing=True)
    with worker(company) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(json.loads(line))
            if said[-1]["event"] == "job_started" and "review" in said[-1]["job"]:
                process.send_signal(getattr(signal, name))
        assert process.wait(60) == 0

    assert [each["event"] for each in said][-2:] == ["job_left", "worker_stopped"]
    assert said[-2]["state"] == "waiting"
    assert {each["worker"] for each in said} == {said[0]["worker"]}
    assert not re.search(r"D-\d", json.dumps(said))
    company.clock.now = system_clock()
    again = jobs.claim(company.merit.database, "two", company.clock(), ["review"])
    assert again is not None
    assert 0 < again.done < 500


def test_an_idle_worker_ends_at_once(company: Company) -> None:
    with worker(company) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said = json.loads(line)
            if said["event"] == "job_left" and "housekeeping" in said["job"]:
                process.terminate()
        assert process.wait(60) == 0
